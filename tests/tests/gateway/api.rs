//! The gateway answers as its description says: schemathesis makes requests of it, good and bad, and asks them
//! of a real one.

use std::io::Write;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};
use waybill_sealing::seal::Proof;
use waybill_tests::panels::root;
use waybill_tests::{DCSA_22, Deployment, Door, gate_in, seal, sealer, wait_until};

const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,\
                      response_schema_conformance,response_headers_conformance,allow_header_conformance";

/// Where `dev/setup schemathesis` has put it; without it the test is passed over, and in CI it fails.
fn schemathesis() -> Option<PathBuf> {
    let downloads = std::env::var_os("WAYBILL_DOWNLOADS")
        .map_or_else(|| root().join(".waybill/downloads"), PathBuf::from);
    let program = downloads.join("schemathesis/bin/schemathesis");
    if program.is_file() {
        return Some(program);
    }
    let said = "schemathesis is not installed (see 'dev/setup schemathesis')";
    assert!(std::env::var("CI").as_deref() != Ok("true"), "{said}");
    // Not by println!, which tests that pass keep to themselves.
    let said = format!("SKIPPED: the gateway was not held against its description: {said}\n");
    std::io::stderr().write_all(said.as_bytes()).unwrap();
    None
}

/// Asks all that the description of the gateway allows, and some that it does not.
fn ask(d: &Deployment, door: &Door, program: &PathBuf, more: &[&str]) {
    let url = format!("http://127.0.0.1:{}", door.port);
    let output = Command::new(program)
        .current_dir(&d.folder)
        .env("SCHEMATHESIS_HOOKS", root().join("dev/schemathesis/hooks.py"))
        .env("WAYBILL_SAMPLES", d.folder.join("samples.json"))
        .args(["run", &format!("{url}/v1/openapi.json"), "--url", &url, "--checks", CHECKS])
        .args(["--phases", "examples,coverage,fuzzing", "--seed", "14", "--no-color"])
        .args(["--continue-on-failure", "--suppress-health-check", "all"])
        .args(more)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let wrong = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}\n{wrong}\n{}", door.process.log());
    println!("{said}");
}

/// Two carriers, events of the first, and what the hooks make requests of.
fn samples(d: &Deployment, door: &Door) -> Value {
    let description = door.get("/v1/openapi.json", &[]).body;
    let contents = &description["paths"]["/v1/events"]["post"]["requestBody"]["content"];
    let media_types: Vec<&String> = contents.as_object().unwrap().keys().collect();
    let mut sealed = Vec::new();
    for carrier in ["acme-line", "other-line"] {
        let mut sealer = sealer(d, carrier, Proof::Granted);
        let good = seal(&mut sealer, "good", DCSA_22, &gate_in("MSKU1234565"));
        let bad = seal(&mut sealer, "bad", DCSA_22, b"no JSON");
        sealed.extend([good, bad]);
    }
    let lines = sealed.join("\n");
    assert_eq!(door.publish("application/x-ndjson", lines, &[]).status, 202);
    json!({
        "sealed": sealed,
        "payloads": [String::from_utf8(gate_in("MSKU1234565")).unwrap()],
        "media_types": media_types.iter().filter(|name| !name.ends_with("json")).collect::<Vec<_>>(),
        "names": {"id": ["good", "bad"], "reference": ["MSKU1234565"]},
    })
}

#[test]
fn every_answer_is_as_described() {
    let Some(program) = schemathesis() else { return };
    // So that no answer is of a limit: that has tests of its own.
    let limits = "[gateway]\nrequests_per_second_per_address = 1000000\n\
                  [gateway.carriers]\nmessages_per_second = 1000000\nburst = 1000000\n\
                  bytes_per_second = 1000000000";
    let d = Deployment::new("api", limits);
    let file = d.folder.join("gateway.pem");
    let d = d.with_own(&[("WAYBILL_GATEWAY__SIGNING_KEY_FILE", file.to_str().unwrap())]);
    d.add_carrier("acme-line");
    d.add_carrier("other-line");
    for media_type in ["application/vnd.dcsa.tnt+json", "application/edifact"] {
        d.ok(&["carriers", "allow", "acme-line", "--plain", media_type]);
    }
    let key = d.ok(&["carriers", "key", "new", "acme-line"]).trim().to_owned();
    let _stages = d.start_all();
    let door = Door::open(&d);
    std::fs::write(d.folder.join("samples.json"), samples(&d, &door).to_string()).unwrap();
    for path in ["/v1/events/good", "/v1/events/bad", "/v1/shipments/MSKU1234565"] {
        wait_until(path, Duration::from_secs(30), || {
            door.get(path, &[("X-API-Key", &key)]).status == 200
        });
    }
    // What schemathesis seldom comes upon.
    let far = "/v1/rejects?since=9999-12-30T00:00:00Z";
    let last = "/v1/rejects?cursor=9223372036854775807.2147483647.9223372036854775807";
    let first = "/v1/rejects?cursor=-9223372036854775808.-2147483648.-9223372036854775808";
    for (path, status) in [
        ("/v1/events/%FF", 400),
        ("/v1/shipments/%FF", 400),
        ("/v1/events/%00%27%5C", 404),
        ("/v1/shipments/%00%27%5C", 404),
        (far, 200),
        (last, 200),
        (first, 200),
        ("/v1/rejects?since=-009999-01-02T01:59:59Z", 200),
        ("/v1/events/x?position=a-2147483647-9223372036854775807", 200),
        ("/v1/events/x?position=a-2147483648-9223372036854775808", 400),
    ] {
        let answer = door.get(path, &[("X-API-Key", &key)]);
        assert_eq!(answer.status, status, "{path}: {answer:?}");
        assert!(answer.body.is_object(), "{path}: {answer:?}");
    }

    let header = format!("X-API-Key: {key}");
    ask(&d, &door, &program, &["--max-examples", "15", "--header", &header]);
    ask(&d, &door, &program, &["--max-examples", "5"]);

    // That it asked what there is to be asked.
    let page = door.process.get("/metrics").unwrap();
    for (route, statuses) in [
        ("/v1/events", &["202", "400", "401", "403", "422"][..]),
        ("/v1/events/{id}", &["200", "400", "401", "404"]),
        ("/v1/shipments/{reference}", &["200", "401", "404"]),
        ("/v1/rejects", &["200", "400", "401"]),
        ("/v1/usage", &["200", "400", "401"]),
        ("/v1/status", &["200", "400", "401"]),
        ("/v1/explain", &["200", "400", "401"]),
        ("/", &["200"]),
        ("/.well-known/jwks.json", &["200"]),
        ("/v1/openapi.json", &["200"]),
        ("/v1/docs", &["200"]),
    ] {
        for status in statuses {
            let labels = format!("{{route=\"{route}\",status=\"{status}\"}}");
            assert!(page.contains(&labels), "no answer was {status} at {route}:\n{page}");
        }
    }
}

#[test]
fn the_description_and_its_page_are_served_under_strict_policies() {
    let d = Deployment::new("described", "");
    let door = Door::open(&d);
    let description = door.get("/v1/openapi.json", &[]);
    let committed = std::fs::read_to_string(root().join("docs/openapi.json")).unwrap();
    assert_eq!(description.status, 200, "{description:?}");
    assert_eq!(description.body, serde_json::from_str::<Value>(&committed).unwrap());
    let policy = description.header("content-security-policy");
    assert_eq!(policy, Some("default-src 'none'; frame-ancestors 'none'"));
    let tag = description.header("etag").unwrap();
    assert_eq!(door.get("/v1/openapi.json", &[("If-None-Match", tag)]).status, 304);

    for page in ["/v1/docs", "/"] {
        let page = door.get(page, &[]);
        assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
        let policy = page.header("content-security-policy").unwrap();
        for part in ["default-src 'none'", "script-src 'sha256-", "connect-src 'self'"] {
            assert!(policy.contains(part), "{policy}");
        }
        assert!(!policy.contains("unsafe") && !policy.contains("http"), "{policy}");
        for header in ["cross-origin-opener-policy", "cross-origin-resource-policy"] {
            assert_eq!(page.header(header), Some("same-origin"), "{page:?}");
        }
    }
}
