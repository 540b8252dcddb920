//! Code lists: what a carrier's code means in the shipment model. The lists are tables beside the code
//! (`codes/*.tsv`, see [`table`]); `docs/milestones.md` is made from them.

pub(crate) mod caseless;
pub mod table;

use std::sync::OnceLock;

use waybill_schemas::vocabulary::{ExceptionKind, Milestone};

use self::caseless::{ByName, Caseless};

/// A list of codes, as one standard or one carrier has it.
#[derive(Debug)]
pub struct CodeList {
    /// The name of its table: `x12-1650` of `codes/x12-1650.tsv`.
    pub table: &'static str,
    /// What stands in front of the raw code: `X12` of `X12/AF`.
    pub prefix: &'static str,
    /// What it is and where it is published: `X12 1650 Shipment Status Code`.
    pub name: &'static str,
    text: &'static str,
    rows: OnceLock<Rows<CodeRow>>,
}

#[derive(Debug)]
pub struct CodeRow {
    pub code: &'static str,
    /// The publisher's name of the code.
    pub name: &'static str,
    /// Where it is published.
    pub source: &'static str,
    pub meaning: Meaning,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Meaning {
    pub milestone: Milestone,
    /// A code that says what went wrong, too.
    pub exception: Option<ExceptionKind>,
}

/// The list of `codes/TABLE.tsv`: its table, what stands before its raw codes, its name.
macro_rules! code_list {
    ($table:literal, $prefix:literal, $name:literal) => {
        $crate::codes::CodeList::new($table, $prefix, $name, $crate::codes::text!($table))
    };
}

/// The same, of reasons.
macro_rules! reason_list {
    ($table:literal, $prefix:literal, $name:literal) => {
        $crate::codes::ReasonList::new($table, $prefix, $name, $crate::codes::text!($table))
    };
}

macro_rules! text {
    ($table:literal) => {
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/codes/", $table, ".tsv"))
    };
}

pub(crate) use {code_list, reason_list, text};

impl CodeList {
    /// The list whose table is `text`.
    pub const fn new(
        table: &'static str,
        prefix: &'static str,
        name: &'static str,
        text: &'static str,
    ) -> Self {
        Self { table, prefix, name, text, rows: OnceLock::new() }
    }

    /// Its rows, in the order of its table.
    pub fn rows(&self) -> &[CodeRow] {
        &self.table().rows
    }

    /// The row of `code`; letters of either case are the same.
    pub fn row(&self, code: &str) -> Option<&CodeRow> {
        self.table().find(code)
    }

    /// What the list says of `code`; letters of either case are the same.
    pub fn find(&self, code: &str) -> Option<Meaning> {
        self.row(code).map(|row| row.meaning)
    }

    fn table(&self) -> &Rows<CodeRow> {
        self.rows.get_or_init(|| {
            let row = |line: table::Line<'static>| CodeRow {
                code: line.code,
                name: line.name,
                source: line.source,
                meaning: line.meaning(),
            };
            Rows::of(table::read(self.text, table::CODES).0, row)
        })
    }
}

/// What went wrong by a reason code: the same tables, of which only the exception counts.
#[derive(Debug)]
pub struct ReasonList {
    pub table: &'static str,
    pub prefix: &'static str,
    pub name: &'static str,
    text: &'static str,
    rows: OnceLock<Rows<ReasonRow>>,
}

#[derive(Debug)]
pub struct ReasonRow {
    pub code: &'static str,
    pub name: &'static str,
    pub source: &'static str,
    /// `None`: the code says that nothing is wrong.
    pub exception: Option<ExceptionKind>,
}

impl ReasonList {
    /// The list whose table is `text`.
    pub const fn new(
        table: &'static str,
        prefix: &'static str,
        name: &'static str,
        text: &'static str,
    ) -> Self {
        Self { table, prefix, name, text, rows: OnceLock::new() }
    }

    pub fn rows(&self) -> &[ReasonRow] {
        &self.table().rows
    }

    pub fn row(&self, code: &str) -> Option<&ReasonRow> {
        self.table().find(code)
    }

    /// What is wrong by `code`: `None` if nothing is, `other` if the list does not know it.
    pub fn find(&self, code: &str) -> Option<ExceptionKind> {
        match self.row(code) {
            Some(row) => row.exception,
            None => Some(ExceptionKind::Other),
        }
    }

    fn table(&self) -> &Rows<ReasonRow> {
        self.rows.get_or_init(|| {
            let row = |line: table::Line<'static>| ReasonRow {
                code: line.code,
                name: line.name,
                source: line.source,
                exception: line.exception,
            };
            Rows::of(table::read(self.text, table::REASONS).0, row)
        })
    }
}

/// The rows of a table, found by their code. A table's lines that are wrong are none of its rows: of
/// those compiled in nothing is wrong, as their tests see to.
#[derive(Debug)]
struct Rows<R> {
    rows: Vec<R>,
    by_code: ByName<'static, usize>,
}

impl<R> Rows<R> {
    fn of(lines: Vec<table::Line<'static>>, row: impl FnMut(table::Line<'static>) -> R) -> Self {
        let by_code = lines.iter().enumerate().map(|(at, line)| (Caseless(line.code), at));
        Self { by_code: by_code.collect(), rows: lines.into_iter().map(row).collect() }
    }

    fn find(&self, code: &str) -> Option<&R> {
        // The lifetime of a key can be that of the code that is looked for.
        let by_code: &ByName<'_, usize> = &self.by_code;
        self.rows.get(*by_code.get(&Caseless(code))?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_found_whatever_their_case() {
        static LIST: CodeList = CodeList::new(
            "t",
            "T",
            "a list",
            "code\tmilestone\texception\nPickedUp\tpicked_up\t\nNA\tin_transit\taddress\n",
        );
        let meaning = |milestone, exception| Some(Meaning { milestone, exception });
        assert_eq!(LIST.find("PICKEDup"), meaning(Milestone::PickedUp, None));
        assert_eq!(LIST.find("na"), meaning(Milestone::InTransit, Some(ExceptionKind::Address)));
        assert_eq!(LIST.find("n"), None);
        assert_eq!(LIST.rows().len(), 2);
        static REASONS: ReasonList =
            ReasonList::new("r", "R", "reasons", "code\texception\n1\t\n2\tweather\n");
        let found = ["1", "2", "3"].map(|code| REASONS.find(code));
        assert_eq!(found, [None, Some(ExceptionKind::Weather), Some(ExceptionKind::Other)]);
    }
}
