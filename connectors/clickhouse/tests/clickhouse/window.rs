use waybill_stage::Sink;

use crate::samples::event;
use crate::server::{batch, empty, execute, insert, sink};

#[test]
fn a_table_that_forgets_too_soon_is_refused_with_what_mends_it() {
    let (sink, _) = sink("forgets");
    sink.check_window(55).unwrap();
    let check = |table: &str, setting: &str, expect: &str| {
        execute(&format!(
            "ALTER TABLE test_forgets.{table} {setting} SETTING non_replicated_deduplication_window{expect}"
        ));
    };
    for table in
        ["events", "shipment_states", "rejects", "ledger", "rejects_by_minute", "latency_by_minute"]
    {
        check(table, "MODIFY", " = 17999");
        let fault = sink.check_window(10).unwrap_err().0;
        let start = format!(
            "ClickHouse table test_forgets.{table} keeps the tokens of 17999 inserts, and 18000 are needed"
        );
        assert!(fault.starts_with(&start) && fault.lines().count() == 1, "{fault}");
        let (_, mend) = fault.split_once(": ALTER").unwrap();
        sink.check_window(9).unwrap();
        execute(&format!("ALTER{mend}"));
        sink.check_window(10).unwrap();
    }
    // The server's default: none.
    check("events", "RESET", "");
    let fault = sink.check_window(1).unwrap_err().0;
    assert!(fault.contains("the tokens of 0 inserts, and 1800 are needed"), "{fault}");
}

#[test]
fn a_view_of_somebody_elses_is_looked_at_too() {
    let (sink, _) = sink("own_view");
    execute("DROP DATABASE IF EXISTS test_own_view_2");
    execute("CREATE DATABASE test_own_view_2");
    execute(
        "CREATE TABLE test_own_view_2.`by hour` (hour DateTime, n UInt64) ENGINE = SummingMergeTree ORDER BY hour",
    );
    execute(
        "CREATE MATERIALIZED VIEW test_own_view_2.v TO test_own_view_2.`by hour` AS SELECT toStartOfHour(received_at) AS hour, count() AS n FROM test_own_view.events GROUP BY hour",
    );
    execute(
        "CREATE MATERIALIZED VIEW test_own_view_2.w ENGINE = SummingMergeTree ORDER BY minute AS SELECT minute, events FROM test_own_view.throughput_by_minute",
    );
    let fault = sink.check_window(1).unwrap_err().0;
    assert!(fault.contains("test_own_view_2.by hour"), "{fault}");
    assert!(fault.contains("test_own_view_2..inner"), "{fault}");
    assert_eq!(fault.lines().count(), 2, "{fault}");
    execute("DROP DATABASE test_own_view_2");
    sink.check_window(1).unwrap();
}

#[test]
fn tables_that_are_not_there_are_refused() {
    empty("no_tables");
    let sink =
        waybill_clickhouse::ClickHouseSink::open(crate::server::config("no_tables")).unwrap();
    assert!(sink.check_window(1).unwrap_err().0.contains("test_no_tables.events"));
}

#[test]
fn pressure_is_the_share_of_parts_from_which_inserts_are_slowed_down() {
    let (mut sink, _) = sink("pressure");
    // The parts of `migrations`, of the server's own limit of 1000.
    assert!((0.001..0.02).contains(&sink.pressure().unwrap()));
    execute("SYSTEM STOP MERGES test_pressure.events");
    execute("ALTER TABLE test_pressure.events MODIFY SETTING parts_to_delay_insert = 8");
    for n in 0..6 {
        insert(&mut sink, batch("events", n, &[event("acme", "s1", n)]));
    }
    assert_eq!(sink.pressure().unwrap(), 0.75);
    execute("ALTER TABLE test_pressure.events MODIFY SETTING parts_to_delay_insert = 4");
    assert_eq!(sink.pressure().unwrap(), 1.0);
    execute("ALTER TABLE test_pressure.events RESET SETTING parts_to_delay_insert");
    assert!((0.006..0.02).contains(&sink.pressure().unwrap()));
}
