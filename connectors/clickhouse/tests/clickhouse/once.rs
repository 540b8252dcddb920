//! Exactly once: whatever was done of a range before, it is in the store once when it is done again,
//! in its table and in everything that is made from the table.

use std::time::{Duration, Instant};

use waybill_clickhouse::Database;
use waybill_stage::SinkBatch;

use crate::ledger::entry;
use crate::samples::{DAY, T0, event, reject, shipment};
use crate::server::{again, ask, batch, execute, insert, insert_all, sink, try_insert};

fn ten() -> SinkBatch {
    let events: Vec<_> = (0..10).map(|n| event("acme", "s1", n)).collect();
    batch("events", 100, &events)
}

/// Rows of `events`, different ones of them, and what two rollups count.
fn stored(database: &Database) -> String {
    ask(
        database,
        "SELECT count(), uniqExact(kafka_offset), (SELECT sum(events) FROM throughput),
            (SELECT sum(events) FROM latency WHERE stage = 'total')
        FROM events",
    )
}

fn rows_are_lost(database: &str, filter: &str) {
    execute(&format!(
        "ALTER TABLE test_{database}.events DELETE WHERE {filter} SETTINGS mutations_sync = 1"
    ));
}

fn rows_are_old(database: &str) {
    execute(&format!(
        "ALTER TABLE test_{database}.events UPDATE inserted_at = inserted_at - 3600 WHERE 1
        SETTINGS mutations_sync = 1"
    ));
}

#[test]
fn a_range_that_went_in_wholly_is_in_once() {
    let (mut sink, database) = sink("wholly");
    let batches = [
        ten(),
        batch("shipments", 0, &[shipment("acme", "s1", 1, 0), shipment("acme", "s2", 1, 0)]),
        batch("rejects", 0, &[reject("acme", "expired", 0), reject("acme", "expired", 0)]),
        batch("ledger", 0, &[entry("decrypt", "sealed", 0, vec![])]),
    ];
    insert_all(&mut sink, &batches);
    for _ in 0..2 {
        let inserted = insert_all(&mut sink, &batches.clone().map(again));
        assert_eq!(inserted.iter().map(|i| i.rows).collect::<Vec<_>>(), [10, 2, 2, 1]);
        assert_eq!(stored(&database), "10\t10\t10\t10");
        let rejects = "SELECT count(), (SELECT sum(rejects) FROM rejects_by_minute) FROM rejects";
        assert_eq!(ask(&database, rejects), "2\t2");
        assert_eq!(ask(&database, "SELECT count() FROM ledger"), "1");
        assert_eq!(ask(&database, "SELECT count() FROM shipments"), "2");
        assert_eq!(ask(&database, "SELECT count() FROM shipment_states"), "2");
    }
}

#[test]
fn a_range_that_never_went_in_goes_in() {
    let (mut sink, database) = sink("never");
    insert(&mut sink, again(ten()));
    assert_eq!(stored(&database), "10\t10\t10\t10");
}

/// Killed between token and part: the token says that the rows are there.
#[test]
fn rows_that_were_lost_under_their_token_are_put_in_place() {
    for (name, lost, left) in
        [("lost_all", "1", "0"), ("lost_some", "kafka_offset IN (100, 105)", "8")]
    {
        let (mut sink, database) = sink(name);
        insert(&mut sink, ten());
        rows_are_lost(name, lost);
        // What this rests on: the token alone does not bring them back.
        insert(&mut sink, ten());
        assert_eq!(ask(&database, "SELECT count() FROM events"), left);
        for _ in 0..2 {
            insert(&mut sink, again(ten()));
            assert_eq!(stored(&database), "10\t10\t10\t10");
        }
        let names = ask(
            &database,
            "SELECT name FROM system.tables WHERE database = concat(currentDatabase(), '_scratch')",
        );
        assert_eq!(names, "", "a table is left over");
    }
}

#[test]
fn lost_rows_of_several_months_are_put_in_place() {
    let (mut sink, database) = sink("months");
    let months =
        batch("events", 100, &[0, 40, 80].map(|days| event("acme", "s1", days * DAY / 1000)));
    insert(&mut sink, months.clone());
    rows_are_lost("months", "kafka_offset != 101");
    insert(&mut sink, again(months));
    assert_eq!(stored(&database), "3\t3\t3\t3");
}

/// The last state of a shipment is not followed by another that would show it.
#[test]
fn shipments_that_were_lost_under_their_token_are_put_in_place() {
    let (mut sink, database) = sink("lost_states");
    let states = [shipment("acme", "s1", 1, 0), shipment("acme", "s2", 1, 0)];
    insert(&mut sink, batch("shipments", 0, &states));
    execute(
        "ALTER TABLE test_lost_states.shipment_states DELETE WHERE shipment_id = 's2' SETTINGS mutations_sync = 1",
    );
    for _ in 0..2 {
        insert(&mut sink, again(batch("shipments", 0, &states)));
        let counts = "SELECT count(), (SELECT count() FROM shipment_states) FROM shipments";
        assert_eq!(ask(&database, counts), "2\t2");
    }
    // Copies do no harm.
    execute(
        "INSERT INTO test_lost_states.shipment_states SELECT * FROM test_lost_states.shipment_states",
    );
    insert(&mut sink, again(batch("shipments", 0, &states)));
    assert_eq!(ask(&database, "SELECT count() FROM shipments"), "2");
}

/// What a crash leaves in the middle of putting rows in place.
#[test]
fn putting_rows_in_place_can_be_cut_off() {
    let (mut sink, database) = sink("cut_off");
    insert(&mut sink, ten());
    rows_are_lost("cut_off", "1");
    let scratch = "test_cut_off_scratch.events_lost_";
    let hash =
        ask(&database, "SELECT lower(hex(substring(SHA256('waybill.events:3:100-109'), 1, 8)))");
    execute(&format!("CREATE TABLE {scratch}{hash} AS test_cut_off.events"));
    execute(&format!(
        "INSERT INTO {scratch}{hash} (carrier_id, received_at) SELECT 'x', toDateTime('2026-11-24 00:00:00') FROM numbers(3)"
    ));
    insert(&mut sink, again(ten()));
    assert_eq!(stored(&database), "10\t10\t10\t10");
    assert_eq!(
        ask(&database, "SELECT count() FROM system.tables WHERE database = 'test_cut_off_scratch'"),
        "0"
    );
}

/// "The rows are there" says nothing of the rollups.
#[test]
fn a_rollup_that_lacks_a_range_is_completed() {
    let (mut sink, database) = sink("lacking");
    insert(&mut sink, ten());
    // With the part, its token is gone: as if the insert had come no further than `events`.
    let part = ask(
        &database,
        "SELECT name FROM system.parts WHERE database = currentDatabase() AND table = 'throughput_by_minute' AND active",
    );
    execute(&format!("ALTER TABLE test_lacking.throughput_by_minute DROP PART '{part}'"));
    assert_eq!(stored(&database), "10\t10\t0\t10");
    // However long ago, as long as few inserts came in between.
    rows_are_old("lacking");
    insert(&mut sink, again(ten()));
    assert_eq!(stored(&database), "10\t10\t10\t10");
}

/// Old rows after which as many inserts have come as the window holds: not twice.
#[test]
fn a_range_whose_token_is_forgotten_is_not_inserted_again() {
    let (mut sink, database) = sink("forgotten");
    for table in ["events", "throughput_by_minute", "latency_by_minute"] {
        execute(&format!(
            "ALTER TABLE test_forgotten.{table} MODIFY SETTING non_replicated_deduplication_window = 3"
        ));
    }
    insert(&mut sink, ten());
    for n in 0..5 {
        insert(&mut sink, batch("events", 200 + n, &[event("acme", "s1", n)]));
    }
    assert_eq!(stored(&database), "15\t15\t15\t15");
    rows_are_old("forgotten");
    insert(&mut sink, again(ten()));
    assert_eq!(stored(&database), "15\t15\t15\t15");
    // Rows that are missing are still put in place, if they are no rows that are refused.
    rows_are_lost("forgotten", "kafka_offset IN (101, 102)");
    execute("ALTER TABLE test_forgotten.events ADD CONSTRAINT odd CHECK kafka_offset != 102");
    let inserted = insert(&mut sink, again(ten()));
    assert_eq!((inserted.rows, inserted.rejects.len()), (9, 1));
    assert_eq!(stored(&database), "14\t14\t15\t15");
}

/// An insert that is still at work has not lost what it has not written yet.
#[test]
fn rows_are_not_put_in_place_beside_an_attempt_that_still_runs() {
    let (mut sink, database) = sink("still_runs");
    insert(&mut sink, ten());
    rows_are_lost("still_runs", "1");
    let running = std::thread::spawn(|| {
        execute("SELECT sleep(2) SETTINGS log_comment = 'waybill.events:3:100-109'");
    });
    std::thread::sleep(Duration::from_millis(300));
    let started = Instant::now();
    insert(&mut sink, again(ten()));
    assert!(started.elapsed() > Duration::from_secs(1), "{:?}", started.elapsed());
    running.join().unwrap();
    assert_eq!(stored(&database), "10\t10\t10\t10");
}

#[test]
fn more_rows_than_the_range_has_are_a_fault() {
    let (mut sink, database) = sink("surplus");
    insert(&mut sink, ten());
    execute("INSERT INTO test_surplus.events SELECT * FROM test_surplus.events LIMIT 2");
    let fault = try_insert(&mut sink, &[again(ten())]).unwrap_err();
    assert!(fault.0.contains("2 rows more than the 10"), "{fault}");
    assert!(fault.0.contains("topic waybill.events, partition 3, offsets 100 to 109"), "{fault}");
    // Rows of the same offsets that the topic of another life had do not count.
    execute("TRUNCATE TABLE test_surplus.events");
    let old: Vec<_> = (0..10).map(|n| event("acme", "s1", n - 40 * DAY / 1000)).collect();
    insert(&mut sink, SinkBatch { token: "other".to_owned(), ..batch("events", 100, &old) });
    insert(&mut sink, again(ten()));
    assert_eq!(ask(&database, "SELECT count() FROM events WHERE received_at > '2026-11-01'"), "10");
}

/// As many records as the host puts in a batch, and as many as a block may have: one token.
#[test]
fn a_batch_is_one_block() {
    let (mut sink, database) = sink("one_block");
    execute("SYSTEM STOP MERGES test_one_block.throughput_by_minute");
    let mut many = batch("rejects", 0, &[reject("acme", "expired", 0)]);
    let value = many.records.get(0).unwrap().value.to_vec();
    many.records = (0..20_000).map(|offset| (offset, &value, T0)).collect();
    many.last = 19_999;
    let started = Instant::now();
    insert(&mut sink, many.clone());
    let first = started.elapsed();
    let started = Instant::now();
    insert(&mut sink, again(many));
    println!(
        "20 000 rows: inserted in {first:?}, inserted again and counted in {:?}",
        started.elapsed()
    );
    let blocks = "SELECT count(), max(rows) FROM system.parts
        WHERE database = currentDatabase() AND table = 'rejects' AND active";
    assert_eq!(ask(&database, blocks), "1\t20000");
    assert_eq!(ask(&database, "SELECT sum(rejects) FROM rejects_by_minute"), "20000");

    let mut wide = batch("events", 0, &[event("acme", "s1", 0)]);
    wide.records = (0..1_000_001).map(|offset| (offset, [], T0)).collect();
    let fault = try_insert(&mut sink, &[wide]).unwrap_err();
    assert!(fault.0.contains("1000001 records are more than go into one block"), "{fault}");
}

/// The batches of a call are of different partitions: none is taken for another.
#[test]
fn each_partition_has_its_own_rows() {
    let (mut sink, database) = sink("partitions");
    let of = |partition: i32| SinkBatch {
        partition,
        token: format!("waybill.events:{partition}:100-109"),
        ..ten()
    };
    insert_all(&mut sink, &[of(0), of(1)]);
    rows_are_lost("partitions", "kafka_partition = 1");
    insert_all(&mut sink, &[again(of(0)), again(of(1))]);
    let counts = "SELECT kafka_partition, count() FROM events GROUP BY ALL ORDER BY ALL";
    assert_eq!(ask(&database, counts), "0\t10\n1\t10");
    assert_eq!(ask(&database, "SELECT sum(events) FROM throughput"), "20");
}

/// Any error leaves a doubt: the next attempt counts too.
#[test]
fn what_an_attempt_left_behind_is_looked_at_in_the_same_call() {
    let (mut sink, database) = sink("same_call");
    insert(&mut sink, ten());
    rows_are_lost("same_call", "1");
    execute("SYSTEM STOP MERGES test_same_call.events");
    insert(&mut sink, batch("events", 1, &[event("acme", "s1", 1)]));
    let limit = |n: u32| {
        execute(&format!(
            "ALTER TABLE test_same_call.events MODIFY SETTING parts_to_throw_insert = {n}, parts_to_delay_insert = {n}"
        ));
    };
    limit(1);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            std::thread::sleep(Duration::from_millis(600));
            limit(1000);
        });
        insert(&mut sink, ten());
    });
    assert_eq!(stored(&database), "11\t11\t11\t11");
}

/// What a view is known by must be the same when the server loads it anew, as a restart does.
#[test]
fn a_server_that_starts_anew_knows_a_range_in_the_rollups_too() {
    let (mut sink, database) = sink("anew");
    insert(&mut sink, ten());
    let views = "SELECT name FROM system.tables
        WHERE database = 'test_anew' AND engine = 'MaterializedView'";
    for view in ask(&database, views).lines() {
        execute(&format!("DETACH TABLE test_anew.{view} SYNC"));
        execute(&format!("ATTACH TABLE test_anew.{view}"));
    }
    insert(&mut sink, again(ten()));
    assert_eq!(stored(&database), "10\t10\t10\t10");
}
