use std::borrow::Cow;

/// What is wrong with a key as it was given. For the operator; holds nothing of the key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct KeyError(pub(crate) Cow<'static, str>);

impl KeyError {
    pub(crate) fn new(text: impl Into<Cow<'static, str>>) -> Self {
        Self(text.into())
    }
}

impl From<crate::RandomError> for KeyError {
    fn from(error: crate::RandomError) -> Self {
        Self(error.to_string().into())
    }
}
