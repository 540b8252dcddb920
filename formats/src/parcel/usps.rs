//! USPS: the Tracking API (REST, v3) and, in [`web_tools`], the Track & Confirm Web Tools before
//! it. (Answers of USPS for items from abroad have the same form.)

pub mod codes;
pub mod web_tools;

use waybill_schemas::Place;
use waybill_schemas::vocabulary::{Mode, ReferenceKind};
use waybill_stage::Reject;

pub use self::codes::EVENTS;
use super::package::{Package, some_place};
use crate::time;
use crate::tree::{self, Out, Tree};
use crate::{Draft, Parts, limits};

pub const MEDIA_TYPE: &str = "application/vnd.usps.tracking+json";

/// Reads a tracking answer of the Tracking API.
pub fn read(text: &str, parts: &mut Parts) -> Result<(), Reject> {
    tree::json(text, parts, answer)
}

pub(crate) fn looks_like(text: &str) -> bool {
    text.contains("\"trackingEvents\"") && text.contains("\"eventTimestamp\"")
        || text.contains("\"apiVersion\"") && text.contains("\"error\"")
}

fn answer(root: Tree<'_>, out: &mut Out<'_>) -> Result<(), Reject> {
    // One package, or (v3r2) a list of them.
    for package in root.each("") {
        out.package(package, |out| package_of(package, out));
    }
    Ok(())
}

fn package_of(sent: Tree<'_>, out: &mut Out<'_>) -> Result<(), Reject> {
    if !sent.has("trackingEvents") && (sent.has("error") || sent.has("apiVersion")) {
        return Err(sent.carrier_error());
    }
    let mut package = Package::numbered(Mode::Post, sent, &["trackingNumber"])?;
    package.reference(ReferenceKind::Other, sent, "uniqueMailPieceID")?;
    package.service(sent.name("mailClass"));
    for event in sent.each("trackingEvents") {
        out.push(event, event_of(&package, event));
    }
    let path = [
        "predictedDeliveryTimeStamp",
        "predictedDeliveryDate",
        "expectedDeliveryTimeStamp",
        "expectedDeliveryDate",
        "deliveryDateExpectation/predictedDeliveryDate",
        "deliveryDateExpectation/expectedDeliveryDate",
    ];
    let path = path.into_iter().find(|path| sent.text(path).is_some());
    let estimated = path.map(|path| sent.time_by(path, time::read));
    let to = Place {
        city: sent.name("destinationCity"),
        region: sent.name("destinationState"),
        postal_code: sent.name("destinationZIP"),
        country: sent.name("destinationCountryCode").or_else(|| domestic(sent, "destinationZIP")),
        ..Place::default()
    };
    package.estimate(out, sent, &EVENTS, estimated, to);
    Ok(())
}

fn event_of(package: &Package, event: Tree<'_>) -> Result<Draft, Reject> {
    let code = event.required("eventCode", limits::CODE)?;
    let wall = event.time_by("eventTimestamp", time::read)?;
    let occurred = event.offset("GMTOffset", wall)?;
    let mut draft = package.coded(&EVENTS, code, occurred);
    draft.place = some_place(Place {
        city: event.name("eventCity"),
        region: event.name("eventState"),
        postal_code: event.name("eventZIP"),
        country: event.name("eventCountry").or_else(|| domestic(event, "eventZIP")),
        ..Place::default()
    });
    draft.remark = event.clipped("eventType", limits::REMARK);
    Ok(draft)
}

/// USPS names the country of a place abroad alone: one without, and with a ZIP code, is in its own.
fn domestic(tree: Tree<'_>, zip: &str) -> Option<String> {
    tree.text(zip).map(|_| "US".to_owned())
}
