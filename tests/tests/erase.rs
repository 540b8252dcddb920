//! A shipment is erased: from state, tables and rollups, and the books still balance.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::process::Output;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::Value;
use waybill_tests::{DCSA_22, Deployment, Process, gate_in, wait_until};

const CONTAINERS: [&str; 8] = [
    "MSKU1234565",
    "CSQU3054383",
    "TCLU4265917",
    "MSKU0000006",
    "TCLU4265447",
    "MSKU9070323",
    "TGHU7759933",
    "CMAU1111118",
];

/// An event of the container, and a message of the same handle that is rejected.
fn publish(d: &Deployment, carrier: &str, container: &str) {
    d.publish(carrier, DCSA_22, &gate_in(container), &["--shipment", container]);
    d.publish(carrier, DCSA_22, b"{}", &["--shipment", container]);
}

fn said(out: &Output) -> String {
    String::from_utf8_lossy(&[&out.stdout[..], &out.stderr[..]].concat()).into_owned()
}

/// Shipments of a carrier in aggregate's memory.
fn in_state(d: &Deployment, carrier: &str) -> u64 {
    let listed = d.ok(&["state", "list", "--carrier", carrier]);
    let number = |line: &str| line.split_whitespace().nth(2)?.parse::<u64>().ok();
    listed.lines().filter_map(number).sum()
}

/// Each rollup is what its view makes of the rows.
fn rollups_are_what_the_rows_make(d: &Deployment) {
    for (rollup, view, columns) in [
        (
            "throughput_by_minute",
            "events_to_throughput",
            "minute, carrier_id, milestone, sum(events), sum(out_of_order), sum(zone_assumed), sum(flagged)",
        ),
        (
            "latency_by_minute",
            "events_to_latency",
            "minute, carrier_id, stage, sum(events), sum(sum_ms), max(max_ms)",
        ),
        (
            "rejects_by_minute",
            "rejects_to_minutes",
            "minute, carrier_id, stage, code, sum(rejects)",
        ),
    ] {
        let made = d.rows(&format!(
            "SELECT as_select FROM system.tables WHERE database = currentDatabase() AND name = '{view}'"
        ));
        let made = made[0]["as_select"].as_str().unwrap();
        let of = |from: &str| {
            d.rows(&format!("SELECT {columns} FROM {from} AS r GROUP BY ALL ORDER BY ALL"))
        };
        assert_eq!(of(rollup), of(&format!("({made})")), "{rollup}");
        if rollup == "latency_by_minute" {
            // A digest is not the same in another order of the values, but near it.
            let median = "quantilesTDigestMerge(0.5, 0.95, 0.99)(quantiles)[1] AS median";
            let of = |from: &str| {
                format!("(SELECT minute, carrier_id, stage, {median} FROM {from} GROUP BY ALL)")
            };
            let apart = format!(
                "SELECT count() FROM {} AS a JOIN {} AS b USING (minute, carrier_id, stage)
                WHERE abs(a.median - b.median) > 1 + 0.05 * b.median",
                of(rollup),
                of(&format!("({made})"))
            );
            assert_eq!(d.number(&apart), 0);
        }
    }
}

fn start(name: &str) -> (Deployment, Vec<Process>) {
    let d = Deployment::new(name, "");
    d.add_carrier("acme-line");
    d.add_carrier("other-line");
    let processes = d.start_all();
    (d, processes)
}

#[test]
fn one_shipment_goes_and_all_others_stay() {
    let (d, _processes) = start("erase");
    let (gone, stays) = (CONTAINERS[0], CONTAINERS[1]);
    publish(&d, "acme-line", gone);
    let sealed = |d: &Deployment| {
        d.rows("SELECT source_partition, source_offset FROM events WHERE carrier_id = 'acme-line'")
    };
    publish(&d, "acme-line", stays);
    publish(&d, "other-line", gone);
    d.wait_for("SELECT count() FROM events", 3);
    d.wait_for("SELECT count() FROM rejects", 3);
    d.wait_for("SELECT count() FROM shipments", 3);
    assert_eq!(sealed(&d).len(), 2);
    d.audit();
    assert_eq!((in_state(&d, "acme-line"), in_state(&d, "other-line")), (2, 1));
    let others = |table: &str| {
        d.rows(&format!(
            "SELECT * FROM {table} WHERE (carrier_id, handle) != ('acme-line', '{gone}') ORDER BY ALL"
        ))
    };
    let before: Vec<_> = ["events", "shipments", "rejects"].map(others).into();

    // Nothing is found by a reference of another carrier's, and nobody is asked where nobody is there.
    let erase = |more: &[&str]| d.run(&[&["erase", "--carrier"][..], more].concat());
    let out = erase(&["other-line", "--reference", stays, "--yes"]);
    assert_eq!(out.status.code(), Some(1), "{}", said(&out));
    assert!(said(&out).contains("no such shipment"), "{}", said(&out));
    let by_reference = ["acme-line", "--reference", gone];
    let out = erase(&by_reference);
    assert_eq!(out.status.code(), Some(1), "{}", said(&out));
    let out = erase(&[&by_reference[..], &["--dry-run"]].concat());
    assert!(out.status.success() && said(&out).contains(gone), "{}", said(&out));
    assert!(!said(&out).contains(stays), "{}", said(&out));
    assert_eq!(d.number("SELECT count() FROM events"), 3);

    let file = d.folder.join("receipt.json");
    let out = erase(
        &[
            &by_reference[..],
            &["--yes", "--reason", "request 4711", "--receipt", file.to_str().unwrap()],
        ]
        .concat(),
    );
    assert!(out.status.success(), "{}", said(&out));
    let receipt = std::fs::read_to_string(&file).unwrap();
    assert_eq!(receipt, String::from_utf8_lossy(&out.stdout));
    assert!(!receipt.contains(gone), "{receipt}");
    let receipt: Value = serde_json::from_str(&receipt).unwrap();
    assert_eq!(receipt["rows"]["events"], 1, "{receipt}");
    assert_eq!(receipt["rows"]["rejects"], 1, "{receipt}");
    assert_eq!(receipt["reason"], "request 4711");
    assert!(receipt["kafka_until"]["sealed"].is_string(), "{receipt}");

    let after: Vec<_> = ["events", "shipments", "rejects"].map(others).into();
    assert_eq!(before, after);
    for table in ["events", "shipment_states", "rejects"] {
        let of = format!(
            "SELECT count() FROM {table} WHERE carrier_id = 'acme-line' AND handle = '{gone}'"
        );
        assert_eq!(d.number(&of), 0, "{table}");
        // Not only masked: no part that is in force has the row.
        let rows = d.number(&format!("SELECT count() FROM {table}"));
        let in_parts = format!(
            "SELECT toInt64(sum(rows)) FROM system.parts
            WHERE database = currentDatabase() AND table = '{table}' AND active"
        );
        assert_eq!(d.number(&in_parts), rows, "{table}");
    }
    rollups_are_what_the_rows_make(&d);
    assert_eq!((in_state(&d, "acme-line"), in_state(&d, "other-line")), (1, 1));
    d.audit();
    let out = erase(&[&by_reference[..], &["--yes"]].concat());
    assert_eq!(out.status.code(), Some(1), "it is gone: {}", said(&out));

    // What comes now begins anew, and is there once.
    publish(&d, "acme-line", gone);
    d.wait_for("SELECT count() FROM events", 3);
    wait_until("the shipment to be there", Duration::from_secs(30), || {
        d.number("SELECT count() FROM shipments") == 3
    });
    let revision = format!(
        "SELECT revision FROM shipments WHERE carrier_id = 'acme-line' AND equipment = '{gone}'"
    );
    assert_eq!(d.number(&revision), 1);
    assert_eq!(in_state(&d, "acme-line"), 2);
    d.audit();
}

/// A copy of what was erased is a new event: nobody remembers it.
#[test]
fn a_copy_of_what_was_erased_begins_a_new_shipment() {
    let (d, _processes) = start("erase_copy");
    let container = CONTAINERS[0];
    d.publish("acme-line", DCSA_22, &gate_in(container), &["--shipment", "h-1"]);
    d.wait_for("SELECT count() FROM events", 1);
    let sealed = d.read_last();
    let send = || d.produce_raw(Some(b"h-1"), Some(&sealed));
    send();
    d.wait_for("SELECT sum(duplicates) FROM shipments", 1);
    let id =
        d.rows("SELECT shipment_id FROM shipments")[0]["shipment_id"].as_str().unwrap().to_owned();
    d.ok(&["erase", "--carrier", "acme-line", "--shipment", &id, "--yes"]);
    assert_eq!(d.number("SELECT count() FROM events"), 0);
    assert_eq!(d.number("SELECT count() FROM shipment_states"), 0);
    send();
    d.wait_for("SELECT count() FROM events", 1);
    d.audit();
}

/// Each time it goes on where it was, whatever it had done by then.
#[test]
fn killed_at_any_step_and_run_again_it_is_done_once() {
    let (d, _processes) = start("erase_killed");
    let points = [
        "erase_sent",
        "erase_listed",
        "erase_removed",
        "erase_cleared",
        "erase_filled",
        "erase_kept",
    ];
    let stays = CONTAINERS[7];
    publish(&d, "acme-line", stays);
    for container in &CONTAINERS[..points.len()] {
        publish(&d, "acme-line", container);
    }
    d.wait_for("SELECT count() FROM events", 7);
    d.wait_for("SELECT count() FROM rejects", 7);
    for (n, (point, container)) in points.iter().zip(CONTAINERS).enumerate() {
        let args = ["erase", "--carrier", "acme-line", "--reference", container, "--yes"];
        let out = d.run_with(&args, &[("FAILPOINTS", &format!("{point}=return"))]);
        assert_eq!(out.status.code(), None, "{point}: it was not killed: {}", said(&out));
        if ["erase_sent", "erase_listed", "erase_kept"].contains(point) {
            d.audit();
        }
        let out = d.run(&args);
        assert!(out.status.success(), "{point}: {}", said(&out));
        let receipt: Value = serde_json::from_slice(&out.stdout).unwrap();
        assert_eq!(receipt["rows"]["events"], 1, "{point}: {receipt}");
        assert_eq!(receipt["rows"]["rejects"], 1, "{point}: {receipt}");
        let left = 6 - n as i64;
        assert_eq!(d.number("SELECT count() FROM events"), left, "{point}");
        assert_eq!(d.number("SELECT count() FROM rejects"), left, "{point}");
        assert_eq!(d.number("SELECT count() FROM shipments"), left, "{point}");
        rollups_are_what_the_rows_make(&d);
        d.audit();
    }
    assert_eq!(in_state(&d, "acme-line"), 1);
    assert_eq!(d.number(&format!("SELECT count() FROM events WHERE equipment = '{stays}'")), 1);
    assert_eq!(d.number("SELECT count() FROM erasures FINAL WHERE finished_at IS NOT NULL"), 6);
    assert!(d.ok(&["erase", "--unfinished"]).contains("nothing was broken off"));
}

/// While the sink inserts into the very minutes whose rollups are made anew.
#[test]
fn what_comes_in_meanwhile_is_counted_once() {
    let (d, _processes) = start("erase_busy");
    let gone = CONTAINERS[0];
    publish(&d, "acme-line", gone);
    d.wait_for("SELECT count() FROM rejects", 1);
    d.wait_for("SELECT count() FROM events", 1);
    let done = AtomicBool::new(false);
    let published = std::thread::scope(|scope| {
        let publisher = scope.spawn(|| {
            let mut published = 0;
            while !done.load(Ordering::Relaxed) {
                let container = CONTAINERS[1 + published % 7];
                let payloads = vec![gate_in(container); 10];
                d.publish_all("acme-line", DCSA_22, &payloads, &["--shipment", "busy"]);
                published += payloads.len();
            }
            published
        });
        d.wait_for("SELECT count() FROM events", 11);
        // Behind the mutation and before the rows are read: what comes in then is in both.
        let longer = [("FAILPOINTS", "erase_cleared=1*sleep(4000)")];
        let args = ["erase", "--carrier", "acme-line", "--reference", gone, "--yes"];
        let out = d.run_with(&args, &longer);
        done.store(true, Ordering::Relaxed);
        assert!(out.status.success(), "{}", said(&out));
        publisher.join().unwrap()
    });
    let published = i64::try_from(published).unwrap();
    d.wait_for("SELECT count() FROM events", published);
    d.audit();
    assert_eq!(d.number("SELECT count() FROM events"), published);
    rollups_are_what_the_rows_make(&d);
}
