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

const STAGES: [&str; 5] = ["decrypt", "validate", "enrich", "aggregate", "clickhouse"];

/// Gives each stage a folder of its own, or brings it up to date.
fn grant(d: &Deployment) -> Vec<Deployment> {
    let to = |stage: &str| {
        let folder = format!("keys-{stage}");
        d.ok(&["keys", "grant", stage, "--out", d.folder.join(&folder).to_str().unwrap()]);
        d.with_keys(&folder)
    };
    STAGES.map(to).into()
}

#[test]
fn each_stage_runs_with_its_own_keys_and_with_no_others() {
    let d = with_carrier("least", "");
    let stages = grant(&d);
    let mut processes: Vec<_> = stages.iter().zip(STAGES).map(|(own, s)| own.start(s)).collect();
    publish(&d, 4);
    d.wait_for("SELECT count() FROM events", 4);

    // A new internal key and a new platform key reach them by the same command.
    d.ok(&["keys", "rotate-internal", "--after", "10s"]);
    d.ok(&["keys", "new", "--bits", "2048", "--kid", "second"]);
    grant(&d);
    std::thread::sleep(Duration::from_secs(12));
    publish(&d, 4);
    d.wait_for("SELECT count() FROM events", 8);
    assert_eq!(d.number("SELECT count() FROM rejects"), 0);
    let new = internal_key(&d, 1);
    for topic in TOPICS {
        let id = new["ids"][topic].as_str().unwrap();
        assert!(d.key_ids(topic).iter().any(|found| found == id), "{topic}");
    }
    for process in &mut processes {
        assert!(!process.has_ended(), "{}", process.log());
        assert!(!process.log().contains("fault:"), "{}", process.log());
    }
    d.audit();

    // Nothing of decrypt's is in another's folder, and none of them does another's work.
    for (own, stage) in stages.iter().zip(STAGES) {
        let names = std::fs::read_dir(d.folder.join(format!("keys-{stage}"))).unwrap();
        let mut names = names.map(|f| f.unwrap().file_name().into_string().unwrap());
        assert_eq!(names.any(|n| n.ends_with(".pem")), stage == "decrypt", "{stage}");
        for other in STAGES.into_iter().filter(|other| *other != stage) {
            // All that the sink reads is written by aggregate, under the same keys.
            if (stage, other) == ("aggregate", "clickhouse") {
                continue;
            }
            let out = own.run(&["run", other]);
            let said = String::from_utf8_lossy(&out.stderr).into_owned();
            assert_eq!(out.status.code(), Some(3), "{other} with the keys of {stage}: {said}");
            assert!(said.contains("holds no internal key for the role `"), "{said}");
        }
    }
}
