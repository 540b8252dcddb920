use mediatype::{MediaType, Name};
use waybill_stage::{Code, Reject};

use crate::{Parts, dcsa, edifact, x12};

/// A format: how it is named, and how it is read.
#[derive(Debug)]
pub struct Format {
    pub name: &'static str,
    pub patterns: &'static [Pattern],
    /// Puts the message's parts into `parts`, a bad one among good ones as a reject. `Err` rejects
    /// the message as a whole, and `parts` is then empty.
    pub read: fn(payload: &[u8], parts: &mut Parts) -> Result<(), Reject>,
    /// Whether a payload of which nobody knows the media type looks like this format: by a few
    /// marks that no other format has. For people who onboard a carrier, never for the pipeline.
    pub looks_like: fn(text: &str) -> bool,
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
    /// Whatever it is: the message says its version itself.
    Any,
}

/// Every format. The first row that fits is the one.
pub const REGISTRY: &[Format] = &[
    Format {
        name: "DCSA Track & Trace 2.x",
        patterns: &[Pattern { essence: dcsa::MEDIA_TYPE, version: Version::Major("2") }],
        read: dcsa::v2::read,
        looks_like: |text| dcsa::is_dcsa(text) && !dcsa::is_v3(text),
    },
    Format {
        name: "DCSA Track & Trace 3.x",
        patterns: &[Pattern { essence: dcsa::MEDIA_TYPE, version: Version::Major("3") }],
        read: dcsa::v3::read,
        looks_like: |text| dcsa::is_dcsa(text) && dcsa::is_v3(text),
    },
    Format {
        name: "DCSA Track & Trace, version by structure",
        patterns: &[Pattern { essence: dcsa::MEDIA_TYPE, version: Version::Absent }],
        read: dcsa::read_any,
        looks_like: |_| false,
    },
    Format {
        name: "ASC X12 214, 315 and 322",
        patterns: &[Pattern { essence: x12::MEDIA_TYPE, version: Version::Any }],
        read: x12::read,
        looks_like: |text| text.trim_start().starts_with("ISA"),
    },
    Format {
        name: "UN/EDIFACT IFTSTA, CODECO and COARRI",
        patterns: &[Pattern { essence: edifact::MEDIA_TYPE, version: Version::Any }],
        read: edifact::read,
        looks_like: |text| {
            let text = text.trim_start();
            text.starts_with("UNA") || text.starts_with("UNB")
        },
    },
];

/// The formats that a payload looks like, the first row first.
pub fn guess(payload: &[u8]) -> Vec<&'static Format> {
    let Ok(text) = crate::text::decoded(payload) else { return Vec::new() };
    REGISTRY.iter().filter(|format| (format.looks_like)(&text)).collect()
}

/// The format that `media_type` names.
pub fn find(media_type: &str) -> Result<&'static Format, Reject> {
    let unknown = |detail: &'static str| Reject::new(Code::UnknownFormat, detail);
    let sent = MediaType::parse(media_type)
        .map_err(|_| unknown("media type: not of the form type/subtype; parameter=value"))?;
    let mut known_type = false;
    for format in REGISTRY {
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
        check("application/EDI-X12", Ok("ASC X12 214, 315 and 322"));
        check("APPLICATION/edi-x12; version=004010", Ok("ASC X12 214, 315 and 322"));
        check("application/EDIFACT;charset=utf-8", Ok("UN/EDIFACT IFTSTA, CODECO and COARRI"));
        let version = Err("no format is registered for this version");
        check("application/vnd.dcsa.tnt+json;version=4.0", version);
        check("application/vnd.dcsa.tnt+json;version=22", version);
        check("application/vnd.dcsa.tnt+json;version=2.x", version);
        check("application/vnd.dcsa.tnt+json;version=\"\"", version);
        let unknown = Err("no format is registered");
        check("application/json", unknown);
        check("application/vnd.dcsa.tnt", unknown);
        check("application/vnd.dcsa.tnt+xml;version=2.2", unknown);
        check("application/vnd.dcsa.tnt+json+json", unknown);
        let form = Err("not of the form type/subtype; parameter=value");
        check("", form);
        check("a/", form);
        check("application/vnd.dcsa.tnt+json;version", form);
    }

    #[test]
    fn rows_are_written_as_they_are_compared() {
        for pattern in REGISTRY.iter().flat_map(|f| f.patterns) {
            assert_eq!(pattern.essence, pattern.essence.to_ascii_lowercase());
        }
    }
}
