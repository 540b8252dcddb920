//! ASC X12 from version 004010 on (RFC 1767: `application/EDI-X12`): status messages of carriers.
//!
//! | set | what | event |
//! |---|---|---|
//! | 214 | Transportation Carrier Shipment Status Message | each `AT7`; a `G62` of a known date |
//! | 315 | Status Details (Ocean) | `B4`, each `SG` and `V9`; each `DTM` of a port's `R4`; the sailing dates of `Q2` |
//! | 322 | Terminal Operations and Intermodal Ramp Activity | `Q5`, for each `N7`; each `DTM` of an `N7` or `R4` |
//! | 323 | Vessel Schedule and Itinerary (Ocean) | each `DTM` and `V9` of an `R4`, of the vessel `V1` |
//!
//! Other transaction sets are each a reject `unsupported` (310 is an invoice whose dates are those
//! of its voyage). A 323 names no shipment: its events are of a vessel and its voyage, and belong to
//! what the carrier has sealed them under.
//!
//! **Separators** are those of the ISA, which is read by its element separators, since senders drop
//! its fillers. **Envelope**: `edi/envelope.rs`; GS01 is not compared with ST01, for senders mix
//! them up.
//!
//! **Times** are wall clocks. Their time code (element 623) states an offset if it is of UTC
//! (`UT`, `GM`, `01`–`24`), of a standard or a daylight time (`ES`, `ED`, …), or of a zone whose date
//! tells which of the two it is (`ET`, `PT`, …: `daylight.rs`). `LT` is the place's own, and states
//! none. A date without a time, or with one that is none, is a day. A time code that the list does not
//! have states nothing.
//!
//! **Mode**: a 214 is read as road, where it does not state its method (`MS304`); in 315 and 322 a
//! code says it or nothing does.

pub mod codes;
mod daylight;
mod elements;
mod ports;
mod ramp;
mod road;
mod schedule;
pub mod status;
mod vessel;

use waybill_stage::{Code, Reject};

use crate::Parts;
use crate::edi::envelope::{self, Level, Message, Syntax};
use crate::edi::{Output, Separators, begins};

/// Compared without regard to case.
pub const MEDIA_TYPE: &str = "application/edi-x12";

const SYNTAX: Syntax = Syntax {
    interchange: Level { header: "ISA", number: 13, trailer: "IEA", names: ["IEA01", "IEA02"] },
    starts: &["ISA"],
    group: Level { header: "GS", number: 6, trailer: "GE", names: ["GE01", "GE02"] },
    groups_required: true,
    acknowledgement: "TA1",
    message: Level { header: "ST", number: 2, trailer: "SE", names: ["SE01", "SE02"] },
    begin,
    not_begun: "no X12: expected ISA, 16 elements and distinct separators",
    supports: is_supported,
    read: transaction_set,
};

pub fn read(text: &str, parts: &mut Parts) -> Result<(), Reject> {
    envelope::read(text, &SYNTAX, parts)
}

/// ISA: three letters, the element separator, 16 elements of which the last is the component
/// separator, and the segment terminator. Element 11 is the repetition separator from 00402 on;
/// before it was a letter.
fn begin(text: &str) -> Option<(Separators, usize)> {
    let bytes = text.get(3..).filter(|_| begins(text, "ISA"))?.as_bytes();
    let element = *bytes.first()?;
    // Its length is 106; fillers may be missing, and a line end may cut it.
    let places = bytes.iter().take(160).enumerate().filter(|(_, b)| **b == element);
    let mut places = places.map(|(place, _)| place);
    let eleventh = places.nth(10)?;
    let sixteenth = places.nth(4)?;
    let separators = Separators {
        segment: *bytes.get(sixteenth + 2)?,
        element,
        component: *bytes.get(sixteenth + 1)?,
        repetition: bytes.get(eleventh + 1).copied().filter(|b| b.is_ascii_punctuation()),
        release: None,
    };
    separators.are_distinct().then_some((separators, 0))
}

fn is_supported(message: &Message<'_, '_>) -> Result<(), Reject> {
    let refuse = |detail: &'static str| Err(Reject::new(Code::Unsupported, detail));
    // Before 004010 dates had six digits and AT7 another layout.
    let version = message.group.map_or("", |group| group.text(8));
    if version.starts_with("00") && version.get(..6).is_some_and(|v| v < "004010") {
        return refuse("GS08: a version before 004010");
    }
    match message.segments.first().map_or("", |header| header.text(1)) {
        "214" | "315" | "322" | "323" => Ok(()),
        _ => refuse("ST01: this transaction set is not read; 214, 315, 322 and 323 are"),
    }
}

fn transaction_set(message: Message<'_, '_>, parts: &mut Output<'_>) -> Result<(), Reject> {
    match message.segments.first().map_or("", |header| header.text(1)) {
        "214" => road::read(message.segments, parts),
        "315" => vessel::read(message.segments, parts),
        "323" => schedule::read(message.segments, parts),
        _ => ramp::read(message.segments, parts),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn separators_of_the_isa() {
        let check = |isa: &str, expect: Option<(u8, u8, u8, Option<u8>)>| {
            let found = begin(isa).map(|(s, _)| (s.segment, s.element, s.component, s.repetition));
            assert_eq!(found, expect, "{isa}");
        };
        let full = "ISA*00*          *00*          *ZZ*A              *ZZ*B              \
                    *220524*1120*U*00401*000000001*0*P*>~";
        check(full, Some((b'~', b'*', b'>', None)));
        check(&full.replace("*U*", "*^*"), Some((b'~', b'*', b'>', Some(b'^'))));
        check(&full.replace('*', "|").replace('~', "\n"), Some((b'\n', b'|', b'>', None)));
        let short = "ISA*00**00**ZZ*A*ZZ*B*220524*1120*U*00401*1*0*P*:$GS*";
        check(short, Some((b'$', b'*', b':', None)));
        check(&full.replace('~', "*"), None);
        check(&full.replace('>', "A"), None);
        check("ISA*00*~", None);
        check("ISA", None);
        check("GS*QM*A*B~", None);
    }
}
