//! Which shipment an event belongs to. A document is one shipment. A unit is many: a container
//! that carries two bookings in a year is two shipments, and most messages name only the container.
//!
//! An event of a unit belongs to
//!
//! | | the shipment of this unit |
//! |---|---|
//! | 1 | that has a copy of it already, or another word on what the carrier calls by the same id |
//! | 2 | that names one of its documents (booking, bill of lading, transport document, …) |
//! | 3 | that is the nearest in time, if it can be of it |
//! | 4 | a new one, if there is none |
//!
//! It cannot be of a shipment that has another booking; nor of one whose events lie more than 60
//! days before or 30 days after it; nor of one whose unit had come back empty before, or was picked
//! up empty after it. A bill of lading that is new does not make a new shipment: one container
//! often has several.
//!
//! The shipment's id is the unit's, `/`, and a hash of the booking (else of the first document; else
//! the day of the event) that it began with: `acme-line/CSQU3054383/9c1f03ab`. A hash, so
//! that a list of shipments tells no document's number. It never changes: what is learned later, such as the booking of a
//! unit that was first seen at a gate, joins the shipment as it is. Which events a shipment has hangs on the order in which they arrived only where the
//! messages themselves leave it open.

use std::sync::Arc;

use jiff::Timestamp;
use sha2::{Digest, Sha256};
use waybill_schemas::vocabulary::ReferenceKind;
use waybill_schemas::{EnrichedEvent, Reference};

use crate::DAY_MS;

/// A unit at sea is silent for weeks.
const AFTER_MS: i64 = 60 * DAY_MS;
const BEFORE_MS: i64 = 30 * DAY_MS;

/// Documents of one shipment that are kept: more tell no more.
const DOCUMENTS: usize = 16;

/// Kinds of documents that tie a unit's events together. What parties call a shipment does not: one
/// purchase order is in many containers.
const TIES: [ReferenceKind; 4] = [
    ReferenceKind::Booking,
    ReferenceKind::BillOfLading,
    ReferenceKind::TransportDocument,
    ReferenceKind::ShippingInstruction,
];

/// What ties a shipment's events together. Ascending, each once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Documents(Vec<Reference>);

impl Documents {
    pub(crate) fn of(references: &[Reference]) -> Self {
        let mut documents = Self::default();
        references.iter().for_each(|reference| documents.add(reference));
        documents
    }

    pub(crate) fn add(&mut self, reference: &Reference) {
        if !TIES.contains(&reference.kind) || self.0.len() >= DOCUMENTS {
            return;
        }
        let order =
            |known: &Reference| (known.kind, &known.value).cmp(&(reference.kind, &reference.value));
        if let Err(at) = self.0.binary_search_by(order) {
            self.0.insert(at, reference.clone());
        }
    }

    pub(crate) fn as_slice(&self) -> &[Reference] {
        &self.0
    }

    /// Whether one of `references` is among them.
    fn have(&self, references: &[Reference]) -> bool {
        references.iter().any(|reference| self.0.contains(reference))
    }

    /// What a new shipment of `unit` is named by: the first 32 bits of SHA-256 over unit, kind and
    /// number of the document that ties best, in hexadecimal digits.
    fn name(&self, unit: &str) -> Option<String> {
        let of_kind = |kind: &ReferenceKind| self.0.iter().find(|document| document.kind == *kind);
        let document = TIES.iter().find_map(of_kind)?;
        let text = [unit, "/", document.kind.as_str(), ":", &document.value].concat();
        Some(Sha256::digest(text).iter().take(4).map(|byte| format!("{byte:02x}")).collect())
    }

    pub(crate) fn heap_bytes(&self) -> usize {
        let texts: usize = self.0.iter().map(|document| document.value.capacity()).sum();
        self.0.capacity() * size_of::<Reference>() + texts
    }
}

/// When a shipment of a unit can have had events, ms UTC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) first: Option<i64>,
    pub(crate) last: Option<i64>,
    /// When the unit was first picked up empty, and last returned empty.
    pub(crate) picked_up: Option<i64>,
    pub(crate) returned: Option<i64>,
}

impl Span {
    /// How far outside of it that is, ms; `None` if it cannot be of it.
    fn distance(&self, at: i64) -> Option<i64> {
        let (first, last) = (self.first?, self.last?);
        let possible = at >= first.saturating_sub(BEFORE_MS)
            && at <= last.saturating_add(AFTER_MS)
            && self.returned.is_none_or(|returned| at <= returned)
            && self.picked_up.is_none_or(|picked_up| at >= picked_up);
        possible.then(|| first.saturating_sub(at).max(at.saturating_sub(last)).max(0))
    }
}

/// What is asked of a shipment of the unit.
pub(crate) struct Known<'a> {
    pub id: &'a Arc<str>,
    pub has_it: bool,
    pub documents: &'a Documents,
    pub span: Span,
}

/// The shipment, of those of its unit, that the event belongs to.
pub(crate) fn choose<'a>(
    known: impl Iterator<Item = Known<'a>>,
    references: &[Reference],
    occurred_at: i64,
) -> Option<&'a Arc<str>> {
    let mut tied: Option<(i64, &Arc<str>)> = None;
    let mut near: Option<(i64, &Arc<str>)> = None;
    for shipment in known {
        if shipment.has_it {
            return Some(shipment.id);
        }
        let distance = shipment.span.distance(occurred_at);
        if shipment.documents.have(references) {
            let distance = distance.unwrap_or(i64::MAX);
            if tied.is_none_or(|(best, _)| distance <= best) {
                tied = Some((distance, shipment.id));
            }
        } else if let Some(distance) = distance
            && !(name_booking(references) && name_booking(shipment.documents.as_slice()))
            && near.is_none_or(|(best, _)| distance <= best)
        {
            near = Some((distance, shipment.id));
        }
    }
    tied.or(near).map(|(_, id)| id)
}

fn name_booking(references: &[Reference]) -> bool {
    references.iter().any(|reference| reference.kind == ReferenceKind::Booking)
}

/// The id of a shipment of the unit that begins with this event. The second that begins on a day is
/// `2026-01-20.2`.
pub(crate) fn new_id(
    unit: &str,
    references: &[Reference],
    occurred_at: i64,
    is_taken: impl Fn(&str) -> bool,
) -> Arc<str> {
    let day = || {
        Timestamp::from_millisecond(occurred_at)
            .map_or_else(|_| occurred_at.to_string(), |at| at.strftime("%Y-%m-%d").to_string())
    };
    let name = Documents::of(references).name(unit).unwrap_or_else(day);
    let id = [unit, "/", &name].concat();
    let first = (!is_taken(&id)).then(|| id.clone());
    let next = || (2_u32..).map(|n| format!("{id}.{n}")).find(|id| !is_taken(id));
    first.or_else(next).unwrap_or(id).into()
}

/// Whether the event's shipment id, as validate gave it, is that of a unit, `carrier/number`: one by
/// document is `carrier/kind:number`.
pub(crate) fn is_of_unit(event: &EnrichedEvent) -> bool {
    names_unit(&event.event.shipment_id)
}

fn names_unit(id: &str) -> bool {
    let Some((_, rest)) = id.split_once('/') else { return false };
    let is_kind = |kind: &str| kind.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    !rest.split_once(':').is_some_and(|(kind, _)| is_kind(kind))
}

/// The shipment id that validate gave the events of this shipment, by which they are partitioned: of a
/// shipment of a unit, the unit's. (Carriers' ids and units' numbers have no `/`.)
pub fn key_of_events(shipment_id: &str) -> &str {
    let unit = shipment_id.rsplit_once('/').map(|(unit, _)| unit).filter(|unit| unit.contains('/'));
    unit.filter(|_| names_unit(shipment_id)).unwrap_or(shipment_id)
}
