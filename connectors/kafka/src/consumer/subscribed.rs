//! Which topics are read: always the same, but where carriers have several.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rdkafka::consumer::Consumer as _;
use waybill_stage::Fault;

use super::{GroupConsumer, Watch};
use crate::lookout::refused;
use crate::topic_identity::Identities;

/// What is read, which may change where carriers have several topics.
pub(super) struct Subscribed {
    /// Topics of the platform.
    pub(super) own: Vec<String>,
    pub(super) topics: Vec<String>,
    /// Of the topics, as they were when we began to read them.
    pub(super) identities: Arc<Identities>,
    /// Topics that have shown what they are while they were read, and are not read any more.
    pub(super) refused: BTreeSet<String>,
    /// Partitions that were given to us, and are not to be read.
    pub(super) idle: Vec<(String, i32)>,
}

impl GroupConsumer {
    /// Subscribes to what is to be read now, if that has changed.
    pub(super) fn take_up_topics(&self) -> Result<(), Fault> {
        let mut subscribed = self.subscribed();
        let mut wanted = subscribed.own.clone();
        if let Some(lookout) = &self.lookout {
            let seen = lookout.seen();
            // One that is made anew is another.
            subscribed.refused.retain(|topic| seen.contains_key(topic));
            for (topic, verdict) in seen {
                let Ok(identity) = verdict else { continue };
                if subscribed.refused.contains(&topic) {
                    continue;
                }
                if !subscribed.identities.contains_key(&topic) {
                    Arc::make_mut(&mut subscribed.identities).insert(topic.clone(), identity);
                }
                wanted.push(topic);
            }
        }
        if wanted == subscribed.topics {
            return Ok(());
        }
        subscribed.topics = wanted;
        drop(subscribed);
        let is_away = |watch: &Mutex<Watch>| {
            watch.lock().unwrap_or_else(PoisonError::into_inner).away_until.is_some()
        };
        if self.watch.as_ref().is_some_and(is_away) { Ok(()) } else { self.subscribe() }
    }

    pub(super) fn subscribe(&self) -> Result<(), Fault> {
        let subscribed = self.subscribed();
        let topics: Vec<&str> = subscribed.topics.iter().map(String::as_str).collect();
        self.client.subscribe(&topics).map_err(|e| Fault(format!("subscribing: {e}")))
    }

    pub(super) fn subscribed(&self) -> MutexGuard<'_, Subscribed> {
        self.subscribed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads a topic of carriers no more, in this life. If there is no other, that is a fault.
    pub(crate) fn refuse(&self, topic: &str, why: String) -> Result<(), Fault> {
        let Some(lookout) = &self.lookout else { return Err(Fault(why)) };
        if self.subscribed().refused.insert(topic.to_owned()) {
            refused(topic, &why);
            // The group hears of it once it has our answer to what it has said last.
            lookout.look_again();
        }
        Ok(())
    }

    pub(crate) fn has_refused(&self, topic: &str) -> bool {
        self.lookout.is_some() && self.subscribed().refused.contains(topic)
    }
}
