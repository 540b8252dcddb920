use waybill_schemas::OccurrenceTime;

use super::calendar::number;

/// Zones of North America that RFC 5322 section 4.3 names, hours east of UTC. No other abbreviation
/// means one zone alone.
const NAMED: [(&str, i32); 8] = [
    ("EST", -5),
    ("EDT", -4),
    ("CST", -6),
    ("CDT", -5),
    ("MST", -7),
    ("MDT", -6),
    ("PST", -8),
    ("PDT", -7),
];

/// A wall clock whose offset stands beside it: `Z`, `UTC`, `-05:00`, `+0200`, `+02`, `GMT-04:00`,
/// `EST`, `+01:00[Europe/Berlin]`.
pub(crate) fn at_offset(wall: OccurrenceTime, offset: &str) -> Option<OccurrenceTime> {
    let offset = offset.split_once('[').map_or(offset, |(offset, _)| offset).trim();
    let known = |name: &str| offset.get(..3).is_some_and(|head| head.eq_ignore_ascii_case(name));
    let behind = (known("GMT") || known("UTC")).then(|| offset.get(3..)).flatten();
    let named = NAMED.iter().find(|(name, _)| offset.eq_ignore_ascii_case(name));
    let minutes = match behind.unwrap_or(offset).trim() {
        "Z" | "z" => 0,
        "" if behind.is_some() => 0,
        _ if named.is_some() => named?.1 * 60,
        signed => {
            let (east, digits) = match signed.strip_prefix(['-', '\u{2212}']) {
                Some(digits) => (-1, digits),
                None => (1, signed.strip_prefix('+')?),
            };
            let (hours, minutes) = match digits.split_once(':') {
                Some(both) => both,
                None if digits.len() == 4 => digits.split_at_checked(2)?,
                None => (digits, "0"),
            };
            let hours = number(hours).filter(|h| *h <= 18)?;
            let minutes = number(minutes).filter(|m| *m <= 59)?;
            east * (i32::from(hours) * 60 + i32::from(minutes))
        }
    };
    Some(OccurrenceTime { offset_minutes: Some(minutes), ..wall })
}
