//! Teleship, tracking (REST): one shipment, with a carrier for its first mile and one for its last.

use waybill_schemas::Place;
use waybill_schemas::vocabulary::{Mode, ReferenceKind};
use waybill_stage::Reject;

use super::package::{PHRASE, Package, city_and_country, some_place};
use crate::codes::{CodeList, code_list};
use crate::time;
use crate::tree::{self, Out, Tree};
use crate::{Draft, Parts, limits};

pub const MEDIA_TYPE: &str = "application/vnd.teleship.tracking+json";

/// Reads a tracking answer.
pub fn read(payload: &[u8], parts: &mut Parts) -> Result<(), Reject> {
    tree::json(payload, parts, answer)
}

pub(crate) fn looks_like(text: &str) -> bool {
    text.contains("\"firstMile\"") && text.contains("\"lastMile\"")
        || text.contains("\"messages\"") && text.contains("\"timestamp\"")
}

fn answer(root: Tree<'_>, out: &mut Out<'_>) -> Result<(), Reject> {
    if root.has("messages") && !root.has("events") {
        return Err(root.carrier_error());
    }
    out.package(root, |out| shipment_of(root, out));
    Ok(())
}

fn shipment_of(shipment: Tree<'_>, out: &mut Out<'_>) -> Result<(), Reject> {
    let mut package = Package::numbered(Mode::Parcel, shipment, &["trackingNumber"])?;
    package.reference(ReferenceKind::CustomerReference, shipment, "customerReference")?;
    package.reference(ReferenceKind::Other, shipment, "shipmentId")?;
    for mile in ["firstMile/trackingNumber", "lastMile/trackingNumber"] {
        package.reference(ReferenceKind::TrackingNumber, shipment, mile)?;
    }
    for event in shipment.each("events") {
        out.push(event, event_of(&package, event));
    }
    let path = "estimatedDelivery";
    let estimated = shipment.has(path).then(|| shipment.time_by(path, time::read));
    let to = shipment.at("shipTo/address").map(|address| Place {
        city: address.name("city"),
        region: address.name("state"),
        postal_code: address.name("postcode"),
        country: address.name("country"),
        ..Place::default()
    });
    package.estimate(out, shipment, &EVENTS, estimated, to.unwrap_or_default());
    Ok(())
}

fn event_of(package: &Package, event: Tree<'_>) -> Result<Draft, Reject> {
    let code = event.required("code", PHRASE)?;
    let mut draft = package.coded(&EVENTS, code, event.time_by("timestamp", time::read)?);
    draft.place = event.text("location").and_then(|text| some_place(city_and_country(text)));
    draft.remark = event.clipped("description", limits::REMARK);
    Ok(draft)
}

pub static EVENTS: CodeList = code_list!("teleship", "TELESHIP", "Teleship event code");
