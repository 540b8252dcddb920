//! CMA CGM, what its own tracking answers with (not its DCSA interface): a container, and its moves in three
//! lists, of which the last has those that lie ahead.
//!
//! A move's `Date` is its wall clock read in the zone of CMA CGM's servers, whatever the place: it is no
//! moment. Its `DateString` and `TimeString` have the wall clock itself.

use waybill_identifiers::{imo, unlocode};
use waybill_schemas::vocabulary::{Classifier, Mode, NoteCode, ReferenceKind};
use waybill_schemas::{Equipment, OccurrenceTime, Place, Transport};
use waybill_stage::Reject;

use super::container;
use crate::codes::{CodeList, code_list};
use crate::parcel::package::{PHRASE, some_place};
use crate::tree::{self, Out, Tree};
use crate::{Draft, Parts, limits, time};

pub const MEDIA_TYPE: &str = "application/vnd.cma-cgm.tracking+json";

/// The lists of moves, and what their moves are if they do not say it.
const LISTS: &[(&str, Classifier)] = &[
    ("PastMoves", Classifier::Actual),
    ("CurrentMoves", Classifier::Actual),
    ("ProvisionalMoves", Classifier::Estimated),
];

/// Reads a tracking answer: of one container, or a list of them.
pub fn read(text: &str, parts: &mut Parts) -> Result<(), Reject> {
    tree::json(text, parts, answer)
}

pub(crate) fn looks_like(text: &str) -> bool {
    text.contains("\"ContainerReference\"")
        && (text.contains("Moves\"") || text.contains("\"NotFoundContainer\""))
}

fn answer(root: Tree<'_>, out: &mut Out<'_>) -> Result<(), Reject> {
    for sent in root.each("") {
        out.package(sent, |out| container_of(sent, out));
    }
    Ok(())
}

fn container_of(sent: Tree<'_>, out: &mut Out<'_>) -> Result<(), Reject> {
    if sent.each("NotFoundContainer").any(|missed| missed.text("").is_some()) {
        return Err(sent.carrier_error());
    }
    let unit = container(sent, "ContainerReference", iso_type(sent))?;
    for (list, classifier) in LISTS {
        for event in sent.each(list) {
            out.push(event, event_of(sent, &unit, event, *classifier));
        }
    }
    Ok(())
}

/// `42` and `G1`.
fn iso_type(sent: Tree<'_>) -> Option<String> {
    let (size, kind) = sent.text("Size").zip(sent.text("Type"))?;
    (size.len() == 2 && kind.len() == 2).then(|| [size, kind].concat())
}

fn event_of(
    sent: Tree<'_>,
    unit: &Equipment,
    event: Tree<'_>,
    listed: Classifier,
) -> Result<Draft, Reject> {
    // In the language that was asked for, and its number, which is the same in all.
    let number = event.text("Status").filter(|number| number.len() <= limits::CODE);
    let code = match event.text("StatusDescription") {
        Some(words) => event.short("StatusDescription", words, PHRASE)?,
        None => number.ok_or_else(|| event.missing("StatusDescription"))?,
    };
    let meaning = EVENTS.find(code).or_else(|| EVENTS.find(number?));
    let (occurred, odd) = moment(event)?;
    let mut draft = Draft::of_code(EVENTS.prefix, code, meaning, occurred);
    if let Some(field) = odd {
        draft.note_about(NoteCode::OddField, field);
    }
    draft.classifier = match event.text("State").unwrap_or_default() {
        "DONE" | "CURRENT" => Classifier::Actual,
        "NONE" => Classifier::Estimated,
        _ => listed,
    };
    draft.equipment = Some(unit.clone());
    for (kind, path) in
        [(ReferenceKind::BillOfLading, "BLNumber"), (ReferenceKind::Booking, "BookingNumber")]
    {
        if let Some(number) = sent.text(path) {
            draft.reference(kind, sent.short(path, number, limits::ID)?);
        }
    }
    draft.place = some_place(place_of(event));
    draft.transport = Some(Transport {
        mode: mode(event),
        vessel_imo: event.text("VesselId").filter(|id| imo::is_valid(id)).map(str::to_owned),
        vessel_name: event.name("Vessel"),
        voyage: event.name("Voyage"),
        ..Transport::default()
    });
    Ok(draft)
}

/// `Tuesday,02-DEC-2025` and `08:12 AM`, or else the date alone, which has the wall clock where it is written
/// as one; and the field that is not as it is to be.
fn moment(event: Tree<'_>) -> Result<(OccurrenceTime, Option<&'static str>), Reject> {
    let day = event.text("DateString").filter(|day| day.len() <= limits::NAME);
    let clock = event.text("TimeString").filter(|clock| clock.len() <= limits::NAME);
    if let Some(day) = day.map(|day| day.rsplit_once(',').map_or(day, |(_, day)| day)) {
        if let Some(at) = time::joined(day, clock) {
            return Ok((at, None));
        }
        if let Some(at) = time::read(day) {
            return Ok((at, Some("TimeString")));
        }
    }
    // The first day of the year 1, .NET's zero, is no date.
    if event.text("Date").is_some_and(|date| date.contains("(-62135")) {
        return Err(event.missing("DateString"));
    }
    let at = event.time_by("Date", time::read)?;
    Ok((at, at.offset_minutes.map(|_| "DateString")))
}

fn mode(event: Tree<'_>) -> Option<Mode> {
    match event.text("ModeOfTransport")?.to_ascii_uppercase().as_str() {
        "VESSEL" => Some(Mode::Ocean),
        "BARGE" => Some(Mode::Barge),
        "RAIL" => Some(Mode::Rail),
        "TRUCK" => Some(Mode::Road),
        _ => None,
    }
}

fn place_of(event: Tree<'_>) -> Place {
    // `ITAGUAI, RJ`.
    let located = event.name("Location").unwrap_or_default();
    let (city, region) = match located.rsplit_once(',') {
        Some((city, region)) => (city.trim(), Some(region.trim().to_owned())),
        None => (located.as_str(), None),
    };
    Place {
        unlocode: event.text("LocationCode").and_then(|code| unlocode::read(code).ok()),
        name: event.name("LocationTerminal"),
        city: (!city.is_empty()).then(|| city.to_owned()),
        region: region.filter(|region| !region.is_empty()),
        ..Place::default()
    }
}

pub static EVENTS: CodeList = code_list!("cma-cgm", "CMACGM", "CMA CGM move, or its number");
