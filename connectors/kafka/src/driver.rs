//! Drives a [`Host`] on librdkafka: brings it what comes, and does what it asks for. It decides nothing about
//! records, batches or partitions; it knows when to wait, and when something takes too long.
//!
//! The loop alone talks to the consumer. What takes long is done by workers beside it: commits, inserts, and what
//! is read before partitions are taken on. So the loop turns, whatever they wait for, and membership goes on.

mod commands;
mod held;
mod readiness;

use std::time::{Duration, Instant};

use rdkafka::TopicPartitionList;
use rdkafka::error::RDKafkaErrorCode;
use waybill_host::event::{Command, Event, Inserts, Member, Now, Paused, Wait};
use waybill_host::host::Host;
use waybill_host::input::Input;
use waybill_host::metrics::metrics;
use waybill_host::task::Task;
use waybill_schemas::Role;
use waybill_stage::{Fault, Lease, Sink};

use crate::committer::{self, Outcome};
use crate::consumer::{GroupConsumer, IDLE_WAIT, Polled};
use crate::crash_point::crash_point;
use crate::hand_over::pause;
use crate::health::now_ms;
use crate::inserter::{self, Inserter};
use crate::restore;
use crate::transaction::Transactor;
use crate::worker::{Pulse, Worker};
use crate::{Health, HostSettings, Shutdown, timeouts};
use held::Held;

/// What a driver is given beside its task.
pub(crate) struct Driven<'a> {
    pub(crate) settings: &'a HostSettings,
    pub(crate) inputs: &'static [Role],
    /// In crash points.
    pub(crate) name: &'static str,
    pub(crate) health: &'a Health,
    pub(crate) shutdown: &'a Shutdown,
}

/// Runs `task` until shutdown, or until a fault; what was not committed is then read again. `sinks` are its insert
/// workers.
pub(crate) fn drive<T: Task>(
    driven: &Driven<'_>,
    task: T,
    sinks: Vec<Box<dyn Sink>>,
) -> Result<(), Fault> {
    let Driven { settings, inputs, name, health, shutdown } = *driven;
    let mut transactor = Transactor::start(settings)?;
    health.beat();
    let consumer = GroupConsumer::join(settings, inputs)?;
    health.beat();
    std::thread::scope(|scope| {
        let committer = Worker::start(scope, "committer", timeouts::LONGEST_COMMIT, {
            move |job, _: &Pulse| Ok(committer::work(&mut transactor, name, job))
        })?;
        let reader =
            Worker::start(scope, "reader", timeouts::LONGEST_READ, |job, pulse: &Pulse| {
                restore::work(job, &consumer, settings, pulse)
            })?;
        let mut inserters = Vec::new();
        let longest = waybill_host::sink_task::LEASE + timeouts::LONGEST_REQUEST;
        for (n, sink) in sinks.into_iter().enumerate() {
            let mut inserter = Inserter::new(n, sink);
            inserters.push(Worker::start(scope, "inserter", longest, {
                move |job, _: &Pulse| inserter.work(job)
            })?);
        }
        let leases = inserters.iter().map(|_| None).collect();
        let mut driver = Driver {
            settings,
            health,
            consumer: &consumer,
            host: Host::new(task),
            began: Instant::now(),
            committer,
            reader,
            inserters,
            leases,
            held: Held::default(),
            arriving: None,
            revoking: None,
            undecodable: Undecodable::Nothing,
            paused: Paused::Nothing,
            commands: Vec::new(),
            ended: None,
        };
        driver.run(shutdown)
    })
}

struct Driver<'a, T: Task> {
    settings: &'a HostSettings,
    health: &'a Health,
    consumer: &'a GroupConsumer,
    host: Host<T>,
    began: Instant,
    committer: Worker<committer::Job, Outcome>,
    reader: Worker<restore::Job<T::Restorer>, restore::Done<T::Restorer>>,
    inserters: Vec<Worker<inserter::Job, Inserts>>,
    /// Of what the inserters are at.
    leases: Vec<Option<Lease>>,
    held: Held<'a>,
    /// Partitions that were given to us as this member, since when; they are not read yet.
    arriving: Option<(Member, Instant)>,
    /// Partitions that the group wants back.
    revoking: Option<TopicPartitionList>,
    undecodable: Undecodable,
    paused: Paused,
    commands: Vec<Command<T::Restorer>>,
    ended: Option<Result<(), Fault>>,
}

/// What librdkafka could not unpack, and does not say where it lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Undecodable {
    Nothing,
    /// What came before it is taken first.
    Met,
    LookedFor,
}

impl<T: Task> Driver<'_, T> {
    fn run(&mut self, shutdown: &Shutdown) -> Result<(), Fault> {
        let mut is_told = false;
        loop {
            self.show();
            self.collect(Duration::ZERO)?;
            if shutdown.is_requested() && !is_told {
                is_told = true;
                self.tell(Event::Shutdown)?;
            }
            self.offer()?;
            self.tell(Event::Tick)?;
            if let Some(ended) = self.ended.take() {
                return ended;
            }
            self.read()?;
        }
    }

    fn now(&self) -> Now {
        Now { at: self.began.elapsed(), utc_ms: now_ms() }
    }

    /// Brings an event to the host, and does what it asks for.
    fn tell(&mut self, event: Event<T::Restorer>) -> Result<(), Fault> {
        let now = self.now();
        self.host.on(now, event, &mut self.commands);
        self.obey()
    }

    /// Offers what was read. What is not taken is kept.
    fn offer(&mut self) -> Result<(), Fault> {
        while self.ended.is_none() && self.host.wait(self.now()).records {
            let now = self.now();
            let (host, commands) = (&mut self.host, &mut self.commands);
            let taken = self.held.offer(|records| host.take(now, records, commands));
            self.obey()?;
            if taken == 0 {
                break;
            }
        }
        Ok(())
    }

    /// What workers have done, or one of them does within `wait`.
    fn collect(&mut self, wait: Duration) -> Result<(), Fault> {
        if let Some(outcome) = self.committer.collect(wait) {
            self.tell(match outcome? {
                Outcome::Committed(batch) => Event::Committed(batch),
                Outcome::Aborted(batch, why) => Event::Aborted(batch, why),
                Outcome::Unknown(fault) => Event::Failed(fault),
            })?;
        }
        if let Some(done) = self.reader.collect(Duration::ZERO) {
            match done? {
                restore::Done::Starts(starts) => match self.arriving.as_ref() {
                    Some((member, _)) => {
                        self.tell(Event::Assigned { member: member.clone(), starts })?;
                    }
                    None => return Err(Fault("invariant: nothing has arrived".to_owned())),
                },
                restore::Done::Readings(readings) => self.tell(Event::Restored(readings))?,
                restore::Done::Undecodable(found) => self.step_over(found)?,
            }
        }
        for n in 0..self.inserters.len() {
            let done = self.inserters.get_mut(n).and_then(|worker| worker.collect(Duration::ZERO));
            if let Some(done) = done {
                crash_point("sink_after_insert");
                if let Some(lease) = self.leases.get_mut(n) {
                    *lease = None;
                }
                self.tell(Event::Inserted(done?))?;
            }
        }
        Ok(())
    }

    /// How long there is nothing to do, if nothing comes. While workers are busy, never so long that what they have
    /// done goes unseen.
    fn pause(&self, wait: Wait) -> Duration {
        let inserters = self.inserters.iter().filter_map(Worker::busy_for);
        let busy = self.committer.busy_for().into_iter().chain(self.reader.busy_for());
        let longest = busy.chain(inserters).min().map_or(IDLE_WAIT, pause);
        let due = wait.until.map(|at| at.saturating_sub(self.began.elapsed()));
        due.map_or(longest, |due| due.min(longest))
    }

    /// Reads on, unless what was read is not taken yet: then it waits for a worker.
    fn read(&mut self) -> Result<(), Fault> {
        let wait = self.host.wait(self.now());
        let pause = self.pause(wait);
        let is_blocked = !self.held.is_empty() && self.paused != Paused::Everything;
        if is_blocked || self.undecodable != Undecodable::Nothing {
            if self.committer.busy_for().is_some() {
                return self.collect(pause);
            }
            let is_free = self.held.is_empty() && self.reader.busy_for().is_none();
            if self.undecodable == Undecodable::Met && is_free {
                self.undecodable = Undecodable::LookedFor;
                return self.reader.submit(restore::Job::Undecodable(self.consumer.positions()?));
            }
            if self.held.is_empty() || !wait.records {
                std::thread::sleep(pause.min(Duration::from_millis(10)));
            }
            return Ok(());
        }
        let mut polled = self.consumer.next(pause)?;
        loop {
            match polled {
                Polled::Record(message) => self.held.keep(self.consumer, message)?,
                other => return self.heard(other),
            }
            if self.held.is_full() {
                return Ok(());
            }
            polled = self.consumer.next(Duration::ZERO)?;
        }
    }

    fn heard(&mut self, polled: Polled<'_>) -> Result<(), Fault> {
        match polled {
            Polled::Assigned(partitions) => {
                let Some(member) = self.consumer.member() else { return self.tell(Event::Lost) };
                self.arriving = Some((member, Instant::now()));
                self.reader.submit(restore::Job::Starts(partitions))
            }
            // Nothing is known of what has not arrived.
            Polled::Revoked(_) if self.arriving.is_some() || self.consumer.has_lost_assignment() => {
                self.tell(Event::Lost)
            }
            Polled::Revoked(partitions) => {
                let mut inputs = Vec::new();
                for p in partitions.elements() {
                    inputs.push(Input::new(
                        self.consumer.role(p.topic())?,
                        p.topic(),
                        p.partition(),
                    ));
                }
                self.revoking = Some(partitions);
                self.tell(Event::Revoked(inputs))
            }
            Polled::Undecodable => {
                self.undecodable = Undecodable::Met;
                Ok(())
            }
            Polled::Record(_) | Polled::Nothing => Ok(()),
        }
    }

    /// Has what cannot be unpacked answered, and goes on behind it.
    fn step_over(&mut self, found: Vec<(String, i32, std::ops::Range<i64>)>) -> Result<(), Fault> {
        self.undecodable = Undecodable::Nothing;
        if found.is_empty() {
            return Err(Fault(format!("reading: {}", RDKafkaErrorCode::BadCompression)));
        }
        for (topic, partition, offsets) in found {
            let end = offsets.end;
            let input = Input::new(self.consumer.role(&topic)?, &topic, partition);
            self.tell(Event::Undecodable(input, offsets))?;
            self.consumer.go_on_at(&topic, partition, end)?;
        }
        Ok(())
    }
}

impl<T: Task> Drop for Driver<'_, T> {
    /// Nobody waits for the workers any more.
    fn drop(&mut self) {
        self.health.set_ready(false);
        self.reader.pulse().cancel();
        self.leases.iter().flatten().for_each(Lease::cancel);
        metrics().assigned.set(0);
    }
}
