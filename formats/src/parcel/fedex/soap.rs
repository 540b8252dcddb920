//! FedEx Track Web Service (SOAP, v3 to v20): `TrackReply`.

use waybill_schemas::Place;
use waybill_schemas::vocabulary::Mode;
use waybill_stage::Reject;

use super::{EVENTS, reference_kind, why};
use crate::parcel::package::{Package, some_place};
use crate::time;
use crate::tree::{self, Out, Tree};
use crate::{Draft, Parts, limits};

pub const MEDIA_TYPE: &str = "application/vnd.fedex.track+xml";

/// Reads a tracking answer, in its envelope or without.
pub fn read(text: &str, parts: &mut Parts) -> Result<(), Reject> {
    tree::xml(text, parts, reply)
}

pub(crate) fn looks_like(text: &str) -> bool {
    text.contains("TrackReply") && text.contains("fedex.com/ws/track")
}

fn reply(root: Tree<'_>, out: &mut Out<'_>) -> Result<(), Reject> {
    if !root.is("TrackReply") {
        return Err(root.missing("TrackReply"));
    }
    let mut any = false;
    // Until v5 the details stood without a list around them.
    for completed in std::iter::once(root).chain(root.each("CompletedTrackDetails")) {
        for details in completed.each("TrackDetails") {
            any = true;
            out.package(details, |out| package_of(details, out));
        }
    }
    match root.text("HighestSeverity") {
        Some("ERROR" | "FAILURE") if !any => Err(root.carrier_error()),
        _ => Ok(()),
    }
}

fn package_of(details: Tree<'_>, out: &mut Out<'_>) -> Result<(), Reject> {
    if let Some("ERROR" | "FAILURE") = details.text("Notification/Severity") {
        return Err(details.carrier_error());
    }
    let mut package = Package::numbered(Mode::Parcel, details, &["TrackingNumber"])?;
    let unique = "TrackingNumberUniqueIdentifier";
    package.reference(reference_kind("unique"), details, unique)?;
    for identifier in details.each("OtherIdentifiers") {
        // Older versions have no element between.
        let identifier = identifier.at("PackageIdentifier").unwrap_or(identifier);
        let kind = reference_kind(identifier.text("Type").unwrap_or_default());
        package.reference(kind, identifier, "Value")?;
    }
    if let Some(weight) = details.at("PackageWeight").or_else(|| details.at("ShipmentWeight")) {
        package.weight(weight.text("Value"), weight.text("Units"));
    }
    package.service(details.name("Service/Description"));
    for event in details.each("Events") {
        out.push(event, event_of(&package, event));
    }
    if !details.has("ActualDeliveryTimestamp") {
        let at = "EstimatedDeliveryTimestamp";
        let estimated = details.has(at).then(|| details.time_by(at, time::read));
        let to = details.at("DestinationAddress").map(place).unwrap_or_default();
        package.estimate(out, details, &EVENTS, estimated, to);
    }
    Ok(())
}

fn event_of(package: &Package, event: Tree<'_>) -> Result<Draft, Reject> {
    let code = event.required("EventType", limits::CODE)?;
    let mut draft = package.coded(&EVENTS, code, event.time_by("Timestamp", time::read)?);
    why(&mut draft, code, event.text("StatusExceptionCode"));
    draft.place = event.at("Address").and_then(|address| some_place(place(address)));
    draft.remark = event
        .clipped("StatusExceptionDescription", limits::REMARK)
        .or_else(|| event.clipped("EventDescription", limits::REMARK));
    Ok(draft)
}

fn place(address: Tree<'_>) -> Place {
    Place {
        city: address.name("City"),
        region: address.name("StateOrProvinceCode"),
        postal_code: address.name("PostalCode"),
        country: address.name("CountryCode"),
        ..Place::default()
    }
}
