//! Has shipments forgotten. An erasure goes the way of the shipment's events, so that nobody has to guess what was
//! before it: aggregate forgets the shipment in its turn and passes the erasure on, in the transaction of that
//! batch; and once the sink has settled it, all rows of the shipment as it was are in the store, and no range of
//! before will be inserted again.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use rdkafka::{Message, Offset};
use waybill_host::batch::Batch;
use waybill_host::topic_cipher::TopicCipher;
use waybill_schemas::Role;
use waybill_schemas::{Erasure, LedgerEntry, LedgerOutput};
use waybill_stage::Fault;

use crate::acl::{Acl, READERS};
use crate::hand_over::{deliver, one_request_a_partition};
use crate::offsets::{GroupProgress, Reader, group_progress, numbers, probe};
use crate::partition_counts::PartitionCounts;
use crate::reader::{Go, read, settled};
use crate::rights::refused;
use crate::{HostSettings, Topics};

const TIMEOUT: Duration = Duration::from_secs(15);
const PAUSE: Duration = Duration::from_millis(300);
/// What the entry in the ledger says that it was written by, and what was read for it: no topic.
const ERASE: &str = "erase";
/// Where an erasure comes to.
const ENDS: [Role; 2] = [Role::Events, Role::Shipments];

/// A place in a topic's partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Kafka's id of the topic.
    pub topic_id: String,
    pub partition: i32,
    pub offset: i64,
}

/// Where an erasure has come to: what stands before it there is of the shipment as it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passed {
    pub shipment_id: String,
    pub events: Place,
    pub shipments: Place,
}

#[derive(Debug)]
pub struct Eraser<'a> {
    pub settings: &'a HostSettings,
    pub cipher: &'a TopicCipher,
    /// The consumer group of the sink.
    pub sink_group: String,
    /// How long each wait may take.
    pub patience: Duration,
}

impl Eraser<'_> {
    /// Sends all of them, or none, and waits until the sink has settled what aggregate has made of them.
    ///
    /// `sent` is called between.
    pub fn send(&self, erasures: &[Erasure], sent: impl FnOnce()) -> Result<Vec<Passed>, Fault> {
        let mut from = BTreeMap::new();
        for role in ENDS {
            let id = self.group_progress(role)?.into_iter().next().map(|s| s.topic_id);
            let topic_id = id.unwrap_or_default();
            for place in self.ends(role)? {
                let topic_id = topic_id.clone();
                from.insert((role, place.partition), Place { topic_id, ..place });
            }
        }
        self.commit(erasures)?;
        sent();
        let found = self.await_passed(erasures, from)?;
        let behind = |place: &Place| Place { offset: place.offset + 1, ..place.clone() };
        let of = |place: fn(&Passed) -> &Place| found.iter().map(|p| behind(place(p))).collect();
        self.await_stored(Role::Events, of(|passed| &passed.events))?;
        self.await_stored(Role::Shipments, of(|passed| &passed.shipments))?;
        Ok(found)
    }

    /// One for the deployment, whoever it is that erases.
    pub fn transactional_id(topics: &Topics) -> String {
        format!("{}-{ERASE}", topics.name(Role::Enriched))
    }

    /// One transaction, with an entry in the ledger: what is read from a topic was written by somebody.
    fn commit(&self, erasures: &[Erasure]) -> Result<(), Fault> {
        let fault = |e: &dyn std::fmt::Display| Fault(format!("sending erasures: {e}"));
        let topics = &self.settings.topics;
        let mut batch = Batch::default();
        for erasure in erasures {
            let key = waybill_aggregate::key_of_events(&erasure.shipment_id).as_bytes();
            batch.put(self.cipher, Role::Enriched, None, key, erasure)?;
        }
        batch.put(self.cipher, Role::Ledger, None, ERASE.as_bytes(), &entry(erasures.len()))?;
        let id = Self::transactional_id(topics);
        let mut config = self.settings.connection.client();
        config
            .set("transactional.id", &id)
            .set("message.timeout.ms", "15000")
            .set("partitioner", "murmur2_random");
        one_request_a_partition(&mut config);
        let producer: BaseProducer = config.create().map_err(|e| fault(&e))?;
        producer.init_transactions(TIMEOUT).map_err(|e| {
            refused(&self.settings.connection, &e, &Acl::transactional(&id, false))
                .unwrap_or_else(|| fault(&e))
        })?;
        producer.begin_transaction().map_err(|e| fault(&e))?;
        let mut partitions = PartitionCounts::default();
        partitions.bring(producer.client(), topics, [Role::Enriched].into_iter())?;
        for out in batch.outgoing() {
            let mut record = BaseRecord::<[u8], [u8]>::to(topics.name(out.role)).key(out.key);
            record.payload = out.value;
            record.partition = partitions.number(out.role, out.placement)?;
            producer.send(record).map_err(|(e, _)| fault(&e))?;
        }
        if !deliver(&producer, TIMEOUT) {
            return Err(fault(&"no answer"));
        }
        producer.commit_transaction(TIMEOUT).map_err(|e| fault(&e))
    }

    /// Where aggregate has passed each of them on.
    fn await_passed(
        &self,
        erasures: &[Erasure],
        mut from: BTreeMap<(Role, i32), Place>,
    ) -> Result<Vec<Passed>, Fault> {
        let began = Instant::now();
        let mut found: BTreeMap<(Role, String), Place> = BTreeMap::new();
        loop {
            for ((role, _), next) in &mut from {
                self.look(*role, next, erasures, &mut found)?;
            }
            let passed = erasures.iter().map(|erasure| {
                let place = |role| found.get(&(role, erasure.shipment_id.clone())).cloned();
                Some(Passed {
                    shipment_id: erasure.shipment_id.clone(),
                    events: place(Role::Events)?,
                    shipments: place(Role::Shipments)?,
                })
            });
            if let Some(passed) = passed.collect() {
                return Ok(passed);
            }
            if began.elapsed() > self.patience {
                return Err(Fault(
                    "aggregate has not taken the erasure up: does it run, and is it far behind? It takes it up \
                     when it comes to it, and nothing is removed from ClickHouse before: give the same command again"
                        .to_owned(),
                ));
            }
            std::thread::sleep(PAUSE);
        }
    }

    /// Reads on from `next`.
    fn look(
        &self,
        role: Role,
        next: &mut Place,
        erasures: &[Erasure],
        found: &mut BTreeMap<(Role, String), Place>,
    ) -> Result<(), Fault> {
        let topic = self.settings.topics.name(role);
        let from = Offset::Offset(next.offset);
        read(&self.settings.connection, topic, next.partition, from, |message| {
            next.offset = message.offset() + 1;
            let (key, value) = (message.key().unwrap_or_default(), message.payload());
            let plain = self.cipher.open(role, key, value.unwrap_or_default())?;
            let Some(plain) = plain.filter(|plain| waybill_schemas::is::<Erasure>(plain)) else {
                return Ok(Go::On);
            };
            let Ok(read) = waybill_schemas::decode::<Erasure>(&plain) else { return Ok(Go::On) };
            if erasures.contains(&read) {
                let place = Place { offset: message.offset(), ..next.clone() };
                found.insert((role, read.shipment_id), place);
            }
            Ok(Go::On)
        })
    }

    /// Where each partition of the topic ends now.
    pub fn ends(&self, role: Role) -> Result<Vec<Place>, Fault> {
        let topic = self.settings.topics.name(role);
        let connection = &self.settings.connection;
        let numbers = numbers(&probe(connection, READERS)?, topic)?;
        let end = |partition: i32| {
            let (_, offset) = settled(connection, topic, partition)?;
            Ok(Place { topic_id: String::new(), partition, offset })
        };
        numbers.into_iter().map(end).collect()
    }

    /// Where the sink goes on in each partition: what is before is in the store for good.
    pub fn settled(&self, role: Role) -> Result<Vec<Place>, Fault> {
        let place = |s: GroupProgress| Place {
            topic_id: s.topic_id,
            partition: s.partition,
            offset: s.next.unwrap_or(s.first),
        };
        Ok(self.group_progress(role)?.into_iter().map(place).collect())
    }

    /// Waits until the sink has settled all that lies in the topic before these places.
    pub fn await_stored(&self, role: Role, places: Vec<Place>) -> Result<(), Fault> {
        let began = Instant::now();
        loop {
            let progress = self.group_progress(role)?;
            // Behind the last record there are marks of transactions, which nobody commits.
            let has = |s: &GroupProgress, place: &Place| {
                s.next.is_some_and(|next| next >= place.offset)
                    || (s.waiting == 0 && s.claim.is_empty())
            };
            let of = |place: &Place| progress.iter().find(|s| s.partition == place.partition);
            if places.iter().all(|place| of(place).is_some_and(|s| has(s, place))) {
                return Ok(());
            }
            if began.elapsed() > self.patience {
                return Err(Fault(format!(
                    "the sink has not stored all of {}: does it run, and is it far behind? Give the same command \
                     again when it has",
                    role.as_str()
                )));
            }
            std::thread::sleep(PAUSE);
        }
    }

    fn group_progress(&self, role: Role) -> Result<Vec<GroupProgress>, Fault> {
        let topic = self.settings.topics.name(role).to_owned();
        let reader = Reader { role, topic, group: self.sink_group.clone() };
        let found = group_progress(&self.settings.connection, &[reader])?;
        Ok(found.into_values().next().unwrap_or_default())
    }
}

/// It reads nothing.
fn entry(erasures: usize) -> LedgerEntry {
    LedgerEntry {
        stages: ERASE.to_owned(),
        topic: ERASE.to_owned(),
        topic_id: String::new(),
        partition: 0,
        from_offset: 0,
        next_offset: 0,
        records: 0,
        committed_at: crate::health::now_ms(),
        counts: Vec::new(),
        outputs: vec![LedgerOutput {
            topic: Role::Enriched.as_str().to_owned(),
            records: erasures as u64,
        }],
        keys: Vec::new(),
    }
}
