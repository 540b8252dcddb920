//! What waits for one endpoint, and how it stands with that endpoint.

use std::collections::BTreeSet;
use std::time::Duration;

use waybill_kafka::At;

use crate::ended::Why;
use crate::pause;

#[derive(Debug, Default)]
pub struct Lane {
    /// By when it is due, ms UTC.
    pub waiting: BTreeSet<(i64, At)>,
    pub running: usize,
    pub open: usize,
    /// Of payloads in memory.
    pub bytes: usize,
    /// In a row.
    failures: u32,
    /// Nothing is sent to it before, ms UTC.
    rests_until: i64,
    /// It has said that it is there no more.
    pub is_gone: bool,
    pub last_why: Option<Why>,
}

impl Lane {
    /// The endpoint answers.
    pub fn answered(&mut self) {
        (self.failures, self.rests_until) = (0, 0);
    }

    /// A request has failed. One that the endpoint has read and refused says nothing about the others. Until when
    /// the delivery, too, is to wait, ms UTC.
    pub fn failed(&mut self, why: Why, retry_after: Option<Duration>, now_ms: i64) -> i64 {
        self.last_why = Some(why);
        let asked = retry_after.map_or(0, |wait| now_ms + millis(pause::asked(wait)));
        if why == Why::Refused {
            self.answered();
        } else {
            self.failures = self.failures.saturating_add(1);
            self.rests_until = now_ms + millis(pause::rest(self.failures));
        }
        self.rests_until = self.rests_until.max(asked);
        asked
    }

    /// Of an endpoint that has failed, one request shows whether it is back.
    fn at_once(&self, most: usize) -> usize {
        if self.failures > 0 { 1 } else { most }
    }

    /// What may be begun now.
    pub fn ready(&self, now_ms: i64, most: usize) -> Option<At> {
        let (due, at) = self.waiting.first()?;
        let may = self.running < self.at_once(most) && self.rests_until <= now_ms;
        (may && *due <= now_ms).then_some(*at)
    }

    pub fn due_at(&self, most: usize) -> Option<i64> {
        let (due, _) = self.waiting.first()?;
        (self.running < self.at_once(most)).then(|| self.rests_until.max(*due))
    }

    /// Nothing need be remembered of it.
    pub fn is_idle(&self) -> bool {
        self.open == 0 && !self.is_gone && self.failures == 0
    }
}

fn millis(pause: Duration) -> i64 {
    i64::try_from(pause.as_millis()).unwrap_or(i64::MAX)
}
