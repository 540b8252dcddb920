//! From the spool to the platform, until each event has its answer.

use std::collections::HashSet;
use std::ops::ControlFlow;
use std::sync::PoisonError;
use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};

use super::window::Window;
use super::{Entry, Limits, Spool, SpoolError, storage};
use crate::SealedEvent;
use crate::transport::{Answer, Kind, Sent, Transport, Trouble};

/// Something that whoever delivers may want to know.
#[derive(Debug)]
pub enum Report<'r> {
    /// It is on Kafka, and no longer in the spool.
    Accepted { entry: &'r Entry, position: &'r str },
    /// It is no longer in the spool; one on disk keeps it in its folder `rejected`.
    Rejected { entry: &'r Entry, code: &'r str, detail: &'r str },
    /// Not everything has its answer: it goes on after the pause.
    Trouble { trouble: &'r Trouble, pause: Duration },
}

/// Why [`Spool::deliver`] ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// All have their answer, and no more will come.
    Empty,
    /// It was told to.
    Stopped,
}

impl Limits {
    fn pauses(&self) -> impl Iterator<Item = Duration> {
        ExponentialBuilder::new()
            .with_min_delay(self.shortest_pause)
            .with_max_delay(self.longest_pause)
            .with_factor(2.0)
            .with_jitter()
            .without_max_times()
            .build()
    }
}

impl Spool {
    /// Sends what is in the spool and what comes, until [`Spool::finish`] or [`Spool::stop`] was called, or
    /// `told` breaks it off. One delivers at a time.
    ///
    /// An event whose answer is not final is sent again, and those of its handle wait behind it. One that was
    /// accepted is removed then: a crash in between sends it once more, under the same id.
    pub fn deliver(
        &self,
        transport: &mut impl Transport,
        mut told: impl FnMut(Report<'_>) -> ControlFlow<()>,
    ) -> Result<Ended, SpoolError> {
        let _alone = self.delivering.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut window, mut pauses) = (Window::default(), self.limits.pauses());
        let mut most = self.limits.batch_events;
        loop {
            if self.state().is_stopped {
                return Ok(Ended::Stopped);
            }
            self.heal()?;
            window.fill(&self.file)?;
            let batch = window.choose(most, self.limits.batch_bytes);
            if batch.is_empty() {
                match self.wait_for_more() {
                    Some(ended) => return Ok(ended),
                    None => continue,
                }
            }
            let events: Vec<&SealedEvent> = batch.iter().map(|entry| &entry.event).collect();
            let Sent { answers, trouble } = transport.send(&events);
            let settled = self.settle(&batch, &answers)?;
            let (has_all, is_one) = (settled.len() == batch.len(), batch.len() == 1);
            most = next_size(batch.len(), settled.len(), trouble.as_ref(), &self.limits, most);
            let broken = tell(&batch, &answers, &mut told).is_break();
            window.remove(&settled);
            if !settled.is_empty() {
                pauses = self.limits.pauses();
            }
            if broken {
                return Ok(Ended::Stopped);
            }
            let trouble = match trouble {
                Some(trouble) if trouble.kind == Kind::TooLarge && !is_one => continue,
                Some(trouble) => trouble,
                None if has_all => continue,
                None => Trouble::away("not every event was answered"),
            };
            let asked = trouble.retry_after.unwrap_or_default();
            let pause = asked + pauses.next().unwrap_or(self.limits.longest_pause);
            if told(Report::Trouble { trouble: &trouble, pause }).is_break() {
                return Ok(Ended::Stopped);
            }
            self.rest(pause);
        }
    }

    /// Waits for events behind those that have their answers.
    fn wait_for_more(&self) -> Option<Ended> {
        let state = self.changed.wait_while(self.state(), |state| {
            state.events == 0 && !state.is_finished && !state.is_stopped
        });
        let state = state.unwrap_or_else(PoisonError::into_inner);
        match (state.is_stopped, state.events) {
            (true, _) => Some(Ended::Stopped),
            (false, 0) => Some(Ended::Empty),
            (false, _) => None,
        }
    }

    /// Returns early when it is to stop.
    fn rest(&self, pause: Duration) {
        let rested =
            self.changed.wait_timeout_while(self.state(), pause, |state| !state.is_stopped);
        drop(rested.unwrap_or_else(PoisonError::into_inner));
    }

    /// Keeps what was rejected, and then removes what has its final answer. What of the batch that is.
    pub(super) fn settle(
        &self,
        batch: &[&Entry],
        answers: &[Answer],
    ) -> Result<HashSet<u64>, SpoolError> {
        let (mut settled, mut kept_bytes) = (Vec::new(), 0);
        for (entry, answer) in batch.iter().zip(answers) {
            match answer {
                Answer::Unknown => continue,
                Answer::Accepted { .. } => {}
                Answer::Rejected { code, detail } => {
                    if let Some(rejected) = &self.rejected {
                        let kept = rejected.keep(entry, code, detail);
                        kept_bytes += kept.map_err(|e| storage(&self.folder, &e))?;
                    }
                }
            }
            settled.push(*entry);
        }
        if settled.is_empty() {
            return Ok(HashSet::new());
        }
        if let Some(rejected) = self.rejected.as_ref().filter(|_| kept_bytes > 0) {
            rejected.sync().map_err(|e| storage(&self.folder, &e))?;
        }
        let each = settled.iter().map(|entry| Entry::bytes(&entry.source, &entry.event));
        let bytes: u64 = each.sum();
        // As in `take`: the file first, then the counts, so that nobody counts between.
        let writing = self.file.begin()?;
        let mut state = self.state();
        self.file.remove(writing, &settled, bytes)?;
        state.events = state.events.saturating_sub(settled.len() as u64);
        state.bytes = state.bytes.saturating_sub(bytes);
        state.rejected_bytes += kept_bytes;
        drop(state);
        self.changed.notify_all();
        Ok(settled.iter().map(|entry| entry.sequence).collect())
    }
}

/// How many events go next. Fewer after a request that came to nothing: perhaps something on the way breaks off
/// long ones without a word.
fn next_size(
    sent: usize,
    settled: usize,
    trouble: Option<&Trouble>,
    limits: &Limits,
    before: usize,
) -> usize {
    match trouble.map(|trouble| trouble.kind) {
        Some(Kind::TooLarge) => (if settled > 0 { settled } else { sent / 2 }).max(1),
        Some(Kind::Away) if settled == 0 => (sent / 2).max(1),
        Some(_) => before,
        None => before.saturating_mul(2).min(limits.batch_events),
    }
}

fn tell(
    batch: &[&Entry],
    answers: &[Answer],
    told: &mut impl FnMut(Report<'_>) -> ControlFlow<()>,
) -> ControlFlow<()> {
    for (entry, answer) in batch.iter().zip(answers) {
        match answer {
            Answer::Accepted { position } => told(Report::Accepted { entry, position })?,
            Answer::Rejected { code, detail } => told(Report::Rejected { entry, code, detail })?,
            Answer::Unknown => {}
        }
    }
    ControlFlow::Continue(())
}
