//! JWS in Compact Serialization (RFC 7515 section 7.1), with the algorithms of the sealed event.

use std::borrow::Cow;

use strum::{EnumString, IntoStaticStr};

use crate::signing_key::{PrivateSigningKey, PublicSigningKey};
use crate::strict_json::{self, JsonError, Members, Value};
use crate::{KeyError, base64url};

/// `alg` of a JWS. `EdDsa` (RFC 8037) and `Ed25519` (RFC 9864) name the same signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, IntoStaticStr, EnumString)]
pub enum Algorithm {
    #[strum(serialize = "EdDSA")]
    EdDsa,
    Ed25519,
    #[strum(serialize = "ES256")]
    Es256,
}

impl Algorithm {
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// Why a text is no JWS that a sealed event may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JwsError {
    /// Not three parts of base64url.
    #[error("not three parts of base64url")]
    Serialization,
    /// Header or claims are not the JSON they must be.
    #[error("its header or claims: {0}")]
    Json(JsonError),
    /// A header parameter or claim is absent or not of its form.
    #[error("`{0}` is absent or not of its form")]
    Form(&'static str),
    /// No algorithm of the sealed event.
    #[error("`alg` is not EdDSA, Ed25519 or ES256")]
    Algorithm,
    /// `crit` is there.
    #[error("`crit` is not allowed")]
    Critical,
}

impl From<JsonError> for JwsError {
    fn from(error: JsonError) -> Self {
        Self::Json(error)
    }
}

/// Signs `payload` under a protected header of `members` (the text between the braces of a JSON
/// object, without `alg` and `kid`, which are put before it).
pub(crate) fn sign(
    key: &PrivateSigningKey,
    members: &str,
    payload: &[u8],
) -> Result<String, KeyError> {
    let public = key.public();
    let (alg, kid) = (public.algorithm().as_str(), json_text(public.kid()));
    let header = format!("{{\"alg\":\"{alg}\",\"kid\":{kid},{members}}}");
    let mut text = String::with_capacity((header.len() + payload.len() + 70) * 4 / 3);
    base64url::encode_to(header.as_bytes(), &mut text);
    text.push('.');
    base64url::encode_to(payload, &mut text);
    let signature = key.sign(text.as_bytes())?;
    text.push('.');
    base64url::encode_to(&signature, &mut text);
    Ok(text)
}

/// `text` as a JSON string.
pub(crate) fn json_text(text: &str) -> String {
    // Displaying a JSON value cannot fail: it writes to memory.
    serde_json::Value::from(text).to_string()
}

/// A JWS taken apart, its signature not yet verified.
#[derive(Debug)]
pub struct Parts<'a> {
    signing_input: &'a str,
    header: Vec<u8>,
    pub payload: Vec<u8>,
    signature: Vec<u8>,
}

impl<'a> Parts<'a> {
    pub fn split(text: &'a str) -> Result<Self, JwsError> {
        let decode = |part| base64url::decode(part).map_err(|_| JwsError::Serialization);
        let (signing_input, signature) = text.rsplit_once('.').ok_or(JwsError::Serialization)?;
        // A fourth part would leave a dot in one of these, which is no base64url.
        let (header, payload) = signing_input.split_once('.').ok_or(JwsError::Serialization)?;
        Ok(Self {
            signing_input,
            header: decode(header)?,
            payload: decode(payload)?,
            signature: decode(signature)?,
        })
    }

    /// The protected header: `alg` and `kid` of their form, no `crit`.
    pub fn header(&self) -> Result<Header<'_>, JwsError> {
        let members = strict_json::parse_object(&self.header)?;
        let (mut alg, mut kid, mut rest) = (None, None, Members::with_capacity(members.len()));
        for (name, value) in members {
            match name.as_ref() {
                "crit" => return Err(JwsError::Critical),
                "alg" => alg = Some(value),
                "kid" => kid = Some(value),
                _ => rest.push((name, value)),
            }
        }
        let algorithm = alg
            .as_ref()
            .and_then(Value::as_text)
            .and_then(|alg| alg.parse().ok())
            .ok_or(JwsError::Algorithm)?;
        let kid = kid.and_then(Value::into_text).ok_or(JwsError::Form("kid"))?;
        Ok(Header { algorithm, kid, rest })
    }

    pub fn is_signed_by(&self, key: &PublicSigningKey, algorithm: Algorithm) -> bool {
        key.verifies(algorithm, self.signing_input.as_bytes(), &self.signature)
    }
}

/// The protected header of a JWS.
#[derive(Debug)]
pub struct Header<'a> {
    pub algorithm: Algorithm,
    pub kid: Cow<'a, str>,
    rest: Members<'a>,
}

impl<'a> Header<'a> {
    /// Takes a parameter other than `alg` and `kid` out.
    pub(crate) fn take(&mut self, name: &str) -> Option<Value<'a>> {
        take(&mut self.rest, name)
    }

    pub(crate) fn take_text(&mut self, name: &'static str) -> Result<Cow<'a, str>, JwsError> {
        self.take(name).and_then(Value::into_text).ok_or(JwsError::Form(name))
    }
}

pub(crate) fn take<'a>(members: &mut Members<'a>, name: &str) -> Option<Value<'a>> {
    let at = members.iter().position(|(n, _)| n == name)?;
    Some(members.swap_remove(at).1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_header(header: &str) -> String {
        format!("{}.e30.AA", base64url::encode(header))
    }

    #[test]
    fn refused_before_any_signature() {
        for text in ["", ".", "e30.e30", "e30.e30.AA.AA", "e30.e30.AB", "e30.e30.AA==", "é.e30.AA"]
        {
            assert_eq!(Parts::split(text).unwrap_err(), JwsError::Serialization, "{text}");
        }
        for (header, expected) in [
            ("[]", JwsError::Json(JsonError::NotAnObject)),
            (r#"{"kid":"k"}"#, JwsError::Algorithm),
            (r#"{"alg":"none","kid":"k"}"#, JwsError::Algorithm),
            (r#"{"alg":"HS256","kid":"k"}"#, JwsError::Algorithm),
            (r#"{"alg":"eddsa","kid":"k"}"#, JwsError::Algorithm),
            (r#"{"alg":1,"kid":"k"}"#, JwsError::Algorithm),
            (r#"{"alg":"EdDSA"}"#, JwsError::Form("kid")),
            (r#"{"alg":"EdDSA","kid":""}"#, JwsError::Form("kid")),
            (r#"{"alg":"EdDSA","kid":"k","crit":["b64"],"b64":false}"#, JwsError::Critical),
            (r#"{"alg":"EdDSA","kid":"k","crit":[]}"#, JwsError::Critical),
            (r#"{"alg":"EdDSA","kid":"k","crit":null}"#, JwsError::Critical),
        ] {
            let text = with_header(header);
            let parts = Parts::split(&text).unwrap();
            assert_eq!(parts.header().unwrap_err(), expected, "{header}");
        }
    }

    #[test]
    fn signs_and_verifies() {
        for algorithm in [Algorithm::EdDsa, Algorithm::Es256] {
            let key = PrivateSigningKey::generate(algorithm).unwrap().with_kid("k \" 1");
            let text = sign(&key, "\"typ\":\"x\"", b"payload").unwrap();
            let parts = Parts::split(&text).unwrap();
            let mut header = parts.header().unwrap();
            assert_eq!((header.algorithm, header.kid.as_ref()), (algorithm, "k \" 1"));
            assert_eq!(header.take_text("typ").as_deref(), Ok("x"));
            assert_eq!(parts.payload, b"payload");
            assert!(parts.is_signed_by(key.public(), algorithm));
            let other = PrivateSigningKey::generate(algorithm).unwrap();
            assert!(!parts.is_signed_by(other.public(), algorithm));
        }
    }
}
