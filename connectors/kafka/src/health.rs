use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

/// What `/healthz` and `/readyz` ask.
#[derive(Debug, Default)]
pub struct Health {
    ready: AtomicBool,
    beat_ms: AtomicI64,
    /// Why it is not ready, where that is known.
    why: Mutex<Option<String>>,
}

impl Health {
    /// The loop turned.
    pub fn beat(&self) {
        self.beat_ms.store(now_ms(), Ordering::Relaxed);
    }

    /// In the group, with the state of its partitions restored.
    pub fn set_ready(&self, ready: bool) {
        self.ready.store(ready, Ordering::Relaxed);
        if ready {
            *self.why.lock().unwrap_or_else(PoisonError::into_inner) = None;
        }
    }

    /// It is not ready, and this is why.
    pub fn lacks(&self, why: &str) {
        self.ready.store(false, Ordering::Relaxed);
        *self.why.lock().unwrap_or_else(PoisonError::into_inner) = Some(why.to_owned());
    }

    /// Why it is not ready, where that is known.
    pub fn why(&self) -> Option<String> {
        self.why.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub fn is_ready(&self) -> bool {
        self.ready.load(Ordering::Relaxed)
    }

    /// The loop turned within the last `ms`.
    pub fn is_alive(&self, ms: i64) -> bool {
        now_ms() - self.beat_ms.load(Ordering::Relaxed) <= ms
    }
}

/// The host's clock, ms UTC: the only one in the pipeline.
pub fn now_ms() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |d| i64::try_from(d.as_millis()).unwrap_or(i64::MAX))
}
