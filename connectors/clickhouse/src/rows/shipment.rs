use std::sync::Arc;

use waybill_schemas::view::ShipmentHead;
use waybill_schemas::vocabulary::{Milestone, Mode};
use waybill_schemas::{Dwell, Leg, Provenance, Reference, Shipment, view};
use waybill_stage::Reject;

use super::row::row;
use super::{Column, Coordinates, Each, State, Table, code, receipt_time, text, time};

/// `waybill.shipments`, table `shipment_states`; the view `shipments` shows the latest of each.
pub(crate) struct Shipments;

row! {
pub(crate) struct ShipmentRow<'a> {
    carrier_id: &'a str,
    shipment_id: &'a str,
    revision: u64,
    duplicates: u64,
    equipment: &'a str,
    unit: &'a str,
    #[column = "documents.kind"]
    document_kinds: Each<'a, Reference, &'a str>,
    #[column = "documents.value"]
    document_values: Each<'a, Reference, &'a str>,
    origin_unlocode: &'a str,
    origin_country: &'a str,
    destination_unlocode: &'a str,
    destination_country: &'a str,
    crosses_border: Option<bool>,
    distance_km: f64,
    last_unlocode: &'a str,
    last_country: &'a str,
    last_milestone: &'a str,
    last_occurred_at: Option<i64>,
    eta: Option<i64>,
    delay_ms: Option<i64>,
    finished: bool,
    events_checksum: i64,
    #[column = "legs.from_unlocode"]
    leg_origins: Each<'a, Leg, &'a str>,
    #[column = "legs.to_unlocode"]
    leg_destinations: Each<'a, Leg, &'a str>,
    #[column = "legs.mode"]
    leg_modes: Each<'a, Leg, &'a str>,
    #[column = "legs.departed_at"]
    leg_departures: Each<'a, Leg, Option<i64>>,
    #[column = "legs.arrived_at"]
    leg_arrivals: Each<'a, Leg, Option<i64>>,
    #[column = "legs.planned_departure_at"]
    leg_planned_departures: Each<'a, Leg, Option<i64>>,
    #[column = "legs.planned_arrival_at"]
    leg_planned_arrivals: Each<'a, Leg, Option<i64>>,
    #[column = "legs.distance_km"]
    leg_distances: Each<'a, Leg, Option<f64>>,
    #[column = "dwells.unlocode"]
    dwell_places: Each<'a, Dwell, &'a str>,
    #[column = "dwells.from"]
    dwell_from: Each<'a, Dwell, i64>,
    #[column = "dwells.until"]
    dwell_until: Each<'a, Dwell, i64>,
    handle: &'a str,
    message_id: &'a str,
    source_partition: i32,
    source_offset: i64,
    sealed_topic: &'a str,
    sealed_at: i64,
    received_at: i64,
    opened_at: i64,
    first_received_at: i64,
    last_received_at: i64,
    began_at: i64,
    aggregated_at: i64,
    kafka_partition: i32,
    kafka_offset: i64,
    kafka_topic_id: &'a str,
}
}

impl Table for Shipments {
    const NAME: &'static str = "shipment_states";
    const CUT_BY: &'static str = "first_received_at";
    const MERGES: bool = true;
    const COLUMNS: &'static [Column] = ShipmentRow::COLUMNS;
    type Record<'a> = Shipment;

    fn check(record: &Shipment) -> Result<(), Reject> {
        for leg in &record.legs {
            time("legs.departed_at", leg.departed_at)?;
            time("legs.arrived_at", leg.arrived_at)?;
            time("legs.planned_departure_at", leg.planned_departure_at)?;
            time("legs.planned_arrival_at", leg.planned_arrival_at)?;
        }
        for dwell in &record.dwells {
            time("dwells.from", dwell.from)?;
            time("dwells.until", dwell.until)?;
        }
        time("last_occurred_at", record.last_occurred_at)?;
        time("eta", record.eta)?;
        time("sealed_at", record.last.sealed_at)?;
        receipt_time("received_at", record.last.received_at)?;
        time("opened_at", record.last.opened_at)?;
        receipt_time("first_received_at", record.first_received_at)?;
        receipt_time("last_received_at", record.last_received_at)?;
        time("aggregated_at", record.aggregated_at)
    }

    fn write(record: &Shipment, at: Coordinates<'_>, to: &mut Vec<u8>) {
        let Shipment { last, legs, dwells, .. } = record;
        ShipmentRow {
            carrier_id: &record.carrier_id,
            shipment_id: &record.shipment_id,
            revision: record.revision,
            duplicates: record.duplicates,
            equipment: text(&record.equipment),
            unit: text(&record.unit),
            document_kinds: Each(&record.documents, |d| d.kind.as_str()),
            document_values: Each(&record.documents, |d| &d.value),
            origin_unlocode: code(&record.origin_unlocode),
            origin_country: code(&record.origin_country),
            destination_unlocode: code(&record.destination_unlocode),
            destination_country: code(&record.destination_country),
            crosses_border: record.crosses_border,
            distance_km: record.distance_km,
            last_unlocode: code(&record.last_unlocode),
            last_country: code(&record.last_country),
            last_milestone: record.last_milestone.map_or("", Milestone::as_str),
            last_occurred_at: record.last_occurred_at,
            eta: record.eta,
            delay_ms: record.delay_ms,
            finished: record.finished,
            events_checksum: record.events_checksum,
            leg_origins: Each(legs, |l| l.from_unlocode.as_str()),
            leg_destinations: Each(legs, |l| l.to_unlocode.as_str()),
            leg_modes: Each(legs, |l| l.mode.map_or("", Mode::as_str)),
            leg_departures: Each(legs, |l| l.departed_at),
            leg_arrivals: Each(legs, |l| l.arrived_at),
            leg_planned_departures: Each(legs, |l| l.planned_departure_at),
            leg_planned_arrivals: Each(legs, |l| l.planned_arrival_at),
            leg_distances: Each(legs, |l| l.distance_km),
            dwell_places: Each(dwells, |d| d.unlocode.as_str()),
            dwell_from: Each(dwells, |d| d.from),
            dwell_until: Each(dwells, |d| d.until),
            handle: &last.handle,
            message_id: &last.message_id,
            source_partition: last.source_partition,
            source_offset: last.source_offset,
            sealed_topic: &last.sealed_topic,
            sealed_at: last.sealed_at,
            received_at: last.received_at,
            opened_at: last.opened_at,
            first_received_at: record.first_received_at,
            last_received_at: record.last_received_at,
            began_at: record.first_received_at,
            aggregated_at: record.aggregated_at,
            kafka_partition: at.partition,
            kafka_offset: at.offset,
            kafka_topic_id: at.topic_id,
        }
        .write(to);
    }

    fn origin(record: &Shipment) -> Option<(Arc<Provenance>, u32)> {
        Some((record.last.clone(), 0))
    }

    fn cut_by(record: &Shipment) -> i64 {
        record.first_received_at
    }

    fn receipt(record: &Shipment) -> (&str, i64) {
        (&record.last.carrier_id, record.last.received_at)
    }

    /// Only the latest state of a shipment is worth sending.
    fn state(bytes: &[u8]) -> Option<State<'_>> {
        let head: ShipmentHead<'_> = view(bytes).ok()?;
        Some(State {
            of: (head.carrier_id, head.shipment_id),
            revision: head.revision,
            receipt: (head.last.carrier_id, head.last.received_at),
        })
    }
}
