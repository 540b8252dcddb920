//! Hermes Germany, shipment information (REST): `shipmentinfo` with a `status` list each.

pub mod codes;

use waybill_schemas::Place;
use waybill_schemas::vocabulary::{Mode, ReferenceKind};
use waybill_stage::Reject;

pub use self::codes::EVENTS;
use super::package::{Package, some_place};
use crate::time;
use crate::tree::{self, Out, Tree};
use crate::{Draft, Parts, limits};

pub const MEDIA_TYPE: &str = "application/vnd.hermes.shipmentinfo+json";

/// Reads a tracking answer.
pub fn read(payload: &[u8], parts: &mut Parts) -> Result<(), Reject> {
    tree::json(payload, parts, answer)
}

pub(crate) fn looks_like(text: &str) -> bool {
    text.contains("\"shipmentinfo\"")
}

fn answer(root: Tree<'_>, out: &mut Out<'_>) -> Result<(), Reject> {
    for shipment in root.each("shipmentinfo") {
        out.package(shipment, |out| shipment_of(shipment, out));
    }
    Ok(())
}

fn shipment_of(shipment: Tree<'_>, out: &mut Out<'_>) -> Result<(), Reject> {
    // `e001`: nothing is known. Beside events a result is a remark.
    if shipment.has("result") && !shipment.has("status") {
        return Err(shipment.carrier_error());
    }
    let mut package = Package::numbered(Mode::Parcel, shipment, &["shipmentID"])?;
    package.reference(ReferenceKind::CustomerReference, shipment, "clientReference")?;
    package.reference(ReferenceKind::CustomerReference, shipment, "clientReference2")?;
    for status in shipment.each("status") {
        out.push(status, event_of(&package, status));
    }
    let forecast = shipment.at("deliveryForecast").filter(|forecast| forecast.has("date"));
    let estimated = forecast.map(|forecast| {
        // The end of the slot, if there is one.
        let day = forecast.text("date").unwrap_or_default();
        let until = forecast.text("timeSlot/to").unwrap_or("00:00");
        let both = day.len() == 10 && until.len() <= 8;
        both.then(|| time::read(&[day, "T", until].concat()))
            .flatten()
            .ok_or_else(|| shipment.invalid_time("deliveryForecast/date"))
    });
    let to = shipment.at("receiverAddress").map(|address| Place {
        city: address.name("city"),
        postal_code: address.name("zipCode"),
        country: address.name("countryCode"),
        ..Place::default()
    });
    package.estimate(out, shipment, &EVENTS, estimated, to.unwrap_or_default());
    Ok(())
}

fn event_of(package: &Package, status: Tree<'_>) -> Result<Draft, Reject> {
    let code = status.required("code", limits::CODE)?;
    let mut draft = package.coded(&EVENTS, code, status.time_by("timestamp", time::read)?);
    draft.place = status.at("scanningUnit").and_then(|unit| {
        some_place(Place {
            name: unit.name("name"),
            city: unit.name("city"),
            country: unit.name("countryCode"),
            ..Place::default()
        })
    });
    draft.remark = status.clipped("description", limits::REMARK);
    Ok(draft)
}
