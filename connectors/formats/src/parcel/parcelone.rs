//! ParcelOne, tracking (REST): `results` of one number.

use waybill_schemas::Place;
use waybill_schemas::vocabulary::{Mode, ReferenceKind};
use waybill_stage::Reject;

use super::package::{Package, some_place};
use crate::codes::{CodeList, code_list};
use crate::time;
use crate::tree::{self, Out, Tree};
use crate::{Draft, Parts, limits};

pub const MEDIA_TYPE: &str = "application/vnd.parcelone.tracking+json";

/// Reads a tracking answer.
pub fn read(payload: &[u8], parts: &mut Parts) -> Result<(), Reject> {
    tree::json(payload, parts, answer)
}

pub(crate) fn looks_like(text: &str) -> bool {
    text.contains("\"success\"") && text.contains("\"results\"") && text.contains("\"Events\"")
}

fn answer(root: Tree<'_>, out: &mut Out<'_>) -> Result<(), Reject> {
    if root.text("success").is_some_and(|success| success != "1" && success != "true") {
        return Err(root.carrier_error());
    }
    for result in root.each("results") {
        out.package(result, |out| result_of(result, out));
    }
    Ok(())
}

fn result_of(result: Tree<'_>, out: &mut Out<'_>) -> Result<(), Reject> {
    if result.each("Events").next().is_none() {
        return Err(result.no_event());
    }
    let numbers = ["CarrierTrackingID", "TrackingID"];
    let mut package = Package::numbered(Mode::Parcel, result, &numbers)?;
    package.reference(ReferenceKind::TrackingNumber, result, "TrackingID")?;
    for event in result.each("Events") {
        out.push(event, event_of(&package, event));
    }
    Ok(())
}

fn event_of(package: &Package, event: Tree<'_>) -> Result<Draft, Reject> {
    let code = event.required("StatusCode", limits::CODE)?;
    let mut draft = package.coded(&STATUSES, code, event.time_by("DateTime", time::read)?);
    // `Munich, Germany`, `Munich Hub`: a name, of which nobody says what it is the name of.
    draft.place = some_place(Place { name: event.name("Location"), ..Place::default() });
    draft.remark = event.clipped("Description", limits::REMARK);
    Ok(draft)
}

pub static STATUSES: CodeList = code_list!("parcelone", "PARCELONE", "ParcelOne status code");
