//! The topics take what is sent: a share of a transaction is one request.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::time::Duration;

use waybill_tests::{Deployment, Topic, wait_until};

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
