use jiff::civil::Date;
use jiff::tz::Offset;
use jiff::{Timestamp, ToSpan};
use waybill_schemas::OccurrenceTime;
use waybill_schemas::vocabulary::TimePrecision;

/// The wall clock of a message that states no offset. 24:00 is the beginning of the next day; a leap
/// second counts as the second before it.
pub(crate) fn local(
    (year, month, day): (i16, i16, i16),
    (hour, minute, second): (i16, i16, i16),
) -> Option<OccurrenceTime> {
    let small = |n: i16| i8::try_from(n).ok();
    let mut date = Date::new(year, small(month)?, small(day)?).ok()?;
    let mut hour = hour;
    if (hour, minute, second) == (24, 0, 0) {
        date = date.checked_add(1.day()).ok()?;
        hour = 0;
    }
    let second = if second == 60 { 59 } else { second };
    let time = jiff::civil::Time::new(small(hour)?, small(minute)?, small(second)?, 0).ok()?;
    let wall: Timestamp = Offset::UTC.to_timestamp(date.to_datetime(time)).ok()?;
    Some(OccurrenceTime::wall(wall.as_millisecond(), TimePrecision::Second))
}

/// Decimal digits alone, at most four of them.
pub(crate) fn number(digits: &str) -> Option<i16> {
    let good = (1..=4).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    good.then(|| digits.parse().ok()).flatten()
}

/// The digits that a text begins with, and what follows.
pub(super) fn digits(text: &str) -> (&str, &str) {
    let end = text.bytes().take_while(u8::is_ascii_digit).count();
    text.split_at(end)
}
