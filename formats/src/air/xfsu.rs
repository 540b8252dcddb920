//! XFSU, the status message of Cargo-XML (`iata:statusmessage:1`): an air waybill, its reported
//! statuses, and the part of the consignment that each is about.
//!
//! The status is reached at its own time (`SpecifiedEvent`), of the kind that stands beside it (A
//! actual, E estimated, S scheduled); else, if the flight's departure or arrival is the status, at that.
//! A booking, a manifest and a preparation without a time of their own were made when the message
//! was, if it tells of nothing else. The time of a booking is the flight's, unless it is said to be
//! actual; where nothing tells when it was booked, that is noted on its flight. Departures and arrivals
//! of the flight that are stated besides are events of their own.
//! Times without an offset are local at the airport.
//!
//! Names are compared without their namespaces, which differ from version to version.

use roxmltree::Node;
use waybill_schemas::vocabulary::{Classifier, Milestone, Mode, NoteCode, ReferenceKind};
use waybill_schemas::{Customs, OccurrenceTime, Place, Reference, Transport};
use waybill_stage::{Code, Reject};

use super::codes::{self, STATUS};
use super::consignment::{Amounts, give_air_waybill, iata};
use super::element::is_flight;
use super::fsu::give_discrepancy;
use crate::codes::Meaning;
use crate::location::Location;
use crate::wrong::at;
use crate::xml::{at as element_at, child, children, text_at};
use crate::{Draft, Parts, limits, text, xml};

const DAY_MS: i64 = 24 * 3_600_000;

const STATUSES: &str = "/MasterConsignment/ReportedStatus";

/// Reads the statuses of the payload.
pub fn read(text: &str, parts: &mut Parts) -> Result<(), Reject> {
    let read = xml::read(text, |root| message(root, parts));
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
    /// Whether it tells of one status alone, or of bookings alone.
    alone: bool,
    odd: [Option<&'static str>; 2],
}

/// Elements that cannot be read, and that the event does not need.
type Odd = Vec<&'static str>;

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
    let sent = text_at(root, "MessageHeaderDocument/IssueDateTime");
    let issued = sent.and_then(super::date_time);
    let mut codes =
        children(consignment, "ReportedStatus").map(|status| text_at(status, "ReasonCode"));
    let first = codes.next().flatten();
    let is_booking = |code: Option<&str>| code.is_some_and(|c| c.eq_ignore_ascii_case("BKD"));
    let alone = codes.all(|code| is_booking(code) && is_booking(first));
    let (amounts, odd_amount) = amounts(consignment);
    let odd_issue = (sent.is_some() && issued.is_none()).then_some("/IssueDateTime");
    let odd = [odd_issue, odd_amount];
    let master = Master { waybill, amounts, issued, alone, odd };
    for (index, status) in children(consignment, "ReportedStatus").enumerate() {
        let at = Location::WHOLE.element(STATUSES, index);
        let mut shares = children(status, "AssociatedStatusConsignment").enumerate().peekable();
        if shares.peek().is_none() {
            add(parts, at, master.status(status, None))?;
        }
        for (n, share) in shares {
            let at = at.element("/AssociatedStatusConsignment", n);
            add(parts, at, master.status(status, Some(share)))?;
        }
    }
    if parts.is_empty() {
        return Err(Reject::new(Code::WrongStructure, "no status in it"));
    }
    Ok(())
}

fn add(parts: &mut Parts, at: Location, events: Result<Vec<Draft>, Reject>) -> Result<(), Reject> {
    let (drafts, reject) = match events {
        Ok(drafts) => (drafts, None),
        Err(reject) => (Vec::new(), Some(reject)),
    };
    for part in drafts.into_iter().map(Ok).chain(reject.map(Err)) {
        if parts.are_full() {
            let detail = format!("more than {} events", limits::EVENTS);
            return Err(Reject::new(Code::TooLarge, detail));
        }
        parts.push_at(at, part);
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
        let reason = child(status, "ReasonCode");
        let code = text_at(status, "ReasonCode").ok_or_else(|| code_at.missing())?;
        let code = code.to_ascii_uppercase();
        let code = code.as_str();
        if code.len() > limits::CODE {
            return Err(code_at.too_long(limits::CODE));
        }
        let movement = share.and_then(|s| child(s, "SpecifiedLogisticsTransportMovement"));
        let departs = matches!(code, "BKD" | "PRE" | "MAN" | "DEP");
        let mut times = Vec::new();
        let mut odd: Odd = self.odd.into_iter().flatten().collect();
        if let Some(movement) = movement {
            flight_times(movement, departs, code == "DEP", &mut times, &mut odd);
        }
        // Of a booking it is when the flight goes, if nothing says that it is when it was booked.
        let otherwise = if code == "BKD" { Classifier::Planned } else { Classifier::Actual };
        let own_at = "/SpecifiedEvent/OccurrenceDateTime";
        let mut own = movement.and_then(|m| child(m, "SpecifiedEvent")).and_then(|event| {
            let at = time_of(event, "OccurrenceDateTime", own_at, &mut odd);
            at.zip(Some(kind_of(event, "DateTimeTypeCode", otherwise, &mut odd)))
        });
        let place = movement.and_then(|m| location(m, departs));
        // Nobody books after the message that says so was made.
        let is_later = |at: OccurrenceTime| {
            self.issued.is_some_and(|i| at.wall_ms > i.wall_ms.saturating_add(DAY_MS))
        };
        if let Some((occurred, classifier)) = own
            && code == "BKD"
            && (classifier != Classifier::Actual || is_later(occurred))
        {
            let classifier = match classifier {
                Classifier::Actual => Classifier::Planned,
                classifier => classifier,
            };
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
        let common = Common { master: self, code, list: list_of(reason), share, movement };
        if let Some((at, classifier)) = own {
            let mut draft = common.draft(common.meaning(), at, classifier, place, &mut odd);
            common.give_own(&mut draft);
            drafts.push(draft);
        }
        for time in times {
            let meaning = Meaning { milestone: time.milestone, exception: None };
            let (at, classifier, place) = (time.at, time.classifier, time.place);
            drafts.push(common.draft(Some(meaning), at, classifier, place, &mut odd));
        }
        if drafts.is_empty() {
            // Of the times that there are, none can be read.
            let unreadable = odd.iter().find(|path| path.ends_with("OccurrenceDateTime"));
            return Err(match unreadable {
                Some(path) => at(path).invalid_time(),
                None => at(own_at).missing(),
            });
        }
        for draft in &mut drafts {
            for about in &odd {
                draft.note_about(NoteCode::OddField, *about);
            }
            if code == "BKD" && own.is_none() {
                draft.note_about(NoteCode::MissingField, own_at);
            }
        }
        Ok(drafts)
    }
}

fn time_of(
    event: Node<'_, '_>,
    name: &str,
    path: &'static str,
    odd: &mut Odd,
) -> Option<OccurrenceTime> {
    let read = super::date_time_or_day(text_at(event, name)?);
    if read.is_none_or(|(_, is_odd)| is_odd) {
        odd.push(path);
    }
    read.map(|(at, _)| at)
}

/// The kind of time: as stated, or what it is where nothing is.
fn kind_of(event: Node<'_, '_>, name: &str, otherwise: Classifier, odd: &mut Odd) -> Classifier {
    let sent = text_at(event, name);
    let kind = sent.and_then(codes::time_type);
    if sent.is_some() && kind.is_none() {
        odd.push("/DateTimeTypeCode");
    }
    kind.unwrap_or(otherwise)
}

/// The list that a code says it is of, if that is not IATA's.
fn list_of(code: Option<Node<'_, '_>>) -> Option<String> {
    let said = |names: [&str; 2]| names.iter().find_map(|name| code?.attribute(*name));
    let agency = said(["listAgencyName", "listAgencyID"])?.trim();
    // 3 is IATA in UN/EDIFACT 3055, and 1 is what its own samples have.
    let is_iata = matches!(agency, "" | "1" | "3") || agency.to_ascii_uppercase().contains("IATA");
    let name = match agency {
        "87" | "21" => "CARRIER",
        "86" => "SENDER",
        "ZZZ" => "MUTUAL",
        agency => agency,
    };
    if is_iata { None } else { text::clipped(name, limits::CODE) }
}

/// The departure and the arrival of the flight. Where nothing says of what kind a time is, it is the
/// plan, unless the status itself is past it.
fn flight_times<'a>(
    movement: Node<'a, '_>,
    departs: bool,
    departed: bool,
    times: &mut Vec<FlightTime<'a>>,
    odd: &mut Odd,
) {
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
        let Some(at) = time_of(event, time, path, odd) else { continue };
        let classifier = kind_of(event, kind, otherwise, odd);
        let leaving = milestone == Milestone::Departed;
        let place = text_at(event, location_id).or_else(|| location_of_kind(movement, leaving));
        // A wall clock without a place is no time.
        if place.is_some() || at.offset_minutes.is_some() {
            times.push(FlightTime { milestone, classifier, at, place });
        }
    }
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

struct Common<'m, 'a> {
    master: &'m Master<'a>,
    code: &'m str,
    /// Where it is not IATA's.
    list: Option<String>,
    share: Option<Node<'m, 'm>>,
    movement: Option<Node<'m, 'm>>,
}

impl Common<'_, '_> {
    fn meaning(&self) -> Option<Meaning> {
        if self.list.is_some() { None } else { STATUS.find(self.code) }
    }

    fn draft(
        &self,
        meaning: Option<Meaning>,
        occurred: OccurrenceTime,
        classifier: Classifier,
        place: Option<&str>,
        odd: &mut Odd,
    ) -> Draft {
        let list = self.list.as_deref().unwrap_or(STATUS.prefix);
        let mut draft = Draft::of_code(list, self.code, meaning, occurred);
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
        let own = self.share.map(amounts);
        odd.extend(own.and_then(|(_, odd)| odd));
        let own = own.map(|(amounts, _)| amounts).filter(|amounts| !amounts.is_empty());
        own.unwrap_or(self.master.amounts).give_to(&mut draft);
        let Some(share) = self.share else { return draft };
        // Not sought among the others: there may be a thousand.
        let mut add = |kind, value| draft.references.push(Reference { kind, value });
        let houses = children(share, "IncludedHouseConsignment").take(limits::LIST);
        for house in houses.filter_map(|h| text_at(h, "TransportContractDocument/ID")) {
            if house.len() > limits::ID {
                odd.push("/IncludedHouseConsignment/TransportContractDocument/ID");
                continue;
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
        draft
    }

    /// What is said of the status alone, and not of its flight.
    fn give_own(&self, draft: &mut Draft) {
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

/// What can be read of them, and which cannot.
fn amounts(consignment: Node<'_, '_>) -> (Amounts, Option<&'static str>) {
    let mut odd = None;
    let pieces = number(consignment, "PieceQuantity")
        .or_else(|| number(consignment, "TotalPieceQuantity"))
        .transpose()
        .unwrap_or_else(|()| {
            odd = Some("/PieceQuantity");
            None
        });
    let mut measure = |names: [&'static str; 2], path: &'static str| {
        let found = names.iter().find_map(|name| element_at(consignment, name))?;
        let value = parsed(found.text()).transpose().unwrap_or_else(|()| {
            odd = odd.or(Some(path));
            None
        });
        // A measure without a unit, or with one unknown, measures nothing.
        value.zip(found.attribute("unitCode").and_then(codes::unit))
    };
    let weight = measure(["GrossWeightMeasure", "TotalGrossWeightMeasure"], "/GrossWeightMeasure");
    let volume = measure(["GrossVolumeMeasure", "TotalGrossVolumeMeasure"], "/GrossVolumeMeasure");
    (Amounts { pieces, weight, volume }, odd)
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
