//! Real air shipments through the whole pipeline: what ClickHouse says of their delays is what the
//! file's own durations add up to.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::collections::BTreeMap;

use waybill_simulator::cargo2000::{MEDIA_TYPE, air_waybill, airport, shipments};
use waybill_tests::{Deployment, shared};

const MILESTONES: [(&str, &str); 4] =
    [("RCS", "accepted"), ("DEP", "departed"), ("RCF", "received"), ("DLV", "delivered")];

/// By shipment, milestone and place: how late, minutes, of each time that it was reached there.
type Lateness = BTreeMap<(String, String, String), Vec<i64>>;

#[test]
fn delays_of_real_air_shipments_are_those_of_the_file() {
    let Some(folder) = shared("data/cargo2000") else { return };
    let csv = std::fs::read_to_string(folder.join("first_half.csv")).unwrap();
    let shipments = shipments(&csv).unwrap();
    assert_eq!(shipments.len(), 1_971);
    // A base date that the rules about age have nothing against, whenever this runs.
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let base_ms = i64::try_from(now.as_millis()).unwrap() / 60_000 * 60_000 - 400 * 86_400_000;

    let mut messages = Vec::new();
    let mut stated = Lateness::new();
    let mut events = 0;
    for (leg, message) in shipments.iter().flat_map(|shipment| shipment.messages(base_ms)) {
        messages.push(message);
        for reached in leg.milestones() {
            events += 2; // planned and actual
            let (_, milestone) = MILESTONES.iter().find(|(code, _)| *code == reached.code).unwrap();
            let shipment = format!("acme-air/air_waybill:{}", air_waybill(leg.id));
            let key = (shipment, (*milestone).to_owned(), airport(reached.place));
            stated.entry(key).or_default().push(reached.late());
        }
    }

    let d = Deployment::new("cargo2000", "");
    d.add_carrier("acme-air");
    let processes = d.start_all();
    d.publish_all("acme-air", MEDIA_TYPE, &messages, &[]);
    d.wait_for("SELECT count() FROM events", events);

    // Planned and actual as they are told, in the order of their times.
    let rows = d.rows(
        "SELECT shipment_id, milestone, sent_iata,
            arraySort(groupArrayIf(toUnixTimestamp64Milli(occurred_at), classifier = 'planned')) AS p,
            arraySort(groupArrayIf(toUnixTimestamp64Milli(occurred_at), classifier = 'actual')) AS a,
            arrayMap((a, p) -> intDiv(a - p, 60000), a, p) AS late
        FROM events GROUP BY shipment_id, milestone, sent_iata",
    );
    let mut found = Lateness::new();
    for row in rows {
        let late = row["late"].as_array().unwrap().iter().map(|m| m.as_i64().unwrap()).collect();
        found.insert(key(&row), late);
    }
    for (key, late) in &mut stated {
        late.sort_unstable();
        let Some(found) = found.get_mut(key) else { panic!("{key:?} is not there") };
        found.sort_unstable();
        assert_eq!(found, late, "{key:?}");
    }
    assert_eq!(found.len(), stated.len());

    // What the pipeline itself reckons, where a place is one that it knows, and was reached once.
    let rows = d.rows(
        "SELECT shipment_id, milestone, sent_iata, any(intDiv(delay_ms, 60000)) AS late
        FROM events WHERE classifier = 'actual' AND unlocode != ''
        GROUP BY shipment_id, milestone, sent_iata HAVING count() = 1",
    );
    let mut compared = 0;
    for row in rows {
        let key = key(&row);
        // A plan that lies more than 45 days away is taken for that of another call.
        let is_far = stated[&key][0].abs() > 45 * 24 * 60;
        assert_eq!(row["late"].as_i64(), (!is_far).then_some(stated[&key][0]), "{key:?}");
        compared += 1;
    }
    println!("{} legs: {events} events, {compared} delays compared", messages.len());
    assert!(compared > 1_000, "{compared}");
    d.audit();
    drop(processes);
}

fn key(row: &serde_json::Value) -> (String, String, String) {
    let text = |name: &str| row[name].as_str().unwrap().to_owned();
    (text("shipment_id"), text("milestone"), text("sent_iata"))
}
