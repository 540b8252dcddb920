//! Which delivery is tried when. No I/O and no clock: a test sets the time.
//!
//! Each endpoint has a lane of its own, with bounds of its own, and lanes take turns: one that is slow or away costs
//! the others nothing. Of a delivery that waits its payload may be left on the topic, and brought when it is due.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use bytes::Bytes;
use waybill_runtime::At;
use waybill_schemas::Delivery;
use waybill_schemas::vocabulary::DeliveryState;

use crate::ended::{Ended, Why};
use crate::lane::Lane;
use crate::pause;

/// Whatever the clock says, what was taken in has so long to be tried: who comes back after a day tries once more.
const LAST_CHANCE_MS: i64 = 5 * 60_000;
/// What is asked for at once of the topic.
const BROUGHT_AT_ONCE: usize = 64;
/// And within so many records of it.
const BROUGHT_WITHIN: i64 = 10_000;
/// What was asked for and did not come is asked for again.
const ASKED_AGAIN_MS: i64 = 60_000;

/// What may be in hand, of all endpoints and of each.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    pub requests: usize,
    pub requests_each: usize,
    /// Open deliveries that are known of. Beyond it one is given up at once.
    pub open: usize,
    pub open_each: usize,
    /// Payloads in memory. Beyond it they stay on the topic.
    pub bytes: usize,
    pub bytes_each: usize,
    /// For so long a delivery is tried, ms.
    pub patience_ms: i64,
}

/// A request to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    pub at: At,
    pub delivery_id: Arc<str>,
    pub endpoint_id: Arc<str>,
    pub payload: Bytes,
}

/// An open delivery.
#[derive(Debug)]
struct Entry {
    delivery_id: Arc<str>,
    carrier_id: Arc<str>,
    endpoint_id: Arc<str>,
    made_at: i64,
    open_since: i64,
    give_up_at: i64,
    attempts: u32,
    state: State,
    payload: Option<Bytes>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// To be tried at that time, ms UTC.
    Waits(i64),
    Runs,
    /// Over, and the topic does not tell yet.
    Over,
}

#[derive(Debug)]
pub struct Schedule {
    bounds: Bounds,
    entries: BTreeMap<At, Entry>,
    by_id: HashMap<Arc<str>, At>,
    lanes: BTreeMap<Arc<str>, Lane>,
    /// When each is given up.
    ends: BTreeSet<(i64, At)>,
    /// By when it was opened.
    oldest: BTreeSet<(i64, At)>,
    running: usize,
    bytes: usize,
    /// The lane that has had its turn last.
    last: Option<Arc<str>>,
    over: Vec<(At, Delivery)>,
}

impl Schedule {
    pub fn new(bounds: Bounds) -> Self {
        Self {
            bounds,
            entries: BTreeMap::new(),
            by_id: HashMap::new(),
            lanes: BTreeMap::new(),
            ends: BTreeSet::new(),
            oldest: BTreeSet::new(),
            running: 0,
            bytes: 0,
            last: None,
            over: Vec::new(),
        }
    }

    /// The last record of a delivery was read.
    pub fn take_in(&mut self, at: At, delivery: Delivery, now_ms: i64) {
        let id: Arc<str> = delivery.delivery_id.as_str().into();
        // A copy of what is told, or an operator's replay, takes its place.
        if let Some(before) = self.by_id.get(&id).copied() {
            self.forget(before);
        }
        if delivery.state != DeliveryState::Open {
            return;
        }
        let endpoint_id: Arc<str> = match self.lanes.get_key_value(delivery.endpoint_id.as_str()) {
            Some((known, _)) => known.clone(),
            None => delivery.endpoint_id.as_str().into(),
        };
        let Bounds { open, open_each, bytes, bytes_each, patience_ms, .. } = self.bounds;
        let lane = self.lanes.entry(endpoint_id.clone()).or_default();
        let refused = match () {
            () if lane.is_gone => Some(Why::Gone),
            () if lane.open >= open_each || self.entries.len() >= open => Some(Why::Full),
            () => None,
        };
        let size = delivery.payload.len();
        let is_kept = self.bytes + size <= bytes && lane.bytes + size <= bytes_each;
        let give_up_at = (delivery.open_since.saturating_add(patience_ms))
            .max(now_ms.saturating_add(LAST_CHANCE_MS));
        let entry = Entry {
            delivery_id: id.clone(),
            carrier_id: delivery.carrier_id.as_str().into(),
            endpoint_id,
            made_at: delivery.made_at,
            open_since: delivery.open_since,
            give_up_at,
            attempts: 0,
            state: State::Waits(now_ms),
            payload: None,
        };
        lane.open += 1;
        lane.waiting.insert((now_ms, at));
        self.by_id.insert(id, at);
        self.ends.insert((give_up_at, at));
        self.oldest.insert((entry.open_since, at));
        self.entries.insert(at, entry);
        if is_kept {
            self.keep(at, delivery.payload.into());
        }
        if let Some(why) = refused {
            self.end(at, DeliveryState::Dead, why.as_str(), now_ms);
        }
    }

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
                let why = if lane.is_gone { Why::Gone } else { why };
                if lane.is_gone || due >= give_up_at {
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

    /// It is over with a delivery: that is to be written.
    fn end(&mut self, at: At, state: DeliveryState, why: &str, now_ms: i64) {
        self.drop_payload(at);
        let Some(entry) = self.entries.get_mut(&at) else { return };
        if let State::Waits(due) = entry.state
            && let Some(lane) = self.lanes.get_mut(&entry.endpoint_id)
        {
            lane.waiting.remove(&(due, at));
        }
        entry.state = State::Over;
        self.over.push((
            at,
            Delivery {
                delivery_id: entry.delivery_id.to_string(),
                carrier_id: entry.carrier_id.to_string(),
                endpoint_id: entry.endpoint_id.to_string(),
                state,
                why: why.to_owned(),
                attempts: entry.attempts,
                made_at: entry.made_at,
                open_since: entry.open_since,
                ended_at: Some(now_ms),
                // The first record has it.
                payload: Vec::new(),
            },
        ));
    }

    /// What is over and not written.
    pub fn take_over(&mut self) -> Vec<(At, Delivery)> {
        std::mem::take(&mut self.over)
    }

    /// The topic tells of it now.
    pub fn written(&mut self, ends: &[At]) {
        for at in ends {
            self.forget(*at);
        }
    }

    /// A partition is another's.
    pub fn lose(&mut self, partition: i32) {
        let all: Vec<At> = self.entries.range(of(partition)).map(|(at, _)| *at).collect();
        for at in all {
            self.forget(at);
        }
        self.over.retain(|(at, _)| at.partition != partition);
    }

    fn forget(&mut self, at: At) {
        self.drop_payload(at);
        let Some(entry) = self.entries.remove(&at) else { return };
        if self.by_id.get(&entry.delivery_id) == Some(&at) {
            self.by_id.remove(&entry.delivery_id);
        }
        self.ends.remove(&(entry.give_up_at, at));
        self.oldest.remove(&(entry.open_since, at));
        let Some(lane) = self.lanes.get_mut(&entry.endpoint_id) else { return };
        lane.open = lane.open.saturating_sub(1);
        match entry.state {
            State::Waits(due) => _ = lane.waiting.remove(&(due, at)),
            State::Runs => {
                lane.running = lane.running.saturating_sub(1);
                self.running = self.running.saturating_sub(1);
            }
            State::Over => {}
        }
        if lane.is_idle() {
            self.lanes.remove(&entry.endpoint_id);
        }
    }

    fn keep(&mut self, at: At, payload: Bytes) {
        let Some(entry) = self.entries.get_mut(&at) else { return };
        let size = payload.len();
        if entry.payload.replace(payload).is_none()
            && let Some(lane) = self.lanes.get_mut(&entry.endpoint_id)
        {
            lane.bytes += size;
            self.bytes += size;
        }
    }

    fn drop_payload(&mut self, at: At) {
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

    pub fn first_open(&self, partition: i32) -> Option<i64> {
        self.entries.range(of(partition)).next().map(|(at, _)| at.offset)
    }

    pub fn running(&self) -> usize {
        self.running
    }

    pub fn open(&self) -> usize {
        self.entries.len()
    }

    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Since when the oldest is open, ms UTC.
    pub fn oldest(&self) -> Option<i64> {
        self.oldest.first().map(|(since, _)| *since)
    }

    /// When something is due next, ms UTC.
    pub fn due_at(&self) -> Option<i64> {
        if self.running >= self.bounds.requests {
            return None;
        }
        let lanes = self.lanes.values().filter_map(|lane| lane.due_at(self.bounds.requests_each));
        lanes.chain(self.ends.first().map(|(at_ms, _)| *at_ms)).min()
    }
}

fn of(partition: i32) -> std::ops::RangeInclusive<At> {
    At { partition, offset: i64::MIN }..=At { partition, offset: i64::MAX }
}

fn millis(pause: std::time::Duration) -> i64 {
    i64::try_from(pause.as_millis()).unwrap_or(i64::MAX)
}
