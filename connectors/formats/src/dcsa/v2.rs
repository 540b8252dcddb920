//! DCSA Track & Trace 2.x: `TNT_v2.2.0-resolved.yaml`, and the fields that the event domain 2.0.2
//! (2.3) has instead.

mod wire;

use waybill_schemas::vocabulary::{Classifier, Milestone, ReferenceKind};
use waybill_schemas::{Equipment, Place, Reference, Transport};
use waybill_stage::{Code, Reject};

use self::wire::{Event, Location, TransportCall};
use super::codes::{self, Circumstances, V2, milestone};
use super::fields::{
    classifier, coordinates, empty, facility, facility_type, first_of, instant, list, mode,
    occurred, owned, reference, required, some_place, text, un_location,
};
use crate::json::TextOrNumber;
use crate::wrong::{At, at};
use crate::{Document, Draft, Parts, json, limits};

/// How much earlier than the event itself the record of an actual event may be dated, ms: clocks
/// run apart, and local times are sent as UTC.
const RECORDED_EARLY_MS: i64 = 24 * 3_600_000;

/// Reads a body whose version is 2.x.
pub fn read(payload: &[u8], parts: &mut Parts) -> Result<(), Reject> {
    read_text(json::text(payload)?, parts)
}

pub(super) fn read_text(text: &str, parts: &mut Parts) -> Result<(), Reject> {
    if json::first(text) == Some(b'[') {
        json::parts(text, None, parts, event)?;
        parts.mark_repeats(|first| {
            let detail = format!("/eventID: that of {first}, which says something else");
            Some(Reject::new(Code::Contradiction, detail))
        });
        return Ok(());
    }
    parts.only(event(text))
}

fn event(text: &str) -> Result<Draft, Reject> {
    draft(&json::object(text)?)
}

fn draft(event: &Event<'_>) -> Result<Draft, Reject> {
    if event.event_type.is_none()
        && event.event_classifier_code.is_none()
        && event.event_date_time.is_none()
        && event.event_created_date_time.is_none()
    {
        return Err(Reject::new(Code::WrongStructure, "no field of a DCSA 2.x event in it"));
    }
    let event_type = required(&event.event_type, at("/eventType"), limits::CODE)?;
    let raw_id = owned(&event.event_id, at("/eventID"), limits::EVENT_ID)?;
    if raw_id.as_deref().is_some_and(|id| !is_uuid(id)) {
        return Err(at("/eventID").invalid("a UUID"));
    }
    let classifier = classifier(&event.event_classifier_code, V2, at("/eventClassifierCode"))?;
    let occurred = occurred(&event.event_date_time, at("/eventDateTime"))?;
    let created = at("/eventCreatedDateTime");
    let created_at =
        instant(&event.event_created_date_time, created)?.ok_or_else(|| created.missing())?;
    if classifier == Classifier::Actual
        && created_at + RECORDED_EARLY_MS < occurred.utc_or_wall_ms()
    {
        return Err(created.contradicts("more than 24 h before an event that is actual"));
    }
    let mut draft = Draft {
        classifier,
        raw_id,
        created_at: Some(created_at),
        ..Draft::new(Milestone::Other, String::new(), occurred)
    };
    match event_type {
        "SHIPMENT" => shipment(event, &mut draft)?,
        "TRANSPORT" => transport(event, &mut draft)?,
        "EQUIPMENT" => equipment(event, &mut draft)?,
        _ => return Err(at("/eventType").unknown_code("event type of DCSA 2.x")),
    }
    references(event, &mut draft.references)?;
    Ok(draft)
}

fn shipment(event: &Event<'_>, draft: &mut Draft) -> Result<(), Reject> {
    let kind_at = at("/documentTypeCode");
    let kind = first_of(
        &[
            (&event.document_type_code, kind_at),
            (&event.shipment_information_type_code, at("/shipmentInformationTypeCode")),
        ],
        limits::CODE,
    )?
    .ok_or_else(|| kind_at.missing())?;
    let document = codes::document_type(kind, V2)
        .ok_or_else(|| kind_at.unknown_code("document type code of DCSA 2.x"))?;
    let number = required(&event.document_id, at("/documentID"), limits::ID)?;
    let code = event_code(event, &event.shipment_event_type_code, "/shipmentEventTypeCode")?;
    let of = Circumstances { document: Some(kind), ..Circumstances::default() };
    draft.means(milestone(codes::SHIPMENT, code, V2, of));
    draft.raw_code = ["SHIPMENT/", code, "/", kind].concat();
    draft.document = Some(Document { kind: document.kind, number: number.to_owned() });
    draft.references.push(Reference { kind: document.reference, value: number.to_owned() });
    draft.remark = owned(&event.reason, at("/reason"), limits::REMARK)?;
    Ok(())
}

fn transport(event: &Event<'_>, draft: &mut Draft) -> Result<(), Reject> {
    let code = event_code(event, &event.transport_event_type_code, "/transportEventTypeCode")?;
    draft.means(milestone(codes::TRANSPORT, code, V2, Circumstances::default()));
    draft.raw_code = ["TRANSPORT/", code].concat();
    let call = event.transport_call.as_ref().ok_or_else(|| at("/transportCall").missing())?;
    draft.transport = Some(transport_of(&call.0)?);
    draft.place = some_place(place_of_call(event, &call.0)?);
    if let Some(code) = text(&event.delay_reason_code, at("/delayReasonCode"), limits::CODE)? {
        let (kind, raw) = codes::delay_reason(code);
        draft.exception(kind, Some(raw));
    }
    draft.remark = first_of(
        &[
            (&event.change_remark, at("/changeRemark")),
            (&event.vessel_schedule_change_remark, at("/vesselScheduleChangeRemark")),
        ],
        limits::REMARK,
    )?
    .map(str::to_owned);
    Ok(())
}

fn equipment(event: &Event<'_>, draft: &mut Draft) -> Result<(), Reject> {
    let code = event_code(event, &event.equipment_event_type_code, "/equipmentEventTypeCode")?;
    let indicator = at("/emptyIndicatorCode");
    let empty = empty(&event.empty_indicator_code, V2, indicator)?;
    if empty.is_none() {
        return Err(indicator.missing());
    }
    draft.place = some_place(place_of_equipment(event)?);
    let of = Circumstances {
        empty,
        facility_type: draft.place.as_ref().and_then(|p| p.facility_type.as_deref()),
        ..Circumstances::default()
    };
    draft.means(milestone(codes::EQUIPMENT, code, V2, of));
    draft.raw_code = ["EQUIPMENT/", code].concat();
    draft.equipment = owned(&event.equipment_reference, at("/equipmentReference"), limits::ID)?
        .map(|number| {
            let iso_type = owned(&event.iso_equipment_code, at("/ISOEquipmentCode"), limits::CODE)?;
            Ok::<_, Reject>(Equipment { number, iso_type, empty })
        })
        .transpose()?;
    draft.transport =
        event.transport_call.as_ref().map(|call| transport_of(&call.0)).transpose()?;
    Ok(())
}

/// The event's own code; `eventTypeCode` is what 2.0 had in its place.
fn event_code<'t>(
    event: &'t Event<'_>,
    field: &'t Option<json::Text<'_>>,
    name: &'static str,
) -> Result<&'t str, Reject> {
    let fields = [(field, at(name)), (&event.event_type_code, at("/eventTypeCode"))];
    first_of(&fields, limits::CODE)?.ok_or_else(|| at(name).missing())
}

/// Where an equipment event happened: its own location, else the transport call's. An
/// `eventLocation` with neither UN/LOCODE nor coordinates does not say where; it then only adds
/// to the call's place.
fn place_of_equipment(event: &Event<'_>) -> Result<Place, Reject> {
    let call = match &event.transport_call {
        Some(call) => place_of_call(event, &call.0)?,
        None => Place { facility_type: event_facility_type(event)?, ..Place::default() },
    };
    let Some(own) = &event.event_location else { return Ok(call) };
    let own = location(&own.0, at("/eventLocation"))?;
    let same = match (&own.unlocode, &call.unlocode) {
        (Some(own), Some(call)) => own == call,
        (Some(_), None) => false,
        (None, _) => own.latitude.is_none(),
    };
    Ok(if same {
        merged(own, call)
    } else {
        Place { facility_type: event_facility_type(event)?, ..own }
    })
}

fn place_of_call(event: &Event<'_>, call: &TransportCall<'_>) -> Result<Place, Reject> {
    let within = at("/transportCall");
    let own = Place {
        unlocode: un_location(&call.un_location_code, within.member("/UNLocationCode"))?,
        name: owned(&call.other_facility, within.member("/otherFacility"), limits::NAME)?,
        facility: facility(
            (&call.facility_code, within.member("/facilityCode")),
            (&call.facility_code_list_provider, within.member("/facilityCodeListProvider")),
            V2,
        )?,
        facility_type: match event_facility_type(event)? {
            Some(sent) => Some(sent),
            None => {
                facility_type(&call.facility_type_code, V2, within.member("/facilityTypeCode"))?
                    .map(str::to_owned)
            }
        },
        ..Place::default()
    };
    let Some(more) = &call.location else { return Ok(own) };
    let more = location(&more.0, at("/transportCall/location"))?;
    if let (Some(a), Some(b)) = (&own.unlocode, &more.unlocode)
        && a != b
    {
        return Err(at("/transportCall/location")
            .member("/UNLocationCode")
            .contradicts("not the same as /transportCall/UNLocationCode"));
    }
    Ok(merged(more, own))
}

/// 2.3 has it here.
fn event_facility_type(event: &Event<'_>) -> Result<Option<String>, Reject> {
    let sent = facility_type(&event.facility_type_code, V2, at("/facilityTypeCode"))?;
    Ok(sent.map(str::to_owned))
}

fn merged(first: Place, second: Place) -> Place {
    let (latitude, longitude) = match first.latitude {
        Some(_) => (first.latitude, first.longitude),
        None => (second.latitude, second.longitude),
    };
    Place {
        unlocode: first.unlocode.or(second.unlocode),
        name: first.name.or(second.name),
        facility: first.facility.or(second.facility),
        facility_type: first.facility_type.or(second.facility_type),
        city: first.city.or(second.city),
        country: first.country.or(second.country),
        latitude,
        longitude,
        ..Place::default()
    }
}

fn location(sent: &Location<'_>, within: At) -> Result<Place, Reject> {
    let (city, country) = match &sent.address {
        Some(json::Object(address)) => (
            owned(&address.city, within.member("/address/city"), limits::NAME)?,
            owned(&address.country, within.member("/address/country"), limits::NAME)?,
        ),
        None => (None, None),
    };
    let coordinates = coordinates(
        (&sent.latitude, within.member("/latitude")),
        (&sent.longitude, within.member("/longitude")),
    )?;
    Ok(Place {
        unlocode: un_location(&sent.un_location_code, within.member("/UNLocationCode"))?,
        name: owned(&sent.location_name, within.member("/locationName"), limits::NAME)?,
        facility: facility(
            (&sent.facility_code, within.member("/facilityCode")),
            (&sent.facility_code_list_provider, within.member("/facilityCodeListProvider")),
            V2,
        )?,
        city,
        country,
        latitude: coordinates.map(|c| c.0),
        longitude: coordinates.map(|c| c.1),
        ..Place::default()
    })
}

fn transport_of(call: &TransportCall<'_>) -> Result<Transport, Reject> {
    let within = at("/transportCall");
    let id = within.member("/transportCallID");
    let call_id = first_of(
        &[
            (&call.transport_call_id, id),
            (&call.transport_call_reference, within.member("/transportCallReference")),
        ],
        limits::ID,
    )?
    .ok_or_else(|| id.missing())?;
    let by = within.member("/modeOfTransport");
    let mode = mode(&call.mode_of_transport, V2, by)?.ok_or_else(|| by.missing())?;
    let voyage = first_of(
        &[
            (&call.export_voyage_number, within.member("/exportVoyageNumber")),
            (&call.carrier_export_voyage_number, within.member("/carrierExportVoyageNumber")),
            (&call.carrier_voyage_number, within.member("/carrierVoyageNumber")),
        ],
        limits::ID,
    )?;
    let (vessel_imo, vessel_name) = match &call.vessel {
        Some(json::Object(vessel)) => {
            let vessel_at = at("/transportCall/vessel");
            let imo_at = vessel_at.member("/vesselIMONumber");
            let imo = match &vessel.vessel_imo_number {
                Some(TextOrNumber(imo)) if !imo.0.trim().is_empty() => imo.0.trim(),
                _ => return Err(imo_at.missing()),
            };
            if imo.chars().count() > limits::ID {
                return Err(imo_at.too_long(limits::ID));
            }
            let name = owned(&vessel.vessel_name, vessel_at.member("/vesselName"), limits::NAME)?;
            (Some(imo.to_owned()), name)
        }
        None => (None, None),
    };
    Ok(Transport {
        mode: Some(mode),
        vessel_imo,
        vessel_name,
        voyage: voyage.map(str::to_owned),
        service: owned(
            &call.carrier_service_code,
            within.member("/carrierServiceCode"),
            limits::ID,
        )?,
        call_id: Some(call_id.to_owned()),
        ..Transport::default()
    })
}

fn references(event: &Event<'_>, to: &mut Vec<Reference>) -> Result<(), Reject> {
    let documents_at = at("/documentReferences");
    let references_at = at("/references");
    let seals_at = at("/seals");
    let documents = list(&event.document_references, documents_at)?;
    let references = list(&event.references, references_at)?;
    let seals = list(&event.seals, seals_at)?;
    to.reserve_exact(documents.len() + references.len() + seals.len());
    for (index, json::Object(sent)) in documents.iter().enumerate() {
        let within = documents_at.element(index);
        let kind_at = within.member("/documentReferenceType");
        let value_at = within.member("/documentReferenceValue");
        // Neither is required.
        let Some(value) = owned(&sent.value, value_at, limits::ID)? else { continue };
        let kind = match text(&sent.kind, kind_at, limits::CODE)? {
            Some(code) => codes::document_type(code, V2).map(|known| known.reference),
            None => None,
        };
        to.push(Reference { kind: kind.unwrap_or(ReferenceKind::Other), value });
    }
    for (index, json::Object(sent)) in references.iter().enumerate() {
        let within = references_at.element(index);
        to.push(reference(
            (&sent.kind, within.member("/referenceType")),
            (&sent.value, within.member("/referenceValue")),
            V2,
        )?);
    }
    for (index, json::Object(sent)) in seals.iter().enumerate() {
        let number_at = seals_at.element(index).member("/sealNumber");
        let value = required(&sent.number, number_at, limits::ID)?.to_owned();
        to.push(Reference { kind: ReferenceKind::Seal, value });
    }
    Ok(())
}

/// The form of RFC 9562 section 4.
fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(i, b)| match i {
            8 | 13 | 18 | 23 => b == b'-',
            _ => b.is_ascii_hexdigit(),
        })
}
