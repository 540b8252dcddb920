//! The topic of what carriers' endpoints are to be told. It is a log of deliveries: one is open from its first
//! record on, until another record of its id says that it is settled or dead. So the offset that the group commits
//! of a partition is that of its oldest open delivery, and whoever takes the partition over reads on from there.
//!
//! Between them stand erasures, one in each partition: of a shipment that was erased, nobody is told any more what
//! stands before.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use rdkafka::message::BorrowedMessage;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use rdkafka::{Message, Offset};
use waybill_host::topic_cipher::TopicCipher;
use waybill_schemas::Role;
use waybill_schemas::vocabulary::DeliveryState;
use waybill_schemas::{DecodeError, Delivery, Erasure, Record};
use waybill_stage::Fault;

use crate::acl::{Acl, READERS};
use crate::hand_over::{Portion, deliver, one_request_a_partition};
use crate::offsets::{numbers, probe};
use crate::reader::{Go, read, settled};
use crate::rights::refused;
use crate::{HostSettings, Topics};

const TIMEOUT: Duration = Duration::from_secs(15);

/// Where a delivery's record stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct At {
    pub partition: i32,
    pub offset: i64,
}

/// A delivery as the topic tells it. What ended has no payload in its last record: that of the first is here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    pub last: Delivery,
    /// Empty where the first record is not kept any more, and where what it tells of was erased.
    pub payload: Vec<u8>,
}

/// The key of every erasure: no delivery's id, and nothing about a shipment.
pub(crate) const ERASURE: &[u8] = b"erasure";

/// What a record of the topic is.
#[derive(Debug)]
pub(crate) enum Written {
    Delivery(Delivery),
    Erasure(Erasure),
}

/// A record of the topic; `None` if nobody of ours wrote it as it stands there.
pub(crate) fn opened(
    cipher: &TopicCipher,
    message: &BorrowedMessage<'_>,
) -> Result<Option<Written>, Fault> {
    let place = || format!("{}-{}@{}", message.topic(), message.partition(), message.offset());
    let (key, value) = (message.key().unwrap_or_default(), message.payload().unwrap_or_default());
    let plain = cipher.open(Role::Webhooks, key, value);
    let plain = plain.map_err(|fault| Fault(format!("{}: {fault}", place())))?;
    let Some(plain) = plain else {
        tracing::error!(place = place(), "no delivery of ours: left out");
        return Ok(None);
    };
    let found = if key == ERASURE {
        read_as(&plain, &place)?.map(Written::Erasure)
    } else {
        let delivery = read_as::<Delivery>(&plain, &place)?;
        delivery.filter(|d| d.delivery_id.as_bytes() == key).map(Written::Delivery)
    };
    if found.is_none() {
        tracing::error!(place = place(), "no delivery of ours: left out");
    }
    Ok(found)
}

/// `None` if it is no such record.
fn read_as<R: Record>(plain: &[u8], place: &impl Fn() -> String) -> Result<Option<R>, Fault> {
    match waybill_schemas::decode(plain) {
        Ok(read) => Ok(Some(read)),
        Err(error @ DecodeError::UnknownSchema) => {
            Err(Fault(format!("{}: a record is {error}", place())))
        }
        Err(_) => Ok(None),
    }
}

/// What is open between `from` and the end of a partition as it is now, and erasures, in the order of the log, and where
/// that end is. It is read twice: what ends is known before what is open is kept.
pub(crate) fn take_over(
    settings: &HostSettings,
    cipher: &TopicCipher,
    partition: i32,
    from: i64,
    mut each: impl FnMut(At, Written),
) -> Result<i64, Fault> {
    let (connection, topic) = (&settings.connection, settings.topics.name(Role::Webhooks));
    // Whoever had it before us may have committed what is not marked committed yet.
    let (_, high) = settled(connection, topic, partition)?;
    if from >= high {
        return Ok(from);
    }
    let mut end = from;
    let hasher = RandomState::new();
    let mut last: HashMap<u64, i64> = HashMap::new();
    read(connection, topic, partition, Offset::Offset(from), |message| {
        if message.offset() >= high {
            return Ok(Go::Enough);
        }
        last.insert(hasher.hash_one(message.key().unwrap_or_default()), message.offset());
        end = message.offset() + 1;
        Ok(Go::On)
    })?;
    read(connection, topic, partition, Offset::Offset(from), |message| {
        let offset = message.offset();
        if offset >= end {
            return Ok(Go::Enough);
        }
        let key = message.key().unwrap_or_default();
        let is_last = last.get(&hasher.hash_one(key)) == Some(&offset);
        if !(is_last || key == ERASURE) {
            return Ok(Go::On);
        }
        match opened(cipher, message)? {
            Some(Written::Delivery(delivery)) if delivery.state != DeliveryState::Open => {}
            Some(written) => each(At { partition, offset }, written),
            None => {}
        }
        Ok(Go::On)
    })?;
    Ok(end)
}

/// The payloads that stand at these offsets.
pub(crate) fn payloads(
    settings: &HostSettings,
    cipher: &TopicCipher,
    partition: i32,
    offsets: &BTreeSet<i64>,
    mut each: impl FnMut(At, Vec<u8>),
) -> Result<(), Fault> {
    let (Some(first), Some(last)) = (offsets.first(), offsets.last()) else { return Ok(()) };
    let topic = settings.topics.name(Role::Webhooks);
    read(&settings.connection, topic, partition, Offset::Offset(*first), |message| {
        let offset = message.offset();
        if offsets.contains(&offset)
            && let Some(Written::Delivery(delivery)) = opened(cipher, message)?
        {
            each(At { partition, offset }, delivery.payload);
        }
        Ok(if offset < *last { Go::On } else { Go::Enough })
    })
}

/// What was written of an erased shipment in this partition so far can be replayed no more.
fn forget(found: &mut BTreeMap<String, (i32, Kept)>, partition: i32, erasure: &Erasure) {
    for (of, kept) in found.values_mut() {
        let whose = (kept.last.carrier_id.as_str(), kept.last.shipment_id.as_str());
        if *of == partition && whose == (erasure.carrier_id.as_str(), erasure.shipment_id.as_str())
        {
            kept.payload.clear();
        }
    }
}

/// Looks at what is kept, and has it tried again, for an operator.
#[derive(Debug)]
pub struct WebhookLog<'a> {
    pub settings: &'a HostSettings,
    pub cipher: &'a TopicCipher,
}

impl WebhookLog<'_> {
    /// So many are held in memory: what is beyond them must be asked for in parts.
    pub const MOST: usize = 200_000;

    /// Every delivery that `is_meant` (asked of each record), as far as the topic keeps it, in order of when they came
    /// up: at most [`Self::MOST`].
    pub fn kept(&self, is_meant: impl Fn(&Delivery) -> bool) -> Result<Vec<Kept>, Fault> {
        let topic = self.settings.topics.name(Role::Webhooks);
        let connection = &self.settings.connection;
        // With the partition that it was found in.
        let mut found: BTreeMap<String, (i32, Kept)> = BTreeMap::new();
        for partition in numbers(&probe(connection, READERS)?, topic)? {
            let (low, high) = settled(connection, topic, partition)?;
            if low == high {
                continue;
            }
            read(connection, topic, partition, Offset::Beginning, |message| {
                let mut last = match opened(self.cipher, message)? {
                    Some(Written::Delivery(delivery)) if is_meant(&delivery) => delivery,
                    Some(Written::Erasure(erasure)) => {
                        forget(&mut found, partition, &erasure);
                        return Ok(Go::On);
                    }
                    _ => return Ok(Go::On),
                };
                let payload = std::mem::take(&mut last.payload);
                let has_room = found.len() < Self::MOST;
                match found.get_mut(&last.delivery_id) {
                    Some((_, kept)) => {
                        kept.last = last;
                        if !payload.is_empty() {
                            kept.payload = payload;
                        }
                    }
                    None if has_room => {
                        let id = last.delivery_id.clone();
                        found.insert(id, (partition, Kept { last, payload }));
                    }
                    None => {}
                }
                Ok(Go::On)
            })?;
        }
        let mut found: Vec<Kept> = found.into_values().map(|(_, kept)| kept).collect();
        found.sort_by(|a, b| {
            let of = |kept: &Kept| (kept.last.made_at, kept.last.delivery_id.clone());
            of(a).cmp(&of(b))
        });
        Ok(found)
    }

    /// Of who replays: one for the deployment, whoever it is.
    pub fn transactional_id(topics: &Topics) -> &str {
        topics.name(Role::Webhooks)
    }

    /// Opens all of them anew, or none.
    pub fn open(&self, deliveries: &[Delivery]) -> Result<(), Fault> {
        let fault = |e: &dyn std::fmt::Display| Fault(format!("replaying: {e}"));
        let topic = self.settings.topics.name(Role::Webhooks);
        let mut config = self.settings.connection.client();
        config
            .set("transactional.id", Self::transactional_id(&self.settings.topics))
            .set("message.timeout.ms", "15000")
            // As the host's: all records of an id are in one partition.
            .set("partitioner", "murmur2_random");
        one_request_a_partition(&mut config);
        let producer: BaseProducer = config.create().map_err(|e| fault(&e))?;
        let connection = &self.settings.connection;
        let right = Acl::transactional(Self::transactional_id(&self.settings.topics), false);
        producer
            .init_transactions(TIMEOUT)
            .map_err(|e| refused(connection, &e, &right).unwrap_or_else(|| fault(&e)))?;
        producer.begin_transaction().map_err(|e| fault(&e))?;
        let delivered = || match deliver(&producer, TIMEOUT) {
            true => Ok(()),
            false => Err(fault(&"no answer")),
        };
        let mut portion = Portion::default();
        for delivery in deliveries {
            let key = delivery.delivery_id.as_bytes();
            let (mut plain, mut value) = (Vec::new(), Vec::new());
            waybill_schemas::encode(delivery, &mut plain).map_err(|e| fault(&e))?;
            self.cipher.seal(Role::Webhooks, key, &plain, &mut value)?;
            if !portion.has_room(key.len() + value.len()) {
                delivered()?;
                portion = Portion::default();
            }
            portion.add(key.len() + value.len());
            let record = BaseRecord::<[u8], [u8]>::to(topic).key(key).payload(&value);
            producer.send(record).map_err(|(e, _)| fault(&e))?;
        }
        delivered()?;
        producer.commit_transaction(TIMEOUT).map_err(|e| fault(&e))
    }
}
