use serde::{Deserialize, Serialize};

use crate::vocabulary::DeliveryState;

/// Something that a carrier's endpoint is to be told, or what became of that. On its topic it has its id for a
/// key, and the last record of an id counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    /// The header `webhook-id`: the same for every attempt, and for a copy of what is told.
    pub delivery_id: String,
    pub carrier_id: String,
    /// Of the carrier's endpoints, the one that is told.
    pub endpoint_id: String,
    pub state: DeliveryState,
    /// Of a dead one, what the last attempt ended with; empty otherwise.
    pub why: String,
    /// How often it was tried by who wrote this.
    pub attempts: u32,
    /// When what it tells of came up, ms UTC.
    pub made_at: i64,
    /// From then on it is tried, ms UTC: a replay begins anew.
    pub open_since: i64,
    /// When it was settled or given up, ms UTC.
    pub ended_at: Option<i64>,
    /// The body of the request, JSON.
    #[serde(with = "crate::codec::bytes")]
    pub payload: Vec<u8>,
    /// The shipment that it tells of: once that is erased, nobody is told any more. Empty for a reject, which is
    /// of a message.
    #[serde(default)]
    pub shipment_id: String,
}
