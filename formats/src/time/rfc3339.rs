use jiff::civil::Date;
use jiff::tz::Offset;
use waybill_schemas::OccurrenceTime;
use waybill_schemas::vocabulary::TimePrecision;

/// A date-time by RFC 3339 section 5.6, which always states its offset. Fractions of a second are
/// cut to ms; a leap second counts as the second before it.
pub(crate) fn rfc3339(text: &str) -> Option<OccurrenceTime> {
    let mut rest = Scanner(text.as_bytes());
    let year = rest.digits(4)?;
    rest.one_of(b"-")?;
    let month = rest.digits(2)?;
    rest.one_of(b"-")?;
    let day = rest.digits(2)?;
    rest.one_of(b"Tt")?;
    let hour = rest.digits(2)?;
    rest.one_of(b":")?;
    let minute = rest.digits(2)?;
    rest.one_of(b":")?;
    let second = rest.digits(2).filter(|s| *s <= 60)?.min(59);
    let mut ms = 0;
    if rest.one_of(b".").is_some() {
        let mut unit = 100;
        ms += rest.digits(1)? * unit;
        while let Some(digit) = rest.digits(1) {
            unit /= 10;
            ms += digit * unit;
        }
    }
    let offset_minutes = match rest.one_of(b"Zz+-")? {
        sign @ (b'+' | b'-') => {
            let hours = rest.digits(2).filter(|h| *h <= 23)?;
            rest.one_of(b":")?;
            let minutes = rest.digits(2).filter(|m| *m <= 59)?;
            let east = i32::from(hours) * 60 + i32::from(minutes);
            if sign == b'+' { east } else { -east }
        }
        _ => 0,
    };
    if !rest.0.is_empty() {
        return None;
    }
    let small = |n: i16| i8::try_from(n).ok();
    // Checks that the day, the hour and the minute exist.
    let date = Date::new(year, small(month)?, small(day)?).ok()?;
    let time = jiff::civil::Time::new(small(hour)?, small(minute)?, small(second)?, 0).ok()?;
    let wall = Offset::UTC.to_timestamp(date.to_datetime(time)).ok()?;
    Some(OccurrenceTime {
        wall_ms: wall.as_millisecond() + i64::from(ms),
        offset_minutes: Some(offset_minutes),
        precision: TimePrecision::Second,
    })
}

struct Scanner<'a>(&'a [u8]);

impl Scanner<'_> {
    fn one_of(&mut self, allowed: &[u8]) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        allowed.contains(first).then(|| {
            self.0 = rest;
            *first
        })
    }

    /// Exactly `n` decimal digits; `n` is at most 4.
    fn digits(&mut self, n: usize) -> Option<i16> {
        let (digits, rest) = self.0.split_at_checked(n)?;
        let number = digits.iter().try_fold(0, |sum: i16, d| {
            d.is_ascii_digit().then(|| sum * 10 + i16::from(d - b'0'))
        })?;
        self.0 = rest;
        Some(number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expect: Option<(&str, i32)>) {
        let expect = expect.map(|(utc, offset)| {
            OccurrenceTime::stated(utc.parse::<jiff::Timestamp>().unwrap().as_millisecond(), offset)
        });
        assert_eq!(rfc3339(text), expect, "{text}");
    }

    #[test]
    fn date_times() {
        check("2026-01-20T14:15:00Z", Some(("2026-01-20T14:15:00Z", 0)));
        check("2026-01-20t14:15:00z", Some(("2026-01-20T14:15:00Z", 0)));
        check("2019-11-12T07:41:00+08:30", Some(("2019-11-11T23:11:00Z", 510)));
        check("2026-01-20T00:15:00.1234567-03:00", Some(("2026-01-20T03:15:00.123Z", -180)));
        check("2026-01-20T00:15:00.5-00:00", Some(("2026-01-20T00:15:00.500Z", 0)));
        check("2024-02-29T12:00:00Z", Some(("2024-02-29T12:00:00Z", 0)));
        check("2016-12-31T23:59:60Z", Some(("2016-12-31T23:59:59Z", 0)));
        for wrong in [
            "",
            "2026-01-20",
            "2026-01-20T14:15:00",
            "2026-01-20 14:15:00Z",
            "2026-01-20T14:15Z",
            "2026-01-20T14:15:00.Z",
            "2026-01-20T14:15:00+0830",
            "2026-01-20T14:15:00+24:00",
            "2026-01-20T14:15:00+08:60",
            "2026-01-20T14:15:00Z ",
            "2026-01-20T14:15:00ZZ",
            "2023-02-29T12:00:00Z",
            "2026-13-01T12:00:00Z",
            "2026-00-01T12:00:00Z",
            "2026-01-20T24:00:00Z",
            "2026-01-20T23:60:00Z",
            "2026-01-20T23:59:61Z",
            "2021 01 01 14:12:56",
            "2019/11/12 07:41:00 +08:30",
            "20260120T141500Z",
            "+026-01-20T14:15:00Z",
            "２026-01-20T14:15:00Z",
        ] {
            check(wrong, None);
        }
    }
}
