//! Transactions on a thread of their own: while one commits, the host works on the next batch.

use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use waybill_host::batch::Batch;
use waybill_stage::Fault;

use crate::HostSettings;
use crate::consumer::Member;
use crate::transaction::{Failed, Transactor};

struct Job {
    batch: Batch,
    member: Member,
}

/// What became of a batch.
pub(crate) enum Done {
    Committed(Batch),
    /// It may be submitted again.
    Aborted(Batch, String),
}

pub(crate) struct Committer {
    jobs: Option<SyncSender<Job>>,
    done: Receiver<Result<Done, Fault>>,
    in_flight: usize,
    submitted_at: Option<Instant>,
    thread: Option<JoinHandle<()>>,
}

impl Committer {
    pub(crate) fn start(settings: &HostSettings) -> Result<Self, Fault> {
        let mut transactor = Transactor::start(settings)?;
        let (jobs, inbox) = sync_channel::<Job>(1);
        let (outbox, done) = sync_channel(2);
        let thread = std::thread::Builder::new()
            .name("committer".to_owned())
            .spawn(move || {
                for Job { batch, member } in inbox {
                    let result = match transactor.commit(&batch, &member) {
                        Ok(()) => Ok(Done::Committed(batch)),
                        Err(Failed::Aborted(why)) => Ok(Done::Aborted(batch, why)),
                        Err(Failed::Unknown(fault)) => Err(fault),
                    };
                    let failed = result.is_err();
                    if outbox.send(result).is_err() || failed {
                        break;
                    }
                }
            })
            .map_err(|e| Fault(format!("thread: {e}")))?;
        Ok(Self { jobs: Some(jobs), done, in_flight: 0, submitted_at: None, thread: Some(thread) })
    }

    pub(crate) fn is_idle(&self) -> bool {
        self.in_flight == 0
    }

    /// How long the transaction has taken so far that it is at.
    pub(crate) fn busy_for(&self) -> Option<Duration> {
        self.submitted_at.filter(|_| !self.is_idle()).map(|at| at.elapsed())
    }

    pub(crate) fn submit(&mut self, batch: Batch, member: Member) -> Result<(), Fault> {
        let gone = || Fault("the committer has ended".to_owned());
        self.jobs.as_ref().ok_or_else(gone)?.send(Job { batch, member }).map_err(|_| gone())?;
        self.in_flight += 1;
        self.submitted_at = Some(Instant::now());
        Ok(())
    }

    /// What became of a batch, if that is known by now, or within `wait`.
    pub(crate) fn collect(&mut self, wait: Duration) -> Result<Option<Done>, Fault> {
        if self.in_flight == 0 {
            return Ok(None);
        }
        match self.done.recv_timeout(wait) {
            Ok(result) => {
                self.in_flight -= 1;
                result.map(Some)
            }
            Err(RecvTimeoutError::Timeout) => Ok(None),
            Err(RecvTimeoutError::Disconnected) => Err(Fault("the committer has ended".to_owned())),
        }
    }
}

impl Drop for Committer {
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
