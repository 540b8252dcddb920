//! Teleship, tracking (REST): one shipment, with a carrier for its first mile and one for its last.

use waybill_schemas::Place;
use waybill_schemas::vocabulary::ExceptionKind as E;
use waybill_schemas::vocabulary::{Milestone as M, Mode, ReferenceKind};
use waybill_stage::Reject;

use super::package::{PHRASE, Package, city_and_country, some_place};
use crate::codes::{CodeList, code, trouble};
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

pub const EVENTS: CodeList = CodeList {
    prefix: "TELESHIP",
    name: "Teleship event code",
    rows: &[
        code("created", M::ShipmentCreated, "Created"),
        code("label_created", M::ShipmentCreated, "Label created"),
        code("collected", M::PickedUp, "Package collected from sender"),
        code("in_hub", M::Arrived, "Arrived at a sorting hub"),
        code("in_transit", M::InTransit, "In transit"),
        code("customs", M::CustomsSubmitted, "In customs"),
        code("customs_cleared", M::CustomsReleased, "Cleared customs"),
        trouble("customs_held", M::CustomsHold, E::CustomsHold, "Held by customs"),
        code("out_for_delivery", M::OutForDelivery, "Out for delivery"),
        trouble("delivery_failed", M::DeliveryAttempted, E::Other, "Delivery failed"),
        code("ready_for_pickup", M::AvailableForPickup, "Ready for pickup"),
        code("delivered", M::Delivered, "Delivered"),
        trouble("exception", M::InTransit, E::Other, "Exception"),
        code("returned", M::Returned, "Returned"),
        trouble("cancelled", M::BookingCancelled, E::Cancelled, "Cancelled"),
    ],
};
