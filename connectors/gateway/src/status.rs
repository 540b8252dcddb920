//! `GET /v1/status`: how a carrier's last hours went. All of the caller's own.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Extension, Query, State};
use axum::http::{HeaderMap, Response};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use waybill_clickhouse::{LatencyRow, StatusRows};

use crate::Gateway;
use crate::caller::Peer;
use crate::openapi::refusals;
use crate::outcome::Outcome;
use crate::problem::{Code, Problem};
use crate::reading::{bad, json, ok, reader, unavailable};
use crate::recent::Recent;
use crate::shown;
use waybill_stage::advice;

/// Hours, and the most that may be asked for.
const HOURS: u32 = 24;
const MOST_HOURS: u32 = 168;
/// Messages and rejects in the lists, and the most that may be asked for.
const LAST: u32 = 25;
const MOST_LAST: u32 = 100;
const HOUR_SECONDS: i64 = 3600;

refusals!(Refusals:
    Code::BadRequest,
    Code::Unauthenticated,
    Code::Forbidden,
    Code::RateLimited,
    Code::AnswersUnavailable,
    Code::Internal,
);

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct OfStatus {
    /// Back from the end of this one; what is outside is brought inside.
    #[param(nullable = false, minimum = 1, maximum = 168, default = 24)]
    hours: Option<u32>,
    /// Messages, and rejects, that are listed; what is outside is brought inside.
    #[param(nullable = false, minimum = 1, maximum = 100, default = 25)]
    last: Option<u32>,
}

/// How the last hours went, by when messages were received. What is counted are events: a message may have many.
#[derive(Debug, Serialize, ToSchema)]
pub struct Status<'r> {
    /// The caller.
    carrier: &'r str,
    carrier_name: &'r str,
    #[schema(format = DateTime)]
    from: String,
    /// Now.
    #[schema(format = DateTime)]
    to: String,
    accepted: u64,
    /// Copies of events that came before: they change nothing.
    duplicates: u64,
    rejected: u64,
    /// Rejects of all hours by stage and code, the most frequent first.
    rejected_by_code: Vec<ByCode<'r>>,
    /// Of all accepted events; null: there was none.
    #[schema(required)]
    latency_ms: Option<Latency>,
    /// Each of them, the earliest first; the last is not over.
    hours: Vec<Hour<'r>>,
    /// The last ones, the last first, and what became of them; copies are not among them.
    messages: Vec<Outcome<'r>>,
    /// The last ones, the last first.
    rejects: Vec<shown::Reject<'r>>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Hour<'r> {
    /// Its beginning.
    #[schema(format = DateTime)]
    hour: String,
    accepted: u64,
    duplicates: u64,
    rejected: Vec<Count<'r>>,
    #[schema(required)]
    latency_ms: Option<Latency>,
}

#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Count<'r> {
    /// What decrypt rejects was sent in the carrier's name, and is not proven to be its own.
    stage: &'r str,
    code: &'r str,
    rejects: u64,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct ByCode<'r> {
    #[serde(flatten)]
    count: Count<'r>,
    #[schema(required)]
    meaning: Option<&'static str>,
    #[schema(required)]
    what_to_do: Option<&'static str>,
}

/// From the receipt of a message to the rows in ClickHouse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Latency {
    p50: u64,
    p95: u64,
}

#[utoipa::path(
    get, path = "/v1/status", operation_id = "status", tag = "answers",
    summary = "How the last hours went: accepted, duplicates, rejects by code, latency, and what came last",
    params(OfStatus),
    responses((status = 200, description = "Some seconds old", body = Status), Refusals),
    security(("bearer" = []), ("api_key" = []), ("certificate" = [])),
)]
pub async fn status(
    State(gateway): State<Arc<Gateway>>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
    query: Result<Query<OfStatus>, QueryRejection>,
) -> Response<Body> {
    let answer = async {
        let carrier = reader(&gateway, &peer, &headers)?;
        let query = query.map_err(|e| bad(e.body_text()))?.0;
        let hours = query.hours.unwrap_or(HOURS).clamp(1, MOST_HOURS);
        let last = query.last.unwrap_or(LAST).clamp(1, MOST_LAST);
        let now = Timestamp::from_millisecond(gateway.now_ms());
        let now = now.map_err(|error| Problem::new(Code::Internal, error.to_string()))?;
        let span = Span::until(now.as_second(), hours);
        let found = gateway.answers.status(&carrier, span.since, last).await;
        let found = found.map_err(unavailable)?;
        let registry = gateway.registry.load();
        let name = registry.carriers.get(&carrier).map_or("", |carrier| &carrier.name);
        let recent = Recent::of(&found, last as usize, &gateway.topic);
        let mut status = Status::new(&found, span, now, last as usize);
        (status.carrier, status.carrier_name) = (&carrier, name);
        status.messages = recent.outcomes(&gateway.topic).collect();
        json(&status)
    };
    ok(answer.await)
}

/// Whole hours, the last of which is not over.
#[derive(Clone, Copy, Debug)]
struct Span {
    /// Seconds UTC.
    since: u32,
    hours: u32,
}

impl Span {
    fn until(now_second: i64, hours: u32) -> Self {
        let this = now_second - now_second.rem_euclid(HOUR_SECONDS);
        let since = this - i64::from(hours.saturating_sub(1)) * HOUR_SECONDS;
        Self { since: u32::try_from(since).unwrap_or_default(), hours }
    }

    fn each(self) -> impl Iterator<Item = u32> {
        (0..self.hours).map(move |n| self.since.saturating_add(n * HOUR_SECONDS as u32))
    }
}

fn time(second: u32) -> String {
    Timestamp::from_second(second.into()).unwrap_or_default().to_string()
}

impl Latency {
    fn of(row: &LatencyRow) -> Self {
        // Times of two machines' clocks: one may be a little behind.
        let whole = |ms: f64| ms.max(0.0).round() as u64;
        Self { p50: whole(row.p50), p95: whole(row.p95) }
    }
}

impl<'r> Status<'r> {
    /// Without what the rows do not tell.
    fn new(found: &'r StatusRows, span: Span, now: Timestamp, last: usize) -> Self {
        let by_hour = |rows: &[waybill_clickhouse::CountRow]| -> BTreeMap<u32, u64> {
            rows.iter().map(|row| (row.hour, row.events)).collect()
        };
        let (accepted, duplicates) = (by_hour(&found.accepted), by_hour(&found.duplicates));
        let latency: BTreeMap<u32, Latency> =
            found.latency.iter().map(|row| (row.hour, Latency::of(row))).collect();
        let at = |counts: &BTreeMap<u32, u64>, hour| counts.get(&hour).copied().unwrap_or_default();
        let hours = span.each().map(|hour| Hour {
            hour: time(hour),
            accepted: at(&accepted, hour),
            duplicates: at(&duplicates, hour),
            rejected: found
                .rejected
                .iter()
                .filter(|row| row.hour == hour)
                .map(|row| Count { stage: &row.stage, code: &row.code, rejects: row.rejects })
                .collect(),
            latency_ms: latency.get(&hour).copied(),
        });
        let rejected_by_code = by_code(found);
        Self {
            carrier: "",
            carrier_name: "",
            from: time(span.since),
            to: now.to_string(),
            accepted: accepted.values().sum(),
            duplicates: duplicates.values().sum(),
            rejected: rejected_by_code.iter().map(|one| one.count.rejects).sum(),
            rejected_by_code,
            // With no row there is no hour but that of all together, whose quantiles are of nothing.
            latency_ms: latency.get(&0).copied().filter(|_| latency.len() > 1),
            hours: hours.collect(),
            messages: Vec::new(),
            rejects: found.rejects.iter().take(last).map(shown::Reject::from).collect(),
        }
    }
}

fn by_code(found: &StatusRows) -> Vec<ByCode<'_>> {
    let mut counts: BTreeMap<(&str, &str), u64> = BTreeMap::new();
    for row in &found.rejected {
        *counts.entry((&row.stage, &row.code)).or_default() += row.rejects;
    }
    let mut all: Vec<ByCode<'_>> = counts
        .into_iter()
        .map(|((stage, code), rejects)| {
            let advice = advice(code);
            ByCode {
                count: Count { stage, code, rejects },
                meaning: advice.map(|advice| advice.meaning),
                what_to_do: advice.map(|advice| advice.what_to_do),
            }
        })
        .collect();
    all.sort_by_key(|one| std::cmp::Reverse(one.count.rejects));
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use waybill_clickhouse::{CountRow, RejectedRow};

    const NOON: u32 = 1_795_521_600; // 2026-11-24T12:00:00Z

    #[test]
    fn every_hour_is_there_and_the_last_is_not_over() {
        let span = Span::until(i64::from(NOON) + 1_799, 3);
        let each: Vec<String> = span.each().map(time).collect();
        assert_eq!(each, ["2026-11-24T10:00:00Z", "2026-11-24T11:00:00Z", "2026-11-24T12:00:00Z"]);
    }

    #[test]
    fn counts_stand_in_their_hours_and_add_up() {
        let reject = |hour, stage: &str, code: &str, rejects| RejectedRow {
            hour,
            stage: stage.into(),
            code: code.into(),
            rejects,
        };
        let found = StatusRows {
            accepted: vec![
                CountRow { hour: NOON - 3600, events: 7 },
                CountRow { hour: NOON, events: 2 },
            ],
            duplicates: vec![CountRow { hour: NOON, events: 1 }],
            rejected: vec![
                reject(NOON - 3600, "decrypt", "bad_proof", 2),
                reject(NOON, "validate", "unparsable", 2),
                reject(NOON - 3600, "validate", "unparsable", 3),
            ],
            latency: vec![
                LatencyRow { hour: 0, p50: 400.4, p95: 900.0 },
                LatencyRow { hour: NOON, p50: -3.0, p95: 900.0 },
            ],
            ..StatusRows::default()
        };
        let now = Timestamp::from_second(i64::from(NOON) + 60).unwrap();
        let status = Status::new(&found, Span::until(now.as_second(), 2), now, 10);
        let value = serde_json::to_value(&status).unwrap();
        assert_eq!(
            (&value["accepted"], &value["duplicates"], &value["rejected"]),
            (&9.into(), &1.into(), &7.into())
        );
        assert_eq!(value["latency_ms"], serde_json::json!({"p50": 400, "p95": 900}));
        assert_eq!(value["rejected_by_code"][0]["code"], "unparsable");
        assert_eq!(value["rejected_by_code"][0]["rejects"], 5);
        assert_eq!(value["rejected_by_code"][0]["what_to_do"], "send well-formed payloads");
        let hours = value["hours"].as_array().unwrap();
        assert_eq!((&hours[0]["accepted"], &hours[1]["accepted"]), (&7.into(), &2.into()));
        assert_eq!(hours[0]["latency_ms"], serde_json::Value::Null);
        assert_eq!(hours[1]["latency_ms"]["p50"], 0);
        assert_eq!(hours[0]["rejected"].as_array().unwrap().len(), 2);
    }

    #[test]
    fn an_empty_day_has_hours_and_no_latency() {
        let all = LatencyRow { hour: 0, p50: f64::NAN, p95: f64::NAN };
        for latency in [vec![], vec![all]] {
            let found = StatusRows { latency, ..StatusRows::default() };
            let now = Timestamp::from_second(NOON.into()).unwrap();
            let status = Status::new(&found, Span::until(now.as_second(), 24), now, 10);
            assert_eq!((status.hours.len(), status.latency_ms), (24, None));
        }
    }
}
