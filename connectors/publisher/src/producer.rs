//! Many records to Kafka, counted: each as published only once the broker has confirmed it.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use rdkafka::ClientConfig;
use rdkafka::client::ClientContext;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{
    BaseRecord, DeliveryResult, NoCustomPartitioner, Producer, ProducerContext, ThreadedProducer,
};

/// A record may be refused by the client, or never be confirmed.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct PublishError(pub String);

/// Produces to one topic, in order, with `acks=all`. A record whose answer is lost is sent again: the
/// copy has the same `jti`, and is a duplicate. lz4: the constant part of granted events compresses
/// away.
pub struct Publisher {
    producer: ThreadedProducer<Confirmations>,
    topic: String,
    counts: Arc<Counts>,
    sent: u64,
}

impl fmt::Debug for Publisher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Publisher").field("topic", &self.topic).field("sent", &self.sent).finish()
    }
}

/// How many records the broker has answered for.
#[derive(Debug, Default)]
struct Counts {
    confirmed: AtomicU64,
    failed: AtomicU64,
    last_error: std::sync::Mutex<Option<String>>,
}

impl Publisher {
    /// `connection`: librdkafka properties of brokers, TLS and SASL.
    pub fn new(connection: &[(String, String)], topic: &str) -> Result<Self, PublishError> {
        let mut config = client(connection);
        config.set("linger.ms", "20").set("message.timeout.ms", "120000");
        let counts = Arc::new(Counts::default());
        let producer = config
            .create_with_context(Confirmations(counts.clone()))
            .map_err(|e| PublishError(format!("producer: {e}")))?;
        Ok(Self { producer, topic: topic.to_owned(), counts, sent: 0 })
    }

    /// Hands one record over; waits while the client's queue is full. `None` is Kafka's null.
    pub fn send(&mut self, key: Option<&[u8]>, value: Option<&[u8]>) -> Result<(), PublishError> {
        let mut record = BaseRecord::<[u8], [u8]>::to(&self.topic);
        record.key = key;
        record.payload = value;
        let began = Instant::now();
        while let Err((error, back)) = self.producer.send(record) {
            let full = error.rdkafka_error_code() == Some(RDKafkaErrorCode::QueueFull);
            if !full || began.elapsed() > Duration::from_secs(120) {
                return Err(PublishError(format!("producing: {error}")));
            }
            std::thread::sleep(Duration::from_millis(1));
            record = back;
        }
        self.sent += 1;
        Ok(())
    }

    /// Records handed over so far.
    pub fn sent(&self) -> u64 {
        self.sent
    }

    /// Records that the broker has confirmed.
    pub fn confirmed(&self) -> u64 {
        self.counts.confirmed.load(Ordering::Relaxed)
    }

    /// Waits until every record has its answer; calls `progress` meanwhile with the number
    /// confirmed. An error if one was not delivered.
    pub fn finish(&mut self, mut progress: impl FnMut(u64)) -> Result<u64, PublishError> {
        let began = Instant::now();
        loop {
            let confirmed = self.confirmed();
            let failed = self.counts.failed.load(Ordering::Relaxed);
            progress(confirmed);
            if confirmed + failed >= self.sent || began.elapsed() > Duration::from_secs(130) {
                let missing = self.sent.saturating_sub(confirmed);
                if missing == 0 {
                    return Ok(confirmed);
                }
                let why = self
                    .counts
                    .last_error
                    .lock()
                    .unwrap_or_else(std::sync::PoisonError::into_inner)
                    .clone()
                    .unwrap_or_else(|| "no answer from the broker".to_owned());
                return Err(PublishError(format!(
                    "{missing} of {} records were not delivered: {why}",
                    self.sent
                )));
            }
            // Sends what lingers; the polling thread counts the answers.
            let _ = self.producer.flush(Duration::from_millis(100));
        }
    }
}

/// What every producer of ours has.
pub(crate) fn client(connection: &[(String, String)]) -> ClientConfig {
    let mut config = ClientConfig::new();
    for (key, value) in connection {
        config.set(key, value);
    }
    config
        // One request on its way keeps the order, whatever is sent again. Not an idempotent
        // producer: while a partition's request is unanswered and more is due behind it,
        // librdkafka's spins (`connectors/kafka/src/hand_over.rs`). A limit on the connection
        // does not.
        .set("acks", "all")
        .set("enable.idempotence", "false")
        .set("max.in.flight.requests.per.connection", "1")
        .set("compression.type", "lz4")
        .set("partitioner", "murmur2_random")
        .set("queue.buffering.max.messages", "50000")
        .set("queue.buffering.max.kbytes", "65536");
    config
}

struct Confirmations(Arc<Counts>);

impl ClientContext for Confirmations {
    fn error(&self, error: KafkaError, reason: &str) {
        tracing::warn!(target: "kafka", %error, reason, "kafka client");
    }
}

impl ProducerContext<NoCustomPartitioner> for Confirmations {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        match result {
            Ok(_) => {
                self.0.confirmed.fetch_add(1, Ordering::Relaxed);
            }
            Err((error, _)) => {
                self.0.failed.fetch_add(1, Ordering::Relaxed);
                *self.0.last_error.lock().unwrap_or_else(std::sync::PoisonError::into_inner) =
                    Some(error.to_string());
            }
        }
    }
}
