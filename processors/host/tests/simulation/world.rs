//! Three groups on one log, one behind the other, and a store at the end: stages without state, one with state, and
//! the sink.

use std::collections::BTreeMap;
use std::time::Duration;

use waybill_host::batch::BatchLimits;
use waybill_host::chain::{Decoded, StageOperator, TopicWriter};
use waybill_host::protocol::Position;
use waybill_host::sink_task::SinkTask;
use waybill_host::stage_task::StageTask;
use waybill_schemas::pipeline::CLICKHOUSE;
use waybill_schemas::{Opened, Role};

use crate::Ms;
use crate::content::{VALUES, Validate, places, row};
use crate::flaw::Flaw;
use crate::group::Group;
use crate::instance::{Instance, Node};
use crate::log::{Log, Place};
use crate::plan::{Plan, TROUBLE};
use crate::properties;
use crate::seen::Seen;
use crate::servers::Servers;
use crate::store::{Setup, Store, Torn};
use crate::waiting::Waiting;

/// What each group reads.
pub const READS: [&[Role]; 3] = [&[Role::Opened, Role::Redrive], &[Role::Valid], CLICKHOUSE.inputs];

/// Once all is well again, everything is done by then: a session, a lease and a broken transaction included.
const HEALED_WITHIN: Ms = 300_000;
/// A record that ends its process does so some times, each for a session and a rebalance.
const KILLS_TAKE: Ms = 400_000;
const LOOK_EVERY: Ms = 1_000;

struct Slot {
    group: usize,
    number: usize,
    life: u32,
    node: Option<Box<dyn Node>>,
    starts_at: Ms,
}

pub struct World {
    pub servers: Servers,
    slots: Vec<Slot>,
    plan: Plan,
    arrived: usize,
    look_at: Ms,
    limits: BatchLimits,
}

/// What came of a history.
pub struct Outcome {
    /// What must not be, and was.
    pub wrong: Vec<String>,
    /// How often what.
    pub happened: BTreeMap<&'static str, usize>,
    pub history: Vec<String>,
}

fn setup(flaw: Option<Flaw>) -> Setup {
    let setup = Setup::default();
    match flaw {
        Some(Flaw::NoToken) => Setup { heeds_tokens: false, ..setup },
        Some(Flaw::SmallWindow) => Setup { window: 1, ..setup },
        Some(Flaw::RollupNotFed) => Setup { feeds_rollup: false, ..setup },
        Some(Flaw::TokenBeforeRows) => Setup { torn: Torn::Token, ..setup },
        Some(Flaw::RowsBeforeToken) => Setup { torn: Torn::Rows, ..setup },
        _ => setup,
    }
}

pub fn reads(group: usize) -> impl Iterator<Item = Place> {
    READS[group].iter().copied().flat_map(places)
}

impl World {
    pub fn new(plan: Plan, is_told: bool) -> Self {
        let own = [Role::AggregateState].into_iter().flat_map(places);
        let log = Log::new((0..3).flat_map(reads).chain(own), 3);
        let groups = (0..3).map(|group| Group::new(reads(group).collect())).collect();
        let store = Store::new(setup(plan.flaw), row);
        let mut servers = Servers::new(plan.seed, log, groups, store);
        servers.flaw = plan.flaw;
        servers.faults.clone_from(&plan.faults);
        servers.history = is_told.then(Vec::new);
        let random = &mut servers.random;
        let limits = BatchLimits {
            records: *random.pick(&[3, 20, 40]),
            bytes: *random.pick(&[600, 1 << 20]),
            age: Duration::from_millis(*random.pick(&[20, 200, 900])),
        };
        let joins = plan.joins.iter().enumerate();
        let slots = joins.flat_map(|(group, joins)| {
            let slot = move |(number, at): (usize, &Ms)| Slot {
                group,
                number,
                life: 0,
                node: None,
                starts_at: *at,
            };
            joins.iter().enumerate().map(slot).collect::<Vec<_>>()
        });
        let slots = slots.collect();
        Self { servers, slots, plan, arrived: 0, look_at: TROUBLE, limits }
    }

    /// Goes on until all is done, or something is wrong.
    pub fn run(mut self) -> Outcome {
        let freezes = self.plan.longest_freeze().max(TROUBLE);
        let kills = if self.plan.has_kills() { KILLS_TAKE } else { 0 };
        let end = freezes + HEALED_WITHIN + kills;
        while self.servers.wrong.is_empty() {
            self.servers.now = self.next_at();
            if self.servers.now > end {
                self.servers.find(format!("it does not come to an end: {}", self.missing()));
                break;
            }
            self.step();
            if self.servers.now >= self.look_at {
                self.look_at = self.servers.now + LOOK_EVERY;
                self.retain();
                if self.is_done() {
                    properties::check(&self.plan, &mut self.servers);
                    break;
                }
            }
        }
        let dropped = self.servers.store.dropped;
        self.servers.count("parts that were there before", dropped);
        let Servers { wrong, happened, history, .. } = self.servers;
        Outcome { wrong, happened, history: history.unwrap_or_default() }
    }

    fn next_at(&self) -> Ms {
        let nodes = self.slots.iter().map(|slot| match &slot.node {
            Some(node) => node.next_at(),
            None => slot.starts_at,
        });
        let arrival = self.plan.arrivals.get(self.arrived).map(|arrival| arrival.at);
        let others = [self.servers.next_at(), self.look_at];
        nodes.chain(arrival).chain(others).min().unwrap_or(Ms::MAX).max(self.servers.now)
    }

    fn step(&mut self) {
        let now = self.servers.now;
        while let Some(arrival) = self.plan.arrivals.get(self.arrived).filter(|a| a.at <= now) {
            let place = (arrival.input.role, arrival.input.partition);
            let at = self.servers.log.at_mut(place);
            at.append(arrival.input.record(at.end()), now);
            self.arrived += 1;
        }
        if self.servers.next_at() <= now {
            self.servers.step();
        }
        if now >= TROUBLE {
            // What did not come about by now does not.
            self.servers.faults.clear();
        }
        for n in 0..self.slots.len() {
            self.step_slot(n);
        }
    }

    fn step_slot(&mut self, n: usize) {
        let now = self.servers.now;
        let slot = &mut self.slots[n];
        let Some(node) = &mut slot.node else {
            if slot.starts_at <= now {
                slot.life += 1;
                let (at, life) = ((slot.group, slot.number), slot.life);
                let node = make(at, life, self.limits, &mut self.servers);
                self.slots[n].node = Some(node);
            }
            return;
        };
        if node.next_at() <= now {
            node.step(&mut self.servers);
        }
        if node.is_over() {
            slot.node = None;
            slot.starts_at = now + self.servers.random.within(50, 4_000);
        }
    }

    /// What was read and committed by all may be removed.
    fn retain(&mut self) {
        if !self.servers.random.permille(300) {
            return;
        }
        let mut removed = 0;
        for group in 0..3 {
            for place in reads(group) {
                let log = &mut self.servers.log;
                if let Ok(Some(committed)) = log.offsets[group].stable(place) {
                    let offset = committed.offset;
                    let before = log.at(place).first();
                    log.at_mut(place).retain_from(offset);
                    removed += usize::from(log.at(place).first() > before);
                }
            }
        }
        self.servers.count("records removed", removed);
    }

    fn is_done(&self) -> bool {
        let is_idle = |slot: &Slot| slot.node.as_ref().is_some_and(|node| node.is_idle());
        let now = self.servers.now;
        self.arrived == self.plan.arrivals.len()
            && self.servers.are_idle()
            && self.servers.groups.iter().all(Group::is_settled)
            && self.slots.iter().all(is_idle)
            && self.slots.iter().flat_map(|s| &s.node).all(|n| n.next_at() <= now + 10_000)
            && (0..3).all(|group| reads(group).all(|place| self.is_read(group, place)))
    }

    /// The group has committed all of the partition.
    fn is_read(&self, group: usize, place: Place) -> bool {
        let at = self.servers.log.at(place);
        let (offset, metadata) = match self.servers.log.offsets[group].unstable(place) {
            Some(committed) => (committed.offset, committed.metadata.as_str()),
            None => (at.first(), "@"),
        };
        let (said, _) = waybill_host::mark::read(metadata);
        let is_claimed = group == 2
            && matches!(Position::taken_over(offset, said), Ok(Position::Claimed { .. }));
        !is_claimed && at.committed(offset.max(at.first()), 1).0.is_empty()
    }

    fn missing(&self) -> String {
        let s = &self.servers;
        let mut missing = Vec::new();
        for slot in &self.slots {
            if !slot.node.as_ref().is_some_and(|node| node.is_idle()) {
                missing.push(format!("{}.{} is not idle", slot.group, slot.number));
            }
        }
        for group in 0..3 {
            if !s.groups[group].is_settled() {
                missing.push(format!("group {group} rebalances"));
            }
            for place in reads(group).filter(|place| !self.is_read(group, *place)) {
                let at = s.log.at(place);
                let committed = s.log.offsets[group].unstable(place);
                missing.push(format!("{place:?} to {} at {committed:?}", at.end()));
            }
        }
        format!("{missing:?}, servers idle: {}", s.are_idle())
    }
}

fn make(slot: (usize, usize), life: u32, limits: BatchLimits, s: &mut Servers) -> Box<dyn Node> {
    let values = &*VALUES;
    let me = format!("{}.{}/{life}", slot.0, slot.1);
    match slot.0 {
        0 => {
            let end = TopicWriter::new(Role::Valid, |event: &Opened| event.media_type.as_bytes());
            let chain = Decoded::new(READS[0], "validate", StageOperator::new(Validate, end));
            let task = StageTask::new(Waiting(chain), values, limits, me);
            Box::new(Instance::new(slot, life, task, s))
        }
        1 => {
            let task = StageTask::new(Seen::default(), values, limits, me);
            Box::new(Instance::new(slot, life, task, s))
        }
        _ => Box::new(Instance::new(slot, life, SinkTask::new(CLICKHOUSE, values, limits), s)),
    }
}
