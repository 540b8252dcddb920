//! Times as carriers write them: one set of functions for every format.
//!
//! | form | example |
//! |---|---|
//! | ISO 8601, extended or basic | `2026-10-11T15:24:57.5+0200`, `20261011T1524Z`, `2026-10-11 15:24` |
//! | digits alone | `20261011`, `202610111524`, `20261011152457` |
//! | day or month first | `11.10.2026 15:24`, `10/31/2026 3:24 PM`, `31-10-2026` |
//! | with the month's English name | `October 11, 2026 3:24 pm`, `11-OCT-2026`, `Sun, 11 Oct 2026 15:24:57 GMT` |
//! | seconds, ms, µs or ns since 1970 | `1791732297`, `1791732297000` |
//! | .NET | `/Date(1791732297000+0200)/`, ticks: `639273290970000000` |
//!
//! - What states its offset keeps it; every other is a wall clock.
//! - 24:00 is the beginning of the next day, and a leap second counts as the second before it.
//! - The precision is what is written: a date alone is a day, a clock without seconds a minute.
//! - `3/4/2026` is a day in March or in April: it is read only where the carrier is known to write the
//!   one or the other ([`Order`]), and `31/4/2026`, of which only one can be, anyway.

mod calendar;
mod clock;
mod date;
mod instant;
mod offset;
mod rfc3339;

use waybill_schemas::OccurrenceTime;
use waybill_schemas::vocabulary::TimePrecision;

pub(crate) use self::calendar::{local, number};
pub(crate) use self::offset::at_offset;
pub(crate) use self::rfc3339::rfc3339;

/// What stands first in a date such as `3/4/2026`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    Day,
    Month,
}

/// A time in any of the forms.
pub(crate) fn read(text: &str) -> Option<OccurrenceTime> {
    read_in(text, None)
}

/// Day first: Europe's `3/4/2026`.
pub(crate) fn day_first(text: &str) -> Option<OccurrenceTime> {
    read_in(text, Some(Order::Day))
}

/// Month first: the United States' `4/3/2026`.
pub(crate) fn month_first(text: &str) -> Option<OccurrenceTime> {
    read_in(text, Some(Order::Month))
}

pub(crate) fn read_in(text: &str, order: Option<Order>) -> Option<OccurrenceTime> {
    let text = text.trim();
    // What most write, and it is read in a tenth of the time.
    if let Some(stated) = rfc3339(text) {
        return Some(stated);
    }
    if let Some(instant) = instant::read(text) {
        return Some(instant);
    }
    let (date, rest) = date::read(text, order)?;
    let rest = rest.trim_start();
    let (clock, zone) = match clock::read(rest.trim_start_matches(['T', 't', ',', ' '])) {
        Some(read) => read,
        // `2011-04-29+02:00` has none; `2011-04-29T` and `2011-04-29 noon` are no times.
        None => (clock::NONE, rest),
    };
    let wall = clock.on(date)?;
    match zone.trim() {
        "" => Some(wall),
        zone => at_offset(wall, zone),
    }
}

/// Date and clock that stand in two fields.
pub(crate) fn joined(date: &str, clock: Option<&str>) -> Option<OccurrenceTime> {
    joined_in(date, clock, None)
}

pub(crate) fn joined_in(
    date: &str,
    clock: Option<&str>,
    order: Option<Order>,
) -> Option<OccurrenceTime> {
    match clock {
        Some(clock) => read_in(&[date.trim(), " ", clock.trim()].concat(), order),
        None => read_in(date, order),
    }
}

/// The midnight that a day begins with: a date without a clock.
pub(crate) fn day(date: (i16, i16, i16)) -> Option<OccurrenceTime> {
    let at = local(date, (0, 0, 0))?;
    Some(OccurrenceTime { precision: TimePrecision::Day, ..at })
}

/// A day that is sent as its midnight: that of the place, or the one in UTC, which at the place is no
/// midnight. Any other time is as it was.
pub(crate) fn midnight_is_day(at: OccurrenceTime) -> OccurrenceTime {
    const DAY: i64 = 86_400_000;
    match at.wall_ms % DAY == 0 && at.offset_minutes.is_none_or(|offset| offset == 0) {
        true => OccurrenceTime { precision: TimePrecision::Day, offset_minutes: None, ..at },
        false => at,
    }
}

/// A wall clock without seconds.
pub(crate) fn minute(date: (i16, i16, i16), (hour, minute): (i16, i16)) -> Option<OccurrenceTime> {
    let at = local(date, (hour, minute, 0))?;
    Some(OccurrenceTime { precision: TimePrecision::Minute, ..at })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is read, as RFC 3339 without its offset, then the offset and the precision.
    fn shown(read: Option<OccurrenceTime>) -> String {
        let Some(time) = read else { return "-".into() };
        let wall = jiff::Timestamp::from_millisecond(time.wall_ms).unwrap().to_string();
        let offset = time.offset_minutes.map_or(String::new(), |minutes| format!(" {minutes:+}"));
        format!("{}{offset} {}", wall.trim_end_matches('Z'), time.precision.as_str())
    }

    #[test]
    fn every_form() {
        for (text, expect) in [
            ("2026-01-20T14:15:00Z", "2026-01-20T14:15:00 +0 second"),
            ("2024-10-11T15:24:57+0200", "2024-10-11T15:24:57 +120 second"),
            ("2024-10-11T15:24:57.5-05:00", "2024-10-11T15:24:57.5 -300 second"),
            ("2024-10-11T15:24:57,1239Z", "2024-10-11T15:24:57.123 +0 second"),
            ("2021-05-07 23:59:00 GMT-04:00", "2021-05-07T23:59:00 -240 second"),
            ("2023-04-05 18:56:00 UTC", "2023-04-05T18:56:00 +0 second"),
            ("2012-10-12 07:40:31", "2012-10-12T07:40:31 second"),
            (" 2012-10-12T07:40 ", "2012-10-12T07:40:00 minute"),
            ("2012-10-12T07:40+08", "2012-10-12T07:40:00 +480 minute"),
            ("2012-10-12", "2012-10-12T00:00:00 day"),
            ("2012/10/12 07:40:31", "2012-10-12T07:40:31 second"),
            ("2012.10.12", "2012-10-12T00:00:00 day"),
            ("2012-1-2 7:40", "2012-01-02T07:40:00 minute"),
            ("2011-04-29+02:00", "2011-04-29T00:00:00 +120 day"),
            ("2011-04-29-05:00", "2011-04-29T00:00:00 -300 day"),
            ("2026-10-28T10:00+01:00[Europe/Berlin]", "2026-10-28T10:00:00 +60 minute"),
            // The end of the day, and a leap second.
            ("2026-10-12T24:00:00", "2026-10-13T00:00:00 second"),
            ("2026-12-31 24:00", "2027-01-01T00:00:00 minute"),
            ("20261012 2400", "2026-10-13T00:00:00 minute"),
            ("2016-12-31T23:59:60", "2016-12-31T23:59:59 second"),
            // Digits alone.
            ("20210210", "2021-02-10T00:00:00 day"),
            ("20210210 071356", "2021-02-10T07:13:56 second"),
            ("20210210T0713Z", "2021-02-10T07:13:00 +0 minute"),
            ("202102100713", "2021-02-10T07:13:00 minute"),
            ("20210210071356", "2021-02-10T07:13:56 second"),
            ("20210210071356250", "2021-02-10T07:13:56.25 second"),
            // Seconds, ms, µs and ns since 1970.
            ("1704110400", "2024-01-01T12:00:00 +0 second"),
            ("1704110400.25", "2024-01-01T12:00:00.25 +0 second"),
            ("1704110400250", "2024-01-01T12:00:00.25 +0 second"),
            ("1704110400250000", "2024-01-01T12:00:00.25 +0 second"),
            ("1704110400250000000", "2024-01-01T12:00:00.25 +0 second"),
            ("/Date(1704110400250)/", "2024-01-01T12:00:00.25 +0 second"),
            ("\\/Date(1704110400250+0200)\\/", "2024-01-01T14:00:00.25 +120 second"),
            ("638397072002500000", "2024-01-01T12:00:00.25 second"),
            // Day or month first, where there is one way.
            ("18.03.2016 10:02", "2016-03-18T10:02:00 minute"),
            ("1.3.2016", "2016-03-01T00:00:00 day"),
            ("31/10/2026", "2026-10-31T00:00:00 day"),
            ("10/31/2026 3:24 PM", "2026-10-31T15:24:00 minute"),
            ("31-10-2026 15:24:57", "2026-10-31T15:24:57 second"),
            ("05/05/2026", "2026-05-05T00:00:00 day"),
            // The month by its name.
            ("April 28, 2015 9:01 am", "2015-04-28T09:01:00 minute"),
            ("april 8, 2015", "2015-04-08T00:00:00 day"),
            ("Apr 8 2015 12:00AM", "2015-04-08T00:00:00 minute"),
            ("28-APR-2026 14:00", "2026-04-28T14:00:00 minute"),
            ("28 Apr 2026", "2026-04-28T00:00:00 day"),
            ("28APR26", "2026-04-28T00:00:00 day"),
            ("Tue, 28 Apr 2026 14:00:05 GMT", "2026-04-28T14:00:05 +0 second"),
            ("Tuesday, April 28, 2026 at 2 p.m.", "2026-04-28T14:00:00 minute"),
            ("2026-Apr-28", "2026-04-28T00:00:00 day"),
        ] {
            assert_eq!(shown(read(text)), expect, "{text}");
        }
    }

    #[test]
    fn a_day_and_a_month_are_told_apart_where_the_carrier_is_known() {
        for (text, by_day, by_month) in [
            ("3/4/2026", "2026-04-03T00:00:00 day", "2026-03-04T00:00:00 day"),
            ("8/7/2021 7:11:26 PM", "2021-07-08T19:11:26 second", "2021-08-07T19:11:26 second"),
            ("03-04-26", "2026-04-03T00:00:00 day", "2026-03-04T00:00:00 day"),
            // Only one of them can be.
            ("8/17/2021", "2021-08-17T00:00:00 day", "2021-08-17T00:00:00 day"),
            ("17/8/2021", "2021-08-17T00:00:00 day", "2021-08-17T00:00:00 day"),
            // With points nobody puts the month first.
            ("3.4.2026", "2026-04-03T00:00:00 day", "2026-04-03T00:00:00 day"),
        ] {
            assert_eq!(shown(day_first(text)), by_day, "{text}");
            assert_eq!(shown(month_first(text)), by_month, "{text}");
        }
        assert_eq!(read("3/4/2026"), None);
        assert_eq!(read("03-04-2026"), None);
    }

    #[test]
    fn two_fields() {
        assert_eq!(shown(joined("20210210", Some("071356"))), "2021-02-10T07:13:56 second");
        assert_eq!(shown(joined("20210210", None)), "2021-02-10T00:00:00 day");
        assert_eq!(shown(joined("2026-10-12", Some("24:00"))), "2026-10-13T00:00:00 minute");
        assert_eq!(shown(joined("April 28, 2015", Some("9:01 am"))), "2015-04-28T09:01:00 minute");
        assert_eq!(shown(joined("string", Some("string"))), "-");
    }

    #[test]
    fn what_is_no_time() {
        for wrong in [
            "",
            "string",
            "2012-10-12T",
            "2012-10-12T07",
            "2012-13-12",
            "2023-02-29",
            "2012-10-12T24:00:01",
            "2012-10-12T25:00",
            "2012-10-12T23:60:00",
            "2012-10-12T23:59:61",
            "2012-10-12X07:40",
            "2012-10-12T07:40:31 PST8PDT",
            "2012-10-12T07:40:31+99:00",
            "2012-10-12T07:40:31.",
            "2012-10-1é",
            "2012-10-12T07:40:31++0200",
            "2012-10-12 noon",
            "13:00 PM",
            "8/17/2021 13:11:26 PM",
            "8/17/2021 0:11 AM",
            "Avril 28, 2015",
            "31/31/2026",
            "170411040x",
            "2021021",
            "99999999999999",
            "/Date()/",
            "999999999999999999",
            "２026-01-20T14:15:00Z",
            "+026-01-20",
        ] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
