//! UPS tracking before the REST interface: `TrackResponse` of the XML service, and the same of the SOAP one,
//! which has no element between a status and its type.

use waybill_schemas::vocabulary::{Mode, ReferenceKind};
use waybill_schemas::{OccurrenceTime, Place};
use waybill_stage::Reject;

use super::{ACTIVITIES, meaning};
use crate::parcel::package::{Package, some_place};
use crate::time;
use crate::tree::{self, Out, Tree};
use crate::{Draft, Parts, limits};

pub const MEDIA_TYPE: &str = "application/vnd.ups.tracking+xml";

/// Reads a tracking answer, in an envelope or without.
pub fn read(text: &str, parts: &mut Parts) -> Result<(), Reject> {
    tree::xml(text, parts, response)
}

pub(crate) fn looks_like(text: &str) -> bool {
    let is_of_ups = ["ResponseStatus", "<ShipmentIdentificationNumber>", "<ActivityLocation>"];
    text.contains("TrackResponse") && is_of_ups.iter().any(|mark| text.contains(mark))
}

fn response(root: Tree<'_>, out: &mut Out<'_>) -> Result<(), Reject> {
    if !root.is("TrackResponse") {
        return Err(root.missing("TrackResponse"));
    }
    // USPS and Landmark have a root of that name, too: only what UPS alone has is an error of UPS.
    let failed = root.text("Response/ResponseStatusCode") == Some("0");
    if failed || root.has("Response/Error") {
        return Err(root.carrier_error());
    }
    for shipment in root.each("Shipment") {
        let mut any = false;
        for package in shipment.each("Package") {
            any = true;
            out.package(package, |out| package_of(shipment, package, out));
        }
        // Freight has no packages.
        if !any {
            out.package(shipment, |out| package_of(shipment, shipment, out));
        }
    }
    Ok(())
}

fn package_of(shipment: Tree<'_>, sent: Tree<'_>, out: &mut Out<'_>) -> Result<(), Reject> {
    let inquired = ["ShipmentIdentificationNumber", "InquiryNumber/Value"];
    let number = sent.text("TrackingNumber").or_else(|| shipment.first(&inquired));
    let mut package = Package::known_as(Mode::Parcel, sent, "TrackingNumber", number)?;
    let of_shipment = shipment.text("ShipmentIdentificationNumber");
    package.also(ReferenceKind::TrackingNumber, sent, "TrackingNumber", of_shipment)?;
    for reference in shipment.each("ReferenceNumber").chain(sent.each("ReferenceNumber")) {
        package.reference(ReferenceKind::ShipperReference, reference, "Value")?;
    }
    package.weight(
        sent.text("PackageWeight/Weight"),
        sent.text("PackageWeight/UnitOfMeasurement/Code"),
    );
    package.service(shipment.name("Service/Description"));
    for activity in sent.each("Activity") {
        out.push(activity, event(&package, activity));
    }
    let dates = ["RescheduledDeliveryDate", "ScheduledDeliveryDate"];
    let found = |tree: Tree<'_>| dates.into_iter().find(|date| tree.text(date).is_some());
    let at = [sent, shipment].into_iter().find_map(|tree| Some((tree, found(tree)?)));
    let estimated = at.map(|(tree, date)| {
        let clock = match date {
            "RescheduledDeliveryDate" => "RescheduledDeliveryTime",
            _ => "ScheduledDeliveryTime",
        };
        let on = tree.text(date).unwrap_or_default();
        time::joined(on, tree.text(clock)).ok_or_else(|| tree.invalid_time(date))
    });
    let to = shipment.at("ShipTo/Address").map(place).unwrap_or_default();
    package.estimate(out, sent, &ACTIVITIES, estimated, to);
    Ok(())
}

fn event(package: &Package, sent: Tree<'_>) -> Result<Draft, Reject> {
    let paths = ["Status/StatusType/Code", "Status/Type"];
    let kind = sent.first(&paths).ok_or_else(|| sent.missing("Status/StatusType/Code"))?;
    let kind = sent.short("Status/StatusType/Code", kind, limits::CODE)?;
    let code = sent.first(&["Status/StatusCode/Code", "Status/Code"]);
    let raw = match code {
        Some(code) => {
            [kind, "/", sent.short("Status/StatusCode/Code", code, limits::CODE)?].concat()
        }
        None => kind.to_owned(),
    };
    let mut draft = package.event(&ACTIVITIES, &raw, meaning(kind, &raw, None), occurred(sent)?);
    let at = ["ActivityLocation/Address", "ActivityLocation/AddressArtifactFormat"];
    let at = at.into_iter().find_map(|path| sent.at(path));
    draft.place = at.and_then(|address| some_place(place(address)));
    let said = ["Status/StatusType/Description", "Status/Description"];
    draft.remark = said.into_iter().find_map(|path| sent.clipped(path, limits::REMARK));
    Ok(draft)
}

/// The local clock; later versions state its offset beside the time in GMT.
fn occurred(sent: Tree<'_>) -> Result<OccurrenceTime, Reject> {
    let date = sent.required("Date", limits::CODE)?;
    let wall = time::joined(date, sent.text("Time")).ok_or_else(|| sent.invalid_time("Date"))?;
    sent.offset("GMTOffset", wall)
}

pub(super) fn place(address: Tree<'_>) -> Place {
    let name = |paths: [&str; 2]| paths.into_iter().find_map(|path| address.name(path));
    Place {
        city: name(["City", "PoliticalDivision2"]),
        region: name(["StateProvinceCode", "PoliticalDivision1"]),
        postal_code: name(["PostalCode", "PostcodePrimaryLow"]),
        country: address.name("CountryCode"),
        ..Place::default()
    }
}
