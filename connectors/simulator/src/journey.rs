//! The life of one container's journey: what happens, when, and when the carrier records it.

use crate::carrier::Carrier;
use crate::network::{Network, Service};
use crate::numbers;
use crate::random::Random;

pub(crate) const HOUR: i64 = 3_600_000;
const DAY: i64 = 24 * HOUR;

/// Share of container numbers with a wrong check digit, as carriers do send them.
const WRONG_CHECK_DIGIT: f64 = 0.005;
/// Share of messages that the next one of their container overtakes.
const OVERTAKEN: f64 = 0.04;
/// Share of journeys that go by two ships.
const TRANSSHIPPED: f64 = 0.45;
/// Share of journeys that have not come to their end when the simulation starts.
const UNDER_WAY: f64 = 0.25;
/// Ports of call passed on board, at most.
const MOST_PASSED: usize = 3;

/// DCSA event classifier code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Classifier {
    Pln,
    Est,
    Act,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum What {
    /// The booking is confirmed.
    Booked,
    /// The bill of lading is issued.
    Issued,
    Arrival,
    Departure,
    EmptyPickedUp,
    GateIn,
    Load,
    Discharge,
    GateOut,
    EmptyReturned,
}

/// One event to report.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Step {
    pub what: What,
    pub classifier: Classifier,
    /// Index of the call in [`Journey::calls`].
    pub call: usize,
    /// When it happens, ms UTC.
    pub at: i64,
    /// When the carrier records it, ms UTC.
    pub created: i64,
    /// It happened much later than planned.
    pub late: bool,
}

/// A call of the ship that the container is on, or is to be on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Call {
    pub port: usize,
    pub service: usize,
    pub vessel: usize,
    pub voyage: u32,
    planned_arrival: i64,
    planned_departure: i64,
    arrival: i64,
    departure: i64,
}

#[derive(Debug)]
pub(crate) struct Journey {
    pub container: String,
    pub iso_type: &'static str,
    pub booking: String,
    pub handle: String,
    /// Start of its events' ids.
    pub id: u64,
    pub calls: Vec<Call>,
    /// In the order in which they are sent.
    pub steps: Vec<Step>,
}

/// Which part of a service's rotation the container travels.
struct Leg {
    service: usize,
    /// Positions in the rotation, from loading to discharge.
    positions: Vec<usize>,
}

/// Where a journey stands in the simulation.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Origin<'a> {
    pub seed: u64,
    pub carrier_index: usize,
    pub carrier: &'a Carrier,
    /// Number of the carrier's first container.
    pub first_container: u64,
    /// What is recorded is recorded before this, ms UTC.
    pub start_ms: i64,
}

impl Journey {
    pub(crate) fn new(network: &Network, origin: Origin, serial: u64) -> Self {
        let carrier = u64::try_from(origin.carrier_index).unwrap_or(0);
        let mut random =
            Random::new(&[origin.seed, origin.start_ms.cast_unsigned(), carrier, serial]);
        let (container, booking) = numbers_of(&origin, serial, &mut random);
        // Opaque: tells nothing of carrier or container.
        let handle = format!("h-{:016x}{:016x}", random.next(), random.next());
        let iso_type = random.pick(&["22G1", "22G1", "42G1", "45G1", "45G1", "45R1"]);
        let mut journey = Self {
            container,
            iso_type: iso_type.copied().unwrap_or("22G1"),
            booking,
            handle,
            id: random.next(),
            calls: Vec::new(),
            steps: Vec::new(),
        };
        let legs = route(network, &mut random);
        journey.sail(network, &legs, &mut random);
        journey.report(&legs, &mut random);
        journey.date(origin.start_ms, &mut random);
        journey
    }

    /// Lays the ships' calls out, from 0 on; dated later.
    fn sail(&mut self, network: &Network, legs: &[Leg], random: &mut Random) {
        let hours = |h: f64| (h * 60.0) as i64 * 60_000;
        let mut plan = 9 * DAY;
        let mut delay = 0;
        for leg in legs {
            let Some(service) = network.services.get(leg.service) else { continue };
            let vessel = random.below(service.vessels.len());
            let voyage = 100 + u32::try_from(random.below(900)).unwrap_or(0);
            for position in &leg.positions {
                let stay = hours(random.between(16.0, 32.0));
                delay = drift(delay, random);
                let arrival = plan + delay;
                // A late ship hurries, but needs its time.
                let departure = (plan + stay + delay / 2).max(arrival + stay * 3 / 4);
                self.calls.push(Call {
                    port: service.rotation.get(*position).copied().unwrap_or(0),
                    service: leg.service,
                    vessel,
                    voyage,
                    planned_arrival: plan,
                    planned_departure: plan + stay,
                    arrival,
                    departure,
                });
                delay = departure - (plan + stay);
                plan += stay + hours(service.sea_hours.get(*position).copied().unwrap_or(24.0));
            }
            // The next ship is there some days after this one has left; its delay is its own.
            plan += hours(random.between(24.0, 96.0)) + delay.max(0);
            delay = 0;
        }
    }

    /// What the carrier says of it all, in the order in which it records it.
    fn report(&mut self, legs: &[Leg], random: &mut Random) {
        use {Classifier::*, What::*};
        let calls = std::mem::take(&mut self.calls);
        let last = calls.len().saturating_sub(1);
        let mut steps = Vec::with_capacity(32);
        let mut step = |what, classifier, call, at, created: i64| {
            let planned = calls.get(call).map_or(at, |c: &Call| c.planned_arrival);
            let late = classifier != Pln && what == Arrival && at - planned > 12 * HOUR;
            steps.push(Step { what, classifier, call, at, created, late });
        };
        let lag = |at: i64, random: &mut Random| at + (random.between(5.0, 150.0) as i64) * 60_000;
        step(Booked, Act, 0, 0, 0);
        let mut n = 0;
        for (leg_number, leg) in legs.iter().enumerate() {
            let (from, to) = (n, n + leg.positions.len().saturating_sub(1));
            n = to + 1;
            let (Some(load), Some(discharge)) = (calls.get(from), calls.get(to)) else { continue };
            let planned = |minutes: i64| HOUR + minutes * 60_000;
            step(Load, Pln, from, load.planned_departure - 8 * HOUR, planned(0));
            step(Departure, Pln, from, load.planned_departure, planned(1));
            step(Arrival, Pln, to, discharge.planned_arrival, planned(2));
            step(Discharge, Pln, to, discharge.planned_arrival + 9 * HOUR, planned(3));

            if leg_number == 0 {
                let picked = load.arrival - hours_between(random, 48.0, 140.0);
                let gate_in = load.arrival - hours_between(random, 8.0, 40.0);
                step(EmptyPickedUp, Act, from, picked, lag(picked, random));
                step(GateIn, Act, from, gate_in, lag(gate_in, random));
            }
            step(Departure, Est, from, load.departure, load.arrival - 20 * HOUR);
            step(Arrival, Act, from, load.arrival, lag(load.arrival, random));
            let loaded = load.departure - hours_between(random, 2.0, 10.0);
            step(Load, Act, from, loaded, lag(loaded, random));
            step(Departure, Act, from, load.departure, lag(load.departure, random));
            if leg_number == 0 {
                let issued = load.departure + hours_between(random, 1.0, 5.0);
                step(Issued, Act, from, issued, issued);
            }
            for passed in from + 1..to {
                let Some(call) = calls.get(passed) else { continue };
                step(Arrival, Act, passed, call.arrival, lag(call.arrival, random));
                step(Departure, Act, passed, call.departure, lag(call.departure, random));
            }
            let sailing = discharge.arrival - load.departure;
            for share in [0.1, 0.7] {
                let created = load.departure + (sailing as f64 * share) as i64 + 3 * HOUR;
                let off = hours_between(random, -9.0, 9.0);
                step(Arrival, Est, to, discharge.arrival + off, created);
            }
            step(Arrival, Act, to, discharge.arrival, lag(discharge.arrival, random));
            let discharged = discharge.arrival + hours_between(random, 3.0, 14.0);
            step(Discharge, Act, to, discharged, lag(discharged, random));
            if to == last {
                let gate_out = discharged + hours_between(random, 20.0, 120.0);
                let returned = gate_out + hours_between(random, 24.0, 140.0);
                step(GateOut, Est, to, gate_out + 3 * HOUR, discharged + 4 * HOUR);
                step(GateOut, Act, to, gate_out, lag(gate_out, random));
                step(EmptyReturned, Act, to, returned, lag(returned, random));
            }
        }
        steps.sort_by_key(|step| step.created);
        self.calls = calls;
        self.steps = steps;
        let mut n = 1;
        while n + 1 < self.steps.len() {
            if random.chance(OVERTAKEN) {
                self.steps.swap(n, n + 1);
                n += 1;
            }
            n += 1;
        }
    }

    /// Moves the journey to where it ends before `start_ms`, or, under way, is cut off there.
    fn date(&mut self, start_ms: i64, random: &mut Random) {
        let length = self.steps.iter().map(|step| step.created.max(step.at)).max().unwrap_or(0);
        let end = start_ms - 2 * HOUR;
        let begin = if random.chance(UNDER_WAY) {
            end - (length as f64 * random.between(0.3, 0.95)) as i64
        } else {
            end - length - hours_between(random, 0.0, 240.0)
        };
        for step in &mut self.steps {
            // Seconds and parts of them are not known to anybody here.
            step.at = (begin + step.at) / 60_000 * 60_000;
            step.created = (begin + step.created) / 1000 * 1000;
        }
        self.steps.retain(|step| step.created <= end);
    }
}

fn numbers_of(origin: &Origin, serial: u64, random: &mut Random) -> (String, String) {
    let number = origin.first_container + serial;
    let [a, b, c] = origin.carrier.owner;
    // After a million containers the owner code goes on with another letter.
    let turns = u8::try_from(number / 1_000_000 % 26).unwrap_or(0);
    let owner = [a, b, b'A' + (c - b'A' + turns) % 26];
    let mut container = numbers::container(owner, u32::try_from(number % 1_000_000).unwrap_or(0));
    if random.chance(WRONG_CHECK_DIGIT) {
        numbers::spoil(&mut container);
    }
    let booking = format!("{}{}{}{:09}", char::from(a), char::from(b), char::from(c), number);
    (container, booking)
}

fn hours_between(random: &mut Random, from: f64, to: f64) -> i64 {
    (random.between(from, to) * 60.0) as i64 * 60_000
}

/// Delay on the next arrival: a little this way or that, and now and then a storm or a queue.
fn drift(delay: i64, random: &mut Random) -> i64 {
    let usual = hours_between(random, -5.0, 9.0);
    let storm = if random.chance(0.08) { hours_between(random, 12.0, 70.0) } else { 0 };
    (delay + usual + storm).max(-8 * HOUR)
}

/// From a port to another on one ship, or on two that meet.
fn route(network: &Network, random: &mut Random) -> Vec<Leg> {
    let direct = loop_part(network, random.below(network.services.len()), None, &[], random);
    if !random.chance(TRANSSHIPPED) {
        return vec![direct];
    }
    let port = |leg: &Leg, position: usize| {
        network.services.get(leg.service)?.rotation.get(position).copied()
    };
    let visited: Vec<usize> = direct.positions.iter().filter_map(|p| port(&direct, *p)).collect();
    let Some(hub) = visited.last().copied() else { return vec![direct] };
    let onward: Vec<(usize, usize)> = network
        .services
        .iter()
        .enumerate()
        .filter(|(n, _)| *n != direct.service)
        .filter_map(|(n, service)| Some((n, service.rotation.iter().position(|p| *p == hub)?)))
        .collect();
    match random.pick(&onward) {
        Some((service, position)) => {
            let second = loop_part(network, *service, Some(*position), &visited, random);
            vec![direct, second]
        }
        None => vec![direct],
    }
}

/// From `start` (or anywhere) along a service's rotation, to a port that was not visited.
fn loop_part(
    network: &Network,
    service: usize,
    start: Option<usize>,
    visited: &[usize],
    random: &mut Random,
) -> Leg {
    let rotation = network.services.get(service).map_or(&[][..], |s: &Service| &s.rotation);
    let start = start.unwrap_or_else(|| random.below(rotation.len()));
    let mut hops = 1 + random.below(MOST_PASSED + 1);
    let at = |hops: usize| (start + hops) % rotation.len().max(1);
    let first = rotation.get(start);
    // A few ports stand twice in a rotation: the journey goes on to the one after.
    while hops < rotation.len() {
        match rotation.get(at(hops)) {
            Some(end) if Some(end) != first && !visited.contains(end) => break,
            _ => hops += 1,
        }
    }
    Leg { service, positions: (0..=hops).map(at).collect() }
}
