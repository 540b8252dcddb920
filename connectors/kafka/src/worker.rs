//! A thread that does one job at a time beside the loop: commits, inserts, and what is read before partitions are
//! taken on.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::Scope;
use std::time::{Duration, Instant};

use waybill_stage::Fault;

use crate::health::now_ms;

pub(crate) struct Worker<J, D> {
    name: &'static str,
    jobs: SyncSender<J>,
    done: Receiver<Result<D, Fault>>,
    submitted_at: Option<Instant>,
    pulse: Pulse,
    /// A job that gives no sign of life for so long hangs.
    deadline: Duration,
}

/// What a long job shows that it goes on by, and hears that it need not.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pulse {
    beat_ms: Arc<AtomicI64>,
    is_cancelled: Arc<AtomicBool>,
}

impl Pulse {
    /// Shows that the job goes on.
    ///
    /// # Errors
    /// It need not: nobody waits for it any more.
    pub(crate) fn beat(&self) -> Result<(), Fault> {
        self.beat_ms.store(now_ms(), Ordering::Relaxed);
        if self.is_cancelled.load(Ordering::Relaxed) {
            return Err(Fault("the process ends before this is done".to_owned()));
        }
        Ok(())
    }

    pub(crate) fn cancel(&self) {
        self.is_cancelled.store(true, Ordering::Relaxed);
    }

    fn since(&self) -> Duration {
        let ms = now_ms().saturating_sub(self.beat_ms.load(Ordering::Relaxed));
        Duration::from_millis(u64::try_from(ms).unwrap_or_default())
    }
}

impl<J: Send, D: Send> Worker<J, D> {
    /// Begins a thread that ends with this value.
    pub(crate) fn start<'scope, 'env>(
        scope: &'scope Scope<'scope, 'env>,
        name: &'static str,
        deadline: Duration,
        mut work: impl FnMut(J, &Pulse) -> Result<D, Fault> + Send + 'scope,
    ) -> Result<Self, Fault>
    where
        J: 'scope,
        D: 'scope,
    {
        let (jobs, inbox) = sync_channel::<J>(1);
        let (outbox, done) = sync_channel(1);
        let pulse = Pulse::default();
        let of_thread = pulse.clone();
        std::thread::Builder::new()
            .name(name.to_owned())
            .spawn_scoped(scope, move || {
                for job in inbox {
                    if outbox.send(work(job, &of_thread)).is_err() {
                        break;
                    }
                }
            })
            .map_err(|e| Fault(format!("thread: {e}")))?;
        Ok(Self { name, jobs, done, submitted_at: None, pulse, deadline })
    }

    /// Gives it the job; it must be at none.
    pub(crate) fn submit(&mut self, job: J) -> Result<(), Fault> {
        if self.submitted_at.is_some() {
            return Err(Fault(format!("invariant: {} is given a second job", self.name)));
        }
        self.pulse.beat()?;
        self.jobs.send(job).map_err(|_| self.gone())?;
        self.submitted_at = Some(Instant::now());
        Ok(())
    }

    /// What became of the job, if that is known by now, or within `wait`.
    pub(crate) fn collect(&mut self, wait: Duration) -> Option<Result<D, Fault>> {
        self.submitted_at?;
        let done = match self.done.recv_timeout(wait) {
            Ok(done) => done,
            Err(RecvTimeoutError::Timeout) => return None,
            Err(RecvTimeoutError::Disconnected) => Err(self.gone()),
        };
        self.submitted_at = None;
        Some(done)
    }

    /// How long the job has taken so far that it is at.
    pub(crate) fn busy_for(&self) -> Option<Duration> {
        self.submitted_at.map(|at| at.elapsed())
    }

    /// Whether the job has given no sign of life for longer than any may.
    pub(crate) fn hangs(&self) -> bool {
        self.submitted_at.is_some() && self.pulse.since() > self.deadline
    }

    pub(crate) fn pulse(&self) -> &Pulse {
        &self.pulse
    }

    fn gone(&self) -> Fault {
        Fault(format!("{} has ended", self.name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHORT: Duration = Duration::from_millis(50);
    const LONG: Duration = Duration::from_secs(30);

    #[test]
    fn a_job_is_answered_and_one_that_goes_on_is_not_taken_for_one_that_hangs() {
        let (go_on, wait) = sync_channel::<()>(0);
        std::thread::scope(|scope| {
            let mut worker =
                Worker::start(scope, "test", SHORT, move |beats: u32, pulse: &Pulse| {
                    for _ in 0..beats {
                        std::thread::sleep(SHORT / 5);
                        pulse.beat()?;
                    }
                    wait.recv().map_err(|_| Fault("nobody asks".to_owned()))?;
                    Ok(beats)
                })
                .unwrap();
            assert!(worker.collect(SHORT).is_none() && !worker.hangs());
            worker.submit(20).unwrap();
            assert!(worker.submit(1).unwrap_err().0.starts_with("invariant"));
            assert!(worker.collect(SHORT * 2).is_none());
            assert!(worker.busy_for().unwrap() > SHORT);
            // It beats for four times the deadline; then it does not.
            assert!(!worker.hangs());
            let began = Instant::now();
            while !worker.hangs() {
                assert!(began.elapsed() < LONG);
                std::thread::sleep(SHORT / 5);
            }
            go_on.send(()).unwrap();
            assert_eq!(worker.collect(LONG).unwrap().unwrap(), 20);
            assert!(!worker.hangs() && worker.busy_for().is_none());
        });
    }

    #[test]
    fn what_nobody_waits_for_ends() {
        std::thread::scope(|scope| {
            let mut worker = Worker::start(scope, "test", LONG, |(): (), pulse: &Pulse| {
                loop {
                    pulse.beat()?;
                    std::thread::sleep(SHORT / 10);
                }
                #[allow(unreachable_code)]
                Ok(())
            })
            .unwrap();
            worker.submit(()).unwrap();
            worker.pulse().cancel();
            assert!(worker.collect(LONG).unwrap().is_err());
        });
    }
}
