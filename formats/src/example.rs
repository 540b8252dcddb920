//! A message in each format, for carriers to begin with: samples that the tests read, too.

use crate::{Format, Parts};

#[derive(Debug)]
pub struct Example {
    /// How a file with it ends: `json`, `edi`, …
    pub extension: &'static str,
    pub payload: &'static [u8],
}

impl Example {
    /// How many events are in it, and how many that are wrong on purpose; absent if the format does not read it.
    pub fn counts(&self, format: &Format) -> Option<(usize, usize)> {
        let mut parts = Parts::default();
        format.read(self.payload, &mut parts).ok()?;
        let events = parts.iter().filter(|(_, part)| part.is_ok()).count();
        Some((events, parts.iter().count() - events))
    }
}

/// The one of a format.
pub fn example(format: &Format) -> Option<&'static Example> {
    EXAMPLES.iter().find(|(name, _)| *name == format.name).map(|(_, example)| example)
}

macro_rules! sample {
    ($name:literal, $file:literal, $extension:literal) => {
        (
            $name,
            Example {
                extension: $extension,
                payload: include_bytes!(concat!("../fixtures/", $file, ".", $extension)),
            },
        )
    };
}

/// By the name of the format.
const EXAMPLES: &[(&str, Example)] = &[
    sample!("DCSA Track & Trace 2.x", "dcsa-2.2/good-single", "json"),
    sample!("DCSA Track & Trace 3.x", "dcsa-3.0/good-single", "json"),
    sample!("DCSA Track & Trace, version by structure", "dcsa-2.2/good-single", "json"),
    sample!("IATA Cargo-IMP (FSU, FSA, FWB)", "cargo-imp/good-fsu", "txt"),
    sample!("IATA Cargo-XML XFSU", "xfsu/good", "xml"),
    sample!("IATA ONE Record logistics events", "one-record/good-single", "json"),
    sample!("GS1 EPCIS 2.0 JSON-LD", "epcis-json/good-single", "jsonld"),
    sample!("GS1 EPCIS 1.2, 2.0 XML", "epcis-xml/good-2.0", "xml"),
    sample!("CMA CGM tracking", "cma-cgm/good", "json"),
    sample!("Maersk tracking", "maersk/good", "json"),
    sample!("CN QuickTrace, car locations", "cn-quicktrace/good", "csv"),
    sample!("Canada Post tracking details", "canada-post/good", "xml"),
    sample!("DHL eCommerce Americas tracking", "dhl-ecommerce-americas/good", "json"),
    sample!("DHL Express XML Services, tracking", "dhl-express/good", "xml"),
    sample!("DHL Parcel DE tracking", "dhl-parcel-de/good", "xml"),
    sample!("DHL Parcel Poland tracking", "dhl-poland/good", "xml"),
    sample!("DHL, unified tracking", "dhl-unified/good", "json"),
    sample!("FedEx Track API", "fedex/good", "json"),
    sample!("FedEx Track Web Service", "fedex-soap/good", "xml"),
    sample!("MyDHL API, tracking", "mydhl/good", "json"),
    sample!("UPS Tracking API", "ups/good", "json"),
    sample!("USPS Tracking API", "usps/good", "json"),
    sample!("USPS Web Tools, Track & Confirm", "usps-web-tools/good", "xml"),
    sample!("Asendia tracking", "asendia/good", "json"),
    sample!("Australia Post tracking", "australia-post/good", "json"),
    sample!("bpost tracking", "bpost/good", "xml"),
    sample!("Chronopost tracking", "chronopost/good", "xml"),
    sample!("DPD tracking", "dpd/good", "xml"),
    sample!("GLS tracking", "gls/good", "json"),
    sample!("Hermes shipment information", "hermes/good", "json"),
    sample!("La Poste Suivi", "la-poste/good", "json"),
    sample!("ParcelOne tracking", "parcelone/good", "json"),
    sample!("Royal Mail tracking", "royal-mail/good", "json"),
    sample!("SEKO tracking", "seko/good", "json"),
    sample!("Sendle tracking", "sendle/good", "json"),
    sample!("SmartKargo tracking", "smartkargo/good", "json"),
    sample!("Spring tracking", "spring/good", "json"),
    sample!("Stamps.com tracking", "stamps/good", "xml"),
    sample!("Teleship tracking", "teleship/good", "json"),
    sample!("Landmark Global tracking", "landmark/good", "xml"),
    sample!("LaserShip tracking", "lasership/good", "json"),
    sample!("OnTrac tracking", "ontrac/good", "xml"),
    sample!("Purolator tracking", "purolator/good", "xml"),
    sample!("AfterShip tracking", "aftership/good", "json"),
    sample!("Ship24 tracking", "ship24/good", "json"),
    sample!("ShipEngine and ShipStation tracking", "shipengine/good", "json"),
    sample!("17TRACK tracking", "track17/good", "json"),
    sample!("Shippo tracking", "shippo/good", "json"),
    sample!("UPS Tracking, XML", "ups-xml/good", "xml"),
    sample!("UPS Track Alert", "ups-track-alert/good", "json"),
    sample!("UPS Quantum View", "ups-quantum-view/good", "xml"),
    sample!("USPS IV-MTR scans", "usps-iv-mtr/good", "json"),
    sample!("USPS IV-MTR scans, CSV", "usps-iv-mtr-csv/good", "csv"),
    sample!("EasyPost trackers", "easypost/good", "json"),
    sample!("Terminal49 events", "terminal49/good", "json"),
    sample!("ASC X12 214, 315, 322 and 323", "x12/good-214", "edi"),
    sample!("UN/EDIFACT IFTSTA, CODECO and COARRI", "edifact/good-codeco", "edi"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::REGISTRY;

    #[test]
    fn every_format_has_one_and_that_of_a_standard_has_no_mistake() {
        let standards = ["DCSA", "IATA", "GS1", "ASC", "UN/"];
        for format in REGISTRY.iter() {
            let example = example(format);
            assert!(example.is_some(), "{} has no example", format.name);
            let counts = example.and_then(|example| example.counts(format));
            let (events, mistakes) = counts.unwrap_or_default();
            assert!(events > 0, "{}: {counts:?}", format.name);
            // Samples of parcel carriers have some on purpose; who is invited is told so.
            let is_standard = standards.iter().any(|name| format.name.contains(name));
            assert!(mistakes == 0 || !is_standard, "{}: {counts:?}", format.name);
        }
        assert_eq!(EXAMPLES.len(), REGISTRY.len());
    }
}
