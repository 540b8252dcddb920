//! The platform's internal key, the keys of the topic roles that come from it, and what tells them
//! apart.

use std::fmt;

use hkdf::Hkdf;
use sha2::{Digest, Sha256};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::{InternalError, SALT_BYTES};
use crate::content_key::ContentKey;
use crate::{KeyError, RandomError, base64url, random};

/// Bytes of either kind of key.
pub(super) const KEY_BYTES: usize = 32;

/// Tells keys apart, and says nothing of the key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId(pub(super) [u8; 4]);

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The platform's key for internal topics: the keys of all roles come from it.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct InternalKey(pub(super) [u8; KEY_BYTES]);

/// The key of one topic role: who has it can seal and open that role's values, and no others.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct RoleKey(pub(super) [u8; KEY_BYTES]);

impl fmt::Debug for InternalKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InternalKey")
    }
}

impl fmt::Debug for RoleKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RoleKey")
    }
}

/// What data keys come from.
pub(super) trait Derives {
    fn data_key(&self, salt: &[u8; SALT_BYTES]) -> Result<ContentKey, InternalError>;
}

impl Derives for InternalKey {
    fn data_key(&self, salt: &[u8; SALT_BYTES]) -> Result<ContentKey, InternalError> {
        Ok(ContentKey::new(&*derived(Some(salt), &self.0, &[b"waybill internal v1"])?))
    }
}

impl Derives for RoleKey {
    fn data_key(&self, salt: &[u8; SALT_BYTES]) -> Result<ContentKey, InternalError> {
        Ok(ContentKey::new(&*derived(Some(salt), &self.0, &[b"waybill internal v2"])?))
    }
}

pub(super) fn derived(
    salt: Option<&[u8]>,
    key: &[u8; KEY_BYTES],
    info: &[&[u8]],
) -> Result<Zeroizing<[u8; KEY_BYTES]>, InternalError> {
    let mut out = Zeroizing::new([0; KEY_BYTES]);
    Hkdf::<Sha256>::new(salt, key).expand_multi_info(info, &mut *out).map_err(|_| InternalError)?;
    Ok(out)
}

fn id(label: &str, key: &[u8; KEY_BYTES]) -> KeyId {
    let hash = Sha256::new().chain_update(label).chain_update(key);
    let [a, b, c, d, ..] = <[u8; 32]>::from(hash.finalize());
    KeyId([a, b, c, d])
}

impl InternalKey {
    pub fn new(bytes: [u8; KEY_BYTES]) -> Self {
        Self(bytes)
    }

    pub fn generate() -> Result<Self, RandomError> {
        let mut key = Self([0; KEY_BYTES]);
        random::fill(&mut key.0)?;
        Ok(key)
    }

    /// From base64url, as earlier builds wrote it; white space around it is no part.
    pub fn from_text(text: &str) -> Result<Self, KeyError> {
        let mut bytes = base64url::decode(text.trim())
            .map_err(|e| KeyError::new(format!("internal key: {e}")))?;
        let key = <[u8; KEY_BYTES]>::try_from(bytes.as_slice()).map(Self);
        bytes.zeroize();
        key.map_err(|_| KeyError::new("internal key: not 32 bytes"))
    }

    /// base64url.
    pub fn to_text(&self) -> Zeroizing<String> {
        Zeroizing::new(base64url::encode(self.0))
    }

    /// What values of version 1 name it by.
    pub fn id(&self) -> KeyId {
        id("waybill internal key id v1", &self.0)
    }

    /// The key of a topic role, such as `opened`.
    pub fn role(&self, role: &str) -> Result<RoleKey, InternalError> {
        let info: [&[u8]; 2] = [b"waybill internal role v2", role.as_bytes()];
        derived(None, &self.0, &info).map(|key| RoleKey(*key))
    }
}

impl RoleKey {
    pub fn new(bytes: [u8; KEY_BYTES]) -> Self {
        Self(bytes)
    }

    /// What values name it by.
    pub fn id(&self) -> KeyId {
        id("waybill internal key id v2", &self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_form() {
        let key = InternalKey::generate().unwrap();
        let text = key.to_text();
        assert_eq!(InternalKey::from_text(&format!("{}\n", &*text)).unwrap().0, key.0);
        assert!(InternalKey::from_text("AAAA").is_err());
        assert_eq!(format!("{key:?} {:?}", key.role("opened").unwrap()), "InternalKey RoleKey");
    }

    /// Made once by another implementation (Python's `hmac`), from the RFC's two steps.
    #[test]
    fn a_role_s_key_is_hkdf_of_the_internal_key() {
        let key = InternalKey::new([7; 32]);
        assert_eq!(base64url::encode(key.role("opened").unwrap().0), OPENED);
        assert_eq!(base64url::encode(key.role("valid").unwrap().0), VALID);
        assert_eq!(key.role("opened").unwrap().id().to_string(), OPENED_ID);
    }

    const OPENED: &str = "-QvO7Jdwk5QIUdEPP8z5YeAa19CbqtSyeGbWwAqzUJo";
    const VALID: &str = "tNoaXgMdtTtgQ06q5b_x-B3AlzlcgVRHUiWATSHy8Ko";
    const OPENED_ID: &str = "402420d1";
}
