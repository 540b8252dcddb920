use crate::samples::{HOUR, T0, event, reject, shipment};
use crate::server::{again, ask, batch, execute, insert, insert_all, outcome, sink, try_insert};

use std::time::{Duration, Instant};

use waybill_schemas::LedgerCount;
use waybill_stage::{Inserted, Lease, Sink, SinkBatch};

#[test]
fn a_time_out_of_range_is_rejected_alone() {
    let (mut sink, database) = sink("range");
    let mut events = vec![event("acme", "s1", 0), event("acme", "s1", 1), event("acme", "s1", 2)];
    events[1].enrichment.occurred_at = 253_402_300_799_000; // the end of 9999
    let mut odd = shipment("acme", "s2", 1, 0);
    odd.eta = Some(i64::MAX);
    let mut late = reject("acme", "too_old", 3);
    late.received_at = -1;
    let mut claim = reject("acme", "expired", 4);
    claim.sealed_at = Some(i64::MIN);
    let batches = [
        batch("events", 40, &events),
        batch("shipments", 10, &[shipment("acme", "s1", 1, 0), odd]),
        batch("rejects", 20, &[late, claim]),
    ];
    let inserted = insert_all(&mut sink, &batches);
    let outcomes: Vec<_> = inserted.iter().map(outcome).collect();
    let expect = [(2, 41), (1, 11), (1, 20)].map(|(rows, at)| (rows, vec![(at, "internal")]));
    assert_eq!(outcomes, expect);
    let first = &inserted[0].rejects[0];
    assert_eq!(first.reject.detail, "occurred_at: no time from 1900 to 2299");
    assert_eq!(first.provenance.as_ref().unwrap().source_offset, 1001);
    assert_eq!(first.position, 1);
    assert_eq!(ask(&database, "SELECT arraySort(groupArray(kafka_offset)) FROM events"), "[40,42]");
    assert_eq!(ask(&database, "SELECT code, isNull(sealed_at) FROM rejects"), "expired\t1");
}

#[test]
fn what_cannot_be_decoded_is_rejected_alone() {
    let (mut sink, database) = sink("undecodable");
    let mut good = batch("events", 5, &[event("acme", "s1", 0), event("acme", "s1", 1)]);
    let cut = good.records.get(6).unwrap().value[..30].to_vec();
    for value in [&[], &b"{}"[..], &cut] {
        let offset = 7 + good.records.len() as i64;
        good.records.extend([(offset, value, T0)]);
    }
    let inserted = insert(&mut sink, good);
    let (rows, rejects) = outcome(&inserted);
    assert_eq!(rows, 2);
    let expect: Vec<_> = (9..12).map(|offset| (offset, "internal")).collect();
    assert_eq!(rejects, expect);
    assert!(inserted.rejects.iter().all(|r| r.provenance.is_none()));
    // A batch of nothing else is no insert at all.
    let nothing = batch::<waybill_schemas::AcceptedEvent>("events", 50, &[]);
    let only_bad = SinkBatch { records: [(50, [1], T0)].into_iter().collect(), ..nothing };
    assert_eq!(outcome(&insert(&mut sink, only_bad)), (0, vec![(50, "internal")]));
    assert_eq!(ask(&database, "SELECT count() FROM events"), "2");
}

/// It may be a later build's: to refuse it would lose it.
#[test]
fn an_unknown_schema_stops_the_sink_and_loses_nothing() {
    let (mut sink, database) = sink("unknown_schema");
    let mut events = batch("events", 5, &[event("acme", "s1", 0)]);
    let others = batch("rejects", 0, &[reject("acme", "expired", 1)]);
    events.records.extend([(7, others.records.get(0).unwrap().value, T0)]);
    let lease = Lease::until(Instant::now() + Duration::from_secs(60));
    let fault = sink.insert(&[events], &lease).unwrap_err();
    assert!(fault.0.contains("@7: a record is written with a schema that is not known"), "{fault}");
    assert_eq!(ask(&database, "SELECT count() FROM events"), "0");
}

#[test]
fn refused_rows_are_found_by_halving() {
    let (mut sink, database) = sink("halving");
    execute("ALTER TABLE test_halving.events ADD CONSTRAINT remarks CHECK remark != 'secret'");
    let mut events: Vec<_> = (0..100).map(|n| event("acme", "s1", n)).collect();
    for bad in [0, 41, 42, 99] {
        events[bad].event.remark = Some("secret".to_owned());
    }
    let inserted = insert(&mut sink, batch("events", 1000, &events));
    let (rows, mut rejects) = outcome(&inserted);
    rejects.sort_unstable();
    assert_eq!(rows, 96);
    let expect: Vec<_> = [1000, 1041, 1042, 1099].map(|offset| (offset, "storage_refused")).into();
    assert_eq!(rejects, expect);
    assert!(inserted.rejects.iter().all(|r| !r.reject.detail.contains("secret")
        && r.reject.detail.contains("469")
        && r.provenance.is_some()));
    let stored = |expect: &str| {
        let of = "SELECT count(), uniqExact(kafka_offset), uniqExact(_part) FROM events";
        assert_eq!(ask(&database, of), expect);
        assert_eq!(ask(&database, "SELECT sum(events) FROM throughput"), "96");
    };
    stored("96\t96\t1");
    // The same again is refused the same, and the good ones are one range under one token.
    let inserted = insert(&mut sink, again(batch("events", 1000, &events)));
    assert_eq!((outcome(&inserted).0, inserted.rejects.len()), (96, 4));
    stored("96\t96\t1");
    assert_eq!(
        ask(&database, "SELECT count() FROM system.tables WHERE database = 'test_halving_scratch'"),
        "0"
    );
}

/// A refusal that no row is to blame for costs no row: an operator's view is named.
#[test]
fn a_view_that_refuses_a_batch_is_the_operators_fault() {
    let (mut sink, database) = sink("bad_view");
    execute("CREATE TABLE test_bad_view.t (n UInt8) ENGINE = Memory");
    execute(
        "CREATE MATERIALIZED VIEW test_bad_view.v TO test_bad_view.t AS SELECT toUInt8(throwIf(count() > 1)) AS n FROM test_bad_view.events",
    );
    let events = [event("acme", "s1", 0), event("acme", "s1", 1)];
    let fault = try_insert(&mut sink, &[batch("events", 0, &events)]).unwrap_err();
    assert!(fault.0.contains("materialized views"), "{fault}");
    execute("DROP VIEW test_bad_view.v");
    insert(&mut sink, again(batch("events", 0, &events)));
    assert_eq!(ask(&database, "SELECT count() FROM events"), "2");
    assert_eq!(ask(&database, "SELECT sum(events) FROM throughput"), "2");
}

#[test]
fn every_record_is_counted_by_carrier_hour_and_outcome() {
    let (mut sink, _) = sink("counted");
    execute("ALTER TABLE test_counted.events ADD CONSTRAINT remarks CHECK remark != 'secret'");
    let mut events = vec![
        event("acme", "s1", 0),
        event("zeta", "z1", 1),
        event("acme", "s1", 2),
        event("acme", "s1", 3600),
        event("acme", "s1", 3601),
        event("acme", "s1", 3602),
    ];
    events[4].event.remark = Some("secret".to_owned());
    events[5].enrichment.occurred_at = i64::MAX;
    let mut of_events = batch("events", 0, &events);
    of_events.records.extend([(6, [1], T0 + 2 * HOUR + 1)]);
    of_events.last = 6;
    let states =
        [shipment("acme", "s1", 1, 0), shipment("acme", "s1", 2, 0), shipment("acme", "s2", 1, 0)];
    let entry = crate::ledger::entry("clickhouse", "events", 0, vec![]);
    let batches = [
        of_events,
        batch("shipments", 0, &states),
        batch("rejects", 0, &[reject("", "malformed", 9)]),
        batch("ledger", 0, &[entry]),
    ];
    let inserted = insert_all(&mut sink, &batches);
    let check = |inserted: &Inserted, expect: &[(&str, i64, &str, &str, u64)]| {
        let of = |c: &'_ LedgerCount| {
            assert_eq!((c.stage.as_str(), c.records), ("", c.parts));
            let (carrier, code) = (c.carrier_id.clone(), c.code.clone());
            (carrier, (c.hour - T0) / HOUR, c.outcome.as_str(), code, c.records)
        };
        let counts: Vec<_> = inserted.counts.iter().map(of).collect();
        let expect = expect.iter().map(|&(carrier, hour, outcome, code, n)| {
            (carrier.to_owned(), hour, outcome, code.to_owned(), n)
        });
        assert_eq!(counts, expect.collect::<Vec<_>>());
    };
    check(
        &inserted[0],
        &[
            ("", 2, "rejected", "internal", 1),
            ("acme", 0, "passed", "", 2),
            ("acme", 1, "passed", "", 1),
            ("acme", 1, "rejected", "internal", 1),
            ("acme", 1, "rejected", "storage_refused", 1),
            ("zeta", 0, "passed", "", 1),
        ],
    );
    check(&inserted[1], &[("acme", 0, "passed", "", 2), ("acme", 0, "superseded", "", 1)]);
    check(&inserted[2], &[("", 0, "passed", "", 1)]);
    check(&inserted[3], &[]);
}

#[test]
fn a_batch_of_which_nothing_is_taken_is_the_operators_fault() {
    let (mut sink, database) = sink("all_refused");
    execute("ALTER TABLE test_all_refused.events ADD CONSTRAINT never CHECK carrier_id = ''");
    let events: Vec<_> = (0..20).map(|n| event("acme", "s1", n)).collect();
    let fault = try_insert(&mut sink, &[batch("events", 0, &events)]).unwrap_err();
    assert!(fault.0.contains("refuses every row of a batch for events"), "{fault}");
    // Of a few it cannot be told: the stream goes on.
    let inserted = insert(&mut sink, batch("events", 0, &events[..2]));
    assert_eq!(outcome(&inserted).1.len(), 2);
    assert_eq!(ask(&database, "SELECT count() FROM events"), "0");
    // Nor of many, of which one in a hundred is good.
    execute("ALTER TABLE test_all_refused.events DROP CONSTRAINT never");
    execute("ALTER TABLE test_all_refused.events ADD CONSTRAINT few CHECK kafka_offset % 100 = 0");
    let events: Vec<_> = (0..40).map(|n| event("acme", "s1", n)).collect();
    let inserted = insert(&mut sink, batch("events", 90, &events));
    assert_eq!(outcome(&inserted).1.len(), 39);
    assert_eq!(ask(&database, "SELECT kafka_offset FROM events"), "100");
}
