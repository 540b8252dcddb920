//! A dialect from its text, with all that is wrong with it.

use waybill_schemas::vocabulary::ExceptionKind;

use super::{Codes, Dialect, Reason};
use crate::codes::{CodeList, ReasonList, table};
use crate::lists::{LISTS, REASONS};
use crate::registry::Format;

/// What is wrong with a dialect, each with its place: `event.time.otherwise: …`.
pub type Faults = Vec<String>;

/// What stands in a file beside the dialect, or why nothing does.
pub type Beside<'f> = &'f dyn Fn(&str) -> Result<String, String>;

/// The format that the dialect `text` is; `beside` finds what it names beside itself. It stays for as long as
/// the process runs, as its events hold some of its texts.
pub fn load(text: &str, beside: Beside<'_>) -> Result<Format, Faults> {
    let dialect = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut dialect: Dialect = toml::from_str(dialect).map_err(|e| vec![structure(text, &e)])?;
    let mut faults = dialect.faults();
    dialect.list = dialect.codes.list(&dialect.name, beside, &mut faults);
    if let Some(reason) = &dialect.event.reason {
        dialect.reasons = reason.list(&mut faults);
    }
    match faults.is_empty() {
        true => Ok(Format::of_dialect(Box::leak(Box::new(dialect)))),
        false => Err(faults),
    }
}

/// What the TOML is not, with its line.
fn structure(text: &str, error: &toml::de::Error) -> String {
    let message = error.message().trim();
    match error.span() {
        Some(span) => {
            let before = text.get(..span.start).unwrap_or_default();
            format!("line {}: {message}", before.matches('\n').count() + 1)
        }
        None => message.to_owned(),
    }
}

impl Codes {
    /// The list that they name or are.
    fn list(&self, name: &str, file: Beside<'_>, faults: &mut Faults) -> Option<&'static CodeList> {
        let mut rows = None;
        match (&self.list, &self.file, &self.rows) {
            (Some(list), None, None) => {
                let found = LISTS.iter().find(|own| own.table == list);
                if found.is_none() {
                    faults.push(format!("codes.list: no list {list:?}"));
                }
                if self.prefix.is_some() {
                    faults.push("codes.prefix: the list has one".to_owned());
                }
                return found.copied();
            }
            (None, Some(path), None) => match file(path) {
                Err(error) => faults.push(format!("codes.file: {path}: {error}")),
                Ok(text) => {
                    let (_, wrong) = table::read(&text, table::CODES);
                    faults.extend(wrong.into_iter().map(|what| format!("{path}: {what}")));
                    rows = Some(text);
                }
            },
            (None, None, Some(own)) => {
                let mut text = "code\tmilestone\texception\n".to_owned();
                for (code, meant) in own {
                    let (milestone, exception) = (meant.0.milestone, meant.0.exception);
                    let exception = exception.map_or("", ExceptionKind::as_str);
                    text += &format!("{code}\t{}\t{exception}\n", milestone.as_str());
                }
                rows = Some(text);
                in_rows(own.keys(), "codes.rows", faults);
            }
            _ => faults.push("codes: one of list, file and rows".to_owned()),
        }
        let prefix = prefix(self.prefix.as_deref(), "codes.prefix", faults)?;
        let text: &'static str = String::leak(rows?);
        Some(Box::leak(Box::new(CodeList::new("", prefix, leaked(name), text))))
    }
}

impl Reason {
    fn list(&self, faults: &mut Faults) -> Option<&'static ReasonList> {
        match (&self.list, &self.rows) {
            (Some(list), None) => {
                let found = REASONS.iter().find(|own| own.table == list);
                if found.is_none() {
                    faults.push(format!("event.reason.list: no list of reasons {list:?}"));
                }
                found.copied()
            }
            (None, Some(own)) => {
                let mut text = "code\texception\n".to_owned();
                for (code, exception) in own {
                    if !exception.is_empty() && exception.parse::<ExceptionKind>().is_err() {
                        let what = format!("{exception:?} is no exception");
                        faults.push(format!("event.reason.rows.{code}: {what}"));
                    }
                    text += &format!("{code}\t{exception}\n");
                }
                in_rows(own.keys(), "event.reason.rows", faults);
                let prefix = prefix(self.prefix.as_deref(), "event.reason.prefix", faults)?;
                Some(Box::leak(Box::new(ReasonList::new("", prefix, prefix, String::leak(text)))))
            }
            _ => {
                faults.push("event.reason: one of list and rows".to_owned());
                None
            }
        }
    }
}

/// Codes that a table could not hold, or holds already.
fn in_rows<'t>(codes: impl Iterator<Item = &'t String>, place: &str, faults: &mut Faults) {
    let mut seen = std::collections::HashSet::new();
    for code in codes {
        if code.trim() != code || code.is_empty() || code.contains(char::is_control) {
            faults.push(format!("{place}: {code:?} is no code"));
        } else if code.starts_with('#') {
            faults.push(format!("{place}: {code:?} begins with #, which a table cannot hold"));
        }
        if !seen.insert(code.to_ascii_lowercase()) {
            faults.push(format!("{place}: the code {code:?} twice"));
        }
    }
}

/// What stands before raw codes: `ACME`.
fn prefix(prefix: Option<&str>, place: &str, faults: &mut Faults) -> Option<&'static str> {
    let Some(prefix) = prefix else {
        faults.push(format!("{place}: is required: what stands before the raw codes"));
        return None;
    };
    let good = (1..=32).contains(&prefix.len())
        && prefix.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.'));
    if !good {
        faults.push(format!("{place}: {prefix:?}: letters, digits, _, - and ., at most 32"));
    }
    Some(leaked(prefix))
}

fn leaked(text: &str) -> &'static str {
    String::leak(text.to_owned())
}
