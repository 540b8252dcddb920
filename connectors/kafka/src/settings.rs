use std::fmt;

use rdkafka::ClientConfig;
use waybill_host::batch::BatchLimits;

use crate::acl::Acl;
use crate::hand_over::one_request_a_partition;
use crate::{Topics, timeouts};

/// A request of a transaction is at most 16 MiB, and one comes whole; so an answer is at most twice that, and
/// so is what librdkafka unpacks of zstd.
pub(crate) const FETCH_BYTES: &str = "16777216";
pub(crate) const ANSWER_BYTES: &str = "34603008";

/// How to reach Kafka: librdkafka properties for brokers, TLS and SASL. Never printed.
#[derive(Clone, Default)]
pub struct KafkaConnection(pub Vec<(String, String)>);

impl fmt::Debug for KafkaConnection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(key, _)| key)).finish()
    }
}

impl KafkaConnection {
    pub fn client(&self) -> ClientConfig {
        let mut config = ClientConfig::new();
        for (key, value) in &self.0 {
            config.set(key, value);
        }
        config
    }

    /// As whom the broker knows us, as far as that is to be seen from here: of a certificate it is what the broker
    /// makes of its subject (`ssl.principal.mapping.rules`).
    pub fn principal(&self) -> String {
        let username = self.0.iter().find(|(key, _)| key == "sasl.username");
        username.map_or_else(|| "User:OURS".to_owned(), |(_, name)| format!("User:{name}"))
    }
}

/// What a host must know beside its processor.
#[derive(Clone, Debug)]
pub struct HostSettings {
    pub connection: KafkaConnection,
    pub topics: Topics,
    /// Consumer group of the process.
    pub group: String,
    /// A name that stays with this instance over restarts: it then gets its partitions back
    /// without a rebalance, and its broken transaction is ended at once. Absent: a new one each
    /// start.
    pub instance: Option<String>,
    pub limits: BatchLimits,
}

impl HostSettings {
    /// What the transactional ids of the group's processes begin with.
    pub(crate) fn transactional_prefix(&self) -> String {
        format!("{}-", self.group)
    }

    /// What they need.
    pub(crate) fn transactional(&self) -> Acl {
        Acl::transactional(&self.transactional_prefix(), true)
    }

    pub(crate) fn consumer(&self) -> ClientConfig {
        let mut config = self.connection.client();
        config
            .set("group.id", &self.group)
            .set("enable.auto.commit", "false")
            .set("enable.auto.offset.store", "false")
            // Where reading begins is always said; an offset that is not there is a fault.
            .set("auto.offset.reset", "error")
            .set("isolation.level", "read_committed")
            .set("partition.assignment.strategy", "cooperative-sticky")
            .set("session.timeout.ms", timeouts::SESSION.as_millis().to_string())
            .set("heartbeat.interval.ms", "2000")
            .set("statistics.interval.ms", "1000")
            // How long the broker keeps a request when there is nothing: a record is sent at once.
            .set("fetch.wait.max.ms", "500")
            .set("fetch.error.backoff.ms", "50")
            .set("fetch.max.bytes", FETCH_BYTES)
            .set("receive.message.max.bytes", ANSWER_BYTES)
            // Bounds what waits unread in this process (16 MiB a partition).
            .set("queued.max.messages.kbytes", "16384")
            .set("topic.metadata.refresh.interval.ms", "30000");
        if let Some(instance) = &self.instance {
            config.set("group.instance.id", format!("{}-{instance}", self.group));
        }
        config
    }

    pub(crate) fn producer(&self) -> ClientConfig {
        let mut config = self.connection.client();
        let instance = match &self.instance {
            Some(instance) => instance.clone(),
            None => format!("{}-{}", std::process::id(), crate::health::now_ms()),
        };
        config
            .set("transactional.id", format!("{}{instance}", self.transactional_prefix()))
            .set("transaction.timeout.ms", timeouts::TRANSACTION.as_millis().to_string())
            .set("message.timeout.ms", "15000")
            .set("enable.idempotence", "true")
            // The broker ends a transaction a few ms after it has answered; one that begins within
            // those is asked to come again, and the default of 100 ms would be most of a batch.
            .set("retry.backoff.ms", "10")
            // The hash of the Java client, so that other producers agree on partitions.
            .set("partitioner", "murmur2_random");
        one_request_a_partition(&mut config);
        config
    }
}
