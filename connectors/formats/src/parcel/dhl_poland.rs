//! DHL Parcel Poland (DHL24 WebAPI v2, SOAP): `getTrackAndTraceInfoResult`.

use waybill_schemas::Place;
use waybill_schemas::vocabulary::Mode;
use waybill_stage::Reject;

use super::package::{Package, some_place};
use crate::codes::{CodeList, code_list};
use crate::time;
use crate::tree::{self, Out, Tree};
use crate::{Draft, Parts, limits};

pub const MEDIA_TYPE: &str = "application/vnd.dhl.poland-tracking+xml";

/// Reads a tracking answer.
pub fn read(payload: &[u8], parts: &mut Parts) -> Result<(), Reject> {
    tree::xml(payload, parts, response)
}

pub(crate) fn looks_like(text: &str) -> bool {
    text.contains("getTrackAndTraceInfoResponse")
}

fn response(root: Tree<'_>, out: &mut Out<'_>) -> Result<(), Reject> {
    for result in root.each("getTrackAndTraceInfoResult") {
        out.package(result, |out| result_of(result, out));
    }
    Ok(())
}

fn result_of(result: Tree<'_>, out: &mut Out<'_>) -> Result<(), Reject> {
    let package = Package::numbered(Mode::Parcel, result, &["shipmentId"])?;
    for item in result.each("events/item") {
        out.push(item, event_of(&package, item));
    }
    Ok(())
}

fn event_of(package: &Package, item: Tree<'_>) -> Result<Draft, Reject> {
    let code = item.required("status", limits::CODE)?;
    let mut draft = package.coded(&STATUSES, code, item.time_by("timestamp", time::read)?);
    draft.place = some_place(Place { name: item.name("terminal"), ..Place::default() });
    draft.remark = item.clipped("description", limits::REMARK);
    Ok(draft)
}

/// As far as known; DHL24 publishes no list.
pub static STATUSES: CodeList = code_list!("dhl-poland", "DHL_POLAND", "DHL24 status");
