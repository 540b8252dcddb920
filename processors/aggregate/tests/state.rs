//! Duplicates, the limit, expiry, and the changelog.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod story;

use story::{DAY, HOUR, Outcome, apply, event, received_at};
use waybill_aggregate::{Partition, Settings};
use waybill_schemas::vocabulary::{Classifier, Milestone};
use waybill_schemas::{EnrichedEvent, Shipment};

const DEFAULT: Settings = Settings {
    retention_ms: 8 * DAY,
    unfinished_retention_ms: 60 * DAY,
    max_events_per_shipment: 4096,
};

fn gate_in(id: &str, n: u32, received: i64) -> EnrichedEvent {
    let occurred = i64::from(n) * HOUR;
    received_at(event(id, n, Classifier::Actual, Milestone::GateIn, "NLRTM", occurred), received)
}

fn delivered(id: &str, n: u32, received: i64) -> EnrichedEvent {
    let mut event = gate_in(id, n, received);
    event.event.milestone = Milestone::Delivered;
    event
}

fn changed(partition: &mut Partition) -> Vec<(String, Option<Shipment>)> {
    partition.take_changed().map(|(id, state)| (id.to_string(), state)).collect()
}

/// What changed, in short: id and how many events, none for a tombstone.
fn short(partition: &mut Partition) -> Vec<(String, Option<usize>)> {
    changed(partition).into_iter().map(|(id, s)| (id, s.map(|s| s.milestones.len()))).collect()
}

#[test]
fn defaults_are_as_documented() {
    assert_eq!(Settings::default(), DEFAULT);
}

#[test]
fn a_copy_changes_nothing_but_the_count_and_the_time() {
    let mut partition = Partition::default();
    assert!(matches!(apply(&mut partition, &DEFAULT, gate_in("s", 1, 10)), Outcome::Accepted(_)));
    let before = changed(&mut partition).pop().unwrap().1.unwrap();

    // In any form: another time, milestone and handle, under the same identity.
    let mut copy = gate_in("s", 1, 30);
    copy.event.milestone = Milestone::Delivered;
    copy.enrichment.occurred_at = 99;
    copy.enrichment.origin_country = Some("FR".into());
    assert!(matches!(apply(&mut partition, &DEFAULT, copy), Outcome::Duplicate));
    assert!(matches!(apply(&mut partition, &DEFAULT, gate_in("s", 1, 20)), Outcome::Duplicate));
    let after = changed(&mut partition).pop().unwrap().1.unwrap();
    assert_eq!(after, Shipment { duplicates: 2, last_received_at: 30, ..before });

    // The same message id for another shipment is another event.
    assert!(matches!(apply(&mut partition, &DEFAULT, gate_in("t", 1, 10)), Outcome::Accepted(_)));
    assert_eq!(partition.events(), 2);
}

#[test]
fn a_batch_writes_each_changed_shipment_once() {
    let mut partition = Partition::default();
    for (id, n) in [("b", 1), ("a", 1), ("b", 2), ("a", 2), ("a", 2)] {
        apply(&mut partition, &DEFAULT, gate_in(id, n, 1));
    }
    assert_eq!(short(&mut partition), [("a".into(), Some(2)), ("b".into(), Some(2))]);
    assert_eq!(short(&mut partition), []);
    apply(&mut partition, &DEFAULT, gate_in("b", 3, 1));
    assert_eq!(short(&mut partition), [("b".into(), Some(3))]);
}

#[test]
fn a_full_shipment_takes_no_more() {
    let settings = Settings { max_events_per_shipment: 2, ..DEFAULT };
    let mut partition = Partition::default();
    apply(&mut partition, &settings, gate_in("s", 1, 1));
    apply(&mut partition, &settings, gate_in("s", 2, 2));
    let third = apply(&mut partition, &settings, gate_in("s", 3, 7));
    assert!(matches!(third, Outcome::Rejected("shipment_full")), "{third:?}");
    assert!(matches!(apply(&mut partition, &settings, gate_in("s", 2, 3)), Outcome::Duplicate));
    assert!(matches!(apply(&mut partition, &settings, gate_in("t", 3, 3)), Outcome::Accepted(_)));
    let state = changed(&mut partition).swap_remove(0).1.unwrap();
    assert_eq!((state.revision, state.milestones.len()), (2, 2));
    assert_eq!(state.last_received_at, 7, "a rejected event keeps the state alive");

    let none = Settings { max_events_per_shipment: 0, ..DEFAULT };
    apply(&mut partition, &none, gate_in("u", 1, 1));
    assert_eq!((partition.len(), changed(&mut partition).len()), (2, 0));
}

/// A shipment's last receipt, whether it is finished, the stream time: is it still there?
#[test]
fn state_expires_by_stream_time() {
    let check = |finished: bool, last: i64, stream: i64, kept: bool| {
        let first = if finished { delivered("s", 1, 0) } else { gate_in("s", 1, 0) };
        let mut partition = Partition::default();
        apply(&mut partition, &DEFAULT, first.clone());
        // A copy counts as a receipt.
        apply(&mut partition, &DEFAULT, received_at(first.clone(), last));
        short(&mut partition);
        apply(&mut partition, &DEFAULT, gate_in("other", 1, stream));
        let mut expect = vec![("other".to_owned(), Some(1))];
        if !kept {
            expect.push(("s".to_owned(), None));
        }
        let case = format!("{finished} {last} {stream}");
        assert_eq!(short(&mut partition), expect, "{case}");
        assert_eq!(partition.len(), 1 + usize::from(kept), "{case}");
        assert_eq!(partition.events(), 1 + usize::from(kept), "{case}");
        // A copy is one as long as the state is kept.
        let again = apply(&mut partition, &DEFAULT, received_at(first, last));
        assert_eq!(matches!(again, Outcome::Duplicate), kept, "{case}: {again:?}");
    };
    check(true, 0, 8 * DAY, true);
    check(true, 0, 8 * DAY + 1, false);
    check(true, 3 * DAY, 11 * DAY, true);
    check(true, 3 * DAY, 11 * DAY + 1, false);
    check(false, 0, 8 * DAY + 1, true);
    check(false, 0, 60 * DAY, true);
    check(false, 0, 60 * DAY + 1, false);
    check(true, 0, i64::MAX, false);
}

#[test]
fn what_finishes_a_long_silent_shipment_lets_it_expire_soon() {
    let mut partition = Partition::default();
    apply(&mut partition, &DEFAULT, gate_in("s", 1, 0));
    apply(&mut partition, &DEFAULT, gate_in("other", 1, 30 * DAY));
    apply(&mut partition, &DEFAULT, delivered("s", 2, 31 * DAY));
    apply(&mut partition, &DEFAULT, gate_in("other", 2, 39 * DAY));
    assert_eq!(partition.len(), 2);
    apply(&mut partition, &DEFAULT, gate_in("other", 3, 39 * DAY + 1));
    assert_eq!(partition.len(), 1);
}

#[test]
fn a_shipment_that_expires_and_begins_anew_in_one_batch_is_written_once() {
    let mut partition = Partition::default();
    apply(&mut partition, &DEFAULT, delivered("s", 1, 0));
    apply(&mut partition, &DEFAULT, delivered("s", 1, 9 * DAY));
    assert_eq!(short(&mut partition), [("s".into(), Some(1))]);
    apply(&mut partition, &DEFAULT, delivered("s", 2, 9 * DAY));
    apply(&mut partition, &DEFAULT, gate_in("t", 1, 18 * DAY));
    apply(&mut partition, &DEFAULT, delivered("s", 3, 18 * DAY));
    assert_eq!(short(&mut partition), [("s".into(), Some(1)), ("t".into(), Some(1))]);
}

/// The changelog, replayed, is the partition.
#[test]
fn restored_is_as_it_was() {
    let mut live = Partition::default();
    let mut changelog = Vec::new();
    let mut day = 0;
    for n in 0..400_u32 {
        let id = format!("s{}", n % 23);
        let kind = if n % 7 == 0 { delivered } else { gate_in };
        day += i64::from(n % 11 == 0);
        apply(&mut live, &DEFAULT, kind(&id, n / 2, day * DAY));
        if n % 13 == 0 {
            changelog.extend(changed(&mut live));
        }
        if n == 200 {
            day += 40;
        }
    }
    changelog.extend(changed(&mut live));
    assert!(changelog.iter().any(|(_, state)| state.is_none()), "nothing expired");

    let restore = |changelog: &[(String, Option<Shipment>)]| {
        let mut partition = Partition::default();
        for (id, state) in changelog {
            partition.restore(&DEFAULT, id, state.clone());
        }
        partition
    };
    // Whole, and compacted to the last record of each key.
    let compacted: Vec<_> = changelog
        .iter()
        .enumerate()
        .filter(|(n, (id, _))| !changelog[n + 1..].iter().any(|(later, _)| later == id))
        .map(|(_, record)| record.clone())
        .collect();
    let mut restored = [restore(&changelog), restore(&compacted)];
    for other in &mut restored {
        assert_eq!((other.len(), other.events()), (live.len(), live.events()));
        assert_eq!(changed(other), [], "what is restored has not changed");
    }
    // From here on they answer alike, expiry included.
    for n in 150..500_u32 {
        let next = gate_in(&format!("s{}", n % 23), n, (day + i64::from(n) / 8) * DAY);
        let expect = format!("{:?}", apply(&mut live, &DEFAULT, next.clone()));
        for other in &mut restored {
            assert_eq!(format!("{:?}", apply(other, &DEFAULT, next.clone())), expect);
        }
        if n % 17 == 0 {
            let expect = changed(&mut live);
            for other in &mut restored {
                assert_eq!(changed(other), expect);
            }
        }
    }
}

#[test]
fn stream_time_comes_back_with_the_shipments() {
    let mut live = Partition::default();
    apply(&mut live, &DEFAULT, gate_in("b", 1, 8 * DAY));
    let mut restored = Partition::default();
    for (id, state) in changed(&mut live) {
        restored.restore(&DEFAULT, &id, state);
    }
    for partition in [&mut live, &mut restored] {
        // So late that its time has passed when it comes.
        apply(partition, &DEFAULT, delivered("c", 1, -DAY));
        apply(partition, &DEFAULT, gate_in("d", 1, 0));
        let expect = [("c".to_owned(), None), ("d".to_owned(), Some(1))];
        assert_eq!(short(partition), expect);
    }
}

#[test]
fn a_changelog_that_is_not_compacted_costs_no_memory() {
    let mut live = Partition::default();
    apply(&mut live, &DEFAULT, gate_in("s", 1, 0));
    let state = changed(&mut live).pop().unwrap().1;
    let mut restored = Partition::default();
    for _ in 0..10_000 {
        restored.restore(&DEFAULT, "s", state.clone());
    }
    assert_eq!((restored.len(), restored.events()), (1, 1));
    assert!(restored.heap_bytes() < 2_000, "{} bytes", restored.heap_bytes());
}

#[test]
fn the_largest_changelog_record_is_small_enough_for_kafka() {
    let mut partition = Partition::default();
    let places = ["NLRTM", "SGSIN", "CNSHA"];
    for n in 0..4096_u32 {
        let classifier = if n % 3 == 0 { Classifier::Planned } else { Classifier::Actual };
        let place = places[n as usize % 3];
        // Times that take the most bytes.
        let occurred = i64::MAX - i64::from(n);
        let told = event("s", n, classifier, Milestone::Departed, place, occurred);
        assert!(matches!(apply(&mut partition, &DEFAULT, told), Outcome::Accepted(_)));
    }
    let state = changed(&mut partition).pop().unwrap().1.unwrap();
    assert_eq!(state.milestones.len(), 4096);
    assert_eq!(state.legs.len(), 128 + 1, "travelled, and to come");
    let mut bytes = Vec::new();
    waybill_schemas::encode(&state, &mut bytes).unwrap();
    println!("4096 events: {} bytes", bytes.len());
    assert!(bytes.len() < 300_000, "{} bytes", bytes.len());
}
