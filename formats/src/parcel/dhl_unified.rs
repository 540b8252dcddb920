//! DHL Shipment Tracking, Unified (REST): one answer for all of DHL's divisions. Its code says no
//! more than how far the shipment is.

use waybill_schemas::Place;
use waybill_schemas::vocabulary::{Mode, QuantityKind, ReferenceKind};
use waybill_stage::Reject;

use super::package::{Package, some_place};
use crate::codes::{CodeList, code_list};
use crate::time;
use crate::tree::{self, Out, Tree};
use crate::{Draft, Parts, limits};

pub const MEDIA_TYPE: &str = "application/vnd.dhl.unified-tracking+json";

/// Reads a tracking answer.
pub fn read(text: &str, parts: &mut Parts) -> Result<(), Reject> {
    tree::json(text, parts, answer)
}

pub(crate) fn looks_like(text: &str) -> bool {
    text.contains("\"shipments\"") && text.contains("\"statusCode\"")
        || text.contains("\"instance\"") && text.contains("\"/shipment/")
        // What its problem details (RFC 9457), which have no mark, say in DHL's words.
        || text.contains("\"detail\"")
            && ["No shipment with given", "for given resource"].iter().any(|said| text.contains(said))
}

fn answer(root: Tree<'_>, out: &mut Out<'_>) -> Result<(), Reject> {
    if !root.has("shipments") && root.has("status") && root.has("title") {
        return Err(root.carrier_error());
    }
    for shipment in root.each("shipments") {
        out.package(shipment, |out| shipment_of(shipment, out));
    }
    Ok(())
}

fn shipment_of(shipment: Tree<'_>, out: &mut Out<'_>) -> Result<(), Reject> {
    let mut package = Package::numbered(Mode::Parcel, shipment, &["id"])?;
    let service = shipment.text("service").unwrap_or_default();
    if service.starts_with("post") {
        package.carried_by(Mode::Post, None);
    } else if service == "freight" {
        package.carried_by(Mode::Road, None);
    }
    let details = shipment.at("details").unwrap_or(shipment);
    for reference in details.each("references") {
        let kind = match reference.text("type").unwrap_or_default() {
            "customer-reference" | "customer-confirmation-number" => {
                ReferenceKind::CustomerReference
            }
            "shipper-reference" => ReferenceKind::ShipperReference,
            "consignee-reference" => ReferenceKind::ConsigneeReference,
            "housebill" => ReferenceKind::HouseAirWaybill,
            "masterbill" => ReferenceKind::BillOfLading,
            "local-tracking-number" => ReferenceKind::TrackingNumber,
            _ => ReferenceKind::Other,
        };
        package.reference(kind, reference, "number")?;
    }
    package.weight(details.text("weight/value"), details.text("weight/unitText"));
    package.quantity(QuantityKind::Pieces, details.text("totalNumberOfPieces"), "1");
    package.service(details.name("product/productName"));
    for event in shipment.each("events") {
        out.push(event, event_of(&package, event));
    }
    if shipment.each("events").next().is_none()
        && let Some(status) = shipment.at("status")
    {
        // Who asks for no history gets the last event alone.
        out.push(status, event_of(&package, status));
    }
    let path = ["estimatedTimeOfDelivery", "estimatedDeliveryTimeFrame/estimatedThrough"];
    let path = path.into_iter().find(|path| shipment.text(path).is_some());
    let estimated = path.map(|path| shipment.time_by(path, time::read));
    let to = shipment.at("destination").map(place).unwrap_or_default();
    package.estimate(out, shipment, &STATUSES, estimated, to);
    Ok(())
}

fn event_of(package: &Package, event: Tree<'_>) -> Result<Draft, Reject> {
    let code = event.required("statusCode", limits::CODE)?;
    let mut draft = package.coded(&STATUSES, code, event.time_by("timestamp", time::read)?);
    draft.place = event.at("location").and_then(|location| some_place(place(location)));
    let said = ["description", "remark", "status"];
    draft.remark = said.into_iter().find_map(|path| event.clipped(path, limits::REMARK));
    Ok(draft)
}

fn place(location: Tree<'_>) -> Place {
    Place {
        city: location.name("address/addressLocality"),
        postal_code: location.name("address/postalCode"),
        country: location.name("address/countryCode"),
        ..Place::default()
    }
}

pub static STATUSES: CodeList =
    code_list!("dhl-unified", "DHL_UNIFIED", "DHL Shipment Tracking, Unified: statusCode");
