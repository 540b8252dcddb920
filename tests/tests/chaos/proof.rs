//! Is everything there, once?

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use waybill_tests::Truth;

use crate::fleet::Fleet;

/// Without a new row for this long, nothing more comes.
const PATIENCE: Duration = Duration::from_secs(60);

pub struct Proved {
    pub rebalances: usize,
    /// Messages that a carrier sent again, since the broker's answer was lost.
    pub copies: i64,
}

pub fn look(fleet: &mut Fleet, truth: &Truth) -> Proved {
    // A carrier whose answer was lost sends its records once more, in order: each copy is answered as
    // the first was, or is a duplicate.
    let copies = fleet.d.records("sealed") - truth.published;
    assert!(copies >= 0, "{} messages are not on the sealed topic", -copies);
    wait_for_all(fleet, truth, copies);
    let audit = fleet.d.run(&["audit", "--wait", "60s"]);
    let said = String::from_utf8_lossy(&audit.stdout).into_owned();
    println!("{said}");
    let d = &fleet.d;
    if !audit.status.success() {
        println!("{}", String::from_utf8_lossy(&audit.stderr));
    }
    let number = |sql: &str| d.number(sql);
    let check = |what: &str, found: i64, expect: i64| {
        assert_eq!(found, expect, "{what}\n{said}");
    };
    check("rows of events", number("SELECT count() FROM events"), truth.events);
    let different = "SELECT uniqExact(carrier_id, event_id) FROM events";
    check("different events", number(different), truth.events);
    let duplicates = number("SELECT sum(duplicates) FROM shipments");
    let by_code: BTreeMap<String, i64> = d
        .rows("SELECT code, count() AS n FROM rejects GROUP BY code")
        .iter()
        .map(|r| (r["code"].as_str().unwrap().to_owned(), r["n"].as_i64().unwrap()))
        .collect();
    let rejected: i64 = by_code.values().sum();
    check("answers to copies", duplicates + rejected - truth.duplicates - truth.rejected(), copies);
    let at_least = |what: &str, found: i64, expect: i64| {
        assert!((expect..=expect + copies).contains(&found), "{what}: {found}, {expect}\n{said}");
    };
    at_least("duplicates", duplicates, truth.duplicates);
    assert!(by_code.keys().eq(truth.rejects.keys()), "{by_code:?} {:?}\n{said}", truth.rejects);
    for (code, n) in &truth.rejects {
        at_least(code, by_code[code], *n);
    }
    let places = "SELECT uniqExact(source_partition, source_offset, position) FROM rejects";
    check("different rejects", number(places), rejected);
    rollups(fleet);
    shipments(fleet);
    assert!(audit.status.success(), "{said}");
    // Nobody that was to live has ended meanwhile.
    fleet.tend();
    let log = fleet.servers.log("kafka");
    Proved { copies, rebalances: log.matches("Stabilized group").count() }
}

fn wait_for_all(fleet: &mut Fleet, truth: &Truth, copies: i64) {
    let seen = |fleet: &Fleet| {
        fleet.d.number("SELECT count() FROM events")
            + fleet.d.number("SELECT sum(duplicates) FROM shipments")
            + fleet.d.number("SELECT count() FROM rejects")
    };
    let all = truth.events + truth.duplicates + truth.rejected() + copies;
    let (mut last, mut since) = (0, Instant::now());
    loop {
        fleet.tend();
        let now = seen(fleet);
        if now >= all {
            return;
        }
        if now > last {
            (last, since) = (now, Instant::now());
        }
        if since.elapsed() > PATIENCE {
            // The checks that follow say what is missing.
            println!("chaos: {now} of {all} after {PATIENCE:?} without a new one");
            return;
        }
        std::thread::sleep(Duration::from_millis(500));
    }
}

/// Each rollup is the same aggregation over the rows themselves.
fn rollups(fleet: &Fleet) {
    let check = |rollup: &str, rows: &str| {
        let differs = format!("({rollup} EXCEPT {rows}) UNION ALL ({rows} EXCEPT {rollup})");
        let found = fleet.d.rows(&format!("SELECT * FROM ({differs}) LIMIT 5"));
        assert!(found.is_empty(), "{rollup}: {found:?}");
    };
    check(
        "SELECT minute, carrier_id, milestone, toUInt64(sum(events)) AS n FROM throughput GROUP BY ALL",
        "SELECT toStartOfMinute(received_at) AS minute, carrier_id, milestone, count() AS n FROM events GROUP BY ALL",
    );
    check(
        "SELECT minute, carrier_id, toUInt64(sum(events)) AS n FROM latency WHERE stage = 'total' GROUP BY ALL",
        "SELECT toStartOfMinute(received_at) AS minute, carrier_id, count() AS n FROM events GROUP BY ALL",
    );
    check(
        "SELECT minute, carrier_id, stage, code, toUInt64(sum(rejects)) AS n FROM rejects_by_minute GROUP BY ALL",
        "SELECT toStartOfMinute(received_at) AS minute, carrier_id, stage, code, count() AS n FROM rejects GROUP BY ALL",
    );
}

/// Each shipment is what its events make it.
fn shipments(fleet: &Fleet) {
    let differ = fleet.d.rows(
        "SELECT shipment_id, s.revision, e.n, s.last, e.last, s.ids = e.ids AS same_events
         FROM (
            SELECT carrier_id, shipment_id, revision, toInt64(toUnixTimestamp64Milli(first_received_at)) AS first,
                toInt64(toUnixTimestamp64Milli(ifNull(last_occurred_at, toDateTime64(0, 3, 'UTC')))) AS last,
                events_checksum AS ids
            FROM shipments
         ) AS s FULL JOIN (
            SELECT carrier_id, shipment_id, count() AS n, toInt64(toUnixTimestamp64Milli(min(received_at))) AS first,
                toInt64(toUnixTimestamp64Milli(maxIf(occurred_at, classifier = 'actual' AND unlocode != ''))) AS last,
                groupBitXor(reinterpretAsInt64(reverse(substring(UUIDStringToNum(toString(event_id)), 1, 8)))) AS ids
            FROM events GROUP BY carrier_id, shipment_id
         ) AS e USING (carrier_id, shipment_id)
         WHERE s.revision != e.n OR s.first != e.first OR s.ids != e.ids OR s.last != e.last LIMIT 5",
    );
    assert!(differ.is_empty(), "shipments that are not what their events say: {differ:?}");
}
