//! Consume, batch, run stages, commit; one loop, driven by one closed enum of events.

mod careful;
mod step_over;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use careful::set_aside;
use rdkafka::message::BorrowedMessage;
use rdkafka::{Message, Timestamp, TopicPartitionList};
use waybill_host::batch::Batch;
use waybill_host::caution::Caution;
use waybill_host::chain::Flow;
use waybill_host::input::Input;
use waybill_host::ledger::Stretch;
use waybill_host::metrics::metrics;
use waybill_host::processor::{Incoming, Processor};
use waybill_host::values::Values;
use waybill_schemas::Role;
use waybill_stage::Fault;

use crate::committer::{Committer, Done};
use crate::consumer::{Event, GroupConsumer, IDLE_WAIT, Start};
use crate::crash_point::crash_point;
use crate::hand_over::pause;
use crate::health::now_ms;
use crate::transaction::ATTEMPTS;
use crate::{Health, HostSettings, Shutdown};

/// Bytes of the values that are shown to a processor ahead, about: they are copied.
const BYTES_AT_ONCE: usize = 4 << 20;

/// This process, among all that there ever are.
static ME: LazyLock<String> = LazyLock::new(|| format!("{}-{}", std::process::id(), now_ms()));

fn is_like(messages: &[BorrowedMessage<'_>], message: &BorrowedMessage<'_>) -> bool {
    messages.first().is_none_or(|first| first.topic() == message.topic())
}

/// Whether the broker has said when it was appended. Whoever may set a sealed topic up anew could otherwise
/// choose the time of receipt.
fn is_stamped(message: &BorrowedMessage<'_>) -> bool {
    matches!(message.timestamp(), Timestamp::LogAppendTime(_))
}

fn incoming<'m>(role: Role, message: &'m BorrowedMessage<'_>) -> Incoming<'m> {
    Incoming {
        role,
        topic: message.topic(),
        partition: message.partition(),
        offset: message.offset(),
        key: message.key(),
        value: message.payload(),
        appended_at: message.timestamp().to_millis().unwrap_or_default(),
    }
}

/// Runs `processor` until shutdown, or until a fault; what was not committed is then read again.
pub fn host(
    settings: &HostSettings,
    processor: &mut dyn Processor,
    values: &Values,
    health: &Health,
    shutdown: &Shutdown,
) -> Result<(), Fault> {
    let inputs = processor.inputs();
    let committer = Committer::start(settings)?;
    let consumer = GroupConsumer::join(settings, inputs)?;
    Host {
        stage: processor.stages().first().copied().unwrap_or_default(),
        stages: processor.stages().join(","),
        settings,
        processor,
        values,
        health,
        consumer: &consumer,
        committer,
        inputs,
        known: BTreeMap::new(),
        read_up_to: BTreeMap::new(),
        cautions: BTreeMap::new(),
        begun: BTreeSet::new(),
        batch: Batch::default(),
        gathered: Vec::new(),
        next: None,
        waits: None,
        spare: None,
        aborted: 0,
    }
    .run(shutdown)
}

struct Host<'a> {
    settings: &'a HostSettings,
    processor: &'a mut dyn Processor,
    values: &'a Values,
    health: &'a Health,
    consumer: &'a GroupConsumer,
    committer: Committer,
    inputs: &'static [Role],
    /// The topics of which we were given something.
    known: BTreeMap<Arc<str>, Role>,
    stages: String,
    /// The first of them.
    stage: &'static str,
    /// Of each input partition that is ours, where the next batch begins.
    read_up_to: BTreeMap<Input, i64>,
    /// Of the partitions of which nothing is committed yet since they are ours, and of those where a
    /// process has died.
    cautions: BTreeMap<Input, Caution>,
    /// Of these, the ones beside whose offset it stands that we have begun. Only they are read.
    begun: BTreeSet<Input>,
    batch: Batch,
    /// Memory of [`Self::take`], empty between its calls.
    gathered: Vec<BorrowedMessage<'a>>,
    /// What came while records were gathered, and is not for them.
    next: Option<Event<'a>>,
    /// The input that is not read now.
    waits: Option<Role>,
    /// A batch that was committed, for its memory.
    spare: Option<Batch>,
    /// How often the batch that is being committed was aborted.
    aborted: u32,
}

impl<'a> Host<'a> {
    fn run(&mut self, shutdown: &Shutdown) -> Result<(), Fault> {
        loop {
            self.health.beat();
            self.go_on_with(self.processor.waits(now_ms()))?;
            let event = match self.next.take() {
                Some(event) => event,
                None => self.consumer.next(self.poll_timeout())?,
            };
            match event {
                Event::Assigned(partitions) => {
                    let began = Instant::now();
                    let starts = self.consumer.starts(&partitions)?;
                    self.processor.gain(&self.numbers(&partitions))?;
                    metrics().restore_seconds.observe(began.elapsed().as_secs_f64());
                    self.consumer.take(&starts)?;
                    // What has come is read, whatever it is of: that is looked at next.
                    self.go_on_with(None)?;
                    self.gained(&starts)?;
                    self.health.set_ready(true);
                }
                Event::Revoked(partitions) => {
                    if self.consumer.has_lost_assignment() {
                        return Err(Fault("the group took our partitions away".to_owned()));
                    }
                    self.commit_all()?;
                    self.rest()?;
                    self.processor.lose(&self.numbers(&partitions));
                    crash_point("partitions_revoked");
                    self.consumer.give(&partitions)?;
                    self.lost(&partitions);
                }
                Event::Record(message) => self.take(message)?,
                Event::Undecodable => self.step_over()?,
                // One without partitions is ready to take over.
                Event::Tick if self.consumer.has_joined() => self.health.set_ready(true),
                Event::Tick => {}
            }
            self.collect(Duration::ZERO)?;
            if self.is_due() {
                self.submit()?;
            }
            if shutdown.is_requested() {
                self.commit_all()?;
                return self.rest();
            }
        }
    }

    /// Reads all inputs but the one that is to wait.
    fn go_on_with(&mut self, waits: Option<Role>) -> Result<(), Fault> {
        if waits == self.waits {
            return Ok(());
        }
        for (role, stops) in [(self.waits, false), (waits, true)] {
            if let Some(role) = role {
                self.consumer.stop(self.settings.topics.name(role), stops)?;
            }
        }
        self.waits = waits;
        Ok(())
    }

    /// Of `partitions`, those of the first input.
    fn numbers(&self, partitions: &TopicPartitionList) -> Vec<i32> {
        let first = self.inputs.first();
        let is_of = |topic| self.settings.topics.role(self.inputs, topic).as_ref() == first;
        let elements = partitions.elements();
        elements.iter().filter(|p| is_of(p.topic())).map(|p| p.partition()).collect()
    }

    fn input(&self, topic: &str, partition: i32) -> Result<Input, Fault> {
        let known = self.known.get_key_value(topic);
        let (topic, role) =
            known.ok_or_else(|| Fault(format!("{topic}-{partition} was read and is not ours")))?;
        Ok(Input { role: *role, topic: topic.clone(), partition })
    }

    fn gained(&mut self, starts: &[Start]) -> Result<(), Fault> {
        for start in starts {
            let role = self.settings.topics.role(self.inputs, &start.topic);
            let role =
                role.ok_or_else(|| Fault(format!("topic {} was not subscribed to", start.topic)))?;
            self.known.entry(start.topic.as_str().into()).or_insert(role);
            let input = self.input(&start.topic, start.partition)?;
            let most = self.settings.limits.records;
            let caution = Caution::taken_over(&start.metadata, start.offset, &ME, most);
            if caution.at_once < most {
                tracing::warn!(
                    topic = start.topic,
                    partition = start.partition,
                    offset = start.offset,
                    at_once = caution.at_once,
                    "a process has died here before it had committed anything: going on with care"
                );
            }
            self.read_up_to.insert(input.clone(), start.offset);
            self.cautions.insert(input, caution);
        }
        metrics().assigned.set(i64::try_from(self.read_up_to.len()).unwrap_or(0));
        Ok(())
    }

    fn lost(&mut self, partitions: &TopicPartitionList) {
        for p in partitions.elements() {
            if let Ok(input) = self.input(p.topic(), p.partition()) {
                self.read_up_to.remove(&input);
                self.cautions.remove(&input);
                self.begun.remove(&input);
            }
        }
        metrics().assigned.set(i64::try_from(self.read_up_to.len()).unwrap_or(0));
    }

    /// How long to wait for a record: until the batch is due, and never so long that a commit that is
    /// done goes unseen. With neither, as long as a shutdown may wait: a rebalance ends the wait, as a
    /// record does.
    fn poll_timeout(&self) -> Duration {
        let longest = self.committer.busy_for().map_or(IDLE_WAIT, pause);
        let age = self.settings.limits.age;
        match self.batch.opened_at.map(|at| age.saturating_sub(at.elapsed())) {
            // An old batch waits for the commit before it, and that for the broker.
            None | Some(Duration::ZERO) => longest,
            Some(rest) => rest.min(longest),
        }
    }

    /// Takes a record, and with it those of its topic that have come already, as far as they are shown
    /// to the processor at once.
    fn take(&mut self, first: BorrowedMessage<'a>) -> Result<(), Fault> {
        if !self.is_to_be_read(&first)? {
            return Ok(());
        }
        let mut input = self.input(first.topic(), first.partition())?;
        if self.cautions.contains_key(&input) && !self.begun.contains(&input) {
            self.begin(&input)?;
        }
        let mut messages = std::mem::take(&mut self.gathered);
        messages.push(first);
        self.gather(&mut messages)?;
        if messages.len() > 1 {
            let records: Vec<_> = messages.iter().map(|m| incoming(input.role, m)).collect();
            self.processor.look_ahead(&records, self.values, now_ms());
        }
        for message in &messages {
            let record = incoming(input.role, message);
            // They are all of one topic.
            input.partition = record.partition;
            self.batch.read(&input, record.offset, Instant::now());
            let mut flow = Flow { batch: &mut self.batch, values: self.values, now_ms: now_ms() };
            let caution = self.cautions.get(&input);
            if caution.is_some_and(|caution| caution.is_poison()) {
                set_aside(self.stage, &record, &mut flow)?;
                continue;
            }
            crash_at(record.offset);
            self.processor.process(&record, &mut flow)?;
        }
        messages.clear();
        self.gathered = messages;
        Ok(())
    }

    fn gather(&mut self, messages: &mut Vec<BorrowedMessage<'a>>) -> Result<(), Fault> {
        let most = self.processor.at_once().min(self.at_once());
        let mut bytes: usize = messages.iter().map(|m| m.payload_len()).sum();
        while messages.len() < most && bytes < BYTES_AT_ONCE {
            match self.consumer.next(Duration::ZERO)? {
                Event::Record(message)
                    if is_like(messages, &message)
                        && self.has_begun(&message)?
                        && self.is_to_be_read(&message)? =>
                {
                    bytes += message.payload_len();
                    messages.push(message);
                }
                Event::Tick => break,
                other => {
                    self.next = Some(other);
                    break;
                }
            }
        }
        Ok(())
    }

    /// Whether the record counts. Nothing of a topic that was refused does.
    fn is_to_be_read(&self, message: &BorrowedMessage<'_>) -> Result<bool, Fault> {
        let topic = message.topic();
        if self.consumer.has_refused(topic) {
            return Ok(false);
        }
        let input = self.input(topic, message.partition())?;
        if input.role != Role::Sealed || is_stamped(message) {
            return Ok(true);
        }
        let why = format!(
            "{input}@{} was not stamped by the broker: the topic had a message.timestamp.type other than \
             LogAppendTime",
            message.offset()
        );
        self.consumer.refuse(topic, why)?;
        Ok(false)
    }

    fn is_full(&self) -> bool {
        let limits = &self.settings.limits;
        self.batch.records >= self.at_once() || self.batch.bytes() >= limits.bytes
    }

    /// Old or full, and the transaction before it is done (a full one waits for that).
    fn is_due(&self) -> bool {
        let old = self.batch.opened_at.is_some_and(|at| at.elapsed() >= self.settings.limits.age);
        self.is_full() || (old && self.committer.is_idle())
    }

    fn wait(&mut self) -> Result<(), Fault> {
        while !self.committer.is_idle() {
            self.collect(Duration::from_secs(1))?;
            self.health.beat();
        }
        Ok(())
    }

    fn submit(&mut self) -> Result<(), Fault> {
        self.wait()?;
        let mut flow = Flow { batch: &mut self.batch, values: self.values, now_ms: now_ms() };
        self.processor.close(&mut flow)?;
        self.enter()?;
        if let Some(at) = self.batch.opened_at {
            metrics().batch_seconds.observe(at.elapsed().as_secs_f64());
        }
        #[allow(clippy::cast_precision_loss)]
        metrics().batch_records.observe(self.batch.records as f64);
        let mut batch = std::mem::replace(&mut self.batch, self.spare.take().unwrap_or_default());
        let is_careful = self.is_careful();
        self.go_on_behind(&mut batch);
        self.aborted = 0;
        self.committer.submit(batch, self.consumer.standing()?)?;
        // What is taken next is not to be mistaken for what killed.
        if is_careful { self.wait() } else { Ok(()) }
    }

    /// The ledger's entry of each input partition that the batch has read.
    fn enter(&mut self) -> Result<(), Fault> {
        let read: Vec<_> =
            self.batch.marks.iter().map(|(input, mark)| (input.clone(), mark.offset)).collect();
        for (input, next) in read {
            let known = self.read_up_to.insert(input.clone(), next);
            let from = known.ok_or_else(|| Fault(format!("{input} was read and is not ours")))?;
            let topic_id = &self.consumer.topic_id(&input.topic);
            let stretch = Stretch { input, topic_id, from, next };
            self.batch.enter(self.values, &self.stages, stretch, now_ms())?;
        }
        Ok(())
    }

    fn collect(&mut self, wait: Duration) -> Result<(), Fault> {
        match self.committer.collect(wait)? {
            None => Ok(()),
            Some(Done::Committed(mut batch)) => {
                batch.tally.publish();
                batch.reset(self.settings.limits.bytes);
                self.spare = Some(batch);
                Ok(())
            }
            Some(Done::Aborted(batch, why)) => {
                self.aborted += 1;
                if self.aborted == ATTEMPTS {
                    return Err(Fault(why));
                }
                tracing::info!(why, attempt = self.aborted, "aborted: committing it anew");
                self.committer.submit(batch, self.consumer.standing()?)
            }
        }
    }

    fn commit_all(&mut self) -> Result<(), Fault> {
        if !self.batch.is_empty() {
            self.submit()?;
        }
        self.wait()
    }
}

/// For tests: `FAILPOINTS=record_OFFSET=return` makes the record there end its process.
fn crash_at(offset: i64) {
    if cfg!(feature = "failpoints") {
        crash_point(&format!("record_{offset}"));
    }
}

impl Drop for Host<'_> {
    fn drop(&mut self) {
        self.health.set_ready(false);
        metrics().assigned.set(0);
    }
}
