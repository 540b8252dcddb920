use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use waybill_stage::{Fault, Inserted, Lease, Sink, SinkBatch, Stored};

/// How long a store may go on trying before the claim is made durable anew, which only a member of
/// the group can. An attempt that began within it ends within the request's time, so this and that
/// are how long an insert can be on its way: what the store's deduplication window must outlast.
const LEASE: Duration = Duration::from_secs(120);

/// Jobs are never closer than this: what the store must remember is reckoned by it (`window.rs` of
/// the ClickHouse sink).
pub(super) const BETWEEN_JOBS: Duration = Duration::from_millis(100);

/// How often the store is asked how it does.
const ASK: Duration = Duration::from_secs(10);

/// The sink, on a thread of its own, so that the loop goes on reading and stays in its group.
pub(super) struct Store {
    jobs: Option<SyncSender<Job>>,
    done: Receiver<Result<Done, Fault>>,
    /// Of the job that is being done.
    lease: Option<Lease>,
    submitted_at: Option<Instant>,
    thread: Option<JoinHandle<()>>,
}

struct Job {
    batches: Vec<SinkBatch>,
    lease: Lease,
}

pub(super) struct Done {
    /// Each batch, and what the store says of it, if it said something in time.
    pub(super) batches: Vec<(SinkBatch, Option<Inserted>)>,
    /// 0 to 1, if it was asked for.
    pub(super) pressure: Option<f64>,
}

impl Store {
    pub(super) fn start(mut sink: Box<dyn Sink>) -> Result<Self, Fault> {
        let (jobs, inbox) = sync_channel::<Job>(1);
        let (outbox, done) = sync_channel(1);
        let thread = std::thread::Builder::new()
            .name("store".to_owned())
            .spawn(move || {
                let mut asked = None;
                for job in inbox {
                    let result = work(sink.as_mut(), job, &mut asked);
                    let failed = result.is_err();
                    if outbox.send(result).is_err() || failed {
                        break;
                    }
                }
            })
            .map_err(|e| Fault(format!("thread: {e}")))?;
        Ok(Self { jobs: Some(jobs), done, lease: None, submitted_at: None, thread: Some(thread) })
    }

    pub(super) fn is_idle(&self) -> bool {
        self.lease.is_none()
    }

    /// How long the job has taken so far that it is at.
    pub(super) fn busy_for(&self) -> Option<Duration> {
        self.submitted_at.filter(|_| !self.is_idle()).map(|at| at.elapsed())
    }

    /// It may be given a job.
    pub(super) fn is_free(&self) -> bool {
        self.is_idle() && self.submitted_at.is_none_or(|at| at.elapsed() >= BETWEEN_JOBS)
    }

    pub(super) fn submit(&mut self, batches: Vec<SinkBatch>) -> Result<(), Fault> {
        let gone = || Fault("the store has ended".to_owned());
        let lease = Lease::until(Instant::now() + LEASE);
        let job = Job { batches, lease: lease.clone() };
        self.jobs.as_ref().ok_or_else(gone)?.send(job).map_err(|_| gone())?;
        self.lease = Some(lease);
        self.submitted_at = Some(Instant::now());
        Ok(())
    }

    /// What became of the job, if that is known by now, or within `wait`.
    pub(super) fn collect(&mut self, wait: Duration) -> Result<Option<Done>, Fault> {
        if self.is_idle() {
            return Ok(None);
        }
        match self.done.recv_timeout(wait) {
            Ok(result) => {
                self.lease = None;
                result.map(Some)
            }
            Err(RecvTimeoutError::Timeout) => Ok(None),
            Err(RecvTimeoutError::Disconnected) => Err(Fault("the store has ended".to_owned())),
        }
    }

    /// No further attempt begins.
    pub(super) fn cancel(&self) {
        if let Some(lease) = &self.lease {
            lease.cancel();
        }
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        self.cancel();
        self.jobs = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn work(sink: &mut dyn Sink, job: Job, asked: &mut Option<Instant>) -> Result<Done, Fault> {
    let answers = sink.insert(&job.batches, &job.lease)?;
    if answers.len() != job.batches.len() {
        return Err(Fault("the sink has not answered for each batch".to_owned()));
    }
    let answers = answers.into_iter().map(|answer| match answer {
        Stored::Done(inserted) => Some(inserted),
        Stored::Unknown => None,
    });
    let batches = job.batches.into_iter().zip(answers).collect();
    let mut pressure = None;
    if asked.is_none_or(|at| at.elapsed() >= ASK) {
        *asked = Some(Instant::now());
        match sink.pressure() {
            Ok(found) => pressure = Some(found),
            // Rows go in all the same, only not with regard to how the store does.
            Err(fault) => tracing::warn!(%fault, "the store does not say how it does"),
        }
    }
    Ok(Done { batches, pressure })
}
