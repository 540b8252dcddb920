//! The topics take what is sent: a share of a transaction is one request.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};
use waybill_tests::{DCSA_22, Deployment, Servers, Topic, gate_in, wait_until};

const REQUEST_BYTES: &str = "16777216";

#[test]
fn a_topic_that_takes_too_little_is_named_and_mended() {
    let d = Deployment::new("topics", "");
    let valid = Topic::of(&d, "valid");
    assert_eq!(valid.get("max.message.bytes"), REQUEST_BYTES);
    assert_ne!(Topic::of(&d, "sealed").get("max.message.bytes"), REQUEST_BYTES);

    valid.set(&[
        ("max.message.bytes", "1000000"),
        ("retention.ms", "86400000"),
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
    assert_eq!(valid.get("retention.ms"), "86400000", "what was set by others stays");
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

    // A partition more: whoever reads the topic says so, and goes on as one that knows.
    Topic::of(&d, "sealed").set_partitions(3);
    wait_until("the partition to be noticed", Duration::from_secs(60), || {
        process.log().contains("has 3 partitions now, and had 2")
    });
    wait_until("it to be read all the same", Duration::from_secs(60), || {
        process.metric("waybill_strange_offsets_total", "lost") >= 1.0
    });
}
