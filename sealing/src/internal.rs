//! Values on internal topics, those of each topic role under a key of their own.
//!
//! Version 2, which is written:
//!
//! | bytes | |
//! |---|---|
//! | 1 | version, 2 |
//! | 4 | key id: the first bytes of SHA-256("waybill internal key id v2" ‖ role key) |
//! | 16 | salt, random for each sealer |
//! | 8 | counter, big endian |
//! | 1 + n | the origin: its length, and so many bytes of the caller's, in clear; or none |
//! | m + 16 | AES-256-GCM ciphertext and tag |
//!
//! The data key is HKDF-SHA256 (RFC 5869) of the role's key with the salt; the nonce is four
//! zero bytes and the counter. A random nonce under one key would reach its limit (2^32 values,
//! NIST SP 800-38D section 8.3) after a day and a half at 30,000 values/s; here no nonce comes
//! twice, however long a process runs. All that stands before the ciphertext is authenticated, and
//! with it the place, which is the caller's: a value that was moved to another topic or record key
//! does not open.
//!
//! Version 1, which is opened only, had no origin and authenticated the place alone. Its data keys
//! came from the internal key itself, so that whoever could read one topic could read all.

mod key_file;
mod keys;
mod pseudonym;

use std::collections::HashMap;
use std::fmt;

use zeroize::Zeroize;

pub use key_file::KeyFile;
pub use keys::{InternalKey, KeyId, RoleKey};
pub use pseudonym::{Pseudonym, Pseudonyms};

use crate::content_key::{ContentKey, IV_BYTES, TAG_BYTES};
use crate::random;
use keys::Derives;

/// What is written.
const VERSION: u8 = 2;
/// What earlier builds wrote: changelogs keep it.
const VERSION_1: u8 = 1;
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

/// A value cannot be sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "internal value: cannot be sealed (no randomness, a value too long, or an origin of more \
     than 255 bytes)"
)]
pub struct InternalError;

/// Why a value does not open. What it says of itself is not proven: version and key id stand in clear.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// It names a key that is not held.
    #[error("sealed in version {version} under internal key {id}, which is not held")]
    UnknownKey { version: u8, id: KeyId },
    /// It is of a later version of this format.
    #[error("sealed in version {0} of the internal format; this build knows 1 to {VERSION}")]
    LaterVersion(u8),
    /// It was not sealed under a key that is held for this place. It does not say why.
    #[error("not sealed by this platform for this place")]
    NotAuthentic,
}

/// Each part with its length before it (8 bytes, big endian), so that no two lists of parts make
/// the same bytes.
fn associated_data<'a>(parts: impl Iterator<Item = &'a [u8]> + Clone) -> Vec<u8> {
    let mut data = Vec::with_capacity(parts.clone().map(|part| part.len() + 8).sum());
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
    key: RoleKey,
    /// Of the key: kept, since it takes a hash to find.
    key_id: KeyId,
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
    pub fn new(key: &RoleKey) -> Result<Self, InternalError> {
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
    /// record key); the same must be given to open it. `origin`, of 255 bytes at most, stands beside
    /// it in clear, and who opens it gets it back.
    pub fn seal(
        &mut self,
        place: &[&[u8]],
        origin: &[u8],
        plain: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), InternalError> {
        let origin_bytes = u8::try_from(origin.len()).map_err(|_| InternalError)?;
        if self.counter == VALUES_PER_SALT {
            *self = Self::new(&self.key)?;
        }
        let counter = self.counter;
        self.counter += 1;

        out.reserve(PREFIX_BYTES + 1 + origin.len() + plain.len() + TAG_BYTES);
        let before = out.len();
        out.push(VERSION);
        out.extend_from_slice(&self.key_id.0);
        out.extend_from_slice(&self.salt);
        out.extend_from_slice(&counter.to_be_bytes());
        out.push(origin_bytes);
        out.extend_from_slice(origin);
        let start = out.len();
        out.extend_from_slice(plain);
        let (head, buffer) = out.split_at_mut(start);
        let (_, head) = head.split_at(before);
        let associated = associated_data(std::iter::once(head).chain(place.iter().copied()));
        let tag = self
            .data_key
            .encrypt(&nonce(counter), &associated, buffer)
            .map_err(|_| InternalError)?;
        out.extend_from_slice(&tag);
        Ok(())
    }
}

/// A key that an opener holds.
struct Held {
    version: u8,
    id: KeyId,
    key: Box<dyn Derives + Send>,
}

/// Opens values that any sealer under its keys has sealed.
#[derive(Default)]
pub struct Opener {
    keys: Vec<Held>,
    data_keys: HashMap<(u8, KeyId, [u8; SALT_BYTES]), ContentKey>,
}

impl fmt::Debug for Opener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("internal::Opener")
    }
}

/// A sealed value taken apart, nothing of it believed.
struct Parts<'a> {
    version: u8,
    id: KeyId,
    salt: [u8; SALT_BYTES],
    counter: u64,
    /// All that stands before the ciphertext.
    head: &'a [u8],
    origin: &'a [u8],
    ciphertext: &'a [u8],
    tag: &'a [u8; TAG_BYTES],
}

impl<'a> Parts<'a> {
    fn split(value: &'a [u8]) -> Result<Self, OpenError> {
        use OpenError::NotAuthentic;
        let (prefix, rest) = value.split_at_checked(PREFIX_BYTES).ok_or(NotAuthentic)?;
        let (version, prefix) = prefix.split_first().ok_or(NotAuthentic)?;
        if LATER_VERSIONS.contains(version) {
            return Err(OpenError::LaterVersion(*version));
        }
        let (origin, rest) = match *version {
            VERSION_1 => (&[][..], rest),
            VERSION => {
                let (bytes, rest) = rest.split_first().ok_or(NotAuthentic)?;
                rest.split_at_checked(usize::from(*bytes)).ok_or(NotAuthentic)?
            }
            _ => return Err(NotAuthentic),
        };
        let (id, prefix) = prefix.split_first_chunk().ok_or(NotAuthentic)?;
        let (salt, prefix) = prefix.split_first_chunk().ok_or(NotAuthentic)?;
        let (head, _) = value.split_at(value.len() - rest.len());
        let (ciphertext, tag) = rest.split_last_chunk().ok_or(NotAuthentic)?;
        Ok(Self {
            version: *version,
            id: KeyId(*id),
            salt: *salt,
            counter: u64::from_be_bytes(prefix.try_into().map_err(|_| NotAuthentic)?),
            head,
            origin,
            ciphertext,
            tag,
        })
    }

    fn associated_data(&self, place: &[&[u8]]) -> Vec<u8> {
        let head = (self.version != VERSION_1).then_some(self.head);
        associated_data(head.into_iter().chain(place.iter().copied()))
    }
}

/// Version and key of a value, as it says itself: it need not be one of ours.
pub fn named_key(value: &[u8]) -> Option<(u8, KeyId)> {
    Parts::split(value).ok().map(|parts| (parts.version, parts.id))
}

impl Opener {
    /// Opens values under these keys of one role.
    pub fn new<'a>(keys: impl IntoIterator<Item = &'a RoleKey>) -> Self {
        let held =
            |key: &RoleKey| Held { version: VERSION, id: key.id(), key: Box::new(key.clone()) };
        Self { keys: keys.into_iter().map(held).collect(), data_keys: HashMap::new() }
    }

    /// Opens what builds that wrote version 1 have sealed under an internal key, too.
    pub fn with_version_1(mut self, key: &InternalKey) -> Self {
        let (id, key) = (key.id(), Box::new(key.clone()));
        self.keys.push(Held { version: VERSION_1, id, key });
        self
    }

    pub fn open(&mut self, place: &[&[u8]], value: &[u8]) -> Result<Vec<u8>, OpenError> {
        let mut plain = Vec::with_capacity(value.len());
        self.open_onto(place, value, &mut plain)?;
        Ok(plain)
    }

    /// Appends the plain value to `out`, and gives its origin, which version 1 has none of; if it does
    /// not open, `out` is as it was.
    pub fn open_onto<'v>(
        &mut self,
        place: &[&[u8]],
        value: &'v [u8],
        out: &mut Vec<u8>,
    ) -> Result<&'v [u8], OpenError> {
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

    fn open_at<'v>(
        &mut self,
        place: &[&[u8]],
        value: &'v [u8],
        out: &mut Vec<u8>,
    ) -> Result<&'v [u8], OpenError> {
        let parts = Parts::split(value)?;
        let associated = parts.associated_data(place);
        let start = out.len();
        out.extend_from_slice(parts.ciphertext);
        let (_, plain) = out.split_at_mut(start);
        let open = |key: &ContentKey, plain: &mut [u8]| {
            key.decrypt(&nonce(parts.counter), &associated, plain, parts.tag)
                .map_err(|_| OpenError::NotAuthentic)
        };
        let name = (parts.version, parts.id, parts.salt);
        if let Some(key) = self.data_keys.get(&name) {
            open(key, plain)?;
            return Ok(parts.origin);
        }
        let (version, id) = (parts.version, parts.id);
        let held = self.keys.iter().find(|held| (held.version, held.id) == (version, id));
        let held = held.ok_or(OpenError::UnknownKey { version, id })?;
        let key = held.key.data_key(&parts.salt).map_err(|_| OpenError::NotAuthentic)?;
        open(&key, plain)?;
        // Kept once it has opened something: made-up salts fill nothing.
        if self.data_keys.len() >= KEPT_DATA_KEYS {
            self.data_keys.clear();
        }
        self.data_keys.insert(name, key);
        Ok(parts.origin)
    }
}

#[cfg(test)]
mod tests;
