//! UPS Tracking API (REST, v1): `trackResponse`. An activity's code is the type of its status and
//! the code within the type: `X/SR`.

use waybill_schemas::Place;
use waybill_schemas::vocabulary::ExceptionKind as E;
use waybill_schemas::vocabulary::{Milestone as M, Mode, ReferenceKind};
use waybill_stage::Reject;

use super::package::{Package, facility, some_place};
use crate::codes::{CodeList, code, trouble};
use crate::time;
use crate::tree::{self, Out, Tree};
use crate::{Draft, Parts, limits};

pub const MEDIA_TYPE: &str = "application/vnd.ups.track+json";

/// Reads a tracking answer.
pub fn read(payload: &[u8], parts: &mut Parts) -> Result<(), Reject> {
    tree::json(payload, parts, answer)
}

pub(crate) fn looks_like(text: &str) -> bool {
    text.contains("\"trackResponse\"")
        || text.contains("\"response\"") && text.contains("\"errors\"") && text.contains("inquiry")
}

fn answer(root: Tree<'_>, out: &mut Out<'_>) -> Result<(), Reject> {
    if let Some(errors) = root.at("response/errors") {
        return Err(errors.carrier_error());
    }
    for shipment in root.each("trackResponse/shipment") {
        let inquired = shipment.text("inquiryNumber");
        if !shipment.has("package") {
            // Nothing but a warning: the number was not found.
            let found = !shipment.has("warnings");
            let reject = if found { shipment.no_event() } else { shipment.carrier_error() };
            out.push(shipment, Err(reject));
        }
        for package in shipment.each("package") {
            out.package(package, |out| package_of(inquired, package, out));
        }
    }
    Ok(())
}

fn package_of<'t>(
    inquired: Option<&'t str>,
    sent: Tree<'t>,
    out: &mut Out<'_>,
) -> Result<(), Reject> {
    let path = "trackingNumber";
    let number = sent.text(path).or(inquired);
    let mut package = Package::known_as(Mode::Parcel, sent, path, number)?;
    package.also(ReferenceKind::TrackingNumber, sent, "trackingNumber", inquired)?;
    for other in sent.each("alternateTrackingNumber") {
        package.reference(ReferenceKind::TrackingNumber, other, "number")?;
    }
    for other in sent.each("referenceNumber") {
        package.reference(ReferenceKind::ShipperReference, other, "number")?;
    }
    package.weight(sent.text("weight/weight"), sent.text("weight/unitOfMeasurement"));
    package.service(sent.name("service/description"));
    for activity in sent.each("activity") {
        out.push(activity, event(&package, activity));
    }
    // SDD: as scheduled, RDD: as rescheduled, DEL: as it was.
    let of = |kind| sent.each("deliveryDate").find(|date| date.text("type") == Some(kind));
    if let Some(date) = of("RDD").or_else(|| of("SDD")).filter(|_| of("DEL").is_none()) {
        let until = sent.text("deliveryTime/endTime");
        let occurred = date.text("date").and_then(|date| time::joined(date, until));
        let occurred = occurred.ok_or_else(|| date.invalid_time("date"));
        let mut ends = sent.each("packageAddress");
        let to = ends.find(|end| end.text("type") == Some("DESTINATION"));
        let to = to.and_then(|end| end.at("address")).map(place).unwrap_or_default();
        package.estimate(out, date, &ACTIVITIES, Some(occurred), to);
    }
    Ok(())
}

fn event(package: &Package, sent: Tree<'_>) -> Result<Draft, Reject> {
    let kind = sent.required("status/type", limits::CODE)?;
    let status = sent.first(&["status/code", "status/statusCode"]);
    let raw = match status {
        Some(status) => [kind, "/", sent.short("status/code", status, limits::CODE)?].concat(),
        None => kind.to_owned(),
    };
    let date = sent.required("date", limits::CODE)?;
    let wall = time::joined(date, sent.text("time")).ok_or_else(|| sent.invalid_time("date"))?;
    let occurred = sent.offset("gmtOffset", wall)?;
    // The code within the type is the most exact, then the status that people are shown; the type
    // alone still tells how far the package is.
    let meaning = ACTIVITIES.find(&raw).or_else(|| {
        STATUSES
            .find(sent.text("status/statusCode")?)
            .filter(|m| m.milestone != M::InTransit || m.exception.is_some())
    });
    let mut draft =
        package.event(&ACTIVITIES, &raw, meaning.or_else(|| TYPES.find(kind)), occurred);
    let mut at = sent.at("location/address").map(place).unwrap_or_default();
    at.facility = facility("UPS", sent, "location/slic");
    draft.place = some_place(at);
    draft.remark = sent.clipped("status/description", limits::REMARK);
    Ok(draft)
}

fn place(address: Tree<'_>) -> Place {
    Place {
        city: address.name("city"),
        region: address.name("stateProvince"),
        postal_code: address.name("postalCode"),
        country: address.name("countryCode").or_else(|| address.name("country")),
        ..Place::default()
    }
}

/// What is known of the codes within the types.
pub const ACTIVITIES: CodeList = CodeList {
    prefix: "UPS",
    name: "UPS activity status: type and code",
    rows: &[
        code("M/MP", M::ShipmentCreated, "Order processed: ready for UPS"),
        trouble("MV/VP", M::BookingCancelled, E::Cancelled, "Shipment information voided"),
        code("P/PU", M::PickedUp, "Pickup scan"),
        code("P/XD", M::DroppedOff, "Drop-off"),
        code("P/OR", M::Accepted, "Origin scan"),
        code("I/PU", M::PickedUp, "Pickup scan"),
        code("I/XD", M::DroppedOff, "Drop-off"),
        code("I/OR", M::Accepted, "Origin scan"),
        code("I/AR", M::Arrived, "Arrival scan"),
        code("I/DP", M::Departed, "Departure scan"),
        code("I/DS", M::Arrived, "Destination scan"),
        code("I/EP", M::InTransit, "Export scan"),
        code("I/IP", M::InTransit, "Import scan"),
        code("I/LC", M::InTransit, "Location scan"),
        code("I/WH", M::InTransit, "Warehouse scan"),
        code("I/YP", M::InTransit, "Processing at UPS facility"),
        code("I/OT", M::OutForDelivery, "Out for delivery"),
        code("I/OF", M::OutForDelivery, "Out for delivery"),
        code("O/OT", M::OutForDelivery, "Out for delivery"),
        code("O/OF", M::OutForDelivery, "Out for delivery"),
        code("D/FS", M::Delivered, "Delivered"),
        code("D/KB", M::Delivered, "Delivered"),
        code("D/KM", M::Delivered, "Delivered"),
        code("X/SR", M::CustomsReleased, "Released by the customs agency"),
    ],
};

/// Types of a status (`status.type`).
pub const TYPES: CodeList = CodeList {
    prefix: "UPS",
    name: "UPS status type",
    rows: &[
        code("D", M::Delivered, "Delivered"),
        code("DO", M::Delivered, "Delivered origin CFS"),
        code("DD", M::Delivered, "Delivered destination CFS"),
        code("I", M::InTransit, "In transit"),
        code("M", M::ShipmentCreated, "Billing information received"),
        trouble("MV", M::BookingCancelled, E::Cancelled, "Billing information voided"),
        code("NA", M::Other, "Not available"),
        code("O", M::OutForDelivery, "Out for delivery"),
        code("P", M::PickedUp, "Pickup"),
        code("RS", M::Returned, "Returned to shipper"),
        code("W", M::InTransit, "Warehousing"),
        trouble("X", M::InTransit, E::Other, "Exception"),
    ],
};

/// Statuses that people are shown (`status.statusCode`), Tracking API's appendix.
pub const STATUSES: CodeList = CodeList {
    prefix: "UPS",
    name: "UPS status code",
    rows: &[
        code("003", M::ShipmentCreated, "Shipment ready for UPS"),
        code("005", M::InTransit, "In transit"),
        code("006", M::OutForDelivery, "On vehicle for delivery"),
        trouble("007", M::BookingCancelled, E::Cancelled, "Shipment information voided"),
        code("010", M::InTransit, "In transit: on time"),
        code("011", M::Delivered, "Delivered"),
        code("012", M::CustomsSubmitted, "Clearance in progress"),
        trouble("013", M::InTransit, E::Other, "Exception"),
        code("014", M::CustomsReleased, "Clearance completed"),
        code("016", M::InTransit, "Held in warehouse"),
        code("017", M::AvailableForPickup, "Held for customer pickup"),
        code("018", M::AppointmentSet, "Delivery change requested: hold"),
        code("019", M::AppointmentSet, "Held for future delivery"),
        code("020", M::AppointmentSet, "Held for future delivery requested"),
        code("021", M::OutForDelivery, "On vehicle for delivery today"),
        code("022", M::DeliveryAttempted, "First attempt made"),
        code("023", M::DeliveryAttempted, "Second attempt made"),
        code("024", M::DeliveryAttempted, "Final attempt made"),
        code("025", M::Transferred, "Transferred to local post office for delivery"),
        code("026", M::Delivered, "Delivered by local post office"),
        code("027", M::AppointmentSet, "Delivery address change requested"),
        code("028", M::AppointmentSet, "Delivery address changed"),
        trouble("029", M::InTransit, E::Other, "Exception: action required"),
        trouble("030", M::InTransit, E::Other, "Local post office exception"),
        trouble("032", M::InTransit, E::Weather, "Adverse weather may cause delay"),
        code("033", M::Returned, "Return to sender requested"),
        code("034", M::Returned, "Returned to sender"),
        code("035", M::Returned, "Returning to sender"),
        code("036", M::Returned, "Returning to sender: in transit"),
        code("037", M::Returned, "Returning to sender: on vehicle for delivery"),
        code("038", M::PickedUp, "Picked up"),
        code("039", M::InTransit, "In transit by post office"),
        code("040", M::AvailableForPickup, "Delivered to UPS Access Point, awaiting pickup"),
        code("041", M::AppointmentSet, "Service upgrade requested"),
        code("042", M::AppointmentSet, "Service upgraded"),
        trouble("043", M::BookingCancelled, E::Cancelled, "Voided pickup"),
        code("044", M::InTransit, "In transit to UPS"),
        code("045", M::InTransit, "Order processed: in transit to UPS"),
        trouble("046", M::InTransit, E::Delay, "Delay"),
        trouble("047", M::InTransit, E::Delay, "Delay"),
        trouble("048", M::InTransit, E::Delay, "Delay"),
        trouble("049", M::InTransit, E::Delay, "Delay: action required"),
        trouble("050", M::InTransit, E::Address, "Address information required"),
        trouble("051", M::InTransit, E::Delay, "Delay: emergency situation or severe weather"),
        trouble("052", M::InTransit, E::Weather, "Delay: severe weather"),
        trouble("053", M::InTransit, E::Weather, "Delay: severe weather"),
        code("054", M::AppointmentSet, "Delivery change requested"),
        code("055", M::AppointmentSet, "Rescheduled delivery"),
        code("056", M::AppointmentSet, "Service upgrade requested"),
        code("057", M::InTransit, "In transit to a UPS Access Point"),
        trouble("058", M::CustomsHold, E::CustomsHold, "Clearance information required"),
        trouble("059", M::InTransit, E::Damage, "Damage reported"),
        code("060", M::DeliveryAttempted, "Delivery attempted"),
        trouble(
            "061",
            M::DeliveryAttempted,
            E::RecipientAbsent,
            "Delivery attempted: adult signature required",
        ),
        trouble("062", M::DeliveryAttempted, E::Payment, "Delivery attempted: funds required"),
        code("063", M::AppointmentSet, "Delivery change completed"),
        trouble("064", M::DeliveryAttempted, E::Refused, "Delivery refused"),
        trouble("065", M::ShipmentCreated, E::Missed, "Pickup attempted"),
        code("066", M::DeliveryAttempted, "Post office delivery attempted"),
        code("067", M::Returned, "Returned to sender by post office"),
        trouble("068", M::InTransit, E::Lost, "Sent to lost and found"),
        trouble("069", M::Returned, E::Missed, "Package not claimed"),
    ],
};
