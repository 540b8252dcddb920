//! Sealed events to Kafka, each with its answer.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio::runtime::{Builder, Runtime};

use crate::SealedEvent;
use crate::acknowledged::{Acknowledged, Answers, Place};
use crate::producer::PublishError;
use crate::transport::{Answer, Sent, Transport, Trouble};

/// An event that Kafka has not confirmed by then is sent again.
const PATIENCE: Duration = Duration::from_secs(30);
/// So long a new client is given to find its broker, before it counts as away.
const FIRST_CONTACT: Duration = Duration::from_secs(3);
/// An event may be received so long after it was sealed, where the carrier's registration says nothing else.
const MAX_DELIVERY_DELAY: Duration = Duration::from_secs(7 * 86_400);

/// Kafka, as a transport.
pub struct Kafka {
    producer: Acknowledged,
    topic: String,
    runtime: Runtime,
    max_delivery_delay: Duration,
    has_contact: bool,
}

impl fmt::Debug for Kafka {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kafka").field("topic", &self.topic).finish_non_exhaustive()
    }
}

impl Kafka {
    /// `connection`: librdkafka properties of brokers, TLS and SASL.
    pub fn new(connection: &[(String, String)], topic: &str) -> Result<Self, PublishError> {
        let failure = |e: std::io::Error| PublishError(format!("producer: {e}"));
        Ok(Self {
            producer: Acknowledged::new(connection, topic, PATIENCE)?,
            topic: topic.to_owned(),
            runtime: Builder::new_current_thread().build().map_err(failure)?,
            max_delivery_delay: MAX_DELIVERY_DELAY,
            has_contact: false,
        })
    }

    /// What the carrier's registration has: 7 days, where it says nothing.
    pub fn with_max_delivery_delay(self, max_delivery_delay: Duration) -> Self {
        Self { max_delivery_delay, ..self }
    }

    fn wait_for_contact(&mut self) {
        let began = Instant::now();
        while self.producer.is_away() && !self.has_contact && began.elapsed() < FIRST_CONTACT {
            std::thread::sleep(Duration::from_millis(10));
        }
        self.has_contact = true;
    }

    fn position(&self, place: Option<Place>) -> Answer {
        match place {
            Some(Place { partition, offset }) => {
                Answer::Accepted { position: format!("{}-{partition}-{offset}", self.topic) }
            }
            None => Answer::Unknown,
        }
    }

    fn away(&self) -> Trouble {
        match self.producer.last_error() {
            Some(error) => Trouble::away(format!("Kafka does not answer: {error}")),
            None => Trouble::away("Kafka does not answer"),
        }
    }
}

/// Nobody answers on Kafka: what decrypt would reject for its age alone is not sent, and answered here.
fn expired(event: &SealedEvent, now_ms: i64, max: Duration) -> Option<Answer> {
    let age_ms = now_ms.saturating_sub(event.sealed_at_ms());
    let is_expired = u128::try_from(age_ms).is_ok_and(|age| age > max.as_millis());
    is_expired.then(|| Answer::Rejected {
        code: "expired".to_owned(),
        detail: format!(
            "sealed {} h ago, and received within {} h at the latest: seal anew",
            age_ms / 3_600_000,
            max.as_secs() / 3_600
        ),
    })
}

impl Transport for Kafka {
    fn send(&mut self, events: &[&SealedEvent]) -> Sent {
        self.wait_for_contact();
        let (answers, now_ms) = (Arc::<Answers>::default(), Timestamp::now().as_millisecond());
        // What was not handed over has no answer of Kafka's.
        let mut judged = Vec::with_capacity(events.len());
        for event in events {
            if let Some(expired) = expired(event, now_ms, self.max_delivery_delay) {
                judged.push(Some(expired));
                continue;
            }
            let (key, value) = (event.handle().as_bytes(), event.value().as_bytes());
            if self.producer.send(&self.topic, key, value, &answers).is_err() {
                break;
            }
            judged.push(None);
        }
        let is_cut = judged.len() < events.len();
        let mut places = self.runtime.block_on(answers.all()).into_iter();
        let answers: Vec<Answer> = judged
            .into_iter()
            .map(|judged| judged.unwrap_or_else(|| self.position(places.next().flatten())))
            .collect();
        let is_away = is_cut || answers.contains(&Answer::Unknown);
        Sent { answers, trouble: is_away.then(|| self.away()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::sealed_at;

    #[test]
    fn what_is_too_old_is_answered_under_its_code() {
        let event = SealedEvent::read(sealed_at("h", "m", 1_000_000)).unwrap();
        let hour = Duration::from_secs(3_600);
        assert_eq!(expired(&event, 1_000_000 + 3_600_000, hour), None);
        assert_eq!(expired(&event, 0, hour), None, "a clock that was set back");
        let Some(Answer::Rejected { code, detail }) = expired(&event, 4_600_001, hour) else {
            panic!("not expired")
        };
        assert_eq!(code, "expired");
        assert!(detail.starts_with("sealed 1 h ago"), "{detail}");
    }

    /// Nothing listens there.
    #[test]
    fn without_a_broker_nothing_is_accepted() {
        let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let connection = [("bootstrap.servers".to_owned(), nobody.to_string())];
        let mut kafka = Kafka::new(&connection, "t").unwrap();
        let event =
            SealedEvent::read(sealed_at("h", "m", Timestamp::now().as_millisecond())).unwrap();
        let sent = kafka.send(&[&event]);
        assert!(sent.answers.is_empty(), "{sent:?}");
        let why = sent.trouble.unwrap().why;
        assert!(why.starts_with("Kafka does not answer"), "{why}");
    }
}
