//! Qualifiers and small lists of IFTSTA, CODECO and COARRI.

use waybill_schemas::vocabulary::{
    Classifier, Milestone as M, Mode, QuantityKind, ReferenceKind, ReferenceKind as R,
};

use crate::codes::{CodeList, ReasonList, code_list, reason_list};

/// BGM 1001 of CODECO.
pub static GATE_REPORT: CodeList =
    code_list!("edifact-codeco", "CODECO", "UN/EDIFACT 1001 Document name code, in CODECO");

/// BGM 1001 of COARRI: 98 and 270 are what the SMDG's guides had before 44 and 46.
pub static VESSEL_REPORT: CodeList =
    code_list!("edifact-coarri", "COARRI", "UN/EDIFACT 1001 Document name code, in COARRI");

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

/// 2005: when the status came to be; the surest first. 334 is the change of a status, 78 an event as it
/// happened, 7 when something takes effect, 203 the execution of a move, 181 the positioning of a unit,
/// 9 its processing, 1 a service's completion.
pub const STATUS_TIMES: &[&str] = &["334", "78", "7", "203", "181", "ACT", "9", "1"];

/// 2005: when something happened that a status may be about; where the status has no time of its own,
/// this is it. 178 and 195 are arrivals, 186 and 136 departures, 11 is the despatch, 35 the delivery,
/// 200 the pick-up of cargo, 201 that of equipment, 50 and 310 its receipt, 96 the discharge, 58 the
/// clearance by customs, 118 the confirmation of a booking.
pub const HAPPENED: &[&str] =
    &["178", "186", "136", "35", "11", "200", "201", "50", "310", "96", "58", "118", "195"];

/// 2005: dates that tell of the message or of a plan, and never when a status came to be, in words.
const NO_STATUS_TIMES: &[(&str, &str)] = &[
    ("137", "137 (of the message)"),
    ("97", "97 (of the message)"),
    ("132", "132 (estimated arrival)"),
    ("133", "133 (estimated departure)"),
    ("189", "189 (scheduled departure)"),
    ("232", "232 (scheduled arrival)"),
    ("17", "17 (estimated delivery)"),
    ("191", "191 (expected delivery)"),
    ("2", "2 (requested delivery)"),
    ("64", "64 (earliest delivery)"),
    ("63", "63 (latest delivery)"),
    ("69", "69 (promised delivery)"),
    ("76", "76 (scheduled delivery)"),
    ("10", "10 (requested shipment)"),
];

/// A qualifier in words, for a reject, which shows nothing of what was sent.
pub fn date_in_words(qualifier: &str) -> &'static str {
    let mut known = STATUS_TIMES.iter().chain(HAPPENED);
    if let Some(known) = known.find(|known| **known == qualifier) {
        return known;
    }
    NO_STATUS_TIMES.iter().find(|(code, _)| *code == qualifier).map_or("another", |row| row.1)
}

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
pub static REASONS: ReasonList =
    reason_list!("edifact-9013", "EDIFACT-9013", "UN/EDIFACT 9013 Status reason description code");
