//! Australia Post, Track Items (Shipping and Tracking API): results for each number, with items, or
//! consignments of items, in them. Events have no code: the description is one, and stands in
//! the raw code. Whatever the place, times are Australian and state their offset.

use waybill_schemas::Place;
use waybill_schemas::vocabulary::{Mode, ReferenceKind};
use waybill_stage::Reject;

use super::package::{PHRASE, Package, city_and_country, some_place};
use crate::codes::{CodeList, Meaning, code_list};
use crate::time;
use crate::tree::{self, Out, Tree};
use crate::{Draft, Parts, limits};

pub const MEDIA_TYPE: &str = "application/vnd.auspost.tracking+json";

/// Reads a tracking answer.
pub fn read(text: &str, parts: &mut Parts) -> Result<(), Reject> {
    tree::json(text, parts, answer)
}

pub(crate) fn looks_like(text: &str) -> bool {
    text.contains("\"tracking_results\"") || text.contains("_AP_TRACKING_IDS\"")
}

fn answer(root: Tree<'_>, out: &mut Out<'_>) -> Result<(), Reject> {
    if root.has("errors") {
        return Err(root.carrier_error());
    }
    for result in root.each("tracking_results") {
        let asked = result.text("tracking_id");
        let mut any = false;
        for item in result.each("trackable_items") {
            any = true;
            if !item.has("items") {
                out.package(item, |out| item_of(asked, None, item, out));
            }
            let consignment = item.text("consignment_id");
            for item in item.each("items") {
                out.package(item, |out| item_of(asked, consignment, item, out));
            }
        }
        if !any {
            let failed = result.has("errors");
            let reject = if failed { result.carrier_error() } else { result.no_event() };
            out.push(result, Err(reject));
        }
    }
    Ok(())
}

fn item_of<'t>(
    asked: Option<&'t str>,
    consignment: Option<&'t str>,
    item: Tree<'t>,
    out: &mut Out<'_>,
) -> Result<(), Reject> {
    let path = "article_id";
    let number = item.text(path).or(asked);
    let mut package = Package::known_as(Mode::Post, item, path, number)?;
    for number in [asked, consignment] {
        package.also(ReferenceKind::TrackingNumber, item, path, number)?;
    }
    package.service(item.name("product_type"));
    for event in item.each("events") {
        out.push(event, event_of(&package, event));
    }
    let path = "expected_delivery_date";
    let estimated = item.has(path).then(|| item.time_by(path, time::read));
    package.estimate(out, item, &DESCRIPTIONS, estimated, Place::default());
    Ok(())
}

fn event_of(package: &Package, event: Tree<'_>) -> Result<Draft, Reject> {
    let said = event.required("description", PHRASE)?;
    let occurred = event.time_by("date", time::read)?;
    let mut draft = package.event(&DESCRIPTIONS, said, meaning(said), occurred);
    draft.place = event.text("location").and_then(|text| some_place(place(text)));
    draft.remark = event.clipped("description", limits::REMARK);
    Ok(draft)
}

fn meaning(said: &str) -> Option<Meaning> {
    // Some end with a place: `In transit to next facility in OAKLEIGH SOUTH VIC`.
    DESCRIPTIONS.find(said).or_else(|| {
        let (phrase, _) = said.split_once(" in ")?;
        DESCRIPTIONS.find(phrase)
    })
}

/// `BRISBANE QLD`, `CHICAGO (US)`, `NZ`. `Transit Scan` stands where there is no place.
fn place(text: &str) -> Place {
    const STATES: [&str; 8] = ["ACT", "NSW", "NT", "QLD", "SA", "TAS", "VIC", "WA"];
    if text.eq_ignore_ascii_case("transit scan") {
        return Place::default();
    }
    match text.rsplit_once(' ').filter(|(_, state)| STATES.contains(state)) {
        Some((city, state)) => Place {
            city: crate::text::clipped(city, limits::NAME),
            region: Some(state.to_owned()),
            country: Some("AU".to_owned()),
            ..Place::default()
        },
        None => city_and_country(text),
    }
}

pub static DESCRIPTIONS: CodeList =
    code_list!("australia-post", "AUSPOST", "Australia Post event description");
