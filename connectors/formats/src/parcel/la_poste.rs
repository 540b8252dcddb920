//! La Poste, Suivi v2 (REST): one answer, or a list of one for each number. Codes are those of its
//! documentation.

use waybill_schemas::Place;
use waybill_schemas::vocabulary::Mode;
use waybill_stage::Reject;

use super::package::Package;
use crate::codes::{CodeList, code_list};
use crate::time;
use crate::tree::{self, Out, Tree};
use crate::{Draft, Parts, limits};

pub const MEDIA_TYPE: &str = "application/vnd.laposte.suivi+json";

/// Reads a tracking answer.
pub fn read(payload: &[u8], parts: &mut Parts) -> Result<(), Reject> {
    tree::json(payload, parts, answer)
}

pub(crate) fn looks_like(text: &str) -> bool {
    text.contains("\"idShip\"") && text.contains("\"returnCode\"")
}

fn answer(root: Tree<'_>, out: &mut Out<'_>) -> Result<(), Reject> {
    for result in root.each("") {
        out.package(result, |out| result_of(result, out));
    }
    Ok(())
}

fn result_of(result: Tree<'_>, out: &mut Out<'_>) -> Result<(), Reject> {
    let Some(shipment) = result.at("shipment") else {
        return Err(match result.text("returnCode") {
            Some("200" | "207") | None => result.no_event(),
            Some(_) => result.carrier_error(),
        });
    };
    let mut package = Package::numbered(Mode::Post, result, &["shipment/idShip", "idShip"])?;
    if shipment.text("product") == Some("chronopost") {
        package.carried_by(Mode::Parcel, None);
    }
    package.service(shipment.name("product"));
    for event in result.each("shipment/event") {
        out.push(event, event_of(&package, event));
    }
    let estimated = shipment.has("estimDate");
    let estimated = estimated.then(|| result.time_by("shipment/estimDate", time::read));
    let to = shipment.name("contextData/arrivalCountry");
    package.estimate(out, result, &EVENTS, estimated, Place { country: to, ..Place::default() });
    Ok(())
}

fn event_of(package: &Package, event: Tree<'_>) -> Result<Draft, Reject> {
    let code = event.required("code", limits::CODE)?;
    let mut draft = package.coded(&EVENTS, code, event.time_by("date", time::read)?);
    draft.remark = event.clipped("label", limits::REMARK);
    Ok(draft)
}

pub static EVENTS: CodeList = code_list!("la-poste", "LAPOSTE", "La Poste Suivi v2 event code");
