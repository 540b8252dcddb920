//! Rows as carriers are shown them.

use serde_json::{Value, json};
use waybill_clickhouse::{EventRow, RejectRow, ShipmentRow, TimelineRow, UsageRow};

use crate::advice::advice;

pub fn event(row: &EventRow) -> Value {
    json!({
        "event_id": row.event_id,
        "shipment_id": row.shipment_id,
        "position": row.position,
        "milestone": row.milestone,
        "classifier": row.classifier,
        "happened": row.happened,
        "unlocode": row.unlocode,
        "equipment": row.equipment,
        "received": row.received,
    })
}

pub fn reject(row: &RejectRow) -> Value {
    let advice = advice(&row.code);
    json!({
        "id": row.message_id,
        "position": row.position,
        "stage": row.stage,
        "code": row.code,
        "detail": row.detail,
        "meaning": advice.map(|advice| advice.meaning),
        "what_to_do": advice.map(|advice| advice.what_to_do),
        "attempt": row.attempt,
        "received": row.received,
        "rejected": row.rejected,
    })
}

/// With those of the timeline that are its own.
pub fn shipment(row: &ShipmentRow, timeline: &[TimelineRow]) -> Value {
    let own = timeline.iter().filter(|event| event.shipment_id == row.shipment_id);
    json!({
        "shipment_id": row.shipment_id,
        "equipment": row.equipment,
        "documents": row.documents,
        "origin": row.origin,
        "destination": row.destination,
        "last": {
            "unlocode": row.last_unlocode,
            "milestone": row.last_milestone,
            "happened": row.last_happened,
        },
        "expected": row.expected,
        "delay_ms": row.delay_ms,
        "finished": row.finished,
        "events": row.events,
        "duplicates": row.duplicates,
        "timeline": own.map(step).collect::<Vec<_>>(),
    })
}

fn step(row: &TimelineRow) -> Value {
    json!({
        "happened": row.happened,
        "classifier": row.classifier,
        "milestone": row.milestone,
        "unlocode": row.unlocode,
        "place": row.place_name,
        "mode": row.mode,
        "vessel": row.vessel_name,
        "voyage": row.voyage,
        "received": row.received,
    })
}

pub fn usage(row: &UsageRow) -> Value {
    json!({
        "day": row.day,
        "stage": row.stage,
        "outcome": row.outcome,
        "code": row.code,
        "records": row.records,
    })
}
