//! A log of partitions: records, and the markers with which transactions end in each.
//!
//! What is as with Kafka: a marker takes an offset; below the last stable offset, everything is decided; a reader
//! of what is committed sees nothing beyond it, and skips what was aborted; a broker drops what it takes for a
//! copy by its sequence number, and says that all is well.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use waybill_schemas::Role;

use crate::Ms;
use crate::offsets::Offsets;
use crate::transactions::{Identity, Producers, TransactionId};

/// A partition of the log.
pub type Place = (Role, i32);

/// A record, before it stands anywhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    pub key: Vec<u8>,
    pub value: Option<Vec<u8>>,
}

/// A record where it stands.
#[derive(Clone, Debug)]
pub struct Standing {
    pub offset: i64,
    pub appended_at: Ms,
    pub record: Record,
}

#[derive(Debug)]
enum Entry {
    Record { standing: Standing, of: Option<TransactionId> },
    Marker,
}

/// A broker remembers of how many batches of a producer which numbers they had.
const BATCHES_REMEMBERED: usize = 5;

/// What a partition knows of a producer's epoch.
#[derive(Debug, Default)]
struct Sequences {
    next: i64,
    /// First number, and how many.
    last: VecDeque<(i64, usize)>,
}

/// What a broker says of a batch that it does not refuse.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Appended {
    Here,
    /// It was here before, by its numbers: it is dropped. A producer cannot tell it from the other.
    Copy,
}

/// Numbers were left out: what came before has not arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutOfOrder;

#[derive(Debug, Default)]
pub struct Partition {
    /// Where it begins: what was before is removed.
    first: i64,
    entries: Vec<Entry>,
    /// Transactions without a marker here, and where they began.
    open: BTreeMap<TransactionId, i64>,
    aborted: BTreeSet<TransactionId>,
    sequences: BTreeMap<Identity, Sequences>,
}

impl Partition {
    pub fn first(&self) -> i64 {
        self.first
    }

    /// The high watermark.
    pub fn end(&self) -> i64 {
        i64::try_from(self.entries.len()).expect("it is in memory")
    }

    /// The last stable offset.
    pub fn stable_end(&self) -> i64 {
        self.open.values().copied().min().unwrap_or(self.end())
    }

    fn push(&mut self, record: Record, of: Option<TransactionId>, now: Ms) {
        let standing = Standing { offset: self.end(), appended_at: now, record };
        self.entries.push(Entry::Record { standing, of });
    }

    pub fn append(&mut self, record: Record, now: Ms) {
        self.push(record, None, now);
    }

    /// Appends records of a transaction, which are numbered from `sequence` on.
    pub fn append_in(
        &mut self,
        of: (Identity, TransactionId),
        sequence: i64,
        records: Vec<Record>,
        now: Ms,
    ) -> Result<Appended, OutOfOrder> {
        let (identity, transaction) = of;
        let known = self.sequences.entry(identity).or_default();
        if known.last.contains(&(sequence, records.len())) {
            return Ok(Appended::Copy);
        }
        if known.next != sequence {
            return Err(OutOfOrder);
        }
        known.next += i64::try_from(records.len()).expect("it is in memory");
        known.last.push_back((sequence, records.len()));
        if known.last.len() > BATCHES_REMEMBERED {
            known.last.pop_front();
        }
        let end = self.end();
        self.open.entry(transaction).or_insert(end);
        records.into_iter().for_each(|record| self.push(record, Some(transaction), now));
        Ok(Appended::Here)
    }

    pub fn mark(&mut self, transaction: TransactionId, commits: bool) {
        let had_records = self.open.remove(&transaction).is_some();
        if had_records && !commits {
            self.aborted.insert(transaction);
        }
        self.entries.push(Entry::Marker);
    }

    /// Removes what is before `offset`.
    pub fn retain_from(&mut self, offset: i64) {
        self.first = self.first.max(offset.min(self.end()));
    }

    /// Committed records from `from` on, so many at most, and where to go on.
    pub fn committed(&self, from: i64, most: usize) -> (Vec<&Standing>, i64) {
        self.visible(from, self.stable_end(), most)
    }

    /// What a reader sees that does not care what is decided, up to the high watermark.
    pub fn uncommitted(&self, from: i64, most: usize) -> (Vec<&Standing>, i64) {
        self.visible(from, self.end(), most)
    }

    /// All that is committed, what was removed included.
    pub fn everything_committed(&self) -> (Vec<&Standing>, i64) {
        Self::among(&self.entries, &self.aborted, 0, self.stable_end(), usize::MAX)
    }

    fn visible(&self, from: i64, end: i64, most: usize) -> (Vec<&Standing>, i64) {
        assert!(from >= self.first, "reading at {from}, and the log begins at {}", self.first);
        Self::among(&self.entries, &self.aborted, from, end, most)
    }

    fn among<'e>(
        entries: &'e [Entry],
        aborted: &BTreeSet<TransactionId>,
        from: i64,
        end: i64,
        most: usize,
    ) -> (Vec<&'e Standing>, i64) {
        let (mut found, mut next) = (Vec::new(), from);
        while next < end && found.len() < most {
            let entry = &entries[usize::try_from(next).expect("it is not negative")];
            next += 1;
            if let Entry::Record { standing, of } = entry
                && of.is_none_or(|of| !aborted.contains(&of))
            {
                found.push(standing);
            }
        }
        (found, next)
    }
}

/// Partitions, what producers are doing to them, and what groups have committed.
#[derive(Debug)]
pub struct Log {
    partitions: BTreeMap<Place, Partition>,
    pub producers: Producers,
    /// By group.
    pub offsets: Vec<Offsets>,
}

impl Log {
    pub fn new(places: impl IntoIterator<Item = Place>, groups: usize) -> Self {
        Self {
            partitions: places.into_iter().map(|place| (place, Partition::default())).collect(),
            producers: Producers::default(),
            offsets: (0..groups).map(|_| Offsets::default()).collect(),
        }
    }

    pub fn at(&self, place: Place) -> &Partition {
        self.partitions.get(&place).unwrap_or_else(|| panic!("there is no {place:?}"))
    }

    pub fn at_mut(&mut self, place: Place) -> &mut Partition {
        self.partitions.get_mut(&place).unwrap_or_else(|| panic!("there is no {place:?}"))
    }

    /// How many partitions a topic has.
    pub fn count(&self, role: Role) -> i32 {
        let count = self.partitions.keys().filter(|(of, _)| *of == role).count();
        i32::try_from(count).expect("they are few")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: Identity = Identity { producer: 1, epoch: 0 };
    const A: TransactionId = TransactionId(1);
    const B: TransactionId = TransactionId(2);

    fn record(text: &str) -> Record {
        Record { key: Vec::new(), value: Some(text.as_bytes().to_vec()) }
    }

    fn texts((found, next): (Vec<&Standing>, i64)) -> (Vec<String>, i64) {
        let text = |s: &&Standing| String::from_utf8(s.record.value.clone().unwrap()).unwrap();
        (found.iter().map(text).collect(), next)
    }

    #[test]
    fn a_reader_sees_what_is_decided_and_committed() {
        let mut log = Partition::default();
        let two = Identity { producer: 2, epoch: 0 };
        log.append(record("plain"), 5);
        log.append_in((ONE, A), 0, vec![record("a1"), record("a2")], 6).unwrap();
        log.append_in((two, B), 0, vec![record("b")], 7).unwrap();
        assert_eq!((log.stable_end(), log.end()), (1, 4));
        assert_eq!(texts(log.committed(0, 9)), (vec!["plain".to_owned()], 1));
        assert_eq!(texts(log.uncommitted(0, 9)).0, ["plain", "a1", "a2", "b"]);
        // The later one is decided first, and stays unseen behind the earlier.
        log.mark(B, true);
        assert_eq!((log.stable_end(), log.end()), (1, 5));
        log.mark(A, false);
        assert_eq!(texts(log.committed(0, 9)), (vec!["plain".to_owned(), "b".to_owned()], 6));
        assert_eq!(texts(log.committed(0, 1)), (vec!["plain".to_owned()], 1));
        assert_eq!(log.committed(1, 9).0[0].offset, 3);
        assert_eq!(log.committed(0, 9).0[0].appended_at, 5);
    }

    #[test]
    fn a_transaction_without_records_in_it_marks_a_partition_all_the_same() {
        let mut log = Partition::default();
        log.mark(A, false);
        log.append(record("next"), 5);
        assert_eq!(texts(log.committed(0, 9)), (vec!["next".to_owned()], 2));
    }

    #[test]
    fn a_copy_is_dropped_by_its_numbers_alone() {
        let mut log = Partition::default();
        let mut append = |identity, sequence, text: &[&str]| {
            let records = text.iter().map(|text| record(text)).collect();
            log.append_in((identity, A), sequence, records, 5)
        };
        assert_eq!(append(ONE, 0, &["a", "b"]), Ok(Appended::Here));
        assert_eq!(append(ONE, 0, &["other", "records"]), Ok(Appended::Copy));
        // Of another length it is no copy, and what is to come next is not it.
        assert_eq!(append(ONE, 0, &["c"]), Err(OutOfOrder));
        assert_eq!(append(ONE, 3, &["d"]), Err(OutOfOrder));
        assert_eq!(append(ONE, 2, &["c"]), Ok(Appended::Here));
        // A new epoch has its own numbers.
        assert_eq!(append(Identity { epoch: 1, ..ONE }, 0, &["e"]), Ok(Appended::Here));
        for n in 3..8 {
            assert_eq!(append(ONE, n, &["more"]), Ok(Appended::Here));
        }
        assert_eq!(append(ONE, 2, &["c"]), Err(OutOfOrder), "it is remembered no more");
    }

    #[test]
    #[should_panic(expected = "reading at 1, and the log begins at 2")]
    fn what_is_removed_cannot_be_read() {
        let mut log = Partition::default();
        (0..3).for_each(|_| log.append(record("a"), 5));
        log.retain_from(2);
        log.retain_from(1);
        assert_eq!((log.first(), log.end()), (2, 3));
        assert_eq!(texts(log.committed(2, 9)), (vec!["a".to_owned()], 3));
        log.committed(1, 9);
    }
}
