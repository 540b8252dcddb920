//! Canada Post, Get Tracking Details (REST, XML, v2): `tracking-detail`, or several of them in one
//! element. `event-time-zone` is the abbreviation of a Canadian zone with daylight saving time or
//! without, and so states the offset; `NO` behind it (`CSTNO`) says that the place keeps it all
//! year. Any other name does not.

use waybill_schemas::vocabulary::{Mode, ReferenceKind};
use waybill_schemas::{OccurrenceTime, Place};
use waybill_stage::Reject;

use super::dhl_express::date_and_time;
use super::package::{Package, facility, some_place};
use crate::codes::{CodeList, code_list};
use crate::time;
use crate::tree::{self, Out, Tree};
use crate::{Draft, Parts, limits};

pub const MEDIA_TYPE: &str = "application/vnd.canadapost.track+xml";

/// Reads tracking details.
pub fn read(text: &str, parts: &mut Parts) -> Result<(), Reject> {
    tree::xml(text, parts, answer)
}

pub(crate) fn looks_like(text: &str) -> bool {
    text.contains("<tracking-detail")
        || text.contains("www.canadapost.ca/ws/")
        || text.contains("<messages") && text.contains("<message>") && text.contains("<code>")
}

fn answer(root: Tree<'_>, out: &mut Out<'_>) -> Result<(), Reject> {
    if root.is("messages") {
        return Err(root.carrier_error());
    }
    if root.is("tracking-detail") {
        out.package(root, |out| detail_of(root, out));
        return Ok(());
    }
    for messages in root.each("messages") {
        out.push(messages, Err(messages.carrier_error()));
    }
    for detail in root.each("tracking-detail") {
        out.package(detail, |out| detail_of(detail, out));
    }
    Ok(())
}

fn detail_of(detail: Tree<'_>, out: &mut Out<'_>) -> Result<(), Reject> {
    let mut package = Package::numbered(Mode::Post, detail, &["pin"])?;
    for number in ["original-pin", "return-pin"] {
        package.reference(ReferenceKind::TrackingNumber, detail, number)?;
    }
    for reference in ["customer-ref-1", "customer-ref-2"] {
        package.reference(ReferenceKind::CustomerReference, detail, reference)?;
    }
    package.service(detail.name("service-name"));
    for occurrence in detail.each("significant-events/occurrence") {
        out.push(occurrence, event_of(&package, occurrence));
    }
    let path = ["changed-expected-date", "expected-delivery-date"];
    let path = path.into_iter().find(|path| detail.text(path).is_some());
    let estimated = path.map(|path| detail.time_by(path, time::read));
    let to = Place {
        postal_code: detail.name("destination-postal-id"),
        country: detail.text("destination-postal-id").map(|_| "CA".to_owned()),
        ..Place::default()
    };
    package.estimate(out, detail, &EVENTS, estimated, to);
    Ok(())
}

fn event_of(package: &Package, event: Tree<'_>) -> Result<Draft, Reject> {
    let code = event.required("event-identifier", limits::CODE)?;
    let wall = date_and_time(event, "event-date", "event-time")?;
    let zone = event.text("event-time-zone").and_then(offset);
    let occurred = OccurrenceTime { offset_minutes: zone, ..wall };
    // Sent as `0174` and as `174`.
    let meaning = EVENTS.find(code.trim_start_matches('0'));
    let mut draft = package.event(&EVENTS, code, meaning, occurred);
    let region = event.text("event-province");
    let canadian = region.is_some_and(|region| PROVINCES.contains(&region));
    draft.place = some_place(Place {
        name: event.name("event-retail-name"),
        facility: facility("CANADA_POST", event, "event-retail-location-id"),
        city: event.name("event-site"),
        region: event.name("event-province"),
        country: canadian.then(|| "CA".to_owned()),
        ..Place::default()
    });
    draft.remark = event.clipped("event-description", limits::REMARK);
    Ok(draft)
}

const PROVINCES: [&str; 13] =
    ["AB", "BC", "MB", "NB", "NL", "NS", "NT", "NU", "ON", "PE", "QC", "SK", "YT"];

fn offset(zone: &str) -> Option<i32> {
    // Saskatchewan's `CSTNO`.
    let all_year = zone.strip_suffix("NO").filter(|zone| zone.ends_with("ST"));
    let minutes = match all_year.unwrap_or(zone) {
        "NST" => -210,
        "NDT" => -150,
        "AST" => -240,
        "ADT" => -180,
        "EST" => -300,
        "EDT" => -240,
        "CST" => -360,
        "CDT" => -300,
        "MST" => -420,
        "MDT" => -360,
        "PST" => -480,
        "PDT" => -420,
        _ => return None,
    };
    Some(minutes)
}

/// Event identifiers, without the zeros in front. Names are Canada Post's where its examples have
/// them, else what the group of codes is for.
pub static EVENTS: CodeList =
    code_list!("canada-post", "CANADA_POST", "Canada Post event identifier");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_abbreviation_of_a_zone_states_the_offset() {
        for (zone, minutes) in [
            ("EST", Some(-300)),
            ("EDT", Some(-240)),
            // Saskatchewan has no daylight saving time.
            ("CSTNO", Some(-360)),
            ("MSTNO", Some(-420)),
            ("CDTNO", None),
            ("NO", None),
            ("CET", None),
            ("", None),
        ] {
            assert_eq!(offset(zone), minutes, "{zone}");
        }
    }
}
