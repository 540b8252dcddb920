mod starts;
mod subscribed;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use backon::{BlockingRetryable, ConstantBuilder};
use rdkafka::client::ClientContext;
use rdkafka::consumer::{
    BaseConsumer, Consumer as _, ConsumerContext, ConsumerGroupMetadata, RebalanceProtocol,
};
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::message::BorrowedMessage;
use rdkafka::types::RDKafkaRespErr;
use rdkafka::{Offset, Statistics, TopicPartitionList};
use waybill_stage::Fault;

use crate::HostSettings;
use crate::lookout::Lookout;
use crate::membership::member;
use crate::orphans::look;
use crate::topic_identity::{Identities, Question, difference, identities};
use crate::undecodable::is_undecodable;
pub(crate) use starts::Start;
use subscribed::Subscribed;
use waybill_host::metrics::metrics;
use waybill_schemas::Role;

/// Everything that can come to a host's loop from Kafka.
#[derive(Debug)]
pub(crate) enum Event<'a> {
    /// These partitions are ours once [`GroupConsumer::take`] is called.
    Assigned(TopicPartitionList),
    /// These go to another once [`GroupConsumer::give`] is called.
    Revoked(TopicPartitionList),
    Record(BorrowedMessage<'a>),
    /// What stands at the [position](GroupConsumer::positions) of one of our partitions cannot be unpacked.
    Undecodable,
    /// Nothing came within the time.
    Tick,
}

#[derive(Clone)]
enum Change {
    Assigned(TopicPartitionList),
    Revoked(TopicPartitionList),
    Failed(String),
}

/// The callbacks do nothing but write down what librdkafka said. The group waits until the loop
/// has taken or given the partitions, outside of any callback.
pub(crate) struct Group {
    changes: Mutex<VecDeque<Change>>,
    /// The consumer is being dropped: nobody runs the loop any more.
    closing: AtomicBool,
    /// Nothing is fetched, so the client does not learn what comes.
    paused: AtomicBool,
}

impl ClientContext for Group {
    fn stats(&self, statistics: Statistics) {
        if self.paused.load(Ordering::Relaxed) {
            return;
        }
        let lag = &metrics().lag;
        for (topic, t) in &statistics.topics {
            for (number, p) in &t.partitions {
                // -1 stands for partitions that this process does not read.
                if *number >= 0
                    && let Some(waiting) = waiting(p)
                {
                    lag.with_label_values(&[topic.as_str(), &number.to_string()]).set(waiting);
                }
            }
        }
    }

    fn error(&self, error: KafkaError, reason: &str) {
        // librdkafka reconnects by itself; what is fatal comes out of poll or commit too.
        tracing::warn!(target: "kafka", %error, reason, "kafka client");
    }
}

/// Records up to the last stable offset that the loop has not taken yet. (librdkafka's own
/// `consumer_lag` goes by what this consumer commits, and transactions commit past it.)
fn waiting(p: &rdkafka::statistics::Partition) -> Option<i64> {
    if p.ls_offset < 0 {
        return None;
    }
    // With nothing fetched in hand, markers at the end count as read.
    let read = if p.fetchq_cnt == 0 { p.next_offset.max(p.app_offset) } else { p.app_offset };
    (read >= 0).then_some((p.ls_offset - read).max(0))
}

impl ConsumerContext for Group {
    fn rebalance(
        &self,
        consumer: &BaseConsumer<Self>,
        err: RDKafkaRespErr,
        partitions: &mut TopicPartitionList,
    ) {
        if self.closing.load(Ordering::Relaxed) {
            if err == RDKafkaRespErr::RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS {
                let _ = consumer.incremental_unassign(partitions);
            }
            return;
        }
        let change = match err {
            RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS => {
                Change::Assigned(partitions.clone())
            }
            RDKafkaRespErr::RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS => {
                Change::Revoked(partitions.clone())
            }
            other => Change::Failed(RDKafkaErrorCode::from(other).to_string()),
        };
        self.changes.lock().unwrap_or_else(PoisonError::into_inner).push_back(change);
    }
}

/// A member of a consumer group, polled by hand.
pub(crate) struct GroupConsumer {
    /// Goes before the client, which it was asked of.
    question: Mutex<Asked>,
    client: BaseConsumer<Group>,
    subscribed: Mutex<Subscribed>,
    /// Where carriers have several topics.
    lookout: Option<Lookout>,
    held: Mutex<Held>,
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

/// Sees to it that no partition of the group is left to nobody, where that can be: among members of
/// static names (`orphans.rs`).
struct Watch {
    group: String,
    looked_at: Instant,
    /// The last look found some.
    found: bool,
    /// Until then we stay away, so that the group forgets our name, and rebalances.
    away_until: Option<Instant>,
}

/// What we were given, and as whom.
#[derive(Default)]
struct Held {
    /// Where reading of each began.
    starts: BTreeMap<(String, i32), i64>,
    /// `None` while it is nothing.
    member: Option<String>,
}

/// Who commits, and of which topics.
pub(crate) struct Member {
    pub(crate) group: ConsumerGroupMetadata,
    pub(crate) topics: Arc<Identities>,
}

/// How long a loop with nothing to do waits for a record or a rebalance: as long as a shutdown, or a
/// signal of life, may wait for it.
pub(crate) const IDLE_WAIT: Duration = Duration::from_millis(250);

/// Between two looks at who has what in the group. A rebalance is over long before.
const LOOK_EVERY: Duration = Duration::from_secs(15);
/// Longer than `session.timeout.ms`.
const AWAY: Duration = Duration::from_secs(13);
/// A request to join that is lost, as when a coordinator moves, is repeated by librdkafka after
/// minutes only (`max.poll.interval.ms`); a new client asks at once.
const JOIN_TIMEOUT: Duration = Duration::from_secs(45);
const LOOKUP_TIMEOUT: Duration = Duration::from_secs(10);

impl GroupConsumer {
    /// Joins the group as a reader of these roles' topics.
    pub(crate) fn join(settings: &HostSettings, roles: &[Role]) -> Result<Self, Fault> {
        let (config, topics) = (settings.consumer(), &settings.topics);
        let group = Group {
            changes: Mutex::default(),
            closing: AtomicBool::new(false),
            paused: AtomicBool::new(false),
        };
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
            subscribed: Mutex::new(subscribed),
            lookout,
            held: Mutex::default(),
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

    /// Looks from time to time whether a partition of the group is nobody's. If twice so, one of the
    /// members goes away for longer than its session, and comes back: two rebalances.
    fn watch(&self) -> Result<(), Fault> {
        let Some(watch) = &self.watch else { return Ok(()) };
        let mut watch = watch.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(until) = watch.away_until {
            if Instant::now() >= until {
                watch.away_until = None;
                watch.looked_at = Instant::now();
                self.subscribe()?;
            }
            return Ok(());
        }
        if watch.looked_at.elapsed() < LOOK_EVERY {
            return Ok(());
        }
        watch.looked_at = Instant::now();
        let Some(own) = member(&self.client) else { return Ok(()) };
        let topics = self.subscribed().topics.clone();
        // The next time, then.
        let Ok(look) = look(&self.client, &watch.group, &topics, &own.id) else {
            return Ok(());
        };
        let again = std::mem::replace(&mut watch.found, look.orphans > 0);
        if look.orphans > 0 && again && look.is_ours {
            tracing::warn!(
                orphans = look.orphans,
                "partitions of the group are nobody's: leaving it for a while, so that it rebalances"
            );
            watch.found = false;
            watch.away_until = Some(Instant::now() + AWAY);
            self.client.unsubscribe();
        }
        Ok(())
    }

    pub(crate) fn next(&self, wait: Duration) -> Result<Event<'_>, Fault> {
        if let Some(event) = self.change()? {
            return Ok(event);
        }
        if self.lookout.as_ref().is_some_and(Lookout::has_news) {
            self.take_up_topics()?;
        }
        self.watch()?;
        self.watch_topics()?;
        // In whole milliseconds, upwards: librdkafka's clock has no smaller ones, and the binding
        // spins through the rest.
        let wait = match wait {
            Duration::ZERO => wait,
            _ => Duration::from_millis(wait.as_millis() as u64 + 1),
        };
        match self.client.poll(wait) {
            Some(Ok(message)) => Ok(Event::Record(message)),
            // The client connects anew by itself.
            Some(Err(error)) if passes(&error) => Ok(Event::Tick),
            // Of a topic that was removed: the lookout finds it gone.
            Some(Err(error)) if self.lookout.is_some() && is_unknown(&error) => Ok(Event::Tick),
            Some(Err(error)) if is_undecodable(&error) => Ok(Event::Undecodable),
            Some(Err(error)) => Err(Fault(format!("reading: {error}"))),
            None if !self.is_member.load(Ordering::Relaxed)
                && self.began.elapsed() > JOIN_TIMEOUT =>
            {
                Err(Fault("the group has not answered".to_owned()))
            }
            None => Ok(self.change()?.unwrap_or(Event::Tick)),
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
                asked.question = Some(Question::ask(client, &topics, LOOKUP_TIMEOUT)?);
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

    fn change(&self) -> Result<Option<Event<'_>>, Fault> {
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
                Ok(Some(Event::Assigned(p)))
            }
            Some(Change::Revoked(p)) => Ok(Some(Event::Revoked(p))),
            Some(Change::Failed(why)) => Err(Fault(format!("rebalance: {why}"))),
        }
    }

    pub(crate) fn take(&self, starts: &[Start]) -> Result<(), Fault> {
        if !starts.is_empty() {
            let member = self.current_member()?;
            let mut held = self.held();
            held.member = Some(member);
            let of = |s: &Start| ((s.topic.clone(), s.partition), s.offset);
            held.starts.extend(starts.iter().map(of));
        }
        let mut list = TopicPartitionList::new();
        for start in starts {
            list.add_partition_offset(&start.topic, start.partition, Offset::Offset(start.offset))
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

    pub(crate) fn give(&self, partitions: &TopicPartitionList) -> Result<(), Fault> {
        for p in partitions.elements() {
            let labels = [p.topic(), &p.partition().to_string()];
            let _ = metrics().lag.remove_label_values(&labels);
        }
        self.let_go(partitions);
        self.owe(None);
        self.client.incremental_unassign(partitions).map_err(|e| Fault(format!("unassigning: {e}")))
    }

    /// What a transactional commit must carry, to be refused if we are no longer who was given the
    /// partitions.
    pub(crate) fn standing(&self) -> Result<Member, Fault> {
        let group = self
            .client
            .group_metadata()
            .ok_or_else(|| Fault("not a member of a group".to_owned()))?;
        // Asked for afterwards: an identity, once lost, does not come back.
        self.current_member()?;
        Ok(Member { group, topics: self.subscribed().identities.clone() })
    }

    fn current_member(&self) -> Result<String, Fault> {
        let lost = || Fault("the group has put us out".to_owned());
        if self.has_lost_assignment() {
            return Err(lost());
        }
        let member = member(&self.client).ok_or_else(lost)?;
        match &self.held().member {
            Some(holder) if *holder != member.id => Err(lost()),
            _ => Ok(member.id),
        }
    }

    fn owe(&self, change: Option<Change>) {
        *self.owed.lock().unwrap_or_else(PoisonError::into_inner) = change;
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn let_go(&self, partitions: &TopicPartitionList) {
        let mut held = self.held();
        for p in partitions.elements() {
            held.starts.remove(&(p.topic().to_owned(), p.partition()));
        }
        if held.starts.is_empty() {
            held.member = None;
        }
    }

    /// The group has given these partitions to another already: nothing of them may be committed.
    pub(crate) fn has_lost_assignment(&self) -> bool {
        self.client.assignment_lost()
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
            let ends = self.client.fetch_watermarks(&topic, partition, LOOKUP_TIMEOUT);
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
        let held = self.held();
        let read = all.elements().into_iter().filter(|p| !refused.contains(p.topic()));
        let positions = read.filter_map(|p| {
            let key = (p.topic().to_owned(), p.partition());
            let offset = match p.offset() {
                Offset::Offset(offset) => offset,
                // Nothing of it was read so far.
                _ => *held.starts.get(&key)?,
            };
            Some((key.0, key.1, offset))
        });
        Ok(positions.collect())
    }

    /// Reading of a partition goes on there.
    pub(crate) fn go_on_at(&self, topic: &str, partition: i32, offset: i64) -> Result<(), Fault> {
        self.client
            .seek(topic, partition, Offset::Offset(offset), LOOKUP_TIMEOUT)
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

/// Whether it is said of a topic that is not there.
fn is_unknown(error: &KafkaError) -> bool {
    matches!(
        error.rdkafka_error_code(),
        Some(RDKafkaErrorCode::UnknownTopicOrPartition | RDKafkaErrorCode::UnknownTopic)
    )
}

fn patiently_known(consumer: &BaseConsumer<Group>, topics: &[&str]) -> Result<Identities, Fault> {
    let ask = || identities(consumer.client(), topics, LOOKUP_TIMEOUT);
    ask.retry(pauses()).call()
}

/// Asks again a few times where a connection was in the way.
pub(crate) fn patiently<T>(call: impl FnMut() -> KafkaResult<T>) -> KafkaResult<T> {
    call.retry(pauses()).when(passes).call()
}

fn pauses() -> ConstantBuilder {
    ConstantBuilder::default().with_delay(Duration::from_millis(500)).with_max_times(4)
}

/// Whether reading goes on by itself after this error. What is said here of one connection or one
/// answer is no fault of ours; what ends a client, or an offset that is not there, is.
pub(crate) fn passes(error: &KafkaError) -> bool {
    matches!(
        error.rdkafka_error_code(),
        Some(
            RDKafkaErrorCode::AllBrokersDown
                | RDKafkaErrorCode::BrokerTransportFailure
                | RDKafkaErrorCode::OperationTimedOut
                | RDKafkaErrorCode::MessageTimedOut
                | RDKafkaErrorCode::Resolve
                | RDKafkaErrorCode::RequestTimedOut
                | RDKafkaErrorCode::NetworkException
                | RDKafkaErrorCode::NotLeaderForPartition
                | RDKafkaErrorCode::LeaderNotAvailable
                | RDKafkaErrorCode::CoordinatorLoadInProgress
                | RDKafkaErrorCode::CoordinatorNotAvailable
                | RDKafkaErrorCode::NotCoordinator
        )
    )
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
