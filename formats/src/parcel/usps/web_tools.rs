//! USPS Web Tools, Track & Confirm Fields (XML): `TrackResponse`.

use waybill_schemas::vocabulary::Mode;
use waybill_schemas::{OccurrenceTime, Place};
use waybill_stage::Reject;

use super::{EVENTS, domestic};
use crate::parcel::package::{PHRASE, Package, some_place};
use crate::time;
use crate::tree::{self, Out, Tree};
use crate::{Draft, Parts, limits};

pub const MEDIA_TYPE: &str = "application/vnd.usps.tracking+xml";

/// Reads a tracking answer of the Web Tools.
pub fn read(text: &str, parts: &mut Parts) -> Result<(), Reject> {
    tree::xml(text, parts, response)
}

pub(crate) fn looks_like(text: &str) -> bool {
    text.contains("<TrackResponse") && text.contains("<TrackInfo")
        || text.contains("<Error>") && text.contains("<Number>")
}

fn response(root: Tree<'_>, out: &mut Out<'_>) -> Result<(), Reject> {
    if root.is("Error") {
        return Err(root.carrier_error());
    }
    if !root.is("TrackResponse") {
        return Err(root.missing("TrackResponse"));
    }
    for info in root.each("TrackInfo") {
        out.package(info, |out| info_of(info, out));
    }
    Ok(())
}

fn info_of(info: Tree<'_>, out: &mut Out<'_>) -> Result<(), Reject> {
    if info.has("Error") {
        return Err(info.carrier_error());
    }
    let mut package = Package::numbered(Mode::Post, info, &["@ID"])?;
    package.service(info.name("Class"));
    // The last event, then those before it.
    for event in info.each("TrackSummary").chain(info.each("TrackDetail")) {
        out.push(event, event_of(&package, event));
    }
    let path = ["PredictedDeliveryDate", "ExpectedDeliveryDate"];
    let path = path.into_iter().find(|path| info.text(path).is_some());
    let estimated = path.map(|path| info.time_by(path, time::month_first));
    let to = Place {
        city: info.name("DestinationCity"),
        region: info.name("DestinationState"),
        postal_code: info.name("DestinationZip"),
        country: info.name("DestinationCountryCode").or_else(|| domestic(info, "DestinationZip")),
        ..Place::default()
    };
    package.estimate(out, info, &EVENTS, estimated, to);
    Ok(())
}

fn event_of(package: &Package, event: Tree<'_>) -> Result<Draft, Reject> {
    let path = if event.has("EventCode") { "EventCode" } else { "Event" };
    let code = event.required(path, PHRASE)?;
    let mut draft = package.coded(&EVENTS, code, occurred(event)?);
    draft.place = some_place(Place {
        city: event.name("EventCity"),
        region: event.name("EventState"),
        postal_code: event.name("EventZIPCode"),
        country: event.name("EventCountry").or_else(|| domestic(event, "EventZIPCode")),
        ..Place::default()
    });
    draft.remark = event.clipped("Event", limits::REMARK);
    Ok(draft)
}

fn occurred(event: Tree<'_>) -> Result<OccurrenceTime, Reject> {
    let date = event.required("EventDate", limits::CODE)?;
    let wall = time::joined_in(date, event.text("EventTime"), Some(time::Order::Month))
        .ok_or_else(|| event.invalid_time("EventDate"))?;
    event.offset("GMTOffset", wall)
}
