use std::sync::Arc;

use waybill_schemas::vocabulary::{Classifier, Milestone, PlaceSource, TimePrecision, ZoneQuality};
use waybill_schemas::{EventId, OccurrenceTime, Place, Provenance};

use super::*;

/// 2026-01-20T14:15 by the wall clock.
const WALL: i64 = 1_768_918_500_000;
const NOW: i64 = 1_769_000_000_000;

fn event(place: Option<Place>, offset_minutes: Option<i32>) -> ShipmentEvent {
    ShipmentEvent {
        provenance: Arc::new(Provenance::default()),
        position: 1,
        event_id: EventId([7; 16]),
        shipment_id: "acme-line/ACMU1234567".into(),
        milestone: Milestone::Loaded,
        classifier: Classifier::Actual,
        raw_code: "EQUIPMENT/LOAD".into(),
        raw_id: None,
        occurred: OccurrenceTime {
            wall_ms: WALL,
            offset_minutes,
            precision: TimePrecision::Second,
        },
        created_at: None,
        references: vec![],
        equipment: None,
        place,
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
    }
}

fn enrich(event: ShipmentEvent) -> EnrichedEvent {
    let mut outputs = Outputs::default();
    static STAGE: std::sync::LazyLock<Enrich> = std::sync::LazyLock::new(Enrich::default);
    STAGE.apply(&Context::at(NOW), event, &mut outputs).unwrap();
    assert!(outputs.rejects.is_empty() && outputs.duplicates == 0);
    assert_eq!(outputs.emitted.len(), 1, "one in, one out");
    outputs.emitted.remove(0)
}

fn place(unlocode: &str) -> Place {
    Place { unlocode: Some(unlocode.into()), ..Place::default() }
}

/// unlocode, name, country, zone, hours that UTC is behind the wall clock
type Expect<'a> =
    (Option<&'a str>, Option<&'a str>, Option<&'a str>, Option<&'a str>, i64, ZoneQuality);

#[track_caller]
fn check(sent: Place, expect: Expect, coordinates: Option<(f64, f64)>, notes: &[NoteCode]) {
    let EnrichedEvent { event, enrichment } = enrich(event(Some(sent.clone()), None));
    let got = (
        enrichment.unlocode.as_deref(),
        enrichment.place_name.as_deref(),
        enrichment.country.as_deref(),
        enrichment.time_zone.as_deref(),
        (WALL - enrichment.occurred_at) / 3_600_000,
        enrichment.zone_quality,
    );
    assert_eq!(got, expect);
    let near = |a: f64, b: f64| (a - b).abs() < 0.1;
    match (coordinates, enrichment.latitude.zip(enrichment.longitude)) {
        (Some(a), Some(b)) => assert!(near(a.0, b.0) && near(a.1, b.1), "{b:?}"),
        (a, b) => assert_eq!(a, b),
    }
    assert_eq!(event.notes, notes);
    assert_eq!(event.place, Some(sent), "what was sent stays as it was");
    assert_eq!(enrichment.enriched_at, NOW);
    assert_eq!((enrichment.origin_country, enrichment.destination_country), (None, None));
}

use ZoneQuality::{Assumed, FromPlace};

#[test]
fn a_listed_place() {
    check(
        place("NLRTM"),
        (Some("NLRTM"), Some("Rotterdam"), Some("NL"), Some("Europe/Amsterdam"), 1, FromPlace),
        Some((51.92, 4.5)),
        &[],
    );
}

#[test]
fn the_messages_coordinates_are_kept_the_places_country_and_zone_count() {
    let sent = Place {
        latitude: Some(51.95),
        longitude: Some(4.05),
        name: Some("Maasvlakte".into()),
        country: Some("BE".into()),
        ..place("NLRTM")
    };
    check(
        sent,
        (Some("NLRTM"), Some("Rotterdam"), Some("NL"), Some("Europe/Amsterdam"), 1, FromPlace),
        Some((51.95, 4.05)),
        &[],
    );
    // no point on earth: the table's
    let sent = Place { latitude: Some(151.95), longitude: Some(4.05), ..place("NLRTM") };
    check(
        sent,
        (Some("NLRTM"), Some("Rotterdam"), Some("NL"), Some("Europe/Amsterdam"), 1, FromPlace),
        Some((51.92, 4.5)),
        &[],
    );
}

#[test]
fn an_unlisted_place_is_kept_and_flagged() {
    // the country has one zone
    check(
        Place { name: Some("Newhaven".into()), ..place("SGZZZ") },
        (Some("SGZZZ"), Some("Newhaven"), Some("SG"), Some("Asia/Singapore"), 8, FromPlace),
        None,
        &[NoteCode::PlaceUnknown],
    );
    // several
    check(
        place("USZ99"),
        (Some("USZ99"), None, Some("US"), None, 0, Assumed),
        None,
        &[NoteCode::PlaceUnknown],
    );
    // its letters are no country, but the message names one
    check(
        Place { country: Some("Denmark".into()), ..place("ZZZZZ") },
        (Some("ZZZZZ"), None, Some("DK"), Some("Europe/Copenhagen"), 1, FromPlace),
        None,
        &[NoteCode::PlaceUnknown],
    );
    check(place("é1"), (Some("é1"), None, None, None, 0, Assumed), None, &[NoteCode::PlaceUnknown]);
}

#[test]
fn a_place_without_a_code() {
    let eiffel_tower = Place {
        latitude: Some(48.86),
        longitude: Some(2.29),
        country: Some("france".into()),
        city: Some("Paris".into()),
        ..Place::default()
    };
    check(
        eiffel_tower,
        (Some("FRPAR"), Some("Paris"), Some("FR"), Some("Europe/Paris"), 1, FromPlace),
        Some((48.86, 2.29)),
        &[],
    );
    check(
        Place { country: Some("Denmark".into()), ..Place::default() },
        (None, None, Some("DK"), Some("Europe/Copenhagen"), 1, FromPlace),
        None,
        &[],
    );
    check(
        Place { country: Some("Atlantis".into()), latitude: Some(1.0), ..Place::default() },
        (None, None, None, None, 0, Assumed),
        None,
        &[],
    );
}

#[test]
fn coordinates_tell_the_zone_where_the_country_has_several() {
    let denver = Place { latitude: Some(39.74), longitude: Some(-104.99), ..place("USZ99") };
    check(
        denver.clone(),
        (Some("USZ99"), None, Some("US"), Some("America/Denver"), -7, FromPlace),
        Some((39.74, -104.99)),
        &[NoteCode::PlaceUnknown],
    );
    check(
        Place { unlocode: None, ..denver },
        (None, None, None, Some("America/Denver"), -7, FromPlace),
        Some((39.74, -104.99)),
        &[],
    );
}

#[test]
fn no_place_at_all() {
    let got = enrich(event(None, None)).enrichment;
    assert_eq!((got.occurred_at, got.zone_quality), (WALL, Assumed));
    let got = enrich(event(None, Some(120))).enrichment;
    assert_eq!((got.occurred_at, got.zone_quality), (WALL - 7_200_000, ZoneQuality::Stated));
}

#[test]
fn an_ambiguous_hour_is_flagged_once() {
    let mut sent = event(Some(place("DEHAM")), None);
    sent.occurred.wall_ms = 1_792_895_400_000; // 2026-10-25T02:30 by the wall clock
    sent.note(NoteCode::ContainerCheckDigit);
    let once = enrich(sent).event;
    assert_eq!(once.notes, [NoteCode::ContainerCheckDigit, NoteCode::LocalTimeAmbiguous]);
    assert_eq!(
        enrich(once).event.notes,
        [NoteCode::ContainerCheckDigit, NoteCode::LocalTimeAmbiguous]
    );
}

#[test]
fn names_are_shared() {
    let stage = Enrich::default();
    let mut outputs = Outputs::default();
    for _ in 0..2 {
        let cx = Context::at(NOW);
        stage.apply(&cx, event(Some(place("NLRTM")), None), &mut outputs).unwrap();
    }
    let [a, b] = &outputs.emitted[..] else { panic!() };
    let (a, b) = (&a.enrichment, &b.enrichment);
    assert!(Arc::ptr_eq(a.place_name.as_ref().unwrap(), b.place_name.as_ref().unwrap()));
    assert!(Arc::ptr_eq(a.time_zone.as_ref().unwrap(), b.time_zone.as_ref().unwrap()));
}

/// Without a UN/LOCODE: by terminal, airport, or city.
#[test]
fn a_place_is_known_by_other_means() {
    let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let check = |sent: Place, expect: (&str, &str, &str, &str)| {
        let shown = format!("{sent:?}");
        let found = enrich(event(Some(sent), None)).enrichment;
        let zone = found.time_zone.as_deref().unwrap_or_default();
        let got = (
            found.place_source.as_str(),
            found.unlocode.as_deref().unwrap_or_default(),
            found.country.as_deref().unwrap_or_default(),
            zone,
        );
        assert_eq!(got, expect, "{shown}");
        let quality = if zone.is_empty() { ZoneQuality::Assumed } else { ZoneQuality::FromPlace };
        assert_eq!(found.zone_quality, quality, "{shown}");
    };
    let facility = |code: &str| Place { facility: text(code), ..Place::default() };
    let iata = |code: &str| Place { iata: text(code), ..Place::default() };
    let city = |city: &str, region: &str, country: &str| Place {
        city: text(city),
        region: text(region),
        country: text(country),
        ..Place::default()
    };
    check(facility("SMDG/DPWJ2"), ("terminal", "AEJEA", "AE", "Asia/Dubai"));
    check(facility("SMDG/XXXXX"), ("none", "", "", ""));
    check(facility("DPWJ2"), ("none", "", "", ""));
    check(iata("FRA"), ("airport", "DEFRA", "DE", "Europe/Berlin"));
    check(iata("LON"), ("airport", "GBLON", "GB", "Europe/London"));
    check(iata("QQQ"), ("none", "", "", ""));
    check(city("Hamburg", "", "Germany"), ("name", "DEHAM", "DE", "Europe/Berlin"));
    check(city("SAVANNAH", "GA", "US"), ("name", "USSAV", "US", "America/New_York"));
    check(city("Savannah, GA", "", ""), ("name", "USSAV", "US", "America/New_York"));
    check(city("SAVANNAH", "GA", ""), ("name", "USSAV", "US", "America/New_York"));
    // One of many, and nothing says which: the country is all that is known.
    check(city("Springfield", "", "USA"), ("none", "", "US", ""));
    check(city("Savannah", "", ""), ("none", "", "", ""));
    check(city("Atlantis", "", "Netherlands"), ("none", "", "NL", "Europe/Amsterdam"));
    // The code is in no table, the city is.
    let sent = Place { unlocode: text("USZZ9"), ..city("Memphis", "TN", "US") };
    check(sent, ("name", "USZZ9", "US", "America/Chicago"));
}

/// DHL's codes are mostly, but not always, IATA's.
#[test]
fn dhls_service_area_counts_where_nothing_else_is_known_and_nothing_speaks_against_it() {
    let area = |code: &str, city: &str, country: &str| {
        let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let facility = text(&format!("DHL/{code}"));
        let sent = Place { facility, city: text(city), country: text(country), ..Place::default() };
        let found = enrich(event(Some(sent), None)).enrichment;
        let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
        (
            found.place_source.as_str(),
            text(found.unlocode.as_deref()),
            text(found.time_zone.as_deref()),
        )
    };
    let expect = |source, code: &str, zone: &str| (source, code.to_owned(), zone.to_owned());
    assert_eq!(area("HKG", "", ""), expect("airport", "HKHKG", "Asia/Hong_Kong"));
    assert_eq!(area("CVG", "HUB ONE", "USA"), expect("airport", "USCVG", "America/New_York"));
    assert_eq!(area("CVG", "Munich", "DEU"), expect("name", "DEMUC", "Europe/Berlin"));
    assert_eq!(area("CVG", "HUB ONE", "Germany"), expect("none", "", "Europe/Berlin"));
    assert_eq!(area("ZZZ", "", ""), expect("none", "", ""));
}

/// The zone of what is known of a place, if it is no more than its state or country.
#[test]
fn a_state_or_a_country_may_have_one_zone() {
    let zone = |city: &str, state: &str, country: &str| {
        let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let sent = Place {
            city: text(city),
            region: text(state),
            country: text(country),
            ..Place::default()
        };
        enrich(event(Some(sent), None)).enrichment.time_zone.map(|zone| zone.to_string())
    };
    for (state, country, expect) in [
        ("NJ", "US", Some("America/New_York")),
        ("Georgia", "US", Some("America/New_York")),
        // El Paso is an hour behind.
        ("TX", "US", None),
        ("", "US", None),
        ("QC", "CA", None),
        // Büsingen has a zone of its own, and has shown Berlin's time since 1980.
        ("", "DE", Some("Europe/Berlin")),
        ("", "CN", Some("Asia/Shanghai")),
        ("", "MY", Some("Asia/Kuala_Lumpur")),
        // The Canary Islands are an hour behind.
        ("", "ES", None),
        ("", "AU", None),
        ("QLD", "AU", Some("Australia/Brisbane")),
    ] {
        assert_eq!(zone("Atlantis", state, country).as_deref(), expect, "{state}, {country}");
    }
}

/// The terminal stands elsewhere than its town.
#[test]
fn a_terminal_tells_where_in_its_port() {
    let sent = Place { facility: Some("SMDG/DPWJ2".into()), ..place("AEJEA") };
    let found = enrich(event(Some(sent), None)).enrichment;
    assert_eq!(found.place_source, PlaceSource::Unlocode);
    assert_eq!((found.latitude, found.longitude), (Some(25.0222), Some(55.0617)));
    let town = enrich(event(Some(place("AEJEA")), None)).enrichment;
    assert_ne!(town.latitude, found.latitude);
}

/// All ports of the SMDG list, the 200 busiest container ports among them.
#[test]
fn every_container_port_has_coordinates_and_a_zone() {
    let ports: std::collections::BTreeSet<&str> = include_str!("../data/terminals.tsv")
        .lines()
        .filter_map(|line| line.split('\t').next())
        .collect();
    assert!(ports.len() > 450, "{}", ports.len());
    let without: Vec<_> = ports
        .into_iter()
        .filter(|port| {
            let found = enrich(event(Some(place(port)), None)).enrichment;
            found.latitude.is_none() || found.time_zone.is_none()
        })
        .collect();
    assert!(without.is_empty(), "{without:?}");
}
