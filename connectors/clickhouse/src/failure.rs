use clickhouse::error::Error;
use waybill_stage::{Fault, safe_detail};

use crate::tls;

/// What kind of failure ClickHouse, or the way to it, answered with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A row is not of the table's form, or breaks a constraint.
    Row,
    /// Too much at once: parts, queries, memory.
    Overload,
    Timeout,
    Network,
    /// User, password, a certificate, or a right that is missing.
    Authentication,
    /// Database, table or column is absent, or of another type.
    Schema,
    /// Read only, disk full, and what no list names.
    Other,
}

/// Who can do something about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remedy {
    /// The row's fault: another attempt gives the same answer.
    Refuse,
    /// It can get better by itself.
    Again,
    /// Only an operator can mend it.
    Operator,
}

impl Kind {
    /// Label of the metric.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Row => "row",
            Self::Overload => "overload",
            Self::Timeout => "timeout",
            Self::Network => "network",
            Self::Authentication => "authentication",
            Self::Schema => "schema",
            Self::Other => "other",
        }
    }

    /// What no list names is tried again: bounded by the lease, that costs little, and a row refused
    /// for a server's passing trouble would be lost.
    pub fn remedy(self) -> Remedy {
        match self {
            Self::Row => Remedy::Refuse,
            Self::Overload | Self::Timeout | Self::Network | Self::Other => Remedy::Again,
            Self::Authentication | Self::Schema => Remedy::Operator,
        }
    }

    pub(crate) fn of(error: &Error) -> Self {
        match error {
            Error::BadResponse(text) => match code(text) {
                Some(code) => Self::of_code(code),
                // An answer without a code is not ClickHouse's, but that of a proxy before it.
                None if text.starts_with("401") || text.starts_with("403") => Self::Authentication,
                None => Self::Network,
            },
            Error::Network(cause) if tls::complaint(cause.as_ref()).is_some() => {
                Self::Authentication
            }
            Error::Network(_) => Self::Network,
            Error::TimedOut => Self::Timeout,
            Error::SchemaMismatch(_) | Error::InvalidColumnsHeader(_) => Self::Schema,
            // The row cannot even be written in RowBinary.
            Error::Custom(_) | Error::SequenceMustHaveLength => Self::Row,
            _ => Self::Other,
        }
    }

    /// By number, as in ClickHouse's `src/Common/ErrorCodes.cpp`.
    fn of_code(code: u32) -> Self {
        match code {
            6     // CANNOT_PARSE_TEXT
            | 26  // CANNOT_PARSE_QUOTED_STRING
            | 27  // CANNOT_PARSE_INPUT_ASSERTION_FAILED
            | 33  // CANNOT_READ_ALL_DATA
            | 38  // CANNOT_PARSE_DATE
            | 41  // CANNOT_PARSE_DATETIME
            | 43  // ILLEGAL_TYPE_OF_ARGUMENT
            | 53  // TYPE_MISMATCH
            | 69  // ARGUMENT_OUT_OF_BOUND
            | 70  // CANNOT_CONVERT_TYPE
            | 72  // CANNOT_PARSE_NUMBER
            | 117 // INCORRECT_DATA
            | 128 // TOO_LARGE_ARRAY_SIZE
            | 131 // TOO_LARGE_STRING_SIZE
            | 153 // ILLEGAL_DIVISION
            | 190 // SIZES_OF_ARRAYS_DONT_MATCH
            | 321 // VALUE_IS_OUT_OF_RANGE_OF_DATA_TYPE
            | 349 // CANNOT_INSERT_NULL_IN_ORDINARY_COLUMN
            | 376 // CANNOT_PARSE_UUID
            | 395 // FUNCTION_THROW_IF_VALUE_IS_NON_ZERO
            | 407 // DECIMAL_OVERFLOW
            | 469 // VIOLATED_CONSTRAINT
            | 691 // UNKNOWN_ELEMENT_OF_ENUM
            => Self::Row,
            173   // CANNOT_ALLOCATE_MEMORY
            | 201 // QUOTA_EXCEEDED
            | 202 // TOO_MANY_SIMULTANEOUS_QUERIES
            | 241 // MEMORY_LIMIT_EXCEEDED
            | 252 // TOO_MANY_PARTS
            | 439 // CANNOT_SCHEDULE_TASK
            | 745 // SERVER_OVERLOADED
            => Self::Overload,
            159   // TIMEOUT_EXCEEDED
            | 160 // TOO_SLOW
            | 209 // SOCKET_TIMEOUT
            | 473 // DEADLOCK_AVOIDED
            => Self::Timeout,
            3     // UNEXPECTED_END_OF_FILE
            | 210 // NETWORK_ERROR
            | 279 // ALL_CONNECTION_TRIES_FAILED
            | 999 // KEEPER_EXCEPTION
            => Self::Network,
            192   // UNKNOWN_USER
            | 193 // WRONG_PASSWORD
            | 194 // REQUIRED_PASSWORD
            | 195 // IP_ADDRESS_NOT_ALLOWED
            | 497 // ACCESS_DENIED
            | 516 // AUTHENTICATION_FAILED
            => Self::Authentication,
            8     // THERE_IS_NO_COLUMN
            | 10  // NOT_FOUND_COLUMN_IN_BLOCK
            | 16  // NO_SUCH_COLUMN_IN_TABLE
            | 44  // ILLEGAL_COLUMN
            | 47  // UNKNOWN_IDENTIFIER
            | 50  // UNKNOWN_TYPE
            | 60  // UNKNOWN_TABLE
            | 62  // SYNTAX_ERROR
            | 81  // UNKNOWN_DATABASE
            | 115 // UNKNOWN_SETTING
            | 218 // TABLE_IS_DROPPED
            => Self::Schema,
            _ => Self::Other,
        }
    }
}

/// The number in `Code: 516. DB::Exception: …`.
pub(crate) fn code(text: &str) -> Option<u32> {
    let rest = text.split_once("Code: ")?.1;
    let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    rest.get(..end)?.parse().ok()
}

/// For the operator: what to look at, then what ClickHouse said.
pub(crate) fn fault(doing: &str, error: &Error) -> Fault {
    let kind = Kind::of(error);
    let certificate = match error {
        Error::Network(cause) => tls::complaint(cause.as_ref()),
        _ => None,
    };
    let advice = match kind {
        Kind::Authentication if certificate.is_some() => certificate.unwrap_or_default(),
        Kind::Authentication => "it refuses the user, the password or a right of the user",
        Kind::Schema => {
            "database, table or column is not as this version needs it: run `waybill migrate`"
        }
        Kind::Network => "it cannot be reached",
        Kind::Timeout => "it does not answer in time",
        Kind::Overload => "it has too much to do",
        Kind::Row | Kind::Other => "it answers with an error",
    };
    // What it says of a row holds the row's values.
    let said = match (kind, error) {
        (Kind::Row, Error::BadResponse(text)) => format!("code {}", code(text).unwrap_or_default()),
        _ => {
            let mut said = error.to_string();
            let mut source = std::error::Error::source(error);
            while let Some(cause) = source {
                said = format!("{said}: {cause}");
                source = cause.source();
            }
            safe_detail(&said, 400)
        }
    };
    Fault(format!("ClickHouse ({doing}): {advice} ({said})"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bad(text: &str) -> Error {
        Error::BadResponse(text.to_owned())
    }

    #[test]
    fn every_kind_has_its_remedy() {
        let check = |error: Error, kind: Kind, remedy: Remedy| {
            let found = Kind::of(&error);
            assert_eq!((found, found.remedy()), (kind, remedy), "{error}");
        };
        let coded = |code: u32| bad(&format!("Code: {code}. DB::Exception: why. (NAME) (version)"));
        for code in [6, 26, 27, 33, 38, 41, 53, 69, 72, 117, 131, 190, 321, 349, 469, 691] {
            check(coded(code), Kind::Row, Remedy::Refuse);
        }
        for code in [202, 241, 252] {
            check(coded(code), Kind::Overload, Remedy::Again);
        }
        for code in [159, 209] {
            check(coded(code), Kind::Timeout, Remedy::Again);
        }
        for code in [3, 210, 279, 999] {
            check(coded(code), Kind::Network, Remedy::Again);
        }
        for code in [192, 193, 194, 497, 516] {
            check(coded(code), Kind::Authentication, Remedy::Operator);
        }
        for code in [16, 47, 60, 81] {
            check(coded(code), Kind::Schema, Remedy::Operator);
        }
        for code in [49, 164, 243, 1000] {
            check(coded(code), Kind::Other, Remedy::Again);
        }
        check(Error::TimedOut, Kind::Timeout, Remedy::Again);
        check(Error::Network("reset".into()), Kind::Network, Remedy::Again);
        check(Error::SchemaMismatch("x".to_owned()), Kind::Schema, Remedy::Operator);
        check(Error::Custom("x".to_owned()), Kind::Row, Remedy::Refuse);
        check(bad("502 Bad Gateway"), Kind::Network, Remedy::Again);
        check(bad("401 Unauthorized"), Kind::Authentication, Remedy::Operator);
        check(bad("<html>busy"), Kind::Network, Remedy::Again);
    }

    #[test]
    fn the_code_is_read_wherever_it_stands() {
        let check = |text: &str, expect: Option<u32>| assert_eq!(code(text), expect, "{text}");
        check("Code: 60. DB::Exception: Unknown table", Some(60));
        check("Code: 60", Some(60));
        check("… Code: 469. DB::Exception", Some(469));
        check("Code: x", None);
        check("Code: 99999999999999", None);
        check("", None);
    }

    #[test]
    fn a_fault_holds_no_values_of_a_row() {
        let said = fault("inserting", &bad("Code: 469. Constraint violated: remark = 'secret'")).0;
        assert!(said.contains("469") && !said.contains("secret"), "{said}");
    }
}
