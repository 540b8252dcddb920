//! How a host goes on where a process has died: what it puts down beside its offsets, and when
//! (`caution.rs` says what that means).

use rdkafka::Message;
use rdkafka::message::BorrowedMessage;
use waybill_host::batch::Batch;
use waybill_host::chain::Flow;
use waybill_host::chain::answer_at_its_place;
use waybill_host::input::Input;
use waybill_host::processor::Incoming;
use waybill_host::protocol::Mark;
use waybill_stage::{Code, Fault, Reject};

use super::{Host, ME};

impl Host<'_> {
    /// So many records go into one transaction: as set, and fewer where a process has died.
    pub(super) fn at_once(&self) -> usize {
        let careful = self.begun.iter().filter_map(|key| self.cautions.get(key));
        let careful = careful.map(|caution| caution.at_once).min();
        careful.unwrap_or(usize::MAX).min(self.settings.limits.records)
    }

    pub(super) fn is_careful(&self) -> bool {
        self.at_once() < self.settings.limits.records
    }

    pub(super) fn has_begun(&self, message: &BorrowedMessage<'_>) -> Result<bool, Fault> {
        let key = self.input(message.topic(), message.partition())?;
        Ok(!self.cautions.contains_key(&key) || self.begun.contains(&key))
    }

    /// Puts it down that this partition is read on: should a record end this process, the next one knows
    /// where. With it go all of which nothing is known but that they are ours. Where a process has died
    /// before, one is read at a time.
    pub(super) fn begin(&mut self, key: &Input) -> Result<(), Fault> {
        self.commit_all()?;
        let most = self.settings.limits.records;
        let mut marks = Vec::new();
        for (other, caution) in &self.cautions {
            let is_careful = caution.at_once < most;
            if other == key || (!is_careful && !self.begun.contains(other)) {
                marks.push((other.clone(), caution.begun(&ME)));
                self.begun.insert(other.clone());
            } else if is_careful && self.begun.remove(other) {
                marks.push((other.clone(), caution.rests()));
            }
        }
        self.note(marks)
    }

    /// Puts it down that nobody works at what was begun: we go in good order.
    pub(super) fn rest(&mut self) -> Result<(), Fault> {
        let begun = self.cautions.iter().filter(|(key, _)| self.begun.contains(key));
        let marks: Vec<_> = begun.map(|(key, caution)| (key.clone(), caution.rests())).collect();
        self.begun.clear();
        self.note(marks)
    }

    /// Commits what is to stand beside offsets that stay as they are.
    pub(super) fn note(&mut self, marks: Vec<(Input, String)>) -> Result<(), Fault> {
        if marks.is_empty() {
            return Ok(());
        }
        let mut batch = Batch::default();
        for (input, metadata) in marks {
            let offset = self.read_up_to.get(&input).copied();
            let offset =
                offset.ok_or_else(|| Fault(format!("{input} was begun and is not ours")))?;
            batch.mark(input, Mark { offset, metadata });
        }
        self.aborted = 0;
        self.committer.submit(batch, self.consumer.standing()?)?;
        self.wait()
    }

    /// With the batch it is committed how its partitions are read on.
    pub(super) fn go_on_behind(&mut self, batch: &mut Batch) {
        for (key, mark) in &mut batch.marks {
            let Some(caution) = self.cautions.remove(key) else { continue };
            let next = caution.behind(mark.offset);
            match next {
                Some(next) if !next.is_alone() => mark.metadata = next.begun(&ME),
                _ => _ = self.begun.remove(key),
            }
            if let Some(next) = next {
                if next.is_alone() {
                    mark.metadata = next.rests();
                }
                self.cautions.insert(key.clone(), next);
            }
        }
    }
}

/// Answers a record that has ended each process that took it, without taking it.
pub(super) fn set_aside(
    stage: &'static str,
    record: &Incoming<'_>,
    flow: &mut Flow<'_>,
) -> Result<(), Fault> {
    let place = record.place();
    tracing::error!(place, "set aside: it has ended each process that took it");
    let detail = format!("{place}: it has ended each process that took it");
    answer_at_its_place(stage, record, Reject::new(Code::Poison, detail), flow)
}
