//! The few lines of Python that docs/webhooks.md shows carriers, held against what comes.

use std::io::Write;
use std::process::{Command, Stdio};

use serde_json::json;
use waybill_tests::Received;

const PAGE: &str = include_str!("../../../docs/webhooks.md");

/// Prints what the page's function says of what it is given.
const ASKS: &str = "
import json, sys
given = json.load(sys.stdin)
print(is_waybill(given['secret'], given['headers'], bytes(given['body'])))
";

fn says(secret: &str, request: &Received) -> bool {
    let (_, from) = PAGE.split_once("```python\n").expect("the page shows it");
    let (shown, _) = from.split_once("```").unwrap();
    let mut python = Command::new("python3")
        .args(["-c", &format!("{shown}\n{ASKS}")])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let given = json!({"secret": secret, "headers": request.headers, "body": request.body});
    python.stdin.take().unwrap().write_all(given.to_string().as_bytes()).unwrap();
    let out = python.wait_with_output().unwrap();
    assert!(out.status.success());
    match String::from_utf8(out.stdout).unwrap().trim() {
        "True" => true,
        "False" => false,
        said => panic!("it says {said:?}"),
    }
}

/// It takes what was sent, and nothing that somebody has made of it.
pub fn holds(request: &Received, secret: &str, other_secret: &str) {
    assert!(says(secret, request), "{request:?}");
    assert!(!says(other_secret, request));
    let mut changed = request.clone();
    let last = changed.body.len() - 2;
    changed.body[last] ^= 1;
    assert!(!says(secret, &changed), "another body");
    for (name, value) in [("webhook-id", "msg_1"), ("webhook-signature", "v1,AAAA v2,")] {
        let mut changed = request.clone();
        changed.headers.insert(name.to_owned(), value.to_owned());
        assert!(!says(secret, &changed), "another {name}");
    }
    // A day old, and signed.
    let mut old = request.clone();
    let at: i64 = request.headers["webhook-timestamp"].parse().unwrap();
    let of = waybill_webhooks::Secret::from_text(secret).unwrap();
    let signature = of.sign(&request.headers["webhook-id"], at - 86_400, &request.body);
    old.headers.insert("webhook-timestamp".to_owned(), (at - 86_400).to_string());
    old.headers.insert("webhook-signature".to_owned(), signature);
    assert!(!says(secret, &old), "an old one that somebody sends again");
}
