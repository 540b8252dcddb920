use serde::{Deserialize, Serialize};

use crate::{Country, Enrichment, ShipmentEvent, Unlocode};

/// An event accepted into its shipment's history: one row of `events`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AcceptedEvent {
    pub event: ShipmentEvent,
    pub enrichment: Enrichment,
    pub history: History,
}

/// Where the event stands among those of its shipment known at the moment it was accepted.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct History {
    /// Position by order of occurrence among the events of the same classifier: 1, 2, ….
    pub sequence: u32,
    /// How many events the shipment had accepted, this one included: the order of acceptance.
    pub revision: u64,
    /// An event of the same classifier that happened later had been accepted before.
    pub out_of_order: bool,
    /// UN/LOCODE of the place before this one (another place), by order of occurrence among the
    /// events of the same classifier.
    pub previous_unlocode: Option<Unlocode>,
    /// Great-circle distance from there, km.
    pub distance_km: Option<f64>,
    /// Actual against planned (or, without a plan, first estimated) time of the same milestone at
    /// the same place, ms; positive is late.
    pub delay_ms: Option<i64>,
    /// On a departure: time since the arrival at the same place, ms.
    pub dwell_ms: Option<i64>,
    /// Lane of the shipment as known now.
    pub origin_country: Option<Country>,
    pub destination_country: Option<Country>,
    pub crosses_border: Option<bool>,
    /// When aggregate accepted it, ms UTC.
    pub aggregated_at: i64,
}
