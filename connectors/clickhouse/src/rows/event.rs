use std::sync::Arc;

use waybill_schemas::Provenance;
use waybill_schemas::view::{AcceptedEvent, Exception, Quantity, Reading, Reference};
use waybill_schemas::vocabulary::{Mode, NoteCode};
use waybill_stage::Reject;

use super::row::row;
use super::{Column, Coordinates, Each, Table, code, receipt_time, text, time, uuid};

/// `waybill.events`, table `events`.
pub(crate) struct Events;

row! {
pub(crate) struct EventRow<'a> {
    carrier_id: &'a str,
    shipment_id: &'a str,
    event_id: (u64, u64),
    milestone: &'a str,
    classifier: &'a str,
    raw_code: &'a str,
    raw_id: &'a str,
    occurred_at: i64,
    occurred_local: i64,
    offset_minutes: Option<i32>,
    zone_quality: &'a str,
    time_precision: &'a str,
    time_zone: &'a str,
    created_at: Option<i64>,
    unlocode: &'a str,
    place_source: &'a str,
    place_score: Option<u8>,
    place_name: &'a str,
    country: &'a str,
    latitude: Option<f64>,
    longitude: Option<f64>,
    facility: &'a str,
    facility_type: &'a str,
    sent_unlocode: &'a str,
    sent_iata: &'a str,
    sent_place_name: &'a str,
    sent_city: &'a str,
    sent_region: &'a str,
    sent_postal_code: &'a str,
    sent_country: &'a str,
    sent_latitude: Option<f64>,
    sent_longitude: Option<f64>,
    sent_origin_country: &'a str,
    sent_destination_country: &'a str,
    equipment: &'a str,
    equipment_type: &'a str,
    equipment_empty: Option<bool>,
    mode: &'a str,
    vessel_imo: &'a str,
    vessel_name: &'a str,
    voyage: &'a str,
    flight: &'a str,
    vehicle: &'a str,
    service: &'a str,
    call_id: &'a str,
    #[column = "references.kind"]
    reference_kinds: Each<'a, Reference<'a>, &'a str>,
    #[column = "references.value"]
    reference_values: Each<'a, Reference<'a>, &'a str>,
    #[column = "readings.kind"]
    reading_kinds: Each<'a, Reading<'a>, &'a str>,
    #[column = "readings.value"]
    reading_values: Each<'a, Reading<'a>, f64>,
    #[column = "readings.unit"]
    reading_units: Each<'a, Reading<'a>, &'a str>,
    #[column = "readings.sensor"]
    reading_sensors: Each<'a, Reading<'a>, &'a str>,
    #[column = "flags"]
    notes: Each<'a, NoteCode, &'a str>,
    notes_about: Each<'a, &'a str, &'a str>,
    #[column = "exceptions.kind"]
    exception_kinds: Each<'a, Exception<'a>, &'a str>,
    #[column = "exceptions.code"]
    exception_codes: Each<'a, Exception<'a>, &'a str>,
    #[column = "quantities.kind"]
    quantity_kinds: Each<'a, Quantity<'a>, &'a str>,
    #[column = "quantities.value"]
    quantity_values: Each<'a, Quantity<'a>, f64>,
    #[column = "quantities.unit"]
    quantity_units: Each<'a, Quantity<'a>, &'a str>,
    customs_procedure: &'a str,
    customs_status: &'a str,
    withdraws: &'a str,
    remark: &'a str,
    sequence: u32,
    revision: u64,
    out_of_order: bool,
    previous_unlocode: &'a str,
    distance_km: Option<f64>,
    delay_ms: Option<i64>,
    dwell_ms: Option<i64>,
    origin_country: &'a str,
    destination_country: &'a str,
    crosses_border: Option<bool>,
    handle: &'a str,
    message_id: &'a str,
    position: u32,
    source_partition: i32,
    source_offset: i64,
    sealed_topic: &'a str,
    kafka_partition: i32,
    kafka_offset: i64,
    kafka_topic_id: &'a str,
    sealed_at: i64,
    received_at: i64,
    opened_at: i64,
    validated_at: i64,
    enriched_at: i64,
    aggregated_at: i64,
}
}

impl Table for Events {
    const NAME: &'static str = "events";
    const CUT_BY: &'static str = "received_at";
    const COLUMNS: &'static [Column] = EventRow::COLUMNS;
    type Record<'a> = AcceptedEvent<'a>;

    fn check(record: &AcceptedEvent<'_>) -> Result<(), Reject> {
        let AcceptedEvent { event, enrichment, history } = record;
        time("occurred_at", enrichment.occurred_at)?;
        time("occurred_local", event.occurred.counted(event.classifier).wall_ms)?;
        time("created_at", event.created_at)?;
        time("sealed_at", event.provenance.sealed_at)?;
        receipt_time("received_at", event.provenance.received_at)?;
        time("opened_at", event.provenance.opened_at)?;
        time("validated_at", event.validated_at)?;
        time("enriched_at", enrichment.enriched_at)?;
        time("aggregated_at", history.aggregated_at)
    }

    fn write(record: &AcceptedEvent<'_>, at: Coordinates<'_>, to: &mut Vec<u8>) {
        let AcceptedEvent { event, enrichment, history } = record;
        let from = &event.provenance;
        let place = event.place.as_ref();
        let equipment = event.equipment.as_ref();
        let transport = event.transport.as_ref();
        let customs = event.customs.as_ref();
        EventRow {
            carrier_id: from.carrier_id,
            shipment_id: event.shipment_id,
            event_id: uuid(event.event_id),
            milestone: event.milestone.as_str(),
            classifier: event.classifier.as_str(),
            raw_code: event.raw_code,
            raw_id: text(&event.raw_id),
            occurred_at: enrichment.occurred_at,
            occurred_local: event.occurred.counted(event.classifier).wall_ms,
            offset_minutes: event.occurred.offset_minutes,
            zone_quality: enrichment.zone_quality.as_str(),
            time_precision: event.occurred.precision.as_str(),
            time_zone: text(&enrichment.time_zone),
            created_at: event.created_at,
            unlocode: text(&enrichment.unlocode),
            place_source: enrichment.place_source.as_str(),
            place_score: enrichment.place_score.map(|score| u8::try_from(score).unwrap_or(u8::MAX)),
            place_name: text(&enrichment.place_name),
            country: text(&enrichment.country),
            latitude: enrichment.latitude,
            longitude: enrichment.longitude,
            facility: place.map_or("", |p| text(&p.facility)),
            facility_type: place.map_or("", |p| text(&p.facility_type)),
            sent_unlocode: place.map_or("", |p| text(&p.unlocode)),
            sent_iata: place.map_or("", |p| text(&p.iata)),
            sent_place_name: place.map_or("", |p| text(&p.name)),
            sent_city: place.map_or("", |p| text(&p.city)),
            sent_region: place.map_or("", |p| text(&p.region)),
            sent_postal_code: place.map_or("", |p| text(&p.postal_code)),
            sent_country: place.map_or("", |p| text(&p.country)),
            sent_latitude: place.and_then(|p| p.latitude),
            sent_longitude: place.and_then(|p| p.longitude),
            sent_origin_country: text(&enrichment.origin_country),
            sent_destination_country: text(&enrichment.destination_country),
            equipment: equipment.map_or("", |e| e.number),
            equipment_type: equipment.map_or("", |e| text(&e.iso_type)),
            equipment_empty: equipment.and_then(|e| e.empty),
            mode: transport.and_then(|t| t.mode).map_or("", Mode::as_str),
            vessel_imo: transport.map_or("", |t| text(&t.vessel_imo)),
            vessel_name: transport.map_or("", |t| text(&t.vessel_name)),
            voyage: transport.map_or("", |t| text(&t.voyage)),
            flight: transport.map_or("", |t| text(&t.flight)),
            vehicle: transport.map_or("", |t| text(&t.vehicle)),
            service: transport.map_or("", |t| text(&t.service)),
            call_id: transport.map_or("", |t| text(&t.call_id)),
            reference_kinds: Each(&event.references, |r| r.kind.as_str()),
            reference_values: Each(&event.references, |r| r.value),
            reading_kinds: Each(&event.readings, |r| r.kind.as_str()),
            reading_values: Each(&event.readings, |r| r.value),
            reading_units: Each(&event.readings, |r| r.unit),
            reading_sensors: Each(&event.readings, |r| text(&r.sensor)),
            notes: Each(&event.notes, |code| code.as_str()),
            notes_about: Each(&event.notes_about, |about| about),
            exception_kinds: Each(&event.exceptions, |e| e.kind.as_str()),
            exception_codes: Each(&event.exceptions, |e| text(&e.raw_code)),
            quantity_kinds: Each(&event.quantities, |q| q.kind.as_str()),
            quantity_values: Each(&event.quantities, |q| q.value),
            quantity_units: Each(&event.quantities, |q| q.unit),
            customs_procedure: customs.map_or("", |c| text(&c.procedure)),
            customs_status: customs.map_or("", |c| text(&c.status)),
            withdraws: text(&event.withdraws),
            remark: text(&event.remark),
            sequence: history.sequence,
            revision: history.revision,
            out_of_order: history.out_of_order,
            previous_unlocode: code(&history.previous_unlocode),
            distance_km: history.distance_km,
            delay_ms: history.delay_ms,
            dwell_ms: history.dwell_ms,
            origin_country: code(&history.origin_country),
            destination_country: code(&history.destination_country),
            crosses_border: history.crosses_border,
            handle: from.handle,
            message_id: from.message_id,
            position: event.position,
            source_partition: from.source_partition,
            source_offset: from.source_offset,
            sealed_topic: from.sealed_topic,
            kafka_partition: at.partition,
            kafka_offset: at.offset,
            kafka_topic_id: at.topic_id,
            sealed_at: from.sealed_at,
            received_at: from.received_at,
            opened_at: from.opened_at,
            validated_at: event.validated_at,
            enriched_at: enrichment.enriched_at,
            aggregated_at: history.aggregated_at,
        }
        .write(to);
    }

    fn origin(record: &AcceptedEvent<'_>) -> Option<(Arc<Provenance>, u32)> {
        Some((Arc::new(record.event.provenance.to_owned()), record.event.position))
    }

    fn receipt<'r>(record: &'r AcceptedEvent<'_>) -> (&'r str, i64) {
        let from = &record.event.provenance;
        (from.carrier_id, from.received_at)
    }

    fn sealed_at(record: &AcceptedEvent<'_>) -> Option<i64> {
        Some(record.event.provenance.sealed_at)
    }
}
