//! Spring (XBS), `TrackShipment` (REST): `Shipment` with its events. `Timestamp` is the Unix time of
//! the event and so states the instant; `DateTime` alone is a wall clock.

use waybill_schemas::Place;
use waybill_schemas::vocabulary::{Mode, ReferenceKind};
use waybill_stage::Reject;

use super::package::{Package, some_place};
use crate::codes::{CodeList, code_list};
use crate::time;
use crate::tree::{self, Out, Tree};
use crate::{Draft, Parts, limits};

pub const MEDIA_TYPE: &str = "application/vnd.spring.tracking+json";

/// Reads a tracking answer.
pub fn read(payload: &[u8], parts: &mut Parts) -> Result<(), Reject> {
    tree::json(payload, parts, answer)
}

pub(crate) fn looks_like(text: &str) -> bool {
    text.contains("\"ErrorLevel\"")
}

fn answer(root: Tree<'_>, out: &mut Out<'_>) -> Result<(), Reject> {
    // 0: done; 1: done, but …; 10: not done.
    if root.text("ErrorLevel") == Some("10") {
        return Err(root.carrier_error());
    }
    for shipment in root.each("Shipment") {
        out.package(shipment, |out| shipment_of(shipment, out));
    }
    Ok(())
}

fn shipment_of(shipment: Tree<'_>, out: &mut Out<'_>) -> Result<(), Reject> {
    let mut package = Package::numbered(Mode::Post, shipment, &["TrackingNumber"])?;
    package.reference(ReferenceKind::ShipperReference, shipment, "ShipperReference")?;
    for number in ["CarrierTrackingNumber", "CarrierLocalTrackingNumber"] {
        package.reference(ReferenceKind::TrackingNumber, shipment, number)?;
    }
    package.weight(shipment.text("Weight"), shipment.text("WeightUnit"));
    package.service(shipment.name("Service"));
    for event in shipment.each("Events") {
        out.push(event, event_of(&package, event));
    }
    Ok(())
}

fn event_of(package: &Package, event: Tree<'_>) -> Result<Draft, Reject> {
    let code = event.required("Code", limits::CODE)?;
    let occurred = match event.has("Timestamp") {
        true => event.time_by("Timestamp", time::read)?,
        false => event.time_by("DateTime", time::read)?,
    };
    let mut draft = package.coded(&EVENTS, code, occurred);
    draft.place = some_place(Place {
        city: event.name("City"),
        region: event.name("State"),
        postal_code: event.name("Zip"),
        country: event.name("Country"),
        ..Place::default()
    });
    draft.remark = event.clipped("Description", limits::REMARK);
    Ok(draft)
}

/// Tracking event codes, XBS API section 3.
pub static EVENTS: CodeList = code_list!("spring", "SPRING", "Spring XBS event code");
