//! DTM (C507): a time by its format (2379), or by its digits where they contradict it.

use waybill_schemas::OccurrenceTime;
use waybill_schemas::vocabulary::TimePrecision;
use waybill_stage::{Code, Reject};

use crate::edi::{Moment, Segment};
use crate::time;
use crate::wrong::at;

pub(super) fn moment(dtm: &Segment<'_>) -> Result<Moment, Reject> {
    let (value, format) = (dtm.component(1, 2), dtm.code(1, 3));
    if is_filler(&value) {
        return Err(at("DTM 2380").missing());
    }
    let plain = |at| Moment { at, odd: [None; 2] };
    if let Some(at) = by_format(&value, &format) {
        return Ok(plain(at));
    }
    let odd = |at, element| Moment { at, odd: [Some(element), None] };
    // Years, months, weeks, durations and clocks alone (401 and on) are no times of a day.
    let is_date = !matches!(format.as_bytes(), [b'4' | b'6' | b'8', _, _]);
    let by_digits = is_date.then(|| by_digits(&value)).flatten();
    let found = by_digits.map(|at| match &*format {
        "" => plain(at),
        _ => odd(at, "DTM 2379"),
    });
    let day = || value.get(..8).filter(|_| is_date && value.len() > 8).and_then(day);
    found.or_else(|| Some(odd(day()?, "DTM 2380"))).ok_or_else(|| {
        let detail =
            "DTM 2380: expected a time that exists, of format 102, 203, 204, 205, 303, ...";
        Reject::new(Code::InvalidTime, detail)
    })
}

/// Zeros fill elements that have to be sent.
pub(super) fn is_filler(value: &str) -> bool {
    value.bytes().all(|b| b == b'0')
}

fn by_format(value: &str, format: &str) -> Option<OccurrenceTime> {
    let part = |from: usize, digits: usize| time::number(value.get(from..from + digits)?);
    // Two digits of a year: of this century, or of the years in which EDIFACT was made.
    let short_year = |from| part(from, 2).map(|y| if y < 70 { 2000 + y } else { 1900 + y });
    let (date, clock, zone) = match format {
        "2" => ((short_year(4)?, part(2, 2)?, part(0, 2)?), 6..6, 6),
        "3" => ((short_year(4)?, part(0, 2)?, part(2, 2)?), 6..6, 6),
        "4" => ((part(4, 4)?, part(2, 2)?, part(0, 2)?), 8..8, 8),
        "5" => ((part(4, 4)?, part(2, 2)?, part(0, 2)?), 8..12, 12),
        "101" | "717" => ((short_year(0)?, part(2, 2)?, part(4, 2)?), 6..6, 6),
        "201" | "301" | "713" => ((short_year(0)?, part(2, 2)?, part(4, 2)?), 6..10, 10),
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
        "713" | "717" | "718" | "719" if rest.starts_with('-') => {}
        "205" => moment.offset_minutes = Some(offset(rest)?),
        "301" | "302" | "303" | "304" => moment.offset_minutes = zone_offset(rest),
        _ if rest.is_empty() => {}
        _ => return None,
    }
    Some(moment)
}

/// What so many digits are, and what may stand behind them: an offset or a zone, or the end of a period.
/// With other characters between them any form that carriers write.
fn by_digits(value: &str) -> Option<OccurrenceTime> {
    let count = value.bytes().take_while(u8::is_ascii_digit).count();
    let (digits, rest) = value.split_at_checked(count)?;
    // (In 100 years of a century every date of six digits is one of eight, too.)
    let in_our_time =
        digits.get(..4).and_then(time::number).is_some_and(|y| (1980..2100).contains(&y));
    let formats: &[&str] = match (count, in_our_time) {
        (6, _) => &["101"],
        (8, true) => &["102"],
        (8, false) => &["4"],
        (10, _) => &["201"],
        (12, true) => &["203", "202"],
        (12, false) => &["202", "5"],
        (14, true) => &["204"],
        _ => &[],
    };
    let is_end = rest.strip_prefix('-').is_some_and(|end| end.len() == count);
    let offset_minutes = if is_end { None } else { zone_offset(rest) };
    let is_zone = rest.trim().bytes().all(|b| b.is_ascii_alphabetic());
    if (is_end || is_zone || offset_minutes.is_some())
        && let Some(found) = formats.iter().find_map(|format| by_format(digits, format))
    {
        return Some(OccurrenceTime { offset_minutes, ..found });
    }
    // (More digits alone may be seconds since 1970, which EDIFACT does not know.)
    time::read(value).filter(|_| !rest.is_empty() && count < 10)
}

/// The day alone, of a value whose clock is no time.
fn day(digits: &str) -> Option<OccurrenceTime> {
    let year = digits.get(..4).and_then(time::number)?;
    by_format(digits, "102").filter(|_| (1980..2100).contains(&year))
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
    let zone = zone.trim();
    let is = |name: &&str| zone.eq_ignore_ascii_case(name);
    if ["UTC", "GMT", "Z"].iter().any(is) { Some(0) } else { offset(zone) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edi::Separators;
    use crate::edi::segments::Segments;

    #[test]
    fn moments() {
        let check = |value: &str, format: &str, expect: Option<(&str, Option<i32>)>| {
            let found = by_format(value, format).map(|moment| {
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
        check("2002011450-2002021450", "713", Some(("2020-02-01T14:50:00Z", None)));
        check("202002012400", "203", Some(("2020-02-02T00:00:00Z", None)));
        check("20200148", "102", None);
        check("202002012450", "203", None);
        check("20200201", "203", None);
        check("202002011450", "102", None);
        check("202002011450", "205", None);
        check("20200201x", "102", None);
        check("2020", "602", None);
        check("２０２０", "", None);
    }

    /// The wall clock, the offset, the precision, and what is odd.
    fn shown(dtm: &str) -> String {
        let separators = Separators {
            segment: b'\'',
            element: b'+',
            component: b':',
            repetition: None,
            release: Some(b'?'),
        };
        let segment = Segments::new(dtm).next(separators).unwrap();
        let Ok(Moment { at, odd }) = moment(&segment) else { return "-".to_owned() };
        let wall = jiff::Timestamp::from_millisecond(at.wall_ms).unwrap();
        let offset = at.offset_minutes.map_or(String::new(), |m| format!(" {m:+}"));
        format!("{wall}{offset} {} {}", at.precision.as_str(), odd[0].unwrap_or("-"))
    }

    #[test]
    fn the_digits_count() {
        for (dtm, expect) in [
            ("DTM+334:202611021628:203", "2026-11-02T16:28:00Z minute -"),
            ("DTM+334:202611021628", "2026-11-02T16:28:00Z minute -"),
            ("DTM+334:20261102", "2026-11-02T00:00:00Z day -"),
            ("DTM+334:202611022400:203", "2026-11-03T00:00:00Z minute -"),
            // A format that the digits contradict.
            ("DTM+334:202611021628:102", "2026-11-02T16:28:00Z minute DTM 2379"),
            ("DTM+334:20261102162811:203", "2026-11-02T16:28:11Z second DTM 2379"),
            ("DTM+334:20261102:203", "2026-11-02T00:00:00Z day DTM 2379"),
            ("DTM+334:2611021628:203", "2026-11-02T16:28:00Z minute DTM 2379"),
            ("DTM+334:261102162811:203", "2026-11-02T16:28:11Z second DTM 2379"),
            ("DTM+334:261102:102", "2026-11-02T00:00:00Z day DTM 2379"),
            ("DTM+334:02112026:102", "2026-11-02T00:00:00Z day DTM 2379"),
            ("DTM+334:202611021628?+0100:203", "2026-11-02T16:28:00Z +60 minute DTM 2379"),
            ("DTM+334:202611021628UTC:203", "2026-11-02T16:28:00Z +0 minute DTM 2379"),
            ("DTM+334:20261102-20261104:102", "2026-11-02T00:00:00Z day DTM 2379"),
            ("DTM+334:20261102T1628:203", "2026-11-02T16:28:00Z minute DTM 2379"),
            ("DTM+334:2026-11-02T16?:28:203", "2026-11-02T16:28:00Z minute DTM 2379"),
            ("DTM+334:202611021628:999", "2026-11-02T16:28:00Z minute DTM 2379"),
            // A clock that is no time.
            ("DTM+334:202611022561:203", "2026-11-02T00:00:00Z day DTM 2380"),
            ("DTM+334:20261102....:203", "2026-11-02T00:00:00Z day DTM 2380"),
            ("DTM+334:20261132:102", "-"),
            ("DTM+334:202613022561:203", "-"),
            ("DTM+334:2026110:102", "-"),
            ("DTM+334:202611:610", "-"),
            ("DTM+334:1628:401", "-"),
            ("DTM+334:000000000000:203", "-"),
            ("DTM+334", "-"),
        ] {
            assert_eq!(shown(dtm), expect, "{dtm}");
        }
    }
}
