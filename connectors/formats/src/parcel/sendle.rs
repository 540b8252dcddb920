//! Sendle, tracking (REST): `tracking_events` of one parcel. The answer does not repeat the parcel's
//! reference, so that its events name no shipment.

use waybill_schemas::Place;
use waybill_schemas::vocabulary::Mode;
use waybill_stage::Reject;

use super::package::{PHRASE, Package, some_place};
use crate::codes::{CodeList, code_list};
use crate::time;
use crate::tree::{self, Out, Tree};
use crate::{Draft, Parts, limits};

pub const MEDIA_TYPE: &str = "application/vnd.sendle.tracking+json";

/// Reads a tracking answer.
pub fn read(payload: &[u8], parts: &mut Parts) -> Result<(), Reject> {
    tree::json(payload, parts, answer)
}

pub(crate) fn looks_like(text: &str) -> bool {
    text.contains("\"tracking_events\"") && text.contains("\"scan_time\"")
}

fn answer(root: Tree<'_>, out: &mut Out<'_>) -> Result<(), Reject> {
    if root.has("error") {
        return Err(root.carrier_error());
    }
    out.package(root, |out| parcel_of(root, out));
    Ok(())
}

fn parcel_of(parcel: Tree<'_>, out: &mut Out<'_>) -> Result<(), Reject> {
    let mut package = Package::new(Mode::Parcel);
    if let Some(number) = parcel.first(&["sendle_reference", "tracking_number"]) {
        package.document(parcel.short("sendle_reference", number, limits::ID)?);
    }
    for event in parcel.each("tracking_events") {
        out.push(event, event_of(&package, event));
    }
    let path = "scheduling/estimated_delivery_date_maximum";
    let estimated = parcel.text(path).map(|_| parcel.time_by(path, time::read));
    let to = Place { country: parcel.name("destination/country"), ..Place::default() };
    package.estimate(out, parcel, &EVENTS, estimated, to);
    Ok(())
}

fn event_of(package: &Package, event: Tree<'_>) -> Result<Draft, Reject> {
    let code = event.required("event_type", PHRASE)?;
    // The same instant twice; the one for display has the offset of the place.
    let path = if event.has("display_time") { "display_time" } else { "scan_time" };
    let mut draft = package.coded(&EVENTS, code, event.time_by(path, time::read)?);
    // `TEANECK, NJ`, `NEW YORK NY DISTRIBUTION CENTER`.
    draft.place = event.text("location").and_then(|text| {
        let kept = |text: &str| crate::text::clipped(text, limits::NAME);
        some_place(match text.rsplit_once(',') {
            Some((city, region)) => {
                Place { city: kept(city), region: kept(region), ..Place::default() }
            }
            None => Place { name: kept(text), ..Place::default() },
        })
    });
    let said = ["reason", "description"];
    draft.remark = said.into_iter().find_map(|path| event.clipped(path, limits::REMARK));
    Ok(draft)
}

/// Event types.
pub static EVENTS: CodeList = code_list!("sendle", "SENDLE", "Sendle event type");
