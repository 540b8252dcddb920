//! MyDHL API (DHL Express, REST): `shipments` with the events of each, and of each piece where they
//! were asked for.

use waybill_schemas::Place;
use waybill_schemas::vocabulary::{Mode, QuantityKind, ReferenceKind};
use waybill_stage::{Code, Reject};

use super::dhl_express::{CHECKPOINTS, date_and_time, service_area};
use super::package::{Package, some_place};
use crate::time;
use crate::tree::{self, Out, Tree};
use crate::{Draft, Parts, limits};

pub const MEDIA_TYPE: &str = "application/vnd.mydhl.tracking+json";

/// Reads a tracking answer.
pub fn read(text: &str, parts: &mut Parts) -> Result<(), Reject> {
    tree::json(text, parts, answer)
}

pub(crate) fn looks_like(text: &str) -> bool {
    text.contains("\"shipmentTrackingNumber\"")
        || text.contains("\"typeCode\"") && text.contains("\"documents\"")
        || text.contains("/tracking?shipmentTrackingNumber=")
}

fn answer(root: Tree<'_>, out: &mut Out<'_>) -> Result<(), Reject> {
    if root.has("documents") {
        return Err(Reject::new(Code::Unsupported, "/documents: a proof of delivery, no events"));
    }
    if !root.has("shipments") && root.has("status") && root.has("title") {
        return Err(root.carrier_error());
    }
    for shipment in root.each("shipments") {
        out.package(shipment, |out| shipment_of(shipment, out));
    }
    Ok(())
}

fn shipment_of(shipment: Tree<'_>, out: &mut Out<'_>) -> Result<(), Reject> {
    let mut package = Package::numbered(Mode::Parcel, shipment, &["shipmentTrackingNumber"])?;
    for reference in shipment.each("shipperReferences").chain(shipment.each("references")) {
        package.reference(ReferenceKind::ShipperReference, reference, "value")?;
        package.reference(ReferenceKind::ShipperReference, reference, "number")?;
    }
    let unit = match shipment.text("unitOfMeasurements") {
        Some("imperial") => "LB",
        _ => "KG",
    };
    package.weight(shipment.text("totalWeight"), Some(unit));
    package.quantity(QuantityKind::Pieces, shipment.text("numberOfPieces"), "1");
    package.service(shipment.name("productCode"));
    for event in shipment.each("events") {
        out.push(event, event_of(&package, event));
    }
    for piece in shipment.each("pieces") {
        let mut of_piece = package.clone();
        of_piece.reference(ReferenceKind::TrackingNumber, piece, "trackingNumber")?;
        for event in piece.each("events") {
            out.push(event, event_of(&of_piece, event));
        }
    }
    let path = ["estimatedDeliveryDate", "estimatedTimeOfDelivery"];
    let path = path.into_iter().find(|path| shipment.text(path).is_some());
    let estimated = path.map(|path| shipment.time_by(path, time::read));
    let to = shipment.at("receiverDetails/postalAddress").map(|address| Place {
        city: address.name("cityName"),
        region: address.name("provinceCode"),
        postal_code: address.name("postalCode"),
        country: address.name("countryCode"),
        ..Place::default()
    });
    package.estimate(out, shipment, &CHECKPOINTS, estimated, to.unwrap_or_default());
    Ok(())
}

fn event_of(package: &Package, event: Tree<'_>) -> Result<Draft, Reject> {
    let code = event.required("typeCode", limits::CODE)?;
    let wall = date_and_time(event, "date", "time")?;
    let occurred = event.offset("GMTOffset", wall)?;
    let mut draft = package.coded(&CHECKPOINTS, code, occurred);
    let area = event.at("serviceArea");
    let area = area.or_else(|| event.at("location/serviceArea"));
    draft.place = area.and_then(|area| some_place(service_area(area, "code", "description")));
    draft.remark = event.clipped("description", limits::REMARK);
    Ok(draft)
}
