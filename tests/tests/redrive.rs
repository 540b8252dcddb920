//! Dead letters are taken back: their records go through once more, and the books balance.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::time::Duration;

use serde_json::Value;
use waybill_tests::{DCSA_22, Deployment, gate_in};

#[test]
fn a_carrier_registered_late_has_its_events_redriven_once() {
    let d = Deployment::new("redrive", "");
    d.add_carrier("acme-line");
    d.add_carrier("late-line");
    let registry = d.folder.join("carriers.json");
    let complete = std::fs::read_to_string(&registry).unwrap();
    let mut without: Value = serde_json::from_str(&complete).unwrap();
    without["carriers"].as_array_mut().unwrap().retain(|c| c["id"] != "late-line");
    std::fs::write(&registry, without.to_string()).unwrap();
    let _processes = d.start_all();

    for container in ["MSKU1234565", "MSKU0000006", "CSQU3054383"] {
        d.publish("late-line", DCSA_22, &gate_in(container), &["--shipment", container]);
    }
    d.publish("acme-line", DCSA_22, b"no JSON, ever", &["--shipment", "h-1"]);
    d.wait_for("SELECT count() FROM rejects WHERE code = 'unknown_carrier'", 3);
    d.wait_for("SELECT count() FROM rejects", 4);
    let of_unknown = ["rejects", "redrive", "--code", "unknown_carrier"];
    let redrive = |more: &[&str]| d.ok(&[&of_unknown[..], more].concat());

    let listed = d.ok(&["rejects", "list", "--code", "unknown_carrier"]);
    assert_eq!(listed.lines().count(), 4, "{listed}");
    let place = d.rows(
        "SELECT concat(toString(source_partition), '-', toString(source_offset)) AS place
         FROM rejects WHERE code = 'unknown_carrier' LIMIT 1",
    )[0]["place"]
        .as_str()
        .unwrap()
        .to_owned();
    let shown = d.ok(&["rejects", "show", &place]);
    assert!(shown.contains("unknown_carrier in decrypt"), "{shown}");

    // Nothing is sent in a dry run, nor more than the limit says.
    assert!(redrive(&["--dry-run"]).contains("would redrive 3 records"));
    assert!(redrive(&["--limit", "1"]).contains("redrove 1 records"));
    // The carrier is not known yet: it is the same answer once more.
    d.wait_for("SELECT count() FROM rejects WHERE attempt = 1", 1);
    std::fs::write(&registry, complete).unwrap();
    std::thread::sleep(Duration::from_secs(3));

    let said = redrive(&[]);
    assert!(said.contains("redrove 3 records"), "{said}");
    d.wait_for("SELECT count() FROM events WHERE carrier_id = 'late-line'", 3);
    // What is through is not sent again, and what is rejected for good ends after three attempts.
    let said = redrive(&[]);
    assert!(said.contains("redrove 0 records; 3 sent before"), "{said}");
    for attempt in 1..=3 {
        let said = d.ok(&["rejects", "redrive", "--code", "unparsable"]);
        assert!(said.contains("redrove 1 records"), "{said}");
        d.wait_for("SELECT max(attempt) FROM rejects WHERE code = 'unparsable'", attempt);
    }
    let said = d.ok(&["rejects", "redrive", "--code", "unparsable"]);
    assert!(said.contains("refused: redriven 3 times already"), "{said}");

    // What the topic keeps no longer cannot be sent again.
    d.publish("acme-line", DCSA_22, b"no JSON either", &["--shipment", "h-2"]);
    d.wait_for("SELECT count() FROM rejects WHERE handle = 'h-2'", 1);
    d.audit();
    d.remove_records("sealed");
    let said = d.ok(&["rejects", "redrive", "--code", "unparsable"]);
    assert!(said.contains("nothing of its partition is left"), "{said}");
    assert!(said.contains("1 no longer kept"), "{said}");

    assert_eq!(d.number("SELECT count() FROM events"), 3);
    assert_eq!(d.number("SELECT uniqExact(event_id) FROM events"), 3);
    assert_eq!(d.number("SELECT sum(duplicates) FROM shipments"), 0);
    // Where they stand and when they were received is what it was.
    let origins = "SELECT count() FROM events AS e JOIN (
        SELECT DISTINCT source_partition, source_offset, received_at FROM rejects
        WHERE code = 'unknown_carrier'
    ) AS r USING (source_partition, source_offset, received_at)";
    assert_eq!(d.number(origins), 3);
    // In the books, a redriven record has its new outcome alone.
    let of = |column: &str| d.number(&format!("SELECT toInt64(sum({column})) FROM conservation"));
    assert_eq!((of("received"), of("rejected"), of("stored"), of("in_flight")), (5, 2, 3, 0));
}
