//! What librdkafka tells of the group and of itself. Its callbacks do nothing but write that down.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use rdkafka::client::ClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer as _, ConsumerContext};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::types::RDKafkaRespErr;
use rdkafka::{Statistics, TopicPartitionList};
use waybill_host::metrics::metrics;

#[derive(Clone)]
pub(super) enum Change {
    Assigned(TopicPartitionList),
    Revoked(TopicPartitionList),
    Failed(String),
}

/// The callbacks do nothing but write down what librdkafka said. The group waits until the loop
/// has taken or given the partitions, outside of any callback.
#[derive(Default)]
pub(crate) struct Group {
    pub(super) changes: Mutex<VecDeque<Change>>,
    /// The consumer is being dropped: nobody runs the loop any more.
    pub(super) closing: AtomicBool,
    /// Nothing is fetched, so the client does not learn what comes.
    pub(super) paused: AtomicBool,
    /// No broker is connected, by what the client said last.
    pub(super) is_away: AtomicBool,
}

impl ClientContext for Group {
    fn stats(&self, statistics: Statistics) {
        let is_up = statistics.brokers.values().any(|b| b.nodeid >= 0 && b.state == "UP");
        self.is_away.store(!is_up, Ordering::Relaxed);
        if self.paused.load(Ordering::Relaxed) {
            return;
        }
        let lag = &metrics().lag;
        for (topic, t) in &statistics.topics {
            for (number, p) in &t.partitions {
                // -1 stands for partitions that this process does not read.
                if *number >= 0
                    && let Some(waiting) = waiting(p)
                {
                    lag.with_label_values(&[topic.as_str(), &number.to_string()]).set(waiting);
                }
            }
        }
    }

    fn error(&self, error: KafkaError, reason: &str) {
        // librdkafka reconnects by itself; what is fatal comes out of poll or commit too.
        tracing::warn!(target: "kafka", %error, reason, "kafka client");
    }
}

/// Records up to the last stable offset that the loop has not taken yet. (librdkafka's own
/// `consumer_lag` goes by what this consumer commits, and transactions commit past it.)
fn waiting(p: &rdkafka::statistics::Partition) -> Option<i64> {
    if p.ls_offset < 0 {
        return None;
    }
    // With nothing fetched in hand, markers at the end count as read.
    let read = if p.fetchq_cnt == 0 { p.next_offset.max(p.app_offset) } else { p.app_offset };
    (read >= 0).then_some((p.ls_offset - read).max(0))
}

impl ConsumerContext for Group {
    fn rebalance(
        &self,
        consumer: &BaseConsumer<Self>,
        err: RDKafkaRespErr,
        partitions: &mut TopicPartitionList,
    ) {
        if self.closing.load(Ordering::Relaxed) {
            if err == RDKafkaRespErr::RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS {
                let _ = consumer.incremental_unassign(partitions);
            }
            return;
        }
        let change = match err {
            RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS => {
                Change::Assigned(partitions.clone())
            }
            RDKafkaRespErr::RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS => {
                Change::Revoked(partitions.clone())
            }
            other => Change::Failed(RDKafkaErrorCode::from(other).to_string()),
        };
        self.changes.lock().unwrap_or_else(PoisonError::into_inner).push_back(change);
    }
}
