//! Australia Post, Track Items (Shipping and Tracking API): results for each number, with items, or
//! consignments of items, in them. Events have no code: the description is one, and stands in
//! the raw code. Whatever the place, times are Australian and state their offset.

use waybill_schemas::Place;
use waybill_schemas::vocabulary::ExceptionKind as E;
use waybill_schemas::vocabulary::{Milestone as M, Mode, ReferenceKind};
use waybill_stage::Reject;

use super::package::{PHRASE, Package, city_and_country, some_place};
use crate::codes::{CodeList, Meaning, code, trouble};
use crate::time;
use crate::tree::{self, Out, Tree};
use crate::{Draft, Parts, limits};

pub const MEDIA_TYPE: &str = "application/vnd.auspost.tracking+json";

/// Reads a tracking answer.
pub fn read(payload: &[u8], parts: &mut Parts) -> Result<(), Reject> {
    tree::json(payload, parts, answer)
}

pub(crate) fn looks_like(text: &str) -> bool {
    text.contains("\"tracking_results\"") || text.contains("_AP_TRACKING_IDS\"")
}

fn answer(root: Tree<'_>, out: &mut Out<'_>) -> Result<(), Reject> {
    if root.has("errors") {
        return Err(root.carrier_error());
    }
    for result in root.each("tracking_results") {
        let asked = result.text("tracking_id");
        let mut any = false;
        for item in result.each("trackable_items") {
            any = true;
            if !item.has("items") {
                out.package(item, |out| item_of(asked, None, item, out));
            }
            let consignment = item.text("consignment_id");
            for item in item.each("items") {
                out.package(item, |out| item_of(asked, consignment, item, out));
            }
        }
        if !any {
            let failed = result.has("errors");
            let reject = if failed { result.carrier_error() } else { result.no_event() };
            out.push(result, Err(reject));
        }
    }
    Ok(())
}

fn item_of<'t>(
    asked: Option<&'t str>,
    consignment: Option<&'t str>,
    item: Tree<'t>,
    out: &mut Out<'_>,
) -> Result<(), Reject> {
    let path = "article_id";
    let number = item.text(path).or(asked);
    let mut package = Package::known_as(Mode::Post, item, path, number)?;
    for number in [asked, consignment] {
        package.also(ReferenceKind::TrackingNumber, item, path, number)?;
    }
    package.service(item.name("product_type"));
    for event in item.each("events") {
        out.push(event, event_of(&package, event));
    }
    let path = "expected_delivery_date";
    let estimated = item.has(path).then(|| item.time_by(path, time::read));
    package.estimate(out, item, &DESCRIPTIONS, estimated, Place::default());
    Ok(())
}

fn event_of(package: &Package, event: Tree<'_>) -> Result<Draft, Reject> {
    let said = event.required("description", PHRASE)?;
    let occurred = event.time_by("date", time::read)?;
    let mut draft = package.event(&DESCRIPTIONS, said, meaning(said), occurred);
    draft.place = event.text("location").and_then(|text| some_place(place(text)));
    draft.remark = event.clipped("description", limits::REMARK);
    Ok(draft)
}

fn meaning(said: &str) -> Option<Meaning> {
    // Some end with a place: `In transit to next facility in OAKLEIGH SOUTH VIC`.
    DESCRIPTIONS.find(said).or_else(|| {
        let (phrase, _) = said.split_once(" in ")?;
        DESCRIPTIONS.find(phrase)
    })
}

/// `BRISBANE QLD`, `CHICAGO (US)`, `NZ`. `Transit Scan` stands where there is no place.
fn place(text: &str) -> Place {
    const STATES: [&str; 8] = ["ACT", "NSW", "NT", "QLD", "SA", "TAS", "VIC", "WA"];
    if text.eq_ignore_ascii_case("transit scan") {
        return Place::default();
    }
    match text.rsplit_once(' ').filter(|(_, state)| STATES.contains(state)) {
        Some((city, state)) => Place {
            city: crate::text::clipped(city, limits::NAME),
            region: Some(state.to_owned()),
            country: Some("AU".to_owned()),
            ..Place::default()
        },
        None => city_and_country(text),
    }
}

pub const DESCRIPTIONS: CodeList = CodeList {
    prefix: "AUSPOST",
    name: "Australia Post event description",
    rows: &[
        code("Shipping information received by Australia Post", M::ShipmentCreated, "Announced"),
        code("Shipping information approved by Australia Post", M::ShipmentCreated, "Announced"),
        code("Received by Australia Post", M::Accepted, "Received"),
        code("Received and ready for processing", M::Accepted, "Received"),
        code("Received item from Sender (Outbound)", M::Accepted, "Received"),
        code("Lodged at a Post Office", M::Accepted, "Received"),
        code("Lodged at Parcel Locker", M::DroppedOff, "Received"),
        code("Picked up", M::PickedUp, "Picked up"),
        code("Collected from sender", M::PickedUp, "Picked up"),
        code("Arrived at facility", M::Arrived, "Arrived"),
        code("Item arrived at facility", M::Arrived, "Arrived"),
        code("Arrived", M::Arrived, "Arrived"),
        code("Departed facility", M::Departed, "Departed"),
        code("Item departed facility", M::Departed, "Departed"),
        code("Item processed at facility", M::InTransit, "In transit"),
        code("Processed at facility", M::InTransit, "In transit"),
        code("In transit", M::InTransit, "In transit"),
        code("In transit to next facility", M::InTransit, "In transit"),
        code("Processed by air carrier", M::InTransit, "In transit"),
        code("Processed at Export Facility", M::InTransit, "In transit"),
        code("Despatch Parcels from Export Facility", M::Departed, "Departed"),
        code("Departed from country of origin", M::Departed, "Departed"),
        code("Cleared and awaiting international departure", M::CustomsReleased, "Customs"),
        code("Arrived awaiting clearance (Inbound)", M::CustomsSubmitted, "Customs"),
        code("Item is in Customs", M::CustomsSubmitted, "Customs"),
        trouble("Item held by Customs", M::CustomsHold, E::CustomsHold, "Customs"),
        code("Item cleared by Customs", M::CustomsReleased, "Customs"),
        code("Cleared by customs", M::CustomsReleased, "Customs"),
        code("Onboard for delivery", M::OutForDelivery, "Out for delivery"),
        code("On Board for Delivery", M::OutForDelivery, "Out for delivery"),
        code("With courier for delivery", M::OutForDelivery, "Out for delivery"),
        code("Awaiting collection", M::AvailableForPickup, "To be collected"),
        code("Ready for Pickup", M::AvailableForPickup, "To be collected"),
        code("Awaiting collection at Post Office", M::AvailableForPickup, "To be collected"),
        trouble("Attempted delivery", M::DeliveryAttempted, E::RecipientAbsent, "Attempt"),
        trouble("Attempted delivery - Carded", M::DeliveryAttempted, E::RecipientAbsent, "Attempt"),
        trouble("Unsuccessful Delivery", M::DeliveryAttempted, E::Other, "Attempt"),
        trouble("Cannot be delivered", M::DeliveryAttempted, E::Other, "Attempt"),
        code("To be Re-Delivered", M::AppointmentSet, "To be delivered again"),
        code("Delivered", M::Delivered, "Delivered"),
        code("Delivered in Full", M::Delivered, "Delivered"),
        code("Delivered - Left in a safe place", M::Delivered, "Delivered"),
        code("Delivered - To an individual at the address", M::Delivered, "Delivered"),
        code("Delivered - Collected at a Post Office", M::Delivered, "Delivered"),
        trouble("Possible delay", M::InTransit, E::Delay, "Delay"),
        trouble("Held by courier", M::InTransit, E::Delay, "Delay"),
        trouble("Article damaged", M::InTransit, E::Damage, "Damage"),
        trouble("Cancelled", M::BookingCancelled, E::Cancelled, "Cancelled"),
        code("Return to sender", M::Returned, "Returned"),
        code("Returned to sender", M::Returned, "Returned"),
        code("Return to sender in progress", M::Returned, "Returned"),
    ],
};
