//! The platform's private RSA keys and the states they pass through.

use std::collections::BTreeMap;
use std::fmt;

use rsa::traits::PublicKeyParts;
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use strum::{Display, EnumString};
use zeroize::Zeroizing;

use crate::KeyError;
use crate::content_key::{ContentKey, KEY_BYTES};
use crate::rsa_key::{JwkSet, MODULUS_BITS, RsaPublicKey, key_thumbprint};
use crate::signing_key::{read_pem, write_pem};

/// Bits of a new platform key's modulus.
pub const DEFAULT_BITS: usize = 3072;

/// A key's life. It only goes forward.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Display, EnumString, Serialize, Deserialize,
)]
#[strum(serialize_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum KeyState {
    /// Shown to carriers; opens.
    Active,
    /// No longer shown; still opens what was sealed for it.
    Retiring,
    /// Opens nothing any more.
    Retired,
}

/// A private RSA key of the platform. Zeroized when dropped.
pub struct PlatformKey {
    state: KeyState,
    public: RsaPublicKey,
    private: rsa::PrivateKey,
    thumbprint: String,
}

impl fmt::Debug for PlatformKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PlatformKey")
            .field("kid", &self.kid())
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

/// Why an encrypted key gave no content key. For the operators' metric alone: a carrier must not
/// learn which it was (RFC 7516 section 11.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnwrapError {
    /// It has not the length of the RSA key.
    Length,
    /// It does not unwrap to 32 bytes.
    Unwrap,
    /// The system gave no random numbers to blind with. Not the record's fault.
    NoRandom,
}

impl PlatformKey {
    /// A new active key. `bits` as in [`MODULUS_BITS`]; takes from a tenth of a second to
    /// several seconds.
    pub fn generate(kid: impl Into<String>, bits: usize) -> Result<Self, KeyError> {
        if !MODULUS_BITS.contains(&bits) {
            return Err(KeyError::new(format!("{bits} bits are not within {MODULUS_BITS:?}")));
        }
        let private = rsa::PrivateKey::new(&mut getrandom::SysRng, bits)
            .map_err(|e| KeyError::new(format!("RSA key generation: {e}")))?;
        Self::new(kid.into(), KeyState::Active, private)
    }

    /// From PKCS#8 PEM, encrypted or not. A passphrase that is not needed is not used.
    pub fn from_pem(
        kid: impl Into<String>,
        state: KeyState,
        pem: &str,
        passphrase: Option<&str>,
    ) -> Result<Self, KeyError> {
        if passphrase.is_none() && pem.contains("ENCRYPTED PRIVATE KEY") {
            return Err(KeyError::new("the PEM is encrypted: a passphrase is needed"));
        }
        let private = read_pem(pem, passphrase).map_err(|_| {
            KeyError::new("no PEM of a private RSA key (PKCS#8), or the wrong passphrase")
        })?;
        Self::new(kid.into(), state, private)
    }

    fn new(kid: String, state: KeyState, private: rsa::PrivateKey) -> Result<Self, KeyError> {
        if kid.is_empty() {
            return Err(KeyError::new("`kid` is empty"));
        }
        let bits = private.n().bit_width_vartime() as usize;
        if !MODULUS_BITS.contains(&bits) {
            return Err(KeyError::new(format!("{bits} bits are not within {MODULUS_BITS:?}")));
        }
        let public = RsaPublicKey::new(kid, private.to_public_key());
        Ok(Self { state, thumbprint: key_thumbprint(private.as_public_key()), public, private })
    }

    /// As PKCS#8 PEM, encrypted (PBES2 with scrypt) under the passphrase if there is one.
    pub fn to_pem(&self, passphrase: Option<&str>) -> Result<Zeroizing<String>, KeyError> {
        write_pem(&self.private, passphrase)
    }

    pub fn kid(&self) -> &str {
        self.public.kid()
    }

    pub fn state(&self) -> KeyState {
        self.state
    }

    pub fn set_state(&mut self, state: KeyState) {
        self.state = state;
    }

    pub fn public(&self) -> &RsaPublicKey {
        &self.public
    }

    /// RFC 7638: what tells this key from another one under the same `kid`.
    pub fn thumbprint(&self) -> &str {
        &self.thumbprint
    }

    /// Unwraps a content key (RSA-OAEP-256), with blinding: its time must not depend on the
    /// secret.
    pub fn unwrap(&self, encrypted_key: &[u8]) -> Result<ContentKey, UnwrapError> {
        if encrypted_key.len() != self.private.size() {
            return Err(UnwrapError::Length);
        }
        let key = self
            .private
            .oaep_decrypt_with_rng::<Sha256, _>(&mut getrandom::SysRng, encrypted_key)
            .map(Zeroizing::new)
            .map_err(|e| match e {
                rsa::Error::Rng => UnwrapError::NoRandom,
                _ => UnwrapError::Unwrap,
            })?;
        let key: &[u8; KEY_BYTES] = key.as_slice().try_into().map_err(|_| UnwrapError::Unwrap)?;
        Ok(ContentKey::new(key))
    }
}

/// All keys that the platform holds, by `kid`.
#[derive(Debug, Default)]
pub struct PlatformKeys(BTreeMap<String, PlatformKey>);

impl PlatformKeys {
    pub fn new(keys: impl IntoIterator<Item = PlatformKey>) -> Result<Self, KeyError> {
        let mut all = Self::default();
        for key in keys {
            all.insert(key)?;
        }
        Ok(all)
    }

    /// A `kid` that is there already is refused.
    pub fn insert(&mut self, key: PlatformKey) -> Result<(), KeyError> {
        if self.0.contains_key(key.kid()) {
            return Err(KeyError::new(format!("`kid` {:?} stands twice", key.kid())));
        }
        self.0.insert(key.kid().to_owned(), key);
        Ok(())
    }

    pub fn get(&self, kid: &str) -> Option<&PlatformKey> {
        self.0.get(kid)
    }

    pub fn get_mut(&mut self, kid: &str) -> Option<&mut PlatformKey> {
        self.0.get_mut(kid)
    }

    /// In order of `kid`.
    pub fn iter(&self) -> impl Iterator<Item = &PlatformKey> {
        self.0.values()
    }

    /// What carriers are shown: the active keys, the last `kid` first, so that with names that
    /// sort by date the newest is preferred.
    pub fn jwk_set(&self) -> JwkSet {
        let active = self.0.values().rev().filter(|key| key.state == KeyState::Active);
        JwkSet { keys: active.map(|key| key.public.clone()).collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn written_and_read_again() {
        let key = PlatformKey::generate("p1", 2048).unwrap();
        for passphrase in [None, Some("a test passphrase")] {
            let pem = key.to_pem(passphrase).unwrap();
            let read = PlatformKey::from_pem("p1", KeyState::Retiring, &pem, passphrase).unwrap();
            assert_eq!((read.public(), read.state()), (key.public(), KeyState::Retiring));
            if passphrase.is_some() {
                assert!(pem.contains("ENCRYPTED"));
                for wrong in [None, Some("wrong")] {
                    assert!(PlatformKey::from_pem("p1", KeyState::Active, &pem, wrong).is_err());
                }
            }
        }
        let jwk = serde_json::to_vec(key.public()).unwrap();
        assert_eq!(&RsaPublicKey::from_jwk(&jwk).unwrap(), key.public());
        assert_eq!(key.public().thumbprint(), key.thumbprint());
        assert_eq!(format!("{key:?}"), "PlatformKey { kid: \"p1\", state: Active, .. }");
    }

    #[test]
    fn unwraps_its_own_only() {
        let keys = ["p1", "p2"].map(|kid| PlatformKey::generate(kid, 2048).unwrap());
        let (key, wrapped) = ContentKey::wrapped_for(keys[0].public()).unwrap();
        let unwrapped = keys[0].unwrap(&wrapped).unwrap();
        let mut buffer = *b"text";
        let tag = key.encrypt(&[0; 12], b"", &mut buffer).unwrap();
        unwrapped.decrypt(&[0; 12], b"", &mut buffer, &tag).unwrap();
        assert_eq!(keys[1].unwrap(&wrapped).unwrap_err(), UnwrapError::Unwrap);
        assert_eq!(keys[0].unwrap(&wrapped[1..]).unwrap_err(), UnwrapError::Length);
        assert_eq!(keys[0].unwrap(b"").unwrap_err(), UnwrapError::Length);
        let short = keys[0]
            .private
            .as_public_key()
            .oaep_encrypt_with_rng::<Sha256, _>(&mut getrandom::SysRng, &[1; 31])
            .unwrap();
        assert_eq!(keys[0].unwrap(&short).unwrap_err(), UnwrapError::Unwrap);
    }

    #[test]
    fn sizes_and_sets() {
        assert!(PlatformKey::generate("p", 1024).is_err());
        assert!(PlatformKey::generate("p", 4097).is_err());
        let [mut a, b, c] = ["a", "b", "c"].map(|kid| PlatformKey::generate(kid, 2048).unwrap());
        a.set_state(KeyState::Retired);
        let keys = PlatformKeys::new([a, b, c]).unwrap();
        let set = keys.jwk_set();
        assert_eq!(set.keys.iter().map(RsaPublicKey::kid).collect::<Vec<_>>(), ["c", "b"]);
        assert_eq!(JwkSet::parse(set.to_json().unwrap().as_bytes()).unwrap(), set);
        assert!(JwkSet::parse(br#"{"keys":[{"kty":"EC","crv":"P-256"}]}"#).is_err());
        let twice = PlatformKeys::new(["a", "a"].map(|k| PlatformKey::generate(k, 2048).unwrap()));
        assert!(twice.is_err());
        assert_eq!("retiring".parse(), Ok(KeyState::Retiring));
        assert_eq!(KeyState::Retired.to_string(), "retired");
    }
}
