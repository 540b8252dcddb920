//! Several instances, each with a schedule of its own, on partitions that are lists: partitions change hands, instances
//! die in the middle of a request, and endpoints fail. The host's part is played as `webhook_host` does it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::collections::{BTreeMap, BTreeSet};

use waybill_kafka::At;
use waybill_schemas::Delivery;
use waybill_schemas::vocabulary::DeliveryState;
use waybill_webhooks::{Bounds, Ended, Job, Schedule, Why};

const PARTITIONS: usize = 3;
const INSTANCES: usize = 3;
const HOUR_MS: i64 = 3_600_000;

const BOUNDS: Bounds = Bounds {
    requests: 4,
    requests_each: 2,
    open: 1_000,
    open_each: 1_000,
    bytes: 1_000,
    bytes_each: 300,
    patience_ms: 24 * HOUR_MS,
};

struct World {
    random: fastrand::Rng,
    now: i64,
    logs: [Vec<Delivery>; PARTITIONS],
    /// By partition: who has it, what was committed, and how far it was read.
    owners: [usize; PARTITIONS],
    committed: [usize; PARTITIONS],
    read: [usize; PARTITIONS],
    schedules: [Schedule; INSTANCES],
    under_way: Vec<(usize, Job)>,
    /// How often each was taken by its endpoint.
    taken: BTreeMap<String, u32>,
    requests: usize,
}

impl World {
    fn new(seed: u64) -> Self {
        Self {
            random: fastrand::Rng::with_seed(seed),
            now: 0,
            logs: Default::default(),
            owners: [0; PARTITIONS],
            committed: [0; PARTITIONS],
            read: [0; PARTITIONS],
            schedules: std::array::from_fn(|_| Schedule::new(BOUNDS)),
            under_way: Vec::new(),
            taken: BTreeMap::new(),
            requests: 0,
        }
    }

    fn open(&mut self, n: usize) {
        self.logs[n % PARTITIONS].push(Delivery {
            delivery_id: format!("d{n}"),
            carrier_id: "acme-line".into(),
            endpoint_id: format!("e{}", n % 2),
            state: DeliveryState::Open,
            why: String::new(),
            attempts: 0,
            made_at: self.now,
            open_since: self.now,
            ended_at: None,
            payload: vec![b'x'; 100],
            shipment_id: String::new(),
        });
    }

    fn take_over(&mut self, partition: usize, owner: usize) {
        self.owners[partition] = owner;
        let (log, from) = (&self.logs[partition], self.committed[partition]);
        let last: BTreeMap<&str, usize> =
            (from..log.len()).map(|n| (log[n].delivery_id.as_str(), n)).collect();
        for n in from..log.len() {
            if last[&*log[n].delivery_id] == n && log[n].state == DeliveryState::Open {
                let at = At { partition: partition as i32, offset: n as i64 };
                self.schedules[owner].take_in(at, log[n].clone(), self.now);
            }
        }
        self.read[partition] = log.len();
    }

    /// An instance reads what is new, begins what is due, and commits.
    fn turn(&mut self, instance: usize) {
        let of: Vec<usize> = (0..PARTITIONS).filter(|p| self.owners[*p] == instance).collect();
        for partition in &of {
            for n in self.read[*partition]..self.logs[*partition].len() {
                let at = At { partition: *partition as i32, offset: n as i64 };
                let delivery = self.logs[*partition][n].clone();
                self.schedules[instance].take_in(at, delivery, self.now);
            }
            self.read[*partition] = self.logs[*partition].len();
        }
        let schedule = &mut self.schedules[instance];
        while let Some((partition, offsets)) = schedule.missing(self.now) {
            for offset in offsets {
                let payload = self.logs[partition as usize][offset as usize].payload.clone();
                schedule.bring(At { partition, offset }, payload.into(), self.now);
            }
        }
        for job in schedule.start(self.now) {
            self.requests += 1;
            self.under_way.push((instance, job));
        }
        let over = schedule.take_over();
        for partition in of {
            // Before what ends here is there, it is open.
            let first = schedule.first_open(partition as i32);
            self.committed[partition] = first.map_or(self.read[partition], |at| at as usize);
        }
        let ends: Vec<At> = over.iter().map(|(at, _)| *at).collect();
        for (at, end) in over {
            self.logs[at.partition as usize].push(end);
        }
        self.schedules[instance].written(&ends);
    }

    fn end_one(&mut self, fails: bool) {
        if self.under_way.is_empty() {
            return;
        }
        let which = self.random.usize(..self.under_way.len());
        let (instance, job) = self.under_way.swap_remove(which);
        let ended = if fails {
            Ended::failed(Why::Status)
        } else {
            *self.taken.entry(job.delivery_id.to_string()).or_default() += 1;
            Ended::Taken
        };
        self.schedules[instance].ended(job.at, &job.delivery_id, ended, self.now);
    }

    fn hand_over(&mut self) {
        let (partition, to) = (self.random.usize(..PARTITIONS), self.random.usize(..INSTANCES));
        let from = self.owners[partition];
        if from == to {
            return;
        }
        // What it has in hand is written before it gives the partition away; not what is under way.
        self.turn(from);
        self.schedules[from].on_revoked(partition as i32);
        self.take_over(partition, to);
    }

    /// Nothing of it is left but requests that have arrived.
    fn kill(&mut self) {
        let instance = self.random.usize(..INSTANCES);
        self.schedules[instance] = Schedule::new(BOUNDS);
        for (_, job) in self.under_way.extract_if(.., |(of, _)| *of == instance) {
            *self.taken.entry(job.delivery_id.to_string()).or_default() += 1;
        }
        for partition in 0..PARTITIONS {
            if self.owners[partition] == instance {
                let to = self.random.usize(..INSTANCES);
                self.take_over(partition, to);
            }
        }
    }

    /// Until nothing is to be done any more.
    fn settle(&mut self) {
        for _ in 0..2_000 {
            (0..INSTANCES).for_each(|instance| self.turn(instance));
            while !self.under_way.is_empty() {
                self.end_one(false);
            }
            self.now += HOUR_MS / 100;
        }
    }
}

#[test]
fn whoever_dies_and_whatever_changes_hands_all_is_told_and_is_then_over() {
    let (mut twice, mut failed) = (0, 0);
    for seed in 0..100 {
        let mut world = World::new(seed);
        let mut opened = 0;
        for _ in 0..400 {
            match world.random.u8(..10) {
                0 | 1 if opened < 60 => {
                    world.open(opened);
                    opened += 1;
                }
                2 => world.hand_over(),
                3 if world.random.u8(..4) == 0 => world.kill(),
                4 | 5 => {
                    let fails = world.random.bool();
                    failed += usize::from(fails);
                    world.end_one(fails);
                }
                6 => world.now += world.random.i64(0..60_000),
                _ => {
                    let instance = world.random.usize(..INSTANCES);
                    world.turn(instance);
                }
            }
        }
        world.settle();
        let all: BTreeSet<String> = (0..opened).map(|n| format!("d{n}")).collect();
        let told: BTreeSet<String> = world.taken.keys().cloned().collect();
        assert_eq!(told, all, "seed {seed}");
        twice += world.taken.values().filter(|times| **times > 1).count();
        for log in &world.logs {
            let last: BTreeMap<&str, DeliveryState> =
                log.iter().map(|d| (d.delivery_id.as_str(), d.state)).collect();
            assert!(last.values().all(|s| *s == DeliveryState::Settled), "seed {seed}: {last:?}");
        }
        // Nobody begins anew: not in the next days, nor whoever takes all of it over.
        let requests = world.requests;
        world.now += 48 * HOUR_MS;
        world.kill();
        world.settle();
        assert_eq!(world.requests, requests, "seed {seed}");
        assert!((0..INSTANCES).all(|n| world.schedules[n].open() == 0), "seed {seed}");
    }
    // It was as bad as it was meant to be.
    assert!(twice > 50 && failed > 500, "{twice} {failed}");
}
