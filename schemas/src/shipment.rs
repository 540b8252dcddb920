use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::vocabulary::{Milestone, Mode};
use crate::{Country, EventId, Provenance, Reference, Unlocode};

/// The state of one shipment, as `shipments` shows it: no larger for a long history than for a short
/// one. How each part follows from the shipment's events stands in waybill-aggregate.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Shipment {
    pub shipment_id: String,
    pub carrier_id: String,
    /// Provenance of the last accepted event.
    pub last: Arc<Provenance>,
    /// How many events were accepted: grows by one with each. It begins anew if the shipment's
    /// state has expired in between.
    pub revision: u64,
    /// How many copies of accepted events came again and changed nothing.
    pub duplicates: u64,
    /// Carrier and unit, `acme-line/CSQU3054383`, if it is a shipment of a unit: one unit has many.
    #[serde(default)]
    pub unit: Option<String>,
    /// Bookings, bills of lading and the like that its events name, at most 16. Of a shipment of a
    /// unit only.
    #[serde(default)]
    pub documents: Vec<Reference>,
    /// Container number, or the carrier's own; of several the first in order of the alphabet.
    pub equipment: Option<String>,
    /// Exclusive or of the first 64 bits of the ids of all its accepted events, big-endian: whoever
    /// has the events can see whether they are those.
    pub events_checksum: i64,
    /// What was travelled, then what is still planned; at most the last 32 of either.
    pub legs: Vec<Leg>,
    /// Stays with at least two actual events; at most the last 32.
    pub dwells: Vec<Dwell>,
    /// Last place with an actual event, UN/LOCODE, and what happened there.
    pub last_unlocode: Option<Unlocode>,
    pub last_country: Option<Country>,
    pub last_milestone: Option<Milestone>,
    /// When that was, ms UTC.
    pub last_occurred_at: Option<i64>,
    /// Latest expected arrival at the destination, ms UTC; absent once it is there.
    pub eta: Option<i64>,
    /// Delay of the last actual event that had a plan, ms; positive is late.
    pub delay_ms: Option<i64>,
    pub origin_unlocode: Option<Unlocode>,
    pub origin_country: Option<Country>,
    pub destination_unlocode: Option<Unlocode>,
    pub destination_country: Option<Country>,
    pub crosses_border: Option<bool>,
    /// What messages themselves name as the countries of origin and destination: the latest word
    /// goes before what the history shows.
    pub stated_origin: Option<StatedCountry>,
    pub stated_destination: Option<StatedCountry>,
    /// Way travelled: sum of the great circles between the places of actual events, km.
    pub distance_km: f64,
    /// The cargo has reached its end: delivered, the empty container returned, or gone out of the
    /// gate at its destination.
    pub finished: bool,
    /// Receipt of the first and of the last event (duplicates too), ms UTC.
    pub first_received_at: i64,
    pub last_received_at: i64,
    /// When aggregate last accepted an event of it, ms UTC; never goes back.
    pub aggregated_at: i64,
}

/// A country that a message names for the shipment as a whole, and which message it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatedCountry {
    pub country: Country,
    /// ms UTC.
    pub received_at: i64,
    pub event_id: EventId,
}

/// From one place to the next.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Leg {
    pub from_unlocode: Unlocode,
    pub to_unlocode: Unlocode,
    pub mode: Option<Mode>,
    /// ms UTC; absent until the actual event is known.
    pub departed_at: Option<i64>,
    pub arrived_at: Option<i64>,
    /// ms UTC; the plan, or without one the first estimate.
    pub planned_departure_at: Option<i64>,
    pub planned_arrival_at: Option<i64>,
    /// Great circle, km.
    pub distance_km: Option<f64>,
}

/// A stay in one place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dwell {
    pub unlocode: Unlocode,
    /// First and last actual event there, ms UTC.
    pub from: i64,
    pub until: i64,
}
