//! Proof by breaking it: carriers publish, every stage is a process of its own, and meanwhile
//! processes are killed, at random and at named points, frozen, added and taken away, their ways to
//! Kafka and ClickHouse cut, slowed down and held, and both servers killed. In the end every event
//! is there once: in the tables, in the rollups, in the shipments, and by the audit.
//!
//! Everything that is done follows from a seed (what comes of it also from the machine).
//! `make chaos SEED=… MINUTES=…` goes on as long as wanted.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod fleet;
mod harm;
mod proof;

use std::time::{Duration, Instant};

use harm::Chaos;

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn whatever_is_broken_every_event_is_there_once() {
    run(1, 200_000, 80 * SECOND);
}

/// `dev/chaos` asks for this one.
#[test]
#[ignore = "as long as MINUTES says: make chaos"]
fn for_as_long_as_wanted() {
    let setting = |name: &str, default: u64| {
        std::env::var(name).ok().and_then(|v| v.parse().ok()).unwrap_or(default)
    };
    let (seed, minutes) = (setting("SEED", 1), setting("MINUTES", 20));
    run(seed, minutes * 60 * 2_500, Duration::from_secs(minutes * 60));
}

/// Publishes so many messages over so long, breaks things meanwhile, then looks.
fn run(seed: u64, messages: u64, time: Duration) {
    println!("chaos: seed {seed}, {messages} messages over {} s", time.as_secs());
    let began = Instant::now();
    let mut chaos = Chaos::start(seed);
    let simulation = chaos.fleet.publish(seed, messages, time);
    let until = Instant::now() + time;
    while Instant::now() < until {
        chaos.step();
    }
    chaos.heal();
    let published = simulation.join().unwrap();
    let proved = proof::look(&mut chaos.fleet, &published);
    let Chaos { done, fleet, .. } = &chaos;
    println!(
        "chaos: seed={seed} published={} copies={} events={} rejected={} duplicates={} {done} \
         kills_at_points={} rebalances={} lost=0 twice=0 seconds={}",
        published.published,
        proved.copies,
        published.events,
        published.rejected(),
        published.duplicates,
        fleet.died_at_points,
        proved.rebalances,
        began.elapsed().as_secs()
    );
}
