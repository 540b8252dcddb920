//! Asendia (Sync): `trackingEvents` of one number.

use waybill_schemas::Place;
use waybill_schemas::vocabulary::Mode;
use waybill_stage::Reject;

use super::package::{Package, some_place};
use crate::codes::{CodeList, code_list};
use crate::time;
use crate::tree::{self, Out, Tree};
use crate::{Draft, Parts, limits};

pub const MEDIA_TYPE: &str = "application/vnd.asendia.tracking+json";

/// Reads a tracking answer.
pub fn read(payload: &[u8], parts: &mut Parts) -> Result<(), Reject> {
    tree::json(payload, parts, answer)
}

pub(crate) fn looks_like(text: &str) -> bool {
    text.contains("\"carrierEventDescription\"") || text.contains("asendia-sync.com/problem")
}

fn answer(root: Tree<'_>, out: &mut Out<'_>) -> Result<(), Reject> {
    if !root.has("trackingEvents") && root.has("status") && root.has("title") {
        return Err(root.carrier_error());
    }
    for package in root.each("") {
        out.package(package, |out| package_of(package, out));
    }
    Ok(())
}

fn package_of(sent: Tree<'_>, out: &mut Out<'_>) -> Result<(), Reject> {
    let package = Package::numbered(Mode::Post, sent, &["trackingNumber"])?;
    for event in sent.each("trackingEvents") {
        out.push(event, event_of(&package, event));
    }
    Ok(())
}

fn event_of(package: &Package, event: Tree<'_>) -> Result<Draft, Reject> {
    let code = event.required("code", limits::CODE)?;
    let mut draft = package.coded(&EVENTS, code, event.time_by("time", time::read)?);
    draft.place = some_place(Place {
        city: event.name("locationName"),
        country: event.name("locationCountry"),
        ..Place::default()
    });
    draft.remark = event.clipped("carrierEventDescription", limits::REMARK);
    Ok(draft)
}

/// As far as known; Asendia publishes no list.
pub static EVENTS: CodeList = code_list!("asendia", "ASENDIA", "Asendia event code");
