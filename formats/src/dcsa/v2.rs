//! DCSA Track & Trace 2.x: `TNT_v2.2.0-resolved.yaml`, the fields that the event domain 2.0.2 (2.3) has
//! instead, and those that carriers put beside them: a vessel, a place or a booking on the event itself.

use std::borrow::Cow;

use waybill_schemas::vocabulary::{Classifier, Milestone, ReferenceKind};
use waybill_schemas::{Equipment, Place, Reference, Transport};
use waybill_stage::{Code, Reject};

use super::codes::{self, Circumstances};
use super::fields::{Fields, document_type, milestone, some_place};
use crate::{Document, Draft, limits, text};

/// Names that tell an event of this version.
pub(super) const MARKS: &[&str] = &[
    "eventID",
    "eventType",
    "eventClassifierCode",
    "eventDateTime",
    "eventCreatedDateTime",
    "eventTypeCode",
    "shipmentEventTypeCode",
    "transportEventTypeCode",
    "equipmentEventTypeCode",
];

/// How much earlier than the event itself the record of an actual event may be dated, ms: clocks
/// run apart, and local times are sent as UTC.
const RECORDED_EARLY_MS: i64 = 24 * 3_600_000;

const CREATED: &str = "eventCreatedDateTime";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Shipment,
    Transport,
    Equipment,
}

impl Kind {
    const ALL: [(Self, &'static str, &'static str); 3] = [
        (Self::Shipment, "SHIPMENT", "shipmentEventTypeCode"),
        (Self::Transport, "TRANSPORT", "transportEventTypeCode"),
        (Self::Equipment, "EQUIPMENT", "equipmentEventTypeCode"),
    ];

    /// As the event says, or else as its code's field does.
    fn of(event: &Fields<'_, '_>) -> Result<Self, Reject> {
        if let Some(sent) = event.code("eventType") {
            if let Some((kind, _, _)) = Self::ALL.iter().find(|(_, name, _)| *name == sent) {
                return Ok(*kind);
            }
            event.odd("eventType");
        } else {
            event.missing("eventType");
        }
        let by_code = Self::ALL.iter().find(|(_, _, code)| event.has(code));
        by_code.map(|(kind, _, _)| *kind).ok_or_else(|| match event.has("eventType") {
            true => Reject::new(Code::UnknownCode, "/eventType: is no event type of DCSA 2.x"),
            false => event.required_reject("eventType"),
        })
    }
}

pub(super) fn draft(event: &Fields<'_, '_>) -> Result<Draft, Reject> {
    let kind = Kind::of(event)?;
    let occurred = event.occurred("eventDateTime")?;
    let classifier = event.classifier("eventClassifierCode");
    let mut created_at = event.instant(CREATED);
    match created_at {
        None if !event.has(CREATED) => event.missing(CREATED),
        None => {}
        Some(created) => {
            let early = created.saturating_add(RECORDED_EARLY_MS) < occurred.utc_or_wall_ms();
            if classifier == Classifier::Actual && early {
                event.odd(CREATED);
                created_at = None;
            }
        }
    }
    let mut draft = Draft {
        classifier,
        raw_id: event.owned("eventID", limits::EVENT_ID),
        created_at,
        ..Draft::new(Milestone::Other, String::new(), occurred)
    };
    references(event, &mut draft.references);
    match kind {
        Kind::Shipment => shipment(event, &mut draft)?,
        Kind::Transport => transport(event, &mut draft)?,
        Kind::Equipment => equipment(event, &mut draft)?,
    }
    Ok(draft)
}

/// The event's own code; `eventTypeCode` is what 2.0 had in its place.
fn event_code<'t>(event: &Fields<'t, '_>, name: &'static str) -> Result<Cow<'t, str>, Reject> {
    let code = event.code(name).or_else(|| event.code("eventTypeCode"));
    code.ok_or_else(|| event.required_reject(name))
}

const BOOKINGS: [&str; 4] = [
    "carrierBookingReference",
    "bookingNumber",
    "shipment/carrierBookingReference",
    "shipment/bookingNumber",
];
const BILLS: [&str; 4] = [
    "transportDocumentReference",
    "billOfLadingNumber",
    "shipment/transportDocumentReference",
    "shipment/billOfLadingNumber",
];

fn shipment(event: &Fields<'_, '_>, draft: &mut Draft) -> Result<(), Reject> {
    let code = event_code(event, "shipmentEventTypeCode")?;
    let kinds = ["documentTypeCode", "shipmentInformationTypeCode"];
    let kind = kinds.iter().find_map(|path| event.code(path));
    let known = kind.as_deref().and_then(document_type);
    match (&kind, known) {
        (None, _) => event.missing("documentTypeCode"),
        (Some(_), None) => event.odd("documentTypeCode"),
        _ => {}
    }
    // A booking, or a transport document, may be named by a field of its own alone.
    let number = event.text("documentID", limits::ID).or_else(|| {
        event.missing("documentID");
        match known?.reference {
            ReferenceKind::Booking => event.common(&BOOKINGS, limits::ID),
            ReferenceKind::TransportDocument => event.common(&BILLS, limits::ID),
            _ => None,
        }
    });
    let of = Circumstances { document: kind.as_deref(), ..Circumstances::default() };
    draft.means(milestone(codes::SHIPMENT, &code, of));
    draft.raw_code = match &kind {
        Some(kind) => ["SHIPMENT/", &code, "/", kind].concat(),
        None => ["SHIPMENT/", &code].concat(),
    };
    if let (Some(document), Some(number)) = (known, number) {
        draft.document = Some(Document { kind: document.kind, number: number.to_owned() });
        draft.references.retain(|r| r.kind != document.reference || r.value != number);
        draft
            .references
            .insert(0, Reference { kind: document.reference, value: number.to_owned() });
    } else if let Some(number) = number {
        draft.reference(ReferenceKind::Other, number);
    }
    draft.remark = event.remark("reason");
    Ok(())
}

fn transport(event: &Fields<'_, '_>, draft: &mut Draft) -> Result<(), Reject> {
    let code = event_code(event, "transportEventTypeCode")?;
    draft.means(milestone(codes::TRANSPORT, &code, Circumstances::default()));
    draft.raw_code = ["TRANSPORT/", &code].concat();
    if !event.has("transportCall") {
        event.missing("transportCall");
    }
    draft.transport = transport_of(event, true);
    draft.place = some_place(place(event));
    if let Some(code) = event.text("delayReasonCode", limits::CODE) {
        let (kind, raw) = codes::delay_reason(code);
        draft.exception(kind, Some(raw));
    }
    draft.remark =
        event.remark("changeRemark").or_else(|| event.remark("vesselScheduleChangeRemark"));
    Ok(())
}

fn equipment(event: &Fields<'_, '_>, draft: &mut Draft) -> Result<(), Reject> {
    let code = event_code(event, "equipmentEventTypeCode")?;
    let empty = event.empty("emptyIndicatorCode");
    if empty.is_none() && !event.has("emptyIndicatorCode") {
        event.missing("emptyIndicatorCode");
    }
    draft.place = some_place(place(event));
    let of = Circumstances {
        empty,
        facility_type: draft.place.as_ref().and_then(|p| p.facility_type.as_deref()),
        ..Circumstances::default()
    };
    draft.means(milestone(codes::EQUIPMENT, &code, of));
    draft.raw_code = ["EQUIPMENT/", &code].concat();
    let number = event.common(&["equipmentReference", "equipment/equipmentReference"], limits::ID);
    let iso_type = event.common(&["ISOEquipmentCode", "equipment/ISOEquipmentCode"], limits::CODE);
    draft.equipment = number.map(|number| Equipment {
        number: number.to_owned(),
        iso_type: iso_type.map(str::to_owned),
        empty,
    });
    draft.transport = transport_of(event, false);
    Ok(())
}

/// Where it happened: the event's own location, else the transport call's. A location with neither
/// UN/LOCODE nor coordinates does not say where; it then only adds to the call's place.
fn place(event: &Fields<'_, '_>) -> Place {
    // 2.3 has it on the event.
    let own_type = event.facility_type("facilityTypeCode");
    let call = place_of_call(event, own_type.clone());
    let Some(within) = ["eventLocation", "location"].into_iter().find(|path| event.has(path))
    else {
        let unlocode = event.un_location("UNLocationCode");
        return Place { unlocode: unlocode.or(call.unlocode.clone()), ..call };
    };
    let own = location(event, within);
    let same = match (&own.unlocode, &call.unlocode) {
        (Some(own), Some(call)) => own == call,
        (Some(_), None) => false,
        (None, _) => own.latitude.is_none(),
    };
    if same { merged(own, call) } else { Place { facility_type: own_type, ..own } }
}

fn place_of_call(event: &Fields<'_, '_>, own_type: Option<String>) -> Place {
    let own = Place {
        unlocode: event.un_location("transportCall/UNLocationCode"),
        name: event.owned("transportCall/otherFacility", limits::NAME),
        facility: event
            .facility("transportCall/facilityCode", "transportCall/facilityCodeListProvider"),
        facility_type: own_type.or_else(|| event.facility_type("transportCall/facilityTypeCode")),
        ..Place::default()
    };
    if !event.has("transportCall/location") {
        return own;
    }
    let mut more = location(event, "transportCall/location");
    if let (Some(a), Some(b)) = (&own.unlocode, &more.unlocode)
        && a != b
    {
        event.odd("transportCall/location/UNLocationCode");
        // The call's own counts, and what the other place says is of another.
        more = Place::default();
    }
    merged(more, own)
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
        region: first.region.or(second.region),
        country: first.country.or(second.country),
        latitude,
        longitude,
        ..Place::default()
    }
}

fn location(event: &Fields<'_, '_>, within: &'static str) -> Place {
    let Some(at) = event.inner(within) else { return Place::default() };
    let coordinates = at.coordinates("latitude", "longitude");
    let first = |names: &[&str]| at.first(names, limits::NAME).map(str::to_owned);
    Place {
        unlocode: at.un_location("UNLocationCode"),
        name: first(&["locationName", "UNLocationName", "facilityName"]),
        facility: at.facility("facilityCode", "facilityCodeListProvider"),
        facility_type: at.facility_type("facilityTypeCode"),
        city: first(&["address/city", "address/cityName", "city", "cityName"]),
        region: first(&["address/stateRegion", "stateRegion"]),
        country: first(&["address/country", "address/countryCode", "country", "countryCode"]),
        latitude: coordinates.map(|c| c.0),
        longitude: coordinates.map(|c| c.1),
        ..Place::default()
    }
}

/// What carries it: by the call, or by the event's own fields. What stands around the events is of the
/// vessel alone (`vessel`).
fn transport_of(event: &Fields<'_, '_>, vessel: bool) -> Option<Transport> {
    let own = |paths: &[&str], characters| event.first(paths, characters).map(str::to_owned);
    let common = |paths: &[&str], characters| match vessel {
        true => event.common(paths, characters).map(str::to_owned),
        false => own(paths, characters),
    };
    let call_id =
        own(&["transportCall/transportCallID", "transportCall/transportCallReference"], limits::ID);
    let mode = ["transportCall/modeOfTransport", "modeOfTransport", "transportMode"];
    let mode = mode.iter().find_map(|path| event.mode(path));
    if event.has("transportCall") {
        if call_id.is_none() {
            event.missing("transportCall/transportCallID");
        }
        if mode.is_none() && !event.has("transportCall/modeOfTransport") {
            event.missing("transportCall/modeOfTransport");
        }
        if event.has("transportCall/vessel") && !event.has("transportCall/vessel/vesselIMONumber") {
            event.missing("transportCall/vessel/vesselIMONumber");
        }
    }
    let transport = Transport {
        mode,
        vessel_imo: common(
            &[
                "transportCall/vessel/vesselIMONumber",
                "transportCall/vesselIMONumber",
                "vessel/vesselIMONumber",
                "vesselIMONumber",
                "transport/vesselIMONumber",
            ],
            limits::ID,
        ),
        vessel_name: common(
            &[
                "transportCall/vessel/vesselName",
                "transportCall/vesselName",
                "vessel/vesselName",
                "vesselName",
                "transport/vesselName",
                "transport/transportName",
            ],
            limits::NAME,
        ),
        voyage: own(
            &[
                "transportCall/exportVoyageNumber",
                "transportCall/carrierExportVoyageNumber",
                "transportCall/carrierVoyageNumber",
                "exportVoyageNumber",
                "carrierExportVoyageNumber",
                "carrierVoyageNumber",
            ],
            limits::ID,
        ),
        service: own(&["transportCall/carrierServiceCode", "carrierServiceCode"], limits::ID),
        call_id,
        ..Transport::default()
    };
    (transport != Transport::default()).then_some(transport)
}

fn references(event: &Fields<'_, '_>, to: &mut Vec<Reference>) {
    let mut listed = Vec::new();
    for (element, at) in event.each("documentReferences") {
        let value = event.within(element, at, "documentReferenceValue", limits::ID);
        // Neither is required.
        let Some(value) = value else { continue };
        let code = event.within(element, at, "documentReferenceType", limits::CODE);
        let known = code.and_then(|code| document_type(&text::upper(code)));
        let kind = known.map_or(ReferenceKind::Other, |known| known.reference);
        listed.push(Reference { kind, value: value.to_owned() });
    }
    for (paths, kind) in
        [(BOOKINGS, ReferenceKind::Booking), (BILLS, ReferenceKind::TransportDocument)]
    {
        if let Some(value) = event.common(&paths, limits::ID) {
            let known = |r: &Reference| r.kind == kind && r.value == value;
            if !listed.iter().any(known) {
                listed.push(Reference { kind, value: value.to_owned() });
            }
        }
    }
    to.append(&mut listed);
    event.references("references", "referenceType", "referenceValue", to);
    for (element, at) in event.each("seals") {
        match event.within(element, at, "sealNumber", limits::ID) {
            Some(value) => {
                to.push(Reference { kind: ReferenceKind::Seal, value: value.to_owned() });
            }
            None => event.missing(&at.member("sealNumber")),
        }
    }
}
