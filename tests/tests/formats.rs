//! What carriers of all modes send becomes rows of one vocabulary, and an operator maps the codes that
//! are left without a build.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::path::Path;
use std::time::Duration;

use waybill_tests::Deployment;

/// Yesterday, by `date`'s format.
fn yesterday(format: &str) -> String {
    let out = std::process::Command::new("date")
        .args(["-u", "-d", "yesterday", &format!("+{format}")])
        .env("LC_ALL", "C")
        .output()
        .unwrap();
    String::from_utf8(out.stdout).unwrap().trim().to_owned()
}

/// A status of a motor carrier in X12 214.
fn x12(code: &str) -> String {
    let day = yesterday("%Y%m%d");
    format!(
        "ISA*00*          *00*          *ZZ*ACME           *ZZ*SHIPPER        *{}*0830*U*00401*\
         000000001*0*P*:~GS*QM*ACME*SHIPPER*{day}*0830*1*X*004010~ST*214*0001~\
         B10*PRO4711*LOAD1*ACME~LX*1~AT7*{code}*NS***{day}*0800*LT~MS1*SAVANNAH*GA*US~\
         SE*6*0001~GE*1*1~IEA*1*000000001~",
        yesterday("%y%m%d")
    )
}

fn edifact() -> String {
    format!(
        "UNA:+.? 'UNB+UNOA:2+TERMINAL+LINE+{}:0900+1'UNH+1+CODECO:D:95B:UN:ITG14'\
         BGM+34+1+9'TDT+20++3'NAD+CF+LINE:160:166'EQD+CN+MSKU1234565+22G1:102:5+++5'\
         RFF+BN:B4711'DTM+7:{}0815:203'LOC+165+NLRTM:139:6'CNT+16:1'UNT+10+1'UNZ+1+1'",
        yesterday("%y%m%d"),
        yesterday("%Y%m%d"),
    )
}

fn cargo_imp() -> String {
    let day = yesterday("%d%b").to_uppercase();
    format!("FSU/14\r\n020-12345675FRAJFK/T1K10\r\nRCS/{day}1000/FRA/T1K10\r\n")
}

fn epcis() -> String {
    let day = yesterday("%Y-%m-%d");
    format!(
        r#"{{"@context": "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld",
        "type": "ObjectEvent", "eventID": "e-1", "action": "OBSERVE", "bizStep": "shipping",
        "eventTime": "{day}T10:00:00+02:00", "eventTimeZoneOffset": "+02:00",
        "epcList": ["urn:epc:id:sscc:4012345.0123456789"],
        "readPoint": {{"id": "geo:52.52,13.405"}}}}"#
    )
}

#[test]
fn every_mode_becomes_rows_of_one_vocabulary() {
    let d = Deployment::new("formats", "");
    for carrier in ["acme-road", "acme-line", "acme-air", "acme-retail"] {
        d.add_carrier(carrier);
    }
    let _processes = d.start_all();
    let messages = [
        ("acme-road", "application/EDI-X12", x12("AF")),
        ("acme-line", "application/EDIFACT", edifact()),
        ("acme-air", "application/vnd.iata.cargo-imp", cargo_imp()),
        ("acme-retail", "application/vnd.gs1.epcis+json", epcis()),
    ];
    for (carrier, media_type, message) in &messages {
        d.publish(carrier, media_type, message.as_bytes(), &["--shipment", "h"]);
    }
    d.wait_for("SELECT count() FROM events", 4);
    let rows = d.rows(
        "SELECT carrier_id, if(equipment = '', shipment_id, equipment) AS shipment, milestone, raw_code, unlocode, place_source, zone_quality,
            time_zone, formatDateTime(occurred_at, '%H:%i', 'UTC') AS at, mode
        FROM events ORDER BY carrier_id",
    );
    let shown: Vec<String> = rows
        .iter()
        .map(|row| {
            let columns = [
                "carrier_id",
                "shipment",
                "milestone",
                "raw_code",
                "unlocode",
                "place_source",
                "zone_quality",
                "time_zone",
                "at",
                "mode",
            ];
            columns.map(|name| row[name].as_str().unwrap()).join(" | ")
        })
        .collect();
    // Savannah and Frankfurt by their names and codes: in winter, and in summer an hour earlier.
    let local = |hour: u32, zone: &str| {
        let out = std::process::Command::new("date")
            .args(["-u", "-d", &format!("TZ=\"{zone}\" {} {hour}:00", yesterday("%F")), "+%H:%M"])
            .output()
            .unwrap();
        String::from_utf8(out.stdout).unwrap().trim().to_owned()
    };
    let rotterdam = local(8, "Europe/Amsterdam").replace(":00", ":15");
    assert_eq!(
        shown,
        [
            format!(
                "acme-air | acme-air/air_waybill:020-12345675 | accepted | FSU/RCS | DEFRA | airport \
                 | from_place | Europe/Berlin | {} | air",
                local(10, "Europe/Berlin")
            ),
            format!(
                "acme-line | MSKU1234565 | gate_in | CODECO/34 | NLRTM | unlocode | from_place | \
                 Europe/Amsterdam | {rotterdam} | "
            ),
            "acme-retail | acme-retail/sscc:040123451234567894 | departed | BIZSTEP/shipping |  | \
             none | stated | Europe/Berlin | 08:00 | "
                .to_owned(),
            format!(
                "acme-road | acme-road/pro:PRO4711 | picked_up | X12/AF | USSAV | name | from_place | \
                 America/New_York | {} | road",
                local(8, "America/New_York")
            ),
        ]
    );
    d.audit();
}

#[test]
fn an_operator_finds_unmapped_codes_and_maps_them() {
    let d = Deployment::new("unmapped", "");
    for carrier in ["acme-road", "other-road"] {
        d.add_carrier(carrier);
    }
    let mut processes = d.start_all();
    d.publish("acme-road", "application/EDI-X12", x12("QQ").as_bytes(), &["--shipment", "h1"]);
    d.publish("other-road", "application/EDI-X12", x12("QQ").as_bytes(), &["--shipment", "h2"]);
    d.publish("acme-road", "application/EDI-X12", x12("AF").as_bytes(), &["--shipment", "h3"]);
    d.wait_for("SELECT count() FROM events", 3);

    let said = d.ok(&["formats", "unmapped", "--carrier", "acme-road"]);
    for expected in ["acme-road", "X12/QQ", "[validate.codes.\"acme-road\"]", "\"X12/QQ\" = \"…\""]
    {
        assert!(said.contains(expected), "{expected}: {said}");
    }
    assert!(!said.contains("other-road") && !said.contains("X12/AF"), "{said}");

    // What it printed, with a milestone in it, goes into the configuration.
    let mut config = std::fs::read_to_string(d.config()).unwrap();
    config.push_str("\n[validate.codes.\"acme-road\"]\n\"X12/QQ\" = \"loaded\"\n");
    std::fs::write(d.config(), config).unwrap();
    let validate = processes.remove(1);
    validate.stop(Duration::from_secs(20));
    processes.push(d.start("validate"));
    d.publish("acme-road", "application/EDI-X12", x12("QQ").as_bytes(), &["--shipment", "h4"]);
    d.publish("other-road", "application/EDI-X12", x12("QQ").as_bytes(), &["--shipment", "h5"]);
    d.wait_for("SELECT count() FROM events", 5);
    let rows = d.rows(
        "SELECT handle, milestone, notes FROM events WHERE handle IN ('h4', 'h5') ORDER BY handle",
    );
    assert_eq!(rows[0]["milestone"], "loaded");
    assert_eq!(rows[0]["notes"].as_array().unwrap().len(), 0);
    assert_eq!(rows[1]["milestone"], "other");
    assert_eq!(rows[1]["notes"][0], "unmapped_code");
    d.audit();
}

/// Without servers: what a person who onboards a carrier is shown.
#[test]
fn explain_says_what_was_understood_and_what_was_not() {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../formats/fixtures");
    let folder = tempfile::tempdir().unwrap();
    let run = |args: &[&str]| {
        let out = std::process::Command::new(Deployment::binary())
            .args(["formats", "explain"])
            .args(args)
            .current_dir(folder.path())
            .output()
            .unwrap();
        (
            out.status.code(),
            String::from_utf8(out.stdout).unwrap() + &String::from_utf8_lossy(&out.stderr),
        )
    };
    let check = |args: &[&str], expected: &[&str]| {
        let (status, said) = run(args);
        assert_eq!(status, Some(0), "{said}");
        for text in expected {
            assert!(said.contains(text), "{text}: {said}");
        }
    };
    let file = |name: &str| fixtures.join(name).to_str().unwrap().to_owned();
    check(
        &[&file("dcsa-2.2/wrong-fields.json")],
        &["looks like DCSA Track & Trace 2.x", "reject", "missing_field"],
    );
    check(&[&file("ups/good.json")], &["application/vnd.ups.track+json", "tracking_number"]);
    check(&[&file("epcis-xml/good-2.0.xml")], &["GS1 EPCIS", "stated"]);
    std::fs::write(folder.path().join("status.edi"), x12("QQ")).unwrap();
    check(
        &["status.edi", "--carrier", "acme-road"],
        &[
            "ASC X12",
            "USSAV, Savannah, US",
            "from_place",
            "1 event, no reject, 1 unmapped code",
            "\"X12/QQ\"",
        ],
    );
    std::fs::write(folder.path().join("letter.txt"), "Dear carrier").unwrap();
    let (status, said) = run(&["letter.txt"]);
    assert_eq!(status, Some(1));
    assert!(said.contains("looks like none of the formats"), "{said}");
    let (status, said) = run(&["letter.txt", "--media-type", "application/EDIFACT"]);
    assert_eq!(status, Some(0), "{said}");
    assert!(said.contains("unparsable"), "{said}");
}

/// Without servers: docs/new-carrier.md, step by step.
#[test]
fn an_operator_connects_a_carrier_by_a_dialect() {
    let page = include_str!("../../docs/new-carrier.md");
    let block = |language: &str, nth: usize| {
        let from = page.split(&format!("```{language}\n")).nth(nth).unwrap();
        from.split("```").next().unwrap()
    };
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    let run = |args: &[&str]| {
        let out = std::process::Command::new(Deployment::binary())
            .args(args)
            .current_dir(folder.path())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&out.stdout) + String::from_utf8_lossy(&out.stderr);
        (out.status.code(), said.into_owned())
    };
    let check = |args: &[&str], status: i32, expected: &[&str]| {
        let (found, said) = run(args);
        assert_eq!(found, Some(status), "{args:?}: {said}");
        for text in expected {
            assert!(said.contains(text), "{text}: {said}");
        }
    };
    let (kestrel, answer) = (block("toml", 1), block("json", 1));
    write("dialects/kestrel.toml", kestrel);
    write("answer.json", answer);
    let of_one = "4 events, 1 reject, no unmapped code";
    let try_it = ["formats", "check", "dialects/kestrel.toml", "answer.json"];
    check(
        &try_it,
        1,
        &["Kestrel Couriers, application/vnd.kestrel", of_one, "rejects in answer.json"],
    );
    // Without the consignment that was not found nothing is rejected.
    let good =
        answer.replace(",\n    { \"barcode\": \"KC0000000018\", \"error\": \"not found\" }", "");
    write("good.json", &good);
    let two = ["formats", "check", "dialects/kestrel.toml", "good.json", "good.json"];
    check(&two, 0, &["4 events, no reject"]);
    write(
        "wrong.toml",
        &kestrel.replace("\"stage\"", "\"/stage\"").replace("order = \"day\"", "otherwise = \"?\""),
    );
    let wrong =
        ["event.time.otherwise: no offset", "estimate.time.otherwise", "event.code: \"/stage\""];
    check(&["formats", "check", "wrong.toml", "good.json"], 1, &wrong);
    write("taken.toml", &kestrel.replace("vnd.kestrel.tracking", "vnd.gls.tracking"));
    check(&["formats", "check", "taken.toml"], 1, &["is that of GLS tracking"]);

    // In the configuration it is a format like any other.
    write("dialects/skua.toml", block("toml", 2));
    write("waybill.toml", "[validate]\ndialects = [\"dialects\"]\n");
    check(&["check-config"], 0, &["dialects = [\"dialects\"]"]);
    check(&["formats", "list"], 0, &["Kestrel Couriers", "text/vnd.skua.events+csv"]);
    let read = "looks like Kestrel Couriers; read as application/vnd.kestrel.tracking+json";
    check(&["formats", "explain", "answer.json"], 0, &[read, of_one]);
    check(&["formats", "check", "dialects/kestrel.toml", "good.json"], 0, &["4 events, no reject"]);
    write("dialects/taken.toml", &kestrel.replace("vnd.kestrel.tracking", "vnd.gls.tracking"));
    write("dialects/torn.toml", "name = ");
    for command in
        [&["check-config"][..], &["formats", "list"], &["formats", "explain", "good.json"]]
    {
        check(command, 3, &["dialects/torn.toml: line 1"]);
    }
    std::fs::remove_file(folder.path().join("dialects/torn.toml")).unwrap();
    check(
        &["check-config"],
        3,
        &["media_type: application/vnd.gls.tracking+json is that of GLS tracking"],
    );
    write("waybill.toml", "[validate]\ndialects = [\"none.toml\"]\n");
    check(&["check-config"], 3, &["none.toml: No such file"]);
}
