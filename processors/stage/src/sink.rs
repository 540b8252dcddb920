use std::sync::Arc;

use waybill_schemas::Provenance;

use crate::{Fault, Reject};

/// Where a pipeline ends. The host reads, batches by partition and commits; a sink writes.
pub trait Sink: Send {
    /// Writes every batch, or faults; the batches of one call are of different topic partitions.
    /// When it returns `Ok`, the rows are durable and visible. A record that cannot become a row
    /// is no fault: it is returned in [`Inserted::rejects`].
    fn insert(&mut self, batches: &[SinkBatch]) -> Result<Inserted, Fault>;
}

/// A range of one topic partition, in order of offset.
#[derive(Debug)]
pub struct SinkBatch {
    /// The topic's role: `events`, `shipments`, `rejects`.
    pub role: &'static str,
    pub topic: String,
    pub partition: i32,
    /// In order. Offsets may have gaps (transaction markers, compaction, unreadable records), and
    /// all may be such.
    pub records: Vec<SinkRecord>,
    /// Where reading goes on once the batch is written: past the last offset, gaps included.
    pub next_offset: i64,
}

#[derive(Debug)]
pub struct SinkRecord {
    pub offset: i64,
    /// Avro single object, already decrypted.
    pub value: Vec<u8>,
    /// When the broker appended it to this topic, ms UTC.
    pub appended_at: i64,
}

/// What an insert did. (The sink itself keeps the end-to-end histogram: only it knows when a row
/// became visible.)
#[derive(Debug, Default)]
pub struct Inserted {
    pub rows: u64,
    pub rejects: Vec<RefusedRecord>,
}

/// A record that is no row.
#[derive(Debug)]
pub struct RefusedRecord {
    /// Index of its batch in the call.
    pub batch: usize,
    pub offset: i64,
    /// Absent when it could not be decoded.
    pub provenance: Option<Arc<Provenance>>,
    /// Position in the message; 0 for the whole.
    pub position: u32,
    pub reject: Reject,
}
