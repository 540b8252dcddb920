//! The platform's public RSA keys, which carriers wrap content keys for (RSA-OAEP-256, RFC 7518
//! section 4.3), and the JWK Set they are handed out in.

use rsa::BoxedUint;
use rsa::traits::PublicKeyParts;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::Sha256;

use crate::content_key::KEY_BYTES;
use crate::jwk::{Jwk, thumbprint};
use crate::{KEY_WRAPPING, KeyError, base64url};

/// Bits of a platform key's modulus.
pub const MODULUS_BITS: std::ops::RangeInclusive<usize> = 2048..=4096;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RsaPublicKey {
    kid: String,
    pub(crate) key: rsa::PublicKey,
}

impl RsaPublicKey {
    pub(crate) fn new(kid: String, key: rsa::PublicKey) -> Self {
        Self { kid, key }
    }

    /// From a JWK. Without a `kid` it gets its thumbprint (RFC 7638).
    pub fn from_jwk(json: &[u8]) -> Result<Self, KeyError> {
        Self::try_from(&Jwk::parse(json)?)
    }

    /// From its modulus and public exponent, big endian, as a device gives them.
    pub fn from_numbers(kid: &str, n: &[u8], e: &[u8]) -> Result<Self, KeyError> {
        let mut jwk = Jwk::default();
        jwk.kty = "RSA".into();
        jwk.kid = Some(kid.to_owned());
        jwk.n = Some(base64url::encode(n));
        jwk.e = Some(base64url::encode(e));
        Self::try_from(&jwk)
    }

    pub fn kid(&self) -> &str {
        &self.kid
    }

    pub fn modulus_bits(&self) -> usize {
        self.key.n().bit_width_vartime() as usize
    }

    /// RFC 7638.
    pub fn thumbprint(&self) -> String {
        key_thumbprint(&self.key)
    }

    /// Wraps a content key. The result has the length of the modulus.
    pub fn wrap(&self, content_key: &[u8; KEY_BYTES]) -> Result<Vec<u8>, KeyError> {
        self.key
            .oaep_encrypt_with_rng::<Sha256, _>(&mut getrandom::SysRng, content_key)
            .map_err(|e| KeyError::new(format!("RSA-OAEP: {e}")))
    }
}

pub(crate) fn key_thumbprint(key: &rsa::PublicKey) -> String {
    let (e, n) = (base64url::encode(key.e_bytes()), base64url::encode(key.n_bytes()));
    thumbprint(&[("e", &e), ("kty", "RSA"), ("n", &n)])
}

impl TryFrom<&Jwk> for RsaPublicKey {
    type Error = KeyError;

    fn try_from(jwk: &Jwk) -> Result<Self, KeyError> {
        if jwk.kty != "RSA" {
            return Err(KeyError::new(format!("`kty` is {:?}, not \"RSA\"", jwk.kty)));
        }
        if jwk.d.is_some() {
            return Err(KeyError::new("a private key (`d`) where a public one belongs"));
        }
        jwk.check_purpose("enc", &[KEY_WRAPPING])?;
        let number = |name, text| {
            let bytes = jwk.bytes(name, text)?;
            // Bounds the work before any arithmetic.
            if bytes.len() > MODULUS_BITS.end() / 8 {
                return Err(KeyError::new(format!("`{name}` is too long")));
            }
            BoxedUint::from_be_slice(&bytes, bytes.len() as u32 * 8)
                .map_err(|_| KeyError::new(format!("`{name}` is no number")))
        };
        let (n, e) = (number("n", &jwk.n)?, number("e", &jwk.e)?);
        let key = rsa::PublicKey::new_with_size_limits(n, e, MODULUS_BITS)
            .map_err(|e| KeyError::new(format!("no usable RSA key: {e}")))?;
        let kid = jwk.kid_or(|| key_thumbprint(&key))?;
        Ok(Self { kid, key })
    }
}

/// As a JWK with `kid`, `use` and `alg`.
impl Serialize for RsaPublicKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut jwk = Jwk::default();
        jwk.kty = "RSA".into();
        jwk.kid = Some(self.kid.clone());
        jwk.usage = Some("enc".into());
        jwk.alg = Some(KEY_WRAPPING.into());
        jwk.n = Some(base64url::encode(self.key.n_bytes()));
        jwk.e = Some(base64url::encode(self.key.e_bytes()));
        jwk.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for RsaPublicKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::try_from(&Jwk::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

/// A JWK Set (RFC 7517 section 5) of platform keys, in the order in which carriers shall prefer
/// them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct JwkSet {
    pub keys: Vec<RsaPublicKey>,
}

impl JwkSet {
    /// The last `kid` first, so that with names that sort by date the newest is preferred.
    pub fn of(mut keys: Vec<RsaPublicKey>) -> Self {
        keys.sort_by(|a, b| b.kid.cmp(&a.kid));
        Self { keys }
    }

    /// Keys of another type or use are passed over, as RFC 7517 section 5 wants it; a set with
    /// no usable key, or with one `kid` twice, is refused.
    pub fn parse(json: &[u8]) -> Result<Self, KeyError> {
        #[derive(Deserialize)]
        struct File {
            keys: Vec<Jwk>,
        }
        let file: File = serde_json::from_slice(json).map_err(|e| {
            KeyError::new(format!("no JWK Set: line {}, column {}", e.line(), e.column()))
        })?;
        let is_ours = |jwk: &&Jwk| {
            jwk.kty == "RSA"
                && jwk.usage.as_deref().is_none_or(|usage| usage == "enc")
                && jwk.alg.as_deref().is_none_or(|alg| alg == KEY_WRAPPING)
        };
        let mut keys: Vec<RsaPublicKey> = Vec::new();
        for jwk in file.keys.iter().filter(is_ours) {
            let key = RsaPublicKey::try_from(jwk)?;
            if keys.iter().any(|other| other.kid == key.kid) {
                return Err(KeyError::new(format!("`kid` {:?} stands twice", key.kid)));
            }
            keys.push(key);
        }
        if keys.is_empty() {
            return Err(KeyError::new("the JWK Set has no RSA-OAEP-256 key"));
        }
        Ok(Self { keys })
    }

    pub fn to_json(&self) -> Result<String, KeyError> {
        serde_json::to_string_pretty(self).map_err(|e| KeyError::new(e.to_string()))
    }
}
