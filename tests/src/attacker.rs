//! Somebody who may write to a topic, and means harm.

use std::sync::mpsc::{SyncSender, sync_channel};
use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{BaseProducer, BaseRecord, DeliveryResult, Producer, ProducerContext};

use crate::Deployment;

const LIMIT: Duration = Duration::from_secs(60);

/// Writes to one topic whatever it likes.
pub struct Attacker {
    brokers: String,
    topic: String,
    producer: BaseProducer,
}

impl std::fmt::Debug for Attacker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Attacker({})", self.topic)
    }
}

struct Answer(SyncSender<Option<RDKafkaErrorCode>>);

impl rdkafka::client::ClientContext for Answer {}

impl ProducerContext for Answer {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        let error = result.as_ref().err().and_then(|(e, _)| e.rdkafka_error_code());
        let _ = self.0.send(error);
    }
}

impl Attacker {
    /// # Panics
    /// When there is no client.
    pub fn of(d: &Deployment, role: &str) -> Self {
        let (brokers, topic) = (d.servers.kafka.clone(), format!("{}{role}", d.prefix));
        let producer = ClientConfig::new().set("bootstrap.servers", &brokers).create().unwrap();
        Self { brokers, topic, producer }
    }

    /// Waits where the client has no room.
    ///
    /// # Panics
    /// When the client refuses the record.
    pub fn send(&self, key: &[u8], value: Option<&[u8]>) {
        loop {
            let mut record = BaseRecord::<[u8], [u8]>::to(&self.topic).key(key);
            record.payload = value;
            match self.producer.send(record) {
                Ok(()) => break,
                Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), _)) => {
                    self.producer.poll(Duration::from_millis(10));
                }
                Err((error, _)) => panic!("{error}"),
            }
        }
        self.producer.poll(Duration::ZERO);
    }

    /// To one partition, and waits until it is there.
    ///
    /// # Panics
    /// When the broker does not take it.
    pub fn send_to(&self, partition: i32, key: &[u8], value: Option<&[u8]>) {
        let mut record = BaseRecord::<[u8], [u8]>::to(&self.topic).key(key).partition(partition);
        record.payload = value;
        self.producer.send(record).map_err(|(e, _)| e).unwrap();
        self.flush();
    }

    /// # Panics
    /// When the broker does not take all of it.
    pub fn flush(&self) {
        self.producer.flush(LIMIT).unwrap();
    }

    /// What the broker says of a record that is compressed.
    ///
    /// # Panics
    /// When it says nothing.
    pub fn send_compressed(&self, compression: &str, value: &[u8]) -> Option<RDKafkaErrorCode> {
        let (sender, answers) = sync_channel(1);
        let producer: BaseProducer<Answer> = ClientConfig::new()
            .set("bootstrap.servers", &self.brokers)
            .set("compression.type", compression)
            .set("message.max.bytes", "200000000")
            .set("retries", "0")
            .create_with_context(Answer(sender))
            .unwrap();
        let record = BaseRecord::to(&self.topic).key(&b"h-1"[..]).payload(value);
        producer.send(record).map_err(|(e, _)| e).unwrap();
        let _ = producer.flush(LIMIT);
        answers.recv_timeout(Duration::from_secs(1)).unwrap()
    }
}

/// The sealed record with another tag: it costs what a genuine one does, and is none.
///
/// # Panics
/// When it is no sealed record.
pub fn forged(sealed: &[u8]) -> Vec<u8> {
    let mut forged = sealed.to_vec();
    let tag = forged.len() - 4;
    forged[tag] = if forged[tag] == b'A' { b'B' } else { b'A' };
    forged
}
