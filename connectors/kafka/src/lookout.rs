//! Looks for the topics that carriers publish to, where there may be several, and which of them may be read.
//!
//! A topic without what is promised costs itself alone: it is not read, which the log, a metric and an alert
//! tell, and it is looked at again until it is mended. One that is made while we run is taken up with the next
//! look. None is read before it was looked at: a record that the broker has not stamped has no time of receipt.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use backon::{BlockingRetryable, ConstantBuilder};
use rdkafka::admin::AdminClient;
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use waybill_host::metrics::metrics;
use waybill_stage::Fault;

use crate::acl::{Acl, Operation, READERS, Resource};
use crate::offsets::probe;
use crate::rights::{missing_rights, said};
use crate::sealed_topics::SealedTopics;
use crate::topic_admin::unfit;
use crate::topic_identity::{Identity, identities};
use crate::{KafkaConnection, Topics};

/// It is looked at before it is read.
pub const READS_SEALED: [Operation; 2] = [Operation::Read, Operation::DescribeConfigs];
const LOOK_EVERY: Duration = Duration::from_secs(10);
const TIMEOUT: Duration = Duration::from_secs(10);

/// Of each topic, what it is now, or why it is not read.
pub(crate) type Seen = BTreeMap<String, Result<Identity, String>>;

/// A thread that looks. It ends with this value.
pub(crate) struct Lookout {
    seen: Arc<Mutex<Seen>>,
    /// What was seen has changed since it was asked for.
    news: Arc<AtomicBool>,
    _stop: Sender<()>,
}

impl Lookout {
    /// The first look is over when this returns.
    pub(crate) fn begin(connection: &KafkaConnection, topics: &Topics) -> Result<Self, Fault> {
        let mut looker = Looker {
            connection: connection.clone(),
            admin: connection.client().create().map_err(|e| Fault(format!("looking: {e}")))?,
            probe: probe(connection, READERS)?,
            topics: topics.clone(),
            seen: Seen::new(),
        };
        let pauses =
            ConstantBuilder::default().with_delay(Duration::from_millis(500)).with_max_times(4);
        (|| looker.look()).retry(pauses).call()?;
        if looker.seen.is_empty() {
            tracing::info!(wanted = %topics.sealed(), "no topic of carriers is there yet");
        }
        let seen = Arc::new(Mutex::new(looker.seen.clone()));
        let news = Arc::new(AtomicBool::new(true));
        let (stop, stopped) = channel();
        let (shared, told) = (seen.clone(), news.clone());
        let watch = move || {
            while stopped.recv_timeout(LOOK_EVERY) == Err(RecvTimeoutError::Timeout) {
                // The next time, then.
                if let Err(fault) = looker.look() {
                    tracing::warn!(%fault, "looking for topics of carriers");
                    continue;
                }
                let mut shared = shared.lock().unwrap_or_else(PoisonError::into_inner);
                if *shared != looker.seen {
                    shared.clone_from(&looker.seen);
                    told.store(true, Ordering::Release);
                }
            }
        };
        let thread = std::thread::Builder::new().name("lookout".to_owned());
        thread.spawn(watch).map_err(|e| Fault(format!("thread: {e}")))?;
        Ok(Self { seen, news, _stop: stop })
    }

    /// Whether there is something to be seen that was not asked for yet.
    pub(crate) fn has_news(&self) -> bool {
        self.news.load(Ordering::Acquire)
    }

    /// What was seen is to be asked for once more.
    pub(crate) fn look_again(&self) {
        self.news.store(true, Ordering::Release);
    }

    /// What the last look has found.
    pub(crate) fn seen(&self) -> Seen {
        self.news.store(false, Ordering::Release);
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

struct Looker {
    connection: KafkaConnection,
    admin: AdminClient<DefaultClientContext>,
    probe: BaseConsumer,
    topics: Topics,
    seen: Seen,
}

impl Looker {
    fn look(&mut self) -> Result<(), Fault> {
        let there = matching(&self.probe, self.topics.sealed())?;
        let is_read = |name: &&String| self.seen.get(*name).is_some_and(Result::is_ok);
        let new: Vec<&str> = there.iter().filter(|n| !is_read(n)).map(String::as_str).collect();
        let mut now = Seen::new();
        if !new.is_empty() {
            let mut known = identities(self.probe.client(), &new, TIMEOUT)?;
            let mut forbidden = self.forbidden(&new)?;
            for (name, lack) in unfit(&self.admin, &self.topics, &new)? {
                let Some(identity) = known.remove(name) else { continue };
                let lack = forbidden.remove(name).or(lack);
                now.insert(name.to_owned(), lack.map_or(Ok(identity), Err));
            }
        }
        for missing in self.topics.sealed().names().filter(|name| !there.contains(*name)) {
            let why =
                "it is not there (`waybill topics` makes it), or we may not see it".to_owned();
            now.insert(missing.to_owned(), Err(why));
        }
        for name in there {
            if let (false, Some(Ok(known))) = (now.contains_key(&name), self.seen.get(&name)) {
                now.insert(name, Ok(known.clone()));
            }
        }
        tell(&self.seen, &now);
        self.seen = now;
        Ok(())
    }
}

impl Looker {
    /// Of these topics, those that we may not read, and what grants it.
    fn forbidden(&self, names: &[&str]) -> Result<BTreeMap<String, String>, Fault> {
        let needed = |name: &&str| Acl {
            resource: Resource::Topic,
            name: (*name).to_owned(),
            is_prefix: false,
            operations: READS_SEALED.to_vec(),
        };
        let needed: Vec<Acl> = names.iter().map(needed).collect();
        let missing = missing_rights(&self.connection, &needed)?;
        let why = |acl: Acl| {
            let why = said(&self.connection, std::slice::from_ref(&acl));
            (acl.name, why)
        };
        Ok(missing.into_iter().map(why).collect())
    }
}

/// Says what is new.
fn tell(before: &Seen, now: &Seen) {
    for (topic, verdict) in now {
        if before.get(topic) == Some(verdict) {
            continue;
        }
        match verdict {
            Ok(_) => {
                tracing::info!(topic, "a topic of carriers is read");
                readable(topic);
            }
            Err(why) => refused(topic, why),
        }
    }
    for topic in before.keys().filter(|topic| !now.contains_key(*topic)) {
        tracing::warn!(topic, "a topic of carriers is gone");
        readable(topic);
    }
}

/// Tells that a topic is not read.
pub(crate) fn refused(topic: &str, why: &str) {
    tracing::error!(topic, why, "a topic of carriers is not read");
    metrics().refused_topics.with_label_values(&[topic]).set(1);
}

fn readable(topic: &str) {
    let _ = metrics().refused_topics.remove_label_values(&[topic]);
}

/// Topics that are there, and are meant.
fn matching(probe: &BaseConsumer, wanted: &SealedTopics) -> Result<BTreeSet<String>, Fault> {
    let metadata = probe
        .fetch_metadata(None, TIMEOUT)
        .map_err(|e| Fault(format!("looking for topics of carriers: {e}")))?;
    let there = metadata.topics().iter().filter(|t| t.error().is_none());
    Ok(there.map(|t| t.name()).filter(|name| wanted.matches(name)).map(str::to_owned).collect())
}

/// Kafka's id of each topic that carriers publish to and that is there, by name.
pub fn sealed_topic_ids(
    connection: &KafkaConnection,
    wanted: &SealedTopics,
) -> Result<BTreeMap<String, String>, Fault> {
    let probe = probe(connection, READERS)?;
    let there = matching(&probe, wanted)?;
    let names: Vec<&str> = there.iter().map(String::as_str).collect();
    let found = identities(probe.client(), &names, TIMEOUT)?;
    Ok(found.into_iter().map(|(name, identity)| (name, identity.id)).collect())
}

/// Which topics carriers publish to: those that are named, and of those that are there the ones that a pattern
/// finds.
pub fn sealed_topics(
    connection: &KafkaConnection,
    wanted: &SealedTopics,
) -> Result<Vec<String>, Fault> {
    let mut all: BTreeSet<String> = wanted.names().map(str::to_owned).collect();
    if wanted.has_patterns() {
        all.extend(matching(&probe(connection, READERS)?, wanted)?);
    }
    Ok(all.into_iter().collect())
}
