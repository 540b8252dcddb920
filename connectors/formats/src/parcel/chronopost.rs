//! Chronopost, `trackSkybillV2` (SOAP).

use waybill_schemas::Place;
use waybill_schemas::vocabulary::{Mode, ReferenceKind};
use waybill_stage::Reject;

use super::package::{Package, some_place};
use crate::codes::{CodeList, code_list};
use crate::time;
use crate::tree::{self, Out, Tree};
use crate::{Draft, Parts, limits};

pub const MEDIA_TYPE: &str = "application/vnd.chronopost.tracking+xml";

/// Reads a tracking answer.
pub fn read(payload: &[u8], parts: &mut Parts) -> Result<(), Reject> {
    tree::xml(payload, parts, response)
}

pub(crate) fn looks_like(text: &str) -> bool {
    text.contains("tracking.soap.chronopost.fr")
}

fn response(root: Tree<'_>, out: &mut Out<'_>) -> Result<(), Reject> {
    for result in root.each("return") {
        out.package(result, |out| result_of(result, out));
    }
    Ok(())
}

fn result_of(result: Tree<'_>, out: &mut Out<'_>) -> Result<(), Reject> {
    if result.text("errorCode").is_some_and(|code| code != "0") {
        return Err(result.carrier_error());
    }
    let list = result.at("listEventInfoComp").ok_or_else(|| result.no_event())?;
    let mut package = Package::numbered(Mode::Parcel, list, &["skybillNumber"])?;
    for event in list.each("events") {
        // The number under which the partner abroad carries it.
        for more in event.each("infoCompList") {
            if more.text("name") == Some("Partner number") {
                package.reference(ReferenceKind::TrackingNumber, more, "value")?;
            }
        }
    }
    for event in list.each("events") {
        out.push(event, event_of(&package, event));
    }
    Ok(())
}

fn event_of(package: &Package, event: Tree<'_>) -> Result<Draft, Reject> {
    let code = event.required("code", limits::CODE)?;
    let mut draft = package.coded(&EVENTS, code, event.time_by("eventDate", time::read)?);
    draft.place = some_place(Place {
        name: event.name("officeLabel"),
        postal_code: event.name("zipCode"),
        ..Place::default()
    });
    draft.remark = event.clipped("eventLabel", limits::REMARK);
    Ok(draft)
}

/// As far as known; Chronopost publishes no list.
pub static EVENTS: CodeList = code_list!("chronopost", "CHRONOPOST", "Chronopost event code");
