//! Maersk, what its own tracking answers with (not its DCSA interface): containers, the places that each
//! passes, and the events of each place. In two forms: of 2022, where an event has an `actual_time`, an
//! `expected_time` or both, and the present one, where it has an `event_time` and says of which kind that
//! is.
//!
//! `eta_final_delivery` of a container is no event of its own: the expected events of the last place have
//! the same time.

use waybill_identifiers::unlocode;
use waybill_schemas::vocabulary::{Classifier, Milestone as M, Mode, NoteCode, ReferenceKind};
use waybill_schemas::{Equipment, OccurrenceTime, Place, Transport};
use waybill_stage::Reject;

use super::container;
use crate::codes::{CodeList, code_list};
use crate::parcel::package::{facility, some_place, told};
use crate::tree::{self, Out, Tree};
use crate::{Draft, Parts, limits, time};

pub const MEDIA_TYPE: &str = "application/vnd.maersk.tracking+json";

/// Reads a tracking answer.
pub fn read(text: &str, parts: &mut Parts) -> Result<(), Reject> {
    tree::json(text, parts, answer)
}

pub(crate) fn looks_like(text: &str) -> bool {
    text.contains("\"container_num\"")
        && (text.contains("\"stempty\"") || text.contains("\"geo_site\""))
        || text.contains("\"isContainerSearch\"")
        || text.contains("\"is_container_search\"")
}

fn answer(root: Tree<'_>, out: &mut Out<'_>) -> Result<(), Reject> {
    if !root.has("containers") && (root.has("error") || root.has("message")) {
        return Err(root.carrier_error());
    }
    for sent in root.each("containers") {
        out.package(sent, |out| {
            let unit = container(sent, "container_num", iso_type(sent))?;
            for place in sent.each("locations") {
                for event in place.each("events") {
                    out.push(event, event_of(root, &unit, place, event));
                }
            }
            Ok(())
        });
    }
    Ok(())
}

fn iso_type(sent: Tree<'_>) -> Option<String> {
    sent.text("iso_code").filter(|code| code.len() == 4).map(str::to_owned)
}

fn event_of(
    root: Tree<'_>,
    unit: &Equipment,
    at: Tree<'_>,
    event: Tree<'_>,
) -> Result<Draft, Reject> {
    let code = event.required("activity", limits::CODE)?;
    let (occurred, classifier) = moment(event)?;
    let mut draft = Draft::of_code(EVENTS.prefix, code, EVENTS.find(code), occurred);
    match classifier {
        Some(classifier) => draft.classifier = classifier,
        None => draft.note_about(NoteCode::ClassifierAssumed, "event_time_type"),
    }
    let empty = event.text("stempty").map(|empty| empty.eq_ignore_ascii_case("true"));
    match (draft.milestone, empty) {
        (M::GateOut, Some(true)) => told(&mut draft, M::EmptyPickedUp),
        (M::GateIn, Some(true)) => told(&mut draft, M::EmptyReturned),
        _ => {}
    }
    draft.equipment = Some(Equipment { empty, ..unit.clone() });
    let path = "eventId";
    if let Some(id) = event.text(path) {
        draft.raw_id = Some(event.short(path, id, limits::EVENT_ID)?.to_owned());
    }
    let path = "tpdoc_num";
    if let Some(number) = root.text(path) {
        let number = root.short(path, number, limits::ID)?;
        draft.reference(ReferenceKind::TransportDocument, number);
    }
    draft.place = some_place(place_of(at));
    draft.transport = Some(Transport {
        mode: mode(event, draft.milestone),
        vessel_name: event.name("vessel_name"),
        voyage: event.name("voyage_num").or_else(|| event.name("voyage")),
        ..Transport::default()
    });
    if event.text("is_cancelled") == Some("true") {
        draft.milestone = M::Withdrawn;
        draft.withdraws = draft.raw_id.take();
    }
    Ok(draft)
}

/// When, and whether it has happened. What happened goes before what was expected of it; a time of which
/// nothing is said is for validate to judge, by the receipt.
fn moment(event: Tree<'_>) -> Result<(OccurrenceTime, Option<Classifier>), Reject> {
    for (path, classifier) in
        [("actual_time", Classifier::Actual), ("expected_time", Classifier::Estimated)]
    {
        if event.text(path).is_some() {
            return Ok((event.time_by(path, time::read)?, Some(classifier)));
        }
    }
    let kind = event.text("event_time_type").unwrap_or_default();
    let classifier = match kind.to_ascii_uppercase().as_str() {
        "ACTUAL" => Some(Classifier::Actual),
        "EXPECTED" | "ESTIMATED" => Some(Classifier::Estimated),
        "PLANNED" => Some(Classifier::Planned),
        _ => None,
    };
    Ok((event.time_by("event_time", time::read)?, classifier))
}

/// By Maersk's code, or by what only happens on a vessel.
fn mode(event: Tree<'_>, milestone: M) -> Option<Mode> {
    match event.text("transport_mode").unwrap_or_default() {
        "MVS" | "FEO" | "FEF" | "VSL" | "VSF" | "VSM" => return Some(Mode::Ocean),
        "BAR" | "BCO" => return Some(Mode::Barge),
        "RR" | "RCO" | "RIL" => return Some(Mode::Rail),
        "TRK" => return Some(Mode::Road),
        _ => {}
    }
    let code = event.text("activity").unwrap_or_default();
    let by_rail = ["RAIL", "ON-RAIL", "OFF-RAIL"].iter().any(|rail| code.starts_with(rail));
    let aboard = matches!(milestone, M::Loaded | M::Discharged | M::Departed | M::Arrived);
    match (by_rail, aboard && event.text("vessel_name").is_some()) {
        (true, _) => Some(Mode::Rail),
        (false, true) => Some(Mode::Ocean),
        (false, false) => None,
    }
}

fn place_of(at: Tree<'_>) -> Place {
    // `MAPTM02`: a UN/LOCODE, and which terminal there.
    let port = at.text("location_code").and_then(|code| code.get(..5));
    Place {
        unlocode: port.and_then(|code| unlocode::read(code).ok()),
        name: at.name("terminal"),
        city: at.name("city"),
        region: at.name("state"),
        country: at.name("country_code").or_else(|| at.name("country")),
        facility: facility("MAERSK", at, "location_code"),
        ..Place::default()
    }
}

pub static EVENTS: CodeList = code_list!("maersk", "MAERSK", "Maersk activity");
