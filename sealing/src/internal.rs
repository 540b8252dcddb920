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
/// Versions that are kept for later builds: a value that begins otherwise is none of ours.
const LATER_VERSIONS: std::ops::RangeInclusive<u8> = VERSION + 1..=15;
const SALT_BYTES: usize = 16;
/// Version, key id, salt, counter.
const PREFIX_BYTES: usize = 1 + 4 + SALT_BYTES + 8;
/// Values under one salt, and so under one data key.
const VALUES_PER_SALT: u64 = 1 << 32;
/// Data keys that an opener keeps. One process has one salt, so these are the processes of a
/// topic's past; deriving one again takes 2 µs.
const KEPT_DATA_KEYS: usize = 1024;

/// A value cannot be sealed: there is no randomness, or it is too long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InternalError;

impl fmt::Display for InternalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("internal value: cannot be sealed")
    }
}

impl std::error::Error for InternalError {}

/// Why a value does not open. What it says of itself is not proven: version and key id stand in clear.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpenError {
    /// It names a key that is not held.
    UnknownKey([u8; 4]),
    /// It is of a later version of this format.
    LaterVersion(u8),
    /// It was not sealed under a key that is held for this place. It does not say why.
    NotAuthentic,
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownKey(id) => {
                f.write_str("sealed under internal key ")?;
                id.iter().try_for_each(|byte| write!(f, "{byte:02x}"))?;
                f.write_str(", which is not held")
            }
            Self::LaterVersion(version) => {
                write!(f, "sealed in version {version} of the internal format; this build knows 1")
            }
            Self::NotAuthentic => f.write_str("not sealed by this platform for this place"),
        }
    }
}

impl std::error::Error for OpenError {}

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

    pub fn open(&mut self, place: &[&[u8]], value: &[u8]) -> Result<Vec<u8>, OpenError> {
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
    ) -> Result<(), OpenError> {
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
    ) -> Result<(), OpenError> {
        use OpenError::NotAuthentic;
        let (prefix, rest) = value.split_at_checked(PREFIX_BYTES).ok_or(NotAuthentic)?;
        let (version, prefix) = prefix.split_first().ok_or(NotAuthentic)?;
        if LATER_VERSIONS.contains(version) {
            return Err(OpenError::LaterVersion(*version));
        }
        if *version != VERSION {
            return Err(NotAuthentic);
        }
        let (id, prefix) = prefix.split_first_chunk().ok_or(NotAuthentic)?;
        let (salt, prefix) = prefix.split_first_chunk().ok_or(NotAuthentic)?;
        let counter = u64::from_be_bytes(prefix.try_into().map_err(|_| NotAuthentic)?);
        let (ciphertext, tag) = rest.split_last_chunk().ok_or(NotAuthentic)?;

        let start = out.len();
        out.extend_from_slice(ciphertext);
        let (_, plain) = out.split_at_mut(start);
        let open = |key: &ContentKey, plain: &mut [u8]| {
            key.decrypt(&nonce(counter), &associated_data(place), plain, tag)
                .map_err(|_| NotAuthentic)
        };
        if let Some(key) = self.data_keys.get(&(*id, *salt)) {
            return open(key, plain);
        }
        let held = self.keys.iter().find(|(held, _)| held == id);
        let (_, key) = held.ok_or(OpenError::UnknownKey(*id))?;
        let key = key.data_key(salt).map_err(|_| NotAuthentic)?;
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
                assert_eq!(opener.open(&place, &value), Err(OpenError::NotAuthentic));
            }
            for at in 0..value.len() {
                let mut changed = value.clone();
                changed[at] ^= 1;
                let error = opener.open(PLACE, &changed).unwrap_err();
                let is_key_id = (1..5).contains(&at);
                assert_eq!(matches!(error, OpenError::UnknownKey(_)), is_key_id, "byte {at}");
                let mut out = b"before".to_vec();
                assert!(opener.open_onto(PLACE, &changed, &mut out).is_err());
                assert_eq!(out, b"before");
                let cut = opener.open(PLACE, &value[..at]);
                assert_eq!(cut, Err(OpenError::NotAuthentic), "{at} bytes");
            }
        }
        let other = InternalKey::generate().unwrap();
        let unknown = Err(OpenError::UnknownKey(key.id()));
        assert_eq!(Opener::new(&other).open(PLACE, &sealed(&mut sealer, b"x")), unknown);
        assert!(Opener::new(&other).also(&key).open(PLACE, &sealed(&mut sealer, b"x")).is_ok());
    }

    /// A later build's value stops its reader until that is of the later build, too; what nobody of us
    /// writes does not.
    #[test]
    fn later_versions_are_told_from_what_is_none_of_ours() {
        let key = InternalKey::generate().unwrap();
        let mut value = sealed(&mut Sealer::new(&key).unwrap(), b"x");
        for (version, error) in [
            (0, OpenError::NotAuthentic),
            (2, OpenError::LaterVersion(2)),
            (15, OpenError::LaterVersion(15)),
            (16, OpenError::NotAuthentic),
            (b'{', OpenError::NotAuthentic),
            (0xC3, OpenError::NotAuthentic),
        ] {
            value[0] = version;
            assert_eq!(Opener::new(&key).open(PLACE, &value), Err(error));
        }
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
