//! Stamps.com, `TrackShipment` (SWS/IM, SOAP). The answer does not repeat the number, so that its
//! events name no shipment.

use waybill_schemas::Place;
use waybill_schemas::vocabulary::Mode;
use waybill_stage::Reject;

use super::package::{PHRASE, Package, some_place};
use crate::codes::{CodeList, code_list};
use crate::time;
use crate::tree::{self, Out, Tree};
use crate::{Draft, Parts, limits};

pub const MEDIA_TYPE: &str = "application/vnd.stamps.tracking+xml";

/// Reads a tracking answer.
pub fn read(payload: &[u8], parts: &mut Parts) -> Result<(), Reject> {
    tree::xml(payload, parts, response)
}

pub(crate) fn looks_like(text: &str) -> bool {
    text.contains("http://stamps.com/xml/namespace/") && text.contains("<TrackingEvent")
}

fn response(root: Tree<'_>, out: &mut Out<'_>) -> Result<(), Reject> {
    if !root.is("TrackShipmentResponse") {
        return Err(root.missing("TrackShipmentResponse"));
    }
    let package = Package::new(Mode::Post);
    for event in root.each("TrackingEvents/TrackingEvent") {
        out.push(event, event_of(&package, event));
    }
    Ok(())
}

fn event_of(package: &Package, event: Tree<'_>) -> Result<Draft, Reject> {
    let code = event.required("TrackingEventType", PHRASE)?;
    let mut draft = package.coded(&EVENTS, code, event.time_by("Timestamp", time::read)?);
    draft.place = some_place(Place {
        city: event.name("City"),
        region: event.name("State"),
        postal_code: event.name("Zip"),
        country: event.name("Country"),
        ..Place::default()
    });
    draft.remark = event.clipped("Event", limits::REMARK);
    Ok(draft)
}

pub static EVENTS: CodeList = code_list!("stamps", "STAMPS", "Stamps.com tracking event type");
