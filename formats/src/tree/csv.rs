//! CSV (RFC 4180) as a list of rows, whose fields are found by the names of their columns.

use csv::StringRecord;
use waybill_stage::{Code, Reject};

use super::{Element, Read, Tree, into};
use crate::location::Location;
use crate::{Parts, limits};

/// How the fields are told apart, and named.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Columns<'n> {
    pub(crate) delimiter: u8,
    /// Of a file whose first line does not name them.
    pub(crate) named: Option<&'n [String]>,
}

#[derive(Debug)]
pub(super) struct Rows {
    names: Vec<String>,
    rows: Vec<(usize, StringRecord)>,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Row<'t> {
    names: &'t [String],
    fields: &'t StringRecord,
    line: usize,
}

impl Rows {
    pub(super) fn row(&self, at: usize) -> Option<Row<'_>> {
        let (line, fields) = self.rows.get(at)?;
        Some(Row { names: &self.names, fields, line: *line })
    }
}

impl<'t> Row<'t> {
    pub(super) fn cell(self, column: &str) -> Option<&'t str> {
        // A row that is longer or shorter has no field of a known column.
        if self.fields.len() != self.names.len() {
            return None;
        }
        // Exactly so, or else in other letters of the same.
        let at = self.names.iter().position(|name| name == column);
        let alike = || self.names.iter().position(|name| name.eq_ignore_ascii_case(column));
        let at = at.or_else(alike)?;
        Some(self.fields.get(at)?.trim()).filter(|text| !text.is_empty())
    }

    pub(super) fn line(self) -> usize {
        self.line
    }
}

impl Tree<'_> {
    /// Of a row that has not as many fields as there are columns.
    pub(crate) fn torn(self) -> Option<Reject> {
        let Element::Row(row) = self.node else { return None };
        let (fields, columns) = (row.fields.len(), row.names.len());
        (fields != columns).then(|| {
            let detail = format!("{fields} fields, expected {columns}");
            Reject::new(Code::WrongStructure, detail)
        })
    }
}

/// A column's name, which a spreadsheet breaks where its cell ends.
fn named(cell: &str) -> String {
    match cell.contains(['\n', '\r']) {
        true => cell.split_whitespace().collect::<Vec<_>>().join(" "),
        false => cell.trim().to_owned(),
    }
}

/// Counts lines on from where it last was. (The reader's own count is of before the blank lines in front
/// of a record, and before the end of the line above.)
struct Lines<'t> {
    text: &'t [u8],
    at: usize,
    line: usize,
}

impl Lines<'_> {
    /// The line of the record that is read from this byte on.
    fn of(&mut self, from: u64) -> usize {
        let from = usize::try_from(from).unwrap_or(usize::MAX);
        let rest = self.text.get(self.at..).unwrap_or_default();
        for (byte, at) in rest.iter().zip(self.at..) {
            if at >= from && !matches!(byte, b'\r' | b'\n') {
                break;
            }
            self.at = at + 1;
            self.line += usize::from(*byte == b'\n');
        }
        self.line
    }
}

/// Reads a CSV document; `read` gets its list of rows.
pub(crate) fn csv(
    text: &str,
    parts: &mut Parts,
    columns: Columns<'_>,
    read: impl Read,
) -> Result<(), Reject> {
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(columns.delimiter)
        .has_headers(false)
        .flexible(true)
        .from_reader(text.as_bytes());
    let mut names = columns.named.map(<[String]>::to_vec);
    let mut rows = Vec::new();
    let mut lines = Lines { text: text.as_bytes(), at: 0, line: 1 };
    for record in reader.records() {
        let record = record.map_err(|_| Reject::new(Code::Unparsable, "no CSV"))?;
        let line = lines.of(record.position().map_or(0, csv::Position::byte));
        if names.is_none() {
            if record.len() > limits::LIST {
                let detail = format!("line {line}: more than {} columns", limits::LIST);
                return Err(Reject::new(Code::TooLarge, detail));
            }
            names = Some(record.iter().map(named).collect());
            continue;
        }
        rows.push((line, record));
        // One more is enough to know that there are too many.
        if rows.len() > limits::EVENTS {
            break;
        }
    }
    let rows = Rows { names: names.unwrap_or_default(), rows };
    into(Tree { node: Element::Rows(&rows), at: Location::WHOLE }, parts, read)
}
