//! Keys change, are given out and go, while events pass.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::Value;
use waybill_tests::{DCSA_22, Deployment, Servers, gate_in, wait_until};

const CONTAINERS: [&str; 4] = ["MSKU1234565", "MSKU0000006", "CSQU3054383", "TCLU4265447"];
const TOPICS: [&str; 6] = ["opened", "valid", "enriched", "events", "shipments", "ledger"];

fn with_carrier(name: &str, extra: &str) -> Deployment {
    let d = Deployment::on(Servers::find(), name, 1, extra);
    d.add_carrier("acme-line");
    d
}

fn publish(d: &Deployment, n: usize) {
    let events: Vec<_> = CONTAINERS.iter().cycle().take(n).map(|c| gate_in(c)).collect();
    d.publish_all("acme-line", DCSA_22, &events, &["--shipment", "h-1"]);
}

/// Internal key `n` of a folder, as its index has it.
fn internal_key(d: &Deployment, n: usize) -> Value {
    let index = std::fs::read(d.folder.join("keys/keys.json")).unwrap();
    serde_json::from_slice::<Value>(&index).unwrap()["internal"][n].clone()
}

#[test]
fn the_internal_key_rotates_while_events_pass() {
    let d = with_carrier("rotate", "");
    let mut processes = d.start_all();
    publish(&d, 8);
    d.wait_for("SELECT count() FROM events", 8);
    let said = d.ok(&["keys", "rotate-internal", "--after", "6s"]);
    assert!(said.contains("internal-"), "{said}");
    let (rotated, mut published) = (Instant::now(), 8);
    while rotated.elapsed() < Duration::from_secs(12) {
        publish(&d, 4);
        published += 4;
    }
    d.wait_for("SELECT count() FROM events", published);
    assert_eq!(d.number("SELECT count() FROM events"), published);
    assert_eq!(d.number("SELECT count() FROM rejects"), 0);
    for process in &mut processes {
        assert!(!process.has_ended(), "{}", process.log());
        assert!(!process.log().contains("fault:"), "{}", process.log());
    }
    let [old, new] = [0, 1].map(|n| internal_key(&d, n));
    assert_eq!((&old["state"], &new["state"]), (&"retiring".into(), &"active".into()));
    for topic in TOPICS {
        let ids = d.key_ids(topic);
        let known: BTreeSet<_> = ids.iter().map(String::as_str).collect();
        let expected = [&old, &new].map(|key| key["ids"][topic].as_str().unwrap());
        assert_eq!(known, BTreeSet::from(expected), "{topic}");
        assert_eq!(ids.last().map(String::as_str), Some(expected[1]), "{topic}");
    }

    // Records' keys go with the internal key. Whoever takes aggregate's partition over moves its records to
    // other keys while events pass, and no shipment is there twice.
    // Its marks may come a little later than those of what the sink has read.
    let before = || Some(state(&d)).filter(|state| state.len() == records_of(published));
    wait_until("the changelog", Duration::from_secs(20), || before().is_some());
    let before = before().unwrap();
    processes.remove(3).stop(Duration::from_secs(20));
    publish(&d, 4);
    processes.push(d.start("aggregate"));
    publish(&d, 4);
    published += 8;
    d.wait_for("SELECT count() FROM events", published);
    let moved = |state: &BTreeMap<Vec<u8>, String>| {
        state.len() == records_of(published) && state.keys().all(|key| !before.contains_key(key))
    };
    wait_until("all records to have moved", Duration::from_secs(20), || moved(&state(&d)));
    let after = state(&d);
    let expected = new["ids"]["aggregate_state"].as_str().unwrap();
    assert!(after.values().all(|id| id == expected), "{after:?}");
    assert_eq!(d.number("SELECT count() FROM shipments"), 4);
    d.wait_for("SELECT sum(revision) FROM shipments", published);
    d.audit();

    // Nothing is left to move.
    processes.pop().unwrap().stop(Duration::from_secs(20));
    assert!(!d.ok(&["state", "list"]).contains("keys of before"));
}

/// How many records the changelog has, of so many events of four containers.
fn records_of(events: i64) -> usize {
    4 * (events as usize / 4).div_ceil(8)
}

/// What compaction leaves of aggregate's changelog: each key, and the internal key that its value names.
fn state(d: &Deployment) -> BTreeMap<Vec<u8>, String> {
    let last: BTreeMap<_, _> = d.read_all("aggregate_state").into_iter().collect();
    let id = |value: &[u8]| value[1..5].iter().map(|byte| format!("{byte:02x}")).collect();
    last.into_iter().filter_map(|(key, value)| Some((key, id(&value?)))).collect()
}

const STAGES: [&str; 5] = ["decrypt", "validate", "enrich", "aggregate", "clickhouse"];

/// Gives each stage a folder of its own, or brings it up to date.
fn grant(d: &Deployment) -> Vec<Deployment> {
    let to = |stage: &str| {
        let folder = format!("keys-{stage}");
        d.ok(&["keys", "grant", stage, "--out", d.folder.join(&folder).to_str().unwrap()]);
        d.with_keys(&folder)
    };
    STAGES.map(to).into()
}

#[test]
fn each_stage_runs_with_its_own_keys_and_with_no_others() {
    let d = with_carrier("least", "");
    let stages = grant(&d);
    let mut processes: Vec<_> = stages.iter().zip(STAGES).map(|(own, s)| own.start(s)).collect();
    publish(&d, 4);
    d.wait_for("SELECT count() FROM events", 4);

    // A new internal key and a new platform key reach them by the same command.
    d.ok(&["keys", "rotate-internal", "--after", "10s"]);
    d.ok(&["keys", "new", "--bits", "2048", "--kid", "second"]);
    grant(&d);
    std::thread::sleep(Duration::from_secs(12));
    publish(&d, 4);
    d.wait_for("SELECT count() FROM events", 8);
    assert_eq!(d.number("SELECT count() FROM rejects"), 0);
    let new = internal_key(&d, 1);
    for topic in TOPICS {
        let id = new["ids"][topic].as_str().unwrap();
        assert!(d.key_ids(topic).iter().any(|found| found == id), "{topic}");
    }
    for process in &mut processes {
        assert!(!process.has_ended(), "{}", process.log());
        assert!(!process.log().contains("fault:"), "{}", process.log());
    }
    d.audit();

    // Nothing of decrypt's is in another's folder, and none of them does another's work.
    for (own, stage) in stages.iter().zip(STAGES) {
        let names = std::fs::read_dir(d.folder.join(format!("keys-{stage}"))).unwrap();
        let mut names = names.map(|f| f.unwrap().file_name().into_string().unwrap());
        assert_eq!(names.any(|n| n.ends_with(".pem")), stage == "decrypt", "{stage}");
        for other in STAGES.into_iter().filter(|other| *other != stage) {
            // All that the sink reads is written by aggregate, under the same keys.
            if (stage, other) == ("aggregate", "clickhouse") {
                continue;
            }
            let out = own.run(&["run", other]);
            let said = String::from_utf8_lossy(&out.stderr).into_owned();
            assert_eq!(out.status.code(), Some(3), "{other} with the keys of {stage}: {said}");
            assert!(said.contains("holds no internal key for the role `"), "{said}");
        }
    }
}

/// What the last line of `said` that begins so goes on with.
fn after<'a>(said: &'a str, begin: &str) -> &'a str {
    said.lines().find_map(|l| l.trim().strip_prefix(begin)).unwrap_or_else(|| panic!("{said}"))
}

#[test]
fn a_platform_key_is_destroyed_once_it_is_said_what_goes_with_it() {
    let d = with_carrier("destroy", "");
    let processes = d.start_all();
    let jwks = d.jwks();
    let first = std::fs::read_to_string(&jwks).unwrap();
    let kid = serde_json::from_str::<Value>(&first).unwrap()["keys"][0]["kid"].clone();
    let kid = kid.as_str().unwrap();
    publish(&d, 4);
    d.publish("acme-line", DCSA_22, b"{}", &["--shipment", "h-1"]);
    d.wait_for("SELECT count() FROM events", 4);
    d.wait_for("SELECT count() FROM rejects", 1);

    // Who still seals for it, by what decrypt has opened.
    d.wait_for("SELECT sum(k.records) FROM ledger ARRAY JOIN keys AS k", 5);
    let said = d.ok(&["keys", "list"]);
    assert!(
        after(&said, "acme-line ").trim_start().starts_with("5 records, the last at 20"),
        "{said}"
    );
    let alone = d.with(&[("WAYBILL_CLICKHOUSE__URL", "http://127.0.0.1:9")]);
    let out = alone.run(&["keys", "list"]);
    assert!(out.status.success() && !out.stdout.is_empty());
    let said = String::from_utf8_lossy(&out.stderr).into_owned();
    assert!(said.contains("which carriers seal for which key is not known"), "{said}");

    // What opens is not destroyed, but one may ask.
    d.ok(&["keys", "new", "--bits", "2048", "--kid", "second"]);
    for _ in ["active", "retiring"] {
        let out = d.run(&["keys", "destroy", kid, "--yes"]);
        assert_eq!(out.status.code(), Some(3));
        let said = String::from_utf8_lossy(&out.stderr).into_owned();
        assert!(said.contains("only a retired key is destroyed"), "{said}");
        d.ok(&["keys", "retire", kid]);
    }
    let pem = d.folder.join(format!("keys/{kid}.pem"));
    let said = d.ok(&["keys", "destroy", kid, "--dry-run"]);
    assert!(after(&said, &format!("on {}sealed: ", d.prefix)).starts_with("5 records, from 20"));
    assert_eq!(after(&said, "of these decrypt has not read: "), "0 records");
    let rejected = after(&said, "of these are rejected, and could be redriven: ");
    assert!(rejected.starts_with("1 records, from 20"), "{said}");
    // Without an answer nothing is destroyed.
    assert_eq!(d.run(&["keys", "destroy", kid]).status.code(), Some(1));
    assert!(pem.exists());

    // Without ClickHouse it is said, too, what is not known.
    let said = alone.ok(&["keys", "destroy", kid, "--yes"]);
    assert!(said.contains("how many of these are rejected is not known"), "{said}");
    assert!(!pem.exists());
    assert!(d.ok(&["keys", "list"]).contains(&format!("{kid:<32} destroyed")));
    assert_eq!(d.run(&["keys", "destroy", kid, "--yes"]).status.code(), Some(3));

    // decrypt goes on, and still tells a retired key from one that never was.
    publish(&d, 4);
    d.wait_for("SELECT count() FROM events", 8);
    let (old, message) = (d.folder.join("old.jwks"), d.folder.join("message"));
    std::fs::write(&old, first).unwrap();
    std::fs::write(&message, gate_in(CONTAINERS[0])).unwrap();
    let key = d.folder.join("acme-line.pem");
    let [old, message, key] = [&old, &message, &key].map(|path| path.to_str().unwrap());
    d.ok(&[
        "publish",
        "--carrier",
        "acme-line",
        "--signing-key",
        key,
        "--jwks",
        old,
        "--media-type",
        DCSA_22,
        "--shipment",
        "h-1",
        message,
    ]);
    d.wait_for("SELECT count() FROM rejects WHERE code = 'retired_key'", 1);
    drop(processes);
}

#[test]
fn an_internal_key_is_retired_and_destroyed_once_nothing_needs_it() {
    let d = with_carrier("destroy_internal", "");
    let processes = d.start_all();
    publish(&d, 4);
    d.wait_for("SELECT count() FROM events", 4);
    let out = d.run(&["keys", "destroy", "internal", "--yes"]);
    assert_eq!(out.status.code(), Some(3));
    let said = d.ok(&["keys", "destroy", "internal", "--dry-run"]);
    for (topic, count) in [("opened", 4), ("valid", 4), ("redrive", 0)] {
        let line = after(&said, &format!("on {}{topic}: ", d.prefix));
        assert!(line.starts_with(&format!("{count} records")), "{said}");
    }
    drop(processes);
    // It may seal for as long as the next one is not in force.
    d.ok(&["keys", "rotate-internal", "--after", "5s"]);
    assert_eq!(d.run(&["keys", "retire", "internal"]).status.code(), Some(3));
    let index = d.folder.join("keys/keys.json");
    let mut changed: Value = serde_json::from_slice(&std::fs::read(&index).unwrap()).unwrap();
    changed["internal"][1]["seals_from"] = "2026-11-24T12:00:00Z".into();
    std::fs::write(&index, changed.to_string()).unwrap();
    d.ok(&["keys", "retire", "internal"]);
    d.ok(&["keys", "destroy", "internal", "--yes"]);
    assert!(!d.folder.join("keys/internal.key").exists());
    // Its values stop who reads them, and are not rejected: what may be ours is not thrown away.
    let aggregate = d.spawn("aggregate", "1", &[]);
    wait_until("aggregate to say what it lacks", Duration::from_secs(60), || {
        aggregate.log().contains("which is not held")
    });
}

/// A PKCS#11 token: NSS's, which has RSA-OAEP with SHA-256. What names it in the environment.
fn nss_token(folder: &Path) -> Vec<(&'static str, String)> {
    let (pin, token) = (folder.join("pin"), folder.join("token"));
    std::fs::create_dir(&token).unwrap();
    std::fs::write(&pin, "a test pin").unwrap();
    let folder = format!("sql:{}", token.display());
    let made = Command::new("certutil").args(["-N", "-d", &folder, "-f"]).arg(&pin).status();
    assert!(made.expect("certutil is not there: run dev/setup").success());
    // Debian's place, and Ubuntu's.
    let libraries = format!("/usr/lib/{}-linux-gnu", std::env::consts::ARCH);
    let modules = ["", "/nss"].map(|folder| format!("{libraries}{folder}/libsoftokn3.so"));
    let module = modules.into_iter().find(|module| Path::new(module).exists());
    let module = module.expect("libsoftokn3.so is not there: run dev/setup");
    vec![
        ("WAYBILL_KEYS__PKCS11__MODULE", module),
        ("WAYBILL_KEYS__PKCS11__TOKEN_LABEL", "NSS Certificate DB".to_owned()),
        ("WAYBILL_KEYS__PKCS11__PIN_FILE", pin.to_str().unwrap().to_owned()),
        ("WAYBILL_KEYS__PKCS11__PARAMETERS", format!("configdir='{folder}'")),
    ]
}

fn with<'a>(d: &Deployment, environment: &'a [(&'static str, String)]) -> Deployment {
    let environment: Vec<(&str, &'a str)> =
        environment.iter().map(|(key, value)| (*key, value.as_str())).collect();
    d.with(&environment)
}

#[test]
fn events_sealed_for_a_key_in_a_token_are_opened_there() {
    let d = with_carrier("token", "");
    let token = with(&d, &nss_token(&d.folder));
    let first = d.jwks();
    let first: Value = serde_json::from_slice(&std::fs::read(first).unwrap()).unwrap();
    token.ok(&["keys", "new", "--bits", "2048", "--kid", "in-the-token"]);
    assert!(!d.folder.join("keys/in-the-token.pem").exists());
    assert!(d.ok(&["keys", "list"]).contains("in a PKCS#11 token"));
    d.ok(&["keys", "retire", first["keys"][0]["kid"].as_str().unwrap()]);

    // Without the token decrypt does not start; only decrypt needs it.
    let out = d.run(&["run", "decrypt"]);
    let said = String::from_utf8_lossy(&out.stderr).into_owned();
    assert_eq!(out.status.code(), Some(3), "{said}");
    assert!(said.contains("is in a PKCS#11 token: set keys.pkcs11"), "{said}");
    // A granted folder of decrypt has no file of it.
    let granted = d.folder.join("keys-decrypt");
    token.ok(&["keys", "grant", "decrypt", "--out", granted.to_str().unwrap()]);
    assert!(!granted.join("in-the-token.pem").exists());
    let mut decrypt = token.with_keys("keys-decrypt").start("decrypt");
    let others: Vec<_> = d.start_each(&STAGES[1..]);
    publish(&d, 8);
    let events: Vec<_> = CONTAINERS.map(gate_in).into();
    d.publish_all("acme-line", DCSA_22, &events, &["--shipment", "h-1", "--proof", "signed"]);
    d.wait_for("SELECT count() FROM events", 12);
    assert_eq!(d.number("SELECT count() FROM rejects"), 0);
    assert!(!decrypt.has_ended() && !decrypt.log().contains("fault:"), "{}", decrypt.log());
    d.audit();

    // What nobody can open is answered as ever.
    let wrong = d.folder.join("wrong.jwks");
    let mut set: Value = serde_json::from_str(&d.ok(&["keys", "export"])).unwrap();
    set["keys"][0]["n"] = first["keys"][0]["n"].clone();
    std::fs::write(&wrong, set.to_string()).unwrap();
    let message = d.folder.join("message");
    std::fs::write(&message, gate_in(CONTAINERS[0])).unwrap();
    let key = d.folder.join("acme-line.pem");
    let [wrong, message, key] = [&wrong, &message, &key].map(|path| path.to_str().unwrap());
    d.ok(&[
        "publish",
        "--carrier",
        "acme-line",
        "--signing-key",
        key,
        "--jwks",
        wrong,
        "--media-type",
        DCSA_22,
        "--shipment",
        "h-1",
        message,
    ]);
    d.wait_for("SELECT count() FROM rejects WHERE code = 'not_authentic'", 1);

    // It is destroyed where it is.
    token.ok(&["keys", "new", "--bits", "2048", "--kid", "second"]);
    token.ok(&["keys", "retire", "in-the-token", "--now"]);
    token.ok(&["keys", "destroy", "in-the-token", "--yes"]);
    token.ok(&["keys", "new", "--bits", "2048", "--kid", "third"]);
    drop(others);
}

/// SoftHSM 2.6 has RSA-OAEP with SHA-1 alone: that is said when the key is made, and none is left behind.
#[test]
fn a_token_that_cannot_do_it_is_refused_when_the_key_is_made() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    std::fs::create_dir(at("tokens")).unwrap();
    std::fs::write(at("softhsm2.conf"), format!("directories.tokendir = {}\n", at("tokens")))
        .unwrap();
    std::fs::write(at("pin"), "1234\n").unwrap();
    let made = Command::new("softhsm2-util")
        .args(["--init-token", "--free", "--label", "waybill", "--so-pin", "5678", "--pin", "1234"])
        .env("SOFTHSM2_CONF", at("softhsm2.conf"))
        .output()
        .expect("softhsm2-util is not there: run dev/setup");
    assert!(made.status.success());
    for _ in ["a first time", "and again: nothing of that name is there"] {
        let out = Command::new(Deployment::binary())
            .args(["keys", "new", "--bits", "2048", "--kid", "k"])
            .env("SOFTHSM2_CONF", at("softhsm2.conf"))
            .env("WAYBILL_KEYS__FOLDER", at("keys"))
            .env("WAYBILL_KEYS__PKCS11__MODULE", "/usr/lib/softhsm/libsofthsm2.so")
            .env("WAYBILL_KEYS__PKCS11__TOKEN_LABEL", "waybill")
            .env("WAYBILL_KEYS__PKCS11__PIN_FILE", at("pin"))
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&out.stderr).into_owned();
        assert_eq!(out.status.code(), Some(3), "{said}");
        assert!(said.contains("RSA-OAEP with SHA-256") && said.contains("ArgumentsBad"), "{said}");
    }
}
