//! The content key of a JWE: A256GCM (RFC 7518 section 5.3).

use std::fmt;

use aes_gcm::aead::inout::InOutBuf;
use aes_gcm::{AeadInOut, Aes256Gcm, KeyInit, Nonce};
use zeroize::Zeroizing;

use crate::KeyError;
use crate::random::{self, RandomError};
use crate::rsa_key::RsaPublicKey;

/// Bytes of an A256GCM key.
pub const KEY_BYTES: usize = 32;
/// Bytes of its initialization vector.
pub const IV_BYTES: usize = 12;
/// Bytes of its authentication tag.
pub const TAG_BYTES: usize = 16;

/// The tag does not fit: another key, or something was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the authentication tag does not fit")]
pub struct TagMismatch;

/// An expanded A256GCM key. Zeroized when dropped.
pub struct ContentKey(Aes256Gcm);

impl fmt::Debug for ContentKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ContentKey")
    }
}

impl ContentKey {
    pub fn new(key: &[u8; KEY_BYTES]) -> Self {
        Self(Aes256Gcm::new(key.into()))
    }

    /// A new random key that nobody else knows.
    pub fn random() -> Result<Self, RandomError> {
        Ok(Self::new(&*random_bytes()?))
    }

    /// A new random key, and the same wrapped for `platform` (RSA-OAEP-256).
    pub fn wrapped_for(platform: &RsaPublicKey) -> Result<(Self, Vec<u8>), KeyError> {
        let bytes = random_bytes()?;
        let wrapped = platform.wrap(&bytes)?;
        Ok((Self::new(&bytes), wrapped))
    }

    /// Encrypts `buffer` in place and gives the tag. An `iv` must never come twice under one key.
    pub fn encrypt(
        &self,
        iv: &[u8; IV_BYTES],
        aad: &[u8],
        buffer: &mut [u8],
    ) -> Result<[u8; TAG_BYTES], KeyError> {
        self.0
            .encrypt_inout_detached(&Nonce::from(*iv), aad, InOutBuf::from(buffer))
            .map(Into::into)
            .map_err(|_| KeyError::new("more bytes than AES-GCM may encrypt at once"))
    }

    /// Checks the tag, then decrypts `buffer` in place; on an error it is as it was.
    pub fn decrypt(
        &self,
        iv: &[u8; IV_BYTES],
        aad: &[u8],
        buffer: &mut [u8],
        tag: &[u8; TAG_BYTES],
    ) -> Result<(), TagMismatch> {
        self.0
            .decrypt_inout_detached(
                &Nonce::from(*iv),
                aad,
                InOutBuf::from(buffer),
                &aes_gcm::Tag::from(*tag),
            )
            .map_err(|_| TagMismatch)
    }
}

fn random_bytes() -> Result<Zeroizing<[u8; KEY_BYTES]>, RandomError> {
    let mut bytes = Zeroizing::new([0; KEY_BYTES]);
    random::fill(&mut *bytes)?;
    Ok(bytes)
}
