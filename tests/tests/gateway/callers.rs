//! Everything that is read is the caller's own.

use std::time::Duration;

use waybill_sealing::seal::Proof;
use waybill_tests::{DCSA_22, Deployment, Door, gate_in, seal, sealer, wait_until};

#[test]
fn ids_of_others_answer_as_unknown_ones_do() {
    let codes = "[validate.codes.acme-line]\n\"EQUIPMENT/XXXX\" = \"loaded\"";
    let d = Deployment::new("others", codes);
    let read = |carrier: &str| {
        d.add_carrier(carrier);
        d.ok(&["carriers", "key", "new", carrier, "--scopes", "read"]).trim().to_owned()
    };
    let (acme, other) = (read("acme-line"), read("other-line"));
    let publish_only =
        d.ok(&["carriers", "key", "new", "acme-line", "--scopes", "publish"]).trim().to_owned();
    let _stages = d.start_all();
    let door = Door::open(&d);
    let mut sealer = sealer(&d, "acme-line", Proof::Granted);
    let good = seal(&mut sealer, "good", DCSA_22, &gate_in("MSKU1234565"));
    let bad = seal(&mut sealer, "bad", DCSA_22, b"no JSON");
    let published = door.publish("application/x-ndjson", [good, bad].join("\n"), &[]);
    let place = published.body["results"][0]["position"].as_str().unwrap().to_owned();
    let paths = [
        ("/v1/events/good", "/v1/events/none"),
        ("/v1/events/bad", "/v1/events/none"),
        ("/v1/shipments/MSKU1234565", "/v1/shipments/none"),
    ];
    for (path, _) in paths {
        wait_until(path, Duration::from_secs(30), || {
            door.get(path, &[("X-API-Key", &acme)]).status == 200
        });
    }
    let listed = || door.get("/v1/rejects", &[("X-API-Key", &acme)]).body["rejects"][0].is_object();
    wait_until("the reject to be listed", Duration::from_secs(30), listed);

    let asked = |path: &str| {
        let answer = door.get(path, &[("X-API-Key", &other)]);
        (answer.status, answer.body)
    };
    for (path, unknown) in paths {
        assert_eq!(asked(path), asked(unknown), "{path}");
        assert_eq!(asked(path).0, 404);
    }
    // With its place it is on its way as any id would be.
    let with_place = |id: &str| {
        let (status, mut body) = asked(&format!("/v1/events/{id}?position={place}"));
        body["id"].take();
        (status, body)
    };
    assert_eq!(with_place("good"), with_place("none"));
    assert_eq!(asked("/v1/rejects").1["rejects"], serde_json::json!([]));
    assert_eq!(asked("/v1/usage").1["usage"], serde_json::json!([]));
    let status = |key: &str| door.get("/v1/status", &[("X-API-Key", key)]).body;
    let own = status(&acme);
    assert_eq!((&own["accepted"], &own["rejected"]), (&1.into(), &1.into()), "{own}");
    let none = status(&other);
    for count in ["accepted", "rejected", "duplicates"] {
        assert_eq!(none[count], 0, "{none}");
    }
    assert_eq!(none["carrier"], "other-line");
    for list in ["messages", "rejects", "rejected_by_code"] {
        assert_eq!(none[list], serde_json::json!([]), "{none}");
    }
    // What a carrier's private codes mean is its own, too.
    let payload = String::from_utf8(gate_in("MSKU1234565")).unwrap().replace("GTIN", "XXXX");
    let milestone = |key: &str| {
        let headers = [("X-API-Key", key), ("Content-Type", DCSA_22)];
        door.post("/v1/explain", &payload, &headers).body["events"][0]["milestone"].take()
    };
    assert_eq!((milestone(&acme), milestone(&other)), ("loaded".into(), "other".into()));

    // No key, a key for something else, a key that is taken back, one that expires.
    for path in
        ["/v1/events/good", "/v1/shipments/MSKU1234565", "/v1/rejects", "/v1/usage", "/v1/status"]
    {
        assert_eq!(door.get(path, &[]).status, 401, "{path}");
        assert_eq!(door.get(path, &[("X-API-Key", &publish_only)]).status, 403, "{path}");
    }
    assert_eq!(door.post("/v1/explain", &payload, &[]).status, 401);
    assert_eq!(door.post("/v1/explain", &payload, &[("X-API-Key", &publish_only)]).status, 200);
    let soon = ["carriers", "key", "new", "acme-line", "--expires-in", "4s"];
    let soon = d.ok(&soon).trim().to_owned();
    let is_open = |key: &str| door.get("/v1/usage", &[("X-API-Key", key)]).status == 200;
    wait_until("the new key to count", Duration::from_secs(10), || is_open(&soon));
    wait_until("it to expire", Duration::from_secs(10), || !is_open(&soon));
    let id = acme.trim_start_matches("waybill_").split('.').next().unwrap();
    d.ok(&["carriers", "key", "revoke", "acme-line", id]);
    wait_until("the key to be taken back", Duration::from_secs(10), || !is_open(&acme));
    assert!(!d.ok(&["carriers", "key", "list", "acme-line"]).contains(id));
}

/// One carrier at its limit has its answer, and another notices nothing.
#[test]
fn a_carrier_at_its_limit_is_told_and_others_are_not() {
    let d = Deployment::new("limits", "[gateway.carriers]\nmessages_per_second = 1\nburst = 5");
    d.add_carrier("acme-line");
    d.add_carrier("other-line");
    let door = Door::open(&d);
    let ten = |carrier: &str| {
        let mut sealer = sealer(&d, carrier, Proof::Granted);
        let each = (0..10).map(|n| seal(&mut sealer, &format!("m-{n}"), DCSA_22, b"{}"));
        door.publish("application/x-ndjson", each.collect::<Vec<_>>().join("\n"), &[])
    };
    let some = ten("acme-line");
    let accepted = some.results().iter().filter(|(status, _)| *status == "accepted").count();
    assert_eq!((some.status, accepted), (202, 5), "{some:?}");
    assert!(some.header("retry-after").is_some());
    assert_eq!(some.results()[9], ("rejected", "rate_limited"));
    let none = door.publish(
        "application/jose",
        {
            let mut sealer = sealer(&d, "acme-line", Proof::Granted);
            seal(&mut sealer, "m-10", DCSA_22, b"{}")
        },
        &[],
    );
    assert!(none.status == 429 || none.status == 202, "{none:?}");
    let all = ten("acme-line");
    assert_eq!((all.status, all.body["code"].as_str()), (429, Some("rate_limited")), "{all:?}");
    let other = ten("other-line");
    assert_eq!(other.results().iter().filter(|(status, _)| *status == "accepted").count(), 5);
}

/// A quota is of all gateways: one that has taken nothing in knows it from the ledger.
#[test]
fn a_quota_of_a_day_is_told_and_holds_at_every_gateway() {
    let d = Deployment::new("quota", "[gateway.carriers]\nmessages_per_day = 5");
    d.add_carrier("acme-line");
    d.add_carrier("other-line");
    let _stages = d.start_all();
    let door = Door::open(&d);
    let mut n = 0;
    let mut send = |door: &Door, carrier: &str, messages: usize| {
        let mut sealer = sealer(&d, carrier, Proof::Granted);
        let each = (0..messages).map(|_| {
            n += 1;
            seal(&mut sealer, &format!("m-{n}"), DCSA_22, b"{}")
        });
        door.publish("application/x-ndjson", each.collect::<Vec<_>>().join("\n"), &[])
    };
    let first = send(&door, "acme-line", 2);
    let named = |name: &str| first.header(name).unwrap_or_default();
    assert!(named("ratelimit-policy").ends_with(", \"day\";q=5;w=86400"), "{first:?}");
    assert!(named("ratelimit").contains(", \"day\";r=4;t="), "{first:?}");
    let some = send(&door, "acme-line", 10);
    let accepted = some.results().iter().filter(|(status, _)| *status == "accepted").count();
    assert_eq!((some.status, accepted), (202, 3), "{some:?}");
    assert_eq!(some.results()[9], ("rejected", "rate_limited"));
    let detail = some.body["results"][9]["detail"].as_str().unwrap();
    assert!(detail.starts_with("the carrier may send 5 messages a day"), "{detail}");
    let pause: u64 = some.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=86_400).contains(&pause));
    assert_eq!(send(&door, "other-line", 5).results(), [("accepted", ""); 5]);

    d.wait_for(
        "SELECT sum(c.records) FROM ledger ARRAY JOIN counts AS c \
         WHERE c.stage = 'decrypt' AND c.outcome = 'passed'",
        10,
    );
    let second = Door::open(&d);
    let mut accepted = 0;
    wait_until("the second to know", Duration::from_secs(15), || {
        let status = send(&second, "acme-line", 1).status;
        accepted += u32::from(status == 202);
        status == 429
    });
    assert!(accepted < 5, "it goes by its own count alone");
}

/// Whatever it asks for: what costs little counts, too, and what is not there.
#[test]
fn an_address_that_asks_too_often_is_told_before_anything_is_done() {
    let d = Deployment::new("often", "[gateway]\nrequests_per_second_per_address = 5");
    let door = Door::open(&d);
    for path in ["/.well-known/jwks.json", "/v1/openapi.json", "/", "/nowhere", "/v1/usage"] {
        let answers = (0..100).map(|_| door.get(path, &[]));
        let refused = answers.into_iter().find(|answer| answer.status == 429);
        let refused = refused.unwrap_or_else(|| panic!("{path} is never too much"));
        assert_eq!(refused.body["code"], "rate_limited");
        assert!(refused.header("retry-after").is_some());
    }
}
