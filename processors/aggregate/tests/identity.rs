//! Which shipment of its unit an event belongs to.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod story;

use sha2::{Digest, Sha256};
use story::{DAY, HOUR, Log, Outcome, apply, changed, event};
use waybill_aggregate::{Partition, Settings};
use waybill_schemas::vocabulary::{Classifier, Milestone, ReferenceKind};
use waybill_schemas::{EnrichedEvent, Reference};

const UNIT: &str = "acme/CSQU3054383";
/// 2026-01-20
const BEGIN: i64 = 1_768_867_200_000;

/// Event `n` of the unit, `days` after the beginning, naming `documents`: `B1` is a booking, `L1` a
/// bill of lading, `P1` a purchase order.
fn of_unit(n: u32, milestone: Milestone, days: i64, documents: &str) -> EnrichedEvent {
    let at = BEGIN + days * DAY;
    let mut event = event(UNIT, n, Classifier::Actual, milestone, "CNSHA", at);
    event.event.references = documents
        .split_whitespace()
        .map(|number| Reference {
            kind: match number.as_bytes()[0] {
                b'B' => ReferenceKind::Booking,
                b'L' => ReferenceKind::BillOfLading,
                _ => ReferenceKind::PurchaseOrder,
            },
            value: number.into(),
        })
        .collect();
    event
}

fn hash(document: &str) -> String {
    let digest = Sha256::digest([UNIT, "/", document].concat());
    digest.iter().take(4).map(|byte| format!("{byte:02x}")).collect()
}

/// Behind the unit: the day, or the document whose hash it is.
fn shipment_of(outcome: Outcome) -> String {
    match outcome {
        Outcome::Accepted(event) => {
            let id = event.event.shipment_id.strip_prefix(UNIT).unwrap().trim_start_matches('/');
            let known = ["booking:B1", "booking:B2", "bill_of_lading:L1"];
            known
                .iter()
                .find(|document| id == hash(document))
                .map_or(id, |document| document)
                .into()
        }
        other => format!("{other:?}"),
    }
}

/// Each event and the shipment that it must belong to, in order of arrival.
#[track_caller]
fn check(events: &[(Milestone, i64, &str, &str)]) {
    let mut partition = Partition::default();
    let settings = Settings { retention_ms: 1_000 * DAY, ..Settings::default() };
    for (n, (milestone, days, documents, expect)) in (1..).zip(events) {
        let next = of_unit(n, *milestone, *days, documents);
        let found = shipment_of(apply(&mut partition, &settings, next.clone()));
        assert_eq!(found, *expect, "event {n}: {milestone:?}, day {days}, {documents}");
        // A copy belongs where the first went, whatever is known by now.
        let again = apply(&mut partition, &settings, next);
        assert!(matches!(again, Outcome::Duplicate), "event {n} again: {again:?}");
    }
}

use Milestone::{
    Delivered, Departed, Discharged, EmptyPickedUp, EmptyReturned, GateIn, GateOut, Loaded,
};

#[test]
fn a_unit_on_two_bookings_in_a_year_is_two_shipments() {
    check(&[
        (EmptyPickedUp, 0, "B1", "booking:B1"),
        (GateIn, 3, "B1", "booking:B1"),
        (Loaded, 5, "B1 L1", "booking:B1"),
        (Discharged, 35, "L1", "booking:B1"),
        (GateOut, 37, "", "booking:B1"),
        (EmptyReturned, 40, "", "booking:B1"),
        (EmptyPickedUp, 120, "B2", "booking:B2"),
        (Loaded, 125, "", "booking:B2"),
        (Discharged, 150, "L2", "booking:B2"),
        // Late: of the first, by its bill of lading or by its time.
        (Departed, 6, "L1", "booking:B1"),
        (Departed, 6, "", "booking:B1"),
        (GateIn, 122, "", "booking:B2"),
    ]);
}

#[test]
fn without_any_document_the_way_of_the_unit_tells() {
    check(&[
        (GateOut, 0, "", "2026-01-20"),
        (GateIn, 2, "", "2026-01-20"),
        (Discharged, 30, "P1", "2026-01-20"),
        (EmptyReturned, 33, "", "2026-01-20"),
        // After it came back empty it is another.
        (GateOut, 40, "", "2026-03-01"),
        // It is picked up empty before all that is known of that one.
        (EmptyPickedUp, 39, "", "2026-03-01"),
        // Between the two: silent for too long to be of either, were it later.
        (GateIn, 36, "", "2026-02-25"),
    ]);
}

#[test]
fn two_that_begin_on_one_day_are_two() {
    let mut partition = Partition::default();
    let at_hour = |n: u32, milestone, hour: i64| {
        event(UNIT, n, Classifier::Actual, milestone, "CNSHA", BEGIN + hour * HOUR)
    };
    let told = [
        (GateOut, 1, "2026-01-20"),
        (EmptyReturned, 9, "2026-01-20"),
        (GateOut, 15, "2026-01-20.2"),
        (EmptyReturned, 17, "2026-01-20.2"),
        (EmptyPickedUp, 20, "2026-01-20.3"),
        (Loaded, 12, "2026-01-20.2"),
    ];
    for (n, (milestone, hour, expect)) in (1..).zip(told) {
        let next = at_hour(n, milestone, hour);
        let found = shipment_of(apply(&mut partition, &Settings::default(), next));
        assert_eq!(found, expect, "{milestone:?}, hour {hour}");
    }
}

#[test]
fn what_the_carrier_calls_the_same_belongs_together() {
    let mut partition = Partition::default();
    let mut told = |n: u32, days, documents, id: &str, is_void: bool| {
        let mut event = of_unit(n, GateIn, days, documents);
        if is_void {
            event.event.milestone = Milestone::Withdrawn;
            event.event.withdraws = Some(id.into());
        } else {
            event.event.raw_id = Some(id.into());
        }
        shipment_of(apply(&mut partition, &Settings::default(), event))
    };
    assert_eq!(told(1, 0, "B1", "e1", false), "booking:B1");
    assert_eq!(told(2, 100, "B2", "e2", false), "booking:B2");
    // Neither time nor document would lead there.
    assert_eq!(told(3, 100, "", "e1", false), "booking:B1");
    assert_eq!(told(4, 0, "", "e2", true), "booking:B2");
    // Of the first only the later word counts, of the second nothing.
    assert_eq!(told(5, 101, "", "e3", false), "booking:B1");
}

#[test]
fn what_is_learned_later_joins_the_shipment_as_it_is() {
    check(&[
        (GateIn, 0, "", "2026-01-20"),
        (Loaded, 1, "B1", "2026-01-20"),
        (Departed, 2, "L1", "2026-01-20"),
        (Discharged, 30, "B1 L7", "2026-01-20"),
        (GateOut, 31, "L7", "2026-01-20"),
        // Another booking is another shipment, however near.
        (GateIn, 32, "B2", "booking:B2"),
        (Loaded, 33, "B2 L2", "booking:B2"),
        (Delivered, 31, "B1", "2026-01-20"),
    ]);
}

#[test]
fn after_a_long_silence_it_is_another_shipment() {
    check(&[
        (GateIn, 0, "L1", "bill_of_lading:L1"),
        (Loaded, 59, "", "bill_of_lading:L1"),
        (Discharged, 59 + 61, "", "2026-05-20"),
        // Its document says whose it is all the same.
        (GateOut, 59 + 62, "L1", "bill_of_lading:L1"),
        (GateIn, -29, "", "bill_of_lading:L1"),
        (GateIn, -60, "", "2025-11-21"),
    ]);
}

#[test]
fn a_shipment_comes_back_with_its_documents() {
    let settings = Settings::default();
    let mut partition = Partition::default();
    apply(&mut partition, &settings, of_unit(1, EmptyPickedUp, 0, "B1 L1"));
    apply(&mut partition, &settings, of_unit(2, EmptyPickedUp, 10, "B2"));
    let mut log = Log::default();
    log.write(&mut partition);
    let mut restored = log.restore(&settings, false);
    for (n, documents, days, expect) in
        [(3, "L1", 5, "booking:B1"), (4, "B2", 5, "booking:B2"), (5, "", 11, "booking:B2")]
    {
        let found =
            shipment_of(apply(&mut restored, &settings, of_unit(n, Loaded, days, documents)));
        assert_eq!(found, expect, "{documents}");
    }
    let copy = apply(&mut restored, &settings, of_unit(1, EmptyPickedUp, 0, "B1 L1"));
    assert!(matches!(copy, Outcome::Duplicate));
}

#[test]
fn a_unit_whose_shipments_have_expired_is_forgotten() {
    let settings = Settings::default();
    let mut partition = Partition::default();
    let hours = |n: u32| story::received_at(of_unit(n, GateIn, 0, "B1"), i64::from(n) * HOUR);
    apply(&mut partition, &settings, hours(1));
    let later = story::received_at(
        event("acme/booking:X", 2, Classifier::Actual, GateIn, "CNSHA", BEGIN),
        61 * DAY,
    );
    apply(&mut partition, &settings, later);
    let changed: Vec<_> =
        changed(&mut partition).into_iter().map(|(id, s)| (id, s.is_some())).collect();
    let gone = [UNIT, "/", &hash("booking:B1")].concat();
    let expect = [(gone.as_str(), false), ("acme/booking:X", true)];
    assert_eq!(changed, expect.map(|(id, alive)| (id.into(), alive)));
    assert_eq!(partition.len(), 1);
}
