//! CN's QuickTrace, as a spreadsheet: the latest sighting of each car, and in its ETA form also what is
//! expected of it, and where. Dates are without a year and times those of the place, whose zone a letter
//! of CN's names: the place tells it as well, and daylight saving with it.

use waybill_schemas::vocabulary::{Classifier, Mode, NoteCode};
use waybill_schemas::{Equipment, OccurrenceTime, Place, Transport};
use waybill_stage::Reject;

use super::{SIGHTINGS, unit};
use crate::parcel::package::some_place;
use crate::tree::{self, Columns, Out, Tree};
use crate::{Draft, Parts, YearOpen, limits, time};

pub const MEDIA_TYPE: &str = "text/vnd.cn.quicktrace+csv";

/// A file whose first line names its columns, in whatever order.
pub fn read(text: &str, parts: &mut Parts) -> Result<(), Reject> {
    tree::csv(text, parts, Columns { delimiter: b',', named: None }, rows)
}

pub(crate) fn looks_like(text: &str) -> bool {
    text.contains("Equipment Initials") && text.contains("Equipment Number")
}

fn rows(root: Tree<'_>, out: &mut Out<'_>) -> Result<(), Reject> {
    for row in root.each("") {
        out.package(row, |out| sighting(row, out));
    }
    Ok(())
}

fn sighting(row: Tree<'_>, out: &mut Out<'_>) -> Result<(), Reject> {
    if let Some(torn) = row.torn() {
        return Err(torn);
    }
    let unit = unit(row, ["Equipment Initials", "Equipment Number"])?;
    out.push(row, seen(row, &unit));
    if row.has("ETA Month") {
        out.push(row, expected(row, &unit));
    }
    Ok(())
}

fn seen(row: Tree<'_>, unit: &Equipment) -> Result<Draft, Reject> {
    let empty = match row.text("Load Empty") {
        Some("E" | "e") => Some(true),
        Some("L" | "l") => Some(false),
        _ => None,
    };
    let unit = Equipment { empty, ..unit.clone() };
    let mut draft = event(row, unit, "Event", ["Month", "Day", "Hour", "Minute"])?;
    let name = |path: &str| row.name(path);
    let (city, region) = (name("Location"), name("Location Province/State"));
    draft.place = some_place(Place { city, region, ..Place::default() });
    // With a bad order or a hold it is the reason, with a placement the track.
    let moves = row.text("Event").is_some_and(|code| "APDJRapdjr".contains(code));
    if let Some(transport) = draft.transport.as_mut().filter(|_| moves) {
        transport.vehicle = name("Train");
    } else {
        draft.remark = row.clipped("Train", limits::REMARK);
    }
    Ok(draft)
}

fn expected(row: Tree<'_>, unit: &Equipment) -> Result<Draft, Reject> {
    let mut draft =
        event(row, unit.clone(), "ETA Event", ["ETA Month", "ETA Day", "ETA Hour", "ETA Minute"])?;
    draft.classifier = Classifier::Estimated;
    let (city, region) = (row.name("ETA City"), row.name("ETA Province/State"));
    draft.place = some_place(Place { city, region, ..Place::default() });
    Ok(draft)
}

fn event(
    row: Tree<'_>,
    unit: Equipment,
    code: &str,
    [month, day, hour, minute]: [&str; 4],
) -> Result<Draft, Reject> {
    let code = row.required(code, limits::CODE)?;
    let (occurred, is_odd) = moment(row, [month, day], [hour, minute])?;
    let mut draft = Draft::of_code(SIGHTINGS.prefix, code, SIGHTINGS.find(code), occurred);
    draft.year_open = Some(YearOpen { month_too: false, then_days: 0 });
    if is_odd {
        draft.note_about(NoteCode::OddField, "Hour");
    }
    draft.equipment = Some(unit);
    draft.transport = Some(Transport { mode: Some(Mode::Rail), ..Transport::default() });
    Ok(draft)
}

/// In the year 2000, which has every day; and whether its hour is none, so that the day alone is known.
fn moment(
    row: Tree<'_>,
    [month, day]: [&str; 2],
    [hour, minute]: [&str; 2],
) -> Result<(OccurrenceTime, bool), Reject> {
    let two = |path: &str| {
        let digits = row.text(path)?;
        let is_number = digits.len() <= 2 && digits.bytes().all(|b| b.is_ascii_digit());
        is_number.then(|| format!("{digits:0>2}"))
    };
    for path in [month, day] {
        row.required(path, limits::CODE)?;
    }
    let date = two(month).zip(two(day)).map(|(month, day)| format!("2000-{month}-{day}"));
    let date = date.ok_or_else(|| row.invalid_time(month))?;
    let clock = two(hour).map(|hour| [&hour, ":", two(minute).as_deref().unwrap_or("00")].concat());
    if let Some(at) = clock.and_then(|clock| time::joined(&date, Some(&clock))) {
        return Ok((at, false));
    }
    let at = time::read(&date).ok_or_else(|| row.invalid_time(month))?;
    Ok((at, row.has(hour)))
}
