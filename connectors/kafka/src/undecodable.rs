//! Batches of records that cannot be unpacked: larger than a reader takes once they are, or broken. The
//! broker refuses them since the topics are kept uncompressed; one that was written before stays, and
//! librdkafka says neither where it lies nor goes on behind it.

use std::ops::Range;
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::{Message, Offset, TopicPartitionList};
use waybill_stage::Fault;

use crate::consumer::{is_transient, with_retry};
use crate::reader::{Quiet, client};
use crate::{KafkaConnection, timeouts};

/// Whether the client could not unpack what it got.
pub(crate) fn is_undecodable(error: &KafkaError) -> bool {
    let code = error.rdkafka_error_code();
    matches!(code, Some(RDKafkaErrorCode::BadCompression | RDKafkaErrorCode::BadMessage))
}

/// The offsets of the batch that lies at `from` of a partition and cannot be unpacked, if one does.
pub(crate) fn undecodable_at(
    connection: &KafkaConnection,
    topic: &str,
    partition: i32,
    from: i64,
) -> Result<Option<Range<i64>>, Fault> {
    let fault = |e: &dyn std::fmt::Display| Fault(format!("looking at {topic}-{partition}: {e}"));
    let consumer = client(connection, "read_uncommitted").map_err(|e| fault(&e))?;
    let (_, high) = with_retry(|| consumer.fetch_watermarks(topic, partition, timeouts::LOOKUP))
        .map_err(|e| fault(&e))?;
    let is_bad = |offset| is_bad(&consumer, topic, partition, offset).map_err(|e| fault(&e));
    if from >= high || !is_bad(from)? {
        return Ok(None);
    }
    // Whoever asks for an offset gets the batch that it is in: all of it is bad, and what follows is not.
    let (mut bad, mut step) = (from, 1);
    let mut good = loop {
        let next = from.saturating_add(step).min(high);
        if next == high || !is_bad(next)? {
            break next;
        }
        bad = next;
        step *= 2;
    };
    while good - bad > 1 {
        let middle = bad + (good - bad) / 2;
        if is_bad(middle)? {
            bad = middle;
        } else {
            good = middle;
        }
    }
    Ok(Some(from..good))
}

fn is_bad(
    consumer: &BaseConsumer<Quiet>,
    topic: &str,
    partition: i32,
    offset: i64,
) -> Result<bool, KafkaError> {
    let mut list = TopicPartitionList::new();
    list.add_partition_offset(topic, partition, Offset::Offset(offset))?;
    consumer.assign(&list)?;
    let began = Instant::now();
    loop {
        match consumer.poll(Duration::from_millis(200)) {
            // Of an assignment before this one.
            Some(Ok(message)) if message.offset() < offset => {}
            Some(Ok(_) | Err(KafkaError::PartitionEOF(_))) => return Ok(false),
            Some(Err(error)) if is_undecodable(&error) => return Ok(true),
            Some(Err(error)) if !is_transient(&error) => return Err(error),
            _ if began.elapsed() > timeouts::STABLE => {
                return Err(KafkaError::MessageConsumption(RDKafkaErrorCode::OperationTimedOut));
            }
            _ => {}
        }
    }
}
