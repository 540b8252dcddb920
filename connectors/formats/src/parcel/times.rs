//! The forms in which parcel carriers write times. One that states its offset keeps it; every
//! other is a wall clock, and a date alone is its midnight.

use jiff::Timestamp;
use waybill_schemas::OccurrenceTime;

use crate::time;

/// ISO 8601, extended: `2024-10-11T15:24:57.5+0200`, also with a blank for the `T`, without
/// seconds, without an offset, or a date alone. Behind a blank the offset may be written
/// `UTC` or `GMT-04:00`.
pub(crate) fn iso(text: &str) -> Option<OccurrenceTime> {
    let (date, rest) = text.split_at_checked(10)?;
    let mut rest = rest;
    let mut clock = (0, 0, 0);
    let mut ms = 0;
    if let Some(time) = rest.strip_prefix(['T', 't', ' ']) {
        let end = time.find(|c: char| !c.is_ascii_digit() && c != ':').unwrap_or(time.len());
        let (digits, behind) = time.split_at_checked(end)?;
        clock = clock_of(digits)?;
        rest = behind;
        if let Some(fraction) = rest.strip_prefix(['.', ',']) {
            let end = fraction.find(|c: char| !c.is_ascii_digit()).unwrap_or(fraction.len());
            let (digits, behind) = fraction.split_at_checked(end)?;
            ms = milliseconds(digits)?;
            rest = behind;
        }
    }
    let wall = time::local(ymd(date, '-')?, clock)?;
    let wall = OccurrenceTime { wall_ms: wall.wall_ms + ms, ..wall };
    match rest.trim_start() {
        "" => Some(wall),
        offset => at_offset(wall, offset),
    }
}

/// A wall clock whose offset stands beside it: `Z`, `UTC`, `-05:00`, `+0200`, `+02`, `GMT-04:00`.
pub(crate) fn at_offset(wall: OccurrenceTime, offset: &str) -> Option<OccurrenceTime> {
    let behind = offset.strip_prefix("GMT").or_else(|| offset.strip_prefix("UTC"));
    let minutes = match behind.unwrap_or(offset) {
        "Z" | "z" => 0,
        "" if behind.is_some() => 0,
        signed => {
            let (east, digits) = match signed.strip_prefix('-') {
                Some(digits) => (-1, digits),
                None => (1, signed.strip_prefix('+')?),
            };
            let (hours, minutes) = match digits.split_once(':') {
                Some(both) => both,
                None if digits.len() == 4 => digits.split_at_checked(2)?,
                None => (digits, "0"),
            };
            let hours = time::number(hours).filter(|h| *h <= 18)?;
            let minutes = time::number(minutes).filter(|m| *m <= 59)?;
            east * (i32::from(hours) * 60 + i32::from(minutes))
        }
    };
    Some(OccurrenceTime { offset_minutes: Some(minutes), ..wall })
}

/// `20210210` and `071356` (or `0713`, or no time).
pub(crate) fn compact(date: &str, clock: Option<&str>) -> Option<OccurrenceTime> {
    let part = |text: &str, from: usize, to: usize| text.get(from..to).and_then(time::number);
    if date.len() != 8 {
        return None;
    }
    let date = (part(date, 0, 4)?, part(date, 4, 6)?, part(date, 6, 8)?);
    let clock = match clock {
        None => (0, 0, 0),
        Some(clock) => {
            let seconds = match clock.len() {
                6 => part(clock, 4, 6)?,
                4 => 0,
                _ => return None,
            };
            (part(clock, 0, 2)?, part(clock, 2, 4)?, seconds)
        }
    };
    time::local(date, clock)
}

/// Germany's `18.03.2016 10:02`.
pub(crate) fn dotted(text: &str) -> Option<OccurrenceTime> {
    let (date, clock) = split(text);
    let (day, rest) = date.split_once('.')?;
    let (month, year) = rest.split_once('.')?;
    let date = (time::number(year)?, time::number(month)?, time::number(day)?);
    time::local(date, if clock.is_empty() { (0, 0, 0) } else { clock_of(clock)? })
}

/// The United States' `8/17/2021 7:11:26 PM`.
pub(crate) fn american(text: &str) -> Option<OccurrenceTime> {
    let (date, clock) = split(text);
    let (month, rest) = date.split_once('/')?;
    let (day, year) = rest.split_once('/')?;
    let date = (time::number(year)?, time::number(month)?, time::number(day)?);
    time::local(date, if clock.is_empty() { (0, 0, 0) } else { half_day(clock)? })
}

/// `April 28, 2015` and `9:01 am`.
pub(crate) fn english(date: &str, clock: Option<&str>) -> Option<OccurrenceTime> {
    const MONTHS: [&str; 12] = [
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
    ];
    let (month, rest) = split(date);
    let (day, year) = rest.split_once(',')?;
    let month = MONTHS.iter().position(|name| name.eq_ignore_ascii_case(month))?;
    let month = i16::try_from(month).ok()? + 1;
    let date = (time::number(year.trim())?, month, time::number(day.trim())?);
    time::local(date, clock.map_or(Some((0, 0, 0)), half_day)?)
}

/// Seconds since 1970 in UTC.
pub(crate) fn unix(text: &str) -> Option<OccurrenceTime> {
    let instant = Timestamp::from_second(text.parse().ok()?).ok()?;
    Some(OccurrenceTime::stated(instant.as_millisecond(), 0))
}

fn split(text: &str) -> (&str, &str) {
    text.split_once(' ').map_or((text, ""), |(first, rest)| (first, rest.trim()))
}

fn ymd(date: &str, between: char) -> Option<(i16, i16, i16)> {
    let (year, rest) = date.split_once(between)?;
    let (month, day) = rest.split_once(between)?;
    Some((time::number(year)?, time::number(month)?, time::number(day)?))
}

/// `07:11:26` or `07:11`.
fn clock_of(text: &str) -> Option<(i16, i16, i16)> {
    let (hour, rest) = text.split_once(':')?;
    let (minute, second) = rest.split_once(':').unwrap_or((rest, "0"));
    // A leap second counts as the second before it.
    let second = time::number(second).filter(|s| *s <= 60)?.min(59);
    Some((time::number(hour)?, time::number(minute)?, second))
}

/// `7:11:26 PM`, or a day of 24 hours.
fn half_day(text: &str) -> Option<(i16, i16, i16)> {
    let (clock, half) = split(text);
    let (hour, minute, second) = clock_of(clock)?;
    let hour = match half {
        "" => hour,
        _ if !(1..=12).contains(&hour) => return None,
        _ if half.eq_ignore_ascii_case("am") => hour % 12,
        _ if half.eq_ignore_ascii_case("pm") => hour % 12 + 12,
        _ => return None,
    };
    Some((hour, minute, second))
}

fn milliseconds(digits: &str) -> Option<i64> {
    if digits.is_empty() {
        return None;
    }
    let digits = digits.bytes().chain(*b"000").take(3);
    Some(digits.fold(0, |sum, d| sum * 10 + i64::from(d - b'0')))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(got: Option<OccurrenceTime>, expect: &str, offset: Option<i32>) {
        let expect = expect.parse::<Timestamp>().unwrap().as_millisecond();
        assert_eq!(got, Some(OccurrenceTime { wall_ms: expect, offset_minutes: offset }));
    }

    #[test]
    fn iso_8601() {
        check(iso("2024-10-11T15:24:57+0200"), "2024-10-11T15:24:57Z", Some(120));
        check(iso("2024-10-11T15:24:57.5-05:00"), "2024-10-11T15:24:57.500Z", Some(-300));
        check(iso("2024-10-11T15:24:57.1239Z"), "2024-10-11T15:24:57.123Z", Some(0));
        check(iso("2021-05-07 23:59:00 GMT-04:00"), "2021-05-07T23:59:00Z", Some(-240));
        check(iso("2023-04-05 18:56:00 UTC"), "2023-04-05T18:56:00Z", Some(0));
        check(iso("2012-10-12 07:40:31"), "2012-10-12T07:40:31Z", None);
        check(iso("2012-10-12T07:40"), "2012-10-12T07:40:00Z", None);
        check(iso("2012-10-12"), "2012-10-12T00:00:00Z", None);
        check(iso("2011-04-29+02:00"), "2011-04-29T00:00:00Z", Some(120));
        for wrong in [
            "",
            "string",
            "2012-10-12T",
            "2012-10-12T07",
            "2012-13-12",
            "2012-10-12T24:00:00",
            "2012-10-12X07:40",
            "2012-10-12T07:40:31 PST",
            "2012-10-12T07:40:31+99:00",
            "2012-10-12T07:40:31.",
            "12-10-2012",
            "2012-10-1é",
            "2012-10-12T07:40:31++0200",
        ] {
            assert_eq!(iso(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn other_forms() {
        check(compact("20210210", Some("071356")), "2021-02-10T07:13:56Z", None);
        check(compact("20210210", Some("0713")), "2021-02-10T07:13:00Z", None);
        check(compact("20210210", None), "2021-02-10T00:00:00Z", None);
        check(dotted("18.03.2016 10:02"), "2016-03-18T10:02:00Z", None);
        check(dotted("1.3.2016"), "2016-03-01T00:00:00Z", None);
        check(american("8/17/2021 7:11:26 PM"), "2021-08-17T19:11:26Z", None);
        check(american("8/17/2021 12:00:00 AM"), "2021-08-17T00:00:00Z", None);
        check(american("8/17/2021 12:00:00 PM"), "2021-08-17T12:00:00Z", None);
        check(english("April 28, 2015", Some("9:01 am")), "2015-04-28T09:01:00Z", None);
        check(english("april 8, 2015", None), "2015-04-08T00:00:00Z", None);
        check(unix("1704110400"), "2024-01-01T12:00:00Z", Some(0));
        assert_eq!(compact("string", Some("string")), None);
        assert_eq!(compact("2021021", None), None);
        assert_eq!(dotted("18/03/2016"), None);
        assert_eq!(american("17/8/2021 7:11:26 PM"), None);
        assert_eq!(american("8/17/2021 13:11:26 PM"), None);
        assert_eq!(english("Avril 28, 2015", None), None);
        assert_eq!(english("April 28, 2015", Some("9 am")), None);
        assert_eq!(unix("170411040x"), None);
        assert_eq!(unix("99999999999999"), None);
    }
}
