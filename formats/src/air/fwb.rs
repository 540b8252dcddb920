//! FWB, the data of an air waybill: that it was issued (line ISU: date, place, signature), and the
//! flights that its consignment is booked on (FLT, with the routing RTG), which are planned
//! departures.
//!
//! A flight is stated by the day of its month alone: it is the one nearest to the date of issue, or,
//! without that, to the receipt. Both dates are days, so that the events are at 00:00 of them.

use waybill_schemas::vocabulary::{Classifier, Mode, NoteCode};
use waybill_schemas::{Place, Transport};
use waybill_stage::{Code, Reject};

use super::cargo_imp::{Message, push};
use super::consignment::{give_air_waybill, iata};
use super::element::{self, ANY_YEAR};
use super::fsu::Consignment;
use crate::codes::{CodeList, code_list};
use crate::{Draft, Parts, YearOpen, limits, text, time};

/// The lines of an FWB that tell of an event.
pub static LINES: CodeList =
    code_list!("cargo-imp-fwb-lines", "FWB", "Cargo-IMP FWB line identifiers");

/// Flights that one air waybill may be booked on; the standard has two.
const FLIGHTS: usize = 20;

/// Adds what an FWB tells of to `parts`.
pub(super) fn read(message: &Message<'_>, parts: &mut Parts) -> Result<(), Reject> {
    let mut lines = message.lines.iter();
    let Some((_, first)) = lines.next() else {
        return Err(Reject::new(Code::WrongStructure, "no consignment line"));
    };
    let consignment = Consignment::read(first)?;
    let (mut issued, mut flights, mut routing) = (None, None, None);
    for &(number, line) in lines {
        match line.split_once('/') {
            Some(("ISU", rest)) => _ = issued.get_or_insert((number, rest)),
            Some(("FLT", rest)) => _ = flights.get_or_insert((number, rest)),
            Some(("RTG", rest)) => _ = routing.get_or_insert(rest),
            _ => {}
        }
    }
    let mut issued_at = None;
    match issued {
        Some((number, rest)) => {
            let issue = issue(&consignment, rest);
            issued_at = issue.as_ref().ok().map(|draft| draft.occurred.wall_ms);
            push(parts, number, issue)?;
        }
        // The flights are known without it.
        None if flights.is_some() => {}
        None => {
            let detail = "no line ISU, which says when it was issued";
            push(parts, message.line, Err(Reject::new(Code::MissingField, detail)))?;
        }
    }
    let Some((number, flights)) = flights else { return Ok(()) };
    // `RTG/LAXBA/JFKAA`: where each flight goes to, and who flies. The next goes from there.
    let origin = consignment.route.map(|(origin, _)| origin);
    let stops = routing.into_iter().flat_map(|r| r.split('/')).map(|stop| stop.get(..3));
    let from = std::iter::once(origin).chain(stops).chain(std::iter::repeat(None));
    let mut elements = flights.split('/').map(str::trim).take(2 * FLIGHTS);
    for place in from {
        let (Some(flight), day) = (elements.next(), elements.next()) else { break };
        let mut departure = departure(&consignment, flight, day, place);
        match (&mut departure, issued_at) {
            (Ok(draft), Some(issued_at)) => draft.resolve_year(issued_at),
            (Ok(draft), None) => draft.note_about(NoteCode::MissingField, "ISU"),
            (Err(_), _) => {}
        }
        push(parts, number, departure)?;
    }
    Ok(())
}

fn issue(consignment: &Consignment<'_>, line: &str) -> Result<Draft, Reject> {
    let mut elements = line.split('/').map(str::trim);
    let occurred = elements.next().and_then(element::full_date).ok_or_else(|| {
        Reject::new(Code::InvalidTime, "ISU: expected a day, a month and a year, 16OCT23")
    })?;
    let mut draft = Draft::of_code(LINES.prefix, "ISU", LINES.find("ISU"), occurred);
    let place = elements.next().unwrap_or_default();
    // The place is a name, or the code of one; the signature is nobody's business here.
    draft.place = match iata(place) {
        Some(iata) => Some(Place { iata: Some(iata), ..Place::default() }),
        None => text::clipped(place, limits::NAME)
            .map(|name| Place { name: Some(name), ..Place::default() }),
    };
    give_common(consignment, None, &mut draft);
    Ok(draft)
}

fn departure(
    consignment: &Consignment<'_>,
    flight: &str,
    day: Option<&str>,
    from: Option<&str>,
) -> Result<Draft, Reject> {
    if !element::is_flight(flight) {
        return Err(Reject::new(Code::InvalidField, "FLT: expected a flight, LH400"));
    }
    let day = day.filter(|day| day.len() == 2).and_then(time::number);
    let occurred = day
        .and_then(|day| time::day((ANY_YEAR, 1, day)))
        .ok_or_else(|| Reject::new(Code::InvalidTime, "FLT: expected a day of the month"))?;
    let mut draft = Draft::of_code(LINES.prefix, "FLT", LINES.find("FLT"), occurred);
    draft.classifier = Classifier::Planned;
    draft.year_open = Some(YearOpen { month_too: true, then_days: 0 });
    draft.place = from.and_then(iata).map(|iata| Place { iata: Some(iata), ..Place::default() });
    give_common(consignment, Some(flight), &mut draft);
    Ok(draft)
}

fn give_common(consignment: &Consignment<'_>, flight: Option<&str>, draft: &mut Draft) {
    give_air_waybill(consignment.number, draft);
    draft.transport = Some(Transport {
        mode: Some(Mode::Air),
        flight: flight.map(str::to_owned),
        ..Transport::default()
    });
    consignment.amounts.give_to(draft);
    if let Some(about) = consignment.odd {
        draft.note_about(NoteCode::OddField, about);
    }
}
