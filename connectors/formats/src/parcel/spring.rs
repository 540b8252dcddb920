//! Spring (XBS), `TrackShipment` (REST): `Shipment` with its events. `Timestamp` is the Unix time of
//! the event and so states the instant; `DateTime` alone is a wall clock.

use waybill_schemas::Place;
use waybill_schemas::vocabulary::ExceptionKind as E;
use waybill_schemas::vocabulary::{Milestone as M, Mode, ReferenceKind};
use waybill_stage::Reject;

use super::package::{Package, some_place};
use crate::codes::{CodeList, code, trouble};
use crate::time;
use crate::tree::{self, Out, Tree};
use crate::{Draft, Parts, limits};

pub const MEDIA_TYPE: &str = "application/vnd.spring.tracking+json";

/// Reads a tracking answer.
pub fn read(payload: &[u8], parts: &mut Parts) -> Result<(), Reject> {
    tree::json(payload, parts, answer)
}

pub(crate) fn looks_like(text: &str) -> bool {
    text.contains("\"ErrorLevel\"")
}

fn answer(root: Tree<'_>, out: &mut Out<'_>) -> Result<(), Reject> {
    // 0: done; 1: done, but …; 10: not done.
    if root.text("ErrorLevel") == Some("10") {
        return Err(root.carrier_error());
    }
    for shipment in root.each("Shipment") {
        out.package(shipment, |out| shipment_of(shipment, out));
    }
    Ok(())
}

fn shipment_of(shipment: Tree<'_>, out: &mut Out<'_>) -> Result<(), Reject> {
    let mut package = Package::numbered(Mode::Post, shipment, &["TrackingNumber"])?;
    package.reference(ReferenceKind::ShipperReference, shipment, "ShipperReference")?;
    for number in ["CarrierTrackingNumber", "CarrierLocalTrackingNumber"] {
        package.reference(ReferenceKind::TrackingNumber, shipment, number)?;
    }
    package.weight(shipment.text("Weight"), shipment.text("WeightUnit"));
    package.service(shipment.name("Service"));
    for event in shipment.each("Events") {
        out.push(event, event_of(&package, event));
    }
    Ok(())
}

fn event_of(package: &Package, event: Tree<'_>) -> Result<Draft, Reject> {
    let code = event.required("Code", limits::CODE)?;
    let occurred = match event.has("Timestamp") {
        true => event.time_by("Timestamp", time::read)?,
        false => event.time_by("DateTime", time::read)?,
    };
    let mut draft = package.coded(&EVENTS, code, occurred);
    draft.place = some_place(Place {
        city: event.name("City"),
        region: event.name("State"),
        postal_code: event.name("Zip"),
        country: event.name("Country"),
        ..Place::default()
    });
    draft.remark = event.clipped("Description", limits::REMARK);
    Ok(draft)
}

/// Tracking event codes, XBS API section 3.
pub const EVENTS: CodeList = CodeList {
    prefix: "SPRING",
    name: "Spring XBS event code",
    rows: &[
        code("0", M::ShipmentCreated, "Parcel created"),
        code("12", M::ShipmentCreated, "Preparation process"),
        code("15", M::PickedUp, "Collection transport"),
        code("18", M::PickedUp, "Collection"),
        code("19", M::InTransit, "Processing depot"),
        code("20", M::Accepted, "Accepted"),
        code("21", M::InTransit, "International transport"),
        code("22", M::InTransit, "Crossdock"),
        code("25", M::Other, "End of tracking updates"),
        trouble("31", M::InTransit, E::Other, "Delivery exception, action required"),
        code("40", M::CustomsSubmitted, "In customs"),
        trouble("41", M::CustomsHold, E::CustomsHold, "Customs exception"),
        trouble("91", M::DeliveryAttempted, E::RecipientAbsent, "Delivery attempted"),
        code("92", M::AvailableForPickup, "Delivery awaiting collection"),
        code("93", M::Arrived, "At local depot of the last carrier"),
        code("100", M::Delivered, "Delivered"),
        code("101", M::Arrived, "Delivered to destination country"),
        trouble("111", M::InTransit, E::Lost, "Lost or destroyed"),
        code("124", M::Returned, "Return in transit"),
        code("125", M::Returned, "Return received"),
        trouble("1001", M::InTransit, E::DocumentsMissing, "Item incomplete data"),
        code("2101", M::Departed, "In transit, exported"),
        code("2102", M::CustomsReleased, "Item released from customs"),
        code("2103", M::Arrived, "In transit, imported"),
        trouble("4106", M::BookingCancelled, E::Cancelled, "Consignment cancelled"),
        code("9101", M::InTransit, "At transfer depot of the last carrier"),
        code("9102", M::InTransit, "In transit"),
        code("9301", M::OutForDelivery, "Out for delivery"),
        trouble("9302", M::InTransit, E::Delay, "Delivery exception, delayed"),
        code("9999", M::Other, "Information"),
        code("12406", M::Returned, "Return delivered by carrier"),
        trouble("12501", M::Returned, E::Refused, "Return received, refused"),
        trouble("12502", M::Returned, E::Address, "Return received, undeliverable"),
        trouble("12503", M::Returned, E::Damage, "Return received, damaged"),
        trouble("12504", M::Returned, E::Missed, "Return received, not collected"),
        code("12505", M::Returned, "Return received, according to agreement"),
        trouble("12506", M::Returned, E::Lost, "Return received, destroyed"),
    ],
};
