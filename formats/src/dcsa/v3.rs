//! DCSA Track & Trace 3.x: `TNT_v3.0.0.yaml`, which requires no field at all. Required here is what
//! an event cannot be understood without.
//!
//! `eventUpdatedDateTime` is the time of the last update. The standard's own examples date it
//! before the event, so nothing is concluded from that; and several events with one `eventID` are
//! updates of one another, which is no contradiction.

mod readings;

use std::borrow::Cow;

use waybill_identifiers::country::is_country;
use waybill_schemas::vocabulary::{Milestone, NoteCode, ReferenceKind};
use waybill_schemas::{Equipment, Place, Reference, Transport};
use waybill_stage::{Code, Reject};

use super::codes::{self, Circumstances};
use super::fields::{Fields, document_type, milestone, some_place};
use crate::{Document, Draft, limits, text};

/// Names that tell an event of this version.
pub(super) const MARKS: &[&str] = &["eventClassification", "isRetracted"];

/// All that was sent with its id is to be disregarded; whatever else the retraction says is
/// irrelevant, and only tells whose shipment it is, if it does.
fn retraction(event: &Fields<'_, '_>) -> Result<Draft, Reject> {
    let id = event.owned("eventID", limits::EVENT_ID);
    let id = id.ok_or_else(|| event.required_reject("eventID"))?;
    let when = match event.occurred("eventUpdatedDateTime") {
        Ok(when) => when,
        Err(_) => event.occurred("eventDateTime")?,
    };
    let mut draft = Draft {
        withdraws: Some(id),
        created_at: event.instant("eventUpdatedDateTime"),
        ..Draft::new(Milestone::Withdrawn, "RETRACTED".to_owned(), when)
    };
    equipment(event, &mut draft);
    documents(event, &mut draft);
    Ok(draft)
}

pub(super) fn draft(event: &Fields<'_, '_>) -> Result<Draft, Reject> {
    let retracted = event.text("isRetracted", limits::CODE);
    if retracted.is_some_and(|retracted| retracted.eq_ignore_ascii_case("true")) {
        return retraction(event);
    }
    const TYPE: &str = "eventClassification/eventTypeCode";
    let class = event.inner("eventClassification").ok_or_else(|| event.required_reject(TYPE))?;
    let required = |code: &'static str| class.code(code).ok_or_else(|| class.required_reject(code));
    let event_type = required("eventTypeCode")?;
    let when = event.occurred("eventDateTime")?;
    let mut draft = Draft {
        classifier: class.classifier("eventClassifierCode"),
        raw_id: event.owned("eventID", limits::EVENT_ID),
        created_at: event.instant("eventUpdatedDateTime"),
        place: some_place(location(event)),
        ..Draft::new(Milestone::Other, String::new(), when)
    };
    let movement = equipment(event, &mut draft);
    transport(event, &mut draft);
    let document = documents(event, &mut draft);
    let facility_type = draft.place.as_ref().and_then(|p| p.facility_type.clone());
    let of = Circumstances {
        document: document.as_deref(),
        empty: draft.equipment.as_ref().and_then(|e| e.empty),
        facility_type: facility_type.as_deref(),
        movement: movement.as_deref(),
    };
    match &*event_type {
        "SHIPMENT" => {
            let code = required("shipmentEventTypeCode")?;
            draft.means(milestone(codes::SHIPMENT, &code, of));
            draft.raw_code = match &document {
                Some(kind) => ["SHIPMENT/", &code, "/", kind].concat(),
                None => ["SHIPMENT/", &code].concat(),
            };
        }
        "TRANSPORT" => {
            let code = required("transportEventTypeCode")?;
            draft.means(milestone(codes::TRANSPORT, &code, of));
            draft.raw_code = ["TRANSPORT/", &code].concat();
        }
        "EQUIPMENT" => {
            let code = required("equipmentEventTypeCode")?;
            draft.means(milestone(codes::EQUIPMENT, &code, of));
            draft.raw_code = ["EQUIPMENT/", &code].concat();
        }
        "IOT" => {
            if class.code("iotEventTypeCode").as_deref() != Some("DETC") {
                class.odd("iotEventTypeCode");
            }
            let code_at = "iotDetails/iotEventCode";
            let code = event.code(code_at).ok_or_else(|| event.required_reject(code_at))?;
            draft.means(milestone(codes::IOT, &code, of));
            draft.raw_code = ["IOT/DETC/", &code].concat();
            draft.readings.extend(readings::of_iot(&code));
        }
        "REEFER" => {
            let code = required("reeferEventTypeCode")?;
            draft.means(milestone(codes::REEFER, &code, of));
            draft.raw_code = ["REEFER/", &code].concat();
            readings::of_reefer(event, &mut draft.readings);
        }
        _ => {
            let detail = format!("/{TYPE}: is no event type code of DCSA 3.x");
            return Err(Reject::new(Code::UnknownCode, detail));
        }
    }
    // What other kinds of event say of a document is beside the point of which shipment they are.
    if event_type != "SHIPMENT" {
        draft.document = None;
    }
    Ok(draft)
}

/// Reads the unit, and returns the type of its movement.
fn equipment<'t>(event: &Fields<'t, '_>, draft: &mut Draft) -> Option<Cow<'t, str>> {
    let empty = event.empty("equipmentDetails/emptyIndicatorCode");
    let iso_type = event.owned("equipmentDetails/ISOEquipmentCode", limits::CODE);
    let number = event.owned("equipmentDetails/equipmentReference", limits::ID);
    draft.equipment = number.map(|number| Equipment { number, iso_type, empty });
    for (element, at) in event.each("equipmentDetails/seals") {
        let number = ["number", "sealNumber"];
        let value = number.iter().find_map(|n| event.within(element, at, n, limits::ID));
        if let Some(value) = value {
            draft.references.push(Reference { kind: ReferenceKind::Seal, value: value.to_owned() });
        }
    }
    let movement = event.code("equipmentDetails/movementType")?;
    if matches!(&*movement, "IMPORT" | "EXPORT" | "TRANSSHIPMENT") {
        return Some(movement);
    }
    event.odd("equipmentDetails/movementType");
    None
}

fn transport(event: &Fields<'_, '_>, draft: &mut Draft) {
    draft.remark = event.remark("transportDetails/changeRemark");
    for (element, at) in event.each("transportDetails/delayReasonCodes") {
        if let Some(code) = event.within(element, at, "", limits::CODE) {
            let (kind, raw) = codes::delay_reason(code);
            draft.exception(kind, Some(raw));
        }
    }
    let Some(call) = event.inner("transportDetails/transportCall") else { return };
    let first = |names: &[&str]| call.first(names, limits::ID).map(str::to_owned);
    let transport = Transport {
        mode: call.mode("modeOfTransport"),
        vessel_imo: first(&["vesselTransport/vesselIMONumber", "vessel/vesselIMONumber"]),
        vessel_name: first(&["vesselTransport/vesselName", "vessel/vesselName"]),
        voyage: first(&[
            "exportVoyageNumberOrReference/carrierVoyageNumber",
            "exportVoyageNumberOrReference/universalVoyageReference",
            "carrierExportVoyageNumber",
            "exportVoyageNumber",
        ]),
        service: first(&[
            "serviceCodeOrReference/carrierServiceCode",
            "serviceCodeOrReference/universalServiceReference",
            "carrierServiceCode",
        ]),
        call_id: first(&["transportCallReference", "transportCallID"]),
        ..Transport::default()
    };
    draft.transport = (transport != Transport::default()).then_some(transport);
}

/// Reads the references, and returns the type of the event's own document. Which document says
/// whose shipment it is: of all that are named a booking, else the event's own.
fn documents<'t>(event: &Fields<'t, '_>, draft: &mut Draft) -> Option<Cow<'t, str>> {
    let mut own_kind = None;
    for path in
        ["shipmentDetails/documentReference", "shipmentDetails/additionalDocumentReferences"]
    {
        for (element, at) in event.each(path) {
            let code = event.within(element, at, "typeCode", limits::CODE);
            let code = code.map(text::upper);
            let known = code.as_deref().and_then(document_type);
            if known.is_none() {
                let note = if code.is_some() { NoteCode::OddField } else { NoteCode::MissingField };
                event.note(note, &at.member("typeCode"));
            }
            if path == "shipmentDetails/documentReference" {
                own_kind = own_kind.or(code);
            }
            let Some(number) = event.within(element, at, "reference", limits::ID) else {
                event.missing(&at.member("reference"));
                continue;
            };
            let reference = known.map_or(ReferenceKind::Other, |known| known.reference);
            draft.references.push(Reference { kind: reference, value: number.to_owned() });
            let Some(known) = known else { continue };
            let better = match &draft.document {
                None => true,
                Some(before) => known.kind == "booking" && before.kind != "booking",
            };
            if better {
                draft.document = Some(Document { kind: known.kind, number: number.to_owned() });
            }
        }
    }
    event.references(
        "shipmentDetails/shipmentReferences",
        "typeCode",
        "reference",
        &mut draft.references,
    );
    if draft.remark.is_none() {
        draft.remark = event.remark("shipmentDetails/reason");
    }
    own_kind
}

fn location(event: &Fields<'_, '_>) -> Place {
    let Some(at) = event.inner("eventLocation") else { return Place::default() };
    let name = at.owned("locationName", limits::NAME);
    let mut place = Place {
        unlocode: at.un_location("UNLocationCode"),
        name: name.or_else(|| at.owned("facility/facilityName", limits::NAME)),
        facility_type: at.facility_type("facilityTypeCode"),
        facility: at.facility("facility/facilityCode", "facility/facilityCodeListProvider"),
        city: at.owned("address/city", limits::NAME),
        region: at.owned("address/stateRegion", limits::NAME),
        ..Place::default()
    };
    const COUNTRY: &str = "address/countryCode";
    if let Some(country) = at.code(COUNTRY) {
        if !is_country(&country) {
            at.odd(COUNTRY);
        }
        place.country = Some(country.into_owned());
    }
    let geo = at.coordinates("geoCoordinate/latitude", "geoCoordinate/longitude");
    let coordinates = geo.or_else(|| at.coordinates("latitude", "longitude"));
    place.latitude = coordinates.map(|c| c.0);
    place.longitude = coordinates.map(|c| c.1);
    place
}
