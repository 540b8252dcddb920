//! The signed payload: a JWS inside the JWE whose protected header repeats what the JWE says of
//! itself (sealed-event.md, "Signed"; RFC 7519 section 5.3 for the claims as header parameters).

use std::borrow::Cow;

use crate::header::Header;
use crate::jws::{self, Algorithm, JwsError, Parts, json_text};
use crate::signing_key::{PrivateSigningKey, PublicSigningKey};
use crate::{KeyError, forms};

/// The five parameters that both headers have. `iat` is a NumericDate, as it was written.
pub(crate) struct Repeated<'a> {
    pub iss: &'a str,
    pub aud: &'a str,
    pub sub: &'a str,
    pub jti: &'a str,
    pub iat: f64,
}

pub(crate) fn sign(
    key: &PrivateSigningKey,
    media_type: &str,
    repeated: &Repeated<'_>,
    payload: &[u8],
) -> Result<String, KeyError> {
    let members = format!(
        "\"cty\":{},\"iss\":{},\"aud\":{},\"sub\":{},\"iat\":{},\"jti\":{}",
        json_text(media_type),
        json_text(repeated.iss),
        json_text(repeated.aud),
        json_text(repeated.sub),
        repeated.iat,
        json_text(repeated.jti),
    );
    jws::sign(key, &members, payload)
}

/// A signed payload of its form, which repeats the JWE's header; its signature is not yet verified.
#[derive(Debug)]
pub struct Signed<'a> {
    parts: Parts<'a>,
    algorithm: Algorithm,
    signer: String,
    media_type: String,
}

/// Why a payload is not the signed one that its JWE says it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignedError {
    #[error(transparent)]
    Jws(#[from] JwsError),
    /// The named parameter is not the JWE's.
    #[error("`{0}` is not the one of the JWE's header")]
    Differs(&'static str),
    /// There is nothing in it.
    #[error("its payload is empty")]
    Empty,
}

impl<'a> Signed<'a> {
    /// `plaintext` is the opened JWE's, `outer` its header.
    pub fn parse(plaintext: &'a [u8], outer: &Header<'_>) -> Result<Self, SignedError> {
        let text = std::str::from_utf8(plaintext).map_err(|_| JwsError::Serialization)?;
        let parts = Parts::split(text)?;
        let mut header = parts.header()?;
        let media_type = header.take_text("cty")?;
        if !forms::is_payload_type(&media_type) {
            return Err(JwsError::Form("cty").into());
        }
        let mut same = |name, expected: &Cow<'_, str>| match header.take_text(name)? {
            text if text == *expected => Ok(()),
            _ => Err(SignedError::Differs(name)),
        };
        same("iss", &outer.iss)?;
        same("aud", &outer.aud)?;
        same("sub", &outer.sub)?;
        same("jti", &outer.jti)?;
        let iat = header.take("iat").and_then(|iat| iat.as_number());
        if iat.ok_or(JwsError::Form("iat"))? != outer.iat {
            return Err(SignedError::Differs("iat"));
        }
        if parts.payload.is_empty() {
            return Err(SignedError::Empty);
        }
        let media_type = media_type.into_owned();
        let (algorithm, signer) = (header.algorithm, header.kid.into_owned());
        Ok(Self { parts, algorithm, signer, media_type })
    }

    /// `kid` of the key that it names as its signer.
    pub fn signer(&self) -> &str {
        &self.signer
    }

    pub fn is_signed_by(&self, key: &PublicSigningKey) -> bool {
        self.parts.is_signed_by(key, self.algorithm)
    }

    /// The real media type and payload.
    pub fn into_content(self) -> (String, Vec<u8>) {
        (self.media_type, self.parts.payload)
    }
}
