//! The journeys of questions.sql, which the answers in docs/analysts.md are of, and what else the views over
//! them promise.

use waybill_clickhouse::Database;
use waybill_schemas::clickhouse::DATABASE;

use crate::server::{ask, execute, migrated};

const JOURNEYS: &str = include_str!("questions.sql");

/// The views that answer by shipment, each over `current_events`.
pub const VIEWS: [&str; 15] = [
    "current_events",
    "moves",
    "dwells",
    "transits",
    "eta_errors",
    "on_time",
    "report_delays",
    "departures",
    "rollovers",
    "transshipments",
    "free_time",
    "excursions",
    "customs_holds",
    "exceptions",
    "parcel_miles",
];

/// As statements on the tables of `database`.
fn journeys(database: &str) -> Vec<String> {
    let lines: Vec<&str> =
        JOURNEYS.lines().filter(|line| !line.trim_start().starts_with("--")).collect();
    let text = lines.join("\n").replace(DATABASE, database);
    text.split(";\n").map(str::trim).filter(|s| !s.is_empty()).map(str::to_owned).collect()
}

/// The same, all of them of one carrier: each view then has rows of it.
pub fn journeys_of(database: &str, carrier: &str) -> Vec<String> {
    let of = |statement: String| {
        ["acme", "boreal", "swift"].iter().fold(statement, |statement, theirs| {
            statement.replace(&format!("'{theirs}:"), &format!("'{carrier}:"))
        })
    };
    journeys(database).into_iter().map(of).collect()
}

/// A fresh database of that name with all of the journeys.
pub fn example(name: &str) -> Database {
    let database = migrated(name);
    for statement in journeys(&format!("test_{name}")) {
        execute(&statement);
    }
    database
}

/// With the carrier and the shipment, each table is read by its sorting key, however deep in the view.
#[test]
fn each_view_reads_the_shipment_alone() {
    let database = example("questions_pruned");
    for view in VIEWS {
        let plan = ask(
            &database,
            &format!(
                "EXPLAIN indexes = 1 SELECT * FROM {view}
                WHERE carrier_id = 'acme' AND shipment_id = 'acme:1'"
            ),
        );
        let reads = plan.matches("ReadFromMergeTree").count();
        let by_key = plan.matches("(shipment_id in [").count();
        assert!(reads > 0 && reads == by_key, "{view}: {reads} reads, {by_key} by key: {plan}");
    }
}

/// ClickHouse leaves out what is not asked for, and has failed where that was most of a view.
#[test]
fn each_column_can_be_asked_for_alone() {
    let database = example("questions_columns");
    for view in VIEWS {
        let columns = ask(
            &database,
            &format!(
                "SELECT name FROM system.columns
                WHERE database = 'test_questions_columns' AND table = '{view}'"
            ),
        );
        for column in columns.lines() {
            ask(&database, &format!("SELECT `{column}` FROM {view}"));
        }
        assert_ne!(ask(&database, &format!("SELECT count() FROM {view}")), "0", "{view}");
    }
}

/// What one carrier declares void is void of it alone. (That each view is without what is void, its answer on the
/// page shows.)
#[test]
fn what_is_void_counts_nowhere() {
    let database = migrated("questions_void");
    for carrier in ["acme", "boreal"] {
        for statement in journeys_of("test_questions_void", carrier) {
            execute(&statement);
        }
    }
    // Seven withdrawals, what they declare void, and an estimate that was sent anew.
    let counts = "SELECT count() - (SELECT count() FROM current_events WHERE carrier_id = 'acme')
        FROM events WHERE carrier_id = 'acme'";
    assert_eq!(ask(&database, counts), "15");
    execute(
        "INSERT INTO test_questions_void.events (carrier_id, shipment_id, milestone, withdraws)
        VALUES ('boreal', 'boreal:1', 'withdrawn', 'e1')",
    );
    assert_eq!(ask(&database, counts), "15");
    let of = "SELECT arraySort(groupArray(carrier_id)) FROM current_events
        WHERE milestone = 'arrived' AND received_at = '2026-10-24 18:00:00'";
    assert_eq!(ask(&database, of), "['acme']");
}
