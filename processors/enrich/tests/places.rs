//! Every one of the world's 1,000 largest cities, its 500 largest ports and its 300 airports with
//! the most cargo, as a message names them: 99 % have to be found within 50 km, on their clock, and
//! none elsewhere. `tests/places/make.py` makes the tables; data/SOURCES.md names the sources.
//!
//! Independent of what finds the places: the cities (SimpleMaps' names and coordinates), the
//! airports (ACI's cities, the airports' coordinates). Of the ports the coordinates, but not the
//! names: the World Port Index also says how large a harbour is and how charts call it, and where
//! one lies that UN/LOCODE has no coordinates of. Zones are those of the coordinates.

#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use jiff::civil::DateTime;
use waybill_enrich::Enrich;
use waybill_schemas::vocabulary::{Classifier, Milestone, PlaceSource, TimePrecision, ZoneQuality};
use waybill_schemas::{Enrichment, EventId, OccurrenceTime, Place, Provenance, ShipmentEvent};
use waybill_stage::{Context, Stage};

/// By the wall clock.
const WINTER: DateTime = jiff::civil::datetime(2026, 1, 20, 14, 15, 0, 0);
const SUMMER: DateTime = jiff::civil::datetime(2026, 7, 20, 14, 15, 0, 0);

fn in_zone(wall: DateTime, zone: &str) -> i64 {
    wall.in_tz(zone).unwrap().timestamp().as_millisecond()
}

fn enrich(place: Place, wall: DateTime) -> Enrichment {
    static STAGE: std::sync::LazyLock<Enrich> = std::sync::LazyLock::new(Enrich::default);
    let event = ShipmentEvent {
        provenance: Arc::new(Provenance::default()),
        position: 1,
        event_id: EventId([7; 16]),
        shipment_id: "acme/1".into(),
        milestone: Milestone::Arrived,
        classifier: Classifier::Actual,
        raw_code: "AR".into(),
        raw_id: None,
        occurred: OccurrenceTime::wall(in_zone(wall, "UTC"), TimePrecision::Minute),
        created_at: None,
        references: vec![],
        equipment: None,
        place: Some(place),
        transport: None,
        exceptions: vec![],
        customs: None,
        quantities: vec![],
        remark: None,
        readings: vec![],
        withdraws: None,
        notes: vec![],
        notes_about: vec![],
        validated_at: 1,
    };
    let mut outputs = waybill_stage::Outputs::default();
    STAGE.apply(&Context::at(0), event, &mut outputs).unwrap();
    outputs.emitted.remove(0).enrichment
}

/// A line of a table.
struct Row {
    city: &'static str,
    state: &'static str,
    country: &'static str,
    latitude: f64,
    longitude: f64,
    zone: &'static str,
    /// Of the same place, in the same table.
    other_names: Vec<&'static str>,
}

fn rows(table: &'static str) -> Vec<Row> {
    let read = |line: &'static str| {
        let mut fields = line.split('\t');
        let mut next = || fields.next().unwrap();
        Row {
            city: next(),
            state: next(),
            country: next(),
            latitude: next().parse().unwrap(),
            longitude: next().parse().unwrap(),
            zone: next(),
            other_names: next().split(';').filter(|name| !name.is_empty()).collect(),
        }
    };
    table.lines().map(read).collect()
}

fn city(city: &str, state: &str, country: &str) -> Place {
    let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    Place { city: text(city), region: text(state), country: text(country), ..Place::default() }
}

fn km(a: (f64, f64), b: (f64, f64)) -> f64 {
    let (lat_a, lat_b) = (a.0.to_radians(), b.0.to_radians());
    let lon = (b.1 - a.1).to_radians();
    let h = ((lat_b - lat_a) / 2.0).sin().powi(2)
        + lat_a.cos() * lat_b.cos() * (lon / 2.0).sin().powi(2);
    12_742.0 * h.sqrt().asin()
}

enum Answer {
    Right,
    Unresolved,
    /// What was found instead.
    Wrong(String),
}

/// Whether a name is found where the table has it, on its clock.
fn ask(row: &Row, name: &str, state: &str) -> Answer {
    let sent = city(name, state, row.country);
    let found = enrich(sent.clone(), WINTER);
    if found.place_source == PlaceSource::None {
        return Answer::Unresolved;
    }
    let at = found.latitude.zip(found.longitude);
    let off = at.map(|at| km(at, (row.latitude, row.longitude)));
    let right_clock = found.zone_quality == ZoneQuality::FromPlace
        && [WINTER, SUMMER]
            .into_iter()
            .all(|wall| enrich(sent.clone(), wall).occurred_at == in_zone(wall, row.zone));
    if off.is_some_and(|off| off <= 50.0) && right_clock {
        return Answer::Right;
    }
    Answer::Wrong(format!(
        "{name}, {}, {}: {:?} {:?} {at:?} ({off:.0?} km), {:?} for {}",
        row.state, row.country, found.unlocode, found.place_name, found.time_zone, row.zone
    ))
}

/// Right, unresolved and wrong rows: one is asked by its name and, where that is not known, by the
/// others that the table has for it.
fn check(table: &'static str, with_state: bool) -> (usize, Vec<String>, Vec<String>) {
    let (mut right, mut unresolved, mut wrong) = (0, vec![], vec![]);
    for row in rows(table) {
        let state = if with_state { row.state } else { "" };
        let names = std::iter::once(&row.city).chain(&row.other_names);
        let mut answers = names.map(|name| ask(&row, name, state));
        match answers.find(|answer| !matches!(answer, Answer::Unresolved)) {
            Some(Answer::Right) => right += 1,
            Some(Answer::Wrong(shown)) => wrong.push(shown),
            _ => unresolved.push(format!("{}, {}, {}", row.city, row.state, row.country)),
        }
    }
    (right, unresolved, wrong)
}

#[track_caller]
fn nearly_all_right(table: &'static str, at_least: usize) {
    let (right, unresolved, wrong) = check(table, true);
    println!("{right} right\nunresolved {unresolved:#?}\nwrong {wrong:#?}");
    let all = rows(table).len();
    // Without the state fewer are sure, and still none is wrong.
    let (_, fewer, wrong_then) = check(table, false);
    println!("without the state {} unresolved\n{fewer:#?}\nwrong {wrong_then:#?}", fewer.len());
    assert!(all >= at_least && right * 100 >= all * 99, "{right} of {all}");
    assert!(wrong.is_empty() && wrong_then.is_empty(), "{wrong:#?} {wrong_then:#?}");
}

#[test]
fn the_thousand_largest_cities() {
    nearly_all_right(include_str!("places/cities.tsv"), 1000);
}

#[test]
fn the_large_and_medium_ports() {
    nearly_all_right(include_str!("places/ports.tsv"), 500);
}

#[test]
fn the_three_hundred_airports_with_the_most_cargo() {
    nearly_all_right(include_str!("places/airports.tsv"), 300);
}

/// As carriers write them, and what they mean; nothing where nobody can tell.
#[test]
fn names_mean_the_place_that_people_mean() {
    let mut wrong = vec![];
    let mut check = |sent: Place, code: &str| {
        let found = enrich(sent.clone(), WINTER);
        let zone = code.is_empty() || found.zone_quality == ZoneQuality::FromPlace;
        if found.unlocode.as_deref().unwrap_or_default() != code || !zone {
            wrong.push(format!("{sent:?}: {:?}, not {code}", found.unlocode));
        }
    };
    for (name, state, country, code) in [
        // the largest of a name, before its quarters, airports and namesakes
        ("NEW YORK", "NY", "US", "USNYC"),
        ("NEW YORK", "", "US", "USNYC"),
        ("LOS ANGELES", "CA", "US", "USLAX"),
        ("SAN FRANCISCO", "CA", "US", "USSFO"),
        ("SEATTLE", "WA", "US", "USSEA"),
        ("MIAMI", "FL", "US", "USMIA"),
        ("BALTIMORE", "MD", "US", "USBAL"),
        ("PITTSBURGH", "PA", "US", "USPIT"),
        ("MEMPHIS", "TN", "US", "USMEM"),
        ("PHOENIX", "AZ", "US", "USPHX"),
        ("LOUISVILLE", "KY", "US", "USLUI"),
        ("WASHINGTON", "DC", "US", "USWAS"),
        ("CHICAGO", "", "US", "USCHI"),
        ("QUEBEC", "QC", "CA", "CAQUE"),
        ("TORONTO", "ON", "CA", "CATOR"),
        ("TORONTO", "", "CA", "CATOR"),
        ("VANCOUVER", "BC", "CA", "CAVAN"),
        ("MELBOURNE", "", "AU", "AUMEL"),
        ("SYDNEY", "NSW", "AU", "AUSYD"),
        ("BERLIN", "", "DE", "DEBER"),
        ("HAMBURG", "", "DE", "DEHAM"),
        ("SHANGHAI", "", "CN", "CNSHA"),
        ("SHENZHEN", "", "CN", "CNSZX"),
        ("NINGBO", "", "CN", "CNNGB"),
        ("MADRID", "", "ES", "ESMAD"),
        ("MADRID", "MD", "ES", "ESMAD"),
        ("LONDON", "", "GB", "GBLON"),
        ("LONDON", "", "UK", "GBLON"),
        ("PARIS", "", "FR", "FRPAR"),
        // English, the country's own, without umlauts and with them
        ("Frankfurt", "", "DE", "DEFRA"),
        ("Frankfurt am Main", "", "DE", "DEFRA"),
        ("Frankfurt/Main", "HE", "DE", "DEFRA"),
        ("FRANKFURT AM MAIN", "", "Germany", "DEFRA"),
        ("MUNICH", "", "DE", "DEMUC"),
        ("München", "", "DE", "DEMUC"),
        ("Muenchen", "Bayern", "DE", "DEMUC"),
        ("COLOGNE", "", "DE", "DECGN"),
        ("KOLN", "", "DE", "DECGN"),
        ("KÖLN", "", "DE", "DECGN"),
        ("Koeln", "", "DE", "DECGN"),
        ("DUESSELDORF", "", "DE", "DEDUS"),
        ("HANOVER", "", "DE", "DEHAJ"),
        ("LISBON", "", "PT", "PTLIS"),
        ("Lisboa", "", "PT", "PTLIS"),
        ("THE HAGUE", "", "NL", "NLHAG"),
        ("VIENNA", "", "AT", "ATVIE"),
        ("Wien", "", "AT", "ATVIE"),
        ("ZUERICH", "", "CH", "CHZRH"),
        ("GENEVA", "", "CH", "CHGVA"),
        ("BRUSSELS", "", "BE", "BEBRU"),
        ("ANTWERP", "", "BE", "BEANR"),
        ("COPENHAGEN", "", "DK", "DKCPH"),
        ("GOTHENBURG", "", "SE", "SEGOT"),
        ("WARSAW", "", "PL", "PLWAW"),
        ("PRAGUE", "", "CZ", "CZPRG"),
        ("MILAN", "", "IT", "ITMIL"),
        ("GENOA", "", "IT", "ITGOA"),
        ("ROME", "", "IT", "ITROM"),
        ("ATHENS", "", "GR", "GRATH"),
        ("MOSCOW", "", "RU", "RUMOW"),
        ("ST PETERSBURG", "", "RU", "RULED"),
        ("Saint Petersburg", "", "RU", "RULED"),
        ("HO CHI MINH CITY", "", "VN", "VNSGN"),
        ("Bombay", "", "IN", "INBOM"),
        ("MUMBAI", "MH", "IN", "INBOM"),
        ("SAO PAULO", "SP", "BR", "BRSAO"),
        ("MEXICO CITY", "", "MX", "MXMEX"),
        ("Ciudad de Mexico", "", "MX", "MXMEX"),
        ("HONG KONG", "", "HK", "HKHKG"),
        ("HONG KONG", "", "CN", "HKHKG"),
        ("HONG KONG", "", "HONG KONG SAR, CHINA", "HKHKG"),
        ("SAN JUAN", "PR", "US", "PRSJU"),
        ("上海", "", "CN", "CNSHA"),
        // with what stands around a name
        ("NEW YORK NY 10001", "", "US", "USNYC"),
        ("SAVANNAH, GA 31401, USA", "", "", "USSAV"),
        ("Hamburg, Germany", "", "", "DEHAM"),
        ("MUNICH GERMANY", "", "DE", "DEMUC"),
        ("Port of Tacoma", "WA", "US", "USTIW"),
        ("EAST MIDLANDS", "", "GB", "GBEMA"),
        // one of several, or none
        ("Springfield", "", "US", ""),
        ("Springfield", "IL", "US", "USSPI"),
        ("Portland", "", "US", ""),
        ("Portland", "ME", "US", "USPWM"),
        ("Savannah", "AK", "US", ""),
        ("Savannah", "", "", ""),
        ("Paris", "", "", ""),
        ("Atlantis", "", "DE", ""),
    ] {
        check(city(name, state, country), code);
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Cities that were resolved wrong in the field (`../shared/data/field/cities.tsv`).
#[test]
fn cities_of_the_field() {
    let folder =
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/field");
    if !folder.is_dir() {
        println!("skipped: {}: ../shared is absent", std::thread::current().name().unwrap_or("?"));
        return;
    }
    let table = std::fs::read_to_string(folder.join("cities.tsv")).unwrap();
    let mut checked = 0;
    for line in table.lines().skip(1) {
        let fields: Vec<&str> = line.split('\t').collect();
        let [city, state, country, unlocode] = fields[..] else { panic!("{line}") };
        let sent = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let place = Place {
            city: sent(city),
            region: sent(state),
            country: sent(country),
            ..Place::default()
        };
        let found = enrich(place, WINTER);
        assert_eq!(found.unlocode.as_deref(), Some(unlocode), "{line}");
        assert_eq!(found.zone_quality, ZoneQuality::FromPlace, "{line}");
        checked += 1;
    }
    assert!(checked >= 19);
    // As carriers know them, whatever UN/LOCODE calls the airport.
    for (city, country, unlocode) in [
        ("VANTAA", "FI", "FIVAT"),
        ("GUANGZHOU", "CN", "CNCAN"),
        ("TIANJIN", "CN", "CNTSN"),
        ("QINGDAO", "CN", "CNTAO"),
        ("NUREMBERG", "DE", "DENUE"),
        ("Nürnberg", "DE", "DENUE"),
        ("BUSAN", "KR", "KRPUS"),
        ("HO CHI MINH CITY", "VN", "VNSGN"),
    ] {
        let place =
            Place { city: Some(city.into()), country: Some(country.into()), ..Place::default() };
        assert_eq!(enrich(place, WINTER).unlocode.as_deref(), Some(unlocode), "{city}");
    }
}
