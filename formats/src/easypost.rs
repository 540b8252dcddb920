//! EasyPost: a `Tracker`, alone, in a list of them, or as the result of a webhook's `Event`. Times
//! are sent as UTC. The day of an estimated delivery is sent as its midnight in UTC; where the
//! carrier's own local date stands beside it, that is taken.

use waybill_schemas::vocabulary::{Milestone as M, Mode, ReferenceKind};
use waybill_schemas::{OccurrenceTime, Place};
use waybill_stage::{Code, Reject};

use crate::codes::{CodeList, Meaning, code_list};
use crate::parcel::package::{Package, some_place};
use crate::parcel::{fedex, usps};
use crate::time;
use crate::tree::{self, Out, Tree};
use crate::{Draft, Parts, limits};

pub const MEDIA_TYPE: &str = "application/vnd.easypost.event+json";

/// Reads an event, a tracker or a list of trackers.
pub fn read(text: &str, parts: &mut Parts) -> Result<(), Reject> {
    tree::json(text, parts, body)
}

pub(crate) fn looks_like(text: &str) -> bool {
    text.contains("\"tracking_details\"") && text.contains("\"tracking_code\"")
        || text.contains("\"completed_urls\"") && text.contains("\"pending_urls\"")
}

fn body(root: Tree<'_>, out: &mut Out<'_>) -> Result<(), Reject> {
    if root.has("error") {
        return Err(root.carrier_error());
    }
    let path = match root.text("object") {
        Some("Event") => "result",
        Some("Tracker") => "",
        _ if root.has("trackers") => "trackers",
        _ => return Err(root.no_event()),
    };
    for tracker in root.each(path) {
        match tracker.text("object") {
            Some("Tracker") => out.package(tracker, |out| tracker_of(tracker, out)),
            Some(_) => {
                let reject = Reject::new(Code::Unsupported, "an object that is no tracker");
                out.push(tracker, Err(reject));
            }
            None => out.push(tracker, Err(tracker.missing("object"))),
        }
    }
    Ok(())
}

fn tracker_of(tracker: Tree<'_>, out: &mut Out<'_>) -> Result<(), Reject> {
    let mut package = Package::numbered(Mode::Parcel, tracker, &["tracking_code"])?;
    if tracker.text("carrier") == Some("USPS") {
        package.carried_by(Mode::Post, None);
    }
    package.reference(ReferenceKind::Other, tracker, "id")?;
    package.reference(ReferenceKind::Other, tracker, "shipment_id")?;
    package.weight(tracker.text("weight"), Some("OZ"));
    package.service(tracker.name("carrier_detail/service"));
    for detail in tracker.each("tracking_details") {
        out.push(detail, event_of(&package, detail));
    }
    if tracker.text("status") != Some("delivered") {
        let to = tracker.at("carrier_detail/destination_tracking_location");
        let to = to.map(place).unwrap_or_default();
        package.estimate(out, tracker, &STATUSES, estimated(tracker), to);
    }
    Ok(())
}

fn estimated(tracker: Tree<'_>) -> Option<Result<OccurrenceTime, Reject>> {
    let local = tracker.at("carrier_detail").filter(|d| d.has("est_delivery_date_local"));
    if let Some(local) = local {
        let day = local.text("est_delivery_date_local")?;
        let clock = local.text("est_delivery_time_local").unwrap_or("00:00:00");
        let both = day.get(..10).zip(clock.get(..clock.len().min(8)));
        let both = both.map(|(day, clock)| [day, "T", clock].concat());
        let occurred = both.and_then(|both| time::read(&both));
        return Some(
            occurred.ok_or_else(|| tracker.invalid_time("carrier_detail/est_delivery_date_local")),
        );
    }
    let path = "est_delivery_date";
    tracker.has(path).then(|| tracker.time_by(path, time::read))
}

fn event_of(package: &Package, detail: Tree<'_>) -> Result<Draft, Reject> {
    let status = detail.required("status", limits::CODE)?;
    let occurred = detail.time_by("datetime", time::read)?;
    let exact = detail.text("status_detail");
    let exact =
        exact.map(|exact| detail.short("status_detail", exact, limits::CODE)).transpose()?;
    let raw = exact.map_or(status.to_owned(), |exact| [status, "/", exact].concat());
    // The carrier's own code says best what happened, if it is one we know; EasyPost has only a few
    // words for all carriers.
    let meaning = by_carrier(detail)
        .or_else(|| DETAILS.find(exact?).filter(|m| m.milestone != M::Other))
        .or_else(|| STATUSES.find(status));
    let mut draft = package.event(&STATUSES, &raw, meaning, occurred);
    draft.place = detail.at("tracking_location").and_then(|location| some_place(place(location)));
    let said = ["message", "description"];
    draft.remark = said.into_iter().find_map(|path| detail.clipped(path, limits::REMARK));
    Ok(draft)
}

fn by_carrier(detail: Tree<'_>) -> Option<Meaning> {
    let code = detail.text("carrier_code")?;
    match detail.text("source")? {
        "FedEx" => fedex::EVENTS.find(code),
        "USPS" => usps::EVENTS.find(code),
        _ => None,
    }
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

/// `status` of a tracker and of its details.
pub static STATUSES: CodeList =
    code_list!("easypost-status", "EASYPOST", "EasyPost tracker status");

/// `status_detail`.
pub static DETAILS: CodeList =
    code_list!("easypost-status-detail", "EASYPOST", "EasyPost tracker status detail");
