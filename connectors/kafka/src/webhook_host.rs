//! Has carriers' endpoints told, at least once. One loop, one transaction at each [cycle](WebhookHost::commit_cycle):
//! what is to be told of new rejects and events goes to a topic of its own, with the offsets that it was read up to;
//! and so does what became of it, with the offset of the oldest delivery that is still open. Who tells is a
//! [`Courier`]: it knows no Kafka, and this knows no HTTP.
//!
//! Nothing is told that is not on the topic. So what is told is told again after a crash, and nothing is forgotten;
//! and an endpoint that is away costs its place on the topic, and no memory but what the courier allows.
//!
//! An erasure comes on `events`, in its shipment's partition; its deliveries lie in any partition, and may be another
//! instance's. So it is passed on to every partition of the topic of deliveries, where it stands behind all that was
//! written of the shipment as it was.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use rdkafka::message::BorrowedMessage;
use rdkafka::{Message, TopicPartitionList};
use waybill_host::batch::Batch;
use waybill_host::chain::{decoded, opened as opened_value};
use waybill_host::event::{Member, Now};
use waybill_host::input::Input;
use waybill_host::metrics::metrics;
use waybill_host::protocol::CommittedOffset;
use waybill_host::topic_cipher::TopicCipher;
use waybill_schemas::Role;
use waybill_schemas::pipeline::WEBHOOKS;
use waybill_schemas::vocabulary::DeliveryState;
use waybill_schemas::{AcceptedEvent, Delivery, Erasure, RejectRecord};
use waybill_stage::Fault;

use crate::acl::READERS;
use crate::consumer::{GroupConsumer, IDLE_WAIT, Polled};
use crate::courier::Courier;
use crate::crash_point::crash_point;
use crate::health::now_ms;
use crate::offsets::{numbers, probe};
use crate::restore::incoming;
use crate::transaction::{Failed, Transactor};
use crate::webhook_log::{At, ERASURE, Written, opened, payloads, take_over};
use crate::worker::Pulse;
use crate::{Health, HostSettings, Shutdown};

/// How long partitions that go to another, and a shutdown, wait for requests that are under way. The next one sends
/// them once more.
const FINISH_WAIT: Duration = Duration::from_secs(5);
/// While requests are under way, their ends are looked for so often.
const BUSY_WAIT: Duration = Duration::from_millis(10);
/// Where nothing else is to be committed, how far the topic of deliveries was read is committed so often.
const MARK_EVERY: Duration = Duration::from_secs(5);

/// Runs `courier` until shutdown, or until a fault; what was not committed is then read again.
pub fn webhook_host(
    settings: &HostSettings,
    courier: &mut dyn Courier,
    cipher: &TopicCipher,
    health: &Health,
    shutdown: &Shutdown,
) -> Result<(), Fault> {
    let transactor = Transactor::start(settings)?;
    let consumer = GroupConsumer::join(settings, WEBHOOKS.inputs)?;
    WebhookHost {
        settings,
        courier,
        cipher,
        health,
        consumer: &consumer,
        transactor,
        began_at: Instant::now(),
        member: None,
        read_up_to: BTreeMap::new(),
        committed: BTreeMap::new(),
        batch: Batch::default(),
        began: None,
        marked: Instant::now(),
    }
    .run(shutdown)
}

struct WebhookHost<'a> {
    settings: &'a HostSettings,
    courier: &'a mut dyn Courier,
    cipher: &'a TopicCipher,
    health: &'a Health,
    consumer: &'a GroupConsumer,
    transactor: Transactor,
    began_at: Instant,
    /// As whom we were given what we hold.
    member: Option<Member>,
    /// Of each of our partitions, which offset comes next, …
    read_up_to: BTreeMap<Input, i64>,
    /// … and what was committed of it last.
    committed: BTreeMap<Input, i64>,
    batch: Batch,
    /// Since when something is to be committed.
    began: Option<Instant>,
    /// When something was.
    marked: Instant,
}

impl WebhookHost<'_> {
    fn run(&mut self, shutdown: &Shutdown) -> Result<(), Fault> {
        loop {
            match self.consumer.next(self.poll_timeout())? {
                Polled::Assigned(partitions) => {
                    self.on_assigned(&partitions)?;
                    self.health.set_ready(true);
                }
                Polled::Revoked(partitions) => self.on_revoked(&partitions)?,
                Polled::Record(message) => self.take(&message)?,
                Polled::Undecodable => {
                    return Err(Fault(
                        "a record cannot be unpacked: who has written it?".to_owned(),
                    ));
                }
                // One without partitions is ready to take over.
                Polled::Nothing if self.consumer.has_joined() => self.health.set_ready(true),
                Polled::Nothing => {}
            }
            self.health.beat();
            self.bring_missing()?;
            self.commit_cycle()?;
            if shutdown.is_requested() {
                return self.finish();
            }
        }
    }

    /// How long to wait for a record: until a batch or a delivery is due, and never so long that a request's end
    /// goes unseen.
    fn poll_timeout(&self) -> Duration {
        let longest = if self.courier.is_busy() { BUSY_WAIT } else { IDLE_WAIT };
        let due = self
            .courier
            .due_at()
            .map(|due| Duration::from_millis(u64::try_from((due - now_ms()).max(1)).unwrap_or(1)));
        let batch = self.began.map(|at| self.settings.limits.age.saturating_sub(at.elapsed()));
        [due, batch].into_iter().flatten().fold(longest, Duration::min)
    }

    fn on_assigned(&mut self, partitions: &TopicPartitionList) -> Result<(), Fault> {
        let began = Instant::now();
        let lost = || Fault("the group took our partitions away".to_owned());
        let member = self.consumer.member().ok_or_else(lost)?;
        let mut offsets = Vec::new();
        for start in self.consumer.starts(partitions, &Pulse::default())? {
            let (input, mut offset) = (start.input, start.offset);
            self.committed.insert(input.clone(), offset);
            if input.role == Role::Webhooks {
                let (courier, now) = (&mut *self.courier, now_ms());
                let (settings, cipher) = (self.settings, self.cipher);
                offset = take_over(settings, cipher, input.partition, offset, |at, written| {
                    take_in(courier, at, written, now);
                })?;
            }
            self.read_up_to.insert(input.clone(), offset);
            offsets.push((input, offset));
        }
        if !member.is_still(self.consumer.member().as_ref()) {
            return Err(lost());
        }
        if self.member.as_ref().is_some_and(|holder| !holder.is_still(Some(&member))) {
            return Err(lost());
        }
        if !offsets.is_empty() {
            self.member = Some(member);
        }
        self.consumer.assign(&offsets)?;
        metrics().restore_seconds.observe(began.elapsed().as_secs_f64());
        metrics().assigned.set(i64::try_from(self.read_up_to.len()).unwrap_or(0));
        Ok(())
    }

    fn on_revoked(&mut self, partitions: &TopicPartitionList) -> Result<(), Fault> {
        if self.consumer.has_lost_assignment() {
            return Err(Fault("the group took our partitions away".to_owned()));
        }
        self.finish()?;
        for p in partitions.elements() {
            let input = Input::new(self.consumer.role(p.topic())?, p.topic(), p.partition());
            if input.role == Role::Webhooks {
                self.courier.on_revoked(p.partition());
            }
            self.committed.remove(&input);
            self.read_up_to.remove(&input);
        }
        if self.read_up_to.is_empty() {
            self.member = None;
        }
        self.consumer.unassign(partitions)?;
        metrics().assigned.set(i64::try_from(self.read_up_to.len()).unwrap_or(0));
        Ok(())
    }

    fn take(&mut self, message: &BorrowedMessage<'_>) -> Result<(), Fault> {
        let (topic, partition) = (message.topic(), message.partition());
        let input = Input::new(self.consumer.role(topic)?, topic, partition);
        let Some(next) = self.read_up_to.get_mut(&input) else {
            return Err(Fault(format!("{input} was read and is not ours")));
        };
        *next = message.offset() + 1;
        let to_write = match input.role {
            Role::Webhooks => {
                if let Some(written) = opened(self.cipher, message)? {
                    let at = At { partition, offset: message.offset() };
                    take_in(self.courier, at, written, now_ms());
                }
                return Ok(());
            }
            role => self.told(role, message)?,
        };
        let now = Now { at: self.began_at.elapsed(), utc_ms: now_ms() };
        self.batch.read(&input, message.offset(), now);
        // How far was read is no hurry.
        if !to_write.is_empty() {
            self.began.get_or_insert_with(Instant::now);
        }
        for written in to_write {
            match written {
                Written::Delivery(delivery) => {
                    let id = delivery.delivery_id.as_bytes();
                    self.batch.put(self.cipher, Role::Webhooks, None, id, &delivery)?;
                }
                Written::Erasure(erasure) => self.pass_on(&erasure)?,
            }
        }
        Ok(())
    }

    fn pass_on(&mut self, erasure: &Erasure) -> Result<(), Fault> {
        let topic = self.settings.topics.name(Role::Webhooks);
        for partition in numbers(&probe(&self.settings.connection, READERS)?, topic)? {
            self.batch.put(self.cipher, Role::Webhooks, Some(partition), ERASURE, erasure)?;
        }
        Ok(())
    }

    /// What is to be written because of a record. One that nobody of ours has written is the sink's to answer.
    fn told(&mut self, role: Role, message: &BorrowedMessage<'_>) -> Result<Vec<Written>, Fault> {
        let record = incoming(role, message);
        let Ok(plain) = opened_value(role, &record, self.cipher)? else { return Ok(Vec::new()) };
        let deliveries = if role == Role::Rejects {
            let read = decoded::<RejectRecord>(&plain, &record)?;
            read.map(|reject| self.courier.reject(&reject, now_ms()))
        } else if waybill_schemas::is::<Erasure>(&plain) {
            // Also when nobody wants events any more: what was wanted before may be open.
            let read = decoded::<Erasure>(&plain, &record)?;
            return Ok(read.map(Written::Erasure).into_iter().collect());
        } else if self.courier.wants_events() {
            let read = decoded::<AcceptedEvent>(&plain, &record)?;
            read.map(|event| self.courier.event(&event, now_ms()))
        } else {
            return Ok(Vec::new());
        };
        Ok(deliveries.unwrap_or_default().into_iter().map(Written::Delivery).collect())
    }

    fn bring_missing(&mut self) -> Result<(), Fault> {
        let Some((partition, offsets)) = self.courier.missing(now_ms()) else { return Ok(()) };
        let courier = &mut *self.courier;
        payloads(self.settings, self.cipher, partition, &offsets, |at, payload| {
            courier.bring(at, payload, now_ms());
        })
    }

    fn is_due(&self) -> bool {
        let limits = &self.settings.limits;
        let is_full = self.batch.records >= limits.records || self.batch.bytes() >= limits.bytes;
        is_full || self.began.is_some_and(|at| at.elapsed() >= limits.age)
    }

    /// Begins what is due; and commits what is new and what has ended, if it is time.
    fn commit_cycle(&mut self) -> Result<(), Fault> {
        let ended = self.courier.begin_due(now_ms());
        self.commit(ended, false)
    }

    fn commit(&mut self, ended: Vec<(At, Delivery)>, at_once: bool) -> Result<(), Fault> {
        for (_, delivery) in &ended {
            debug_assert!(delivery.state != DeliveryState::Open);
            let id = delivery.delivery_id.as_bytes();
            self.batch.put(self.cipher, Role::Webhooks, None, id, delivery)?;
        }
        let ends: Vec<At> = ended.into_iter().map(|(at, _)| at).collect();
        let is_time = at_once || self.marked.elapsed() >= MARK_EVERY;
        if ends.is_empty() && !self.is_due() && !is_time {
            return Ok(());
        }
        self.marked = Instant::now();
        // Offsets of what ends here are committed with the next transaction: until this one is there, it is open.
        self.mark_deliveries();
        if self.batch.offsets.is_empty() && ends.is_empty() {
            return Ok(());
        }
        // A transaction without an offset would not be fenced by the group.
        self.mark_something();
        crash_point("webhooks_before_commit");
        self.send()?;
        crash_point("webhooks_after_commit");
        self.courier.written(&ends);
        let offsets = self.batch.offsets.iter();
        self.committed.extend(offsets.map(|(input, committed)| (input.clone(), committed.offset)));
        self.batch.reset(self.settings.limits.bytes);
        self.began = None;
        Ok(())
    }

    /// Of each partition of deliveries, how far all has ended.
    fn mark_deliveries(&mut self) {
        for (input, next) in &self.read_up_to {
            if input.role != Role::Webhooks {
                continue;
            }
            let offset = self.courier.first_open(input.partition).unwrap_or(*next);
            if self.committed.get(input) != Some(&offset) {
                self.batch
                    .set_offset(input.clone(), CommittedOffset { offset, metadata: String::new() });
            }
        }
    }

    fn mark_something(&mut self) {
        if !self.batch.offsets.is_empty() {
            return;
        }
        if let Some((input, offset)) = self.committed.iter().next() {
            let committed = CommittedOffset { offset: *offset, metadata: String::new() };
            self.batch.set_offset(input.clone(), committed);
        }
    }

    fn send(&mut self) -> Result<(), Fault> {
        for attempt in 1.. {
            let holder = self.member.as_ref();
            let Some(member) = holder.and_then(|holder| self.consumer.commit_as(holder)) else {
                return Err(Fault("the group has put us out".to_owned()));
            };
            match self.transactor.commit(&self.batch, &member) {
                Ok(()) => break,
                Err(Failed::Aborted(why)) if attempt < waybill_host::host::ATTEMPTS => {
                    tracing::info!(why, attempt, "aborted: committing it anew");
                }
                Err(Failed::Aborted(why)) => return Err(Fault(why)),
                Err(Failed::Unknown(fault)) => return Err(fault),
            }
        }
        Ok(())
    }

    /// Waits for requests that are under way, but not long, and commits all there is.
    fn finish(&mut self) -> Result<(), Fault> {
        let began = Instant::now();
        self.courier.hold(true);
        while self.courier.is_busy() && began.elapsed() < FINISH_WAIT {
            self.health.beat();
            let ended = self.courier.begin_due(now_ms());
            self.commit(ended, false)?;
            std::thread::sleep(BUSY_WAIT);
        }
        let ended = self.courier.begin_due(now_ms());
        self.courier.hold(false);
        self.commit(ended, true)?;
        // What has ended by now.
        self.commit(Vec::new(), true)
    }
}

fn take_in(courier: &mut dyn Courier, at: At, written: Written, now_ms: i64) {
    match written {
        Written::Delivery(delivery) => courier.take_in(at, delivery, now_ms),
        Written::Erasure(erasure) => courier.erase(at, &erasure, now_ms),
    }
}

impl Drop for WebhookHost<'_> {
    fn drop(&mut self) {
        self.health.set_ready(false);
        metrics().assigned.set(0);
    }
}
