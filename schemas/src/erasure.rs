use serde::{Deserialize, Serialize};

/// A shipment is to be forgotten. It goes the way of the shipment's events, through `enriched` to `events` and
/// `shipments`: what stands before it there is of the shipment as it was, and what comes behind it is of another
/// history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Erasure {
    /// Of which erasure it is: a UUID.
    pub erasure_id: String,
    pub carrier_id: String,
    pub shipment_id: String,
    /// When an operator asked for it, ms UTC.
    pub asked_at: i64,
}
