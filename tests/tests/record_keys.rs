//! What stands as a record's key: no business number, and nothing that state is lost by.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::Duration;

use serde_json::Value;
use waybill_schemas::Role;
use waybill_tests::{Attacker, Deployment, Servers, Topic, Truth, wait_until};

/// As base64url of 128 bits.
fn is_pseudonym(key: &[u8]) -> bool {
    key.len() == 22 && key.iter().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(b))
}

/// The first of the numbers that stands in `bytes`; they are sorted by their lengths.
fn found<'n>(numbers: &'n BTreeMap<usize, HashSet<Vec<u8>>>, bytes: &[u8]) -> Option<&'n Vec<u8>> {
    numbers.iter().find_map(|(length, of)| bytes.windows(*length).find_map(|part| of.get(part)))
}

#[test]
fn no_record_of_an_internal_topic_holds_a_number_in_clear() {
    let d = Deployment::new("no_numbers", "");
    let _processes = d.start_all();
    d.ok(&[
        "simulate",
        "--register",
        "--signing-keys",
        d.folder.join("carriers").to_str().unwrap(),
        "--rate",
        "0",
        "--messages",
        "1200",
        "--seed",
        "5",
        "--truth",
        d.folder.join("truth.json").to_str().unwrap(),
    ]);
    let truth = Truth::read(&d.folder.join("truth.json"));
    d.wait_for("SELECT count() FROM events", truth.events);
    d.wait_for("SELECT count() FROM rejects", truth.rejected());
    d.ok(&["rejects", "redrive"]);
    d.audit();

    let mut numbers: BTreeMap<usize, HashSet<Vec<u8>>> = BTreeMap::new();
    for row in d.rows(
        "SELECT DISTINCT arrayJoin(numbers) AS number FROM (
             SELECT arrayConcat([equipment, unit, splitByChar('/', shipment_id)[2], shipment_id],
                 `documents.value`) AS numbers FROM shipments
             UNION ALL SELECT `references.value` AS numbers FROM events)
         WHERE length(number) >= 7",
    ) {
        let number = row["number"].as_str().unwrap().as_bytes().to_vec();
        numbers.entry(number.len()).or_default().insert(number);
    }
    let known: usize = numbers.values().map(HashSet::len).sum();
    assert!(known > 300, "{known} numbers");
    // They are found where they are.
    let one = numbers[&11].iter().next().unwrap();
    assert!(found(&numbers, &[b"..", &one[..], b"."].concat()).is_some());

    let mut looked_at = HashMap::new();
    for role in Role::ALL.into_iter().filter(|role| role.is_internal()) {
        for (key, value) in d.read_all(role.as_str()) {
            *looked_at.entry(role.as_str()).or_insert(0) += 1;
            let said = |number: &Vec<u8>| String::from_utf8_lossy(number).into_owned();
            for bytes in [&key[..], value.as_deref().unwrap_or_default()] {
                let number = found(&numbers, bytes).map(said);
                assert_eq!(number, None, "{role:?}, key {:?}", String::from_utf8_lossy(&key));
            }
            let is_of_shipments = ["valid", "enriched", "events", "shipments", "aggregate_state"];
            if is_of_shipments.contains(&role.as_str()) {
                assert!(is_pseudonym(&key), "{role:?}: {:?}", String::from_utf8_lossy(&key));
            }
        }
    }
    for role in ["opened", "valid", "enriched", "events", "shipments", "aggregate_state"] {
        assert!(looked_at[role] > 300, "{looked_at:?}");
    }
    for role in ["rejects", "ledger", "redrive"] {
        assert!(looked_at[role] > 0, "{looked_at:?}");
    }
}

/// What a build of before pseudonyms has left: `tests/fixtures/keys-in-clear.json`.
struct Before(Value);

impl Before {
    fn read() -> Self {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/keys-in-clear.json");
        Self(serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap())
    }

    fn records(&self, role: &str) -> Vec<(Vec<u8>, Vec<u8>)> {
        let bytes = |hex: &Value| -> Vec<u8> {
            let hex = hex.as_str().unwrap();
            (0..hex.len())
                .step_by(2)
                .map(|n| u8::from_str_radix(&hex[n..n + 2], 16).unwrap())
                .collect()
        };
        let records = self.0[role].as_array().unwrap().iter();
        records.map(|record| (bytes(&record[0]), bytes(&record[1]))).collect()
    }

    fn write(&self, d: &Deployment, role: &str, partition: impl Fn(&[u8]) -> i32) {
        let topic = Attacker::of(d, role);
        for (key, value) in self.records(role) {
            topic.send_to(partition(&key), &key, Some(&value));
        }
    }

    /// Has the deployment's internal key be the one that these were sealed under.
    fn give_key(&self, d: &Deployment) {
        let index = d.folder.join("keys/keys.json");
        let mut keys: Value = serde_json::from_slice(&std::fs::read(&index).unwrap()).unwrap();
        keys.as_object_mut().unwrap().remove("internal").unwrap();
        std::fs::write(&index, keys.to_string()).unwrap();
        let key = self.0["internal"].as_str().unwrap();
        std::fs::write(d.folder.join("keys/internal.key"), key).unwrap();
    }
}

/// Under each key of the changelog, whether the last record has a value.
fn last_of_each(d: &Deployment) -> BTreeMap<Vec<u8>, bool> {
    let records = d.read_all("aggregate_state");
    records.into_iter().map(|(key, value)| (key, value.is_some())).collect()
}

#[test]
fn a_deployment_whose_keys_were_in_clear_goes_on_and_its_keys_go() {
    let d = Deployment::on(Servers::find(), "in_clear", 4, "");
    let before = Before::read();
    before.give_key(&d);
    // Where Kafka's own clients place what is under `acme-line/MSKU1234565` and `acme-line/CSQU3054383`, if
    // there are four partitions: the state is there, and what comes for it must come there.
    let partition = |key: &[u8]| if key.starts_with(b"acme-line/MSKU1234565") { 2 } else { 3 };
    before.write(&d, "aggregate_state", partition);
    assert!(d.ok(&["state", "list"]).contains("2 shipments lie under keys of before"));
    // It was killed before it had read what follows on `valid`; aggregate knows 12 of these events.
    before.write(&d, "valid", |_| 0);
    let mut processes = d.start_each(&["enrich", "aggregate", "clickhouse"]);
    d.wait_for("SELECT count() FROM events", 3);
    d.wait_for("SELECT sum(duplicates) FROM shipments", 12);
    let found = d.rows("SELECT shipment_id, revision FROM shipments ORDER BY shipment_id");
    let expected = [("CSQU3054383", 3), ("MSKU1234565", 11), ("TCLU4265447", 1)];
    for (row, (number, revision)) in found.iter().zip(expected) {
        let id = format!("acme-line/{number}/2026-11-30");
        assert_eq!((&row["shipment_id"], &row["revision"]), (&id.into(), &revision.into()));
    }
    assert_eq!(found.len(), 3);
    assert_eq!(d.number("SELECT count() FROM rejects"), 0);

    // What was in clear is taken away, and what lies there is what was written of late: compaction leaves
    // nothing else. (The mark of the transaction may come a little later than that of what the sink has read.)
    let seven = || last_of_each(&d).len() == 7;
    wait_until("the changelog", Duration::from_secs(20), seven);
    let last = last_of_each(&d);
    let clear = before.records("aggregate_state");
    for (key, _) in &clear {
        assert!(!last[key], "{} is still there", String::from_utf8_lossy(key));
    }
    let held: Vec<_> = last.iter().filter(|(_, is_there)| **is_there).map(|(key, _)| key).collect();
    assert!(held.iter().all(|key| is_pseudonym(key)), "{held:?}");
    // Two records of 11 events, and one of each other.
    assert_eq!(held.len(), 4);
    let listed = d.ok(&["state", "list"]);
    assert!(listed.contains("acme-line") && !listed.contains("keys of before"), "{listed}");

    // Once more from the changelog, in which both lie.
    processes.remove(1).stop(Duration::from_secs(20));
    let aggregate = d.start("aggregate");
    assert!(aggregate.log().contains("\"moving\":0") || aggregate.log().contains("moving=0"));
    before.write(&d, "valid", |_| 0);
    d.wait_for("SELECT sum(duplicates) FROM shipments", 27);
    assert_eq!(d.number("SELECT count() FROM events"), 3);
    assert_eq!(d.number("SELECT count() FROM shipments"), 3);
    assert_eq!(last_of_each(&d), last);

    // The broker forgets them, once it has begun another segment.
    Topic::of(&d, "aggregate_state").set(&[
        ("cleanup.policy", "compact"),
        ("compression.type", "uncompressed"),
        ("max.message.bytes", "16777216"),
        ("min.cleanable.dirty.ratio", "0.01"),
        ("segment.ms", "1000"),
        ("delete.retention.ms", "0"),
    ]);
    let mut copies = 27;
    wait_until("compaction", Duration::from_secs(180), || {
        before.write(&d, "valid", |_| 0);
        copies += 15;
        d.wait_for("SELECT sum(duplicates) FROM shipments", copies);
        let records = d.read_all("aggregate_state");
        !records.iter().any(|(key, _)| clear.iter().any(|(of_before, _)| of_before == key))
    });
    assert_eq!(d.number("SELECT count() FROM events"), 3);
    drop(aggregate);
    d.start("aggregate");
    assert_eq!(last_of_each(&d).values().filter(|is_there| **is_there).count(), 4);
}

/// A topic that gets partitions: whoever writes to it uses them soon, as any Kafka client would.
#[test]
fn partitions_that_are_added_are_written_to() {
    let d = Deployment::on(Servers::find(), "added", 1, "");
    let _processes = d.start_all();
    let mut round = 0;
    let mut publish = || {
        round += 1;
        let keys = d.folder.join("carriers");
        let seed = round.to_string();
        let more = ["--rate", "0", "--messages", "60", "--bad", "0", "--seed", &seed];
        let simulate = ["simulate", "--register", "--signing-keys", keys.to_str().unwrap()];
        d.ok(&[&simulate[..], &more].concat());
    };
    publish();
    d.wait_for("SELECT count() FROM events", 50);
    assert_eq!(d.number("SELECT max(kafka_partition) FROM events"), 0);
    Topic::of(&d, "events").set_partitions(3);
    wait_until("the new ones to be used", Duration::from_secs(120), || {
        publish();
        std::thread::sleep(Duration::from_secs(2));
        d.number("SELECT max(kafka_partition) FROM events") == 2
    });
    let twice = "SELECT count() - uniqExact(carrier_id, event_id) FROM events";
    assert_eq!(d.number(twice), 0);
}

/// A shipment that nothing comes for moves with others' batches.
#[test]
fn what_lies_in_clear_goes_also_if_nothing_comes_for_it() {
    let d = Deployment::on(Servers::find(), "in_clear_idle", 1, "");
    let before = Before::read();
    before.give_key(&d);
    before.write(&d, "aggregate_state", |_| 0);
    let _processes = d.start_each(&["enrich", "aggregate", "clickhouse"]);
    let (key, value) = before.records("valid").pop().unwrap();
    assert!(key.ends_with(b"TCLU4265447"));
    Attacker::of(&d, "valid").send_to(0, &key, Some(&value));
    d.wait_for("SELECT count() FROM events", 1);
    wait_until("the others to have moved", Duration::from_secs(20), || {
        last_of_each(&d).iter().all(|(key, is_there)| is_pseudonym(key) || !is_there)
    });
    // Readers are told of what changed alone.
    d.wait_for("SELECT count() FROM shipments", 1);
    assert!(!d.ok(&["state", "list"]).contains("keys of before"));
}
