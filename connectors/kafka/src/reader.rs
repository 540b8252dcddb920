//! Reads what lies in a partition, as a member of no group.

use std::time::{Duration, Instant};

use rdkafka::client::ClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::BorrowedMessage;
use rdkafka::{Offset, TopicPartitionList};
use waybill_stage::Fault;

use crate::acl::READERS;
use crate::consumer::{is_transient, with_retry};
use crate::settings::{ANSWER_BYTES, FETCH_BYTES};
use crate::{KafkaConnection, timeouts};

/// What `each` says of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Go {
    On,
    Enough,
}

/// Hands over every committed record of a partition from `first` on, until `each` has enough or the
/// partition ends, be it with a transaction that is still open.
pub(crate) fn read(
    connection: &KafkaConnection,
    topic: &str,
    partition: i32,
    first: Offset,
    mut each: impl FnMut(&BorrowedMessage<'_>) -> Result<Go, Fault>,
) -> Result<(), Fault> {
    let fault = |e: &dyn std::fmt::Display| Fault(format!("reading {topic}-{partition}: {e}"));
    let consumer = client(connection, "read_committed").map_err(|e| fault(&e))?;
    let mut list = TopicPartitionList::new();
    list.add_partition_offset(topic, partition, first).map_err(|e| fault(&e))?;
    consumer.assign(&list).map_err(|e| fault(&e))?;
    let mut idle_since = Instant::now();
    loop {
        match consumer.poll(Duration::from_millis(200)) {
            Some(Ok(message)) => {
                if each(&message)? == Go::Enough {
                    return Ok(());
                }
                idle_since = Instant::now();
            }
            Some(Err(KafkaError::PartitionEOF(_))) => return Ok(()),
            Some(Err(error)) if !is_transient(&error) => return Err(fault(&error)),
            // A broken connection is made anew by the client.
            _ if idle_since.elapsed() > timeouts::STABLE => return Err(fault(&"no answer")),
            _ => {}
        }
    }
}

/// Waits until no transaction is open on what lies in the partition now; where it begins and ends.
pub(crate) fn settled(
    connection: &KafkaConnection,
    topic: &str,
    partition: i32,
) -> Result<(i64, i64), Fault> {
    let fault = |e: &dyn std::fmt::Display| Fault(format!("reading {topic}-{partition}: {e}"));
    let plain = client(connection, "read_uncommitted").map_err(|e| fault(&e))?;
    let (low, high) = with_retry(|| plain.fetch_watermarks(topic, partition, timeouts::LOOKUP))
        .map_err(|e| fault(&e))?;
    if low == high {
        return Ok((low, high));
    }
    let committed = client(connection, "read_committed").map_err(|e| fault(&e))?;
    let began = Instant::now();
    loop {
        let (_, stable) =
            with_retry(|| committed.fetch_watermarks(topic, partition, timeouts::LOOKUP))
                .map_err(|e| fault(&e))?;
        if stable >= high {
            return Ok((low, high));
        }
        if began.elapsed() > timeouts::STABLE {
            return Err(fault(&format!("a transaction stays open at offset {stable} of {high}")));
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Says nothing of a partition's end, which is no error: it was asked for.
pub(crate) struct Quiet;

impl ClientContext for Quiet {
    fn error(&self, error: KafkaError, reason: &str) {
        if !matches!(error, KafkaError::PartitionEOF(_))
            && error.rdkafka_error_code() != Some(RDKafkaErrorCode::PartitionEOF)
        {
            tracing::warn!(target: "kafka", %error, reason, "kafka client");
        }
    }
}

impl ConsumerContext for Quiet {}

pub(crate) fn client(
    connection: &KafkaConnection,
    isolation: &str,
) -> Result<BaseConsumer<Quiet>, KafkaError> {
    connection
        .client()
        // Not a member of a group: librdkafka wants the name all the same.
        .set("group.id", READERS)
        .set("enable.auto.commit", "false")
        .set("enable.partition.eof", "true")
        .set("isolation.level", isolation)
        .set("fetch.wait.max.ms", "50")
        .set("fetch.max.bytes", FETCH_BYTES)
        .set("receive.message.max.bytes", ANSWER_BYTES)
        // Where reading begins is always said.
        .set("auto.offset.reset", "error")
        .create_with_context(Quiet)
}
