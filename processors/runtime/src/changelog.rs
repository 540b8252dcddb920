use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::{ClientConfig, Message, Offset, TopicPartitionList};
use waybill_stage::Fault;

use crate::KafkaConnection;

const TIMEOUT: Duration = Duration::from_secs(10);
/// Longer than a broken transaction can stay open (`transaction.timeout.ms`).
const PATIENCE: Duration = Duration::from_secs(40);

/// Reads one partition of a compacted changelog, from its beginning to its end as it is now.
///
/// The end is the high watermark, also where a transaction is still open below it: the owner
/// before us may have committed offsets whose changelog records are not marked committed yet. So
/// we wait until the last stable offset has reached that watermark. A zombie cannot add to it
/// later: its offsets are fenced by the group's generation, and so is its transaction.
pub(crate) fn read(
    connection: &KafkaConnection,
    topic: &str,
    partition: i32,
    mut each: impl FnMut(&[u8], Option<&[u8]>) -> Result<(), Fault>,
) -> Result<u64, Fault> {
    let fault =
        |e: &dyn std::fmt::Display| Fault(format!("reading changelog {topic}-{partition}: {e}"));
    let plain: BaseConsumer =
        client(connection, "read_uncommitted").create().map_err(|e| fault(&e))?;
    let (low, high) = plain.fetch_watermarks(topic, partition, TIMEOUT).map_err(|e| fault(&e))?;
    if low == high {
        return Ok(0);
    }
    let committed: BaseConsumer =
        client(connection, "read_committed").create().map_err(|e| fault(&e))?;
    let began = Instant::now();
    loop {
        let (_, stable) =
            committed.fetch_watermarks(topic, partition, TIMEOUT).map_err(|e| fault(&e))?;
        if stable >= high {
            break;
        }
        if began.elapsed() > PATIENCE {
            return Err(fault(&format!("a transaction stays open at offset {stable} of {high}")));
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    let mut list = TopicPartitionList::new();
    list.add_partition_offset(topic, partition, Offset::Beginning).map_err(|e| fault(&e))?;
    committed.assign(&list).map_err(|e| fault(&e))?;
    let mut count = 0;
    let mut idle_since = Instant::now();
    loop {
        match committed.poll(Duration::from_millis(200)) {
            Some(Ok(message)) => {
                each(message.key().unwrap_or_default(), message.payload())?;
                count += 1;
                idle_since = Instant::now();
            }
            Some(Err(KafkaError::PartitionEOF(_))) => return Ok(count),
            Some(Err(error)) => return Err(fault(&error)),
            None if idle_since.elapsed() > PATIENCE => return Err(fault(&"no answer")),
            None => {}
        }
    }
}

fn client(connection: &KafkaConnection, isolation: &str) -> ClientConfig {
    let mut config = connection.client();
    config
        // Not a member of a group: librdkafka wants the name all the same.
        .set("group.id", "waybill-changelog-reader")
        .set("enable.auto.commit", "false")
        .set("enable.partition.eof", "true")
        .set("isolation.level", isolation)
        .set("fetch.wait.max.ms", "50")
        // Where reading begins is always said.
        .set("auto.offset.reset", "error");
    config
}
