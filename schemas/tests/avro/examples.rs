//! One record of each type with everything in it, and one with as little as there can be.

use std::sync::Arc;

use waybill_schemas::vocabulary::{
    Classifier, DeliveryState, ExceptionKind, LedgerOutcome, Milestone, Mode, NoteCode,
    PlaceSource, QuantityKind, ReadingKind, ReferenceKind, TimePrecision, ZoneQuality,
};
use waybill_schemas::{
    AcceptedEvent, Answered, Country, Customs, Delivery, Dwell, EnrichedEvent, Enrichment,
    Equipment, Erasure, EventId, Exception, History, HistoryEntry, LedgerCount, LedgerEntry,
    LedgerKey, LedgerOutput, Leg, OccurrenceTime, Opened, Place, Proof, Provenance, Quantity,
    Reading, Redrive, Reference, RejectRecord, Shipment, ShipmentEvent, ShipmentHistory,
    StatedCountry, Transport, Unlocode, raw_id_hash,
};

const T: i64 = 1_768_889_700_123;

fn text(t: &str) -> Option<String> {
    Some(t.to_owned())
}

pub fn provenance() -> Arc<Provenance> {
    Arc::new(Provenance {
        carrier_id: "acme-line".into(),
        handle: "h-7f3a9c02d1".into(),
        message_id: "01JD7Z5Q8T0W3V6Y9B2E4H5K7M".into(),
        source_partition: 3,
        source_offset: 1_234_567_890_123,
        sealed_at: T + 1,
        received_at: T + 2,
        opened_at: T + 3,
        attempt: 1,
        sealed_topic: "waybill.sealed.acme-line".into(),
    })
}

pub fn opened() -> Opened {
    Opened {
        provenance: provenance(),
        proof: Proof::Granted,
        media_type: "application/vnd.dcsa.tnt+json;version=2.2".into(),
        payload: (0..=255).collect(),
    }
}

pub fn shipment_event() -> ShipmentEvent {
    let reference = |kind, value: &str| Reference { kind, value: value.into() };
    ShipmentEvent {
        provenance: provenance(),
        position: 2,
        event_id: EventId::new(
            "acme-line",
            "01JD7Z5Q8T0W3V6Y9B2E4H5K7M",
            2,
            "acme-line/MSKU0000006",
        ),
        shipment_id: "acme-line/MSKU0000006".into(),
        milestone: Milestone::Loaded,
        classifier: Classifier::Actual,
        raw_code: "EQUIPMENT/LOAD".into(),
        raw_id: text("84db923d-2a19-4eb0-beb5-446c1ec57d34"),
        occurred: OccurrenceTime::stated(T, 480),
        created_at: Some(T + 60_000),
        references: vec![
            reference(ReferenceKind::Booking, "ABC709951"),
            reference(ReferenceKind::TransportDocument, "ACME123456789"),
        ],
        equipment: Some(Equipment {
            number: "MSKU0000006".into(),
            iso_type: text("42G1"),
            empty: Some(false),
        }),
        place: Some(Place {
            unlocode: text("SGSIN"),
            iata: text("SIN"),
            name: text("Pasir Panjang – 巴西班让"),
            facility: text("SMDG/PPT"),
            facility_type: text("POTE"),
            city: text("Singapore"),
            region: text("South West"),
            postal_code: text("118508"),
            country: text("SG"),
            latitude: Some(1.283_333_3),
            longitude: Some(103.85),
        }),
        transport: Some(Transport {
            mode: Some(Mode::Ocean),
            vessel_imo: text("9321483"),
            vessel_name: text("Emma Example"),
            voyage: text("2201W"),
            flight: text("SQ326"),
            vehicle: text("QRX-4711"),
            service: text("AE5"),
            call_id: text("770b7624-403d-11eb-b44b-d3f4ad185386"),
        }),
        exceptions: vec![Exception { kind: ExceptionKind::Weather, raw_code: text("SMDG/WEA") }],
        customs: Some(Customs { procedure: text("export"), status: text("CLE") }),
        quantities: vec![Quantity {
            kind: QuantityKind::GrossWeight,
            value: 21_500.5,
            unit: "kg".into(),
        }],
        remark: text("crane 4"),
        readings: vec![Reading {
            kind: ReadingKind::Temperature,
            value: -18.25,
            unit: "Cel".into(),
            sensor: text("supply"),
        }],
        withdraws: text("0f1c8a5e-7a1b-4a58-9d0e-2f5c3f4b7a11"),
        notes: vec![NoteCode::ContainerCheckDigit, NoteCode::OtherSpelling],
        notes_about: vec![String::new(), "/unLocationCode".to_owned()],
        validated_at: T + 4,
    }
}

pub fn enrichment() -> Enrichment {
    Enrichment {
        occurred_at: T,
        zone_quality: ZoneQuality::FromPlace,
        time_zone: Some("Asia/Singapore".into()),
        unlocode: text("SGSIN"),
        place_source: PlaceSource::Unlocode,
        place_score: Some(100),
        place_name: Some("Singapore".into()),
        country: text("SG"),
        latitude: Some(1.283_333_3),
        longitude: Some(103.85),
        origin_country: text("SG"),
        destination_country: text("NL"),
        enriched_at: T + 5,
    }
}

pub fn accepted_event() -> AcceptedEvent {
    AcceptedEvent {
        event: shipment_event(),
        enrichment: enrichment(),
        history: History {
            sequence: 3,
            revision: 9,
            out_of_order: true,
            previous_unlocode: Unlocode::new("CNSHA"),
            distance_km: Some(3_808.5),
            delay_ms: Some(-3_600_000),
            dwell_ms: Some(86_400_000),
            origin_country: Country::new("CN"),
            destination_country: Country::new("NL"),
            crosses_border: Some(true),
            aggregated_at: T + 6,
        },
    }
}

pub fn shipment_history() -> ShipmentHistory {
    let shipment = shipment();
    let entry = |classifier, occurred_at| HistoryEntry {
        event: HistoryEntry::event_of(&EventId::new("acme-line", "m", 1, "s")),
        milestone: Milestone::Departed,
        classifier,
        occurred_at,
        received_at: T + 2,
        unlocode: Unlocode::new("SGSIN"),
        country: Country::new("SG"),
        latitude: Some(1.25),
        longitude: Some(103.875),
        mode: Some(Mode::Ocean),
        raw_id_hash: raw_id_hash("e1"),
    };
    ShipmentHistory {
        shipment_id: shipment.shipment_id,
        number: 3,
        last: shipment.last,
        revision: shipment.revision,
        duplicates: shipment.duplicates,
        unit: shipment.unit,
        documents: shipment.documents,
        equipment: shipment.equipment,
        stated_origin: shipment.stated_origin,
        stated_destination: shipment.stated_destination,
        first_received_at: shipment.first_received_at,
        last_received_at: shipment.last_received_at,
        aggregated_at: shipment.aggregated_at,
        events: vec![entry(Classifier::Planned, T - 9), entry(Classifier::Actual, T)],
    }
}

pub fn shipment() -> Shipment {
    let id = EventId::new("acme-line", "m", 1, "s");
    let stated = |country| {
        Some(StatedCountry {
            country: Country::new(country).unwrap(),
            received_at: T,
            event_id: id,
        })
    };
    Shipment {
        shipment_id: "acme-line/MSKU0000006".into(),
        carrier_id: "acme-line".into(),
        last: provenance(),
        revision: 9,
        duplicates: 1,
        unit: text("acme-line/MSKU0000006"),
        documents: vec![Reference { kind: ReferenceKind::Booking, value: "ABC709951".into() }],
        equipment: text("MSKU0000006"),
        events_checksum: -77,
        legs: vec![Leg {
            from_unlocode: Unlocode::new("SGSIN").unwrap(),
            to_unlocode: Unlocode::new("NLRTM").unwrap(),
            mode: Some(Mode::Ocean),
            departed_at: Some(T),
            arrived_at: Some(T + 9),
            planned_departure_at: Some(T - 9),
            planned_arrival_at: Some(T + 8),
            distance_km: Some(10_540.25),
        }],
        dwells: vec![Dwell { unlocode: Unlocode::new("SGSIN").unwrap(), from: T - 8, until: T }],
        last_unlocode: Unlocode::new("SGSIN"),
        last_country: Country::new("SG"),
        last_milestone: Some(Milestone::Departed),
        last_occurred_at: Some(T),
        eta: Some(T + 8),
        delay_ms: Some(9),
        origin_unlocode: Unlocode::new("SGSIN"),
        origin_country: Country::new("SG"),
        destination_unlocode: Unlocode::new("NLRTM"),
        destination_country: Country::new("NL"),
        crosses_border: Some(true),
        stated_origin: stated("SG"),
        stated_destination: stated("NL"),
        distance_km: 10_540.25,
        finished: true,
        first_received_at: T + 1,
        last_received_at: T + 2,
        aggregated_at: T + 6,
    }
}

pub fn reject() -> RejectRecord {
    RejectRecord {
        code: "missing_field".into(),
        stage: "validate".into(),
        carrier_id: "acme-line".into(),
        handle: "h-7f3a9c02d1".into(),
        message_id: "01JD7Z5Q8T0W3V6Y9B2E4H5K7M".into(),
        position: 2,
        source_partition: 3,
        source_offset: 42,
        sealed_at: Some(T + 1),
        received_at: T + 2,
        rejected_at: T + 4,
        detail: "/1/eventDateTime is missing".into(),
        attempt: 2,
        source_topic: "opened".into(),
        sealed_topic: "waybill.sealed.acme-line".into(),
    }
}

pub fn ledger_entry() -> LedgerEntry {
    let count = |outcome, code: &str| LedgerCount {
        stage: "validate".into(),
        carrier_id: "acme-line".into(),
        hour: T - T % 3_600_000,
        outcome,
        code: code.into(),
        records: 1,
        parts: 3,
    };
    LedgerEntry {
        stages: "decrypt,validate".into(),
        topic: "sealed".into(),
        topic_id: "8pNgRVcZSdKGZqQH0kaUyA".into(),
        partition: 3,
        from_offset: 40,
        next_offset: 45,
        records: 4,
        committed_at: T + 5,
        counts: vec![
            count(LedgerOutcome::Passed, ""),
            count(LedgerOutcome::Rejected, "missing_field"),
            count(LedgerOutcome::Duplicate, ""),
            count(LedgerOutcome::Superseded, ""),
            count(LedgerOutcome::Redriven, "unknown_carrier"),
            count(LedgerOutcome::Erased, ""),
        ],
        outputs: vec![LedgerOutput { topic: "valid".into(), records: 3 }],
        keys: vec![LedgerKey {
            kid: "platform-2026-11-30".into(),
            carrier_id: "acme-line".into(),
            records: 4,
        }],
    }
}

pub fn redrive() -> Redrive {
    Redrive {
        source_partition: 3,
        source_offset: 42,
        received_at: T + 2,
        attempt: 1,
        sealed: (0..=255).collect(),
        answers: vec![Answered {
            stage: "decrypt".into(),
            carrier_id: String::new(),
            code: "unknown_carrier".into(),
            parts: 1,
        }],
        sealed_topic: "waybill.sealed.acme-line".into(),
    }
}

pub fn erasure() -> Erasure {
    Erasure {
        erasure_id: "5b1d3f0e-8f2a-4c57-9f3c-0d6c2b7a9e11".into(),
        carrier_id: "acme-line".into(),
        shipment_id: "acme-line/CSQU3054383/9c1f03ab".into(),
        asked_at: T + 9,
    }
}

pub fn delivery() -> Delivery {
    Delivery {
        delivery_id: "msg_2KWPBgLlAfxdpx2AI54pPJ85".into(),
        carrier_id: "acme-line".into(),
        endpoint_id: "wh_Zm9vYmFyYmF6".into(),
        state: DeliveryState::Dead,
        why: "status_500".into(),
        attempts: 27,
        made_at: T + 7,
        open_since: T + 8,
        ended_at: Some(T + 9),
        payload: br#"{"type":"event.rejected"}"#.to_vec(),
        shipment_id: "acme-line/CSQU3054383/9c1f03ab".into(),
    }
}

/// With as little in it as there can be.
pub mod minimal {
    use super::*;

    pub fn opened() -> Opened {
        Opened {
            provenance: Arc::new(Provenance::default()),
            proof: Proof::Signed,
            media_type: String::new(),
            payload: Vec::new(),
        }
    }

    pub fn shipment_event() -> ShipmentEvent {
        ShipmentEvent {
            provenance: Arc::new(Provenance::default()),
            position: 0,
            event_id: EventId([0; 16]),
            shipment_id: String::new(),
            milestone: Milestone::Other,
            classifier: Classifier::Planned,
            raw_code: String::new(),
            raw_id: None,
            occurred: OccurrenceTime::wall(i64::MIN, TimePrecision::Day),
            created_at: None,
            references: Vec::new(),
            equipment: None,
            place: None,
            transport: None,
            exceptions: Vec::new(),
            customs: None,
            quantities: Vec::new(),
            remark: None,
            readings: Vec::new(),
            withdraws: None,
            notes: Vec::new(),
            notes_about: Vec::new(),
            validated_at: i64::MAX,
        }
    }

    pub fn enriched_event() -> EnrichedEvent {
        EnrichedEvent {
            event: shipment_event(),
            enrichment: Enrichment {
                occurred_at: 0,
                zone_quality: ZoneQuality::Assumed,
                time_zone: None,
                unlocode: None,
                place_source: PlaceSource::None,
                place_score: None,
                place_name: None,
                country: None,
                latitude: None,
                longitude: None,
                origin_country: None,
                destination_country: None,
                enriched_at: 0,
            },
        }
    }

    pub fn accepted_event() -> AcceptedEvent {
        let EnrichedEvent { event, enrichment } = enriched_event();
        AcceptedEvent {
            event,
            enrichment,
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
                aggregated_at: 0,
            },
        }
    }

    pub fn shipment() -> Shipment {
        Shipment {
            shipment_id: String::new(),
            carrier_id: String::new(),
            last: Arc::new(Provenance::default()),
            revision: 0,
            duplicates: 0,
            unit: None,
            documents: Vec::new(),
            equipment: None,
            events_checksum: 0,
            legs: Vec::new(),
            dwells: Vec::new(),
            last_unlocode: None,
            last_country: None,
            last_milestone: None,
            last_occurred_at: None,
            eta: None,
            delay_ms: None,
            origin_unlocode: None,
            origin_country: None,
            destination_unlocode: None,
            destination_country: None,
            crosses_border: None,
            stated_origin: None,
            stated_destination: None,
            distance_km: 0.0,
            finished: false,
            first_received_at: 0,
            last_received_at: 0,
            aggregated_at: 0,
        }
    }

    pub fn shipment_history() -> ShipmentHistory {
        ShipmentHistory {
            shipment_id: String::new(),
            number: 0,
            last: Arc::new(Provenance::default()),
            revision: 0,
            duplicates: 0,
            unit: None,
            documents: Vec::new(),
            equipment: None,
            stated_origin: None,
            stated_destination: None,
            first_received_at: 0,
            last_received_at: 0,
            aggregated_at: 0,
            events: Vec::new(),
        }
    }

    pub fn reject() -> RejectRecord {
        RejectRecord {
            code: String::new(),
            stage: String::new(),
            carrier_id: String::new(),
            handle: String::new(),
            message_id: String::new(),
            position: 0,
            source_partition: 0,
            source_offset: 0,
            sealed_at: None,
            received_at: 0,
            rejected_at: 0,
            detail: String::new(),
            attempt: 0,
            source_topic: String::new(),
            sealed_topic: String::new(),
        }
    }

    pub fn ledger_entry() -> LedgerEntry {
        LedgerEntry {
            stages: String::new(),
            topic: String::new(),
            topic_id: "8pNgRVcZSdKGZqQH0kaUyA".into(),
            partition: 0,
            from_offset: 0,
            next_offset: 0,
            records: 0,
            committed_at: 0,
            counts: Vec::new(),
            outputs: Vec::new(),
            keys: Vec::new(),
        }
    }

    pub fn redrive() -> Redrive {
        Redrive {
            source_partition: 0,
            source_offset: 0,
            received_at: 0,
            attempt: 0,
            sealed: Vec::new(),
            answers: Vec::new(),
            sealed_topic: String::new(),
        }
    }

    pub fn erasure() -> Erasure {
        Erasure {
            erasure_id: String::new(),
            carrier_id: String::new(),
            shipment_id: String::new(),
            asked_at: 0,
        }
    }

    pub fn delivery() -> Delivery {
        Delivery {
            delivery_id: String::new(),
            carrier_id: String::new(),
            endpoint_id: String::new(),
            state: DeliveryState::Open,
            why: String::new(),
            attempts: 0,
            made_at: 0,
            open_since: 0,
            ended_at: None,
            payload: Vec::new(),
            shipment_id: String::new(),
        }
    }
}
