//! bpost, tracking (Shipping Manager, XML): `itemTracking` with its `stateInfo`s.

use waybill_schemas::Place;
use waybill_schemas::vocabulary::{Milestone as M, Mode, QuantityKind, ReferenceKind};
use waybill_stage::Reject;

use super::package::{PHRASE, Package, facility, some_place};
use crate::codes::{CodeList, code_list};
use crate::time;
use crate::tree::{self, Out, Tree};
use crate::{Draft, Parts, limits};

pub const MEDIA_TYPE: &str = "application/vnd.bpost.tracking+xml";

/// Reads a tracking answer.
pub fn read(text: &str, parts: &mut Parts) -> Result<(), Reject> {
    tree::xml(text, parts, answer)
}

pub(crate) fn looks_like(text: &str) -> bool {
    text.contains("http://schema.post.be/")
}

fn answer(root: Tree<'_>, out: &mut Out<'_>) -> Result<(), Reject> {
    if ["systemException", "businessException"].into_iter().any(|name| root.is(name)) {
        return Err(root.carrier_error());
    }
    if !root.is("itemTracking") {
        return Err(root.missing("itemTracking"));
    }
    out.package(root, |out| item_of(root, out));
    Ok(())
}

fn item_of(item: Tree<'_>, out: &mut Out<'_>) -> Result<(), Reject> {
    let mut package = Package::numbered(Mode::Post, item, &["itemCode"])?;
    package.reference(ReferenceKind::CustomerReference, item, "customerReference")?;
    package.reference(ReferenceKind::Other, item, "trackingId")?;
    package.quantity(QuantityKind::GrossWeight, item.text("itemDetail/weightInGrams"), "g");
    // A state has no place of its own, but where it waits to be collected is told.
    let pickup = item.at("pickupPoint").and_then(|point| {
        some_place(Place {
            name: point.name("name"),
            facility: facility("BPOST", point, "id"),
            city: point.name("city"),
            postal_code: point.name("postalCode"),
            ..Place::default()
        })
    });
    for state in item.each("stateInfo") {
        out.push(state, event_of(&package, &pickup, state));
    }
    Ok(())
}

fn event_of(package: &Package, pickup: &Option<Place>, state: Tree<'_>) -> Result<Draft, Reject> {
    let code = state.required("stateCode", PHRASE)?;
    let mut draft = package.coded(&STATES, code, state.time_by("time", time::read)?);
    if draft.milestone == M::AvailableForPickup {
        draft.place = pickup.clone();
    }
    draft.remark = state.clipped("stateDescription", limits::REMARK);
    Ok(draft)
}

/// State codes. bpost publishes no list; the names are those of its examples, or of the letter that
/// groups the codes: B hindered, L on a round, N not delivered, R at a pickup point or in
/// processing, T sorted, U distributed.
pub static STATES: CodeList = code_list!("bpost", "BPOST", "bpost state code");
