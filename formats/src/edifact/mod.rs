//! UN/EDIFACT (ISO 9735; RFC 1767: `application/EDIFACT`): status messages of carriers and terminals,
//! of directories D.95B to D.04A and after, EANCOM's among them.
//!
//! | message | what | event |
//! |---|---|---|
//! | IFTSTA | International multimodal status report | each `STS`, for each of its `EQD`; each `DTM` of a `LOC` on the way |
//! | CODECO | Container gate-in/gate-out report | each `EQD` |
//! | COARRI | Container discharge/loading report | each `EQD` |
//!
//! Other messages are each a reject `unsupported`.
//!
//! **Service characters** are those of the UNA, else the default ones. **Envelope**:
//! `edi/envelope.rs`.
//!
//! **Times** are wall clocks, unless their format (2379) has the offset (205), or a zone (301 to 304)
//! that is UTC or an offset; other zones are names and state none. A date without a time is 00:00;
//! of a period (713, 717 to 719) it is the beginning. A format that its digits contradict is noted, and
//! the digits count.
//!
//! **Codes** belong to the list that stands beside them (1131, and its agency, 3055): `lists.rs`. A code
//! of somebody's own list is kept with that list in front (`CARRIER/I`), and nothing else is made of
//! it.
//!
//! **Status codes** of digits are those of UNECE Recommendation 24 (of which 4405, and 9011 before it,
//! are the same), if that is said or nothing is. Codes of one or two letters of which nothing is said
//! are those of X12 element 157, which ocean carriers send in IFTSTA, too.

pub mod codes;
mod elements;
mod equipment;
mod lists;
mod moments;
pub mod status;
mod transport;

use waybill_stage::{Code, Reject};

use crate::Parts;
use crate::edi::envelope::{self, Level, Message, Syntax};
use crate::edi::{Output, Separators, begins};

/// Compared without regard to case.
pub const MEDIA_TYPE: &str = "application/edifact";

const SYNTAX: Syntax = Syntax {
    interchange: Level {
        header: "UNB",
        number: 5,
        trailer: "UNZ",
        names: ["UNZ 0036", "UNZ 0020"],
    },
    starts: &["UNA", "UNB"],
    group: Level { header: "UNG", number: 5, trailer: "UNE", names: ["UNE 0060", "UNE 0048"] },
    groups_required: false,
    acknowledgement: "UCI",
    message: Level { header: "UNH", number: 1, trailer: "UNT", names: ["UNT 0074", "UNT 0062"] },
    begin,
    not_begun: "no EDIFACT: expected UNA or UNB, and distinct service characters",
    supports: is_supported,
    read: message,
};

pub fn read(text: &str, parts: &mut Parts) -> Result<(), Reject> {
    envelope::read(text, &SYNTAX, parts)
}

/// UNA (ISO 9735-1 annex B): component and element separator, decimal mark, release character,
/// repetition separator, segment terminator; a blank where it is not used. The decimal mark is not
/// looked at: a number may have either.
fn begin(text: &str) -> Option<(Separators, usize)> {
    let given = text.get(3..).filter(|_| begins(text, "UNA")).map(str::as_bytes);
    let (separators, before) = match given {
        Some([component, element, _, release, repetition, segment, ..]) => {
            let used = |b: u8| (b != b' ').then_some(b);
            let separators = Separators {
                segment: *segment,
                element: *element,
                component: *component,
                repetition: used(*repetition),
                release: used(*release),
            };
            (separators, 9)
        }
        Some(_) => return None,
        None => {
            // Version 4 of the syntax has repetitions.
            let repetition = text.get(..10).is_some_and(|t| t.ends_with(":4")).then_some(b'*');
            let separators = Separators {
                segment: b'\'',
                element: b'+',
                component: b':',
                repetition,
                release: Some(b'?'),
            };
            (separators, 0)
        }
    };
    let header = text.get(before..)?.trim_start();
    (begins(header, "UNB") && separators.are_distinct()).then_some((separators, before))
}

fn is_supported(message: &Message<'_, '_>) -> Result<(), Reject> {
    match message.segments.first().map(|header| header.code(2, 1)).as_deref() {
        Some("IFTSTA" | "CODECO" | "COARRI") => Ok(()),
        _ => {
            let detail = "UNH 0065: this message is not read; IFTSTA, CODECO and COARRI are";
            Err(Reject::new(Code::Unsupported, detail))
        }
    }
}

fn message(message: Message<'_, '_>, parts: &mut Output<'_>) -> Result<(), Reject> {
    match message.segments.first().map(|header| header.code(2, 1)).as_deref() {
        Some("IFTSTA") => transport::read(message.segments, parts),
        kind => equipment::read(message.segments, kind == Some("COARRI"), parts),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn service_characters() {
        let check = |text: &str, expect: Option<(&str, usize)>| {
            let found = begin(text).map(|(s, before)| {
                let own = [s.component, s.element, s.release.unwrap_or(b' ')];
                let more = [s.repetition.unwrap_or(b' '), s.segment];
                (own.into_iter().chain(more).map(char::from).collect::<String>(), before)
            });
            let expect = expect.map(|(own, before)| (own.to_owned(), before));
            assert_eq!(found, expect, "{text}");
        };
        check("UNB+UNOA:2+A", Some((":+? '", 0)));
        check("UNB+UNOC:4+A", Some((":+?*'", 0)));
        check("UNA:+.? 'UNB+", Some((":+? '", 9)));
        check("UNA:+,?*'\r\nUNB+", Some((":+?*'", 9)));
        check("UNA|;.  ~UNB;", Some(("|;  ~", 9)));
        check("UNA:+.? 'UNH+", None);
        check("UNA::.? 'UNB+", None);
        check("UNA:+", None);
        check("UNH+1", None);
    }
}
