//! FSU, the status of a consignment, and FSA, the answer to who asked for it: a consignment line and
//! one line for each status, with lines about units (ULD), customs (OCI) and service (OSI) behind it.
//!
//! What a line tells:
//! - Its status, at its own date and time. A line with a date alone means 00:00 of that day.
//! - The date of `BKD`, `MAN` and `PRE` is that of the flight, and not when the consignment was
//!   booked, manifested or prepared. If the envelope says when the message was sent, that is when
//!   (not in FSA, which answers later, nor where several kinds of status are told at once). Without it
//!   `MAN` and `PRE` take the flight's date; a booking may be weeks older than its flight, so that
//!   `BKD` then tells only of the planned flight, with a note.
//! - A quantity, an airport or a time of day that cannot be read is left out, with a note.
//! - A departure or an arrival at each time that says which of them it is and where: planned (S),
//!   estimated (E) or actual (A). The first time of a line is the departure's, the second the
//!   arrival's; one alone with one airport is that airport's.
//! - The time of the flight's own event is that of `DEP` and `ARR`: `A` says when it was, and an
//!   `ARR` that states an `E` alone is an estimate.

use waybill_identifiers::air_waybill;
use waybill_schemas::vocabulary::{
    Classifier, ExceptionKind, Milestone, Mode, NoteCode, ReferenceKind, TimePrecision,
};
use waybill_schemas::{Customs, OccurrenceTime, Place, Reference, Transport};
use waybill_stage::{Code, Reject};

use super::cargo_imp::{Envelope, Message, push};
use super::codes::{self, DISCREPANCY, STATUS};
use super::consignment::{Amounts, give_air_waybill};
use super::element::{self, ANY_YEAR, ClockTime, DayTime};
use crate::codes::Meaning;
use crate::{Draft, Parts, YearOpen, limits, text, time};

/// The consignment line: `157-53806270HKGNLU/P2K505.0T10`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Consignment<'t> {
    pub number: &'t str,
    pub route: Option<(&'t str, &'t str)>,
    pub amounts: Amounts,
    /// What of the line cannot be read.
    pub odd: Option<&'static str>,
}

impl<'t> Consignment<'t> {
    pub fn read(line: &'t str) -> Result<Self, Reject> {
        let invalid = |expected: &str| {
            let detail = format!("consignment line: expected {expected}");
            Reject::new(Code::WrongStructure, detail)
        };
        let (number, rest) = line
            .split_at_checked(12)
            .filter(|(number, _)| air_waybill::has_form(number))
            .ok_or_else(|| invalid("an air waybill number, 020-12345675"))?;
        let (route, quantity) = rest.split_once('/').unwrap_or((rest, ""));
        let (route, quantity) = (route.trim(), quantity.trim());
        let mut odd = None;
        let route = match element::airports(route) {
            Some((origin, Some(destination))) => Some((origin, destination)),
            _ if route.is_empty() => None,
            _ => {
                odd = Some("airports of the consignment");
                None
            }
        };
        let amounts = element::quantity(quantity).unwrap_or_else(|| {
            odd = odd.or(Some("quantity of the consignment"));
            Amounts::default()
        });
        Ok(Self { number, route, amounts, odd })
    }
}

/// A status line and those behind it that belong to it.
#[derive(Debug, Default)]
struct Status<'t> {
    line: usize,
    code: &'t str,
    elements: Vec<&'t str>,
    units: Vec<&'t str>,
    /// Of OSI and OCI lines.
    more: Vec<(&'static str, &'t str)>,
    too_many: bool,
}

/// When the message was sent, where that is when its status was reached.
#[derive(Clone, Copy, Debug)]
struct Sent {
    envelope: Envelope,
    /// By the interchange, to the minute.
    dated: Option<OccurrenceTime>,
}

/// What a line that begins with `/` goes on with.
#[derive(Clone, Copy, Debug)]
enum Of {
    Status,
    Units,
    More(&'static str),
}

/// Adds the events of an FSU (`sent_at_once`) or an FSA to `parts`.
pub(super) fn read(
    message: &Message<'_>,
    sent_at_once: bool,
    parts: &mut Parts,
) -> Result<(), Reject> {
    let mut lines = message.lines.iter();
    let Some((_, first)) = lines.next() else {
        return Err(Reject::new(Code::WrongStructure, "no consignment line"));
    };
    let consignment = Consignment::read(first)?;
    let mut envelope = message.envelope;
    let mut told = message.lines.iter().skip(1).map(|line| line.1).filter(|l| begins_status(l));
    let is_booking = |line: &str| line.starts_with("BKD");
    let first_told = told.next();
    let alone = told.all(|line| is_booking(line) && first_told.is_some_and(is_booking));
    let at_once = sent_at_once && alone;
    envelope.sent = envelope.sent.filter(|_| at_once);
    let by_interchange = envelope.dated.filter(|at| at.precision != TimePrecision::Day);
    let sent = Sent { envelope, dated: by_interchange.filter(|_| at_once) };
    let before = parts.len();
    let mut status: Option<Status<'_>> = None;
    let mut of = Of::Status;
    for &(number, line) in lines {
        if let Some(rest) = line.strip_prefix('/') {
            match &mut status {
                Some(status) => status.add(of, rest),
                None => push(parts, number, Err(misplaced()))?,
            }
            continue;
        }
        let (code, rest) = line.split_once('/').unwrap_or((line, ""));
        of = what_follows(code);
        if matches!(of, Of::Status) {
            end_status(&mut status, &consignment, sent, parts)?;
            if !matches!(code.as_bytes(), [b'A'..=b'Z', b'A'..=b'Z', b'A'..=b'Z']) {
                let detail = "expected a status line, a code of three letters and its elements";
                push(parts, number, Err(Reject::new(Code::WrongStructure, detail)))?;
                continue;
            }
            status = Some(Status { line: number, code, ..Status::default() });
        }
        match &mut status {
            Some(status) => status.add(of, rest),
            None => push(parts, number, Err(misplaced()))?,
        }
    }
    end_status(&mut status, &consignment, sent, parts)?;
    if parts.len() == before {
        return Err(Reject::new(Code::WrongStructure, "no status in it"));
    }
    Ok(())
}

fn what_follows(identifier: &str) -> Of {
    match identifier {
        "ULD" => Of::Units,
        "OSI" => Of::More("OSI"),
        "OCI" => Of::More("OCI"),
        _ => Of::Status,
    }
}

fn begins_status(line: &str) -> bool {
    let code = line.split('/').next().unwrap_or_default();
    !code.is_empty() && matches!(what_follows(code), Of::Status)
}

fn misplaced() -> Reject {
    Reject::new(Code::WrongStructure, "stands behind no status line")
}

impl<'t> Status<'t> {
    fn add(&mut self, of: Of, rest: &'t str) {
        let list = match of {
            Of::Status => &mut self.elements,
            Of::Units => &mut self.units,
            Of::More(identifier) => {
                self.more.push((identifier, rest));
                self.too_many |= self.more.len() > limits::LIST;
                return;
            }
        };
        // One more than may be is enough to say so.
        list.extend(rest.split('/').map(str::trim).take(limits::LIST + 1));
        self.too_many |= list.len() > limits::LIST;
    }
}

fn end_status(
    status: &mut Option<Status<'_>>,
    consignment: &Consignment<'_>,
    sent: Sent,
    parts: &mut Parts,
) -> Result<(), Reject> {
    let Some(status) = status.take() else { return Ok(()) };
    match events(&status, consignment, sent) {
        Ok(drafts) => {
            for mut draft in drafts {
                if let Some(dated) = sent.envelope.dated {
                    draft.resolve_year(dated.wall_ms);
                }
                push(parts, status.line, Ok(draft))?;
            }
            Ok(())
        }
        Err(reject) => push(parts, status.line, Err(reject)),
    }
}

/// The elements of a status line by what they are.
#[derive(Debug, Default)]
struct Elements<'t> {
    flight: Option<&'t str>,
    /// Of a transfer: who gives or takes.
    carrier: Option<&'t str>,
    date: Option<DayTime>,
    airports: Option<(&'t str, Option<&'t str>)>,
    amounts: Option<Amounts>,
    discrepancy: Option<&'t str>,
    departure: Option<ClockTime>,
    arrival: Option<ClockTime>,
    texts: Vec<&'t str>,
    /// What cannot be read.
    odd: Vec<&'static str>,
}

impl<'t> Elements<'t> {
    /// The elements stand in one order in every status line, and each may be absent: what an
    /// element is, its form says, and what stood before it.
    fn read(status: &Status<'t>) -> Result<Self, Reject> {
        let mut read = Self::default();
        let mut times: [Option<ClockTime>; 2] = [None; 2];
        let mut slot = 0_usize;
        for element in &status.elements {
            let element = *element;
            let invalid = |code: Code, expected: &str| {
                Err(Reject::new(code, format!("status line: expected {expected}")))
            };
            if element.is_empty() {
                slot += usize::from(read.amounts.is_some());
            } else if read.date.is_none() && DayTime::is_meant(element) {
                match (DayTime::read(element), DayTime::day_alone(element)) {
                    (Some(date), _) => read.date = Some(date),
                    (None, Some(day)) => {
                        read.date = Some(day);
                        read.odd.push("time of day");
                    }
                    (None, None) => {
                        return invalid(Code::InvalidTime, "a day and a month, perhaps a time");
                    }
                }
            } else if read.date.is_none()
                && read.airports.is_none()
                && read.flight.is_none()
                && element::is_flight(element)
            {
                read.flight = Some(element);
            } else if read.airports.is_none()
                && read.carrier.is_none()
                && element::is_carrier(element)
            {
                read.carrier = Some(element);
            } else if read.airports.is_none() && element::airports(element).is_some() {
                read.airports = element::airports(element);
            } else if status.code == "DIS"
                && read.discrepancy.is_none()
                && element.len() == 4
                && element.bytes().all(|b| b.is_ascii_uppercase())
            {
                read.discrepancy = Some(element);
            } else if ClockTime::is_meant(element) {
                match ClockTime::read(element) {
                    Some(at) => {
                        if let Some(time) = times.get_mut(slot) {
                            *time = Some(at);
                        }
                        slot += 1;
                    }
                    None => {
                        read.odd.push("time of departure or arrival");
                        slot += 1;
                    }
                }
            } else if read.amounts.is_none() && element::is_meant_as_quantity(element) {
                match element::quantity(element) {
                    Some(amounts) => read.amounts = Some(amounts),
                    None => read.odd.push("quantity"),
                }
            } else if element::is_meant_as_volume(element) {
                match element::quantity(element) {
                    Some(amounts) => {
                        let all = read.amounts.get_or_insert_default();
                        all.volume = amounts.volume.or(all.volume);
                    }
                    None => read.odd.push("volume"),
                }
            } else {
                read.texts.push(element);
            }
        }
        let one_airport = read.airports.is_some_and(|(_, second)| second.is_none());
        [read.departure, read.arrival] = match times {
            [Some(only), None] if one_airport && is_of_arrival(status.code) => [None, Some(only)],
            times => times,
        };
        Ok(read)
    }
}

/// Whether the airport of the line is the one that the flight comes to.
fn is_of_arrival(code: &str) -> bool {
    matches!(code, "ARR" | "RCF" | "AWR" | "FIW" | "CRC" | "TGC")
}

/// Whether it is the one that the flight goes from.
fn is_of_departure(code: &str) -> bool {
    matches!(code, "BKD" | "PRE" | "MAN" | "DEP")
}

fn events(
    status: &Status<'_>,
    consignment: &Consignment<'_>,
    sent: Sent,
) -> Result<Vec<Draft>, Reject> {
    if status.too_many {
        let detail = format!("more than {} elements", limits::LIST);
        // Not `TooLarge`, which is the whole message's.
        return Err(Reject::new(Code::InvalidField, detail));
    }
    let read = Elements::read(status)?;
    let (from, to) = match read.airports {
        Some((from, Some(to))) => (Some(from), Some(to)),
        Some((only, None)) if is_of_arrival(status.code) => (None, Some(only)),
        Some((only, None)) if is_of_departure(status.code) => (Some(only), None),
        _ => (None, None),
    };
    let place = match read.airports {
        Some((_, Some(to))) if is_of_arrival(status.code) => Some(to),
        Some((first, _)) => Some(first),
        None => None,
    };
    let context = Context { status, consignment, read: &read };
    let mut drafts = Vec::with_capacity(3);
    let (mut departure, mut arrival) = (read.departure, read.arrival);
    if let Some((classifier, at)) = own_time(status, &read, sent, &mut departure, &mut arrival) {
        drafts.push(context.own(classifier, at, place));
    }
    let booked_when = !drafts.is_empty();
    if status.code == "BKD" && departure.is_none() && (read.flight.is_some() || !booked_when) {
        // Booked on a flight of that day.
        let at = read.date.and_then(|date| on(date, None));
        drafts
            .extend(at.map(|at| context.other(Milestone::Departed, Classifier::Planned, at, from)));
    }
    for (milestone, time, place) in
        [(Milestone::Departed, departure, from), (Milestone::Arrived, arrival, to)]
    {
        let Some((time, date)) = time.zip(read.date).filter(|_| place.is_some()) else { continue };
        let at = on(date, Some(time));
        drafts.extend(at.map(|at| context.other(milestone, time.classifier, at, place)));
    }
    if drafts.is_empty() {
        return Err(Reject::new(Code::MissingField, "status line: no date"));
    }
    for draft in &mut drafts {
        for about in consignment.odd.iter().chain(&read.odd) {
            draft.note_about(NoteCode::OddField, *about);
        }
        if status.code == "BKD" && !booked_when {
            draft.note_about(NoteCode::MissingField, "time of booking");
        }
    }
    Ok(drafts)
}

type When = (OccurrenceTime, Option<YearOpen>);

/// A date of the line, and what of it is not known.
fn on(date: DayTime, at: Option<ClockTime>) -> Option<When> {
    date.at(at).map(|(at, open)| (at, Some(open)))
}

/// When the status itself was reached, if the message tells. Takes the time of the flight that
/// says it away.
fn own_time(
    status: &Status<'_>,
    read: &Elements<'_>,
    sent: Sent,
    departure: &mut Option<ClockTime>,
    arrival: &mut Option<ClockTime>,
) -> Option<(Classifier, When)> {
    let sent = || {
        if let Some(at) = sent.dated {
            let at = OccurrenceTime { offset_minutes: Some(0), ..at };
            return Some((Classifier::Actual, (at, None)));
        }
        let (day, hour, minute) = sent.envelope.sent?;
        let at = time::minute((ANY_YEAR, 1, day), (hour, minute))?;
        let at = OccurrenceTime { offset_minutes: Some(0), ..at };
        let open = YearOpen { month_too: true, then_days: 0 };
        Some((Classifier::Actual, (at, Some(open))))
    };
    let Some(date) = read.date else { return sent() };
    let of_flight = read.flight.is_some();
    match status.code {
        // A day alone is the flight's, whether or not that is named.
        "BKD" if of_flight || !date.has_clock() => return sent(),
        "MAN" | "PRE" if of_flight && !date.has_clock() => {
            if let Some(sent) = sent() {
                return Some(sent);
            }
        }
        "DEP" => {
            if let Some(time) = departure.take_if(|t| t.classifier == Classifier::Actual) {
                return Some((Classifier::Actual, on(date, Some(time))?));
            }
        }
        "ARR" => {
            let tells = |t: &mut ClockTime| match t.classifier {
                Classifier::Actual => true,
                Classifier::Estimated => !date.has_clock(),
                Classifier::Planned => false,
            };
            if let Some(time) = arrival.take_if(tells) {
                return Some((time.classifier, on(date, Some(time))?));
            }
        }
        _ => {}
    }
    Some((Classifier::Actual, on(date, None)?))
}

#[derive(Clone, Copy, Debug)]
struct Context<'c, 't> {
    status: &'c Status<'t>,
    consignment: &'c Consignment<'t>,
    read: &'c Elements<'t>,
}

impl Context<'_, '_> {
    fn draft(self, meaning: Option<Meaning>, at: When, place: Option<&str>) -> Draft {
        let (occurred, open) = at;
        let mut draft = Draft::of_code(STATUS.prefix, self.status.code, meaning, occurred);
        draft.year_open = open;
        give_air_waybill(self.consignment.number, &mut draft);
        draft.place = place.map(|iata| Place { iata: Some(iata.to_owned()), ..Place::default() });
        draft.transport = Some(Transport {
            mode: Some(Mode::Air),
            flight: self.read.flight.map(str::to_owned),
            ..Transport::default()
        });
        self.read.amounts.unwrap_or(self.consignment.amounts).give_to(&mut draft);
        // Pushed and not sought among the others: there may be a thousand.
        let units = self.status.units.iter().filter(|u| !u.is_empty() && u.len() <= limits::ID);
        draft.references.extend(units.map(|unit| Reference {
            kind: ReferenceKind::CarrierEquipment,
            value: (*unit).to_owned(),
        }));
        draft
    }

    /// A departure or an arrival that the line tells of besides its status.
    fn other(
        self,
        milestone: Milestone,
        classifier: Classifier,
        at: When,
        place: Option<&str>,
    ) -> Draft {
        let meaning = Meaning { milestone, exception: None };
        Draft { classifier, ..self.draft(Some(meaning), at, place) }
    }

    /// The status itself.
    fn own(self, classifier: Classifier, at: When, place: Option<&str>) -> Draft {
        let code = self.status.code;
        let mut draft = Draft { classifier, ..self.draft(STATUS.find(code), at, place) };
        if code == "DIS" {
            give_discrepancy(self.read.discrepancy, &mut draft);
        }
        if matches!(code, "CCD" | "CRC" | "TGC") {
            draft.customs = Some(Customs { procedure: None, status: Some(code.to_owned()) });
        }
        let mut remark = String::new();
        let mut say = |identifier: &str, said: &str| {
            if remark.len() < 4 * limits::REMARK && !said.is_empty() {
                let between = if remark.is_empty() { "" } else { "; " };
                remark.extend([between, identifier, if identifier.is_empty() { "" } else { " " }]);
                remark.push_str(said);
            }
        };
        for said in self.read.carrier.iter().chain(&self.read.texts) {
            say("", said);
        }
        for (identifier, said) in &self.status.more {
            say(identifier, said);
            if *identifier == "OCI" {
                give_procedure(said, &mut draft);
            }
        }
        draft.remark = text::clipped(&remark, limits::REMARK);
        draft
    }
}

/// What went wrong, and what that says of where the cargo is.
pub(super) fn give_discrepancy(sent: Option<&str>, draft: &mut Draft) {
    let Some(sent) = sent else {
        draft.exception(ExceptionKind::Other, Some(draft.raw_code.clone()));
        return;
    };
    if let Some(milestone) = codes::discrepancy_milestone(sent) {
        draft.milestone = milestone;
    }
    if let Some(kind) = DISCREPANCY.find(sent) {
        draft.exception(kind, Some([DISCREPANCY.prefix, "/", sent].concat()));
    }
}

/// The information identifier of an OCI line that names a procedure: `OCI/US/IMP/…`.
fn give_procedure(oci: &str, draft: &mut Draft) {
    let procedure = oci.split('/').nth(1).filter(|p| matches!(*p, "IMP" | "EXP" | "TRA"));
    if let Some(procedure) = procedure {
        let customs = draft.customs.get_or_insert_default();
        customs.procedure.get_or_insert_with(|| procedure.to_owned());
    }
}
