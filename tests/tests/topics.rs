//! The topics take what is sent (a share of a transaction is one request), and keep it as long as is configured.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};
use waybill_tests::{Attacker, DCSA_22, Deployment, Servers, Topic, gate_in, wait_until};

const REQUEST_BYTES: &str = "16777216";

#[test]
fn a_topic_that_takes_too_little_is_named_and_mended() {
    let d = Deployment::new("topics", "");
    let valid = Topic::of(&d, "valid");
    assert_eq!(valid.get("max.message.bytes"), REQUEST_BYTES);
    assert_ne!(Topic::of(&d, "sealed").get("max.message.bytes"), REQUEST_BYTES);

    let retention = valid.get("retention.ms");
    valid.set(&[
        ("max.message.bytes", "1000000"),
        ("retention.ms", &retention),
        ("segment.ms", "3600000"),
        ("retention.bytes", "1000000000"),
        ("compression.type", "uncompressed"),
    ]);
    let process = d.spawn("validate", "1", &[]);
    wait_until("validate to say what is wrong", Duration::from_secs(60), || {
        process.log().contains("max.message.bytes=1000000, and must have 16777216")
    });
    assert!(process.get("/readyz").is_none(), "it runs all the same");

    let said = d.ok(&["topics"]);
    assert_eq!(said, format!("topics: set {}: max.message.bytes=16777216\n", valid.name));
    assert_eq!(valid.get("max.message.bytes"), REQUEST_BYTES);
    assert_eq!(valid.get("retention.bytes"), "1000000000", "what was set by others stays");
    assert_eq!(valid.get("segment.ms"), "3600000", "less than the most is well");
    assert_eq!(d.ok(&["topics"]), "topics: all there\n");
    wait_until("validate to go on", Duration::from_secs(60), || process.get("/readyz").is_some());
}

/// A group that a tool has reset, an offset that is lost, a partition that was added: each is said, and counted.
#[test]
fn offsets_that_nobody_of_us_has_committed_are_noticed() {
    let d = Deployment::on(Servers::find(), "strange", 2, "");
    d.add_carrier("acme-line");
    for shipment in ["h-1", "h-2", "h-3", "h-4", "h-5"] {
        d.publish("acme-line", DCSA_22, &gate_in("MSKU1234565"), &["--shipment", shipment]);
    }
    let process = d.start("decrypt");
    wait_until("all to be read", Duration::from_secs(30), || {
        process.metric("waybill_records_total", "passed") >= 5.0
    });
    assert_eq!(process.metric("waybill_strange_offsets_total", ""), 0.0);
    process.stop(Duration::from_secs(20));

    let topic = format!("{}sealed", d.prefix);
    let group = format!("{}decrypt", d.prefix);
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", &d.servers.kafka).set("group.id", &group);
    let tool: BaseConsumer = config.create().unwrap();
    let mut offsets = TopicPartitionList::new();
    offsets.add_partition_offset(&topic, 0, Offset::Offset(0)).unwrap();
    // A static member stays one until its session is over.
    wait_until("the group to be empty", Duration::from_secs(30), || {
        tool.commit(&offsets, CommitMode::Sync).is_ok()
    });
    drop(tool);
    let process = d.start("decrypt");
    wait_until("the reset to be noticed", Duration::from_secs(30), || {
        process.metric("waybill_strange_offsets_total", "foreign") >= 1.0
    });
    assert!(process.log().contains("or the group was reset"), "{}", process.log());

    // A partition more: whoever reads the topic says so. That nothing is committed of it yet is no wonder.
    Topic::of(&d, "sealed").set_partitions(3);
    wait_until("the partition to be noticed", Duration::from_secs(60), || {
        process.log().contains("has 3 partitions now, and had 2")
    });
    process.stop(Duration::from_secs(20));
    // But it is, if it had records that were removed before anybody has read them.
    Attacker::of(&d, "sealed").send_to(2, b"h", Some(b"x"));
    d.remove_records("sealed");
    let process = d.start("decrypt");
    wait_until("what is lost to be noticed", Duration::from_secs(60), || {
        process.metric("waybill_strange_offsets_total", "lost") == 1.0
    });
}

#[test]
fn retention_follows_the_configuration() {
    let d = Deployment::new("retention", "");
    let topic = |role: &str| Topic::of(&d, role);
    let (valid, redrive, state) = (topic("valid"), topic("redrive"), topic("aggregate_state"));
    assert_eq!(
        (valid.get("retention.ms"), valid.get("segment.ms")),
        ("604800000".into(), "86400000".into())
    );
    assert_eq!(redrive.get("retention.ms"), "1209600000");
    assert_eq!(state.get("cleanup.policy"), "compact");

    d.configure("[topics.retention]\nvalid = \"2h\"\nredrive = \"forever\"\n");
    let process = d.spawn("validate", "1", &[]);
    wait_until("validate to say what is wrong", Duration::from_secs(60), || {
        process
            .log()
            .contains("retention.ms=604800000, and must have 7200000: `waybill topics` sets it")
    });
    assert!(process.get("/readyz").is_none(), "it runs all the same");
    let out = d.run(&["rejects", "redrive"]);
    let said = String::from_utf8_lossy(&out.stderr).into_owned();
    assert!(said.contains("redrive has retention.ms=1209600000, and must have -1"), "{said}");

    let said = d.ok(&["topics"]);
    for set in [
        format!("topics: set {}: retention.ms=-1\n", redrive.name),
        format!("topics: set {}: retention.ms=7200000\n", valid.name),
        format!("topics: set {}: segment.ms=7200000\n", valid.name),
    ] {
        assert!(said.contains(&set), "{said}");
    }
    assert_eq!(said.lines().count(), 3, "{said}");
    assert_eq!(redrive.get("retention.ms"), "-1");
    assert_eq!(d.ok(&["topics"]), "topics: all there\n");
    wait_until("validate to go on", Duration::from_secs(60), || process.get("/readyz").is_some());
    d.ok(&["rejects", "redrive"]);
}

/// The whole way with tables that forget: what has gone is not taken for lost, and the sink goes on.
#[test]
fn tables_forget_as_configured() {
    let d = Deployment::new("forget", "");
    let ttl = |d: &Deployment, table: &str| {
        let sql = format!(
            "SELECT extract(engine_full, 'TTL (.*) SETTINGS') AS ttl FROM system.tables
            WHERE database = currentDatabase() AND name = '{table}'"
        );
        d.rows(&sql)[0]["ttl"].as_str().unwrap().to_owned()
    };
    assert_eq!(ttl(&d, "events"), "");
    d.configure("[clickhouse.retention]\nevents = \"30d\"\nrejects = \"30d\"\nledger = \"40d\"\n");
    let process = d.spawn("clickhouse", "1", &[]);
    wait_until("the sink to say what is wrong", Duration::from_secs(60), || {
        process.log().contains("run `waybill migrate`") && process.log().contains("has TTL none")
    });
    let said = d.ok(&["migrate"]);
    let days = |n: u32| format!("toIntervalSecond({})", n * 86_400);
    assert!(
        said.contains(&format!("migrate: set events: toDateTime(received_at) + {}\n", days(30))),
        "{said}"
    );
    assert_eq!(ttl(&d, "ledger"), format!("toDateTime(committed_at) + {}", days(40)));
    assert!(d.ok(&["migrate"]).contains("is up to date"));
    wait_until("the sink to go on", Duration::from_secs(60), || process.get("/readyz").is_some());
    d.audit();
}
