//! Records to insert. Times are round, so that the answers can be worked out by hand.

use std::sync::Arc;

use waybill_schemas::vocabulary::{
    Classifier, ExceptionKind, Milestone, Mode, NoteCode, PlaceSource, QuantityKind, ReadingKind,
    ReferenceKind, TimePrecision, ZoneQuality,
};
use waybill_schemas::{
    AcceptedEvent, Country, Customs, Dwell, Enrichment, Equipment, EventId, Exception, History,
    Leg, OccurrenceTime, Place, Provenance, Quantity, Reading, Reference, RejectRecord, Shipment,
    ShipmentEvent, Transport, Unlocode,
};

pub const SECOND: i64 = 1000;
pub const MINUTE: i64 = 60 * SECOND;
pub const HOUR: i64 = 60 * MINUTE;
pub const DAY: i64 = 24 * HOUR;
/// 2026-11-24T08:00:00Z.
pub const T0: i64 = 1_795_507_200_000;

pub fn unlocode(text: &str) -> Option<Unlocode> {
    Unlocode::new(text)
}

pub fn country(text: &str) -> Option<Country> {
    Country::new(text)
}

/// The `n`th message of a carrier, received `n` seconds after `T0`, half a second after sealing,
/// opened 10 ms later.
pub fn provenance(carrier: &str, n: i64) -> Arc<Provenance> {
    let received_at = T0 + n * SECOND;
    Arc::new(Provenance {
        carrier_id: carrier.to_owned(),
        handle: format!("h-{n}"),
        message_id: format!("m-{n}"),
        source_partition: 1,
        source_offset: 1000 + n,
        sealed_topic: format!("waybill.sealed.{carrier}"),
        sealed_at: received_at - 500,
        received_at,
        opened_at: received_at + 10,
        attempt: 0,
    })
}

/// A bare event: `n` as in [`provenance`]; validated 20 ms after it was opened, enriched 30 ms
/// later, accepted 40 ms later.
pub fn event(carrier: &str, shipment: &str, n: i64) -> AcceptedEvent {
    let provenance = provenance(carrier, n);
    let opened_at = provenance.opened_at;
    AcceptedEvent {
        event: ShipmentEvent {
            position: 1,
            event_id: EventId::new(carrier, &provenance.message_id, 1, shipment),
            shipment_id: shipment.to_owned(),
            milestone: Milestone::Loaded,
            classifier: Classifier::Actual,
            raw_code: "EQUIPMENT/LOAD".to_owned(),
            raw_id: None,
            occurred: OccurrenceTime::stated(T0 - HOUR + n * SECOND, 60),
            created_at: None,
            references: vec![],
            equipment: None,
            place: None,
            transport: None,
            exceptions: vec![],
            customs: None,
            quantities: vec![],
            remark: None,
            readings: vec![],
            withdraws: None,
            notes: vec![],
            notes_about: vec![],
            validated_at: opened_at + 20,
            provenance,
        },
        enrichment: Enrichment {
            occurred_at: T0 - HOUR + n * SECOND,
            zone_quality: ZoneQuality::Stated,
            time_zone: None,
            unlocode: None,
            place_source: PlaceSource::Unlocode,
            place_score: None,
            place_name: None,
            country: None,
            latitude: None,
            longitude: None,
            origin_country: None,
            destination_country: None,
            enriched_at: opened_at + 50,
        },
        history: History {
            sequence: 1,
            revision: 1,
            out_of_order: false,
            previous_unlocode: None,
            distance_km: None,
            delay_ms: None,
            dwell_ms: None,
            origin_country: None,
            destination_country: None,
            crosses_border: None,
            aggregated_at: opened_at + 90,
        },
    }
}

/// An event with every field filled.
pub fn full_event() -> AcceptedEvent {
    let mut full = event("acme", "acme:MSKU1234565", 7);
    full.event.position = 2;
    full.event.raw_id = Some("raw-7".to_owned());
    full.event.created_at = Some(T0 - 2 * MINUTE);
    full.event.references = vec![
        Reference { kind: ReferenceKind::BillOfLading, value: "BL1".to_owned() },
        Reference { kind: ReferenceKind::Seal, value: "S2".to_owned() },
    ];
    full.event.equipment = Some(Equipment {
        number: "MSKU1234565".to_owned(),
        iso_type: Some("22G1".to_owned()),
        empty: Some(false),
    });
    full.event.place = Some(Place {
        unlocode: Some("NLRTM".to_owned()),
        iata: Some("RTM".to_owned()),
        name: Some("Maasvlakte".to_owned()),
        facility: Some("SMDG/APMII".to_owned()),
        facility_type: Some("POTE".to_owned()),
        city: Some("Rotterdam".to_owned()),
        region: Some("ZH".to_owned()),
        postal_code: Some("3199".to_owned()),
        country: Some("Netherlands".to_owned()),
        latitude: Some(51.9),
        longitude: Some(4.0),
    });
    full.event.transport = Some(Transport {
        mode: Some(Mode::Ocean),
        vessel_imo: Some("9321483".to_owned()),
        vessel_name: Some("Emma".to_owned()),
        voyage: Some("2103S".to_owned()),
        flight: Some("KL1234".to_owned()),
        vehicle: Some("12-AB-34".to_owned()),
        service: Some("FE1".to_owned()),
        call_id: Some("call-1".to_owned()),
    });
    full.event.exceptions =
        vec![Exception { kind: ExceptionKind::Weather, raw_code: Some("SMDG/WEA".to_owned()) }];
    full.event.quantities =
        vec![Quantity { kind: QuantityKind::GrossWeight, value: 21_500.5, unit: "kg".to_owned() }];
    full.event.customs =
        Some(Customs { procedure: Some("transit".to_owned()), status: Some("CLE".to_owned()) });
    full.event.withdraws = Some("raw-6".to_owned());
    full.event.remark = Some("rough; sea".to_owned());
    full.event.readings = vec![Reading {
        kind: ReadingKind::Temperature,
        value: -18.5,
        unit: "Cel".to_owned(),
        sensor: None,
    }];
    full.event.note(NoteCode::ContainerCheckDigit);
    full.event.notes.push(NoteCode::MissingField);
    full.event.notes_about.push("/references/3/referenceType".to_owned());
    full.event.occurred.precision = TimePrecision::Minute;
    full.enrichment.place_score = Some(100);
    full.enrichment.time_zone = Some("Europe/Amsterdam".into());
    full.enrichment.unlocode = Some("NLRTM".to_owned());
    full.enrichment.place_name = Some("Rotterdam".into());
    full.enrichment.country = Some("NL".to_owned());
    full.enrichment.latitude = Some(51.91667);
    full.enrichment.longitude = Some(4.5);
    full.enrichment.origin_country = Some("SG".to_owned());
    full.enrichment.destination_country = Some("DE".to_owned());
    full.history = History {
        sequence: 4,
        revision: 6,
        out_of_order: true,
        previous_unlocode: unlocode("SGSIN"),
        distance_km: Some(10_500.5),
        delay_ms: Some(2 * HOUR),
        dwell_ms: Some(36 * HOUR),
        origin_country: country("SG"),
        destination_country: country("NL"),
        crosses_border: Some(true),
        aggregated_at: full.history.aggregated_at,
    };
    full
}

/// From Singapore to Rotterdam: left on `T0 - 20 d`, arrived on `T0`, a day after the plan.
pub fn shipment(carrier: &str, id: &str, revision: u64, duplicates: u64) -> Shipment {
    Shipment {
        shipment_id: id.to_owned(),
        carrier_id: carrier.to_owned(),
        last: provenance(carrier, 9),
        revision,
        duplicates,
        unit: Some("acme/MSKU1234565".to_owned()),
        documents: vec![Reference { kind: ReferenceKind::Booking, value: "B1".to_owned() }],
        equipment: Some("MSKU1234565".to_owned()),
        events_checksum: -77,
        legs: vec![Leg {
            from_unlocode: Unlocode::new("SGSIN").unwrap(),
            to_unlocode: Unlocode::new("NLRTM").unwrap(),
            mode: Some(Mode::Ocean),
            departed_at: Some(T0 - 20 * DAY),
            arrived_at: Some(T0),
            planned_departure_at: None,
            planned_arrival_at: Some(T0 - DAY),
            distance_km: Some(10_500.0),
        }],
        dwells: vec![Dwell {
            unlocode: Unlocode::new("SGSIN").unwrap(),
            from: T0 - 22 * DAY,
            until: T0 - 20 * DAY,
        }],
        last_unlocode: unlocode("NLRTM"),
        last_country: country("NL"),
        last_milestone: Some(Milestone::Arrived),
        last_occurred_at: Some(T0),
        eta: Some(T0 - DAY),
        delay_ms: Some(DAY),
        origin_unlocode: unlocode("SGSIN"),
        origin_country: country("SG"),
        destination_unlocode: unlocode("NLRTM"),
        destination_country: country("NL"),
        crosses_border: Some(true),
        stated_origin: None,
        stated_destination: None,
        distance_km: 10_500.0,
        finished: true,
        first_received_at: T0 + SECOND,
        last_received_at: T0 + 9 * SECOND,
        aggregated_at: T0 + (7 + revision as i64 + duplicates as i64) * SECOND,
    }
}

pub fn reject(carrier: &str, code: &str, n: i64) -> RejectRecord {
    RejectRecord {
        code: code.to_owned(),
        stage: "validate".to_owned(),
        carrier_id: carrier.to_owned(),
        handle: format!("h-{n}"),
        message_id: format!("m-{n}"),
        position: 0,
        source_partition: 1,
        source_offset: 1000 + n,
        sealed_at: Some(T0 + n * SECOND - 500),
        received_at: T0 + n * SECOND,
        rejected_at: T0 + n * SECOND + 15,
        detail: "/eventDateTime: no date-time by RFC 3339".to_owned(),
        attempt: 0,
        source_topic: "sealed".into(),
        sealed_topic: format!("waybill.sealed.{carrier}"),
    }
}
