//! The gateway: carriers without Kafka publish over HTTPS, and learn what became of each event and why. It
//! keeps nothing: many of them stand behind any load balancer.
//!
//! | what | where |
//! |---|---|
//! | connections, their bounds, and how they end | `server`, `linger`, `tls`, `limits`, `quota`, `memory` |
//! | who asks | `caller`, `registry` |
//! | `POST /v1/events` | `publish`, by `content`, `incoming`, `lines`, `cloudevents`, `intake`, `plain`, `results` |
//! | what became of events | `reading`, `status`, `recent`, `outcome`, `shown` |
//! | `POST /v1/explain` | `explain`, `explained` |
//! | what is the same for everybody | `key_set`, `openapi`, `cached`, and pages: `home`, `docs`, `page` |
//! | errors | `problem`, docs/errors.md |

mod cached;
mod caller;
mod cloudevents;
mod content;
mod docs;
mod explain;
mod explained;
mod home;
mod incoming;
mod intake;
mod key_set;
mod limits;
mod lines;
mod linger;
mod memory;
pub mod metrics;
mod openapi;
mod outcome;
mod page;
mod place;
mod plain;
mod problem;
mod publish;
mod quota;
mod reading;
mod recent;
mod registry;
mod results;
mod routes;
mod server;
mod settings;
mod shown;
mod status;
mod tls;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use waybill_clickhouse::Answers;
use waybill_decrypt::Door;
use waybill_explain::Explainer;
use waybill_publisher::Acknowledged;
use waybill_sealing::published::PublishedKeys;

pub use plain::PlainSealer;
pub use problem::{Code, Problem};
pub use registry::Registry;
pub use server::serve;
pub use settings::{CarrierLimits, Settings, TlsFiles};

/// Grants whose signature is known.
const GRANTS: usize = 16_384;

/// How often the ledger is asked what carriers have sent.
const QUOTAS_EVERY: Duration = Duration::from_secs(10);

/// What a gateway is made of; what is behind an [`ArcSwap`] changes while it runs.
#[derive(Debug)]
pub struct Parts {
    pub registry: Arc<ArcSwap<Registry>>,
    pub keys: Arc<ArcSwap<PublishedKeys>>,
    pub kafka: Acknowledged,
    /// What carriers publish to that have no topic of their own.
    pub topic: String,
    /// Kafka's ids of the topics that carriers publish to, by name.
    pub topic_ids: Arc<ArcSwap<BTreeMap<String, String>>>,
    /// `None`: no plain payload is taken.
    pub plain: Option<PlainSealer>,
    pub answers: Answers,
    pub explainer: Explainer,
}

/// What the routes share.
#[derive(Debug)]
pub struct Gateway {
    settings: Settings,
    door: Door,
    registry: Arc<ArcSwap<Registry>>,
    keys: Arc<ArcSwap<PublishedKeys>>,
    kafka: Acknowledged,
    /// For carriers that have none of their own.
    topic: Arc<str>,
    /// Kafka's ids of the topics that carriers publish to, by name.
    topic_ids: Arc<ArcSwap<BTreeMap<String, String>>>,
    /// `None`: no plain payload is taken.
    plain: Option<PlainSealer>,
    answers: Answers,
    reader: explain::Reader,
    limits: limits::Limits,
    memory: memory::Memory,
}

impl Gateway {
    pub fn new(settings: Settings, audience: &str, parts: Parts) -> Self {
        let (limits, memory) =
            (limits::Limits::new(&settings), memory::Memory::new(settings.bytes_in_hand));
        let door = Door::new(audience, GRANTS);
        let Parts { registry, keys, kafka, topic, topic_ids, plain, answers, explainer } = parts;
        let topic = topic.into();
        Self {
            settings,
            door,
            registry,
            keys,
            kafka,
            topic,
            topic_ids,
            plain,
            answers,
            reader: explain::Reader::new(explainer),
            limits,
            memory,
        }
    }

    /// Asks the ledger now and then what carriers have sent today. While it does not answer, what this gateway has
    /// taken in counts, and what was known last.
    pub async fn watch_quotas(&self) {
        let mut is_known = true;
        loop {
            if self.limits.has_quotas(self.registry.load().carriers.iter()) {
                let asked_ms = self.now_ms();
                let found = self.answers.opened_since(quota::day_began_ms(asked_ms)).await;
                match &found {
                    Ok(ledger) => self.limits.quotas.learn(asked_ms, self.now_ms(), ledger),
                    Err(fault) if is_known => {
                        tracing::warn!(%fault, "daily quotas go by what this gateway has taken in");
                    }
                    Err(_) => {}
                }
                is_known = found.is_ok();
            }
            tokio::time::sleep(QUOTAS_EVERY).await;
        }
    }

    /// Kafka is known to take nothing from us, or to take it again.
    pub fn set_refused(&self, is_refused: bool) {
        self.kafka.set_refused(is_refused);
    }

    /// Whether events can be taken now.
    pub fn is_ready(&self) -> bool {
        let is_away = self.kafka.is_away();
        metrics::metrics().kafka_away.set(i64::from(is_away));
        !is_away
    }

    fn check_kafka(&self) -> Result<(), Problem> {
        if self.is_ready() {
            return Ok(());
        }
        let detail = "Kafka does not answer: nothing of the request was taken";
        Err(Problem::new(Code::Unavailable, detail).after(Duration::from_secs(1)))
    }

    fn now_ms(&self) -> i64 {
        jiff::Timestamp::now().as_millisecond()
    }
}
