//! What is begun now, and what the end of a request means for what waits.

use std::sync::Arc;

use waybill_kafka::At;
use waybill_schemas::vocabulary::DeliveryState;

use super::{Entry, Job, Schedule, State};
use crate::ended::{Ended, Why};
use crate::lane::Lane;
use crate::pause;

impl Schedule {
    /// What is to be begun now. Lanes take turns.
    pub fn start(&mut self, now_ms: i64) -> Vec<Job> {
        while let Some((at_ms, at)) = self.ends.first().copied()
            && at_ms <= now_ms
        {
            self.ends.remove(&(at_ms, at));
            if self.entries.get(&at).is_some_and(|e| matches!(e.state, State::Waits(_))) {
                let why = self.entries.get(&at).map_or(Why::Full, |e| self.last_why(e));
                self.end(at, DeliveryState::Dead, why.as_str(), now_ms);
            }
        }
        let mut jobs = Vec::new();
        while self.running < self.bounds.requests {
            let Some((endpoint_id, at)) = self.next_lane(now_ms) else { break };
            self.last = Some(endpoint_id);
            if let Some(job) = self.begin(at) {
                jobs.push(job);
            }
        }
        jobs
    }

    fn last_why(&self, entry: &Entry) -> Why {
        let lane = self.lanes.get(&entry.endpoint_id);
        lane.and_then(|lane| lane.last_why).unwrap_or(Why::Timeout)
    }

    /// The next lane behind the last that has something to be begun, and what.
    fn next_lane(&self, now_ms: i64) -> Option<(Arc<str>, At)> {
        use std::ops::Bound::{Excluded, Included, Unbounded};
        let (behind, before) = match &self.last {
            Some(last) => {
                ((Excluded(last.clone()), Unbounded), (Unbounded, Included(last.clone())))
            }
            None => ((Unbounded, Unbounded), (Unbounded, Excluded(Arc::from("")))),
        };
        let lanes = self.lanes.range::<Arc<str>, _>(behind);
        let lanes = lanes.chain(self.lanes.range::<Arc<str>, _>(before));
        let ready = |(id, lane): (&Arc<str>, &Lane)| {
            let at = lane.ready(now_ms, self.bounds.requests_each)?;
            self.entries.get(&at)?.payload.as_ref()?;
            Some((id.clone(), at))
        };
        lanes.filter_map(ready).next()
    }

    fn begin(&mut self, at: At) -> Option<Job> {
        let entry = self.entries.get_mut(&at)?;
        let State::Waits(due) = entry.state else { return None };
        let payload = entry.payload.clone()?;
        entry.state = State::Runs;
        let lane = self.lanes.get_mut(&entry.endpoint_id)?;
        lane.waiting.remove(&(due, at));
        lane.running += 1;
        self.running += 1;
        let (delivery_id, endpoint_id) = (entry.delivery_id.clone(), entry.endpoint_id.clone());
        Some(Job { at, delivery_id, endpoint_id, payload })
    }

    /// A request has ended. It may be of a delivery that is another's by now.
    pub fn ended(&mut self, at: At, delivery_id: &str, ended: Ended, now_ms: i64) {
        let Some(entry) = self.entries.get_mut(&at) else { return };
        if entry.state != State::Runs || *entry.delivery_id != *delivery_id {
            return;
        }
        self.running = self.running.saturating_sub(1);
        entry.attempts = entry.attempts.saturating_add(1);
        let (attempts, give_up_at) = (entry.attempts, entry.give_up_at);
        let is_erased = entry.is_erased;
        let Some(lane) = self.lanes.get_mut(&entry.endpoint_id) else { return };
        lane.running = lane.running.saturating_sub(1);
        match ended {
            Ended::Taken => {
                lane.answered();
                self.end(at, DeliveryState::Settled, "", now_ms);
            }
            Ended::Failed { why: Why::Gone, .. } => {
                let endpoint_id = entry.endpoint_id.clone();
                entry.state = State::Waits(now_ms);
                self.close(&endpoint_id, now_ms);
            }
            Ended::Failed { why: Why::Unregistered, .. } => {
                self.end(at, DeliveryState::Dead, Why::Unregistered.as_str(), now_ms);
            }
            Ended::Failed { why, retry_after } => {
                let rest = lane.failed(why, retry_after, now_ms);
                let due = now_ms + millis(pause::before_next(attempts));
                let due = due.max(rest);
                let why = match () {
                    () if is_erased => Why::Erased,
                    () if lane.is_gone => Why::Gone,
                    () => why,
                };
                if is_erased || lane.is_gone || due >= give_up_at {
                    self.end(at, DeliveryState::Dead, why.as_str(), now_ms);
                    return;
                }
                entry.state = State::Waits(due);
                lane.waiting.insert((due, at));
                // Who fails does not keep others' payloads from memory.
                if self.bytes * 2 > self.bounds.bytes {
                    self.drop_payload(at);
                }
            }
        }
    }

    /// The endpoint is there no more: what waits for it is given up, and what comes.
    fn close(&mut self, endpoint_id: &str, now_ms: i64) {
        let Some(lane) = self.lanes.get_mut(endpoint_id) else { return };
        lane.is_gone = true;
        let of_lane = |e: &&At| {
            self.entries.get(*e).is_some_and(|entry| {
                *entry.endpoint_id == *endpoint_id && matches!(entry.state, State::Waits(_))
            })
        };
        let all: Vec<At> = self.entries.keys().filter(of_lane).copied().collect();
        for at in all {
            self.end(at, DeliveryState::Dead, Why::Gone.as_str(), now_ms);
        }
    }

    /// The registry says something else of an endpoint: it is tried as if it had never failed.
    pub fn open_again(&mut self, endpoint_id: &str) {
        if let Some(lane) = self.lanes.get_mut(endpoint_id) {
            lane.is_gone = false;
            lane.answered();
        }
    }
}

fn millis(pause: std::time::Duration) -> i64 {
    i64::try_from(pause.as_millis()).unwrap_or(i64::MAX)
}
