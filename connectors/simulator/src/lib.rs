//! Carriers that move containers along real ports and report it as DCSA Track & Trace 2.2 JSON,
//! the way carriers do: late, out of order, sometimes twice, sometimes wrong. Deterministic: the
//! same [`Config`] gives the same bytes in every release that keeps the golden hash of
//! tests/simulation.rs. No I/O, no clock.
//!
//! A journey of weeks is laid into the time before [`Config::start_ms`], so that its actual
//! events have happened when they are sent; a quarter of the journeys is under way and has
//! planned and estimated events in the future.

pub mod cargo2000;
mod carrier;
mod event;
mod journey;
mod kind;
mod network;
mod numbers;
mod random;
mod truth;

use std::collections::VecDeque;

pub use carrier::{CARRIERS, Carrier};
use event::Subject;
use journey::{Journey, Origin};
pub use kind::{Again, Bad, Kind, Level};
use network::Network;
use random::Random;
pub use truth::{Counts, Truth};

/// A copy comes at most so many messages after the first.
pub const AGAIN_WITHIN: usize = 64;

/// So many messages of 950,000 bytes come at most in one simulation.
pub const MOST_OVERSIZE: u32 = 3;

const DAY_MS: i64 = 24 * 3_600_000;

#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    pub seed: u64,
    /// 1 to 12, the first of [`CARRIERS`].
    pub carriers: usize,
    /// How many containers each carrier has on their way at a time: 1 to 100,000. A container
    /// takes some 2 KB.
    pub containers_per_carrier: usize,
    /// When the first message is sent, ms UTC. What is recorded as having happened happened
    /// before.
    pub start_ms: i64,
    /// Shares of all messages; together at most 0.9.
    pub bad_share: f64,
    pub duplicate_share: f64,
}

impl Default for Config {
    /// Five carriers and 2,000 containers; one message in a hundred is bad, another comes again.
    fn default() -> Self {
        Self {
            seed: 1,
            carriers: 5,
            containers_per_carrier: 400,
            start_ms: 0,
            bad_share: 0.01,
            duplicate_share: 0.01,
        }
    }
}

/// A configuration that cannot be simulated, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ConfigError(pub(crate) &'static str);

/// What a carrier has to say, before it is sealed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Index into [`Simulation::carriers`].
    pub carrier: usize,
    /// `sub` and the record's key.
    pub handle: String,
    /// `jti`: unique among all messages of all simulations, but for copies of this one.
    pub message_id: String,
    /// `cty`.
    pub media_type: &'static str,
    /// One event.
    pub payload: Vec<u8>,
    pub kind: Kind,
    /// A copy with [`Again::SameBytes`] follows within [`AGAIN_WITHIN`] messages: keep the sealed
    /// record.
    pub comes_again: bool,
}

/// An endless iterator of messages.
#[derive(Debug)]
pub struct Simulation {
    config: Config,
    network: Network,
    fleets: Vec<Fleet>,
    random: Random,
    /// Start of all message ids: tells this simulation from one of another seed or start.
    run: u64,
    sent: u64,
    oversize: u32,
    /// Copies to come, in order: the number of the message to send each as, and the copy.
    copies: VecDeque<(u64, Message)>,
}

/// A carrier and its containers on their way.
#[derive(Debug)]
struct Fleet {
    carrier: Carrier,
    /// Sum of the shares of this carrier and those before it, of 1.
    share_up_to: f64,
    first_container: u64,
    /// Serial of the next journey.
    next_serial: u64,
    journeys: Vec<OnTheWay>,
}

#[derive(Debug)]
struct OnTheWay {
    journey: Journey,
    /// How many of its steps were sent.
    sent: usize,
}

impl Simulation {
    pub fn new(config: Config) -> Result<Self, ConfigError> {
        validate(&config)?;
        let network = Network::new()?;
        let carriers = CARRIERS.get(..config.carriers).unwrap_or(&CARRIERS);
        let start = config.start_ms.cast_unsigned();
        let weights: f64 = (1..=carriers.len()).map(|n| 1.0 / n as f64).sum();
        let mut share_up_to = 0.0;
        let mut fleets = Vec::with_capacity(carriers.len());
        for (n, carrier) in (0..).zip(carriers) {
            share_up_to += 1.0 / (n + 1) as f64 / weights;
            let mut random = Random::new(&[config.seed, start, n]);
            let first_container = u64::try_from(random.below(26_000_000)).unwrap_or(0);
            let (carrier, journeys) = (*carrier, Vec::new());
            fleets.push(Fleet { carrier, share_up_to, first_container, next_serial: 0, journeys });
        }
        let mut simulation = Self {
            random: Random::new(&[config.seed, start]),
            run: Random::new(&[start, config.seed]).next() >> 24,
            config,
            network,
            fleets,
            sent: 0,
            oversize: 0,
            copies: VecDeque::new(),
        };
        for carrier in 0..simulation.fleets.len() {
            for _ in 0..simulation.config.containers_per_carrier {
                let journey = simulation.begin(carrier);
                if let (Some(journey), Some(fleet)) = (journey, simulation.fleets.get_mut(carrier))
                {
                    fleet.journeys.push(OnTheWay { journey, sent: 0 });
                }
            }
        }
        Ok(simulation)
    }

    pub fn carriers(&self) -> impl ExactSizeIterator<Item = &Carrier> {
        self.fleets.iter().map(|fleet| &fleet.carrier)
    }

    /// A carrier's next journey.
    fn begin(&mut self, carrier_index: usize) -> Option<Journey> {
        let fleet = self.fleets.get_mut(carrier_index)?;
        let serial = fleet.next_serial;
        fleet.next_serial += 1;
        let origin = Origin {
            seed: self.config.seed,
            carrier_index,
            carrier: &fleet.carrier,
            first_container: fleet.first_container,
            start_ms: self.config.start_ms,
        };
        Some(Journey::new(&self.network, origin, serial))
    }

    fn due_copy(&mut self) -> Option<Message> {
        let (due, _) = self.copies.front()?;
        if *due > self.sent { None } else { self.copies.pop_front().map(|(_, copy)| copy) }
    }

    /// What is wrong with a message.
    fn pick_bad(&mut self) -> Option<Bad> {
        let bad = *self.random.pick(Bad::ALL)?;
        if bad != Bad::Oversize {
            return Some(bad);
        }
        // A record of this size costs as much as a thousand others.
        self.oversize += 1;
        Some(if self.oversize <= MOST_OVERSIZE { bad } else { Bad::NotSealed })
    }

    /// A container's next event: sent for good, or, if `bad`, in vain, and again later.
    fn report(&mut self, bad: Option<Bad>) -> Option<Message> {
        let share = self.random.unit();
        let last = self.fleets.len().checked_sub(1)?;
        let carrier = self.fleets.iter().position(|f| share < f.share_up_to).unwrap_or(last);
        let fleet = self.fleets.get_mut(carrier)?;
        let slot = self.random.below(fleet.journeys.len());
        let on_the_way = fleet.journeys.get_mut(slot)?;
        let subject = Subject {
            network: &self.network,
            journey: &on_the_way.journey,
            step: *on_the_way.journey.steps.get(on_the_way.sent)?,
            number: on_the_way.sent,
            bad,
            // A run takes hours, not weeks.
            future_ms: self.config.start_ms + 30 * DAY_MS,
        };
        let message = Message {
            carrier,
            handle: on_the_way.journey.handle.clone(),
            message_id: format!("{:010x}-{:x}", self.run, self.sent),
            media_type: match bad {
                Some(Bad::UnknownMediaType) => event::UNKNOWN_MEDIA_TYPE,
                _ => event::MEDIA_TYPE,
            },
            payload: event::payload(&subject),
            kind: bad.map_or(Kind::Good, Kind::Bad),
            comes_again: false,
        };
        if bad.is_none() {
            on_the_way.sent += 1;
            if on_the_way.sent == on_the_way.journey.steps.len() {
                let journey = self.begin(carrier)?;
                let slot = self.fleets.get_mut(carrier)?.journeys.get_mut(slot)?;
                *slot = OnTheWay { journey, sent: 0 };
            }
        }
        Some(message)
    }

    /// Has some messages come again.
    fn plan_copy(&mut self, message: &mut Message) {
        // Of the messages that are neither bad nor copies, so many have a copy that the copies
        // are their share of all.
        let good = 1.0 - self.config.bad_share - self.config.duplicate_share;
        if !self.random.chance(self.config.duplicate_share / good) {
            return;
        }
        let again = if self.random.chance(0.5) { Again::SameBytes } else { Again::SealedAnew };
        message.comes_again = again == Again::SameBytes;
        let copy = Message { kind: Kind::Duplicate(again), comes_again: false, ..message.clone() };
        let after = 1 + self.random.below(AGAIN_WITHIN / 2);
        let due = self.sent + u64::try_from(after).unwrap_or(1);
        let at = self.copies.partition_point(|(d, _)| *d <= due);
        self.copies.insert(at, (due, copy));
    }
}

impl Iterator for Simulation {
    type Item = Message;

    fn next(&mut self) -> Option<Message> {
        if let Some(copy) = self.due_copy() {
            self.sent += 1;
            return Some(copy);
        }
        // Copies come by themselves: their share is left out here.
        let bad_share = self.config.bad_share / (1.0 - self.config.duplicate_share);
        let bad = if self.random.chance(bad_share) { self.pick_bad() } else { None };
        let mut message = self.report(bad)?;
        self.sent += 1;
        if message.kind == Kind::Good {
            self.plan_copy(&mut message);
        }
        Some(message)
    }
}

fn validate(config: &Config) -> Result<(), ConfigError> {
    let shares = [config.bad_share, config.duplicate_share];
    if !(1..=CARRIERS.len()).contains(&config.carriers) {
        return Err(ConfigError("carriers: 1 to 12"));
    }
    if !(1..=100_000).contains(&config.containers_per_carrier) {
        return Err(ConfigError("containers_per_carrier: 1 to 100,000"));
    }
    if !shares.iter().all(|share| (0.0..=0.9).contains(share)) || shares.iter().sum::<f64>() > 0.9 {
        return Err(ConfigError("bad_share, duplicate_share: 0 or more, together at most 0.9"));
    }
    // Years 1970 to 9998, with room for a journey before and a month after.
    if !(0..=253_370_764_800_000).contains(&config.start_ms) {
        return Err(ConfigError("start_ms: between the years 1970 and 9998"));
    }
    Ok(())
}
