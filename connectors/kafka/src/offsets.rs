//! Where topics and groups stand, for who asks from outside.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::{Message, Offset, TopicPartitionList};
use waybill_host::caution::Caution;
use waybill_host::mark;
use waybill_schemas::Role;
use waybill_stage::Fault;

use crate::consumer::is_transient;
use crate::reader::client;
use crate::topic_identity::identities;
use crate::{HostSettings, KafkaConnection, timeouts};

/// A topic, and the group that reads it.
#[derive(Clone, Debug)]
pub struct Reader {
    pub role: Role,
    pub topic: String,
    pub group: String,
}

/// A partition, and how far its group has read it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupProgress {
    pub topic: String,
    /// Kafka's id of the topic.
    pub topic_id: String,
    pub partition: i32,
    /// Where the log begins: what was before is gone.
    pub first: i64,
    /// Where the group goes on; `None` if it has never committed.
    pub next: Option<i64>,
    /// Range that the sink has claimed, and not settled.
    pub claim: String,
    /// Committed records that the group has not read.
    pub waiting: u64,
}

/// Partitions of the topic of `roles` that has the most.
pub fn most_partitions(settings: &HostSettings, roles: &[Role]) -> Result<u32, Fault> {
    let probe = probe(&settings.connection, &settings.group)?;
    let mut most = 0;
    for role in roles {
        most = most.max(numbers(&probe, settings.topics.name(*role))?.len());
    }
    Ok(u32::try_from(most).unwrap_or(u32::MAX))
}

/// How far each topic is read by its group.
pub fn group_progress(
    connection: &KafkaConnection,
    readers: &[Reader],
) -> Result<BTreeMap<Role, Vec<GroupProgress>>, Fault> {
    let mut found = BTreeMap::new();
    for reader in readers {
        let probe = probe(connection, &reader.group)?;
        let mut list = TopicPartitionList::new();
        for partition in numbers(&probe, &reader.topic)? {
            list.add_partition(&reader.topic, partition);
        }
        let committed = probe.committed_offsets(list, timeouts::STABLE).map_err(|e| {
            Fault(format!("reading what group {} has committed: {e}", reader.group))
        })?;
        let mut progress = Vec::new();
        let known = identities(probe.client(), &[&reader.topic], timeouts::LOOKUP)?;
        let topic_id = known.into_values().next().map_or_else(String::new, |known| known.id);
        for entry in committed.elements() {
            let partition = entry.partition();
            let (first, _) = probe
                .fetch_watermarks(&reader.topic, partition, timeouts::LOOKUP)
                .map_err(|e| Fault(format!("watermarks of {}: {e}", reader.topic)))?;
            let next = match entry.offset() {
                Offset::Offset(next) => Some(next),
                _ => None,
            };
            // What a host has begun is no claim of the sink's.
            let (said, _) = mark::read(entry.metadata());
            let claim = if Caution::wrote(said) { "" } else { said }.to_owned();
            let (topic, topic_id) = (reader.topic.clone(), topic_id.clone());
            progress.push(GroupProgress {
                topic,
                topic_id,
                partition,
                first,
                next,
                claim,
                waiting: 0,
            });
        }
        found.entry(reader.role).or_insert_with(Vec::new).extend(progress);
    }
    count_waiting(connection, readers, &mut found)?;
    Ok(found)
}

/// Reads on from where each group stands, to the end as it is now: only that tells records from
/// the marks of transactions.
fn count_waiting(
    connection: &KafkaConnection,
    readers: &[Reader],
    found: &mut BTreeMap<Role, Vec<GroupProgress>>,
) -> Result<(), Fault> {
    let fault = |e: KafkaError| Fault(format!("reading what waits: {e}"));
    let consumer = client(connection, "read_committed").map_err(fault)?;
    let mut list = TopicPartitionList::new();
    for reader in readers {
        let progress = found.get(&reader.role).into_iter().flatten();
        for group in progress.filter(|s| s.topic == reader.topic) {
            let from = group.next.unwrap_or(group.first).max(group.first);
            list.add_partition_offset(&reader.topic, group.partition, Offset::Offset(from))
                .map_err(fault)?;
        }
    }
    consumer.assign(&list).map_err(fault)?;
    let (mut ended, all) = (0, list.count());
    let mut idle_since = Instant::now();
    while ended < all {
        match consumer.poll(Duration::from_millis(200)) {
            Some(Ok(message)) => {
                let of = readers.iter().find(|r| r.topic == message.topic());
                let progress = of.and_then(|reader| found.get_mut(&reader.role));
                let group = progress.and_then(|progress| {
                    let place = (message.topic(), message.partition());
                    progress.iter_mut().find(|s| (s.topic.as_str(), s.partition) == place)
                });
                if let Some(group) = group {
                    group.waiting += 1;
                }
                idle_since = Instant::now();
            }
            Some(Err(KafkaError::PartitionEOF(_))) => ended += 1,
            Some(Err(error)) if !is_transient(&error) => return Err(fault(error)),
            _ if idle_since.elapsed() > timeouts::STABLE => {
                return Err(Fault("reading what waits: no answer".to_owned()));
            }
            _ => {}
        }
    }
    Ok(())
}

pub(crate) fn probe(connection: &KafkaConnection, group: &str) -> Result<BaseConsumer, Fault> {
    connection
        .client()
        .set("group.id", group)
        .set("enable.auto.commit", "false")
        .set("isolation.level", "read_committed")
        .create()
        .map_err(|e| Fault(format!("consumer: {e}")))
}

pub(crate) fn numbers(probe: &BaseConsumer, topic: &str) -> Result<Vec<i32>, Fault> {
    let metadata = probe
        .fetch_metadata(Some(topic), timeouts::LOOKUP)
        .map_err(|e| Fault(format!("looking for topic {topic}: {e}")))?;
    let partitions = metadata.topics().first().map(|t| t.partitions()).unwrap_or_default();
    if partitions.is_empty() {
        return Err(Fault(format!("topic {topic} is not there: run `waybill topics`")));
    }
    Ok(partitions.iter().map(rdkafka::metadata::MetadataPartition::id).collect())
}
