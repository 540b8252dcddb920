//! What the history says of an event, and of a shipment.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod story;

use story::{HOUR, NOW, Outcome, apply, event, shipment};
use waybill_aggregate::{Partition, Settings};
use waybill_schemas::vocabulary::{Classifier, Milestone as M};
use waybill_schemas::{EnrichedEvent, History, Leg, Shipment};

const P: Classifier = Classifier::Planned;
const E: Classifier = Classifier::Estimated;
const A: Classifier = Classifier::Actual;

type Told = (Classifier, M, &'static str, i64);

/// Planned from Shanghai by Singapore to Rotterdam, and on the way; times in hours.
const VOYAGE: &[Told] = &[
    (P, M::Departed, "CNSHA", 10),
    (P, M::Arrived, "SGSIN", 100),
    (P, M::Departed, "SGSIN", 120),
    (P, M::Arrived, "NLRTM", 500),
    (A, M::GateIn, "CNSHA", 1),
    (A, M::Loaded, "CNSHA", 9),
    (A, M::Departed, "CNSHA", 12),
    (A, M::Arrived, "SGSIN", 107),
];

fn events(told: &[Told]) -> Vec<EnrichedEvent> {
    told.iter()
        .zip(1..)
        .map(|((classifier, milestone, place, hours), n)| {
            event("s", n, *classifier, *milestone, place, hours * HOUR)
        })
        .collect()
}

fn state(told: &[&[Told]]) -> Shipment {
    shipment(events(&told.concat()))
}

/// The history of the last of `told`.
fn history(told: &[&[Told]]) -> History {
    let mut partition = Partition::default();
    let outcome =
        events(&told.concat()).into_iter().map(|e| apply(&mut partition, &Settings::default(), e));
    match outcome.last() {
        Some(Outcome::Accepted(event)) => event.history,
        other => panic!("{other:?}"),
    }
}

fn text<T: ToString>(code: Option<T>) -> String {
    code.map(|c| c.to_string()).unwrap_or_default()
}

#[test]
fn sequence_and_order() {
    let check = |told: &[Told], sequence: u32, revision: u64, out_of_order: bool| {
        let h = history(&[VOYAGE, told]);
        assert_eq!(
            (h.sequence, h.revision, h.out_of_order, h.aggregated_at),
            (sequence, revision, out_of_order, NOW),
            "{told:?}"
        );
    };
    check(&[(A, M::Discharged, "SGSIN", 110)], 5, 9, false);
    // Late: between gate in and loaded.
    check(&[(A, M::CustomsReleased, "CNSHA", 5)], 2, 9, true);
    check(&[(A, M::EmptyPickedUp, "CNNGB", 0)], 1, 9, true);
    // Of another classifier it is the first.
    check(&[(E, M::Arrived, "NLRTM", 510)], 1, 9, false);
    check(&[(P, M::Discharged, "NLRTM", 505)], 5, 9, false);
    // Of the same time: as they follow each other in a stay, not as they came.
    check(&[(A, M::Discharged, "SGSIN", 107)], 5, 9, false);
    check(&[(A, M::GateOut, "SGSIN", 107), (A, M::Discharged, "SGSIN", 107)], 5, 10, true);
}

#[test]
fn place_before_delay_and_dwell() {
    // Previous place, km, delay in hours, dwell in hours.
    let check = |told: &[Told], place: &str, km: f64, delay: Option<i64>, dwell: Option<i64>| {
        let h = history(&[VOYAGE, told]);
        assert_eq!(text(h.previous_unlocode), place, "{told:?}");
        assert!((h.distance_km.unwrap_or(0.0) - km).abs() < 1.0, "{told:?}: {:?}", h.distance_km);
        assert_eq!(h.delay_ms, delay.map(|d| d * HOUR), "delay of {told:?}");
        assert_eq!(h.dwell_ms, dwell.map(|d| d * HOUR), "dwell of {told:?}");
    };
    const SHA_SIN: f64 = 3_810.9;
    const SIN_RTM: f64 = 10_534.1;
    check(&[(A, M::Discharged, "SGSIN", 110)], "CNSHA", SHA_SIN, None, None);
    check(&[(A, M::Departed, "SGSIN", 130)], "CNSHA", SHA_SIN, Some(10), Some(23));
    check(&[(A, M::Arrived, "NLRTM", 480)], "SGSIN", SIN_RTM, Some(-20), None);
    // A document is no matter of place; a place that nobody knows has no distance.
    check(&[(A, M::DocumentIssued, "DEDUI", 108)], "", 0.0, None, None);
    check(&[(A, M::GateIn, "XXXXX", 200)], "SGSIN", 0.0, None, None);
    // A departure without anything before it has no dwell.
    check(&[(A, M::GateOut, "DEDUI", 200)], "SGSIN", 10_387.1, None, None);
    // A plan has neither delay nor dwell, and its own place before it.
    check(&[(P, M::GateOut, "NLRTM", 520)], "SGSIN", SIN_RTM, None, None);
    check(&[(E, M::Departed, "SGSIN", 130)], "", 0.0, None, None);
    // Without a plan: the first estimate, not the last.
    let late = [
        (E, M::Discharged, "NLRTM", 510),
        (E, M::Discharged, "NLRTM", 530),
        (A, M::Discharged, "NLRTM", 531),
    ];
    check(&late, "SGSIN", SIN_RTM, Some(21), None);
    // The plan goes before estimates, even those that came earlier.
    let planned = [
        (E, M::Discharged, "NLRTM", 510),
        (P, M::Discharged, "NLRTM", 520),
        (A, M::Discharged, "NLRTM", 531),
    ];
    check(&planned, "SGSIN", SIN_RTM, Some(11), None);
    // The plan of a call a quarter of a year later is no plan for this one.
    let other = [(P, M::Discharged, "NLRTM", 90 * 24), (A, M::Discharged, "NLRTM", 531)];
    check(&other, "SGSIN", SIN_RTM, None, None);
}

#[test]
fn lane() {
    let check = |told: &[&[Told]], origin: &str, destination: &str, border: Option<bool>| {
        let h = history(told);
        let s = state(told);
        assert_eq!(
            (text(h.origin_country), text(h.destination_country), h.crosses_border),
            (text(s.origin_country), text(s.destination_country), s.crosses_border),
            "event and shipment differ: {told:?}"
        );
        assert_eq!(text(s.origin_unlocode), origin, "origin of {told:?}");
        assert_eq!(text(s.destination_unlocode), destination, "destination of {told:?}");
        assert_eq!(s.crosses_border, border, "{told:?}");
    };
    check(&[&[(A, M::BookingConfirmed, "", 0)]], "", "", None);
    check(&[&[(A, M::DocumentIssued, "DEDUI", 0)]], "", "", None);
    check(&[&[(A, M::GateIn, "NLRTM", 0)]], "NLRTM", "NLRTM", Some(false));
    check(&[VOYAGE], "CNSHA", "NLRTM", Some(true));
    // Late at Singapore, after the planned arrival in Rotterdam: still on the way there.
    check(&[VOYAGE, &[(A, M::Departed, "SGSIN", 600)]], "CNSHA", "NLRTM", Some(true));
    // The plan ends at the port, the cargo goes on.
    let on = &[(A, M::Arrived, "NLRTM", 510), (A, M::Delivered, "DEDUI", 600)];
    check(&[VOYAGE, on], "CNSHA", "DEDUI", Some(true));
    // An estimate beyond the plan.
    check(&[VOYAGE, &[(E, M::Arrived, "DEDUI", 700)]], "CNSHA", "DEDUI", Some(true));
    // An estimate for a port of the plan later than the plan's end changes no order.
    check(&[VOYAGE, &[(E, M::Arrived, "SGSIN", 700)]], "CNSHA", "NLRTM", Some(true));
    // A container that goes back to where it came from has not arrived before it left.
    let back = &[
        (A, M::GateIn, "NLRTM", 1),
        (A, M::Departed, "NLRTM", 2),
        (A, M::Arrived, "DEDUI", 20),
        (P, M::Departed, "DEDUI", 30),
        (P, M::Arrived, "NLRTM", 60),
    ];
    check(&[back], "NLRTM", "NLRTM", Some(false));
    assert_eq!(state(&[back]).legs.len(), 2);
    assert_eq!(state(&[back]).eta, Some(60 * HOUR));
}

#[test]
fn a_country_named_by_a_message_goes_first() {
    let mut told = events(VOYAGE);
    told[2].enrichment.origin_country = Some("JP".into());
    told[5].enrichment.destination_country = Some("FR".into());
    // The word received last counts, wherever it lies in the order of occurrence.
    told[1].enrichment.destination_country = Some("BE".into());
    let s = shipment(told);
    assert_eq!((text(s.origin_country), text(s.destination_country)), ("JP".into(), "FR".into()));
    assert_eq!(text(s.destination_unlocode), "NLRTM");
}

#[test]
fn where_it_is_and_when_it_comes() {
    // Last place, what happened there, ETA in hours, delay in hours.
    let check = |told: &[Told], place: &str, what: M, eta: Option<i64>, delay: i64| {
        let s = state(&[VOYAGE, told]);
        assert_eq!(
            (text(s.last_unlocode), s.last_milestone),
            (place.into(), Some(what)),
            "{told:?}"
        );
        assert_eq!(s.eta, eta.map(|h| h * HOUR), "eta of {told:?}");
        assert_eq!(s.delay_ms, Some(delay * HOUR), "delay of {told:?}");
    };
    check(&[], "SGSIN", M::Arrived, Some(500), 7);
    check(&[(A, M::DocumentIssued, "DEDUI", 108)], "SGSIN", M::Arrived, Some(500), 7);
    // Estimates before the plan, the latest word before the others, whichever is later in time.
    check(&[(E, M::Arrived, "NLRTM", 530)], "SGSIN", M::Arrived, Some(530), 7);
    check(
        &[(E, M::Arrived, "NLRTM", 530), (E, M::Arrived, "NLRTM", 520)],
        "SGSIN",
        M::Arrived,
        Some(520),
        7,
    );
    // Arrival tells better than what follows it.
    check(
        &[(E, M::Arrived, "NLRTM", 530), (E, M::Discharged, "NLRTM", 540)],
        "SGSIN",
        M::Arrived,
        Some(530),
        7,
    );
    check(&[(A, M::Departed, "SGSIN", 119)], "SGSIN", M::Departed, Some(500), -1);
    check(&[(A, M::Arrived, "NLRTM", 501)], "NLRTM", M::Arrived, None, 1);
    // Late news of an earlier time moves nothing.
    check(&[(A, M::Inspected, "CNNGB", 2)], "SGSIN", M::Arrived, Some(500), 7);
}

#[test]
fn legs_and_dwells() {
    let show = |s: &Shipment| -> Vec<String> {
        let hours = |t: Option<i64>| t.map_or("-".into(), |t| (t / HOUR).to_string());
        let leg = |l: &Leg| {
            format!(
                "{} {}/{} {} {}/{} {:.0}",
                l.from_unlocode,
                hours(l.departed_at),
                hours(l.planned_departure_at),
                l.to_unlocode,
                hours(l.arrived_at),
                hours(l.planned_arrival_at),
                l.distance_km.unwrap_or(-1.0)
            )
        };
        s.legs.iter().map(leg).collect()
    };
    let check = |told: &[&[Told]], legs: &[&str], dwells: &[(&str, i64, i64)], km: f64| {
        let s = state(told);
        assert_eq!(show(&s), legs, "{told:?}");
        let got: Vec<_> = s
            .dwells
            .iter()
            .map(|d| (d.unlocode.to_string(), d.from / HOUR, d.until / HOUR))
            .collect();
        let expect: Vec<_> = dwells.iter().map(|(p, a, b)| (p.to_string(), *a, *b)).collect();
        assert_eq!(got, expect, "{told:?}");
        assert!((s.distance_km - km).abs() < 1.0, "{told:?}: {} km", s.distance_km);
    };
    // Only a plan.
    check(
        &[&VOYAGE[..4]],
        &["CNSHA -/10 SGSIN -/100 3811", "SGSIN -/120 NLRTM -/500 10534"],
        &[],
        0.0,
    );
    // Under way: one leg travelled, one to come.
    check(
        &[VOYAGE],
        &["CNSHA 12/10 SGSIN 107/100 3811", "SGSIN -/120 NLRTM -/500 10534"],
        &[("CNSHA", 1, 12)],
        3_810.9,
    );
    // It arrived when it arrived, not when it was discharged.
    check(
        &[VOYAGE, &[(A, M::Discharged, "SGSIN", 110)]],
        &["CNSHA 12/10 SGSIN 107/100 3811", "SGSIN -/120 NLRTM -/500 10534"],
        &[("CNSHA", 1, 12), ("SGSIN", 107, 110)],
        3_810.9,
    );
    // At sea: the leg to come has its departure.
    check(
        &[VOYAGE, &[(A, M::Departed, "SGSIN", 130)]],
        &["CNSHA 12/10 SGSIN 107/100 3811", "SGSIN 130/120 NLRTM -/500 10534"],
        &[("CNSHA", 1, 12), ("SGSIN", 107, 130)],
        3_810.9,
    );
    // A port of the plan was left out: nothing is to come.
    check(
        &[VOYAGE, &[(A, M::Arrived, "DEDUI", 300), (A, M::Discharged, "NLRTM", 510)]],
        &[
            "CNSHA 12/10 SGSIN 107/100 3811",
            "SGSIN -/120 DEDUI 300/- 10387",
            "DEDUI -/- NLRTM 510/500 164",
        ],
        &[("CNSHA", 1, 12)],
        14_362.2,
    );
    // No plan, and a place between that is not known.
    check(
        &[&[(A, M::Departed, "BEANR", 1), (A, M::GateIn, "XXXXX", 5), (A, M::Arrived, "NLRTM", 9)]],
        &["BEANR 1/- XXXXX 5/- -1", "XXXXX -/- NLRTM 9/- -1"],
        &[],
        0.0,
    );
}

#[test]
fn finished() {
    let check = |told: &[Told], expect: bool| {
        assert_eq!(state(&[VOYAGE, told]).finished, expect, "{told:?}");
    };
    check(&[], false);
    check(&[(P, M::Delivered, "DEDUI", 600)], false);
    check(&[(A, M::Delivered, "DEDUI", 600)], true);
    check(&[(A, M::EmptyReturned, "NLRTM", 600)], true);
    // The next trip of the same container.
    check(&[(A, M::EmptyReturned, "NLRTM", 600), (A, M::EmptyPickedUp, "NLRTM", 700)], false);
    // Its start, told late.
    check(&[(A, M::EmptyReturned, "NLRTM", 600), (A, M::EmptyPickedUp, "CNSHA", 0)], true);
    // Out of the gate at the destination, after discharge there.
    let port = (A, M::Discharged, "NLRTM", 510);
    check(&[port], false);
    check(&[port, (A, M::GateOut, "NLRTM", 520)], true);
    check(&[port, (A, M::GateOut, "NLRTM", 520), (E, M::Delivered, "DEDUI", 530)], false);
    check(&[port, (A, M::GateOut, "NLRTM", 520), (A, M::GateIn, "DEDUI", 530)], false);
    check(&[(A, M::GateOut, "NLRTM", 520)], false);
    check(&[(A, M::GateIn, "NLRTM", 505), (A, M::GateOut, "NLRTM", 520)], false);
    check(&[(A, M::Discharged, "SGSIN", 110), (A, M::GateOut, "SGSIN", 120)], false);
}

#[test]
fn of_several_units_the_first_by_alphabet() {
    let unit = |number: &str| waybill_schemas::Equipment {
        number: number.into(),
        iso_type: None,
        empty: None,
    };
    let mut told = events(VOYAGE);
    told[1].event.equipment = Some(unit("MSKU0000006"));
    told[2].event.equipment = Some(unit("CSQU3054383"));
    told[3].event.equipment = Some(unit("TCLU4265798"));
    assert_eq!(shipment(told).equipment.as_deref(), Some("CSQU3054383"));
}

/// Event `n` under the carrier's own id of it.
fn with_id(n: u32, id: &str, told: Told) -> EnrichedEvent {
    let (classifier, milestone, place, hours) = told;
    let mut event = event("s", n, classifier, milestone, place, hours * HOUR);
    event.event.raw_id = Some(id.into());
    event
}

/// That the event which the carrier calls `id` is void.
fn void(n: u32, id: &str) -> EnrichedEvent {
    let mut event = event("s", n, A, M::Withdrawn, "NLRTM", 999 * HOUR);
    event.event.withdraws = Some(id.into());
    event
}

#[test]
fn what_is_void_is_no_part_of_the_history() {
    let plan = with_id(1, "p", (P, M::Arrived, "NLRTM", 500));
    let late = with_id(2, "a", (A, M::Arrived, "NLRTM", 510));
    let right = with_id(3, "a", (A, M::Arrived, "NLRTM", 503));
    let check = |events: &[&EnrichedEvent], told: &[i64], delay: Option<i64>, place: &str| {
        let state = shipment(events.iter().map(|e| (*e).clone()));
        // Of what is told, the last that happened: all but the plan.
        let last = told.iter().rfind(|hours| **hours != 500).map(|hours| hours * HOUR);
        assert_eq!(state.last_occurred_at, last);
        assert_eq!(state.delay_ms, delay.map(|hours| hours * HOUR));
        assert_eq!(text(state.last_unlocode), place);
        assert_eq!(state.revision, events.len() as u64);
    };
    check(&[&plan, &late], &[500, 510], Some(10), "NLRTM");
    // Sent anew: the later word counts, whichever arrives first.
    check(&[&plan, &late, &right], &[500, 503], Some(3), "NLRTM");
    check(&[&plan, &right, &late], &[500, 503], Some(3), "NLRTM");
    // Declared void, before or after it comes, and whatever comes under its id.
    check(&[&plan, &late, &void(4, "a")], &[500], None, "");
    check(&[&plan, &void(4, "a"), &late, &right], &[500], None, "");
    check(&[&plan, &late, &void(4, "p")], &[510], None, "NLRTM");
    // Another id, or none.
    check(&[&plan, &late, &void(4, "b")], &[500, 510], Some(10), "NLRTM");
    let without = event("s", 5, A, M::Arrived, "NLRTM", 510 * HOUR);
    check(&[&plan, &without, &void(4, "a")], &[500, 510], Some(10), "NLRTM");
    // Two events of one message under one id are two.
    let twin = story::received_at(with_id(6, "a", (A, M::Discharged, "NLRTM", 512)), 2 * HOUR);
    check(&[&plan, &late, &twin], &[500, 510, 512], Some(10), "NLRTM");
    check(&[&plan, &late, &twin, &right], &[500, 503], Some(3), "NLRTM");
}

#[test]
fn what_is_void_has_no_delay_and_changes_no_order() {
    let mut partition = Partition::default();
    let mut told = |event| match apply(&mut partition, &Settings::default(), event) {
        Outcome::Accepted(event) => event.history,
        other => panic!("{other:?}"),
    };
    told(with_id(1, "p", (P, M::Arrived, "NLRTM", 500)));
    assert_eq!(told(with_id(3, "a", (A, M::Arrived, "NLRTM", 503))).delay_ms, Some(3 * HOUR));
    let older = told(with_id(2, "a", (A, M::Arrived, "NLRTM", 490)));
    assert_eq!((older.delay_ms, older.sequence, older.out_of_order), (None, 1, true));
    let newer = told(with_id(4, "a", (A, M::Arrived, "NLRTM", 504)));
    assert_eq!((newer.delay_ms, newer.sequence, newer.out_of_order), (Some(4 * HOUR), 1, false));
}
