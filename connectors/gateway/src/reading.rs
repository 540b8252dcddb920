//! What became of a carrier's events. Everything is the caller's own: ids of others answer as unknown ones do.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Extension, Path, Query, State};
use axum::http::{HeaderMap, HeaderValue, Response, header};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use waybill_clickhouse::{Cursor, EventRow, OfMessage, RejectRow};
use waybill_decrypt::Scope;
use waybill_stage::Fault;

use crate::Gateway;
use crate::caller::{Caller, Peer, needed};
use crate::problem::{Code, Problem};
use crate::shown;

/// Rejects of a page, and the most that may be asked for.
const PAGE: u32 = 100;
const LONGEST_PAGE: u32 = 1_000;
/// Days of usage, and the most that may be asked for.
const DAYS: u32 = 31;
const MOST_DAYS: u32 = 400;
/// A copy whose original has its rows counts as one when it has been under way for so long.
const ANSWERED: &str = "a copy of one that came before";

/// The caller's id, if it may read.
fn reader(gateway: &Gateway, peer: &Peer, headers: &HeaderMap) -> Result<String, Problem> {
    gateway.limits.request(peer.address)?;
    let registry = gateway.registry.load();
    let caller = Caller::of(peer, headers, &registry, gateway.now_ms())?.ok_or_else(needed)?;
    caller.may(Scope::Read)?;
    Ok(caller.carrier_id)
}

fn unavailable(fault: Fault) -> Problem {
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

fn ok(answer: Result<Value, Problem>) -> Response<Body> {
    match answer {
        Err(problem) => problem.into_response(),
        Ok(value) => {
            let mut response = Response::new(Body::from(value.to_string()));
            let json = HeaderValue::from_static("application/json");
            response.headers_mut().insert(header::CONTENT_TYPE, json);
            response
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OfEvent {
    /// Topic, partition and offset, as the answer to the publication gave them.
    position: Option<String>,
}

/// What became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Status {
    Pending,
    Accepted,
    Rejected,
    Duplicate,
}

/// `GET /v1/events/{id}`
pub async fn event(
    State(gateway): State<Arc<Gateway>>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
    Path(id): Path<String>,
    query: Result<Query<OfEvent>, axum::extract::rejection::QueryRejection>,
) -> Response<Body> {
    let answer = async {
        let carrier = reader(&gateway, &peer, &headers)?;
        let place =
            match query.map_err(|e| Problem::new(Code::BadRequest, e.body_text()))?.0.position {
                None => None,
                Some(text) => Some(place_of(&text)?),
            };
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
        describe(&id, &found, place.as_ref(), is_taken_in, &gateway.topic)
    };
    ok(answer.await)
}

/// Where a sealed record stands.
#[derive(Debug, PartialEq, Eq)]
struct Place {
    topic: String,
    partition: i32,
    offset: i64,
}

impl Place {
    fn of(topic: &str, partition: i32, offset: i64, first: &str) -> Self {
        let topic = if topic.is_empty() { first } else { topic };
        Self { topic: topic.to_owned(), partition, offset }
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}-{}-{}", self.topic, self.partition, self.offset)
    }
}

fn place_of(text: &str) -> Result<Place, Problem> {
    let mut parts = text.rsplitn(3, '-');
    let mut place = || {
        let offset = parts.next()?.parse().ok()?;
        let partition = parts.next()?.parse().ok()?;
        Some(Place { topic: parts.next()?.to_owned(), partition, offset })
    };
    place().ok_or_else(|| {
        Problem::new(Code::BadRequest, "position: take it from the answer to the publication")
    })
}

/// The answer about a message. With its place a copy is told from its original; without one, the answer is of
/// the record that was accepted, or else of the first that was rejected: others may have used the id, too, and
/// somebody else may have put it into a record that was no carrier's. What names no topic is of `first`: it is
/// of a time when there was one.
fn describe(
    id: &str,
    found: &OfMessage,
    place: Option<&Place>,
    is_taken_in: bool,
    first: &str,
) -> Result<Value, Problem> {
    let of_row = |row: &EventRow| {
        Place::of(&row.sealed_topic, row.source_partition, row.source_offset, first)
    };
    let of_reject = |row: &RejectRow| {
        Place::of(&row.sealed_topic, row.source_partition, row.source_offset, first)
    };
    let known = found.rows.first().map(of_row).or_else(|| found.rejects.first().map(of_reject));
    let at = place.or(known.as_ref());
    let rows: Vec<&EventRow> = found.rows.iter().filter(|row| at == Some(&of_row(row))).collect();
    let rejects: Vec<&RejectRow> =
        found.rejects.iter().filter(|row| at == Some(&of_reject(row))).collect();
    let original = found.rows.first();
    let status = match (rows.is_empty(), rejects.is_empty(), place, original) {
        (false, ..) => Status::Accepted,
        (true, false, ..) => Status::Rejected,
        (true, true, None, _) => return Err(unknown()),
        (true, true, Some(_), Some(_)) if is_taken_in => Status::Duplicate,
        (true, true, Some(_), _) => Status::Pending,
    };
    // What a later attempt did not reject any more has passed.
    let last = rejects.iter().map(|reject| reject.attempt).max().unwrap_or_default();
    let was_whole = rejects.iter().any(|reject| reject.position == 0);
    let is_redriven = last > 0 || (status == Status::Accepted && was_whole);
    let rejects: Vec<Value> = rejects
        .iter()
        .filter(|reject| reject.attempt == last)
        .filter(|_| !(status == Status::Accepted && was_whole))
        .map(|reject| shown::reject(reject))
        .collect();
    let received = rows.first().map(|row| row.received.as_str());
    let mut answer = json!({
        "id": id,
        "status": status,
        "redriven": is_redriven,
        "received": received,
        "events": rows.iter().map(|row| shown::event(row)).collect::<Vec<_>>(),
        "rejects": rejects,
    });
    if let (Status::Duplicate, Some(original), Value::Object(members)) =
        (status, original, &mut answer)
    {
        let of = json!({
            "received": original.received,
            "position": of_row(original).to_string(),
            "meaning": ANSWERED,
        });
        members.insert("duplicate_of".to_owned(), of);
    }
    Ok(answer)
}

/// `GET /v1/shipments/{reference}`
pub async fn shipment(
    State(gateway): State<Arc<Gateway>>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
    Path(reference): Path<String>,
) -> Response<Body> {
    let answer = async {
        let carrier = reader(&gateway, &peer, &headers)?;
        let found = gateway.answers.shipments(&carrier, &reference).await.map_err(unavailable)?;
        let (shipments, timeline) = found;
        if shipments.is_empty() {
            return Err(unknown());
        }
        let each = shipments.iter().map(|shipment| shown::shipment(shipment, &timeline));
        Ok(json!({ "shipments": each.collect::<Vec<_>>() }))
    };
    ok(answer.await)
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OfRejects {
    /// RFC 3339: the first page begins there.
    since: Option<String>,
    /// As a page gave it: the next begins there.
    cursor: Option<String>,
    limit: Option<u32>,
}

/// `GET /v1/rejects`
pub async fn rejects(
    State(gateway): State<Arc<Gateway>>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
    query: Result<Query<OfRejects>, axum::extract::rejection::QueryRejection>,
) -> Response<Body> {
    let answer = async {
        let carrier = reader(&gateway, &peer, &headers)?;
        let query = query.map_err(|e| Problem::new(Code::BadRequest, e.body_text()))?.0;
        let limit = query.limit.unwrap_or(PAGE).clamp(1, LONGEST_PAGE);
        let after = cursor(&query)?;
        let rows = gateway.answers.rejects(&carrier, after, limit).await.map_err(unavailable)?;
        let next = rows.last().map_or(after, |row| Cursor {
            inserted_ms: row.inserted_ms,
            kafka_partition: row.kafka_partition,
            kafka_offset: row.kafka_offset,
        });
        let more = rows.len() == limit as usize;
        let rows: Vec<Value> = rows.iter().map(shown::reject).collect();
        Ok(json!({ "rejects": rows, "cursor": text_of(next), "more": more }))
    };
    ok(answer.await)
}

fn cursor(query: &OfRejects) -> Result<Cursor, Problem> {
    let refuse = |detail| Err(Problem::new(Code::BadRequest, detail));
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

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OfUsage {
    days: Option<u32>,
}

/// `GET /v1/usage`
pub async fn usage(
    State(gateway): State<Arc<Gateway>>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
    query: Result<Query<OfUsage>, axum::extract::rejection::QueryRejection>,
) -> Response<Body> {
    let answer = async {
        let carrier = reader(&gateway, &peer, &headers)?;
        let query = query.map_err(|e| Problem::new(Code::BadRequest, e.body_text()))?.0;
        let days = query.days.unwrap_or(DAYS).clamp(1, MOST_DAYS);
        let rows = gateway.answers.usage(&carrier, days).await.map_err(unavailable)?;
        Ok(json!({ "usage": rows.iter().map(shown::usage).collect::<Vec<_>>() }))
    };
    ok(answer.await)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(partition: i32, offset: i64) -> EventRow {
        let text = String::new;
        EventRow {
            event_id: text(),
            shipment_id: text(),
            position: 1,
            milestone: text(),
            classifier: text(),
            happened: text(),
            unlocode: text(),
            equipment: text(),
            received: "2026-11-30T00:00:00.000Z".into(),
            sealed_topic: String::new(),
            source_partition: partition,
            source_offset: offset,
        }
    }

    fn reject(offset: i64, position: u32, attempt: u32) -> RejectRow {
        RejectRow {
            message_id: "m".into(),
            position,
            stage: "validate".into(),
            code: "unparsable".into(),
            detail: String::new(),
            attempt,
            received: String::new(),
            rejected: String::new(),
            sealed_topic: "in".into(),
            source_partition: 0,
            source_offset: offset,
            inserted_ms: 0,
            kafka_partition: 0,
            kafka_offset: 0,
        }
    }

    fn said(
        rows: Vec<EventRow>,
        rejects: Vec<RejectRow>,
        place: Option<(i32, i64)>,
        is_taken_in: bool,
    ) -> Option<(String, bool, usize)> {
        let found = OfMessage { rows, rejects };
        let place =
            place.map(|(partition, offset)| Place { topic: "in".into(), partition, offset });
        let value = describe("m", &found, place.as_ref(), is_taken_in, "in").ok()?;
        let status = value["status"].as_str()?.to_owned();
        let is_duplicate = status == "duplicate";
        assert_eq!(value.get("duplicate_of").is_some(), is_duplicate, "{value}");
        Some((status, value["redriven"].as_bool()?, value["rejects"].as_array()?.len()))
    }

    #[test]
    fn one_answer_for_each_message() {
        let answer = |status: &str, redriven, rejects| Some((status.to_owned(), redriven, rejects));
        let here = Some((0, 7));
        assert_eq!(said(vec![], vec![], None, false), None);
        assert_eq!(said(vec![], vec![], here, false), answer("pending", false, 0));
        assert_eq!(said(vec![], vec![], here, true), answer("pending", false, 0));
        assert_eq!(said(vec![row(0, 7)], vec![], here, true), answer("accepted", false, 0));
        assert_eq!(said(vec![row(0, 7)], vec![], None, false), answer("accepted", false, 0));
        // A copy: pending until decrypt has it, and then a duplicate.
        assert_eq!(said(vec![row(0, 3)], vec![], here, false), answer("pending", false, 0));
        assert_eq!(said(vec![row(0, 3)], vec![], here, true), answer("duplicate", false, 0));
        assert_eq!(said(vec![], vec![reject(7, 0, 0)], here, true), answer("rejected", false, 1));
        // A bad part among good ones.
        assert_eq!(
            said(vec![row(0, 7)], vec![reject(7, 2, 0)], here, true),
            answer("accepted", false, 1)
        );
        // Redriven, once with the same end and once with a better one.
        let again = vec![reject(7, 0, 0), reject(7, 0, 1)];
        assert_eq!(said(vec![], again, here, true), answer("rejected", true, 1));
        assert_eq!(
            said(vec![row(0, 7)], vec![reject(7, 0, 0)], here, true),
            answer("accepted", true, 0)
        );
        // Rejects of another record under the same id are that one's, whether it is asked for by its place or not.
        assert_eq!(
            said(vec![row(0, 7)], vec![reject(3, 0, 0)], None, false),
            answer("accepted", false, 0)
        );
        assert_eq!(
            said(vec![row(0, 7)], vec![reject(3, 0, 0)], here, true),
            answer("accepted", false, 0)
        );
    }

    #[test]
    fn cursors_and_positions() {
        let cursor = Cursor { inserted_ms: 5, kafka_partition: -1, kafka_offset: 9 };
        assert_eq!(cursor_of(&text_of(cursor)), Some(cursor));
        for text in ["", "1.2", "1.2.3.4", "a.b.c"] {
            assert_eq!(cursor_of(text), None, "{text}");
        }
        let place = Place { topic: "a-b.c".into(), partition: 2, offset: 4711 };
        assert_eq!(place_of("a-b.c-2-4711").unwrap(), place);
        for text in ["", "a", "2-3", "a-2-", "a-x-1", "a-1-x"] {
            assert!(place_of(text).is_err(), "{text}");
        }
    }
}
