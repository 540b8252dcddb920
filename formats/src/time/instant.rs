//! Numbers that count from the beginning of an era.

use jiff::Timestamp;
use waybill_schemas::OccurrenceTime;
use waybill_schemas::vocabulary::TimePrecision;

use super::offset::at_offset;

/// .NET's ticks (100 ns since the year 1) at 1970.
const TICKS_AT_1970: i64 = 621_355_968_000_000_000;

/// Seconds, ms, µs or ns since 1970, by how many digits there are; .NET's ticks and its `/Date(…)/`.
pub(super) fn read(text: &str) -> Option<OccurrenceTime> {
    if let Some(inner) = dot_net(text) {
        return dated(inner);
    }
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if !whole.bytes().chain(fraction.bytes()).all(|b| b.is_ascii_digit()) {
        return None;
    }
    let number: i64 = whole.parse().ok()?;
    let ms = match whole.len() {
        10 => {
            let thousandths = fraction.bytes().chain(*b"000").take(3);
            number * 1000 + thousandths.fold(0, |sum, digit| sum * 10 + i64::from(digit - b'0'))
        }
        13 => number,
        16 => number / 1000,
        19 => number / 1_000_000,
        // A wall clock: ticks do not say of which zone.
        18 => {
            let ms = number.checked_sub(TICKS_AT_1970)? / 10_000;
            let plausible = (0..=4_102_444_800_000).contains(&ms);
            return plausible.then(|| OccurrenceTime::wall(ms, TimePrecision::Second));
        }
        _ => return None,
    };
    Some(OccurrenceTime::stated(Timestamp::from_millisecond(ms).ok()?.as_millisecond(), 0))
}

/// What stands within `/Date(…)/`; the slashes may be escaped twice.
fn dot_net(text: &str) -> Option<&str> {
    text.trim_matches(['\\', '/']).strip_prefix("Date(")?.strip_suffix(')')
}

/// ms since 1970 in UTC; the offset behind it is that of the clock it was read from.
fn dated(inner: &str) -> Option<OccurrenceTime> {
    let sign = inner.get(1..)?.find(['+', '-']).map(|at| at + 1);
    let (ms, offset) = sign.map_or((inner, ""), |at| inner.split_at(at));
    let ms = Timestamp::from_millisecond(ms.parse().ok()?).ok()?.as_millisecond();
    if offset.is_empty() {
        return Some(OccurrenceTime::stated(ms, 0));
    }
    let minutes = at_offset(OccurrenceTime::stated(ms, 0), offset)?.offset_minutes?;
    Some(OccurrenceTime::stated(ms, minutes))
}
