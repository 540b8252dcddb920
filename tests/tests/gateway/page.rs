//! The carriers' page, in a browser, against a gateway that runs.
//!
//! `WAYBILL_BLESS=1` writes the picture of it in docs.

use std::io::Write;
use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use waybill_sealing::seal::Proof;
use waybill_tests::panels::root;
use waybill_tests::{
    Browser, DCSA_22, Deployment, Door, chromium, gate_in, seal, sealer, wait_until,
};

const LIMIT: Duration = Duration::from_secs(30);
/// As markup it would run.
const HOSTILE: &str = "<img src=x onerror=document.title='run'>";
/// A unit's number, which is kept in capitals: as markup it would be an image.
const HOSTILE_UNIT: &str = "<IMG/SRC=X/ONERROR=X()>";

/// Without it the test is passed over, and in CI it fails.
fn browser() -> Option<PathBuf> {
    if let Some(program) = chromium() {
        return Some(program);
    }
    let said = "Chromium is not installed (see 'dev/setup browser')";
    assert!(std::env::var("CI").as_deref() != Ok("true"), "{said}");
    // Not by println!, which tests that pass keep to themselves.
    let said = format!("SKIPPED: the carriers' page was not opened: {said}\n");
    std::io::stderr().write_all(said.as_bytes()).unwrap();
    None
}

/// Rows as of a day: so many of each hour before this one, `n` hours ago.
fn day(d: &Deployment, carrier: &str, times: u32) -> u64 {
    let count = |n: u32| times * (20 + (n * 7) % 23);
    for n in 1..24 {
        d.execute(&format!(
            "INSERT INTO events (carrier_id, shipment_id, event_id, milestone, classifier, unlocode, equipment,
                message_id, position, sealed_topic, source_partition, source_offset, occurred_at, sealed_at,
                received_at, opened_at, validated_at, enriched_at, aggregated_at, inserted_at)
            WITH toDateTime64(toStartOfHour(now('UTC')), 3, 'UTC') - INTERVAL {n} HOUR + INTERVAL number SECOND AS at
            SELECT '{carrier}', concat('{carrier}/', toString(number)), generateUUIDv4(), 'gate_in', 'actual',
                'NLRTM', 'MSKU1234565', concat('of-{n}-', toString(number)), 1, 'in', 7, {n} * 10000 + number, at, at,
                at, at, at, at, at, at + INTERVAL (300 + 17 * {n} + (number * 31) % 400) MILLISECOND
            FROM numbers({count})",
            count = count(n),
        ));
    }
    let (code, detail) = ("missing_field", "/eventDateTime: absent");
    d.execute(&format!(
        "INSERT INTO rejects (carrier_id, code, stage, detail, message_id, position, source_partition, source_offset,
            sealed_topic, received_at, rejected_at)
        WITH toDateTime64(toStartOfHour(now('UTC')), 3, 'UTC') - INTERVAL (1 + number % 9) HOUR AS at
        SELECT '{carrier}', if(number % 3 = 0, 'too_old', '{code}'), 'validate', '{detail}',
            concat('r-', toString(number)), 0, 8, number, 'in', at, at FROM numbers({})",
        30 * times
    ));
    (1..24).map(|n| u64::from(count(n))).sum()
}

/// The key of a carrier that has published one good event, the same again, and a bad one.
struct World {
    d: Deployment,
    door: Door,
    _stages: Vec<waybill_tests::Process>,
    acme: String,
    other: String,
    accepted: u64,
}

fn world() -> World {
    // What is of this hour stays so.
    let now = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let minute = || now().as_secs() / 60 % 60;
    wait_until("the next hour to begin", Duration::from_secs(130), || minute() < 58);
    let d = Deployment::new("page", "");
    let key = |carrier: &str| {
        d.add_carrier(carrier);
        d.ok(&["carriers", "key", "new", carrier]).trim().to_owned()
    };
    let (acme, other) = (key("acme-line"), key("other-line"));
    let stages = d.start_all();
    let door = Door::open(&d);
    let mut sealer = sealer(&d, "acme-line", Proof::Granted);
    let good = seal(&mut sealer, "good", DCSA_22, &gate_in(HOSTILE_UNIT));
    let bad = seal(&mut sealer, "bad", DCSA_22, b"no JSON");
    let published = door.publish("application/x-ndjson", [&*good, &good, &bad].join("\n"), &[]);
    assert_eq!(published.status, 202, "{published:?}");
    let accepted = 1 + day(&d, "acme-line", 3);
    let other_rows = day(&d, "other-line", 1);
    let status = || door.get("/v1/status", &[("X-API-Key", &acme)]).body;
    wait_until("the day to be there", LIMIT, || {
        let status = status();
        let is = |name: &str, count: u64| status[name] == count;
        is("accepted", accepted) && is("rejected", 91) && is("duplicates", 1)
    });
    assert_ne!(accepted, other_rows);
    World { d, door, _stages: stages, acme, other, accepted }
}

/// As the page writes numbers.
fn grouped(number: u64) -> String {
    let text = number.to_string();
    let at = text.len().saturating_sub(3);
    if at == 0 { text } else { format!("{},{}", &text[..at], &text[at..]) }
}

fn opens_with_its_key(browser: &mut Browser, world: &World) {
    let url = format!("http://127.0.0.1:{}/", world.door.port);
    browser.go(&format!("{url}#key={}", world.acme));
    browser.wait_text("#board .tile.accepted dd", &grouped(world.accepted));
    assert_eq!(browser.value("location.href"), url.as_str(), "the key is not in the address");
    assert_eq!(browser.value("sessionStorage.getItem('waybill.key')"), world.acme.as_str());
    assert_eq!(browser.value("localStorage.length + document.cookie.length"), 0);
    assert!(browser.text("#board .tile.rejected dd").starts_with("91"));
    assert!(browser.text("#board .tile.duplicates dd").starts_with('1'));
    assert!(browser.text("#board .tile.latency dd").contains("median"));
    assert_eq!(browser.text("#carrier"), "acme-line");
    for part in ["api", "get-a-key", "key", "key="] {
        browser.value(&format!("location.hash = '{part}'"));
    }
    let kept =
        "new Promise((done) => setTimeout(() => done(sessionStorage.getItem('waybill.key'))))";
    assert_eq!(browser.value(kept), world.acme.as_str(), "a link within the page is no key");
    // A column for each hour, and the table that says the same.
    let columns = browser.value("document.querySelectorAll('#events-chart rect.accepted').length");
    assert_eq!(columns, 24);
    let rows = "[...document.querySelectorAll('#events-chart tbody tr')].map((row) => Number(row.children[1].textContent.replaceAll(',', '')))";
    let sum = browser.value(&format!("{rows}.reduce((a, b) => a + b)"));
    assert_eq!(sum, world.accepted);
    // The keyboard points at an hour.
    browser.value("document.querySelector('#events-chart svg').focus()");
    for kind in ["keyDown", "keyUp"] {
        browser.call("Input.dispatchKeyEvent", json!({"type": kind, "key": "ArrowLeft"}));
    }
    browser.wait_text("#events-chart .readout", "accepted, 1 duplicate, 1 rejected (unparsable 1)");
    browser.value("document.activeElement.blur()");
    // Rejects by code, explained.
    let codes = browser.text("#board .codes");
    for part in ["missing_field", "too_old", "unparsable", "What to do: send well-formed payloads"]
    {
        assert!(codes.contains(part), "{part}: {codes}");
    }
    let messages = browser.text("#messages");
    assert!(messages.contains("bad") && messages.contains("rejected"), "{messages}");
    assert!(messages.contains(HOSTILE_UNIT), "as a text: {messages}");
}

fn explains_a_file(browser: &mut Browser, world: &World) {
    let file = world.d.folder.join("message.json");
    let mut event: Value = serde_json::from_slice(&gate_in(HOSTILE_UNIT)).unwrap();
    let mut bad = event.clone();
    bad.as_object_mut().unwrap().remove("eventDateTime");
    let reference = json!({"documentReferenceType": "BKG", "documentReferenceValue": HOSTILE});
    event["documentReferences"] = json!([reference]);
    std::fs::write(&file, json!([event, bad]).to_string()).unwrap();
    browser.drop_file("#text", &file);
    let said = browser.wait_text("#explained", "as if it were received");
    for part in [
        "message.json looks like DCSA Track & Trace 2.x",
        "1 event, 1 reject",
        "gate_in",
        "NLRTM",
        "missing_field",
        "fill it",
        "container_form",
        HOSTILE_UNIT,
        HOSTILE,
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert_eq!(browser.value("document.title"), "Waybill for carriers", "nothing of it ran");
    assert_eq!(browser.value("document.querySelectorAll('img').length"), 0);

    // What is none of our formats; what is too long; what is nothing.
    let nothing = explain(browser, "hello", "#explained", "looks like none of the formats");
    assert!(nothing.contains("formats were tried"), "{nothing}");
    let long = "x".repeat(675_001);
    explain(browser, &long, "#check-state", "675,001 bytes, and a message may have 675,000");
    explain(browser, "", "#check-state", "is empty");
}

/// Pastes it, and waits for what is said.
fn explain(browser: &mut Browser, text: &str, selector: &str, part: &str) -> String {
    browser.value(&format!("document.getElementById('text').value = {}", json!(text)));
    browser.value("document.querySelector('#explain button').click()");
    browser.wait_text(selector, part)
}

fn says_how_it_stands(browser: &mut Browser, world: &World) {
    let url = format!("http://127.0.0.1:{}/", world.door.port);
    browser.value("document.getElementById('forget').click()");
    assert_eq!(browser.value("sessionStorage.length"), 0);
    assert_eq!(browser.text("#figures"), "");
    browser.go(&url);
    assert_eq!(browser.text("#state"), "");
    assert_eq!(browser.value("document.getElementById('enter').hidden"), false);
    browser.go(&format!("{url}#key=waybill_no.key"));
    browser.wait_text("#state", "This key does not count");
    assert_eq!(browser.value("sessionStorage.length"), 0);

    // Another carrier's key, typed in: its own numbers alone.
    browser.value(&format!("document.getElementById('key-field').value = {}", json!(world.other)));
    browser.value("document.querySelector('#enter button').click()");
    browser.wait_text("#carrier", "other-line");
    let board = browser.wait_text("#board", "missing_field");
    for other in ["acme", HOSTILE_UNIT, "unparsable", "bad"] {
        assert!(!board.contains(other), "{other}: {board}");
    }
    explain(
        browser,
        "eyJhbGciOi.a.b.c.d",
        "#check-state",
        "this is sealed, and cannot be read here",
    );
}

/// Where ClickHouse is away, and a carrier has used up what it may send.
fn bears_what_is_away(browser: &mut Browser, world: &World) {
    let limits = [
        ("WAYBILL_CLICKHOUSE__URL", "http://127.0.0.1:1"),
        // What was used up comes again so slowly that the second large message is over it, however long it takes.
        ("WAYBILL_GATEWAY__CARRIERS__BYTES_PER_SECOND", "1"),
    ];
    let mut door = Door::begin(&world.d, &limits);
    door.process.wait_ready("gateway");
    browser.go(&format!("http://127.0.0.1:{}/#key={}", door.port, world.acme));
    browser.wait_text("#state", "cannot be looked up right now");
    browser.wait_text("#state", "Again in 2 s");
    let large = "x".repeat(600_000);
    explain(browser, &large, "#explained", "looks like none of the formats");
    let over = "More was asked than may be at a time. Again in ";
    explain(browser, &large, "#check-state", over);
}

fn is_read_without_scripts(browser: &mut Browser, world: &World) {
    browser.call("Emulation.setScriptExecutionDisabled", json!({"value": true}));
    browser.go(&format!("http://127.0.0.1:{}/", world.door.port));
    let read = browser.text("body");
    for part in [
        "Shipment events, and an answer for each",
        "POST /v1/events",
        "GET /v1/status",
        "The board needs JavaScript",
        "curl --data-binary",
        "Get a key",
    ] {
        assert!(read.contains(part), "{part}: {read}");
    }
    browser.call("Emulation.setScriptExecutionDisabled", json!({"value": false}));
}

/// On a narrow screen nothing stands out at the side, in either scheme.
fn fits(browser: &mut Browser) {
    for (width, scheme) in [(360, "dark"), (1200, "light")] {
        browser.screen(width, 900, scheme);
        let inner = browser.value("document.documentElement.scrollWidth");
        assert!(inner.as_u64().unwrap() <= u64::from(width), "{width}: {inner}");
    }
}

fn picture(browser: &mut Browser) {
    browser.screen(1080, 1130, "light");
    // Another width keeps in sight what stood there, some frames later.
    let top = "new Promise(shown => { window.scrollTo({top: 0, behavior: 'instant'}); \
               requestAnimationFrame(() => requestAnimationFrame(() => shown(window.scrollY))); })";
    wait_until("the page's top", Duration::from_secs(10), || browser.value(top) == 0);
    let picture = browser.picture();
    assert!(picture.len() > 20_000, "{} bytes", picture.len());
    if std::env::var_os("WAYBILL_BLESS").is_some() {
        assert!(picture.len() < 200_000, "{} bytes", picture.len());
        std::fs::write(root().join("docs/carriers-page.png"), picture).unwrap();
    }
}

#[test]
fn a_carrier_sees_its_day_and_what_a_file_would_be() {
    let Some(program) = browser() else { return };
    let world = world();
    let mut browser = Browser::open(&program);
    browser.screen(1200, 900, "light");
    opens_with_its_key(&mut browser, &world);
    fits(&mut browser);
    picture(&mut browser);
    explains_a_file(&mut browser, &world);
    let docs = format!("http://127.0.0.1:{}/v1/docs", world.door.port);
    is_read_without_scripts(&mut browser, &world);
    browser.go(&docs);
    browser.wait_text("#operations", "/v1/events/{id}");
    browser.go(&format!("http://127.0.0.1:{}/#key={}", world.door.port, world.acme));
    browser.wait_text("#carrier", "acme-line");
    // Neither console nor policy has had anything to say; what is refused from here on is a line in the console.
    assert_eq!(browser.complaints, Vec::<String>::new());
    says_how_it_stands(&mut browser, &world);
    bears_what_is_away(&mut browser, &world);
    let refused = "Failed to load resource: the server responded with a status of";
    let other = |complaint: &&String| !complaint.starts_with(refused);
    assert_eq!(browser.complaints.iter().find(other), None);
    let elsewhere = |url: &&String| {
        let own = ["http://127.0.0.1:", "data:", "about:"];
        !own.iter().any(|start| url.starts_with(start))
    };
    assert_eq!(browser.requests.iter().find(elsewhere), None);
    assert!(browser.requests.iter().all(|url| !url.contains("waybill_")), "no key in an address");
}
