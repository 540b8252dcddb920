//! The year of a date that has none (Cargo-IMP: `16OCT`), by when the message was known.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;
use jiff::{Span, ToSpan};
use waybill_schemas::OccurrenceTime;
use waybill_schemas::vocabulary::Classifier;

use crate::{Draft, YearOpen};

/// How far an actual event may lie after the receipt and yet be of that year: clocks run apart, and
/// local times are up to 14 h ahead of UTC. ms.
const AHEAD_MS: i64 = 2 * 24 * 3_600_000;

/// 29 February may be eight years off (1896, 1904).
const YEARS: i64 = 8;

impl Draft {
    /// Gives `occurred` the year (and the month) that the message does not state: for an actual
    /// event the latest in which it lies no more than two days after `known_at` (ms UTC), for a
    /// planned or estimated one the nearest.
    pub fn resolve_year(&mut self, known_at: i64) {
        let Some(open) = self.year_open else { return };
        let mut best: Option<OccurrenceTime> = None;
        for wall_ms in candidates(self.occurred.wall_ms, open, known_at) {
            let candidate = OccurrenceTime { wall_ms, ..self.occurred };
            let off = |t: &OccurrenceTime| t.utc_or_wall_ms().saturating_sub(known_at);
            let better = match (self.classifier, &best) {
                (Classifier::Actual, _) if off(&candidate) > AHEAD_MS => false,
                (_, None) => true,
                (Classifier::Actual, Some(best)) => off(&candidate) > off(best),
                (_, Some(best)) => off(&candidate).abs() < off(best).abs(),
            };
            if better {
                best = Some(candidate);
            }
        }
        if let Some(best) = best {
            self.occurred = best;
            self.year_open = None;
        }
    }
}

/// The wall clock with each year, or month, about `known_at` in which its date exists.
fn candidates(wall_ms: i64, open: YearOpen, known_at: i64) -> impl Iterator<Item = i64> {
    let civil = |ms: i64| Timestamp::from_millisecond(ms).ok().map(|t| Offset::UTC.to_datetime(t));
    let known = civil(wall_ms).zip(civil(known_at));
    let steps = if open.month_too { -2..=2 } else { -YEARS..=1 };
    steps.filter_map(move |n| {
        let (stated, about) = known?;
        let step: Span = if open.month_too { n.months() } else { n.years() };
        // From the first of the month, so that the step never meets a day that does not exist.
        let month = about.date().first_of_month().checked_add(step).ok()?;
        let month = if open.month_too { month.month() } else { stated.month() };
        let year = about.date().first_of_month().checked_add(step).ok()?.year();
        let date = jiff::civil::Date::new(year, month, stated.day()).ok()?;
        let shifted = date.checked_add(i64::from(open.then_days).days()).ok()?;
        let at: DateTime = shifted.to_datetime(stated.time());
        Offset::UTC.to_timestamp(at).ok().map(|t| t.as_millisecond())
    })
}
