//! The platform's private RSA keys and the states they pass through.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use aws_lc_rs::rsa::{OAEP_SHA256_MGF1SHA256, OaepPrivateDecryptingKey, PrivateDecryptingKey};
use pkcs8::EncodePrivateKey;
use rsa::traits::PublicKeyParts;
use serde::{Deserialize, Serialize};
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
    /// It is gone: what was sealed for it can be opened by nobody.
    Destroyed,
}

impl KeyState {
    pub fn opens(self) -> bool {
        matches!(self, Self::Active | Self::Retiring)
    }

    /// Whether there is still a private half.
    pub fn is_held(self) -> bool {
        self != Self::Destroyed
    }
}

/// A private RSA key of the platform. Zeroized when dropped.
pub struct PlatformKey {
    state: KeyState,
    public: RsaPublicKey,
    /// What is written as PEM.
    private: rsa::PrivateKey,
    /// The same key for what is done with it per event: several times as fast as `rsa`.
    unwrapping: OaepPrivateDecryptingKey,
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
        let unwrapping = unwrapping_key(&private)?;
        let public = RsaPublicKey::new(kid, private.to_public_key());
        let thumbprint = key_thumbprint(private.as_public_key());
        Ok(Self { state, public, private, unwrapping, thumbprint })
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

    /// Unwraps a content key (RSA-OAEP-256). AWS-LC blinds: its time must not depend on the
    /// secret.
    pub fn unwrap(&self, encrypted_key: &[u8]) -> Result<ContentKey, UnwrapError> {
        if encrypted_key.len() != self.private.size() {
            return Err(UnwrapError::Length);
        }
        // The library wants room for a whole modulus, though 32 bytes come out. A failure may
        // leave some of them here, so they are zeroized either way.
        let mut buffer = Zeroizing::new([0u8; MAX_MODULUS_BYTES]);
        let key = self
            .unwrapping
            .decrypt(&OAEP_SHA256_MGF1SHA256, encrypted_key, buffer.as_mut_slice(), None)
            .map_err(|_| UnwrapError::Unwrap)?;
        let key: &[u8; KEY_BYTES] = (&*key).try_into().map_err(|_| UnwrapError::Unwrap)?;
        Ok(ContentKey::new(key))
    }
}

const MAX_MODULUS_BYTES: usize = MODULUS_BITS.end().div_ceil(8);

/// AWS-LC checks the key once more, and is stricter: it is refused here rather than at the first
/// event.
fn unwrapping_key(private: &rsa::PrivateKey) -> Result<OaepPrivateDecryptingKey, KeyError> {
    // The document is zeroized when dropped.
    let der = private
        .to_pkcs8_der()
        .map_err(|e| KeyError::new(format!("cannot be written as PKCS#8: {e}")))?;
    let key = PrivateDecryptingKey::from_pkcs8(der.as_bytes()).map_err(|e| {
        KeyError::new(format!("AWS-LC, which unwraps with it, refuses the RSA key: {e}"))
    })?;
    OaepPrivateDecryptingKey::new(key)
        .map_err(|_| KeyError::new("AWS-LC has no OAEP for this RSA key"))
}

/// All keys that the platform holds, by `kid`, and the names of those that it holds no more.
#[derive(Debug, Default)]
pub struct PlatformKeys {
    keys: BTreeMap<String, PlatformKey>,
    retired: BTreeSet<String>,
}

impl PlatformKeys {
    pub fn new(keys: impl IntoIterator<Item = PlatformKey>) -> Result<Self, KeyError> {
        let mut all = Self::default();
        for key in keys {
            all.insert(key)?;
        }
        Ok(all)
    }

    /// Knows these keys as retired; their private halves are not needed for that.
    pub fn with_retired(mut self, kids: impl IntoIterator<Item = String>) -> Self {
        self.retired.extend(kids);
        self
    }

    /// Whether what is sealed for it is not opened any more.
    pub fn is_retired(&self, kid: &str) -> bool {
        self.retired.contains(kid) || self.keys.get(kid).is_some_and(|key| !key.state.opens())
    }

    /// A `kid` that is there already is refused.
    pub fn insert(&mut self, key: PlatformKey) -> Result<(), KeyError> {
        if self.keys.contains_key(key.kid()) {
            return Err(KeyError::new(format!("`kid` {:?} stands twice", key.kid())));
        }
        self.keys.insert(key.kid().to_owned(), key);
        Ok(())
    }

    pub fn get(&self, kid: &str) -> Option<&PlatformKey> {
        self.keys.get(kid)
    }

    pub fn get_mut(&mut self, kid: &str) -> Option<&mut PlatformKey> {
        self.keys.get_mut(kid)
    }

    /// In order of `kid`.
    pub fn iter(&self) -> impl Iterator<Item = &PlatformKey> {
        self.keys.values()
    }

    /// What carriers are shown: the active keys, the last `kid` first, so that with names that
    /// sort by date the newest is preferred.
    pub fn jwk_set(&self) -> JwkSet {
        let active = self.keys.values().rev().filter(|key| key.state == KeyState::Active);
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
            .oaep_encrypt_with_rng::<sha2::Sha256, _>(&mut getrandom::SysRng, &[1; 31])
            .unwrap();
        assert_eq!(keys[0].unwrap(&short).unwrap_err(), UnwrapError::Unwrap);
    }

    /// `rsa` wraps, AWS-LC unwraps.
    #[test]
    fn the_two_libraries_agree() {
        for bits in [2048, 3072, 4096] {
            let [key, other] = ["p1", "p2"].map(|kid| PlatformKey::generate(kid, bits).unwrap());
            let wrapped = key.public().wrap(&[42; KEY_BYTES]).unwrap();
            assert_eq!(wrapped.len(), bits / 8);
            let mut text = *b"text";
            let tag = ContentKey::new(&[42; KEY_BYTES]).encrypt(&[0; 12], b"", &mut text).unwrap();
            key.unwrap(&wrapped).unwrap().decrypt(&[0; 12], b"", &mut text, &tag).unwrap();
            assert_eq!(&text, b"text");

            let refused = |key: &PlatformKey, wrapped: &[u8]| key.unwrap(wrapped).unwrap_err();
            assert_eq!(refused(&other, &wrapped), UnwrapError::Unwrap, "{bits}: the wrong key");
            for (at, name) in [(0, "first"), (wrapped.len() - 1, "last")] {
                let mut tampered = wrapped.clone();
                tampered[at] ^= 1;
                assert_eq!(refused(&key, &tampered), UnwrapError::Unwrap, "{bits}: {name} byte");
            }
            // The latter is not below the modulus.
            for byte in [0, 0xff] {
                let filled = vec![byte; wrapped.len()];
                assert_eq!(refused(&key, &filled), UnwrapError::Unwrap, "{bits}: all {byte}");
            }
            // These come before any secret is touched, so they may be told apart.
            assert_eq!(refused(&key, &wrapped[..wrapped.len() - 1]), UnwrapError::Length);
            assert_eq!(refused(&key, &[&wrapped[..], &[0]].concat()), UnwrapError::Length);
        }
    }

    /// A size within the range that no one would choose: AWS-LC takes it, too.
    #[test]
    fn odd_sizes() {
        for bits in [2049, 2056, 2500] {
            let key = PlatformKey::generate("p", bits).unwrap();
            let wrapped = key.public().wrap(&[42; KEY_BYTES]).unwrap();
            assert!(key.unwrap(&wrapped).is_ok(), "{bits}");
            if bits == 2049 {
                // The first byte holds one bit of the number. Where it is 0 the number is the same
                // without the byte, and the length is wrong all the same.
                let short = (0..100).find_map(|_| {
                    let wrapped = key.public().wrap(&[42; KEY_BYTES]).unwrap();
                    wrapped.strip_prefix(&[0]).map(<[u8]>::to_vec)
                });
                assert_eq!(key.unwrap(&short.unwrap()).unwrap_err(), UnwrapError::Length);
            }
        }
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
