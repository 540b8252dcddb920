mod built_in;

use std::borrow::Cow;
use std::fmt;
use std::sync::{LazyLock, OnceLock};

use mediatype::{MediaType, Name};
use waybill_schemas::vocabulary::NoteCode;
use waybill_stage::{Code, Reject};

use self::built_in::built_in;
use crate::dialect::Dialect;
use crate::{Parts, limits, text};

/// A format: how it is named, and how it is read.
#[derive(Debug)]
pub struct Format {
    pub name: &'static str,
    pub patterns: &'static [Pattern],
    how: How,
}

/// How a format is read; see [`Format::read`], where what that makes is bounded.
#[derive(Debug)]
enum How {
    Code {
        reader: fn(text: &str, parts: &mut Parts) -> Result<(), Reject>,
        looks_like: fn(text: &str) -> bool,
    },
    Dialect(&'static Dialect),
}

/// Which media types (RFC 9110 section 8.3.1) mean the format. Names are compared without regard
/// to case; parameters that the pattern does not name are ignored.
#[derive(Debug)]
pub struct Pattern {
    /// `application/vnd.dcsa.tnt+json`, lower case.
    pub essence: &'static str,
    pub version: Version,
}

/// What the parameter `version` has to be.
#[derive(Debug, PartialEq, Eq)]
pub enum Version {
    /// This major version: `2` is also 2.2 and 2.3.0.
    Major(&'static str),
    Absent,
    /// Whatever it is, or none: the message says its version itself.
    Any,
}

impl Format {
    /// Whether it is the same reader under another media type.
    pub(crate) fn is_another_name_of(&self, other: &Self) -> bool {
        let essence = |format: &Self| format.patterns.first().map(|pattern| pattern.essence);
        essence(self) == essence(other)
    }

    /// The format that a dialect is.
    pub(crate) fn of_dialect(dialect: &'static Dialect) -> Self {
        let pattern = Pattern { essence: &dialect.media_type, version: Version::Any };
        Self {
            name: &dialect.name,
            patterns: Box::leak(Box::new([pattern])),
            how: How::Dialect(dialect),
        }
    }

    /// Whether a payload of which nobody knows the media type looks like this format: by a few
    /// marks that no other format has. For people who onboard a carrier, never for the pipeline.
    pub fn looks_like(&self, text: &str) -> bool {
        match self.how {
            How::Code { looks_like, .. } => looks_like(text),
            How::Dialect(dialect) => dialect.is_likely(text),
        }
    }

    /// What both would be taken for: a media type or a name.
    fn clash(&self, other: &Self) -> Option<String> {
        let essences = |of: &'static [Pattern]| of.iter().map(|pattern| pattern.essence);
        let same = essences(self.patterns).find(|own| essences(other.patterns).any(|e| e == *own));
        match same {
            Some(essence) => {
                Some(format!("{}: media_type: {essence} is that of {}", self.name, other.name))
            }
            None if self.name == other.name => Some(format!("{}: name: two have it", self.name)),
            None => None,
        }
    }

    /// Puts the message's parts into `parts`, a bad one among good ones as a reject. `Err` rejects
    /// the message as a whole, and `parts` is then empty.
    pub fn read(&self, payload: &[u8], parts: &mut Parts) -> Result<(), Reject> {
        parts.begin();
        let text = text::decoded(payload)?;
        let read = self.read_text(&text, parts);
        if matches!(text, Cow::Owned(_)) && text::is_assumed(payload) {
            parts.note_all(NoteCode::EncodingAssumed);
        }
        read
    }

    /// The same, of a payload that is decoded already.
    pub(crate) fn read_text(&self, text: &str, parts: &mut Parts) -> Result<(), Reject> {
        parts.begin();
        let read = match self.how {
            How::Code { reader, .. } => reader(text, parts),
            How::Dialect(dialect) => dialect.read(text, parts),
        };
        // Whatever the reader says of a message that it could not get through.
        if parts.are_too_large() {
            parts.clear();
            let most = limits::OUTPUT_BYTES >> 20;
            let detail = format!("its events take more than {most} MiB when they are read");
            return Err(Reject::new(Code::TooLarge, detail));
        }
        read
    }
}

/// Every format that comes with Waybill. The first row that fits is the one.
pub static REGISTRY: LazyLock<Vec<Format>> =
    LazyLock::new(|| built_in().into_iter().flatten().collect());

/// An operator's own, after these.
static CONNECTED: OnceLock<Vec<Format>> = OnceLock::new();

/// Connects formats of an operator's own, once, before anything is read. They are found after those that
/// come with Waybill, and may not take the place of one.
pub fn connect(formats: Vec<Format>) -> Result<(), Vec<String>> {
    let mut faults = Vec::new();
    let mut known: Vec<&Format> = REGISTRY.iter().collect();
    for format in &formats {
        faults.extend(known.iter().find_map(|other| format.clash(other)));
        known.push(format);
    }
    if !faults.is_empty() {
        return Err(faults);
    }
    if formats.is_empty() {
        return Ok(());
    }
    CONNECTED.set(formats).map_err(|_| vec!["formats are connected already".to_owned()])
}

/// Every format: those that come with Waybill, and an operator's own.
pub fn all() -> impl Iterator<Item = &'static Format> {
    REGISTRY.iter().chain(CONNECTED.get().into_iter().flatten())
}

/// The format that `media_type` names.
pub fn find(media_type: &str) -> Result<&'static Format, Reject> {
    let unknown = |detail: &'static str| Reject::new(Code::UnknownFormat, detail);
    let sent = MediaType::parse(media_type)
        .map_err(|_| unknown("media type: not of the form type/subtype; parameter=value"))?;
    let mut known_type = false;
    for format in all() {
        for pattern in format.patterns {
            let known = pattern.fits_essence(&sent);
            if known && pattern.version.fits(&sent) {
                return Ok(format);
            }
            known_type |= known;
        }
    }
    Err(unknown(match known_type {
        true => "media type: no format is registered for this version",
        false => "media type: no format is registered",
    }))
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.version {
            Version::Major(major) => write!(f, "{};version={major}", self.essence),
            Version::Absent | Version::Any => f.write_str(self.essence),
        }
    }
}

impl Pattern {
    fn fits_essence(&self, sent: &MediaType<'_>) -> bool {
        // `subty` is without the structured syntax suffix (RFC 6838 section 4.2.8).
        let mut rest = self.essence;
        let mut take = |part: &str| {
            let taken = rest.get(..part.len()).is_some_and(|own| own.eq_ignore_ascii_case(part));
            rest = rest.get(part.len()..).unwrap_or("");
            taken
        };
        let named = take(sent.ty.as_str()) && take("/") && take(sent.subty.as_str());
        named
            && sent.suffix.is_none_or(|suffix| take("+") && take(suffix.as_str()))
            && rest.is_empty()
    }
}

impl Version {
    fn fits(&self, sent: &MediaType<'_>) -> bool {
        const VERSION: Name<'static> = Name::new_unchecked("version");
        // Of parameters with one name the first counts.
        let given = sent.params.iter().find(|(name, _)| *name == VERSION).map(|(_, value)| value);
        match (self, given) {
            (Self::Any, _) | (Self::Absent, None) => true,
            (Self::Major(major), Some(given)) => {
                let given = given.unquoted_str();
                let mut numbers = given.trim().split('.');
                numbers.next() == Some(major)
                    && numbers.all(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()))
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn media_types() {
        let check = |media_type: &str, expect: Result<&str, &str>| {
            let found = find(media_type);
            let found = found.as_ref().map(|f| f.name).map_err(|reject| {
                assert_eq!(reject.code, Code::UnknownFormat);
                reject.detail.trim_start_matches("media type: ")
            });
            assert_eq!(found, expect, "{media_type}");
        };
        let (v2, v3) = (Ok("DCSA Track & Trace 2.x"), Ok("DCSA Track & Trace 3.x"));
        check("application/vnd.dcsa.tnt+json;version=2.2", v2);
        check("application/vnd.dcsa.tnt+json; version=\"2.3.0\"", v2);
        check("Application/VND.DCSA.TNT+JSON;Version=2", v2);
        check("application/vnd.dcsa.tnt+json;charset=utf-8;version=3", v3);
        check("application/vnd.dcsa.tnt+json;version=3.0", v3);
        check("application/vnd.dcsa.tnt+json;version=3.0.0;version=2.2", v3);
        check("application/vnd.dcsa.tnt+json", Ok("DCSA Track & Trace, version by structure"));
        let imp = Ok("IATA Cargo-IMP (FSU, FSA, FWB)");
        check("application/vnd.iata.cargo-imp", imp);
        check("application/vnd.iata.cargo-imp;version=14", imp);
        check("Application/vnd.IATA.xfsu+xml; version=\"3.0\"", Ok("IATA Cargo-XML XFSU"));
        check("application/vnd.iata.one-record+json", Ok("IATA ONE Record logistics events"));
        let epcis = Ok("GS1 EPCIS 2.0 JSON-LD");
        check("application/vnd.gs1.epcis+json", epcis);
        check("application/vnd.gs1.epcis+json;version=2.0.1", epcis);
        check("application/vnd.gs1.epcis+xml;version=1.2", Ok("GS1 EPCIS 1.2, 2.0 XML"));
        check("application/EDI-X12", Ok("ASC X12 214, 315, 322 and 323"));
        check("APPLICATION/edi-x12; version=004010", Ok("ASC X12 214, 315, 322 and 323"));
        check("application/EDIFACT;charset=utf-8", Ok("UN/EDIFACT IFTSTA, CODECO and COARRI"));
        let version = Err("no format is registered for this version");
        check("application/vnd.dcsa.tnt+json;version=4.0", version);
        check("application/vnd.dcsa.tnt+json;version=22", version);
        check("application/vnd.dcsa.tnt+json;version=2.x", version);
        check("application/vnd.dcsa.tnt+json;version=\"\"", version);
        check("application/vnd.ups.track+json", Ok("UPS Tracking API"));
        check("application/vnd.ups.track+json;version=1.0", Ok("UPS Tracking API"));
        check("application/vnd.fedex.track+xml", Ok("FedEx Track Web Service"));
        let unknown = Err("no format is registered");
        check("application/vnd.ups.track+xml", unknown);
        check("application/json", unknown);
        check("application/vnd.dcsa.tnt", unknown);
        check("application/vnd.iata.xfsu", unknown);
        check("application/vnd.dcsa.tnt+xml;version=2.2", unknown);
        check("application/vnd.dcsa.tnt+json+json", unknown);
        let form = Err("not of the form type/subtype; parameter=value");
        check("", form);
        check("a/", form);
        check("application/vnd.dcsa.tnt+json;version", form);
    }

    #[test]
    fn rows_are_written_as_they_are_compared() {
        assert_eq!(REGISTRY.len(), built_in().len(), "a dialect is wrong: see tests/dialects.rs");
        for pattern in REGISTRY.iter().flat_map(|f| f.patterns) {
            assert_eq!(pattern.essence, pattern.essence.to_ascii_lowercase());
        }
    }
}
