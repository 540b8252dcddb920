//! Elements and segments that several transaction sets have.

use std::borrow::Cow;

use waybill_identifiers::{iso6346, unlocode};
use waybill_schemas::vocabulary::{QuantityKind, ReferenceKind, TimePrecision};
use waybill_schemas::{Equipment, Place, Quantity};
use waybill_stage::{Code, Reject};

use super::{codes, daylight};
use crate::edi::{Moment, Odd, References, Segment, decimal, quantity, whole};
use crate::wrong::at;
use crate::{limits, text, time};

/// An element that a segment does not have.
pub(super) const NOT_SENT: usize = 99;

/// Date (373: CCYYMMDD), time (337: HHMM, HHMMSS, with tenths or hundredths) and time code (623) at
/// three elements, whose names are given. A time or a time code that is none leaves the day.
pub(super) fn moment(
    segment: &Segment<'_>,
    places: [usize; 3],
    names: [&'static str; 3],
) -> Result<Moment, Reject> {
    let [date, clock, _] = places.map(|n| segment.text(n));
    let code = segment.code_at(places[2]);
    let [date_name, clock_name, code_name] = names;
    if date.bytes().all(|b| b == b'0') {
        return Err(at(date_name).missing());
    }
    let invalid = |detail: String| Reject::new(Code::InvalidTime, detail);
    // Until version 3040 dates had no century; and some put the time behind the date.
    let (day, behind) = match date.len() {
        6 => (Cow::Owned(["20", date].concat()), ""),
        12 | 14 if is_digits(date) && clock.is_empty() => {
            let (day, clock) = date.split_at_checked(8).unwrap_or((date, ""));
            (Cow::Borrowed(day), clock)
        }
        _ => (Cow::Borrowed(date), ""),
    };
    let clock = if behind.is_empty() { clock } else { behind };
    let read = match day.len() == 8 && is_digits(&day) {
        true => time::read(&day)
            .ok_or_else(|| invalid(format!("{date_name}: this day does not exist")))?,
        // Written as outside of EDI, `2026-10-12`.
        false => time::read(date)
            .filter(|_| !is_digits(date))
            .ok_or_else(|| invalid(format!("{date_name}: expected a date CCYYMMDD")))?,
    };
    let mut moment = Moment { at: read, odd: [None; 2] };
    if !clock.is_empty() && read.precision == TimePrecision::Day {
        let at_clock = |clock: &str| time::joined(&day, Some(clock));
        let whole = match clock.len() {
            // Tenths of a second.
            7 if is_digits(clock) => at_clock(&[clock, "0"].concat()),
            4.. => at_clock(clock),
            _ => None,
        };
        match whole {
            Some(whole) => moment.at = whole,
            None => moment.odd[0] = Some(clock_name),
        }
    }
    match codes::offset(&code) {
        Some(offset) => {
            let of_zone = || daylight::offset(&code, &moment.at);
            moment.at.offset_minutes = moment.at.offset_minutes.or(offset).or_else(of_zone);
        }
        None => moment.odd[1] = Some(code_name),
    }
    Ok(moment)
}

/// So many digits of a text, at most four.
fn number(text: &str, from: usize, digits: usize) -> Option<i16> {
    time::number(text.get(from..from + digits)?)
}

fn is_digits(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_digit())
}

/// A place by qualifier (309) and identifier (310).
pub(super) fn locate(
    place: &mut Place,
    qualifier: &str,
    id: &str,
    name: &'static str,
) -> Result<(), Reject> {
    let Some(id) = whole(id, at(name), limits::ID)? else { return Ok(()) };
    let qualifier = qualifier.to_ascii_uppercase();
    match qualifier.as_str() {
        "UN" => match unlocode::read(id) {
            Ok(code) => place.unlocode = Some(code),
            // What is no UN/LOCODE is kept for a person to look at.
            Err(_) => place.facility = Some(["UN/", id].concat()),
        },
        "CI" => place.city = text::clipped(id, limits::NAME),
        "IA" | "ZC" if id.len() == 3 && id.bytes().all(|b| b.is_ascii_alphabetic()) => {
            place.iata = Some(id.to_ascii_uppercase());
        }
        "" => place.name = text::clipped(id, limits::NAME),
        qualifier => {
            let Some(qualifier) = whole(qualifier, at(name), limits::CODE)? else { return Ok(()) };
            place.facility = Some([qualifier, "/", id].concat());
        }
    }
    Ok(())
}

/// R4: port or terminal.
pub(super) fn port(r4: &Segment<'_>) -> Result<Place, Reject> {
    let named = |n| text::clipped(r4.text(n), limits::NAME);
    let (port, terminal) = (named(4), named(6));
    let mut place = Place { country: named(5), region: named(8), ..Place::default() };
    locate(&mut place, r4.text(2), r4.text(3), "R403")?;
    // A terminal of its own name stands in the port's.
    match terminal {
        Some(terminal) => {
            place.name = Some(terminal);
            place.city = place.city.or(port);
        }
        None => place.name = port.or(place.name),
    }
    Ok(place)
}

/// N4 (city, state, postal code, country) after an N1.
pub(super) fn address(n4: &Segment<'_>, place: &mut Place) -> Result<(), Reject> {
    place.city = text::clipped(n4.text(1), limits::NAME);
    place.region = text::clipped(n4.text(2), limits::NAME);
    place.postal_code = text::clipped(n4.text(3), limits::NAME);
    place.country = text::clipped(n4.text(4), limits::NAME);
    let (qualifier, id) = (n4.text(5), n4.text(6));
    match qualifier.eq_ignore_ascii_case("UN") {
        true => locate(place, qualifier, id, "N406"),
        false => Ok(()),
    }
}

/// MS1: where the shipment or the equipment is, by city or by coordinates (DDDMMSS, elements 1654
/// and 1655, or decimal degrees, which some send).
pub(super) fn position(ms1: &Segment<'_>, odd: &mut Odd) -> Result<Place, Reject> {
    let named = |n| text::clipped(ms1.text(n), limits::NAME);
    let mut place = Place {
        city: named(1),
        region: named(2),
        country: named(3),
        postal_code: named(8),
        ..Place::default()
    };
    let mut degrees = |text: &str, direction: &str, signs, most, name| {
        let read = degrees(text, direction, signs, most, name);
        let degrees = read.as_ref().ok().copied().flatten();
        odd.keep(read.map(|_| ())).map(|()| degrees)
    };
    let longitude = degrees(ms1.text(4), &ms1.code_at(6), ["E", "W"], 180.0, "MS104")?;
    let latitude = degrees(ms1.text(5), &ms1.code_at(7), ["N", "S"], 90.0, "MS105")?;
    if let (Some(longitude), Some(latitude)) = (longitude, latitude) {
        place.longitude = Some(longitude);
        place.latitude = Some(latitude);
    }
    Ok(place)
}

fn degrees(
    text: &str,
    direction: &str,
    [positive, negative]: [&str; 2],
    most: f64,
    name: &'static str,
) -> Result<Option<f64>, Reject> {
    if text.is_empty() {
        return Ok(None);
    }
    let wrong = || at(name).invalid("degrees, minutes and seconds: DDDMMSS");
    let size = if text.len() == 7 && is_digits(text) {
        let part = |from, n| number(text, from, n).map(f64::from);
        let (degrees, minutes, seconds) = (|| Some((part(0, 3)?, part(3, 2)?, part(5, 2)?)))()
            .filter(|(_, minutes, seconds)| *minutes < 60.0 && *seconds < 60.0)
            .ok_or_else(wrong)?;
        degrees + minutes / 60.0 + seconds / 3600.0
    } else if text.contains('.') {
        decimal(text).ok_or_else(wrong)?
    } else {
        return Err(wrong());
    };
    // Five decimals are a metre; a second is thirty.
    let size = (size * 1e5).round() / 1e5;
    let signed = match direction {
        d if d == negative => -size,
        d if d == positive || d.is_empty() => size,
        _ => return Err(wrong()),
    };
    if signed.abs() <= most { Ok(Some(signed)) } else { Err(wrong()) }
}

/// Initial (206), number (207) and check digit (761) of a unit, as they are painted on it. A
/// container's serial number has six digits, of which senders drop leading zeros.
pub(super) fn unit_number(
    initial: &str,
    number: &str,
    check: &str,
    name: &'static str,
) -> Result<Option<String>, Reject> {
    let Some(number) = whole(number, at(name), limits::CODE)? else { return Ok(None) };
    let initial = whole(initial, at(name), limits::CODE)?.unwrap_or("").to_ascii_uppercase();
    let check = if check.len() == 1 { check } else { "" };
    if !is_container(&initial) || !is_digits(number) {
        return Ok(Some([initial.as_str(), number].concat()));
    }
    let complete = number.len() == 7;
    let check = if complete { "" } else { check };
    Ok(Some(format!("{initial}{number:0>6}{check}")))
}

/// Owner and category of ISO 6346 clause 3, without `Z`: trailers and chassis.
pub(super) fn is_container(initial: &str) -> bool {
    match initial.as_bytes() {
        [owner @ .., b'U' | b'J' | b'u' | b'j'] => {
            owner.len() == 3 && owner.iter().all(u8::is_ascii_alphabetic)
        }
        _ => false,
    }
}

/// The container that a message's references name, if they name one.
pub(super) fn container_of(references: &References, unit: Option<&str>) -> Option<String> {
    let mut named = references.all(ReferenceKind::Container);
    match unit {
        // The same without its check digit.
        Some(unit) => {
            let full = |r: &&str| r.len() == unit.len() + 1 && r.starts_with(unit);
            let short = iso6346::verdict(unit) == iso6346::Verdict::Form && is_container_like(unit);
            let full = short.then(|| named.find(full)).flatten();
            Some(full.unwrap_or(unit).to_owned())
        }
        None => named.next().map(str::to_owned),
    }
}

fn is_container_like(unit: &str) -> bool {
    unit.get(..4).is_some_and(is_container)
}

pub(super) fn equipment(
    number: Option<String>,
    iso_type: &str,
    status: &str,
    name: &'static str,
) -> Result<Option<Equipment>, Reject> {
    let iso_type = whole(iso_type, at(name), limits::CODE)?.map(str::to_owned);
    let empty = codes::is_empty(&status.to_ascii_uppercase());
    Ok(number.map(|number| Equipment { number, iso_type, empty }))
}

/// A weight by its qualifier (187) and unit (188).
pub(super) fn weight(qualifier: &str, unit: &str, value: &str) -> Option<Quantity> {
    let unit = codes::WEIGHT_UNITS.iter().find(|(code, _)| code.eq_ignore_ascii_case(unit))?.1;
    let kind = codes::WEIGHTS.iter().find(|(code, _)| code.eq_ignore_ascii_case(qualifier));
    quantity(kind.map_or(QuantityKind::Other, |(_, kind)| *kind), value, unit)
}

/// A volume by its unit (184).
pub(super) fn volume(unit: &str, value: &str) -> Option<Quantity> {
    let unit = codes::VOLUME_UNITS.iter().find(|(code, _)| code.eq_ignore_ascii_case(unit))?.1;
    quantity(QuantityKind::Volume, value, unit)
}

/// A reference by its qualifier (128).
pub(super) fn refer(
    to: &mut References,
    qualifier: &str,
    value: &str,
    name: &'static str,
) -> Result<(), Reject> {
    match codes::reference(qualifier) {
        // Equipment is a container or a trailer.
        Some(ReferenceKind::Container) if !is_container(value.get(..4).unwrap_or("")) => {
            to.add(ReferenceKind::CarrierEquipment, value, name)
        }
        Some(kind) => to.add(kind, value, name),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unit_numbers() {
        let check = |initial, number, digit, expect: &str| {
            let unit = unit_number(initial, number, digit, "N702").unwrap();
            assert_eq!(unit.as_deref(), Some(expect).filter(|e| !e.is_empty()));
        };
        check("MSKU", "118057", "7", "MSKU1180577");
        check("MSKU", "1180577", "7", "MSKU1180577");
        check("MSKU", "18057", "7", "MSKU0180577");
        check("ALNK", "7843", "", "ALNK7843");
        check("", "7843", "", "7843");
        check("MSKU", "", "", "");
    }

    #[test]
    fn coordinates() {
        let check = |text, direction, expect| {
            let found = degrees(text, direction, ["E", "W"], 180.0, "MS104");
            assert_eq!(found.map_err(|_| ()), expect, "{text}");
        };
        check("0914726", "W", Ok(Some(-91.79056)));
        check("0914726", "", Ok(Some(91.79056)));
        check("91.5", "E", Ok(Some(91.5)));
        check("", "E", Ok(None));
        check("0916026", "W", Err(()));
        check("1814726", "W", Err(()));
        check("914726", "W", Err(()));
        check("0914726", "N", Err(()));
    }
}
