//! Puts what arrives on the last topics into a store, exactly once. The protocol is
//! `waybill_host::protocol`; here it is driven: claims, settlements, dead letters and ledger entries go
//! into one Kafka transaction at each [turn](SinkHost::turn), and between two turns one thread
//! reads while another inserts.

mod lane;
mod store;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use rdkafka::message::BorrowedMessage;
use rdkafka::{Message, TopicPartitionList};
use waybill_schemas::RejectRecord;
use waybill_schemas::pipeline::CLICKHOUSE;
use waybill_schemas::vocabulary::LedgerOutcome;
use waybill_stage::{Code, Fault, Reject, Sink};

use crate::consumer::{Event, GroupConsumer, IDLE_WAIT};
use crate::crash_point::crash_point;
use crate::hand_over::pause;
use crate::health::now_ms;
use crate::transaction::{ATTEMPTS, Failed, Transactor};
use crate::{Health, HostSettings, Shutdown};
use lane::{Lane, Settled};
use store::{BETWEEN_JOBS, Done, Store};
use waybill_host::batch::Batch;
use waybill_host::chain::{dead_letter, nobodys};
use waybill_host::input::Input;
use waybill_host::ledger::Item;
use waybill_host::metrics::metrics;
use waybill_host::values::Values;
use waybill_schemas::Role;

/// Its entries in the ledger are about all that it reads but the ledger itself.
const STAGE: &str = CLICKHOUSE.stage;

/// How long a partition that goes to another waits for its insert. If that takes longer, the next
/// one inserts the range once more, under the same token.
const REVOKED_WAIT: Duration = Duration::from_secs(5);
const SHUTDOWN_WAIT: Duration = Duration::from_secs(10);

/// While records come one behind the other, what is due is looked for no oftener than this: a look
/// goes through all partitions, and costs as much as a record.
const LOOK_EVERY: Duration = Duration::from_millis(1);

/// Which of the two stores has it: nobody who waits for events and answers waits for what sums up.
fn class(role: Role) -> usize {
    usize::from(matches!(role, Role::Shipments | Role::Ledger))
}

/// Runs the sinks that `sink` makes until shutdown, or until a fault; the next life takes over what is committed.
pub fn sink_host(
    settings: &HostSettings,
    sink: &dyn Fn() -> Result<Box<dyn Sink>, Fault>,
    values: &Values,
    health: &Health,
    shutdown: &Shutdown,
) -> Result<(), Fault> {
    let transactor = Transactor::start(settings)?;
    let consumer = GroupConsumer::join(settings, CLICKHOUSE.inputs)?;
    SinkHost {
        settings,
        values,
        health,
        consumer: &consumer,
        transactor,
        stores: [Store::start(sink()?)?, Store::start(sink()?)?],
        lanes: BTreeMap::new(),
        age: settings.limits.age,
        paused: false,
        batch: Batch::default(),
    }
    .run(shutdown)
}

struct SinkHost<'a> {
    settings: &'a HostSettings,
    values: &'a Values,
    health: &'a Health,
    consumer: &'a GroupConsumer,
    transactor: Transactor,
    /// One for each [class](class).
    stores: [Store; 2],
    lanes: BTreeMap<(Role, i32), Lane>,
    /// How long records are gathered: longer while the store has too many parts.
    age: Duration,
    paused: bool,
    batch: Batch,
}

impl SinkHost<'_> {
    fn run(&mut self, shutdown: &Shutdown) -> Result<(), Fault> {
        let mut looked = Instant::now();
        loop {
            match self.consumer.next(self.poll_timeout())? {
                Event::Assigned(partitions) => {
                    self.gain(&partitions)?;
                    self.health.set_ready(true);
                }
                Event::Revoked(partitions) => self.lose(&partitions)?,
                Event::Record(message) => {
                    self.gather(&message)?;
                    if looked.elapsed() < LOOK_EVERY {
                        continue;
                    }
                }
                Event::Undecodable => {
                    return Err(Fault(
                        "a record cannot be unpacked: who has written it?".to_owned(),
                    ));
                }
                // One without partitions is ready to take over.
                Event::Tick if self.consumer.has_joined() => self.health.set_ready(true),
                Event::Tick => {}
            }
            looked = Instant::now();
            self.health.beat();
            self.collect(Duration::ZERO)?;
            if self.is_due() {
                self.turn(true)?;
            }
            self.hold_back()?;
            if shutdown.is_requested() {
                return self.finish(SHUTDOWN_WAIT);
            }
        }
    }

    /// How long to wait for a record: until something is to be claimed, and never so long that an
    /// insert that is done goes unseen.
    fn poll_timeout(&self) -> Duration {
        let busy = self.stores.iter().filter_map(Store::busy_for).min();
        let longest = busy.map_or(IDLE_WAIT, pause);
        let due = self.lanes.values().filter_map(|lane| lane.due_at(self.age)).min();
        match due.map(|due| due.saturating_duration_since(Instant::now())) {
            None => longest,
            // It waits for the store, or for the time between two jobs.
            Some(Duration::ZERO) => busy.map_or(BETWEEN_JOBS / 8, pause),
            Some(rest) => rest.min(longest),
        }
    }

    fn gain(&mut self, partitions: &TopicPartitionList) -> Result<(), Fault> {
        let began = Instant::now();
        let mut starts = self.consumer.starts(partitions)?;
        let mut gained = Vec::with_capacity(starts.len());
        for start in &mut starts {
            let role = self.role(&start.topic)?;
            let connection = &self.settings.connection;
            let topic_id = self.consumer.topic_id(&start.topic);
            let lane = Lane::take_over(role, start, &topic_id, connection, self.values)?;
            start.offset = lane.read_from();
            gained.push(((role, start.partition), lane));
        }
        self.consumer.take(&starts)?;
        self.lanes.extend(gained);
        if self.paused {
            self.pause(true)?;
        }
        metrics().restore_seconds.observe(began.elapsed().as_secs_f64());
        metrics().assigned.set(i64::try_from(self.lanes.len()).unwrap_or(0));
        Ok(())
    }

    fn lose(&mut self, partitions: &TopicPartitionList) -> Result<(), Fault> {
        if self.consumer.has_lost_assignment() {
            return Err(Fault("the group took our partitions away".to_owned()));
        }
        self.finish(REVOKED_WAIT)?;
        // Of a range that is not in the store yet, the next one takes over the claim.
        self.stores.iter().for_each(Store::cancel);
        for p in partitions.elements() {
            self.lanes.remove(&(self.role(p.topic())?, p.partition()));
        }
        self.consumer.give(partitions)?;
        metrics().assigned.set(i64::try_from(self.lanes.len()).unwrap_or(0));
        Ok(())
    }

    fn role(&self, topic: &str) -> Result<Role, Fault> {
        let role = self.settings.topics.role(CLICKHOUSE.inputs, topic);
        role.ok_or_else(|| Fault(format!("topic {topic} was not subscribed to")))
    }

    fn gather(&mut self, message: &BorrowedMessage<'_>) -> Result<(), Fault> {
        let (role, partition) = (self.role(message.topic())?, message.partition());
        let Some(lane) = self.lanes.get_mut(&(role, partition)) else {
            return Err(Fault(format!("{}-{partition} was read and is not ours", message.topic())));
        };
        lane.gather(message, self.values)
    }

    /// Records and bytes that wait to be claimed.
    fn gathered(&self) -> (usize, usize) {
        self.lanes.values().map(Lane::gathered).fold((0, 0), |a, b| (a.0 + b.0, a.1 + b.1))
    }

    fn is_full(&self) -> bool {
        let limits = &self.settings.limits;
        let (records, bytes) = self.gathered();
        records >= limits.records || bytes >= limits.bytes
    }

    /// Whether something is to be said at the coordinator's, or to be inserted.
    fn is_due(&self) -> bool {
        let now = Instant::now();
        let is_full = self.is_full();
        // Where nothing follows soon, what is stored is settled now, and not with the next claim.
        let follows = self.lanes.values().any(|lane| lane.due_at(self.age).is_some());
        self.lanes.values().any(|lane| {
            let is_free = self.is_free(lane.role);
            let is_time = lane.due_at(self.age).is_some_and(|due| is_full || due <= now);
            (is_free && (is_time || lane.is_waiting())) || (!follows && lane.is_stored())
        })
    }

    fn is_free(&self, role: Role) -> bool {
        self.stores.get(class(role)).is_some_and(Store::is_free)
    }

    fn is_busy(&self) -> bool {
        self.stores.iter().any(|store| !store.is_idle())
    }

    /// Memory stays bounded while the store is slow: reading pauses, membership goes on.
    fn hold_back(&mut self) -> Result<(), Fault> {
        let wanted = self.is_busy() && self.is_full();
        if wanted != self.paused {
            self.pause(wanted)?;
        }
        if self.paused {
            self.consumer.show_lag();
        }
        Ok(())
    }

    fn pause(&mut self, paused: bool) -> Result<(), Fault> {
        self.paused = paused;
        self.consumer.pause(paused)
    }

    /// One transaction: settles what is in the store, and claims what was gathered; then the store
    /// gets what is claimed. A claim is durable before anybody acts on it.
    fn turn(&mut self, claims: bool) -> Result<(), Fault> {
        let began = Instant::now();
        // What is due almost comes along: each turn costs a transaction.
        let soon = began + self.age / 2;
        let is_full = self.is_full();
        let mut settled = Vec::new();
        let mut marks = Vec::new();
        let mut oldest: Option<Instant> = None;
        let free = [Role::Events, Role::Shipments].map(|role| self.is_free(role));
        for (key, lane) in &mut self.lanes {
            let is_free = free.get(class(lane.role)).copied().unwrap_or_default();
            let before = lane.mark();
            settled.extend(lane.settle()?);
            let due = lane.due_at(self.age);
            let is_time = is_full || due.is_some_and(|due| due <= soon);
            let to_insert = claims && is_free && lane.claim(is_time)?;
            if to_insert && let Some(due) = due {
                oldest = Some(oldest.map_or(due, |oldest| oldest.min(due)));
            }
            // A claim that is inserted once more is said once more: only a member can.
            if to_insert || lane.mark() != before {
                marks.push((*key, lane.mark()));
            }
        }
        if marks.is_empty() {
            return Ok(());
        }
        for ((role, partition), mark) in marks {
            let topic = self.settings.topics.name(role);
            self.batch.mark(Input::new(role, topic, partition), mark);
        }
        for range in settled {
            self.enter(range)?;
        }
        crash_point("sink_before_commit");
        self.commit()?;
        crash_point("sink_after_commit");
        self.batch.tally.publish();
        self.batch.reset(self.settings.limits.bytes);
        if !claims {
            return Ok(());
        }
        if let Some(due) = oldest {
            let late = began.saturating_duration_since(due);
            metrics().batch_seconds.observe((self.age + late).as_secs_f64());
        }
        self.hand_over(free)
    }

    /// What is claimed goes to the stores, of which these are free.
    fn hand_over(&mut self, free: [bool; 2]) -> Result<(), Fault> {
        for (n, store) in
            self.stores.iter_mut().enumerate().filter(|(n, _)| free.get(*n) == Some(&true))
        {
            let lanes = self.lanes.values_mut().filter(|lane| class(lane.role) == n);
            let batches: Vec<_> = lanes.filter_map(Lane::hand_over).collect();
            if batches.is_empty() {
                continue;
            }
            let records: usize = batches.iter().map(|b| b.records.len()).sum();
            #[allow(clippy::cast_precision_loss)]
            metrics().batch_records.observe(records as f64);
            store.submit(batches)?;
        }
        Ok(())
    }

    fn commit(&mut self) -> Result<(), Fault> {
        for attempt in 1.. {
            match self.transactor.commit(&self.batch, &self.consumer.standing()?) {
                Ok(()) => break,
                Err(Failed::Aborted(why)) if attempt < ATTEMPTS => {
                    tracing::info!(why, attempt, "aborted: committing it anew");
                }
                Err(Failed::Aborted(why)) => return Err(Fault(why)),
                Err(Failed::Unknown(fault)) => return Err(fault),
            }
        }
        Ok(())
    }

    /// Dead letters, figures and the ledger's entry of a range that is in the store.
    fn enter(&mut self, range: Settled) -> Result<(), Fault> {
        let outcome = if range.batch.again { "again" } else { "stored" };
        metrics().ranges.with_label_values(&[outcome]).inc();
        let stretch = range.stretch();
        let (records, taken) = range.records();
        self.batch.ledger.open(&stretch.input);
        self.batch.ledger.read(records);
        for count in &range.inserted.counts {
            self.batch.ledger.count(Item {
                stage: STAGE.into(),
                carrier_id: &count.carrier_id,
                received_at: count.hour,
                outcome: count.outcome,
                code: count.code.clone().into(),
                records: count.records,
                parts: count.parts,
            });
        }
        for record in &range.unreadable {
            self.batch.ledger.count(Item {
                stage: STAGE.into(),
                carrier_id: "",
                received_at: record.appended_at,
                outcome: LedgerOutcome::Rejected,
                code: Code::Internal.as_str().into(),
                records: 1,
                parts: 1,
            });
        }
        let at = |offset| format!("{}-{}@{offset}", range.batch.topic, range.batch.partition);
        let refused = range.inserted.rejects.iter().map(|refused| {
            let reject = Reject {
                detail: format!("{} {}", at(refused.offset), refused.reject.detail).into(),
                claims: None,
                ..refused.reject
            };
            let known = refused.provenance.clone().zip(Some(refused.position));
            (known, refused.offset, range.appended_at(refused.offset), reject)
        });
        let unreadable = range.unreadable.iter().map(|record| {
            let reject = Reject::new(Code::Internal, at(record.offset)).because("not_ours");
            (None, record.offset, record.appended_at, reject)
        });
        let answers: Vec<_> = refused.chain(unreadable).collect();
        let answered = !answers.is_empty();
        let stage = self.batch.tally.stage(STAGE);
        stage.passed += taken;
        stage.events_passed += range.inserted.rows;
        stage.rejected += answers.len() as u64;
        stage.events_rejected += answers.len() as u64;
        for (known, offset, appended_at, reject) in answers {
            self.batch.tally.stage(STAGE).reject(&reject);
            let letter = match known {
                Some((provenance, position)) => {
                    dead_letter(STAGE, &provenance, position, reject, now_ms())
                }
                // Nobody knows whose it is.
                None => {
                    let place = nobodys("", range.batch.partition, offset, appended_at);
                    let source_topic = stretch.input.role.as_str().to_owned();
                    let letter = dead_letter(STAGE, &place, 0, reject, now_ms());
                    RejectRecord { source_topic, ..letter }
                }
            };
            self.batch.put_reject(self.values, &letter)?;
        }
        // An entry about entries would need an entry itself, and so on: only what is out of order.
        if stretch.input.role != Role::Ledger || answered {
            self.batch.enter(self.values, STAGE, stretch, now_ms())?;
        }
        Ok(())
    }

    fn collect(&mut self, wait: Duration) -> Result<(), Fault> {
        for n in 0..self.stores.len() {
            let Some(store) = self.stores.get_mut(n) else { continue };
            if let Some(done) = store.collect(wait)? {
                self.answered(done)?;
            }
        }
        Ok(())
    }

    fn answered(&mut self, done: Done) -> Result<(), Fault> {
        let Done { batches, pressure } = done;
        crash_point("sink_after_insert");
        for (batch, inserted) in batches {
            let role = self.role(&batch.topic)?;
            // It may be another's by now.
            if let Some(lane) = self.lanes.get_mut(&(role, batch.partition)) {
                lane.answered(batch, inserted);
            }
        }
        if let Some(pressure) = pressure {
            self.age = age(self.settings.limits.age, pressure);
            metrics().insert_age.set(self.age.as_secs_f64());
        }
        Ok(())
    }

    /// Waits for the store, at most so long, and settles what it has; claims nothing more.
    fn finish(&mut self, wait: Duration) -> Result<(), Fault> {
        let began = Instant::now();
        while self.is_busy() && began.elapsed() < wait {
            self.health.beat();
            self.collect(Duration::from_millis(100))?;
        }
        self.turn(false)
    }
}

/// How long records are gathered: as set while the store has few parts, and ten times that when it
/// is about to slow inserts down by itself.
fn age(set: Duration, pressure: f64) -> Duration {
    const EASY: f64 = 0.2;
    let beyond = ((pressure - EASY) / (1.0 - EASY)).clamp(0.0, 1.0);
    set.mul_f64(1.0 + 9.0 * beyond)
}

impl Drop for SinkHost<'_> {
    fn drop(&mut self) {
        self.health.set_ready(false);
        metrics().assigned.set(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_gathered_longer_when_the_store_has_many_parts() {
        let set = Duration::from_millis(500);
        for (pressure, expect_ms) in
            [(0.0, 500), (0.2, 500), (0.6, 2750), (1.0, 5000), (7.0, 5000), (-1.0, 500)]
        {
            assert_eq!(age(set, pressure).as_millis(), expect_ms, "{pressure}");
        }
    }
}
