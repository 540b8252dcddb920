//! Rows as carriers are shown them. Times are RFC 3339, UTC; a text that is not known is empty.

use serde::Serialize;
use utoipa::ToSchema;
use waybill_clickhouse::{EventRow, RejectRow, ShipmentRow, TimelineRow, UsageRow};
use waybill_stage::advice;

/// What a message, or a part of it, became.
#[derive(Debug, Serialize, ToSchema)]
pub struct Event<'r> {
    event_id: &'r str,
    shipment_id: &'r str,
    /// In the message: 1, 2, …
    position: u32,
    #[schema(example = "gate_in")]
    milestone: &'r str,
    /// planned, estimated or actual
    #[schema(example = "actual")]
    classifier: &'r str,
    #[schema(format = DateTime)]
    happened: &'r str,
    #[schema(example = "NLRTM")]
    unlocode: &'r str,
    #[schema(example = "MSKU1234565")]
    equipment: &'r str,
    #[schema(format = DateTime)]
    received: &'r str,
}

impl<'r> From<&'r EventRow> for Event<'r> {
    fn from(row: &'r EventRow) -> Self {
        Self {
            event_id: &row.event_id,
            shipment_id: &row.shipment_id,
            position: row.position,
            milestone: &row.milestone,
            classifier: &row.classifier,
            happened: &row.happened,
            unlocode: &row.unlocode,
            equipment: &row.equipment,
            received: &row.received,
        }
    }
}

/// Why a message, or a part of it, does not go on.
#[derive(Debug, Serialize, ToSchema)]
pub struct Reject<'r> {
    /// Of the message.
    id: &'r str,
    /// Of the part: 1, 2, …; 0 for the message as a whole.
    position: u32,
    /// Who rejected it.
    #[schema(example = "validate")]
    stage: &'r str,
    /// A code of docs/rejects.md.
    #[schema(example = "unparsable")]
    code: &'r str,
    /// Where, and what was expected.
    detail: &'r str,
    /// Of the code.
    #[schema(required)]
    meaning: Option<&'static str>,
    #[schema(required)]
    what_to_do: Option<&'static str>,
    /// 0, or which redrive was answered so.
    attempt: u32,
    #[schema(format = DateTime)]
    received: &'r str,
    #[schema(format = DateTime)]
    rejected: &'r str,
}

impl<'r> From<&'r RejectRow> for Reject<'r> {
    fn from(row: &'r RejectRow) -> Self {
        let advice = advice(&row.code);
        Self {
            id: &row.message_id,
            position: row.position,
            stage: &row.stage,
            code: &row.code,
            detail: &row.detail,
            meaning: advice.map(|advice| advice.meaning),
            what_to_do: advice.map(|advice| advice.what_to_do),
            attempt: row.attempt,
            received: &row.received,
            rejected: &row.rejected,
        }
    }
}

/// A shipment as it stands.
#[derive(Debug, Serialize, ToSchema)]
pub struct Shipment<'r> {
    shipment_id: &'r str,
    equipment: &'r str,
    /// Numbers of its documents: bookings, bills of lading, …
    documents: &'r [String],
    /// UN/LOCODE
    origin: &'r str,
    /// UN/LOCODE
    destination: &'r str,
    last: Last<'r>,
    /// The latest estimate, or plan, of its arrival.
    #[schema(required, format = DateTime)]
    expected: Option<&'r str>,
    /// Of the arrival against the plan, ms.
    #[schema(required)]
    delay_ms: Option<i64>,
    finished: bool,
    events: u64,
    duplicates: u64,
    /// Planned, estimated and actual, by when it happened.
    timeline: Vec<Step<'r>>,
}

/// The latest that happened to a shipment.
#[derive(Debug, Serialize, ToSchema)]
pub struct Last<'r> {
    unlocode: &'r str,
    milestone: &'r str,
    #[schema(required, format = DateTime)]
    happened: Option<&'r str>,
}

/// One event of a shipment.
#[derive(Debug, Serialize, ToSchema)]
pub struct Step<'r> {
    #[schema(format = DateTime)]
    happened: &'r str,
    /// planned, estimated or actual
    classifier: &'r str,
    milestone: &'r str,
    unlocode: &'r str,
    place: &'r str,
    mode: &'r str,
    vessel: &'r str,
    voyage: &'r str,
    #[schema(format = DateTime)]
    received: &'r str,
}

impl<'r> Shipment<'r> {
    /// With those of the timeline that are its own.
    pub fn new(row: &'r ShipmentRow, timeline: &'r [TimelineRow]) -> Self {
        let own = timeline.iter().filter(|event| event.shipment_id == row.shipment_id);
        Self {
            shipment_id: &row.shipment_id,
            equipment: &row.equipment,
            documents: &row.documents,
            origin: &row.origin,
            destination: &row.destination,
            last: Last {
                unlocode: &row.last_unlocode,
                milestone: &row.last_milestone,
                happened: row.last_happened.as_deref(),
            },
            expected: row.expected.as_deref(),
            delay_ms: row.delay_ms,
            finished: row.finished,
            events: row.events,
            duplicates: row.duplicates,
            timeline: own.map(Step::from).collect(),
        }
    }
}

impl<'r> From<&'r TimelineRow> for Step<'r> {
    fn from(row: &'r TimelineRow) -> Self {
        Self {
            happened: &row.happened,
            classifier: &row.classifier,
            milestone: &row.milestone,
            unlocode: &row.unlocode,
            place: &row.place_name,
            mode: &row.mode,
            vessel: &row.vessel_name,
            voyage: &row.voyage,
            received: &row.received,
        }
    }
}

/// Records of one day, of one kind.
#[derive(Debug, Serialize, ToSchema)]
pub struct Usage<'r> {
    /// Of receipt, UTC.
    #[schema(format = Date)]
    day: &'r str,
    stage: &'r str,
    outcome: &'r str,
    /// Of what was rejected.
    code: &'r str,
    records: u64,
}

impl<'r> From<&'r UsageRow> for Usage<'r> {
    fn from(row: &'r UsageRow) -> Self {
        Self {
            day: &row.day,
            stage: &row.stage,
            outcome: &row.outcome,
            code: &row.code,
            records: row.records,
        }
    }
}
