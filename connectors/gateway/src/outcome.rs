//! What became of one message, by the rows and rejects that are known of it.

use serde::Serialize;
use utoipa::ToSchema;
use waybill_clickhouse::{EventRow, OfMessage, RejectRow};

use crate::place::Place;
use crate::shown;

/// What a duplicate is, for people.
const COPY: &str = "a copy of one that came before";

/// What became of a message.
#[derive(Debug, Serialize, ToSchema)]
pub struct Outcome<'r> {
    id: &'r str,
    status: Status,
    /// An operator has sent it through once more.
    redriven: bool,
    /// By the broker; not known of what is on its way, and of a copy.
    #[schema(required, format = DateTime)]
    received: Option<&'r str>,
    /// The rows that it became.
    events: Vec<shown::Event<'r>>,
    /// Why it, or parts of it, do not go on.
    rejects: Vec<shown::Reject<'r>>,
    /// The record that this one is a copy of.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    duplicate_of: Option<Original<'r>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = MessageStatus)]
pub enum Status {
    /// On its way; said only with its `position`.
    Pending,
    /// `events` are the rows that it became; parts that were rejected stand in `rejects`.
    Accepted,
    /// `rejects` say why.
    Rejected,
    /// A copy, of the record in `duplicate_of`; told only with its `position`.
    Duplicate,
}

/// The record that came first.
#[derive(Debug, Serialize, ToSchema)]
pub struct Original<'r> {
    #[schema(format = DateTime)]
    received: &'r str,
    /// Its topic, partition and offset.
    #[schema(example = "waybill.sealed-2-4711")]
    position: String,
    meaning: &'static str,
}

impl<'r> Outcome<'r> {
    /// With its place a copy is told from its original; without one, the answer is of the record that was
    /// accepted, or else of the first that was rejected: others may have used the id, too, and somebody else may
    /// have put it into a record that was no carrier's. What names no topic is of `first`. `None`: nothing is
    /// known of it.
    pub fn of(
        id: &'r str,
        found: &'r OfMessage,
        place: Option<&Place>,
        is_taken_in: bool,
        first: &str,
    ) -> Option<Self> {
        let of_row = |row: &EventRow| {
            Place::of(&row.sealed_topic, row.source_partition, row.source_offset, first)
        };
        let of_reject = |row: &RejectRow| {
            Place::of(&row.sealed_topic, row.source_partition, row.source_offset, first)
        };
        let known = found.rows.first().map(of_row).or_else(|| found.rejects.first().map(of_reject));
        let at = place.or(known.as_ref());
        let rows: Vec<&EventRow> =
            found.rows.iter().filter(|row| at == Some(&of_row(row))).collect();
        let rejects: Vec<&RejectRow> =
            found.rejects.iter().filter(|row| at == Some(&of_reject(row))).collect();
        let original = found.rows.first();
        let status = match (rows.is_empty(), rejects.is_empty(), place, original) {
            (false, ..) => Status::Accepted,
            (true, false, ..) => Status::Rejected,
            (true, true, None, _) => return None,
            (true, true, Some(_), Some(_)) if is_taken_in => Status::Duplicate,
            (true, true, Some(_), _) => Status::Pending,
        };
        let first_reject = rejects.first().map(|reject| reject.received.as_str());
        // What a later attempt did not reject any more has passed.
        let last = rejects.iter().map(|reject| reject.attempt).max().unwrap_or_default();
        let was_whole = rejects.iter().any(|reject| reject.position == 0);
        let is_redriven = last > 0 || (status == Status::Accepted && was_whole);
        let rejects = rejects
            .iter()
            .filter(|reject| reject.attempt == last)
            .filter(|_| !(status == Status::Accepted && was_whole))
            .map(|reject| shown::Reject::from(*reject))
            .collect();
        let original = original.filter(|_| status == Status::Duplicate);
        Some(Self {
            id,
            status,
            redriven: is_redriven,
            received: rows.first().map(|row| row.received.as_str()).or(first_reject),
            events: rows.into_iter().map(shown::Event::from).collect(),
            rejects,
            duplicate_of: original.map(|original| Original {
                received: &original.received,
                position: of_row(original).to_string(),
                meaning: COPY,
            }),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(partition: i32, offset: i64) -> EventRow {
        let text = String::new;
        EventRow {
            message_id: "m".into(),
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
        let outcome = Outcome::of("m", &found, place.as_ref(), is_taken_in, "in")?;
        let value = serde_json::to_value(&outcome).unwrap();
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
}
