use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use waybill_schemas::{LedgerCount, Provenance};

use crate::{Fault, Reject};

/// Where a pipeline ends. The host reads, cuts ranges and makes the claims to them durable
/// (`waybill_host::protocol`); a sink writes.
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
    /// Kafka's id of it; empty for a claim of a build that did not know it.
    pub topic_id: String,
    pub partition: i32,
    /// First and last offset of the range.
    pub first: i64,
    pub last: i64,
    /// The range's deduplication token.
    pub token: String,
    /// Rows of it may be in the store already.
    pub again: bool,
    pub records: SinkRecords,
}

/// Records in order of their offsets, which may have gaps (transaction markers, unreadable records).
/// Their values lie in one piece of memory: thousands of small ones cost more than what is in them.
#[derive(Clone, Default)]
pub struct SinkRecords {
    values: Vec<u8>,
    entries: Vec<Entry>,
}

#[derive(Clone, Copy)]
struct Entry {
    offset: i64,
    appended_at: i64,
    /// Where its value ends; it begins where the one before it ends.
    end: usize,
}

#[derive(Clone, Copy, Debug)]
pub struct SinkRecord<'a> {
    pub offset: i64,
    /// Avro single object, already decrypted.
    pub value: &'a [u8],
    /// When the broker appended it to this topic, ms UTC.
    pub appended_at: i64,
}

impl SinkRecords {
    /// Adds a record behind those that are there, whose value `write` appends to what it is given.
    /// Without a value (`None`) nothing is added.
    pub fn push<E>(
        &mut self,
        offset: i64,
        appended_at: i64,
        write: impl FnOnce(&mut Vec<u8>) -> Result<Option<()>, E>,
    ) -> Result<Option<()>, E> {
        let before = self.values.len();
        let written = write(&mut self.values);
        if let Ok(Some(())) = written {
            self.entries.push(Entry { offset, appended_at, end: self.values.len() });
        } else {
            self.values.truncate(before);
        }
        written
    }

    pub fn len(&self) -> usize {
        self.entries.len()
    }

    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Of the values.
    pub fn bytes(&self) -> usize {
        self.values.len()
    }

    pub fn iter(&self) -> impl Iterator<Item = SinkRecord<'_>> {
        (0..self.entries.len()).filter_map(|n| self.at(n))
    }

    /// The record at `offset`, if there is one.
    pub fn get(&self, offset: i64) -> Option<SinkRecord<'_>> {
        self.at(self.entries.binary_search_by_key(&offset, |entry| entry.offset).ok()?)
    }

    fn at(&self, n: usize) -> Option<SinkRecord<'_>> {
        let Entry { offset, appended_at, end } = *self.entries.get(n)?;
        let start = n.checked_sub(1).and_then(|n| self.entries.get(n)).map_or(0, |e| e.end);
        Some(SinkRecord { offset, value: self.values.get(start..end)?, appended_at })
    }
}

impl std::fmt::Debug for SinkRecords {
    /// Values are plaintext.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SinkRecords({}, {} bytes)", self.len(), self.bytes())
    }
}

impl<V: AsRef<[u8]>> FromIterator<(i64, V, i64)> for SinkRecords {
    /// From offset, value, and when it was appended.
    fn from_iter<I: IntoIterator<Item = (i64, V, i64)>>(records: I) -> Self {
        let mut all = Self::default();
        all.extend(records);
        all
    }
}

impl<V: AsRef<[u8]>> Extend<(i64, V, i64)> for SinkRecords {
    fn extend<I: IntoIterator<Item = (i64, V, i64)>>(&mut self, records: I) {
        for (offset, value, appended_at) in records {
            self.values.extend_from_slice(value.as_ref());
            self.entries.push(Entry { offset, appended_at, end: self.values.len() });
        }
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_found_by_their_offsets() {
        let mut records: SinkRecords = [(3, "three", 30), (7, "", 70)].into_iter().collect();
        let write = |to: &mut Vec<u8>, written| {
            to.extend_from_slice(b"nine");
            written
        };
        assert_eq!(records.push(8, 80, |to| write(to, Ok::<_, ()>(None))), Ok(None));
        assert_eq!(records.push(8, 80, |to| write(to, Err(()))), Err(()));
        assert_eq!(records.push(9, 90, |to| write(to, Ok::<_, ()>(Some(())))), Ok(Some(())));
        let all: Vec<_> = records.iter().map(|r| (r.offset, r.value, r.appended_at)).collect();
        assert_eq!(all, [(3, &b"three"[..], 30), (7, b"", 70), (9, b"nine", 90)]);
        assert_eq!((records.len(), records.bytes()), (3, 9));
        for offset in 0..10 {
            let found = records.get(offset).map(|r| r.offset);
            assert_eq!(found, [3, 7, 9].contains(&offset).then_some(offset));
        }
        assert_eq!(format!("{records:?}"), "SinkRecords(3, 9 bytes)");
    }
}
