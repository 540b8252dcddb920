//! Waiting, but no longer than a lease.

use std::time::{Duration, Instant};

use futures_util::future::{Either, select};
use waybill_stage::Lease;

/// How soon the end of a lease is noticed.
const STEP: Duration = Duration::from_millis(50);
/// How long an exchange that is on its way is waited for after the lease has ended. What it does
/// in the store is then not known; whoever has the range next finds out.
const GRACE: Duration = Duration::from_millis(500);

/// Sleeps for `time`, or until the lease ends.
pub(crate) async fn pause(lease: &Lease, time: Duration) {
    let end = Instant::now() + time;
    loop {
        let now = Instant::now();
        if now >= end || !lease.holds(now) {
            return;
        }
        tokio::time::sleep(STEP.min(end - now)).await;
    }
}

/// What `exchange` comes to, unless the lease ends well before it.
pub(crate) async fn within<T>(lease: &Lease, exchange: impl Future<Output = T>) -> Option<T> {
    let ended = async {
        while lease.holds(Instant::now()) {
            tokio::time::sleep(STEP).await;
        }
        tokio::time::sleep(GRACE).await;
    };
    match select(std::pin::pin!(exchange), std::pin::pin!(ended)).await {
        Either::Left((came, _)) => Some(came),
        Either::Right(_) => None,
    }
}
