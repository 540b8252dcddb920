//! Duplicates, the limit, expiry, and the changelog.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod story;

use std::collections::BTreeMap;
use std::sync::Arc;

use story::{DAY, HOUR, Log, NOW, Outcome, apply, changed, event, received_at};
use waybill_aggregate::{Changed, Partition, Restoring, Settings, key, key_of_events};
use waybill_schemas::vocabulary::{Classifier, Milestone};
use waybill_schemas::{EnrichedEvent, Shipment, ShipmentHistory};

const DEFAULT: Settings = Settings {
    retention_ms: 8 * DAY,
    unfinished_retention_ms: 60 * DAY,
    max_events_per_shipment: 4096,
    max_bytes_per_carrier: 256 << 20,
    max_bytes_of: None,
    purged: None,
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

/// What changed, in short: id and how many events, none for a tombstone.
fn short(partition: &mut Partition) -> Vec<(String, Option<usize>)> {
    changed(partition).into_iter().map(|(id, s)| (id, s.map(|s| s.revision as usize))).collect()
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
    assert_eq!((state.revision, partition.events()), (2, 3));
    assert_eq!(state.last_received_at, 7, "a rejected event keeps the state alive");

    let none = Settings { max_events_per_shipment: 0, ..DEFAULT };
    apply(&mut partition, &none, gate_in("u", 1, 1));
    assert_eq!((partition.len(), changed(&mut partition).len()), (2, 0));
}

/// 100 messages of 10,000 parcels filled aggregate's memory, and each restart filled it again.
#[test]
fn a_carrier_has_its_share_and_no_more() {
    let own = [("acme".to_owned(), 3_200)].into_iter().collect();
    let settings = Settings {
        max_bytes_per_carrier: 2_000,
        max_bytes_of: Some(std::sync::Arc::new(own)),
        ..DEFAULT
    };
    let of = |carrier: &str, id: &str, n: u32| {
        let mut event = gate_in(id, n, 0);
        std::sync::Arc::make_mut(&mut event.event.provenance).carrier_id = carrier.to_owned();
        event
    };
    let mut partition = Partition::default();
    let mut log = Log::default();
    let tell = |partition: &mut Partition, carrier: &str, id: &str, n, accepted: bool| {
        let outcome = apply(partition, &settings, of(carrier, id, n));
        assert_eq!(matches!(outcome, Outcome::Accepted(_)), accepted, "{id} {outcome:?}");
        if !accepted {
            assert!(matches!(outcome, Outcome::Rejected("quota")), "{outcome:?}");
        }
    };
    for id in ["a", "b"] {
        tell(&mut partition, "blue", id, 1, true);
    }
    tell(&mut partition, "blue", "c", 1, false);
    tell(&mut partition, "blue", "a", 2, false);
    for id in ["d", "e", "f", "g"] {
        tell(&mut partition, "acme", id, 1, true);
    }
    tell(&mut partition, "acme", "h", 1, false);
    // What was rejected takes nothing, and a copy is still known.
    assert_eq!((partition.len(), partition.events()), (6, 6));
    assert!(matches!(apply(&mut partition, &settings, of("blue", "a", 1)), Outcome::Duplicate));
    // It is the same after a restart; and when shipments have expired, there is room again.
    log.write(&mut partition);
    let mut again = log.restore(&settings, false);
    tell(&mut again, "blue", "c", 1, false);
    apply(&mut again, &settings, received_at(of("other", "late", 9), 100 * DAY));
    tell(&mut again, "blue", "c", 1, true);
}

#[test]
fn a_unit_has_so_many_open_shipments_and_no_more() {
    let mut partition = Partition::default();
    let booked = |n: u32| {
        let mut event = gate_in("acme/CSQU3054383", n, 0);
        event.event.references = vec![waybill_schemas::Reference {
            kind: waybill_schemas::vocabulary::ReferenceKind::Booking,
            value: format!("B{n}"),
        }];
        event
    };
    for n in 0..256 {
        assert!(matches!(apply(&mut partition, &DEFAULT, booked(n)), Outcome::Accepted(_)));
    }
    let outcome = apply(&mut partition, &DEFAULT, booked(256));
    assert!(matches!(outcome, Outcome::Rejected("shipment_full")), "{outcome:?}");
    // One of those that there are goes on.
    let mut known = booked(3);
    known.event.event_id = booked(999).event.event_id;
    assert!(matches!(apply(&mut partition, &DEFAULT, known), Outcome::Accepted(_)));
    assert_eq!(partition.len(), 256);
}

/// A record 61 days ahead made 1,000 of 1,000 other shipments expire.
#[test]
fn a_receipt_in_the_future_moves_no_time() {
    let mut partition = Partition::default();
    let mut log = Log::default();
    for n in 0..1_000 {
        apply(&mut partition, &DEFAULT, gate_in(&format!("s{n}"), n, NOW - HOUR));
    }
    apply(&mut partition, &DEFAULT, gate_in("ahead", 1, NOW + 61 * DAY));
    apply(&mut partition, &DEFAULT, gate_in("after", 1, NOW));
    assert_eq!(partition.len(), 1_002);
    log.write(&mut partition);
    let mut again = log.restore(&DEFAULT, false);
    apply(&mut again, &DEFAULT, gate_in("later", 1, NOW));
    assert_eq!(again.len(), 1_003);
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
    let mut whole: Vec<Changed> = Vec::new();
    let mut day = 0;
    for n in 0..700_u32 {
        let id = format!("s{}", n % 23);
        let kind = if n % 7 == 0 { delivered } else { gate_in };
        day += i64::from(n % 11 == 0);
        apply(&mut live, &DEFAULT, kind(&id, n / 2, day * DAY));
        if n % 13 == 0 {
            whole.extend(live.take_changed());
        }
        if n == 200 {
            day += 40;
        }
    }
    whole.extend(live.take_changed());
    assert!(whole.iter().any(|changed| changed.shipment.is_none()), "nothing expired");
    assert!(
        whole.iter().any(|changed| changed.records.iter().any(|(n, _)| *n > 1)),
        "none is long"
    );

    let records: Vec<_> = whole
        .iter()
        .flat_map(|c| c.records.iter().map(|(n, record)| (key(&c.shipment_id, *n), record)))
        .collect();
    let restore = |records: &mut dyn Iterator<Item = &(Vec<u8>, &Option<_>)>| {
        let mut restoring = Restoring::default();
        for (key, record) in records {
            restoring.take(key, (*record).clone()).unwrap();
        }
        restoring.finish(&DEFAULT, <[u8]>::to_vec).unwrap()
    };
    // Whole; compacted to the last record of each key; and so that another key's comes first.
    let compacted: Vec<_> = records
        .iter()
        .enumerate()
        .filter(|(n, (key, _))| !records[n + 1..].iter().any(|(later, _)| later == key))
        .map(|(_, record)| record.clone())
        .collect();
    // In between: compaction takes what it likes, the last of each key apart.
    let some: Vec<_> = records
        .iter()
        .enumerate()
        .filter(|(n, (key, _))| {
            n % 3 == 0 || !records[n + 1..].iter().any(|(later, _)| later == key)
        })
        .map(|(_, record)| record.clone())
        .collect();
    let mut restored = [
        restore(&mut records.iter()),
        restore(&mut compacted.iter()),
        restore(&mut compacted.iter().rev()),
        restore(&mut some.iter()),
    ];
    for other in &mut restored {
        assert_eq!((other.len(), other.events()), (live.len(), live.events()));
        assert_eq!(changed(other), [], "what is restored has not changed");
    }
    // From here on they answer alike, expiry included.
    for n in 250..800_u32 {
        let next = gate_in(&format!("s{}", n % 23), n, (day + i64::from(n) / 8) * DAY);
        let expect = format!("{:?}", apply(&mut live, &DEFAULT, next.clone()));
        for other in &mut restored {
            assert_eq!(format!("{:?}", apply(other, &DEFAULT, next.clone())), expect);
        }
        if n % 17 == 0 {
            let expect: Vec<Changed> = live.take_changed().collect();
            for other in &mut restored {
                assert_eq!(other.take_changed().collect::<Vec<_>>(), expect);
            }
        }
    }
}

#[test]
fn a_changelog_that_lacks_a_record_is_no_state() {
    let mut live = Partition::default();
    for n in 1..=30 {
        apply(&mut live, &DEFAULT, gate_in("s", n, i64::from(n)));
    }
    let mut log = Log::default();
    log.write(&mut live);
    assert_eq!(log.0.len(), 4);
    for missing in 0..4 {
        let mut restoring = Restoring::default();
        for (key, bytes) in log.0.iter().filter(|(k, _)| **k != key("s", missing)) {
            restoring.take(key, Some(waybill_schemas::decode(bytes).unwrap())).unwrap();
        }
        let found = restoring.finish(&DEFAULT, <[u8]>::to_vec);
        // Without its last record, which nobody can miss, it is a shorter history.
        assert_eq!(found.is_ok(), missing == 3, "{missing}: {found:?}");
    }
    // Of before, when keys told what they are of.
    let mut before = waybill_schemas::decode::<ShipmentHistory>(&log.0[&key("s", 0)]).unwrap();
    before.shipment_id.clear();
    for foreign in [&b"s"[..], b"", b"s\xff", b"s\xff\x00", b"\xfe\xff\x00\x00", b"s/\x00\x00"] {
        let taken = Restoring::default().take(foreign, Some(before.clone()));
        assert!(taken.is_err(), "{foreign:?}");
    }
}

#[test]
fn stream_time_comes_back_with_the_shipments() {
    let mut live = Partition::default();
    apply(&mut live, &DEFAULT, gate_in("b", 1, 8 * DAY));
    let mut log = Log::default();
    log.write(&mut live);
    let mut restored = log.restore(&DEFAULT, false);
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
    let record = live.take_changed().next().unwrap().records.pop().unwrap().1;
    let mut restoring = Restoring::default();
    for _ in 0..10_000 {
        restoring.take(&key("s", 0), record.clone()).unwrap();
    }
    let restored = restoring.finish(&DEFAULT, <[u8]>::to_vec).unwrap();
    assert_eq!((restored.len(), restored.events()), (1, 1));
    assert!(restored.heap_bytes() < 2_000, "{} bytes", restored.heap_bytes());
}

/// An event, or a copy of one, writes as much into a long history as into a short one.
#[test]
fn what_is_written_grows_with_the_change_and_not_with_the_history() {
    let places = ["NLRTM", "SGSIN", "CNSHA"];
    let told = |n: u32| {
        let classifier = if n.is_multiple_of(3) { Classifier::Planned } else { Classifier::Actual };
        // Times that take the most bytes.
        let occurred = i64::MAX - 5_000 + i64::from(n);
        event("s", n, classifier, Milestone::Departed, places[n as usize % 3], occurred)
    };
    let mut partition = Partition::default();
    let mut most = (0, 0);
    for n in 0..4096_u32 {
        assert!(matches!(apply(&mut partition, &DEFAULT, told(n)), Outcome::Accepted(_)));
        if n.is_multiple_of(2) {
            assert!(matches!(apply(&mut partition, &DEFAULT, told(n / 2)), Outcome::Duplicate));
        }
        let changed = partition.take_changed().next().unwrap();
        let mut bytes = Vec::new();
        waybill_schemas::encode(&changed.shipment.unwrap(), &mut bytes).unwrap();
        most.0 = most.0.max(bytes.len());
        assert_eq!(changed.records.len(), 1, "{n}");
        bytes.clear();
        waybill_schemas::encode(changed.records[0].1.as_ref().unwrap(), &mut bytes).unwrap();
        most.1 = most.1.max(bytes.len());
    }
    println!("a shipment's row: {} bytes, a record of the changelog: {}", most.0, most.1);
    assert!(most.0 < 4_000 && most.1 < 1_000, "{most:?}");

    let state = changed(&mut partition);
    assert_eq!(state, []);
    let told = apply(&mut partition, &DEFAULT, told(4_097));
    assert!(matches!(told, Outcome::Rejected("shipment_full")), "{told:?}");
    let state = changed(&mut partition).pop().unwrap().1.unwrap();
    assert_eq!((state.revision, state.legs.len()), (4096, 32 + 1), "travelled, and to come");
}

/// Those of which something was received later stay, and so do all of other carriers.
#[test]
fn the_shipments_of_a_carrier_go_when_they_are_to() {
    let mut live = Partition::default();
    let mut log = Log::default();
    let of = |carrier: &str, shipment: &str, at: i64| {
        let mut event = gate_in(shipment, 1, at);
        Arc::make_mut(&mut event.event.provenance).carrier_id = carrier.to_owned();
        event
    };
    for n in 0..5_010 {
        apply(&mut live, &DEFAULT, of("full-line", &format!("f{n}"), 0));
    }
    apply(&mut live, &DEFAULT, of("full-line", "later", 2 * DAY));
    apply(&mut live, &DEFAULT, of("other-line", "o", 0));
    log.write(&mut live);
    let received = |at: i64| of("x", "x", at).event.provenance.received_at;
    let purged = BTreeMap::from([("full-line".to_owned(), received(DAY))]);
    let settings = Settings { purged: Some(Arc::new(purged)), ..DEFAULT };
    // So many with a batch.
    for left in [12, 2, 2] {
        live.purge(&settings);
        assert_eq!(live.len(), left);
        log.write(&mut live);
        assert_eq!(log.restore(&settings, false).len(), left);
    }
    let taken: BTreeMap<_, _> = live.taken().map(|(id, taken)| (id, taken.shipments)).collect();
    assert_eq!(taken, BTreeMap::from([("full-line", 1), ("other-line", 1)]));
    apply(&mut live, &settings, of("full-line", "new", 3 * DAY));
    live.purge(&settings);
    assert_eq!(live.len(), 3, "what comes later stays");
}

#[test]
fn a_shipment_that_is_erased_is_forgotten_and_no_other() {
    let mut live = Partition::default();
    let mut log = Log::default();
    let unit = |n: u32| gate_in("acme/CSQU3054383", n, i64::from(n));
    let mut id = String::new();
    for n in 1..20 {
        if let Outcome::Accepted(accepted) = apply(&mut live, &DEFAULT, unit(n)) {
            id = accepted.event.shipment_id;
        }
    }
    assert_eq!(key_of_events(&id), "acme/CSQU3054383");
    apply(&mut live, &DEFAULT, gate_in("acme/CMAU1111118", 1, 1));
    log.write(&mut live);
    assert_eq!(live.len(), 2);

    assert!(!live.erase("other", &id), "it is another carrier's");
    assert!(!live.erase("acme", "acme/nothing"));
    assert_eq!((live.len(), changed(&mut live).len()), (2, 0));
    assert!(live.erase("acme", &id));
    assert_eq!((live.len(), live.events()), (1, 1));
    let taken: Vec<_> = live.taken().map(|(_, taken)| taken.shipments).collect();
    assert_eq!(taken, [1]);
    assert_eq!(log.write(&mut live), [(id.clone(), None)]);
    assert_eq!(log.restore(&DEFAULT, false).len(), 1);

    // A copy of its first event begins it anew; within the batch in which it is erased, too.
    assert!(matches!(apply(&mut live, &DEFAULT, unit(1)), Outcome::Accepted(_)));
    assert!(live.erase("acme", &id));
    assert!(matches!(apply(&mut live, &DEFAULT, unit(1)), Outcome::Accepted(_)));
    let written = log.write(&mut live);
    let revisions: Vec<_> = written.into_iter().map(|(_, s)| s.map(|s| s.revision)).collect();
    assert_eq!(revisions, [Some(1)]);
    let restored = log.restore(&DEFAULT, false);
    assert_eq!((restored.len(), restored.events()), (2, 2));
}

#[test]
fn events_of_a_shipment_are_found_by_its_id() {
    for (id, key) in [
        ("acme/CSQU3054383/9c1f03ab", "acme/CSQU3054383"),
        ("acme/CSQU3054383/2026-01-20.2", "acme/CSQU3054383"),
        ("a:b/CS%2FQU/9c1f03ab", "a:b/CS%2FQU"),
        ("acme/booking:WB/4471902", "acme/booking:WB/4471902"),
        ("acme/tracking_number:1Z", "acme/tracking_number:1Z"),
        ("acme/CSQU3054383", "acme/CSQU3054383"),
        ("s", "s"),
    ] {
        assert_eq!(key_of_events(id), key);
    }
}
