//! The messages of a carrier that came last, put together from their rows and rejects.

use std::cmp::Reverse;
use std::collections::HashMap;

use waybill_clickhouse::{EventRow, MOST_RECENT, OfMessage, RejectRow, StatusRows};

use crate::outcome::Outcome;
use crate::place::Place;

#[derive(Debug)]
pub struct Recent {
    /// The last first.
    messages: Vec<Message>,
}

#[derive(Debug)]
struct Message {
    id: String,
    place: Place,
    /// RFC 3339, all alike: they are ordered as times are.
    received: String,
    found: OfMessage,
}

impl Recent {
    /// At most `most`. What may not be whole, since as many rows as are looked at were found before its end, is left out
    /// with all that came before it.
    pub fn of(rows: &StatusRows, most: usize, first_topic: &str) -> Self {
        let mut messages = HashMap::new();
        let of = |topic: &str, partition, offset| Place::of(topic, partition, offset, first_topic);
        for row in &rows.rows {
            let place = of(&row.sealed_topic, row.source_partition, row.source_offset);
            at(&mut messages, &row.message_id, &row.received, place).rows.push(row.clone());
        }
        for row in &rows.rejects {
            let place = of(&row.sealed_topic, row.source_partition, row.source_offset);
            at(&mut messages, &row.message_id, &row.received, place).rejects.push(row.clone());
        }
        let mut messages: Vec<Message> = messages.into_values().collect();
        messages.sort_by_key(|message| {
            Reverse((message.received.clone(), message.place.partition, message.place.offset))
        });
        let floor = floor(&rows.rows, |row: &EventRow| &row.received)
            .max(floor(&rows.rejects, |row: &RejectRow| &row.received));
        let newest = messages.first().map(|message| message.received.clone());
        // One that fills all that is looked at is better than none.
        messages.retain(|message| {
            message.received.as_str() > floor || Some(&message.received) == newest.as_ref()
        });
        messages.truncate(most);
        Self { messages }
    }

    pub fn outcomes(&self, first_topic: &str) -> impl Iterator<Item = Outcome<'_>> {
        self.messages.iter().filter_map(move |message| {
            let Message { id, place, found, .. } = message;
            Outcome::of(id, found, Some(place), true, first_topic)
        })
    }
}

type Found = HashMap<(String, i32, i64), Message>;

/// What is known of the message that stands there.
fn at<'f>(messages: &'f mut Found, id: &str, received: &str, place: Place) -> &'f mut OfMessage {
    let key = (place.topic.clone(), place.partition, place.offset);
    let new = || Message {
        id: id.to_owned(),
        place,
        received: received.to_owned(),
        found: OfMessage::default(),
    };
    &mut messages.entry(key).or_insert_with(new).found
}

/// The receipt up to which rows may be missing.
fn floor<T>(rows: &[T], received: impl Fn(&T) -> &String) -> &str {
    match rows.last() {
        Some(last) if rows.len() >= MOST_RECENT => received(last),
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(id: &str, offset: i64, position: u32) -> EventRow {
        let text = String::new;
        EventRow {
            message_id: id.to_owned(),
            event_id: text(),
            shipment_id: text(),
            position,
            milestone: text(),
            classifier: text(),
            happened: text(),
            unlocode: text(),
            equipment: text(),
            received: format!("2026-11-30T00:00:00.{offset:03}Z"),
            sealed_topic: "in".into(),
            source_partition: 0,
            source_offset: offset,
        }
    }

    fn reject(id: &str, offset: i64, position: u32) -> RejectRow {
        RejectRow {
            message_id: id.to_owned(),
            position,
            stage: "validate".into(),
            code: "unparsable".into(),
            detail: String::new(),
            attempt: 0,
            received: format!("2026-11-30T00:00:00.{offset:03}Z"),
            rejected: String::new(),
            sealed_topic: "in".into(),
            source_partition: 0,
            source_offset: offset,
            inserted_ms: 0,
            kafka_partition: 0,
            kafka_offset: 0,
        }
    }

    /// Id, status, events and rejects of each.
    fn said(rows: Vec<EventRow>, rejects: Vec<RejectRow>, most: usize) -> Vec<String> {
        let rows = StatusRows { rows, rejects, ..StatusRows::default() };
        let recent = Recent::of(&rows, most, "in");
        let each = recent.outcomes("in").map(|outcome| {
            let value = serde_json::to_value(&outcome).unwrap();
            let count = |name: &str| value[name].as_array().unwrap().len();
            let (id, status) = (value["id"].as_str().unwrap(), value["status"].as_str().unwrap());
            assert!(value["received"].is_string(), "{value}");
            format!("{id} {status} {} {}", count("events"), count("rejects"))
        });
        each.collect()
    }

    #[test]
    fn rows_and_rejects_of_a_message_stand_together_the_last_first() {
        let rows = vec![row("c", 9, 1), row("a", 2, 1), row("a", 2, 3)];
        let rejects = vec![reject("b", 5, 0), reject("a", 2, 2)];
        let all = ["c accepted 1 0", "b rejected 0 1", "a accepted 2 1"];
        assert_eq!(said(rows.clone(), rejects.clone(), 10), all);
        assert_eq!(said(rows, rejects, 2), all[..2]);
        // The same id twice, as two records: each has its own.
        assert_eq!(
            said(vec![row("a", 3, 1)], vec![reject("a", 4, 0)], 10),
            ["a rejected 0 1", "a accepted 1 0"]
        );
        assert!(said(vec![], vec![], 10).is_empty());
    }

    #[test]
    fn what_may_not_be_whole_is_left_out_with_what_came_before() {
        let mut rows = vec![row("c", 900, 1)];
        rows.extend((1..MOST_RECENT as u32).map(|n| row("b", 500, n)));
        let rejects = vec![reject("d", 600, 0), reject("a", 400, 0)];
        assert_eq!(said(rows, rejects, 10), ["c accepted 1 0", "d rejected 0 1"]);
        let rows: Vec<_> = (1..=MOST_RECENT as u32).map(|n| row("b", 500, n)).collect();
        assert_eq!(said(rows, vec![reject("a", 400, 0)], 10), ["b accepted 500 0"]);
    }
}
