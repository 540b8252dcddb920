//! SEKO (OmniParcel), tracking (REST): a list of consignments. `OmniCode` is SEKO's code of an
//! event; `Code` is the last carrier's own.

pub mod codes;

use waybill_schemas::vocabulary::{Mode, ReferenceKind};
use waybill_stage::Reject;

pub use self::codes::EVENTS;
use super::package::{Package, city_and_country, some_place};
use crate::time;
use crate::tree::{self, Out, Tree};
use crate::{Draft, Parts, limits};

pub const MEDIA_TYPE: &str = "application/vnd.seko.tracking+json";

/// Reads a tracking answer.
pub fn read(payload: &[u8], parts: &mut Parts) -> Result<(), Reject> {
    tree::json(payload, parts, answer)
}

pub(crate) fn looks_like(text: &str) -> bool {
    text.contains("\"OmniCode\"") || text.contains("\"Errors\"") && text.contains("\"Property\"")
}

fn answer(root: Tree<'_>, out: &mut Out<'_>) -> Result<(), Reject> {
    if !root.is_list() && root.has("Errors") {
        return Err(root.carrier_error());
    }
    for consignment in root.each("") {
        out.package(consignment, |out| consignment_of(consignment, out));
    }
    Ok(())
}

fn consignment_of(consignment: Tree<'_>, out: &mut Out<'_>) -> Result<(), Reject> {
    let mut package = Package::numbered(Mode::Parcel, consignment, &["ConsignmentNo"])?;
    for reference in ["Reference1", "Reference2"] {
        package.reference(ReferenceKind::CustomerReference, consignment, reference)?;
    }
    for event in consignment.each("Events") {
        out.push(event, event_of(&package, event));
    }
    Ok(())
}

fn event_of(package: &Package, event: Tree<'_>) -> Result<Draft, Reject> {
    let path = if event.has("OmniCode") { "OmniCode" } else { "Code" };
    let code = event.required(path, limits::CODE)?;
    let mut draft = package.coded(&EVENTS, code, event.time_by("EventDT", time::read)?);
    draft.place = event.text("Location").and_then(|text| some_place(city_and_country(text)));
    draft.remark = event.clipped("Description", limits::REMARK);
    Ok(draft)
}
