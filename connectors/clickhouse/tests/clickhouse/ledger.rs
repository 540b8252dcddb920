use waybill_clickhouse::Database;
use waybill_schemas::vocabulary::LedgerOutcome::{self, *};
use waybill_schemas::{LedgerCount, LedgerEntry, LedgerKey, LedgerOutput};

use crate::samples::{HOUR, MINUTE, T0};
use crate::server::{ask, batch, insert, outcome, sink};

/// Of the carrier and hour; stage, outcome, code, records, parts.
pub fn count(
    (carrier, hour): (&str, i64),
    (stage, outcome, code, records, parts): (&str, LedgerOutcome, &str, u64, u64),
) -> LedgerCount {
    LedgerCount {
        stage: stage.to_owned(),
        carrier_id: carrier.to_owned(),
        hour: T0 + hour * HOUR,
        outcome,
        code: code.to_owned(),
        records,
        parts,
    }
}

pub fn entry(stages: &str, topic: &str, from: i64, counts: Vec<LedgerCount>) -> LedgerEntry {
    LedgerEntry {
        stages: stages.to_owned(),
        topic: topic.to_owned(),
        topic_id: "id".into(),
        partition: 2,
        from_offset: from,
        next_offset: from + 20,
        records: 13,
        committed_at: T0 + MINUTE,
        counts,
        outputs: vec![LedgerOutput { topic: "valid".to_owned(), records: 7 }],
        keys: vec![LedgerKey { kid: "k-1".to_owned(), carrier_id: "acme".to_owned(), records: 9 }],
    }
}

#[test]
fn every_field_of_an_entry_arrives() {
    let (mut sink, database) = sink("entry");
    let counts = vec![
        count(("acme", 0), ("decrypt", Passed, "", 9, 9)),
        count(("", 1), ("decrypt", Rejected, "malformed", 4, 5)),
    ];
    let mut odd = entry(
        "decrypt,validate",
        "sealed",
        60,
        vec![count(("", 0), ("decrypt", Passed, "", 1, 1))],
    );
    odd.counts[0].hour = i64::MAX;
    insert(&mut sink, batch("ledger", 7, &[entry("decrypt,validate", "sealed", 40, counts), odd]));
    let check = |columns: &str, expect: &str| {
        let sql = format!("SELECT {columns} FROM ledger WHERE kafka_offset = 7");
        assert_eq!(ask(&database, &sql), expect);
    };
    check(
        "stages, topic, partition, from_offset, next_offset, records, committed_at",
        "decrypt,validate\tsealed\t2\t40\t60\t13\t2026-11-24 08:01:00.000",
    );
    check(
        "counts.stage, counts.carrier_id, counts.hour, counts.outcome, counts.code, counts.records, counts.parts",
        "['decrypt','decrypt']\t['acme','']\t['2026-11-24 08:00:00','2026-11-24 09:00:00']\t['passed','rejected']\t['','malformed']\t[9,4]\t[9,5]",
    );
    check("outputs.topic, outputs.records, kafka_partition", "['valid']\t[7]\t3");
    check("keys.kid, keys.carrier_id, keys.records", "['k-1']\t['acme']\t[9]");
    let used = database.key_use(T0 + MINUTE).unwrap();
    let used: Vec<_> =
        used.iter().map(|u| (&*u.kid, &*u.carrier_id, u.records, &*u.last)).collect();
    assert_eq!(used, [("k-1", "acme", 18, "2026-11-24T08:01:00Z")]);
    assert!(database.key_use(T0 + MINUTE + 1).unwrap().is_empty());
    assert_eq!(
        ask(&database, "SELECT counts.hour FROM ledger WHERE kafka_offset = 8"),
        "['2106-02-07 06:28:15']"
    );
}

#[test]
fn an_entry_of_no_believable_time_is_rejected() {
    let (mut sink, _) = sink("odd_entry");
    let mut odd = entry("decrypt", "sealed", 0, vec![]);
    odd.committed_at = -1;
    let inserted = insert(&mut sink, batch("ledger", 0, &[odd]));
    assert_eq!(outcome(&inserted), (0, vec![(0, "internal")]));
}

/// By hand. Of acme 10 messages came: decrypt rejects one. Of 9, validate rejects one wholly and of
/// another a part, the 8 others hold 12 good events. Aggregate has seen 2 of them before. ClickHouse
/// refuses one of the 10 left. Then the record that decrypt rejected is redriven, passes with one
/// event, and is at last not stored yet.
#[test]
fn conservation_adds_up() {
    let (mut sink, database) = sink("conservation");
    let acme = |of| count(("acme", 0), of);
    let entries = [
        entry(
            "decrypt,validate,enrich",
            "sealed",
            0,
            vec![
                acme(("decrypt", Passed, "", 9, 9)),
                acme(("decrypt", Rejected, "expired", 1, 1)),
                count(("", 0), ("decrypt", Rejected, "malformed", 3, 3)),
                count(("zeta", 1), ("decrypt", Passed, "", 5, 5)),
                acme(("validate", Passed, "", 8, 12)),
                acme(("validate", Rejected, "invalid_time", 1, 2)),
                acme(("enrich", Passed, "", 12, 12)),
            ],
        ),
        entry(
            "aggregate",
            "enriched",
            0,
            vec![acme(("aggregate", Passed, "", 10, 10)), acme(("aggregate", Duplicate, "", 2, 2))],
        ),
        entry(
            "clickhouse",
            "events",
            0,
            vec![
                acme(("clickhouse", Passed, "", 9, 9)),
                acme(("clickhouse", Rejected, "storage_refused", 1, 1)),
            ],
        ),
        entry(
            "clickhouse",
            "shipments",
            0,
            vec![
                acme(("clickhouse", Passed, "", 4, 4)),
                acme(("clickhouse", Superseded, "", 6, 6)),
            ],
        ),
        entry("clickhouse", "rejects", 0, vec![acme(("clickhouse", Passed, "", 4, 4))]),
        entry(
            "decrypt,validate,enrich",
            "redrive",
            0,
            vec![
                acme(("decrypt", Redriven, "expired", 0, 1)),
                acme(("decrypt", Passed, "", 1, 1)),
                acme(("validate", Passed, "", 1, 1)),
                acme(("enrich", Passed, "", 1, 1)),
            ],
        ),
        entry("aggregate", "enriched", 20, vec![acme(("aggregate", Passed, "", 1, 1))]),
    ];
    insert(&mut sink, batch("ledger", 0, &entries));
    let check = |database: &Database, carrier: &str, expect: &str| {
        let sql = format!(
            "SELECT hour, received, opened, rejected, events, duplicates, accepted, stored, in_flight
            FROM conservation WHERE carrier_id = '{carrier}'"
        );
        assert_eq!(ask(database, &sql), expect, "{carrier}");
    };
    check(&database, "acme", "2026-11-24 08:00:00\t10\t10\t3\t13\t2\t11\t9\t1");
    check(&database, "", "2026-11-24 08:00:00\t3\t0\t3\t0\t0\t0\t0\t0");
    check(&database, "zeta", "2026-11-24 09:00:00\t5\t5\t0\t0\t0\t0\t0\t5");
    let stored = entry("clickhouse", "events", 20, vec![acme(("clickhouse", Passed, "", 1, 1))]);
    insert(&mut sink, batch("ledger", 7, &[stored]));
    check(&database, "acme", "2026-11-24 08:00:00\t10\t10\t3\t13\t2\t11\t10\t0");
}
