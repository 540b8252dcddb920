//! What ASC X12 and UN/EDIFACT have in common: segments of elements of components between service
//! characters, in messages in groups in interchanges, each with a count and a control number.

pub(crate) mod envelope;
pub(crate) mod segments;

pub(crate) use segments::{Segment, Separators, begins};

use waybill_schemas::vocabulary::{NoteCode, QuantityKind, ReferenceKind};
use waybill_schemas::{OccurrenceTime, Quantity, Reference};
use waybill_stage::{Code, Reject};

use crate::location::Location;
use crate::wrong::{At, at};
use crate::{Draft, Parts, limits};

/// The parts of a payload, while they are read.
#[derive(Debug)]
pub(crate) struct Output<'p> {
    pub parts: &'p mut Parts,
    /// How many elements of lists the parts have.
    elements: usize,
}

impl<'p> Output<'p> {
    pub(crate) fn new(parts: &'p mut Parts) -> Self {
        Self { parts, elements: 0 }
    }
}

/// Adds the part that stands at segment `number`; `Err` rejects the payload, which has too many, or
/// whose headers give too much to too many of them.
pub(crate) fn push(
    to: &mut Output<'_>,
    number: usize,
    part: Result<Draft, Reject>,
) -> Result<(), Reject> {
    if to.parts.are_full() {
        return Err(too_many_events());
    }
    if let Ok(draft) = &part {
        to.elements += draft.references.len() + draft.quantities.len() + draft.readings.len();
        if to.elements > limits::SHARED {
            let detail = format!("more than {} elements in all events", limits::SHARED);
            return Err(Reject::new(Code::TooLarge, detail));
        }
    }
    to.parts.push_at(Location::Segment(number), part);
    Ok(())
}

pub(crate) fn too_many_events() -> Reject {
    Reject::new(Code::TooLarge, format!("more than {} events", limits::EVENTS))
}

/// A text that has to be kept whole: an id or a code. `None` if it is empty.
pub(crate) fn whole(text: &str, at: At, characters: usize) -> Result<Option<&str>, Reject> {
    let text = text.trim();
    // Bytes are at least as many as characters.
    if text.len() > characters && text.chars().count() > characters {
        return Err(at.too_long(characters));
    }
    Ok((!text.is_empty()).then_some(text))
}

pub(crate) fn required<'t>(text: &'t str, name: &'static str) -> Result<&'t str, Reject> {
    whole(text, at(name), limits::CODE)?.ok_or_else(|| at(name).missing())
}

/// A time, and what of it is not as it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Moment {
    pub at: OccurrenceTime,
    /// Elements that were left out, or read otherwise than they say.
    pub odd: [Option<&'static str>; 2],
}

impl Moment {
    pub(crate) fn note(&self, draft: &mut Draft) {
        for about in self.odd.into_iter().flatten() {
            draft.note_about(NoteCode::OddField, about);
        }
    }
}

/// Elements that an event does not need and that cannot be read: they are left out, and noted.
#[derive(Clone, Debug, Default)]
pub(crate) struct Odd(Vec<String>);

impl Odd {
    /// Of what is too much for one message nothing is left out.
    pub(crate) fn keep(&mut self, read: Result<(), Reject>) -> Result<(), Reject> {
        match read {
            Err(reject) if reject.code != Code::TooLarge => {
                // `RFF 1154: more than 256 characters`
                let element = reject.detail.split(':').next().unwrap_or_default();
                if self.0.len() < limits::NOTES && !self.0.iter().any(|own| own == element) {
                    self.0.push(element.to_owned());
                }
                Ok(())
            }
            read => read,
        }
    }

    pub(crate) fn note(&self, draft: &mut Draft) {
        for element in &self.0 {
            draft.note_about(NoteCode::OddField, element.clone());
        }
    }
}

/// A decimal number; both decimal marks of ISO 9735 section 10.
pub(crate) fn decimal(text: &str) -> Option<f64> {
    let plain = |b: u8| b.is_ascii_digit() || matches!(b, b'.' | b',' | b'-');
    if text.is_empty() || text.len() > limits::CODE || !text.bytes().all(plain) {
        return None;
    }
    match text.contains(',') {
        true => text.replace(',', ".").parse().ok(),
        false => text.parse().ok(),
    }
}

/// A quantity above zero: zeros fill fields that have to be sent.
pub(crate) fn quantity(kind: QuantityKind, text: &str, unit: &str) -> Option<Quantity> {
    let value = decimal(text.trim()).filter(|value| *value > 0.0)?;
    Some(Quantity { kind, value, unit: unit.to_owned() })
}

/// References that are given to several events.
#[derive(Clone, Debug, Default)]
pub(crate) struct References(Vec<Reference>);

impl References {
    /// Adds one, once; one without a value is none.
    pub(crate) fn add(
        &mut self,
        kind: ReferenceKind,
        value: &str,
        name: &'static str,
    ) -> Result<(), Reject> {
        let Some(value) = whole(value, at(name), limits::ID)? else { return Ok(()) };
        if self.0.iter().any(|r| r.kind == kind && r.value == value) {
            return Ok(());
        }
        if self.0.len() >= limits::LIST {
            return Err(at(name).too_many(limits::LIST));
        }
        self.0.push(Reference { kind, value: value.to_owned() });
        Ok(())
    }

    pub(crate) fn give(&self, draft: &mut Draft) {
        for reference in &self.0 {
            draft.reference(reference.kind, &reference.value);
        }
    }

    /// Those of that kind.
    pub(crate) fn all(&self, kind: ReferenceKind) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |r| r.kind == kind).map(|r| r.value.as_str())
    }
}
