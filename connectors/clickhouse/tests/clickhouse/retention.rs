//! Rows that are past their time go, and nobody takes them for lost.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use waybill_clickhouse::{
    AuditData, AuditQuestion, ClickHouseSink, Config, Database, KeptSince, Retention,
};
use waybill_schemas::LedgerEntry;
use waybill_schemas::vocabulary::LedgerOutcome::{self, Passed, Rejected};
use waybill_stage::{Inserted, SinkBatch};

use crate::ledger::{count, entry};
use crate::samples::{T0, event, reject, shipment};
use crate::server::{again, ask, batch, config, execute, insert, migrated};

const DAY: Duration = Duration::from_secs(86_400);
const MONTH: Duration = Duration::from_secs(30 * 86_400);

fn keeping(database: &str, retention: Retention) -> Config {
    Config { retention, ..config(database) }
}

fn now_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis().try_into().unwrap()
}

/// `n` of [`crate::samples::provenance`] for what was received so many days ago.
fn days_ago(days: i64) -> i64 {
    (now_ms() - T0) / 1000 - days * 86_400 - 7_200
}

/// Removes now what is past its time.
fn merge(database: &str, tables: &[&str]) {
    let unfinished = format!(
        "SELECT count() FROM system.mutations WHERE database = 'test_{database}' AND NOT is_done"
    );
    let at_work = || ask(&Database::open(config(database)).unwrap(), &unfinished) != "0";
    let began = Instant::now();
    while at_work() && began.elapsed() < Duration::from_secs(20) {
        std::thread::sleep(Duration::from_millis(50));
    }
    for table in tables {
        execute(&format!("OPTIMIZE TABLE test_{database}.{table} FINAL"));
    }
}

/// What the host enters for a range that the sink has stored.
fn told(of: &SinkBatch, inserted: &Inserted) -> LedgerEntry {
    let mut counts = inserted.counts.clone();
    counts.iter_mut().for_each(|count| count.stage = "clickhouse".to_owned());
    LedgerEntry {
        partition: of.partition,
        from_offset: of.first,
        next_offset: of.last + 1,
        records: inserted.rows,
        committed_at: now_ms(),
        outputs: vec![],
        ..entry("clickhouse", of.role, 0, counts)
    }
}

#[test]
fn ttls_follow_the_configuration() {
    migrated("ttl");
    let database = |retention| Database::open(keeping("ttl", retention)).unwrap();
    // Nothing is to go, and nothing does.
    let forever = database(Retention::default());
    assert_eq!(forever.set_retention().unwrap(), Vec::<String>::new());
    forever.check_retention().unwrap();

    let some = Retention { events: Some(MONTH), reject_details: Some(DAY), ..Retention::default() };
    let some = database(some);
    let said = some.check_retention().unwrap_err().0;
    assert!(
        said.contains("test_ttl.events has TTL none, and must have toDateTime(received_at) + toIntervalSecond(2592000)")
            && said.contains("run `waybill migrate`"),
        "{said}"
    );
    let day = "toDateTime(received_at) + toIntervalSecond(86400)";
    assert_eq!(
        some.set_retention().unwrap(),
        [
            "events: toDateTime(received_at) + toIntervalSecond(2592000)".to_owned(),
            format!("rejects.handle: {day}"),
            format!("rejects.message_id: {day}"),
            format!("rejects.detail: {day}"),
        ]
    );
    some.check_retention().unwrap();
    assert_eq!(some.set_retention().unwrap(), Vec::<String>::new());
    // A column keeps what it was: comment, codec, type.
    let column = "SELECT type, comment != '', compression_codec FROM system.columns
        WHERE database = 'test_ttl' AND table = 'rejects' AND name = 'detail'";
    assert_eq!(ask(&some, column), "String\t1\tCODEC(ZSTD(1))");

    let all = Some(MONTH);
    let every = Retention {
        events: Some(2 * MONTH),
        shipments: all,
        rejects: all,
        reject_details: all,
        ledger: Some(2 * MONTH),
        rollups: all,
    };
    assert_eq!(database(every).set_retention().unwrap().len(), 11);
    database(every).check_retention().unwrap();
    let back = forever.set_retention().unwrap();
    assert_eq!(back.len(), 11);
    assert!(back.iter().all(|said| said.ends_with(": kept for ever")), "{back:?}");
    forever.check_retention().unwrap();
}

/// Half of the rows are older than a table keeps them.
#[test]
fn what_is_past_its_time_goes_and_the_audit_stays_clean() {
    let month = Retention {
        events: Some(MONTH),
        shipments: Some(MONTH),
        rejects: Some(MONTH),
        rollups: Some(MONTH),
        ..Retention::default()
    };
    migrated("expired");
    let database = Database::open(keeping("expired", month)).unwrap();
    let mut sink = ClickHouseSink::open(config("expired")).unwrap();
    let (old, new) = (days_ago(40), days_ago(1));
    let events: Vec<_> =
        (0..10).map(|n| event("acme", "s1", if n < 5 { old } else { new } + n)).collect();
    let events = batch("events", 0, &events);
    let rejects: Vec<_> =
        (0..4).map(|n| reject("acme", "expired", if n < 2 { old } else { new } + n)).collect();
    let rejects = batch("rejects", 0, &rejects);
    let stored = [insert(&mut sink, events.clone()), insert(&mut sink, rejects.clone())];
    insert(&mut sink, batch("ledger", 0, &[told(&events, &stored[0]), told(&rejects, &stored[1])]));
    let mut gone = shipment("acme", "old", 1, 0);
    gone.last_received_at = T0 + old * 1000;
    let mut long = shipment("acme", "long", 1, 0);
    long.first_received_at = T0 + old * 1000;
    long.last_received_at = T0 + new * 1000;
    insert(&mut sink, batch("shipments", 0, &[gone, long]));

    let data = |kept: KeptSince| {
        database
            .audit_data(&AuditQuestion { derived: true, kept, ..AuditQuestion::default() })
            .unwrap()
    };
    let clean = |data: &AuditData| {
        assert_eq!(data.misstored_events, []);
        assert_eq!(data.misstored_rejects, []);
        assert_eq!(data.derived.len(), 4);
        for pair in &data.derived {
            assert_eq!(pair.rows, pair.derived, "{}", pair.what);
            assert!(pair.rows > 0, "{}: nothing was compared", pair.what);
        }
    };
    clean(&data(KeptSince::default()));

    assert_eq!(database.set_retention().unwrap().len(), 6);
    let tables = [
        "events",
        "rejects",
        "shipment_states",
        "throughput_by_minute",
        "latency_by_minute",
        "rejects_by_minute",
    ];
    merge("expired", &tables);
    let counts = "SELECT count(), (SELECT count() FROM rejects), (SELECT groupArray(shipment_id) FROM shipments),
        (SELECT sum(events) FROM throughput), (SELECT sum(rejects) FROM rejects_by_minute) FROM events";
    assert_eq!(ask(&database, counts), "5\t2\t['long']\t5\t2");
    // Who does not know that they have gone finds them missing…
    let before = data(KeptSince::default());
    assert_eq!((before.misstored_events.len(), before.misstored_rejects.len()), (1, 1));
    // …and who does, does not; but a row that is not past its time.
    let kept = month.kept_since(now_ms());
    clean(&data(kept));
    execute(
        "ALTER TABLE test_expired.events DELETE WHERE kafka_offset = 7 SETTINGS mutations_sync = 1",
    );
    let lost = &data(kept).misstored_events[0];
    assert_eq!((lost.passed, lost.stored), (5, 4));
}

/// Entries are gone of which later ones are the rest: an offset, an hour of receipt.
#[test]
fn what_the_ledger_has_forgotten_is_no_finding() {
    let month = Retention { ledger: Some(MONTH), ..Retention::default() };
    migrated("forgotten_entries");
    let database = Database::open(keeping("forgotten_entries", month)).unwrap();
    let mut sink = ClickHouseSink::open(config("forgotten_entries")).unwrap();
    let day = |days: i64| T0 + days_ago(days) * 1000;
    let all = |days: i64, stage: &str, outcome: LedgerOutcome| {
        let mut of = count(("acme", 0), (stage, outcome, "", 13, 13));
        of.hour = day(days) / 3_600_000 * 3_600_000;
        vec![of]
    };
    let committed =
        |days: i64, entry: LedgerEntry| LedgerEntry { committed_at: day(days), ..entry };
    // Received 40 days ago: opened at once, and rejected by validate after a long outage.
    let entries = [
        committed(40, entry("decrypt", "sealed", 0, all(40, "decrypt", Passed))),
        committed(3, entry("validate", "opened", 0, all(40, "validate", Rejected))),
        committed(3, entry("decrypt", "sealed", 20, all(3, "decrypt", Passed))),
        committed(2, entry("validate", "opened", 20, all(3, "validate", Rejected))),
    ];
    insert(&mut sink, batch("ledger", 0, &entries));
    database.set_retention().unwrap();
    merge("forgotten_entries", &["ledger"]);
    assert_eq!(ask(&database, "SELECT count() FROM ledger"), "3");

    let hours = |since_ms: i64| {
        let data =
            database.audit_data(&AuditQuestion { since_ms, ..AuditQuestion::default() }).unwrap();
        assert_eq!((data.gaps, data.unbalanced), (vec![], vec![]));
        data.unaccounted.iter().map(|hour| hour.in_flight).collect::<Vec<_>>()
    };
    assert_eq!(hours(0), [-13], "more was rejected than was opened");
    assert_eq!(hours(month.kept_since(now_ms()).ledger), [] as [i64; 0]);
}

/// Rows of a range in doubt that are past their time are not put back in place, again and again.
#[test]
fn the_sink_does_not_put_back_what_is_past_its_time() {
    let month = Retention { events: Some(MONTH), ..Retention::default() };
    let database = migrated("put_back");
    let mut sink = ClickHouseSink::open(keeping("put_back", month)).unwrap();
    sink.database().set_retention().unwrap();
    let (old, new) = (days_ago(40), days_ago(1));
    let events: Vec<_> =
        (0..10).map(|n| event("acme", "s1", if n < 5 { old } else { new } + n)).collect();
    insert(&mut sink, batch("events", 0, &events));
    merge("put_back", &["events"]);
    // One that is lost beside them is put back, and they are not.
    execute(
        "ALTER TABLE test_put_back.events DELETE WHERE kafka_offset = 7 SETTINGS mutations_sync = 1",
    );
    execute("SYSTEM STOP TTL MERGES test_put_back.events");
    insert(&mut sink, again(batch("events", 0, &events)));
    let offsets = "SELECT arraySort(groupArray(kafka_offset)) FROM events";
    assert_eq!(ask(&database, offsets), "[5,6,7,8,9]");
}

#[test]
fn of_a_reject_only_what_says_whose_it_was_goes() {
    let day = Retention { reject_details: Some(2 * DAY), ..Retention::default() };
    migrated("details");
    let database = Database::open(keeping("details", day)).unwrap();
    let mut sink = ClickHouseSink::open(keeping("details", day)).unwrap();
    let rejects = [reject("acme", "expired", days_ago(3)), reject("acme", "expired", days_ago(1))];
    insert(&mut sink, batch("rejects", 0, &rejects));
    database.set_retention().unwrap();
    merge("details", &["rejects"]);
    let rows = "SELECT kafka_offset, code, carrier_id, handle != '', message_id != '', detail != ''
        FROM rejects ORDER BY kafka_offset";
    assert_eq!(ask(&database, rows), "0\texpired\tacme\t0\t0\t0\n1\texpired\tacme\t1\t1\t1");
}
