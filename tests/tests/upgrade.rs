//! Two builds side by side, of which one is the later: its records have a field more, under fingerprints that
//! the earlier one does not know.
//!
//! The later build is this one's binary, told to behave so (`schemas/src/later.rs`): it writes each record with
//! one more field, and reads both. That stands for what a release with changed schemas is to the one before; a
//! second build of everything would say the same of the same code, and take minutes of each run of CI.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::time::Duration;

use waybill_tests::{DCSA_22, Deployment, Process, gate_in, wait_until};

const LIMIT: Duration = Duration::from_secs(60);
const NOT_KNOWN: &str = "written with a schema that is not known here: upgrade those that read before those \
                         that write";
const CONTAINERS: [&str; 7] = [
    "MSKU1234565",
    "MSKU0000006",
    "CSQU3054383",
    "TGHU7590462",
    "MSKU0001018",
    "MSKU0001023",
    "MSKU0001039",
];

fn later(d: &Deployment) -> Deployment {
    d.with(&[("WAYBILL_TEST_LATER_SCHEMAS", "1")])
}

fn publish(d: &Deployment, n: usize) {
    let container = CONTAINERS[n];
    d.publish("acme-line", DCSA_22, &gate_in(container), &["--shipment", container]);
    d.publish("acme-line", DCSA_22, b"no JSON, ever", &["--shipment", container]);
}

/// As many events and dead letters as messages, each once, and clean books.
fn all_is_there(d: &Deployment, published: i64) {
    for table in ["events", "rejects"] {
        d.wait_for(&format!("SELECT count() FROM {table}"), published);
        assert_eq!(d.number(&format!("SELECT count() FROM {table}")), published, "{table}");
    }
    assert_eq!(d.number("SELECT uniqExact(carrier_id, event_id) FROM events"), published);
    assert_eq!(d.number("SELECT count() FROM rejects WHERE code != 'unparsable'"), 0);
    assert_eq!(d.number("SELECT sum(duplicates) FROM shipments"), 0);
    d.audit();
}

/// As a service is started anew: the former one ends before the other has its name.
fn replace(processes: &mut Vec<Process>, n: usize, by: &Deployment, stage: &str) {
    processes.remove(n).stop(LIMIT);
    processes.insert(n, by.start(stage));
}

/// Who writes is upgraded first. Each reader stops at the first record that it does not know, says what is to be
/// done, rejects nothing, and goes on as soon as it is upgraded.
#[test]
fn the_wrong_order_stops_and_loses_nothing() {
    let d = Deployment::new("upgrade_wrong", "");
    d.add_carrier("acme-line");
    let stages = ["validate", "enrich", "aggregate", "clickhouse"];
    let mut readers = d.start_each(&stages);
    let former = d.start("decrypt");
    publish(&d, 0);
    d.wait_for("SELECT count() FROM events", 1);
    d.wait_for("SELECT count() FROM rejects", 1);
    former.stop(LIMIT);

    let decrypt = later(&d).start("decrypt");
    publish(&d, 1);
    for n in 0..stages.len() {
        wait_until(&format!("{} to say what is wrong", stages[n]), LIMIT, || {
            readers[n].log().contains(NOT_KNOWN)
        });
        assert_eq!(d.number("SELECT count() FROM events"), 1, "{} went on", stages[n]);
        // It does not end: it tries again, for as long as it takes.
        assert!(!readers[n].has_ended());
        replace(&mut readers, n, &later(&d), stages[n]);
    }
    publish(&d, 2);
    all_is_there(&d, 3);
    assert_eq!(decrypt.metric("waybill_restarts_total", ""), 0.0, "{}", decrypt.log());
}

/// Who reads is upgraded first: from the end of the way to its beginning. Nobody stops.
#[test]
fn the_right_order_stops_nobody() {
    let d = Deployment::new("upgrade_right", "");
    d.add_carrier("acme-line");
    let stages = ["decrypt", "validate", "enrich", "aggregate", "clickhouse"];
    let mut processes = d.start_each(&stages);
    publish(&d, 0);
    d.wait_for("SELECT count() FROM events", 1);
    for (upgraded, n) in (0..stages.len()).rev().enumerate() {
        replace(&mut processes, n, &later(&d), stages[n]);
        publish(&d, upgraded + 1);
        d.wait_for("SELECT count() FROM events", 2 + i64::try_from(upgraded).unwrap());
    }
    all_is_there(&d, 6);
    for (process, stage) in processes.iter().zip(stages) {
        let log = process.log();
        assert!(!log.contains(NOT_KNOWN), "{stage}: {log}");
        assert_eq!(process.metric("waybill_restarts_total", ""), 0.0, "{stage}: {log}");
    }
    // And they were of the later build.
    replace(&mut processes, 1, &d, "validate");
    publish(&d, 6);
    wait_until("an earlier one to stop", LIMIT, || processes[1].log().contains(NOT_KNOWN));
    replace(&mut processes, 1, &later(&d), "validate");
    all_is_there(&d, 7);
}
