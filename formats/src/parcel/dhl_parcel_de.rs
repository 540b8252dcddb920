//! DHL Parcel DE (Sendungsverfolgung, XML): `data` in `data`, everything in attributes.

use waybill_schemas::Place;
use waybill_schemas::vocabulary::{Milestone as M, Mode, ReferenceKind};
use waybill_stage::Reject;

use super::package::{Package, some_place, told};
use crate::codes::{CodeList, code_list};
use crate::time;
use crate::tree::{self, Out, Tree};
use crate::{Draft, Parts, limits};

pub const MEDIA_TYPE: &str = "application/vnd.dhl.parcel-de-tracking+xml";

/// Reads a tracking answer.
pub fn read(text: &str, parts: &mut Parts) -> Result<(), Reject> {
    tree::xml(text, parts, list)
}

pub(crate) fn looks_like(text: &str) -> bool {
    text.contains("\"piece-shipment-list\"")
}

fn list(root: Tree<'_>, out: &mut Out<'_>) -> Result<(), Reject> {
    if root.text("@code").is_some_and(|code| code != "0") {
        return Err(root.carrier_error());
    }
    for shipment in named(root, "piece-shipment") {
        out.package(shipment, |out| shipment_of(shipment, out));
    }
    Ok(())
}

fn named<'t>(tree: Tree<'t>, name: &'static str) -> impl Iterator<Item = Tree<'t>> {
    tree.each("data").filter(move |data| data.text("@name") == Some(name))
}

fn shipment_of(shipment: Tree<'_>, out: &mut Out<'_>) -> Result<(), Reject> {
    if shipment.text("@error-status").is_some_and(|code| code != "0") {
        return Err(shipment.carrier_error());
    }
    let numbers = ["@piece-code", "@searched-piece-code", "@piece-identifier"];
    let mut package = Package::numbered(Mode::Parcel, shipment, &numbers)?;
    package.reference(ReferenceKind::TrackingNumber, shipment, "@piece-identifier")?;
    package.reference(ReferenceKind::TrackingNumber, shipment, "@international-id")?;
    let customer = ReferenceKind::CustomerReference;
    package.reference(customer, shipment, "@piece-customer-reference")?;
    package.reference(customer, shipment, "@shipment-customer-reference")?;
    package.reference(ReferenceKind::AirWaybill, shipment, "@airway-bill-number")?;
    package.weight(shipment.text("@shipment-weight"), Some("KG"));
    package.service(shipment.name("@product-name"));
    for list in named(shipment, "piece-event-list") {
        for event in named(list, "piece-event") {
            out.push(event, event_of(&package, event));
        }
    }
    Ok(())
}

fn event_of(package: &Package, event: Tree<'_>) -> Result<Draft, Reject> {
    let path = "@standard-event-code";
    let path = if event.text(path).is_some() { path } else { "@ice" };
    let code = event.required(path, limits::CODE)?;
    let mut draft =
        package.coded(&EVENTS, code, event.time_by("@event-timestamp", time::day_first)?);
    if draft.milestone == M::Delivered && event.text("@ruecksendung") == Some("true") {
        // Delivered, but to who sent it.
        told(&mut draft, M::Returned);
    }
    draft.place = some_place(Place {
        city: event.name("@event-location"),
        country: event.name("@event-country"),
        ..Place::default()
    });
    draft.remark = event.clipped("@event-status", limits::REMARK);
    Ok(draft)
}

/// Standard event codes, and ICE (international coded events) where an event has none.
pub static EVENTS: CodeList =
    code_list!("dhl-parcel-de", "DHL_PARCEL_DE", "DHL Parcel DE standard event code, ICE");
