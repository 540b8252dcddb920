//! The topics take what is sent: a share of a transaction is one request.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, AlterConfig, ResourceSpecifier};
use rdkafka::client::DefaultClientContext;
use waybill_tests::{Deployment, wait_until};

const REQUEST_BYTES: &str = "16777216";

struct Topic {
    name: String,
    admin: AdminClient<DefaultClientContext>,
    runtime: tokio::runtime::Runtime,
}

impl Topic {
    fn of(d: &Deployment, role: &str) -> Self {
        let admin =
            ClientConfig::new().set("bootstrap.servers", &d.servers.kafka).create().unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        Self { name: format!("{}{role}", d.prefix), admin, runtime }
    }

    fn set(&self, settings: &[(&str, &str)]) {
        let mut change = AlterConfig::new(ResourceSpecifier::Topic(&self.name));
        for (key, value) in settings {
            change = change.set(key, value);
        }
        let done = self.admin.alter_configs([&change], &AdminOptions::new());
        for result in self.runtime.block_on(done).unwrap() {
            result.unwrap();
        }
    }

    fn get(&self, key: &str) -> String {
        let asked = [ResourceSpecifier::Topic(&self.name)];
        let found = self.admin.describe_configs(&asked, &AdminOptions::new());
        let found = self.runtime.block_on(found).unwrap().pop().unwrap().unwrap();
        found.get(key).unwrap().value.clone().unwrap()
    }
}

#[test]
fn a_topic_that_takes_too_little_is_named_and_mended() {
    let d = Deployment::new("topics", "");
    let valid = Topic::of(&d, "valid");
    assert_eq!(valid.get("max.message.bytes"), REQUEST_BYTES);
    assert_ne!(Topic::of(&d, "sealed").get("max.message.bytes"), REQUEST_BYTES);

    valid.set(&[("max.message.bytes", "1000000"), ("retention.ms", "86400000")]);
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
