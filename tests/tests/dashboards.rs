//! Dashboard, alert rules and their docs: well formed, and about metrics that exist. (That every
//! panel has an answer on live data is in the end-to-end tests, by `waybill_tests::panels`.)
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::Command;

use serde_json::{Value, json};
use waybill_tests::panels::{
    CLICKHOUSE, PROMETHEUS, check_panels, dashboard, panels, queries, root, scrape_config,
    substituted,
};

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|e| panic!("{path}: {e}"))
}

fn yaml(path: &str) -> Value {
    serde_saphyr::from_str(&read(path)).unwrap_or_else(|e| panic!("{path}: {e}"))
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn promtool() -> Command {
    let downloads = std::env::var_os("WAYBILL_DOWNLOADS")
        .map_or_else(|| root().join(".waybill/downloads"), PathBuf::from);
    let own = downloads.join("prometheus/usr/bin/promtool");
    let in_path = std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default())
        .map(|folder| folder.join("promtool"))
        .find(|file| file.is_file());
    let found = if own.is_file() { Some(own) } else { in_path };
    Command::new(found.expect("promtool is missing: run 'dev/setup prometheus'"))
}

fn run(mut command: Command) {
    let output = command.output().unwrap();
    assert!(
        output.status.success(),
        "{command:?}\n{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn promtool_accepts_rules_their_tests_and_the_configurations() {
    let folder = root().join("dashboards/prometheus");
    for (arguments, file) in [
        (&["check", "rules"][..], "alerts.yml"),
        (&["test", "rules"], "alerts_test.yml"),
        (&["check", "config"], "prometheus.yml"),
    ] {
        let mut command = promtool();
        command.args(arguments).arg(folder.join(file));
        run(command);
    }
    let local = tempfile::tempdir().unwrap();
    let file = local.path().join("prometheus.yml");
    std::fs::write(&file, scrape_config(&[("decrypt", 9600), ("validate", 9601)]).unwrap())
        .unwrap();
    let mut command = promtool();
    command.args(["check", "config"]).arg(&file);
    run(command);
}

/// As recording rules, all queries of the dashboard go through Prometheus' own parser.
#[test]
fn every_prometheus_query_is_valid() {
    let mut exprs: Vec<String> = queries(&dashboard().unwrap())
        .iter()
        .filter(|q| q.kind == PROMETHEUS)
        .map(|q| substituted(q, 0).unwrap())
        .collect();
    exprs.extend(
        list(&dashboard().unwrap()["annotations"]["list"])
            .iter()
            .map(|a| a["expr"].as_str().unwrap().to_owned()),
    );
    let rules: Vec<Value> = exprs
        .iter()
        .enumerate()
        .map(|(n, expr)| json!({"record": format!("query:{n}"), "expr": expr}))
        .collect();
    assert!(rules.len() > 30, "only {} queries", rules.len());
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("queries.yml");
    // JSON is YAML too.
    let groups = json!({"groups": [{"name": "dashboard", "rules": rules}]});
    std::fs::write(&file, groups.to_string()).unwrap();
    let mut command = promtool();
    command.args(["check", "rules"]).arg(&file);
    run(command);
}

#[test]
fn every_panel_is_complete() {
    let dashboard = dashboard().unwrap();
    assert_eq!(dashboard["uid"], "waybill-pipeline");
    let sources: BTreeMap<String, String> =
        list(&yaml("dashboards/provisioning/datasources/waybill.yaml")["datasources"])
            .iter()
            .map(|s| {
                (s["uid"].as_str().unwrap().to_owned(), s["type"].as_str().unwrap().to_owned())
            })
            .collect();
    let provisioned = |source: &Value| {
        let (uid, kind) = (source["uid"].as_str().unwrap(), source["type"].as_str().unwrap());
        assert_eq!(sources.get(uid).map(String::as_str), Some(kind), "{source}");
    };
    let (mut titles, mut ids, mut kinds) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for panel in panels(&dashboard) {
        let title = panel["title"].as_str().unwrap_or_default();
        assert!(!title.is_empty(), "a panel without a title: {}", panel["id"]);
        assert!(titles.insert(title), "{title}: twice");
        assert!(ids.insert(panel["id"].as_u64().unwrap()), "{title}: its id is there twice");
        let description = panel["description"].as_str().unwrap_or_default();
        assert!(description.len() > 20, "{title}: no description");
        let unit = panel["fieldConfig"]["defaults"]["unit"].as_str().unwrap_or_default();
        assert!(!unit.is_empty(), "{title}: no unit");
        provisioned(&panel["datasource"]);
        assert!(!list(&panel["targets"]).is_empty(), "{title}: no query");
        let mut references = BTreeSet::new();
        for target in list(&panel["targets"]) {
            provisioned(&target["datasource"]);
            assert!(references.insert(target["refId"].as_str().unwrap()), "{title}: refId twice");
        }
    }
    for query in queries(&dashboard) {
        assert!(!query.text.trim().is_empty(), "{}: an empty query", query.place);
        substituted(&query, 0).unwrap_or_else(|problem| panic!("{}: {problem}", query.place));
        kinds.insert(query.kind);
    }
    assert_eq!(kinds, BTreeSet::from([PROMETHEUS.to_owned(), CLICKHOUSE.to_owned()]));
    for variable in list(&dashboard["templating"]["list"]) {
        provisioned(&variable["datasource"]);
    }
    panels_do_not_overlap(&dashboard);
}

fn panels_do_not_overlap(dashboard: &Value) {
    let mut taken = BTreeMap::new();
    for panel in list(&dashboard["panels"]) {
        let at = |key: &str| panel["gridPos"][key].as_u64().unwrap();
        assert!(at("x") + at("w") <= 24, "{}: beyond the edge", panel["title"]);
        for x in at("x")..at("x") + at("w") {
            for y in at("y")..at("y") + at("h") {
                let other = taken.insert((x, y), panel["title"].to_string());
                assert_eq!(other, None, "{} covers it", panel["title"]);
            }
        }
    }
}

/// Name and help text of every metric of ours.
fn ours() -> BTreeMap<String, String> {
    use waybill_clickhouse::metrics as sink;
    let of_the_sink = [
        sink::INSERTS,
        sink::ROWS_INSERTED,
        sink::INSERT_SECONDS,
        sink::CLICKHOUSE_ERRORS,
        sink::END_TO_END_SECONDS,
        sink::UNACCOUNTED,
        sink::LEDGER_SEAMS,
    ];
    waybill_host::metrics::ALL
        .iter()
        .copied()
        .chain(of_the_sink.map(|m| (m.name, m.help)))
        .chain(waybill_gateway::metrics::ALL.iter().copied())
        .chain(waybill_webhooks::metrics::ALL.iter().copied())
        .map(|(name, help)| (name.to_owned(), help.trim().to_owned()))
        .collect()
}

/// Of the `prometheus` crate's process collector.
const OF_THE_PROCESS: [&str; 7] = [
    "process_cpu_seconds_total",
    "process_max_fds",
    "process_open_fds",
    "process_resident_memory_bytes",
    "process_start_time_seconds",
    "process_threads",
    "process_virtual_memory_bytes",
];

/// Every metric's name in an expression, the suffixes of histograms taken off.
fn metrics_in(expr: &str) -> BTreeSet<String> {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut quoted = false;
    let words: String = expr
        .chars()
        .map(|c| {
            quoted ^= c == '"';
            if is_word(c) && !quoted { c } else { ' ' }
        })
        .collect();
    let names =
        words.split_whitespace().filter(|w| w.starts_with("waybill_") || w.starts_with("process_"));
    names
        .map(|name| {
            let suffix = ["_bucket", "_sum", "_count"].into_iter().find(|s| name.ends_with(s));
            name.strip_suffix(suffix.unwrap_or_default()).unwrap_or(name).to_owned()
        })
        .collect()
}

#[test]
fn every_metric_that_is_asked_for_exists_and_every_one_of_ours_is_shown() {
    let ours = ours();
    let known = |name: &str| ours.contains_key(name) || OF_THE_PROCESS.contains(&name);
    let mut shown = BTreeSet::new();
    for query in queries(&dashboard().unwrap()).iter().filter(|q| q.kind == PROMETHEUS) {
        for name in metrics_in(&query.text) {
            assert!(known(&name), "{}: no metric {name}", query.place);
            shown.insert(name);
        }
    }
    for (alert, expr) in alerts().iter().map(|a| (&a["alert"], a["expr"].as_str().unwrap())) {
        for name in metrics_in(expr) {
            assert!(known(&name), "{alert}: no metric {name}");
        }
    }
    for name in ours.keys() {
        assert!(shown.contains(name), "no panel shows {name}");
    }
}

#[test]
fn names_are_found_in_expressions() {
    for (expr, names) in [
        ("rate(waybill_unwraps_total[1m])", &["waybill_unwraps_total"][..]),
        ("waybill_a_bucket{x=\"waybill_no\"} / waybill_b_count", &["waybill_a", "waybill_b"]),
        ("up{job=\"waybill\"} == 0", &[]),
        ("sum by (process) (process_threads)", &["process_threads"]),
    ] {
        assert_eq!(metrics_in(expr), names.iter().map(ToString::to_string).collect(), "{expr}");
    }
}

fn alerts() -> Vec<Value> {
    let groups = yaml("dashboards/prometheus/alerts.yml");
    list(&groups["groups"]).iter().flat_map(|g| list(&g["rules"]).to_vec()).collect()
}

#[test]
fn every_alert_says_what_to_do_and_has_cases_for_and_against() {
    let runbook = read("docs/operations.md");
    let tests = yaml("dashboards/prometheus/alerts_test.yml");
    let mut cases: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    for case in list(&tests["tests"]).iter().flat_map(|t| list(&t["alert_rule_test"])) {
        let (fires, silent) =
            cases.entry(case["alertname"].as_str().unwrap().to_owned()).or_default();
        *if list(&case["exp_alerts"]).is_empty() { silent } else { fires } += 1;
    }
    let alerts = alerts();
    assert!(alerts.len() >= 10);
    for alert in &alerts {
        let name = alert["alert"].as_str().unwrap();
        for key in ["summary", "description"] {
            let text = alert["annotations"][key].as_str().unwrap_or_default();
            assert!(text.len() > 15, "{name}: no {key}");
        }
        let severity = alert["labels"]["severity"].as_str().unwrap_or_default();
        assert!(["critical", "warning"].contains(&severity), "{name}: severity {severity:?}");
        let anchor = format!("docs/operations.md#{}", name.to_lowercase());
        assert_eq!(alert["annotations"]["runbook_url"], anchor.as_str(), "{name}");
        assert!(runbook.lines().any(|l| l == format!("## {name}")), "{name}: no runbook section");
        let (fires, silent) = cases.remove(name).unwrap_or_default();
        assert!(fires > 0, "{name}: no case where it fires");
        assert!(silent > 0, "{name}: no case where it does not fire");
    }
    assert!(cases.is_empty(), "cases of alerts that do not exist: {cases:?}");
}

#[test]
fn the_page_on_metrics_is_in_step_with_the_code() {
    let page = read("docs/metrics.md");
    let mut rows = BTreeMap::new();
    for line in page.lines().filter(|l| l.starts_with("| `")) {
        let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
        rows.insert(cells[0].trim_matches('`').to_owned(), cells);
    }
    for (name, help) in ours() {
        let cells = rows.remove(&name).unwrap_or_else(|| panic!("docs/metrics.md lacks {name}"));
        // An empty cell for the labels is one separator less.
        let at = if cells.len() == 5 { 3 } else { 2 };
        let found = cells[at].trim_start_matches("| ").trim();
        assert_eq!(found, help, "docs/metrics.md: help of {name}");
    }
    for name in OF_THE_PROCESS {
        assert!(rows.remove(name).is_some(), "docs/metrics.md lacks {name}");
    }
    assert!(rows.is_empty(), "docs/metrics.md has metrics that do not exist: {:?}", rows.keys());
    // The list above of the sink's metrics is complete.
    let source = read("connectors/clickhouse/src/metrics.rs");
    let named = source.matches("\"waybill_").count();
    let of_others = waybill_host::metrics::ALL.len()
        + waybill_gateway::metrics::ALL.len()
        + waybill_webhooks::metrics::ALL.len();
    assert_eq!(ours().len(), of_others + named);
}

/// A server that gives every panel the same answer, for as long as the test runs; `silent` is what
/// it says when asked for processes without lag.
fn answering(status: &'static str, body: &'static str, silent: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let request = request(&mut stream);
            let (status, body) = if request.starts_with("post /api/v1/query http") {
                ("200 OK", silent)
            } else {
                (status, body)
            };
            let length = body.len();
            write!(
                stream,
                "HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
            )
            .unwrap();
        }
    });
    url
}

/// Head and body, in lower case.
fn request(stream: &mut TcpStream) -> String {
    let (mut request, mut buffer) = (Vec::new(), [0; 4096]);
    loop {
        let n = stream.read(&mut buffer).unwrap();
        request.extend_from_slice(&buffer[..n]);
        let text = String::from_utf8_lossy(&request).to_lowercase();
        let complete = text.split_once("\r\n\r\n").is_some_and(|(head, body)| {
            let length = head.lines().find_map(|l| l.strip_prefix("content-length: "));
            body.len() >= length.map_or(0, |l| l.parse().unwrap())
        });
        if n == 0 || complete {
            return text;
        }
    }
}

#[test]
fn a_panel_without_an_answer_is_a_problem() {
    let queries = queries(&dashboard().unwrap());
    let of = |kind: &str| queries.iter().filter(|q| q.kind == kind).count();
    let number = r#"{"status":"success","data":{"result":[{"values":[[1,"2.5"]]}]}}"#;
    let nan = r#"{"status":"success","data":{"result":[{"values":[[1,"NaN"]]}]}}"#;
    let none = r#"{"status":"success","data":{"result":[]}}"#;
    let decrypt = r#"{"status":"success","data":{"result":[{"metric":{"process":"decrypt"}}]}}"#;
    let error = r#"{"status":"error","error":"x"}"#;
    let good = ("200 OK", "[1]\n");
    for (prometheus, silent, clickhouse, problems) in [
        (("200 OK", number), none, good, 0),
        (("200 OK", number), decrypt, good, 1),
        (("200 OK", none), none, good, of(PROMETHEUS)),
        (("200 OK", nan), none, good, of(PROMETHEUS)),
        (("400 Bad Request", error), none, good, of(PROMETHEUS)),
        (("200 OK", number), none, ("200 OK", ""), of(CLICKHOUSE)),
        (("200 OK", number), none, ("404 Not Found", "Code: 60."), of(CLICKHOUSE)),
    ] {
        let found = check_panels(
            &answering(prometheus.0, prometheus.1, silent),
            &answering(clickhouse.0, clickhouse.1, none),
            "waybill",
        );
        assert_eq!(found.len(), problems, "{prometheus:?} {clickhouse:?}: {found:#?}");
    }
}
