use std::borrow::Cow;
use std::fmt;

use mediatype::{MediaType, Name};
use waybill_schemas::vocabulary::NoteCode;
use waybill_stage::{Code, Reject};

use crate::edi::begins;
use crate::{Parts, air, dcsa, easypost, edifact, epcis, limits, parcel, terminal49, text, x12};

/// A format: how it is named, and how it is read.
#[derive(Debug)]
pub struct Format {
    pub name: &'static str,
    pub patterns: &'static [Pattern],
    /// See [`Format::read`]; what it makes is bounded there.
    reader: fn(payload: &[u8], parts: &mut Parts) -> Result<(), Reject>,
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
    /// Whatever it is, or none.
    /// Whatever it is: the message says its version itself.
    Any,
}

impl Format {
    /// Whether it is the same reader under another media type.
    pub(crate) fn is_another_name_of(&self, other: &Self) -> bool {
        let essence = |format: &Self| format.patterns.first().map(|pattern| pattern.essence);
        essence(self) == essence(other)
    }

    /// Puts the message's parts into `parts`, a bad one among good ones as a reject. `Err` rejects
    /// the message as a whole, and `parts` is then empty.
    pub fn read(&self, payload: &[u8], parts: &mut Parts) -> Result<(), Reject> {
        parts.begin();
        let text = text::decoded(payload)?;
        let read = (self.reader)(text.as_bytes(), parts);
        if matches!(text, Cow::Owned(_)) && text::is_assumed(payload) {
            parts.note_all(NoteCode::EncodingAssumed);
        }
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

/// Every format. The first row that fits is the one.
pub const REGISTRY: &[Format] = &[
    Format {
        name: "DCSA Track & Trace 2.x",
        patterns: &[Pattern { essence: dcsa::MEDIA_TYPE, version: Version::Major("2") }],
        reader: dcsa::read_2,
        looks_like: |text| dcsa::is_dcsa(text) && !dcsa::is_v3(text),
    },
    Format {
        name: "DCSA Track & Trace 3.x",
        patterns: &[Pattern { essence: dcsa::MEDIA_TYPE, version: Version::Major("3") }],
        reader: dcsa::read_3,
        looks_like: |text| dcsa::is_dcsa(text) && dcsa::is_v3(text),
    },
    Format {
        name: "DCSA Track & Trace, version by structure",
        patterns: &[Pattern { essence: dcsa::MEDIA_TYPE, version: Version::Absent }],
        reader: dcsa::read_any,
        looks_like: |_| false,
    },
    Format {
        name: "IATA Cargo-IMP (FSU, FSA, FWB)",
        patterns: &[Pattern { essence: air::CARGO_IMP, version: Version::Any }],
        reader: air::cargo_imp::read,
        looks_like: air::cargo_imp::looks_like,
    },
    Format {
        name: "IATA Cargo-XML XFSU",
        patterns: &[Pattern { essence: air::XFSU, version: Version::Any }],
        reader: air::xfsu::read,
        looks_like: air::xfsu::looks_like,
    },
    Format {
        name: "IATA ONE Record logistics events",
        patterns: &[Pattern { essence: air::ONE_RECORD, version: Version::Any }],
        reader: air::one_record::read,
        looks_like: air::one_record::looks_like,
    },
    Format {
        name: "GS1 EPCIS 2.0 JSON-LD",
        patterns: &[Pattern { essence: epcis::MEDIA_TYPE_JSON, version: Version::Any }],
        reader: epcis::read_json,
        looks_like: epcis::looks_like_json,
    },
    Format {
        name: "GS1 EPCIS 1.2, 2.0 XML",
        patterns: &[Pattern { essence: epcis::MEDIA_TYPE_XML, version: Version::Any }],
        reader: epcis::read_xml,
        looks_like: epcis::looks_like_xml,
    },
    Format {
        name: "Canada Post tracking details",
        patterns: &[Pattern { essence: parcel::canada_post::MEDIA_TYPE, version: Version::Any }],
        reader: parcel::canada_post::read,
        looks_like: parcel::canada_post::looks_like,
    },
    Format {
        name: "DHL Express XML Services, tracking",
        patterns: &[Pattern { essence: parcel::dhl_express::MEDIA_TYPE, version: Version::Any }],
        reader: parcel::dhl_express::read,
        looks_like: parcel::dhl_express::looks_like,
    },
    Format {
        name: "DHL Parcel DE tracking",
        patterns: &[Pattern { essence: parcel::dhl_parcel_de::MEDIA_TYPE, version: Version::Any }],
        reader: parcel::dhl_parcel_de::read,
        looks_like: parcel::dhl_parcel_de::looks_like,
    },
    Format {
        name: "DHL Parcel Poland tracking",
        patterns: &[Pattern { essence: parcel::dhl_poland::MEDIA_TYPE, version: Version::Any }],
        reader: parcel::dhl_poland::read,
        looks_like: parcel::dhl_poland::looks_like,
    },
    Format {
        name: "DHL, unified tracking",
        patterns: &[Pattern { essence: parcel::dhl_unified::MEDIA_TYPE, version: Version::Any }],
        reader: parcel::dhl_unified::read,
        looks_like: parcel::dhl_unified::looks_like,
    },
    Format {
        name: "FedEx Track API",
        patterns: &[Pattern { essence: parcel::fedex::MEDIA_TYPE, version: Version::Any }],
        reader: parcel::fedex::read,
        looks_like: parcel::fedex::looks_like,
    },
    Format {
        name: "FedEx Track Web Service",
        patterns: &[Pattern { essence: parcel::fedex::soap::MEDIA_TYPE, version: Version::Any }],
        reader: parcel::fedex::soap::read,
        looks_like: parcel::fedex::soap::looks_like,
    },
    Format {
        name: "MyDHL API, tracking",
        patterns: &[Pattern { essence: parcel::mydhl::MEDIA_TYPE, version: Version::Any }],
        reader: parcel::mydhl::read,
        looks_like: parcel::mydhl::looks_like,
    },
    Format {
        name: "UPS Tracking API",
        patterns: &[Pattern { essence: parcel::ups::MEDIA_TYPE, version: Version::Any }],
        reader: parcel::ups::read,
        looks_like: parcel::ups::looks_like,
    },
    Format {
        name: "USPS Tracking API",
        patterns: &[Pattern { essence: parcel::usps::MEDIA_TYPE, version: Version::Any }],
        reader: parcel::usps::read,
        looks_like: parcel::usps::looks_like,
    },
    Format {
        name: "USPS Web Tools, Track & Confirm",
        patterns: &[Pattern {
            essence: parcel::usps::web_tools::MEDIA_TYPE,
            version: Version::Any,
        }],
        reader: parcel::usps::web_tools::read,
        looks_like: parcel::usps::web_tools::looks_like,
    },
    Format {
        name: "Asendia tracking",
        patterns: &[Pattern { essence: parcel::asendia::MEDIA_TYPE, version: Version::Any }],
        reader: parcel::asendia::read,
        looks_like: parcel::asendia::looks_like,
    },
    Format {
        name: "Australia Post tracking",
        patterns: &[Pattern { essence: parcel::australia_post::MEDIA_TYPE, version: Version::Any }],
        reader: parcel::australia_post::read,
        looks_like: parcel::australia_post::looks_like,
    },
    Format {
        name: "bpost tracking",
        patterns: &[Pattern { essence: parcel::bpost::MEDIA_TYPE, version: Version::Any }],
        reader: parcel::bpost::read,
        looks_like: parcel::bpost::looks_like,
    },
    Format {
        name: "Chronopost tracking",
        patterns: &[Pattern { essence: parcel::chronopost::MEDIA_TYPE, version: Version::Any }],
        reader: parcel::chronopost::read,
        looks_like: parcel::chronopost::looks_like,
    },
    Format {
        name: "DPD tracking",
        patterns: &[Pattern { essence: parcel::dpd::MEDIA_TYPE, version: Version::Any }],
        reader: parcel::dpd::read,
        looks_like: parcel::dpd::looks_like,
    },
    Format {
        name: "GLS tracking",
        patterns: &[Pattern { essence: parcel::gls::MEDIA_TYPE, version: Version::Any }],
        reader: parcel::gls::read,
        looks_like: parcel::gls::looks_like,
    },
    Format {
        name: "Hermes shipment information",
        patterns: &[Pattern { essence: parcel::hermes::MEDIA_TYPE, version: Version::Any }],
        reader: parcel::hermes::read,
        looks_like: parcel::hermes::looks_like,
    },
    Format {
        name: "La Poste Suivi",
        patterns: &[Pattern { essence: parcel::la_poste::MEDIA_TYPE, version: Version::Any }],
        reader: parcel::la_poste::read,
        looks_like: parcel::la_poste::looks_like,
    },
    Format {
        name: "ParcelOne tracking",
        patterns: &[Pattern { essence: parcel::parcelone::MEDIA_TYPE, version: Version::Any }],
        reader: parcel::parcelone::read,
        looks_like: parcel::parcelone::looks_like,
    },
    Format {
        name: "Royal Mail tracking",
        patterns: &[Pattern { essence: parcel::royal_mail::MEDIA_TYPE, version: Version::Any }],
        reader: parcel::royal_mail::read,
        looks_like: parcel::royal_mail::looks_like,
    },
    Format {
        name: "SEKO tracking",
        patterns: &[Pattern { essence: parcel::seko::MEDIA_TYPE, version: Version::Any }],
        reader: parcel::seko::read,
        looks_like: parcel::seko::looks_like,
    },
    Format {
        name: "Sendle tracking",
        patterns: &[Pattern { essence: parcel::sendle::MEDIA_TYPE, version: Version::Any }],
        reader: parcel::sendle::read,
        looks_like: parcel::sendle::looks_like,
    },
    Format {
        name: "SmartKargo tracking",
        patterns: &[Pattern { essence: parcel::smartkargo::MEDIA_TYPE, version: Version::Any }],
        reader: parcel::smartkargo::read,
        looks_like: parcel::smartkargo::looks_like,
    },
    Format {
        name: "Spring tracking",
        patterns: &[Pattern { essence: parcel::spring::MEDIA_TYPE, version: Version::Any }],
        reader: parcel::spring::read,
        looks_like: parcel::spring::looks_like,
    },
    Format {
        name: "Stamps.com tracking",
        patterns: &[Pattern { essence: parcel::stamps::MEDIA_TYPE, version: Version::Any }],
        reader: parcel::stamps::read,
        looks_like: parcel::stamps::looks_like,
    },
    Format {
        name: "Teleship tracking",
        patterns: &[Pattern { essence: parcel::teleship::MEDIA_TYPE, version: Version::Any }],
        reader: parcel::teleship::read,
        looks_like: parcel::teleship::looks_like,
    },
    Format {
        name: "EasyPost trackers",
        patterns: &[Pattern { essence: easypost::MEDIA_TYPE, version: Version::Any }],
        reader: easypost::read,
        looks_like: easypost::looks_like,
    },
    Format {
        name: "Terminal49 events",
        patterns: &[
            Pattern { essence: terminal49::MEDIA_TYPE, version: Version::Any },
            Pattern { essence: terminal49::EVENTS_MEDIA_TYPE, version: Version::Any },
        ],
        reader: terminal49::read,
        looks_like: terminal49::looks_like,
    },
    Format {
        name: "ASC X12 214, 315, 322 and 323",
        patterns: &[Pattern { essence: x12::MEDIA_TYPE, version: Version::Any }],
        reader: x12::read,
        looks_like: |text| begins(text.trim_start(), "ISA"),
    },
    Format {
        name: "UN/EDIFACT IFTSTA, CODECO and COARRI",
        patterns: &[Pattern { essence: edifact::MEDIA_TYPE, version: Version::Any }],
        reader: edifact::read,
        looks_like: |text| {
            let text = text.trim_start();
            // Cargo-IMP travels in the same envelope.
            (begins(text, "UNA") || begins(text, "UNB")) && !air::cargo_imp::looks_like(text)
        },
    },
];

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
        for pattern in REGISTRY.iter().flat_map(|f| f.patterns) {
            assert_eq!(pattern.essence, pattern.essence.to_ascii_lowercase());
        }
    }
}
