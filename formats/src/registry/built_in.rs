//! The rows of the registry.

use super::{Format, How, Pattern, Version};
use crate::edi::begins;
use crate::{
    air, dcsa, dialect, easypost, edifact, epcis, ocean, parcel, rail, shippo, terminal49, x12,
};

/// The dialect `dialects/….toml`. Nothing of those compiled in can be wrong: their tests count.
macro_rules! dialect {
    ($name:literal) => {
        dialect::load(
            include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/dialects/", $name, ".toml")),
            &|_| Err("nothing is compiled in beside it".to_owned()),
        )
        .ok()
    };
}

/// None in the place of a dialect that is wrong.
pub(super) fn built_in() -> [Option<Format>; 57] {
    [
        Some(Format {
            name: "DCSA Track & Trace 2.x",
            patterns: &[Pattern { essence: dcsa::MEDIA_TYPE, version: Version::Major("2") }],
            how: How::Code {
                reader: dcsa::read_2,
                looks_like: |text| dcsa::is_dcsa(text) && !dcsa::is_v3(text),
            },
        }),
        Some(Format {
            name: "DCSA Track & Trace 3.x",
            patterns: &[Pattern { essence: dcsa::MEDIA_TYPE, version: Version::Major("3") }],
            how: How::Code {
                reader: dcsa::read_3,
                looks_like: |text| dcsa::is_dcsa(text) && dcsa::is_v3(text),
            },
        }),
        Some(Format {
            name: "DCSA Track & Trace, version by structure",
            patterns: &[Pattern { essence: dcsa::MEDIA_TYPE, version: Version::Absent }],
            how: How::Code { reader: dcsa::read_any, looks_like: |_| false },
        }),
        Some(Format {
            name: "IATA Cargo-IMP (FSU, FSA, FWB)",
            patterns: &[Pattern { essence: air::CARGO_IMP, version: Version::Any }],
            how: How::Code { reader: air::cargo_imp::read, looks_like: air::cargo_imp::looks_like },
        }),
        Some(Format {
            name: "IATA Cargo-XML XFSU",
            patterns: &[Pattern { essence: air::XFSU, version: Version::Any }],
            how: How::Code { reader: air::xfsu::read, looks_like: air::xfsu::looks_like },
        }),
        Some(Format {
            name: "IATA ONE Record logistics events",
            patterns: &[Pattern { essence: air::ONE_RECORD, version: Version::Any }],
            how: How::Code {
                reader: air::one_record::read,
                looks_like: air::one_record::looks_like,
            },
        }),
        Some(Format {
            name: "GS1 EPCIS 2.0 JSON-LD",
            patterns: &[Pattern { essence: epcis::MEDIA_TYPE_JSON, version: Version::Any }],
            how: How::Code { reader: epcis::read_json, looks_like: epcis::looks_like_json },
        }),
        Some(Format {
            name: "GS1 EPCIS 1.2, 2.0 XML",
            patterns: &[Pattern { essence: epcis::MEDIA_TYPE_XML, version: Version::Any }],
            how: How::Code { reader: epcis::read_xml, looks_like: epcis::looks_like_xml },
        }),
        Some(Format {
            name: "CMA CGM tracking",
            patterns: &[Pattern { essence: ocean::cma_cgm::MEDIA_TYPE, version: Version::Any }],
            how: How::Code { reader: ocean::cma_cgm::read, looks_like: ocean::cma_cgm::looks_like },
        }),
        Some(Format {
            name: "Maersk tracking",
            patterns: &[Pattern { essence: ocean::maersk::MEDIA_TYPE, version: Version::Any }],
            how: How::Code { reader: ocean::maersk::read, looks_like: ocean::maersk::looks_like },
        }),
        Some(Format {
            name: "CN QuickTrace, car locations",
            patterns: &[Pattern { essence: rail::quick_trace::MEDIA_TYPE, version: Version::Any }],
            how: How::Code {
                reader: rail::quick_trace::read,
                looks_like: rail::quick_trace::looks_like,
            },
        }),
        Some(Format {
            name: "Canada Post tracking details",
            patterns: &[Pattern {
                essence: parcel::canada_post::MEDIA_TYPE,
                version: Version::Any,
            }],
            how: How::Code {
                reader: parcel::canada_post::read,
                looks_like: parcel::canada_post::looks_like,
            },
        }),
        dialect!("dhl-ecommerce-americas"),
        Some(Format {
            name: "DHL Express XML Services, tracking",
            patterns: &[Pattern {
                essence: parcel::dhl_express::MEDIA_TYPE,
                version: Version::Any,
            }],
            how: How::Code {
                reader: parcel::dhl_express::read,
                looks_like: parcel::dhl_express::looks_like,
            },
        }),
        Some(Format {
            name: "DHL Parcel DE tracking",
            patterns: &[Pattern {
                essence: parcel::dhl_parcel_de::MEDIA_TYPE,
                version: Version::Any,
            }],
            how: How::Code {
                reader: parcel::dhl_parcel_de::read,
                looks_like: parcel::dhl_parcel_de::looks_like,
            },
        }),
        dialect!("dhl-poland"),
        Some(Format {
            name: "DHL, unified tracking",
            patterns: &[Pattern {
                essence: parcel::dhl_unified::MEDIA_TYPE,
                version: Version::Any,
            }],
            how: How::Code {
                reader: parcel::dhl_unified::read,
                looks_like: parcel::dhl_unified::looks_like,
            },
        }),
        Some(Format {
            name: "FedEx Track API",
            patterns: &[Pattern { essence: parcel::fedex::MEDIA_TYPE, version: Version::Any }],
            how: How::Code { reader: parcel::fedex::read, looks_like: parcel::fedex::looks_like },
        }),
        Some(Format {
            name: "FedEx Track Web Service",
            patterns: &[Pattern {
                essence: parcel::fedex::soap::MEDIA_TYPE,
                version: Version::Any,
            }],
            how: How::Code {
                reader: parcel::fedex::soap::read,
                looks_like: parcel::fedex::soap::looks_like,
            },
        }),
        Some(Format {
            name: "MyDHL API, tracking",
            patterns: &[Pattern { essence: parcel::mydhl::MEDIA_TYPE, version: Version::Any }],
            how: How::Code { reader: parcel::mydhl::read, looks_like: parcel::mydhl::looks_like },
        }),
        Some(Format {
            name: "UPS Tracking API",
            patterns: &[Pattern { essence: parcel::ups::MEDIA_TYPE, version: Version::Any }],
            how: How::Code { reader: parcel::ups::read, looks_like: parcel::ups::looks_like },
        }),
        Some(Format {
            name: "UPS Tracking, XML",
            patterns: &[Pattern { essence: parcel::ups::xml::MEDIA_TYPE, version: Version::Any }],
            how: How::Code {
                reader: parcel::ups::xml::read,
                looks_like: parcel::ups::xml::looks_like,
            },
        }),
        Some(Format {
            name: "UPS Track Alert",
            patterns: &[Pattern {
                essence: parcel::ups::track_alert::MEDIA_TYPE,
                version: Version::Any,
            }],
            how: How::Code {
                reader: parcel::ups::track_alert::read,
                looks_like: parcel::ups::track_alert::looks_like,
            },
        }),
        Some(Format {
            name: "UPS Quantum View",
            patterns: &[
                Pattern { essence: parcel::ups::quantum_view::MEDIA_TYPE, version: Version::Any },
                Pattern {
                    essence: parcel::ups::quantum_view::MEDIA_TYPE_JSON,
                    version: Version::Any,
                },
            ],
            how: How::Code {
                reader: parcel::ups::quantum_view::read,
                looks_like: parcel::ups::quantum_view::looks_like,
            },
        }),
        Some(Format {
            name: "USPS Tracking API",
            patterns: &[Pattern { essence: parcel::usps::MEDIA_TYPE, version: Version::Any }],
            how: How::Code { reader: parcel::usps::read, looks_like: parcel::usps::looks_like },
        }),
        Some(Format {
            name: "USPS Web Tools, Track & Confirm",
            patterns: &[Pattern {
                essence: parcel::usps::web_tools::MEDIA_TYPE,
                version: Version::Any,
            }],
            how: How::Code {
                reader: parcel::usps::web_tools::read,
                looks_like: parcel::usps::web_tools::looks_like,
            },
        }),
        dialect!("usps-iv-mtr"),
        dialect!("usps-iv-mtr-csv"),
        dialect!("asendia"),
        Some(Format {
            name: "Australia Post tracking",
            patterns: &[Pattern {
                essence: parcel::australia_post::MEDIA_TYPE,
                version: Version::Any,
            }],
            how: How::Code {
                reader: parcel::australia_post::read,
                looks_like: parcel::australia_post::looks_like,
            },
        }),
        Some(Format {
            name: "bpost tracking",
            patterns: &[Pattern { essence: parcel::bpost::MEDIA_TYPE, version: Version::Any }],
            how: How::Code { reader: parcel::bpost::read, looks_like: parcel::bpost::looks_like },
        }),
        dialect!("chronopost"),
        dialect!("dpd"),
        dialect!("gls"),
        dialect!("hermes"),
        dialect!("la-poste"),
        dialect!("landmark"),
        dialect!("lasership"),
        dialect!("ontrac"),
        dialect!("parcelone"),
        dialect!("purolator"),
        dialect!("royal-mail"),
        dialect!("seko"),
        dialect!("sendle"),
        Some(Format {
            name: "SmartKargo tracking",
            patterns: &[Pattern { essence: parcel::smartkargo::MEDIA_TYPE, version: Version::Any }],
            how: How::Code {
                reader: parcel::smartkargo::read,
                looks_like: parcel::smartkargo::looks_like,
            },
        }),
        dialect!("spring"),
        dialect!("stamps"),
        dialect!("teleship"),
        dialect!("track17"),
        dialect!("aftership"),
        dialect!("ship24"),
        dialect!("shipengine"),
        Some(Format {
            name: "Shippo tracking",
            patterns: &[Pattern { essence: shippo::MEDIA_TYPE, version: Version::Any }],
            how: How::Code { reader: shippo::read, looks_like: shippo::looks_like },
        }),
        Some(Format {
            name: "EasyPost trackers",
            patterns: &[Pattern { essence: easypost::MEDIA_TYPE, version: Version::Any }],
            how: How::Code { reader: easypost::read, looks_like: easypost::looks_like },
        }),
        Some(Format {
            name: "Terminal49 events",
            patterns: &[
                Pattern { essence: terminal49::MEDIA_TYPE, version: Version::Any },
                Pattern { essence: terminal49::EVENTS_MEDIA_TYPE, version: Version::Any },
            ],
            how: How::Code { reader: terminal49::read, looks_like: terminal49::looks_like },
        }),
        Some(Format {
            name: "ASC X12 214, 315, 322 and 323",
            patterns: &[Pattern { essence: x12::MEDIA_TYPE, version: Version::Any }],
            how: How::Code {
                reader: x12::read,
                looks_like: |text| begins(text.trim_start(), "ISA"),
            },
        }),
        Some(Format {
            name: "UN/EDIFACT IFTSTA, CODECO and COARRI",
            patterns: &[Pattern { essence: edifact::MEDIA_TYPE, version: Version::Any }],
            how: How::Code {
                reader: edifact::read,
                looks_like: |text| {
                    let text = text.trim_start();
                    // Cargo-IMP travels in the same envelope.
                    (begins(text, "UNA") || begins(text, "UNB"))
                        && !air::cargo_imp::looks_like(text)
                },
            },
        }),
    ]
}
