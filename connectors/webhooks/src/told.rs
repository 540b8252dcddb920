//! What endpoints are told: the payload of Standard Webhooks, `type`, `timestamp` and `data`. It holds what the
//! gateway answers the same carrier, and nothing of another's.

use jiff::Timestamp;
use serde::Serialize;
use sha2::{Digest, Sha256};
use waybill_schemas::vocabulary::{Classifier, DeliveryState};
use waybill_schemas::{AcceptedEvent, Delivery, EventId, RejectRecord};
use waybill_sealing::base64url;
use waybill_stage::advice;

pub const EVENT_REJECTED: &str = "event.rejected";
pub const SHIPMENT_MILESTONE: &str = "shipment.milestone";

#[derive(Serialize)]
struct Payload<D> {
    #[serde(rename = "type")]
    kind: &'static str,
    timestamp: String,
    data: D,
}

/// A message, or a part of it, that does not go on.
#[derive(Serialize)]
struct Rejected<'r> {
    /// Of the message.
    id: &'r str,
    handle: &'r str,
    /// Of the part: 1, 2, …; 0 for the message as a whole.
    position: u32,
    stage: &'r str,
    code: &'r str,
    detail: &'r str,
    meaning: Option<&'static str>,
    what_to_do: Option<&'static str>,
    attempt: u32,
    received: String,
    rejected: String,
}

/// Something that has happened to a shipment.
#[derive(Serialize)]
struct Milestone<'r> {
    /// Of the message.
    id: &'r str,
    event_id: String,
    shipment_id: &'r str,
    position: u32,
    milestone: &'static str,
    classifier: &'static str,
    happened: String,
    unlocode: Option<&'r str>,
    place: Option<&'r str>,
    country: Option<&'r str>,
    equipment: Option<&'r str>,
    /// Against the plan, ms.
    delay_ms: Option<i64>,
    received: String,
}

/// As ClickHouse and the gateway show it.
fn uuid(id: EventId) -> String {
    let hex = format!("{:032x}", id.as_u128());
    let part = |range| hex.get(range).unwrap_or_default();
    [part(0..8), part(8..12), part(12..16), part(16..20), part(20..32)].join("-")
}

fn time(ms: i64) -> String {
    Timestamp::from_millisecond(ms).unwrap_or_default().to_string()
}

/// The answer to one part of one sealed record is one thing to be told, however often it is given: a copy of it has
/// the same id, and so has the same answer to a redrive. Another code is another answer.
fn rejected_identity(record: &RejectRecord) -> [String; 6] {
    [
        record.source_topic.clone(),
        record.sealed_topic.clone(),
        record.source_partition.to_string(),
        record.source_offset.to_string(),
        record.position.to_string(),
        record.code.clone(),
    ]
}

/// A message's id, `msg_` and 22 characters: of carrier, endpoint, and what is told.
fn delivery_id(carrier: &str, endpoint: &str, kind: &str, identity: &[String]) -> String {
    let mut hash = Sha256::new();
    let parts = [carrier, endpoint, kind].into_iter().chain(identity.iter().map(String::as_str));
    for part in parts {
        hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        hash.update(part);
    }
    let hash: [u8; 32] = hash.finalize().into();
    let short = hash.first_chunk::<16>().copied().unwrap_or_default();
    format!("msg_{}", base64url::encode(short))
}

fn delivery<D: Serialize>(
    (carrier, endpoint, shipment): (&str, &str, &str),
    kind: &'static str,
    identity: &[String],
    (made_at, now_ms): (i64, i64),
    data: D,
) -> Option<Delivery> {
    let payload = Payload { kind, timestamp: time(made_at), data };
    let payload = serde_json::to_vec(&payload);
    // Text and numbers are always JSON.
    let payload = payload.inspect_err(|error| tracing::error!(%error, kind, "no payload")).ok()?;
    Some(Delivery {
        delivery_id: delivery_id(carrier, endpoint, kind, identity),
        carrier_id: carrier.to_owned(),
        endpoint_id: endpoint.to_owned(),
        state: DeliveryState::Open,
        why: String::new(),
        attempts: 0,
        made_at,
        open_since: now_ms,
        ended_at: None,
        payload,
        shipment_id: shipment.to_owned(),
    })
}

/// What the endpoint is told of a reject.
pub fn of_reject(record: &RejectRecord, endpoint: &str, now_ms: i64) -> Option<Delivery> {
    let advice = advice(&record.code);
    let data = Rejected {
        id: &record.message_id,
        handle: &record.handle,
        position: record.position,
        stage: &record.stage,
        code: &record.code,
        detail: &record.detail,
        meaning: advice.map(|advice| advice.meaning),
        what_to_do: advice.map(|advice| advice.what_to_do),
        attempt: record.attempt,
        received: time(record.received_at),
        rejected: time(record.rejected_at),
    };
    let whose = (record.carrier_id.as_str(), endpoint, "");
    let times = (record.rejected_at, now_ms);
    delivery(whose, EVENT_REJECTED, &rejected_identity(record), times, data)
}

/// What the endpoint is told of an event: only what has happened, and not what is planned.
pub fn of_event(record: &AcceptedEvent, endpoint: &str, now_ms: i64) -> Option<Delivery> {
    let AcceptedEvent { event, enrichment, history } = record;
    if event.classifier != Classifier::Actual {
        return None;
    }
    let data = Milestone {
        id: &event.provenance.message_id,
        event_id: uuid(event.event_id),
        shipment_id: &event.shipment_id,
        position: event.position,
        milestone: event.milestone.as_str(),
        classifier: event.classifier.as_str(),
        happened: time(enrichment.occurred_at),
        unlocode: enrichment.unlocode.as_deref(),
        place: enrichment.place_name.as_deref(),
        country: enrichment.country.as_deref(),
        equipment: event.equipment.as_ref().map(|equipment| equipment.number.as_str()),
        delay_ms: history.delay_ms,
        received: time(event.provenance.received_at),
    };
    let whose = (event.provenance.carrier_id.as_str(), endpoint, event.shipment_id.as_str());
    let identity = [uuid(event.event_id)];
    delivery(whose, SHIPMENT_MILESTONE, &identity, (history.aggregated_at, now_ms), data)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reject() -> RejectRecord {
        RejectRecord {
            code: "missing_field".into(),
            stage: "validate".into(),
            carrier_id: "acme-line".into(),
            handle: "h-1".into(),
            message_id: "m-1".into(),
            position: 2,
            source_partition: 3,
            source_offset: 17,
            sealed_at: Some(1),
            received_at: 1_000,
            rejected_at: 2_000,
            detail: "/events/1/eventDateTime".into(),
            attempt: 0,
            source_topic: "sealed".into(),
            sealed_topic: "waybill.sealed".into(),
        }
    }

    #[test]
    fn a_reject_says_what_to_do() {
        let told = of_reject(&reject(), "wh_1", 9).unwrap();
        assert_eq!((told.carrier_id.as_str(), told.endpoint_id.as_str()), ("acme-line", "wh_1"));
        let payload: serde_json::Value = serde_json::from_slice(&told.payload).unwrap();
        assert_eq!(payload["type"], "event.rejected");
        assert_eq!(payload["timestamp"], "1970-01-01T00:00:02Z");
        let data = &payload["data"];
        assert_eq!((&data["id"], &data["code"]), (&"m-1".into(), &"missing_field".into()));
        assert_eq!(data["position"], 2);
        assert_eq!(data["what_to_do"], advice("missing_field").unwrap().what_to_do);
    }

    #[test]
    fn a_copy_has_the_same_id_and_nothing_else_has() {
        let id = |change: &dyn Fn(&mut RejectRecord), endpoint: &str| {
            let mut record = reject();
            change(&mut record);
            of_reject(&record, endpoint, 9).unwrap().delivery_id
        };
        let first = id(&|_| {}, "wh_1");
        assert!(first.starts_with("msg_") && first.len() == 26 && !first.contains('.'), "{first}");
        assert_eq!(id(&|r| r.rejected_at = 9, "wh_1"), first);
        assert_eq!(id(&|r| r.attempt = 1, "wh_1"), first);
        let others = [
            id(&|_| {}, "wh_2"),
            id(&|r| r.carrier_id = "other-line".into(), "wh_1"),
            id(&|r| r.source_offset = 18, "wh_1"),
            id(&|r| r.source_partition = 4, "wh_1"),
            id(&|r| r.position = 1, "wh_1"),
            id(&|r| r.code = "unknown_code".into(), "wh_1"),
            id(&|r| r.sealed_topic = "waybill.sealed2".into(), "wh_1"),
        ];
        let all: std::collections::BTreeSet<_> = others.iter().chain([&first]).collect();
        assert_eq!(all.len(), others.len() + 1);
    }
}
