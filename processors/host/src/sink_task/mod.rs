//! Puts the records of its partitions into a store, exactly once. The protocol is [`crate::protocol`]; here it is
//! driven. Each commit settles what is in the store and claims what was gathered, with dead letters and ledger
//! entries; then the store gets what is claimed. So a claim is durable before anybody acts on it.

mod answers;
mod partition;

use std::collections::BTreeMap;
use std::time::Duration;

use waybill_schemas::Role;
use waybill_schemas::pipeline::StageTopics;
use waybill_stage::{Fault, SinkBatch};

pub use self::partition::PendingRange;
use self::partition::SinkPartition;
use crate::batch::{Batch, BatchLimits};
use crate::event::{Command, Inserts, Now, Paused, Reading, Start};
use crate::input::Input;
use crate::invariant;
use crate::metrics::metrics;
use crate::processor::Incoming;
use crate::protocol::CommittedOffset;
use crate::task::{Task, Urgency};
use crate::topic_cipher::TopicCipher;

/// How many insert workers there are.
pub const WORKERS: usize = 2;

/// How long a store may go on trying before the claim is made durable anew, which only a member of
/// the group can. An attempt that began within it ends within the request's time, so this and that
/// are how long an insert can be on its way: what the store's deduplication window must outlast.
pub const LEASE: Duration = Duration::from_secs(120);

/// Jobs of a worker are never closer than this: what the store must remember is reckoned by it (`window.rs` of
/// the ClickHouse sink).
pub const BETWEEN_JOBS: Duration = Duration::from_millis(100);

/// Insert worker of a topic. Shipments and the ledger have their own, so they never delay events and rejects.
fn worker_of(role: Role) -> usize {
    usize::from(matches!(role, Role::Shipments | Role::Ledger))
}

#[derive(Debug)]
pub struct SinkTask<'a> {
    /// Its entries in the ledger are about all that it reads but the ledger itself.
    stage: &'static str,
    cipher: &'a TopicCipher,
    limits: BatchLimits,
    partitions: BTreeMap<Input, SinkPartition<'a>>,
    /// Records and bytes that are read and not claimed, of all partitions.
    pending: (usize, usize),
    workers: [Worker; WORKERS],
    /// How long records are gathered: longer while the store has too many parts.
    age: Duration,
    /// Of the commit that is under way.
    claims: Option<Claims>,
    spare: Batch,
}

#[derive(Debug, Default)]
struct Worker {
    is_busy: bool,
    submitted_at: Option<Duration>,
}

/// What a commit claims.
#[derive(Clone, Copy, Debug)]
struct Claims {
    began: Duration,
    /// When the first of it was due.
    due: Option<Duration>,
}

impl Worker {
    /// When it may be given a job, if nothing else hinders that.
    fn free_at(&self) -> Option<Duration> {
        if self.is_busy {
            return None;
        }
        Some(self.submitted_at.map_or(Duration::ZERO, |at| at + BETWEEN_JOBS))
    }

    fn is_free(&self, now: Now) -> bool {
        self.free_at().is_some_and(|at| at <= now.at)
    }
}

impl<'a> SinkTask<'a> {
    /// The sink of this stage's inputs.
    pub fn new(topics: StageTopics, cipher: &'a TopicCipher, limits: BatchLimits) -> Self {
        Self {
            stage: topics.stage,
            cipher,
            limits,
            partitions: BTreeMap::new(),
            pending: (0, 0),
            workers: Default::default(),
            age: limits.age,
            claims: None,
            spare: Batch::default(),
        }
    }

    fn worker(&self, role: Role) -> &Worker {
        let [first, second] = &self.workers;
        if worker_of(role) == 0 { first } else { second }
    }

    fn count_pending(&mut self) {
        let pending = self.partitions.values().map(SinkPartition::pending);
        self.pending = pending.fold((0, 0), |a, b| (a.0 + b.0, a.1 + b.1));
    }

    fn is_full(&self) -> bool {
        let (records, bytes) = self.pending;
        records >= self.limits.records || bytes >= self.limits.bytes
    }

    /// Whether something is to be committed now.
    fn is_due(&self, now: Now) -> bool {
        self.due_at(now).is_some_and(|at| at <= now.at)
    }

    /// Ends what is in the store, and claims what is due, where it may be inserted.
    fn commit(&mut self, now: Now, claims: bool) -> Result<Option<Batch>, Fault> {
        // What is due almost comes along: each commit costs a transaction.
        let soon = now.at + self.age / 2;
        let is_full = self.is_full();
        let free = [0, 1].map(|n| self.workers.get(n).is_some_and(|worker| worker.is_free(now)));
        let mut batch = std::mem::take(&mut self.spare);
        let mut due: Option<Duration> = None;
        for (input, partition) in &mut self.partitions {
            let is_free = free.get(worker_of(input.role)).copied().unwrap_or_default();
            let before = partition.offset_to_commit();
            let completed = partition.complete()?;
            let due_at = partition.due_at(self.age);
            let is_time = is_full || due_at.is_some_and(|at| at <= soon);
            let to_insert = claims && is_free && partition.claim(is_time)?;
            if to_insert && let Some(at) = due_at {
                due = Some(due.map_or(at, |due| due.min(at)));
            }
            // A claim that is inserted once more is said once more: only a member can.
            if to_insert || partition.offset_to_commit() != before {
                let CommittedOffset { offset, metadata } = partition.offset_to_commit();
                batch.set_offset(input.clone(), CommittedOffset { offset, metadata });
            }
            if let Some(completed) = completed {
                answers::answer(self.stage, &completed, &mut batch, self.cipher, now)?;
            }
        }
        self.count_pending();
        if batch.offsets.is_empty() {
            self.spare = batch;
            return Ok(None);
        }
        self.claims = claims.then_some(Claims { began: now.at, due });
        Ok(Some(batch))
    }

    /// What is claimed goes to the stores. The lease begins with the claim's commit, and not with its answer: who
    /// stood still in between may have been put out long ago, and another one has inserted the range.
    fn dispatch(
        &mut self,
        now: Now,
        began: Duration,
        out: &mut Vec<Command<PendingRange<'a>>>,
    ) -> Result<(), Fault> {
        let lease = LEASE.saturating_sub(now.at.saturating_sub(began));
        let mut jobs: [Vec<SinkBatch>; WORKERS] = Default::default();
        for (input, partition) in &mut self.partitions {
            if let Some(job) = jobs.get_mut(worker_of(input.role)) {
                job.extend(partition.dispatch());
            }
        }
        for (worker, batches) in jobs.into_iter().enumerate() {
            let Some(of) = self.workers.get_mut(worker).filter(|_| !batches.is_empty()) else {
                continue;
            };
            invariant!(!of.is_busy, "insert worker {worker} is given a second job");
            *of = Worker { is_busy: true, submitted_at: Some(now.at) };
            let records: usize = batches.iter().map(|b| b.records.len()).sum();
            #[allow(clippy::cast_precision_loss)]
            metrics().batch_records.observe(records as f64);
            out.push(Command::Insert { worker, batches, lease });
        }
        Ok(())
    }

    fn show_assigned(&self) {
        metrics().assigned.set(i64::try_from(self.partitions.len()).unwrap_or(i64::MAX));
    }
}

impl<'a> Task for SinkTask<'a> {
    type Restorer = PendingRange<'a>;

    fn reading(&mut self, start: &Start) -> Result<Option<Reading<PendingRange<'a>>>, Fault> {
        SinkPartition::reading(start, self.cipher)
    }

    fn on_assigned(
        &mut self,
        start: Start,
        restored: Option<PendingRange<'a>>,
    ) -> Result<i64, Fault> {
        let input = start.input.clone();
        let partition = SinkPartition::take_over(start, restored, self.cipher)?;
        let from = partition.read_from();
        self.partitions.insert(input, partition);
        self.show_assigned();
        Ok(from)
    }

    /// Of a range that is not in the store yet, the next one takes over the claim.
    fn on_revoked(&mut self, inputs: &[Input], out: &mut Vec<Command<PendingRange<'a>>>) {
        if self.is_inserting() {
            out.push(Command::CancelInserts);
        }
        for input in inputs {
            self.partitions.remove(input);
        }
        self.count_pending();
        self.show_assigned();
    }

    fn has_room(&self) -> bool {
        !self.is_full()
    }

    fn take(&mut self, now: Now, records: &[Incoming<'_>]) -> Result<usize, Fault> {
        for record in records {
            let input = Input::new(record.role, record.topic, record.partition);
            let Some(partition) = self.partitions.get_mut(&input) else {
                let place = record.place();
                return Err(Fault(format!("invariant: {place} was read and is not ours")));
            };
            let before = partition.pending();
            partition.take(now, record)?;
            let after = partition.pending();
            self.pending.0 += after.0 - before.0;
            self.pending.1 += after.1 - before.1;
        }
        Ok(records.len())
    }

    fn step_over(&mut self, _: Now, input: &Input, at: std::ops::Range<i64>) -> Result<(), Fault> {
        let first = at.start;
        Err(Fault(format!("{input}@{first}: a record cannot be unpacked: who has written it?")))
    }

    fn next_commit(&mut self, now: Now, urgency: Urgency<'_>) -> Result<Option<Batch>, Fault> {
        match urgency {
            Urgency::WhenDue if self.is_due(now) => self.commit(now, true),
            Urgency::WhenDue => Ok(None),
            Urgency::Leaving(_) => self.commit(now, false),
        }
    }

    fn on_committed(
        &mut self,
        now: Now,
        mut batch: Batch,
        out: &mut Vec<Command<PendingRange<'a>>>,
    ) -> Result<(), Fault> {
        batch.tally.publish();
        batch.reset(self.limits.bytes);
        self.spare = batch;
        let Some(Claims { began, due }) = self.claims.take() else { return Ok(()) };
        if let Some(due) = due {
            let late = began.saturating_sub(due);
            metrics().batch_seconds.observe((self.age + late).as_secs_f64());
        }
        self.dispatch(now, began, out)
    }

    fn on_inserted(&mut self, _: Now, inserts: Inserts) -> Result<(), Fault> {
        let Inserts { worker, batches, pressure } = inserts;
        let Some(of) = self.workers.get_mut(worker).filter(|of| of.is_busy) else {
            return Err(Fault(format!(
                "invariant: worker {worker} has answered, and nobody asked"
            )));
        };
        of.is_busy = false;
        for (batch, inserted) in batches {
            // It may be another's by now.
            let of =
                |input: &Input| input.partition == batch.partition && *input.topic == *batch.topic;
            if let Some((_, partition)) = self.partitions.iter_mut().find(|(input, _)| of(input)) {
                partition.on_inserted(batch, inserted);
            }
        }
        if let Some(pressure) = pressure {
            self.age = age(self.limits.age, pressure);
            metrics().insert_age.set(self.age.as_secs_f64());
        }
        Ok(())
    }

    fn is_inserting(&self) -> bool {
        self.workers.iter().any(|worker| worker.is_busy)
    }

    /// When a range is to be claimed, and its worker is free; or at once, where something is in the store and no
    /// claim follows that could settle it on its way.
    fn due_at(&self, now: Now) -> Option<Duration> {
        let is_full = self.is_full();
        let mut first: Option<Duration> = None;
        let mut is_stored = false;
        let mut follows = false;
        for (input, partition) in &self.partitions {
            let due = partition.due_at(self.age);
            is_stored |= partition.is_stored();
            follows |= due.is_some();
            let due = match due {
                _ if partition.is_waiting() => now.at,
                Some(_) if is_full => now.at,
                Some(due) => due,
                None => continue,
            };
            let Some(free_at) = self.worker(input.role).free_at() else { continue };
            let due = due.max(free_at);
            first = Some(first.map_or(due, |first| first.min(due)));
        }
        if is_stored && !follows { Some(now.at) } else { first }
    }

    /// Memory stays bounded while the store is slow: reading pauses, membership goes on.
    fn paused(&self, _: Now) -> Paused {
        let too_much = self.is_inserting() && self.is_full();
        if too_much { Paused::Everything } else { Paused::Nothing }
    }
}

/// How long records are gathered: as set while the store has few parts, and ten times that when it
/// is about to slow inserts down by itself.
fn age(set: Duration, pressure: f64) -> Duration {
    const EASY: f64 = 0.2;
    let beyond = ((pressure - EASY) / (1.0 - EASY)).clamp(0.0, 1.0);
    set.mul_f64(1.0 + 9.0 * beyond)
}

impl Drop for SinkTask<'_> {
    fn drop(&mut self) {
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
