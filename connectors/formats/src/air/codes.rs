//! The code lists of air cargo, and what they mean in the shipment model.

use waybill_schemas::vocabulary::{Classifier, ExceptionKind as E, Milestone, Milestone as M};

use crate::codes::{CodeList, ReasonList, code, reason};

/// Of Cargo-IMP, Cargo-XML and ONE Record alike.
pub const STATUS: CodeList = CodeList {
    prefix: "FSU",
    name: "IATA Status Codes (Cargo-XML code list 1.18; Cargo-IMP FSU)",
    rows: &[
        code("ARR", M::Arrived, "Arrived on a flight"),
        code("AWD", M::DocumentReleased, "Arrival documentation delivered to consignee or agent"),
        code("AWR", M::DocumentReceived, "Arrival documentation received from a flight"),
        code("BKD", M::BookingConfirmed, "Booked on a flight"),
        code("CCD", M::CustomsReleased, "Cleared by customs"),
        code("CRC", M::CustomsSubmitted, "Reported to customs"),
        code("DDL", M::Delivered, "Delivered to the consignee's door"),
        code("DEP", M::Departed, "Departed on a flight"),
        // What kind of discrepancy it is stands beside it, and is the exception.
        code("DIS", M::InTransit, "Discrepancy in handling or documentation"),
        code("DLV", M::Delivered, "Delivered to consignee or agent"),
        code("DOC", M::DocumentReceived, "Documents received by the handling party"),
        code("DPU", M::PickedUp, "Picked up at the shipper's door"),
        code("FIW", M::GateIn, "Freight into warehouse control"),
        // In the carrier's hands, and not yet found fit to be carried: that is RCS.
        code("FOH", M::DroppedOff, "On hand, pending ready for carriage"),
        code("FOW", M::GateOut, "Freight out of warehouse control"),
        code("MAN", M::Manifested, "Manifested for a flight"),
        code("NFD", M::Notified, "Consignee or agent notified of the arrival"),
        // Not states of a consignment, though in the list: what they hold is for information.
        code("OCI", M::Other, "Other customs, security and regulatory control information"),
        code("OSI", M::Other, "Other service information"),
        // Built up onto pallets and into containers.
        code("PRE", M::Stuffed, "Prepared for loading on a flight"),
        code("RCF", M::Received, "Received from a flight"),
        code("RCS", M::Accepted, "Received from the shipper or agent, ready for carriage"),
        code("RCT", M::Received, "Received from another carrier"),
        code("TFD", M::Transferred, "Transferred to another carrier"),
        code("TGC", M::CustomsHold, "Transferred to customs or government control"),
        // On the manifest of what goes to the other carrier; that it has gone is TFD.
        code("TRM", M::Manifested, "To be transferred to another carrier"),
    ],
};

/// What a `DIS` is about.
pub const DISCREPANCY: ReasonList = ReasonList {
    prefix: "DIS",
    name: "IATA Discrepancy Codes (Cargo-IMP FSU and FAD)",
    rows: &[
        reason("DFLD", None, "Definitely loaded"),
        // Found: it is here and on no manifest of what should be.
        reason("FDAV", Some(E::Misrouted), "Found mail document"),
        reason("FDAW", Some(E::Misrouted), "Found air waybill"),
        reason("FDCA", Some(E::Misrouted), "Found cargo"),
        reason("FDMB", Some(E::Misrouted), "Found mailbag"),
        reason("MSAV", Some(E::DocumentsMissing), "Missing mail document"),
        reason("MSAW", Some(E::DocumentsMissing), "Missing air waybill"),
        reason("MSCA", Some(E::Missing), "Missing cargo"),
        reason("MSMB", Some(E::Missing), "Missing mailbag"),
        reason("OFLD", Some(E::Missed), "Offloaded"),
        reason("OVCD", Some(E::Misrouted), "Overcarried"),
        reason("SSPD", Some(E::Missed), "Shortshipped"),
    ],
};

/// What a discrepancy itself says of where the cargo is; else the milestone of `DIS` stays.
pub(super) fn discrepancy_milestone(code: &str) -> Option<Milestone> {
    [("DFLD", M::Loaded), ("OFLD", M::Removed)]
        .into_iter()
        .find_map(|(of, milestone)| of.eq_ignore_ascii_case(code).then_some(milestone))
}

/// Kinds of time: the indicator of Cargo-IMP and Cargo-XML, and the `EventTimeType` of ONE Record.
pub const TIME_TYPES: &[(&str, Classifier)] = &[
    ("A", Classifier::Actual),
    ("E", Classifier::Estimated),
    ("S", Classifier::Planned),
    ("ACTUAL", Classifier::Actual),
    ("ESTIMATED", Classifier::Estimated),
    ("EXPECTED", Classifier::Estimated),
    ("PLANNED", Classifier::Planned),
    ("SCHEDULED", Classifier::Planned),
    ("REQUESTED", Classifier::Planned),
];

pub(super) fn time_type(code: &str) -> Option<Classifier> {
    TIME_TYPES.iter().find(|row| row.0.eq_ignore_ascii_case(code)).map(|row| row.1)
}

/// UN/ECE Recommendation 20, as Cargo-XML and ONE Record state units, and the codes of Cargo-IMP
/// (1.9 weight, 1.10 volume), in UCUM.
pub const UNITS: &[(&str, &str)] = &[
    ("K", "kg"),
    ("L", "[lb_av]"),
    ("KGM", "kg"),
    ("LBR", "[lb_av]"),
    ("TNE", "t"),
    ("GRM", "g"),
    ("MC", "m3"),
    ("CC", "cm3"),
    ("CF", "[cft_i]"),
    ("CI", "[cin_i]"),
    ("MTQ", "m3"),
    ("CMQ", "cm3"),
    ("DMQ", "dm3"),
    ("FTQ", "[cft_i]"),
    ("INQ", "[cin_i]"),
];

pub(super) fn unit(code: &str) -> Option<&'static str> {
    UNITS.iter().find(|row| row.0.eq_ignore_ascii_case(code)).map(|row| row.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_stands_once() {
        let mut codes: Vec<_> = STATUS.rows.iter().map(|row| row.code).collect();
        codes.sort_unstable();
        codes.dedup();
        // 23 states, DIS with its twelve kinds, and the two that are no states.
        assert_eq!(codes.len(), STATUS.rows.len());
        assert_eq!(codes.len(), 26);
        assert_eq!(DISCREPANCY.rows.len(), 12);
    }

    #[test]
    fn codes_are_found() {
        assert_eq!(STATUS.find("dep").map(|m| m.milestone), Some(Milestone::Departed));
        assert_eq!(STATUS.find("XYZ"), None);
        assert_eq!(DISCREPANCY.find("DFLD"), None);
        assert_eq!(DISCREPANCY.find("ABCD"), Some(E::Other));
        assert_eq!(time_type("X"), None);
    }
}
