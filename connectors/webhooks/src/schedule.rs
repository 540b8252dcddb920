//! Which delivery is tried when. No I/O and no clock: a test sets the time.
//!
//! Each endpoint has a lane of its own, with bounds of its own, and lanes take turns: one that is slow or away costs
//! the others nothing (`turns`). Of a delivery that waits its payload may be left on the topic, and brought when it is
//! due (`payloads`).

mod payloads;
mod turns;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use bytes::Bytes;
use waybill_kafka::At;
use waybill_schemas::Delivery;
use waybill_schemas::vocabulary::DeliveryState;

use crate::ended::Why;
use crate::lane::Lane;

/// Whatever the clock says, what was taken in has so long to be tried: who comes back after a day tries once more.
const LAST_CHANCE_MS: i64 = 5 * 60_000;

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
    /// The shipment that it tells of; empty for a reject.
    shipment_id: Arc<str>,
    /// That was erased while a request is under way, which is the last.
    is_erased: bool,
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
            shipment_id: delivery.shipment_id.as_str().into(),
            is_erased: false,
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

    /// A shipment was erased. Of what was written of it before this place in the partition, nobody is told any more; what
    /// comes behind it is of another history. A request that is under way cannot be taken back, and is not made again.
    pub fn erase(&mut self, at: At, carrier_id: &str, shipment_id: &str, now_ms: i64) {
        // A reject names none.
        if shipment_id.is_empty() {
            return;
        }
        let is_its = |entry: &Entry| {
            *entry.shipment_id == *shipment_id
                && *entry.carrier_id == *carrier_id
                && entry.state != State::Over
        };
        let before = self.entries.range(At { offset: i64::MIN, ..at }..at);
        let all: Vec<At> = before.filter(|(_, entry)| is_its(entry)).map(|(at, _)| *at).collect();
        for at in all {
            self.drop_payload(at);
            let Some(entry) = self.entries.get_mut(&at) else { continue };
            entry.is_erased = true;
            if matches!(entry.state, State::Waits(_)) {
                self.end(at, DeliveryState::Dead, Why::Erased.as_str(), now_ms);
            }
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
                shipment_id: entry.shipment_id.to_string(),
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
    pub fn on_revoked(&mut self, partition: i32) {
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
