use std::borrow::Cow;

use strum::{EnumString, IntoStaticStr, VariantArray};

/// Why a stage could not answer.
#[derive(Debug)]
pub enum Failure {
    /// This record's fault: an answer to the carrier, and the stream goes on.
    Reject(Reject),
    /// It costs more than there is for it now, and is to come again. Only where the [context](crate::Context)
    /// allows it.
    Later,
    /// Ours or the world's: nothing of the batch is committed, and the host tries again.
    Fault(Fault),
}

/// For the operator, never for the carrier.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Fault(pub String);

/// The answer to a record, or a part of one, that does not go on.
#[derive(Debug)]
pub struct Reject {
    pub code: Code,
    /// For the carrier: where and what to mend. No values of the payload; made by
    /// [`safe_detail`] wherever text of the record is in it.
    pub detail: Cow<'static, str>,
    /// For the operators' metric alone: which of the checks under one code it was. A closed set.
    pub reason: &'static str,
    /// What the record claims of itself, where provenance is not proven yet (decrypt).
    pub claims: Option<Box<Claims>>,
}

/// Unproven, but of the right form, and `carrier_id` is registered.
#[derive(Clone, Debug, Default)]
pub struct Claims {
    pub carrier_id: String,
    pub handle: String,
    pub message_id: String,
    /// ms UTC.
    pub sealed_at: Option<i64>,
}

impl Reject {
    pub fn new(code: Code, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { code, detail: detail.into(), reason: code.as_str(), claims: None }
    }

    pub fn because(mut self, reason: &'static str) -> Self {
        self.reason = reason;
        self
    }
}

impl From<Reject> for Failure {
    fn from(reject: Reject) -> Self {
        Self::Reject(reject)
    }
}

/// Every code a carrier can be answered with. docs/rejects.md explains each; a test holds the two
/// together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, IntoStaticStr, EnumString, VariantArray)]
#[strum(serialize_all = "snake_case")]
pub enum Code {
    // decrypt: sealed-event.md
    Oversize,
    Malformed,
    Unsupported,
    KeyMismatch,
    WrongAudience,
    UnknownCarrier,
    WrongTopic,
    SuspendedCarrier,
    UnknownKey,
    RetiredKey,
    BadProof,
    Expired,
    NotAuthentic,
    /// The operator takes no events of the carrier, or of this type, for the time being.
    Restricted,
    // validate
    /// No format is registered for the media type.
    UnknownFormat,
    /// The payload is not what its media type says (no JSON, …).
    Unparsable,
    /// Well-formed, but not of the format's structure.
    WrongStructure,
    /// A required field is absent or empty.
    MissingField,
    /// A field has the wrong type or form.
    InvalidField,
    /// A code that is in no list of the standard.
    UnknownCode,
    /// No date-time by RFC 3339.
    InvalidTime,
    /// An actual event more than 24 h after its receipt, or a record of it made after receipt.
    InFuture,
    /// Older than events may be (3 years before receipt unless set otherwise).
    TooOld,
    /// Two of the message's own times, or ids, contradict each other.
    Contradiction,
    /// More events, depth or size than a message may have.
    TooLarge,
    /// The carrier's interface answered with an error: it tells of no event.
    CarrierError,
    // aggregate
    /// The shipment has as many events as one may have.
    ShipmentFull,
    /// The carrier's open shipments take as much memory as they may.
    Quota,
    // clickhouse
    /// The store refuses the record's row (a constraint that an operator set on the table).
    StorageRefused,
    // any
    /// Ours: the record made a stage panic, or could not be read back. Operators are alarmed.
    Internal,
    /// Its batch on the broker cannot be unpacked: larger than a reader takes once it is, or broken.
    Undecodable,
    /// The record ended each process that took it, and is set aside. Operators are alarmed.
    Poison,
}

impl Code {
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// Text that is safe to show: at most `max` characters of it, control characters and what is not
/// ASCII escaped.
pub fn safe_detail(text: &str, max: usize) -> String {
    let mut safe = String::with_capacity(text.len().min(max));
    for (n, c) in text.chars().enumerate() {
        if n == max {
            safe.push('…');
            break;
        }
        if c.is_ascii_graphic() || c == ' ' {
            safe.push(c)
        } else {
            safe.extend(c.escape_default())
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;
    use strum::VariantArray;

    #[test]
    fn every_code_is_explained_in_the_docs_and_no_other() {
        let docs = include_str!("../../../docs/rejects.md");
        let mut explained: Vec<&str> = docs
            .lines()
            .filter_map(|line| line.strip_prefix("| `")?.split_once('`'))
            .map(|(code, _)| code)
            .collect();
        explained.sort_unstable();
        let mut codes: Vec<&str> = Code::VARIANTS.iter().map(|code| code.as_str()).collect();
        codes.sort_unstable();
        assert_eq!(explained, codes);
    }

    #[test]
    fn details_are_short_and_printable() {
        for (text, max, expected) in [
            ("/0/eventID", 20, "/0/eventID"),
            ("a\u{1b}[31m\n", 20, "a\\u{1b}[31m\\n"),
            ("Ærø", 20, "\\u{c6}r\\u{f8}"),
            ("abcdef", 3, "abc…"),
        ] {
            assert_eq!(safe_detail(text, max), expected);
        }
    }
}
