//! Events a second of one core: a batch of 1,000 events, and the changed shipments taken at its
//! end, as the host does it.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

#[path = "../tests/story/mod.rs"]
mod story;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use story::{HOUR, PLACES, event, received_at};
use waybill_aggregate::{Partition, Settings};
use waybill_schemas::EnrichedEvent;
use waybill_schemas::vocabulary::{Classifier, Milestone as M};
use waybill_stage::{Context, Outputs};

const BATCH: u32 = 1_000;
const MILESTONES: [M; 6] =
    [M::GateIn, M::Loaded, M::Departed, M::Arrived, M::Discharged, M::GateOut];
const CLASSIFIERS: [Classifier; 3] =
    [Classifier::Planned, Classifier::Estimated, Classifier::Actual];

fn told(shipment: u32, n: u32) -> EnrichedEvent {
    let id = format!("acme-line/MSKU{shipment:07}");
    let place = PLACES[n as usize / 5 % PLACES.len()].0;
    let classifier = CLASSIFIERS[n as usize % 3];
    let told = event(&id, n, classifier, MILESTONES[n as usize % 6], place, i64::from(n) * HOUR);
    received_at(told, i64::from(n))
}

fn apply_all(partition: &mut Partition, events: Vec<EnrichedEvent>, taken: bool) -> usize {
    let settings = Settings::default();
    let mut outputs = Outputs::default();
    for event in events {
        partition.apply(&settings, &Context::at(1), event, &mut outputs).unwrap();
        outputs.clear();
    }
    if taken { partition.take_changed().count() } else { 0 }
}

/// A partition of so many shipments with so many events each, and a batch that goes on with them.
fn ready(shipments: u32, each: u32, copies: bool) -> (Partition, Vec<EnrichedEvent>) {
    let mut partition = Partition::default();
    for n in 0..each {
        apply_all(&mut partition, (0..shipments).map(|s| told(s, n)).collect(), true);
    }
    let next = |n: u32| told(n % shipments, if copies { 0 } else { each + n / shipments });
    (partition, (0..BATCH).map(next).collect())
}

fn aggregate(c: &mut Criterion) {
    let mut group = c.benchmark_group("aggregate");
    group.throughput(Throughput::Elements(BATCH.into())).sample_size(20);
    for (name, shipments, each, copies, taken) in [
        ("apply: 500 shipments of 10 events", 500, 10, false, false),
        ("apply and take: 500 shipments of 10 events", 500, 10, false, true),
        ("apply and take: 500 shipments of 40 events", 500, 40, false, true),
        ("apply and take: 1 shipment of 3,000 events", 1, 3_000, false, true),
        ("apply: copies, 500 shipments of 20 events", 500, 20, true, false),
    ] {
        group.bench_function(name, |b| {
            b.iter_batched(
                || ready(shipments, each, copies),
                |(mut partition, events)| {
                    let n = apply_all(&mut partition, events, taken);
                    (n, partition)
                },
                BatchSize::LargeInput,
            );
        });
    }
    group.finish();
}

criterion_group!(benches, aggregate);
criterion_main!(benches);
