use std::num::NonZeroI64;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::vocabulary::{Classifier, Milestone, Mode};
use crate::{Country, EventId, Provenance, Reference, StatedCountry, Unlocode};

/// A record of aggregate's changelog: some of a shipment's accepted events, in order of arrival, and
/// what else was known of it when the record was written. A shipment has as many as it needs, numbered
/// by the order of arrival; the last one tells what is known now.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ShipmentHistory {
    /// Empty in records of before 1 December 2026: their keys tell shipment and number.
    #[serde(default)]
    pub shipment_id: String,
    #[serde(default)]
    pub number: u32,
    /// These as in [`Shipment`](crate::Shipment).
    pub last: Arc<Provenance>,
    pub revision: u64,
    pub duplicates: u64,
    pub unit: Option<String>,
    pub documents: Vec<Reference>,
    pub equipment: Option<String>,
    pub stated_origin: Option<StatedCountry>,
    pub stated_destination: Option<StatedCountry>,
    pub first_received_at: i64,
    pub last_received_at: i64,
    pub aggregated_at: i64,
    pub events: Vec<HistoryEntry>,
}

/// One accepted event, as short as the state can keep it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct HistoryEntry {
    /// The first 64 bits of its id, big-endian: enough to tell the events of one shipment apart. Of
    /// 4,096, as many as one may have, two different ones are the same with a chance of 5 in 10^13.
    pub event: i64,
    pub milestone: Milestone,
    pub classifier: Classifier,
    /// ms UTC.
    pub occurred_at: i64,
    pub received_at: i64,
    pub unlocode: Option<Unlocode>,
    pub country: Option<Country>,
    /// Degrees, WGS 84.
    pub latitude: Option<f32>,
    pub longitude: Option<f32>,
    pub mode: Option<Mode>,
    /// Which event of the carrier's it is, if the carrier says so, or, of `withdrawn`, which it
    /// declares void: [`raw_id_hash`].
    pub raw_id_hash: Option<NonZeroI64>,
}

impl HistoryEntry {
    pub fn event_of(id: &EventId) -> i64 {
        let [a, b, c, d, e, f, g, h, ..] = id.0;
        i64::from_be_bytes([a, b, c, d, e, f, g, h])
    }
}

/// The first 48 bits of SHA-256 over the carrier's own id of an event; never 0. Of the 4,096 events
/// that a shipment may have, two are taken for one with a chance of 3 in 10^8; of thirty, 2 in 10^12.
pub fn raw_id_hash(raw_id: &str) -> Option<NonZeroI64> {
    let digest = Sha256::digest(raw_id);
    let first = i64::from_be_bytes(*digest.first_chunk()?);
    NonZeroI64::new(((first >> 16) & 0xFFFF_FFFF_FFFF).max(1))
}
