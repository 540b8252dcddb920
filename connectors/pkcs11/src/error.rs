use std::fmt;

use cryptoki::context::Function;
use cryptoki::error::{Error, RvError};

/// What a token did not do. For operators; nothing of a key or a PIN is in it.
#[derive(Debug, thiserror::Error)]
#[error("{text}")]
pub struct TokenError {
    text: String,
    /// What the module answered.
    code: Option<(RvError, Function)>,
}

impl TokenError {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), code: None }
    }

    fn is(&self, codes: &[RvError]) -> bool {
        let same = |code: &RvError| std::mem::discriminant(code);
        self.code.is_some_and(|(code, _)| codes.iter().any(|c| same(c) == same(&code)))
    }

    /// The session is gone, or the login, or with them what objects were known by.
    pub(crate) fn is_lost(&self) -> bool {
        self.is(&[
            RvError::SessionHandleInvalid,
            RvError::SessionClosed,
            RvError::UserNotLoggedIn,
            RvError::KeyHandleInvalid,
            RvError::ObjectHandleInvalid,
            RvError::DeviceRemoved,
            RvError::TokenNotPresent,
        ])
    }

    pub(crate) fn is_logged_in_already(&self) -> bool {
        self.is(&[RvError::UserAlreadyLoggedIn])
    }

    /// To try that PIN again would lock the token.
    pub(crate) fn is_pin_refused(&self) -> bool {
        self.is(&[
            RvError::PinIncorrect,
            RvError::PinInvalid,
            RvError::PinLenRange,
            RvError::PinExpired,
            RvError::PinLocked,
        ])
    }

    /// The token says of the ciphertext itself that it is wrong. Many do not say so much.
    pub(crate) fn is_of_the_data(&self) -> bool {
        self.is(&[
            RvError::EncryptedDataInvalid,
            RvError::EncryptedDataLenRange,
            RvError::DataInvalid,
            RvError::DataLenRange,
        ])
    }

    pub(crate) fn context(self, context: impl fmt::Display) -> Self {
        Self { text: format!("{context} {}", self.text), ..self }
    }
}

impl From<Error> for TokenError {
    fn from(error: Error) -> Self {
        let text = match &error {
            Error::Pkcs11(code, function) => format!("answered {function} with {code:?}"),
            other => format!("failed: {other}"),
        };
        let code = match error {
            Error::Pkcs11(code, function) => Some((code, function)),
            _ => None,
        };
        Self { text, code }
    }
}

impl From<std::num::TryFromIntError> for TokenError {
    fn from(error: std::num::TryFromIntError) -> Self {
        Self::new(error.to_string())
    }
}
