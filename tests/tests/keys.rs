//! Keys change, are given out and go, while events pass.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use serde_json::Value;
use waybill_tests::{DCSA_22, Deployment, Servers, gate_in};

const CONTAINERS: [&str; 4] = ["MSKU1234565", "MSKU0000006", "CSQU3054383", "TCLU4265447"];
const TOPICS: [&str; 6] = ["opened", "valid", "enriched", "events", "shipments", "ledger"];

fn with_carrier(name: &str, extra: &str) -> Deployment {
    let d = Deployment::on(Servers::find(), name, 1, extra);
    d.add_carrier("acme-line");
    d
}

fn publish(d: &Deployment, n: usize) {
    let events: Vec<_> = CONTAINERS.iter().cycle().take(n).map(|c| gate_in(c)).collect();
    d.publish_all("acme-line", DCSA_22, &events, &["--shipment", "h-1"]);
}

/// Internal key `n` of a folder, as its index has it.
fn internal_key(d: &Deployment, n: usize) -> Value {
    let index = std::fs::read(d.folder.join("keys/keys.json")).unwrap();
    serde_json::from_slice::<Value>(&index).unwrap()["internal"][n].clone()
}

#[test]
fn the_internal_key_rotates_while_events_pass() {
    let d = with_carrier("rotate", "");
    let mut processes = d.start_all();
    publish(&d, 8);
    d.wait_for("SELECT count() FROM events", 8);
    let said = d.ok(&["keys", "rotate-internal", "--after", "6s"]);
    assert!(said.contains("internal-"), "{said}");
    let (rotated, mut published) = (Instant::now(), 8);
    while rotated.elapsed() < Duration::from_secs(12) {
        publish(&d, 4);
        published += 4;
    }
    d.wait_for("SELECT count() FROM events", published);
    assert_eq!(d.number("SELECT count() FROM events"), published);
    assert_eq!(d.number("SELECT count() FROM rejects"), 0);
    for process in &mut processes {
        assert!(!process.has_ended(), "{}", process.log());
        assert!(!process.log().contains("fault:"), "{}", process.log());
    }
    let [old, new] = [0, 1].map(|n| internal_key(&d, n));
    assert_eq!((&old["state"], &new["state"]), (&"retiring".into(), &"active".into()));
    for topic in TOPICS {
        let ids = d.key_ids(topic);
        let known: BTreeSet<_> = ids.iter().map(String::as_str).collect();
        let expected = [&old, &new].map(|key| key["ids"][topic].as_str().unwrap());
        assert_eq!(known, BTreeSet::from(expected), "{topic}");
        assert_eq!(ids.last().map(String::as_str), Some(expected[1]), "{topic}");
    }
    d.audit();
}
