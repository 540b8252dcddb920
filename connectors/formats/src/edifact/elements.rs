//! Segments that several messages have.

use waybill_schemas::vocabulary::{
    ExceptionKind, Mode, QuantityKind, ReadingKind, ReferenceKind, TimePrecision,
};
use waybill_schemas::{Equipment, OccurrenceTime, Place, Quantity, Reading, Transport};
use waybill_stage::{Code, Reject};

use super::codes;
use crate::edi::{References, Segment, decimal, quantity, whole};
use crate::wrong::at;
use crate::{Draft, limits, text, time, unlocode};

/// DTM: a time by its format (2379).
pub(super) fn moment(dtm: &Segment<'_>) -> Result<OccurrenceTime, Reject> {
    let (value, format) = (dtm.component(1, 2), dtm.component(1, 3));
    if value.is_empty() {
        return Err(at("DTM 2380").missing());
    }
    // Of another format than it says: 8, 12 and 14 digits are one thing alone.
    read_moment(&value, &format).or_else(|| time::read(&value)).ok_or_else(|| {
        let detail = "DTM 2380: expected a time that exists, of format 102, 203, 204, 205, 303, …";
        Reject::new(Code::InvalidTime, detail.replace('…', "..."))
    })
}

fn read_moment(value: &str, format: &str) -> Option<OccurrenceTime> {
    // Without its format its length tells.
    let format = match (format, value.len()) {
        ("", 8) => "102",
        ("", 12) => "203",
        ("", 14) => "204",
        (format, _) => format,
    };
    let part = |from: usize, digits: usize| time::number(value.get(from..from + digits)?);
    // Two digits of a year: of this century, or of the years in which EDIFACT was made.
    let short_year = |from| part(from, 2).map(|y| if y < 70 { 2000 + y } else { 1900 + y });
    let (date, clock, zone) = match format {
        "2" => ((short_year(4)?, part(2, 2)?, part(0, 2)?), 6..6, 6),
        "3" => ((short_year(4)?, part(0, 2)?, part(2, 2)?), 6..6, 6),
        "4" => ((part(4, 4)?, part(2, 2)?, part(0, 2)?), 8..8, 8),
        "5" => ((part(4, 4)?, part(2, 2)?, part(0, 2)?), 8..12, 12),
        "101" => ((short_year(0)?, part(2, 2)?, part(4, 2)?), 6..6, 6),
        "201" | "301" => ((short_year(0)?, part(2, 2)?, part(4, 2)?), 6..10, 10),
        "202" | "302" => ((short_year(0)?, part(2, 2)?, part(4, 2)?), 6..12, 12),
        "102" | "718" => ((part(0, 4)?, part(4, 2)?, part(6, 2)?), 8..8, 8),
        "203" | "205" | "303" | "719" => ((part(0, 4)?, part(4, 2)?, part(6, 2)?), 8..12, 12),
        "204" | "304" => ((part(0, 4)?, part(4, 2)?, part(6, 2)?), 8..14, 14),
        // With `T` between date and time.
        "10" => ((part(0, 4)?, part(4, 2)?, part(6, 2)?), 9..13, 13),
        _ => return None,
    };
    let clock = value.get(clock)?;
    let unit = |from: usize| match clock.get(from..from + 2) {
        Some(digits) => time::number(digits),
        None => Some(0),
    };
    let mut moment = time::local(date, (unit(0)?, unit(2)?, unit(4)?))?;
    moment.precision = match clock.len() {
        0 => TimePrecision::Day,
        4 => TimePrecision::Minute,
        _ => TimePrecision::Second,
    };
    let rest = value.get(zone..)?;
    match format {
        // The end of the period.
        "718" | "719" if rest.starts_with('-') => {}
        "205" => moment.offset_minutes = Some(offset(rest)?),
        "301" | "302" | "303" | "304" => moment.offset_minutes = zone_offset(rest),
        _ if rest.is_empty() => {}
        _ => return None,
    }
    Some(moment)
}

/// `+0100`, `-03`, `+05:30`.
fn offset(text: &str) -> Option<i32> {
    let digits = text.strip_prefix(['+', '-'])?.replace(':', "");
    let number = |from: usize| digits.get(from..from + 2).and_then(time::number);
    let (hours, minutes) = match digits.len() {
        2 => (number(0)?, 0),
        4 => (number(0)?, number(2)?),
        _ => return None,
    };
    if hours > 14 || minutes > 59 {
        return None;
    }
    let east = i32::from(hours) * 60 + i32::from(minutes);
    Some(if text.starts_with('-') { -east } else { east })
}

/// Only UTC and offsets state one; `CET` may be summer time or not.
fn zone_offset(zone: &str) -> Option<i32> {
    match zone.trim() {
        "UTC" | "GMT" | "Z" => Some(0),
        zone => offset(zone),
    }
}

/// LOC: a place by its code (3225) and the list it is of, its name, and the related places, which are
/// the terminal in a port, or the country of a place.
pub(super) fn location(loc: &Segment<'_>) -> Result<Place, Reject> {
    let mut place = Place::default();
    for (element, name) in [(2, "LOC 3225"), (3, "LOC 3223"), (4, "LOC 3233")] {
        let part = |n| loc.component(element, n);
        let (code, list, agency) = (part(1), part(2), part(3));
        let related = element > 2;
        if let Some(code) = whole(&code, at(name), limits::ID)? {
            locate(&mut place, code, &list, &agency, related, name)?;
        }
        let name = text::clipped(&part(4), limits::NAME);
        if related { place.name = place.name.or(name) } else { place.name = name }
    }
    Ok(place)
}

fn locate(
    place: &mut Place,
    code: &str,
    list: &str,
    agency: &str,
    related: bool,
    name: &'static str,
) -> Result<(), Reject> {
    match list {
        "162" => place.country = text::clipped(code, limits::NAME),
        "163" => place.region = text::clipped(code, limits::NAME),
        _ if agency == "3" && code.len() == 3 && code.bytes().all(|b| b.is_ascii_alphabetic()) => {
            place.iata = Some(code.to_ascii_uppercase());
        }
        // Lists of places of the UN, or none said: what looks like UN/LOCODE is it.
        _ if !related
            && matches!(agency, "" | "6" | "112" | "ZZZ")
            && unlocode::read(code).is_ok() =>
        {
            place.unlocode = unlocode::read(code).ok();
        }
        _ => {
            let of = match (list, agency) {
                (_, "306") | ("TERMINALS", _) => "SMDG",
                (_, "9") => "GLN",
                (_, "20") => "BIC",
                ("", "") if related => "TER",
                ("", agency) => agency,
                (list, _) => list,
            };
            let Some(of) = whole(of, at(name), limits::CODE)? else {
                place.name = text::clipped(code, limits::NAME);
                return Ok(());
            };
            place.facility = Some([of, "/", code].concat());
        }
    }
    Ok(())
}

/// TDT: stage (8051), voyage or flight (8028), mode (8067), vessel or vehicle (C222).
pub(super) fn transport(tdt: &Segment<'_>) -> Result<Transport, Reject> {
    let mode = codes::MODES.iter().find(|(code, _)| *code == tdt.component(3, 1));
    let mode = mode.map(|(_, mode)| *mode);
    let journey = tdt.component(2, 1);
    let journey = whole(&journey, at("TDT 8028"), limits::ID)?.map(str::to_owned);
    // The identification is element 8; older directories had it in 7.
    let at_8 = [1, 4].iter().any(|n| !tdt.component(8, *n).is_empty());
    let element = if at_8 { 8 } else { 7 };
    let (id, list, agency) =
        (tdt.component(element, 1), tdt.component(element, 2), tdt.component(element, 3));
    let id = whole(&id, at("TDT 8213"), limits::ID)?;
    let name = text::clipped(&tdt.component(element, 4), limits::NAME);
    let mut transport = Transport { mode, ..Transport::default() };
    match mode {
        None | Some(Mode::Ocean | Mode::Barge | Mode::Multimodal) => {
            transport.voyage = journey;
            transport.vessel_name = name;
            // 146 is any identification of a means of transport, 103 its call sign; agency 11 is
            // Lloyd's register.
            let digits = |id: &&str| id.len() == 7 && id.bytes().all(|b| b.is_ascii_digit());
            let is_imo = list != "103" && (mode.is_some() || agency == "11");
            transport.vessel_imo = id.filter(digits).filter(|_| is_imo).map(str::to_owned);
        }
        Some(Mode::Air) => transport.flight = journey.or(id.map(str::to_owned)),
        Some(_) => {
            transport.vehicle = id.map(str::to_owned).or(name).or(journey);
        }
    }
    Ok(transport)
}

/// RFF: a reference by its qualifier (1153).
pub(super) fn refer(to: &mut References, rff: &Segment<'_>) -> Result<(), Reject> {
    let kind = codes::reference(&rff.component(1, 1));
    to.add(kind, &rff.component(1, 2), "RFF 1154")
}

/// FTX: its free text.
pub(super) fn remark(ftx: &Segment<'_>) -> Option<String> {
    let lines: Vec<_> = (1..=5).map(|n| ftx.component(4, n)).collect();
    text::clipped(lines.join(" ").trim(), limits::REMARK)
}

/// A unit of equipment (EQD) and what is said of it in the segments after it.
#[derive(Debug, Default)]
pub(super) struct Unit {
    /// Its segment's.
    pub number: usize,
    pub equipment: Option<Equipment>,
    /// 8053: not a chassis, a trailer, ….
    is_container: bool,
    /// 8249: export, import, …
    pub movement: String,
    pub seals: References,
    quantities: Vec<Quantity>,
    readings: Vec<Reading>,
    is_damaged: bool,
}

impl Unit {
    pub(super) fn read(eqd: &Segment<'_>) -> Result<Self, Reject> {
        let number = eqd.component(2, 1);
        let number = whole(&number, at("EQD 8260"), limits::ID)?.map(str::to_owned);
        let iso_type = eqd.component(3, 1);
        let iso_type = whole(&iso_type, at("EQD 8155"), limits::CODE)?.map(str::to_owned);
        let empty = match &*eqd.component(6, 1) {
            "4" => Some(true),
            "5" | "7" | "8" => Some(false),
            _ => None,
        };
        Ok(Self {
            number: eqd.number,
            equipment: number.map(|number| Equipment { number, iso_type, empty }),
            is_container: matches!(&*eqd.component(1, 1), "CN" | ""),
            movement: eqd.component(5, 1).into_owned(),
            ..Self::default()
        })
    }

    /// Takes a segment that may be of the unit.
    pub(super) fn take(&mut self, segment: &Segment<'_>) -> Result<(), Reject> {
        match segment.tag() {
            "MEA" if self.quantities.len() < limits::LIST => {
                self.quantities.extend(measure(segment));
            }
            "SEL" => self.seals.add(ReferenceKind::Seal, &segment.component(1, 1), "SEL 9308")?,
            "TMP" if self.readings.len() < limits::LIST => {
                let unit = codes::unit(&segment.component(2, 2));
                if let (Some(value), Some(unit)) = (decimal(&segment.component(2, 1)), unit) {
                    self.readings.push(Reading {
                        kind: ReadingKind::SetPoint,
                        value,
                        unit: unit.to_owned(),
                        sensor: None,
                    });
                }
            }
            "DAM" => self.is_damaged = true,
            _ => {}
        }
        Ok(())
    }

    pub(super) fn is_empty_container(&self) -> bool {
        self.is_container && self.equipment.as_ref().and_then(|e| e.empty) == Some(true)
    }

    pub(super) fn give(self, draft: &mut Draft) {
        draft.equipment = self.equipment;
        draft.quantities.extend(self.quantities);
        draft.readings.extend(self.readings);
        self.seals.give(draft);
        if self.is_damaged {
            draft.exception(ExceptionKind::Damage, None);
        }
    }
}

/// MEA: what is measured (6313), its unit (6411) and value.
pub(super) fn measure(mea: &Segment<'_>) -> Option<Quantity> {
    let what = mea.component(2, 1);
    let kind = codes::MEASURES.iter().find(|(code, _)| *code == what).map(|(_, kind)| *kind);
    let unit = codes::unit(&mea.component(3, 1))?;
    let kind = match (kind, unit) {
        (Some(kind), _) => kind,
        (None, "m3" | "[cft_i]" | "L") => QuantityKind::Volume,
        (None, _) => QuantityKind::Other,
    };
    quantity(kind, &mea.component(3, 2), unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments() {
        let check = |value: &str, format: &str, expect: Option<(&str, Option<i32>)>| {
            let found = read_moment(value, format).map(|moment| {
                let wall = jiff::Timestamp::from_millisecond(moment.wall_ms).unwrap();
                (wall.to_string(), moment.offset_minutes)
            });
            let expect = expect.map(|(wall, offset)| (wall.to_owned(), offset));
            assert_eq!(found, expect, "{value} {format}");
        };
        check("20200201", "102", Some(("2020-02-01T00:00:00Z", None)));
        check("202002011450", "203", Some(("2020-02-01T14:50:00Z", None)));
        check("20200201145059", "204", Some(("2020-02-01T14:50:59Z", None)));
        check("202002011450+0530", "205", Some(("2020-02-01T14:50:00Z", Some(330))));
        check("202002011450UTC", "303", Some(("2020-02-01T14:50:00Z", Some(0))));
        check("202002011450CET", "303", Some(("2020-02-01T14:50:00Z", None)));
        check("20200201145059-03", "304", Some(("2020-02-01T14:50:59Z", Some(-180))));
        check("20200201-20200203", "718", Some(("2020-02-01T00:00:00Z", None)));
        check("2002011450", "201", Some(("2020-02-01T14:50:00Z", None)));
        check("950201", "101", Some(("1995-02-01T00:00:00Z", None)));
        check("010220", "2", Some(("2020-02-01T00:00:00Z", None)));
        check("20200201T1450", "10", Some(("2020-02-01T14:50:00Z", None)));
        check("202002011450", "", Some(("2020-02-01T14:50:00Z", None)));
        check("20200148", "102", None);
        check("202002012450", "203", None);
        check("20200201", "203", None);
        check("202002011450", "102", None);
        check("202002011450", "205", None);
        check("20200201x", "102", None);
        check("2020", "602", None);
        check("２０２０", "", None);
    }
}
