//! Encrypted carrier events become queryable rows: the whole way, on real servers.

use std::time::Duration;

use serde_json::{Value, json};
use waybill_tests::{Deployment, Truth, shared, wait_until};

const DCSA_22: &str = "application/vnd.dcsa.tnt+json;version=2.2";
const SECOND: Duration = Duration::from_secs(1);

/// An event of a container, as DCSA Track & Trace 2.2 has it.
fn equipment_event(container: &str, code: &str, at: &str) -> Value {
    json!({
        "eventID": "5f1d9a52-1c5e-4f0e-9a3c-0d6f5b1f2a01",
        "eventType": "EQUIPMENT",
        "eventCreatedDateTime": at,
        "eventClassifierCode": "ACT",
        "eventDateTime": at,
        "equipmentEventTypeCode": code,
        "equipmentReference": container,
        "ISOEquipmentCode": "22G1",
        "emptyIndicatorCode": "LADEN",
        "eventLocation": { "UNLocationCode": "NLRTM" },
        "documentReferences": [
            { "documentReferenceType": "BKG", "documentReferenceValue": "BK4711" }
        ]
    })
}

/// `hours` before now, RFC 3339.
fn ago(hours: i64) -> String {
    let out = std::process::Command::new("date")
        .args(["-u", "-d", &format!("{hours} hours ago"), "+%Y-%m-%dT%H:%M:%SZ"])
        .output()
        .unwrap();
    String::from_utf8(out.stdout).unwrap().trim().to_owned()
}

#[test]
fn an_event_becomes_a_row_with_every_time_and_its_shipment() {
    let d = Deployment::new("row", "");
    d.add_carrier("acme-line");
    let _processes = d.start_all();
    for proof in ["granted", "signed"] {
        let payload = equipment_event("MSKU1234565", "GTIN", &ago(5)).to_string();
        d.publish(
            "acme-line",
            DCSA_22,
            payload.as_bytes(),
            &["--shipment", "h-1", "--proof", proof],
        );
    }
    d.wait_for("SELECT count() FROM events", 2);
    for row in d.rows(
        "SELECT carrier_id, handle, milestone, classifier, raw_code, unlocode, country, zone_quality, \
         source_partition, source_offset, shipment_id, \
         sealed_at <= received_at + INTERVAL 1 SECOND AND received_at <= opened_at + INTERVAL 1 SECOND \
         AND opened_at <= validated_at AND validated_at <= enriched_at \
         AND enriched_at <= aggregated_at AND aggregated_at <= inserted_at AS in_order FROM events",
    ) {
        assert_eq!(row["carrier_id"], "acme-line");
        assert_eq!(row["handle"], "h-1");
        assert_eq!(row["milestone"], "gate_in");
        assert_eq!(row["classifier"], "actual");
        assert_eq!(row["raw_code"], "EQUIPMENT/GTIN");
        assert_eq!(row["unlocode"], "NLRTM");
        assert_eq!(row["country"], "NL");
        assert_eq!(row["zone_quality"], "stated");
        assert_eq!(row["in_order"], 1, "{row}");
        assert!(row["shipment_id"].as_str().unwrap().contains("MSKU1234565"));
    }
    d.wait_for("SELECT max(revision) FROM shipments", 2);
    d.audit();
    assert_eq!(d.number("SELECT count() FROM shipments"), 1);
    assert_eq!(d.number("SELECT count() FROM rejects"), 0);
    // No broker disk holds plaintext.
    let log = std::process::Command::new("grep")
        .args(["-rlc", "-e", "BK4711", "--include=*.log"])
        .arg(d.servers.state.join("kafka"))
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&log.stdout), "", "plaintext on the broker's disk");
}

#[test]
fn bad_input_gets_its_code_and_the_next_good_record_goes_through() {
    let d = Deployment::new("bad", "");
    d.add_carrier("acme-line");
    let _processes = d.start_all();

    d.publish("acme-line", DCSA_22, b"this is no JSON", &["--shipment", "h-1"]);
    // A carrier that nobody registered, and one whose key is not the registered one.
    d.ok(&[
        "carriers",
        "add",
        "ghost",
        "--name",
        "x",
        "--new-key",
        d.folder.join("ghost.pem").to_str().unwrap(),
    ]);
    let registry = d.folder.join("carriers.json");
    let with_ghost = std::fs::read_to_string(&registry).unwrap();
    let mut without: Value = serde_json::from_str(&with_ghost).unwrap();
    without["carriers"].as_array_mut().unwrap().retain(|c| c["id"] != "ghost");
    std::fs::write(&registry, without.to_string()).unwrap();
    std::thread::sleep(3 * SECOND);
    let good = equipment_event("MSKU1234565", "GTIN", &ago(5)).to_string();
    d.publish("ghost", DCSA_22, good.as_bytes(), &["--shipment", "h-1"]);
    std::fs::copy(d.folder.join("acme-line.pem"), d.folder.join("saved.pem")).unwrap();
    std::fs::copy(d.folder.join("ghost.pem"), d.folder.join("acme-line.pem")).unwrap();
    d.publish("acme-line", DCSA_22, good.as_bytes(), &["--shipment", "h-1"]);
    std::fs::copy(d.folder.join("saved.pem"), d.folder.join("acme-line.pem")).unwrap();
    d.produce_raw(Some(b"h-1"), Some(&vec![b'A'; 950_000]));
    d.produce_raw(Some(b"h-1"), None);
    let tomorrow = equipment_event("MSKU1234565", "LOAD", &ago(-30)).to_string();
    d.publish("acme-line", DCSA_22, tomorrow.as_bytes(), &["--shipment", "h-1"]);
    d.publish("acme-line", "application/x-nothing", good.as_bytes(), &["--shipment", "h-1"]);
    d.publish("acme-line", DCSA_22, good.as_bytes(), &["--shipment", "h-1"]);

    d.wait_for("SELECT count() FROM rejects", 7);
    d.wait_for("SELECT count() FROM events", 1);
    let found: Vec<(String, String, String)> = d
        .rows(
            "SELECT code, stage, carrier_id FROM rejects ORDER BY source_partition, source_offset",
        )
        .iter()
        .map(|r| {
            let text = |k: &str| r[k].as_str().unwrap().to_owned();
            (text("code"), text("stage"), text("carrier_id"))
        })
        .collect();
    let expected = [
        ("unparsable", "validate", "acme-line"),
        ("unknown_carrier", "decrypt", ""),
        ("bad_proof", "decrypt", "acme-line"),
        ("oversize", "decrypt", ""),
        ("malformed", "decrypt", ""),
        ("in_future", "validate", "acme-line"),
        ("unknown_format", "validate", "acme-line"),
    ];
    let mut found_sorted = found.clone();
    found_sorted.sort();
    let mut expected: Vec<(String, String, String)> =
        expected.iter().map(|(a, b, c)| ((*a).into(), (*b).into(), (*c).into())).collect();
    expected.sort();
    assert_eq!(found_sorted, expected);
    let told = d.rows("SELECT detail FROM rejects");
    assert!(told.iter().all(|r| !r["detail"].as_str().unwrap().contains("this is")), "{told:?}");
    d.audit();
}

#[test]
fn fused_and_apart_give_the_same_rows() {
    let apart = Deployment::new("apart", "");
    let simulate = |d: &Deployment| {
        d.ok(&[
            "simulate",
            "--register",
            "--signing-keys",
            d.folder.join("carriers").to_str().unwrap(),
            "--rate",
            "0",
            "--messages",
            "3000",
            "--seed",
            "11",
            "--containers",
            "40",
            "--truth",
            d.folder.join("truth.json").to_str().unwrap(),
        ]);
    };
    simulate(&apart);
    // The same sealed records, read by another deployment in its own way.
    let fused = Deployment::new("fused", "");
    for file in ["carriers.json", "keys"] {
        let from = apart.folder.join(file);
        let copied =
            std::process::Command::new("cp").args(["-r"]).arg(&from).arg(&fused.folder).status();
        assert!(copied.unwrap().success());
    }
    let config = std::fs::read_to_string(fused.config()).unwrap();
    let sealed = format!("partitions = 2\nsealed = \"{}sealed\"\n", apart.prefix);
    std::fs::write(fused.config(), config.replace("partitions = 2\n", &sealed)).unwrap();

    let _one = apart.start_all();
    let _other = ["decrypt,validate,enrich", "aggregate", "clickhouse"].map(|s| fused.start(s));
    let truth = Truth::read(&apart.folder.join("truth.json"));
    for d in [&apart, &fused] {
        d.wait_for("SELECT count() FROM events", truth.events);
        d.wait_for("SELECT sum(duplicates) FROM shipments", truth.duplicates);
        d.wait_for("SELECT count() FROM rejects", truth.rejected());
        d.audit();
    }
    // All but the times of processing, and what follows from the order in which partitions
    // happened to be read.
    let same = [
        "SELECT carrier_id, handle, message_id, toString(event_id) AS event_id, shipment_id, milestone, classifier, raw_code, \
         toString(occurred_at) AS occurred_at, zone_quality, unlocode, country, source_partition, \
         source_offset, toString(sealed_at) AS sealed_at, toString(received_at) AS received_at \
         FROM events ORDER BY event_id",
        "SELECT code, stage, carrier_id, source_partition, source_offset, detail FROM rejects \
         ORDER BY source_partition, source_offset",
        "SELECT shipment_id, carrier_id, revision, duplicates, last_unlocode, last_milestone, \
         finished, origin_unlocode, destination_unlocode, delay_ms, round(distance_km, 3) AS km \
         FROM shipments ORDER BY shipment_id",
    ];
    for sql in same {
        let (a, b) = (apart.rows(sql), fused.rows(sql));
        assert!(!a.is_empty(), "{sql}");
        assert_eq!(a.len(), b.len(), "{sql}");
        for (a, b) in a.iter().zip(&b) {
            assert_eq!(a, b, "{sql}");
        }
    }
}

/// Simulated carriers, in the background; what they sent is in `truth.json` when they are done.
fn simulate(
    d: &Deployment,
    rate: &'static str,
    seconds: &'static str,
    seed: &'static str,
) -> std::thread::JoinHandle<()> {
    let (config, folder) = (d.config(), d.folder.clone());
    std::thread::spawn(move || {
        let out = std::process::Command::new(Deployment::binary())
            .arg("--config")
            .arg(config)
            .args(["simulate", "--register", "--rate", rate, "--seconds", seconds, "--seed", seed])
            .args(["--containers", "50", "--signing-keys"])
            .arg(folder.join("carriers"))
            .arg("--truth")
            .arg(folder.join("truth.json"))
            .output()
            .unwrap();
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    })
}

/// Everything that the carriers say they sent came to what they say it must, once.
fn expect_truth(d: &Deployment) {
    let truth = Truth::read(&d.folder.join("truth.json"));
    d.wait_for("SELECT uniqExact(event_id) FROM events", truth.events);
    d.wait_for("SELECT sum(duplicates) FROM shipments", truth.duplicates);
    d.wait_for("SELECT count() FROM rejects", truth.rejected());
    d.audit();
    assert_eq!(d.number("SELECT count() FROM events"), truth.events);
    assert_eq!(d.number("SELECT uniqExact(event_id) FROM events"), truth.events);
    assert_eq!(d.number("SELECT sum(duplicates) FROM shipments"), truth.duplicates);
    let found: std::collections::BTreeMap<String, i64> = d
        .rows("SELECT code, count() AS n FROM rejects GROUP BY code")
        .iter()
        .map(|r| (r["code"].as_str().unwrap().to_owned(), r["n"].as_i64().unwrap()))
        .collect();
    assert_eq!(found, truth.rejects);
}

/// A frozen process is put out of its group, and what it held when it woke is another's by then,
/// or its own again as somebody else.
#[test]
fn frozen_processes_wake_up_as_nobody_and_join_anew() {
    let d = Deployment::new("freeze", "");
    let processes: Vec<_> = ["decrypt", "validate", "enrich", "aggregate", "clickhouse"]
        .into_iter()
        .map(|stage| d.start(stage))
        .collect();
    let simulation = simulate(&d, "400", "20", "6");
    std::thread::sleep(3 * SECOND);
    let all = |signal| processes.iter().for_each(|p| p.signal(signal));
    all("STOP");
    // Longer than the session time-out of 10 s.
    std::thread::sleep(13 * SECOND);
    all("CONT");
    simulation.join().unwrap();
    expect_truth(&d);
    let put_out = processes
        .iter()
        .filter(|p| p.log().contains("put us out") || p.log().contains("took our partitions away"));
    assert!(put_out.count() > 0, "nobody noticed");
}

#[test]
fn killed_processes_lose_nothing_and_repeat_nothing() {
    let d = Deployment::new("kill", "");
    let mut processes: Vec<_> = ["decrypt", "validate", "enrich", "aggregate", "clickhouse"]
        .into_iter()
        .map(|stage| (stage, d.start(stage)))
        .collect();
    let simulation = simulate(&d, "600", "15", "5");
    std::thread::sleep(5 * SECOND);
    for (stage, process) in &mut processes {
        process.kill();
        *process = d.start(stage);
        std::thread::sleep(SECOND / 2);
    }
    simulation.join().unwrap();
    expect_truth(&d);
}

#[test]
fn partitions_move_between_instances_without_loss_or_repetition() {
    let d = Deployment::new("move", "");
    let _rest: Vec<_> = ["decrypt", "validate", "enrich", "clickhouse"].map(|s| d.start(s)).into();
    let first = d.start_as("aggregate", "a");
    let simulate = |seed: &str| {
        d.ok(&[
            "simulate",
            "--register",
            "--signing-keys",
            d.folder.join("carriers").to_str().unwrap(),
            "--rate",
            "0",
            "--messages",
            "1500",
            "--seed",
            seed,
            "--containers",
            "40",
            "--bad",
            "0",
            "--duplicates",
            "0.2",
        ]);
    };
    let all = "SELECT (SELECT count() FROM events) + (SELECT sum(duplicates) FROM shipments)";
    simulate("1");
    d.wait_for(all, 1500);
    // A second one joins and takes its share with the state; the first then leaves.
    let second = d.start_as("aggregate", "b");
    wait_until("the second to have a partition", 30 * SECOND, || {
        second.metric("waybill_assigned_partitions", "") >= 1.0
    });
    simulate("2");
    d.wait_for(all, 3000);
    first.stop(20 * SECOND);
    simulate("3");
    d.wait_for(all, 4500);
    assert_eq!(d.number("SELECT count() - uniqExact(event_id) FROM events"), 0);
    assert_eq!(d.number(all), 4500);
    d.audit();
    assert!(second.metric("waybill_state_shipments", "") > 0.0);
}

/// A member that dies in the middle of a rebalance and comes back under its name (`unassigned.rs` of the
/// runtime).
#[test]
fn partitions_that_a_rebalance_left_to_nobody_find_an_owner() {
    let d = Deployment::new("orphans", "");
    d.add_carrier("acme-line");
    let mut dying =
        d.spawn("validate", "validate-a", &[("FAILPOINTS", "partitions_revoked=1*return")]);
    wait_until("validate-a to be ready", Duration::from_secs(60), || {
        dying.get("/readyz").is_some()
    });
    let other = d.start_as("validate", "validate-b");
    wait_until("validate-a to die", Duration::from_secs(60), || dying.has_ended());
    let back = d.start_as("validate", "validate-a");
    let _others: Vec<_> =
        ["decrypt", "enrich", "aggregate", "clickhouse"].into_iter().map(|s| d.start(s)).collect();
    for n in 0..40 {
        let payload = equipment_event("MSKU1234565", "GTIN", &ago(5)).to_string();
        let handle = format!("h-{n}");
        d.publish("acme-line", DCSA_22, payload.as_bytes(), &["--shipment", &handle]);
    }
    d.wait_for("SELECT count() FROM events", 40);
    let logs = other.log() + &back.log();
    assert!(logs.contains("nobody's"), "no partition was left to nobody: {logs}");
    d.audit();
}

#[test]
fn a_broken_carriers_file_leaves_the_last_good_one_in_force() {
    let d = Deployment::new("carriers", "");
    d.add_carrier("acme-line");
    let processes = d.start_all();
    let good = equipment_event("MSKU1234565", "GTIN", &ago(5)).to_string();
    let registry = d.folder.join("carriers.json");
    let text = std::fs::read_to_string(&registry).unwrap();
    std::fs::write(&registry, "{ broken").unwrap();
    wait_until("the alarm", 20 * SECOND, || {
        processes[0].metric("waybill_file_ok", "carriers") == 0.0
    });
    d.publish("acme-line", DCSA_22, good.as_bytes(), &["--shipment", "h-1"]);
    d.wait_for("SELECT count() FROM events", 1);
    std::fs::write(&registry, text).unwrap();
    wait_until("the alarm to end", 20 * SECOND, || {
        processes[0].metric("waybill_file_ok", "carriers") == 1.0
    });
    d.ok(&["carriers", "suspend", "acme-line"]);
    std::thread::sleep(3 * SECOND);
    d.publish("acme-line", DCSA_22, good.as_bytes(), &["--shipment", "h-1"]);
    d.wait_for("SELECT count() FROM rejects WHERE code = 'suspended_carrier'", 1);
    d.audit();
    for process in processes {
        process.stop(20 * SECOND);
    }
}

#[test]
fn a_row_that_the_store_refuses_is_answered_and_the_others_are_stored() {
    let d = Deployment::new("refused", "");
    d.execute("ALTER TABLE events ADD CONSTRAINT no_gate_in CHECK milestone != 'gate_in'");
    d.add_carrier("acme-line");
    let _processes = d.start_all();
    for (container, code) in [("MSKU1234565", "GTIN"), ("CSQU3054383", "GTOT")] {
        let event = equipment_event(container, code, &ago(5)).to_string();
        d.publish("acme-line", DCSA_22, event.as_bytes(), &["--shipment", "h-1"]);
    }
    d.wait_for("SELECT count() FROM events WHERE milestone = 'gate_out'", 1);
    d.wait_for("SELECT count() FROM rejects WHERE code = 'storage_refused'", 1);
    let reject = &d.rows("SELECT stage, carrier_id, source_offset FROM rejects")[0];
    assert_eq!(reject["stage"], "clickhouse");
    assert_eq!(reject["carrier_id"], "acme-line");
    // Aggregate has accepted it: sent through once more it would be a duplicate, and not stored.
    let said = d.ok(&["rejects", "redrive", "--code", "storage_refused"]);
    assert!(said.contains("refused: it was accepted, and the store refused it"), "{said}");
    d.audit();
    assert_eq!(d.number("SELECT count() FROM events"), 1);
}

#[test]
fn the_real_dcsa_files_come_through_and_the_wrong_ones_are_answered() {
    let Some(folder) = shared("data/dcsa") else { return };
    // Its events are of 2019 to 2021: an import of old data, agreed with the carrier.
    let d = Deployment::new("dcsa", "[validate]\nmax_event_age = \"3650d\"");
    d.add_carrier("acme-line");
    let _processes = d.start_all();
    let mut expected = 0;
    for (version, file, events) in [
        ("2.2", "tnt-220-response.json", 7),
        ("3.0", "tnt-300-request-equipment.json", 1),
        ("3.0", "tnt-300-request-iot.json", 1),
        ("3.0", "tnt-300-request-reefer.json", 1),
        ("3.0", "tnt-300-request-shipment.json", 1),
        ("3.0", "tnt-300-request-transport.json", 1),
    ] {
        let payload = std::fs::read(folder.join(file)).unwrap();
        let media = format!("application/vnd.dcsa.tnt+json;version={version}");
        d.publish("acme-line", &media, &payload, &["--shipment", file]);
        expected += events;
    }
    for file in ["tnt-300-response.json", "tnt-300-response-nextpage.json"] {
        let payload = std::fs::read(folder.join(file)).unwrap();
        let parsed: Value = serde_json::from_slice(&payload).unwrap();
        expected += i64::try_from(parsed["events"].as_array().unwrap().len()).unwrap();
        d.publish(
            "acme-line",
            "application/vnd.dcsa.tnt+json;version=3.0",
            &payload,
            &["--shipment", file],
        );
    }
    d.wait_for("SELECT count() FROM events", expected);
    assert_eq!(d.rows("SELECT * FROM rejects"), Vec::<Value>::new());
    // What they have wrong is a note; a reject is for what has no time, and for what is no event.
    for (file, events, rejects) in [
        ("tnt-220-response-wrong-attribute-values.json", 3, 0),
        ("tnt-220-response-wrong-date-times.json", 6, 1),
        ("tnt-220-response-wrong-event-ids.json", 7, 0),
        ("tnt-220-response-wrong-structure.json", 0, 2),
    ] {
        let payload = std::fs::read(folder.join(file)).unwrap();
        d.publish("acme-line", DCSA_22, &payload, &["--shipment", file]);
        d.wait_for(&format!("SELECT count() FROM rejects WHERE handle = '{file}'"), rejects);
        d.wait_for(&format!("SELECT count() FROM events WHERE handle = '{file}'"), events);
    }
    let codes = d.rows("SELECT code, count() AS n FROM rejects GROUP BY code ORDER BY code");
    let codes: Vec<String> =
        codes.iter().map(|row| format!("{} {}", row["code"], row["n"])).collect();
    assert_eq!(codes, ["\"missing_field\" 1", "\"wrong_structure\" 2"]);
    let noted =
        |note: &str| d.number(&format!("SELECT count() FROM events WHERE has(notes, '{note}')"));
    assert!(noted("odd_field") >= 4 && noted("missing_field") >= 1);
    d.audit();
}
