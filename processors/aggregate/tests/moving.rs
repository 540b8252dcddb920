//! Records of the changelog that lie under other keys than they would have now: of a build that wrote them
//! in clear, or made with another internal key.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod story;

use std::collections::BTreeMap;

use story::{HOUR, Outcome, apply, event, received_at};
use waybill_aggregate::{Partition, Restoring, Settings, key};
use waybill_schemas::vocabulary::{Classifier, Milestone};
use waybill_schemas::{EnrichedEvent, ShipmentHistory};

const DEFAULT: Settings = Settings {
    retention_ms: 8 * 24 * HOUR,
    unfinished_retention_ms: 60 * 24 * HOUR,
    max_events_per_shipment: 4096,
    max_bytes_per_carrier: 256 << 20,
    max_bytes_of: None,
    purged: None,
};

fn told(id: &str, n: u32) -> EnrichedEvent {
    let at = i64::from(n) * HOUR;
    received_at(event(id, n, Classifier::Actual, Milestone::GateIn, "NLRTM", at), 0)
}

type Record = (Vec<u8>, Option<ShipmentHistory>);

/// A changelog in the order in which it was written, nothing compacted.
#[derive(Default)]
struct Log(Vec<Record>);

/// What stands for keys that were made with one internal key or another.
fn made_with(name: &str) -> impl Fn(&[u8]) -> Vec<u8> {
    move |about| [name.as_bytes(), b":", about].concat()
}

impl Log {
    /// Ends a batch; the shipments that readers are told of.
    fn write(
        &mut self,
        partition: &mut Partition,
        key_of: impl Fn(&[u8]) -> Vec<u8>,
    ) -> Vec<String> {
        let mut told = Vec::new();
        for changed in partition.take_changed() {
            let id = changed.shipment_id;
            self.0.extend(changed.old_keys.iter().map(|old| (old.to_vec(), None)));
            let records = changed.records.into_iter();
            self.0.extend(records.map(|(n, record)| (key_of(&key(&id, n)), record)));
            told.extend(changed.shipment.map(|_| id.to_string()));
        }
        told
    }

    /// As builds wrote it whose keys told what a record is of.
    fn write_in_clear(&mut self, partition: &mut Partition) {
        self.write(partition, <[u8]>::to_vec);
        for (_, record) in &mut self.0 {
            if let Some(record) = record {
                (record.shipment_id, record.number) = (String::new(), 0);
            }
        }
    }

    /// What is under each key in the end.
    fn left(&self) -> BTreeMap<&[u8], &ShipmentHistory> {
        let last: BTreeMap<_, _> = self.0.iter().map(|(key, record)| (&key[..], record)).collect();
        last.into_iter().filter_map(|(key, record)| Some((key, record.as_ref()?))).collect()
    }

    /// Compaction takes what it likes: here every record before the last of its key but each `keep`th.
    fn compacted(&self, keep: usize) -> Vec<Record> {
        let is_last = |n: usize, key: &[u8]| !self.0[n + 1..].iter().any(|(later, _)| later == key);
        let all = self.0.iter().enumerate();
        let kept = all.filter(|(n, (key, _))| n % keep == 0 || is_last(*n, key));
        kept.map(|(_, record)| record.clone()).collect()
    }
}

fn restore(records: Vec<Record>, key_of: impl Fn(&[u8]) -> Vec<u8>) -> Partition {
    let mut restoring = Restoring::default();
    for (key, record) in records {
        restoring.take(&key, record).unwrap();
    }
    restoring.finish(&DEFAULT, key_of).unwrap()
}

/// Shipments of 1 to 30 events, so of 1 to 4 records.
fn with_events() -> Partition {
    let mut live = Partition::default();
    for s in 1..=30 {
        for n in 0..s {
            apply(&mut live, &DEFAULT, told(&format!("s{s}"), n));
        }
    }
    live
}

#[test]
fn what_lies_in_clear_goes_with_the_first_change_and_nothing_counts_twice() {
    let (mut live, mut log) = (with_events(), Log::default());
    log.write_in_clear(&mut live);
    let mut restored = restore(log.0.clone(), made_with("new"));
    assert_eq!((restored.len(), restored.events()), (live.len(), live.events()));
    assert_eq!(restored.moving(), 30);
    for partition in [&mut live, &mut restored] {
        assert!(matches!(apply(partition, &DEFAULT, told("s30", 3)), Outcome::Duplicate));
        assert!(matches!(apply(partition, &DEFAULT, told("s20", 99)), Outcome::Accepted(_)));
    }
    let expect: Vec<_> = live.take_changed().map(|c| (c.shipment_id, c.shipment)).collect();
    let changed: Vec<_> = restored.take_changed().collect();
    let shown = changed.iter().filter(|changed| changed.shipment.is_some());
    let shown: Vec<_> = shown.map(|c| (c.shipment_id.clone(), c.shipment.clone())).collect();
    assert_eq!(shown, expect);
    // All records of the one that has three, and not only the last, which changed.
    let of = changed.iter().find(|changed| &*changed.shipment_id == "s20").unwrap();
    assert_eq!(of.records.iter().map(|(n, _)| *n).collect::<Vec<_>>(), [0, 1, 2]);
    let old: Vec<_> = of.old_keys.iter().map(|key| key.to_vec()).collect();
    assert_eq!(old, [0, 1, 2].map(|n| key("s20", n)));
}

/// Whatever compaction has left, and whether it is read before or behind a move.
#[test]
fn each_state_is_there_once_while_records_move_and_after_it() {
    let mut log = Log::default();
    let mut live = with_events();
    log.write_in_clear(&mut live);
    let mut expected = live.events();
    for (name, n) in [("first", 100), ("second", 200)] {
        let mut partition = restore(log.0.clone(), made_with(name));
        assert_eq!((partition.moving(), partition.events()), (30, expected));
        for s in ["s1", "s8", "s9", "s30"] {
            apply(&mut partition, &DEFAULT, told(s, n));
            expected += 1;
        }
        log.write(&mut partition, made_with(name));
        for keep in [1, 2, 3, 5, usize::MAX] {
            let again = restore(log.compacted(keep), made_with(name));
            assert_eq!((again.len(), again.events()), (30, expected), "{name} {keep}");
            assert_eq!(again.moving(), 0, "{name} {keep}");
        }
        assert!(log.left().keys().all(|key| key.starts_with(name.as_bytes())), "{name}");
        // What takes away under one key is nothing to what is under another, whichever comes first.
        let mut taken_away_last = log.0.clone();
        taken_away_last.sort_by_key(|(_, record)| record.is_none());
        let again = restore(taken_away_last, made_with(name));
        assert_eq!((again.len(), again.events(), again.moving()), (30, expected, 0), "{name}");
    }
    // And back: a process that has the one before is no danger.
    let back = restore(log.0.clone(), made_with("first"));
    assert_eq!((back.moving(), back.events()), (30, expected));
}

#[test]
fn what_does_not_change_moves_a_few_at_a_time_and_readers_are_not_told() {
    let (mut live, mut log) = (Partition::default(), Log::default());
    for s in 0..1_000 {
        apply(&mut live, &DEFAULT, told(&format!("s{s}"), 1));
    }
    log.write_in_clear(&mut live);
    let mut partition = restore(log.0.clone(), made_with("new"));
    let mut left = Vec::new();
    for n in 0..4 {
        apply(&mut partition, &DEFAULT, told("s999", 10 + n));
        assert_eq!(log.write(&mut partition, made_with("new")), ["s999"]);
        left.push(partition.moving());
    }
    assert_eq!(left, [743, 487, 231, 0]);
    assert!(log.left().keys().all(|key| key.starts_with(b"new:")));
    let again = restore(log.0.clone(), made_with("new"));
    assert_eq!((again.len(), again.events(), again.moving()), (1_000, 1_004, 0));
}

#[test]
fn what_expires_in_clear_is_taken_away_in_clear() {
    let (mut live, mut log) = (with_events(), Log::default());
    log.write_in_clear(&mut live);
    let mut partition = restore(log.0.clone(), made_with("new"));
    let late = received_at(told("t", 1), 61 * 24 * HOUR);
    apply(&mut partition, &DEFAULT, late);
    assert_eq!(partition.len(), 1);
    let before = log.0.len();
    log.write(&mut partition, made_with("new"));
    let left: Vec<_> = log.left().into_keys().map(<[u8]>::to_vec).collect();
    assert_eq!(left, [made_with("new")(&key("t", 0))]);
    // Nothing is taken away that never was.
    assert_eq!(log.0.len() - before, before + 1);
}
