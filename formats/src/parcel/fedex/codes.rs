use crate::codes::{CodeList, ReasonList, code_list, reason_list};

/// Scan events (`eventType`), developer guide, appendix of tracking status codes.
pub static EVENTS: CodeList = code_list!("fedex-events", "FEDEX", "FedEx scan event type");

/// Kinds of delay (`delayDetail.type`).
pub static DELAYS: ReasonList = reason_list!("fedex-delays", "FEDEX", "FedEx delay type");

/// Reasons (`exceptionCode`), Express with two digits and Ground with three, as far as their
/// meaning is known; there are more.
pub static REASONS: ReasonList =
    reason_list!("fedex-reasons", "FEDEX", "FedEx status exception code");
