//! Who tells carriers' endpoints, as the host (`webhook_host`) sees it.

use std::collections::BTreeSet;

use waybill_schemas::{AcceptedEvent, Delivery, Erasure, RejectRecord};

use crate::webhook_log::At;

/// Decides what is told to whom, and tells it.
pub trait Courier {
    /// What is to be told of a reject.
    fn reject(&mut self, record: &RejectRecord, now_ms: i64) -> Vec<Delivery>;

    /// What is to be told of an event.
    fn event(&mut self, record: &AcceptedEvent, now_ms: i64) -> Vec<Delivery>;

    /// Whether anybody is told of events: if not, they are not even decoded.
    fn wants_events(&mut self) -> bool;

    /// A delivery's record was read: this is what is known of it from now on.
    fn take_in(&mut self, at: At, delivery: Delivery, now_ms: i64);

    /// A shipment was erased. Of what was written of it before this place in the partition, nobody is told any more.
    fn erase(&mut self, at: At, erasure: &Erasure, now_ms: i64);

    /// Begins what is due, and takes up what has ended. What is over from here on is to be written: it stays open,
    /// for [`Courier::first_open`], until that is [done](Courier::written).
    fn begin_due(&mut self, now_ms: i64) -> Vec<(At, Delivery)>;

    /// This is on the topic.
    fn written(&mut self, ends: &[At]);

    /// The oldest open delivery of a partition.
    fn first_open(&self, partition: i32) -> Option<i64>;

    /// Offsets of deliveries that are due, and whose payloads are not in memory.
    fn missing(&mut self, now_ms: i64) -> Option<(i32, BTreeSet<i64>)>;

    /// A payload that was missing.
    fn bring(&mut self, at: At, payload: Vec<u8>, now_ms: i64);

    /// A partition goes to another.
    fn on_revoked(&mut self, partition: i32);

    /// Begins nothing new while it is held.
    fn hold(&mut self, held: bool);

    /// Whether requests are under way.
    fn is_busy(&self) -> bool;

    /// When something is due next, ms UTC.
    fn due_at(&self) -> Option<i64>;
}
