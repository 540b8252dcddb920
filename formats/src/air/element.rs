//! Data elements of Cargo-IMP lines by their form (CIMP manual, section 3).

use waybill_schemas::OccurrenceTime;
use waybill_schemas::vocabulary::Classifier;

use super::codes;
use super::consignment::Amounts;
use crate::{YearOpen, time};

/// A leap year, in which every day of a message without a year exists.
pub(super) const ANY_YEAR: i16 = 2000;

const MONTHS: [&str; 12] =
    ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];

/// A date with or without a time of day: `16OCT`, `16OCT1317`. Local.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct DayTime {
    day: i16,
    month: i16,
    clock: Option<(i16, i16)>,
    then_days: i8,
}

/// A time of departure or arrival: `S0310`, `A1117-P`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ClockTime {
    pub classifier: Classifier,
    clock: (i16, i16),
    then_days: i8,
}

impl DayTime {
    /// Two digits and three letters: whether it is meant as a date.
    pub fn is_meant(text: &str) -> bool {
        let Some((head, tail)) = text.as_bytes().split_at_checked(5) else { return false };
        let (day, month) = head.split_at(2);
        day.iter().all(u8::is_ascii_digit)
            && month.iter().all(u8::is_ascii_alphabetic)
            && tail.first().is_none_or(|b| b.is_ascii_digit() || *b == b'-')
    }

    pub fn read(text: &str) -> Option<Self> {
        let (day, month, rest) = day_month(text)?;
        let (clock, then_days) = match rest.split_once('-') {
            Some((clock, indicator)) => (clock, days(indicator)?),
            None => (rest, 0),
        };
        let clock = if clock.is_empty() { None } else { Some(hours_minutes(clock)?) };
        let read = Self { day, month, clock, then_days };
        read.at(None).map(|_| read)
    }

    /// The day alone, of a time of day that is none.
    pub fn day_alone(text: &str) -> Option<Self> {
        Self::read(text.get(..5)?)
    }

    pub fn has_clock(&self) -> bool {
        self.clock.is_some()
    }

    /// At the date's own time of day, or else at 00:00; or at another one of that date.
    pub fn at(&self, other: Option<ClockTime>) -> Option<(OccurrenceTime, YearOpen)> {
        let own = (self.clock.unwrap_or((0, 0)), self.then_days);
        let ((hour, minute), then_days) = other.map_or(own, |o| (o.clock, o.then_days));
        let date = (ANY_YEAR, self.month, self.day);
        let clock = self.clock.is_some() || other.is_some();
        let at = if clock { time::minute(date, (hour, minute))? } else { time::day(date)? };
        Some((at, YearOpen { month_too: false, then_days }))
    }
}

/// `16OCT…`: the day, the month, and what follows.
fn day_month(text: &str) -> Option<(i16, i16, &str)> {
    let (head, rest) = text.split_at_checked(5)?;
    let (day, month) = head.split_at_checked(2)?;
    let month = MONTHS.iter().position(|m| m.eq_ignore_ascii_case(month))?;
    Some((time::number(day)?, i16::try_from(month).ok()? + 1, rest))
}

/// A date with its year, as FWB has it: `16OCT23`. (The standard is of 1989.)
pub(super) fn full_date(text: &str) -> Option<OccurrenceTime> {
    let (day, month, year) = day_month(text)?;
    let year = time::number(year).filter(|_| year.len() == 2)?;
    let century = if year >= 80 { 1900 } else { 2000 };
    time::day((century + year, month, day))
}

fn hours_minutes(text: &str) -> Option<(i16, i16)> {
    let (hour, minute) = text.split_at_checked(2)?;
    let (hour, minute) = (time::number(hour)?, time::number(minute)?);
    (text.len() == 4 && (hour <= 23 || (hour, minute) == (24, 0)) && minute <= 59)
        .then_some((hour, minute))
}

/// Day change indicator: the day before, the next, the second and the third day after.
fn days(indicator: &str) -> Option<i8> {
    [("P", -1), ("N", 1), ("S", 2), ("T", 3)]
        .into_iter()
        .find_map(|(code, days)| (code == indicator).then_some(days))
}

impl ClockTime {
    /// One of the letters, and four digits: whether it is meant as a time. (A quantity of a split
    /// consignment begins with S, too: it states its weight.)
    pub fn is_meant(text: &str) -> bool {
        let [b'S' | b'E' | b'A', clock @ ..] = text.as_bytes() else { return false };
        let digits = clock.iter().take_while(|b| b.is_ascii_digit()).count();
        digits == 4 && clock.get(digits).is_none_or(|b| *b == b'-')
    }

    pub fn read(text: &str) -> Option<Self> {
        let (kind, rest) = text.split_at_checked(1)?;
        let (clock, then_days) = match rest.split_once('-') {
            Some((clock, indicator)) => (clock, days(indicator)?),
            None => (rest, 0),
        };
        let clock = hours_minutes(clock)?;
        Some(Self { classifier: codes::time_type(kind)?, clock, then_days })
    }
}

/// Two or three characters of the carrier, one to four digits, and perhaps a letter: `LH400`.
pub(super) fn is_flight(text: &str) -> bool {
    let bytes = text.as_bytes();
    // Of two characters one is a letter (`QR`, `O3`, `5X`), of three all are.
    (2..=3).any(|carrier| {
        let Some((carrier, number)) = bytes.split_at_checked(carrier) else { return false };
        let digits = number.iter().take_while(|b| b.is_ascii_digit()).count();
        let suffix = number.get(digits..).unwrap_or_default();
        is_carrier_code(carrier)
            && (carrier.len() == 2 || carrier.iter().all(u8::is_ascii_uppercase))
            && (1..=4).contains(&digits)
            && suffix.len() <= 1
            && suffix.iter().all(u8::is_ascii_uppercase)
    })
}

fn is_carrier_code(bytes: &[u8]) -> bool {
    bytes.iter().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
        && bytes.iter().any(u8::is_ascii_uppercase)
}

/// A carrier alone: `BA`.
pub(super) fn is_carrier(text: &str) -> bool {
    text.len() == 2 && is_carrier_code(text.as_bytes())
}

/// One airport or two, without a blank between them: `FRA`, `FRAJFK`.
pub(super) fn airports(text: &str) -> Option<(&str, Option<&str>)> {
    if !matches!(text.len(), 3 | 6) || !text.bytes().all(|b| b.is_ascii_uppercase()) {
        return None;
    }
    let (first, second) = text.split_at_checked(3)?;
    Some((first, Some(second).filter(|s| !s.is_empty())))
}

/// Shipment description code and a number: whether it is meant as a quantity.
pub(super) fn is_meant_as_quantity(text: &str) -> bool {
    matches!(text.as_bytes(), [b'T' | b'P' | b'S' | b'D' | b'M', b'0'..=b'9', ..])
}

/// Whether it is meant as a volume or a density: `MC4.761`, `DG8`.
pub(super) fn is_meant_as_volume(text: &str) -> bool {
    let code = text.get(..2).unwrap_or_default();
    matches!(code, "MC" | "CC" | "CF" | "CI" | "DG")
        && text.as_bytes().get(2).is_some_and(u8::is_ascii_digit)
}

/// `T10K1000.0`, `P2K505.0T10` (two of ten pieces), `T6K120.0MC0.31`, `MC4.761DG8`.
pub(super) fn quantity(text: &str) -> Option<Amounts> {
    let mut amounts = Amounts::default();
    let mut rest = text;
    let mut first = true;
    while !rest.is_empty() {
        let letters = rest.bytes().take_while(u8::is_ascii_uppercase).count();
        let (code, tail) = rest.split_at_checked(letters)?;
        let digits = tail.bytes().take_while(|b| b.is_ascii_digit() || *b == b'.').count();
        let (number, tail) = tail.split_at_checked(digits)?;
        // The standard's longest has seven characters, and nine of a volume.
        let value: f64 = Some(number).filter(|n| n.len() <= 12)?.parse().ok()?;
        match code {
            "T" | "P" | "S" | "D" | "M" if first => amounts.pieces = Some(value),
            // How many pieces the whole consignment has.
            "T" => {}
            "K" | "L" => amounts.weight = Some((value, codes::unit(code)?)),
            "MC" | "CC" | "CF" | "CI" => amounts.volume = Some((value, codes::unit(code)?)),
            // A group of densities.
            "DG" => {}
            _ => return None,
        }
        first = false;
        rest = tail;
    }
    Some(amounts)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wall(text: &str) -> Option<String> {
        let (at, open) = DayTime::read(text)?.at(None)?;
        assert_eq!(at.offset_minutes, None);
        let wall = jiff::Timestamp::from_millisecond(at.wall_ms).unwrap();
        Some(format!("{wall} {:+}", open.then_days))
    }

    #[test]
    fn dates_and_times() {
        for (text, expect) in [
            ("16OCT1317", Some("2000-10-16T13:17:00Z +0")),
            ("16OCT", Some("2000-10-16T00:00:00Z +0")),
            ("29FEB2359", Some("2000-02-29T23:59:00Z +0")),
            ("31DEC0030-N", Some("2000-12-31T00:30:00Z +1")),
            ("01MAR0030-P", Some("2000-03-01T00:30:00Z -1")),
            ("30FEB", None),
            ("31APR1200", None),
            ("00JAN", None),
            ("16OKT", None),
            ("16OCT2400", Some("2000-10-17T00:00:00Z +0")),
            ("16OCT2401", None),
            ("16OCT131", None),
            ("16OCT13171", None),
            ("16OCT1317-X", None),
            ("6OCT1317", None),
            ("", None),
        ] {
            assert_eq!(wall(text).as_deref(), expect, "{text}");
        }
        assert!(DayTime::is_meant("32JAN9999") && DayTime::is_meant("16OKT"));
        assert!(!DayTime::is_meant("LH400") && !DayTime::is_meant("16OCTX"));
    }

    #[test]
    fn clock_times() {
        for (text, expect) in [
            ("S0310", Some((Classifier::Planned, (3, 10), 0))),
            ("E2359", Some((Classifier::Estimated, (23, 59), 0))),
            ("A1117-P", Some((Classifier::Actual, (11, 17), -1))),
            ("S0015-N", Some((Classifier::Planned, (0, 15), 1))),
            ("S0015-S", Some((Classifier::Planned, (0, 15), 2))),
            ("A2400", Some((Classifier::Actual, (24, 0), 0))),
            ("A2401", None),
            ("A12", None),
            ("X1200", None),
            ("A1200-", None),
        ] {
            let read = ClockTime::read(text).map(|t| (t.classifier, t.clock, t.then_days));
            assert_eq!(read, expect, "{text}");
        }
        assert!(ClockTime::is_meant("A9999") && ClockTime::is_meant("S0310-N"));
        assert!(!ClockTime::is_meant("S3K100") && !ClockTime::is_meant("S12345"));
    }

    #[test]
    fn flights_carriers_and_airports() {
        for flight in ["LH400", "QR8985", "O31698", "5X12", "DNT212", "LX8012T", "BA1"] {
            assert!(is_flight(flight), "{flight}");
        }
        for other in ["LH", "FRA", "16OCT", "T1K100", "12345", "LH40000", "LH400TT", "", "lh400"] {
            assert!(!is_flight(other), "{other}");
        }
        assert!(is_carrier("BA") && is_carrier("5X") && !is_carrier("12") && !is_carrier("BAW"));
        assert_eq!(airports("FRA"), Some(("FRA", None)));
        assert_eq!(airports("FRAJFK"), Some(("FRA", Some("JFK"))));
        assert_eq!(airports("LCAG"), None);
        assert_eq!(airports("Fra"), None);
    }

    #[test]
    fn quantities() {
        let of = |pieces: Option<f64>, weight, volume| Some(Amounts { pieces, weight, volume });
        for (text, expect) in [
            ("T1K100", of(Some(1.0), Some((100.0, "kg")), None)),
            ("T25K4532.00", of(Some(25.0), Some((4532.0, "kg")), None)),
            ("P2K505.0T10", of(Some(2.0), Some((505.0, "kg")), None)),
            ("T6K120.0MC0.31", of(Some(6.0), Some((120.0, "kg")), Some((0.31, "m3")))),
            ("S3L22", of(Some(3.0), Some((22.0, "[lb_av]")), None)),
            ("T7", of(Some(7.0), None, None)),
            ("CF12.5DG8", of(None, None, Some((12.5, "[cft_i]")))),
            ("T", None),
            ("TK1", None),
            ("T1K", None),
            ("T1K1.2.3", None),
            ("T1X5", None),
            ("T1K1/", None),
            ("T1000000000000000", None),
        ] {
            assert_eq!(quantity(text), expect, "{text}");
        }
    }

    #[test]
    fn full_dates() {
        let date = |text| full_date(text).map(|t| t.wall_ms / 86_400_000);
        assert_eq!(date("16OCT23"), Some(19_646));
        assert_eq!(date("07JUL98"), Some(10_414));
        assert_eq!(date("29FEB23"), None);
        assert_eq!(date("16OCT2023"), None);
        assert_eq!(date("16OCT"), None);
    }
}
