//! When deliveries are tried, by a clock that the test sets and a topic that is a list.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::collections::BTreeMap;
use std::time::Duration;

use waybill_kafka::At;
use waybill_schemas::Delivery;
use waybill_schemas::vocabulary::DeliveryState;
use waybill_webhooks::{Bounds, Ended, Job, Schedule, Why};

const DAY_MS: i64 = 86_400_000;

const BOUNDS: Bounds = Bounds {
    requests: 8,
    requests_each: 2,
    open: 100,
    open_each: 50,
    bytes: 10_000,
    bytes_each: 5_000,
    patience_ms: DAY_MS,
};

fn delivery(id: &str, endpoint: &str, open_since: i64) -> Delivery {
    Delivery {
        delivery_id: id.into(),
        carrier_id: "acme-line".into(),
        endpoint_id: endpoint.into(),
        state: DeliveryState::Open,
        why: String::new(),
        attempts: 0,
        made_at: open_since,
        open_since,
        ended_at: None,
        payload: vec![b'x'; 100],
        shipment_id: String::new(),
    }
}

/// A schedule, and the partition that it reads and writes as the host does.
struct World {
    schedule: Schedule,
    log: Vec<Delivery>,
    now: i64,
    /// Requests by endpoint and delivery, with their times.
    requests: Vec<(i64, String, String)>,
    /// How requests to an endpoint end.
    answers: BTreeMap<String, Ended>,
}

impl World {
    fn new(bounds: Bounds) -> Self {
        Self {
            schedule: Schedule::new(bounds),
            log: Vec::new(),
            now: 0,
            requests: Vec::new(),
            answers: BTreeMap::new(),
        }
    }

    fn append(&mut self, delivery: Delivery) {
        let at = At { partition: 0, offset: self.log.len() as i64 };
        self.log.push(delivery.clone());
        self.schedule.take_in(at, delivery, self.now);
    }

    fn open(&mut self, id: &str, endpoint: &str) {
        self.append(delivery(id, endpoint, self.now));
    }

    fn answer(&mut self, endpoint: &str, ended: Ended) {
        self.answers.insert(endpoint.into(), ended);
    }

    fn start(&mut self) -> Vec<Job> {
        if let Some((partition, offsets)) = self.schedule.missing(self.now) {
            for offset in offsets {
                let payload = self.log[offset as usize].payload.clone().into();
                self.schedule.bring(At { partition, offset }, payload, self.now);
            }
        }
        let jobs = self.schedule.start(self.now);
        for job in &jobs {
            assert_eq!(job.payload.len(), 100);
            let request = (self.now, job.endpoint_id.to_string(), job.delivery_id.to_string());
            self.requests.push(request);
        }
        jobs
    }

    fn finish(&mut self, job: &Job) {
        let ended = self.answers.get(&*job.endpoint_id).copied().unwrap_or(Ended::Taken);
        self.schedule.ended(job.at, &job.delivery_id, ended, self.now);
        self.write();
    }

    fn write(&mut self) {
        let over = self.schedule.take_over();
        let ends: Vec<At> = over.iter().map(|(at, _)| *at).collect();
        self.schedule.written(&ends);
        for (_, record) in over {
            self.append(record);
        }
    }

    /// Until that time, or until nothing is due any more.
    fn run(&mut self, until: i64) {
        loop {
            let jobs = self.start();
            self.write();
            for job in &jobs {
                self.finish(job);
            }
            if !jobs.is_empty() {
                continue;
            }
            match self.schedule.due_at() {
                Some(due) if due <= until => self.now = self.now.max(due),
                _ => break,
            }
        }
        self.now = until;
    }

    /// Another process: it knows what lies on the topic from the oldest open delivery on.
    fn restart(&mut self, bounds: Bounds) {
        let first = self.schedule.first_open(0).unwrap_or(self.log.len() as i64);
        self.schedule = Schedule::new(bounds);
        let mut last: BTreeMap<&str, usize> = BTreeMap::new();
        for (n, record) in self.log.iter().enumerate().skip(first as usize) {
            last.insert(&record.delivery_id, n);
        }
        for (n, record) in self.log.iter().enumerate().skip(first as usize) {
            if last[&*record.delivery_id] == n && record.state == DeliveryState::Open {
                let at = At { partition: 0, offset: n as i64 };
                self.schedule.take_in(at, record.clone(), self.now);
            }
        }
    }

    /// The last record of each delivery: state and why.
    fn states(&self) -> BTreeMap<String, (DeliveryState, String)> {
        let state = |d: &Delivery| (d.delivery_id.clone(), (d.state, d.why.clone()));
        self.log.iter().map(state).collect()
    }

    fn state(&self, id: &str) -> (DeliveryState, String) {
        self.states()[id].clone()
    }

    fn times(&self, id: &str) -> Vec<i64> {
        self.requests.iter().filter(|(.., d)| d == id).map(|(at, ..)| *at).collect()
    }
}

fn failed(why: Why) -> Ended {
    Ended::failed(why)
}

#[test]
fn what_is_taken_at_once_is_settled_and_costs_no_more() {
    let mut world = World::new(BOUNDS);
    world.open("a", "e");
    world.run(0);
    assert_eq!(world.state("a").0, DeliveryState::Settled);
    assert_eq!((world.schedule.open(), world.schedule.bytes()), (0, 0));
    assert_eq!(world.schedule.first_open(0), None);
    assert_eq!(world.log[1].payload, b"");
}

#[test]
fn what_fails_is_tried_again_ever_later_and_given_up_after_a_day() {
    let mut world = World::new(BOUNDS);
    world.answer("e", failed(Why::Status));
    world.open("a", "e");
    world.run(3 * DAY_MS);
    let times = world.times("a");
    let pauses: Vec<i64> = times.windows(2).map(|w| w[1] - w[0]).collect();
    assert!((5_000..=10_000).contains(&pauses[0]), "{pauses:?}");
    assert!((10_000..=20_000).contains(&pauses[1]), "{pauses:?}");
    assert!(pauses.iter().all(|pause| *pause <= 3_600_000), "{pauses:?}");
    let last = *times.last().unwrap();
    assert!((DAY_MS - 2 * 3_600_000..DAY_MS).contains(&last), "{last}");
    assert!((25..80).contains(&times.len()), "{}", times.len());
    assert_eq!(world.state("a"), (DeliveryState::Dead, "status".into()));
    assert_eq!(world.schedule.open(), 0);
    let dead = world.log.last().unwrap();
    assert_eq!(dead.attempts as usize, times.len());
}

/// An operator opens it anew: from then on it is tried for another day, under the id that it had.
#[test]
fn a_replay_begins_anew() {
    let mut world = World::new(BOUNDS);
    world.answer("e", failed(Why::Connect));
    world.open("a", "e");
    world.run(2 * DAY_MS);
    assert_eq!(world.state("a").0, DeliveryState::Dead);
    let tried = world.times("a").len();
    world.append(delivery("a", "e", world.now));
    world.run(world.now + 60_000);
    assert!(world.times("a").len() > tried);
    assert_eq!(world.state("a").0, DeliveryState::Open);
    world.answer("e", Ended::Taken);
    world.run(world.now + 3_600_000);
    assert_eq!(world.state("a").0, DeliveryState::Settled);
}

#[test]
fn whoever_comes_after_a_crash_tries_all_that_is_open_and_nothing_else() {
    let mut world = World::new(BOUNDS);
    world.answer("away", failed(Why::Connect));
    for n in 0..10 {
        let endpoint = if n % 2 == 0 { "away" } else { "there" };
        world.open(&format!("d{n}"), endpoint);
    }
    world.run(60_000);
    let before = world.requests.len();
    assert_eq!(world.schedule.first_open(0), Some(0));
    world.answer("away", Ended::Taken);
    world.restart(BOUNDS);
    world.run(world.now);
    let tried: Vec<_> = world.requests[before..].iter().map(|(.., id)| id.as_str()).collect();
    assert_eq!(tried, ["d0", "d2", "d4", "d6", "d8"]);
    assert!(world.states().values().all(|(state, _)| *state == DeliveryState::Settled));
    // And there is nothing left to begin with.
    world.restart(BOUNDS);
    assert_eq!(world.schedule.open(), 0);
}

/// What was open for longer than a day, since nobody was there, is tried once more.
#[test]
fn after_a_long_absence_all_is_tried_once() {
    let mut world = World::new(BOUNDS);
    world.open("a", "e");
    world.now = 5 * DAY_MS;
    world.restart(BOUNDS);
    world.run(world.now);
    assert_eq!(world.state("a").0, DeliveryState::Settled);
    world.open("b", "away");
    world.answer("away", failed(Why::Timeout));
    world.now += 5 * DAY_MS;
    world.restart(BOUNDS);
    world.run(world.now + 3_600_000);
    assert!(!world.times("b").is_empty());
    assert_eq!(world.state("b"), (DeliveryState::Dead, "timeout".into()));
}

/// Requests to one endpoint never end: others have all that is left, in turns.
#[test]
fn a_slow_endpoint_has_its_share_and_others_have_theirs() {
    let mut world = World::new(BOUNDS);
    for n in 0..40 {
        world.open(&format!("s{n}"), "slow");
    }
    for n in 0..3 {
        world.open(&format!("a{n}"), "a");
        world.open(&format!("b{n}"), "b");
    }
    let first = world.start();
    let count = |jobs: &[Job], e: &str| jobs.iter().filter(|job| &*job.endpoint_id == e).count();
    assert_eq!([count(&first, "slow"), count(&first, "a"), count(&first, "b")], [2, 2, 2]);
    for job in first.iter().filter(|job| &*job.endpoint_id != "slow") {
        world.finish(job);
    }
    let second = world.start();
    assert_eq!([count(&second, "slow"), count(&second, "a"), count(&second, "b")], [0, 1, 1]);
}

#[test]
fn no_more_requests_run_than_may() {
    let mut world = World::new(Bounds { requests: 5, ..BOUNDS });
    for n in 0..30 {
        world.open(&format!("d{n}"), &format!("e{}", n % 10));
    }
    let jobs = world.start();
    let endpoints: std::collections::BTreeSet<_> = jobs.iter().map(|j| &j.endpoint_id).collect();
    assert_eq!((jobs.len(), endpoints.len()), (5, 5));
    assert!(world.start().is_empty());
    assert_eq!(world.schedule.due_at(), None);
    world.finish(&jobs[0]);
    // Those that had no turn come first.
    let next = world.start();
    assert_eq!(next.len(), 1);
    assert!(!endpoints.contains(&next[0].endpoint_id));
}

/// While an endpoint fails it is asked with one request at a time, whatever waits for it.
#[test]
fn an_endpoint_that_fails_is_left_alone() {
    let mut world = World::new(BOUNDS);
    world.answer("e", failed(Why::Timeout));
    for n in 0..50 {
        world.open(&format!("d{n}"), "e");
    }
    // It was not known to fail yet.
    let first = world.start();
    assert_eq!(first.len(), 2);
    first.iter().for_each(|job| world.finish(job));
    assert!(world.start().is_empty());
    world.now = world.schedule.due_at().unwrap();
    let one = world.start();
    assert_eq!(one.len(), 1);
    world.finish(&one[0]);
    world.run(3_600_000);
    // Not 50 times as many as for one.
    assert!(world.requests.len() < 400, "{}", world.requests.len());
    world.answer("e", Ended::Taken);
    world.run(world.now + 3_600_000);
    assert!(world.states().values().all(|(state, _)| *state == DeliveryState::Settled));
}

/// It does not want this one: the others are not its fault.
#[test]
fn a_delivery_that_is_refused_holds_up_no_other() {
    let mut world = World::new(BOUNDS);
    world.open("bad", "e");
    let jobs = world.start();
    world.schedule.ended(jobs[0].at, "bad", failed(Why::Refused), world.now);
    for n in 0..10 {
        world.open(&format!("good{n}"), "e");
    }
    world.run(0);
    let settled = world.states().values().filter(|(s, _)| *s == DeliveryState::Settled).count();
    assert_eq!(settled, 10);
    assert_eq!(world.state("bad").0, DeliveryState::Open);
}

#[test]
fn an_endpoint_that_is_gone_is_asked_no_more_until_its_registration_changes() {
    let mut world = World::new(BOUNDS);
    world.answer("e", failed(Why::Gone));
    for n in 0..5 {
        world.open(&format!("d{n}"), "e");
    }
    world.run(1_000);
    let asked = world.requests.len();
    assert!(asked <= 2, "{asked}");
    assert!(world.states().values().all(|s| *s == (DeliveryState::Dead, "gone".into())));
    world.open("late", "e");
    world.run(DAY_MS);
    assert_eq!(world.requests.len(), asked);
    assert_eq!(world.state("late"), (DeliveryState::Dead, "gone".into()));
    world.answer("e", Ended::Taken);
    world.schedule.open_again("e");
    world.open("again", "e");
    world.run(world.now);
    assert_eq!(world.state("again").0, DeliveryState::Settled);
}

#[test]
fn retry_after_is_obeyed_up_to_an_hour() {
    for (asked, least, most) in [(600, 600_000, 660_000), (10_000_000, 3_600_000, 3_600_001)] {
        let mut world = World::new(BOUNDS);
        let retry_after = Some(Duration::from_secs(asked));
        world.answer("e", Ended::Failed { why: Why::Later, retry_after });
        world.open("a", "e");
        world.run(0);
        world.open("b", "e");
        world.answer("e", Ended::Taken);
        world.run(DAY_MS);
        for second in [world.times("a")[1], world.times("b")[0]] {
            assert!((least..=most).contains(&second), "{asked}: {second}");
        }
    }
}

/// What does not fit into memory stays on the topic, and is brought when it is due.
#[test]
fn payloads_in_memory_are_bounded() {
    let mut world = World::new(Bounds { bytes: 2_000, bytes_each: 1_000, ..BOUNDS });
    for n in 0..40 {
        world.open(&format!("a{n}"), "a");
        assert!(world.schedule.bytes() <= 1_000);
    }
    for n in 0..40 {
        world.open(&format!("b{n}"), "b");
        assert!(world.schedule.bytes() <= 2_000);
    }
    world.run(0);
    assert_eq!(world.requests.len(), 80);
    assert!(world.states().values().all(|(state, _)| *state == DeliveryState::Settled));
    assert_eq!(world.schedule.bytes(), 0);
}

/// What was asked of the topic and did not come keeps nobody busy.
#[test]
fn what_is_not_brought_is_asked_for_again_later() {
    let mut world = World::new(Bounds { bytes: 0, bytes_each: 0, ..BOUNDS });
    world.open("a", "e");
    assert_eq!(world.schedule.missing(0).unwrap().1.len(), 1);
    assert!(world.schedule.missing(0).is_none());
    assert!(world.schedule.start(0).is_empty());
    assert_eq!(world.schedule.due_at(), Some(60_000));
    world.now = 60_000;
    assert_eq!(world.start().len(), 1);
}

/// Beyond the bound a delivery is dead at once, and of that endpoint alone. It can be replayed.
#[test]
fn more_than_may_be_open_is_given_up() {
    let mut world = World::new(BOUNDS);
    world.answer("away", failed(Why::Connect));
    for n in 0..60 {
        world.open(&format!("d{n:02}"), "away");
    }
    world.open("x", "there");
    world.run(1_000);
    let full = world.states().values().filter(|(_, why)| why == "full").count();
    assert_eq!(full, 10);
    assert_eq!(world.state("x").0, DeliveryState::Settled);
}

/// A copy, such as the same answer to a redrive, takes the place of what is open.
#[test]
fn a_copy_takes_the_place_of_what_is_open() {
    let mut world = World::new(BOUNDS);
    world.answer("e", failed(Why::Connect));
    world.open("a", "e");
    let jobs = world.start();
    world.open("a", "e");
    assert_eq!((world.schedule.open(), world.schedule.first_open(0)), (1, Some(1)));
    // The first request's end says nothing of it.
    world.schedule.ended(jobs[0].at, "a", Ended::Taken, world.now);
    assert_eq!(world.schedule.open(), 1);
    world.answer("e", Ended::Taken);
    world.run(1_000);
    assert_eq!(world.state("a").0, DeliveryState::Settled);
    assert_eq!((world.schedule.open(), world.schedule.running()), (0, 0));
}

#[test]
fn of_a_partition_that_goes_to_another_nothing_is_kept() {
    let mut world = World::new(BOUNDS);
    world.open("a", "e");
    world.open("b", "e");
    let jobs = world.start();
    // It is over, and not written.
    world.schedule.ended(jobs[1].at, "b", Ended::Taken, 0);
    world.schedule.on_revoked(0);
    assert_eq!((world.schedule.open(), world.schedule.running()), (0, 0));
    world.schedule.ended(jobs[0].at, "a", Ended::Taken, 0);
    assert!(world.schedule.take_over().is_empty());
}

/// What was written of a shipment before it was erased is told no more, wherever it stands; what a carrier sends of it
/// later is.
#[test]
fn of_an_erased_shipment_nothing_is_tried_any_more() {
    let mut world = World::new(BOUNDS);
    world.answer("e", failed(Why::Connect));
    let of = |id: &str, carrier: &str, shipment: &str| Delivery {
        carrier_id: carrier.into(),
        shipment_id: shipment.into(),
        ..delivery(id, "e", 0)
    };
    world.append(of("runs", "acme-line", "s-1"));
    let jobs = world.start();
    assert_eq!(jobs.len(), 1);
    world.append(of("waits", "acme-line", "s-1"));
    world.append(of("another", "acme-line", "s-2"));
    world.append(of("another's", "other-line", "s-1"));
    world.append(of("reject", "acme-line", ""));
    let at = At { partition: 0, offset: world.log.len() as i64 };
    world.schedule.erase(at, "acme-line", "s-1", 0);
    // Nobody is erased who has no name.
    world.schedule.erase(at, "acme-line", "", 0);
    world.append(of("later", "acme-line", "s-1"));
    // Another partition's erasure is not about these.
    world.schedule.erase(At { partition: 1, offset: 100 }, "acme-line", "s-2", 0);
    world.write();
    assert_eq!(world.state("waits"), (DeliveryState::Dead, "erased".into()));
    // The request that was under way has its end, and there is no other.
    assert_eq!(world.state("runs").0, DeliveryState::Open);
    world.finish(&jobs[0]);
    assert_eq!(world.state("runs"), (DeliveryState::Dead, "erased".into()));
    world.answer("e", Ended::Taken);
    world.run(DAY_MS);
    for told in ["another", "another's", "reject", "later"] {
        assert_eq!(world.state(told).0, DeliveryState::Settled, "{told}");
    }
    assert_eq!((world.times("waits").len(), world.times("runs").len()), (0, 1));
    assert_eq!(world.schedule.bytes(), 0);
}
