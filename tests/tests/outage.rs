//! ClickHouse is away for long: reading pauses, memory stays flat, and when it is back everything
//! goes in by itself.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::time::Duration;

use waybill_tests::{Deployment, OwnServers, Truth, wait_until};

#[test]
fn while_clickhouse_is_away_reading_pauses_and_memory_stays_flat() {
    let servers = OwnServers::start();
    let sink = "[sink]\nrecords = 500\nbytes = 33554432\nage = \"500ms\"";
    let d = Deployment::on(servers.addresses(), "outage", 2, sink);
    let _rest = ["decrypt", "validate", "enrich", "aggregate"].map(|stage| d.start(stage));
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

    servers.up();
    d.wait_for("SELECT count() FROM events", truth.events);
    d.wait_for("SELECT count() FROM rejects", truth.rejected());
    d.audit();
    assert_eq!(d.number("SELECT count() FROM events"), truth.events);
}
