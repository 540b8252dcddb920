use std::borrow::Cow;
use std::fmt;

/// What is wrong with a key as it was given. For the operator; holds nothing of the key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyError(pub(crate) Cow<'static, str>);

impl KeyError {
    pub(crate) fn new(text: impl Into<Cow<'static, str>>) -> Self {
        Self(text.into())
    }
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for KeyError {}

impl From<crate::RandomError> for KeyError {
    fn from(error: crate::RandomError) -> Self {
        Self(error.to_string().into())
    }
}
