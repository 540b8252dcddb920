//! What a carrier asks of its own events.

use std::time::Duration;

use waybill_clickhouse::{Answers, CountRow, Cursor, StatusRows};

use waybill_schemas::vocabulary::LedgerOutcome::{Duplicate, Passed};

use crate::ledger::{count, entry};
use crate::samples::{HOUR, SECOND, T0, event, reject, shipment};
use crate::server::{batch, config, insert, sink};

fn wait_for<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

#[test]
fn each_carrier_is_answered_of_its_own() {
    let (mut sink, _database) = sink("answers");
    let shipments = ["acme/MSKU1", "acme/MSKU2"];
    let events = [
        event("acme", shipments[0], 1),
        event("acme", shipments[1], 2),
        event("boreal", "boreal/MSKU1", 1),
    ];
    insert(&mut sink, batch("events", 0, &events));
    let states = [shipment("acme", shipments[0], 1, 0), shipment("boreal", "boreal/MSKU1", 1, 0)];
    insert(&mut sink, batch("shipments", 0, &states));
    let rejects: Vec<_> = (1..=5).map(|n| reject("acme", "unparsable", n)).collect();
    insert(&mut sink, batch("rejects", 0, &rejects));
    insert(&mut sink, batch("rejects", 5, &[reject("boreal", "unparsable", 1)]));

    let answers = Answers::open(&config("answers")).unwrap();
    let message = |carrier: &str, id: &str| wait_for(answers.message(carrier, id)).unwrap();
    let found = message("acme", "m-1");
    assert_eq!((found.rows.len(), found.rejects.len()), (1, 1), "{found:?}");
    assert_eq!(found.rows[0].received, "2026-11-24T08:00:01.000Z");
    assert_eq!(
        (found.rows[0].shipment_id.as_str(), found.rows[0].source_offset),
        (shipments[0], 1001)
    );
    assert_eq!(message("boreal", "m-1").rows[0].shipment_id, "boreal/MSKU1");
    let none = message("boreal", "m-2");
    assert!(none.rows.is_empty() && none.rejects.is_empty(), "{none:?}");

    let named = |carrier: &str, reference: &str| {
        let (shipments, timeline) = wait_for(answers.shipments(carrier, reference)).unwrap();
        assert!(
            timeline
                .iter()
                .all(|event| shipments.iter().any(|s| s.shipment_id == event.shipment_id))
        );
        (shipments.len(), timeline.len())
    };
    assert_eq!(named("acme", "MSKU1"), (1, 1));
    assert_eq!(named("acme", "acme/MSKU1"), (1, 1));
    assert_eq!(named("acme", "boreal/MSKU1"), (0, 0));
    assert_eq!(named("other", "MSKU1"), (0, 0));

    // Pages of rejects, which come some seconds after they were stored.
    let page = |after, limit| wait_for(answers.rejects("acme", after, limit)).unwrap();
    assert!(page(Cursor::default(), 10).is_empty(), "others may still come before them");
    std::thread::sleep(Duration::from_secs(4));
    let (mut after, mut seen) = (Cursor::default(), Vec::new());
    loop {
        let rows = page(after, 2);
        let Some(last) = rows.last() else { break };
        after = Cursor {
            inserted_ms: last.inserted_ms,
            kafka_partition: last.kafka_partition,
            kafka_offset: last.kafka_offset,
        };
        seen.extend(rows.into_iter().map(|row| row.message_id));
    }
    assert_eq!(seen, ["m-1", "m-2", "m-3", "m-4", "m-5"]);

    assert!(!wait_for(answers.is_taken_in("id", 0, 0)).unwrap());
    assert!(wait_for(answers.usage("acme", 31)).unwrap().is_empty());
}

#[test]
fn a_status_counts_by_hour_and_names_what_came_last() {
    let (mut sink, _database) = sink("status");
    // The 3,600th message came an hour after T0.
    let events = [
        event("acme", "acme/A", 1),
        event("acme", "acme/A", 3599),
        event("acme", "acme/B", 3600),
        event("acme", "acme/C", -1),
        event("boreal", "boreal/A", 1),
    ];
    insert(&mut sink, batch("events", 0, &events));
    let mut claimed = reject("acme", "bad_proof", 3601);
    claimed.stage = "decrypt".to_owned();
    let rejects = [
        reject("acme", "unparsable", 2),
        reject("acme", "unparsable", 3),
        claimed,
        reject("acme", "too_old", -1),
        reject("boreal", "unparsable", 1),
    ];
    insert(&mut sink, batch("rejects", 0, &rejects));
    let counts = vec![
        count(("acme", 0), ("aggregate", Passed, "", 9, 9)),
        count(("acme", 0), ("aggregate", Duplicate, "", 2, 5)),
        count(("acme", 1), ("aggregate", Duplicate, "", 1, 1)),
        count(("acme", -1), ("aggregate", Duplicate, "", 1, 1)),
        count(("boreal", 0), ("aggregate", Duplicate, "", 7, 7)),
    ];
    insert(&mut sink, batch("ledger", 0, &[entry("aggregate", "enriched", 0, counts)]));

    let answers = Answers::open(&config("status")).unwrap();
    let since = u32::try_from(T0 / SECOND).unwrap();
    let next = since + u32::try_from(HOUR / SECOND).unwrap();
    let found = wait_for(answers.status("acme", since, 10)).unwrap();
    let counts = |rows: &[CountRow]| rows.iter().map(|r| (r.hour, r.events)).collect::<Vec<_>>();
    assert_eq!(counts(&found.accepted), [(since, 2), (next, 1)]);
    assert_eq!(counts(&found.duplicates), [(since, 5), (next, 1)]);
    let rejected: Vec<_> =
        found.rejected.iter().map(|r| (r.hour, &*r.stage, &*r.code, r.rejects)).collect();
    let expected = [(since, "validate", "unparsable", 2), (next, "decrypt", "bad_proof", 1)];
    assert_eq!(rejected, expected);
    let hours: Vec<u32> = found.latency.iter().map(|row| row.hour).collect();
    assert_eq!(hours, [0, since, next]);
    // They were inserted just now, days or months after.
    assert!(found.latency.iter().all(|row| row.p50 > 0.0 && row.p95 >= row.p50), "{found:?}");
    let ids = |found: &StatusRows| {
        let rows = found.rows.iter().map(|row| row.message_id.clone()).collect::<Vec<_>>();
        (rows, found.rejects.iter().map(|row| row.message_id.clone()).collect::<Vec<_>>())
    };
    let text = |all: &[&str]| all.iter().map(|&id| id.to_owned()).collect::<Vec<_>>();
    let rejects = text(&["m-3601", "m-3", "m-2"]);
    assert_eq!(ids(&found), (text(&["m-3600", "m-3599", "m-1"]), rejects.clone()));
    // Of the last minutes that have events, as many as messages are wanted.
    let last = wait_for(answers.status("acme", since, 1)).unwrap();
    assert_eq!(ids(&last), (text(&["m-3600"]), rejects));

    let none = wait_for(answers.status("other", since, 10)).unwrap();
    assert!(
        none.rows.is_empty() && none.rejects.is_empty() && none.accepted.is_empty(),
        "{none:?}"
    );
    assert!(none.duplicates.is_empty() && none.rejected.is_empty(), "{none:?}");
    let later = wait_for(answers.status("acme", next + 3600, 10)).unwrap();
    assert!(later.accepted.is_empty() && later.duplicates.is_empty(), "{later:?}");
}
