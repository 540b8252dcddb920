//! The platform's RSA keys and the states they pass through; where their private halves are kept is a
//! matter of [`PrivateKey`].

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};
use strum::{Display, EnumString};

use crate::KeyError;
use crate::content_key::ContentKey;
use crate::file_key::FileKey;
use crate::rsa_key::RsaPublicKey;

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

/// The private half of a platform key, wherever it is kept: in this process ([`FileKey`]), or in a device
/// that never gives it away.
pub trait PrivateKey: fmt::Debug + Send + Sync {
    /// Unwraps a content key (RSA-OAEP-256, RFC 7518 section 4.3). `encrypted_key` has the length of the
    /// modulus. A carrier must not be able to tell failures apart, by their time neither.
    fn unwrap(&self, encrypted_key: &[u8]) -> Result<ContentKey, UnwrapError>;
}

/// A key of the platform.
pub struct PlatformKey {
    state: KeyState,
    public: RsaPublicKey,
    private: Box<dyn PrivateKey>,
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

/// Why an encrypted key gave no content key. For operators alone: a carrier must not learn which it was
/// (RFC 7516 section 11.5).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UnwrapError {
    /// It has not the length of the RSA key.
    Length,
    /// It does not unwrap to 32 bytes.
    Unwrap,
    /// Whether it unwraps is not known: what keeps the private key did not work, and why.
    Unavailable(String),
}

impl PlatformKey {
    pub fn new(state: KeyState, public: RsaPublicKey, private: Box<dyn PrivateKey>) -> Self {
        let thumbprint = public.thumbprint();
        Self { state, public, private, thumbprint }
    }

    /// A new active key, kept in this process. `bits` as in [`MODULUS_BITS`](crate::rsa_key::MODULUS_BITS).
    pub fn generate(kid: impl Into<String>, bits: usize) -> Result<Self, KeyError> {
        Self::of_file(kid, KeyState::Active, FileKey::generate(bits)?)
    }

    /// From PKCS#8 PEM, encrypted or not. A passphrase that is not needed is not used.
    pub fn from_pem(
        kid: impl Into<String>,
        state: KeyState,
        pem: &str,
        passphrase: Option<&str>,
    ) -> Result<Self, KeyError> {
        Self::of_file(kid, state, FileKey::from_pem(pem, passphrase)?)
    }

    fn of_file(kid: impl Into<String>, state: KeyState, key: FileKey) -> Result<Self, KeyError> {
        Ok(Self::new(state, key.public(kid)?, Box::new(key)))
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

    /// Unwraps a content key (RSA-OAEP-256).
    pub fn unwrap(&self, encrypted_key: &[u8]) -> Result<ContentKey, UnwrapError> {
        if encrypted_key.len() != self.public.modulus_bits().div_ceil(8) {
            return Err(UnwrapError::Length);
        }
        self.private.unwrap(encrypted_key)
    }
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

    /// The names of keys that open nothing any more.
    pub fn retired(&self) -> impl Iterator<Item = &str> {
        let held = self.keys.values().filter(|key| !key.state.opens()).map(PlatformKey::kid);
        held.chain(self.retired.iter().map(String::as_str))
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
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::content_key::KEY_BYTES;
    use crate::rsa_key::JwkSet;

    #[test]
    fn written_and_read_again() {
        let file = FileKey::generate(2048).unwrap();
        let pem = file.to_pem(None).unwrap();
        let key = PlatformKey::from_pem("p1", KeyState::Active, &pem, None).unwrap();
        for passphrase in [None, Some("a test passphrase")] {
            let pem = file.to_pem(passphrase).unwrap();
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
            .public
            .key
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
        let [b, c] = ["b", "c"].map(|kid| PlatformKey::generate(kid, 2048).unwrap());
        let set = JwkSet::of([&b, &c].map(|key| key.public().clone()).into());
        assert_eq!(set.keys.iter().map(RsaPublicKey::kid).collect::<Vec<_>>(), ["c", "b"]);
        assert_eq!(JwkSet::parse(set.to_json().unwrap().as_bytes()).unwrap(), set);
        assert!(JwkSet::parse(br#"{"keys":[{"kty":"EC","crv":"P-256"}]}"#).is_err());
        let twice = PlatformKeys::new(["a", "a"].map(|k| PlatformKey::generate(k, 2048).unwrap()));
        assert!(twice.is_err());
        assert_eq!("retiring".parse(), Ok(KeyState::Retiring));
        assert_eq!(KeyState::Retired.to_string(), "retired");
    }
}
