//! Events a second on one core: places by UN/LOCODE, with and without a stated offset, by bare
//! coordinates, and by city. `cargo bench -p waybill-enrich`.

use std::hint::black_box;
use std::sync::Arc;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use waybill_enrich::{Enrich, Places};
use waybill_schemas::vocabulary::{Classifier, Milestone, TimePrecision};
use waybill_schemas::{EventId, OccurrenceTime, Place, Provenance, ShipmentEvent};
use waybill_stage::{Context, Outputs, Stage};

const EVENTS: usize = 1000;

fn event(place: Place, offset_minutes: Option<i32>, n: usize) -> ShipmentEvent {
    let minute = i64::try_from(n).unwrap_or(0) * 61;
    ShipmentEvent {
        provenance: Arc::new(Provenance::default()),
        position: 1,
        event_id: EventId([7; 16]),
        shipment_id: "acme-line/ACMU1234567".into(),
        milestone: Milestone::Loaded,
        classifier: Classifier::Actual,
        raw_code: "EQUIPMENT/LOAD".into(),
        raw_id: None,
        occurred: OccurrenceTime {
            wall_ms: 1_768_918_500_000 + minute * 60_000,
            offset_minutes,
            precision: TimePrecision::Second,
        },
        created_at: None,
        references: vec![],
        equipment: None,
        place: Some(place),
        transport: None,
        exceptions: vec![],
        customs: None,
        quantities: vec![],
        remark: None,
        readings: vec![],
        withdraws: None,
        notes: vec![],
        notes_about: vec![],
        validated_at: 1,
    }
}

fn enrich(c: &mut Criterion) {
    let stage = Enrich::default();
    let places = Places::bundled();
    let spread: Vec<_> =
        places.iter().filter(|place| !place.code.is_empty()).step_by(115).take(EVENTS).collect();
    let events = |make: &dyn Fn(usize, &waybill_enrich::Place) -> ShipmentEvent| {
        spread.iter().enumerate().map(|(n, place)| make(n, place)).collect::<Vec<_>>()
    };
    let coded = |place: &waybill_enrich::Place| Place {
        unlocode: Some(place.code.into()),
        ..Place::default()
    };
    let bare = |place: &waybill_enrich::Place| Place {
        latitude: place.coordinates.map(|c| c.latitude),
        longitude: place.coordinates.map(|c| c.longitude),
        ..Place::default()
    };
    let named = |place: &waybill_enrich::Place| Place {
        city: Some(place.name.to_uppercase()),
        country: Some(place.country.into()),
        region: Some(place.division.into()).filter(|division: &String| !division.is_empty()),
        ..Place::default()
    };
    let mut group = c.benchmark_group("enrich");
    group.throughput(Throughput::Elements(EVENTS as u64));
    for (name, input) in [
        ("unlocode, offset stated", events(&|n, p| event(coded(p), Some(480), n))),
        ("unlocode, offset from place", events(&|n, p| event(coded(p), None, n))),
        ("coordinates, offset from place", events(&|n, p| event(bare(p), None, n))),
        ("city, offset from place", events(&|n, p| event(named(p), None, n))),
    ] {
        group.bench_function(name, |b| {
            let cx = Context::at(0);
            let mut outputs = Outputs::default();
            b.iter_batched(
                || input.clone(),
                |events| {
                    for event in events {
                        let _ = stage.apply(&cx, event, &mut outputs);
                        black_box(&outputs);
                        outputs.clear();
                    }
                },
                BatchSize::SmallInput,
            );
        });
    }
    group.finish();
    c.bench_function("load the tables", |b| b.iter(Enrich::default));
}

criterion_group!(benches, enrich);
criterion_main!(benches);
