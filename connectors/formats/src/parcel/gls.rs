//! GLS, Track and Trace (REST): `parcels` with their events. A code is a group and a detail, with a
//! point between; the group tells the milestone. (`INTIAL` is GLS's spelling.)

use waybill_schemas::Place;
use waybill_schemas::vocabulary::Mode;
use waybill_stage::Reject;

use super::package::{PHRASE, Package, some_place};
use crate::codes::{CodeList, code_list};
use crate::time;
use crate::tree::{self, Out, Tree};
use crate::{Draft, Parts, limits};

pub const MEDIA_TYPE: &str = "application/vnd.gls.tracking+json";

/// Reads a tracking answer.
pub fn read(payload: &[u8], parts: &mut Parts) -> Result<(), Reject> {
    tree::json(payload, parts, answer)
}

pub(crate) fn looks_like(text: &str) -> bool {
    text.contains("\"parcels\"") && text.contains("\"requested\"")
}

fn answer(root: Tree<'_>, out: &mut Out<'_>) -> Result<(), Reject> {
    for parcel in root.each("parcels") {
        out.package(parcel, |out| parcel_of(parcel, out));
    }
    Ok(())
}

fn parcel_of(parcel: Tree<'_>, out: &mut Out<'_>) -> Result<(), Reject> {
    if parcel.has("errorCode") {
        return Err(parcel.carrier_error());
    }
    let package = Package::numbered(Mode::Parcel, parcel, &["unitno", "requested"])?;
    for event in parcel.each("events") {
        out.push(event, event_of(&package, event));
    }
    Ok(())
}

fn event_of(package: &Package, event: Tree<'_>) -> Result<Draft, Reject> {
    let code = event.required("code", PHRASE)?;
    let group = code.split_once('.').map_or(code, |(group, _)| group);
    let meaning = EVENTS.find(code).or_else(|| EVENTS.find(group));
    let occurred = event.time_by("eventDateTime", time::read)?;
    let mut draft = package.event(&EVENTS, code, meaning, occurred);
    draft.place = some_place(Place {
        city: event.name("city"),
        postal_code: event.name("postalCode"),
        country: event.name("country"),
        ..Place::default()
    });
    draft.remark = event.clipped("description", limits::REMARK);
    Ok(draft)
}

pub static EVENTS: CodeList = code_list!("gls", "GLS", "GLS event code, or its group");
