//! Whether an event costs more the more shipments are open, or the longer their histories are:
//! `cargo bench -p waybill-aggregate --bench growth`.
//!
//! Of each row a partition is filled, written to a changelog in memory, and restored from it. Then
//! batches of 100 events, of as many shipments, go on with its shipments, as the host does it: applied, and what changed
//! taken and encoded. Least, median and most of the batches.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

#[path = "../tests/counting/mod.rs"]
mod counting;
#[path = "../tests/story/mod.rs"]
mod story;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use counting::held;
use story::{HOUR, PLACES, event, received_at};
use waybill_aggregate::{Partition, Restoring, Settings, key};
use waybill_schemas::vocabulary::{Classifier, Milestone as M};
use waybill_schemas::{EnrichedEvent, decode, encode};
use waybill_stage::{Context, Outputs};

const BATCH: u32 = 100;
const BATCHES: u32 = 40;
const MILESTONES: [M; 6] =
    [M::GateIn, M::Loaded, M::Departed, M::Arrived, M::Discharged, M::GateOut];
const CLASSIFIERS: [Classifier; 3] =
    [Classifier::Planned, Classifier::Estimated, Classifier::Actual];

/// So many places has a journey, and so long it takes, however often it is heard of.
const CALLS: u32 = 6;
const JOURNEY_MS: i64 = 40 * 24 * HOUR;

/// Event `n` of a shipment that will have `each`, and some more.
fn told(shipment: u32, n: u32, each: u32) -> EnrichedEvent {
    let id = format!("acme-line/MSKU{shipment:07}");
    let place = PLACES[(n * CALLS / (each + BATCHES)) as usize % PLACES.len()].0;
    let classifier = CLASSIFIERS[n as usize % 3];
    let at = i64::from(n) * JOURNEY_MS / i64::from(each + BATCHES);
    let told = event(&id, n, classifier, MILESTONES[n as usize % 6], place, at);
    received_at(told, i64::from(n))
}

/// A history is filled so many events at a time: one after the other it would take minutes.
const AT_ONCE: u32 = 50;

/// A batch: how long it took, without making its events, and how many bytes it wrote.
fn batch(
    partition: &mut Partition,
    events: Vec<EnrichedEvent>,
    mut keep: impl FnMut(Vec<u8>, Vec<u8>),
) -> (Duration, usize) {
    let settings = Settings::default();
    let mut outputs = Outputs::default();
    let (mut bytes, mut records) = (Vec::with_capacity(1 << 22), Vec::new());
    let began = Instant::now();
    for event in events {
        partition.apply(&settings, &Context::at(1), event, &mut outputs).unwrap();
        for accepted in outputs.emitted.drain(..) {
            encode(&accepted, &mut bytes).unwrap();
        }
    }
    for changed in partition.take_changed() {
        encode(&changed.shipment.unwrap(), &mut bytes).unwrap();
        for (n, history) in changed.records {
            let from = bytes.len();
            encode(&history.unwrap(), &mut bytes).unwrap();
            records.push((key(&changed.shipment_id, n), from..bytes.len()));
        }
    }
    let took = began.elapsed();
    records.into_iter().for_each(|(key, at)| keep(key, bytes[at].to_vec()));
    (took, bytes.len())
}

fn row(shipments: u32, each: u32) {
    let mut changelog = BTreeMap::new();
    let mut filled = Partition::default();
    for n in (0..each).step_by(AT_ONCE as usize) {
        let until = each.min(n + AT_ONCE);
        for from in (0..shipments).step_by(BATCH as usize) {
            let ids = from..shipments.min(from + BATCH);
            let events = ids.flat_map(|s| (n..until).map(move |n| told(s, n, each))).collect();
            batch(&mut filled, events, |key, history| _ = changelog.insert(key, history));
        }
    }
    drop(filled);

    let (before, began) = (held(), Instant::now());
    let mut restoring = Restoring::default();
    for (key, bytes) in &changelog {
        restoring.take(key, Some(decode(bytes).unwrap())).unwrap();
    }
    let mut partition = restoring.finish(&Settings::default(), <[u8]>::to_vec).unwrap();
    let restored = began.elapsed();
    let held = held() - before;
    assert_eq!(partition.len(), shipments as usize);

    let mut took = Vec::new();
    let mut bytes = 0;
    for n in 0..BATCHES {
        // Spread over all shipments: those that were not touched for long are in no cache. A prime
        // leaves none out.
        let events = (n * BATCH..(n + 1) * BATCH).map(|k| {
            told((u64::from(k) * 7_919 % u64::from(shipments)) as u32, each + k / shipments, each)
        });
        let (time, written) = batch(&mut partition, events.collect(), |_, _| ());
        took.push(time.as_nanos() as f64 / 1e3 / f64::from(BATCH));
        bytes = written;
    }
    took.sort_by(f64::total_cmp);
    println!(
        "| {shipments} | {each} | {:.1} | {:.1} | {:.1} | {} | {} | {:.2} |",
        took[0],
        took[took.len() / 2],
        took[took.len() - 1],
        bytes / BATCH as usize,
        held / shipments as usize,
        restored.as_secs_f64(),
    );
}

fn main() {
    // `cargo test --benches` asks for a check that it runs, not for figures.
    if std::env::args().any(|a| a == "--test") {
        return row(100, 3);
    }
    println!(
        "| open shipments | events each | µs an event: least | median | most | bytes written an event \
         | bytes in memory a shipment | restored in s |\n|---|---|---|---|---|---|---|---|"
    );
    for (shipments, each) in [(10_000, 1), (100_000, 1), (1_000_000, 1)] {
        row(shipments, each);
    }
    for (shipments, each) in [(10_000, 10), (1_000, 100), (100, 1_000), (100, 4_000)] {
        row(shipments, each);
    }
}
