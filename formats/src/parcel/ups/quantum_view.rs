//! UPS Quantum View: the events of a subscription (`QuantumViewResponse`), the same in XML and in JSON. An
//! event's kind is the name of its element; a `Generic` one has the type of its activity.

use waybill_schemas::vocabulary::{Mode, ReferenceKind};
use waybill_schemas::{OccurrenceTime, Place};
use waybill_stage::Reject;

use super::xml::place;
use crate::codes::{CodeList, code_list};
use crate::json;
use crate::parcel::package::{Package, some_place};
use crate::time;
use crate::tree::{self, Out, Tree};
use crate::{Draft, Parts, limits};

pub const MEDIA_TYPE: &str = "application/vnd.ups.quantum-view+xml";
pub const MEDIA_TYPE_JSON: &str = "application/vnd.ups.quantum-view+json";

/// Elements of a file that are events of one package.
const EVENTS: [&str; 4] = ["Origin", "Exception", "Delivery", "Generic"];

/// Reads a response in either syntax.
pub fn read(text: &str, parts: &mut Parts) -> Result<(), Reject> {
    match json::first(text) {
        Some(b'{') => tree::json(text, parts, body),
        _ => tree::xml(text, parts, body),
    }
}

pub(crate) fn looks_like(text: &str) -> bool {
    text.contains("QuantumViewResponse")
}

fn body(root: Tree<'_>, out: &mut Out<'_>) -> Result<(), Reject> {
    let name = "QuantumViewResponse";
    let root = match root.at(name) {
        Some(inner) => inner,
        None if root.is(name) => root,
        None => return Err(root.missing(name)),
    };
    if root.text("Response/ResponseStatusCode") == Some("0") || root.has("Response/Error") {
        return Err(root.carrier_error());
    }
    for events in root.each("QuantumViewEvents") {
        for subscription in events.each("SubscriptionEvents") {
            for file in subscription.each("SubscriptionFile") {
                file_of(file, out);
            }
        }
    }
    Ok(())
}

fn file_of(file: Tree<'_>, out: &mut Out<'_>) {
    for manifest in file.each("Manifest") {
        for package in manifest.each("Package") {
            out.package(package, |out| manifested(manifest, package, out));
        }
    }
    for kind in EVENTS {
        for event in file.each(kind) {
            out.package(event, |out| event_of(kind, event, out));
        }
    }
}

/// The shipper has told UPS of the package.
fn manifested(manifest: Tree<'_>, sent: Tree<'_>, out: &mut Out<'_>) -> Result<(), Reject> {
    let mut package = package_of(manifest, sent)?;
    package.weight(
        sent.text("PackageWeight/Weight"),
        sent.text("PackageWeight/UnitOfMeasurement/Code"),
    );
    let at = match sent.at("Activity").filter(|activity| activity.has("Date")) {
        Some(activity) => occurred(activity, "Date", "Time"),
        None => occurred(manifest, "PickupDate", "PickupTime"),
    };
    out.push(sent, at.map(|at| package.coded(&LIST, "Manifest", at)));
    let to = manifest.at("ShipTo/Address").map(place).unwrap_or_default();
    estimate(&package, manifest, to, out);
    Ok(())
}

fn event_of(kind: &str, sent: Tree<'_>, out: &mut Out<'_>) -> Result<(), Reject> {
    let package = package_of(sent, sent)?;
    out.push(sent, draft_of(kind, &package, sent));
    estimate(&package, sent, Place::default(), out);
    Ok(())
}

fn draft_of(kind: &str, package: &Package, sent: Tree<'_>) -> Result<Draft, Reject> {
    let within = match kind {
        "Generic" => sent.text("ActivityType"),
        "Exception" => sent.text("StatusCode"),
        _ => None,
    };
    let mut raw = kind.to_owned();
    if let Some(code) = within {
        raw.push('/');
        raw.push_str(sent.short("StatusCode", code, limits::CODE)?);
    }
    // What the list has not is still of its kind; a generic event of a type that it has not is unknown.
    let meaning = LIST.find(&raw).or_else(|| LIST.find(kind));
    let at = match sent.at("Activity").filter(|_| !sent.has("Date")) {
        Some(activity) => occurred(activity, "Date", "Time")?,
        None => occurred(sent, "Date", "Time")?,
    };
    let mut draft = package.event(&LIST, &raw, meaning, at);
    let places = [
        "ActivityLocation/AddressArtifactFormat",
        "DeliveryLocation/AddressArtifactFormat",
        "ActivityLocation/Address",
    ];
    let found = places.into_iter().find_map(|path| sent.at(path));
    draft.place = found.and_then(|address| some_place(place(address)));
    let said = ["StatusDescription", "ReasonDescription", "DeliveryLocation/Description"];
    draft.remark = said.into_iter().find_map(|path| sent.clipped(path, limits::REMARK));
    Ok(draft)
}

fn package_of(shipment: Tree<'_>, sent: Tree<'_>) -> Result<Package, Reject> {
    let mut package = Package::numbered(Mode::Parcel, sent, &["TrackingNumber"])?;
    for references in ["ReferenceNumber", "ShipmentReferenceNumber", "PackageReferenceNumber"] {
        for reference in shipment.each(references) {
            package.reference(ReferenceKind::ShipperReference, reference, "Value")?;
        }
    }
    package.service(shipment.name("Service/Description"));
    Ok(package)
}

fn occurred(sent: Tree<'_>, date: &str, clock: &str) -> Result<OccurrenceTime, Reject> {
    let on = sent.required(date, limits::CODE)?;
    time::joined(on, sent.text(clock)).ok_or_else(|| sent.invalid_time(date))
}

fn estimate(package: &Package, sent: Tree<'_>, to: Place, out: &mut Out<'_>) {
    let fields = [
        ("RescheduledDeliveryDate", "RescheduledDeliveryTime"),
        ("ScheduledDeliveryDate", "ScheduledDeliveryTime"),
    ];
    let found = fields.into_iter().find(|(date, _)| sent.text(date).is_some());
    let at = found.map(|(date, clock)| occurred(sent, date, clock));
    package.estimate(out, sent, &LIST, at, to);
}

/// Kinds of events, and types of generic ones.
pub static LIST: CodeList =
    code_list!("ups-quantum-view", "UPS-QV", "UPS Quantum View event, or its activity type");
