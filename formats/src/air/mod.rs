//! Air cargo, as IATA has it: status messages of the airlines, and the waybill itself.
//!
//! | format | what is read of it |
//! |---|---|
//! | Cargo-IMP (text) | FSU and FSA (status), FWB (air waybill data) |
//! | Cargo-XML | XFSU (status) |
//! | ONE Record (JSON-LD) | logistics events, alone, in lists and in graphs |
//!
//! The three share one list of status codes ([`codes::STATUS`]). An event is about its air waybill:
//! that is its document. Unit load devices are references of the event and not its equipment, since
//! many consignments travel in one of them.

pub mod cargo_imp;
pub mod codes;
mod consignment;
mod element;
mod fsu;
pub mod fwb;
mod json_ld;
pub mod one_record;
pub mod xfsu;

use waybill_schemas::OccurrenceTime;
use waybill_schemas::vocabulary::TimePrecision;

use crate::time;

pub const CARGO_IMP: &str = "application/vnd.iata.cargo-imp";
pub const XFSU: &str = "application/vnd.iata.xfsu+xml";
pub const ONE_RECORD: &str = "application/vnd.iata.one-record+json";

/// `xsd:dateTime`: RFC 3339, or, as XML Schema 1.1 section 3.3.7 also has it, without an offset, and
/// then a wall clock of the place.
fn date_time(text: &str) -> Option<OccurrenceTime> {
    time::read(text)
}

/// The same, or the day alone where the clock behind it is no time: then it is odd.
fn date_time_or_day(text: &str) -> Option<(OccurrenceTime, bool)> {
    if let Some(read) = date_time(text) {
        return Some((read, false));
    }
    let (day, clock) = text.trim().split_once(['T', 't', ' '])?;
    let day = time::read(day).filter(|day| day.precision == TimePrecision::Day)?;
    (!clock.is_empty()).then_some((day, true))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn date_times() {
        for (text, expect) in [
            ("2023-10-16T16:15:00.000Z", Some((1_697_472_900_000, Some(0)))),
            ("2023-10-16T16:15:00+02:00", Some((1_697_472_900_000, Some(120)))),
            ("2023-10-16T16:15:00", Some((1_697_472_900_000, None))),
            ("2023-10-16T16:15:00.5", Some((1_697_472_900_500, None))),
            ("2023-10-16", Some((1_697_414_400_000, None))),
            ("2023-10-16T16:15", Some((1_697_472_900_000, None))),
            ("", None),
        ] {
            let read = date_time(text).map(|t| (t.wall_ms, t.offset_minutes));
            assert_eq!(read, expect, "{text}");
        }
        let or_day = |text| date_time_or_day(text).map(|(t, odd)| (t.wall_ms, odd));
        assert_eq!(or_day("2023-10-16T16:15:00"), Some((1_697_472_900_000, false)));
        assert_eq!(or_day("2023-10-16T25:15:00Z"), Some((1_697_414_400_000, true)));
        assert_eq!(or_day("2023-10-36T25:15:00Z"), None);
        assert_eq!(or_day("2023-10-16T"), None);
    }
}
