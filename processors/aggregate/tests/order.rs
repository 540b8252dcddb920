//! The state is a function of the set of events, whatever the order of their arrival; and nothing
//! that can come in makes it panic.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod story;

use proptest::prelude::*;
use story::{DAY, HOUR, Log, Outcome, PLACES, apply, changed, event, received_at};
use strum::VariantArray;
use waybill_aggregate::{Partition, Settings};
use waybill_schemas::vocabulary::{Classifier, Milestone};
use waybill_schemas::{EnrichedEvent, Equipment, Provenance, Shipment};

/// Few times and places, so that many events share them.
fn events() -> impl Strategy<Value = Vec<EnrichedEvent>> {
    let one = (
        prop::sample::select(Classifier::VARIANTS),
        prop::sample::select(Milestone::VARIANTS),
        0..PLACES.len() + 2,
        0..12_i64,
        0..40_i64,
        prop::option::of(prop::sample::select(&["NL", "CN", "FR"][..])),
        prop::option::of(prop::sample::select(&["MSKU0000006", "CSQU3054383"][..])),
        prop::option::of(prop::sample::select(&["e1", "e2"][..])),
    );
    prop::collection::vec(one, 1..24).prop_map(|told| {
        let told = told.into_iter().zip(1..);
        told.map(|((classifier, milestone, place, days, received, country, unit, id), n)| {
            let place = PLACES.get(place).map_or(if place % 2 == 0 { "" } else { "DE" }, |p| p.0);
            let mut event = event("s", n, classifier, milestone, place, days * DAY);
            event.enrichment.destination_country = country.map(Into::into);
            event.event.equipment =
                unit.map(|u| Equipment { number: u.into(), iso_type: None, empty: None });
            let id = id.map(Into::into);
            if milestone == Milestone::Withdrawn {
                event.event.withdraws = id;
            } else {
                event.event.raw_id = id;
            }
            received_at(event, received * HOUR)
        })
        .collect()
    })
}

/// Without what tells the order of arrival.
fn settled(mut shipment: Shipment) -> Shipment {
    shipment.last = Provenance::default().into();
    shipment.aggregated_at = 0;
    shipment
}

fn run(events: &[EnrichedEvent]) -> (Shipment, usize) {
    let mut partition = Partition::default();
    let mut accepted = 0;
    for event in events {
        let outcome = apply(&mut partition, &Settings::default(), event.clone());
        if let Outcome::Accepted(event) = outcome {
            accepted += 1;
            assert_eq!(event.history.revision, accepted as u64);
        }
    }
    let shipment = changed(&mut partition).pop().unwrap().1.unwrap();
    (shipment, accepted)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn any_order_of_arrival_gives_the_same_shipment(
        (events, shuffled) in events().prop_flat_map(|events| {
            // Some of them twice.
            let copies = prop::sample::subsequence(events.clone(), 0..=events.len());
            (Just(events), copies)
        }).prop_flat_map(|(mut events, copies)| {
            events.extend(copies);
            (Just(events.clone()), Just(events).prop_shuffle())
        })
    ) {
        let (one, accepted) = run(&events);
        let (other, accepted_then) = run(&shuffled);
        prop_assert_eq!(accepted, accepted_then);
        prop_assert_eq!(one.duplicates as usize, events.len() - accepted);
        prop_assert_eq!(settled(one), settled(other));
    }

    #[test]
    fn a_restored_shipment_is_the_same(events in events(), cut in any::<prop::sample::Index>()) {
        let (before, after) = events.split_at(cut.index(events.len()) + 1);
        let settings = Settings::default();
        let (mut live, mut log) = (Partition::default(), Log::default());
        for (n, event) in before.iter().enumerate() {
            apply(&mut live, &settings, event.clone());
            if n % 5 == 0 {
                log.write(&mut live);
            }
        }
        log.write(&mut live);
        let mut restored = log.restore(&settings, before.len() % 2 == 0);
        // Shown again after a copy, which changes no more than its count.
        apply(&mut restored, &settings, events[0].clone());
        for event in after {
            apply(&mut restored, &settings, event.clone());
        }
        let mut expect = run(&events).0;
        expect.duplicates += 1;
        prop_assert_eq!(changed(&mut restored).pop().unwrap().1.unwrap(), expect);
    }

    #[test]
    fn the_sequence_is_the_place_among_those_known(events in events()) {
        let mut partition = Partition::default();
        let mut known: Vec<EnrichedEvent> = Vec::new();
        // What is void has no place among others: see history.rs.
        let stands = |e: &EnrichedEvent| e.event.milestone != Milestone::Withdrawn;
        for mut event in events.into_iter().filter(stands) {
            event.event.raw_id = None;
            let at = event.enrichment.occurred_at;
            let same = |e: &&EnrichedEvent| e.event.classifier == event.event.classifier;
            let before = known.iter().filter(same).filter(|e| e.enrichment.occurred_at < at);
            let after = known.iter().filter(same).filter(|e| e.enrichment.occurred_at > at);
            let (before, after) = (before.count(), after.count());
            let all = known.iter().filter(same).count();
            known.push(event.clone());
            let Outcome::Accepted(accepted) = apply(&mut partition, &Settings::default(), event)
            else { panic!("not accepted") };
            let sequence = accepted.history.sequence as usize;
            // Those of the same time may stand on either side.
            prop_assert!(before < sequence && sequence <= all - after + 1);
            prop_assert_eq!(accepted.history.out_of_order, sequence <= all);
        }
    }
}

fn extreme() -> impl Strategy<Value = i64> {
    prop_oneof![
        Just(i64::MIN),
        Just(i64::MIN + 1),
        Just(-1),
        Just(0),
        Just(i64::MAX - 1),
        Just(i64::MAX),
        any::<i64>(),
    ]
}

fn degrees() -> impl Strategy<Value = Option<f64>> {
    prop::option::of(prop_oneof![
        Just(f64::NAN),
        Just(f64::INFINITY),
        Just(f64::MAX),
        Just(-0.0),
        Just(180.000_000_1),
        any::<f64>(),
        -180.0..180.0,
    ])
}

fn hostile() -> impl Strategy<Value = EnrichedEvent> {
    let code = prop::option::of(prop_oneof!["", "[A-Z]{2}", "[A-Z]{5}", "\\PC{0,9}"]);
    (
        (prop::sample::select(Classifier::VARIANTS), prop::sample::select(Milestone::VARIANTS)),
        (extreme(), extreme(), extreme()),
        (degrees(), degrees()),
        (code.clone(), code.clone(), code.clone(), code),
        prop_oneof![Just(String::new()), Just("s".to_owned()), "\\PC{0,300}"],
        0..5_u32,
    )
        .prop_map(|(kind, times, at, codes, id, n)| {
            let mut event = event(&id, n, kind.0, kind.1, "NLRTM", times.0);
            event.enrichment.latitude = at.0;
            event.enrichment.longitude = at.1;
            event.enrichment.unlocode = codes.0;
            event.enrichment.country = codes.1;
            event.enrichment.origin_country = codes.2;
            event.event.equipment =
                codes.3.map(|number| Equipment { number, iso_type: None, empty: None });
            event.event.occurred.wall_ms = times.1;
            received_at(event, times.2)
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn nothing_panics(
        events in prop::collection::vec(hostile(), 0..40),
        retention_ms in extreme(),
        unfinished_retention_ms in extreme(),
        max_events_per_shipment in 0..20_usize,
    ) {
        let settings = Settings {
            retention_ms,
            unfinished_retention_ms,
            max_events_per_shipment,
            ..Settings::default()
        };
        let (mut partition, mut log) = (Partition::default(), Log::default());
        for (event, n) in events.into_iter().zip(1..) {
            apply(&mut partition, &settings, event);
            if n % 8 == 0 {
                for (_, state) in log.write(&mut partition) {
                    if let Some(state) = &state {
                        prop_assert!(state.distance_km.is_finite());
                        let mut bytes = Vec::new();
                        waybill_schemas::encode(state, &mut bytes).unwrap();
                        let back = waybill_schemas::decode::<Shipment>(&bytes).unwrap();
                        prop_assert_eq!(&back, state);
                    }
                }
                let again = log.restore(&settings, n % 16 == 0);
                prop_assert_eq!((again.len(), again.events()), (partition.len(), partition.events()));
            }
        }
    }
}
