//! What every reader of the pipeline does, whatever it does with its records: partitions are taken on, read,
//! committed, and given back. One batch is under way at a time; an aborted one is committed anew.
//!
//! It has no clock, no thread and no I/O: it takes [`Event`]s and asks by [`Command`]s. What a batch is, its
//! [`Task`] knows.

use std::collections::BTreeSet;
use std::time::Duration;

use waybill_stage::Fault;

use crate::batch::Batch;
use crate::event::{Command, Event, Member, Now, Paused, Reading, Start, Wait};
use crate::input::Input;
use crate::invariant;
use crate::processor::Incoming;
use crate::task::{Task, Urgency};

/// How often a batch is tried: a rebalance that comes between asking who we are and committing costs an attempt.
pub const ATTEMPTS: u32 = 5;

/// How long partitions that go to another wait for their inserts. If that takes longer, the next one inserts the
/// range once more, under the same token.
const REVOKED_WAIT: Duration = Duration::from_secs(5);
const SHUTDOWN_WAIT: Duration = Duration::from_secs(10);

type Commands<T> = Vec<Command<<T as Task>::Restorer>>;

#[derive(Debug)]
pub struct Host<T: Task> {
    task: T,
    /// As whom we were given what we hold.
    member: Option<Member>,
    held: BTreeSet<Input>,
    /// Given to us, and not read yet.
    arriving: Option<(Member, Vec<Start>)>,
    is_committing: bool,
    /// How often the batch that is under way was aborted.
    aborted: u32,
    phase: Phase,
    /// A shutdown waits until the partitions are given back that the group wants.
    is_to_stop: bool,
    paused: Paused,
}

#[derive(Debug)]
enum Phase {
    Running,
    /// All that was done is committed; then these go. Nothing is taken meanwhile.
    Leaving {
        inputs: Vec<Input>,
        until: Duration,
        then: Then,
    },
    Stopped,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Then {
    GoOn,
    Stop,
}

impl<T: Task> Host<T> {
    pub fn new(task: T) -> Self {
        Self {
            task,
            member: None,
            held: BTreeSet::new(),
            arriving: None,
            is_committing: false,
            aborted: 0,
            phase: Phase::Running,
            is_to_stop: false,
            paused: Paused::Nothing,
        }
    }

    /// Hears of something, and says what is to be done.
    pub fn on(&mut self, now: Now, event: Event<T::Restorer>, out: &mut Commands<T>) {
        let heard = self.hear(now, event, out);
        self.go_on(now, heard, out);
    }

    /// Takes records of one topic, from the first on. Returns how many: the rest is to be offered again once
    /// records are [waited for](Self::wait).
    pub fn take(&mut self, now: Now, records: &[Incoming<'_>], out: &mut Commands<T>) -> usize {
        if !self.wait(now).records {
            return 0;
        }
        let (taken, heard) = match self.task.take(now, records) {
            Ok(taken) => (taken, Ok(())),
            Err(fault) => (0, Err(fault)),
        };
        self.go_on(now, heard, out);
        taken
    }

    pub fn wait(&self, now: Now) -> Wait {
        match &self.phase {
            Phase::Running => Wait {
                records: self.task.has_room(),
                // What is due waits for the commit before it.
                until: if self.is_committing { None } else { self.task.due_at(now) },
            },
            Phase::Leaving { until, .. } => {
                Wait { records: false, until: (!self.is_committing).then_some(*until) }
            }
            Phase::Stopped => Wait { records: false, until: None },
        }
    }

    pub fn task(&self) -> &T {
        &self.task
    }

    fn hear(
        &mut self,
        now: Now,
        event: Event<T::Restorer>,
        out: &mut Commands<T>,
    ) -> Result<(), Fault> {
        if matches!(self.phase, Phase::Stopped) {
            return Ok(());
        }
        match event {
            Event::Assigned { member, starts } => self.on_assigned(member, starts, out),
            Event::Restored(readings) => self.on_restored(readings, out),
            Event::Revoked(inputs) => self.on_revoked(now, inputs),
            Event::Lost => Err(Fault("the group took our partitions away".to_owned())),
            Event::Committed(batch) => {
                invariant!(self.is_committing, "nobody has asked for a commit that is done");
                self.is_committing = false;
                self.aborted = 0;
                self.task.on_committed(now, batch, out)
            }
            Event::Aborted(batch, why) => self.on_aborted(batch, why, out),
            Event::Failed(fault) => Err(fault),
            Event::Inserted(inserts) => self.task.on_inserted(now, inserts),
            Event::Undecodable(input, offsets) => {
                invariant!(self.held.contains(&input), "{input} was read and is not ours");
                self.task.step_over(now, &input, offsets)
            }
            Event::Tick => Ok(()),
            Event::Shutdown => {
                self.is_to_stop = true;
                if matches!(self.phase, Phase::Running) {
                    self.stop(now);
                }
                Ok(())
            }
        }
    }

    fn on_assigned(
        &mut self,
        member: Member,
        starts: Vec<Start>,
        out: &mut Commands<T>,
    ) -> Result<(), Fault> {
        invariant!(self.arriving.is_none(), "partitions are assigned before others are taken on");
        if let Some(holder) = &self.member
            && !holder.is_still(Some(&member))
        {
            return Err(Fault("the group has put us out".to_owned()));
        }
        let mut readings = Vec::new();
        for start in &starts {
            invariant!(!self.held.contains(&start.input), "{} is ours already", start.input);
            readings.extend(self.task.reading(start)?);
        }
        self.arriving = Some((member, starts));
        if readings.is_empty() {
            return self.on_restored(readings, out);
        }
        out.push(Command::Restore(readings));
        Ok(())
    }

    fn on_restored(
        &mut self,
        readings: Vec<Reading<T::Restorer>>,
        out: &mut Commands<T>,
    ) -> Result<(), Fault> {
        let Some((member, starts)) = self.arriving.take() else {
            return Err(Fault("invariant: something was restored for nobody".to_owned()));
        };
        let mut readings = readings.into_iter().peekable();
        let mut assign = Vec::with_capacity(starts.len());
        for start in starts {
            let input = start.input.clone();
            let restored = readings.next_if(|reading| reading.input == input);
            let offset = self.task.on_assigned(start, restored.map(|reading| reading.into))?;
            assign.push((input, offset));
        }
        invariant!(readings.next().is_none(), "what was restored is of no partition of ours");
        if !assign.is_empty() {
            self.member = Some(member);
        }
        self.held.extend(assign.iter().map(|(input, _)| input.clone()));
        // Who is leaving gives these back too.
        if let Phase::Leaving { inputs, then: Then::Stop, .. } = &mut self.phase {
            inputs.extend(assign.iter().map(|(input, _)| input.clone()));
        }
        out.push(Command::Assign(assign));
        Ok(())
    }

    fn on_revoked(&mut self, now: Now, inputs: Vec<Input>) -> Result<(), Fault> {
        invariant!(self.arriving.is_none(), "partitions are taken back before others are taken on");
        if matches!(self.phase, Phase::Running) {
            let ours = inputs.into_iter().filter(|input| self.held.contains(input)).collect();
            let until = now.at + REVOKED_WAIT;
            self.phase = Phase::Leaving { inputs: ours, until, then: Then::GoOn };
        }
        // Who stops gives all of them back.
        Ok(())
    }

    fn stop(&mut self, now: Now) {
        let (inputs, until) = (self.held.iter().cloned().collect(), now.at + SHUTDOWN_WAIT);
        self.phase = Phase::Leaving { inputs, until, then: Then::Stop };
    }

    fn on_aborted(
        &mut self,
        batch: Batch,
        why: String,
        out: &mut Commands<T>,
    ) -> Result<(), Fault> {
        invariant!(self.is_committing, "nobody has asked for a commit that was aborted");
        self.aborted += 1;
        if self.aborted == ATTEMPTS {
            return Err(Fault(why));
        }
        tracing::info!(why, attempt = self.aborted, "aborted: committing it anew");
        self.commit(batch, out)
    }

    fn commit(&mut self, batch: Batch, out: &mut Commands<T>) -> Result<(), Fault> {
        let Some(member) = self.member.clone() else {
            return Err(Fault("invariant: a batch of nobody's partitions".to_owned()));
        };
        for input in batch.offsets.keys() {
            invariant!(self.held.contains(input), "{input} is committed and is not ours");
        }
        self.is_committing = true;
        out.push(Command::Commit { batch, member });
        Ok(())
    }

    /// Begins what is due, or ends all.
    fn go_on(&mut self, now: Now, heard: Result<(), Fault>, out: &mut Commands<T>) {
        let done = heard.and_then(|()| self.advance(now, out));
        if let Err(fault) = done {
            self.phase = Phase::Stopped;
            out.push(Command::Stop(Err(fault)));
        }
    }

    fn advance(&mut self, now: Now, out: &mut Commands<T>) -> Result<(), Fault> {
        if matches!(self.phase, Phase::Running) {
            let paused = self.task.paused(now);
            if paused != self.paused {
                self.paused = paused;
                out.push(Command::Pause(paused));
            }
        }
        while !self.is_committing {
            let urgency = match &self.phase {
                Phase::Stopped => return Ok(()),
                Phase::Running => Urgency::WhenDue,
                Phase::Leaving { until, .. } if self.task.is_inserting() && now.at < *until => {
                    return Ok(());
                }
                Phase::Leaving { inputs, .. } => Urgency::Leaving(inputs),
            };
            match self.task.next_commit(now, urgency)? {
                Some(batch) => self.commit(batch, out)?,
                None if matches!(self.phase, Phase::Running) => return Ok(()),
                None => self.leave(now, out),
            }
        }
        Ok(())
    }

    /// All that was done is durable.
    fn leave(&mut self, now: Now, out: &mut Commands<T>) {
        let phase = std::mem::replace(&mut self.phase, Phase::Running);
        let Phase::Leaving { inputs, then, .. } = phase else { return };
        self.task.on_revoked(&inputs, out);
        for input in &inputs {
            self.held.remove(input);
        }
        if self.held.is_empty() {
            self.member = None;
        }
        match then {
            Then::Stop => {
                out.push(Command::Stop(Ok(())));
                self.phase = Phase::Stopped;
            }
            Then::GoOn => {
                out.push(Command::Unassign(inputs));
                if self.is_to_stop {
                    self.stop(now);
                }
            }
        }
    }
}
