//! The Core Business Vocabulary 2.0 (CBV): its lists, and what they mean in the shipment model.
//! Words that 1.x had and 2.0 has no more are marked so.
//!
//! A word is written as itself (JSON-LD), as URN (`urn:epcglobal:cbv:bizstep:shipping`), as web URI
//! (`https://ref.gs1.org/cbv/BizStep-shipping`) or with a prefix (`cbv:BizStep-shipping`).

use waybill_schemas::vocabulary::{
    ExceptionKind as X, Milestone as M, ReadingKind, ReferenceKind as R,
};

use crate::codes::{CodeList, CodeRow, code, trouble};

pub(super) const CBV: &str = "https://ref.gs1.org/cbv/";
pub(super) const GS1: &str = "https://gs1.org/voc/";

/// Business steps (CBV 2.0 section 7.1).
pub const BIZ_STEPS: CodeList = CodeList {
    prefix: "BIZSTEP",
    name: "GS1 CBV 2.0 business steps",
    rows: &[
        // Possession or ownership changes at the shipping point (see `consigning`).
        code("accepting", M::Accepted, "Accepting"),
        code("arriving", M::Arrived, "Arriving"),
        code("assembling", M::Other, "Assembling"),
        code("collecting", M::PickedUp, "Collecting"),
        // Where the object is an SSCC, its shipment begins to be: see event.rs.
        code("commissioning", M::Other, "Commissioning"),
        // Staging, loading, departing and accepting in one.
        code("consigning", M::Departed, "Consigning"),
        code("creating_class_instance", M::Other, "Creating class instance"),
        code("cycle_counting", M::Other, "Cycle counting"),
        code("decommissioning", M::Other, "Decommissioning"),
        code("departing", M::Departed, "Departing"),
        code("destroying", M::Other, "Destroying"),
        code("disassembling", M::Other, "Disassembling"),
        code("dispensing", M::Other, "Dispensing"),
        code("encoding", M::Other, "Encoding"),
        // At a shop's door, either way.
        code("entering_exiting", M::Other, "Entering or exiting"),
        // Set apart to be looked at: by customs, for quality.
        trouble("holding", M::Other, X::Other, "Holding"),
        code("inspecting", M::Inspected, "Inspecting"),
        code("installing", M::Other, "Installing"),
        code("killing", M::Other, "Killing (of a tag)"),
        code("loading", M::Loaded, "Loading"),
        code("other", M::Other, "Other"),
        code("packing", M::Stuffed, "Packing"),
        // Selecting what an order asks for; nobody picks it up.
        code("picking", M::Other, "Picking"),
        code("receiving", M::Received, "Receiving"),
        // Out of a composite object, not out of a place.
        code("removing", M::Other, "Removing"),
        code("repackaging", M::Other, "Repackaging"),
        code("repairing", M::Other, "Repairing"),
        code("replacing", M::Other, "Replacing"),
        code("reserving", M::Other, "Reserving"),
        code("retail_selling", M::Other, "Retail selling"),
        code("sampling", M::Other, "Sampling"),
        code("sensor_reporting", M::SensorReading, "Sensor reporting"),
        // Picking, staging, loading and departing in one.
        code("shipping", M::Departed, "Shipping"),
        code("staging_outbound", M::Other, "Staging outbound"),
        code("stock_taking", M::Other, "Stock taking"),
        code("stocking", M::Other, "Stocking"),
        code("storing", M::Other, "Storing"),
        code("transporting", M::InTransit, "Transporting"),
        code("unloading", M::Discharged, "Unloading"),
        code("unpacking", M::Stripped, "Unpacking"),
        // Names no event, so it cannot withdraw one.
        trouble("void_shipping", M::Other, X::Cancelled, "Void shipping"),
        code("transforming", M::Other, "Transforming (1.0)"),
    ],
};

/// Dispositions (CBV 2.0 section 7.2). What is wrong counts always, the milestone only where no
/// business step is stated.
pub const DISPOSITIONS: CodeList = CodeList {
    prefix: "DISP",
    name: "GS1 CBV 2.0 dispositions",
    rows: &[
        code("active", M::Other, "Active"),
        code("available", M::Other, "Available"),
        code("completeness_inferred", M::Other, "Completeness inferred"),
        code("completeness_verified", M::Other, "Completeness verified"),
        code("conformant", M::Other, "Conformant"),
        code("container_closed", M::Stuffed, "Container closed"),
        code("container_open", M::Other, "Container open"),
        trouble("damaged", M::Other, X::Damage, "Damaged"),
        trouble("destroyed", M::Other, X::Damage, "Destroyed"),
        code("dispensed", M::Other, "Dispensed"),
        code("disposed", M::Other, "Disposed"),
        code("encoded", M::Other, "Encoded"),
        trouble("expired", M::Other, X::Other, "Expired"),
        code("in_progress", M::Other, "In progress"),
        code("in_transit", M::InTransit, "In transit"),
        code("inactive", M::Other, "Inactive"),
        trouble("mismatch_class", M::Other, X::Other, "Mismatch of class"),
        trouble("mismatch_instance", M::Other, X::Other, "Mismatch of instance"),
        trouble("mismatch_quantity", M::Other, X::Other, "Mismatch of quantity"),
        trouble("needs_replacement", M::Other, X::Other, "Needs replacement"),
        trouble("no_pedigree_match", M::Other, X::DocumentsMissing, "No pedigree match"),
        trouble("non_conformant", M::Other, X::Other, "Non-conformant"),
        trouble("non_sellable_other", M::Other, X::Other, "Non-sellable, other"),
        code("partially_dispensed", M::Other, "Partially dispensed"),
        trouble("recalled", M::Other, X::Other, "Recalled"),
        code("reserved", M::Other, "Reserved"),
        code("retail_sold", M::Other, "Retail sold"),
        code("returned", M::Returned, "Returned"),
        code("sellable_accessible", M::Other, "Sellable, accessible"),
        code("sellable_not_accessible", M::Other, "Sellable, not accessible"),
        trouble("stolen", M::Other, X::Theft, "Stolen"),
        code("unavailable", M::Other, "Unavailable"),
        code("unknown", M::Other, "Unknown"),
        trouble("non_sellable_damaged", M::Other, X::Damage, "Non-sellable, damaged (1.0)"),
        code("non_sellable_disposed", M::Other, "Non-sellable, disposed (1.0)"),
        trouble("non_sellable_expired", M::Other, X::Other, "Non-sellable, expired (1.0)"),
        trouble(
            "non_sellable_no_pedigree_match",
            M::Other,
            X::DocumentsMissing,
            "Non-sellable, no pedigree match (1.0)",
        ),
        trouble("non_sellable_recalled", M::Other, X::Other, "Non-sellable, recalled (1.0)"),
    ],
};

/// Reasons of an error declaration (CBV 2.0 section 7.5).
pub const ERROR_REASONS: CodeList = CodeList {
    prefix: "ER",
    name: "GS1 CBV 2.0 error reasons",
    rows: &[
        code("did_not_occur", M::Withdrawn, "Did not occur"),
        code("incorrect_data", M::Withdrawn, "Incorrect data"),
    ],
};

/// Type and action, where neither business step nor disposition is stated.
pub const EVENTS: CodeList = CodeList {
    prefix: "EVENT",
    name: "GS1 EPCIS 2.0 event types and actions",
    rows: &[
        code("ObjectEvent/ADD", M::Other, "Object commissioned"),
        code("ObjectEvent/OBSERVE", M::Other, "Object observed"),
        code("ObjectEvent/DELETE", M::Other, "Object decommissioned"),
        code("AggregationEvent/ADD", M::Stuffed, "Children put into the parent"),
        code("AggregationEvent/OBSERVE", M::Other, "Aggregation observed"),
        code("AggregationEvent/DELETE", M::Stripped, "Children taken out of the parent"),
        code("TransactionEvent/ADD", M::Other, "Transaction linked"),
        code("TransactionEvent/OBSERVE", M::Other, "Transaction observed"),
        code("TransactionEvent/DELETE", M::Other, "Transaction unlinked"),
        code("AssociationEvent/ADD", M::Other, "Children fixed to the parent"),
        code("AssociationEvent/OBSERVE", M::Other, "Association observed"),
        code("AssociationEvent/DELETE", M::Other, "Children taken off the parent"),
        code("TransformationEvent", M::Other, "Inputs made into outputs"),
        code("QuantityEvent", M::Other, "Quantity observed (1.x)"),
    ],
};

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

fn in_list(rows: &[CodeRow], word: &str) -> bool {
    rows.iter().any(|row| row.code == word)
}

pub(super) static BIZ_STEP_WORDS: Words = Words {
    urn: "urn:epcglobal:cbv:bizstep:",
    base: CBV,
    prefix: "BizStep-",
    knows: |word| in_list(BIZ_STEPS.rows, word),
};
pub(super) static DISPOSITION_WORDS: Words = Words {
    urn: "urn:epcglobal:cbv:disp:",
    base: CBV,
    prefix: "Disp-",
    knows: |word| in_list(DISPOSITIONS.rows, word),
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
    knows: |word| in_list(ERROR_REASONS.rows, word),
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

    /// The web URI of a bare word that the list has.
    pub(super) fn web_uri_of_bare(&self, word: &str) -> Option<String> {
        (self.knows)(word).then(|| [self.base, self.prefix, word].concat())
    }
}

/// The web URI of a term that is written as URN or with a prefix.
pub(super) fn as_web_uri(text: &str) -> Option<String> {
    if let Some(rest) = text.strip_prefix("urn:epcglobal:cbv:") {
        let lists = [
            &BIZ_STEP_WORDS,
            &DISPOSITION_WORDS,
            &BIZ_TRANSACTION_WORDS,
            &SOURCE_DESTINATION_WORDS,
            &ERROR_REASON_WORDS,
        ];
        let of = |words: &&Words| {
            let own = words.urn.strip_prefix("urn:epcglobal:cbv:")?;
            Some([words.base, words.prefix, rest.strip_prefix(own)?].concat())
        };
        return lists.iter().find_map(of);
    }
    let (prefix, rest) = text.split_once(':')?;
    match prefix {
        "gs1" => Some([GS1, rest].concat()),
        "cbv" => Some([CBV, rest].concat()),
        _ => None,
    }
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
            assert_eq!(list.rows.len(), words, "{}", list.name);
            for (index, row) in list.rows.iter().enumerate() {
                assert!(!in_list(&list.rows[..index], row.code), "{}", row.code);
            }
        }
        assert_eq!(BIZ_TRANSACTION_TYPES.len(), 13);
        assert!(MEASUREMENTS.is_sorted_by(|a, b| a.0 < b.0));
    }
}
