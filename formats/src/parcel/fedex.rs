//! FedEx: the Track API (REST, v1) and, in [`soap`], the Track Web Service before it.

pub mod codes;
pub mod soap;

use waybill_schemas::Place;
use waybill_schemas::vocabulary::{ExceptionKind, Milestone, Mode, ReferenceKind};
use waybill_stage::Reject;

pub use self::codes::{DELAYS, EVENTS, REASONS};
use super::package::{Package, facility, reasoned, some_place};
use crate::time;
use crate::tree::{self, Out, Tree};
use crate::{Draft, Parts, limits};

pub const MEDIA_TYPE: &str = "application/vnd.fedex.track+json";

/// Reads a tracking answer of the Track API.
pub fn read(text: &str, parts: &mut Parts) -> Result<(), Reject> {
    tree::json(text, parts, answer)
}

pub(crate) fn looks_like(text: &str) -> bool {
    text.contains("\"completeTrackResults\"")
        || text.contains("\"transactionId\"")
            && (text.contains("\"TRACKING.")
                || text.contains("PROOF_OF_DELIVERY")
                || text.contains("\"errors\""))
}

fn answer(root: Tree<'_>, out: &mut Out<'_>) -> Result<(), Reject> {
    if let Some(errors) = root.at("errors") {
        return Err(errors.carrier_error());
    }
    for number in root.each("output/completeTrackResults") {
        let asked = number.text("trackingNumber");
        for result in number.each("trackResults") {
            out.package(result, |out| package_of(asked, result, out));
        }
    }
    Ok(())
}

fn package_of<'t>(
    asked: Option<&'t str>,
    result: Tree<'t>,
    out: &mut Out<'_>,
) -> Result<(), Reject> {
    // FedEx's own example has an error beside its events: these are what is worth reading.
    if result.has("error") && result.each("scanEvents").next().is_none() {
        return Err(result.carrier_error());
    }
    let path = "trackingNumberInfo/trackingNumber";
    let number = result.text(path).or(asked);
    let mut package = Package::known_as(Mode::Parcel, result, path, number)?;
    // FedEx uses a number again after a while, and may send one package under two records; this
    // tells them apart.
    let unique = "trackingNumberInfo/trackingNumberUniqueId";
    package.reference(ReferenceKind::Other, result, unique)?;
    for identifier in result.each("additionalTrackingInfo/packageIdentifiers") {
        let kind = reference_kind(identifier.text("type").unwrap_or_default());
        package.reference(kind, identifier, "value")?;
        for value in identifier.each("values") {
            package.reference(kind, value, "")?;
        }
    }
    let weights = ["packageDetails/weightAndDimensions/weight", "shipmentDetails/weight"];
    if let Some(weights) = weights.into_iter().find(|path| result.has(path)) {
        // The same weight in several units: SI, if it is there.
        let si = result.each(weights).find(|w| w.text("unit") == Some("KG"));
        if let Some(weight) = si.or_else(|| result.each(weights).next()) {
            package.weight(weight.text("value"), weight.text("unit"));
        }
    }
    package.service(result.name("serviceDetail/description"));
    for scan in result.each("scanEvents") {
        out.push(scan, event(&package, scan));
    }
    let date = |kind| result.each("dateAndTimes").find(|date| date.text("type") == Some(kind));
    if date("ACTUAL_DELIVERY").is_none() {
        let window = "estimatedDeliveryTimeWindow/window/ends";
        let (at, estimated) = match date("ESTIMATED_DELIVERY") {
            Some(date) => (date, Some(date.time_by("dateTime", time::read))),
            None => {
                let stated = result.has(window);
                (result, stated.then(|| result.time_by(window, time::read)))
            }
        };
        let to = result.at("destinationLocation/locationContactAndAddress/address");
        let to = to.or_else(|| result.at("lastUpdatedDestinationAddress"));
        package.estimate(out, at, &EVENTS, estimated, to.map(place).unwrap_or_default());
    }
    Ok(())
}

fn event(package: &Package, scan: Tree<'_>) -> Result<Draft, Reject> {
    let code = scan.required("eventType", limits::CODE)?;
    let mut draft = package.coded(&EVENTS, code, scan.time_by("date", time::read)?);
    why(&mut draft, code, scan.text("exceptionCode"));
    if let Some(delay) = scan.text("delayDetail/type").filter(|d| d.len() <= limits::CODE) {
        let kind = DELAYS.find(delay).unwrap_or(ExceptionKind::Delay);
        if !draft.exceptions.iter().any(|e| e.kind == kind) {
            draft.exception(kind, Some([DELAYS.prefix, "/", delay].concat()));
        }
    }
    let mut at = scan.at("scanLocation").map(place).unwrap_or_default();
    at.facility = facility("FEDEX", scan, "locationId");
    draft.place = some_place(at);
    draft.remark = scan
        .clipped("exceptionDescription", limits::REMARK)
        .or_else(|| scan.clipped("eventDescription", limits::REMARK));
    Ok(draft)
}

/// Adds what the reason says. A delivery exception was an attempt, unless the reason is none of
/// trouble: then the package was turned to another place.
fn why(draft: &mut Draft, code: &str, reason: Option<&str>) {
    reasoned(draft, &REASONS, reason);
    if code == "DE" && reason.is_some_and(|reason| REASONS.find(reason).is_none()) {
        draft.milestone = Milestone::InTransit;
    }
}

fn place(address: Tree<'_>) -> Place {
    Place {
        city: address.name("city"),
        region: address.name("stateOrProvinceCode"),
        postal_code: address.name("postalCode"),
        country: address.name("countryCode"),
        ..Place::default()
    }
}

/// What a type of package identifier is in the model.
fn reference_kind(kind: &str) -> ReferenceKind {
    match kind {
        "BILL_OF_LADING" => ReferenceKind::BillOfLading,
        "CUSTOMER_REFERENCE" => ReferenceKind::CustomerReference,
        "INVOICE" => ReferenceKind::Invoice,
        "PURCHASE_ORDER" => ReferenceKind::PurchaseOrder,
        "SHIPPER_REFERENCE" => ReferenceKind::ShipperReference,
        _ => ReferenceKind::Other,
    }
}
