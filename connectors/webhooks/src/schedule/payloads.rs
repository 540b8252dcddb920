//! Payloads in memory. They are bounded: what is beyond stays on the topic, and is brought when it is due.

use std::collections::BTreeSet;

use bytes::Bytes;
use waybill_kafka::At;

use super::{Schedule, State};

/// What is asked for at once of the topic.
const BROUGHT_AT_ONCE: usize = 64;
/// And within so many records of it.
const BROUGHT_WITHIN: i64 = 10_000;
/// What was asked for and did not come is asked for again.
const ASKED_AGAIN_MS: i64 = 60_000;

impl Schedule {
    pub(super) fn keep(&mut self, at: At, payload: Bytes) {
        let Some(entry) = self.entries.get_mut(&at) else { return };
        let size = payload.len();
        if entry.payload.replace(payload).is_none()
            && let Some(lane) = self.lanes.get_mut(&entry.endpoint_id)
        {
            lane.bytes += size;
            self.bytes += size;
        }
    }

    pub(super) fn drop_payload(&mut self, at: At) {
        let Some(entry) = self.entries.get_mut(&at) else { return };
        let Some(payload) = entry.payload.take() else { return };
        self.bytes = self.bytes.saturating_sub(payload.len());
        if let Some(lane) = self.lanes.get_mut(&entry.endpoint_id) {
            lane.bytes = lane.bytes.saturating_sub(payload.len());
        }
    }

    /// Offsets of what is due and has no payload here: of one lane, and of one partition. They are asked for again
    /// after a while if they do not come.
    pub fn missing(&mut self, now_ms: i64) -> Option<(i32, BTreeSet<i64>)> {
        let wanting = self.lanes.values_mut().find(|lane| {
            let first = lane.ready(now_ms, self.bounds.requests_each);
            let entry = first.and_then(|at| self.entries.get(&at));
            entry.is_some_and(|entry| entry.payload.is_none())
        })?;
        let first = wanting.waiting.first()?.1;
        let due = wanting.waiting.iter().take_while(|(due, _)| *due <= now_ms);
        let near = due.map(|(_, at)| *at).filter(|at| {
            at.partition == first.partition
                && (at.offset - first.offset).abs() < BROUGHT_WITHIN
                && self.entries.get(at).is_some_and(|entry| entry.payload.is_none())
        });
        let asked: Vec<At> = near.take(BROUGHT_AT_ONCE).collect();
        for at in &asked {
            if let Some(entry) = self.entries.get_mut(at)
                && let State::Waits(due) = entry.state
            {
                let later = now_ms + ASKED_AGAIN_MS;
                entry.state = State::Waits(later);
                wanting.waiting.remove(&(due, *at));
                wanting.waiting.insert((later, *at));
            }
        }
        Some((first.partition, asked.into_iter().map(|at| at.offset).collect()))
    }

    /// A payload that was missing: its delivery is due.
    pub fn bring(&mut self, at: At, payload: Bytes, now_ms: i64) {
        let Some(entry) = self.entries.get_mut(&at) else { return };
        let State::Waits(due) = entry.state else { return };
        entry.state = State::Waits(now_ms);
        if let Some(lane) = self.lanes.get_mut(&entry.endpoint_id) {
            lane.waiting.remove(&(due, at));
            lane.waiting.insert((now_ms, at));
        }
        self.keep(at, payload);
    }
}
