//! Zones of North America that a time code (X12 623) names without saying whether daylight saving time
//! is in force: `ET` is Eastern time, and which of its two offsets it has the date tells. It is what the
//! message states, whatever the place.
//!
//! Daylight saving time in the United States: since 2007 from the second Sunday of March to the first
//! Sunday of November (Energy Policy Act of 2005), from 1987 to 2006 from the first Sunday of April to
//! the last of October; each at 2 o'clock of the clock that ends.

use jiff::Timestamp;
use jiff::civil::{DateTime, Weekday};
use jiff::tz::Offset;
use waybill_schemas::OccurrenceTime;

/// Standard offset of the zone, minutes east of UTC.
fn standard(code: &str) -> Option<i32> {
    Some(match code {
        "NT" => -3 * 60 - 30,
        "AT" => -4 * 60,
        "ET" => -5 * 60,
        "CT" => -6 * 60,
        "MT" => -7 * 60,
        "PT" => -8 * 60,
        _ => return None,
    })
}

/// The offset of that wall clock in the zone that the code names, if it names one of these. Of the hour
/// that comes twice the first is meant.
pub(super) fn offset(code: &str, wall: &OccurrenceTime) -> Option<i32> {
    let standard = standard(code)?;
    let clock = Offset::UTC.to_datetime(Timestamp::from_millisecond(wall.wall_ms).ok()?);
    Some(standard + if is_daylight(clock) { 60 } else { 0 })
}

fn is_daylight(clock: DateTime) -> bool {
    let sunday = |month: i8, nth: i8| {
        let first = jiff::civil::Date::new(clock.year(), month, 1).ok()?;
        Some(first.nth_weekday_of_month(nth, Weekday::Sunday).ok()?.at(2, 0, 0, 0))
    };
    let change = match clock.year() {
        2007.. => sunday(3, 2).zip(sunday(11, 1)),
        1987.. => sunday(4, 1).zip(sunday(10, -1)),
        _ => None,
    };
    change.is_some_and(|(begin, end)| begin <= clock && clock < end)
}

#[cfg(test)]
mod tests {
    use waybill_schemas::vocabulary::TimePrecision;

    use super::*;

    #[test]
    fn offsets() {
        for (code, wall, expect) in [
            ("ET", "2026-01-20T08:00:00Z", Some(-300)),
            ("ET", "2026-07-20T08:00:00Z", Some(-240)),
            ("PT", "2022-09-20T02:02:00Z", Some(-420)),
            ("CT", "1997-09-25T08:30:00Z", Some(-300)),
            ("CT", "2006-03-20T08:30:00Z", Some(-360)),
            ("CT", "2007-03-20T08:30:00Z", Some(-300)),
            ("NT", "2026-01-20T08:00:00Z", Some(-210)),
            // The change of 2026: 8 March and 1 November.
            ("MT", "2026-03-08T01:59:00Z", Some(-420)),
            ("MT", "2026-03-08T02:00:00Z", Some(-360)),
            ("MT", "2026-11-01T01:59:00Z", Some(-360)),
            ("MT", "2026-11-01T02:00:00Z", Some(-420)),
            ("LT", "2026-01-20T08:00:00Z", None),
            ("ES", "2026-01-20T08:00:00Z", None),
        ] {
            let wall_ms = wall.parse::<Timestamp>().unwrap().as_millisecond();
            let wall_time = OccurrenceTime::wall(wall_ms, TimePrecision::Second);
            assert_eq!(offset(code, &wall_time), expect, "{code} {wall}");
        }
    }
}
