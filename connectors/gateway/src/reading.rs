//! What became of a carrier's events. Everything is the caller's own: ids of others answer as unknown ones do.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Extension, Path, Query, State};
use axum::http::{HeaderMap, HeaderValue, Response, header};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use waybill_clickhouse::Cursor;
use waybill_decrypt::Scope;
use waybill_stage::Fault;

use crate::Gateway;
use crate::caller::{Caller, Peer, needed};
use crate::openapi::refusals;
use crate::outcome::Outcome;
use crate::place::Place;
use crate::problem::{Code, Problem};
use crate::shown;

/// Rejects of a page, and the most that may be asked for.
const PAGE: u32 = 100;
const LONGEST_PAGE: u32 = 1_000;
/// 2299-01-01T00:00:00Z: ClickHouse's DateTime64 goes hardly further.
const LATEST_MS: i64 = 10_382_256_000_000;
/// Days of usage, and the most that may be asked for.
const DAYS: u32 = 31;
const MOST_DAYS: u32 = 400;

refusals!(OfLists:
    Code::BadRequest,
    Code::Unauthenticated,
    Code::Forbidden,
    Code::RateLimited,
    Code::AnswersUnavailable,
    Code::Internal,
);
refusals!(OfNames:
    Code::BadRequest,
    Code::Unauthenticated,
    Code::Forbidden,
    Code::NotFound,
    Code::RateLimited,
    Code::AnswersUnavailable,
    Code::Internal,
);

/// The caller's id, if it may read.
pub fn reader(gateway: &Gateway, peer: &Peer, headers: &HeaderMap) -> Result<String, Problem> {
    let registry = gateway.registry.load();
    let caller = Caller::of(peer, headers, &registry, gateway.now_ms())?.ok_or_else(needed)?;
    caller.may(Scope::Read)?;
    Ok(caller.carrier_id)
}

pub fn unavailable(fault: Fault) -> Problem {
    tracing::warn!(%fault, "an answer could not be looked up");
    let detail = "ClickHouse does not answer; events are taken in all the same";
    Problem::new(Code::AnswersUnavailable, detail).after(Duration::from_secs(2))
}

fn unknown() -> Problem {
    Problem::new(
        Code::NotFound,
        "nothing of yours has this name: it was not accepted, or it is still on its way (with the position that \
         it was answered with, ?position=…, that is told apart)",
    )
}

pub fn bad(wrong: impl Into<std::borrow::Cow<'static, str>>) -> Problem {
    Problem::new(Code::BadRequest, wrong)
}

pub fn ok(answer: Result<Response<Body>, Problem>) -> Response<Body> {
    answer.unwrap_or_else(Problem::into_response)
}

pub fn json(answer: &impl Serialize) -> Result<Response<Body>, Problem> {
    let text = serde_json::to_vec(answer);
    let text = text.map_err(|error| Problem::new(Code::Internal, error.to_string()))?;
    let mut response = Response::new(Body::from(text));
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    Ok(response)
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct OfEvent {
    /// Topic, partition and offset, as the answer to the publication gave them.
    #[param(nullable = false, pattern = "^.+-[0-9]+-[0-9]+$", example = "waybill.sealed-2-4711")]
    position: Option<String>,
}

#[utoipa::path(
    get, path = "/v1/events/{id}", operation_id = "event", tag = "answers",
    summary = "What became of a message",
    description = "With its `position` a copy is told from its original, and one that is still on its way from \
                   one that nobody knows.",
    params(("id" = String, Path, description = "As the answer to the publication gave it"), OfEvent),
    responses((status = 200, description = "What is known of it", body = Outcome), OfNames),
    security(("bearer" = []), ("api_key" = []), ("certificate" = [])),
)]
pub async fn event(
    State(gateway): State<Arc<Gateway>>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
    id: Result<Path<String>, PathRejection>,
    query: Result<Query<OfEvent>, QueryRejection>,
) -> Response<Body> {
    let answer = async {
        let carrier = reader(&gateway, &peer, &headers)?;
        let place = match query.map_err(|e| bad(e.body_text()))?.0.position {
            None => None,
            Some(text) => Some(place_of(&text)?),
        };
        let Path(id) = id.map_err(|e| bad(e.body_text()))?;
        let found = gateway.answers.message(&carrier, &id).await.map_err(unavailable)?;
        let is_taken_in = match &place {
            Some(Place { topic, partition, offset }) => match gateway.topic_ids.load().get(topic) {
                Some(id) => {
                    let asked = gateway.answers.is_taken_in(id, *partition, *offset);
                    asked.await.map_err(unavailable)?
                }
                None => false,
            },
            None => false,
        };
        let outcome = Outcome::of(&id, &found, place.as_ref(), is_taken_in, &gateway.topic);
        json(&outcome.ok_or_else(unknown)?)
    };
    ok(answer.await)
}

fn place_of(text: &str) -> Result<Place, Problem> {
    Place::parse(text).ok_or_else(|| bad("position: take it from the answer to the publication"))
}

/// Those that a reference names, the latest first.
#[derive(Debug, Serialize, ToSchema)]
struct Shipments<'r> {
    shipments: Vec<shown::Shipment<'r>>,
}

#[utoipa::path(
    get, path = "/v1/shipments/{reference}", operation_id = "shipment", tag = "answers",
    summary = "Shipments that a reference names, with their timeline",
    params(("reference" = String, Path, example = "MSKU1234565",
        description = "A container, booking, bill of lading or shipment id")),
    responses((status = 200, description = "At most 20, the latest first", body = Shipments), OfNames),
    security(("bearer" = []), ("api_key" = []), ("certificate" = [])),
)]
pub async fn shipment(
    State(gateway): State<Arc<Gateway>>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
    reference: Result<Path<String>, PathRejection>,
) -> Response<Body> {
    let answer = async {
        let carrier = reader(&gateway, &peer, &headers)?;
        let Path(reference) = reference.map_err(|e| bad(e.body_text()))?;
        let found = gateway.answers.shipments(&carrier, &reference).await.map_err(unavailable)?;
        let (shipments, timeline) = found;
        if shipments.is_empty() {
            return Err(unknown());
        }
        let each = shipments.iter().map(|shipment| shown::Shipment::new(shipment, &timeline));
        json(&Shipments { shipments: each.collect() })
    };
    ok(answer.await)
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct OfRejects {
    /// RFC 3339: the first page begins there.
    #[param(nullable = false, format = DateTime)]
    since: Option<String>,
    /// As a page gave it: the next begins there. Not with `since`.
    #[param(nullable = false)]
    cursor: Option<String>,
    /// Of a page; what is outside is brought inside.
    #[param(nullable = false, minimum = 1, maximum = 1000, default = 100)]
    limit: Option<u32>,
}

/// One page.
#[derive(Debug, Serialize, ToSchema)]
struct Rejects<'r> {
    /// In the order in which they were stored.
    rejects: Vec<shown::Reject<'r>>,
    /// Where the next page begins.
    cursor: String,
    /// Whether there may be a next page now.
    more: bool,
}

#[utoipa::path(
    get, path = "/v1/rejects", operation_id = "rejects", tag = "answers",
    summary = "Rejects, in pages",
    description = "In the order in which they were stored, some seconds after. With the last `cursor`, ask again \
                   later for what is new.",
    params(OfRejects),
    responses((status = 200, description = "A page", body = Rejects), OfLists),
    security(("bearer" = []), ("api_key" = []), ("certificate" = [])),
)]
pub async fn rejects(
    State(gateway): State<Arc<Gateway>>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
    query: Result<Query<OfRejects>, QueryRejection>,
) -> Response<Body> {
    let answer = async {
        let carrier = reader(&gateway, &peer, &headers)?;
        let query = query.map_err(|e| bad(e.body_text()))?.0;
        let limit = query.limit.unwrap_or(PAGE).clamp(1, LONGEST_PAGE);
        let mut after = cursor(&query)?;
        // Nothing was stored before 1970.
        after.inserted_ms = after.inserted_ms.clamp(0, LATEST_MS);
        let rows = gateway.answers.rejects(&carrier, after, limit).await.map_err(unavailable)?;
        let next = rows.last().map_or(after, |row| Cursor {
            inserted_ms: row.inserted_ms,
            kafka_partition: row.kafka_partition,
            kafka_offset: row.kafka_offset,
        });
        let more = rows.len() == limit as usize;
        let rejects = rows.iter().map(shown::Reject::from).collect();
        json(&Rejects { rejects, cursor: text_of(next), more })
    };
    ok(answer.await)
}

fn cursor(query: &OfRejects) -> Result<Cursor, Problem> {
    let refuse = |detail| Err(bad(detail));
    match (&query.cursor, &query.since) {
        (Some(_), Some(_)) => refuse("cursor and since: give one"),
        (Some(text), None) => match cursor_of(text) {
            Some(cursor) => Ok(cursor),
            None => refuse("cursor: take it from the page before"),
        },
        (None, Some(text)) => match text.parse::<jiff::Timestamp>() {
            Ok(since) => Ok(Cursor {
                inserted_ms: since.as_millisecond(),
                kafka_partition: -1,
                kafka_offset: -1,
            }),
            Err(_) => refuse("since: a time by RFC 3339, such as 2026-11-30T00:00:00Z"),
        },
        (None, None) => Ok(Cursor::default()),
    }
}

fn text_of(cursor: Cursor) -> String {
    format!("{}.{}.{}", cursor.inserted_ms, cursor.kafka_partition, cursor.kafka_offset)
}

fn cursor_of(text: &str) -> Option<Cursor> {
    let mut parts = text.split('.');
    let cursor = Cursor {
        inserted_ms: parts.next()?.parse().ok()?,
        kafka_partition: parts.next()?.parse().ok()?,
        kafka_offset: parts.next()?.parse().ok()?,
    };
    parts.next().is_none().then_some(cursor)
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct OfUsage {
    /// Back from today; what is outside is brought inside.
    #[param(nullable = false, minimum = 1, maximum = 400, default = 31)]
    days: Option<u32>,
}

/// The earliest day first.
#[derive(Debug, Serialize, ToSchema)]
struct Days<'r> {
    usage: Vec<shown::Usage<'r>>,
}

#[utoipa::path(
    get, path = "/v1/usage", operation_id = "usage", tag = "answers",
    summary = "Records by day of receipt, stage, outcome and code",
    params(OfUsage),
    responses((status = 200, description = "As the ledger has them", body = Days), OfLists),
    security(("bearer" = []), ("api_key" = []), ("certificate" = [])),
)]
pub async fn usage(
    State(gateway): State<Arc<Gateway>>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
    query: Result<Query<OfUsage>, QueryRejection>,
) -> Response<Body> {
    let answer = async {
        let carrier = reader(&gateway, &peer, &headers)?;
        let query = query.map_err(|e| bad(e.body_text()))?.0;
        let days = query.days.unwrap_or(DAYS).clamp(1, MOST_DAYS);
        let rows = gateway.answers.usage(&carrier, days).await.map_err(unavailable)?;
        json(&Days { usage: rows.iter().map(shown::Usage::from).collect() })
    };
    ok(answer.await)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursors_and_positions() {
        let cursor = Cursor { inserted_ms: 5, kafka_partition: -1, kafka_offset: 9 };
        assert_eq!(cursor_of(&text_of(cursor)), Some(cursor));
        for text in ["", "1.2", "1.2.3.4", "a.b.c"] {
            assert_eq!(cursor_of(text), None, "{text}");
        }
    }
}
