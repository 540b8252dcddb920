//! A table of codes: text of lines, their fields with tabs between. The first line names the columns, in
//! whatever order; a line that begins with `#` says something of those below it.
//!
//! | column | |
//! |---|---|
//! | `code` | required, once in a table; letters of either case are the same |
//! | `milestone` | required but of reasons, which have none: `in_transit` |
//! | `exception` | what is wrong, if anything is: `weather` |
//! | `name` | the publisher's name of the code |
//! | `source` | where it is published |

use waybill_schemas::vocabulary::{ExceptionKind, Milestone};

use super::Meaning;
use super::caseless::{ByName, Caseless};

/// The columns of a list of codes.
pub const CODES: &[&str] = &["code", "milestone", "exception", "name", "source"];
/// The columns of a list of reasons.
pub const REASONS: &[&str] = &["code", "exception", "name", "source"];

/// A row of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line<'t> {
    /// Where it stands in its file: 1, 2, ….
    pub number: usize,
    pub code: &'t str,
    /// Of a reason there is none.
    pub milestone: Option<Milestone>,
    pub exception: Option<ExceptionKind>,
    pub name: &'t str,
    pub source: &'t str,
}

impl Line<'_> {
    pub fn meaning(&self) -> Meaning {
        Meaning { milestone: self.milestone.unwrap_or(Milestone::Other), exception: self.exception }
    }
}

/// The rows of `text`, which has `columns`, and what is wrong with the lines that are none:
/// `line 7: …`.
pub fn read<'t>(text: &'t str, columns: &[&str]) -> (Vec<Line<'t>>, Vec<String>) {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut lines = (1..)
        .zip(text.lines())
        .filter(|(_, line)| !line.starts_with('#') && !line.trim().is_empty());
    let mut faults = Vec::new();
    let Some((number, header)) = lines.next() else {
        return (Vec::new(), vec!["nothing in it: the first line names the columns".to_owned()]);
    };
    let named: Vec<&str> = header.split('\t').map(str::trim).collect();
    for (at, name) in named.iter().enumerate() {
        if !columns.contains(name) {
            let known = columns.join(", ");
            faults.push(format!("line {number}: unknown column {name:?}; known are {known}"));
        } else if named.iter().take(at).any(|other| other == name) {
            faults.push(format!("line {number}: the column {name} twice"));
        }
    }
    for required in ["code", "milestone"] {
        if columns.contains(&required) && !named.contains(&required) {
            faults.push(format!("line {number}: no column {required}"));
        }
    }
    if !faults.is_empty() {
        return (Vec::new(), faults);
    }
    let mut rows = Vec::new();
    let mut seen = ByName::default();
    for (number, line) in lines {
        match row(number, line, &named) {
            Err(what) => faults.push(format!("line {number}: {what}")),
            Ok(row) => match seen.insert(Caseless(row.code), number) {
                Some(before) => {
                    let code = row.code;
                    faults
                        .push(format!("line {number}: the code {code:?} stands in line {before}"));
                }
                None => rows.push(row),
            },
        }
    }
    (rows, faults)
}

fn row<'t>(number: usize, line: &'t str, columns: &[&str]) -> Result<Line<'t>, String> {
    let (mut row, mut fields) = (
        Line { number, code: "", milestone: None, exception: None, name: "", source: "" },
        line.split('\t').map(str::trim),
    );
    // What is left out at the end of a line is empty.
    for (column, field) in columns.iter().zip(fields.by_ref().chain(std::iter::repeat(""))) {
        match *column {
            "code" if field.is_empty() => return Err("no code".to_owned()),
            "code" => row.code = field,
            "milestone" => {
                let milestone = field.parse().map_err(|_| format!("{field:?} is no milestone"))?;
                row.milestone = Some(milestone);
            }
            "exception" if field.is_empty() => {}
            "exception" => {
                let kind = field.parse().map_err(|_| format!("{field:?} is no exception"))?;
                row.exception = Some(kind);
            }
            "name" => row.name = field,
            _ => row.source = field,
        }
    }
    match fields.next() {
        Some(_) => Err(format!("more fields than the {} columns", columns.len())),
        None => Ok(row),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_in_any_order_and_comments() {
        let text = "\u{feff}# ours\nmilestone\tname\tcode\n\n# a\r\nin_transit\tOn its way\tX12/ZZ\r\ndelivered\t\tX\n";
        let (rows, faults) = read(text, CODES);
        assert_eq!(faults, Vec::<String>::new());
        let told = |l: &Line<'_>| (l.number, l.code.to_owned(), l.milestone, l.name.to_owned());
        assert_eq!(
            rows.iter().map(told).collect::<Vec<_>>(),
            [
                (5, "X12/ZZ".to_owned(), Some(Milestone::InTransit), "On its way".to_owned()),
                (6, "X".to_owned(), Some(Milestone::Delivered), String::new()),
            ]
        );
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        let check = |text: &str, expect: &[&str]| {
            assert_eq!(read(text, CODES).1, expect, "{text}");
        };
        check("", &["nothing in it: the first line names the columns"]);
        check(
            "code\tmilstone\tcode\n",
            &[
                "line 1: unknown column \"milstone\"; known are code, milestone, exception, name, source",
                "line 1: the column code twice",
                "line 1: no column milestone",
            ],
        );
        check(
            "code\tmilestone\texception\nA\tarived\nB\tarrived\tsnow\n\tarrived\na\tarrived\t\t\nC\tarrived\nc\tdelivered\nD",
            &[
                "line 2: \"arived\" is no milestone",
                "line 3: \"snow\" is no exception",
                "line 4: no code",
                "line 5: more fields than the 3 columns",
                "line 7: the code \"c\" stands in line 6",
                "line 8: \"\" is no milestone",
            ],
        );
        assert_eq!(read("code\tmilestone\n", REASONS).1.len(), 1);
    }
}
