//! What a [host](crate::host) does with the records of its partitions: run stages, or fill a store.

use std::time::Duration;

use waybill_stage::Fault;

use crate::batch::Batch;
use crate::event::{Command, Inserts, Now, Paused, Reading, Restorer, Start};
use crate::input::Input;
use crate::processor::Incoming;

/// Why a batch is asked for.
#[derive(Clone, Copy, Debug)]
pub enum Urgency<'a> {
    /// If it is time.
    WhenDue,
    /// These go to another: all that was done for them is to be committed, and nothing new is begun.
    Leaving(&'a [Input]),
}

pub trait Task {
    type Restorer: Restorer;

    /// What must be read before the partition can be taken on.
    fn reading(&mut self, start: &Start) -> Result<Option<Reading<Self::Restorer>>, Fault>;

    /// Takes a partition on. Returns where it is to be read from.
    fn on_assigned(&mut self, start: Start, restored: Option<Self::Restorer>)
    -> Result<i64, Fault>;

    /// These are ours no more. All that was committed of them is durable; the rest is forgotten.
    fn on_revoked(&mut self, inputs: &[Input], out: &mut Vec<Command<Self::Restorer>>);

    /// Whether it takes records now.
    fn has_room(&self) -> bool;

    /// Takes records, from the first on. Returns how many: the rest comes once more.
    fn take(&mut self, now: Now, records: &[Incoming<'_>]) -> Result<usize, Fault>;

    /// Answers what cannot be unpacked where it stands.
    fn step_over(
        &mut self,
        now: Now,
        input: &Input,
        offsets: std::ops::Range<i64>,
    ) -> Result<(), Fault>;

    /// What is to be committed next. It is asked while no commit is under way.
    fn next_commit(&mut self, now: Now, urgency: Urgency<'_>) -> Result<Option<Batch>, Fault>;

    /// The last [`next_commit`](Self::next_commit) is durable.
    fn on_committed(
        &mut self,
        now: Now,
        batch: Batch,
        out: &mut Vec<Command<Self::Restorer>>,
    ) -> Result<(), Fault>;

    /// An insert worker has answered.
    fn on_inserted(&mut self, _now: Now, inserts: Inserts) -> Result<(), Fault> {
        Err(Fault(format!("invariant: worker {} has answered, and nobody asked", inserts.worker)))
    }

    /// Whether inserts are under way: who leaves waits for them a while.
    fn is_inserting(&self) -> bool {
        false
    }

    /// When [`next_commit`](Self::next_commit) may have something, if no record comes before.
    fn due_at(&self, now: Now) -> Option<Duration>;

    fn paused(&self, now: Now) -> Paused;
}
