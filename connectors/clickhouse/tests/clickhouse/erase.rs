//! What is erased goes from tables and rollups, and nothing else does.

use std::time::Duration;

use waybill_clickhouse::{
    AuditQuestion, Database, ErasedRows, ErasureRow, Gone, Named, Rollup, RowPlace,
};
use waybill_schemas::vocabulary::LedgerOutcome;
use waybill_schemas::{Erasure, LedgerEntry, RejectRecord, Shipment};

use crate::ledger::{count, entry};
use crate::samples::{T0, event, reject, shipment};
use crate::server::{ask, batch, encoded, insert, insert_all, sink};

const LIMIT: Duration = Duration::from_secs(60);

fn place(offset: i64) -> RowPlace {
    RowPlace { topic_id: "id".to_owned(), partition: 3, offset }
}

fn erasure(database: &Database, carrier: &str) -> ErasureRow {
    ErasureRow {
        id: database.new_erasure().unwrap(),
        carrier_id: carrier.to_owned(),
        reason: "request 'x'".to_owned(),
        shipments: 1,
        asked_at: T0,
    }
}

fn gone(shipment: &str, events: i64, shipments: i64) -> Gone {
    Gone { shipment_id: shipment.to_owned(), events: place(events), shipments: place(shipments) }
}

fn remake(database: &Database, id: &str) {
    for rollup in Rollup::ALL {
        database.clear_rollup(id, rollup, LIMIT).unwrap();
        database.fill_rollup(id, rollup, LIMIT).unwrap();
        assert_eq!(database.unlike_rollup(id, rollup).unwrap(), 0, "{rollup:?}");
    }
}

/// Sums of the three rollups.
fn sums(database: &Database) -> String {
    ask(
        database,
        "SELECT (SELECT sum(events) FROM throughput_by_minute), (SELECT sum(events) FROM latency_by_minute),
            (SELECT sum(rejects) FROM rejects_by_minute)",
    )
}

#[test]
fn what_tells_of_an_erasure_is_no_row() {
    let (mut sink, database) = sink("erase_marks");
    let mark = Erasure {
        erasure_id: "e".into(),
        carrier_id: "acme".into(),
        shipment_id: "s".into(),
        asked_at: T0,
    };
    for (mut batch, table) in [
        (batch("events", 0, &[event("acme", "s", 1)]), "events"),
        (batch("shipments", 0, &[shipment("acme", "s", 1, 0)]), "shipment_states"),
    ] {
        batch.last = 2;
        batch.records.extend([(1, encoded(&mark), T0), (2, encoded(&mark), T0)]);
        let inserted = insert(&mut sink, batch);
        assert!(inserted.rejects.is_empty(), "{:?}", inserted.rejects);
        let counts: Vec<_> = inserted.counts.iter().map(|c| (c.outcome, c.records)).collect();
        assert_eq!(counts, [(LedgerOutcome::Passed, 1), (LedgerOutcome::Erased, 2)]);
        assert_eq!(ask(&database, &format!("SELECT count() FROM {table}")), "1");
    }
}

#[test]
fn rows_of_before_go_and_rows_of_behind_stay() {
    let (mut sink, database) = sink("erase_rows");
    // The same handle may be of several shipments: then a reject under it may be of another.
    let mut shared = event("acme", "other", 2);
    shared.event.provenance = event("acme", "s", 2).event.provenance.clone();
    let events = [
        event("acme", "s", 1),
        event("acme", "s", 2),
        shared,
        event("acme", "other", 4),
        event("zeta", "s", 5),
        // Of another history, behind the mark.
        event("acme", "s", 6),
    ];
    let states = [shipment("acme", "s", 1, 0), shipment("acme", "other", 1, 0)];
    let again = [shipment("acme", "s", 2, 0)];
    let of = |carrier: &str, n: i64| reject(carrier, "invalid_time", n);
    let open = RejectRecord { position: 7, ..of("acme", 1) };
    let rejects = [of("acme", 1), of("acme", 2), of("acme", 4), of("zeta", 1), open];
    insert_all(
        &mut sink,
        &[
            batch("events", 0, &events),
            batch("shipments", 0, &states),
            batch("rejects", 0, &rejects),
        ],
    );
    // A state that is not merged with the one before it yet, and one of behind.
    insert(&mut sink, batch("shipments", 2, &again));
    let first = shipment("acme", "s", 3, 0);
    let behind = Shipment { first_received_at: first.first_received_at + 1, ..first };
    insert(&mut sink, batch("shipments", 9, &[behind]));
    assert_eq!(sums(&database), "6\t42\t5");

    let named = |carrier: &str, named: Named| {
        let found = database.erasable(carrier, &named).unwrap();
        found.into_iter().map(|of| (of.shipment_id, of.events)).collect::<Vec<_>>()
    };
    assert_eq!(named("acme", Named::Shipment("s".into())), [("s".to_owned(), 3)]);
    assert_eq!(named("nobody", Named::Shipment("s".into())), []);
    assert_eq!(named("acme", Named::Reference("' OR 1".into())), []);

    let erasure = erasure(&database, "acme");
    let open = [place(4)];
    database.begin_erasure(&erasure, &[gone("s", 5, 3)], &open).unwrap();
    assert_eq!(database.unfinished_erasures().unwrap(), std::slice::from_ref(&erasure));
    // As if it had been broken off at each step.
    for _ in 0..2 {
        database.erase_rows(&erasure.id, LIMIT).unwrap();
        remake(&database, &erasure.id);
    }
    let rows = |table: &str, rows: u64| ErasedRows { table: table.to_owned(), rows };
    let erased = database.erased_rows(&erasure.id).unwrap();
    let states = erased.iter().find(|of| of.table == "shipment_states").unwrap().rows;
    assert!((1..=2).contains(&states), "one may have been merged away");
    assert_eq!(erased, [rows("events", 2), rows("rejects", 1), rows("shipment_states", states)]);
    database.finish_erasure(&erasure, T0 + 1).unwrap();
    assert_eq!(database.unfinished_erasures().unwrap(), []);

    let check = |sql: &str, expect: &str| assert_eq!(ask(&database, sql), expect, "{sql}");
    check(
        "SELECT groupArray((carrier_id, shipment_id, kafka_offset)) FROM
            (SELECT * FROM events ORDER BY kafka_offset)",
        "[('acme','other',2),('acme','other',3),('zeta','s',4),('acme','s',5)]",
    );
    check(
        "SELECT groupArray((shipment_id, kafka_offset)) FROM (SELECT * FROM shipment_states ORDER BY kafka_offset)",
        "[('other',1),('s',9)]",
    );
    check(
        "SELECT groupArray(kafka_offset) FROM (SELECT * FROM rejects ORDER BY kafka_offset)",
        "[1,2,3,4]",
    );
    assert_eq!(sums(&database), "4\t28\t4");
    check("SELECT count() FROM erasures FINAL WHERE reason = 'request \\'x\\''", "1");
}

/// Rows of before 30 November 2026 do not say of which topic of that name they are.
#[test]
fn a_row_at_the_same_place_of_a_topic_of_before_stays() {
    let (mut sink, database) = sink("erase_before");
    for (name, n) in [("s", 1), ("other", 1 + 60)] {
        let mut batch = batch("events", 0, &[event("acme", name, n)]);
        batch.topic_id = String::new();
        batch.token = format!("of {name}");
        insert(&mut sink, batch);
    }
    let erasure = erasure(&database, "acme");
    database.begin_erasure(&erasure, &[gone("s", 9, 9)], &[]).unwrap();
    database.erase_rows(&erasure.id, LIMIT).unwrap();
    assert_eq!(ask(&database, "SELECT shipment_id FROM events"), "other");
}

/// While an erasure makes a rollup anew, the sink goes on: that is found, whichever way it went wrong.
#[test]
fn a_rollup_that_is_not_what_the_rows_make_is_found() {
    let (mut sink, database) = sink("erase_compare");
    let events = [event("acme", "s", 1), event("acme", "other", 2)];
    insert(&mut sink, batch("events", 0, &events));
    let erasure = erasure(&database, "acme");
    database.begin_erasure(&erasure, &[gone("s", 9, 9)], &[]).unwrap();
    database.erase_rows(&erasure.id, LIMIT).unwrap();
    let id = erasure.id.as_str();
    for rollup in [Rollup::ALL[0], Rollup::ALL[1]] {
        assert_ne!(database.unlike_rollup(id, rollup).unwrap(), 0, "not made anew");
        database.clear_rollup(id, rollup, LIMIT).unwrap();
        assert_ne!(database.unlike_rollup(id, rollup).unwrap(), 0, "emptied");
        // The rows are in what the view has added, and in what is made anew.
        let offset = 10 + i64::from(rollup.table == "latency_by_minute");
        let one = [event("acme", "third", 3 + offset)];
        insert(&mut sink, batch("events", offset, &one));
        database.fill_rollup(id, rollup, LIMIT).unwrap();
        assert_ne!(database.unlike_rollup(id, rollup).unwrap(), 0, "counted twice");
    }
    remake(&database, id);
    assert_eq!(ask(&database, "SELECT sum(events) FROM throughput_by_minute"), "3");
}

/// Before, while and after: what the ledger has stored, less what was erased, is there.
#[test]
fn the_books_add_up_at_each_step() {
    let (mut sink, database) = sink("erase_books");
    let events = [event("acme", "s", 1), event("acme", "other", 2), event("acme", "s", 3)];
    insert(&mut sink, batch("events", 0, &events));
    insert(&mut sink, batch("rejects", 0, &[reject("acme", "invalid_time", 1)]));
    let stored = |topic: &str, n: u64| LedgerEntry {
        partition: 3,
        next_offset: 20,
        ..entry(
            "clickhouse",
            topic,
            0,
            vec![count(("acme", 0), ("clickhouse", LedgerOutcome::Passed, "", n, n))],
        )
    };
    insert(&mut sink, batch("ledger", 0, &[stored("events", 3), stored("rejects", 1)]));
    let question = AuditQuestion { derived: true, ..AuditQuestion::default() };
    let check = |step: &str| {
        let data = database.audit_data(&question).unwrap();
        assert_eq!(data.misstored_events, [], "{step}");
        assert_eq!(data.misstored_rejects, [], "{step}");
        data
    };
    check("before");
    let erasure = erasure(&database, "acme");
    database.begin_erasure(&erasure, &[gone("s", 9, 9)], &[]).unwrap();
    assert_eq!(check("listed").unfinished_erasures, std::slice::from_ref(&erasure.id));
    database.erase_rows(&erasure.id, LIMIT).unwrap();
    check("removed");
    remake(&database, &erasure.id);
    database.finish_erasure(&erasure, T0).unwrap();
    let data = check("done");
    assert!(data.derived.iter().all(|d| d.rows == d.derived), "{:?}", data.derived);
    assert_eq!(data.unfinished_erasures, Vec::<String>::new());
    let erased: Vec<_> = data.erased.iter().map(|e| (e.table.as_str(), e.rows)).collect();
    assert_eq!(erased, [("events", 2), ("rejects", 1)]);
    // What nobody has erased is missed as before.
    let client = "DELETE FROM test_erase_books.events WHERE shipment_id = 'other'";
    crate::server::execute(client);
    let missed = database.audit_data(&question).unwrap().misstored_events;
    assert_eq!(missed.len(), 1, "{missed:?}");
    assert_eq!((missed[0].passed, missed[0].stored), (3, 2));
}
