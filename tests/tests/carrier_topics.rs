//! A topic for each carrier: where a record stands is a topic, a partition and an offset, and what is wrong
//! with one topic costs that one alone.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use waybill_identifiers::iso6346;
use waybill_tests::{DCSA_22, Deployment, Process, Topic, gate_in, wait_until};

const ACME: &str = "carriers.acme-line";
const LATE: &str = "carriers.late-line";
const LIMIT: Duration = Duration::from_secs(60);

/// The same deployment, where carriers have the topic of before, one that is named, and all of a pattern.
fn several(d: &Deployment) -> Deployment {
    let p = &d.prefix;
    let sealed = json!([format!("{p}sealed"), format!("{p}{ACME}"), format!("^{p}carriers[.]")]);
    d.with(&[("WAYBILL_TOPICS__SEALED", &sealed.to_string())])
}

fn publish(d: &Deployment, carrier: &str, role: &str, payload: &[u8], shipment: &str) {
    let topic = format!("{}{role}", d.prefix);
    d.publish(carrier, DCSA_22, payload, &["--topic", &topic, "--shipment", shipment]);
}

fn is_refused(process: &Process, topic: &Topic) -> bool {
    process.metric("waybill_refused_topics", &format!("\"{}\"", topic.name)) > 0.0
}

fn edit_carriers(file: &Path, edit: impl Fn(&mut Vec<Value>)) -> String {
    let before = std::fs::read_to_string(file).unwrap();
    let mut registry: Value = serde_json::from_str(&before).unwrap();
    edit(registry["carriers"].as_array_mut().unwrap());
    std::fs::write(file, registry.to_string()).unwrap();
    before
}

fn events(d: &Deployment, role: &str) -> String {
    format!("SELECT count() FROM events WHERE sealed_topic = '{}{role}'", d.prefix)
}

/// Two carriers' records stand at the same partition and offset of two topics, both rejected: each is redriven
/// as what it was. Before that, the deployment has had one topic.
#[test]
fn a_record_is_found_by_topic_partition_and_offset() {
    let d = Deployment::new("carrier_topics", "");
    for carrier in ["acme-line", "late-line"] {
        d.add_carrier(carrier);
    }
    let registry = d.folder.join("carriers.json");
    let complete = edit_carriers(&registry, |all| all.retain(|c| c["id"] != "late-line"));
    let one = d.start("decrypt");
    let _rest = d.start_each(&["validate", "enrich", "aggregate", "clickhouse"]);
    d.publish("late-line", DCSA_22, &gate_in("MSKU1234565"), &["--shipment", "h-1"]);
    d.wait_for("SELECT count() FROM rejects", 1);
    // As a build wrote it that knew of one topic.
    d.execute("ALTER TABLE rejects UPDATE sealed_topic = '' WHERE 1 SETTINGS mutations_sync = 1");
    one.stop(LIMIT);

    let s = several(&d);
    s.ok(&["topics", "--carrier", &format!("{}{LATE}", d.prefix)]);
    let decrypt = [s.start_as("decrypt", "1"), s.start_as("decrypt", "2")];
    for (role, container) in [(ACME, "MSKU0000006"), (LATE, "CSQU3054383")] {
        publish(&s, "late-line", role, &gate_in(container), "h-1");
    }
    publish(&s, "acme-line", ACME, &gate_in("TGHU7590462"), "h-1");
    d.wait_for("SELECT count() FROM rejects WHERE code = 'unknown_carrier'", 3);
    let places = "SELECT uniqExact(source_partition, source_offset) AS places,
        uniqExact(sealed_topic) AS topics FROM rejects";
    assert_eq!(d.rows(places)[0], json!({"places": 1, "topics": 3}), "they stand at one place");
    d.wait_for(&events(&d, ACME), 1);

    // Each is named where it stands.
    let listed = s.ok(&["rejects", "list"]);
    let rows =
        d.rows("SELECT DISTINCT concat(toString(source_partition), '-0') AS at FROM rejects");
    let at = rows[0]["at"].as_str().unwrap();
    for role in ["sealed", ACME, LATE] {
        let place = format!("{}{role}-{at}", d.prefix);
        assert!(listed.contains(&place), "{place}: {listed}");
        let shown = s.ok(&["rejects", "show", &place]);
        assert_eq!(shown.matches("unknown_carrier in decrypt").count(), 1, "{shown}");
    }

    std::fs::write(&registry, complete).unwrap();
    std::thread::sleep(Duration::from_secs(3));
    let said = s.ok(&["rejects", "redrive", "--code", "unknown_carrier"]);
    assert!(said.contains("redrove 3 records"), "{said}");
    d.wait_for("SELECT count() FROM events", 4);
    let found = d.rows(
        "SELECT substring(sealed_topic, length(sealed_topic) - 5) AS topic, equipment FROM events
        WHERE carrier_id = 'late-line' ORDER BY equipment",
    );
    let expect = [("sealed", "MSKU1234565"), ("e-line", "CSQU3054383"), ("e-line", "MSKU0000006")];
    for (topic, equipment) in expect {
        assert!(found.contains(&json!({"topic": topic, "equipment": equipment})), "{found:?}");
    }
    let said = s.ok(&["rejects", "redrive", "--code", "unknown_carrier"]);
    assert!(said.contains("redrove 0 records; 3 sent before"), "{said}");
    d.wait_for("SELECT uniqExact(sealed_topic) FROM shipments", 3);
    s.audit();
    let audit = s.ok(&["audit"]);
    assert!(audit.contains("4 records of 6 partitions, each read once by decrypt"), "{audit}");
    assert_eq!(d.number("SELECT toInt64(sum(in_flight)) FROM conservation"), 0);
    for process in decrypt {
        assert_eq!(process.metric("waybill_restarts_total", ""), 0.0, "{}", process.log());
    }
}

/// A topic that is made while we run is read once it is as it must be, and one that is not, or has a record that
/// the broker has not stamped, or is removed, stops nobody.
#[test]
fn a_topic_that_is_not_as_it_must_be_costs_itself_alone() {
    let d = Deployment::new("refused_topics", "");
    for carrier in ["acme-line", "other-line"] {
        d.add_carrier(carrier);
    }
    let s = several(&d);
    // The topic that is named is not there yet.
    let acme = Topic::of(&d, ACME);
    let decrypt = s.start("decrypt");
    let _rest = d.start_each(&["validate", "enrich", "aggregate", "clickhouse"]);
    assert!(is_refused(&decrypt, &acme), "{}", decrypt.log());
    d.publish("acme-line", DCSA_22, &gate_in("MSKU1234565"), &["--shipment", "h-1"]);
    d.wait_for(&events(&d, "sealed"), 1);

    s.ok(&["topics"]);
    wait_until("the named topic to be read", LIMIT, || !is_refused(&decrypt, &acme));
    publish(&s, "acme-line", ACME, &gate_in("MSKU0000006"), "h-2");
    d.wait_for(&events(&d, ACME), 1);

    // As an operator makes it by hand: too long kept, and compressed as carriers like.
    let other = Topic::of(&d, "carriers.other-line");
    other.make(&[("message.timestamp.type", "LogAppendTime")]);
    publish(&s, "other-line", "carriers.other-line", &gate_in("CSQU3054383"), "h-3");
    wait_until("it to be refused", LIMIT, || is_refused(&decrypt, &other));
    let log = decrypt.log();
    assert!(log.contains("a topic of carriers is not read"), "{log}");
    assert!(log.contains("`waybill topics` sets it"), "{log}");
    s.ok(&["topics"]);
    wait_until("it to be read", LIMIT, || !is_refused(&decrypt, &other));
    d.wait_for(&events(&d, "carriers.other-line"), 1);

    // Whoever may choose the time of receipt is not read, also when that is mended afterwards.
    let forged = Topic::of(&d, "carriers.forged");
    forged.make(&[("message.timestamp.type", "CreateTime")]);
    publish(&s, "acme-line", "carriers.forged", &gate_in("TGHU7590462"), "h-4");
    wait_until("it to be refused", LIMIT, || is_refused(&decrypt, &forged));
    assert!(!s.run(&["topics"]).status.success(), "its records are of that kind");
    forged.set(&[("message.timestamp.type", "LogAppendTime")]);
    s.ok(&["topics"]);
    wait_until("its record to be seen", LIMIT, || {
        decrypt.log().contains("was not stamped by the broker")
    });
    publish(&s, "acme-line", "carriers.forged", &gate_in("TGHU7590462"), "h-4");
    for (carrier, role, container) in [
        ("acme-line", "sealed", "MSKU0001018"),
        ("acme-line", ACME, "MSKU0001023"),
        ("other-line", "carriers.other-line", "MSKU0001039"),
    ] {
        publish(&s, carrier, role, &gate_in(container), container);
        d.wait_for(&events(&d, role), 2);
    }
    assert!(is_refused(&decrypt, &forged), "{}", decrypt.log());
    assert_eq!(d.number(&events(&d, "carriers.forged")), 0);

    assert_eq!(decrypt.metric("waybill_restarts_total", ""), 0.0, "{}", decrypt.log());
    forged.remove();
    wait_until("it to be gone", LIMIT, || !is_refused(&decrypt, &forged));
    other.remove();
    wait_until("the other to be gone", LIMIT, || {
        decrypt.log().contains("a topic of carriers is gone")
    });
    publish(&s, "acme-line", ACME, &gate_in("MSKU0001044"), "h-8");
    d.wait_for(&events(&d, ACME), 3);
    assert_eq!(d.number("SELECT count() FROM events"), 7);
    s.audit();
    let audit = s.ok(&["audit"]);
    assert!(audit.contains("of a topic that is not read any more"), "{audit}");
    // librdkafka calls the assignment lost whose topic is gone: what was read is read again from the last commit.
    assert!(decrypt.metric("waybill_restarts_total", "") <= 1.0, "{}", decrypt.log());
}

/// A carrier with a topic of its own publishes there alone, and nobody else does.
#[test]
fn a_topic_may_be_one_carriers() {
    let d = Deployment::new("bound_topics", "");
    let s = several(&d);
    s.ok(&["topics"]);
    for carrier in ["acme-line", "other-line"] {
        d.add_carrier(carrier);
    }
    let own = format!("{}{ACME}", d.prefix);
    edit_carriers(&d.folder.join("carriers.json"), |all| {
        let acme = all.iter_mut().find(|c| c["id"] == "acme-line").unwrap();
        acme["topics"] = json!([own]);
    });
    let _processes = s.start_all();
    publish(&s, "acme-line", ACME, &gate_in("MSKU1234565"), "h-1");
    publish(&s, "other-line", "sealed", &gate_in("MSKU0000006"), "h-2");
    publish(&s, "other-line", ACME, &gate_in("CSQU3054383"), "h-3");
    publish(&s, "acme-line", "sealed", &gate_in("TGHU7590462"), "h-4");
    d.wait_for("SELECT count() FROM rejects", 2);
    d.wait_for("SELECT count() FROM events", 2);
    let rejects = d.rows(
        "SELECT code, carrier_id, endsWith(sealed_topic, 'acme-line') AS own FROM rejects ORDER BY own",
    );
    let code = "wrong_topic";
    assert_eq!(
        rejects,
        [
            json!({"code": code, "carrier_id": "", "own": 0}),
            // Who may write there, and not who it claimed to be.
            json!({"code": code, "carrier_id": "acme-line", "own": 1}),
        ]
    );
    s.audit();
}

/// The number of a container, with its check digit (ISO 6346).
fn container(n: u32) -> String {
    let first_ten = format!("MSKU{n:06}");
    let check = iso6346::check_digit(&first_ten);
    first_ten + &check.to_string()
}

/// Who publishes much holds nobody up: of what waits on two topics, some of each is read.
#[test]
fn a_flood_on_one_topic_does_not_starve_another() {
    const FLOOD: i64 = 20_000;
    let d = Deployment::new("flood", "");
    let s = several(&d);
    s.ok(&["topics"]);
    d.add_carrier("quiet-line");
    let keys = d.folder.join("simulated");
    let (sealed, flooded) = (format!("{}sealed", d.prefix), format!("{}{ACME}", d.prefix));
    let flood = FLOOD.to_string();
    s.ok(&[
        "simulate",
        "--signing-keys",
        keys.to_str().unwrap(),
        "--register",
        "--rate",
        "0",
        "--messages",
        &flood,
        "--carriers",
        "1",
        "--bad",
        "0",
        "--duplicates",
        "0",
        "--topic",
        &flooded,
    ]);
    let quiet: Vec<Vec<u8>> = (0..20).map(|n| gate_in(&container(n))).collect();
    s.publish_all("quiet-line", DCSA_22, &quiet, &["--topic", &sealed]);
    let _processes = s.start_each(&["decrypt,validate,enrich", "aggregate", "clickhouse"]);
    d.wait_for("SELECT count() FROM events", FLOOD + 20);
    // By the time at which decrypt opened each: how much of the flood came before the last quiet one.
    let before = d.number(&format!(
        "SELECT countIf(sealed_topic = '{flooded}' AND opened_at <= (
            SELECT max(opened_at) FROM events WHERE sealed_topic = '{sealed}'
        )) FROM events"
    ));
    println!("{before} of {FLOOD} came before the quiet carrier's last");
    assert!(before < FLOOD / 2, "{before} of {FLOOD} came first");
    s.audit();
}
