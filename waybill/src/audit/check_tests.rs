use waybill_clickhouse::{
    Coverage, Derived, ErasedRows, Gap, Misstored, StageTotal, Unaccounted, Unbalanced, Written,
};

use super::*;

fn group(next: i64) -> GroupProgress {
    GroupProgress {
        topic: "waybill.topic".into(),
        topic_id: "id".into(),
        partition: 0,
        first: 0,
        next: Some(next),
        claim: String::new(),
        waiting: 0,
    }
}

/// Ten messages: one is rejected, one comes twice, each of the others is an event.
fn clean() -> Facts {
    let read = [
        (Role::Sealed, 10),
        (Role::Redrive, 0),
        (Role::Opened, 9),
        (Role::Valid, 9),
        (Role::Enriched, 9),
        (Role::Events, 8),
        (Role::Shipments, 5),
        (Role::Rejects, 1),
    ];
    let progress: BTreeMap<_, _> =
        read.iter().map(|(role, n)| (*role, vec![group(*n + 1)])).collect();
    let coverage = read
        .iter()
        .map(|(role, n)| Coverage {
            topic: role.as_str().to_owned(),
            topic_id: "id".to_owned(),
            partition: 0,
            first: 0,
            next: n + 1,
            records: *n as u64,
            entries: 2,
        })
        .collect();
    let total = |stage: &str, topic: Role, outcome: &str, n: u64| StageTotal {
        stages: stage.to_owned(),
        topic: topic.as_str().to_owned(),
        stage: stage.to_owned(),
        outcome: outcome.to_owned(),
        records: n,
        parts: n,
    };
    let written = |stages: &str, topic: Role, records| Written {
        stages: stages.to_owned(),
        topic: topic.as_str().to_owned(),
        records,
    };
    let data = AuditData {
        coverage,
        stages: vec![
            total("decrypt", Role::Sealed, "passed", 9),
            total("decrypt", Role::Sealed, "rejected", 1),
            total("validate", Role::Opened, "passed", 9),
            total("enrich", Role::Valid, "passed", 9),
            total("aggregate", Role::Enriched, "passed", 8),
            total("aggregate", Role::Enriched, "duplicate", 1),
            total("clickhouse", Role::Events, "passed", 8),
            total("clickhouse", Role::Shipments, "passed", 5),
            total("clickhouse", Role::Rejects, "passed", 1),
        ],
        written: vec![
            written("decrypt", Role::Opened, 9),
            written("decrypt", Role::Rejects, 1),
            written("validate", Role::Valid, 9),
            written("enrich", Role::Enriched, 9),
            written("aggregate", Role::Events, 8),
            written("aggregate", Role::Shipments, 5),
        ],
        ..AuditData::default()
    };
    Facts { asked: progress.clone(), after: progress.clone(), progress, data, is_whole: true }
}

#[test]
fn what_is_in_order_is_clean() {
    let report = check(&clean());
    assert_eq!(report.findings, Vec::<String>::new());
    assert_eq!(report.moving, Vec::<String>::new());
    assert!(report.to_string().contains("10 records of 1 partitions"), "{report}");
}

/// An erasure is written to a topic, read, and passed on, and is no event; the rows that it has removed are told.
#[test]
fn what_was_erased_is_in_order() {
    let mut facts = clean();
    for (role, stage) in [
        (Role::Enriched, "aggregate"),
        (Role::Events, "clickhouse"),
        (Role::Shipments, "clickhouse"),
    ] {
        let of = facts.data.coverage.iter_mut().find(|c| c.topic == role.as_str());
        of.unwrap().records += 1;
        facts.data.stages.push(StageTotal {
            stages: stage.to_owned(),
            topic: role.as_str().to_owned(),
            stage: stage.to_owned(),
            outcome: "erased".to_owned(),
            records: 1,
            parts: 1,
        });
        let writer = if role == Role::Enriched { "erase" } else { "aggregate" };
        let of = facts.data.written.iter_mut();
        match of.filter(|w| w.stages == writer).find(|w| w.topic == role.as_str()) {
            Some(of) => of.records += 1,
            None => facts.data.written.push(Written {
                stages: writer.to_owned(),
                topic: role.as_str().to_owned(),
                records: 1,
            }),
        }
    }
    let erased = |table: &str| ErasedRows { table: table.to_owned(), rows: 2 };
    facts.data.erased = vec![erased("events"), erased("rejects")];
    facts.data.unfinished_erasures.push("5b1d".to_owned());
    let report = check(&facts);
    assert_eq!(report.findings, Vec::<String>::new());
    let said = report.to_string();
    assert!(said.contains("rows that were erased: events 2; rejects 2"), "{said}");
    assert!(said.contains("erasure 5b1d is not done"), "{said}");
    assert!(said.contains("8 passed + 1 duplicate + 1 erased"), "{said}");

    // Without its entry, somebody else has written it.
    facts.data.written.retain(|w| w.stages != "erase");
    let report = check(&facts);
    assert!(report.findings.iter().any(|f| f.starts_with("enriched: 9 records were written")));
}

#[test]
fn each_thing_that_is_not_in_order_is_found() {
    type Change = fn(&mut Facts);
    let cases: [(Change, &str); 13] = [
        (
            |f| {
                f.data.gaps.push(Gap {
                    topic: "valid".into(),
                    topic_id: "id".into(),
                    partition: 0,
                    before: 4,
                    from_offset: 6,
                });
            },
            "valid-0: offsets 4 to 5 are covered by no entry",
        ),
        (
            |f| {
                f.data.gaps.push(Gap {
                    topic: "valid".into(),
                    topic_id: "id".into(),
                    partition: 0,
                    before: 6,
                    from_offset: 4,
                });
            },
            "valid-0: offsets 4 to 5 are covered more than once",
        ),
        (
            |f| {
                f.data.unbalanced.push(Unbalanced {
                    topic_id: "id".into(),
                    topic: "sealed".into(),
                    partition: 0,
                    from_offset: 3,
                    next_offset: 5,
                    records: 2,
                    counted: 1,
                });
            },
            "sealed-0@3-4: 2 records were read, and 1 have an outcome",
        ),
        (|f| f.data.coverage[0].first = 3, "sealed-0: offsets 0 to 2 are covered by no entry"),
        (
            |f| f.data.coverage[0].next = 7,
            "sealed-0: offsets 7 to 10 are committed, and the ledger does not tell of them",
        ),
        (|f| f.data.written[0].records = 8, "decrypt passed 9 on, and 8 were written to opened"),
        (|f| f.data.coverage[2].records = 8, "opened: 9 records were written, and 8 read, 0 wait"),
        (|f| f.data.stages[1].parts = 2, "2 were rejected, and 1 dead letters were written"),
        (
            |f| {
                f.data.misstored_events.push(Misstored {
                    partition: 0,
                    from_offset: 0,
                    next_offset: 4,
                    passed: 4,
                    stored: 8,
                    different: 4,
                });
            },
            "events-0@0-3: 4 records were stored by the ledger, and the table has 8 rows of 4",
        ),
        (
            |f| {
                f.data.unaccounted.push(Unaccounted {
                    carrier_id: "acme".into(),
                    hour: "2026-11-24 08:00:00".into(),
                    in_flight: 2,
                });
            },
            "carrier \"acme\", hour 2026-11-24 08:00:00: 2 of what was received",
        ),
        (
            |f| f.data.derived.push(Derived { what: "rollup".into(), rows: 8, derived: 7 }),
            "rollup: 7, and the rows are 8",
        ),
        // Two stages of one process.
        (
            |f| {
                for total in &mut f.data.stages[0..3] {
                    total.stages = "decrypt,validate".to_owned();
                }
                f.data.stages[2].records = 7;
            },
            "decrypt,validate: decrypt passed 9 on, and validate took 7",
        ),
        // More was read than written: no matter of time, even while something is on its way.
        (
            |f| {
                f.data.coverage[2].records = 10;
                for progress in [&mut f.progress, &mut f.after] {
                    progress.get_mut(&Role::Rejects).unwrap()[0].waiting = 1;
                }
            },
            "opened: 9 records were written, and 10 read, 0 wait",
        ),
    ];
    for (change, expected) in cases {
        let mut facts = clean();
        change(&mut facts);
        let findings = check(&facts).findings;
        assert!(findings.iter().any(|f| f.contains(expected)), "{expected}\n{findings:?}");
    }
}

#[test]
fn what_is_on_its_way_is_no_finding() {
    let mut facts = clean();
    // One event is written and not read, and the entries of its shipment are not here yet.
    facts.data.written[4].records = 9;
    facts.data.stages[4].parts = 9;
    facts.progress.get_mut(&Role::Events).unwrap()[0].waiting = 1;
    facts.data.written[5].records = 6;
    let report = check(&facts);
    assert_eq!(report.findings, Vec::<String>::new());
    assert_eq!(report.moving.len(), 2, "{report}");
    assert!(facts.is_moving());
}

/// Everything that is true of a batch is seen in steps: its offsets, then what it wrote and its entry, then that entry in
/// the table. None of the states between is a finding, nor the last word while the audit may wait.
#[test]
fn a_batch_that_is_being_told_is_no_finding() {
    type Change = fn(&mut Facts);
    let cases: [(&str, Change); 5] = [
        // This is how it was seen: "9 records were written, and 9 read, 3 wait".
        ("what waited was read before its table was", |f| {
            let opened = &mut f.progress.get_mut(&Role::Opened).unwrap()[0];
            (opened.next, opened.waiting) = (Some(7), 3);
            f.asked = f.progress.clone();
        }),
        // Committed after the audit began, and no entry of it is to be seen.
        ("its offsets alone are there", |f| {
            f.asked.get_mut(&Role::Enriched).unwrap()[0].next = Some(7);
            f.data.coverage[4].next = 7;
            f.data.coverage[4].records = 7;
            f.data.stages[4].records = 6;
            f.data.stages[4].parts = 6;
        }),
        ("it came between two tables", |f| {
            f.progress.get_mut(&Role::Enriched).unwrap()[0].next = Some(7);
            f.asked = f.progress.clone();
            f.data.written[4].records = 7;
        }),
        // What was read is told, and what was written stands in another partition of the ledger.
        ("the writer's entry is not stored", |f| {
            f.data.written[3].records = 5;
            for progress in [&mut f.progress, &mut f.after] {
                progress.insert(Role::Ledger, vec![GroupProgress { waiting: 1, ..group(3) }]);
            }
        }),
        ("the sink has claimed it", |f| {
            f.data.written[3].records = 5;
            for progress in [&mut f.progress, &mut f.after] {
                let claim = "claimed".to_owned();
                progress.insert(Role::Ledger, vec![GroupProgress { claim, ..group(3) }]);
            }
        }),
    ];
    for (what, change) in cases {
        let mut facts = clean();
        change(&mut facts);
        assert!(facts.is_moving(), "{what}: it is waited for");
        let report = check(&facts);
        assert_eq!(report.findings, Vec::<String>::new(), "{what}");
        assert!(!report.moving.is_empty(), "{what}");
    }
}

/// An audit whose patience has ended says that it does not know, and not that something is lost; where nothing is to
/// come any more, it is.
#[test]
fn what_is_not_told_yet_is_neither_clean_nor_a_finding() {
    let mut facts = clean();
    facts.data.coverage[4].next = 7;
    for progress in [&mut facts.progress, &mut facts.after] {
        progress.insert(Role::Ledger, vec![GroupProgress { waiting: 2, ..group(3) }]);
    }
    let report = check(&facts);
    assert_eq!(report.findings, Vec::<String>::new());
    assert!(!report.is_clean(), "{report}");
    let said = report.to_string();
    assert!(said.contains("not told yet: enriched-0: offsets 7 to "), "{said}");
    assert!(said.ends_with("or with a longer --wait."), "{said}");

    for progress in [&mut facts.progress, &mut facts.after] {
        progress.insert(Role::Ledger, vec![group(5)]);
    }
    let report = check(&facts);
    assert!(report.findings[0].starts_with("enriched-0: offsets 7 to "), "{report}");
}

#[test]
fn with_since_only_entries_and_ranges_are_judged() {
    let mut facts = clean();
    facts.is_whole = false;
    facts.data.coverage[0].first = 3;
    facts.data.written[4].records = 100;
    facts.data.stages[4].parts = 100;
    assert_eq!(check(&facts).findings, Vec::<String>::new());
}

/// Carriers may have a topic each. Partitions of one number are told apart, and topics called by their names.
#[test]
fn of_several_sealed_topics_each_has_its_offsets() {
    let mut facts = clean();
    let other = GroupProgress { topic: "in.b".into(), topic_id: "b".into(), ..group(4) };
    for progress in [&mut facts.asked, &mut facts.progress, &mut facts.after] {
        progress.get_mut(&Role::Sealed).unwrap().push(other.clone());
    }
    let covered = facts.data.coverage[0].clone();
    facts.data.coverage[0].records = 7;
    facts.data.coverage.push(Coverage { topic_id: "b".into(), next: 4, records: 3, ..covered });
    let report = check(&facts);
    assert_eq!(report.findings, Vec::<String>::new());
    assert_eq!(report.sealed, 10);
    assert!(report.to_string().contains("10 records of 2 partitions"), "{report}");

    facts.data.coverage.last_mut().unwrap().next = 2;
    facts.data.gaps.push(Gap {
        topic: "sealed".into(),
        topic_id: "b".into(),
        partition: 0,
        before: 1,
        from_offset: 2,
    });
    let findings = check(&facts).findings;
    assert!(findings[0].starts_with("in.b-0: offsets 1 to 1 are covered by no entry"));
    assert!(findings[1].starts_with("in.b-0: offsets 2 to 3 are committed"), "{findings:?}");

    // One that is gone.
    facts.data.gaps.clear();
    for progress in [&mut facts.asked, &mut facts.progress, &mut facts.after] {
        let sealed = progress.get_mut(&Role::Sealed).unwrap();
        sealed[1] = GroupProgress { topic_id: "c".into(), topic: "in.c".into(), ..group(0) };
    }
    let report = check(&facts);
    assert_eq!(report.findings, Vec::<String>::new());
    let told = "of a topic that is not read any more (id b), 3 records were read";
    assert!(report.to_string().contains(told), "{report}");
}

/// What is known of a topic that is gone covers nothing of the one that has its name now.
#[test]
fn a_topic_that_began_anew_is_told_apart() {
    let mut facts = clean();
    for progress in [&mut facts.asked, &mut facts.progress, &mut facts.after] {
        let events = progress.get_mut(&Role::Events).unwrap();
        *events = vec![GroupProgress { topic_id: "new".into(), ..group(0) }];
    }
    let report = check(&facts);
    assert_eq!(report.findings, Vec::<String>::new());
    assert!(
        report.to_string().contains("events     began anew: of the topic before it (id id), 8")
    );
    let of_new = facts.progress.get_mut(&Role::Events).unwrap();
    of_new[0].next = Some(3);
    facts.asked = facts.progress.clone();
    facts.after = facts.progress.clone();
    let report = check(&facts);
    assert!(report.to_string().contains("events-0: offsets 0 to 2 are committed, and the ledger"));
}
