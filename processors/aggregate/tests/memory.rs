//! What a partition costs in memory: 300,000 events of 15,000 shipments, as in a minute of the
//! demo, within 60 MB.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod counting;
mod story;

use counting::held;
use story::{HOUR, PLACES, apply, event, received_at};
use waybill_aggregate::{Partition, Settings};
use waybill_schemas::vocabulary::{Classifier, Milestone as M};

#[test]
fn a_partition_of_300_000_events_fits_in_60_mb() {
    let before = held();
    let mut partition = Partition::default();
    let milestones =
        [M::GateIn, M::Loaded, M::Departed, M::Arrived, M::Discharged, M::GateOut, M::Delivered];
    for n in 0..20_u32 {
        let classifier = [Classifier::Planned, Classifier::Estimated, Classifier::Actual]
            [[0, 0, 0, 1, 2, 2, 2][n as usize % 7]];
        for s in 0..15_000_u32 {
            let id = format!("acme-line/MSKU{s:07}");
            let place = PLACES[(n as usize / 4 + s as usize) % PLACES.len()].0;
            let milestone = milestones[n as usize % 7];
            let told = event(&id, n, classifier, milestone, place, i64::from(n) * HOUR);
            apply(&mut partition, &Settings::default(), received_at(told, i64::from(s)));
        }
        // As the host does: what changed is written and let go.
        assert_eq!(partition.take_changed().count(), 15_000);
    }
    let held = held() - before;
    assert_eq!((partition.len(), partition.events()), (15_000, 300_000));
    let said = partition.heap_bytes();
    println!("{held} bytes on the heap, {} an event; estimate {said}", held / 300_000);
    assert!(held < 60 << 20, "{held} bytes");
    assert!(said.abs_diff(held) < held / 5, "the estimate is {said}, in truth {held}");
}
