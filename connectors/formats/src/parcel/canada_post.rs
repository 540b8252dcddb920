//! Canada Post, Get Tracking Details (REST, XML, v2): `tracking-detail`, or several of them in one
//! element. `event-time-zone` is the abbreviation of a Canadian zone with daylight saving time or
//! without, and so states the offset; `NO` behind it (`CSTNO`) says that the place keeps it all
//! year. Any other name does not.

use waybill_schemas::vocabulary::ExceptionKind as E;
use waybill_schemas::vocabulary::{Milestone as M, Mode, ReferenceKind};
use waybill_schemas::{OccurrenceTime, Place};
use waybill_stage::Reject;

use super::dhl_express::date_and_time;
use super::package::{Package, facility, some_place};
use super::times;
use crate::codes::{CodeList, code, trouble};
use crate::tree::{self, Out, Tree};
use crate::{Draft, Parts, limits};

pub const MEDIA_TYPE: &str = "application/vnd.canadapost.track+xml";

/// Reads tracking details.
pub fn read(payload: &[u8], parts: &mut Parts) -> Result<(), Reject> {
    tree::xml(payload, parts, answer)
}

pub(crate) fn looks_like(text: &str) -> bool {
    text.contains("<tracking-detail") || text.contains("http://www.canadapost.ca/ws/track")
}

fn answer(root: Tree<'_>, out: &mut Out<'_>) -> Result<(), Reject> {
    if root.is("messages") {
        return Err(root.carrier_error());
    }
    if root.is("tracking-detail") {
        out.package(root, |out| detail_of(root, out));
        return Ok(());
    }
    for messages in root.each("messages") {
        out.push(messages, Err(messages.carrier_error()));
    }
    for detail in root.each("tracking-detail") {
        out.package(detail, |out| detail_of(detail, out));
    }
    Ok(())
}

fn detail_of(detail: Tree<'_>, out: &mut Out<'_>) -> Result<(), Reject> {
    let mut package = Package::numbered(Mode::Post, detail, &["pin"])?;
    for number in ["original-pin", "return-pin"] {
        package.reference(ReferenceKind::TrackingNumber, detail, number)?;
    }
    for reference in ["customer-ref-1", "customer-ref-2"] {
        package.reference(ReferenceKind::CustomerReference, detail, reference)?;
    }
    package.service(detail.name("service-name"));
    for occurrence in detail.each("significant-events/occurrence") {
        out.push(occurrence, event_of(&package, occurrence));
    }
    let path = ["changed-expected-date", "expected-delivery-date"];
    let path = path.into_iter().find(|path| detail.text(path).is_some());
    let estimated = path.map(|path| detail.time_by(path, times::iso));
    let to = Place {
        postal_code: detail.name("destination-postal-id"),
        country: detail.text("destination-postal-id").map(|_| "CA".to_owned()),
        ..Place::default()
    };
    package.estimate(out, detail, &EVENTS, estimated, to);
    Ok(())
}

fn event_of(package: &Package, event: Tree<'_>) -> Result<Draft, Reject> {
    let code = event.required("event-identifier", limits::CODE)?;
    let wall = date_and_time(event, "event-date", "event-time")?;
    let zone = event.text("event-time-zone").and_then(offset);
    let occurred = OccurrenceTime { offset_minutes: zone, ..wall };
    // Sent as `0174` and as `174`.
    let meaning = EVENTS.find(code.trim_start_matches('0'));
    let mut draft = package.event(&EVENTS, code, meaning, occurred);
    let region = event.text("event-province");
    let canadian = region.is_some_and(|region| PROVINCES.contains(&region));
    draft.place = some_place(Place {
        name: event.name("event-retail-name"),
        facility: facility("CANADA_POST", event, "event-retail-location-id"),
        city: event.name("event-site"),
        region: event.name("event-province"),
        country: canadian.then(|| "CA".to_owned()),
        ..Place::default()
    });
    draft.remark = event.clipped("event-description", limits::REMARK);
    Ok(draft)
}

const PROVINCES: [&str; 13] =
    ["AB", "BC", "MB", "NB", "NL", "NS", "NT", "NU", "ON", "PE", "QC", "SK", "YT"];

fn offset(zone: &str) -> Option<i32> {
    // Saskatchewan's `CSTNO`.
    let all_year = zone.strip_suffix("NO").filter(|zone| zone.ends_with("ST"));
    let minutes = match all_year.unwrap_or(zone) {
        "NST" => -210,
        "NDT" => -150,
        "AST" => -240,
        "ADT" => -180,
        "EST" => -300,
        "EDT" => -240,
        "CST" => -360,
        "CDT" => -300,
        "MST" => -420,
        "MDT" => -360,
        "PST" => -480,
        "PDT" => -420,
        _ => return None,
    };
    Some(minutes)
}

/// Event identifiers, without the zeros in front. Names are Canada Post's where its examples have
/// them, else what the group of codes is for.
pub const EVENTS: CodeList = CodeList {
    prefix: "CANADA_POST",
    name: "Canada Post event identifier",
    rows: &[
        code("20", M::DocumentReceived, "Signature image recorded for online viewing"),
        code("100", M::InTransit, "Item processed at postal facility"),
        code("101", M::InTransit, "Item processed"),
        code("102", M::InTransit, "Item processed"),
        code("103", M::InTransit, "Item processed"),
        code("104", M::InTransit, "Item processed"),
        code("105", M::InTransit, "Item processed"),
        code("106", M::InTransit, "Item processed"),
        code("107", M::InTransit, "Item processed"),
        trouble("117", M::InTransit, E::Delay, "Item held"),
        code("118", M::AvailableForPickup, "Item held for pickup"),
        trouble("120", M::InTransit, E::Delay, "Item held"),
        trouble("121", M::InTransit, E::Delay, "Item held"),
        trouble("125", M::InTransit, E::Payment, "Item held, amount due"),
        trouble("127", M::InTransit, E::Payment, "Item held, amount due"),
        trouble("150", M::DeliveryAttempted, E::Refused, "Item refused by recipient"),
        trouble("154", M::DeliveryAttempted, E::Other, "Item undeliverable"),
        code("156", M::AvailableForPickup, "Final notice: to be returned if not collected"),
        trouble("159", M::InTransit, E::Delay, "Item delayed"),
        trouble("160", M::InTransit, E::Delay, "Item delayed"),
        trouble("161", M::InTransit, E::Delay, "Item delayed"),
        trouble("162", M::InTransit, E::Delay, "Item delayed"),
        trouble("163", M::InTransit, E::Delay, "Item delayed"),
        trouble("167", M::Returned, E::Other, "Item being returned to sender"),
        trouble("168", M::Returned, E::Other, "Item being returned to sender"),
        trouble("169", M::Returned, E::Other, "Item being returned to sender"),
        trouble("172", M::InTransit, E::Address, "Addressing error, possible delay"),
        trouble("173", M::InTransit, E::Address, "Customer addressing error found"),
        code("174", M::OutForDelivery, "Item out for delivery"),
        trouble("179", M::Returned, E::Other, "Item being returned to sender"),
        trouble("181", M::Returned, E::Other, "Item being returned to sender"),
        trouble("182", M::Returned, E::Other, "Item being returned to sender"),
        trouble("183", M::Returned, E::Other, "Item being returned to sender"),
        trouble("184", M::Returned, E::Other, "Item being returned to sender"),
        trouble("190", M::Returned, E::Other, "Item being returned to sender"),
        code("500", M::OutForDelivery, "Out for delivery"),
        trouble("810", M::CustomsHold, E::CustomsHold, "Item held by customs"),
        trouble("1100", M::Returned, E::Other, "Item returned to sender"),
        code("1400", M::Accepted, "Item accepted at the post office"),
        code("1401", M::Accepted, "Item accepted at the post office"),
        code("1402", M::Accepted, "Item accepted at the post office"),
        code("1403", M::Accepted, "Item accepted at the post office"),
        code("1404", M::Accepted, "Item accepted at the post office"),
        code("1405", M::Accepted, "Item accepted at the post office"),
        code("1407", M::AvailableForPickup, "Notice card left: item at the post office"),
        code("1408", M::Delivered, "Item delivered"),
        code("1409", M::Delivered, "Item delivered"),
        code("1410", M::AvailableForPickup, "Item available for pickup"),
        trouble("1411", M::InTransit, E::Delay, "Item held"),
        trouble("1414", M::InTransit, E::Delay, "Item held"),
        trouble("1415", M::Returned, E::Refused, "Item refused, being returned"),
        trouble("1416", M::Returned, E::Refused, "Item refused, being returned"),
        trouble("1417", M::DeliveryAttempted, E::RecipientAbsent, "Delivery attempted"),
        trouble("1418", M::DeliveryAttempted, E::RecipientAbsent, "Delivery attempted"),
        trouble("1419", M::DeliveryAttempted, E::RecipientAbsent, "Delivery attempted"),
        trouble("1420", M::DeliveryAttempted, E::RecipientAbsent, "Delivery attempted"),
        code("1421", M::Delivered, "Item delivered"),
        code("1422", M::Delivered, "Item delivered"),
        code("1423", M::Delivered, "Item delivered"),
        code("1424", M::Delivered, "Item delivered"),
        code("1425", M::Delivered, "Item delivered"),
        code("1426", M::Delivered, "Item delivered"),
        code("1427", M::Delivered, "Item delivered"),
        code("1428", M::Delivered, "Item delivered"),
        code("1429", M::Delivered, "Item delivered"),
        code("1430", M::Delivered, "Item delivered"),
        code("1431", M::Delivered, "Item delivered"),
        code("1432", M::Delivered, "Item delivered"),
        code("1433", M::Delivered, "Item delivered"),
        code("1434", M::Delivered, "Item delivered"),
        code("1435", M::AvailableForPickup, "Notice card left"),
        code("1436", M::AvailableForPickup, "Notice card left"),
        code("1437", M::AvailableForPickup, "Notice card left"),
        code("1438", M::AvailableForPickup, "Notice card left"),
        code("1441", M::Delivered, "Item delivered"),
        code("1442", M::Delivered, "Item delivered"),
        trouble("1443", M::CustomsHold, E::CustomsHold, "Item held, amount due"),
        trouble("1450", M::Returned, E::Other, "Item returned"),
        code("1479", M::DeliveryAttempted, "Attempted delivery, notice card left"),
        trouble("1481", M::DeliveryAttempted, E::Other, "Attempted delivery"),
        trouble("1482", M::DeliveryAttempted, E::Address, "Attempted delivery, address"),
        trouble("1483", M::DeliveryAttempted, E::Address, "Attempted delivery, address"),
        trouble("1484", M::InTransit, E::Delay, "Item held"),
        trouble("1487", M::InTransit, E::Delay, "Item held"),
        code("1488", M::AvailableForPickup, "Item available for pickup"),
        trouble("1491", M::DeliveryAttempted, E::Other, "Item undeliverable"),
        trouble("1492", M::DeliveryAttempted, E::Other, "Item undeliverable"),
        trouble("1493", M::DeliveryAttempted, E::Other, "Item undeliverable"),
        trouble("1494", M::InTransit, E::Delay, "Item held"),
        code("1496", M::Delivered, "Item successfully delivered"),
        code("1497", M::Delivered, "Item successfully delivered"),
        code("1498", M::Delivered, "Item successfully delivered"),
        code("1499", M::Delivered, "Item successfully delivered"),
        code("1701", M::AvailableForPickup, "Item available for pickup at post office"),
        code("2300", M::PickedUp, "Item picked up by Canada Post"),
        code("2410", M::AvailableForPickup, "Item available for pickup"),
        trouble("2411", M::InTransit, E::Delay, "Item held"),
        trouble("2412", M::InTransit, E::Delay, "Item delayed"),
        trouble("2414", M::InTransit, E::Delay, "Item held"),
        code("2600", M::Returned, "Item returned to sender"),
        code("2802", M::Returned, "Item returned to sender"),
        code("3000", M::ShipmentCreated, "Order information received by Canada Post"),
        trouble("3001", M::BookingCancelled, E::Cancelled, "Shipment cancelled"),
        code("4310", M::Arrived, "International shipment has arrived in a foreign country"),
        code("4500", M::InTransit, "International item is in transit to the delivery office"),
        code("4600", M::Arrived, "Item has arrived at the delivery office abroad"),
        trouble("4650", M::DeliveryAttempted, E::Other, "Attempted delivery abroad"),
        trouble("4700", M::CustomsHold, E::CustomsHold, "Item held by customs abroad"),
    ],
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_abbreviation_of_a_zone_states_the_offset() {
        for (zone, minutes) in [
            ("EST", Some(-300)),
            ("EDT", Some(-240)),
            // Saskatchewan has no daylight saving time.
            ("CSTNO", Some(-360)),
            ("MSTNO", Some(-420)),
            ("CDTNO", None),
            ("NO", None),
            ("CET", None),
            ("", None),
        ] {
            assert_eq!(offset(zone), minutes, "{zone}");
        }
    }
}
