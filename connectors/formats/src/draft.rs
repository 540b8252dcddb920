use waybill_schemas::vocabulary::{Classifier, Flag, Milestone};
use waybill_schemas::{Equipment, OccurrenceTime, Place, Reading, Reference, Transport};

/// What a message says of one event, in the terms of the shipment model, before it is known whose
/// it is and when it was received. The fields are those of
/// [`waybill_schemas::ShipmentEvent`].
#[derive(Clone, Debug, PartialEq)]
pub struct Draft {
    pub milestone: Milestone,
    pub classifier: Classifier,
    /// The code as sent, its list in front: `EQUIPMENT/LOAD`, `SHIPMENT/CONF/BKG`.
    pub raw_code: String,
    pub raw_id: Option<String>,
    pub occurred: OccurrenceTime,
    /// When the carrier says it recorded the event, ms UTC.
    pub created_at: Option<i64>,
    /// The document that the event itself is about, if it is about one.
    pub document: Option<Document>,
    pub references: Vec<Reference>,
    /// Number as sent; validate normalises it.
    pub equipment: Option<Equipment>,
    pub place: Option<Place>,
    pub transport: Option<Transport>,
    pub delay_reason: Option<String>,
    pub remark: Option<String>,
    pub readings: Vec<Reading>,
    pub flags: Vec<Flag>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// `booking`, `transport_document`, `vgm`, …: from the format's list, so that the same number
    /// under two kinds of document is two documents.
    pub kind: &'static str,
    pub number: String,
}
