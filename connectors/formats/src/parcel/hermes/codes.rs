use crate::codes::{CodeList, code_list};

/// Event codes (2×2), Hermes Germany's list of them.
pub static EVENTS: CodeList = code_list!("hermes", "HERMES", "Hermes Germany event code");
