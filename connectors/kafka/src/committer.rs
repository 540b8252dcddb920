//! Transactions, on a thread of their own: while one commits, the loop works on the next batch.

use waybill_host::batch::Batch;
use waybill_stage::Fault;

use crate::consumer::CommitAs;
use crate::crash_point::crash_point;
use crate::transaction::{Failed, Transactor};

pub(crate) struct Job {
    pub(crate) batch: Batch,
    pub(crate) member: CommitAs,
}

/// What became of a batch.
pub(crate) enum Outcome {
    Committed(Batch),
    /// It may be committed anew.
    Aborted(Batch, String),
    Unknown(Fault),
}

pub(crate) fn work(transactor: &mut Transactor, name: &str, job: Job) -> Outcome {
    let Job { batch, member } = job;
    crash_at(name, "before");
    let outcome = match transactor.commit(&batch, &member) {
        Ok(()) => Outcome::Committed(batch),
        Err(Failed::Aborted(why)) => Outcome::Aborted(batch, why),
        Err(Failed::Unknown(fault)) => Outcome::Unknown(fault),
    };
    if matches!(outcome, Outcome::Committed(_)) {
        crash_at(name, "after");
    }
    outcome
}

/// For tests: `FAILPOINTS=sink_before_commit=return` ends a sink's process there.
fn crash_at(name: &str, when: &str) {
    if cfg!(feature = "failpoints") {
        crash_point(&format!("{name}_{when}_commit"));
    }
}
