//! Events on their way: durable before they count as taken, gone when they have their answer.

mod delivery;
mod file;
mod rejected;
mod window;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::SealedEvent;
use file::File;
use rejected::Rejected;

pub use delivery::{Ended, Report};

/// What counts for an event beside its bytes: it has a key, and a place in a page.
const OVERHEAD: u64 = 64;

/// What a spool bears, and how it delivers.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes of all events in it, rejected ones included. The file takes up to about twice as much.
    pub bytes: u64,
    /// Of one request.
    pub batch_events: usize,
    pub batch_bytes: usize,
    /// After a failure; it grows to the longest, with jitter. What the other side asks for comes on top.
    pub shortest_pause: Duration,
    pub longest_pause: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            bytes: 1 << 30,
            batch_events: 1_000,
            batch_bytes: 4 << 20,
            shortest_pause: Duration::from_millis(250),
            longest_pause: Duration::from_secs(30),
        }
    }
}

#[derive(Debug)]
pub enum SpoolError {
    /// Another process has it.
    InUse(PathBuf),
    /// What was to be taken does not fit: nothing of it was taken.
    Full { most: u64, rejected: u64 },
    /// What is too long to pass in any spool of these limits.
    NeverFits { bytes: u64, most: u64 },
    /// The folder or its files cannot be read or written.
    Storage { folder: PathBuf, why: String },
}

impl fmt::Display for SpoolError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InUse(folder) => {
                write!(f, "spool {}: another process is using it", folder.display())
            }
            Self::Full { most, rejected: 0 } => {
                write!(f, "the spool is full: it may have {most} bytes, until some are delivered")
            }
            Self::Full { most, rejected } => write!(
                f,
                "the spool is full: it may have {most} bytes, and {rejected} are of rejected events: look at \
                 them in its folder `rejected`, and remove them"
            ),
            Self::NeverFits { bytes, most } => {
                write!(f, "{bytes} bytes at once are more than the whole spool may have ({most})")
            }
            Self::Storage { folder, why } => write!(f, "spool {}: {why}", folder.display()),
        }
    }
}

impl std::error::Error for SpoolError {}

/// An event in the spool, and where it came from: for people, such as the name of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub(crate) sequence: u64,
    pub source: String,
    pub event: SealedEvent,
}

impl Entry {
    fn bytes(source: &str, event: &SealedEvent) -> u64 {
        (source.len() + event.value().len()) as u64 + OVERHEAD
    }
}

/// A queue of sealed events in a folder, or in memory. One thread delivers ([`Spool::deliver`]) while others
/// take more in ([`Spool::take`]).
#[derive(Debug)]
pub struct Spool {
    file: File,
    rejected: Option<Rejected>,
    folder: PathBuf,
    limits: Limits,
    state: Mutex<State>,
    changed: Condvar,
    /// Held by who delivers.
    delivering: Mutex<()>,
}

#[derive(Debug, Default)]
struct State {
    events: u64,
    bytes: u64,
    rejected_bytes: u64,
    is_finished: bool,
    is_stopped: bool,
}

/// What lies in a spool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held {
    pub events: u64,
    /// Of these, with what each costs beside its own.
    pub bytes: u64,
    /// Of the events in its folder `rejected`.
    pub rejected_bytes: u64,
}

impl Spool {
    /// Makes the folder, or finds what is in it: whatever was taken before is there, however the process ended.
    pub fn open(folder: impl AsRef<Path>, limits: Limits) -> Result<Self, SpoolError> {
        let folder = folder.as_ref().to_owned();
        let file = File::open(&folder)?;
        let rejected = Rejected::of(&folder);
        let rejected_bytes = rejected.bytes();
        let rejected_bytes = rejected_bytes.map_err(|e| storage(&folder, &e))?;
        Self::of(folder, file, Some(rejected), rejected_bytes, limits)
    }

    /// One that ends with the process.
    pub fn in_memory(limits: Limits) -> Result<Self, SpoolError> {
        Self::of(PathBuf::from("in memory"), File::in_memory()?, None, 0, limits)
    }

    fn of(
        folder: PathBuf,
        file: File,
        rejected: Option<Rejected>,
        rejected_bytes: u64,
        limits: Limits,
    ) -> Result<Self, SpoolError> {
        let (events, bytes) = file.held()?;
        let state = State { events, bytes, rejected_bytes, ..State::default() };
        Ok(Self {
            file,
            rejected,
            folder,
            limits,
            state: Mutex::new(state),
            changed: Condvar::new(),
            delivering: Mutex::default(),
        })
    }

    /// Takes all of these, or none: when this returns they are on the disk. Each with where it came from. After an
    /// error of the disk they may be there all the same: who takes them once more sends them under the same ids.
    pub fn take(&self, events: &[(String, SealedEvent)]) -> Result<(), SpoolError> {
        let bytes = events.iter().map(|(source, event)| Entry::bytes(source, event)).sum();
        if bytes > self.limits.bytes {
            return Err(SpoolError::NeverFits { bytes, most: self.limits.bytes });
        }
        self.heal()?;
        // One writes at a time: what is found to fit here, fits.
        let writing = self.file.begin()?;
        if let Err(full) = self.check_room(bytes) {
            self.recount_rejected()?;
            self.check_room(bytes).map_err(|_| full)?;
        }
        // Who delivers sees them at once, and must not count them off before they are counted.
        let mut state = self.state();
        self.file.append(writing, events, bytes)?;
        state.events += events.len() as u64;
        state.bytes += bytes;
        drop(state);
        self.changed.notify_all();
        Ok(())
    }

    /// Waits until something has left the spool, or `limit` has passed.
    pub fn wait_for_room(&self, limit: Duration) {
        let state = self.state();
        let before = state.bytes;
        let wait = self
            .changed
            .wait_timeout_while(state, limit, |state| state.bytes >= before && !state.is_stopped);
        drop(wait.unwrap_or_else(PoisonError::into_inner));
    }

    pub fn held(&self) -> Held {
        let State { events, bytes, rejected_bytes, .. } = *self.state();
        Held { events, bytes, rejected_bytes }
    }

    /// Nothing more will be taken: who delivers ends when all have their answers.
    pub fn finish(&self) {
        self.state().is_finished = true;
        self.changed.notify_all();
    }

    /// Who delivers ends with the request that is on its way; the rest stays.
    pub fn stop(&self) {
        self.state().is_stopped = true;
        self.changed.notify_all();
    }

    /// After an error of the disk: what is in the file is counted anew.
    fn heal(&self) -> Result<(), SpoolError> {
        self.file.heal(|events, bytes| {
            let mut state = self.state();
            (state.events, state.bytes) = (events, bytes);
        })
    }

    fn check_room(&self, bytes: u64) -> Result<(), SpoolError> {
        let (state, most) = (self.state(), self.limits.bytes);
        if state.bytes + state.rejected_bytes + bytes <= most {
            return Ok(());
        }
        Err(SpoolError::Full { most, rejected: state.rejected_bytes })
    }

    /// Somebody may have looked at them and removed them.
    fn recount_rejected(&self) -> Result<(), SpoolError> {
        let Some(rejected) = &self.rejected else { return Ok(()) };
        let bytes = rejected.bytes().map_err(|e| storage(&self.folder, &e))?;
        self.state().rejected_bytes = bytes;
        Ok(())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn storage(folder: &Path, why: &dyn fmt::Display) -> SpoolError {
    SpoolError::Storage { folder: folder.to_owned(), why: why.to_string() }
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod torn_tests;
