//! SmartKargo, tracking (REST): a flat list of events of air waybills and of pieces of them, of
//! airlines that carry parcels. The number that is tracked is the waybill's, prefix in front.

use std::collections::HashMap;

use waybill_schemas::Place;
use waybill_schemas::vocabulary::{Milestone as M, Mode, QuantityKind, ReferenceKind};
use waybill_stage::Reject;

use super::package::{Package, some_place};
use crate::codes::{CodeList, code_list};
use crate::time;
use crate::tree::{self, Out, Tree};
use crate::{Draft, Parts, limits};

pub const MEDIA_TYPE: &str = "application/vnd.smartkargo.tracking+json";

/// Reads a tracking answer.
pub fn read(text: &str, parts: &mut Parts) -> Result<(), Reject> {
    tree::json(text, parts, answer)
}

pub(crate) fn looks_like(text: &str) -> bool {
    text.contains("\"airWaybill\"") && text.contains("\"pieceReference\"")
}

fn answer(root: Tree<'_>, out: &mut Out<'_>) -> Result<(), Reject> {
    if !root.is_list() && root.has("error") {
        return Err(root.carrier_error());
    }
    // Every event repeats the estimate: one for each piece, until it is delivered.
    let mut pieces = HashMap::new();
    for event in root.each("") {
        let read = package_of(event).and_then(|package| {
            let draft = event_of(&package, event)?;
            Ok((package, draft))
        });
        match read {
            Ok((package, draft)) => {
                let key = (event.text("airWaybill"), event.text("pieceReference"));
                let (delivered, estimate) = pieces.entry(key).or_insert((false, None));
                *delivered |= draft.milestone == M::Delivered;
                if estimate.is_none() && event.has("estimatedDeliveryDate") {
                    *estimate = Some((event, package));
                }
                out.push(event, Ok(draft));
            }
            Err(reject) => out.push(event, Err(reject)),
        }
    }
    let open = pieces.into_values().filter(|(delivered, _)| !delivered);
    let mut open: Vec<_> = open.filter_map(|(_, estimate)| estimate).collect();
    open.sort_by_key(|(event, _)| event.order());
    for (event, package) in open {
        out.package(event, |out| {
            let estimated = event.time_by("estimatedDeliveryDate", time::read);
            package.estimate(out, event, &EVENTS, Some(estimated), Place::default());
            Ok(())
        });
    }
    Ok(())
}

fn package_of(event: Tree<'_>) -> Result<Package, Reject> {
    let number = event.required("airWaybill", limits::CODE)?;
    let prefix = match event.text("prefix") {
        Some(prefix) => event.short("prefix", prefix, limits::CODE)?,
        None => "",
    };
    let mut package = Package::new(Mode::Parcel);
    package.document(&[prefix, number].concat());
    for reference in ["headerReference", "packageReference"] {
        package.reference(ReferenceKind::ShipperReference, event, reference)?;
    }
    package.reference(ReferenceKind::Other, event, "pieceReference")?;
    package.quantity(QuantityKind::Pieces, event.text("pieces"), "1");
    if let Some(flight) = event.name("flightNumber") {
        package.carried_by(Mode::Air, Some(flight));
    }
    Ok(package)
}

fn event_of(package: &Package, event: Tree<'_>) -> Result<Draft, Reject> {
    let code = event.required("eventType", limits::CODE)?;
    let mut draft = package.coded(&EVENTS, code, event.time_by("eventDate", time::read)?);
    let airport = event.text("eventLocation");
    let airport = airport.filter(|a| a.len() == 3 && a.bytes().all(|b| b.is_ascii_uppercase()));
    let mut place = Place { iata: airport.map(str::to_owned), ..Place::default() };
    if let Some(location) = event.at("location") {
        place.city = location.name("city");
        place.region = location.name("state");
        place.postal_code = location.name("zip");
        place.country = location.name("countryId");
        let degrees = |path: &str, most: f64| {
            let degrees: f64 = location.text(path)?.parse().ok()?;
            (degrees.abs() <= most).then_some(degrees)
        };
        (place.latitude, place.longitude) =
            degrees("latitude", 90.0).zip(degrees("longitude", 180.0)).unzip();
    }
    draft.place = some_place(place);
    draft.remark = event.clipped("description", limits::REMARK);
    Ok(draft)
}

/// Mostly IATA's status codes (Cargo-IMP FSU), and SmartKargo's own for the door.
pub static EVENTS: CodeList = code_list!("smartkargo", "SMARTKARGO", "SmartKargo event type");
