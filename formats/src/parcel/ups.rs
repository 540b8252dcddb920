//! UPS: the Tracking API (REST, v1), `trackResponse`; what it pushes, in [`track_alert`]; its XML before
//! that, in [`xml`]; and [`quantum_view`]. An activity's code is the type of its status and the code within
//! the type: `X/SR`.

pub mod quantum_view;
pub mod track_alert;
pub mod xml;

use waybill_schemas::Place;
use waybill_schemas::vocabulary::{Milestone as M, Mode, ReferenceKind};
use waybill_stage::Reject;

use super::package::{Package, facility, some_place};
use crate::codes::{CodeList, Meaning, code_list};
use crate::time;
use crate::tree::{self, Out, Tree};
use crate::{Draft, Parts, limits};

pub const MEDIA_TYPE: &str = "application/vnd.ups.track+json";

/// Reads a tracking answer.
pub fn read(text: &str, parts: &mut Parts) -> Result<(), Reject> {
    tree::json(text, parts, answer)
}

pub(crate) fn looks_like(text: &str) -> bool {
    text.contains("\"trackResponse\"")
        || text.contains("\"Fault\"") && text.contains("\"faultcode\"")
        || text.contains("\"response\"") && text.contains("\"errors\"") && text.contains("\"code\"")
}

fn answer(root: Tree<'_>, out: &mut Out<'_>) -> Result<(), Reject> {
    // The interfaces before OAuth answer with a fault, as SOAP does.
    if root.has("response/errors") || root.has("Fault") {
        return Err(root.carrier_error());
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
    let meaning = meaning(kind, &raw, sent.text("status/statusCode"));
    let mut draft = package.event(&ACTIVITIES, &raw, meaning, occurred);
    let mut at = sent.at("location/address").map(place).unwrap_or_default();
    at.facility = facility("UPS", sent, "location/slic");
    draft.place = some_place(at);
    draft.remark = sent.clipped("status/description", limits::REMARK);
    Ok(draft)
}

/// The code within the type is the most exact, then the status that people are shown; the type alone still
/// tells how far the package is.
fn meaning(kind: &str, raw: &str, status: Option<&str>) -> Option<Meaning> {
    let shown =
        || STATUSES.find(status?).filter(|m| m.milestone != M::InTransit || m.exception.is_some());
    ACTIVITIES.find(raw).or_else(shown).or_else(|| TYPES.find(kind))
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
pub static ACTIVITIES: CodeList =
    code_list!("ups-activities", "UPS", "UPS activity status: type and code");

/// Types of a status (`status.type`).
pub static TYPES: CodeList = code_list!("ups-types", "UPS", "UPS status type");

/// Statuses that people are shown (`status.statusCode`), Tracking API's appendix.
pub static STATUSES: CodeList = code_list!("ups-statuses", "UPS", "UPS status code");
