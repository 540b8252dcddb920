//! DHL Express: the XML Services' tracking answer, and the checkpoints and places that MyDHL API
//! ([`super::mydhl`]) has in common with it.

use waybill_schemas::Place;
use waybill_schemas::vocabulary::{Mode, QuantityKind, ReferenceKind};
use waybill_stage::Reject;

use super::package::{Package, facility, some_place};
use crate::codes::{CodeList, code_list};
use crate::time;
use crate::tree::{self, Out, Tree};
use crate::{Draft, Parts, limits};

pub const MEDIA_TYPE: &str = "application/vnd.dhl.express-tracking+xml";

/// Reads a tracking answer of the XML Services.
pub fn read(text: &str, parts: &mut Parts) -> Result<(), Reject> {
    tree::xml(text, parts, response)
}

pub(crate) fn looks_like(text: &str) -> bool {
    text.contains("http://www.dhl.com") && text.contains("Track") && text.contains("Response>")
}

fn response(root: Tree<'_>, out: &mut Out<'_>) -> Result<(), Reject> {
    if root.has("Response/Status") {
        return Err(root.carrier_error());
    }
    for bill in root.each("AWBInfo") {
        out.package(bill, |out| bill_of(bill, out));
    }
    Ok(())
}

fn bill_of(bill: Tree<'_>, out: &mut Out<'_>) -> Result<(), Reject> {
    // `success`, or what went wrong: `No Shipments Found`.
    let status = bill.text("Status/ActionStatus");
    let Some(shipment) = bill.at("ShipmentInfo") else {
        return Err(match status {
            Some(status) if status.eq_ignore_ascii_case("success") => bill.no_event(),
            _ => bill.carrier_error(),
        });
    };
    let mut package = Package::numbered(Mode::Parcel, bill, &["AWBNumber"])?;
    for reference in shipment.each("ShipperReference") {
        package.reference(ReferenceKind::ShipperReference, reference, "ReferenceID")?;
    }
    package.weight(shipment.text("Weight"), shipment.text("WeightUnit"));
    package.quantity(QuantityKind::Pieces, shipment.text("Pieces"), "1");
    for event in shipment.each("ShipmentEvent") {
        out.push(event, event_of(&package, event));
    }
    let estimated = shipment.text("EstDlvyDate");
    let estimated = estimated.map(|_| shipment.time_by("EstDlvyDate", time::read));
    let to = match shipment.at("Consignee") {
        Some(consignee) => Place {
            city: consignee.name("City"),
            region: consignee.name("DivisionCode"),
            postal_code: consignee.name("PostalCode"),
            country: consignee.name("CountryCode"),
            ..Place::default()
        },
        None => shipment
            .at("DestinationServiceArea")
            .map(|area| service_area(area, "ServiceAreaCode", "Description"))
            .unwrap_or_default(),
    };
    package.estimate(out, shipment, &CHECKPOINTS, estimated, to);
    Ok(())
}

fn event_of(package: &Package, event: Tree<'_>) -> Result<Draft, Reject> {
    let code = event.required("ServiceEvent/EventCode", limits::CODE)?;
    let mut draft = package.coded(&CHECKPOINTS, code, date_and_time(event, "Date", "Time")?);
    draft.place = event
        .at("ServiceArea")
        .and_then(|area| some_place(service_area(area, "ServiceAreaCode", "Description")));
    draft.remark = event.clipped("ServiceEvent/Description", limits::REMARK);
    Ok(draft)
}

/// A date and a time of day that stand in two fields.
pub(super) fn date_and_time(
    event: Tree<'_>,
    date: &str,
    clock: &str,
) -> Result<waybill_schemas::OccurrenceTime, Reject> {
    let day = event.required(date, limits::CODE)?;
    let time = event.text(clock).unwrap_or("00:00:00");
    // Two short texts, or the date is none.
    if day.len() != 10 {
        return Err(event.invalid_time(date));
    }
    let mut both = String::with_capacity(day.len() + 1 + time.len().min(limits::CODE));
    both.push_str(day);
    both.push('T');
    both.push_str(time.get(..time.len().min(limits::CODE)).unwrap_or_default());
    time::read(&both).ok_or_else(|| event.invalid_time(date))
}

/// DHL's code of a service area is mostly, but not always, IATA's of the city, so it stays DHL's
/// own. Its description is `Barcelona - Spain`, `KINGSTON-JAM` or `New York, NY`.
pub(super) fn service_area(area: Tree<'_>, code: &str, description: &str) -> Place {
    let name = area.text(description).unwrap_or_default();
    let (city, country) = match name.rsplit_once('-') {
        Some((city, country)) if !country.trim().is_empty() => (city.trim(), Some(country.trim())),
        _ => (name, None),
    };
    let (city, region) = match city.split_once(',') {
        Some((city, region)) if region.trim().len() == 2 => (city, Some(region)),
        _ => (city, None),
    };
    let kept = |text: &str| crate::text::clipped(text, limits::NAME);
    Place {
        city: kept(city),
        region: region.and_then(kept),
        country: country.and_then(kept),
        facility: facility("DHL", area, code),
        ..Place::default()
    }
}

/// Checkpoints.
pub static CHECKPOINTS: CodeList =
    code_list!("dhl-express", "DHL_EXPRESS", "DHL Express checkpoint");
