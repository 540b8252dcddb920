//! Dead letters are taken back: their records go through once more, and the books balance.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, AlterConfig, ResourceSpecifier};
use rdkafka::client::DefaultClientContext;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use serde_json::Value;
use waybill_tests::{DCSA_22, Deployment, gate_in};

#[test]
fn a_carrier_registered_late_has_its_events_redriven_once() {
    let d = Deployment::new("redrive", "");
    d.add_carrier("acme-line");
    d.add_carrier("late-line");
    let registry = d.folder.join("carriers.json");
    let complete = std::fs::read_to_string(&registry).unwrap();
    let mut without: Value = serde_json::from_str(&complete).unwrap();
    without["carriers"].as_array_mut().unwrap().retain(|c| c["id"] != "late-line");
    std::fs::write(&registry, without.to_string()).unwrap();
    let _processes = d.start_all();

    for container in ["MSKU1234565", "MSKU0000006", "CSQU3054383"] {
        d.publish("late-line", DCSA_22, &gate_in(container), &["--shipment", container]);
    }
    d.publish("acme-line", DCSA_22, b"no JSON, ever", &["--shipment", "h-1"]);
    d.wait_for("SELECT count() FROM rejects WHERE code = 'unknown_carrier'", 3);
    d.wait_for("SELECT count() FROM rejects", 4);
    let of_unknown = ["rejects", "redrive", "--code", "unknown_carrier"];
    let redrive = |more: &[&str]| d.ok(&[&of_unknown[..], more].concat());

    let listed = d.ok(&["rejects", "list", "--code", "unknown_carrier"]);
    assert_eq!(listed.lines().count(), 4, "{listed}");
    let place = d.rows(
        "SELECT concat(toString(source_partition), '-', toString(source_offset)) AS place
         FROM rejects WHERE code = 'unknown_carrier' LIMIT 1",
    )[0]["place"]
        .as_str()
        .unwrap()
        .to_owned();
    let shown = d.ok(&["rejects", "show", &place]);
    assert!(shown.contains("unknown_carrier in decrypt"), "{shown}");

    // Nothing is sent in a dry run, nor more than the limit says.
    assert!(redrive(&["--dry-run"]).contains("would redrive 3 records"));
    assert!(redrive(&["--limit", "1"]).contains("redrove 1 records"));
    // The carrier is not known yet: it is the same answer once more.
    d.wait_for("SELECT count() FROM rejects WHERE attempt = 1", 1);
    std::fs::write(&registry, complete).unwrap();
    std::thread::sleep(Duration::from_secs(3));

    let said = redrive(&[]);
    assert!(said.contains("redrove 3 records"), "{said}");
    d.wait_for("SELECT count() FROM events WHERE carrier_id = 'late-line'", 3);
    // What is through is not sent again, and what is rejected for good ends after three attempts.
    let said = redrive(&[]);
    assert!(said.contains("redrove 0 records; 3 sent before"), "{said}");
    for attempt in 1..=3 {
        let said = d.ok(&["rejects", "redrive", "--code", "unparsable"]);
        assert!(said.contains("redrove 1 records"), "{said}");
        d.wait_for("SELECT max(attempt) FROM rejects WHERE code = 'unparsable'", attempt);
    }
    let said = d.ok(&["rejects", "redrive", "--code", "unparsable"]);
    assert!(said.contains("refused: redriven 3 times already"), "{said}");

    // What the topic keeps no longer cannot be sent again.
    d.publish("acme-line", DCSA_22, b"no JSON either", &["--shipment", "h-2"]);
    d.wait_for("SELECT count() FROM rejects WHERE handle = 'h-2'", 1);
    d.audit();
    d.remove_records("sealed");
    let said = d.ok(&["rejects", "redrive", "--code", "unparsable"]);
    assert!(said.contains("nothing of its partition is left"), "{said}");
    assert!(said.contains("1 no longer kept"), "{said}");

    assert_eq!(d.number("SELECT count() FROM events"), 3);
    assert_eq!(d.number("SELECT uniqExact(event_id) FROM events"), 3);
    assert_eq!(d.number("SELECT sum(duplicates) FROM shipments"), 0);
    // Where they stand and when they were received is what it was.
    let origins = "SELECT count() FROM events AS e JOIN (
        SELECT DISTINCT source_partition, source_offset, received_at FROM rejects
        WHERE code = 'unknown_carrier'
    ) AS r USING (source_partition, source_offset, received_at)";
    assert_eq!(d.number(origins), 3);
    // In the books, a redriven record has its new outcome alone.
    let of = |column: &str| d.number(&format!("SELECT toInt64(sum({column})) FROM conservation"));
    assert_eq!((of("received"), of("rejected"), of("stored"), of("in_flight")), (5, 2, 3, 0));
}

/// What was redriven and has passed is told by the redrive topic alone. A record of before what it still keeps
/// may be such a one.
#[test]
fn what_the_redrive_topic_may_have_forgotten_is_not_redriven() {
    let d = Deployment::new("forgotten", "");
    let sealed = format!("{}sealed", d.prefix);
    let mut client = ClientConfig::new();
    client.set("bootstrap.servers", &d.servers.kafka);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let stamped_by = |kind: &str| {
        let admin: AdminClient<DefaultClientContext> = client.create().unwrap();
        let change = AlterConfig::new(ResourceSpecifier::Topic(&sealed));
        let change = change.set("message.timestamp.type", kind);
        let done = admin.alter_configs([&change], &AdminOptions::new());
        runtime.block_on(done).unwrap().into_iter().for_each(|result| drop(result.unwrap()));
    };
    // Received three days ago: by the broker's clock it cannot be, so for a moment by another.
    stamped_by("CreateTime");
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis();
    let producer: BaseProducer = client.create().unwrap();
    let record = BaseRecord::<[u8], [u8]>::to(&sealed).partition(0).payload(b"x");
    let three_days_ago = i64::try_from(now).unwrap() - 3 * 86_400_000;
    producer.send(record.timestamp(three_days_ago)).map_err(|(e, _)| e).unwrap();
    producer.flush(Duration::from_secs(20)).unwrap();
    stamped_by("LogAppendTime");
    d.execute(&format!(
        "INSERT INTO rejects (code, stage, source_partition, source_offset, received_at, rejected_at)
        VALUES ('unknown_carrier', 'decrypt', 0, 0,
            fromUnixTimestamp64Milli({three_days_ago}), now64(3)),
        ('unknown_carrier', 'decrypt', 0, 0,
            fromUnixTimestamp64Milli({three_days_ago} - 1), now64(3))"
    ));
    let redrive = |retention: &str| {
        d.configure(&format!("[topics.retention]\nsealed = \"1d\"\nredrive = \"{retention}\"\n"));
        d.ok(&["topics"]);
        d.ok(&["rejects", "redrive", "--dry-run"])
    };
    let said = redrive("2d");
    assert!(
        said.contains("0-0: refused: received ") && said.contains("is kept no longer"),
        "{said}"
    );
    // Nor is what stands now where the rejected one stood.
    assert!(said.contains("0-0: refused: another record stands there"), "{said}");
    assert!(said.contains("would redrive 0 records"), "{said}");
    for known in ["4d", "forever"] {
        assert!(redrive(known).contains("would redrive 1 records"), "{known}");
    }
}
