//! The code lists of 315, 322 and 323: 157, its reasons 641, the events 304, and what the dates of ports
//! and units mean (374).

use waybill_schemas::vocabulary::{Classifier, Milestone as M, Mode};

use crate::codes::{CodeList, ReasonList, code_list, reason_list};

/// B403, SG01 and Q501. The codes of the same letters in 1650 are not all the same.
pub static STATUS: CodeList = code_list!("x12-157", "X12-157", "X12 157 Shipment Status Code");

/// What the code means of a unit that is known to be empty: it goes out to be stuffed, and comes in
/// after its cargo was delivered.
pub fn milestone_of_empty(code: &str) -> Option<M> {
    match code {
        "I" => Some(M::EmptyReturned),
        "OA" => Some(M::EmptyPickedUp),
        _ => None,
    }
}

/// 157: codes whose date is no fact.
pub fn classifier(code: &str) -> Classifier {
    match code {
        "C" | "E" | "AG" | "BD" | "BE" | "X2" => Classifier::Estimated,
        "AA" | "AD" | "ED" | "EP" | "LD" | "LP" | "NF" => Classifier::Planned,
        _ => Classifier::Actual,
    }
}

/// 157: the mode that the code itself names.
pub fn mode(code: &str) -> Option<Mode> {
    match code {
        "AE" | "AP" | "UV" | "VA" | "VD" | "V" => Some(Mode::Ocean),
        "AO" => Some(Mode::Barge),
        "AL" | "AR" | "RL" | "UR" | "Y" | "Z" => Some(Mode::Rail),
        "AM" => Some(Mode::Road),
        "AN" | "F" => Some(Mode::Air),
        _ => None,
    }
}

/// V901.
pub static EVENTS: CodeList = code_list!("x12-304", "X12-304", "X12 304 Event Code");

pub fn event_classifier(code: &str) -> Classifier {
    match code {
        "APU" | "ASO" | "EAD" | "EDD" | "EFT" | "ERD" | "ETA" => Classifier::Estimated,
        "SAD" | "SDD" | "SPD" => Classifier::Planned,
        _ => Classifier::Actual,
    }
}

/// SG02, Q505 and V908: of a list that serves schools and lenders, too, the rows of transport.
pub static REASONS: ReasonList =
    reason_list!("x12-641", "X12-641", "X12 641 Status Reason Code: those of transport");

/// DTM01: what it says of a port, and how surely. The first part is `None` where the port's function
/// (R401) has to tell.
pub fn port_date(qualifier: &str) -> Option<(Option<M>, Classifier)> {
    Some(match qualifier {
        "139" => (None, Classifier::Estimated),
        "140" => (None, Classifier::Actual),
        "369" => (Some(M::Departed), Classifier::Estimated),
        "370" => (Some(M::Departed), Classifier::Actual),
        "371" => (Some(M::Arrived), Classifier::Estimated),
        "372" => (Some(M::Arrived), Classifier::Actual),
        "017" => (Some(M::Delivered), Classifier::Estimated),
        "035" => (Some(M::Delivered), Classifier::Actual),
        // Schedule: as first planned.
        "830" => (None, Classifier::Planned),
        _ => return None,
    })
}

/// R401 (115): what happens to a shipment there. A ship leaves its port of loading, and comes to
/// the ports after it; at a transhipment port it does both, and what carriers date there is that it
/// came. What is done at a place of receipt, or for customs, is not said by a date alone.
pub fn port_milestone(function: &str) -> Option<M> {
    match function {
        "L" | "J" | "6" => Some(M::Departed),
        "D" | "K" | "T" | "Y" | "E" | "M" | "N" | "I" | "1" | "7" => Some(M::Arrived),
        _ => None,
    }
}

/// R401: the mode that the function names.
pub fn port_mode(function: &str) -> Option<Mode> {
    match function {
        "L" | "J" | "D" | "K" | "T" | "Y" | "1" => Some(Mode::Ocean),
        "6" | "7" => Some(Mode::Rail),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_of_the_small_lists_are_in_the_large_ones() {
        for code in ["C", "E", "AG", "BD", "BE", "X2", "AA", "AD", "ED", "EP", "LD", "LP", "NF"] {
            assert!(STATUS.find(code).is_some() && classifier(code) != Classifier::Actual);
        }
        for code in ["APU", "ASO", "EAD", "EDD", "EFT", "ERD", "ETA", "SAD", "SDD"] {
            assert!(EVENTS.find(code).is_some() && event_classifier(code) != Classifier::Actual);
        }
    }
}
