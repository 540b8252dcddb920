//! A task as it is, or one that forgets something.

use std::time::Duration;

use waybill_host::batch::Batch;
use waybill_host::event::{Command, Inserts, Now, Paused, Reading, Start};
use waybill_host::input::Input;
use waybill_host::processor::Incoming;
use waybill_host::task::{Task, Urgency};
use waybill_stage::Fault;

use crate::flaw::Flaw;

#[derive(Debug)]
pub struct Faulty<T> {
    task: T,
    flaw: Option<Flaw>,
}

impl<T> Faulty<T> {
    pub fn new(task: T, flaw: Option<Flaw>) -> Self {
        Self { task, flaw }
    }
}

impl<T: Task> Task for Faulty<T> {
    type Restorer = T::Restorer;

    fn reading(&mut self, start: &Start) -> Result<Option<Reading<T::Restorer>>, Fault> {
        self.task.reading(start)
    }

    fn on_assigned(&mut self, start: Start, restored: Option<T::Restorer>) -> Result<i64, Fault> {
        self.task.on_assigned(start, restored)
    }

    fn on_revoked(&mut self, inputs: &[Input], out: &mut Vec<Command<T::Restorer>>) {
        self.task.on_revoked(inputs, out);
    }

    fn has_room(&self) -> bool {
        self.task.has_room()
    }

    fn take(&mut self, now: Now, records: &[Incoming<'_>]) -> Result<usize, Fault> {
        self.task.take(now, records)
    }

    fn step_over(
        &mut self,
        now: Now,
        input: &Input,
        offsets: std::ops::Range<i64>,
    ) -> Result<(), Fault> {
        self.task.step_over(now, input, offsets)
    }

    fn next_commit(&mut self, now: Now, urgency: Urgency<'_>) -> Result<Option<Batch>, Fault> {
        let is_leaving = matches!(urgency, Urgency::Leaving(_));
        if is_leaving && self.flaw == Some(Flaw::LeavingDropsBatch) {
            return Ok(None);
        }
        self.task.next_commit(now, urgency)
    }

    fn on_committed(
        &mut self,
        now: Now,
        batch: Batch,
        out: &mut Vec<Command<T::Restorer>>,
    ) -> Result<(), Fault> {
        self.task.on_committed(now, batch, out)
    }

    fn on_inserted(&mut self, now: Now, inserts: Inserts) -> Result<(), Fault> {
        self.task.on_inserted(now, inserts)
    }

    fn is_inserting(&self) -> bool {
        self.task.is_inserting()
    }

    fn due_at(&self, now: Now) -> Option<Duration> {
        self.task.due_at(now)
    }

    fn paused(&self, now: Now) -> Paused {
        self.task.paused(now)
    }
}
