//! What is broken, in an order that the seed decides: each kind once, then any.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::time::{Duration, Instant};

use waybill_tests::{BusyLoops, Proxy};

use crate::fleet::{Fleet, STAGES};

/// Longer than a group waits for a member (10 s): it wakes as somebody who was put out.
const FROZEN: Duration = Duration::from_secs(13);

const STARVED: Duration = Duration::from_secs(4);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Harm {
    Kill,
    Freeze,
    Add,
    Remove,
    CutKafka,
    CutClickHouse,
    SlowKafka,
    SlowClickHouse,
    HoldKafka,
    HoldClickHouse,
    /// What is sent arrives, and its answers are lost with their connections.
    LoseKafkaAnswers,
    LoseClickHouseAnswers,
    KillClickHouse,
    KillKafka,
    /// Others want the processor: four busy loops.
    Starve,
}

/// Of so many, in all.
const WEIGHTS: [(Harm, u32); 15] = [
    (Harm::Kill, 30),
    (Harm::Freeze, 8),
    (Harm::Add, 10),
    (Harm::Remove, 10),
    (Harm::CutKafka, 10),
    (Harm::CutClickHouse, 10),
    (Harm::SlowKafka, 4),
    (Harm::SlowClickHouse, 4),
    (Harm::HoldKafka, 4),
    (Harm::HoldClickHouse, 4),
    (Harm::LoseKafkaAnswers, 6),
    (Harm::LoseClickHouseAnswers, 4),
    (Harm::KillClickHouse, 5),
    (Harm::KillKafka, 5),
    (Harm::Starve, 5),
];

/// How often each was done.
#[derive(Debug, Default)]
pub struct Done(BTreeMap<Harm, u64>);

impl fmt::Display for Done {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let of = |harms: &[Harm]| -> u64 { harms.iter().filter_map(|h| self.0.get(h)).sum() };
        write!(
            f,
            "kills={} freezes={} added={} removed={} cuts={} delays={} lost_answers={} \
             clickhouse_kills={} \
             broker_kills={} starved={}",
            of(&[Harm::Kill]),
            of(&[Harm::Freeze]),
            of(&[Harm::Add]),
            of(&[Harm::Remove]),
            of(&[Harm::CutKafka, Harm::CutClickHouse]),
            of(&[Harm::SlowKafka, Harm::SlowClickHouse, Harm::HoldKafka, Harm::HoldClickHouse]),
            of(&[Harm::LoseKafkaAnswers, Harm::LoseClickHouseAnswers]),
            of(&[Harm::KillClickHouse]),
            of(&[Harm::KillKafka]),
            of(&[Harm::Starve]),
        )
    }
}

pub struct Chaos {
    pub fleet: Fleet,
    pub done: Done,
    random: fastrand::Rng,
    /// Each kind once, to begin with.
    first: VecDeque<Harm>,
    next_at: Instant,
    /// When the ways are good again, and nobody else wants the processor.
    clear_at: Option<Instant>,
    load: Option<BusyLoops>,
}

impl Chaos {
    pub fn start(seed: u64) -> Self {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut first: Vec<Harm> = WEIGHTS.iter().map(|(harm, _)| *harm).collect();
        random.shuffle(&mut first);
        Self {
            fleet: Fleet::start(random.fork()),
            done: Done::default(),
            random,
            first: first.into(),
            next_at: Instant::now() + Duration::from_secs(5),
            clear_at: None,
            load: None,
        }
    }

    /// A twentieth of a second.
    pub fn step(&mut self) {
        std::thread::sleep(Duration::from_millis(50));
        self.fleet.tend();
        let now = Instant::now();
        if self.clear_at.is_some_and(|at| at <= now) {
            self.clear();
        }
        if now >= self.next_at {
            let harm = self.first.pop_front().unwrap_or_else(|| self.any());
            if self.act(harm) {
                *self.done.0.entry(harm).or_default() += 1;
            }
            self.next_at = Instant::now() + Duration::from_millis(self.random.u64(500..3_000));
        }
    }

    fn any(&mut self) -> Harm {
        let all: u32 = WEIGHTS.iter().map(|(_, weight)| weight).sum();
        let mut left = self.random.u32(..all);
        for (harm, weight) in WEIGHTS {
            if left < weight {
                return harm;
            }
            left -= weight;
        }
        Harm::Kill
    }

    /// Whether it could be done.
    fn act(&mut self, harm: Harm) -> bool {
        let fleet = &mut self.fleet;
        match harm {
            Harm::Kill => {
                let Some(n) = awake(fleet, &mut self.random) else { return false };
                let instance = &mut fleet.instances[n];
                instance.process.kill();
                let away = Duration::from_millis(self.random.u64(0..3_000));
                instance.starts_at = Some(Instant::now() + away);
            }
            Harm::Freeze => {
                let frozen = fleet.instances.iter().filter(|i| i.wakes_at.is_some()).count();
                let Some(n) = awake(fleet, &mut self.random).filter(|_| frozen < 2) else {
                    return false;
                };
                let instance = &mut fleet.instances[n];
                instance.process.signal("STOP");
                instance.wakes_at = Some(Instant::now() + FROZEN);
            }
            Harm::Add => {
                let stage = STAGES[self.random.usize(..STAGES.len())];
                if fleet.instances.iter().any(|i| i.stage == stage && i.name == "b") {
                    return false;
                }
                fleet.add(stage, "b");
            }
            Harm::Remove => {
                let Some(n) = fleet
                    .instances
                    .iter()
                    .position(|i| i.name == "b" && i.wakes_at.is_none() && i.starts_at.is_none())
                else {
                    return false;
                };
                // Asked to go, it says goodbye to its group, if it is not killed meanwhile.
                let instance = fleet.instances.remove(n);
                instance.process.signal("TERM");
                let until = Instant::now() + Duration::from_secs(3);
                let mut process = instance.process;
                while Instant::now() < until && !process.has_ended() {
                    std::thread::sleep(Duration::from_millis(50));
                }
            }
            Harm::CutKafka => return fleet.servers.kafka.cut() > 0,
            Harm::CutClickHouse => return fleet.servers.clickhouse.cut() > 0,
            Harm::SlowKafka => {
                fleet.servers.kafka.delay(Duration::from_millis(self.random.u64(20..200)));
                self.clear_at = Some(Instant::now() + Duration::from_secs(3));
            }
            Harm::SlowClickHouse => {
                fleet.servers.clickhouse.delay(Duration::from_millis(self.random.u64(50..500)));
                self.clear_at = Some(Instant::now() + Duration::from_secs(3));
            }
            Harm::HoldKafka => {
                fleet.servers.kafka.hold(true);
                self.clear_at = Some(Instant::now() + Duration::from_secs(4));
            }
            Harm::HoldClickHouse => {
                fleet.servers.clickhouse.hold(true);
                self.clear_at = Some(Instant::now() + Duration::from_secs(4));
            }
            Harm::LoseKafkaAnswers => {
                lose_answers(&fleet.servers.kafka, &mut self.random);
            }
            Harm::LoseClickHouseAnswers => {
                lose_answers(&fleet.servers.clickhouse, &mut self.random);
            }
            Harm::KillClickHouse => {
                fleet.servers.kill("clickhouse");
                std::thread::sleep(Duration::from_millis(self.random.u64(0..2_000)));
                fleet.servers.up();
            }
            Harm::KillKafka => {
                fleet.servers.kill("kafka");
                std::thread::sleep(Duration::from_millis(self.random.u64(0..2_000)));
                fleet.servers.up();
            }
            Harm::Starve => {
                self.load = Some(BusyLoops::start());
                self.clear_at = Some(Instant::now() + STARVED);
            }
        }
        true
    }

    fn clear(&mut self) {
        self.clear_at = None;
        self.load = None;
        self.fleet.servers.kafka.delay(Duration::ZERO);
        self.fleet.servers.clickhouse.delay(Duration::ZERO);
        self.fleet.servers.kafka.hold(false);
        self.fleet.servers.clickhouse.hold(false);
    }

    /// Nothing is broken any more; what is dead comes back, and nobody dies of himself.
    pub fn heal(&mut self) {
        self.clear();
        self.fleet.is_mortal = false;
        for instance in &mut self.fleet.instances {
            if instance.wakes_at.is_some() {
                instance.wakes_at = Some(Instant::now());
            }
            if instance.starts_at.is_some() {
                instance.starts_at = Some(Instant::now());
            }
        }
        self.fleet.tend();
    }
}

fn lose_answers(way: &Proxy, random: &mut fastrand::Rng) {
    way.hold_answers(true);
    std::thread::sleep(Duration::from_millis(random.u64(50..500)));
    way.cut();
    way.hold_answers(false);
}

/// One that runs, by chance.
fn awake(fleet: &Fleet, random: &mut fastrand::Rng) -> Option<usize> {
    let awake: Vec<usize> = (0..fleet.instances.len())
        .filter(|n| {
            let instance = &fleet.instances[*n];
            instance.wakes_at.is_none() && instance.starts_at.is_none()
        })
        .collect();
    (!awake.is_empty()).then(|| awake[random.usize(..awake.len())])
}
