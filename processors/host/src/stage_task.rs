//! Runs stages on the records of its partitions. A batch is one transaction: what came of the records, the
//! ledger's entries, and how far each partition was read.

use std::collections::BTreeMap;
use std::ops::Range as Offsets;
use std::time::Duration;

use waybill_stage::{Code, Fault, Reject};

use crate::batch::{Batch, BatchLimits};
use crate::cautions::Cautions;
use crate::chain::{OutputContext, answer_at_its_place};
use crate::event::{Command, Now, Paused, Reading, Span, Start};
use crate::input::Input;
use crate::invariant;
use crate::ledger::LedgerRange;
use crate::metrics::metrics;
use crate::processor::{Incoming, Processor};
use crate::protocol::CommittedOffset;
use crate::task::{Task, Urgency};
use crate::topic_cipher::TopicCipher;

pub struct StageTask<'a, P: Processor> {
    processor: P,
    cipher: &'a TopicCipher,
    limits: BatchLimits,
    stages: String,
    /// The first of them.
    stage: &'static str,
    inputs: BTreeMap<Input, Read>,
    /// The partition that the last record was of.
    current: Option<Input>,
    cautions: Cautions,
    batch: Batch,
    /// A batch that was committed, for its memory.
    spare: Option<Batch>,
    /// Its first record waits until it is put down that it was begun.
    first_of: Option<Input>,
    /// Nothing is taken until the commit that is under way is done: what is taken next is not to be mistaken for
    /// what killed.
    is_waiting: bool,
}

/// How far a partition was read, and is to be committed or was.
#[derive(Debug)]
struct Read {
    next: i64,
    topic_id: String,
}

impl<P: Processor> std::fmt::Debug for StageTask<'_, P> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "StageTask({}, {} partitions)", self.stages, self.inputs.len())
    }
}

impl<'a, P: Processor> StageTask<'a, P> {
    /// `me`: this process, among all that there ever are.
    pub fn new(processor: P, cipher: &'a TopicCipher, limits: BatchLimits, me: String) -> Self {
        let stages = processor.stages();
        Self {
            cipher,
            limits,
            stage: stages.first().copied().unwrap_or_default(),
            stages: stages.join(","),
            processor,
            inputs: BTreeMap::new(),
            current: None,
            cautions: Cautions::new(me, limits.records),
            batch: Batch::default(),
            spare: None,
            first_of: None,
            is_waiting: false,
        }
    }

    fn is_full(&self) -> bool {
        self.batch.records >= self.cautions.at_once() || self.batch.bytes() >= self.limits.bytes
    }

    fn is_old(&self, now: Now) -> bool {
        self.batch.opened_at.is_some_and(|at| now.at >= at + self.limits.age)
    }

    /// Whether the processor has state for the partition.
    fn has_state(&self, input: &Input) -> bool {
        self.processor.inputs().first() == Some(&input.role)
    }

    /// The record's partition, of those that are ours.
    fn find(&mut self, record: &Incoming<'_>) -> Result<&Input, Fault> {
        let is_it =
            |input: &Input| input.partition == record.partition && &*input.topic == record.topic;
        if !self.current.as_ref().is_some_and(is_it) {
            self.current = self.inputs.keys().find(|input| is_it(input)).cloned();
        }
        let not_ours = || Fault(format!("invariant: {} was read and is not ours", record.place()));
        self.current.as_ref().ok_or_else(not_ours)
    }

    /// How many of these records, from the first on, can be taken now.
    fn count(&mut self, records: &[Incoming<'_>]) -> Result<usize, Fault> {
        let room = self.cautions.at_once().saturating_sub(self.batch.records);
        let most = room.min(self.processor.at_once()).max(1);
        let mut count = 0;
        for record in records.iter().take(most) {
            if records.first().is_some_and(|first| first.topic != record.topic) {
                break;
            }
            let input = self.find(record)?.clone();
            if !self.cautions.has_begun(&input) {
                if count == 0 {
                    self.first_of = Some(input);
                }
                break;
            }
            count += 1;
        }
        Ok(count)
    }

    fn process(&mut self, now: Now, record: &Incoming<'_>) -> Result<(), Fault> {
        let input = self.find(record)?.clone();
        self.batch.read(&input, record.offset, now);
        let is_poison = self.cautions.is_poison(&input);
        let (batch, cipher) = (&mut self.batch, self.cipher);
        let mut out = OutputContext { batch, cipher, now_ms: now.utc_ms };
        if is_poison {
            return set_aside(self.stage, record, &mut out);
        }
        self.processor.process(record, &mut out)
    }

    /// The ledger's entry of each partition that the batch has read.
    fn append_entries(&mut self, now: Now) -> Result<(), Fault> {
        let read: Vec<(Input, i64)> = self
            .batch
            .offsets
            .iter()
            .map(|(input, committed)| (input.clone(), committed.offset))
            .collect();
        for (input, next) in read {
            let Some(read) = self.inputs.get_mut(&input) else {
                return Err(Fault(format!("invariant: {input} was read and is not ours")));
            };
            let from = std::mem::replace(&mut read.next, next);
            invariant!(from < next, "{input} was read from {from} to {next}");
            let range = LedgerRange { input, topic_id: &read.topic_id, from, next };
            self.batch.append_entry(self.cipher, &self.stages, range, now.utc_ms)?;
        }
        Ok(())
    }

    fn close(&mut self, now: Now) -> Result<(), Fault> {
        if self.batch.is_empty() {
            return Ok(());
        }
        let (batch, cipher) = (&mut self.batch, self.cipher);
        self.processor.close(&mut OutputContext { batch, cipher, now_ms: now.utc_ms })?;
        self.append_entries(now)?;
        if let Some(at) = self.batch.opened_at {
            metrics().batch_seconds.observe(now.at.saturating_sub(at).as_secs_f64());
        }
        #[allow(clippy::cast_precision_loss)]
        metrics().batch_records.observe(self.batch.records as f64);
        Ok(())
    }

    /// Puts `said` beside the offsets of its partitions.
    fn note(&self, batch: &mut Batch, said: Vec<(Input, String)>) -> Result<(), Fault> {
        for (input, metadata) in said {
            let Some(read) = self.inputs.get(&input) else {
                return Err(Fault(format!("invariant: {input} was begun and is not ours")));
            };
            batch.set_offset(input, CommittedOffset { offset: read.next, metadata });
        }
        Ok(())
    }
}

impl<P: Processor> Task for StageTask<'_, P> {
    type Restorer = P::State;

    fn reading(&mut self, start: &Start) -> Result<Option<Reading<P::State>>, Fault> {
        if !self.has_state(&start.input) {
            return Ok(None);
        }
        let state = self.processor.state_of(&start.input)?;
        let input = start.input.clone();
        Ok(state.map(|(role, into)| Reading { input, role, span: Span::Whole, into }))
    }

    fn on_assigned(&mut self, start: Start, restored: Option<P::State>) -> Result<i64, Fault> {
        let Start { input, topic_id, offset, metadata, .. } = start;
        if self.has_state(&input) {
            self.processor.on_assigned(&input, restored)?;
        }
        self.cautions.on_assigned(&input, offset, &metadata);
        self.inputs.insert(input, Read { next: offset, topic_id });
        metrics().assigned.set(i64::try_from(self.inputs.len()).unwrap_or(i64::MAX));
        Ok(offset)
    }

    fn on_revoked(&mut self, inputs: &[Input], _: &mut Vec<Command<P::State>>) {
        self.current = None;
        self.first_of = self.first_of.take().filter(|first| !inputs.contains(first));
        for input in inputs {
            self.inputs.remove(input);
            self.cautions.on_revoked(input);
            if self.has_state(input) {
                self.processor.on_revoked(input);
            }
        }
        metrics().assigned.set(i64::try_from(self.inputs.len()).unwrap_or(i64::MAX));
    }

    fn has_room(&self) -> bool {
        !self.is_waiting && self.first_of.is_none() && !self.is_full()
    }

    fn take(&mut self, now: Now, records: &[Incoming<'_>]) -> Result<usize, Fault> {
        let count = self.count(records)?;
        let records = records.get(..count).unwrap_or_default();
        if count > 1 {
            self.processor.look_ahead(records, self.cipher, now.utc_ms);
        }
        for record in records {
            self.process(now, record)?;
        }
        Ok(count)
    }

    fn step_over(&mut self, now: Now, input: &Input, offsets: Offsets<i64>) -> Result<(), Fault> {
        let topic = &*input.topic;
        tracing::error!(
            topic,
            partition = input.partition,
            first = offsets.start,
            last = offsets.end - 1,
            "records cannot be unpacked: they are larger than a reader takes, or broken; rejected"
        );
        for offset in offsets {
            let record = Incoming {
                role: input.role,
                topic,
                partition: input.partition,
                offset,
                key: None,
                value: None,
                // Nobody can read when it came.
                appended_at: now.utc_ms,
            };
            self.batch.read(input, offset, now);
            let (batch, cipher) = (&mut self.batch, self.cipher);
            let mut out = OutputContext { batch, cipher, now_ms: now.utc_ms };
            let detail = format!("{}: its batch cannot be unpacked", record.place());
            let reject = Reject::new(Code::Undecodable, detail);
            answer_at_its_place(self.stage, &record, reject, &mut out)?;
        }
        Ok(())
    }

    fn next_commit(&mut self, now: Now, urgency: Urgency<'_>) -> Result<Option<Batch>, Fault> {
        let is_due = match urgency {
            Urgency::WhenDue => self.first_of.is_some() || self.is_full() || self.is_old(now),
            Urgency::Leaving(inputs) => {
                !self.batch.is_empty() || self.cautions.has_any_begun(inputs)
            }
        };
        if !is_due {
            return Ok(None);
        }
        self.is_waiting = self.first_of.is_some() || self.cautions.is_careful();
        self.close(now)?;
        let mut batch = std::mem::replace(&mut self.batch, self.spare.take().unwrap_or_default());
        self.cautions.behind(&mut batch.offsets);
        let said = match (urgency, self.first_of.take()) {
            (Urgency::Leaving(inputs), _) => self.cautions.rest(inputs),
            (Urgency::WhenDue, Some(first)) => self.cautions.begin(&first),
            (Urgency::WhenDue, None) => Vec::new(),
        };
        self.note(&mut batch, said)?;
        Ok(Some(batch))
    }

    fn on_committed(
        &mut self,
        _: Now,
        mut batch: Batch,
        _: &mut Vec<Command<P::State>>,
    ) -> Result<(), Fault> {
        batch.tally.publish();
        batch.reset(self.limits.bytes);
        self.spare = Some(batch);
        self.is_waiting = false;
        Ok(())
    }

    fn due_at(&self, _: Now) -> Option<Duration> {
        self.batch.opened_at.map(|at| at + self.limits.age)
    }

    fn paused(&self, now: Now) -> Paused {
        self.processor.waits(now.utc_ms).map_or(Paused::Nothing, Paused::Topic)
    }
}

/// Answers a record that has ended each process that took it, without taking it.
fn set_aside(
    stage: &'static str,
    record: &Incoming<'_>,
    out: &mut OutputContext<'_>,
) -> Result<(), Fault> {
    let place = record.place();
    tracing::error!(place, "set aside: it has ended each process that took it");
    let detail = format!("{place}: it has ended each process that took it");
    answer_at_its_place(stage, record, Reject::new(Code::Poison, detail), out)
}

impl<P: Processor> Drop for StageTask<'_, P> {
    fn drop(&mut self) {
        metrics().assigned.set(0);
    }
}
