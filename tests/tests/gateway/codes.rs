//! Every code of docs/errors.md, as a caller gets it.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use serde_json::Value;
use waybill_sealing::seal::Proof;
use waybill_tests::{Answer, DCSA_22, Deployment, Door, gate_in, seal, sealer, wait_until};

const ERRORS: &str = include_str!("../../../docs/errors.md");
const SEALED: &str = "application/jose";
const LINES: &str = "application/x-ndjson";

/// Code and status of each row of the page's table.
fn listed() -> BTreeMap<String, u16> {
    let rows = ERRORS.lines().filter_map(|line| line.strip_prefix("| `"));
    let code_and_status = |row: &str| {
        let (code, rest) = row.split_once("` | ")?;
        Some((code.to_owned(), rest.get(..3)?.parse().ok()?))
    };
    rows.map(|row| code_and_status(row).unwrap_or_else(|| panic!("{row}"))).collect()
}

/// Sends the head of a request and `body`, which is less than was announced.
fn begin(door: &Door, announced: usize, body: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(("127.0.0.1", door.port)).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let head = format!(
        "POST /v1/events HTTP/1.1\r\nHost: x\r\nContent-Type: {SEALED}\r\nContent-Length: {announced}\r\n\
         Connection: close\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(body).unwrap();
    stream
}

/// The problem document in what comes until the connection is closed.
fn end(mut stream: TcpStream) -> Answer {
    let mut all = String::new();
    let _ = stream.read_to_string(&mut all);
    let (head, body) = all.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{all:?}"));
    let status = head.split(' ').nth(1).and_then(|text| text.parse().ok()).unwrap();
    let headers = head.lines().filter_map(|line| line.split_once(": "));
    let headers = headers.map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()));
    Answer { status, headers: headers.collect(), body: serde_json::from_str(body).unwrap() }
}

#[test]
fn every_code_that_is_listed_is_one_that_a_caller_can_get() {
    let d = Deployment::new(
        "codes",
        "[gateway]\nidle_timeout = \"3s\"\nmax_messages = 2\nmax_body_bytes = 1100000\n\
         max_bytes_in_hand = 1100000\n[gateway.carriers]\nmessages_per_second = 1\nburst = 4",
    );
    let file = d.folder.join("gateway.pem");
    let d = d.with_own(&[("WAYBILL_GATEWAY__SIGNING_KEY_FILE", file.to_str().unwrap())]);
    d.add_carrier("acme-line");
    d.add_carrier("other-line");
    d.ok(&["carriers", "allow", "acme-line", "--plain", "application/vnd.dcsa.tnt+json"]);
    let key = d.ok(&["carriers", "key", "new", "acme-line"]).trim().to_owned();
    let key = [("X-API-Key", key.as_str())];
    let door = Door::open(&d);
    // One that reaches neither Kafka nor ClickHouse.
    let alone = Door::begin(
        &d,
        &[
            ("WAYBILL_KAFKA__BROKERS", "127.0.0.1:9"),
            ("WAYBILL_CLICKHOUSE__URL", "http://127.0.0.1:9"),
        ],
    );
    let mut sealers =
        BTreeMap::from(["acme-line", "other-line"].map(|c| (c, sealer(&d, c, Proof::Granted))));
    let mut n = 0;
    let mut sealed = |carrier: &str| {
        n += 1;
        seal(sealers.get_mut(carrier).unwrap(), &format!("m-{n}"), DCSA_22, b"{}")
    };

    let mut answers = vec![
        door.publish("application/json", "{", &[]),
        door.get("/v1/usage", &[]),
        door.publish("application/EDIFACT", "UNA", &key),
        door.get("/nowhere", &[]),
        door.get("/v1/events", &[]),
        end(begin(&door, 2_000_000, b"")),
        door.publish(SEALED, "x", &[("Content-Encoding", "gzip")]),
        door.publish(SEALED, "x", &[]),
        door.publish(LINES, [(); 3].map(|()| sealed("acme-line")).join("\n"), &[]),
    ];
    let accepted = (0..2).map(|_| {
        let two = [(); 2].map(|()| sealed("other-line")).join("\n");
        door.publish(LINES, two, &[])
    });
    for answer in accepted.collect::<Vec<_>>() {
        assert_eq!(answer.status, 202, "{answer:?}");
    }
    answers.push(door.publish(SEALED, sealed("other-line"), &[]));

    // The body that does not go on holds nearly all the room there is, until it comes too slowly.
    let room = vec![b'x'; 1_090_000];
    let mut slow = begin(&door, 1_099_999, &room);
    let mut since = Instant::now();
    let large = vec![b'x'; 40_000];
    let mut overloaded = None;
    wait_until("the room to be taken", Duration::from_secs(60), || {
        // On a busy machine it may have been given up before all of it was read.
        if since.elapsed() > Duration::from_secs(3) {
            (slow, since) = (begin(&door, 1_099_999, &room), Instant::now());
        }
        let answer = door.publish(SEALED, &large, &[]);
        let is_overloaded = answer.body["code"] == "overloaded";
        overloaded = Some(answer);
        is_overloaded
    });
    answers.extend(overloaded);
    answers.push(end(slow));

    wait_until("the other to listen", Duration::from_secs(30), || {
        TcpStream::connect(("127.0.0.1", alone.port)).is_ok()
    });
    answers.push(alone.publish(SEALED, sealed("acme-line"), &[]));
    answers.push(alone.get("/v1/usage", &key));

    // An operator retires the last platform key: there is none to seal for.
    let jwks: Value = serde_json::from_slice(&std::fs::read(d.jwks()).unwrap()).unwrap();
    d.ok(&["keys", "retire", jwks["keys"][0]["kid"].as_str().unwrap()]);
    let mut internal = None;
    wait_until("the key to be gone", Duration::from_secs(10), || {
        let answer = door.publish(DCSA_22, gate_in("MSKU1234565"), &key);
        let is_internal = answer.status == 500;
        internal = Some(answer);
        is_internal
    });
    answers.extend(internal);

    let mut found = BTreeMap::new();
    for answer in &answers {
        let text = |name: &str| answer.body[name].as_str().unwrap_or_else(|| panic!("{answer:?}"));
        let code = text("code");
        assert_eq!(answer.header("content-type"), Some("application/problem+json"), "{answer:?}");
        assert_eq!(text("type"), format!("urn:waybill:error:{code}"));
        assert_eq!(answer.body["status"], answer.status, "{answer:?}");
        assert!(!text("title").is_empty() && !text("detail").is_empty(), "{answer:?}");
        // Who may pass later is told when.
        let is_for_now = matches!(answer.status, 429 | 503);
        assert_eq!(answer.header("retry-after").is_some(), is_for_now, "{answer:?}");
        found.insert(code.to_owned(), answer.status);
    }
    assert_eq!(found, listed());
}
