//! Qualifiers and small lists of IFTSTA, CODECO and COARRI.

use waybill_schemas::vocabulary::{
    Classifier, ExceptionKind as E, Milestone as M, Mode, QuantityKind, ReferenceKind,
    ReferenceKind as R,
};

use crate::codes::{CodeList, ReasonList, code, reason};

/// BGM 1001 of CODECO.
pub const GATE_REPORT: CodeList = CodeList {
    prefix: "CODECO",
    name: "UN/EDIFACT 1001 Document name code, in CODECO",
    rows: &[
        code("34", M::GateIn, "Gate-in report"),
        code("36", M::GateOut, "Gate-out report"),
        code("98", M::Discharged, "Discharge report"),
        code("270", M::Loaded, "Loading report"),
    ],
};

/// BGM 1001 of COARRI: 98 and 270 are what the SMDG's guides had before 44 and 46.
pub const VESSEL_REPORT: CodeList = CodeList {
    prefix: "COARRI",
    name: "UN/EDIFACT 1001 Document name code, in COARRI",
    rows: &[
        code("44", M::Discharged, "Discharge report"),
        code("46", M::Loaded, "Loading report"),
        code("98", M::Discharged, "Discharge report"),
        code("270", M::Loaded, "Loading report"),
    ],
};

/// 2005: times that are a milestone of their own.
pub fn date(qualifier: &str) -> Option<(M, Classifier)> {
    Some(match qualifier {
        "132" => (M::Arrived, Classifier::Estimated),
        "133" => (M::Departed, Classifier::Estimated),
        "178" => (M::Arrived, Classifier::Actual),
        "186" => (M::Departed, Classifier::Actual),
        "136" => (M::Departed, Classifier::Actual),
        "189" => (M::Departed, Classifier::Planned),
        "232" => (M::Arrived, Classifier::Planned),
        "17" | "191" => (M::Delivered, Classifier::Estimated),
        "35" => (M::Delivered, Classifier::Actual),
        "69" | "76" => (M::Delivered, Classifier::Planned),
        _ => return None,
    })
}

/// 2005: when the status came to be; the surest first.
pub const STATUS_TIMES: &[&str] = &["334", "7", "203", "181", "ACT"];

/// 3227: where the status is, the surest first. 175 is the activity's place, 165 the terminal's or
/// depot's of a gate move.
pub const STATUS_PLACES: &[&str] = &["175", "165", "14", "18"];

/// 8067.
pub const MODES: &[(&str, Mode)] = &[
    ("1", Mode::Ocean),
    ("2", Mode::Rail),
    ("3", Mode::Road),
    ("4", Mode::Air),
    ("5", Mode::Post),
    ("6", Mode::Multimodal),
    ("8", Mode::Barge),
];

/// 1153: qualifiers of what the model knows; 4F is of X12, and comes in IFTSTA, too.
const REFERENCES: &[(&str, ReferenceKind)] = &[
    ("4F", R::CustomerReference),
    ("AAM", R::TransportDocument),
    ("AAO", R::ConsigneeReference),
    ("AAQ", R::CarrierEquipment),
    ("AAS", R::TransportDocument),
    ("AWB", R::AirWaybill),
    ("BH", R::BillOfLading),
    ("BM", R::BillOfLading),
    ("BN", R::Booking),
    ("CN", R::Pro),
    ("CO", R::PurchaseOrder),
    ("CR", R::CustomerReference),
    ("CU", R::ShipperReference),
    ("EQ", R::Container),
    ("FF", R::ForwarderReference),
    ("HWB", R::HouseAirWaybill),
    ("IV", R::Invoice),
    ("MB", R::BillOfLading),
    ("MWB", R::AirWaybill),
    ("ON", R::PurchaseOrder),
    ("SI", R::ShippingInstruction),
    ("SN", R::Seal),
    ("SRN", R::ShipperReference),
    ("TB", R::TransportDocument),
];

pub fn reference(qualifier: &str) -> ReferenceKind {
    REFERENCES.iter().find(|(code, _)| *code == qualifier).map_or(R::Other, |row| row.1)
}

/// 6313.
pub const MEASURES: &[(&str, QuantityKind)] = &[
    ("VGM", QuantityKind::VerifiedGrossMass),
    ("G", QuantityKind::GrossWeight),
    ("AAB", QuantityKind::GrossWeight),
    ("AAD", QuantityKind::GrossWeight),
    ("EGW", QuantityKind::GrossWeight),
    ("ET", QuantityKind::GrossWeight),
    ("WT", QuantityKind::GrossWeight),
    ("N", QuantityKind::NetWeight),
    ("AAA", QuantityKind::NetWeight),
    ("AAC", QuantityKind::NetWeight),
    ("AAL", QuantityKind::NetWeight),
    ("T", QuantityKind::TareWeight),
    ("AAW", QuantityKind::Volume),
    ("ABJ", QuantityKind::Volume),
    ("CT", QuantityKind::Packages),
];

/// 6411, UNECE Recommendation 20, in UCUM.
pub fn unit(code: &str) -> Option<&'static str> {
    Some(match code {
        "KGM" | "KG" => "kg",
        "GRM" => "g",
        "TNE" | "MT" => "t",
        "LBR" | "LB" => "[lb_av]",
        "MTQ" => "m3",
        "FTQ" => "[cft_i]",
        "LTR" => "L",
        "CEL" => "Cel",
        "FAH" => "[degF]",
        "PCE" | "C62" | "NMB" => "1",
        _ => return None,
    })
}

/// STS 9013.
pub const REASONS: ReasonList = ReasonList {
    prefix: "EDIFACT-9013",
    name: "UN/EDIFACT 9013 Status reason description code",
    rows: &[
        reason("1", Some(E::Address), "Address ex delivery area"),
        reason("2", Some(E::Missed), "After transport departed"),
        reason("3", Some(E::Refused), "Agent refusal"),
        reason("4", Some(E::Security), "Altered seals"),
        reason("5", None, "Appointment scheduled"),
        reason("6", Some(E::Other), "Attempt unsuccessful"),
        reason("7", Some(E::RecipientAbsent), "Business closed"),
        reason("8", Some(E::Delay), "Changed schedule"),
        reason("9", Some(E::Address), "Complementary address needed"),
        reason("10", Some(E::Other), "Computer system down"),
        reason("11", Some(E::Payment), "Credit approval requested"),
        reason("12", Some(E::Other), "Customer arrangements"),
        reason("13", Some(E::CustomsHold), "Customs refusal"),
        reason("14", Some(E::Damage), "Damaged"),
        reason("15", Some(E::Delay), "Delivery at specific requested dates/times/periods"),
        reason("16", Some(E::Misrouted), "Destination incorrect"),
        reason("17", Some(E::Delay), "Departure delay"),
        reason("18", Some(E::Accident), "Derailment"),
        reason("19", Some(E::Other), "Discrepancy"),
        reason("20", Some(E::Strike), "Dock strike"),
        reason("21", Some(E::Other), "Due to customer"),
        reason("22", Some(E::Missing), "Empty"),
        reason("23", Some(E::MechanicalFailure), "Equipment failure"),
        reason("24", Some(E::CustomsHold), "Examination required by relevant authority"),
        reason("25", Some(E::CustomsHold), "Export restrictions"),
        reason("26", Some(E::CustomsHold), "Frustrated export"),
        reason("27", Some(E::Missing), "Goods units missing"),
        reason("28", Some(E::CustomsHold), "Import restrictions"),
        reason("29", Some(E::Other), "Incorrect pick information"),
        reason("30", Some(E::Address), "Incorrect address"),
        reason("31", Some(E::Strike), "Industrial dispute"),
        reason("32", Some(E::Delay), "Instructions awaited"),
        reason("33", Some(E::Lost), "Lost goods/consignments/equipment"),
        reason("34", Some(E::Accident), "Means of transport damaged"),
        reason("35", Some(E::MechanicalFailure), "Mechanical breakdown"),
        reason("36", Some(E::MechanicalFailure), "Mechanical inspection"),
        reason("37", Some(E::DocumentsMissing), "Missing and/or incorrect documents"),
        reason("38", Some(E::Other), "New delivery arrangements"),
        reason("39", Some(E::Address), "No recipient contact information"),
        reason("40", Some(E::Other), "Not identified"),
        reason("41", Some(E::Missed), "Not loaded"),
        reason("42", None, "On deck"),
        reason("43", Some(E::Delay), "Package not ready"),
        reason("44", Some(E::Other), "Package tracking number unknown"),
        reason("45", Some(E::Missing), "Partly missing"),
        reason("46", Some(E::Payment), "Payment not received"),
        reason("47", Some(E::Payment), "Payment refused"),
        reason("48", Some(E::Theft), "Plundered"),
        reason("49", Some(E::Refused), "Refused without reason given"),
        reason("50", Some(E::Missed), "Scheduled past cut-off"),
        reason("51", Some(E::Delay), "Shunted to siding"),
        reason("52", None, "Signature not required"),
        reason("53", Some(E::Misrouted), "Sorted wrong route"),
        reason("54", Some(E::Other), "Special service required"),
        reason("55", Some(E::Other), "Split"),
        reason("56", Some(E::Missing), "Totally missing"),
        reason("57", Some(E::Other), "Tracking information unavailable"),
        reason("58", Some(E::Delay), "Transit delay"),
        reason("59", Some(E::Missing), "Unable to locate"),
        reason("60", Some(E::Damage), "Unacceptable condition"),
        reason("61", None, "Under deck"),
        reason("62", Some(E::Other), "Unknown"),
        reason("63", Some(E::Weather), "Weather conditions"),
        reason("64", Some(E::Other), "Expired free time"),
        reason("65", None, "Outstanding claims settled"),
    ],
};
