use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use waybill_schemas::{LedgerCount, Provenance};

use crate::{Fault, Reject};

/// Where a pipeline ends. The host reads, cuts ranges and makes the claims to them durable
/// (`waybill-sink`); a sink writes.
pub trait Sink: Send {
    /// Writes every batch; the batches of one call are of different topic partitions. There is one
    /// answer for each, in their order. No attempt begins that the lease does not cover.
    ///
    /// A batch that comes a second time, be it to another process, holds the same records, and is
    /// then in the store once. A record that cannot become a row is no fault: it is returned in
    /// [`Inserted::rejects`], each time.
    fn insert(&mut self, batches: &[SinkBatch], lease: &Lease) -> Result<Vec<Stored>, Fault>;

    /// How near the store is to slowing inserts down because they are too many: 0 (far) to 1.
    fn pressure(&mut self) -> Result<f64, Fault>;
}

/// For how long its holder may begin attempts.
#[derive(Clone, Debug)]
pub struct Lease {
    until: Instant,
    cancelled: Arc<AtomicBool>,
}

impl Lease {
    pub fn until(until: Instant) -> Self {
        Self { until, cancelled: Arc::default() }
    }

    pub fn cancel(&self) {
        self.cancelled.store(true, Ordering::Relaxed);
    }

    pub fn holds(&self, now: Instant) -> bool {
        now < self.until && !self.cancelled.load(Ordering::Relaxed)
    }
}

/// A claimed range of one topic partition.
#[derive(Clone, Debug)]
pub struct SinkBatch {
    /// The topic's role: `events`, `shipments`, `rejects`, `ledger`.
    pub role: &'static str,
    pub topic: String,
    pub partition: i32,
    /// First and last offset of the range.
    pub first: i64,
    pub last: i64,
    /// The range's deduplication token.
    pub token: String,
    /// Rows of it may be in the store already.
    pub again: bool,
    /// In order. Offsets may have gaps (transaction markers, unreadable records).
    pub records: Vec<SinkRecord>,
}

#[derive(Clone, Debug)]
pub struct SinkRecord {
    pub offset: i64,
    /// Avro single object, already decrypted.
    pub value: Vec<u8>,
    /// When the broker appended it to this topic, ms UTC.
    pub appended_at: i64,
}

/// What is known of a batch.
#[derive(Debug)]
pub enum Stored {
    /// Its rows are durable and visible, in the rollups too.
    Done(Inserted),
    /// The lease ended first: its rows may be in the store or not.
    Unknown,
}

/// What an insert did. (The sink itself keeps the end-to-end histogram: only it knows when a row
/// became visible.)
#[derive(Debug, Default)]
pub struct Inserted {
    pub rows: u64,
    pub rejects: Vec<RefusedRecord>,
    /// Every record of the batch, by carrier, hour and outcome; `stage` is the host's to fill.
    pub counts: Vec<LedgerCount>,
}

/// A record that is no row.
#[derive(Debug)]
pub struct RefusedRecord {
    pub offset: i64,
    /// Absent when it could not be decoded.
    pub provenance: Option<Arc<Provenance>>,
    /// Position in the message; 0 for the whole.
    pub position: u32,
    pub reject: Reject,
}
