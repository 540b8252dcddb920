//! The code lists of the 214, and the elements that all transaction sets share. A code's name is
//! X12's; lists are those of 004010 and what later versions added.

use waybill_schemas::vocabulary::{
    Classifier, Mode, QuantityKind, ReferenceKind, ReferenceKind as R,
};

use crate::codes::{CodeList, ReasonList, code_list, reason_list};

/// AT701.
pub static SHIPMENT_STATUS: CodeList =
    code_list!("x12-1650", "X12", "X12 1650 Shipment Status Code");

/// AT703. What stands in AT705 is when it is to be, except of `X9` and `XA`: when it was agreed.
pub static APPOINTMENT_STATUS: CodeList =
    code_list!("x12-1652", "X12", "X12 1652 Shipment Appointment Status Code");

/// AT702 and AT704; 1653, which AT704 was once, is a part of it and of the last rows.
pub static STATUS_REASON: ReasonList =
    reason_list!("x12-1651", "X12", "X12 1651 Shipment Status or Appointment Reason Code");

/// Q701.
pub static LADING_EXCEPTION: ReasonList =
    reason_list!("x12-33", "X12-33", "X12 33 Lading Exception Code");

/// G6201: dates that a 214's header gives to a milestone.
pub static DATES: CodeList =
    code_list!("x12-432", "X12-432", "X12 432 Date Qualifier: those of a milestone");

/// Codes of a 214 whose date is no fact.
static NOT_ACTUAL: &[(&CodeList, &str, Classifier)] = &[
    (&SHIPMENT_STATUS, "AG", Classifier::Estimated),
    (&SHIPMENT_STATUS, "B6", Classifier::Estimated),
    (&SHIPMENT_STATUS, "C1", Classifier::Estimated),
    (&SHIPMENT_STATUS, "X2", Classifier::Estimated),
    (&SHIPMENT_STATUS, "DE", Classifier::Planned),
    (&APPOINTMENT_STATUS, "AA", Classifier::Planned),
    (&APPOINTMENT_STATUS, "AB", Classifier::Planned),
    (&APPOINTMENT_STATUS, "AC", Classifier::Estimated),
    (&APPOINTMENT_STATUS, "ED", Classifier::Planned),
    (&APPOINTMENT_STATUS, "EP", Classifier::Planned),
    (&APPOINTMENT_STATUS, "LD", Classifier::Planned),
    (&APPOINTMENT_STATUS, "LP", Classifier::Planned),
    (&DATES, "17", Classifier::Estimated),
    (&DATES, "69", Classifier::Planned),
    (&DATES, "70", Classifier::Planned),
    (&DATES, "77", Classifier::Planned),
    (&DATES, "78", Classifier::Planned),
];

pub fn classifier(list: &CodeList, code: &str) -> Classifier {
    NOT_ACTUAL
        .iter()
        .find(|(own, c, _)| own.table == list.table && c.eq_ignore_ascii_case(code))
        .map_or(Classifier::Actual, |row| row.2)
}

/// Statuses that are at the pick-up, and at the delivery: where no place is sent, it is the
/// party's.
pub const AT_PICKUP: &[&str] = &["AF", "CP", "X3", "X8", "L1", "AA", "EP", "LP", "XA"];
pub const AT_DELIVERY: &[&str] = &[
    "A7", "AG", "AH", "AP", "CB", "CD", "D1", "PA", "S1", "X1", "X2", "X5", "AB", "AC", "ED", "LD",
    "X9",
];

/// Whose place that is (N101), the surest first.
pub const PICKUP_PARTIES: &[&str] = &["SF", "SH", "PU", "OT"];
pub const DELIVERY_PARTIES: &[&str] = &["ST", "CN", "UC", "DT"];

/// MS304.
pub const METHODS: &[(&str, Mode)] = &[
    ("A", Mode::Air),
    ("AC", Mode::Air),
    ("AE", Mode::Air),
    ("AF", Mode::Air),
    ("AH", Mode::Air),
    ("B", Mode::Barge),
    ("C", Mode::Road),
    ("D", Mode::Post),
    ("DW", Mode::Road),
    ("E", Mode::Road),
    ("FA", Mode::Air),
    ("FL", Mode::Road),
    ("HH", Mode::Road),
    ("I", Mode::Road),
    ("J", Mode::Road),
    ("K", Mode::Road),
    ("L", Mode::Road),
    ("LA", Mode::Air),
    ("LT", Mode::Road),
    ("M", Mode::Road),
    ("MB", Mode::Road),
    ("MP", Mode::Parcel),
    ("N", Mode::Ocean),
    ("O", Mode::Ocean),
    ("PA", Mode::Air),
    ("PG", Mode::Multimodal),
    ("PR", Mode::Rail),
    ("PT", Mode::Road),
    ("Q", Mode::Ocean),
    ("R", Mode::Rail),
    ("RC", Mode::Rail),
    ("RR", Mode::Rail),
    ("S", Mode::Ocean),
    ("SE", Mode::Multimodal),
    ("SR", Mode::Road),
    ("SS", Mode::Ocean),
    ("ST", Mode::Rail),
    ("TT", Mode::Road),
    ("U", Mode::Parcel),
    ("VA", Mode::Road),
    ("VE", Mode::Ocean),
    ("VL", Mode::Ocean),
    ("W", Mode::Barge),
    ("X", Mode::Multimodal),
    ("Y1", Mode::Ocean),
    ("Y2", Mode::Ocean),
    ("7", Mode::Post),
];

/// 128: qualifiers of what the model knows.
const REFERENCES: &[(&str, ReferenceKind)] = &[
    ("08", R::TrackingNumber),
    ("2I", R::TrackingNumber),
    ("4F", R::CustomerReference),
    ("6A", R::ConsigneeReference),
    ("AW", R::AirWaybill),
    ("BL", R::BillOfLading),
    ("BM", R::BillOfLading),
    ("BN", R::Booking),
    ("CG", R::ConsigneeReference),
    ("CN", R::Pro),
    ("CO", R::CustomerReference),
    ("CP", R::TrackingNumber),
    ("CR", R::CustomerReference),
    ("EQ", R::Container),
    ("FN", R::ForwarderReference),
    ("GM", R::Sscc),
    ("HB", R::Other),
    ("IK", R::Invoice),
    ("IV", R::Invoice),
    ("MA", R::HouseAirWaybill),
    ("MB", R::BillOfLading),
    ("OB", R::BillOfLading),
    ("OC", R::Container),
    ("PO", R::PurchaseOrder),
    ("SI", R::ShipperReference),
    ("SN", R::Seal),
    ("SO", R::ShipperReference),
    ("WY", R::TransportDocument),
];

/// 128: qualifiers of what refers to nothing: stop sequence, SCAC, vessel, voyage, inspection
/// marks.
const NO_REFERENCES: &[&str] = &["QN", "SCA", "WU", "V3", "VT", "X3", "IC", "S5"];

pub fn reference(qualifier: &str) -> Option<ReferenceKind> {
    if NO_REFERENCES.iter().any(|code| code.eq_ignore_ascii_case(qualifier)) {
        return None;
    }
    let known = REFERENCES.iter().find(|(code, _)| code.eq_ignore_ascii_case(qualifier));
    Some(known.map_or(R::Other, |row| row.1))
}

/// 623: minutes east of UTC; `None` within if it states none, `None` without if there is no such
/// code.
pub fn offset(code: &str) -> Option<Option<i32>> {
    Some(match code {
        "" | "LT" | "AT" | "CT" | "ET" | "HT" | "MT" | "NT" | "PT" | "TT" => None,
        "UT" | "GM" | "Z" => Some(0),
        "AD" | "PS" => Some(-8 * 60),
        "AS" | "HD" => Some(-9 * 60),
        "HS" => Some(-10 * 60),
        "PD" | "MS" => Some(-7 * 60),
        "MD" | "CS" => Some(-6 * 60),
        "CD" | "ES" => Some(-5 * 60),
        "ED" | "TS" => Some(-4 * 60),
        "TD" => Some(-3 * 60),
        "NS" => Some(-3 * 60 - 30),
        "ND" => Some(-2 * 60 - 30),
        // ISO 8601 offsets: 01 to 12 are hours east, 13 to 24 are 12 to 1 hours west.
        numbered if numbered.len() == 2 => match crate::time::number(numbered)? {
            hours @ 1..=12 => Some(i32::from(hours) * 60),
            hours @ 13..=24 => Some((i32::from(hours) - 25) * 60),
            _ => return None,
        },
        _ => return None,
    })
}

/// 187.
pub const WEIGHTS: &[(&str, QuantityKind)] = &[
    ("G", QuantityKind::GrossWeight),
    ("A", QuantityKind::GrossWeight),
    ("N", QuantityKind::NetWeight),
    ("C", QuantityKind::NetWeight),
    ("E", QuantityKind::NetWeight),
    ("T", QuantityKind::TareWeight),
    ("B", QuantityKind::ChargeableWeight),
    ("A1", QuantityKind::ChargeableWeight),
    ("VG", QuantityKind::VerifiedGrossMass),
];

/// 188, in UCUM.
pub const WEIGHT_UNITS: &[(&str, &str)] = &[
    ("E", "t"),
    ("G", "g"),
    ("K", "kg"),
    ("L", "[lb_av]"),
    ("O", "[oz_av]"),
    ("S", "[ston_av]"),
    ("T", "[lton_av]"),
];

/// 184, in UCUM.
pub const VOLUME_UNITS: &[(&str, &str)] =
    &[("E", "[cft_i]"), ("N", "[cin_i]"), ("X", "m3"), ("V", "L"), ("G", "[gal_us]")];

/// 578 (B409, W205), and 322, which is a part of it: whether the unit is empty.
pub fn is_empty(status: &str) -> Option<bool> {
    match status {
        "E" | "W" | "AA" | "AB" | "AI" | "AJ" | "AL" => Some(true),
        "L" | "AC" | "AG" | "AH" | "LI" | "LO" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets() {
        let check = |code, expect| assert_eq!(offset(code), expect, "{code}");
        check("LT", Some(None));
        check("PT", Some(None));
        check("", Some(None));
        check("UT", Some(Some(0)));
        check("ES", Some(Some(-300)));
        check("ED", Some(Some(-240)));
        check("01", Some(Some(60)));
        check("12", Some(Some(720)));
        check("13", Some(Some(-720)));
        check("24", Some(Some(-60)));
        check("25", None);
        check("00", None);
        check("XX", None);
    }

    #[test]
    fn lists_go_together() {
        // One prefix: the codes of both lists stand in AT7.
        for row in APPOINTMENT_STATUS.rows() {
            assert!(SHIPMENT_STATUS.find(row.code).is_none());
        }
        for (list, code, _) in NOT_ACTUAL {
            assert!(list.find(code).is_some(), "{code}");
        }
    }
}
