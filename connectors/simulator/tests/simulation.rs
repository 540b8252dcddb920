//! What the simulation promises: the same bytes for the same seed, payloads that the format reads
//! (or rejects with the promised code), shares, and journeys as they happen.

// clippy.toml lets tests unwrap, but not the functions beside them.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use std::collections::{BTreeMap, HashMap, HashSet};

use sha2::{Digest, Sha256};
use waybill_formats::{Draft, Parts, find};
use waybill_identifiers::{imo, iso6346};
use waybill_schemas::vocabulary::{Classifier, Milestone, ReferenceKind};
use waybill_simulator::{
    AGAIN_WITHIN, Again, Bad, Config, Kind, Level, Message, Simulation, Truth,
};
use waybill_stage::Code;

const START: i64 = 1_764_000_000_000; // 2025-11-24T16:00:00Z
const DAY: i64 = 24 * 3_600_000;

fn config() -> Config {
    Config { seed: 7, containers_per_carrier: 60, start_ms: START, ..Config::default() }
}

fn messages(config: Config, n: usize) -> Vec<Message> {
    Simulation::new(config).unwrap().take(n).collect()
}

fn hash(messages: &[Message]) -> String {
    let mut hash = Sha256::new();
    for m in messages {
        let head =
            format!("{} {} {} {:?} {}", m.carrier, m.handle, m.message_id, m.kind, m.comes_again);
        hash.update(head);
        hash.update(&m.payload);
    }
    hash.finalize().iter().map(|b| format!("{b:02x}")).collect()
}

/// What the format makes of a message; `Err` is the reject's code.
fn read(message: &Message) -> Result<Draft, Code> {
    let format = find(message.media_type).map_err(|reject| reject.code)?;
    let mut parts = Parts::default();
    format.read(&message.payload, &mut parts).map_err(|reject| reject.code)?;
    let mut parts: Vec<_> = parts.take().collect();
    assert_eq!(parts.len(), 1, "one event a message");
    parts.remove(0).1.map_err(|reject| reject.code)
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let first = messages(config(), 3_000);
    assert!(first == messages(config(), 3_000));
    assert!(first != messages(Config { seed: 8, ..config() }, 3_000));
    assert!(first != messages(Config { start_ms: START + 60_000, ..config() }, 3_000));
}

/// Fails when the bytes change, meant or not: figures of two releases are then not comparable.
#[test]
fn golden() {
    assert_eq!(
        hash(&messages(config(), 20_000)),
        "75916f0ef2977eda1aacddd99a6ccd983006911d5650294b387ed025976931ee"
    );
}

#[test]
fn good_payloads_are_read_and_bad_ones_get_their_code() {
    let config = Config { bad_share: 0.3, ..config() };
    let mut seen: BTreeMap<&str, u32> = BTreeMap::new();
    for message in messages(config, 30_000) {
        let text = String::from_utf8_lossy(&message.payload);
        match message.kind {
            Kind::Bad(bad) if bad.level() == Level::Payload => {
                *seen.entry(bad.expected_code()).or_default() += 1;
                match (bad, read(&message)) {
                    // The receipt time is validate's to know.
                    (Bad::InFuture, Ok(draft)) => {
                        assert_eq!(draft.classifier, Classifier::Actual);
                        assert!(draft.occurred.utc_or_wall_ms() > START + 20 * DAY, "{text}");
                    }
                    (_, Ok(_)) => panic!("{bad:?} was read: {text}"),
                    (_, Err(code)) => assert_eq!(code.as_str(), bad.expected_code(), "{text}"),
                }
            }
            _ => {
                let draft = read(&message).unwrap_or_else(|code| panic!("{code:?}: {text}"));
                assert!((300..1100).contains(&text.len()), "{}: {text}", text.len());
                assert!(draft.occurred.offset_minutes.is_some(), "offsets are stated");
                assert!(draft.milestone != Milestone::Other, "{text}");
                if draft.classifier == Classifier::Actual {
                    assert!(draft.occurred.utc_or_wall_ms() < START, "has happened: {text}");
                    assert!(draft.occurred.utc_or_wall_ms() > START - 200 * DAY, "{text}");
                }
                assert!(draft.created_at.unwrap() < START, "was recorded: {text}");
                let has = |kind| draft.references.iter().any(|r| r.kind == kind);
                assert!(has(ReferenceKind::Booking) || has(ReferenceKind::TransportDocument));
                let imo = draft.transport.and_then(|t| t.vessel_imo);
                assert!(imo.is_none_or(|number| imo::is_valid(&number)), "{text}");
            }
        }
    }
    assert_eq!(seen.len(), 5, "{seen:?}");
    assert!(seen.values().all(|n| *n > 100), "{seen:?}");
}

/// The required fields of TNT_v2.2.0-resolved.yaml, independently of what our format is so kind
/// as to read.
#[test]
fn required_fields_of_the_standard() {
    for message in messages(Config { bad_share: 0.0, ..config() }, 5_000) {
        let event: serde_json::Value = serde_json::from_slice(&message.payload).unwrap();
        let mut required = vec![
            "/eventID",
            "/eventCreatedDateTime",
            "/eventType",
            "/eventClassifierCode",
            "/eventDateTime",
        ];
        let call = ["/transportCall/transportCallID", "/transportCall/modeOfTransport"];
        match event["eventType"].as_str().unwrap() {
            "SHIPMENT" => {
                required.extend(["/shipmentEventTypeCode", "/documentID", "/documentTypeCode"]);
                assert_eq!(event["eventDateTime"], event["eventCreatedDateTime"]);
            }
            "TRANSPORT" => {
                required.push("/transportEventTypeCode");
                required.extend(call);
            }
            "EQUIPMENT" => {
                required.extend(["/equipmentEventTypeCode", "/emptyIndicatorCode"]);
                required.extend(call);
            }
            other => panic!("{other}"),
        }
        for pointer in required {
            let text = event.pointer(pointer).and_then(|v| v.as_str());
            assert!(text.is_some_and(|t| !t.is_empty()), "{pointer} in {event}");
        }
        if event.pointer("/transportCall/vessel").is_some() {
            assert!(event.pointer("/transportCall/vessel/vesselIMONumber").is_some());
        }
    }
}

#[test]
fn shares_are_kept_and_the_truth_adds_up() {
    let config =
        Config { bad_share: 0.05, duplicate_share: 0.04, containers_per_carrier: 200, ..config() };
    let n = 100_000;
    let all = messages(config, n);
    let mut truth = Truth::default();
    all.iter().for_each(|m| truth.count(m));
    let total = truth.total();
    assert_eq!(total.published, n as u64);
    assert_eq!(total.published, total.events + total.duplicates + total.rejected());
    let near = |count: u64, share: f64| (count as f64 / n as f64 - share).abs() < 0.004;
    assert!(near(total.rejected(), 0.05), "{total:?}");
    assert!(near(total.duplicates, 0.04), "{total:?}");
    assert!(total.rejects["oversize"] <= 3, "{total:?}");
    // malformed has two kinds; every other code one
    assert_eq!(total.rejects.len(), Bad::ALL.len() - 1);
    let published: Vec<_> = truth.by_carrier.values().map(|c| c.published).collect();
    assert_eq!(published.len(), 5);
    assert!(published.is_sorted_by(|a, b| a > b), "unequal: {published:?}");
    for code in total.rejects.keys() {
        assert!(code.parse::<Code>().is_ok(), "{code} is a code");
    }
}

#[test]
fn none_bad_and_none_again_if_so_configured() {
    let config = Config { bad_share: 0.0, duplicate_share: 0.0, ..config() };
    assert!(messages(config, 5_000).iter().all(|m| m.kind == Kind::Good && !m.comes_again));
}

#[test]
fn copies_come_after_the_first_soon_and_say_the_same() {
    let config = Config { duplicate_share: 0.2, ..config() };
    let mut first: HashMap<String, (usize, Message)> = HashMap::new();
    let mut announced = HashSet::new();
    let all = messages(config, 20_000);
    for (n, message) in all.iter().enumerate() {
        let id = &message.message_id;
        assert!(id.len() <= 64);
        assert!(id.bytes().all(|b| b.is_ascii_alphanumeric() || b"._:-".contains(&b)), "{id}");
        if message.comes_again {
            assert_eq!(message.kind, Kind::Good);
            announced.insert(id.clone());
        }
        let Kind::Duplicate(again) = message.kind else {
            assert!(first.insert(id.clone(), (n, message.clone())).is_none(), "{id} is unique");
            continue;
        };
        let (at, original) = &first[id];
        assert!(n - at <= AGAIN_WITHIN, "{} messages later", n - at);
        assert_eq!(announced.remove(id), again == Again::SameBytes, "{id}");
        let expect = Message { kind: message.kind, comes_again: false, ..original.clone() };
        assert_eq!(*message, expect);
    }
    assert!(announced.len() < AGAIN_WITHIN, "all but the last ones came: {}", announced.len());
}

#[test]
fn one_handle_is_one_container_of_one_carrier_and_tells_nothing() {
    let mut containers: HashMap<(usize, String), String> = HashMap::new();
    let mut wrong_digits = HashSet::new();
    for message in messages(Config { bad_share: 0.0, ..config() }, 60_000) {
        let event: serde_json::Value = serde_json::from_slice(&message.payload).unwrap();
        let container = event["references"][0]["referenceValue"].as_str().unwrap().to_owned();
        assert!(!message.handle.contains(&container[4..10]), "{}", message.handle);
        let own = event["equipmentReference"].as_str();
        assert!(own.is_none_or(|number| number == container));
        if iso6346::verdict(&container) == iso6346::Verdict::CheckDigit {
            wrong_digits.insert(container.clone());
        }
        let key = (message.carrier, message.handle);
        let known = containers.entry(key).or_insert_with(|| container.clone());
        assert_eq!(*known, container);
    }
    let numbers: HashSet<_> = containers.values().collect();
    assert_eq!(numbers.len(), containers.len(), "no container is used twice");
    let share = wrong_digits.len() as f64 / numbers.len() as f64;
    assert!((0.0005..0.015).contains(&share), "{share} of {}", numbers.len());
}

/// Everything one container reports, in the order it is sent.
fn journeys(n: usize) -> Vec<Vec<Draft>> {
    let config =
        Config { bad_share: 0.0, duplicate_share: 0.0, containers_per_carrier: 20, ..config() };
    let mut by_handle: BTreeMap<String, Vec<Draft>> = BTreeMap::new();
    for message in messages(config, n) {
        by_handle.entry(message.handle.clone()).or_default().push(read(&message).unwrap());
    }
    by_handle.into_values().collect()
}

#[test]
fn journeys_are_plausible() {
    use Milestone::*;
    let journeys = journeys(60_000);
    let finished: Vec<_> = journeys
        .iter()
        .filter(|drafts| drafts.iter().any(|d| d.milestone == EmptyReturned))
        .collect();
    assert!(finished.len() > 1_000, "{}", finished.len());
    let (mut events, mut overtaken, mut late, mut borders) = (0, 0, 0, 0);
    for drafts in &finished {
        events += drafts.len();
        assert!((14..=50).contains(&drafts.len()), "{} events", drafts.len());
        late += usize::from(drafts.iter().any(|d| !d.exceptions.is_empty()));

        let mut actual: Vec<_> =
            drafts.iter().filter(|d| d.classifier == Classifier::Actual).collect();
        let created: Vec<_> = drafts.iter().map(|d| d.created_at.unwrap()).collect();
        overtaken += created.windows(2).filter(|pair| pair[0] > pair[1]).count();
        assert!(created.iter().all(|c| START - c < 150 * DAY));

        actual.sort_by_key(|d| d.occurred.utc_or_wall_ms());
        let happened: Vec<_> = actual.iter().map(|d| d.milestone).collect();
        assert_eq!(happened[0], BookingConfirmed);
        assert_eq!(happened[1..3], [EmptyPickedUp, GateIn], "{happened:?}");
        let end = &happened[happened.len() - 3..];
        assert_eq!(end, [Discharged, GateOut, EmptyReturned]);
        let count = |m| happened.iter().filter(|h| **h == m).count();
        assert_eq!(count(Loaded), count(Discharged));
        assert!((1..=2).contains(&count(Loaded)));
        assert!(count(Departed) >= count(Loaded));
        // The ship leaves with the container, and arrives before it is discharged.
        let mut on_board = false;
        for milestone in happened {
            match milestone {
                Loaded => assert!(!std::mem::replace(&mut on_board, true)),
                Discharged => assert!(std::mem::replace(&mut on_board, false)),
                Departed => assert!(on_board),
                GateIn | GateOut | EmptyPickedUp | EmptyReturned => assert!(!on_board),
                _ => {}
            }
        }
        for planned in drafts.iter().filter(|d| d.classifier == Classifier::Planned) {
            let same = actual.iter().find(|d| {
                d.milestone == planned.milestone
                    && d.place.as_ref().unwrap().unlocode
                        == planned.place.as_ref().unwrap().unlocode
            });
            let same = same.expect("what was planned happens");
            let delay = same.occurred.utc_or_wall_ms() - planned.occurred.utc_or_wall_ms();
            assert!(delay.abs() < 30 * DAY, "{delay}");
        }
        let country =
            |d: &Draft| d.place.as_ref().unwrap().unlocode.as_ref().unwrap()[..2].to_owned();
        borders += usize::from(country(actual[1]) != country(actual[actual.len() - 1]));
    }
    let mean = events as f64 / finished.len() as f64;
    assert!((18.0..30.0).contains(&mean), "{mean} events a journey");
    let share = overtaken as f64 / events as f64;
    assert!((0.01..0.08).contains(&share), "{share} overtaken");
    assert!(late * 10 > finished.len() && late < finished.len(), "{late} late");
    assert!(borders * 10 > finished.len() * 7, "{borders} of {} cross a border", finished.len());
    // A quarter is under way: with planned arrivals and estimates that are still to come.
    let under_way = journeys.iter().filter(|drafts| {
        let future = |d: &&Draft| d.occurred.utc_or_wall_ms() > START;
        drafts.iter().any(|d| future(&d) && d.classifier != Classifier::Actual)
    });
    let share = under_way.count() as f64 / journeys.len() as f64;
    assert!((0.15..0.35).contains(&share), "{share} under way");
}

#[test]
fn what_cannot_be_simulated_is_refused() {
    let refused = [
        Config { carriers: 0, ..config() },
        Config { carriers: 13, ..config() },
        Config { containers_per_carrier: 0, ..config() },
        Config { containers_per_carrier: 1_000_000, ..config() },
        Config { bad_share: -0.1, ..config() },
        Config { bad_share: f64::NAN, ..config() },
        Config { bad_share: 0.5, duplicate_share: 0.5, ..config() },
        Config { start_ms: -1, ..config() },
        Config { start_ms: i64::MAX, ..config() },
    ];
    for config in refused {
        assert!(Simulation::new(config.clone()).is_err(), "{config:?}");
    }
    let config = Config { carriers: 12, containers_per_carrier: 1, ..config() };
    let ids: Vec<_> = Simulation::new(config).unwrap().carriers().map(|c| c.id).collect();
    assert_eq!(ids.iter().collect::<HashSet<_>>().len(), 12);
}
