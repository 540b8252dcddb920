use std::fmt;
use std::str::FromStr;

use jiff::{SignedDuration, Span, SpanRelativeTo};

/// A delay as carriers.json writes it: `7d`, `36h`, `1h 30m`; a day is 24 hours. More than zero
/// and at most 366 days, since state is kept as long.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Delay {
    millis: i64,
}

const DAY_MS: i64 = 86_400_000;
const MAX_MS: i64 = 366 * DAY_MS;

impl Delay {
    /// What a carrier has if nothing else is said: devices at sea report late.
    pub const DEFAULT: Self = Self { millis: 7 * DAY_MS };

    pub fn from_millis(millis: i64) -> Result<Self, String> {
        if !(1..=MAX_MS).contains(&millis) {
            return Err("a delay is from 1ms to 366d".into());
        }
        Ok(Self { millis })
    }

    pub fn as_millis(self) -> i64 {
        self.millis
    }
}

impl FromStr for Delay {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let no_delay = || format!("{text:?} is no delay such as \"7d\" or \"36h\"");
        let span: Span = text.parse().map_err(|_| no_delay())?;
        let duration: SignedDuration =
            span.to_duration(SpanRelativeTo::days_are_24_hours()).map_err(|_| no_delay())?;
        if duration.subsec_nanos() % 1_000_000 != 0 {
            return Err(no_delay());
        }
        let millis = duration.as_secs().saturating_mul(1000);
        Self::from_millis(millis.saturating_add(i64::from(duration.subsec_millis())))
    }
}

/// In the largest unit that gives a whole number.
impl fmt::Display for Delay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (unit, millis) in [("d", DAY_MS), ("h", 3_600_000), ("m", 60_000), ("s", 1000)] {
            if self.millis % millis == 0 {
                return write!(f, "{}{unit}", self.millis / millis);
            }
        }
        write!(f, "{}ms", self.millis)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts() {
        for (text, millis, written) in [
            ("7d", 7 * DAY_MS, "7d"),
            ("1w", 7 * DAY_MS, "7d"),
            ("36h", 36 * 3_600_000, "36h"),
            ("1h 30m", 90 * 60_000, "90m"),
            ("48 hours", 2 * DAY_MS, "2d"),
            ("1500ms", 1500, "1500ms"),
            ("366d", MAX_MS, "366d"),
        ] {
            let delay: Delay = text.parse().unwrap();
            assert_eq!((delay.as_millis(), delay.to_string().as_str()), (millis, written));
            assert_eq!(written.parse(), Ok(delay));
        }
        for text in ["", "7", "0d", "-1d", "367d", "1 month", "7 dogs", "1us", "99999999999d"] {
            assert!(text.parse::<Delay>().is_err(), "{text}");
        }
    }
}
