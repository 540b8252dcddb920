//! Terminal49: webhook notifications (JSON:API), whose event is among what they include, and a
//! container's events as its API, its raw events, and its command line list them. Times are in UTC;
//! the zone's name beside them is the place's.
//!
//! What a shipment looks like as a whole (a shipment, a list of shipping lines, a tracking request)
//! tells of no event: `unsupported`.

pub mod codes;

use std::collections::HashMap;

use waybill_identifiers::unlocode;
use waybill_schemas::vocabulary::{Classifier, Milestone as M, QuantityKind, ReferenceKind};
use waybill_schemas::{Equipment, Place, Quantity, Transport};
use waybill_stage::{Code, Reject};

pub use self::codes::{EVENTS, mode};
use crate::parcel::package::PHRASE;
use crate::time;
use crate::tree::{self, Out, Tree};
use crate::{Document, Draft, Parts, limits};

pub const MEDIA_TYPE: &str = "application/vnd.terminal49.webhook+json";
/// The same reader: a container's events as a list.
pub const EVENTS_MEDIA_TYPE: &str = "application/vnd.terminal49.container-events+json";

/// Reads a webhook notification, or a list of a container's events.
pub fn read(text: &str, parts: &mut Parts) -> Result<(), Reject> {
    tree::json(text, parts, body)
}

pub(crate) fn looks_like(text: &str) -> bool {
    text.contains("\"webhook_notification\"")
        || text.contains("\"raw_event\"") && text.contains("\"location_locode\"")
        || text.contains("\"transport_event\"") && text.contains("\"location_locode\"")
        || text.contains("\"containers.events\"")
        || text.contains("\"shipping_line_scac\"") && text.contains("\"normalized_number\"")
}

/// What a notification includes, by type and id.
type Included<'t> = HashMap<(&'t str, &'t str), Tree<'t>>;

fn body(root: Tree<'_>, out: &mut Out<'_>) -> Result<(), Reject> {
    if root.has("errors") || root.text("ok") == Some("false") {
        return Err(root.carrier_error());
    }
    // The command line wraps the API's answer once more.
    let path =
        if root.has("data/data") { ("data/data", "data/included") } else { ("data", "included") };
    let mut included = Included::new();
    for resource in root.each(path.1) {
        if let Some(key) = resource.text("type").zip(resource.text("id")) {
            included.entry(key).or_insert(resource);
        }
    }
    let tells = |resource: Tree<'_>| match resource.text("type") {
        Some(kind) => kind == "webhook_notification" || kind.ends_with("_event"),
        None => resource.has("event"),
    };
    if !root.each(path.0).any(tells) && root.each(path.1).any(tells) {
        around(root, path, &included, out);
        return Ok(());
    }
    if !root.each(path.0).any(tells) {
        return Err(Reject::new(Code::Unsupported, "/data: nothing in it tells of an event"));
    }
    for resource in root.each(path.0) {
        match resource.text("type") {
            Some("webhook_notification") => notification(root, resource, &included, out),
            Some("transport_event" | "raw_event" | "estimated_event") => {
                out.push(resource, event_of(resource, None, &included));
            }
            // The command line's own form.
            None if resource.has("event") => out.push(resource, flat(resource)),
            _ => {
                let reject = Reject::new(Code::Unsupported, "a resource that tells of no event");
                out.push(resource, Err(reject));
            }
        }
    }
    Ok(())
}

/// The events that a container, or a shipment, includes. One that does not say of which container it is
/// belongs to the one that lists it, or to the only one there is.
fn around(
    root: Tree<'_>,
    path: (&'static str, &'static str),
    included: &Included<'_>,
    out: &mut Out<'_>,
) {
    let mut containers: Vec<Tree<'_>> = Vec::new();
    let mut owners: HashMap<&str, Tree<'_>> = HashMap::new();
    for resource in root.each(path.0).chain(root.each(path.1)) {
        if resource.text("type") == Some("container") {
            containers.push(resource);
            for event in resource.each("relationships/transport_events/data") {
                if let Some(id) = event.text("id") {
                    owners.entry(id).or_insert(resource);
                }
            }
        }
    }
    let only = match containers.as_slice() {
        [container] => Some(*container),
        _ => None,
    };
    for resource in root.each(path.1) {
        if !resource.text("type").is_some_and(|kind| kind.ends_with("_event")) {
            continue;
        }
        let owner = resource.text("id").and_then(|id| owners.get(id).copied()).or(only);
        let part = event_of(resource, None, included).and_then(|mut draft| {
            if let Some(container) = owner.filter(|_| draft.equipment.is_none()) {
                draft.document = None;
                container_of(container, &mut draft)?;
            }
            Ok(draft)
        });
        out.push(resource, part);
    }
}

fn notification(root: Tree<'_>, sent: Tree<'_>, included: &Included<'_>, out: &mut Out<'_>) {
    let name = sent.text("attributes/event").unwrap_or_default();
    if let Some(request) = name.strip_prefix("tracking_request.") {
        // It is about what was asked for, not about a shipment.
        out.push(
            sent,
            Err(match request {
                "failed" => sent.carrier_error(),
                _ => Reject::new(Code::Unsupported, "about a tracking request: tells of no event"),
            }),
        );
        return;
    }
    let mut any = false;
    for resource in root.each("included") {
        if resource.text("type").is_some_and(|kind| kind.ends_with("_event")) {
            any = true;
            out.push(resource, event_of(resource, Some(name), included));
        }
    }
    if !any {
        // Only its name, neither when nor where nor of what.
        out.push(root, Err(root.missing("included")));
    }
}

/// An event as a JSON:API resource.
fn event_of(
    event: Tree<'_>,
    notified: Option<&str>,
    included: &Included<'_>,
) -> Result<Draft, Reject> {
    let path = "attributes/event";
    let of_kind = match event.text("type") {
        Some("container_created_event") => Some("container.created"),
        Some("container_updated_event") => Some("container.updated"),
        Some("container_pod_terminal_changed_event") => Some("container.pod_terminal_changed"),
        _ => notified.filter(|name| !name.is_empty()),
    };
    let name = event.text(path).or(of_kind).ok_or_else(|| event.missing(path))?;
    let at = ["attributes/timestamp", "attributes/estimated_timestamp"];
    let at = at.into_iter().find(|path| event.has(path)).unwrap_or("attributes/timestamp");
    let mut draft = named(event, name, at)?;
    if event.text("attributes/estimated") == Some("true") {
        draft.classifier = Classifier::Estimated;
    }
    draft.raw_id = event
        .text("id")
        .map(|id| event.short("id", id, limits::EVENT_ID))
        .transpose()?
        .map(str::to_owned);
    draft.created_at = instant(event, "attributes/created_at");
    let related = |name: &str| {
        let of = event.at("relationships")?.at(name)?.at("data")?;
        included.get(&(of.text("type")?, of.text("id")?)).copied()
    };
    let mut place =
        Place { unlocode: un_location(event, "attributes/location_locode"), ..Place::default() };
    place.name = event.name("attributes/location_name");
    if let Some(location) = related("location").or_else(|| related("port")) {
        place_of(location, &mut place);
    }
    if let Some(terminal) = related("terminal") {
        place.name = terminal.name("attributes/name").or(place.name);
        let facility = |list: &str, path: &str| {
            terminal.text(path).map(|code| [list, "/", code].concat()).filter(|f| f.len() <= 40)
        };
        place.facility = facility("SMDG", "attributes/smdg_code")
            .or_else(|| facility("BIC", "attributes/bic_facility_code"))
            .or_else(|| facility("FIRMS", "attributes/firms_code"));
    }
    draft.place = (place != Place::default()).then_some(place);
    let vessel = related("vessel");
    let vessel = |path: &str, own: &str| {
        vessel.and_then(|vessel| vessel.name(path)).or_else(|| event.name(own))
    };
    draft.transport = Some(Transport {
        mode: mode(name),
        vessel_imo: vessel("attributes/imo", "attributes/vessel_imo"),
        vessel_name: vessel("attributes/name", "attributes/vessel_name"),
        voyage: event.name("attributes/voyage_number"),
        ..Transport::default()
    });
    if let Some(shipment) = related("shipment") {
        shipment_of(shipment, &mut draft)?;
    }
    match related("container") {
        Some(container) => container_of(container, &mut draft)?,
        None => {
            // Terminal49's own id of it: better than none.
            let path = "relationships/container/data/id";
            if let Some(id) = event.text(path) {
                let number = event.short(path, id, limits::ID)?.to_owned();
                draft.document = Some(Document { kind: "terminal49_container", number });
            }
        }
    }
    let available = event.each("attributes/changeset/available_for_pickup");
    if available.last().is_some_and(|now| now.text("") == Some("true")) {
        // Of `container.updated`: it was not, and now it is.
        draft.milestone = M::AvailableForPickup;
    }
    planned(event, "attributes/value", at, &mut draft);
    withdrawn(event, "attributes/invalidated_at", &mut draft);
    Ok(draft)
}

/// An event as the command line lists it. It does not say of which container.
fn flat(event: Tree<'_>) -> Result<Draft, Reject> {
    let name = event.required("event", PHRASE)?;
    let mut draft = named(event, name, "timestamp")?;
    draft.raw_id = event
        .text("id")
        .map(|id| event.short("id", id, limits::EVENT_ID))
        .transpose()?
        .map(str::to_owned);
    draft.created_at = instant(event, "createdAt");
    let firms = event.text("terminal/firmsCode").filter(|code| code.len() <= limits::CODE);
    let place = Place {
        unlocode: un_location(event, "locationLocode"),
        name: event.name("terminal/name"),
        facility: firms.map(|code| ["FIRMS/", code].concat()),
        ..Place::default()
    };
    draft.place = (place != Place::default()).then_some(place);
    draft.transport = Some(Transport {
        mode: mode(name),
        voyage: event.name("voyageNumber"),
        ..Transport::default()
    });
    planned(event, "value", "timestamp", &mut draft);
    withdrawn(event, "invalidatedAt", &mut draft);
    Ok(draft)
}

fn named(event: Tree<'_>, name: &str, at: &str) -> Result<Draft, Reject> {
    if name.len() > PHRASE || name.chars().any(char::is_control) {
        return Err(event.missing("event"));
    }
    let occurred = event.time_by(at, time::read)?;
    let short = name.strip_prefix("container.transport.").unwrap_or(name);
    let (short, estimated) = match short.strip_prefix("estimated.") {
        Some(short) => (short, true),
        None => (short, short == "shipment.estimated.arrival"),
    };
    let mut draft = Draft::of_code(EVENTS.prefix, name, EVENTS.find(short), occurred);
    if estimated {
        draft.classifier = Classifier::Estimated;
    }
    Ok(draft)
}

/// What was set (an appointment, a last free day) stands in `value`. Where the event is dated with
/// that instead of with the change, it is still to come.
fn planned(event: Tree<'_>, value: &str, at: &str, draft: &mut Draft) {
    if event.has(value) && event.text(value) == event.text(at) {
        draft.classifier = Classifier::Planned;
    }
}

/// An event that Terminal49 took back is not one that happened; it is one that did not.
fn withdrawn(event: Tree<'_>, path: &str, draft: &mut Draft) {
    if event.has(path) {
        draft.milestone = M::Withdrawn;
        draft.withdraws = draft.raw_id.take();
    }
}

fn instant(event: Tree<'_>, path: &str) -> Option<i64> {
    let at = time::read(event.text(path)?)?;
    at.offset_minutes.map(|_| at.utc_or_wall_ms())
}

fn un_location(event: Tree<'_>, path: &str) -> Option<String> {
    unlocode::read(event.text(path)?).ok()
}

fn place_of(location: Tree<'_>, place: &mut Place) {
    place.name = location.name("attributes/name").or(place.name.take());
    place.city = location.name("attributes/city");
    place.region = location.name("attributes/state_abbr");
    place.country = location.name("attributes/country_code");
    let degrees = |path: &str, most: f64| {
        let degrees: f64 = location.text(path)?.parse().ok()?;
        (degrees.abs() <= most).then_some(degrees)
    };
    let both = degrees("attributes/latitude", 90.0).zip(degrees("attributes/longitude", 180.0));
    (place.latitude, place.longitude) = both.unzip();
}

fn shipment_of(shipment: Tree<'_>, draft: &mut Draft) -> Result<(), Reject> {
    let path = "attributes/bill_of_lading_number";
    if let Some(number) = shipment.text(path) {
        draft.reference(ReferenceKind::BillOfLading, shipment.short(path, number, limits::ID)?);
    }
    references(shipment, draft)
}

fn container_of(container: Tree<'_>, draft: &mut Draft) -> Result<(), Reject> {
    let path = "attributes/number";
    let number = container.required(path, limits::ID)?.to_owned();
    draft.equipment =
        Some(Equipment { number, iso_type: None, empty: codes::empty(&draft.raw_code) });
    let path = "attributes/seal_number";
    if let Some(seal) = container.text(path) {
        draft.reference(ReferenceKind::Seal, container.short(path, seal, limits::ID)?);
    }
    let weight = container.text("attributes/weight_in_lbs").and_then(|w| w.parse::<f64>().ok());
    if let Some(value) = weight.filter(|w| w.is_finite() && *w > 0.0) {
        let kind = QuantityKind::GrossWeight;
        draft.quantities.push(Quantity { kind, value, unit: "[lb_av]".to_owned() });
    }
    references(container, draft)
}

fn references(resource: Tree<'_>, draft: &mut Draft) -> Result<(), Reject> {
    // Each of many events would carry them all.
    for reference in resource.each("attributes/ref_numbers").take(32) {
        if let Some(value) = reference.text("") {
            let value = reference.short("", value, limits::ID)?;
            draft.reference(ReferenceKind::CustomerReference, value);
        }
    }
    Ok(())
}
