use waybill_schemas::vocabulary::{Classifier, ExceptionKind, Milestone, NoteCode, ReferenceKind};
use waybill_schemas::{
    Customs, Equipment, Exception, OccurrenceTime, Place, Quantity, Reading, Reference, Transport,
};

use std::borrow::Cow;

use crate::codes::Meaning;
use crate::limits;

/// What a message says of one event, in the terms of the shipment model, before it is known whose
/// it is and when it was received. The fields are those of
/// [`waybill_schemas::ShipmentEvent`].
#[derive(Clone, Debug, PartialEq)]
pub struct Draft {
    pub milestone: Milestone,
    pub classifier: Classifier,
    /// The code as sent, its list in front: `EQUIPMENT/LOAD`, `X12/AF`.
    pub raw_code: String,
    pub raw_id: Option<String>,
    /// In the year 2000 if the message does not state the year.
    pub occurred: OccurrenceTime,
    /// What `occurred` lacks; absent if its date is complete. Only the receipt tells it.
    pub year_open: Option<YearOpen>,
    /// When the carrier says it recorded the event, ms UTC.
    pub created_at: Option<i64>,
    /// The document that the event itself is about, if it is about one.
    pub document: Option<Document>,
    pub references: Vec<Reference>,
    /// Number as sent; validate normalises it.
    pub equipment: Option<Equipment>,
    pub place: Option<Place>,
    pub transport: Option<Transport>,
    pub exceptions: Vec<Exception>,
    pub customs: Option<Customs>,
    pub quantities: Vec<Quantity>,
    pub remark: Option<String>,
    pub readings: Vec<Reading>,
    /// The carrier's id of the earlier event that this one declares void.
    pub withdraws: Option<String>,
    pub notes: Vec<Note>,
}

/// What is odd about an event though it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    pub code: NoteCode,
    /// The field or segment that it is about; empty if it is about the event.
    pub about: Cow<'static, str>,
}

/// A date without its year: `16OCT`. `occurred` then has the year 2000, which is a leap year, and
/// validate finds the year by the receipt.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct YearOpen {
    /// The month is not stated either: of `occurred`, which is in January, the day counts.
    pub month_too: bool,
    /// Days to add when the date is known: the day after 28 February is another one in a leap year.
    pub then_days: i8,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// `booking`, `transport_document`, `vgm`, …: from the format's list, so that the same number
    /// under two kinds of document is two documents.
    pub kind: &'static str,
    pub number: String,
}

impl Draft {
    /// An actual event of which nothing more is known yet.
    pub fn new(milestone: Milestone, raw_code: String, occurred: OccurrenceTime) -> Self {
        Self {
            milestone,
            classifier: Classifier::Actual,
            raw_code,
            raw_id: None,
            occurred,
            year_open: None,
            created_at: None,
            document: None,
            references: Vec::new(),
            equipment: None,
            place: None,
            transport: None,
            exceptions: Vec::new(),
            customs: None,
            quantities: Vec::new(),
            remark: None,
            readings: Vec::new(),
            withdraws: None,
            notes: Vec::new(),
        }
    }

    /// An actual event by what the list `list` says of `code`; a code that it does not have is kept
    /// raw, with milestone `other` and the note `unmapped_code`.
    pub fn of_code(
        list: &str,
        code: &str,
        meaning: Option<Meaning>,
        occurred: OccurrenceTime,
    ) -> Self {
        let raw_code = [list, "/", code].concat();
        let mut draft = Self::new(Milestone::Other, raw_code, occurred);
        match meaning {
            Some(meaning) => {
                draft.milestone = meaning.milestone;
                if let Some(kind) = meaning.exception {
                    draft.exception(kind, Some(draft.raw_code.clone()));
                }
            }
            None => draft.note(NoteCode::UnmappedCode),
        }
        draft
    }

    /// About how many bytes of memory it takes, all that it holds included.
    pub(crate) fn bytes(&self) -> usize {
        // Each field is named: a new one has to be thought of here.
        let Self {
            milestone: _,
            classifier: _,
            raw_code,
            raw_id,
            occurred: _,
            year_open: _,
            created_at: _,
            document,
            references,
            equipment,
            place,
            transport,
            exceptions,
            customs,
            quantities,
            remark,
            readings,
            withdraws,
            notes,
        } = self;
        let some = |text: &Option<String>| text.as_ref().map_or(0, String::capacity);
        let all = |texts: &[&Option<String>]| texts.iter().map(|text| some(text)).sum::<usize>();
        let equipment = equipment.as_ref();
        let place = place.as_ref().map_or(0, |p| {
            all(&[&p.unlocode, &p.iata, &p.name, &p.facility, &p.facility_type, &p.city])
                + all(&[&p.region, &p.postal_code, &p.country])
        });
        let transport = transport.as_ref().map_or(0, |t| {
            all(&[&t.vessel_imo, &t.vessel_name, &t.voyage, &t.flight, &t.vehicle, &t.service])
                + some(&t.call_id)
        });
        size_of::<Self>()
            + raw_code.capacity()
            + all(&[raw_id, remark, withdraws])
            + document.as_ref().map_or(0, |document| document.number.capacity())
            + equipment.map_or(0, |unit| unit.number.capacity() + some(&unit.iso_type))
            + place
            + transport
            + customs.as_ref().map_or(0, |customs| all(&[&customs.procedure, &customs.status]))
            + list(references, |reference| reference.value.capacity())
            + list(exceptions, |exception| some(&exception.raw_code))
            + list(quantities, |quantity| quantity.unit.capacity())
            + list(readings, |reading| reading.unit.capacity() + some(&reading.sensor))
            + list(notes, |note| note.about.len())
    }

    /// What its code means; one that no list has leaves it `other`, with the note `unmapped_code`.
    pub fn means(&mut self, milestone: Option<Milestone>) {
        match milestone {
            Some(milestone) => self.milestone = milestone,
            None => self.note(NoteCode::UnmappedCode),
        }
    }

    /// Notes what is odd about the event.
    pub fn note(&mut self, code: NoteCode) {
        self.note_about(code, "");
    }

    /// Notes what is odd about a field or a segment, once. Of very many the first are kept.
    pub fn note_about(&mut self, code: NoteCode, about: impl Into<Cow<'static, str>>) {
        let about = about.into();
        let stands = |note: &Note| note.code == code && note.about == about;
        if self.notes.len() < limits::NOTES && !self.notes.iter().any(stands) {
            self.notes.push(Note { code, about });
        }
    }

    pub fn has_note(&self, code: NoteCode) -> bool {
        self.notes.iter().any(|note| note.code == code)
    }

    pub fn drop_note(&mut self, code: NoteCode) {
        self.notes.retain(|note| note.code != code);
    }

    pub fn exception(&mut self, kind: ExceptionKind, raw_code: Option<String>) {
        self.exceptions.push(Exception { kind, raw_code });
    }

    /// Adds a reference, once; one without a value is none.
    pub fn reference(&mut self, kind: ReferenceKind, value: &str) {
        let value = value.trim();
        if !value.is_empty() && !self.references.iter().any(|r| r.kind == kind && r.value == value)
        {
            self.references.push(Reference { kind, value: value.to_owned() });
        }
    }
}

/// Bytes of a list, and of what its elements hold.
fn list<T>(items: &Vec<T>, held: impl Fn(&T) -> usize) -> usize {
    items.capacity() * size_of::<T>() + items.iter().map(held).sum::<usize>()
}
