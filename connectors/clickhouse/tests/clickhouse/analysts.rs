//! Keeps docs/analysts.md true: its tables of columns are those of the database, and its answers
//! are what the queries before them really answer, over the rows below.
//!
//! What stands between `<!-- journeys -->` and `<!-- end of journeys -->` is answered over questions.sql.
//!
//! `WAYBILL_BLESS=1` writes it anew.

use std::sync::Arc;

use waybill_clickhouse::Database;
use waybill_schemas::vocabulary::LedgerOutcome::{Duplicate, Passed, Rejected};
use waybill_schemas::vocabulary::{Classifier, Milestone, Mode, ZoneQuality};
use waybill_schemas::{AcceptedEvent, Equipment, EventId, LedgerEntry, Place, Shipment, Transport};

use crate::ledger::{count, entry};
use crate::questions;
use crate::samples::{DAY, HOUR, MINUTE, SECOND, T0, country, event, reject, shipment, unlocode};
use crate::server::{ask, batch, execute, insert_all, migrated, sink};

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/analysts.md");

#[test]
fn the_page_is_as_the_database_answers() {
    let (database, journeys) = (example(), questions::example("analysts_questions"));
    let page = std::fs::read_to_string(PAGE).unwrap();
    let renewed = renew(&database, &journeys, &page);
    if std::env::var_os("WAYBILL_BLESS").is_some() {
        std::fs::write(PAGE, renewed).unwrap();
    } else {
        let old = "docs/analysts.md is not up to date: see CONTRIBUTING.md, \"What tests write\"";
        for (is, should) in page.lines().zip(renewed.lines()) {
            assert_eq!(is, should, "{old}");
        }
        assert_eq!(page.len(), renewed.len(), "{old}");
    }
}

/// Every table and view has its section, so that a new one is not forgotten.
#[test]
fn the_page_has_all_tables_and_views() {
    let database = migrated("page");
    let page = std::fs::read_to_string(PAGE).unwrap();
    let names = ask(
        &database,
        "SELECT name FROM system.tables WHERE database = 'test_page'
        AND engine != 'MaterializedView' AND name NOT IN ('migrations', 'shipment_states')",
    );
    for name in names.lines() {
        assert!(page.contains(&format!("<!-- columns of {name} -->")), "{name}");
    }
}

/// The page with fresh columns (between `<!-- columns of TABLE -->` and `<!-- end -->`) and fresh
/// answers (a `text` block after an `sql` block).
fn renew(rows: &Database, journeys: &Database, page: &str) -> String {
    let mut database = rows;
    let mut renewed = String::new();
    let mut lines = page.lines();
    let mut query = String::new();
    while let Some(line) = lines.next() {
        renewed.push_str(line);
        renewed.push('\n');
        match line {
            "<!-- journeys -->" => database = journeys,
            "<!-- end of journeys -->" => database = rows,
            _ => {}
        }
        if let Some(rest) = line.strip_prefix("<!-- columns of ") {
            renewed.push_str(&columns(database, rest.trim_end_matches(" -->")));
            renewed.push_str("<!-- end -->\n");
            lines.by_ref().find(|l| *l == "<!-- end -->").expect("<!-- end -->");
        } else if line == "```sql" {
            query = lines.by_ref().take_while(|l| *l != "```").map(|l| format!("{l}\n")).collect();
            renewed.push_str(&query);
            renewed.push_str("```\n");
        } else if line == "```text" {
            renewed.push_str(&database.query_text(&query).unwrap());
            renewed.push_str("```\n");
            lines.by_ref().find(|l| *l == "```").expect("```");
        }
    }
    renewed
}

fn columns(database: &Database, table: &str) -> String {
    let rows = ask(
        database,
        &format!(
            "SELECT concat('| `', name, '` | ', replaceOne(type, ', \\'UTC\\'', ''), ' | ', comment, ' |')
            FROM system.columns WHERE database = currentDatabase() AND table = '{table}'
            ORDER BY position"
        ),
    );
    assert!(!rows.is_empty(), "{table}");
    format!("| column | type | |\n|---|---|---|\n{}\n", rows.replace("\\'", "'"))
}

/// A few days of two carriers. Insertion is put 180 ms after aggregation, whatever the clock says
/// now: the rows go through the sink into one database, and from there with that time into another.
fn example() -> Database {
    let (mut sink, _) = sink("analysts_now");
    let events: Vec<AcceptedEvent> = voyage("acme", "MSKU1234565", "Emma", 0, HOUR)
        .into_iter()
        .chain(voyage("acme", "TCLU4265917", "Emma", 20, 30 * HOUR))
        .chain(voyage("boreal", "HLXU8024503", "Aurora", 40, -2 * HOUR))
        .collect();
    let shipments = [
        voyaged("acme", "MSKU1234565", HOUR, 0),
        voyaged("acme", "TCLU4265917", 30 * HOUR, 2),
        voyaged("boreal", "HLXU8024503", -2 * HOUR, 0),
    ];
    let rejects = [
        reject("acme", "invalid_time", 31),
        reject("acme", "invalid_time", 64),
        reject("boreal", "unknown_code", 65),
        reject("", "malformed", 70),
    ];
    let batches = [
        batch("events", 0, &events),
        batch("shipments", 0, &shipments),
        batch("rejects", 0, &rejects),
        batch("ledger", 0, &entries()),
    ];
    insert_all(&mut sink, &batches);
    let database = migrated("analysts");
    for (table, time) in [
        ("events", "aggregated_at"),
        ("shipment_states", "aggregated_at"),
        ("rejects", "rejected_at"),
        ("ledger", "committed_at"),
    ] {
        execute(&format!(
            "INSERT INTO test_analysts.{table}
            SELECT * REPLACE (addMilliseconds({time}, 180) AS inserted_at)
            FROM test_analysts_now.{table}"
        ));
    }
    database
}

/// Singapore to Rotterdam, three actual events and the planned arrival; the arrival is `delay`
/// after the plan.
fn voyage(carrier: &str, number: &str, vessel: &str, n: i64, delay: i64) -> Vec<AcceptedEvent> {
    let plan = T0 - delay.max(0) - HOUR;
    let steps = [
        (Classifier::Actual, Milestone::Loaded, "SGSIN", T0 - 21 * DAY),
        (Classifier::Actual, Milestone::Departed, "SGSIN", T0 - 20 * DAY),
        (Classifier::Planned, Milestone::Arrived, "NLRTM", plan),
        (Classifier::Actual, Milestone::Arrived, "NLRTM", plan + delay),
    ];
    let mut revision = 0;
    steps
        .into_iter()
        .map(|(classifier, milestone, place, at)| {
            revision += 1;
            let n = n + i64::try_from(revision).unwrap() * 2;
            let mut accepted = event(carrier, &format!("{carrier}:{number}"), n);
            let mut provenance = (*accepted.event.provenance).clone();
            provenance.sealed_at -= n * 7;
            accepted.event.provenance = Arc::new(provenance);
            accepted.event.classifier = classifier;
            accepted.event.milestone = milestone;
            accepted.event.raw_code =
                format!("TRANSPORT/{}", &milestone.as_str()[..4].to_uppercase());
            accepted.event.equipment =
                Some(Equipment { number: number.to_owned(), iso_type: None, empty: Some(false) });
            accepted.event.place =
                Some(Place { unlocode: Some(place.to_owned()), ..Place::default() });
            accepted.event.transport = Some(Transport {
                mode: Some(Mode::Ocean),
                vessel_name: Some(vessel.to_owned()),
                voyage: Some("2103S".to_owned()),
                ..Transport::default()
            });
            let name = if place == "SGSIN" { "Singapore" } else { "Rotterdam" };
            accepted.enrichment.occurred_at = at;
            accepted.enrichment.zone_quality = ZoneQuality::FromPlace;
            accepted.enrichment.unlocode = Some(place.to_owned());
            accepted.enrichment.place_name = Some(name.into());
            accepted.enrichment.country = Some(place[..2].to_owned());
            accepted.history.revision = revision;
            if milestone == Milestone::Departed {
                accepted.history.dwell_ms = Some(DAY);
            }
            if milestone == Milestone::Arrived {
                accepted.history.previous_unlocode = unlocode("SGSIN");
                accepted.history.distance_km = Some(10_520.0);
                accepted.history.destination_country = country("NL");
                accepted.history.crosses_border = Some(true);
                if classifier == Classifier::Actual {
                    accepted.history.delay_ms = Some(delay);
                }
            }
            accepted.history.origin_country = country("SG");
            accepted.event.event_id = EventId::new(carrier, &format!("m-{n}"), 1, number);
            accepted
        })
        .collect()
}

fn voyaged(carrier: &str, number: &str, delay: i64, duplicates: u64) -> Shipment {
    let mut state = shipment(carrier, &format!("{carrier}:{number}"), 4, duplicates);
    state.equipment = Some(number.to_owned());
    state.delay_ms = Some(delay);
    state.finished = delay < DAY;
    state.aggregated_at = T0 + MINUTE + SECOND;
    state
}

/// Of acme, 8 messages with the 8 events above, 2 copies and 2 rejects; of boreal 5 with 4 events and
/// a reject, and one event is not stored yet.
fn entries() -> [LedgerEntry; 2] {
    let acme = |of| count(("acme", 0), of);
    let boreal = |of| count(("boreal", 0), of);
    let until_aggregate = vec![
        acme(("decrypt", Passed, "", 8, 8)),
        acme(("validate", Passed, "", 6, 10)),
        acme(("validate", Rejected, "invalid_time", 2, 2)),
        acme(("enrich", Passed, "", 10, 10)),
        acme(("aggregate", Passed, "", 8, 8)),
        acme(("aggregate", Duplicate, "", 2, 2)),
        boreal(("decrypt", Passed, "", 5, 5)),
        boreal(("validate", Passed, "", 4, 4)),
        boreal(("validate", Rejected, "unknown_code", 1, 1)),
        boreal(("enrich", Passed, "", 4, 4)),
        boreal(("aggregate", Passed, "", 4, 4)),
    ];
    let clickhouse =
        vec![acme(("clickhouse", Passed, "", 8, 8)), boreal(("clickhouse", Passed, "", 3, 3))];
    [
        entry("decrypt,validate,enrich,aggregate", "sealed", 100, until_aggregate),
        entry("clickhouse", "events", 40, clickhouse),
    ]
}
