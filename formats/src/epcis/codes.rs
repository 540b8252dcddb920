//! The Core Business Vocabulary 2.0 (CBV): its lists, and what they mean in the shipment model.
//! Words that 1.x had and 2.0 has no more are marked so.
//!
//! A word is written as itself (JSON-LD), as URN (`urn:epcglobal:cbv:bizstep:shipping`), as web URI
//! (`https://ref.gs1.org/cbv/BizStep-shipping`) or with a prefix (`cbv:BizStep-shipping`).

use waybill_schemas::vocabulary::{ReadingKind, ReferenceKind as R};

use crate::codes::{CodeList, code_list};

pub(super) const CBV: &str = "https://ref.gs1.org/cbv/";
pub(super) const GS1: &str = "https://gs1.org/voc/";

/// Business steps (CBV 2.0 section 7.1).
pub static BIZ_STEPS: CodeList =
    code_list!("cbv-business-steps", "BIZSTEP", "GS1 CBV 2.0 business steps");

/// Dispositions (CBV 2.0 section 7.2). What is wrong counts always, the milestone only where no
/// business step is stated.
pub static DISPOSITIONS: CodeList =
    code_list!("cbv-dispositions", "DISP", "GS1 CBV 2.0 dispositions");

/// Reasons of an error declaration (CBV 2.0 section 7.5).
pub static ERROR_REASONS: CodeList =
    code_list!("cbv-error-reasons", "ER", "GS1 CBV 2.0 error reasons");

/// Type and action, where neither business step nor disposition is stated.
pub static EVENTS: CodeList =
    code_list!("epcis-events", "EVENT", "GS1 EPCIS 2.0 event types and actions");

/// Business transaction types (CBV 2.0 section 7.3): the reference that each is here.
pub const BIZ_TRANSACTION_TYPES: &[(&str, R, &str)] = &[
    ("bol", R::BillOfLading, "Bill of lading"),
    ("cert", R::Other, "Certificate"),
    // The shipper's own number.
    ("desadv", R::ShipperReference, "Despatch advice"),
    ("inv", R::Invoice, "Invoice"),
    ("pedigree", R::Other, "Pedigree"),
    ("po", R::PurchaseOrder, "Purchase order"),
    ("poc", R::Other, "Purchase order confirmation"),
    ("prodorder", R::Other, "Production order"),
    // The consignee's own number.
    ("recadv", R::ConsigneeReference, "Receiving advice"),
    ("rma", R::Other, "Return merchandise authorisation"),
    ("testprd", R::Other, "Test procedure"),
    ("testres", R::Other, "Test result"),
    ("upevt", R::Other, "Upstream EPCIS event"),
];

/// Source and destination types (CBV 2.0 section 7.4).
pub const SOURCE_DESTINATION_TYPES: &[&str] = &["owning_party", "possessing_party", "location"];

/// What a sensor measures (GS1 web vocabulary, measurement types of CBV 2.0 section 7.6.1).
pub const MEASUREMENTS: &[(&str, ReadingKind)] = &[
    ("AbsoluteHumidity", ReadingKind::Humidity),
    ("AbsorbedDose", ReadingKind::Other),
    ("AbsorbedDoseRate", ReadingKind::Other),
    ("Acceleration", ReadingKind::Shock),
    ("Altitude", ReadingKind::Other),
    ("AmountOfSubstance", ReadingKind::Other),
    ("AmountOfSubstancePerUnitVolume", ReadingKind::Other),
    ("Angle", ReadingKind::Other),
    ("AngularAcceleration", ReadingKind::Other),
    ("AngularMomentum", ReadingKind::Other),
    ("AngularVelocity", ReadingKind::Other),
    ("Area", ReadingKind::Other),
    ("Capacitance", ReadingKind::Other),
    ("Conductance", ReadingKind::Other),
    ("Conductivity", ReadingKind::Other),
    ("Count", ReadingKind::Other),
    ("Density", ReadingKind::Other),
    ("Dimensionless", ReadingKind::Other),
    ("DoseEquivalent", ReadingKind::Other),
    ("DoseEquivalentRate", ReadingKind::Other),
    ("DynamicViscosity", ReadingKind::Other),
    ("EffectiveDose", ReadingKind::Other),
    ("EffectiveDoseRate", ReadingKind::Other),
    ("ElectricCharge", ReadingKind::Other),
    ("ElectricCurrent", ReadingKind::Other),
    ("ElectricCurrentDensity", ReadingKind::Other),
    ("ElectricFieldStrength", ReadingKind::Other),
    ("Energy", ReadingKind::Other),
    ("Exposure", ReadingKind::Other),
    ("Force", ReadingKind::Other),
    ("Frequency", ReadingKind::Other),
    ("Illuminance", ReadingKind::Other),
    ("Inductance", ReadingKind::Other),
    ("Irradiance", ReadingKind::Other),
    ("KinematicViscosity", ReadingKind::Other),
    ("Length", ReadingKind::Other),
    ("LinearMomentum", ReadingKind::Other),
    ("Luminance", ReadingKind::Other),
    ("LuminousFlux", ReadingKind::Other),
    ("LuminousIntensity", ReadingKind::Other),
    ("MagneticFlux", ReadingKind::Other),
    ("MagneticFluxDensity", ReadingKind::Other),
    ("MagneticVectorPotential", ReadingKind::Other),
    ("Mass", ReadingKind::Other),
    ("MassConcentration", ReadingKind::Other),
    ("MassFlowRate", ReadingKind::Other),
    ("MassPerAreaTime", ReadingKind::Other),
    ("MemoryCapacity", ReadingKind::Other),
    ("MolalityOfSolute", ReadingKind::Other),
    ("MolarEnergy", ReadingKind::Other),
    ("MolarMass", ReadingKind::Other),
    ("MolarVolume", ReadingKind::Other),
    ("Power", ReadingKind::Other),
    ("Pressure", ReadingKind::Pressure),
    ("RadiantFlux", ReadingKind::Other),
    ("RadiantIntensity", ReadingKind::Other),
    ("Radioactivity", ReadingKind::Other),
    ("RelativeHumidity", ReadingKind::Humidity),
    ("Resistance", ReadingKind::Other),
    ("Resistivity", ReadingKind::Other),
    ("SolidAngle", ReadingKind::Other),
    ("SpecificVolume", ReadingKind::Other),
    ("Speed", ReadingKind::Other),
    ("SurfaceDensity", ReadingKind::Other),
    ("SurfaceTension", ReadingKind::Other),
    ("Temperature", ReadingKind::Temperature),
    ("Time", ReadingKind::Other),
    ("Torque", ReadingKind::Other),
    ("Voltage", ReadingKind::Other),
    ("Volume", ReadingKind::Other),
    ("VolumeFlowRate", ReadingKind::Other),
    ("VolumeFraction", ReadingKind::Other),
    ("VolumetricFlux", ReadingKind::Other),
    ("Wavenumber", ReadingKind::Other),
];

/// Components of what is measured (CBV 2.0 section 7.6.2).
pub const COMPONENTS: &[&str] = &[
    "x",
    "y",
    "z",
    "axial_distance",
    "azimuth",
    "height",
    "spherical_radius",
    "polar_angle",
    "elevation_angle",
    "easting",
    "northing",
    "latitude",
    "longitude",
    "altitude",
];

/// Sensor alert types.
pub const SENSOR_ALERTS: &[&str] = &["ALARM_CONDITION", "ERROR_CONDITION"];

/// How the terms of one list are written.
pub(super) struct Words {
    /// `urn:epcglobal:cbv:bizstep:`; of sensors there is no URN.
    urn: &'static str,
    base: &'static str,
    /// What a web URI has between its base and the word.
    prefix: &'static str,
    knows: fn(&str) -> bool,
}

/// Letters of the other case make another word.
fn in_list(list: &CodeList, word: &str) -> bool {
    list.row(word).is_some_and(|row| row.code == word)
}

pub(super) static BIZ_STEP_WORDS: Words = Words {
    urn: "urn:epcglobal:cbv:bizstep:",
    base: CBV,
    prefix: "BizStep-",
    knows: |word| in_list(&BIZ_STEPS, word),
};
pub(super) static DISPOSITION_WORDS: Words = Words {
    urn: "urn:epcglobal:cbv:disp:",
    base: CBV,
    prefix: "Disp-",
    knows: |word| in_list(&DISPOSITIONS, word),
};
pub(super) static BIZ_TRANSACTION_WORDS: Words = Words {
    urn: "urn:epcglobal:cbv:btt:",
    base: CBV,
    prefix: "BTT-",
    knows: |word| BIZ_TRANSACTION_TYPES.iter().any(|row| row.0 == word),
};
pub(super) static SOURCE_DESTINATION_WORDS: Words = Words {
    urn: "urn:epcglobal:cbv:sdt:",
    base: CBV,
    prefix: "SDT-",
    knows: |word| SOURCE_DESTINATION_TYPES.contains(&word),
};
pub(super) static ERROR_REASON_WORDS: Words = Words {
    urn: "urn:epcglobal:cbv:er:",
    base: CBV,
    prefix: "ER-",
    knows: |word| in_list(&ERROR_REASONS, word),
};
pub(super) static COMPONENT_WORDS: Words = Words {
    urn: "urn:epcglobal:cbv:comp:",
    base: CBV,
    prefix: "Comp-",
    knows: |word| COMPONENTS.contains(&word),
};
pub(super) static MEASUREMENT_WORDS: Words = Words {
    urn: "urn:gs1:voc:",
    base: GS1,
    prefix: "",
    knows: |word| MEASUREMENTS.iter().any(|row| row.0 == word),
};
pub(super) static SENSOR_ALERT_WORDS: Words = Words {
    urn: "urn:gs1:voc:",
    base: GS1,
    prefix: "",
    knows: |word| SENSOR_ALERTS.contains(&word),
};

impl Words {
    /// The word alone, if `text` is one of this list in whatever form; else the text as it is.
    pub(super) fn bare<'t>(&self, text: &'t str) -> &'t str {
        if !text.contains(':') {
            return text;
        }
        if let Some(word) = text.strip_prefix(self.urn) {
            return word;
        }
        // `ns` and `Bizstep-` are of drafts of 2.0, and are still sent.
        let bases: &[&str] = match self.base == GS1 {
            true => &[GS1, "https://ref.gs1.org/voc/", "gs1:"],
            false => &[CBV, "https://ns.gs1.org/cbv/", "https://ns.gs1.org/voc/", "cbv:"],
        };
        bases
            .iter()
            .find_map(|base| text.strip_prefix(base))
            .and_then(|rest| rest.split_at_checked(self.prefix.len()))
            .filter(|(prefix, _)| prefix.eq_ignore_ascii_case(self.prefix))
            .map_or(text, |(_, word)| word)
    }

    /// The web URI of a bare word that the list has, in its parts.
    pub(super) fn web_uri_of_bare<'t>(&self, word: &'t str) -> Option<[&'t str; 3]> {
        (self.knows)(word).then_some([self.base, self.prefix, word])
    }
}

/// The web URI of a term that is written as URN or with a prefix, in its parts.
pub(super) fn as_web_uri(text: &str) -> Option<[&str; 3]> {
    if let Some(rest) = text.strip_prefix("urn:epcglobal:cbv:") {
        let lists = [
            &BIZ_STEP_WORDS,
            &DISPOSITION_WORDS,
            &BIZ_TRANSACTION_WORDS,
            &SOURCE_DESTINATION_WORDS,
            &ERROR_REASON_WORDS,
        ];
        let of = |words: &&'static Words| {
            let own = words.urn.strip_prefix("urn:epcglobal:cbv:")?;
            Some([words.base, words.prefix, rest.strip_prefix(own)?])
        };
        return lists.iter().find_map(of);
    }
    let with_prefix = |prefix, base| Some([base, "", text.strip_prefix(prefix)?]);
    with_prefix("gs1:", GS1).or_else(|| with_prefix("cbv:", CBV))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_in_every_form() {
        let check = |text: &str, expect: &str| assert_eq!(BIZ_STEP_WORDS.bare(text), expect);
        check("shipping", "shipping");
        check("urn:epcglobal:cbv:bizstep:shipping", "shipping");
        check("https://ref.gs1.org/cbv/BizStep-shipping", "shipping");
        check("https://ref.gs1.org/cbv/Bizstep-shipping", "shipping");
        check("cbv:BizStep-shipping", "shipping");
        check("https://ref.gs1.org/cbv/Disp-damaged", "https://ref.gs1.org/cbv/Disp-damaged");
        check("https://example.com/BizStep-shipping", "https://example.com/BizStep-shipping");
        assert_eq!(MEASUREMENT_WORDS.bare("gs1:Temperature"), "Temperature");
        assert_eq!(MEASUREMENT_WORDS.bare("example:Temperature"), "example:Temperature");
    }

    #[test]
    fn lists_are_complete_and_have_no_word_twice() {
        for (list, words) in [(&BIZ_STEPS, 41 + 1), (&DISPOSITIONS, 33 + 5), (&EVENTS, 14)] {
            assert_eq!(list.rows().len(), words, "{}", list.name);
        }
        assert_eq!(BIZ_TRANSACTION_TYPES.len(), 13);
        assert!(MEASUREMENTS.is_sorted_by(|a, b| a.0 < b.0));
    }
}
