//! XFSU, the status message of Cargo-XML (`iata:statusmessage:1`): an air waybill, its reported
//! statuses, and the part of the consignment that each is about.
//!
//! The status is reached at its own time (`SpecifiedEvent`), of the kind that stands beside it (A
//! actual, E estimated, S scheduled); else, if the flight's departure or arrival is the status, at that.
//! A booking, a manifest and a preparation without a time of their own were made when the message
//! was, if it tells of nothing else. Departures and arrivals of the flight that are stated besides are events of their own.
//! Times without an offset are local at the airport.
//!
//! Names are compared without their namespaces, which differ from version to version.

use roxmltree::Node;
use waybill_schemas::vocabulary::{Classifier, Milestone, Mode, ReferenceKind};
use waybill_schemas::{Customs, OccurrenceTime, Place, Reference, Transport};
use waybill_stage::{Code, Reject};

use super::codes::{self, STATUS};
use super::consignment::{Amounts, give_air_waybill, iata};
use super::element::is_flight;
use super::fsu::give_discrepancy;
use crate::codes::Meaning;
use crate::parts::Whence;
use crate::wrong::at;
use crate::xml::{at as element_at, child, children, text_at};
use crate::{Draft, Parts, limits, text, xml};

const STATUSES: &str = "/MasterConsignment/ReportedStatus";

/// Reads the statuses of the payload.
pub fn read(payload: &[u8], parts: &mut Parts) -> Result<(), Reject> {
    let read = xml::read(payload, |root| message(root, parts));
    if read.is_err() {
        parts.clear();
    }
    read
}

/// What the statuses have in common.
#[derive(Clone, Copy, Debug)]
struct Master<'a> {
    waybill: &'a str,
    /// Of the whole consignment: of a status that does not state its own.
    amounts: Amounts,
    /// When the message was made.
    issued: Option<OccurrenceTime>,
    /// Whether it tells of one status alone.
    alone: bool,
}

fn message(root: Node<'_, '_>, parts: &mut Parts) -> Result<(), Reject> {
    match root.tag_name().name() {
        // The second is what a binding of the schema writes that lost the element's name.
        "StatusMessage" | "statusMessageType" => {}
        "Response" => {
            let detail = "an error answer (XFNM): it tells of no event";
            return Err(Reject::new(Code::CarrierError, detail));
        }
        _ => return Err(Reject::new(Code::WrongStructure, "expected a StatusMessage")),
    }
    let consignment = child(root, "MasterConsignment")
        .ok_or_else(|| Reject::new(Code::WrongStructure, "expected a MasterConsignment"))?;
    let id = at("/MasterConsignment/TransportContractDocument/ID");
    let waybill = text_at(consignment, "TransportContractDocument/ID")
        .or_else(|| text_at(root, "BusinessHeaderDocument/ID"))
        .ok_or_else(|| id.missing())?;
    if waybill.len() > limits::ID {
        return Err(id.too_long(limits::ID));
    }
    let issued = match text_at(root, "MessageHeaderDocument/IssueDateTime") {
        Some(sent) => {
            let issued = at("/MessageHeaderDocument/IssueDateTime");
            Some(super::date_time(sent).ok_or_else(|| issued.invalid_time())?)
        }
        None => None,
    };
    let alone = children(consignment, "ReportedStatus").nth(1).is_none();
    let master = Master { waybill, amounts: amounts(consignment)?, issued, alone };
    for (index, status) in children(consignment, "ReportedStatus").enumerate() {
        let mut shares = children(status, "AssociatedStatusConsignment").enumerate().peekable();
        if shares.peek().is_none() {
            add(parts, Whence::Element(STATUSES, index), master.status(status, None))?;
        }
        for (n, share) in shares {
            let whence = Whence::Nested(STATUSES, index, "/AssociatedStatusConsignment", n);
            add(parts, whence, master.status(status, Some(share)))?;
        }
    }
    if parts.is_empty() {
        return Err(Reject::new(Code::WrongStructure, "no status in it"));
    }
    Ok(())
}

fn add(
    parts: &mut Parts,
    whence: Whence,
    events: Result<Vec<Draft>, Reject>,
) -> Result<(), Reject> {
    let (drafts, reject) = match events {
        Ok(drafts) => (drafts, None),
        Err(reject) => (Vec::new(), Some(reject)),
    };
    for part in drafts.into_iter().map(Ok).chain(reject.map(Err)) {
        if parts.are_full() {
            let detail = format!("more than {} events", limits::EVENTS);
            return Err(Reject::new(Code::TooLarge, detail));
        }
        parts.push_at(whence, part);
    }
    Ok(())
}

/// A time of the flight, and of what kind it is.
#[derive(Clone, Copy, Debug)]
struct FlightTime<'a> {
    milestone: Milestone,
    classifier: Classifier,
    at: OccurrenceTime,
    place: Option<&'a str>,
}

impl Master<'_> {
    fn status(
        &self,
        status: Node<'_, '_>,
        share: Option<Node<'_, '_>>,
    ) -> Result<Vec<Draft>, Reject> {
        let code_at = at("/ReasonCode");
        let code = text_at(status, "ReasonCode").ok_or_else(|| code_at.missing())?;
        if code.len() > limits::CODE {
            return Err(code_at.too_long(limits::CODE));
        }
        let movement = share.and_then(|s| child(s, "SpecifiedLogisticsTransportMovement"));
        let departs = matches!(code, "BKD" | "PRE" | "MAN" | "DEP");
        let mut times = Vec::new();
        if let Some(movement) = movement {
            flight_times(movement, departs, code == "DEP", &mut times)?;
        }
        let mut own = match movement.and_then(|m| child(m, "SpecifiedEvent")) {
            Some(event) => {
                let at =
                    time_of(event, "OccurrenceDateTime", "/SpecifiedEvent/OccurrenceDateTime")?;
                at.zip(Some(kind_of(event, "DateTimeTypeCode", Classifier::Actual)?))
            }
            None => None,
        };
        let place = movement.and_then(|m| location(m, departs));
        if let Some((occurred, classifier)) = own
            && code == "BKD"
            && classifier != Classifier::Actual
        {
            // When the flight goes, and not when it was booked.
            own = None;
            let milestone = Milestone::Departed;
            times.insert(0, FlightTime { milestone, classifier, at: occurred, place });
        }
        let of_flight = match code {
            "DEP" => Some(Milestone::Departed),
            "ARR" => Some(Milestone::Arrived),
            _ => None,
        };
        let mut place = place;
        if own.is_none()
            && let Some(found) = times.iter().position(|t| Some(t.milestone) == of_flight)
        {
            let time = times.remove(found);
            own = Some((time.at, time.classifier));
            place = time.place.or(place);
        }
        if own.is_none() && matches!(code, "BKD" | "PRE" | "MAN") {
            own = self.issued.filter(|_| self.alone).map(|at| (at, Classifier::Actual));
        }
        let mut drafts = Vec::with_capacity(1 + times.len());
        let common = Common { master: self, code, share, movement };
        if let Some((at, classifier)) = own {
            let mut draft = common.draft(STATUS.find(code), at, classifier, place)?;
            common.give_own(&mut draft);
            drafts.push(draft);
        }
        for time in times {
            let meaning = Meaning { milestone: time.milestone, exception: None };
            drafts.push(common.draft(Some(meaning), time.at, time.classifier, time.place)?);
        }
        if drafts.is_empty() {
            return Err(at("/SpecifiedEvent/OccurrenceDateTime").missing());
        }
        Ok(drafts)
    }
}

fn time_of(
    event: Node<'_, '_>,
    name: &str,
    path: &'static str,
) -> Result<Option<OccurrenceTime>, Reject> {
    match text_at(event, name) {
        Some(sent) => super::date_time(sent).map(Some).ok_or_else(|| at(path).invalid_time()),
        None => Ok(None),
    }
}

/// The kind of time: as stated, or what it is where nothing is.
fn kind_of(event: Node<'_, '_>, name: &str, otherwise: Classifier) -> Result<Classifier, Reject> {
    match text_at(event, name) {
        Some(sent) => codes::time_type(sent)
            .ok_or_else(|| at("/DateTimeTypeCode").unknown_code("date-time type code, A, E or S")),
        None => Ok(otherwise),
    }
}

/// The departure and the arrival of the flight. Where nothing says of what kind a time is, it is the
/// plan, unless the status itself is past it.
fn flight_times<'a>(
    movement: Node<'a, '_>,
    departs: bool,
    departed: bool,
    times: &mut Vec<FlightTime<'a>>,
) -> Result<(), Reject> {
    let past = |is: bool| if is { Classifier::Actual } else { Classifier::Planned };
    let known = [
        (
            "DepartureEvent",
            "DepartureOccurrenceDateTime",
            "DepartureDateTimeTypeCode",
            "OccurrenceDepartureLocation/ID",
            Milestone::Departed,
            past(departed || !departs),
            "/DepartureEvent/DepartureOccurrenceDateTime",
        ),
        (
            "ArrivalEvent",
            "ArrivalOccurrenceDateTime",
            "ArrivalDateTimeTypeCode",
            "OccurrenceArrivalLocation/ID",
            Milestone::Arrived,
            past(!departs),
            "/ArrivalEvent/ArrivalOccurrenceDateTime",
        ),
        (
            "ScheduledArrivalEvent",
            "ScheduledOccurrenceDateTime",
            "",
            "OccurrenceArrivalLocation/ID",
            Milestone::Arrived,
            Classifier::Planned,
            "/ScheduledArrivalEvent/ScheduledOccurrenceDateTime",
        ),
    ];
    for (event, time, kind, location_id, milestone, otherwise, path) in known {
        let Some(event) = child(movement, event) else { continue };
        let Some(at) = time_of(event, time, path)? else { continue };
        let classifier = kind_of(event, kind, otherwise)?;
        let leaving = milestone == Milestone::Departed;
        let place = text_at(event, location_id).or_else(|| location_of_kind(movement, leaving));
        // A wall clock without a place is no time.
        if place.is_some() || at.offset_minutes.is_some() {
            times.push(FlightTime { milestone, classifier, at, place });
        }
    }
    Ok(())
}

/// The airport of the status: of several the one that the flight departs from, or arrives at.
fn location<'a>(movement: Node<'a, '_>, departs: bool) -> Option<&'a str> {
    location_of_kind(movement, departs)
        .or_else(|| text_at(movement, "SpecifiedLocation/ID"))
        .or_else(|| match departs {
            true => text_at(movement, "DepartureEvent/OccurrenceDepartureLocation/ID"),
            false => text_at(movement, "ArrivalEvent/OccurrenceArrivalLocation/ID"),
        })
}

fn location_of_kind<'a>(movement: Node<'a, '_>, departs: bool) -> Option<&'a str> {
    let kind = if departs { "Departure" } else { "Arrival" };
    children(movement, "SpecifiedLocation")
        .find(|l| text_at(*l, "FlightStatusTypeCode").is_some_and(|k| k.eq_ignore_ascii_case(kind)))
        .and_then(|l| text_at(l, "ID"))
}

#[derive(Clone, Copy)]
struct Common<'m, 'a> {
    master: &'m Master<'a>,
    code: &'m str,
    share: Option<Node<'m, 'm>>,
    movement: Option<Node<'m, 'm>>,
}

impl Common<'_, '_> {
    fn draft(
        self,
        meaning: Option<Meaning>,
        occurred: OccurrenceTime,
        classifier: Classifier,
        place: Option<&str>,
    ) -> Result<Draft, Reject> {
        let mut draft = Draft::of_code(STATUS.prefix, self.code, meaning, occurred);
        draft.classifier = classifier;
        let issued = self.master.issued.filter(|issued| issued.offset_minutes.is_some());
        draft.created_at = issued.map(|issued| issued.utc_or_wall_ms());
        let waybill = self.master.waybill;
        match waybill.split_at_checked(3) {
            Some((prefix, serial)) if waybill.len() == 11 => {
                give_air_waybill(&[prefix, "-", serial].concat(), &mut draft);
            }
            _ => give_air_waybill(waybill, &mut draft),
        }
        let iata = place.and_then(iata);
        draft.place = match (iata, place) {
            (Some(iata), _) => Some(Place { iata: Some(iata), ..Place::default() }),
            (None, Some(code)) => text::clipped(code, limits::CODE)
                .map(|name| Place { name: Some(name), ..Place::default() }),
            (None, None) => None,
        };
        let flight = self.movement.and_then(flight);
        draft.transport = Some(Transport { mode: Some(Mode::Air), flight, ..Transport::default() });
        let own = self.share.map(amounts).transpose()?.filter(|amounts| !amounts.is_empty());
        own.unwrap_or(self.master.amounts).give_to(&mut draft);
        let Some(share) = self.share else { return Ok(draft) };
        // Not sought among the others: there may be a thousand.
        let mut add = |kind, value| draft.references.push(Reference { kind, value });
        let houses = children(share, "IncludedHouseConsignment").take(limits::LIST);
        for house in houses.filter_map(|h| text_at(h, "TransportContractDocument/ID")) {
            if house.len() > limits::ID {
                return Err(at("/IncludedHouseConsignment/TransportContractDocument/ID")
                    .too_long(limits::ID));
            }
            add(ReferenceKind::HouseAirWaybill, house.to_owned());
        }
        for unit in children(share, "UtilizedUnitLoadTransportEquipment").take(limits::LIST) {
            // Type, serial number and owner: `PMC72534QR`.
            let parts = ["CharacteristicCode", "ID", "OperatingParty/PrimaryID"];
            let number: String = parts.iter().filter_map(|part| text_at(unit, part)).collect();
            if !number.is_empty() && number.len() <= limits::CODE {
                add(ReferenceKind::CarrierEquipment, number);
            }
        }
        Ok(draft)
    }

    /// What is said of the status alone, and not of its flight.
    fn give_own(self, draft: &mut Draft) {
        let own = |path: &str| self.share.and_then(|share| text_at(share, path));
        if self.code == "DIS" {
            let code = own("DiscrepancyDescriptionCode").filter(|code| code.len() <= limits::CODE);
            give_discrepancy(code, draft);
        }
        if matches!(self.code, "CCD" | "CRC" | "TGC") {
            let procedure = own("AssociatedConsignmentCustomsProcedure/GoodsStatusCode");
            let procedure = procedure.and_then(|p| text::clipped(p, limits::CODE));
            draft.customs = Some(Customs { procedure, status: Some(self.code.to_owned()) });
        }
        let parties = [
            "NotifiedParty/Name",
            "DeliveryParty/Name",
            "AssociatedReceivedFromParty/Name",
            "AssociatedTransferredFromParty/Name",
        ];
        let parties = parties.iter().filter_map(|path| own(path));
        let said = self.share.into_iter().flat_map(|share| {
            children(share, "HandlingOSIInstructions").filter_map(|osi| text_at(osi, "Description"))
        });
        let said: Vec<&str> = parties.chain(said).take(limits::LIST).collect();
        draft.remark = text::clipped(&said.join("; "), limits::REMARK);
    }
}

/// Carrier and number, which may stand apart.
fn flight(movement: Node<'_, '_>) -> Option<String> {
    let id = text_at(movement, "ID")?;
    if is_flight(id) {
        return Some(id.to_owned());
    }
    let carrier = text_at(movement, "CarrierParty/PrimaryID")?;
    Some([carrier, id].concat()).filter(|flight| is_flight(flight))
}

fn amounts(consignment: Node<'_, '_>) -> Result<Amounts, Reject> {
    let pieces = at("/PieceQuantity");
    let pieces = number(consignment, "PieceQuantity")
        .or_else(|| number(consignment, "TotalPieceQuantity"))
        .transpose()
        .map_err(|()| pieces.invalid("a number"))?;
    let measure = |names: [&'static str; 2], path: &'static str| {
        let Some(found) = names.iter().find_map(|name| element_at(consignment, name)) else {
            return Ok(None);
        };
        let value = parsed(found.text()).transpose().map_err(|()| at(path).invalid("a number"))?;
        // A measure without a unit, or with one unknown, measures nothing.
        Ok(value.zip(found.attribute("unitCode").and_then(codes::unit)))
    };
    let weight = measure(["GrossWeightMeasure", "TotalGrossWeightMeasure"], "/GrossWeightMeasure")?;
    let volume = measure(["GrossVolumeMeasure", "TotalGrossVolumeMeasure"], "/GrossVolumeMeasure")?;
    Ok(Amounts { pieces, weight, volume })
}

fn number(node: Node<'_, '_>, name: &str) -> Option<Result<f64, ()>> {
    parsed(Some(text_at(node, name)?))
}

fn parsed(text: Option<&str>) -> Option<Result<f64, ()>> {
    let text = text.map(str::trim).filter(|text| !text.is_empty())?;
    let number = text.parse::<f64>().ok().filter(|n| n.is_finite() && *n >= 0.0);
    Some(number.ok_or(()))
}

pub(crate) fn looks_like(text: &str) -> bool {
    text.contains("iata:statusmessage") && text.contains("ReportedStatus")
}
