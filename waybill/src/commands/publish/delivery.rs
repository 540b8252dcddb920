use std::io::IsTerminal;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use waybill_publisher::{Ended, Kind, Report, Spool, SpoolError, Transport, Trouble};

use crate::exit::Failure;

/// Of messages that are not on a disk.
pub const MEMORY_BYTES: u64 = 64 << 20;
/// Without a spool on disk, so long without an answer is the end.
const PATIENCE: Duration = Duration::from_secs(120);
/// When it is told to stop, a request that is on its way may take so long.
const LAST_REQUEST: Duration = Duration::from_secs(5);

/// The thread that sends what is in the spool, and what it has told.
pub struct Delivery {
    thread: JoinHandle<Result<Ended, SpoolError>>,
    spool: Arc<Spool>,
    folder: Option<PathBuf>,
    told: Arc<Told>,
    stopped: Arc<AtomicBool>,
}

struct Told {
    bar: ProgressBar,
    refused: fn(String) -> Failure,
    accepted: AtomicU64,
    rejected: AtomicU64,
    /// Why it was given up.
    failure: Mutex<Option<Failure>>,
}

impl Delivery {
    /// `refused`: what it is when the other side refuses us for good. `folder`: of a spool on disk.
    pub fn start(
        spool: Arc<Spool>,
        mut transport: Box<dyn Transport>,
        refused: fn(String) -> Failure,
        folder: Option<&Path>,
    ) -> Result<Self, Failure> {
        let told = Arc::new(Told {
            bar: progress(),
            refused,
            accepted: AtomicU64::new(0),
            rejected: AtomicU64::new(0),
            failure: Mutex::new(None),
        });
        let (delivering, telling) = (spool.clone(), told.clone());
        let patience = if folder.is_some() { None } else { Some(PATIENCE) };
        let deliver = move || {
            let mut answered = Instant::now();
            delivering
                .deliver(&mut transport, |report| telling.hear(report, patience, &mut answered))
        };
        let thread = std::thread::Builder::new().name("delivery".to_owned()).spawn(deliver);
        let thread = thread.map_err(|e| Failure::failed(format!("thread: {e}")))?;
        let folder = folder.map(Path::to_owned);
        Ok(Self { thread, spool, folder, told, stopped: Arc::default() })
    }

    /// What a signal sets.
    pub fn stopped(&self) -> Arc<AtomicBool> {
        self.stopped.clone()
    }

    pub fn expect(&self, messages: u64) {
        self.told.bar.set_length(messages);
    }

    pub fn has_ended(&self) -> bool {
        self.thread.is_finished()
    }

    pub fn say(&self, line: &str) {
        self.told.bar.suspend(|| println!("{line}"));
    }

    /// At once, and not only when all the rest is delivered.
    pub fn warn(&self, why: &str) {
        self.told.bar.suspend(|| tracing::error!(why, "not all files were taken"));
    }

    /// Waits until all have their answer or it was stopped, and sums up. `taken`: whether all could be taken.
    pub fn end(self, taken: Result<(), Failure>) -> Result<(), Failure> {
        let mut stopped_at = None;
        while !self.thread.is_finished() {
            std::thread::sleep(Duration::from_millis(5));
            if self.stopped.load(Ordering::Relaxed) {
                let at = *stopped_at.get_or_insert_with(Instant::now);
                // What has no answer by then is in the spool as before.
                if at.elapsed() > LAST_REQUEST {
                    break;
                }
            }
        }
        let is_stopped = self.stopped.load(Ordering::Relaxed);
        let delivered = match self.thread.is_finished() {
            true => self.thread.join().unwrap_or(Ok(Ended::Stopped)),
            false => Ok(Ended::Stopped),
        };
        let Told { bar, accepted, rejected, failure, .. } = &*self.told;
        bar.finish_and_clear();
        let (accepted, rejected) =
            (accepted.load(Ordering::Relaxed), rejected.load(Ordering::Relaxed));
        let rest = self.spool.held().events;
        let left = match &self.folder {
            Some(folder) => format!(", {rest} still in {}", folder.display()),
            None if rest > 0 => format!(", {rest} without an answer"),
            None => String::new(),
        };
        println!("publish: {accepted} accepted, {rejected} rejected{left}");
        delivered.map_err(|e| Failure::failed(e.to_string()))?;
        taken?;
        if let Some(failure) = failure.lock().unwrap_or_else(PoisonError::into_inner).take() {
            return Err(failure);
        }
        if is_stopped && self.folder.is_none() && rest > 0 {
            return Err(Failure::failed("stopped; with --spool the rest would be there still"));
        }
        match (rejected, &self.folder) {
            (0, _) => Ok(()),
            (_, None) => Err(Failure::failed(format!("{rejected} messages were rejected"))),
            (_, Some(folder)) => Err(Failure::failed(format!(
                "{rejected} messages were rejected: they are in {}",
                folder.join("rejected").display()
            ))),
        }
    }
}

impl Told {
    fn hear(
        &self,
        report: Report<'_>,
        patience: Option<Duration>,
        answered: &mut Instant,
    ) -> ControlFlow<()> {
        match report {
            Report::Accepted { .. } => {
                self.accepted.fetch_add(1, Ordering::Relaxed);
            }
            Report::Rejected { entry, code, detail } => {
                self.rejected.fetch_add(1, Ordering::Relaxed);
                self.bar.suspend(|| println!("rejected {}: {code}: {detail}", entry.source));
            }
            Report::Trouble { trouble, pause } => {
                if let Some(failure) = self.failure(trouble, patience, answered.elapsed()) {
                    *self.failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(failure);
                    return ControlFlow::Break(());
                }
                let pause = format!("{pause:.1?}");
                self.bar.suspend(|| tracing::warn!(%trouble, pause, "not all is delivered; again"));
                return ControlFlow::Continue(());
            }
        }
        *answered = Instant::now();
        self.bar.inc(1);
        ControlFlow::Continue(())
    }

    /// Why it is of no use to go on, if it is of none.
    fn failure(
        &self,
        trouble: &Trouble,
        patience: Option<Duration>,
        silent: Duration,
    ) -> Option<Failure> {
        match trouble.kind {
            Kind::Refused => Some((self.refused)(trouble.why.clone())),
            Kind::TooLarge => None,
            Kind::Away | Kind::OverLimit => {
                let is_over = patience.is_some_and(|patience| silent > patience);
                is_over.then(|| Failure::unreachable(trouble.why.clone()))
            }
        }
    }
}

fn progress() -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("  {bar:40} {pos}/{len} answered  {per_sec}");
    let bar =
        ProgressBar::new(0).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar.enable_steady_tick(Duration::from_millis(100));
    bar
}
