//! Sees to it that no partition of the group is left to nobody, where that can be: among members of static names
//! (`unassigned.rs`).

use std::sync::PoisonError;
use std::time::Instant;

use rdkafka::consumer::Consumer as _;
use waybill_stage::Fault;

use super::{GroupConsumer, LOOK_EVERY};
use crate::membership::member;
use crate::timeouts;
use crate::unassigned::unassigned;

pub(super) struct Watch {
    pub(super) group: String,
    pub(super) looked_at: Instant,
    /// The last look found some.
    pub(super) found: bool,
    /// Until then we stay away, so that the group forgets our name, and rebalances.
    pub(super) away_until: Option<Instant>,
}

impl GroupConsumer {
    /// Looks from time to time whether a partition of the group is nobody's. If twice so, one of the
    /// members goes away for longer than its session, and comes back: two rebalances.
    pub(super) fn watch(&self) -> Result<(), Fault> {
        let Some(watch) = &self.watch else { return Ok(()) };
        let mut watch = watch.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(until) = watch.away_until {
            if Instant::now() >= until {
                watch.away_until = None;
                watch.looked_at = Instant::now();
                self.subscribe()?;
            }
            return Ok(());
        }
        if watch.looked_at.elapsed() < LOOK_EVERY {
            return Ok(());
        }
        watch.looked_at = Instant::now();
        let Some(own) = member(&self.client) else { return Ok(()) };
        let topics = self.subscribed().topics.clone();
        // The next time, then.
        let Ok(found) = unassigned(&self.client, &watch.group, &topics, &own.id) else {
            return Ok(());
        };
        let again = std::mem::replace(&mut watch.found, found.partitions > 0);
        if found.partitions > 0 && again && found.is_ours {
            tracing::warn!(
                orphans = found.partitions,
                "partitions of the group are nobody's: leaving it for a while, so that it rebalances"
            );
            watch.found = false;
            watch.away_until = Some(Instant::now() + timeouts::AWAY);
            self.client.unsubscribe();
        }
        Ok(())
    }
}
