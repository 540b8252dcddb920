//! Consume, batch, run stages, commit; one loop, driven by one closed enum of events.

use std::time::{Duration, Instant};

use rdkafka::Message;
use rdkafka::message::BorrowedMessage;
use waybill_stage::Fault;

use crate::committer::{Committer, Done};
use crate::consumer::{Event, GroupConsumer, numbers};
use crate::health::now_ms;
use crate::metrics::metrics;
use crate::{Batch, Flow, Health, HostSettings, Role, Shutdown, Values};

/// A record as it was read.
#[derive(Debug)]
pub struct Incoming<'a> {
    pub topic: &'a str,
    pub partition: i32,
    pub offset: i64,
    pub key: Option<&'a [u8]>,
    pub value: Option<&'a [u8]>,
    /// The record's timestamp, ms UTC: on `waybill.sealed` the broker's append time.
    pub appended_at: i64,
}

/// What a host runs: stateless stages in a chain, or a stateful one.
pub trait Processor: Send {
    fn input(&self) -> Role;

    /// Takes one record; what comes of it goes into `flow.batch`.
    fn process(&mut self, record: &Incoming<'_>, flow: &mut Flow<'_>) -> Result<(), Fault>;

    /// The batch is about to be committed: last outputs, such as changed states.
    fn close(&mut self, _flow: &mut Flow<'_>) -> Result<(), Fault> {
        Ok(())
    }

    /// These input partitions come: bring their state.
    fn gain(&mut self, _partitions: &[i32]) -> Result<(), Fault> {
        Ok(())
    }

    /// These go, with all that was read of them committed.
    fn lose(&mut self, _partitions: &[i32]) {}
}

/// Runs `processor` until shutdown, or until a fault; what was not committed is then read again.
pub fn host(
    settings: &HostSettings,
    processor: &mut dyn Processor,
    values: &Values,
    health: &Health,
    shutdown: &Shutdown,
) -> Result<(), Fault> {
    let input = processor.input();
    let committer = Committer::start(settings)?;
    let consumer = GroupConsumer::join(&settings.consumer(), &[settings.topics.name(input)])?;
    Host {
        settings,
        processor,
        values,
        health,
        consumer: &consumer,
        committer,
        input,
        batch: Batch::default(),
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
    input: Role,
    batch: Batch,
    /// A batch that was committed, for its memory.
    spare: Option<Batch>,
    /// How often the batch that is being committed was aborted.
    aborted: u32,
}

/// A rebalance that comes between asking who we are and committing costs an attempt.
const ATTEMPTS: u32 = 5;

impl Host<'_> {
    fn run(&mut self, shutdown: &Shutdown) -> Result<(), Fault> {
        loop {
            self.health.beat();
            match self.consumer.next(self.patience())? {
                Event::Assigned(partitions) => {
                    let gained = numbers(&partitions);
                    let began = Instant::now();
                    let starts = self.consumer.starts(&partitions)?;
                    self.processor.gain(&gained)?;
                    metrics().restore_seconds.observe(began.elapsed().as_secs_f64());
                    self.consumer.take(&starts)?;
                    self.assigned(i64::try_from(gained.len()).unwrap_or(0));
                    self.health.set_ready(true);
                }
                Event::Revoked(partitions) => {
                    if self.consumer.has_lost_assignment() {
                        return Err(Fault("the group took our partitions away".to_owned()));
                    }
                    self.commit_all()?;
                    let lost = numbers(&partitions);
                    self.processor.lose(&lost);
                    self.consumer.give(&partitions)?;
                    self.assigned(-i64::try_from(lost.len()).unwrap_or(0));
                }
                Event::Record(message) => self.take(&message)?,
                // One without partitions is ready to take over.
                Event::Tick if self.consumer.has_joined() => self.health.set_ready(true),
                Event::Tick => {}
            }
            self.collect(Duration::ZERO)?;
            if self.is_due() {
                self.submit()?;
            }
            if shutdown.is_requested() {
                return self.commit_all();
            }
        }
    }

    fn assigned(&self, change: i64) {
        metrics().assigned.add(change);
    }

    /// How long to wait for a record: until the batch is due, and never so long that a commit
    /// that is done goes unseen.
    fn patience(&self) -> Duration {
        const LONGEST: Duration = Duration::from_millis(50);
        match self.batch.opened_at {
            None => LONGEST,
            Some(at) => {
                let rest = self.settings.limits.age.saturating_sub(at.elapsed());
                rest.clamp(Duration::from_millis(1), LONGEST)
            }
        }
    }

    fn take(&mut self, message: &BorrowedMessage<'_>) -> Result<(), Fault> {
        let record = Incoming {
            topic: message.topic(),
            partition: message.partition(),
            offset: message.offset(),
            key: message.key(),
            value: message.payload(),
            appended_at: message.timestamp().to_millis().unwrap_or_default(),
        };
        let mut flow = Flow { batch: &mut self.batch, values: self.values, now_ms: now_ms() };
        self.processor.process(&record, &mut flow)?;
        self.batch.read(self.input, record.partition, record.offset);
        Ok(())
    }

    fn is_full(&self) -> bool {
        let limits = &self.settings.limits;
        self.batch.records >= limits.records || self.batch.bytes() >= limits.bytes
    }

    /// Old or full, and the transaction before it is done (a full one waits for that).
    fn is_due(&self) -> bool {
        let old = self.batch.opened_at.is_some_and(|at| at.elapsed() >= self.settings.limits.age);
        self.is_full() || (old && self.committer.is_idle())
    }

    fn submit(&mut self) -> Result<(), Fault> {
        while !self.committer.is_idle() {
            self.collect(Duration::from_secs(1))?;
            self.health.beat();
        }
        let mut flow = Flow { batch: &mut self.batch, values: self.values, now_ms: now_ms() };
        self.processor.close(&mut flow)?;
        if let Some(at) = self.batch.opened_at {
            metrics().batch_seconds.observe(at.elapsed().as_secs_f64());
        }
        #[allow(clippy::cast_precision_loss)]
        metrics().batch_records.observe(self.batch.records as f64);
        let batch = std::mem::replace(&mut self.batch, self.spare.take().unwrap_or_default());
        self.aborted = 0;
        self.committer.submit(batch, self.consumer.standing()?)
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
        while !self.committer.is_idle() {
            self.collect(Duration::from_secs(1))?;
        }
        Ok(())
    }
}

impl Drop for Host<'_> {
    fn drop(&mut self) {
        self.health.set_ready(false);
        metrics().assigned.set(0);
    }
}
