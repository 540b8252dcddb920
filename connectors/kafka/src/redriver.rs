//! Sends sealed records through once more. Whoever opens a [`Redriver`] puts out whoever had it
//! open before, and only then looks at what was sent: so nothing is sent twice. What was sent is known by
//! the redrive topic alone, as long as it keeps it: a record that came before that is not sent any more.

use std::collections::BTreeSet;
use std::time::Duration;

use rdkafka::consumer::Consumer;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use rdkafka::{Message, Offset};
use waybill_host::topic_cipher::TopicCipher;
use waybill_schemas::Redrive;
use waybill_schemas::Role;
use waybill_stage::Fault;

use crate::acl::{Acl, READERS};
use crate::hand_over::{Portion, deliver, one_request_a_partition};
use crate::offsets::{numbers, probe};
use crate::reader::{Go, read, settled};
use crate::rights::refused;
use crate::{HostSettings, Topics};

const TIMEOUT: Duration = Duration::from_secs(15);

pub struct Redriver<'a> {
    settings: &'a HostSettings,
    cipher: &'a TopicCipher,
    producer: BaseProducer,
    sent: BTreeSet<Attempt>,
    /// ms UTC.
    known_since: i64,
}

/// By how much clocks may differ: the topic's records have the time of whoever redrove, retention goes by the
/// broker's.
const CLOCKS_MS: i64 = 3_600_000;

/// A redrive of the sealed record at a place.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Attempt {
    pub sealed_topic: String,
    pub source_partition: i32,
    pub source_offset: i64,
    pub attempt: u32,
}

impl Attempt {
    /// What was redriven before a record named its topic is of the first one.
    fn of(redrive: &Redrive, topics: &Topics) -> Self {
        let named = Some(redrive.sealed_topic.as_str()).filter(|topic| !topic.is_empty());
        Self {
            sealed_topic: named.or(topics.sealed().first()).unwrap_or_default().to_owned(),
            source_partition: redrive.source_partition,
            source_offset: redrive.source_offset,
            attempt: redrive.attempt,
        }
    }
}

/// What stands at a place of a sealed topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    Record {
        key: Option<Vec<u8>>,
        value: Option<Vec<u8>>,
        /// ms UTC.
        received_at: i64,
    },
    /// It was removed: the oldest record that is left was received then, ms UTC.
    Expired { oldest: Option<i64> },
}

impl std::fmt::Debug for Redriver<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Redriver({} sent)", self.sent.len())
    }
}

impl<'a> Redriver<'a> {
    /// One for the deployment, whoever it is that redrives.
    pub fn transactional_id(topics: &Topics) -> &str {
        topics.name(Role::Redrive)
    }

    pub fn open(settings: &'a HostSettings, cipher: &'a TopicCipher) -> Result<Self, Fault> {
        let fault = |e: &dyn std::fmt::Display| Fault(format!("opening the redrive topic: {e}"));
        let topic = settings.topics.name(Role::Redrive);
        let mut config = settings.connection.client();
        config
            .set("transactional.id", Self::transactional_id(&settings.topics))
            .set("message.timeout.ms", "15000")
            .set("partitioner", "murmur2_random");
        one_request_a_partition(&mut config);
        let producer: BaseProducer = config.create().map_err(|e| fault(&e))?;
        let right = Acl::transactional(Self::transactional_id(&settings.topics), false);
        producer
            .init_transactions(TIMEOUT)
            .map_err(|e| refused(&settings.connection, &e, &right).unwrap_or_else(|| fault(&e)))?;
        let mut sent = BTreeSet::new();
        for partition in numbers(&probe(&settings.connection, READERS)?, topic)? {
            let (low, high) = settled(&settings.connection, topic, partition)?;
            if low == high {
                continue;
            }
            read(&settings.connection, topic, partition, Offset::Beginning, |message| {
                let (key, value) = (message.key().unwrap_or_default(), message.payload());
                let plain = cipher.open(Role::Redrive, key, value.unwrap_or_default())?;
                // What is no redrive of ours was answered by decrypt.
                if let Some(Ok(redrive)) = plain.map(|p| waybill_schemas::decode::<Redrive>(&p)) {
                    sent.insert(Attempt::of(&redrive, &settings.topics));
                }
                Ok(Go::On)
            })?;
        }
        let retention = settings.topics.retention(Role::Redrive);
        let known_since = known_since(crate::health::now_ms(), retention);
        Ok(Self { settings, cipher, producer, sent, known_since })
    }

    /// Whether every redrive of a record that was received then (ms UTC) is still known. It was redriven
    /// later than that.
    pub fn knows_all_of(&self, received_at: i64) -> bool {
        received_at >= self.known_since
    }

    /// Whether that attempt was made, by anybody.
    pub fn has_sent(&self, attempt: &Attempt) -> bool {
        self.sent.contains(attempt)
    }

    /// Sends all of them, or none.
    pub fn send(&mut self, records: &[(Option<Vec<u8>>, Redrive)]) -> Result<(), Fault> {
        let fault = |e: &dyn std::fmt::Display| Fault(format!("redriving: {e}"));
        let topic = self.settings.topics.name(Role::Redrive);
        self.producer.begin_transaction().map_err(|e| fault(&e))?;
        let delivered = || match deliver(&self.producer, TIMEOUT) {
            true => Ok(()),
            false => Err(fault(&"no answer")),
        };
        let mut portion = Portion::default();
        for (key, redrive) in records {
            let (mut plain, mut value) = (Vec::new(), Vec::new());
            waybill_schemas::encode(redrive, &mut plain).map_err(|e| fault(&e))?;
            let place = key.as_deref().unwrap_or_default();
            self.cipher.seal(Role::Redrive, place, &plain, &mut value)?;
            let bytes = key.as_ref().map_or(0, Vec::len) + value.len();
            if !portion.has_room(bytes) {
                delivered()?;
                portion = Portion::default();
            }
            portion.add(bytes);
            let mut record = BaseRecord::<[u8], [u8]>::to(topic).payload(&value);
            record.key = key.as_deref();
            self.producer.send(record).map_err(|(e, _)| fault(&e))?;
        }
        delivered()?;
        self.producer.commit_transaction(TIMEOUT).map_err(|e| fault(&e))?;
        let topics = &self.settings.topics;
        self.sent.extend(records.iter().map(|(_, redrive)| Attempt::of(redrive, topics)));
        Ok(())
    }
}

fn known_since(now_ms: i64, retention: Option<Duration>) -> i64 {
    retention.map_or(i64::MIN, |time| {
        let ms = i64::try_from(time.as_millis()).unwrap_or(i64::MAX);
        now_ms.saturating_sub(ms).saturating_add(CLOCKS_MS)
    })
}

/// The sealed record at a place, as it was published.
pub fn source(
    settings: &HostSettings,
    topic: &str,
    partition: i32,
    offset: i64,
) -> Result<Source, Fault> {
    let probe = probe(&settings.connection, READERS)?;
    let (low, _) = probe
        .fetch_watermarks(topic, partition, TIMEOUT)
        .map_err(|e| Fault(format!("{topic}-{partition}: {e}")))?;
    let mut found = None;
    let from = Offset::Offset(offset.max(low));
    read(&settings.connection, topic, partition, from, |message| {
        let received_at = message.timestamp().to_millis().unwrap_or_default();
        found = Some(if message.offset() == offset {
            Source::Record {
                key: message.key().map(<[u8]>::to_vec),
                value: message.payload().map(<[u8]>::to_vec),
                received_at,
            }
        } else {
            Source::Expired { oldest: Some(received_at) }
        });
        Ok(Go::Enough)
    })?;
    Ok(found.unwrap_or(Source::Expired { oldest: None }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_topic_may_have_forgotten_is_not_known() {
        let day = Duration::from_secs(86_400);
        let now = 100 * 86_400_000;
        assert_eq!(known_since(now, Some(2 * day)), 98 * 86_400_000 + CLOCKS_MS);
        assert_eq!(known_since(now, None), i64::MIN);
        assert_eq!(known_since(now, Some(Duration::MAX)), now - i64::MAX + CLOCKS_MS);
    }
}
