//! Values on internal topics, under one symmetric key of the platform.
//!
//! | bytes | |
//! |---|---|
//! | 1 | version, 1 |
//! | 4 | key id: the first bytes of SHA-256("waybill internal key id v1" ‖ key) |
//! | 16 | salt, random for each sealer |
//! | 8 | counter, big endian |
//! | n + 16 | AES-256-GCM ciphertext and tag |
//!
//! The data key is HKDF-SHA256 (RFC 5869) of the platform key with the salt; the nonce is four
//! zero bytes and the counter. A random nonce under one key would reach its limit (2^32 values,
//! NIST SP 800-38D section 8.3) after a day and a half at 30,000 values/s; here no nonce comes
//! twice, however long a process runs. What the associated data must be is the caller's: a value
//! that was moved to another topic or key does not open.

use std::collections::HashMap;
use std::fmt;

use hkdf::Hkdf;
use sha2::{Digest, Sha256};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::content_key::{ContentKey, IV_BYTES, TAG_BYTES};
use crate::random;

const VERSION: u8 = 1;
const SALT_BYTES: usize = 16;
/// Version, key id, salt, counter.
const PREFIX_BYTES: usize = 1 + 4 + SALT_BYTES + 8;
/// Values under one salt, and so under one data key.
const VALUES_PER_SALT: u64 = 1 << 32;
/// Data keys that an opener keeps. One process has one salt, so these are the processes of a
/// topic's past; deriving one again takes 2 µs.
const KEPT_DATA_KEYS: usize = 1024;

/// A value that was not sealed under this key for this place, or cannot be sealed. It does not
/// say why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InternalError;

impl fmt::Display for InternalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("internal value: cannot be sealed or opened with this key")
    }
}

impl std::error::Error for InternalError {}

/// The platform key for internal topics.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct InternalKey([u8; 32]);

impl fmt::Debug for InternalKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InternalKey")
    }
}

impl InternalKey {
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    pub fn generate() -> Result<Self, crate::RandomError> {
        let mut key = Self([0; 32]);
        random::fill(&mut key.0)?;
        Ok(key)
    }

    /// From base64url, as [`InternalKey::to_text`] writes it; white space around it is no part.
    pub fn from_text(text: &str) -> Result<Self, crate::KeyError> {
        let mut bytes = crate::base64url::decode(text.trim())
            .map_err(|e| crate::KeyError::new(format!("internal key: {e}")))?;
        let key = <[u8; 32]>::try_from(bytes.as_slice()).map(Self);
        bytes.zeroize();
        key.map_err(|_| crate::KeyError::new("internal key: not 32 bytes"))
    }

    /// base64url.
    pub fn to_text(&self) -> Zeroizing<String> {
        Zeroizing::new(crate::base64url::encode(self.0))
    }

    /// Tells keys apart, and says nothing of the key.
    fn id(&self) -> [u8; 4] {
        let hash = Sha256::new().chain_update("waybill internal key id v1").chain_update(self.0);
        let [a, b, c, d, ..] = <[u8; 32]>::from(hash.finalize());
        [a, b, c, d]
    }

    fn data_key(&self, salt: &[u8; SALT_BYTES]) -> Result<ContentKey, InternalError> {
        let mut key = Zeroizing::new([0; 32]);
        Hkdf::<Sha256>::new(Some(salt), &self.0)
            .expand(b"waybill internal v1", &mut *key)
            .map_err(|_| InternalError)?;
        Ok(ContentKey::new(&key))
    }
}

/// Each part with its length before it (8 bytes, big endian), so that no two lists of parts make
/// the same bytes.
fn associated_data(parts: &[&[u8]]) -> Vec<u8> {
    let mut data = Vec::with_capacity(parts.iter().map(|part| part.len() + 8).sum());
    for part in parts {
        data.extend_from_slice(&(part.len() as u64).to_be_bytes());
        data.extend_from_slice(part);
    }
    data
}

fn nonce(counter: u64) -> [u8; IV_BYTES] {
    let mut nonce = [0; IV_BYTES];
    let (_, low) = nonce.split_at_mut(IV_BYTES - 8);
    low.copy_from_slice(&counter.to_be_bytes());
    nonce
}

/// Seals values. One for each process or thread: it counts.
pub struct Sealer {
    key: InternalKey,
    /// Of the key: kept, since it takes a hash to find.
    key_id: [u8; 4],
    salt: [u8; SALT_BYTES],
    data_key: ContentKey,
    counter: u64,
}

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("internal::Sealer")
    }
}

impl Sealer {
    pub fn new(key: &InternalKey) -> Result<Self, InternalError> {
        let mut salt = [0; SALT_BYTES];
        random::fill(&mut salt).map_err(|_| InternalError)?;
        Ok(Self {
            key: key.clone(),
            key_id: key.id(),
            salt,
            data_key: key.data_key(&salt)?,
            counter: 0,
        })
    }

    /// Appends the sealed `plain` to `out`. `place` says where the value belongs (topic role,
    /// record key); the same must be given to open it.
    pub fn seal(
        &mut self,
        place: &[&[u8]],
        plain: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), InternalError> {
        if self.counter == VALUES_PER_SALT {
            *self = Self::new(&self.key)?;
        }
        let counter = self.counter;
        self.counter += 1;

        out.reserve(PREFIX_BYTES + plain.len() + TAG_BYTES);
        out.push(VERSION);
        out.extend_from_slice(&self.key_id);
        out.extend_from_slice(&self.salt);
        out.extend_from_slice(&counter.to_be_bytes());
        let start = out.len();
        out.extend_from_slice(plain);
        let (_, buffer) = out.split_at_mut(start);
        let tag = self
            .data_key
            .encrypt(&nonce(counter), &associated_data(place), buffer)
            .map_err(|_| InternalError)?;
        out.extend_from_slice(&tag);
        Ok(())
    }
}

/// Opens values that any sealer under its keys has sealed.
pub struct Opener {
    keys: Vec<([u8; 4], InternalKey)>,
    data_keys: HashMap<([u8; 4], [u8; SALT_BYTES]), ContentKey>,
}

impl fmt::Debug for Opener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("internal::Opener")
    }
}

impl Opener {
    pub fn new(key: &InternalKey) -> Self {
        Self { keys: vec![(key.id(), key.clone())], data_keys: HashMap::new() }
    }

    /// Opens values under an earlier key, too.
    pub fn also(mut self, key: &InternalKey) -> Self {
        self.keys.push((key.id(), key.clone()));
        self
    }

    pub fn open(&mut self, place: &[&[u8]], value: &[u8]) -> Result<Vec<u8>, InternalError> {
        let mut plain = Vec::with_capacity(value.len());
        self.open_onto(place, value, &mut plain)?;
        Ok(plain)
    }

    /// Appends the plain value to `out`; if it does not open, `out` is as it was.
    pub fn open_onto(
        &mut self,
        place: &[&[u8]],
        value: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), InternalError> {
        let start = out.len();
        let opened = self.open_at(place, value, out);
        if opened.is_err() {
            // Decrypted before its tag is known to be wrong, and never to be read.
            if let Some(unproven) = out.get_mut(start..) {
                unproven.zeroize();
            }
            out.truncate(start);
        }
        opened
    }

    fn open_at(
        &mut self,
        place: &[&[u8]],
        value: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), InternalError> {
        let (prefix, rest) = value.split_at_checked(PREFIX_BYTES).ok_or(InternalError)?;
        let (version, prefix) = prefix.split_first().ok_or(InternalError)?;
        if *version != VERSION {
            return Err(InternalError);
        }
        let (id, prefix) = prefix.split_first_chunk().ok_or(InternalError)?;
        let (salt, prefix) = prefix.split_first_chunk().ok_or(InternalError)?;
        let counter = u64::from_be_bytes(prefix.try_into().map_err(|_| InternalError)?);
        let (ciphertext, tag) = rest.split_last_chunk().ok_or(InternalError)?;

        let start = out.len();
        out.extend_from_slice(ciphertext);
        let (_, plain) = out.split_at_mut(start);
        let open = |key: &ContentKey, plain: &mut [u8]| {
            key.decrypt(&nonce(counter), &associated_data(place), plain, tag)
                .map_err(|_| InternalError)
        };
        if let Some(key) = self.data_keys.get(&(*id, *salt)) {
            return open(key, plain);
        }
        let (_, key) = self.keys.iter().find(|(held, _)| held == id).ok_or(InternalError)?;
        let key = key.data_key(salt)?;
        open(&key, plain)?;
        // Kept once it has opened something: made-up salts fill nothing.
        if self.data_keys.len() >= KEPT_DATA_KEYS {
            self.data_keys.clear();
        }
        self.data_keys.insert((*id, *salt), key);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLACE: &[&[u8]] = &[b"opened", b"h-1"];

    fn sealed(sealer: &mut Sealer, plain: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        sealer.seal(PLACE, plain, &mut out).unwrap();
        out
    }

    #[test]
    fn opens_in_its_place_only() {
        let key = InternalKey::generate().unwrap();
        let mut sealer = Sealer::new(&key).unwrap();
        let mut opener = Opener::new(&key);
        for plain in [b"".as_slice(), b"x", &[7; 5000]] {
            let value = sealed(&mut sealer, plain);
            assert_eq!(value.len(), PREFIX_BYTES + plain.len() + TAG_BYTES);
            assert_eq!(opener.open(PLACE, &value).as_deref(), Ok(plain));
            let mut out = b"before".to_vec();
            opener.open_onto(PLACE, &value, &mut out).unwrap();
            assert_eq!(out, [b"before", plain].concat());
            for place in [[b"valid".as_slice(), b"h-1"], [b"opened", b"h-2"], [b"openedh", b"-1"]] {
                assert_eq!(opener.open(&place, &value), Err(InternalError));
            }
            for at in 0..value.len() {
                let mut changed = value.clone();
                changed[at] ^= 1;
                assert_eq!(opener.open(PLACE, &changed), Err(InternalError), "byte {at}");
                let mut out = b"before".to_vec();
                assert!(opener.open_onto(PLACE, &changed, &mut out).is_err());
                assert_eq!(out, b"before");
                assert_eq!(opener.open(PLACE, &value[..at]), Err(InternalError), "{at} bytes");
            }
        }
        let other = InternalKey::generate().unwrap();
        assert!(Opener::new(&other).open(PLACE, &sealed(&mut sealer, b"x")).is_err());
        assert!(Opener::new(&other).also(&key).open(PLACE, &sealed(&mut sealer, b"x")).is_ok());
    }

    #[test]
    fn no_nonce_comes_twice() {
        let key = InternalKey::generate().unwrap();
        let mut sealer = Sealer::new(&key).unwrap();
        let first_salt = sealer.salt;
        let prefix = |value: &[u8]| value[..PREFIX_BYTES].to_vec();
        let mut seen = std::collections::HashSet::new();
        for _ in 0..1000 {
            assert!(seen.insert(prefix(&sealed(&mut sealer, b"x"))));
        }
        sealer.counter = VALUES_PER_SALT - 1;
        assert!(seen.insert(prefix(&sealed(&mut sealer, b"x"))));
        assert_eq!(sealer.salt, first_salt);
        let value = sealed(&mut sealer, b"x");
        assert!(seen.insert(prefix(&value)));
        assert_ne!(sealer.salt, first_salt, "a new salt after 2^32 values");
        assert_eq!(sealer.counter, 1);
        assert!(Opener::new(&key).open(PLACE, &value).is_ok());
        assert_ne!(Sealer::new(&key).unwrap().salt, Sealer::new(&key).unwrap().salt);
    }

    #[test]
    fn keeps_a_bounded_number_of_data_keys() {
        let key = InternalKey::generate().unwrap();
        let mut opener = Opener::new(&key);
        for _ in 0..KEPT_DATA_KEYS + 10 {
            let value = sealed(&mut Sealer::new(&key).unwrap(), b"x");
            assert!(opener.open(PLACE, &value).is_ok());
            assert!(opener.data_keys.len() <= KEPT_DATA_KEYS);
        }
    }

    /// A value sealed by an earlier build must open for ever: changelogs keep them.
    #[test]
    fn the_format_does_not_change() {
        let key = InternalKey::new([7; 32]);
        let mut sealer = Sealer::new(&key).unwrap();
        sealer.salt = [9; SALT_BYTES];
        sealer.data_key = key.data_key(&sealer.salt).unwrap();
        sealer.counter = 258;
        let value = sealed(&mut sealer, b"text");
        assert_eq!(crate::base64url::encode(&value), GOLDEN);
        assert_eq!(Opener::new(&key).open(PLACE, &value).as_deref(), Ok(b"text".as_slice()));
    }

    const GOLDEN: &str = "AZGJebcJCQkJCQkJCQkJCQkJCQkJAAAAAAAAAQIEQNfBVoC4owMGmoOVq0pWHJ_s9g";

    #[test]
    fn text_form() {
        let key = InternalKey::generate().unwrap();
        let text = key.to_text();
        assert_eq!(InternalKey::from_text(&format!("{}\n", &*text)).unwrap().0, key.0);
        assert!(InternalKey::from_text("AAAA").is_err());
        assert_eq!(format!("{key:?}"), "InternalKey");
    }
}
