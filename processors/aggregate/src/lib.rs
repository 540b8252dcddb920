//! The history of each shipment: a pure state machine, `(state, event) -> state + outputs`, keyed
//! by shipment. No Kafka, no clock, no async.
//!
//! The host keeps one [`Partition`] for each partition of its input, [restores](Restoring) it from the
//! compacted changelog, [applies](Partition::apply) every event to it, and writes
//! [what changed](Partition::take_changed) once a batch, in the transaction of the batch. Whenever
//! that transaction does not commit, the partition is ahead of the changelog and must be restored
//! anew.
//!
//! The state of a shipment is a function of the *set* of its accepted events: the order in which
//! they arrived shows only in `revision`, `last` and `aggregated_at`.
//!
//! What is absent: nothing forgets an event before its shipment's state expires, but an operator who has it
//! [purged](Partition::purge) or [erased](Partition::erase).

mod changelog;
mod events;
mod great_circle;
mod identity;
mod journey;
mod milestone;
mod operator;
mod partition;
mod promise;
mod promises;
mod quota;
mod route;
mod stops;
mod timeline;
mod track;

use std::collections::BTreeMap;
use std::sync::Arc;

pub use changelog::{BadChangelog, Changed, Restoring, key};
pub use great_circle::{EARTH_RADIUS_KM, great_circle_km};
pub use identity::key_of_events;
pub use operator::{Aggregating, Changelog};
pub use partition::Partition;
pub use quota::Taken;

/// The stage's name in metrics, dead letters and configuration.
pub const NAME: &str = "aggregate";

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// What an operator may set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// How long after the receipt of its last event a finished shipment's state is kept, ms. At
    /// least the longest `max_delivery_delay` in force and a day (sealed-event.md, "Seen before"):
    /// a copy that comes later would be taken for a new event.
    pub retention_ms: i64,
    /// The same for a shipment under way, ms: longer, since a ship at sea is silent for weeks.
    /// Taken as `retention_ms` if it is less.
    pub unfinished_retention_ms: i64,
    /// More events than these of one shipment are rejected as `shipment_full`: at most 4,096.
    pub max_events_per_shipment: usize,
    /// What one carrier's shipments may take of a partition's memory, bytes: beyond it, what is new of it
    /// is rejected as `quota`. A shipment counts 1,000 bytes, and an event 44.
    pub max_bytes_per_carrier: usize,
    /// The same for single carriers, by their ids.
    pub max_bytes_of: Option<Arc<BTreeMap<String, usize>>>,
    /// Carriers whose shipments go, if nothing of them was received after that time, ms UTC.
    pub purged: Option<Arc<BTreeMap<String, i64>>>,
}

impl Settings {
    fn max_bytes(&self, carrier_id: &str) -> usize {
        let own = self.max_bytes_of.as_ref().and_then(|own| own.get(carrier_id).copied());
        own.unwrap_or(self.max_bytes_per_carrier)
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            retention_ms: 8 * DAY_MS,
            unfinished_retention_ms: 60 * DAY_MS,
            max_events_per_shipment: 4096,
            max_bytes_per_carrier: 256 << 20,
            max_bytes_of: None,
            purged: None,
        }
    }
}
