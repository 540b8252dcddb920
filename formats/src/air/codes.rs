//! The code lists of air cargo, and what they mean in the shipment model.

use waybill_schemas::vocabulary::{Classifier, Milestone, Milestone as M};

use crate::codes::{CodeList, ReasonList, code_list, reason_list};

/// Of Cargo-IMP, Cargo-XML and ONE Record alike.
pub static STATUS: CodeList =
    code_list!("iata-status", "FSU", "IATA Status Codes (Cargo-XML code list 1.18; Cargo-IMP FSU)");

/// What a `DIS` is about.
pub static DISCREPANCY: ReasonList =
    reason_list!("iata-discrepancy", "DIS", "IATA Discrepancy Codes (Cargo-IMP FSU and FAD)");

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
    use waybill_schemas::vocabulary::ExceptionKind;

    use super::*;

    #[test]
    fn lists_are_whole() {
        // 23 states, DIS with its twelve kinds, and the two that are no states.
        assert_eq!(STATUS.rows().len(), 26);
        assert_eq!(DISCREPANCY.rows().len(), 12);
    }

    #[test]
    fn codes_are_found() {
        assert_eq!(STATUS.find("dep").map(|m| m.milestone), Some(Milestone::Departed));
        assert_eq!(STATUS.find("XYZ"), None);
        assert_eq!(DISCREPANCY.find("DFLD"), None);
        assert_eq!(DISCREPANCY.find("ABCD"), Some(ExceptionKind::Other));
        assert_eq!(time_type("X"), None);
    }
}
