//! The dashboard's queries, as Grafana would send them, run against a Prometheus and a ClickHouse
//! with data in them. An error or an empty answer is a problem: panels that may rightly be empty
//! have `or vector(0)` for that.

// A JSON value that lacks a member is null there, and no panic.
#![allow(clippy::indexing_slicing)]

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::Value;

pub const PROMETHEUS: &str = "prometheus";
pub const CLICKHOUSE: &str = "grafana-clickhouse-datasource";

/// Seconds looked back at, in steps of [`STEP`], in Prometheus.
const RANGE: u64 = 15 * 60;
const STEP: u64 = 15;
/// Seconds looked back at in ClickHouse, whose rollups are by the minute of receipt.
const DAY: u64 = 86_400;

/// One query of a panel or of a template variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    /// Title of the panel, or name of the variable.
    pub place: String,
    /// [`PROMETHEUS`] or [`CLICKHOUSE`].
    pub kind: String,
    /// As it stands in the dashboard, macros and variables included.
    pub text: String,
}

/// The repository's root.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

pub fn dashboard() -> Result<Value, String> {
    let file = root().join("dashboards/pipeline.json");
    let text = std::fs::read(&file).map_err(|e| format!("{}: {e}", file.display()))?;
    serde_json::from_slice(&text).map_err(|e| format!("{}: {e}", file.display()))
}

/// Every panel that shows something; rows only part them.
pub fn panels(dashboard: &Value) -> impl Iterator<Item = &Value> {
    let list = dashboard["panels"].as_array().map_or(&[][..], Vec::as_slice);
    list.iter().filter(|panel| panel["type"] != "row")
}

/// Every query, those of panels first, then those of variables and annotations.
pub fn queries(dashboard: &Value) -> Vec<Query> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut found = Vec::new();
    for panel in panels(dashboard) {
        for target in panel["targets"].as_array().into_iter().flatten() {
            let kind = text(&target["datasource"]["type"]);
            let key = if kind == PROMETHEUS { "expr" } else { "rawSql" };
            found.push(Query { place: text(&panel["title"]), text: text(&target[key]), kind });
        }
    }
    for variable in dashboard["templating"]["list"].as_array().into_iter().flatten() {
        let kind = text(&variable["datasource"]["type"]);
        let query = &variable["query"];
        let stated = query.as_str().map_or_else(|| text(&query["query"]), ToOwned::to_owned);
        let query = values_as_query(&stated).unwrap_or(stated);
        found.push(Query { place: format!("${}", text(&variable["name"])), text: query, kind });
    }
    found
}

/// `label_values(METRIC, LABEL)` is Grafana's own; what it asks for is this.
fn values_as_query(text: &str) -> Option<String> {
    let inside = text.strip_prefix("label_values(")?.strip_suffix(')')?;
    let (metric, label) = inside.rsplit_once(',')?;
    Some(format!("count by ({}) ({metric})", label.trim()))
}

/// The query with what Grafana puts in for its macros and for variables that stand at "All".
/// `now` is in seconds since 1970.
pub fn substituted(query: &Query, now: u64) -> Result<String, String> {
    let mut text = query.text.clone();
    if query.kind == CLICKHOUSE {
        let (from, to) = (now.saturating_sub(DAY), now + 60);
        text = with_macro(&text, "$__timeFilter", |column| {
            format!("({column} >= toDateTime({from}) AND {column} <= toDateTime({to}))")
        })?;
        text = with_macro(&text, "$__timeInterval", |column| {
            format!("toStartOfInterval(toDateTime({column}), INTERVAL 60 second)")
        })?;
        text = text
            .replace("$__interval_s", "60")
            .replace("$__fromTime", &format!("toDateTime({from})"))
            .replace("$__toTime", &format!("toDateTime({to})"))
            .replace("${carrier:regex}", ".*");
    } else {
        text = text
            .replace("$__rate_interval", "1m")
            .replace("$__interval", &format!("{STEP}s"))
            .replace("$__range", &format!("{RANGE}s"))
            .replace("$process", ".*");
    }
    // What remains may only be the end of a regular expression, as in '^(.*)$'.
    match text.find("$_").or_else(|| text.find("${")) {
        None => Ok(text),
        Some(at) => Err(format!("a macro or variable that is not known here: {}", &text[at..])),
    }
}

fn with_macro(text: &str, name: &str, replace: impl Fn(&str) -> String) -> Result<String, String> {
    let (mut done, mut rest) = (String::new(), text);
    while let Some((before, after)) = rest.split_once(name) {
        let argument = after.strip_prefix('(').and_then(|a| a.split_once(')'));
        let Some((argument, after)) = argument else {
            return Err(format!("{name} without its argument"));
        };
        done.push_str(before);
        done.push_str(&replace(argument.trim()));
        rest = after;
    }
    Ok(done + rest)
}

/// Runs every query; returns what is wrong, a line for each, nothing if all is well.
pub fn check_panels(prometheus_url: &str, clickhouse_url: &str, database: &str) -> Vec<String> {
    let dashboard = match dashboard() {
        Ok(dashboard) => dashboard,
        Err(problem) => return vec![problem],
    };
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs());
    let mut problems = Vec::new();
    for query in queries(&dashboard) {
        let answered = substituted(&query, now).and_then(|text| {
            if query.kind == PROMETHEUS {
                ask_prometheus(prometheus_url, &text, now)
            } else {
                ask_clickhouse(clickhouse_url, database, &text)
            }
            .map_err(|problem| format!("{problem}\n    {text}"))
        });
        if let Err(problem) = answered {
            problems.push(format!("{}: {problem}", query.place));
        }
    }
    problems.extend(without_lag(prometheus_url));
    problems
}

/// A sum over all processes has an answer even if only one of them tells its lag, and lag is what
/// operators scale and are woken by: each process must have told it, but for the gateway, which reads nothing.
fn without_lag(url: &str) -> Vec<String> {
    let expr = format!(
        "count by (process) (last_over_time(up{{job=\"waybill\",process!=\"gateway\"}}[{RANGE}s])) \
         unless count by (process) (last_over_time(waybill_lag_records[{RANGE}s]))"
    );
    let answer = agent()
        .post(format!("{url}/api/v1/query"))
        .send_form([("query", &expr)])
        .and_then(|mut answer| answer.body_mut().read_to_string())
        .map_err(|e| e.to_string())
        .and_then(|text| serde_json::from_str::<Value>(&text).map_err(|e| e.to_string()));
    match answer {
        Ok(answer) => {
            let silent = answer["data"]["result"].as_array().into_iter().flatten();
            silent.map(|s| format!("waybill_lag_records: none of {}", s["metric"])).collect()
        }
        Err(problem) => vec![format!("waybill_lag_records: {problem}")],
    }
}

fn agent() -> ureq::Agent {
    ureq::Agent::config_builder()
        .timeout_global(Some(Duration::from_secs(30)))
        .http_status_as_error(false)
        .build()
        .into()
}

fn ask_prometheus(url: &str, expr: &str, now: u64) -> Result<(), String> {
    let (from, to, step) =
        (now.saturating_sub(RANGE).to_string(), now.to_string(), STEP.to_string());
    let text = agent()
        .post(format!("{url}/api/v1/query_range"))
        .send_form([("query", expr), ("start", &from), ("end", &to), ("step", &step)])
        .and_then(|mut answer| answer.body_mut().read_to_string())
        .map_err(|e| format!("Prometheus: {e}"))?;
    let answer: Value = serde_json::from_str(&text).map_err(|e| format!("Prometheus: {e}"))?;
    if answer["status"] != "success" {
        return Err(format!("Prometheus: {}", answer["error"]));
    }
    let series = answer["data"]["result"].as_array().into_iter().flatten();
    let mut values = series.flat_map(|s| s["values"].as_array().into_iter().flatten());
    let is_number = |pair: &Value| {
        pair[1].as_str().and_then(|v| v.parse::<f64>().ok()).is_some_and(f64::is_finite)
    };
    if values.any(is_number) { Ok(()) } else { Err("Prometheus: an empty answer".to_owned()) }
}

fn ask_clickhouse(url: &str, database: &str, sql: &str) -> Result<(), String> {
    let mut answer = agent()
        .post(url)
        .query("database", database)
        .query("default_format", "JSONCompactEachRow")
        .send(sql)
        .map_err(|e| format!("ClickHouse: {e}"))?;
    let status = answer.status();
    let text = answer.body_mut().read_to_string().map_err(|e| format!("ClickHouse: {e}"))?;
    if !status.is_success() {
        return Err(format!("ClickHouse: {status}: {}", text.trim()));
    }
    if text.trim().is_empty() { Err("ClickHouse: an empty answer".to_owned()) } else { Ok(()) }
}

/// Prometheus' configuration for processors on this machine: each a process's name and the port of
/// its metrics. With the project's alert rules, which one of the panels counts.
pub fn scrape_config(processes: &[(&str, u16)]) -> Result<String, String> {
    let rules = root().join("dashboards/prometheus/alerts.yml");
    let rules = rules.canonicalize().map_err(|e| format!("{}: {e}", rules.display()))?;
    let mut text = format!(
        "global: {{ scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 5s }}\n\
         rule_files: [{rules:?}]\n\
         scrape_configs:\n  - job_name: waybill\n    static_configs:\n"
    );
    for (process, port) in processes {
        text.push_str(&format!(
            "      - targets: [\"127.0.0.1:{port}\"]\n        labels: {{ process: {process} }}\n"
        ));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn macros_and_variables_become_what_grafana_sends() {
        let check = |kind: &str, text: &str, expect: Result<&str, &str>| {
            let query =
                Query { place: String::new(), kind: kind.to_owned(), text: text.to_owned() };
            match (substituted(&query, 100_000), expect) {
                (Ok(found), Ok(expected)) => assert_eq!(found, expected),
                (Err(found), Err(expected)) => assert!(found.contains(expected), "{found}"),
                (found, _) => panic!("{text}: {found:?}"),
            }
        };
        check(
            PROMETHEUS,
            "rate(a{process=~\"$process\"}[$__rate_interval])",
            Ok("rate(a{process=~\".*\"}[1m])"),
        );
        check(PROMETHEUS, "a[$__range] + b[$__interval]", Ok("a[900s] + b[15s]"));
        check(PROMETHEUS, "a{b=\"${other}\"}", Err("${other}"));
        check(
            CLICKHOUSE,
            "WHERE $__timeFilter(a) AND $__timeFilter(b)",
            Ok("WHERE (a >= toDateTime(13600) AND a <= toDateTime(100060)) \
                AND (b >= toDateTime(13600) AND b <= toDateTime(100060))"),
        );
        check(
            CLICKHOUSE,
            "$__timeInterval(minute) / $__interval_s",
            Ok("toStartOfInterval(toDateTime(minute), INTERVAL 60 second) / 60"),
        );
        check(CLICKHOUSE, "match(a, '^(${carrier:regex})$')", Ok("match(a, '^(.*)$')"));
        check(CLICKHOUSE, "$__timeFilter", Err("without its argument"));
        check(CLICKHOUSE, "$__adHocFilters(x)", Err("$__adHocFilters"));
    }

    #[test]
    fn label_values_is_a_question_that_prometheus_understands() {
        assert_eq!(
            values_as_query("label_values(up{job=\"waybill\"}, process)").as_deref(),
            Some("count by (process) (up{job=\"waybill\"})")
        );
        assert_eq!(values_as_query("SELECT 1"), None);
    }
}
