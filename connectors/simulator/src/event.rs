//! DCSA Track & Trace 2.2, as JSON: one event, the way its API gives it.

use std::io::{self, Write};

use jiff::Timestamp;
use jiff::tz::{Offset, TimeZone};

use crate::Bad;
use crate::journey::{Classifier, Journey, Step, What};
use crate::network::{Network, Port};

pub(crate) const MEDIA_TYPE: &str = "application/vnd.dcsa.tnt+json;version=2.2";
pub(crate) const UNKNOWN_MEDIA_TYPE: &str = "application/vnd.example.tracking+cbor";
/// About its length, so that it is written without growing.
const USUAL_BYTES: usize = 1024;

/// What the event says of itself, and what may be wrong about it.
pub(crate) struct Subject<'a> {
    pub network: &'a Network,
    pub journey: &'a Journey,
    pub step: Step,
    /// The event's number within the journey: the same for the same step.
    pub number: usize,
    pub bad: Option<Bad>,
    /// A time that lies in the future whenever it is read, ms UTC.
    pub future_ms: i64,
}

/// None of the texts needs escaping: they are codes, and names of our own tables.
pub(crate) fn payload(subject: &Subject) -> Vec<u8> {
    let mut json = Vec::with_capacity(USUAL_BYTES);
    // Writing into memory does not fail.
    let _ = write(&mut json, subject);
    if subject.bad == Some(Bad::NotJson) {
        json.truncate(json.len() / 2);
    }
    json
}

fn write(w: &mut Vec<u8>, subject: &Subject) -> io::Result<()> {
    let Subject { network, journey, step, bad, .. } = subject;
    let (Some(call), Some(port)) = (
        journey.calls.get(step.call),
        journey.calls.get(step.call).and_then(|call| network.ports.get(call.port)),
    ) else {
        return Ok(());
    };
    let kind = match step.what {
        What::Booked | What::Issued => "SHIPMENT",
        What::Arrival | What::Departure => "TRANSPORT",
        _ => "EQUIPMENT",
    };
    let utc = TimeZone::UTC;
    // The standard wants a shipment event's two times to be the same.
    let (at, created) = match bad {
        Some(Bad::InFuture) => (subject.future_ms, subject.future_ms),
        _ if kind == "SHIPMENT" => (step.created, step.created),
        _ => (step.at, step.created),
    };
    write!(w, r#"{{"eventID":""#)?;
    event_id(w, journey.id, subject.number)?;
    write!(w, r#"","eventCreatedDateTime":""#)?;
    date_time(w, created, &utc)?;
    write!(
        w,
        r#"","eventType":"{}","eventClassifierCode":"{}""#,
        if *bad == Some(Bad::UnknownEventType) { "SUNK" } else { kind },
        match step.classifier {
            _ if *bad == Some(Bad::InFuture) => "ACT",
            Classifier::Pln => "PLN",
            Classifier::Est => "EST",
            Classifier::Act => "ACT",
        }
    )?;
    if *bad != Some(Bad::MissingField) {
        write!(w, r#","eventDateTime":""#)?;
        date_time(w, at, if kind == "SHIPMENT" { &utc } else { &port.zone })?;
        w.write_all(b"\"")?;
    }

    match step.what {
        // Its code would tell what kind of event it is.
        _ if *bad == Some(Bad::UnknownEventType) => {}
        What::Booked => write!(
            w,
            r#","shipmentEventTypeCode":"CONF","documentID":"{}","documentTypeCode":"BKG""#,
            journey.booking
        )?,
        What::Issued => write!(
            w,
            r#","shipmentEventTypeCode":"ISSU","documentID":"{}T","documentTypeCode":"TRD""#,
            journey.booking
        )?,
        What::Arrival | What::Departure => {
            let code = if step.what == What::Arrival { "ARRI" } else { "DEPA" };
            write!(w, r#","transportEventTypeCode":"{code}""#)?;
            if step.late {
                w.write_all(br#","delayReasonCode":"WEA""#)?;
            }
        }
        _ => {
            let (code, empty) = match step.what {
                What::EmptyPickedUp => ("GTOT", "EMPTY"),
                What::EmptyReturned => ("GTIN", "EMPTY"),
                What::GateIn => ("GTIN", "LADEN"),
                What::GateOut => ("GTOT", "LADEN"),
                What::Load => ("LOAD", "LADEN"),
                _ => ("DISC", "LADEN"),
            };
            write!(
                w,
                r#","equipmentEventTypeCode":"{code}","equipmentReference":"{}","ISOEquipmentCode":"{}","emptyIndicatorCode":"{empty}","eventLocation":{{"locationName":"{}","UNLocationCode":"{}""#,
                journey.container, journey.iso_type, port.name, port.unlocode
            )?;
            if !at_depot(step.what) {
                facility(w, port)?;
            }
            w.write_all(b"}")?;
        }
    }
    if kind != "SHIPMENT" {
        let service = network.services.get(call.service);
        let (code, vessel) = match service {
            Some(s) => (s.code, s.vessels.get(call.vessel)),
            None => ("", None),
        };
        write!(
            w,
            r#","transportCall":{{"transportCallID":"{}-{code}-{}-{}""#,
            port.unlocode,
            call.voyage,
            step.call + 1
        )?;
        if at_depot(step.what) {
            write!(
                w,
                r#","UNLocationCode":"{}","facilityTypeCode":"DEPO","modeOfTransport":"TRUCK"}}"#,
                port.unlocode
            )?;
        } else {
            write!(
                w,
                r#","carrierServiceCode":"{code}","exportVoyageNumber":"{}{}","transportCallSequenceNumber":{},"UNLocationCode":"{}""#,
                call.voyage,
                if call.voyage % 2 == 0 { 'W' } else { 'E' },
                step.call + 1,
                port.unlocode
            )?;
            facility(w, port)?;
            write!(w, r#","facilityTypeCode":"POTE","modeOfTransport":"VESSEL""#)?;
            if let Some(vessel) = vessel {
                let (imo, name) = (&vessel.imo, &vessel.name);
                write!(w, r#","vessel":{{"vesselIMONumber":"{imo}","vesselName":"{name}"}}"#)?;
            }
            w.write_all(b"}")?;
        }
        write!(
            w,
            r#","documentReferences":[{{"documentReferenceType":"BKG","documentReferenceValue":"{}"}}]"#,
            journey.booking
        )?;
    }
    write!(
        w,
        r#","references":[{{"referenceType":"EQ","referenceValue":"{}"}}]}}"#,
        journey.container
    )
}

fn at_depot(what: What) -> bool {
    matches!(what, What::EmptyPickedUp | What::EmptyReturned)
}

fn facility(w: &mut Vec<u8>, port: &Port) -> io::Result<()> {
    if port.terminal.is_empty() {
        return Ok(());
    }
    write!(w, r#","facilityCode":"{}","facilityCodeListProvider":"SMDG""#, port.terminal)
}

/// A UUID of version 8 (RFC 9562): made from the journey and the number of the event in it.
fn event_id(w: &mut Vec<u8>, journey: u64, number: usize) -> io::Result<()> {
    write!(
        w,
        "{:08x}-{:04x}-8{:03x}-8000-{:012x}",
        journey >> 32,
        (journey >> 16) & 0xffff,
        (journey >> 4) & 0xfff,
        ((journey & 0xf) << 44) | u64::try_from(number).unwrap_or(0)
    )
}

/// RFC 3339, to the second, with the offset that is in force there then.
fn date_time(w: &mut Vec<u8>, ms: i64, zone: &TimeZone) -> io::Result<()> {
    let at = Timestamp::from_millisecond(ms).unwrap_or_default();
    let offset = zone.to_offset(at);
    let local = offset.to_datetime(at);
    write!(
        w,
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}",
        local.year(),
        local.month(),
        local.day(),
        local.hour(),
        local.minute(),
        local.second()
    )?;
    if offset == Offset::UTC {
        return w.write_all(b"Z");
    }
    let minutes = offset.seconds() / 60;
    let sign = if minutes < 0 { '-' } else { '+' };
    write!(w, "{sign}{:02}:{:02}", minutes.abs() / 60, minutes.abs() % 60)
}
