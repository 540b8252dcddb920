//! What a message would be understood as.

use std::path::Path;

use waybill_tests::{Answer, DCSA_22, Deployment, Door, gate_in};

struct World {
    d: Deployment,
    door: Door,
    key: String,
}

fn world(name: &str, extra: &str) -> World {
    let d = Deployment::new(name, extra);
    d.add_carrier("acme-line");
    let key = d.ok(&["carriers", "key", "new", "acme-line", "--scopes", "publish"]);
    let (door, key) = (Door::open(&d), key.trim().to_owned());
    World { d, door, key }
}

impl World {
    fn explain(&self, media_type: &str, body: impl AsRef<[u8]>) -> Answer {
        let headers = [("X-API-Key", self.key.as_str()), ("Content-Type", media_type)];
        self.door.post("/v1/explain", body, &headers)
    }
}

#[test]
fn a_message_is_explained_and_nothing_is_stored() {
    let world = world("explain", "");
    let secret = "MSKU9070323";
    let read = world.explain(DCSA_22, gate_in(secret));
    assert_eq!((read.status, &read.body["guessed"]), (200, &false.into()), "{read:?}");
    assert_eq!(read.body["format"], "DCSA Track & Trace 2.x");
    assert_eq!(read.body["events"][0]["milestone"], "gate_in");
    assert_eq!(read.body["events"][0]["equipment"], secret);
    assert_eq!(read.body["events"][0]["country"], "NL");
    assert_eq!(read.body["rejects"], serde_json::json!([]));

    // Files as carriers have them, by their looks; the command line says the same.
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../formats/fixtures");
    let edi = fixtures.join("edifact/good-iftsta.edi");
    let answer = world.explain("application/x-www-form-urlencoded", std::fs::read(&edi).unwrap());
    assert_eq!((answer.status, &answer.body["guessed"]), (200, &true.into()), "{answer:?}");
    let said = world.d.ok(&["formats", "explain", edi.to_str().unwrap()]);
    let count = |name: &str| answer.body[name].as_u64().unwrap();
    let events = count("event_count");
    assert!(events > 0 && said.contains(&format!("{events} event")), "{said}\n{answer:?}");
    let rejects = if count("reject_count") == 0 { "no reject" } else { "reject" };
    assert!(said.contains(rejects), "{said}\n{answer:?}");

    // A bad part among good ones, with what to do; odd ones are kept, with a note.
    let event = |container: &str| -> serde_json::Value {
        serde_json::from_slice(&gate_in(container)).unwrap()
    };
    let (good, mut bad) = (event("MSKU1234566"), event("MSKU1234565"));
    bad.as_object_mut().unwrap().remove("eventDateTime");
    let mixed = world.explain("application/json", serde_json::json!([good, bad]).to_string());
    assert_eq!(
        (&mixed.body["event_count"], &mixed.body["reject_count"]),
        (&1.into(), &1.into()),
        "{mixed:?}"
    );
    assert_eq!(mixed.body["events"][0]["notes"][0]["code"], "container_check_digit");
    assert_eq!(mixed.body["rejects"][0]["position"], 2);
    assert_eq!(mixed.body["rejects"][0]["code"], "missing_field");
    assert_eq!(mixed.body["rejects"][0]["what_to_do"], "fill it");

    // What is nothing that we know: what was tried.
    let nothing = world.explain("text/plain", "hello");
    assert_eq!((nothing.status, &nothing.body["format"]), (200, &serde_json::Value::Null));
    assert_eq!(nothing.body["rejects"][0]["code"], "unknown_format");
    assert!(nothing.body["tried"].as_array().unwrap().len() > 30);

    assert_eq!(world.d.records("sealed"), 0);
    assert_eq!(world.d.number("SELECT count() FROM rejects"), 0);
    let log = world.door.process.log();
    assert!(!log.contains(secret) && !log.contains("hello"), "{log}");
}

#[test]
fn what_cannot_be_explained_is_refused() {
    let world = world("unexplained", "[gateway.carriers]\nmessages_per_second = 1\nburst = 2");
    let refuse = |media_type: &str, body: &[u8], status: u16, code: &str, part: &str| {
        let answer = world.explain(media_type, body);
        assert_eq!(
            (answer.status, answer.body["code"].as_str()),
            (status, Some(code)),
            "{answer:?}"
        );
        assert!(answer.body["detail"].as_str().unwrap().contains(part), "{answer:?}");
    };
    let sealed = b"eyJhbGciOiJkaXIifQ.a.b.c.d";
    refuse("application/jose", b"x", 415, "unsupported_media_type", "sealed");
    refuse("application/x-ndjson", sealed, 415, "unsupported_media_type", "one message");
    refuse("text/plain", b"", 400, "bad_request", "no message");
    refuse("text/plain", &vec![b' '; 675_001], 413, "body_too_large", "675000");
    refuse("application/cloudevents+json", b"{}", 400, "bad_request", "CloudEvent");
    // Of its limit for what it publishes: each that is read counts.
    assert_eq!(world.explain(DCSA_22, gate_in("MSKU1234565")).status, 200);
    let mut asked = (0..1000).map(|_| world.explain("text/plain", "x"));
    let over = asked.find(|answer| answer.status != 200).unwrap();
    assert_eq!((over.status, over.body["code"].as_str()), (429, Some("rate_limited")), "{over:?}");
    assert!(over.header("retry-after").is_some());
}
