mod group;
mod starts;
mod subscribed;
mod transient;
mod watch;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use backon::BlockingRetryable;
use rdkafka::consumer::{BaseConsumer, Consumer as _, ConsumerGroupMetadata, RebalanceProtocol};
use rdkafka::error::KafkaError;
use rdkafka::message::BorrowedMessage;
use rdkafka::{Offset, TopicPartitionList};
use waybill_host::event::Member;
use waybill_host::input::Input;
use waybill_host::metrics::metrics;
use waybill_schemas::Role;
use waybill_stage::Fault;

use crate::lookout::Lookout;
use crate::membership::member;
use crate::topic_identity::{Identities, Question, difference, identities};
use crate::undecodable::is_undecodable;
use crate::{HostSettings, Topics, timeouts};
use group::{Change, Group};
use subscribed::Subscribed;
pub(crate) use transient::{is_transient, with_retry};
use transient::{is_unknown, pauses};
use watch::Watch;

/// Everything that can come to a loop from Kafka.
#[derive(Debug)]
pub(crate) enum Polled<'a> {
    /// These partitions are ours once [`GroupConsumer::assign`] is called.
    Assigned(TopicPartitionList),
    /// These go to another once [`GroupConsumer::unassign`] is called.
    Revoked(TopicPartitionList),
    Record(BorrowedMessage<'a>),
    /// What stands at the [position](GroupConsumer::positions) of one of our partitions cannot be unpacked.
    Undecodable,
    /// Nothing came within the time.
    Nothing,
}

/// A member of a consumer group, polled by hand.
pub(crate) struct GroupConsumer {
    /// Goes before the client, which it was asked of.
    question: Mutex<Asked>,
    client: BaseConsumer<Group>,
    /// What the topics are called that it reads, and what they are for.
    names: Topics,
    roles: &'static [Role],
    subscribed: Mutex<Subscribed>,
    /// Where carriers have several topics.
    lookout: Option<Lookout>,
    /// Where reading of each partition of ours began.
    began_at: Mutex<BTreeMap<(String, i32), i64>>,
    /// A change that the loop has been told of and has not answered yet.
    owed: Mutex<Option<Change>>,
    began: Instant,
    lag_asked: Mutex<Option<Instant>>,
    /// The group has answered us, be it with no partitions.
    is_member: AtomicBool,
    watch: Option<Mutex<Watch>>,
}

/// When the topics were last asked after, and the answer that is waited for.
struct Asked {
    at: Instant,
    question: Option<Question>,
}

/// Who commits, and of which topics.
pub(crate) struct CommitAs {
    pub(crate) group: ConsumerGroupMetadata,
    pub(crate) topics: Arc<Identities>,
}

/// How long a loop with nothing to do waits for a record or a rebalance: as long as a shutdown, or a
/// signal of life, may wait for it.
pub(crate) const IDLE_WAIT: Duration = Duration::from_millis(250);

/// Between two looks at who has what in the group. A rebalance is over long before.
const LOOK_EVERY: Duration = Duration::from_secs(15);

impl GroupConsumer {
    /// Joins the group as a reader of these roles' topics.
    pub(crate) fn join(settings: &HostSettings, roles: &'static [Role]) -> Result<Self, Fault> {
        let (config, topics) = (settings.consumer(), &settings.topics);
        let group = Group::default();
        let consumer: BaseConsumer<Group> =
            config.create_with_context(group).map_err(|e| Fault(format!("consumer: {e}")))?;
        let internal = roles.iter().filter(|role| role.is_internal());
        let mut own: Vec<String> = internal.map(|role| topics.name(*role).to_owned()).collect();
        let mut lookout = None;
        if roles.contains(&Role::Sealed) {
            match topics.sealed().only() {
                Some(only) => own.push(only.to_owned()),
                None => lookout = Some(Lookout::begin(&settings.connection, topics)?),
            }
        }
        let names: Vec<&str> = own.iter().map(String::as_str).collect();
        let identities = Arc::new(patiently_known(&consumer, &names)?);
        let subscribed = Subscribed {
            own,
            topics: Vec::new(),
            identities,
            refused: BTreeSet::new(),
            idle: Vec::new(),
        };
        let joined = Self {
            question: Mutex::new(Asked { at: Instant::now(), question: None }),
            client: consumer,
            names: topics.clone(),
            roles,
            subscribed: Mutex::new(subscribed),
            lookout,
            began_at: Mutex::default(),
            owed: Mutex::default(),
            began: Instant::now(),
            lag_asked: Mutex::default(),
            is_member: AtomicBool::new(false),
            watch: config.get("group.instance.id").and(config.get("group.id")).map(|group| {
                Mutex::new(Watch {
                    group: group.to_owned(),
                    looked_at: Instant::now(),
                    found: false,
                    away_until: None,
                })
            }),
        };
        joined.take_up_topics()?;
        Ok(joined)
    }

    pub(crate) fn next(&self, wait: Duration) -> Result<Polled<'_>, Fault> {
        if let Some(event) = self.change()? {
            return Ok(event);
        }
        // The group's next word would come before our answer to its last.
        if !self.owes() {
            if self.lookout.as_ref().is_some_and(Lookout::has_news) {
                self.take_up_topics()?;
            }
            self.watch()?;
        }
        self.watch_topics()?;
        // In whole milliseconds, upwards: librdkafka's clock has no smaller ones, and the binding
        // spins through the rest.
        let wait = match wait {
            Duration::ZERO => wait,
            _ => Duration::from_millis(wait.as_millis() as u64 + 1),
        };
        match self.client.poll(wait) {
            Some(Ok(message)) => Ok(Polled::Record(message)),
            // The client connects anew by itself.
            Some(Err(error)) if is_transient(&error) => Ok(Polled::Nothing),
            // Of a topic that was removed: the lookout finds it gone.
            Some(Err(error)) if self.lookout.is_some() && is_unknown(&error) => Ok(Polled::Nothing),
            Some(Err(error)) if is_undecodable(&error) => Ok(Polled::Undecodable),
            Some(Err(error)) => Err(Fault(format!("reading: {error}"))),
            None if !self.is_member.load(Ordering::Relaxed)
                && self.began.elapsed() > timeouts::JOIN =>
            {
                Err(Fault("the group has not answered".to_owned()))
            }
            None => Ok(self.change()?.unwrap_or(Polled::Nothing)),
        }
    }

    /// A topic that is made anew while we read it has other records at the offsets that we go by.
    fn watch_topics(&self) -> Result<(), Fault> {
        let mut asked = self.question.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(question) = &asked.question else {
            if asked.at.elapsed() >= LOOK_EVERY {
                let subscribed = self.subscribed();
                let topics: Vec<&str> = subscribed.topics.iter().map(String::as_str).collect();
                let client = self.client.client();
                asked.question = Some(Question::ask(client, &topics, timeouts::LOOKUP)?);
            }
            return Ok(());
        };
        let Some(answer) = question.answer(Duration::ZERO) else { return Ok(()) };
        *asked = Asked { at: Instant::now(), question: None };
        // Who does not answer now is asked again.
        match answer.ok().and_then(|now| difference(&self.subscribed().identities, &now)) {
            Some(difference) => Err(Fault(difference)),
            None => Ok(()),
        }
    }

    /// The id of a topic of ours.
    pub(crate) fn topic_id(&self, topic: &str) -> String {
        let subscribed = self.subscribed();
        subscribed.identities.get(topic).map(|identity| identity.id.clone()).unwrap_or_default()
    }

    fn change(&self) -> Result<Option<Polled<'_>>, Fault> {
        let mut changes =
            self.client.context().changes.lock().unwrap_or_else(PoisonError::into_inner);
        let change = changes.pop_front();
        if change.is_some() {
            self.owe(change.clone());
        }
        match change {
            None => Ok(None),
            Some(Change::Assigned(p)) => {
                self.is_member.store(true, Ordering::Relaxed);
                Ok(Some(Polled::Assigned(p)))
            }
            Some(Change::Revoked(p)) => Ok(Some(Polled::Revoked(p))),
            Some(Change::Failed(why)) => Err(Fault(format!("rebalance: {why}"))),
        }
    }

    /// What a topic of ours is for.
    pub(crate) fn role(&self, topic: &str) -> Result<Role, Fault> {
        let role = self.names.role(self.roles, topic);
        role.ok_or_else(|| Fault(format!("topic {topic} was not subscribed to")))
    }

    /// Reads these from there on. It answers what the group has assigned.
    pub(crate) fn assign(&self, offsets: &[(Input, i64)]) -> Result<(), Fault> {
        let mut list = TopicPartitionList::new();
        for (input, offset) in offsets {
            self.began_at().insert((input.topic.to_string(), input.partition), *offset);
            list.add_partition_offset(&input.topic, input.partition, Offset::Offset(*offset))
                .map_err(|e| Fault(format!("assigning: {e}")))?;
        }
        // What is not read is ours all the same, until the group takes it back: librdkafka wants an answer of
        // all that it has said. Its end is an offset that is always there.
        let idle = std::mem::take(&mut self.subscribed().idle);
        let mut paused = TopicPartitionList::new();
        for (topic, partition) in &idle {
            list.add_partition_offset(topic, *partition, Offset::End)
                .map_err(|e| Fault(format!("assigning: {e}")))?;
            paused.add_partition(topic, *partition);
        }
        self.owe(None);
        self.client.incremental_assign(&list).map_err(|e| Fault(format!("assigning: {e}")))?;
        if idle.is_empty() {
            return Ok(());
        }
        self.client.pause(&paused).map_err(|e| Fault(format!("pausing: {e}")))
    }

    /// Gives these back. It answers what the group has revoked.
    pub(crate) fn unassign(&self, partitions: &TopicPartitionList) -> Result<(), Fault> {
        for p in partitions.elements() {
            let labels = [p.topic(), &p.partition().to_string()];
            let _ = metrics().lag.remove_label_values(&labels);
            self.began_at().remove(&(p.topic().to_owned(), p.partition()));
        }
        self.owe(None);
        self.client.incremental_unassign(partitions).map_err(|e| Fault(format!("unassigning: {e}")))
    }

    /// What a transactional commit must carry, to be refused if we are no longer who was given the
    /// partitions; `None` if that is known now.
    pub(crate) fn commit_as(&self, holder: &Member) -> Option<CommitAs> {
        let group = self.client.group_metadata()?;
        // Asked for afterwards: an identity, once lost, does not come back.
        holder.is_still(self.member().as_ref()).then(|| {
            let topics = self.subscribed().identities.clone();
            CommitAs { group, topics }
        })
    }

    /// Who we are to our group; `None` for who is no member now, and who has lost what it had.
    pub(crate) fn member(&self) -> Option<Member> {
        if self.has_lost_assignment() { None } else { member(&self.client) }
    }

    fn owes(&self) -> bool {
        self.owed.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    fn owe(&self, change: Option<Change>) {
        *self.owed.lock().unwrap_or_else(PoisonError::into_inner) = change;
    }

    fn began_at(&self) -> MutexGuard<'_, BTreeMap<(String, i32), i64>> {
        self.began_at.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The group has given these partitions to another already: nothing of them may be committed.
    pub(crate) fn has_lost_assignment(&self) -> bool {
        self.client.assignment_lost()
    }

    /// Whether no broker was connected within the last second or two.
    pub(crate) fn is_away(&self) -> bool {
        self.client.context().is_away.load(Ordering::Relaxed)
    }

    /// A member of the group, be it without partitions.
    pub(crate) fn has_joined(&self) -> bool {
        !matches!(self.client.rebalance_protocol(), RebalanceProtocol::None)
    }

    /// What waits while reading is stopped: asked for, every few seconds.
    pub(crate) fn show_lag(&self) {
        const EVERY: Duration = Duration::from_secs(3);
        let mut asked = self.lag_asked.lock().unwrap_or_else(PoisonError::into_inner);
        if asked.is_some_and(|at| at.elapsed() < EVERY) {
            return;
        }
        *asked = Some(Instant::now());
        let Ok(positions) = self.positions() else { return };
        for (topic, partition, read) in positions {
            let ends = self.client.fetch_watermarks(&topic, partition, timeouts::LOOKUP);
            // The next time, then.
            let Ok((_, end)) = ends else { return };
            let labels = [topic.as_str(), &partition.to_string()];
            metrics().lag.with_label_values(&labels).set((end - read).max(0));
        }
    }

    /// Where reading of each of our partitions goes on.
    pub(crate) fn positions(&self) -> Result<Vec<(String, i32, i64)>, Fault> {
        let all = self.client.position().map_err(|e| Fault(format!("positions: {e}")))?;
        let refused = self.subscribed().refused.clone();
        let began_at = self.began_at();
        let read = all.elements().into_iter().filter(|p| !refused.contains(p.topic()));
        let positions = read.filter_map(|p| {
            let key = (p.topic().to_owned(), p.partition());
            let offset = match p.offset() {
                Offset::Offset(offset) => offset,
                // Nothing of it was read so far.
                _ => *began_at.get(&key)?,
            };
            Some((key.0, key.1, offset))
        });
        Ok(positions.collect())
    }

    /// Reading of a partition goes on there.
    pub(crate) fn go_on_at(&self, topic: &str, partition: i32, offset: i64) -> Result<(), Fault> {
        self.client
            .seek(topic, partition, Offset::Offset(offset), timeouts::LOOKUP)
            .map_err(|e| Fault(format!("going on at {topic}-{partition}@{offset}: {e}")))
    }

    /// Stops or resumes reading of one topic.
    pub(crate) fn stop(&self, topic: &str, stops: bool) -> Result<(), Fault> {
        let fault = |e: KafkaError| Fault(format!("pausing {topic}: {e}"));
        let mut of = TopicPartitionList::new();
        for p in self.client.assignment().map_err(fault)?.elements_for_topic(topic) {
            of.add_partition(topic, p.partition());
        }
        if of.count() == 0 {
            return Ok(());
        }
        if stops { self.client.pause(&of) } else { self.client.resume(&of) }.map_err(fault)
    }

    /// Stops or resumes reading all that is ours; we stay a member.
    pub(crate) fn pause(&self, paused: bool) -> Result<(), Fault> {
        self.client.context().paused.store(paused, Ordering::Relaxed);
        self.client
            .assignment()
            .and_then(|all| if paused { self.client.pause(&all) } else { self.client.resume(&all) })
            .map_err(|e| Fault(format!("pausing: {e}")))
    }
}

fn patiently_known(consumer: &BaseConsumer<Group>, topics: &[&str]) -> Result<Identities, Fault> {
    let ask = || identities(consumer.client(), topics, timeouts::LOOKUP);
    ask.retry(pauses()).call()
}

impl Drop for GroupConsumer {
    fn drop(&mut self) {
        self.client.context().closing.store(true, Ordering::Relaxed);
        // A change that nobody answers any more would keep the client from closing, for ever.
        let owed = self.owed.lock().unwrap_or_else(PoisonError::into_inner).take();
        let waiting = std::mem::take(
            &mut *self.client.context().changes.lock().unwrap_or_else(PoisonError::into_inner),
        );
        for change in owed.into_iter().chain(waiting) {
            let partitions = match change {
                Change::Assigned(p) => {
                    let _ = self.client.incremental_assign(&p);
                    p
                }
                Change::Revoked(p) => p,
                Change::Failed(_) => continue,
            };
            let _ = self.client.incremental_unassign(&partitions);
        }
        metrics().lag.reset();
    }
}
