use waybill_clickhouse::{Filter, Noted};
use waybill_schemas::vocabulary::NoteCode;

use crate::samples::event;
use crate::server::{batch, execute, insert, sink};

/// Rows of the release before have flags, and no notes.
#[test]
fn notes_are_counted_by_carrier_and_field_and_old_flags_are_notes() {
    let (mut sink, database) = sink("notes");
    let mut events: Vec<_> = (0..4).map(|n| event("acme", "s1", n)).collect();
    for (index, accepted) in events.iter_mut().enumerate() {
        accepted.event.notes.push(NoteCode::MissingField);
        accepted.event.notes_about.push(format!("/references/{index}/referenceType"));
    }
    events[3].event.notes_about[0] = "/eventID".to_owned();
    events[3].event.note(NoteCode::ImoCheckDigit);
    insert(&mut sink, batch("events", 0, &events));
    execute(
        "INSERT INTO test_notes.events (carrier_id, event_id, received_at, flags) VALUES
        ('zeta', generateUUIDv4(), now64(3), ['in_future', 'container_form'])",
    );
    let counted = |filter: &Filter| -> Vec<String> {
        let notes = database.notes(filter).unwrap();
        let line = |n: Noted| format!("{} {} {} {}", n.carrier_id, n.note, n.about, n.events);
        notes.into_iter().map(line).collect()
    };
    let all = Filter { limit: 10, ..Filter::default() };
    assert_eq!(
        counted(&all),
        [
            "acme missing_field /references/referenceType 3",
            "acme imo_check_digit  1",
            "acme missing_field /eventID 1",
            "zeta container_form  1",
            "zeta in_future  1",
        ]
    );
    let one = Filter { code: Some("in_future".into()), ..all.clone() };
    assert_eq!(counted(&one), ["zeta in_future  1"]);
    let carrier = Filter { carrier: Some("zeta".into()), ..all };
    assert_eq!(counted(&carrier).len(), 2);
}
