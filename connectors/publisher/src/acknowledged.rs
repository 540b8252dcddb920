//! Records of which each has an answer: where it stands, or that it may not. For whoever must tell somebody
//! else, such as the gateway.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use rdkafka::client::ClientContext;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::Message as _;
use rdkafka::producer::{
    BaseRecord, DeliveryResult, NoCustomPartitioner, Producer, ProducerContext, ThreadedProducer,
};
use tokio::sync::Notify;

use crate::producer::{PublishError, client};

/// While something waits for an answer and none has come for so long, the broker counts as away.
const SILENT: Duration = Duration::from_millis(1_500);
/// How often a broker that is away is asked whether it is back.
const PROBE: Duration = Duration::from_millis(500);

/// Where a record stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    pub partition: i32,
    pub offset: i64,
}

/// The broker does not answer, or is behind: nothing was handed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Away;

/// Produces with `acks=all`, in order for each key of a topic.
pub struct Acknowledged {
    producer: Arc<ThreadedProducer<Context>>,
    state: Arc<State>,
}

impl std::fmt::Debug for Acknowledged {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Acknowledged").finish_non_exhaustive()
    }
}

#[derive(Debug)]
struct State {
    began: Instant,
    waiting: AtomicUsize,
    /// When the last answer came, or the first of those that wait was handed over; ms since it began.
    moved_at_ms: AtomicI64,
    /// The broker does not take what is produced, as its asker has found out.
    refused: AtomicBool,
    /// A record was not delivered, and no broker has answered since.
    failed: AtomicBool,
    /// The client says that it has no connection. It may have one again in a moment: the probe finds out.
    suspected: AtomicBool,
    /// What the client said last of what went wrong.
    last_error: Mutex<Option<String>>,
}

impl State {
    fn now_ms(&self) -> i64 {
        i64::try_from(self.began.elapsed().as_millis()).unwrap_or(i64::MAX)
    }

    fn moved(&self) {
        self.moved_at_ms.store(self.now_ms(), Ordering::Relaxed);
    }

    fn hand_over(&self) {
        if self.waiting.fetch_add(1, Ordering::Relaxed) == 0 {
            self.moved();
        }
    }

    fn take_back(&self) {
        self.waiting.fetch_sub(1, Ordering::Relaxed);
    }

    fn answered(&self, is_delivered: bool) {
        self.take_back();
        if is_delivered {
            self.moved();
        }
        self.failed.store(!is_delivered, Ordering::Relaxed);
    }

    fn is_away(&self) -> bool {
        let silent = self.now_ms() - self.moved_at_ms.load(Ordering::Relaxed);
        let is_silent = silent > SILENT.as_millis() as i64;
        self.failed.load(Ordering::Relaxed)
            || self.refused.load(Ordering::Relaxed)
            || (is_silent && self.waiting.load(Ordering::Relaxed) > 0)
    }
}

impl Acknowledged {
    /// `connection`: librdkafka properties of brokers, TLS and SASL. A record that has no answer after
    /// `timeout` is given up: whether it stands on its topic is not known then. Whether a broker that was away
    /// is back is told by `topic`.
    pub fn new(
        connection: &[(String, String)],
        topic: &str,
        timeout: Duration,
    ) -> Result<Self, PublishError> {
        let failure = |e: &dyn std::fmt::Display| PublishError(format!("producer: {e}"));
        let state = Arc::new(State {
            began: Instant::now(),
            waiting: AtomicUsize::new(0),
            moved_at_ms: AtomicI64::new(0),
            // Until it has been seen once.
            failed: AtomicBool::new(true),
            refused: AtomicBool::new(false),
            suspected: AtomicBool::new(false),
            last_error: Mutex::default(),
        });
        let mut config = client(connection);
        config
            .set("linger.ms", "2")
            .set("message.timeout.ms", timeout.as_millis().to_string())
            .set("reconnect.backoff.max.ms", "1000");
        let producer =
            config.create_with_context(Context(state.clone())).map_err(|e| failure(&e))?;
        let producer = Arc::new(producer);
        let (asked, asker) = (topic.to_owned(), Arc::downgrade(&producer));
        let shared = state.clone();
        std::thread::Builder::new()
            .name("kafka-probe".to_owned())
            .spawn(move || probe(&asker, &asked, &shared))
            .map_err(|e| failure(&e))?;
        Ok(Self { producer, state })
    }

    /// Whether records would wait for a broker that does not answer.
    pub fn is_away(&self) -> bool {
        self.state.is_away()
    }

    /// Whether the broker is known to take nothing from us: it counts as away until somebody knows better.
    pub fn set_refused(&self, is_refused: bool) {
        self.state.refused.store(is_refused, Ordering::Relaxed);
    }

    /// Why records wait, as far as the client has said.
    pub fn last_error(&self) -> Option<String> {
        self.state.last_error.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Records that have no answer yet.
    pub fn waiting(&self) -> usize {
        self.state.waiting.load(Ordering::Relaxed)
    }

    /// Hands one record over; its answer comes to `answers`.
    pub fn send(
        &self,
        topic: &str,
        key: &[u8],
        value: &[u8],
        answers: &Arc<Answers>,
    ) -> Result<(), Away> {
        if self.is_away() {
            return Err(Away);
        }
        let slot = Box::new(Slot { answers: answers.clone(), index: answers.open() });
        let record = BaseRecord::with_opaque_to(topic, slot).key(key).payload(value);
        self.state.hand_over();
        self.producer.send(record).map_err(|(error, record)| {
            self.state.take_back();
            if error.rdkafka_error_code() != Some(RDKafkaErrorCode::QueueFull) {
                tracing::warn!(target: "kafka", %error, "a record was refused");
            }
            record.delivery_opaque.answers.withdraw();
            Away
        })
    }
}

/// Asks a broker that is away whether it is back, and whether the topic is there.
fn probe(producer: &Weak<ThreadedProducer<Context>>, topic: &str, state: &State) {
    while let Some(producer) = producer.upgrade() {
        let is_suspected = state.suspected.swap(false, Ordering::Relaxed);
        if is_suspected || state.failed.load(Ordering::Relaxed) {
            let metadata = producer.client().fetch_metadata(Some(topic), Duration::from_secs(1));
            let is_there = metadata.is_ok_and(|metadata| {
                let mut topics = metadata.topics().iter();
                topics.all(|topic| {
                    let mut partitions = topic.partitions().iter();
                    topic.error().is_none() && partitions.all(|p| p.leader() >= 0)
                })
            });
            state.failed.store(!is_there, Ordering::Relaxed);
        }
        drop(producer);
        std::thread::sleep(PROBE);
    }
}

/// The answers to some records, in the order in which they were handed over. `None`: whether it was written
/// is not known.
#[derive(Debug, Default)]
pub struct Answers {
    places: Mutex<Vec<Option<Place>>>,
    open: AtomicUsize,
    complete: Notify,
}

impl Answers {
    fn open(&self) -> usize {
        self.open.fetch_add(1, Ordering::AcqRel);
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        places.push(None);
        places.len() - 1
    }

    /// The last that was opened is not handed over after all.
    fn withdraw(&self) {
        self.places.lock().unwrap_or_else(PoisonError::into_inner).pop();
        self.close();
    }

    fn answer(&self, index: usize, place: Option<Place>) {
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(entry) = places.get_mut(index) {
            *entry = place;
        }
        drop(places);
        self.close();
    }

    fn close(&self) {
        if self.open.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.complete.notify_one();
        }
    }

    /// Waits for all that were handed over so far. One waits at a time.
    pub async fn all(&self) -> Vec<Option<Place>> {
        loop {
            if self.open.load(Ordering::Acquire) == 0 {
                return self.places.lock().unwrap_or_else(PoisonError::into_inner).clone();
            }
            self.complete.notified().await;
        }
    }
}

#[derive(Debug)]
struct Slot {
    answers: Arc<Answers>,
    index: usize,
}

struct Context(Arc<State>);

impl ClientContext for Context {
    fn error(&self, error: KafkaError, reason: &str) {
        if error.rdkafka_error_code() == Some(RDKafkaErrorCode::AllBrokersDown) {
            self.0.suspected.store(true, Ordering::Relaxed);
        }
        tracing::warn!(target: "kafka", %error, reason, "kafka client");
        *self.0.last_error.lock().unwrap_or_else(PoisonError::into_inner) = Some(reason.to_owned());
    }
}

impl ProducerContext<NoCustomPartitioner> for Context {
    type DeliveryOpaque = Box<Slot>;

    fn delivery(&self, result: &DeliveryResult<'_>, slot: Box<Slot>) {
        let place = match result {
            Ok(record) => Some(Place { partition: record.partition(), offset: record.offset() }),
            Err((error, record)) => {
                let topic = record.topic();
                tracing::warn!(target: "kafka", topic, %error, "a record has no answer");
                *self.0.last_error.lock().unwrap_or_else(PoisonError::into_inner) =
                    Some(error.to_string());
                None
            }
        };
        let is_refusal = matches!(result, Err((error, _))
            if error.rdkafka_error_code() == Some(RDKafkaErrorCode::TopicAuthorizationFailed));
        // Who refuses one topic has answered, and takes others.
        self.0.answered(place.is_some() || is_refusal);
        slot.answers.answer(slot.index, place);
    }
}
