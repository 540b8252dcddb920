//! Histories by their seeds: thousands that must be right, and what is found once something is wrong.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use crate::flaw::Flaw;
use crate::plan::Plan;
use crate::world::{Outcome, World};

fn run(plan: &Plan, is_told: bool) -> Outcome {
    World::new(plan.clone(), is_told).run()
}

fn number(name: &str) -> Option<u64> {
    let set = std::env::var(name).ok().filter(|set| !set.is_empty())?;
    Some(set.parse().unwrap_or_else(|_| panic!("{name} is no number: {set}")))
}

/// What came of many histories.
struct Many {
    /// The first seed that fails.
    failing: Option<u64>,
    ran: u64,
    happened: BTreeMap<&'static str, usize>,
}

/// Runs histories from a seed on, over the processors there are, until one fails.
fn many(from: u64, count: u64, flaw: Option<Flaw>) -> Many {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let (next, found, ran) = (AtomicU64::new(0), AtomicU64::new(u64::MAX), AtomicU64::new(0));
    let happened = Mutex::new(BTreeMap::new());
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let n = next.fetch_add(1, Ordering::Relaxed);
                    if n >= count || n > found.load(Ordering::Relaxed) {
                        return;
                    }
                    ran.fetch_add(1, Ordering::Relaxed);
                    let outcome = run(&Plan::new(from + n, flaw), false);
                    for (what, times) in outcome.happened {
                        *happened.lock().unwrap().entry(what).or_default() += times;
                    }
                    if !outcome.wrong.is_empty() {
                        found.fetch_min(n, Ordering::Relaxed);
                    }
                }
            });
        }
    });
    let found = found.into_inner();
    let failing = (found < u64::MAX).then(|| from + found);
    Many { failing, ran: ran.into_inner(), happened: happened.into_inner().unwrap() }
}

/// The same failure with as little as it takes.
fn shortened(mut plan: Plan) -> Plan {
    let fails = |plan: &Plan| !run(plan, false).wrong.is_empty();
    let mut n = 0;
    while n < plan.faults.len() {
        let mut less = plan.clone();
        less.faults.remove(n);
        if fails(&less) { plan = less } else { n += 1 }
    }
    for part in [2, 4, 8, 16] {
        let mut n = 0;
        while n < plan.arrivals.len() {
            let mut less = plan.clone();
            let to = (n + plan.arrivals.len().div_ceil(part)).min(less.arrivals.len());
            less.arrivals.drain(n..to);
            if fails(&less) { plan = less } else { n = to }
        }
    }
    plan
}

/// What is to be read where a history fails.
fn told(seed: u64, flaw: Option<Flaw>) -> String {
    let plan = shortened(Plan::new(seed, flaw));
    let outcome = run(&plan, true);
    let mut told = format!("seed {seed}, {flaw:?}\n{:?}\n", plan.faults);
    for arrival in &plan.arrivals {
        told += &format!("{:>7} {:?}\n", arrival.at, arrival.input);
    }
    let from = outcome.history.len().saturating_sub(400);
    told += &outcome.history[from..].join("\n");
    told + &format!("\nWRONG: {:#?}", outcome.wrong)
}

/// `SEED` is the first, and `HISTORIES` how many.
#[test]
fn every_history_is_right() {
    let (from, count) = (number("SEED").unwrap_or(1), number("HISTORIES").unwrap_or(10_000));
    let began = Instant::now();
    let Many { failing, ran, happened } = many(from, count, None);
    let seconds = began.elapsed().as_secs_f64();
    println!("{ran} histories in {seconds:.1} s: {:.0} a second", ran as f64 / seconds);
    happened.iter().for_each(|(what, times)| println!("{times:>9} {what}"));
    if let Some(seed) = failing {
        panic!("{}", told(seed, None));
    }
    // That the histories are hard enough for this to say something.
    if count >= 300 {
        let missing: Vec<_> = HARD.iter().filter(|what| !happened.contains_key(*what)).collect();
        assert!(missing.is_empty(), "what never happened: {missing:?}");
    }
}

const HARD: [&str; 17] = [
    "commits aborted",
    "commits not begun by who was put out",
    "commits of unknown fate",
    "commits refused of who is no member now",
    "committed offsets waited for",
    "inserts cut off",
    "inserts made again",
    "inserts that arrive late",
    "members put out",
    "parts that were there before",
    "processes killed by a record",
    "producers fenced",
    "records offered again",
    "records removed",
    "records set aside",
    "states waited for",
    "topics that wait",
];

/// So that a seed tells all.
#[test]
fn a_seed_is_a_history() {
    for seed in 1..20 {
        let plan = Plan::new(seed, None);
        let [first, second] = [run(&plan, true), run(&plan, true)];
        assert!(first.history.len() > 20, "{:?}", first.history);
        assert_eq!(first.history, second.history, "seed {seed}");
    }
}

/// The check can fail: whatever is wrong is found, and within so many histories. `FLAW` tells the history of one.
#[test]
fn whatever_is_wrong_is_found() {
    const WITHIN: u64 = 3_000;
    let only = std::env::var("FLAW").ok();
    let mut missed = Vec::new();
    println!("| wrong | seed | histories | what shows it |\n|---|---|---|---|");
    let is_wanted = |flaw: &&Flaw| only.as_ref().is_none_or(|only| *only == format!("{flaw:?}"));
    for flaw in Flaw::ALL.iter().filter(is_wanted) {
        let Many { failing, ran, .. } = many(1, WITHIN, Some(*flaw));
        let Some(seed) = failing else {
            missed.push(flaw);
            continue;
        };
        let wrong = run(&Plan::new(seed, Some(*flaw)), false).wrong;
        let first: String = wrong[0].chars().take(110).collect();
        println!("| {} | {seed} | {ran} | {first} |", flaw.says());
        if only.is_some() {
            println!("{}", told(seed, Some(*flaw)));
        }
    }
    assert!(missed.is_empty(), "not found within {WITHIN} histories: {missed:?}");
}
