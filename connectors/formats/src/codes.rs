//! Code lists: what a carrier's code means in the shipment model. The tables of the formats are the
//! documentation (`docs/milestones.md` is made from them).

use waybill_schemas::vocabulary::{ExceptionKind, Milestone};

/// A list of codes, as one standard or one carrier has it.
#[derive(Debug)]
pub struct CodeList {
    /// What stands in front of the raw code: `X12` of `X12/AF`.
    pub prefix: &'static str,
    /// What it is and where it is published: `X12 1650 Shipment Status Code`.
    pub name: &'static str,
    pub rows: &'static [CodeRow],
}

#[derive(Debug)]
pub struct CodeRow {
    pub code: &'static str,
    /// The publisher's name of the code.
    pub name: &'static str,
    pub meaning: Meaning,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Meaning {
    pub milestone: Milestone,
    pub exception: Option<ExceptionKind>,
}

pub const fn code(code: &'static str, milestone: Milestone, name: &'static str) -> CodeRow {
    CodeRow { code, name, meaning: Meaning { milestone, exception: None } }
}

/// A code that says what went wrong, too.
pub const fn trouble(
    code: &'static str,
    milestone: Milestone,
    exception: ExceptionKind,
    name: &'static str,
) -> CodeRow {
    CodeRow { code, name, meaning: Meaning { milestone, exception: Some(exception) } }
}

impl CodeList {
    /// What the list says of `code`; letters of either case are the same.
    pub fn find(&self, code: &str) -> Option<Meaning> {
        self.rows.iter().find(|row| row.code.eq_ignore_ascii_case(code)).map(|row| row.meaning)
    }
}

/// What went wrong by a reason code: the same tables, of which only the exception counts.
#[derive(Debug)]
pub struct ReasonList {
    pub prefix: &'static str,
    pub name: &'static str,
    pub rows: &'static [ReasonRow],
}

#[derive(Debug)]
pub struct ReasonRow {
    pub code: &'static str,
    pub name: &'static str,
    /// `None`: the code says that nothing is wrong.
    pub exception: Option<ExceptionKind>,
}

pub const fn reason(
    code: &'static str,
    exception: Option<ExceptionKind>,
    name: &'static str,
) -> ReasonRow {
    ReasonRow { code, name, exception }
}

impl ReasonList {
    /// What is wrong by `code`: `None` if nothing is, `other` if the list does not know it.
    pub fn find(&self, code: &str) -> Option<ExceptionKind> {
        match self.rows.iter().find(|row| row.code.eq_ignore_ascii_case(code)) {
            Some(row) => row.exception,
            None => Some(ExceptionKind::Other),
        }
    }
}
