//! DCSA Track & Trace 3.x: `TNT_v3.0.0.yaml`, which requires no field at all. Required here is what
//! an event cannot be understood without.
//!
//! `eventUpdatedDateTime` is the time of the last update. The standard's own examples date it
//! before the event, so nothing is concluded from that; and several events with one `eventID` are
//! updates of one another, which is no contradiction.

mod readings;
mod wire;

use waybill_schemas::vocabulary::{Milestone, ReferenceKind};
use waybill_schemas::{Equipment, Place, Reference, Transport};
use waybill_stage::{Code, Reject};

use self::wire::{Coded, Event, Location, TransportDetails};
use super::codes::{self, Circumstances, V3, milestone};
use super::fields::{
    classifier, coordinates, empty, facility, facility_type, first_of, instant, list, mode,
    occurred, owned, reference, required, some_place, text, un_location,
};
use crate::wrong::{At, at};
use crate::{Document, Draft, Parts, json, limits, unlocode};

const NO_EVENT: &str = "no field of a DCSA 3.x event in it";

/// Reads a body whose version is 3.x.
pub fn read(payload: &[u8], parts: &mut Parts) -> Result<(), Reject> {
    read_text(json::text(payload)?, parts)
}

pub(super) fn read_text(text: &str, parts: &mut Parts) -> Result<(), Reject> {
    let listed = match json::first(text) {
        Some(b'[') => json::parts(text, None, parts, event)?,
        Some(b'{') => json::parts(text, Some("events"), parts, event)?,
        _ => false,
    };
    if listed {
        parts.mark_repeats(|_| None);
        return Ok(());
    }
    parts.only(event(text))
}

fn event(text: &str) -> Result<Draft, Reject> {
    draft(&json::object(text)?)
}

/// All that was sent with its id is to be disregarded; whatever else the retraction says is
/// irrelevant, and only tells whose shipment it is, if it does.
fn retraction(event: &Event<'_>) -> Result<Draft, Reject> {
    let id = required(&event.event_id, at("/eventID"), limits::EVENT_ID)?;
    let updated_at = at("/eventUpdatedDateTime");
    let when = match occurred(&event.event_updated_date_time, updated_at) {
        Ok(when) => when,
        Err(_) => occurred(&event.event_date_time, at("/eventDateTime"))?,
    };
    let mut draft = Draft {
        withdraws: Some(id.to_owned()),
        created_at: instant(&event.event_updated_date_time, updated_at)?,
        ..Draft::new(Milestone::Withdrawn, "RETRACTED".to_owned(), when)
    };
    let _ = equipment(event, &mut draft);
    let _ = documents(event, &mut draft);
    Ok(draft)
}

fn draft(event: &Event<'_>) -> Result<Draft, Reject> {
    if event.is_retracted == Some(true) {
        return retraction(event);
    }
    if event.event_classification.is_none()
        && event.event_date_time.is_none()
        && event.event_id.is_none()
    {
        return Err(Reject::new(Code::WrongStructure, NO_EVENT));
    }
    let raw_id = required(&event.event_id, at("/eventID"), limits::EVENT_ID)?.to_owned();
    let classified = at("/eventClassification");
    let class = &event.event_classification.as_ref().ok_or_else(|| classified.missing())?.0;
    let type_at = classified.member("/eventTypeCode");
    let event_type = required(&class.event_type_code, type_at, limits::CODE)?;
    let when = occurred(&event.event_date_time, at("/eventDateTime"))?;
    let mut draft = Draft {
        classifier: classifier(
            &class.event_classifier_code,
            V3,
            classified.member("/eventClassifierCode"),
        )?,
        raw_id: Some(raw_id),
        created_at: instant(&event.event_updated_date_time, at("/eventUpdatedDateTime"))?,
        place: match &event.event_location {
            Some(json::Object(sent)) => some_place(location(sent)?),
            None => None,
        },
        ..Draft::new(Milestone::Other, String::new(), when)
    };
    let movement = equipment(event, &mut draft)?;
    if let Some(json::Object(details)) = &event.transport_details {
        transport(details, &mut draft)?;
    }
    let document = documents(event, &mut draft)?;
    let of = Circumstances {
        document,
        empty: draft.equipment.as_ref().and_then(|e| e.empty),
        facility_type: draft.place.as_ref().and_then(|p| p.facility_type.as_deref()),
        movement,
    };
    let member = |name| classified.member(name);
    match event_type {
        "SHIPMENT" => {
            let kind = document
                .ok_or_else(|| at("/shipmentDetails").member("/documentReference").missing())?;
            let field = &class.shipment_event_type_code;
            let code = required(field, member("/shipmentEventTypeCode"), limits::CODE)?;
            draft.means(milestone(codes::SHIPMENT, code, V3, of));
            draft.raw_code = ["SHIPMENT/", code, "/", kind].concat();
        }
        "TRANSPORT" => {
            let field = &class.transport_event_type_code;
            let code = required(field, member("/transportEventTypeCode"), limits::CODE)?;
            draft.means(milestone(codes::TRANSPORT, code, V3, of));
            draft.raw_code = ["TRANSPORT/", code].concat();
        }
        "EQUIPMENT" => {
            let field = &class.equipment_event_type_code;
            let code = required(field, member("/equipmentEventTypeCode"), limits::CODE)?;
            draft.means(milestone(codes::EQUIPMENT, code, V3, of));
            draft.raw_code = ["EQUIPMENT/", code].concat();
        }
        "IOT" => {
            let type_at = member("/iotEventTypeCode");
            if required(&class.iot_event_type_code, type_at, limits::CODE)? != "DETC" {
                return Err(type_at.unknown_code("IoT event type code of DCSA 3.x"));
            }
            let code_at = at("/iotDetails").member("/iotEventCode");
            let field = event.iot_details.as_ref().and_then(|d| d.0.iot_event_code.as_ref());
            let code = match field {
                Some(json::Text(code)) if !code.trim().is_empty() => code.trim(),
                _ => return Err(code_at.missing()),
            };
            draft.means(milestone(codes::IOT, code, V3, of));
            draft.raw_code = ["IOT/DETC/", code].concat();
            draft.readings.extend(readings::of_iot(code));
        }
        "REEFER" => {
            let field = &class.reefer_event_type_code;
            let code = required(field, member("/reeferEventTypeCode"), limits::CODE)?;
            draft.means(milestone(codes::REEFER, code, V3, of));
            draft.raw_code = ["REEFER/", code].concat();
            if let Some(json::Object(details)) = &event.reefer_details {
                readings::of_reefer(details, &mut draft.readings)?;
            }
        }
        _ => return Err(type_at.unknown_code("event type code of DCSA 3.x")),
    }
    if matches!(event_type, "EQUIPMENT" | "IOT" | "REEFER") && draft.equipment.is_none() {
        return Err(at("/equipmentDetails").member("/equipmentReference").missing());
    }
    // What other kinds of event say of a document is beside the point of which shipment they are.
    if event_type != "SHIPMENT" {
        draft.document = None;
    }
    Ok(draft)
}

/// Reads the unit, and returns the type of its movement.
fn equipment<'t>(event: &'t Event<'_>, draft: &mut Draft) -> Result<Option<&'t str>, Reject> {
    let Some(json::Object(details)) = &event.equipment_details else { return Ok(None) };
    let within = at("/equipmentDetails");
    let number_at = within.member("/equipmentReference");
    let empty = empty(&details.empty_indicator_code, V3, within.member("/emptyIndicatorCode"))?;
    let type_at = within.member("/ISOEquipmentCode");
    let iso_type = owned(&details.iso_equipment_code, type_at, limits::CODE)?;
    draft.equipment = owned(&details.equipment_reference, number_at, limits::ID)?
        .map(|number| Equipment { number, iso_type, empty });
    let seals_at = at("/equipmentDetails/seals");
    for (index, json::Object(seal)) in list(&details.seals, seals_at)?.iter().enumerate() {
        let value = owned(&seal.number, seals_at.element(index).member("/number"), limits::ID)?;
        draft.references.extend(value.map(|value| Reference { kind: ReferenceKind::Seal, value }));
    }
    let movement_at = within.member("/movementType");
    let movement = text(&details.movement_type, movement_at, limits::CODE)?;
    match movement {
        None | Some("IMPORT" | "EXPORT" | "TRANSSHIPMENT") => Ok(movement),
        Some(_) => Err(movement_at.unknown_code("movement type of DCSA 3.x")),
    }
}

fn transport(details: &TransportDetails<'_>, draft: &mut Draft) -> Result<(), Reject> {
    let remark_at = at("/transportDetails").member("/changeRemark");
    draft.remark = owned(&details.change_remark, remark_at, limits::REMARK)?;
    let delays_at = at("/transportDetails/delayReasonCodes");
    let delays = list(&details.delay_reason_codes, delays_at)?;
    for (index, code) in delays.iter().enumerate() {
        let code = code.0.trim();
        if code.chars().count() > limits::CODE {
            return Err(delays_at.element(index).too_long(limits::CODE));
        }
        if !code.is_empty() {
            let (kind, raw) = codes::delay_reason(code);
            draft.exception(kind, Some(raw));
        }
    }
    let Some(json::Object(call)) = &details.transport_call else { return Ok(()) };
    let within = at("/transportDetails/transportCall");
    let service_at = at("/transportDetails/transportCall/serviceCodeOrReference");
    let voyage_at = at("/transportDetails/transportCall/exportVoyageNumberOrReference");
    let vessel_at = at("/transportDetails/transportCall/vesselTransport");
    let service = match &call.service_code_or_reference {
        Some(json::Object(sent)) => first_of(
            &[
                (&sent.carrier_service_code, service_at.member("/carrierServiceCode")),
                (
                    &sent.universal_service_reference,
                    service_at.member("/universalServiceReference"),
                ),
            ],
            limits::ID,
        )?,
        None => None,
    };
    let voyage = match &call.export_voyage_number_or_reference {
        Some(json::Object(sent)) => first_of(
            &[
                (&sent.carrier_voyage_number, voyage_at.member("/carrierVoyageNumber")),
                (&sent.universal_voyage_reference, voyage_at.member("/universalVoyageReference")),
            ],
            limits::ID,
        )?,
        None => None,
    };
    let (vessel_imo, vessel_name) = match &call.vessel_transport {
        Some(json::Object(sent)) => (
            owned(&sent.vessel_imo_number, vessel_at.member("/vesselIMONumber"), limits::ID)?,
            owned(&sent.vessel_name, vessel_at.member("/vesselName"), limits::NAME)?,
        ),
        None => (None, None),
    };
    let call_at = within.member("/transportCallReference");
    let transport = Transport {
        mode: mode(&call.mode_of_transport, V3, within.member("/modeOfTransport"))?,
        vessel_imo,
        vessel_name,
        voyage: voyage.map(str::to_owned),
        service: service.map(str::to_owned),
        call_id: owned(&call.transport_call_reference, call_at, limits::ID)?,
        ..Transport::default()
    };
    draft.transport = (transport != Transport::default()).then_some(transport);
    Ok(())
}

/// Reads the references, and returns the type of the event's own document. Which document says
/// whose shipment it is: of all that are named a booking, else the event's own.
fn documents<'t>(event: &'t Event<'_>, draft: &mut Draft) -> Result<Option<&'t str>, Reject> {
    let Some(json::Object(details)) = &event.shipment_details else { return Ok(None) };
    let within = at("/shipmentDetails");
    let own_at = at("/shipmentDetails/documentReference");
    let more_at = at("/shipmentDetails/additionalDocumentReferences");
    let references_at = at("/shipmentDetails/shipmentReferences");

    let mut own_kind = None;
    if let Some(json::Object(own)) = &details.document_reference {
        own_kind = Some(document(own, own_at, draft)?);
    }
    for (index, json::Object(more)) in
        list(&details.additional_document_references, more_at)?.iter().enumerate()
    {
        document(more, more_at.element(index), draft)?;
    }
    for (index, json::Object(sent)) in
        list(&details.shipment_references, references_at)?.iter().enumerate()
    {
        let within = references_at.element(index);
        draft.references.push(reference(
            (&sent.type_code, within.member("/typeCode")),
            (&sent.reference, within.member("/reference")),
            V3,
        )?);
    }
    if draft.remark.is_none() {
        draft.remark = owned(&details.reason, within.member("/reason"), limits::REMARK)?;
    }
    Ok(own_kind)
}

fn document<'t>(sent: &'t Coded<'_>, within: At, draft: &mut Draft) -> Result<&'t str, Reject> {
    let kind_at = within.member("/typeCode");
    let kind = required(&sent.type_code, kind_at, limits::CODE)?;
    let known = codes::document_type(kind, V3)
        .ok_or_else(|| kind_at.unknown_code("document type code of DCSA 3.x"))?;
    let number = required(&sent.reference, within.member("/reference"), limits::ID)?;
    let better = match &draft.document {
        None => true,
        Some(before) => known.kind == "booking" && before.kind != "booking",
    };
    if better {
        draft.document = Some(Document { kind: known.kind, number: number.to_owned() });
    }
    draft.references.push(Reference { kind: known.reference, value: number.to_owned() });
    Ok(kind)
}

fn location(sent: &Location<'_>) -> Result<Place, Reject> {
    let within = at("/eventLocation");
    let facility_at = at("/eventLocation/facility");
    let address_at = at("/eventLocation/address");
    let geo_at = at("/eventLocation/geoCoordinate");
    let mut place = Place {
        unlocode: un_location(&sent.un_location_code, within.member("/UNLocationCode"))?,
        name: owned(&sent.location_name, within.member("/locationName"), limits::NAME)?,
        facility_type: facility_type(
            &sent.facility_type_code,
            V3,
            within.member("/facilityTypeCode"),
        )?
        .map(str::to_owned),
        ..Place::default()
    };
    if let Some(json::Object(sent)) = &sent.facility {
        place.facility = facility(
            (&sent.facility_code, facility_at.member("/facilityCode")),
            (&sent.facility_code_list_provider, facility_at.member("/facilityCodeListProvider")),
            V3,
        )?;
        let name_at = facility_at.member("/facilityName");
        place.name = match place.name {
            Some(name) => Some(name),
            None => owned(&sent.facility_name, name_at, limits::NAME)?,
        };
    }
    if let Some(json::Object(sent)) = &sent.address {
        place.city = owned(&sent.city, address_at.member("/city"), limits::NAME)?;
        let country_at = address_at.member("/countryCode");
        if let Some(country) = text(&sent.country_code, country_at, limits::CODE)? {
            let country = country.to_ascii_uppercase();
            if !unlocode::is_country(&country) {
                return Err(country_at.unknown_code("country of ISO 3166-1"));
            }
            place.country = Some(country);
        }
    }
    if let Some(json::Object(sent)) = &sent.geo_coordinate {
        let coordinates = coordinates(
            (&sent.latitude, geo_at.member("/latitude")),
            (&sent.longitude, geo_at.member("/longitude")),
        )?;
        place.latitude = coordinates.map(|c| c.0);
        place.longitude = coordinates.map(|c| c.1);
    }
    Ok(place)
}
