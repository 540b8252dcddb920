//! A carrier's first quarter of an hour: who is invited does what the README of the folder says, word by word,
//! and sees events become rows.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;
use waybill_tests::{Deployment, Door, Installed, free_port, steps, wait_until};

/// What `waybill carriers invite` makes for a carrier.
pub fn invite(d: &Deployment, port: u16, carrier: &str, more: &[&str]) -> PathBuf {
    let folder = d.folder.join(format!("for {carrier}"));
    let endpoint = format!("http://127.0.0.1:{port}");
    let to = folder.to_str().unwrap();
    let mut args = vec!["carriers", "invite", carrier, "--to", to, "--endpoint", &endpoint];
    args.extend(more);
    let said = d.ok(&args);
    let key = std::fs::read_to_string(folder.join("api-key")).unwrap();
    assert!(!said.contains(key.trim()), "the key itself is said: {said}");
    folder
}

/// Does one step, and looks whether it had the effect that the README promises.
fn follow(
    d: &Deployment,
    tools: &Installed,
    carrier: &str,
    folder: &Path,
    step: &(String, String),
) {
    let (heading, block) = step;
    let said = tools.shell(folder, block);
    // Before it may stand what Maven tells the terminal of colours.
    let said = said.find('{').map_or("", |at| &said[at..]).trim();
    let json =
        || serde_json::from_str::<Value>(said).unwrap_or_else(|e| panic!("{heading}: {e}\n{said}"));
    match heading.as_str() {
        "1. Your signing key" => {
            let mode =
                std::fs::metadata(folder.join("signing-key.pem")).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
            // What its operator does, as the README says.
            let public = folder.join("signing-key.pub.pem");
            d.ok(&["carriers", "add", carrier, "--key", public.to_str().unwrap()]);
        }
        "2. Is the gateway there?" => {
            let given = std::fs::read(folder.join("platform.jwks.json")).unwrap();
            assert_eq!(json(), serde_json::from_slice::<Value>(&given).unwrap());
        }
        "Python" | "JavaScript" | "Java" => {
            let answer = json();
            assert_eq!(answer["status"], "accepted", "{heading}: {answer}");
            assert!(!answer["events"].as_array().unwrap().is_empty(), "{heading}: {answer}");
        }
        "4. The same with curl"
            if block.contains("published.json '") || block.contains("cat published.json") =>
        {
            assert_eq!(json()["results"][0]["status"], "accepted", "{said}");
        }
        "4. The same with curl" if block.contains("position=$position") => {
            // "`pending` means that it is on its way: ask again."
            wait_until("the copy to be called a duplicate", Duration::from_secs(30), || {
                let answer: Value = serde_json::from_str(&tools.shell(folder, block)).unwrap();
                answer["status"] == "duplicate"
            });
        }
        "4. The same with curl" => assert_eq!(json()["rejects"], Value::Array(Vec::new())),
        "5. Without sealing" => assert_eq!(json()["results"][0]["status"], "accepted", "{said}"),
        other => panic!("a step under a heading that nobody expects: {other}"),
    }
}

#[test]
fn every_step_of_an_invitation_does_what_it_says() {
    let Some(tools) = Installed::find() else { return };
    let d = Deployment::new("invited", "");
    let file = d.folder.join("gateway.pem");
    let d = d.with_own(&[("WAYBILL_GATEWAY__SIGNING_KEY_FILE", file.to_str().unwrap())]);
    // One makes its own key, and tries all three languages. The other was given a key, and may send in plain.
    let port = free_port();
    let own = invite(&d, port, "own-line", &[]);
    let edifact = "application/EDIFACT";
    d.add_carrier("given-line");
    d.ok(&["carriers", "allow", "given-line", "--plain", edifact]);
    let more = ["--new-key", "--format", edifact, "--language", "javascript"];
    let given = invite(&d, port, "given-line", &more);

    let steps_in = |folder: &Path| {
        let steps = steps(&std::fs::read_to_string(folder.join("README.md")).unwrap());
        let headings: Vec<String> = steps.iter().map(|(heading, _)| heading.clone()).collect();
        (steps, headings)
    };
    let [(mut own_steps, own_headings), (given_steps, given_headings)] =
        [&own, &given].map(|f| steps_in(f));
    let (sealed, curl) = (["Python", "JavaScript", "Java"], ["4. The same with curl"; 3]);
    let begin = ["1. Your signing key", "2. Is the gateway there?"];
    assert_eq!(own_headings, [&begin[..], &sealed, &curl].concat());
    let plain = ["5. Without sealing"];
    assert_eq!(given_headings, [&begin[1..], &sealed[1..2], &curl, &plain].concat());

    // Processes read the carriers within a second: here they start with all of them.
    follow(&d, &tools, "own-line", &own, &own_steps.remove(0));
    let _stages = d.start_each(&["decrypt,validate,enrich", "aggregate", "clickhouse"]);
    let mut door = Door::again(&d, port);
    door.process.wait_ready("gateway");
    let all = |carrier: &str, folder: &Path, steps: &[(String, String)]| {
        steps.iter().for_each(|step| follow(&d, &tools, carrier, folder, step));
    };
    std::thread::scope(|scope| {
        scope.spawn(|| all("given-line", &given, &given_steps));
        all("own-line", &own, &own_steps);
    });

    // What was published is there: once for each program, and the copies are no events.
    let events = |carrier| format!("SELECT count() FROM events WHERE carrier_id = '{carrier}'");
    assert_eq!(d.wait_for(&events("own-line"), 3), 3);
    let messages = "SELECT uniqExact(message_id) FROM events WHERE carrier_id = 'given-line'";
    assert_eq!(d.wait_for(messages, 2), 2);
    assert_eq!(d.number("SELECT count() FROM rejects"), 0);
}

#[test]
fn what_is_handed_over_is_whole_or_not_there() {
    let d = Deployment::new("handed", "");
    let registry = || std::fs::read(d.folder.join("carriers.json")).unwrap();
    let before = registry();
    let folder = d.folder.join("folder");
    let to = folder.to_str().unwrap();
    let invite = ["carriers", "invite", "acme-line", "--to", to, "--new-key"];
    for (more, why) in [
        (&["--endpoint", "http://events.example.org"][..], "https is needed"),
        (&["--format", "application/pdf"], "no format is registered"),
        (&["--scopes", "publish"], "read is needed"),
    ] {
        let out = d.run(&[&invite[..], more].concat());
        let said = String::from_utf8_lossy(&out.stderr);
        assert!(!out.status.success() && said.contains(why), "{said}");
        assert!(!folder.exists() && registry() == before, "{more:?}");
    }
    // A registry that cannot be changed: no folder stays, whose keys would be nobody's.
    let invalid = d.run(&["carriers", "invite", "no carrier", "--to", to]);
    assert!(!invalid.status.success() && !folder.exists() && registry() == before);

    d.ok(&[&invite[..], &["--expires-in", "1h"]].concat());
    let mode =
        |name: &str| std::fs::metadata(folder.join(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(""), 0o700);
    for secret in ["api-key", "page-link", "signing-key.pem"] {
        assert_eq!(mode(secret), 0o600, "{secret}");
    }
    let text = String::from_utf8(registry()).unwrap();
    let key = std::fs::read_to_string(folder.join("api-key")).unwrap();
    let link = std::fs::read_to_string(folder.join("page-link")).unwrap();
    let (_, of_page) = link.trim().split_once("/#key=").unwrap();
    for key in [key.trim(), of_page] {
        assert!(!text.contains(key), "a key itself is kept: {text}");
    }
    let keys = d.ok(&["carriers", "key", "list", "acme-line"]);
    let scopes = keys.lines().filter_map(|line| line.split_whitespace().nth(1)).collect::<Vec<_>>();
    assert!(scopes == ["publish,read", "read"] && keys.matches("until").count() == 2, "{keys}");

    // What was handed over once is not written over.
    let after = registry();
    let again = d.run(&invite);
    let said = String::from_utf8_lossy(&again.stderr);
    assert!(!again.status.success() && said.contains("exists"), "{said}");
    assert_eq!(registry(), after);
}
