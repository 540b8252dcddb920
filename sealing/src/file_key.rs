//! A private RSA key in a file, and in this process's memory.

use std::fmt;

use aws_lc_rs::rsa::{OAEP_SHA256_MGF1SHA256, OaepPrivateDecryptingKey, PrivateDecryptingKey};
use pkcs8::EncodePrivateKey;
use rsa::traits::PublicKeyParts;
use zeroize::Zeroizing;

use crate::KeyError;
use crate::content_key::{ContentKey, KEY_BYTES};
use crate::platform_key::{PrivateKey, UnwrapError};
use crate::rsa_key::{MODULUS_BITS, RsaPublicKey};
use crate::signing_key::{read_pem, write_pem};

const MAX_MODULUS_BYTES: usize = MODULUS_BITS.end().div_ceil(8);

/// Zeroized when dropped.
pub struct FileKey {
    /// What is written as PEM.
    private: rsa::PrivateKey,
    /// The same key for what is done with it per event: several times as fast as `rsa`.
    unwrapping: OaepPrivateDecryptingKey,
}

impl fmt::Debug for FileKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FileKey")
    }
}

impl FileKey {
    /// A new key. `bits` as in [`MODULUS_BITS`]; takes from a tenth of a second to several seconds.
    pub fn generate(bits: usize) -> Result<Self, KeyError> {
        check_bits(bits)?;
        let private = rsa::PrivateKey::new(&mut getrandom::SysRng, bits)
            .map_err(|e| KeyError::new(format!("RSA key generation: {e}")))?;
        Self::new(private)
    }

    /// From PKCS#8 PEM, encrypted or not. A passphrase that is not needed is not used.
    pub fn from_pem(pem: &str, passphrase: Option<&str>) -> Result<Self, KeyError> {
        if passphrase.is_none() && pem.contains("ENCRYPTED PRIVATE KEY") {
            return Err(KeyError::new("the PEM is encrypted: a passphrase is needed"));
        }
        let private = read_pem(pem, passphrase).map_err(|_| {
            KeyError::new("no PEM of a private RSA key (PKCS#8), or the wrong passphrase")
        })?;
        Self::new(private)
    }

    fn new(private: rsa::PrivateKey) -> Result<Self, KeyError> {
        check_bits(private.n().bit_width_vartime() as usize)?;
        let unwrapping = unwrapping_key(&private)?;
        Ok(Self { private, unwrapping })
    }

    /// As PKCS#8 PEM, encrypted (PBES2 with scrypt) under the passphrase if there is one.
    pub fn to_pem(&self, passphrase: Option<&str>) -> Result<Zeroizing<String>, KeyError> {
        write_pem(&self.private, passphrase)
    }

    pub fn public(&self, kid: impl Into<String>) -> Result<RsaPublicKey, KeyError> {
        let kid = kid.into();
        if kid.is_empty() {
            return Err(KeyError::new("`kid` is empty"));
        }
        Ok(RsaPublicKey::new(kid, self.private.to_public_key()))
    }
}

impl PrivateKey for FileKey {
    /// AWS-LC blinds: its time must not depend on the secret.
    fn unwrap(&self, encrypted_key: &[u8]) -> Result<ContentKey, UnwrapError> {
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

fn check_bits(bits: usize) -> Result<(), KeyError> {
    if MODULUS_BITS.contains(&bits) {
        return Ok(());
    }
    Err(KeyError::new(format!("{bits} bits are not within {MODULUS_BITS:?}")))
}

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
