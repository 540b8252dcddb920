//! Cargo-IMP: messages of lines, in upper case, each begun by its identifier and version
//! (`FSU/14`), as IATA's CIMP manual has them.
//!
//! Of the messages FSU, FSA and FWB are read; FNA is an error answer; the others are no status.
//! One payload may hold several, each in a Type B envelope (`QD …`, `.ORIGIN DDHHMM`), an EDIFACT one
//! (`UNB+IATA:1+…'`), or none. A message may also stand on one line, blanks in place of its line
//! ends, as documents show it.
//!
//! Its times are local, at the airport of the line, and have no year: see
//! [`Draft::year_open`](crate::Draft::year_open). What the envelope says helps: EDIFACT's has the
//! date with its year, and Type B's the day and the time of day (UTC) when the message was sent.

use std::borrow::Cow;

use waybill_schemas::OccurrenceTime;
use waybill_stage::{Code, Reject};

use super::{fsu, fwb};
use crate::location::Location;
use crate::{Draft, Parts, limits, time};

/// When the envelope says that the message was sent.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Envelope {
    /// Day of the month, hour and minute, UTC (Type B; IATA SCRM).
    pub sent: Option<(i16, i16, i16)>,
    /// The date with its year, and the time of day if it has one, as if UTC (EDIFACT UNB S004).
    pub dated: Option<OccurrenceTime>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Status update.
    Fsu,
    /// Answer to a status request.
    Fsa,
    /// Air waybill data.
    Fwb,
    /// Error.
    Fna,
    /// Any other: no status.
    Foreign,
}

/// One message: its lines without that of its identifier, with their numbers.
#[derive(Debug, Default)]
pub(super) struct Message<'t> {
    /// Number of the line of its identifier.
    pub line: usize,
    pub lines: Vec<(usize, &'t str)>,
    pub envelope: Envelope,
}

/// Reads the status messages and air waybills of the payload.
pub fn read(text: &str, parts: &mut Parts) -> Result<(), Reject> {
    // The standard has capital letters alone.
    let text = match text.bytes().any(|b| b.is_ascii_lowercase()) {
        true => Cow::Owned(text.to_ascii_uppercase()),
        false => Cow::Borrowed(text),
    };
    let read = messages(&text, parts);
    if read.is_err() {
        parts.clear();
    }
    read
}

fn messages(text: &str, parts: &mut Parts) -> Result<(), Reject> {
    let mut reader = Reader::default();
    let end = if text.contains('\n') { '\n' } else { '\r' };
    for (number, line) in (1..).zip(text.split(end)) {
        let line = line.trim_matches(|c: char| c.is_control() || c == ' ');
        reader.line(number, line, parts)?;
    }
    reader.end_message(parts)?;
    match (reader.messages, reader.first_refused) {
        (0, _) => Err(Reject::new(Code::Unparsable, "no line with the identifier of a message")),
        (_, Some((_, reject))) => Err(reject),
        _ => Ok(()),
    }
}

#[derive(Debug, Default)]
struct Reader<'t> {
    envelope: Envelope,
    kind: Option<Kind>,
    message: Message<'t>,
    messages: usize,
    /// The first message, if it was refused as a whole: alone in its payload it is all of it.
    first_refused: Option<(usize, Reject)>,
}

impl<'t> Reader<'t> {
    fn line(&mut self, number: usize, line: &'t str, parts: &mut Parts) -> Result<(), Reject> {
        if !is_edifact(line) {
            return self.plain_line(number, line, parts);
        }
        for piece in line.split('\'').map(str::trim) {
            match piece.get(..3) {
                Some("UNB") => {
                    self.envelope.dated = piece.split('+').nth(4).and_then(interchange_date);
                }
                Some("UNT") => self.end_message(parts)?,
                Some("UNZ") => self.envelope.dated = None,
                Some("UNA" | "UNH") => {}
                _ => self.plain_line(number, piece, parts)?,
            }
        }
        Ok(())
    }

    fn plain_line(
        &mut self,
        number: usize,
        line: &'t str,
        parts: &mut Parts,
    ) -> Result<(), Reject> {
        if let Some((kind, rest)) = identifier(line) {
            self.end_message(parts)?;
            self.kind = Some(kind);
            self.message.line = number;
            self.message.envelope = self.envelope;
            self.envelope.sent = None;
            if let Some((consignment, rest)) = rest.trim().split_once(' ') {
                self.message.lines.extend([(number, consignment), (number, rest.trim())]);
            }
        } else if let Some(sent) = origin(line) {
            self.end_message(parts)?;
            self.envelope.sent = sent;
        } else if is_addresses(line) || line == "NNNN" {
            self.end_message(parts)?;
        } else if self.kind.is_some() && line.bytes().any(|b| b.is_ascii_alphanumeric()) {
            self.message.lines.push((number, line));
        }
        Ok(())
    }

    fn end_message(&mut self, parts: &mut Parts) -> Result<(), Reject> {
        let Some(kind) = self.kind.take() else { return Ok(()) };
        self.messages += 1;
        if let Some((line, reject)) = self.first_refused.take() {
            push(parts, line, Err(reject))?;
        }
        let read = match kind {
            Kind::Fsu => fsu::read(&self.message, true, parts),
            Kind::Fsa => fsu::read(&self.message, false, parts),
            Kind::Fwb => fwb::read(&self.message, parts),
            Kind::Fna => {
                let detail = "an error answer (FNA): it tells of no event";
                Err(Reject::new(Code::CarrierError, detail))
            }
            Kind::Foreign => {
                let detail = "a Cargo-IMP message other than FSU, FSA and FWB";
                Err(Reject::new(Code::Unsupported, detail))
            }
        };
        self.message.lines.clear();
        match read {
            Err(reject) if reject.code == Code::TooLarge => return Err(reject),
            Err(reject) if self.messages == 1 => {
                self.first_refused = Some((self.message.line, reject));
            }
            Err(reject) => push(parts, self.message.line, Err(reject))?,
            Ok(()) => {}
        }
        Ok(())
    }
}

/// Whether segments of an EDIFACT envelope stand in the line, beside lines of the message.
fn is_edifact(line: &str) -> bool {
    ["UNA", "UNB+", "UNH+", "UNT+", "UNZ+"].iter().any(|tag| line.starts_with(tag))
        || ["'UNH+", "'UNT+"].iter().any(|tag| line.contains(tag))
}

/// Adds a part that stands at that line.
pub(super) fn push(
    parts: &mut Parts,
    line: usize,
    part: Result<Draft, Reject>,
) -> Result<(), Reject> {
    if parts.are_full() {
        let detail = format!("more than {} events", limits::EVENTS);
        return Err(Reject::new(Code::TooLarge, detail));
    }
    parts.push_at(Location::Line(line), part);
    Ok(())
}

/// Standard message identifier and version, `FSU/14`, and what stands behind it.
fn identifier(line: &str) -> Option<(Kind, &str)> {
    let (name, rest) = line.split_once('/')?;
    let is_name = matches!(name.as_bytes(), [b'F', b'A'..=b'Z', b'A'..=b'Z']);
    let (version, rest) = rest.split_once(' ').unwrap_or((rest, ""));
    let is_version = matches!(version.len(), 1 | 2) && version.bytes().all(|b| b.is_ascii_digit());
    if !is_name || !is_version {
        return None;
    }
    let kind = match name {
        "FSU" => Kind::Fsu,
        "FSA" => Kind::Fsa,
        "FWB" => Kind::Fwb,
        "FNA" => Kind::Fna,
        _ => Kind::Foreign,
    };
    Some((kind, rest))
}

/// The line of the originator in a Type B envelope, `.HDQFMQR 200739`: the time within it, if it has
/// one. (An identity may stand in its place.)
fn origin(line: &str) -> Option<Option<(i16, i16, i16)>> {
    let mut words = line.strip_prefix('.')?.split(' ');
    let address = words.next().unwrap_or_default();
    if address.len() != 7 || !address.bytes().all(|b| b.is_ascii_alphanumeric()) {
        return None;
    }
    let digits = words.next().filter(|w| w.len() == 6);
    let two = |from: usize| digits.and_then(|d| d.get(from..from + 2)).and_then(time::number);
    let sent = two(0).zip(two(2)).zip(two(4)).map(|((day, hour), minute)| (day, hour, minute));
    Some(sent.filter(|(day, hour, minute)| {
        (1..=31).contains(day) && (0..=23).contains(hour) && (0..=59).contains(minute)
    }))
}

/// The line of the addressees in a Type B envelope: a priority code and addresses.
fn is_addresses(line: &str) -> bool {
    let (priority, addresses) = line.split_once(' ').unwrap_or((line, ""));
    matches!(priority, "QU" | "QD" | "QK" | "QN" | "QX" | "QP" | "QS")
        && addresses
            .split(' ')
            .all(|a| a.len() == 7 && a.bytes().all(|b| b.is_ascii_alphanumeric()))
}

/// `YYMMDD:hhmm` or `YYYYMMDD:hhmm` (UNB S004).
fn interchange_date(text: &str) -> Option<OccurrenceTime> {
    let (date, clock) = text.split_once(':').unwrap_or((text, ""));
    let (year, rest) = match date.len() {
        6 => (2000 + time::number(date.get(..2)?)?, date.get(2..)?),
        8 => (time::number(date.get(..4)?)?, date.get(4..)?),
        _ => return None,
    };
    let (month, day) = (time::number(rest.get(..2)?)?, time::number(rest.get(2..)?)?);
    let two = |from: usize| clock.get(from..from + 2).and_then(time::number);
    let at = two(0).zip(two(2)).and_then(|clock| time::minute((year, month, day), clock));
    at.or_else(|| time::day((year, month, day)))
}

pub(crate) fn looks_like(text: &str) -> bool {
    // An envelope is at most some lines long.
    text.lines().take(12).any(|line| {
        let line = line.get(..line.len().min(200)).unwrap_or(line).to_ascii_uppercase();
        let line = line.trim_matches(|c: char| c.is_control() || c == ' ');
        let line = line.rsplit_once('\'').map_or(line, |(_, rest)| rest);
        identifier(line).is_some_and(|(kind, _)| kind != Kind::Foreign)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers() {
        for (line, expect) in [
            ("FSU/14", Some((Kind::Fsu, ""))),
            ("FSA/3", Some((Kind::Fsa, ""))),
            ("FWB/17", Some((Kind::Fwb, ""))),
            ("FFM/8", Some((Kind::Foreign, ""))),
            ("FSU/14 020-1 BKD/1", Some((Kind::Fsu, "020-1 BKD/1"))),
            ("FOH/16OCT1317/FRA", None),
            ("FSU/", None),
            ("FSU/123", None),
            ("FLT/BA123/16", None),
            ("FSU", None),
        ] {
            assert_eq!(identifier(line), expect, "{line}");
        }
    }

    #[test]
    fn envelopes() {
        assert_eq!(origin(".HDQFMQR 200739"), Some(Some((20, 7, 39))));
        assert_eq!(origin(".HDQFMQR 200739 JUN"), Some(Some((20, 7, 39))));
        assert_eq!(origin(".HDQFMQR 3456700"), Some(None));
        assert_eq!(origin(".HDQFMQR 320739"), Some(None));
        assert_eq!(origin(".HDQFMQR"), Some(None));
        assert_eq!(origin("..."), None);
        assert!(is_addresses("QD SELPRCR") && is_addresses("QK SELPRCR SIN05XH"));
        assert!(!is_addresses("QD") && !is_addresses("ULD"));
        let dated = |text| interchange_date(text).map(|at| at.wall_ms);
        assert_eq!(dated("101120:1015"), Some(1_290_248_100_000));
        assert_eq!(dated("20101120:1015"), Some(1_290_248_100_000));
        assert_eq!(dated("20101120:9"), Some(1_290_211_200_000));
        assert_eq!(dated("101320:1015"), None);
        assert_eq!(dated("é1120"), None);
    }
}
