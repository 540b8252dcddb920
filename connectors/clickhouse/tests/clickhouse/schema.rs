use crate::questions::VIEWS;
use crate::samples::{event, full_event};
use crate::server::{ask, batch, config, empty, execute, insert, migrated, sink};

use waybill_clickhouse::Database;

#[test]
fn migrating_twice_applies_once() {
    let database = empty("twice");
    let applied: Vec<u32> = database.migrate().unwrap().iter().map(|a| a.version).collect();
    let all: Vec<u32> = waybill_schemas::clickhouse::MIGRATIONS.iter().map(|m| m.version).collect();
    assert_eq!(applied, all);
    assert_eq!(database.migrate().unwrap(), []);
    let recorded = ask(&database, "SELECT count(), uniq(checksum) FROM migrations");
    assert_eq!(recorded, format!("{0}\t{0}", all.len()));
}

#[test]
fn a_changed_migration_is_refused() {
    let database = migrated("changed");
    execute(
        "INSERT INTO test_changed.migrations (version, name, checksum, applied_at)
        VALUES (2, 'shipments', 'other', now64(3) + 1)",
    );
    let fault = database.migrate().unwrap_err();
    assert!(
        fault.0.contains("migration 2 (shipments) was applied, and has been changed"),
        "{fault}"
    );
}

#[test]
fn two_at_once_do_no_harm() {
    let database = empty("at_once");
    std::thread::scope(|scope| {
        let runs: Vec<_> = (0..4)
            .map(|_| {
                scope.spawn(|| Database::open(config("at_once")).unwrap().migrate().map(|_| ()))
            })
            .collect();
        for run in runs {
            run.join().unwrap().unwrap();
        }
    });
    assert_eq!(database.migrate().unwrap(), []);
    let views = ask(
        &database,
        "SELECT count() FROM system.tables WHERE database = 'test_at_once' AND engine = 'MaterializedView'",
    );
    assert_eq!(views, "3");
}

/// Materialized views hold nothing and are read by nobody: their columns are those of the rollups.
#[test]
fn every_column_and_table_has_a_comment() {
    let database = migrated("comments");
    let bare = ask(
        &database,
        "SELECT table, name FROM system.columns WHERE database = 'test_comments' AND comment = ''
        AND table NOT IN (SELECT name FROM system.tables
            WHERE database = 'test_comments' AND engine = 'MaterializedView')
        UNION ALL
        SELECT name, '' FROM system.tables WHERE database = 'test_comments' AND comment = ''",
    );
    assert_eq!(bare, "");
}

/// The view is written out with its columns, since a view takes no comments from its table.
#[test]
fn shipments_shows_what_shipment_states_holds() {
    let database = migrated("same");
    let columns = |table: &str| {
        ask(
            &database,
            &format!(
                "SELECT name, type, comment FROM system.columns
                WHERE database = 'test_same' AND table = '{table}' ORDER BY position"
            ),
        )
    };
    assert_eq!(columns("shipments"), columns("shipment_states"));
}

/// Names that others rely on: dashboards, the demo, audits, analysts' own queries.
#[test]
fn the_names_that_others_rely_on_are_there() {
    let database = migrated("names");
    let check = |table: &str, column: &str, expect: &str| {
        let found = ask(
            &database,
            &format!(
                "SELECT type FROM system.columns
                WHERE database = 'test_names' AND table = '{table}' AND name = '{column}'"
            ),
        );
        assert_eq!(found, expect, "{table}.{column}");
    };
    let time = r"DateTime64(3, \'UTC\')";
    let word = "LowCardinality(String)";
    for (column, kind) in [
        ("carrier_id", word),
        ("handle", "String"),
        ("message_id", "String"),
        ("event_id", "UUID"),
        ("shipment_id", "String"),
        ("milestone", word),
        ("classifier", word),
        ("raw_code", "String"),
        ("occurred_at", time),
        ("zone_quality", word),
        ("unlocode", word),
        ("country", word),
        ("source_partition", "Int32"),
        ("source_offset", "Int64"),
        ("sealed_topic", word),
        ("kafka_partition", "Int32"),
        ("kafka_offset", "Int64"),
        ("sealed_at", time),
        ("received_at", time),
        ("opened_at", time),
        ("validated_at", time),
        ("enriched_at", time),
        ("aggregated_at", time),
        ("inserted_at", time),
    ] {
        check("events", column, kind);
    }
    for (column, kind) in [
        ("code", word),
        ("stage", word),
        ("carrier_id", word),
        ("source_partition", "Int32"),
        ("source_offset", "Int64"),
        ("sealed_topic", word),
        ("kafka_partition", "Int32"),
        ("kafka_offset", "Int64"),
        ("received_at", time),
        ("detail", "String"),
    ] {
        check("rejects", column, kind);
    }
    for (column, kind) in
        [("shipment_id", "String"), ("revision", "UInt64"), ("duplicates", "UInt64")]
    {
        check("shipments", column, kind);
    }
    let views = [
        "throughput",
        "latency",
        "lane_performance",
        "carrier_scorecard",
        "shipment_timeline",
        "conservation",
    ];
    for view in views.iter().chain(&VIEWS) {
        let found = ask(
            &database,
            &format!(
                "SELECT engine FROM system.tables WHERE database = 'test_names' AND name = '{view}'"
            ),
        );
        assert_eq!(found, "View", "{view}");
    }
}

/// Exactly-once inserts rest on it, in the rollups too.
#[test]
fn every_table_that_grows_remembers_deduplication_tokens() {
    let database = migrated("window");
    let without = ask(
        &database,
        "SELECT name FROM system.tables WHERE database = 'test_window' AND engine LIKE '%MergeTree'
        AND name NOT IN ('migrations', 'erasures', 'erased_rows') AND engine_full NOT LIKE '% non_replicated_deduplication_window = 100000,%'",
    );
    assert_eq!(without, "");
}

/// Rows that were there before get the history that they are of: none is shown twice.
#[test]
fn shipments_of_before_have_one_history_each() {
    let database = empty("before");
    let (before, after): (Vec<_>, Vec<_>) =
        waybill_schemas::clickhouse::MIGRATIONS.iter().partition(|m| m.version < 14);
    let apply = |migrations: &[&waybill_schemas::clickhouse::Migration]| {
        for migration in migrations {
            for statement in migration.sql.split(";\n").filter(|s| s.contains("{database}")) {
                execute(&statement.replace("{database}", "test_before"));
            }
        }
    };
    execute("CREATE DATABASE test_before");
    apply(&before);
    execute(
        "INSERT INTO test_before.shipment_states
            (carrier_id, shipment_id, revision, first_received_at, aggregated_at)
        SELECT 'acme', concat('s', toString(number % 3)), number,
            toDateTime64('2026-01-01', 3, 'UTC'), fromUnixTimestamp64Milli(1767225600000 + number)
        FROM numbers(9)",
    );
    apply(&after);
    apply(&after);
    let shown =
        "SELECT shipment_id, revision, began_at = first_received_at FROM shipments ORDER BY 1";
    assert_eq!(ask(&database, shown), "s0\t6\t1\ns1\t7\t1\ns2\t8\t1");
    execute(
        "INSERT INTO test_before.shipment_states
            (carrier_id, shipment_id, revision, first_received_at, began_at, aggregated_at)
        VALUES ('acme', 's1', 9, '2026-01-01', '2026-01-01', now64(3))",
    );
    assert_eq!(ask(&database, shown), "s0\t6\t1\ns1\t9\t1\ns2\t8\t1");
}

/// Migration 16 changes types of columns that are full.
#[test]
fn what_was_in_a_dictionary_is_still_there_as_text() {
    let (mut sink, database) = sink("free_text");
    execute(
        "ALTER TABLE test_free_text.events MODIFY COLUMN voyage LowCardinality(String),
            MODIFY COLUMN `exceptions.code` Array(LowCardinality(String))",
    );
    insert(&mut sink, batch("events", 0, &[full_event(), event("acme", "s1", 1)]));
    let values = "SELECT kafka_offset, raw_code, voyage, `exceptions.code` FROM events ORDER BY kafka_offset";
    let before = ask(&database, values);
    assert!(before.contains("2103S") && before.contains("SMDG/WEA"), "{before}");
    let sql = waybill_schemas::clickhouse::MIGRATIONS[15].sql;
    let sql = sql.replace(waybill_schemas::clickhouse::DATABASE, "test_free_text");
    execute(sql.split(';').next().unwrap());
    // While the part is still rewritten, and when it is.
    assert_eq!(ask(&database, values), before);
    execute("OPTIMIZE TABLE test_free_text.events FINAL");
    assert_eq!(ask(&database, values), before);
    let types = "SELECT groupArray(type) FROM system.columns WHERE database = 'test_free_text'
        AND table = 'events' AND name IN ('voyage', 'exceptions.code')";
    assert_eq!(ask(&database, types), "['String','Array(String)']");
    // And the sink goes on: the same bytes are a row of both types.
    insert(&mut sink, batch("events", 2, &[event("acme", "s1", 2)]));
    assert_eq!(ask(&database, "SELECT count() FROM events"), "3");
}
