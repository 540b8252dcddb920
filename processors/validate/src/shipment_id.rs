//! What an event's shipment is known by: `{carrier}/{unit}`, or, where the event names no unit,
//! `{carrier}/{kind of document}:{number}`. It is the key on `waybill.valid` and after. Which of the
//! unit's shipments it is, the state of the unit tells (`identity.rs` of aggregate).
//!
//! | the event names | key |
//! |---|---|
//! | a unit | `acme-line/CSQU3054383` |
//! | no unit, and is itself about a document | `acme-line/booking:WB4471902` |
//! | neither, but one container among its references | that container's |
//! | no single container, but a document of [`PREFERENCE`] | the first of these |
//! | nothing of all that | the handle that the carrier has sealed it under (`sub`): `acme/handle:…` |
//!
//! No two of these are one text: a carrier's id has no `/`, and in a unit's number `/`, `:` and `%` are
//! written as RFC 3986 (section 2.1) writes them, `%2F`, `%3A` and `%25`. So the first `/` ends the carrier,
//! and what has a `:` behind it is a document.

use std::borrow::Cow;

use waybill_formats::Draft;
use waybill_identifiers::iso6346;
use waybill_schemas::Provenance;
use waybill_schemas::vocabulary::ReferenceKind;
use waybill_stage::{Code, Reject};

/// Documents that stand for a shipment, the one that is known earliest first. Purchase orders and
/// the parties' own references do not: one of them may name many shipments.
pub(crate) const PREFERENCE: &[ReferenceKind] = &[
    ReferenceKind::Booking,
    ReferenceKind::BillOfLading,
    ReferenceKind::TransportDocument,
    ReferenceKind::ShippingInstruction,
    ReferenceKind::AirWaybill,
    ReferenceKind::Pro,
    ReferenceKind::TrackingNumber,
    ReferenceKind::ArrivalNotice,
];

pub(crate) fn of(provenance: &Provenance, draft: &Draft) -> Result<String, Reject> {
    let carrier_id = provenance.carrier_id.as_str();
    if let Some(unit) = &draft.equipment {
        return Ok([carrier_id, "/", &escaped(&unit.number)].concat());
    }
    if let Some(document) = &draft.document {
        return Ok([carrier_id, "/", document.kind, ":", &document.number].concat());
    }
    if let Some(container) = only_container(draft) {
        return Ok([carrier_id, "/", &escaped(&container)].concat());
    }
    PREFERENCE
        .iter()
        .find_map(|kind| draft.references.iter().find(|r| r.kind == *kind))
        .map(|document| (document.kind.as_str(), &document.value))
        .or_else(|| Some(("handle", &provenance.handle)).filter(|(_, handle)| !handle.is_empty()))
        .map(|(kind, number)| [carrier_id, "/", kind, ":", number].concat())
        .ok_or_else(|| {
            let detail = "names no unit and no document, so its shipment is not known";
            Reject::new(Code::MissingField, detail).because("no_shipment")
        })
}

/// A unit's number, without what would end it. Real ones are letters and digits.
fn escaped(number: &str) -> Cow<'_, str> {
    if !number.contains(['/', ':', '%']) {
        return Cow::Borrowed(number);
    }
    Cow::Owned(number.replace('%', "%25").replace('/', "%2F").replace(':', "%3A"))
}

/// The container among the references, if it is one and no more.
fn only_container(draft: &Draft) -> Option<Cow<'_, str>> {
    let mut containers = draft
        .references
        .iter()
        .filter(|r| r.kind == ReferenceKind::Container)
        .map(|r| iso6346::normalise(&r.value));
    let first = containers.next()?;
    containers.all(|other| other == first).then_some(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unit_is_no_document_and_no_other_carriers_unit() {
        for (number, expected) in [
            ("CSQU3054383", "CSQU3054383"),
            ("booking:WB1", "booking%3AWB1"),
            ("X/9c1f03ab", "X%2F9c1f03ab"),
            ("X%2F9c1f03ab", "X%252F9c1f03ab"),
        ] {
            assert_eq!(escaped(number), expected);
        }
    }
}
