//! The grant: a carrier's signed word that a content key is its own (sealed-event.md, "Granted").
//! A JWS whose claims bind the wrapped key to carrier, deployment, platform key and time.

use std::borrow::Cow;

use sha2::{Digest, Sha256};

use crate::jws::{Algorithm, JwsError, Parts, json_text, take};
use crate::signing_key::{PrivateSigningKey, PublicSigningKey};
use crate::strict_json::{self, Value};
use crate::{GRANT_TYPE, KeyError, base64url, forms, jws};

/// A grant is valid for at most this long, seconds.
pub const MAX_LIFE_SECONDS: f64 = 86_400.0;

/// What a grant says. Times are NumericDates, seconds.
#[derive(Clone, Debug, PartialEq)]
pub struct Claims<'a> {
    pub iss: Cow<'a, str>,
    pub aud: Cow<'a, str>,
    /// The platform key that the content key is wrapped for.
    pub kid: Cow<'a, str>,
    pub iat: f64,
    pub exp: f64,
}

impl Claims<'_> {
    pub fn into_owned(self) -> Claims<'static> {
        Claims {
            iss: self.iss.into_owned().into(),
            aud: self.aud.into_owned().into(),
            kid: self.kid.into_owned().into(),
            iat: self.iat,
            exp: self.exp,
        }
    }
}

/// Signs a grant for `encrypted_key` from `from_ms` to `to_ms`, ms UTC.
pub fn sign(
    key: &PrivateSigningKey,
    (iss, aud, kid): (&str, &str, &str),
    encrypted_key: &[u8],
    (from_ms, to_ms): (i64, i64),
) -> Result<String, KeyError> {
    let claims = format!(
        "{{\"iss\":{},\"aud\":{},\"kid\":{},\"ekh\":\"{}\",\"iat\":{},\"exp\":{}}}",
        json_text(iss),
        json_text(aud),
        json_text(kid),
        base64url::encode(Sha256::digest(encrypted_key)),
        forms::to_numeric_date(from_ms),
        forms::to_numeric_date(to_ms),
    );
    jws::sign(key, &format!("\"typ\":\"{GRANT_TYPE}\""), claims.as_bytes())
}

/// A grant of its form, its signature not yet verified.
#[derive(Debug)]
pub struct Grant<'a> {
    parts: Parts<'a>,
    algorithm: Algorithm,
    /// The signing key's `kid`.
    signer: String,
}

impl<'a> Grant<'a> {
    pub fn parse(text: &'a str) -> Result<Self, JwsError> {
        let parts = Parts::split(text)?;
        let mut header = parts.header()?;
        if header.take_text("typ")? != GRANT_TYPE {
            return Err(JwsError::Form("typ"));
        }
        let (algorithm, signer) = (header.algorithm, header.kid.into_owned());
        Ok(Self { parts, algorithm, signer })
    }

    /// `kid` of the key that it names as its signer.
    pub fn signer(&self) -> &str {
        &self.signer
    }

    pub fn is_signed_by(&self, key: &PublicSigningKey) -> bool {
        self.parts.is_signed_by(key, self.algorithm)
    }

    /// The claims, of their form; `ekh` is checked against `encrypted_key`.
    pub fn claims(&self, encrypted_key: &[u8]) -> Result<Claims<'_>, GrantError> {
        let mut members = strict_json::parse_object(&self.parts.payload).map_err(JwsError::Json)?;
        let mut text =
            |name| take(&mut members, name).and_then(Value::into_text).ok_or(JwsError::Form(name));
        let (iss, aud, kid, ekh) = (text("iss")?, text("aud")?, text("kid")?, text("ekh")?);
        let mut date = |name| {
            let value = take(&mut members, name);
            value.as_ref().and_then(Value::as_number).ok_or(JwsError::Form(name))
        };
        let (iat, exp) = (date("iat")?, date("exp")?);
        // Near a present time all these doubles lie on one grid of 2^-22 s, on which adding whole
        // seconds is exact: both limits are inclusive to the last bit.
        if exp <= iat || exp > iat + MAX_LIFE_SECONDS {
            return Err(JwsError::Form("exp").into());
        }
        let ekh: [u8; 32] = base64url::decode_array(&ekh).map_err(|_| JwsError::Form("ekh"))?;
        if ekh != <[u8; 32]>::from(Sha256::digest(encrypted_key)) {
            return Err(GrantError::OtherKey);
        }
        Ok(Claims { iss, aud, kid, iat, exp })
    }
}

/// Why the claims of a grant do not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GrantError {
    #[error(transparent)]
    Jws(#[from] JwsError),
    /// `ekh` is the hash of another encrypted key.
    #[error("`ekh` is not the hash of the encrypted key")]
    OtherKey,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_what_was_signed() {
        let key = PrivateSigningKey::generate(Algorithm::EdDsa).unwrap();
        let text = sign(
            &key,
            ("acme \"", "aud", "p1"),
            b"wrapped",
            (1_763_990_400_125, 1_763_994_000_125),
        )
        .unwrap();
        let grant = Grant::parse(&text).unwrap();
        assert_eq!(grant.signer(), key.public().kid());
        assert!(grant.is_signed_by(key.public()));
        let claims = grant.claims(b"wrapped").unwrap();
        let expected = Claims {
            iss: "acme \"".into(),
            aud: "aud".into(),
            kid: "p1".into(),
            iat: 1_763_990_400.125,
            exp: 1_763_994_000.125,
        };
        assert_eq!(claims, expected);
        assert_eq!(grant.claims(b"other").unwrap_err(), GrantError::OtherKey);
    }

    #[test]
    fn life_is_bounded() {
        let key = PrivateSigningKey::generate(Algorithm::EdDsa).unwrap();
        let t = 1_763_990_400_123;
        for (to, fits) in [
            (t, false),
            (t - 1, false),
            (t + 1, true),
            (t + 86_400_000, true),
            (t + 86_400_001, false),
        ] {
            let text = sign(&key, ("a", "b", "c"), b"", (t, to)).unwrap();
            assert_eq!(Grant::parse(&text).unwrap().claims(b"").is_ok(), fits, "{}", to - t);
        }
    }
}
