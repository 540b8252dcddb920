//! What became of an event.

use std::time::{Duration, Instant};

use waybill_sealing::seal::Proof;
use waybill_tests::{Answer, DCSA_22, Deployment, Door, gate_in, seal, sealer, wait_until};

const LIMIT: Duration = Duration::from_secs(30);

fn key(d: &Deployment, carrier: &str) -> String {
    d.ok(&["carriers", "key", "new", carrier, "--scopes", "read"]).trim().to_owned()
}

/// Asks until it is no longer on its way.
fn settled(door: &Door, path: &str, key: &str) -> Answer {
    let mut last = None;
    wait_until(path, LIMIT, || {
        let answer = door.get(path, &[("X-API-Key", key)]);
        assert_ne!(answer.status, 503, "{answer:?}\n{}", door.process.log());
        let is_open = answer.status == 404 || answer.body["status"] == "pending";
        last = Some(answer);
        !is_open
    });
    last.unwrap()
}

#[test]
fn a_carrier_learns_what_became_of_each_event() {
    let d = Deployment::new("answers", "");
    d.add_carrier("acme-line");
    let acme = key(&d, "acme-line");
    let _stages = d.start_all();
    let door = Door::open(&d);
    let mut sealer = sealer(&d, "acme-line", Proof::Granted);
    let good = seal(&mut sealer, "good", DCSA_22, &gate_in("MSKU1234565"));
    let place =
        |answer: &Answer| answer.body["results"][0]["position"].as_str().unwrap().to_owned();

    let first = place(&door.publish("application/jose", &good, &[]));
    let answer = settled(&door, &format!("/v1/events/good?position={first}"), &acme);
    assert_eq!(
        (answer.status, answer.body["status"].as_str()),
        (200, Some("accepted")),
        "{answer:?}"
    );
    assert_eq!(answer.body["events"][0]["milestone"], "gate_in");
    assert_eq!(answer.body["rejects"], serde_json::json!([]));
    let second = place(&door.publish("application/jose", &good, &[]));
    assert_ne!(first, second);
    let copy = settled(&door, &format!("/v1/events/good?position={second}"), &acme);
    assert_eq!(copy.body["status"], "duplicate", "{copy:?}");
    assert_eq!(copy.body["duplicate_of"]["position"], first.as_str());

    let bad = seal(&mut sealer, "bad", DCSA_22, b"no JSON");
    let bad = place(&door.publish("application/jose", &bad, &[]));
    let answer = settled(&door, &format!("/v1/events/bad?position={bad}"), &acme);
    assert_eq!(answer.body["status"], "rejected", "{answer:?}");
    assert_eq!(answer.body["rejects"][0]["code"], "unparsable");
    assert_eq!(answer.body["rejects"][0]["what_to_do"], "send well-formed payloads");
    let page = || door.get("/v1/rejects?since=2026-01-01T00:00:00Z", &[("X-API-Key", &acme)]);
    wait_until("the reject to be listed", LIMIT, || page().body["rejects"][0]["id"] == "bad");
    let cursor = page().body["cursor"].as_str().unwrap().to_owned();
    let next = door.get(&format!("/v1/rejects?cursor={cursor}"), &[("X-API-Key", &acme)]);
    assert_eq!((next.status, &next.body["rejects"]), (200, &serde_json::json!([])), "{next:?}");

    let id = door.get("/v1/shipments/MSKU1234565", &[("X-API-Key", &acme)]);
    let id = id.body["shipments"][0]["shipment_id"].as_str().unwrap().replace('/', "%2F");
    for reference in ["MSKU1234565", &id] {
        let shipment = door.get(&format!("/v1/shipments/{reference}"), &[("X-API-Key", &acme)]);
        let found = &shipment.body["shipments"][0];
        assert_eq!(found["equipment"], "MSKU1234565", "{shipment:?}");
        assert_eq!(found["timeline"][0]["classifier"], "actual", "{shipment:?}");
    }
    let usage = door.get("/v1/usage", &[("X-API-Key", &acme)]);
    let passed = |stage: &str, outcome: &str| {
        let rows = usage.body["usage"].as_array().unwrap().iter();
        let rows = rows.filter(|row| row["stage"] == stage && row["outcome"] == outcome);
        rows.map(|row| row["records"].as_u64().unwrap()).sum::<u64>()
    };
    assert_eq!((passed("decrypt", "passed"), passed("validate", "rejected")), (3, 1), "{usage:?}");
    assert_eq!(passed("aggregate", "duplicate"), 1, "{usage:?}");
    for wrong in [
        "/v1/events/good?position=x",
        "/v1/rejects?since=x",
        "/v1/rejects?cursor=x",
        "/v1/usage?day=1",
    ] {
        assert_eq!(door.get(wrong, &[("X-API-Key", &acme)]).status, 400, "{wrong}");
    }

    // The seconds from a publication to its answer.
    let mut took: Vec<Duration> = (0..10)
        .map(|n| {
            let id = format!("timed-{n}");
            let began = Instant::now();
            door.publish(
                "application/jose",
                seal(&mut sealer, &id, DCSA_22, &gate_in("MSKU1234565")),
                &[],
            );
            settled(&door, &format!("/v1/events/{id}"), &acme);
            began.elapsed()
        })
        .collect();
    took.sort();
    println!("answers after {:?} (median), {:?} at most", took[5], took[9]);
    d.audit();
}
