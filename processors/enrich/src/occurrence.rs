//! When it happened, in UTC.

use jiff::Timestamp;
use jiff::tz::Offset;
use waybill_schemas::OccurrenceTime;
use waybill_schemas::vocabulary::ZoneQuality;

use crate::Zone;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Occurrence {
    /// ms UTC.
    pub utc_ms: i64,
    pub quality: ZoneQuality,
    /// Read in the zone of the place, the local time exists twice or not at all.
    pub ambiguous: bool,
}

/// An offset that the message states counts; without one the zone of the place tells it; without
/// either the wall clock is taken as UTC.
pub(crate) fn resolve(occurred: &OccurrenceTime, zone: Option<&Zone>) -> Occurrence {
    let wall_ms = occurred.wall_ms;
    if let Some(minutes) = occurred.offset_minutes {
        let utc_ms = wall_ms.saturating_sub(i64::from(minutes) * 60_000);
        return Occurrence { utc_ms, quality: ZoneQuality::Stated, ambiguous: false };
    }
    zone.and_then(|zone| from_place(wall_ms, zone)).unwrap_or(Occurrence {
        utc_ms: wall_ms,
        quality: ZoneQuality::Assumed,
        ambiguous: false,
    })
}

/// At a change of daylight saving time the way of RFC 5545 section 3.3.5: of an hour that comes
/// twice the first is meant, and an hour that is left out counts by the offset before the gap.
fn from_place(wall_ms: i64, zone: &Zone) -> Option<Occurrence> {
    let wall = Offset::UTC.to_datetime(Timestamp::from_millisecond(wall_ms).ok()?);
    let local = zone.rules.to_ambiguous_timestamp(wall);
    let ambiguous = local.is_ambiguous();
    let utc_ms = local.compatible().ok()?.as_millisecond();
    Some(Occurrence { utc_ms, quality: ZoneQuality::FromPlace, ambiguous })
}

#[cfg(test)]
mod tests {
    use waybill_schemas::vocabulary::TimePrecision;

    use super::*;
    use crate::Zones;

    fn ms(utc: &str) -> i64 {
        utc.parse::<Timestamp>().unwrap().as_millisecond()
    }

    #[track_caller]
    fn check(
        wall: &str,
        offset_minutes: Option<i32>,
        zone: Option<&str>,
        utc: &str,
        quality: ZoneQuality,
        ambiguous: bool,
    ) {
        let zones = Zones::bundled();
        let occurred = OccurrenceTime {
            wall_ms: ms(&format!("{wall}Z")),
            offset_minutes,
            precision: TimePrecision::Second,
        };
        let zone = zone.map(|name| zones.get(name).unwrap());
        let expect = Occurrence { utc_ms: ms(utc), quality, ambiguous };
        assert_eq!(resolve(&occurred, zone), expect, "{wall}");
    }

    #[test]
    fn a_stated_offset_counts_whatever_the_place_says() {
        use ZoneQuality::Stated;
        let berlin = Some("Europe/Berlin");
        check("2026-01-20T14:15:00", Some(480), berlin, "2026-01-20T06:15:00Z", Stated, false);
        check("2026-10-25T02:30:00", Some(60), berlin, "2026-10-25T01:30:00Z", Stated, false);
        check("2026-01-20T14:15:00", Some(0), None, "2026-01-20T14:15:00Z", Stated, false);
        check("2026-01-20T14:15:00", Some(-210), None, "2026-01-20T17:45:00Z", Stated, false);
    }

    #[test]
    fn without_one_the_place_tells() {
        use ZoneQuality::FromPlace;
        let berlin = Some("Europe/Berlin");
        check("2026-01-20T14:15:00", None, berlin, "2026-01-20T13:15:00Z", FromPlace, false);
        check("2026-07-20T14:15:00", None, berlin, "2026-07-20T12:15:00Z", FromPlace, false);
        // after the last transition that the database lists
        check("2060-07-20T14:15:00", None, berlin, "2060-07-20T12:15:00Z", FromPlace, false);
        check(
            "2026-01-20T14:15:00.250",
            None,
            Some("Asia/Kolkata"),
            "2026-01-20T08:45:00.250Z",
            FromPlace,
            false,
        );
    }

    #[test]
    fn hours_that_come_twice_or_never_are_flagged() {
        use ZoneQuality::FromPlace;
        let berlin = Some("Europe/Berlin");
        check("2026-10-25T01:59:00", None, berlin, "2026-10-24T23:59:00Z", FromPlace, false);
        check("2026-10-25T02:30:00", None, berlin, "2026-10-25T00:30:00Z", FromPlace, true);
        check("2026-10-25T03:00:00", None, berlin, "2026-10-25T02:00:00Z", FromPlace, false);
        check("2026-03-29T02:30:00", None, berlin, "2026-03-29T01:30:00Z", FromPlace, true);
    }

    #[test]
    fn with_nothing_it_is_taken_as_utc() {
        use ZoneQuality::Assumed;
        check("2026-01-20T14:15:00", None, None, "2026-01-20T14:15:00Z", Assumed, false);
    }

    #[test]
    fn times_beyond_the_calendar_stop_nobody() {
        let zones = Zones::bundled();
        let zone = zones.get("Europe/Berlin");
        for wall_ms in [i64::MIN, i64::MAX] {
            for offset_minutes in [None, Some(i32::MIN), Some(i32::MAX)] {
                resolve(
                    &OccurrenceTime { wall_ms, offset_minutes, precision: TimePrecision::Second },
                    zone,
                );
            }
        }
    }
}
