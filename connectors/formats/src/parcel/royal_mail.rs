//! Royal Mail, Tracking API v2 (REST): `mailPieces` with their events.

use waybill_schemas::Place;
use waybill_schemas::vocabulary::{Mode, ReferenceKind};
use waybill_stage::Reject;

use super::package::{Package, some_place};
use crate::codes::{CodeList, code_list};
use crate::time;
use crate::tree::{self, Out, Tree};
use crate::{Draft, Parts, limits};

pub const MEDIA_TYPE: &str = "application/vnd.royalmail.tracking+json";

/// Reads a tracking answer.
pub fn read(payload: &[u8], parts: &mut Parts) -> Result<(), Reject> {
    tree::json(payload, parts, answer)
}

pub(crate) fn looks_like(text: &str) -> bool {
    text.contains("\"mailPieces\"")
}

fn answer(root: Tree<'_>, out: &mut Out<'_>) -> Result<(), Reject> {
    if !root.has("mailPieces") && (root.has("errors") || root.has("httpCode")) {
        return Err(root.carrier_error());
    }
    for piece in root.each("mailPieces") {
        out.package(piece, |out| piece_of(piece, out));
    }
    Ok(())
}

fn piece_of(piece: Tree<'_>, out: &mut Out<'_>) -> Result<(), Reject> {
    if piece.has("error") {
        return Err(piece.carrier_error());
    }
    let mut package = Package::numbered(Mode::Post, piece, &["mailPieceId"])?;
    package.reference(ReferenceKind::TrackingNumber, piece, "summary/oneDBarcode")?;
    package.reference(ReferenceKind::Other, piece, "summary/uniqueItemId")?;
    package.service(piece.name("summary/productName"));
    for event in piece.each("events") {
        out.push(event, event_of(&package, event));
    }
    let estimated = piece.at("estimatedDelivery").filter(|e| e.has("date"));
    let estimated = estimated.map(|estimated| estimated.time_by("date", time::read));
    package.estimate(out, piece, &EVENTS, estimated, Place::default());
    Ok(())
}

fn event_of(package: &Package, event: Tree<'_>) -> Result<Draft, Reject> {
    let code = event.required("eventCode", limits::CODE)?;
    let mut draft = package.coded(&EVENTS, code, event.time_by("eventDateTime", time::read)?);
    draft.place = some_place(Place { name: event.name("locationName"), ..Place::default() });
    draft.remark = event.clipped("eventName", limits::REMARK);
    Ok(draft)
}

/// As far as known; there are more.
pub static EVENTS: CodeList = code_list!("royal-mail", "ROYAL_MAIL", "Royal Mail event code");
