//! The coordinator of transactions: producers, their epochs, and what each has begun.
//!
//! A transaction ends in two phases, as with Kafka: first it is decided, and the producer hears of it; then each
//! partition that it touched gets its marker, one after the other. Until the last has it, the producer can begin
//! nothing new, and readers of a partition without it wait.

use std::collections::{BTreeMap, BTreeSet};

use crate::Ms;
use crate::log::{Appended, Log, Place, Record};
use crate::offsets::Committed;

/// The broker ends what is open for longer.
pub const TRANSACTION_TIMEOUT: Ms = 30_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Identity {
    pub producer: u32,
    pub epoch: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TransactionId(pub u64);

/// What has a marker of its own when a transaction ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Touched {
    Partition(Place),
    /// What a group has committed.
    Offsets(usize),
}

#[derive(Debug)]
struct Transaction {
    id: TransactionId,
    begun_at: Ms,
    touched: BTreeSet<Touched>,
    /// Whether it commits, once that is decided.
    decided: Option<bool>,
}

#[derive(Debug, Default)]
struct Producer {
    id: u32,
    epoch: u32,
    transaction: Option<Transaction>,
    /// How the last one of this epoch has ended, for who asks once more.
    last: Option<bool>,
}

/// Why a producer is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// Another has the name now, or the broker has ended what was open for too long.
    Fenced,
    /// What was decided before has not got all of its markers: later.
    Concurrent,
    /// It was never begun, or it has ended otherwise.
    NoSuchTransaction,
    OutOfOrder,
    /// The group knows no such member of this generation.
    NotAMember,
}

/// By transactional id.
#[derive(Debug, Default)]
pub struct Producers {
    by_name: BTreeMap<String, Producer>,
    transactions: u64,
}

impl Producers {
    /// Begins an epoch, which puts out who had the name. What that one has left open is ended first: ask again.
    pub fn init(&mut self, name: &str) -> Result<Identity, Refused> {
        if !self.by_name.contains_key(name) {
            let id = u32::try_from(self.by_name.len()).expect("they are few");
            self.by_name.insert(name.to_owned(), Producer { id, ..Producer::default() });
        }
        let producer = self.by_name.get_mut(name).expect("it was put there");
        if let Some(open) = &mut producer.transaction {
            if open.decided.is_none() {
                open.decided = Some(false);
                producer.epoch += 1;
            }
            return Err(Refused::Concurrent);
        }
        producer.epoch += 1;
        producer.last = None;
        Ok(Identity { producer: producer.id, epoch: producer.epoch })
    }

    fn of(&mut self, identity: Identity) -> Result<&mut Producer, Refused> {
        let mut all = self.by_name.values_mut();
        let producer = all.find(|p| p.id == identity.producer).expect("it was made here");
        if producer.epoch == identity.epoch { Ok(producer) } else { Err(Refused::Fenced) }
    }

    /// Takes something into the producer's transaction, which begins with the first.
    pub fn touch(&mut self, of: Identity, what: Touched, now: Ms) -> Result<(), Refused> {
        self.transactions += 1;
        let id = TransactionId(self.transactions);
        let producer = self.of(of)?;
        let transaction = producer.transaction.get_or_insert_with(|| Transaction {
            id,
            begun_at: now,
            touched: BTreeSet::new(),
            decided: None,
        });
        if transaction.decided.is_some() {
            return Err(Refused::Concurrent);
        }
        transaction.touched.insert(what);
        Ok(())
    }

    /// The transaction that is open, and has touched this.
    fn open(&mut self, of: Identity, what: Touched) -> Result<TransactionId, Refused> {
        match &self.of(of)?.transaction {
            Some(t) if t.decided.is_none() && t.touched.contains(&what) => Ok(t.id),
            _ => Err(Refused::NoSuchTransaction),
        }
    }

    /// Decides the transaction. Asked again, it says the same again.
    pub fn end(&mut self, of: Identity, commits: bool) -> Result<(), Refused> {
        let producer = self.of(of)?;
        let decided = match &mut producer.transaction {
            Some(transaction) => *transaction.decided.get_or_insert(commits),
            None => producer.last.ok_or(Refused::NoSuchTransaction)?,
        };
        if decided == commits { Ok(()) } else { Err(Refused::NoSuchTransaction) }
    }

    /// Ends what is open for too long, and puts out who has begun it.
    pub fn time_out(&mut self, now: Ms) {
        for producer in self.by_name.values_mut() {
            if let Some(open) = &mut producer.transaction
                && open.decided.is_none()
                && now - open.begun_at >= TRANSACTION_TIMEOUT
            {
                open.decided = Some(false);
                producer.epoch += 1;
            }
        }
    }

    /// What is decided and lacks its marker.
    pub fn unmarked(&self) -> Vec<(TransactionId, Touched)> {
        let all = self.by_name.values().filter_map(|p| p.transaction.as_ref());
        let decided = all.filter(|t| t.decided.is_some());
        decided.flat_map(|t| t.touched.iter().map(move |touched| (t.id, *touched))).collect()
    }

    /// Whether that is in order, the last marker ends the transaction. Returns whether it commits.
    fn marked(&mut self, id: TransactionId, touched: Touched) -> Option<bool> {
        for producer in self.by_name.values_mut() {
            let Some(transaction) = producer.transaction.as_mut().filter(|t| t.id == id) else {
                continue;
            };
            let commits = transaction.decided?;
            if !transaction.touched.remove(&touched) {
                return None;
            }
            if transaction.touched.is_empty() {
                producer.transaction = None;
                producer.last = Some(commits);
            }
            return Some(commits);
        }
        None
    }

    pub fn is_any_open(&self) -> bool {
        self.by_name.values().any(|p| p.transaction.is_some())
    }
}

impl Log {
    /// Appends records of the open transaction, which has touched the partition.
    pub fn produce(
        &mut self,
        of: Identity,
        place: Place,
        sequence: i64,
        records: Vec<Record>,
        now: Ms,
    ) -> Result<Appended, Refused> {
        let id = self.producers.open(of, Touched::Partition(place))?;
        let appended = self.at_mut(place).append_in((of, id), sequence, records, now);
        appended.map_err(|_| Refused::OutOfOrder)
    }

    /// Puts what a group is to have committed into the open transaction. `is_accepted`: by the group's coordinator.
    pub fn send_offsets(
        &mut self,
        of: Identity,
        group: usize,
        is_accepted: bool,
        offsets: Vec<(Place, Committed)>,
    ) -> Result<(), Refused> {
        let id = self.producers.open(of, Touched::Offsets(group))?;
        if !is_accepted {
            return Err(Refused::NotAMember);
        }
        self.offsets[group].append(id, offsets);
        Ok(())
    }

    /// Writes one marker.
    pub fn mark(&mut self, id: TransactionId, touched: Touched) {
        let Some(commits) = self.producers.marked(id, touched) else { return };
        match touched {
            Touched::Partition(place) => self.at_mut(place).mark(id, commits),
            Touched::Offsets(group) => self.offsets[group].mark(id, commits),
        }
    }
}

#[cfg(test)]
mod tests {
    use waybill_schemas::Role;

    use super::*;

    const PLACE: Place = (Role::Valid, 0);
    const OTHER: Place = (Role::Rejects, 0);

    fn log() -> Log {
        Log::new([PLACE, OTHER], 1)
    }

    fn record(n: u8) -> Vec<Record> {
        vec![Record { key: vec![n], value: None }]
    }

    fn write(log: &mut Log, of: Identity, place: Place, sequence: i64) -> Result<(), Refused> {
        log.producers.touch(of, Touched::Partition(place), 0)?;
        log.produce(of, place, sequence, record(1), 0).map(|_| ())
    }

    fn mark_all(log: &mut Log) {
        for (id, touched) in log.producers.unmarked() {
            log.mark(id, touched);
        }
    }

    fn seen(log: &Log, place: Place) -> usize {
        log.at(place).committed(0, 9).0.len()
    }

    #[test]
    fn what_is_decided_is_seen_where_the_marker_is() {
        let mut log = log();
        let one = log.producers.init("a").unwrap();
        write(&mut log, one, PLACE, 0).unwrap();
        write(&mut log, one, OTHER, 0).unwrap();
        assert!(log.producers.unmarked().is_empty());
        log.producers.end(one, true).unwrap();
        let unmarked = log.producers.unmarked();
        assert_eq!(unmarked.len(), 2);
        let (id, touched) = unmarked[0];
        assert_eq!(touched, Touched::Partition(PLACE));
        log.mark(id, touched);
        log.mark(id, touched);
        assert_eq!((seen(&log, PLACE), seen(&log, OTHER)), (1, 0));
        assert_eq!(log.at(PLACE).end(), 2, "a marker is written once");
        // Meanwhile nothing new begins; asked again, the answer is the same.
        assert_eq!(write(&mut log, one, PLACE, 1), Err(Refused::Concurrent));
        assert_eq!(log.producers.end(one, true), Ok(()));
        assert_eq!(log.producers.end(one, false), Err(Refused::NoSuchTransaction));
        mark_all(&mut log);
        assert_eq!(seen(&log, OTHER), 1);
        assert_eq!(log.producers.end(one, true), Ok(()));
        assert_eq!(write(&mut log, one, PLACE, 1), Ok(()));
    }

    #[test]
    fn a_name_that_is_taken_over_ends_what_was_open() {
        let mut log = log();
        let one = log.producers.init("a").unwrap();
        write(&mut log, one, PLACE, 0).unwrap();
        assert_eq!(log.producers.init("a"), Err(Refused::Concurrent));
        assert_eq!(log.producers.end(one, true), Err(Refused::Fenced));
        assert_eq!(log.producers.init("a"), Err(Refused::Concurrent));
        mark_all(&mut log);
        let two = log.producers.init("a").unwrap();
        assert_eq!((two.producer, seen(&log, PLACE)), (one.producer, 0));
        assert_eq!(write(&mut log, one, PLACE, 1), Err(Refused::Fenced));
        assert_eq!(write(&mut log, two, PLACE, 0), Ok(()));
        // Another name disturbs nobody.
        assert_ne!(log.producers.init("b").unwrap().producer, one.producer);
    }

    #[test]
    fn what_was_decided_before_a_takeover_stays_so() {
        let mut log = log();
        let one = log.producers.init("a").unwrap();
        write(&mut log, one, PLACE, 0).unwrap();
        log.producers.end(one, true).unwrap();
        assert_eq!(log.producers.init("a"), Err(Refused::Concurrent));
        mark_all(&mut log);
        assert!(log.producers.init("a").is_ok());
        assert_eq!(seen(&log, PLACE), 1);
    }

    #[test]
    fn what_nobody_ends_the_broker_ends() {
        let mut log = log();
        let one = log.producers.init("a").unwrap();
        write(&mut log, one, PLACE, 0).unwrap();
        log.producers.time_out(TRANSACTION_TIMEOUT - 1);
        assert!(log.producers.unmarked().is_empty());
        log.producers.time_out(TRANSACTION_TIMEOUT);
        assert_eq!(log.producers.end(one, true), Err(Refused::Fenced));
        assert!(log.producers.is_any_open());
        mark_all(&mut log);
        assert!(!log.producers.is_any_open());
        assert_eq!((seen(&log, PLACE), log.at(PLACE).stable_end()), (0, 2));
    }

    #[test]
    fn what_is_late_for_its_transaction_is_refused() {
        let mut log = log();
        let one = log.producers.init("a").unwrap();
        let late = |log: &mut Log| log.produce(one, PLACE, 0, record(1), 0);
        assert_eq!(late(&mut log), Err(Refused::NoSuchTransaction));
        log.producers.touch(one, Touched::Partition(OTHER), 0).unwrap();
        assert_eq!(late(&mut log), Err(Refused::NoSuchTransaction));
        log.producers.end(one, false).unwrap();
        mark_all(&mut log);
        assert_eq!(late(&mut log), Err(Refused::NoSuchTransaction));
        assert_eq!(log.at(PLACE).end(), 0);
    }

    #[test]
    fn offsets_come_with_their_transaction_and_only_from_a_member() {
        let mut log = log();
        let one = log.producers.init("a").unwrap();
        let at = |offset| vec![(PLACE, Committed { offset, metadata: String::new() })];
        log.producers.touch(one, Touched::Offsets(0), 0).unwrap();
        assert_eq!(log.send_offsets(one, 0, false, at(1)), Err(Refused::NotAMember));
        assert_eq!(log.send_offsets(one, 0, true, at(2)), Ok(()));
        log.producers.end(one, true).unwrap();
        assert_eq!(log.offsets[0].stable(PLACE), Err(crate::offsets::Unstable));
        mark_all(&mut log);
        let committed = log.offsets[0].stable(PLACE).unwrap();
        assert_eq!(committed.map(|c| c.offset), Some(2));
        assert_eq!(
            log.send_offsets(one, 0, true, at(3)),
            Err(Refused::NoSuchTransaction),
            "the transaction has ended"
        );
    }
}
