use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use backon::{BackoffBuilder, ExponentialBuilder};
use waybill_host::metrics::metrics;
use waybill_stage::Fault;

use crate::Health;

/// Asked for once, by a signal or a test; every loop looks at it.
#[derive(Clone, Debug, Default)]
pub struct Shutdown(Arc<AtomicBool>);

impl Shutdown {
    pub fn request(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    pub fn is_requested(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Runs `life` again and again: each fault is logged here, once, and everything starts anew from
/// the last commit, after a pause that grows to 10 s and is short again after a good minute. Who begins anew is alive.
pub fn supervise(
    role: &str,
    health: &Health,
    shutdown: &Shutdown,
    mut life: impl FnMut() -> Result<(), Fault>,
) {
    let pauses = || {
        ExponentialBuilder::default()
            .with_min_delay(Duration::from_millis(200))
            .with_max_delay(Duration::from_secs(10))
            .with_jitter()
            .without_max_times()
            .build()
    };
    let mut pause = pauses();
    while !shutdown.is_requested() {
        health.beat();
        let began = Instant::now();
        match life() {
            Ok(()) => return,
            Err(fault) => {
                metrics().restarts.with_label_values(&[role]).inc();
                if began.elapsed() > Duration::from_secs(60) {
                    pause = pauses();
                }
                let wait = pause.next().unwrap_or(Duration::from_secs(10));
                tracing::error!(role, %fault, again_in_ms = wait.as_millis(), "fault: starting again from the last commit");
                let until = Instant::now() + wait;
                while Instant::now() < until && !shutdown.is_requested() {
                    health.beat();
                    std::thread::sleep(Duration::from_millis(50));
                }
            }
        }
    }
}
