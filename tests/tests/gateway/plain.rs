//! Plain payloads, which the gateway seals.

use waybill_tests::{DCSA_22, Deployment, Door, gate_in};

/// A deployment whose gateway may seal DCSA payloads for `acme-line`, and the carrier's key.
fn allowing() -> (Deployment, String) {
    let d = Deployment::new("plain", "");
    let file = d.folder.join("gateway.pem");
    let d = d.with_own(&[("WAYBILL_GATEWAY__SIGNING_KEY_FILE", file.to_str().unwrap())]);
    d.add_carrier("acme-line");
    d.add_carrier("other-line");
    d.ok(&["carriers", "allow", "acme-line", "--plain", "application/vnd.dcsa.tnt+json"]);
    let key = d.ok(&["carriers", "key", "new", "acme-line"]).trim().to_owned();
    (d, key)
}

#[test]
fn plain_payloads_are_sealed_for_who_allows_it() {
    let (d, key) = allowing();
    let _stages = d.start_all();
    let door = Door::open(&d);
    let bearer = format!("Bearer {key}");
    let with_key = [("Authorization", bearer.as_str())];
    let payload = gate_in("MSKU1234565");

    let named = [with_key[0], ("Waybill-Shipment", "h-7"), ("Idempotency-Key", "batch-1")];
    let first = door.publish(DCSA_22, &payload, &named);
    assert_eq!((first.status, first.results()), (202, vec![("accepted", "")]), "{first:?}");
    let again = door.publish(DCSA_22, &payload, &named);
    assert_eq!(again.body["results"][0]["id"], first.body["results"][0]["id"]);

    // CloudEvents: structured, in a batch, binary.
    let data: serde_json::Value = serde_json::from_slice(&gate_in("MSKU2000001")).unwrap();
    let event = |id: &str| {
        serde_json::json!({"specversion": "1.0", "id": id, "source": "/edi", "type": "t",
            "subject": "h-8", "datacontenttype": DCSA_22, "data": data})
    };
    let structured =
        door.publish("application/cloudevents+json", event("1").to_string(), &with_key);
    assert_eq!((structured.status, structured.results()), (202, vec![("accepted", "")]));
    let batch = serde_json::json!([event("2"), {"specversion": "0.3"}, event("3")]).to_string();
    let batch = door.publish("application/cloudevents-batch+json", batch, &with_key);
    let expected = vec![("accepted", ""), ("rejected", "malformed"), ("accepted", "")];
    assert_eq!((batch.status, batch.results()), (202, expected), "{batch:?}");
    let attributes = [
        with_key[0],
        ("ce-specversion", "1.0"),
        ("ce-id", "1"),
        ("ce-source", "/edi"),
        ("ce-type", "t"),
    ];
    let binary = door.publish(DCSA_22, gate_in("MSKU2000001"), &attributes);
    assert_eq!(binary.body["results"][0]["id"], structured.body["results"][0]["id"]);

    // Seven messages, of which two have the ids of others.
    d.wait_for("SELECT count() FROM events", 4);
    d.wait_for("SELECT sum(duplicates) FROM shipments", 2);
    assert_eq!(d.number("SELECT count() FROM events WHERE handle = 'h-7'"), 1);
    d.audit();
    // Nothing is produced in plain.
    let log = std::process::Command::new("grep")
        .args(["-rlc", "-e", "MSKU2000001", "--include=*.log"])
        .arg(d.servers.state.join("kafka"))
        .output()
        .unwrap();
    let found = String::from_utf8_lossy(&log.stdout).into_owned();
    let sealed = format!("{}sealed", d.prefix);
    assert!(!found.contains(&sealed), "plaintext on the broker's disk: {found}");
}

#[test]
fn what_is_not_allowed_is_not_sealed() {
    let (d, key) = allowing();
    let door = Door::open(&d);
    let other = d.ok(&["carriers", "key", "new", "other-line"]).trim().to_owned();
    let reader =
        d.ok(&["carriers", "key", "new", "acme-line", "--scopes", "read"]).trim().to_owned();
    let payload = gate_in("MSKU1234565");
    waybill_tests::wait_until(
        "the registry to be read",
        std::time::Duration::from_secs(10),
        || door.publish("a/b", "x", &[("X-API-Key", &reader)]).status == 403,
    );
    for (media_type, key, status, code) in [
        (DCSA_22, None, 401, "unauthenticated"),
        (DCSA_22, Some("waybill_no.key"), 401, "unauthenticated"),
        (DCSA_22, Some(other.as_str()), 403, "forbidden"),
        (DCSA_22, Some(reader.as_str()), 403, "forbidden"),
        ("application/EDIFACT", Some(key.as_str()), 403, "forbidden"),
    ] {
        let headers: Vec<_> = key.map(|key| ("X-API-Key", key)).into_iter().collect();
        let answer = door.publish(media_type, &payload, &headers);
        assert_eq!(
            (answer.status, answer.body["code"].as_str()),
            (status, Some(code)),
            "{answer:?}"
        );
    }
    assert_eq!(d.records("sealed"), 0);
    let refused = |why: &str| door.process.metric("waybill_gateway_callers_refused_total", why);
    assert!(refused("\"key\"") >= 1.0 && refused("\"scope\"") >= 1.0);
    assert!(!door.process.log().contains(&key), "{}", door.process.log());
}
