use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rdkafka::client::ClientContext;
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer as _, ConsumerContext, RebalanceProtocol};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::BorrowedMessage;
use rdkafka::types::RDKafkaRespErr;
use rdkafka::{Statistics, TopicPartitionList};
use waybill_stage::Fault;

use crate::metrics::metrics;

/// Everything that can come to a host's loop from Kafka.
#[derive(Debug)]
pub(crate) enum Event<'a> {
    /// These partitions are ours once [`GroupConsumer::take`] is called.
    Assigned(TopicPartitionList),
    /// These go to another once [`GroupConsumer::give`] is called.
    Revoked(TopicPartitionList),
    Record(BorrowedMessage<'a>),
    /// Nothing came within the time.
    Tick,
}

enum Change {
    Assigned(TopicPartitionList),
    Revoked(TopicPartitionList),
    Failed(String),
}

/// The callbacks do nothing but write down what librdkafka said. The group waits until the loop
/// has taken or given the partitions, outside of any callback.
pub(crate) struct Group {
    changes: Mutex<VecDeque<Change>>,
    /// The consumer is being dropped: nobody runs the loop any more.
    closing: AtomicBool,
}

impl ClientContext for Group {
    fn stats(&self, statistics: Statistics) {
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

/// A member of a consumer group, polled by hand.
pub(crate) struct GroupConsumer(BaseConsumer<Group>);

impl GroupConsumer {
    pub(crate) fn join(config: &ClientConfig, topics: &[&str]) -> Result<Self, Fault> {
        let group = Group { changes: Mutex::default(), closing: AtomicBool::new(false) };
        let consumer: BaseConsumer<Group> =
            config.create_with_context(group).map_err(|e| Fault(format!("consumer: {e}")))?;
        consumer.subscribe(topics).map_err(|e| Fault(format!("subscribing: {e}")))?;
        Ok(Self(consumer))
    }

    pub(crate) fn next(&self, wait: Duration) -> Result<Event<'_>, Fault> {
        if let Some(event) = self.change()? {
            return Ok(event);
        }
        match self.0.poll(wait) {
            Some(Ok(message)) => Ok(Event::Record(message)),
            Some(Err(error)) => Err(Fault(format!("reading: {error}"))),
            None => Ok(self.change()?.unwrap_or(Event::Tick)),
        }
    }

    fn change(&self) -> Result<Option<Event<'_>>, Fault> {
        let mut changes = self.0.context().changes.lock().unwrap_or_else(PoisonError::into_inner);
        match changes.pop_front() {
            None => Ok(None),
            Some(Change::Assigned(p)) => Ok(Some(Event::Assigned(p))),
            Some(Change::Revoked(p)) => Ok(Some(Event::Revoked(p))),
            Some(Change::Failed(why)) => Err(Fault(format!("rebalance: {why}"))),
        }
    }

    pub(crate) fn take(&self, partitions: &TopicPartitionList) -> Result<(), Fault> {
        self.0.incremental_assign(partitions).map_err(|e| Fault(format!("assigning: {e}")))
    }

    pub(crate) fn give(&self, partitions: &TopicPartitionList) -> Result<(), Fault> {
        for p in partitions.elements() {
            let labels = [p.topic(), &p.partition().to_string()];
            let _ = metrics().lag.remove_label_values(&labels);
        }
        self.0.incremental_unassign(partitions).map_err(|e| Fault(format!("unassigning: {e}")))
    }

    /// The group has given these partitions to another already: nothing of them may be committed.
    pub(crate) fn has_lost_assignment(&self) -> bool {
        self.0.assignment_lost()
    }

    /// A member of the group, be it without partitions.
    pub(crate) fn has_joined(&self) -> bool {
        !matches!(self.0.rebalance_protocol(), RebalanceProtocol::None)
    }

    pub(crate) fn inner(&self) -> &BaseConsumer<Group> {
        &self.0
    }
}

impl Drop for GroupConsumer {
    fn drop(&mut self) {
        self.0.context().closing.store(true, Ordering::Relaxed);
        // A change that waits for an answer would keep the group waiting.
        let _ = self.0.unassign();
        metrics().lag.reset();
    }
}

/// Numbers of the partitions in `list`.
pub(crate) fn numbers(list: &TopicPartitionList) -> Vec<i32> {
    list.elements()
        .iter()
        .map(rdkafka::topic_partition_list::TopicPartitionListElem::partition)
        .collect()
}
