use crate::codes::{CodeList, code_list};

/// `OmniCode`s.
pub static EVENTS: CodeList = code_list!("seko", "SEKO", "SEKO OmniCode");
