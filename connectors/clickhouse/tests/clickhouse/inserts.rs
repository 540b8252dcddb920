use crate::samples::{DAY, HOUR, MINUTE, SECOND, T0, country, event, full_event, reject, shipment};
use crate::server::{ask, batch, execute, insert, insert_all, outcome, sink};

use waybill_clickhouse::{CarrierSummary, Database};
use waybill_schemas::vocabulary::{Milestone, NoteCode, ZoneQuality};
use waybill_schemas::{RejectRecord, Shipment};

/// Asserts that `sql` is answered with `expect`, tab-separated.
fn check(database: &Database, sql: &str, expect: &str) {
    assert_eq!(ask(database, sql), expect, "{sql}");
}

#[test]
fn every_field_of_an_event_arrives() {
    let (mut sink, database) = sink("full_event");
    insert(&mut sink, batch("events", 77, &[full_event()]));
    let check = |columns: &str, expect: &str| {
        check(&database, &format!("SELECT {columns} FROM events"), expect);
    };
    check(
        "carrier_id, shipment_id, handle, message_id, position",
        "acme\tacme:MSKU1234565\th-7\tm-7\t2",
    );
    check(
        "lower(hex(event_id)) = lower(replaceAll(toString(event_id), '-', '')), event_id = toUUID('00000000-0000-0000-0000-000000000000')",
        "1\t0",
    );
    check("milestone, classifier, raw_code, raw_id", "loaded\tactual\tEQUIPMENT/LOAD\traw-7");
    check(
        "occurred_at, occurred_local, offset_minutes, zone_quality, time_zone",
        "2026-11-24 07:00:07.000\t2026-11-24 08:00:07.000\t60\tstated\tEurope/Amsterdam",
    );
    check("created_at", "2026-11-24 07:58:00.000");
    check(
        "unlocode, place_source, place_name, country, latitude, longitude",
        "NLRTM\tunlocode\tRotterdam\tNL\t51.91667\t4.5",
    );
    check(
        "facility, facility_type, sent_unlocode, sent_iata, sent_place_name, sent_city, sent_region, sent_postal_code, sent_country, sent_latitude, sent_longitude",
        "SMDG/APMII\tPOTE\tNLRTM\tRTM\tMaasvlakte\tRotterdam\tZH\t3199\tNetherlands\t51.9\t4",
    );
    check("sent_origin_country, sent_destination_country", "SG\tDE");
    check("equipment, equipment_type, equipment_empty", "MSKU1234565\t22G1\tfalse");
    check(
        "mode, vessel_imo, vessel_name, voyage, flight, vehicle, service, call_id",
        "ocean\t9321483\tEmma\t2103S\tKL1234\t12-AB-34\tFE1\tcall-1",
    );
    check("`references.kind`, `references.value`", "['bill_of_lading','seal']\t['BL1','S2']");
    check(
        "`readings.kind`, `readings.value`, `readings.unit`, `readings.sensor`",
        "['temperature']\t[-18.5]\t['Cel']\t['']",
    );
    check("time_precision, place_score", "minute\t100");
    check(
        "notes, notes_about, remark",
        "['container_check_digit','missing_field']\t['','/references/3/referenceType']\trough; sea",
    );
    check("`exceptions.kind`, `exceptions.code`", "['weather']\t['SMDG/WEA']");
    check(
        "`quantities.kind`, `quantities.value`, `quantities.unit`",
        "['gross_weight']\t[21500.5]\t['kg']",
    );
    check("customs_procedure, customs_status, withdraws", "transit\tCLE\traw-6");
    check(
        "sequence, revision, out_of_order, previous_unlocode, distance_km, delay_ms, dwell_ms",
        "4\t6\ttrue\tSGSIN\t10500.5\t7200000\t129600000",
    );
    check("origin_country, destination_country, crosses_border", "SG\tNL\ttrue");
    check(
        "sealed_topic, source_partition, source_offset, kafka_partition, kafka_offset",
        "waybill.sealed.acme\t1\t1007\t3\t77",
    );
    check(
        "sealed_at, received_at, opened_at",
        "2026-11-24 08:00:06.500\t2026-11-24 08:00:07.000\t2026-11-24 08:00:07.010",
    );
    check(
        "validated_at, enriched_at, aggregated_at",
        "2026-11-24 08:00:07.030\t2026-11-24 08:00:07.060\t2026-11-24 08:00:07.100",
    );
    check("inserted_at BETWEEN now64(3) - 60 AND now64(3)", "1");
}

/// The id in ClickHouse is the id in hexadecimal.
#[test]
fn an_event_id_is_the_uuid_of_its_bits() {
    let (mut sink, database) = sink("event_id");
    let full = full_event();
    insert(&mut sink, batch("events", 0, std::slice::from_ref(&full)));
    let expect = format!("{:?}", full.event.event_id);
    check(&database, "SELECT replaceAll(toString(event_id), '-', '') FROM events", &expect);
}

#[test]
fn what_is_not_known_is_empty_or_null() {
    let (mut sink, database) = sink("bare");
    insert(&mut sink, batch("events", 0, &[event("acme", "s1", 0)]));
    check(&database, "SELECT unlocode, time_zone, equipment, mode, remark FROM events", "\t\t\t\t");
    check(
        &database,
        "SELECT latitude, created_at, delay_ms, equipment_empty, crosses_border FROM events",
        r"\N	\N	\N	\N	\N",
    );
}

#[test]
fn shipments_shows_the_latest_state_alone() {
    let (mut sink, database) = sink("latest");
    let states =
        [shipment("acme", "s1", 1, 0), shipment("acme", "s1", 2, 0), shipment("acme", "s2", 1, 0)];
    // Of the states of one batch only the latest is sent.
    assert_eq!(outcome(&insert(&mut sink, batch("shipments", 0, &states))).0, 2);
    // A duplicate alone makes a new state; a replay of an old one does not come to the top.
    insert(&mut sink, batch("shipments", 3, &[shipment("acme", "s1", 2, 1)]));
    insert(&mut sink, batch("shipments", 1, &[shipment("acme", "s1", 2, 0)]));
    check(
        &database,
        "SELECT shipment_id, revision, duplicates, kafka_offset FROM shipments ORDER BY shipment_id",
        "s1\t2\t1\t3\ns2\t1\t0\t2",
    );
}

/// A late event of a shipment whose history was closed, and that aggregate has forgotten, makes a history of
/// its own. It took the place of the other.
#[test]
fn what_comes_after_a_history_was_closed_does_not_take_its_place() {
    let (mut sink, database) = sink("histories");
    let at = T0 + 90 * DAY;
    let late = |revision| Shipment {
        aggregated_at: at + revision as i64,
        first_received_at: at,
        ..shipment("acme", "s1", revision, 0)
    };
    insert(&mut sink, batch("shipments", 0, &[shipment("acme", "s1", 11, 0)]));
    // In one batch, too.
    let states = [shipment("acme", "s1", 12, 0), late(1), late(2), shipment("acme", "s2", 1, 0)];
    assert_eq!(outcome(&insert(&mut sink, batch("shipments", 1, &states))).0, 3);
    insert(&mut sink, batch("shipments", 5, &[late(3)]));
    execute("OPTIMIZE TABLE test_histories.shipment_states FINAL");
    check(
        &database,
        "SELECT revision, kafka_offset FROM shipments WHERE shipment_id = 's1' ORDER BY revision",
        "3\t5\n12\t1",
    );
}

#[test]
fn every_field_of_a_shipment_arrives() {
    let (mut sink, database) = sink("full_shipment");
    insert(&mut sink, batch("shipments", 5, &[shipment("acme", "s1", 2, 1)]));
    let check = |columns: &str, expect: &str| {
        check(&database, &format!("SELECT {columns} FROM shipments"), expect);
    };
    check(
        "carrier_id, shipment_id, revision, duplicates, equipment",
        "acme\ts1\t2\t1\tMSKU1234565",
    );
    check(
        "origin_unlocode, origin_country, destination_unlocode, destination_country, crosses_border, distance_km",
        "SGSIN\tSG\tNLRTM\tNL\ttrue\t10500",
    );
    check(
        "last_unlocode, last_country, last_milestone, last_occurred_at, eta, delay_ms, finished",
        "NLRTM\tNL\tarrived\t2026-11-24 08:00:00.000\t2026-11-23 08:00:00.000\t86400000\ttrue",
    );
    check("events_checksum", "-77");
    check(
        "`legs.from_unlocode`, `legs.to_unlocode`, `legs.mode`, `legs.distance_km`",
        "['SGSIN']\t['NLRTM']\t['ocean']\t[10500]",
    );
    check(
        "`legs.departed_at`, `legs.arrived_at`, `legs.planned_departure_at`, `legs.planned_arrival_at`",
        "['2026-11-04 08:00:00.000']\t['2026-11-24 08:00:00.000']\t[NULL]\t['2026-11-23 08:00:00.000']",
    );
    check(
        "`dwells.unlocode`, `dwells.from`, `dwells.until`",
        "['SGSIN']\t['2026-11-02 08:00:00.000']\t['2026-11-04 08:00:00.000']",
    );
    check(
        "handle, message_id, sealed_topic, source_partition, source_offset, kafka_partition, kafka_offset",
        "h-9\tm-9\twaybill.sealed.acme\t1\t1009\t3\t5",
    );
    check(
        "sealed_at, received_at, opened_at",
        "2026-11-24 08:00:08.500\t2026-11-24 08:00:09.000\t2026-11-24 08:00:09.010",
    );
    check(
        "first_received_at, last_received_at, aggregated_at",
        "2026-11-24 08:00:01.000\t2026-11-24 08:00:09.000\t2026-11-24 08:00:10.000",
    );
}

#[test]
fn every_field_of_a_reject_arrives() {
    let (mut sink, database) = sink("reject");
    let redriven = RejectRecord { attempt: 2, ..reject("acme", "invalid_time", 3) };
    insert(&mut sink, batch("rejects", 5, &[redriven]));
    check(
        &database,
        "SELECT carrier_id, code, stage, detail, handle, message_id, position, attempt FROM rejects",
        "acme\tinvalid_time\tvalidate\t/eventDateTime: no date-time by RFC 3339\th-3\tm-3\t0\t2",
    );
    check(
        &database,
        "SELECT sealed_topic, source_partition, source_offset, kafka_partition, kafka_offset, sealed_at, received_at, rejected_at FROM rejects",
        "waybill.sealed.acme\t1\t1003\t3\t5\t2026-11-24 08:00:02.500\t2026-11-24 08:00:03.000\t2026-11-24 08:00:03.015",
    );
    check(
        &database,
        "SELECT minute, carrier_id, stage, code, rejects FROM rejects_by_minute",
        "2026-11-24 08:00:00\tacme\tvalidate\tinvalid_time\t1",
    );
}

/// Two inserts whose rollup blocks are alike must both count.
#[test]
fn equal_rollup_blocks_of_different_inserts_both_count() {
    let (mut sink, database) = sink("alike");
    insert(&mut sink, batch("events", 0, &[event("acme", "s1", 0)]));
    insert(&mut sink, batch("events", 1, &[event("acme", "s1", 0)]));
    insert(&mut sink, batch("rejects", 0, &[reject("acme", "expired", 0)]));
    insert(&mut sink, batch("rejects", 1, &[reject("acme", "expired", 0)]));
    check(&database, "SELECT sum(events) FROM throughput", "2");
    check(
        &database,
        "SELECT stage, events FROM latency WHERE stage IN ('decrypt', 'total') ORDER BY stage",
        "decrypt\t2\ntotal\t2",
    );
    check(&database, "SELECT sum(rejects) FROM rejects_by_minute", "2");
}

#[test]
fn rollups_and_views_answer_right() {
    let (mut sink, database) = sink("views");
    // acme: 100 events over 100 s, of which the last 40 fall in the second minute; zeta: one.
    let mut events: Vec<_> = (0..100).map(|n| event("acme", "s1", n)).collect();
    for (n, accepted) in (1..).zip(&mut events) {
        // Decrypt takes 1, 2, … 100 ms.
        let mut provenance = (*accepted.event.provenance).clone();
        provenance.opened_at = provenance.received_at + n;
        accepted.event.provenance = provenance.into();
    }
    events[1].event.milestone = Milestone::Departed;
    events[2].history.out_of_order = true;
    events[3].enrichment.zone_quality = ZoneQuality::Assumed;
    events[4].event.note(NoteCode::InFuture);
    events.push(event("zeta", "z1", 0));
    let mut on_time = shipment("acme", "s2", 5, 2);
    on_time.delay_ms = Some(-HOUR);
    let mut domestic = shipment("acme", "s3", 1, 0);
    domestic.destination_country = country("SG");
    domestic.delay_ms = None;
    domestic.finished = false;
    let batches = [
        batch("events", 0, &events),
        batch("shipments", 0, &[shipment("acme", "s1", 5, 1), on_time, domestic]),
        batch(
            "rejects",
            0,
            &[
                reject("acme", "expired", 0),
                reject("acme", "expired", 1),
                reject("", "malformed", 2),
            ],
        ),
    ];
    insert_all(&mut sink, &batches);

    let check = |sql: &str, expect: &str| check(&database, sql, expect);
    check(
        "SELECT minute, carrier_id, milestone, events, round(events_per_second, 3) FROM throughput ORDER BY ALL",
        "2026-11-24 08:00:00\tacme\tdeparted\t1\t0.017\n\
         2026-11-24 08:00:00\tacme\tloaded\t59\t0.983\n\
         2026-11-24 08:00:00\tzeta\tloaded\t1\t0.017\n\
         2026-11-24 08:01:00\tacme\tloaded\t40\t0.667",
    );
    check(
        "SELECT stage, sum(events), avg(p50_ms) FROM latency WHERE carrier_id = 'zeta'
        AND stage NOT IN ('clickhouse', 'total') GROUP BY stage ORDER BY stage",
        "aggregate\t1\t40\ndecrypt\t1\t10\ndelivery\t1\t500\nenrich\t1\t30\nvalidate\t1\t20",
    );
    // 61 … 100 ms, in the second minute.
    check(
        "SELECT events, avg_ms, abs(p50_ms - 80.5) < 1, abs(p95_ms - 98) < 1.5, abs(p99_ms - 99.6) < 1, max_ms
        FROM latency WHERE carrier_id = 'acme' AND stage = 'decrypt' AND minute = '2026-11-24 08:01:00'",
        "40\t80.5\t1\t1\t1\t100",
    );
    // inserted_at is a default: the rollup must see it.
    check(
        "SELECT min(max_ms = (SELECT max(toUnixTimestamp64Milli(inserted_at) - toUnixTimestamp64Milli(sealed_at)) FROM events WHERE carrier_id = 'zeta'))
        FROM latency WHERE carrier_id = 'zeta' AND stage = 'total'",
        "1",
    );
    check(
        "SELECT origin_country, destination_country, carrier_id, shipments, finished, with_plan, on_time,
            delay_p50_hours, transit_p50_days, dwell_p50_hours, distance_km
        FROM lane_performance ORDER BY destination_country",
        "SG\tNL\tacme\t2\t2\t2\t1\t11.5\t20\t48\t10500\nSG\tSG\tacme\t1\t0\t0\t0\t\\N\t\\N\t48\t10500",
    );
    check(
        "SELECT month, carrier_id, events, rejects, claimed_rejects, round(reject_share, 4), duplicates, out_of_order_share,
            zone_assumed_share, flagged_share, delivery_p50_ms, shipments, finished, with_plan, on_time_share
        FROM carrier_scorecard ORDER BY carrier_id",
        "2026-11-01\tacme\t100\t2\t0\t0.0196\t3\t0.01\t0.01\t0.01\t500\t3\t2\t2\t0.5\n\
         2026-11-01\tzeta\t1\t0\t0\t0\t0\t0\t0\t0\t500\t0\t0\t0\t\\N",
    );
    check(
        "SELECT step, milestone, occurred_at FROM shipment_timeline WHERE shipment_id = 's1' ORDER BY step LIMIT 2",
        "1\tloaded\t2026-11-24 07:00:00.000\n2\tdeparted\t2026-11-24 07:00:01.000",
    );
}

#[test]
fn a_timeline_reads_the_shipment_alone() {
    let (mut sink, database) = sink("pruned");
    insert(&mut sink, batch("events", 0, &[event("acme", "s1", 0)]));
    let plan = ask(
        &database,
        "EXPLAIN indexes = 1 SELECT * FROM shipment_timeline WHERE shipment_id = 's1'",
    );
    assert!(plan.contains("shipment_id in ["), "{plan}");
}

#[test]
fn a_timeline_is_without_what_was_declared_void_or_sent_anew() {
    let (mut sink, database) = sink("withdrawn");
    let with_id = |carrier: &str, shipment: &str, n: i64, id: &str| {
        let mut event = event(carrier, shipment, n);
        event.event.raw_id = Some(id.to_owned());
        event
    };
    let mut void = with_id("acme", "s1", 1, "e1");
    void.event.milestone = Milestone::Withdrawn;
    void.event.withdraws = Some("e1".to_owned());
    let events = [
        with_id("acme", "s1", 0, "e1"),
        void,
        with_id("acme", "s1", 2, "e2"),
        with_id("zeta", "s2", 3, "e1"),
        // The same event in a later message, and one without an id of its own.
        with_id("acme", "s1", 4, "e2"),
        event("acme", "s1", 5),
        event("acme", "s1", 6),
    ];
    insert(&mut sink, batch("events", 0, &events));
    assert_eq!(
        ask(&database, "SELECT shipment_id, step, occurred_at FROM shipment_timeline ORDER BY ALL"),
        "s1\t1\t2026-11-24 07:00:04.000\ns1\t2\t2026-11-24 07:00:05.000\n\
         s1\t3\t2026-11-24 07:00:06.000\ns2\t1\t2026-11-24 07:00:03.000",
    );
}

#[test]
fn the_summary_counts_by_carrier_since_a_moment() {
    let (mut sink, database) = sink("summary");
    let mut quick = event("zeta", "z1", 10);
    quick.event.position = 2;
    let batches = [
        batch("events", 0, &[event("acme", "s1", 0), event("acme", "s1", 10), quick]),
        batch("shipments", 0, &[shipment("acme", "s1", 2, 4), shipment("zeta", "z1", 1, 1)]),
        batch(
            "rejects",
            0,
            &[
                reject("acme", "expired", 0),
                reject("acme", "expired", 10),
                reject("", "malformed", 11),
            ],
        ),
    ];
    insert_all(&mut sink, &batches);
    let all = database.summary(T0).unwrap();
    assert_eq!(all.total.events, 3);
    assert_eq!((all.total.rejected(), all.total.duplicates), (3, 5));
    assert_eq!(all.total.rejects["expired"], 2);
    assert_eq!(all.carriers.keys().collect::<Vec<_>>(), ["", "acme", "zeta"]);
    assert_eq!((all.carriers["acme"].events, all.carriers["acme"].duplicates), (2, 4));
    assert_eq!(all.carriers["acme"].rejects["expired"], 2);
    let total: f64 = ask(&database, "SELECT max(toUnixTimestamp64Milli(inserted_at) - toUnixTimestamp64Milli(sealed_at)) FROM events").parse().unwrap();
    assert!((all.total.p99_ms - total).abs() / total < 0.001, "{} {total}", all.total.p99_ms);
    // The carriers' clocks of the samples stand in their own time, the insert in ours.
    let late = database.summary(T0 + 5 * SECOND).unwrap();
    assert_eq!((late.total.events, late.total.rejected()), (2, 2));
    let none = database.summary(T0 + 10 * MINUTE).unwrap();
    assert_eq!((none.carriers.len(), none.total), (0, CarrierSummary::default()));
}

#[test]
fn a_question_is_answered_in_text_and_changes_nothing() {
    let (mut sink, database) = sink("text");
    insert(&mut sink, batch("events", 0, &[event("acme", "s1", 0)]));
    let text = database.query_text("SELECT carrier_id FROM events WHERE '?' = '?'").unwrap();
    assert!(text.contains("carrier_id") && text.contains("acme") && text.contains('─'), "{text}");
    assert!(database.query_text("DROP TABLE events").is_err());
    assert!(database.query_text("SELEC 1").is_err());
}
