//! La Poste, Suivi v2 (REST): one answer, or a list of one for each number. Codes are those of its
//! documentation.

use waybill_schemas::Place;
use waybill_schemas::vocabulary::ExceptionKind as E;
use waybill_schemas::vocabulary::{Milestone as M, Mode};
use waybill_stage::Reject;

use super::package::Package;
use crate::codes::{CodeList, code, trouble};
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

pub const EVENTS: CodeList = CodeList {
    prefix: "LAPOSTE",
    name: "La Poste Suivi v2 event code",
    rows: &[
        code("DR1", M::ShipmentCreated, "Déclaratif réceptionné"),
        code("PC1", M::Accepted, "Pris en charge"),
        code("PC2", M::Accepted, "Pris en charge dans le pays d'expédition"),
        code("ET1", M::InTransit, "En cours de traitement"),
        code("ET2", M::InTransit, "En cours de traitement dans le pays d'expédition"),
        code("ET3", M::InTransit, "En cours de traitement dans le pays de destination"),
        code("ET4", M::InTransit, "En cours de traitement dans un pays de transit"),
        code("EP1", M::InTransit, "En attente de présentation"),
        code("DO1", M::CustomsSubmitted, "Entrée en douane"),
        code("DO2", M::CustomsReleased, "Sortie de douane"),
        trouble("DO3", M::CustomsHold, E::CustomsHold, "Retenu en douane"),
        trouble("PB1", M::InTransit, E::Other, "Problème en cours"),
        code("PB2", M::InTransit, "Problème résolu"),
        code("MD2", M::OutForDelivery, "Mis en distribution"),
        trouble("ND1", M::DeliveryAttempted, E::Other, "Non distribuable"),
        code("AG1", M::AvailableForPickup, "En attente d'être retiré au guichet"),
        code("RE1", M::Returned, "Retourné à l'expéditeur"),
        code("DI0", M::Delivered, "Distribué"),
        code("DI1", M::Delivered, "Distribué"),
        code("DI2", M::Returned, "Distribué à l'expéditeur"),
        trouble("DI3", M::AppointmentSet, E::Delay, "Distribution retardée"),
    ],
};
