//! What is wrong with a field, and where, said without a value of the payload.

use waybill_stage::{Code, Reject};

/// A field's place within its event: fixed texts and an index, put together only when needed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct At {
    base: &'static str,
    index: Option<usize>,
    field: &'static str,
}

pub(crate) fn at(field: &'static str) -> At {
    At { base: "", index: None, field }
}

impl At {
    /// A member of this one: `at("/transportCall/location").member("/address/city")`.
    pub(crate) fn member(self, field: &'static str) -> Self {
        if self.index.is_some() {
            Self { field, ..self }
        } else {
            Self { base: self.field, index: None, field }
        }
    }

    /// An element of this list.
    pub(crate) fn element(self, index: usize) -> Self {
        Self { base: self.field, index: Some(index), field: "" }
    }

    fn is(self, what: std::fmt::Arguments<'_>, code: Code) -> Reject {
        let detail = match self.index {
            Some(index) => format!("{}/{index}{}: {what}", self.base, self.field),
            None => format!("{}{}: {what}", self.base, self.field),
        };
        Reject::new(code, detail)
    }

    pub(crate) fn missing(self) -> Reject {
        self.is(format_args!("is required"), Code::MissingField)
    }

    pub(crate) fn invalid(self, expected: &str) -> Reject {
        self.is(format_args!("expected {expected}"), Code::InvalidField)
    }

    pub(crate) fn too_long(self, characters: usize) -> Reject {
        self.is(format_args!("more than {characters} characters"), Code::InvalidField)
    }

    pub(crate) fn too_many(self, limit: usize) -> Reject {
        self.is(format_args!("more than {limit} elements"), Code::TooLarge)
    }

    pub(crate) fn unknown_code(self, list: &str) -> Reject {
        self.is(format_args!("is no {list}"), Code::UnknownCode)
    }

    pub(crate) fn invalid_time(self) -> Reject {
        self.is(format_args!("expected a date-time by RFC 3339 with its offset"), Code::InvalidTime)
    }

    pub(crate) fn contradicts(self, what: &str) -> Reject {
        self.is(format_args!("{what}"), Code::Contradiction)
    }
}
