//! ClickHouse is away: for long, and for too long.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::time::Duration;

use waybill_tests::{DCSA_22, Deployment, OwnServers, Process, Truth, gate_in, wait_until};

#[test]
fn while_clickhouse_is_away_reading_pauses_and_memory_stays_flat() {
    let servers = OwnServers::start();
    let sink = "[sink]\nrecords = 500\nbytes = 33554432\nage = \"500ms\"";
    let d = Deployment::on(servers.addresses(), "outage", 2, sink);
    let _rest = d.start_each(&["decrypt", "validate", "enrich", "aggregate"]);
    let process = d.start("clickhouse");
    let lag = || process.metric("waybill_lag_records", ".events\"");
    let memory = || process.metric("process_resident_memory_bytes", "");

    servers.kill("clickhouse");
    d.ok(&[
        "simulate",
        "--register",
        "--signing-keys",
        d.folder.join("carriers").to_str().unwrap(),
        "--rate",
        "0",
        "--messages",
        "20000",
        "--containers",
        "400",
        "--truth",
        d.folder.join("truth.json").to_str().unwrap(),
    ]);
    let truth = Truth::read(&d.folder.join("truth.json"));
    // Two ranges in hand at most, one claimed and one gathered: the rest stays in Kafka.
    #[allow(clippy::cast_precision_loss)]
    let most = truth.events as f64;
    wait_until("the events to wait", Duration::from_secs(60), || lag() > most - 2_500.0);
    let before = memory();
    std::thread::sleep(Duration::from_secs(15));
    assert!(lag() > most - 2_500.0, "read on without a store: {}", lag());
    assert!(memory() < before + 16e6, "{before} grew to {}", memory());
    assert!(process.get("/healthz").is_some(), "{}", process.log());
    assert!(process.get("/readyz").is_none(), "it is ready, and its store is away");

    servers.up();
    d.wait_for("SELECT count() FROM events", truth.events);
    wait_until("it to be ready", Duration::from_secs(30), || process.get("/readyz").is_some());
    d.wait_for("SELECT count() FROM rejects", truth.rejected());
    d.audit();
    assert_eq!(d.number("SELECT count() FROM events"), truth.events);
}

/// Who waits for Kafka is healthy, and not ready: one that runs, and one that starts meanwhile.
#[test]
fn while_kafka_is_away_processes_live_and_are_not_ready() {
    let servers = OwnServers::start();
    let d = Deployment::on(servers.addresses(), "away", 1, "");
    let before = ["validate", "clickhouse"].map(|stage| d.start(stage));
    servers.kill("kafka");
    let meanwhile = d.spawn("enrich", "1", &[]);
    wait_until("it to be up", Duration::from_secs(30), || meanwhile.get("/healthz").is_some());
    let all = || before.iter().chain([&meanwhile]);
    let is_ready = |process: &Process| process.get("/readyz").is_some();
    wait_until("none to be ready", Duration::from_secs(30), || !all().any(is_ready));
    for _ in 0..20 {
        std::thread::sleep(Duration::from_secs(1));
        for process in all() {
            assert!(process.get("/healthz").is_some(), "{}", process.log());
            assert!(!is_ready(process), "it is ready without Kafka");
        }
    }
    servers.up();
    wait_until("all to be ready", Duration::from_secs(90), || all().all(is_ready));
}

/// Reading stops at the first record, before anything of most partitions was read: what waits there is
/// shown all the same.
#[test]
fn what_waits_is_shown_of_partitions_of_which_nothing_was_read() {
    let servers = OwnServers::start();
    let sink = "[sink]\nrecords = 1\nage = \"10ms\"";
    let d = Deployment::on(servers.addresses(), "unread", 4, sink);
    let _rest = d.start_each(&["decrypt", "validate", "enrich", "aggregate"]);
    let process = d.start("clickhouse");
    servers.kill("clickhouse");
    let keys = d.folder.join("carriers");
    let simulated = ["simulate", "--register", "--rate", "0", "--messages", "400", "--bad", "0"];
    d.ok(&[&simulated[..], &["--duplicates", "0", "--signing-keys", keys.to_str().unwrap()]]
        .concat());
    // In hand, at most: one that is claimed, one that was gathered, and what came with them.
    wait_until("the events to wait", Duration::from_secs(30), || {
        process.metric("waybill_lag_records", ".events\"") >= 390.0
    });
}

/// Records that retention removed before they were stored are gone. Nobody goes on as if they had
/// never been: the sink says so, again and again, and the audit names them.
#[test]
fn what_was_removed_before_it_was_stored_is_a_loud_fault() {
    let d = Deployment::new("eaten", "");
    let rest = d.start_each(&["decrypt", "validate", "enrich", "aggregate"]);
    let sink = d.start("clickhouse");
    let simulate = |seed: &str| {
        d.ok(&[
            "simulate",
            "--register",
            "--signing-keys",
            d.folder.join("carriers").to_str().unwrap(),
            "--rate",
            "0",
            "--messages",
            "500",
            "--seed",
            seed,
            "--bad",
            "0",
            "--duplicates",
            "0",
        ]);
    };
    simulate("1");
    d.wait_for("SELECT count() FROM events", 500);
    sink.stop(Duration::from_secs(20));
    simulate("2");
    wait_until("aggregate to have passed them on", Duration::from_secs(60), || {
        rest[3].metric("waybill_events_total", "passed") >= 1000.0
    });
    d.remove_records("events");
    let mut sink = d.spawn("clickhouse", "1", &[]);
    wait_until("the sink to say so", Duration::from_secs(60), || {
        sink.log().contains("was removed before it was read")
    });
    assert!(!sink.has_ended() && sink.get("/readyz").is_none());
    assert_eq!(d.number("SELECT count() FROM events"), 500);
    let audit = d.run(&["audit", "--wait", "1s"]);
    assert!(!audit.status.success(), "{}", String::from_utf8_lossy(&audit.stdout));
}

/// Kafka is rebuilt, ClickHouse is kept: the topics have their old names, and begin at offset 0. ClickHouse
/// took what was new for a copy of what it had, by its token, and the sink counted it as stored.
#[test]
fn what_comes_after_kafka_was_rebuilt_is_stored() {
    let servers = OwnServers::start();
    let d = Deployment::on(servers.addresses(), "rebuilt", 1, "");
    d.add_carrier("acme-line");
    let publish = |containers: &[&str]| {
        let events: Vec<_> = containers.iter().map(|c| gate_in(c)).collect();
        d.publish_all("acme-line", DCSA_22, &events, &["--shipment", "h-1"]);
    };
    publish(&["MSKU1234565", "MSKU0000006"]);
    {
        let _processes = d.start_all();
        d.wait_for("SELECT count() FROM events", 2);
        d.audit();
    }
    servers.rebuild_kafka();
    d.ok(&["topics"]);
    publish(&["CSQU3054383", "TCLU4265447"]);
    let processes = d.start_all();
    d.wait_for("SELECT count() FROM events", 4);
    d.wait_for("SELECT uniqExact(kafka_topic_id) FROM events", 2);
    let said = d.ok(&["audit", "--wait", "20s"]);
    assert!(said.contains("events     began anew: of the topic before it"), "{said}");
    assert_eq!(processes[4].metric("waybill_restarts_total", ""), 0.0);
}
