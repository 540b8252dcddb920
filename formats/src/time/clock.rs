//! `15:24`, `15:24:57.5`, `1524`, `152457`, `3:24 PM`.

use waybill_schemas::OccurrenceTime;
use waybill_schemas::vocabulary::TimePrecision;

use super::calendar::{digits, local, number};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Clock {
    hour: i16,
    minute: i16,
    second: i16,
    ms: i16,
    precision: TimePrecision,
}

/// No clock: the day.
pub(super) const NONE: Clock =
    Clock { hour: 0, minute: 0, second: 0, ms: 0, precision: TimePrecision::Day };

impl Clock {
    pub(super) fn on(self, date: (i16, i16, i16)) -> Option<OccurrenceTime> {
        let at = local(date, (self.hour, self.minute, self.second))?;
        let wall_ms = at.wall_ms + i64::from(self.ms);
        Some(OccurrenceTime { wall_ms, precision: self.precision, ..at })
    }
}

/// The clock that a text begins with, and what follows.
pub(super) fn read(text: &str) -> Option<(Clock, &str)> {
    let text = text.strip_prefix("at ").unwrap_or(text);
    let (head, rest) = digits(text);
    let (clock, rest) = match head.len() {
        1 | 2 if rest.starts_with(':') => with_colons(number(head)?, rest.get(1..)?)?,
        // `9 am` is as good as `9:00 am`; `9` says nothing.
        1 | 2 if half(rest).is_some() => {
            (Clock { hour: number(head)?, precision: TimePrecision::Minute, ..NONE }, rest)
        }
        4 | 6 | 8 | 9 => (compact(head)?, rest),
        _ => return None,
    };
    match half(rest) {
        None => Some((clock, rest)),
        Some((_, _)) if !(1..=12).contains(&clock.hour) => None,
        Some((afternoon, rest)) => {
            let hour = clock.hour % 12 + if afternoon { 12 } else { 0 };
            Some((Clock { hour, ..clock }, rest))
        }
    }
}

fn with_colons(hour: i16, text: &str) -> Option<(Clock, &str)> {
    let (minute, rest) = digits(text);
    let minute = number(minute).filter(|_| minute.len() <= 2)?;
    let to_minute = Clock { hour, minute, precision: TimePrecision::Minute, ..NONE };
    let Some(text) = rest.strip_prefix(':') else { return Some((to_minute, rest)) };
    let (second, rest) = digits(text);
    let second = number(second).filter(|n| second.len() <= 2 && *n <= 60)?;
    let clock = Clock { second, precision: TimePrecision::Second, ..to_minute };
    match rest.strip_prefix(['.', ',']) {
        None => Some((clock, rest)),
        Some(text) => {
            let (fraction, rest) = digits(text);
            let thousandths: Vec<u8> = fraction.bytes().chain(*b"000").take(3).collect();
            let ms = number(std::str::from_utf8(&thousandths).ok()?)?;
            (!fraction.is_empty()).then_some((Clock { ms, ..clock }, rest))
        }
    }
}

/// HHMM, HHMMSS, and that with hundredths or ms behind it.
fn compact(digits: &str) -> Option<Clock> {
    let part = |from: usize, to: usize| digits.get(from..to).and_then(number);
    let second = part(4, 6);
    let ms = match digits.len() {
        8 => part(6, 8)? * 10,
        9 => part(6, 9)?,
        _ => 0,
    };
    let precision = if second.is_some() { TimePrecision::Second } else { TimePrecision::Minute };
    let second = second.unwrap_or(0);
    (second <= 60).then_some(Clock {
        hour: part(0, 2)?,
        minute: part(2, 4)?,
        second,
        ms,
        precision,
    })
}

/// Whether a text begins with the afternoon (`PM`, `p.m.`) or the morning, and what follows.
fn half(text: &str) -> Option<(bool, &str)> {
    let text = text.trim_start();
    ["am", "pm", "a.m.", "p.m."].into_iter().find_map(|word| {
        let (head, rest) = text.split_at_checked(word.len())?;
        let ends = !rest.starts_with(|c: char| c.is_alphanumeric());
        (head.eq_ignore_ascii_case(word) && ends).then_some((word.starts_with('p'), rest))
    })
}
