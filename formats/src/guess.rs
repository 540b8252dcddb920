//! Which format a payload is of that nobody knows the media type of: by what each makes of it. For people
//! who connect a carrier, never for the pipeline.

use waybill_schemas::vocabulary::NoteCode;
use waybill_stage::{Code, Reject};

use crate::{Format, Parts, all};

/// How well a format reads a payload: what stands first weighs most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Score {
    /// It reads an event at all. Else, that it knows the payload as an error of the carrier.
    reads: bool,
    error: bool,
    /// The payload has marks that no other format has.
    marks: bool,
    /// Events whose code is known, and all events.
    mapped: usize,
    events: usize,
    /// Fewer is better.
    rejects: std::cmp::Reverse<usize>,
    notes: std::cmp::Reverse<usize>,
}

/// The formats that a payload may be of, the likeliest first: those that read an event from it; if none
/// does, those that know it as an error, or by their marks. Those behind the first that are as likely are
/// `ties`.
pub fn guess(payload: &[u8]) -> Vec<&'static Format> {
    let Ok(text) = crate::text::decoded(payload) else { return Vec::new() };
    let mut parts = Parts::default();
    let mut scored: Vec<(Score, &'static Format)> = all()
        // A row without marks is another row's reader under one more media type.
        .filter_map(|format| {
            let marks = format.looks_like(&text);
            let score = score(marks, format.read_text(&text, &mut parts), &parts);
            (score.reads || marks).then_some((score, format))
        })
        .collect();
    let reads = scored.iter().any(|(score, _)| score.reads);
    scored.retain(|(score, _)| score.reads == reads);
    // Of equals the row that stands first.
    scored.sort_by_key(|(score, _)| std::cmp::Reverse(*score));
    let mut seen: Vec<&'static Format> = Vec::new();
    for (_, format) in scored {
        if !seen.iter().any(|before| format.is_another_name_of(before)) {
            seen.push(format);
        }
    }
    seen
}

fn score(marks: bool, whole: Result<(), Reject>, parts: &Parts) -> Score {
    let events = || parts.iter().filter_map(|(_, part)| part.as_ref().ok());
    let rejects = || parts.iter().filter_map(|(_, part)| part.as_ref().err());
    let is_error = |reject: &Reject| reject.code == Code::CarrierError;
    let error = rejects().chain(whole.as_ref().err()).any(is_error);
    let count = events().count();
    Score {
        reads: count > 0,
        error,
        marks,
        mapped: events().filter(|draft| !draft.has_note(NoteCode::UnmappedCode)).count(),
        events: count,
        rejects: std::cmp::Reverse(rejects().count()),
        notes: std::cmp::Reverse(events().map(|draft| draft.notes.len()).sum()),
    }
}
