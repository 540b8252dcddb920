use crate::samples::{T0, event, reject, shipment};
use crate::server::{ask, batch, execute, insert, outcome, sink};

use waybill_stage::{Sink, SinkRecord};

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
    let inserted = sink
        .insert(&[
            batch("events", 40, &events),
            batch("shipments", 10, &[shipment("acme", "s1", 1, 0), odd]),
            batch("rejects", 20, &[late, claim]),
        ])
        .unwrap();
    let (rows, rejects) = outcome(&inserted);
    assert_eq!(rows, 4);
    assert_eq!(rejects, [(0, 41, "internal"), (1, 11, "internal"), (2, 20, "internal")]);
    let first = &inserted.rejects[0];
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
    let of_another_schema = batch("rejects", 0, &[reject("acme", "expired", 1)]);
    let cut = good.records[1].value[..30].to_vec();
    for value in [vec![], b"{}".to_vec(), of_another_schema.records[0].value.clone(), cut] {
        let offset = 7 + good.records.len() as i64;
        good.records.push(SinkRecord { offset, value, appended_at: T0 });
    }
    let inserted = insert(&mut sink, good);
    let (rows, rejects) = outcome(&inserted);
    assert_eq!(rows, 2);
    let expect: Vec<_> = (9..13).map(|offset| (0, offset, "internal")).collect();
    assert_eq!(rejects, expect);
    assert!(inserted.rejects.iter().all(|r| r.provenance.is_none()));
    // A batch of nothing else is no insert at all.
    let nothing = batch::<waybill_schemas::AcceptedEvent>("events", 50, &[]);
    let only_bad = waybill_stage::SinkBatch {
        records: vec![SinkRecord { offset: 50, value: vec![1], appended_at: T0 }],
        ..nothing
    };
    assert_eq!(outcome(&insert(&mut sink, only_bad)), (0, vec![(0, 50, "internal")]));
    assert_eq!(ask(&database, "SELECT count() FROM events"), "2");
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
    let expect: Vec<_> =
        [1000, 1041, 1042, 1099].map(|offset| (0, offset, "storage_refused")).into();
    assert_eq!(rejects, expect);
    assert!(inserted.rejects.iter().all(|r| !r.reject.detail.contains("secret")
        && r.reject.detail.contains("469")
        && r.provenance.is_some()));
    assert_eq!(ask(&database, "SELECT count(), uniqExact(kafka_offset) FROM events"), "96\t96");
    assert_eq!(ask(&database, "SELECT sum(events) FROM throughput"), "96");
}

#[test]
fn a_batch_of_which_nothing_is_taken_is_the_operators_fault() {
    let (mut sink, database) = sink("all_refused");
    execute("ALTER TABLE test_all_refused.events ADD CONSTRAINT never CHECK carrier_id = ''");
    let events: Vec<_> = (0..20).map(|n| event("acme", "s1", n)).collect();
    let fault = sink.insert(&[batch("events", 0, &events)]).unwrap_err();
    assert!(fault.0.contains("refuses every row of a batch for events"), "{fault}");
    // Of a few it cannot be told: the stream goes on.
    let inserted = insert(&mut sink, batch("events", 0, &events[..2]));
    assert_eq!(outcome(&inserted).1.len(), 2);
    assert_eq!(ask(&database, "SELECT count() FROM events"), "0");
}
