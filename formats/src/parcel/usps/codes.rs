use crate::codes::{CodeList, code_list};

/// Event codes: USPS Publication 199, scan event extract file.
pub static EVENTS: CodeList = code_list!("usps", "USPS", "USPS event code (Publication 199)");
