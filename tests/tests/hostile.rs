//! One hostile or broken writer stops nobody, and what may be ours is never thrown away.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::time::Duration;

use rdkafka::error::RDKafkaErrorCode;
use waybill_tests::{Attacker, DCSA_22, Deployment, Servers, Topic, forged, gate_in, wait_until};

const CONTAINERS: [&str; 4] = ["MSKU1234565", "MSKU0000006", "CSQU3054383", "TCLU4265447"];

/// A deployment on one partition, with a carrier that has published `n` events.
fn with_events(name: &str, n: usize) -> Deployment {
    let d = Deployment::on(Servers::find(), name, 1, "");
    d.add_carrier("acme-line");
    publish(&d, n);
    d
}

fn publish(d: &Deployment, n: usize) {
    let events: Vec<_> = CONTAINERS.iter().cycle().take(n).map(|c| gate_in(c)).collect();
    d.publish_all("acme-line", DCSA_22, &events, &["--shipment", "h-1"]);
}

#[test]
fn a_record_that_kills_its_process_is_set_aside_and_can_come_again() {
    let d = with_events("poison", 12);
    let others: Vec<_> = d.start_each(&["validate", "enrich", "aggregate", "clickhouse"]);
    // As an orchestrator does it: whatever has ended is started again.
    let mut deaths = 0;
    let answered = || d.number("SELECT count() FROM rejects WHERE code = 'poison'") > 0;
    let mut decrypt = d.spawn("decrypt", "1", &[("FAILPOINTS", "record_7=return")]);
    wait_until("the record to be set aside", Duration::from_secs(120), || {
        if decrypt.has_ended() {
            deaths += 1;
            assert!(deaths < 10, "a crash loop: {}", decrypt.log());
            decrypt = d.spawn("decrypt", "1", &[("FAILPOINTS", "record_7=return")]);
        }
        answered()
    });
    assert!((3..=7).contains(&deaths), "{deaths} deaths");
    d.wait_for("SELECT count() FROM events", 11);
    let row = &d.rows("SELECT source_topic, source_offset, stage FROM rejects")[0];
    assert_eq!((&row["source_topic"], &row["source_offset"]), (&"sealed".into(), &7.into()));
    assert!(decrypt.log().contains("set aside: it has ended each process that took it"));
    assert!(decrypt.metric("waybill_rejects_total", "poison") > 0.0);
    d.audit();

    // Mended, it goes through; and a process that was stopped in good order leaves no caution behind.
    decrypt.stop(Duration::from_secs(20));
    let decrypt = d.start("decrypt");
    assert!(d.ok(&["rejects", "redrive", "--code", "poison"]).contains("redrove 1 records"));
    d.wait_for("SELECT count() FROM events", 12);
    d.audit();
    drop((decrypt, others));
}

/// Validate with another keys folder rejected five good events of five, ready all the while.
#[test]
fn a_process_with_other_keys_stops_and_loses_nothing() {
    let d = with_events("other_keys", 5);
    let decrypt = d.start("decrypt");
    wait_until("decrypt to have read them", Duration::from_secs(60), || {
        decrypt.metric("waybill_records_total", "outcome=\"passed\"") >= 5.0
    });
    let others = d.with_keys("other-keys");
    others.ok(&["keys", "new", "--bits", "2048"]);
    let wrong = others.spawn("validate", "1", &[]);
    wait_until("validate to say what it lacks", Duration::from_secs(60), || {
        let log = wrong.log();
        log.contains("which is not held: give this process the keys folder")
            && log.contains("opened-0@")
    });
    drop(wrong);
    let _others = d.start_each(&["validate", "enrich", "aggregate", "clickhouse"]);
    d.wait_for("SELECT count() FROM events", 5);
    assert_eq!(d.number("SELECT count() FROM rejects"), 0);
    d.audit();
}

/// What nobody of us has sealed is answered where it stands, on every internal topic.
#[test]
fn what_somebody_else_writes_to_an_internal_topic_is_answered_where_it_stands() {
    let d = with_events("strangers", 3);
    let _processes = d.start_all();
    d.wait_for("SELECT count() FROM events", 3);
    let topics =
        ["opened", "valid", "enriched", "events", "shipments", "rejects", "ledger", "redrive"];
    // Plain Avro, as a build of before wrote it, is believed no more than anything else.
    let avro = [0xC3, 0x01, 1, 2, 3, 4, 5, 6, 7, 8, 9];
    for role in topics {
        let attacker = Attacker::of(&d, role);
        for value in [Some(&b"{}"[..]), Some(&avro[..]), None] {
            attacker.send(b"k", value);
        }
        attacker.flush();
    }
    let answered = "SELECT count() FROM rejects WHERE code = 'internal'";
    assert_eq!(d.wait_for(answered, 3 * topics.len() as i64), 3 * topics.len() as i64);
    let of = |role: &str| {
        d.number(&format!("SELECT count() FROM rejects WHERE source_topic = '{role}'"))
    };
    for role in topics {
        assert_eq!(of(role), 3, "{role}");
    }
    assert_eq!(d.number("SELECT count() FROM rejects WHERE source_offset < 0"), 0);
    publish(&d, 2);
    d.wait_for("SELECT count() FROM events", 5);
    // The audit says that they are not ours, topic by topic; and no other topic is out of order.
    let out = d.run(&["audit", "--wait", "10s"]);
    let said = String::from_utf8(out.stdout).unwrap();
    for (role, ours) in
        [("opened", 5), ("valid", 5), ("enriched", 5), ("events", 5), ("rejects", 24)]
    {
        let finding = format!("{role}: {ours} records were written, and {} read", ours + 3);
        assert!(said.contains(&finding), "{finding}\n{said}");
    }
    assert!(!said.contains("NOT IN ORDER: sealed"), "{said}");
}

/// 4,622 bytes of zstd were 150 MB in every reader, and 146 kB of gzip killed it.
#[test]
fn the_broker_refuses_what_is_large_once_it_is_unpacked() {
    let d = with_events("bomb", 1);
    let _processes = d.start_all();
    d.wait_for("SELECT count() FROM events", 1);
    let bomb = vec![b'a'; 50_000_000];
    for compression in ["zstd", "gzip"] {
        let answer = Attacker::of(&d, "sealed").send_compressed(compression, &bomb);
        assert_eq!(answer, Some(RDKafkaErrorCode::MessageSizeTooLarge), "{compression}");
    }
    publish(&d, 2);
    d.wait_for("SELECT count() FROM events", 3);
    assert_eq!(d.number("SELECT count() FROM rejects"), 0);
    d.audit();
}

/// carriers.json deleted was an empty registry two seconds later.
#[test]
fn a_registry_that_is_gone_leaves_the_last_one_in_force() {
    let d = with_events("registry", 1);
    let processes = d.start_all();
    d.wait_for("SELECT count() FROM events", 1);
    let file = d.folder.join("carriers.json");
    let kept = std::fs::read(&file).unwrap();
    std::fs::remove_file(&file).unwrap();
    for process in [&processes[0], &processes[3]] {
        wait_until("the gauge to tell of it", Duration::from_secs(20), || {
            process
                .get("/metrics")
                .is_some_and(|m| m.contains("waybill_file_ok{file=\"carriers\"} 0"))
        });
        assert!(process.log().contains("the last good one stays in force"));
    }
    publish(&d, 3);
    d.wait_for("SELECT count() FROM events", 4);
    assert_eq!(d.number("SELECT count() FROM rejects"), 0);
    for stage in ["decrypt", "aggregate"] {
        let out = d.run(&["run", stage]);
        let said = String::from_utf8_lossy(&out.stderr).into_owned()
            + &String::from_utf8_lossy(&out.stdout);
        assert_eq!(out.status.code(), Some(3), "{said}");
        assert!(said.contains("carriers.json: is not there"), "{said}");
    }
    std::fs::write(&file, kept).unwrap();
    wait_until("the gauge to be good again", Duration::from_secs(20), || {
        processes[0].metric("waybill_file_ok", "carriers") == 1.0
    });
    d.audit();
}

/// 200 forged events a second, for each of which the platform pays an RSA operation before it can know, stalled
/// decrypt.
#[test]
fn records_that_cost_rsa_before_they_are_proven_hold_nobody_up() {
    const FORGED: i64 = 4_000;
    let d = Deployment::on(Servers::find(), "costly", 1, "");
    d.add_carrier("acme-line");
    let one = [gate_in(CONTAINERS[0])];
    d.publish_all("acme-line", DCSA_22, &one, &["--shipment", "h-1", "--proof", "signed"]);
    let genuine = d.read_last();
    let attacker = Attacker::of(&d, "sealed");
    for _ in 0..FORGED {
        attacker.send(b"h-1", Some(&forged(&genuine)));
    }
    attacker.flush();
    publish(&d, 20);
    let processes = d.start_all();
    d.wait_for("SELECT count() FROM events", 21);
    let answered = "SELECT count() FROM rejects WHERE code = 'not_authentic'";
    assert_eq!(d.wait_for(answered, FORGED), FORGED);
    let before = format!("{answered} AND rejected_at <= (SELECT max(opened_at) FROM events)");
    let before = d.number(&before);
    assert!(before < FORGED / 10, "{before} forged ones were judged before the last good one");
    assert_eq!(d.number("SELECT count() FROM events"), 21);
    let put_off = processes[0].metric("waybill_records_total", "outcome=\"deferred\"");
    assert!(put_off > 0.0);
    d.audit();
}

/// A record that was written while the topic took compressed ones is a fault in the client, and it stays where
/// it is: seven restarts in 25 s, and the good event behind it never came.
#[test]
fn what_cannot_be_unpacked_is_answered_where_it_stands() {
    let d = with_events("unpacked", 2);
    let sealed = Topic::of(&d, "sealed");
    sealed.set(&[("compression.type", "producer"), ("message.timestamp.type", "LogAppendTime")]);
    let bomb = vec![b'a'; 50_000_000];
    for _ in 0..2 {
        assert_eq!(Attacker::of(&d, "sealed").send_compressed("zstd", &bomb), None);
    }
    assert!(d.ok(&["topics"]).contains("compression.type=uncompressed"));
    publish(&d, 3);
    let processes = d.start_all();
    d.wait_for("SELECT count() FROM events", 5);
    d.wait_for("SELECT count() FROM rejects", 2);
    let rows = d.rows("SELECT code, source_topic, source_offset FROM rejects ORDER BY ALL");
    for (row, offset) in rows.iter().zip(2..) {
        assert_eq!((&row["code"], &row["source_topic"]), (&"undecodable".into(), &"sealed".into()));
        assert_eq!(row["source_offset"], offset);
    }
    assert_eq!(processes[0].metric("waybill_restarts_total", ""), 0.0);
    assert!(processes[0].log().contains("records cannot be unpacked"));
    d.audit();
}

/// What a suspended carrier had filled aggregate with stayed for 60 days, and a restart filled it again.
#[test]
fn the_state_of_a_suspended_carrier_can_be_purged() {
    let d = with_events("purged", 4);
    d.add_carrier("other-line");
    let other = [gate_in("TCLU4265447")];
    d.publish_all("other-line", DCSA_22, &other, &["--shipment", "h-9"]);
    let _processes = d.start_all();
    d.wait_for("SELECT count() FROM events", 5);
    let listed = d.ok(&["state", "list"]);
    assert!(listed.contains("acme-line") && listed.contains("other-line"), "{listed}");
    let refused = d.run(&["state", "purge", "--carrier", "acme-line"]);
    assert_eq!(refused.status.code(), Some(3));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("suspend it first"));
    d.ok(&["carriers", "suspend", "acme-line"]);
    d.ok(&["state", "purge", "--carrier", "acme-line"]);
    // It goes with the batches that come.
    let mut n = 0;
    wait_until("its state to be gone", Duration::from_secs(60), || {
        n += 1;
        let event = [gate_in(CONTAINERS[n % 4])];
        d.publish_all("other-line", DCSA_22, &event, &["--shipment", &format!("h-{n}")]);
        !d.ok(&["state", "list"]).contains("acme-line")
    });
    d.audit();
    assert_eq!(d.number("SELECT count() FROM shipments WHERE carrier_id = 'acme-line'"), 4);
}

/// A null in the changelog, and sealed bytes played again, gave two rows for one event id.
#[test]
fn what_somebody_else_writes_to_the_changelog_changes_nothing() {
    let d = with_events("changelog", 2);
    let sealed = d.read_last();
    let mut processes = d.start_all();
    d.wait_for("SELECT count() FROM events", 2);
    let copies = Attacker::of(&d, "sealed");
    let duplicates = || d.number("SELECT sum(duplicates) FROM shipments");
    let send_copy = |n: i64| {
        copies.send(b"h-1", Some(&sealed));
        copies.flush();
        wait_until("the copy to be counted", Duration::from_secs(30), || duplicates() == n);
    };
    send_copy(1);
    let written = d.read_all("aggregate_state");
    let attacker = Attacker::of(&d, "aggregate_state");
    for (key, value) in &written {
        attacker.send(key, value.as_deref());
        attacker.send(key, Some(b"{}"));
        attacker.send(key, None);
    }
    attacker.flush();
    processes.remove(3).stop(Duration::from_secs(20));
    let aggregate = d.start("aggregate");
    for what in ["null", "put_back", "not_ours"] {
        assert!(aggregate.metric("waybill_strange_state_total", what) >= 1.0, "{what}");
    }
    send_copy(2);
    publish(&d, 1);
    d.wait_for("SELECT count() FROM events", 3);
    assert_eq!(d.number("SELECT count() FROM rejects"), 0);
    d.audit();
}
