//! Sealed events, in every form that a request may have.

use std::time::Duration;

use waybill_sealing::seal::Proof;
use waybill_tests::{DCSA_22, Deployment, Door, gate_in, seal, sealer};

/// `n` granted events of different containers.
fn events(d: &Deployment, n: usize) -> Vec<String> {
    let mut sealer = sealer(d, "acme-line", Proof::Granted);
    let container = |n: usize| gate_in(&format!("MSKU{:07}", 1_000_000 + n));
    (0..n).map(|n| seal(&mut sealer, &format!("m-{n}"), DCSA_22, &container(n))).collect()
}

#[test]
fn each_message_has_its_result_in_order_and_becomes_rows() {
    let d = Deployment::new("door", "");
    d.add_carrier("acme-line");
    let _stages = d.start_all();
    let door = Door::open(&d);
    let sealed = events(&d, 6);
    let good = ("accepted", "");

    let one = door.publish("application/jose", &sealed[0], &[]);
    assert_eq!((one.status, one.results()), (202, vec![good]), "{one:?}");
    assert_eq!(one.body["results"][0]["id"], "m-0");
    assert!(one.header("ratelimit").unwrap().starts_with("\"messages\";r="), "{one:?}");

    let tampered = sealed[2].replacen("eyJ", "eyK", 1);
    let lines = [&sealed[1], "no JWE", "", &tampered, &format!("\"{}\"", sealed[2])].join("\r\n");
    let many = door.publish("application/x-ndjson", lines, &[]);
    let expected = vec![good, ("rejected", "malformed"), ("rejected", "malformed"), good];
    assert_eq!((many.status, many.results()), (202, expected), "{many:?}");

    let mut signer = sealer(&d, "acme-line", Proof::Signed);
    let signed = seal(&mut signer, "m-signed", DCSA_22, &gate_in("MSKU2000000"));
    let array = serde_json::json!([sealed[3], signed, sealed[4]]).to_string();
    let array = door.publish("application/json", array, &[]);
    assert_eq!((array.status, array.results()), (202, vec![good; 3]), "{array:?}");

    let none = door.publish("application/x-ndjson", "a\nb\n", &[]);
    assert_eq!((none.status, none.body["code"].as_str()), (422, Some("rejected")));
    assert_eq!(none.results().len(), 2);
    assert_eq!(none.header("content-type"), Some("application/problem+json"));

    d.wait_for("SELECT count() FROM events", 6);
    d.audit();
    assert_eq!(
        d.number("SELECT count() FROM rejects"),
        0,
        "what is refused at the door is no dead letter"
    );
}

#[test]
fn what_is_no_request_of_ours_is_refused_whole() {
    let d = Deployment::new("refused", "[gateway]\nmax_messages = 3");
    d.add_carrier("acme-line");
    let door = Door::open(&d);
    let sealed = events(&d, 5);
    let refused = |media_type: &str, body: &[u8], headers: &[(&str, &str)]| {
        let answer = door.publish(media_type, body, headers);
        (answer.status, answer.body["code"].as_str().unwrap_or_default().to_owned())
    };
    let is = |status, code: &str| (status, code.to_owned());
    assert_eq!(refused("application/json", b"{}", &[]), is(400, "bad_request"));
    assert_eq!(refused("application/json", b"[]", &[]), is(400, "bad_request"));
    assert_eq!(refused("application/x-ndjson", b"\n\n", &[]), is(400, "bad_request"));
    assert_eq!(refused("nothing", b"x", &[]), is(415, "unsupported_media_type"));
    let gzip = [("Content-Encoding", "gzip")];
    assert_eq!(refused("application/jose", b"x", &gzip), is(415, "unsupported_media_type"));
    assert_eq!(refused("application/jose", &vec![b'x'; 9 << 20], &[]), is(413, "body_too_large"));
    let line = vec![b'x'; 1 << 20];
    assert_eq!(refused("application/x-ndjson", &line, &[]), is(413, "body_too_large"));
    let oversize = door.publish("application/jose", &line, &[]);
    assert_eq!((oversize.status, oversize.results()), (422, vec![("rejected", "oversize")]));

    // What was accepted before it went wrong is answered.
    let many = door.publish("application/x-ndjson", sealed.join("\n"), &[]);
    assert_eq!((many.status, many.body["code"].as_str()), (413, Some("too_many_messages")));
    assert_eq!(many.results(), vec![("accepted", ""); 3]);
    assert_eq!(d.records("sealed"), 3);

    assert_eq!(door.get("/v1/events", &[]).status, 405);
    assert_eq!(door.get("/nothing", &[]).status, 404);
    for answer in [door.get("/nothing", &[]), door.get("/.well-known/jwks.json", &[])] {
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{answer:?}");
        assert_eq!(answer.header("server"), None);
    }
}

/// Everything that decrypt rejects, and that needs no private key, is answered at once; the codes are the same.
#[test]
fn the_door_says_what_decrypt_would() {
    let d = Deployment::new("judged", "");
    d.add_carrier("acme-line");
    d.add_carrier("other-line");
    let door = Door::open(&d);
    let code = |sealed: &str| {
        let answer = door.publish("application/jose", sealed, &[]);
        answer.results().first().map(|(_, code)| (*code).to_owned()).unwrap()
    };
    let mut acme = sealer(&d, "acme-line", Proof::Granted);
    let sealed = seal(&mut acme, "m-1", DCSA_22, &gate_in("MSKU1234565"));
    assert_eq!(code(&sealed), "");

    d.ok(&["carriers", "suspend", "acme-line"]);
    let suspended = || code(&sealed) == "suspended_carrier";
    waybill_tests::wait_until("the registry to be read", Duration::from_secs(10), suspended);
    d.ok(&["carriers", "suspend", "acme-line", "--undo"]);
    waybill_tests::wait_until("the registry to be read", Duration::from_secs(10), || !suspended());

    // Another carrier's name over the same grant.
    std::fs::copy(d.folder.join("acme-line.pem"), d.folder.join("other-line.pem")).unwrap();
    let mut forged = sealer(&d, "other-line", Proof::Granted);
    assert_eq!(code(&seal(&mut forged, "m-2", DCSA_22, b"{}")), "bad_proof");
    let answer = door.get("/.well-known/jwks.json", &[]);
    let kid = answer.body["keys"][0]["kid"].as_str().unwrap().to_owned();
    let tag = answer.header("etag").unwrap();
    assert_eq!(door.get("/.well-known/jwks.json", &[("If-None-Match", tag)]).status, 304);
    d.ok(&["keys", "retire", &kid, "--now"]);
    let retired = || code(&sealed) == "retired_key";
    waybill_tests::wait_until("the keys to be read", Duration::from_secs(10), retired);
}
