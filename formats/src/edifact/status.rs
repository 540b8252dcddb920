//! UNECE Recommendation 24, Trade and Transport Status Codes, revision 6: what STS has in 4405 (and
//! had in 9011).

use waybill_schemas::vocabulary::Classifier;

use crate::codes::{CodeList, code_list};

pub static STATUS: CodeList =
    code_list!("unece-rec24", "REC24", "UNECE Recommendation 24 Trade and Transport Status Codes");

/// Codes whose time is no fact.
pub fn classifier(code: &str) -> Classifier {
    match code {
        "209" => Classifier::Planned,
        "361" => Classifier::Estimated,
        _ => Classifier::Actual,
    }
}

/// Codes of a state that lasts, not of something that happens: it is so when it is reported.
pub const STATES: &[&str] = &["31", "35", "355", "356", "357"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_in_order() {
        let numbers: Vec<u16> = STATUS.rows().iter().map(|row| row.code.parse().unwrap()).collect();
        assert!(numbers.is_sorted_by(|a, b| a < b));
        assert_eq!((numbers.first(), numbers.last()), (Some(&1), Some(&379)));
        assert!(STATES.iter().all(|code| STATUS.find(code).is_some()));
    }
}
