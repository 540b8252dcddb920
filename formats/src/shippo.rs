//! Shippo: a webhook's `track_updated`, or a track alone. The status now stands beside the history, which
//! may or may not have it, too. Times are sent as UTC; the day of an estimated delivery as its midnight.

use waybill_schemas::Place;
use waybill_schemas::vocabulary::{Mode, ReferenceKind};
use waybill_stage::{Code, Reject};

use crate::codes::{CodeList, code_list};
use crate::parcel::package::{Package, some_place};
use crate::time;
use crate::tree::{self, Out, Tree};
use crate::{Draft, Parts, limits};

pub const MEDIA_TYPE: &str = "application/vnd.shippo.track+json";

/// Reads a webhook's body, a track, or a list of tracks.
pub fn read(text: &str, parts: &mut Parts) -> Result<(), Reject> {
    tree::json(text, parts, body)
}

pub(crate) fn looks_like(text: &str) -> bool {
    text.contains("\"tracking_status\"") && text.contains("\"tracking_history\"")
        || text.contains("\"track_updated\"")
}

fn body(root: Tree<'_>, out: &mut Out<'_>) -> Result<(), Reject> {
    for sent in root.each("") {
        if sent.text("event").is_some_and(|event| event != "track_updated") {
            return Err(Reject::new(Code::Unsupported, "an event that is no track_updated"));
        }
        let track = sent.at("data").unwrap_or(sent);
        out.package(track, |out| track_of(track, out));
    }
    Ok(())
}

fn track_of(track: Tree<'_>, out: &mut Out<'_>) -> Result<(), Reject> {
    let tells = track.has("tracking_status") || track.has("tracking_history");
    if !tells && (track.has("detail") || track.has("error") || track.has("__all__")) {
        return Err(track.carrier_error());
    }
    let mut package = Package::numbered(Mode::Parcel, track, &["tracking_number"])?;
    if track.text("carrier").is_some_and(|carrier| carrier.eq_ignore_ascii_case("usps")) {
        package.carried_by(Mode::Post, None);
    }
    package.reference(ReferenceKind::Other, track, "transaction")?;
    package.service(track.name("servicelevel/name"));
    let key = |event: Tree<'_>| (said(event, "status"), said(event, "status_date"));
    if let Some(now) = track.at("tracking_status").filter(|now| now.is_object()) {
        // The same again in the history would be the same event twice.
        if !track.each("tracking_history").any(|past| key(past) == key(now)) {
            out.push(now, event_of(&package, now));
        }
    }
    for past in track.each("tracking_history") {
        out.push(past, event_of(&package, past));
    }
    let to = track.at("address_to").map(place).unwrap_or_default();
    let estimated =
        track.has("eta").then(|| track.time_by("eta", time::read).map(time::midnight_is_day));
    package.estimate(out, track, &STATUSES, estimated, to);
    Ok(())
}

fn said(event: Tree<'_>, path: &str) -> Option<String> {
    event.text(path).map(str::to_owned)
}

fn event_of(package: &Package, sent: Tree<'_>) -> Result<Draft, Reject> {
    let status = sent.required("status", limits::CODE)?;
    // Older versions have the substatus as a text, or none.
    let exact = sent.first(&["substatus/code", "substatus"]);
    let exact = exact.map(|code| sent.short("substatus/code", code, limits::CODE)).transpose()?;
    let raw = exact.map_or_else(|| status.to_owned(), |exact| [status, "/", exact].concat());
    let meaning = exact.and_then(|exact| STATUSES.find(exact)).or_else(|| STATUSES.find(status));
    let mut draft =
        package.event(&STATUSES, &raw, meaning, sent.time_by("status_date", time::read)?);
    draft.place = sent.at("location").and_then(|location| some_place(place(location)));
    draft.remark = sent.clipped("status_details", limits::REMARK);
    Ok(draft)
}

fn place(location: Tree<'_>) -> Place {
    Place {
        city: location.name("city"),
        region: location.name("state"),
        postal_code: location.name("zip"),
        country: location.name("country"),
        ..Place::default()
    }
}

/// Statuses, and the codes of their substatuses.
pub static STATUSES: CodeList =
    code_list!("shippo", "SHIPPO", "Shippo tracking status, or code of its substatus");
