//! Stamps.com, `TrackShipment` (SWS/IM, SOAP). The answer does not repeat the number, so that its
//! events name no shipment.

use waybill_schemas::Place;
use waybill_schemas::vocabulary::ExceptionKind as E;
use waybill_schemas::vocabulary::{Milestone as M, Mode};
use waybill_stage::Reject;

use super::package::{PHRASE, Package, some_place};
use crate::codes::{CodeList, code, trouble};
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

pub const EVENTS: CodeList = CodeList {
    prefix: "STAMPS",
    name: "Stamps.com tracking event type",
    rows: &[
        code("ElectronicNotification", M::ShipmentCreated, "Electronic notification"),
        code("PickedUp", M::PickedUp, "Picked up"),
        code("Accepted", M::Accepted, "Accepted"),
        code("Enroute", M::InTransit, "Enroute"),
        code("OutForDelivery", M::OutForDelivery, "Out for delivery"),
        trouble("DeliveryAttempted", M::DeliveryAttempted, E::RecipientAbsent, "Attempted"),
        code("AvailableForPickup", M::AvailableForPickup, "Available for pickup"),
        code("Delivered", M::Delivered, "Delivered"),
        trouble("Undeliverable", M::DeliveryAttempted, E::Address, "Undeliverable"),
        trouble("Exception", M::InTransit, E::Other, "Exception"),
        code("ReturnToSender", M::Returned, "Return to sender"),
    ],
};
