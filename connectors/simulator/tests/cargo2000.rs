//! Cargo 2000, told in ONE Record and read by the format: each milestone of each leg is as late as the
//! file's own durations say.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use waybill_formats::{Draft, Parts, find};
use waybill_identifiers::air_waybill;
use waybill_schemas::vocabulary::{Classifier, Milestone};
use waybill_simulator::cargo2000::{self, BASE_MS, MEDIA_TYPE, leg_of, place_of, shipments};

fn first_half() -> Option<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/cargo2000");
    if !folder.is_dir() {
        println!("skipped: {}: ../shared is absent", std::thread::current().name().unwrap_or("?"));
        return None;
    }
    Some(std::fs::read_to_string(folder.join("first_half.csv")).unwrap())
}

fn drafts(payload: &[u8]) -> Vec<Draft> {
    let mut parts = Parts::default();
    find(MEDIA_TYPE).unwrap().read(payload, &mut parts).expect("a graph with events");
    parts.take().map(|(_, part)| part.expect("a good event")).collect()
}

/// By leg, milestone, place and how often it came before: minutes from planned to actual.
type Lateness = BTreeMap<(u32, &'static str, u32, usize), i64>;

const MILESTONES: [(&str, Milestone); 4] = [
    ("RCS", Milestone::Accepted),
    ("DEP", Milestone::Departed),
    ("RCF", Milestone::Received),
    ("DLV", Milestone::Delivered),
];

/// From the events alone: the waybill, the milestone, the airport, the classifier and the time.
fn told(drafts: &[Draft], into: &mut Lateness) {
    let mut counted: HashMap<(Classifier, &str), usize> = HashMap::new();
    let mut times: BTreeMap<(u32, &str, u32, usize), [Option<i64>; 2]> = BTreeMap::new();
    for draft in drafts {
        let document = draft.document.as_ref().unwrap();
        assert_eq!(document.kind, "air_waybill");
        assert!(air_waybill::is_valid(&document.number) && draft.notes.is_empty());
        let leg = leg_of(&document.number).unwrap();
        let code = draft.raw_code.strip_prefix("FSU/").unwrap();
        let (code, milestone) = *MILESTONES.iter().find(|m| m.0 == code).unwrap();
        assert_eq!(draft.milestone, milestone);
        let place = place_of(draft.place.as_ref().unwrap().iata.as_deref().unwrap()).unwrap();
        let n = counted.entry((draft.classifier, code)).or_default();
        *n += 1;
        let which = match draft.classifier {
            Classifier::Planned => 0,
            Classifier::Actual => 1,
            Classifier::Estimated => panic!("an estimate"),
        };
        assert_eq!(draft.occurred.offset_minutes, Some(0));
        let time = &mut times.entry((leg, code, place, *n)).or_default()[which];
        assert!(time.replace(draft.occurred.utc_or_wall_ms()).is_none());
    }
    for (key, [planned, actual]) in times {
        let late = actual.unwrap() - planned.unwrap();
        assert_eq!(late % 60_000, 0);
        assert!(into.insert(key, late / 60_000).is_none(), "{key:?}");
    }
}

/// From the columns of the file by their names, without the module that is tested.
fn stated(csv: &str) -> Lateness {
    let mut lines = csv.lines();
    let header: Vec<&str> = lines.next().unwrap().split(',').collect();
    let mut lateness = Lateness::new();
    for line in lines {
        let row: HashMap<&str, i64> =
            header.iter().copied().zip(line.split(',').map(|n| n.parse().unwrap())).collect();
        for leg in ["i1", "i2", "i3", "o"] {
            let of = |name: &str| row[format!("{leg}_{name}").as_str()];
            let place = |name: &str| u32::try_from(of(name)).unwrap();
            let Ok(id @ 1..) = u32::try_from(of("legid")) else { continue };
            let mut late = of("rcs_e") - of("rcs_p");
            lateness.insert((id, "RCS", place("dep_1_place"), 1), late);
            let hops = usize::try_from(of("hops")).unwrap();
            for n in 1..=hops {
                for (code, step) in [("DEP", "dep"), ("RCF", "rcf")] {
                    late += of(&format!("{step}_{n}_e")) - of(&format!("{step}_{n}_p"));
                    lateness.insert((id, code, place(&format!("{step}_{n}_place")), n), late);
                }
            }
            late += of("dlv_e") - of("dlv_p");
            lateness.insert((id, "DLV", place(&format!("rcf_{hops}_place")), 1), late);
        }
    }
    lateness
}

#[test]
fn every_milestone_of_every_leg_is_as_late_as_the_file_says() {
    let Some(csv) = first_half() else { return };
    let shipments = shipments(&csv).unwrap();
    assert_eq!(shipments.len(), 1_971);
    let mut from_messages = Lateness::new();
    let mut from_module = Lateness::new();
    let mut messages = 0;
    let mut events = 0;
    for shipment in &shipments {
        for (leg, payload) in shipment.messages(BASE_MS) {
            let drafts = drafts(&payload);
            messages += 1;
            events += drafts.len();
            assert_eq!(drafts.len(), 2 * leg.steps.len());
            told(&drafts, &mut from_messages);
            for reached in leg.milestones() {
                let n = if reached.code == "DLV" { 1 } else { reached.segment };
                from_module.insert((leg.id, reached.code, reached.place, n), reached.late());
            }
        }
    }
    let stated = stated(&csv);
    assert_eq!(messages, 5_981);
    assert_eq!(events, 2 * stated.len());
    assert_eq!(from_module, stated);
    assert_eq!(from_messages, stated);
    // Not everything is on time, so that the comparison is of something.
    let late = stated.values().filter(|late| **late > 0).count();
    assert!(late > 1_000 && late < stated.len() - 1_000, "{late} of {}", stated.len());
}

/// The first row of the file, by hand: leg 5182 was received 19 minutes late, departed 5 more, came in
/// 199 minutes earlier than that, and was delivered 699 minutes later than planned from there.
#[test]
fn the_first_leg_by_hand() {
    let Some(csv) = first_half() else { return };
    let shipments = shipments(&csv).unwrap();
    let first = &shipments[0];
    assert_eq!(first.legs.iter().map(|leg| leg.id).collect::<Vec<_>>(), [5182, 573, 10121]);
    let late: Vec<_> = first.legs[0].milestones().map(|r| (r.code, r.place, r.late())).collect();
    assert_eq!(late, [("RCS", 609, 19), ("DEP", 609, 24), ("RCF", 256, -175), ("DLV", 256, 524)]);
    let (_, payload) = first.messages(BASE_MS).next().unwrap();
    let drafts = drafts(&payload);
    let minutes: Vec<_> = drafts
        .iter()
        .map(|d| (d.classifier.as_str(), (d.occurred.wall_ms - BASE_MS) / 60_000))
        .collect();
    assert_eq!(
        minutes,
        [
            ("planned", 199),
            ("actual", 218),
            ("planned", 409),
            ("actual", 433),
            ("planned", 1344),
            ("actual", 1169),
            ("planned", 2184),
            ("actual", 2708),
        ]
    );
    // The outbound leg begins when the last inbound one has ended: 573, which took longer than 5182.
    let (leg, payload) = first.messages(BASE_MS).last().unwrap();
    assert_eq!(leg.id, 10121);
    let received = &self::drafts(&payload)[1];
    let begins = 2880 + 696 + 515 + 1280;
    assert_eq!((received.occurred.wall_ms - BASE_MS) / 60_000, begins + 7559);
}

#[test]
fn one_message_is_a_leg() {
    let Some(csv) = first_half() else { return };
    let shipments = shipments(&csv).unwrap();
    let sizes = shipments.iter().flat_map(|s| s.messages(BASE_MS)).map(|(_, m)| m.len());
    // A sealed event has at most 900,000 bytes.
    assert!(sizes.max().unwrap() < 16 * 1024);
    let again = cargo2000::shipments(&csv).unwrap();
    assert!(again[7].messages(BASE_MS).eq(shipments[7].messages(BASE_MS)));
}
