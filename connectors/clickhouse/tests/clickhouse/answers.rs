//! What a carrier asks of its own events.

use std::time::Duration;

use waybill_clickhouse::{Answers, Cursor};

use crate::samples::{event, reject, shipment};
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
