//! The whole way with the users of dashboards/clickhouse/users.xml, each process and command as its own.

use std::process::Command;
use std::time::Duration;

use waybill_tests::{DCSA_22, Deployment, OwnServers, gate_in, panels, wait_until};

/// What a user of ClickHouse is called, and its password.
fn credentials(user: &str) -> [(&str, &str); 2] {
    [("WAYBILL_CLICKHOUSE__USER", user), ("WAYBILL_CLICKHOUSE__PASSWORD", "12345")]
}

#[test]
fn each_works_as_its_own_user() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("users.d")).unwrap();
    for (from, to) in [
        ("dev/clickhouse/config.xml", "config.xml"),
        ("dev/clickhouse/users.xml", "users.xml"),
        ("dashboards/clickhouse/users.xml", "users.d/users.xml"),
        ("dashboards/clickhouse/eraser.xml", "users.d/eraser.xml"),
    ] {
        std::fs::copy(panels::root().join(from), folder.path().join(to)).unwrap();
    }
    let config = folder.path().join("config.xml");
    // As docs/operations.md has it.
    let hash = "printf %s 12345 | sha256sum | cut -d ' ' -f 1";
    let hash = Command::new("sh").args(["-c", hash]).output().unwrap().stdout;
    let hash = String::from_utf8(hash).unwrap().trim().to_owned();
    let own = OwnServers::with(&[
        ("WAYBILL_CLICKHOUSE_CONFIG", &config.display().to_string()),
        ("WAYBILL_OWNER_PASSWORD_SHA256", &hash),
        ("WAYBILL_SINK_PASSWORD_SHA256", &hash),
        ("WAYBILL_AUDITOR_PASSWORD_SHA256", &hash),
        ("WAYBILL_GATEWAY_PASSWORD_SHA256", &hash),
        ("WAYBILL_READER_PASSWORD_SHA256", &hash),
        ("WAYBILL_ERASER_PASSWORD_SHA256", &hash),
    ]);
    let mut d = Deployment::on(own.addresses(), "users", 2, "");
    // Of that name are the rights.
    d.database = "waybill".to_owned();
    d.configure("");
    let run = |user: &str, args: &[&str]| {
        let out = d.run_with(args, &credentials(user));
        let said = [&out.stdout[..], &out.stderr[..]].concat();
        (out.status.code(), String::from_utf8_lossy(&said).into_owned())
    };
    let ok = |user: &str, args: &[&str]| {
        let (code, said) = run(user, args);
        assert_eq!(code, Some(0), "{user}: {args:?}: {said}");
        said
    };
    for user in ["waybill_sink", "waybill_auditor", "waybill_reader"] {
        let (code, said) = run(user, &["migrate"]);
        assert_eq!(code, Some(4), "{said}");
        assert!(said.contains("it refuses the user, the password or a right"), "{said}");
    }
    ok("waybill_owner", &["migrate"]);
    assert!(ok("waybill_owner", &["migrate"]).contains("is up to date"));

    d.add_carrier("acme-line");
    // None but the sink has to do with ClickHouse.
    let nowhere = [("WAYBILL_CLICKHOUSE__URL", "http://127.0.0.1:1")];
    let stages = ["decrypt", "validate", "enrich", "aggregate"];
    let _processes = stages.map(|stage| d.spawn(stage, "1", &nowhere));
    let sink = || d.spawn("clickhouse", "1", &credentials("waybill_sink"));
    let mut process = sink();
    let publish = |container: &str| {
        d.publish("acme-line", DCSA_22, &gate_in(container), &["--shipment", container]);
        d.publish("acme-line", DCSA_22, b"{}", &["--shipment", container]);
    };
    publish("MSKU1234565");
    d.wait_for("SELECT count() FROM events", 1);
    d.wait_for("SELECT count() FROM rejects", 1);
    // It takes over what it was about.
    process.kill();
    publish("TCLU4265917");
    process = sink();
    d.wait_for("SELECT count() FROM events", 2);
    d.wait_for("SELECT count() FROM rejects", 2);
    wait_until("the sink to be ready", Duration::from_secs(60), || {
        process.get("/readyz").is_some()
    });

    assert!(ok("waybill_auditor", &["audit", "--wait", "40s"]).contains("audit: clean"));
    assert!(ok("waybill_auditor", &["rejects", "list"]).contains("acme-line"));
    ok("waybill_auditor", &["formats", "unmapped"]);
    ok("waybill_auditor", &["rejects", "redrive", "--dry-run"]);
    let erase = ["erase", "--carrier", "acme-line", "--reference", "TCLU4265917", "--yes"];
    for user in ["waybill_owner", "waybill_sink", "waybill_auditor", "waybill_reader"] {
        let (code, said) = run(user, &erase);
        assert_eq!(code, Some(4), "{user}: {said}");
    }
    assert!(ok("waybill_eraser", &erase).contains("\"events\":1"));
    assert_eq!(d.number("SELECT count() FROM events"), 1);
    assert!(ok("waybill_auditor", &["audit", "--wait", "40s"]).contains("audit: clean"));
    let (code, said) = run("waybill_nobody", &["audit"]);
    assert_eq!(code, Some(4), "{said}");
}
