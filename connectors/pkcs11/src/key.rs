use std::fmt;
use std::sync::Arc;

use cryptoki::mechanism::rsa::{PkcsMgfType, PkcsOaepParams, PkcsOaepSource};
use cryptoki::mechanism::{Mechanism, MechanismType};
use cryptoki::object::{Attribute, ObjectClass, ObjectHandle};
use cryptoki::session::Session;
use waybill_sealing::content_key::{ContentKey, KEY_BYTES};
use waybill_sealing::platform_key::{PrivateKey, UnwrapError};
use waybill_sealing::rsa_key::RsaPublicKey;
use zeroize::Zeroizing;

use crate::error::TokenError;
use crate::sessions::Sessions;

/// What is wrapped to try a key; no content key of anybody.
const PROBE: [u8; KEY_BYTES] = [0x5A; KEY_BYTES];

/// A private key in a token.
pub struct TokenKey {
    sessions: Arc<Sessions>,
    kid: String,
    /// [`PROBE`], wrapped for this key.
    probe: Vec<u8>,
}

impl fmt::Debug for TokenKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TokenKey({:?})", self.kid)
    }
}

impl TokenKey {
    pub(crate) fn new(sessions: Arc<Sessions>, public: RsaPublicKey) -> Result<Self, TokenError> {
        let probe = public.wrap(&PROBE).map_err(|e| TokenError::new(e.to_string()))?;
        let key = Self { sessions, kid: public.kid().to_owned(), probe };
        key.try_out().map_err(|e| {
            e.context(format_args!(
                "key {:?} does not unwrap what is wrapped for it by RSA-OAEP with SHA-256 and MGF1 with \
                 SHA-256 (SoftHSM up to 2.6 has SHA-1 alone):",
                key.kid
            ))
        })?;
        Ok(key)
    }

    /// Whether the token works, by what it must be able to unwrap.
    fn try_out(&self) -> Result<(), TokenError> {
        match self.decrypt(&self.probe)?.as_slice() == PROBE {
            true => Ok(()),
            false => Err(TokenError::new("it unwraps to something else: it is another key")),
        }
    }

    fn decrypt(&self, encrypted_key: &[u8]) -> Result<Zeroizing<Vec<u8>>, TokenError> {
        self.sessions.with(|opened| {
            let handle = match opened.keys.get(&self.kid) {
                Some(handle) => *handle,
                None => {
                    let handle = find(&opened.session, &self.kid)?;
                    opened.keys.insert(self.kid.clone(), handle);
                    handle
                }
            };
            let oaep = PkcsOaepParams::new(
                MechanismType::SHA256,
                PkcsMgfType::MGF1_SHA256,
                PkcsOaepSource::empty(),
            );
            let plain =
                opened.session.decrypt(&Mechanism::RsaPkcsOaep(oaep), handle, encrypted_key)?;
            Ok(Zeroizing::new(plain))
        })
    }

    /// The content key; or `None` if the token says no more than that it failed.
    fn answer(&self, encrypted_key: &[u8]) -> Result<Option<ContentKey>, UnwrapError> {
        match self.decrypt(encrypted_key) {
            Ok(plain) => match plain.as_slice().try_into() {
                Ok(key) => Ok(Some(ContentKey::new(key))),
                Err(_) => Err(UnwrapError::Unwrap),
            },
            Err(error) if error.is_of_the_data() => Err(UnwrapError::Unwrap),
            Err(_) => Ok(None),
        }
    }
}

impl PrivateKey for TokenKey {
    /// A failure is the ciphertext's if the token unwraps what it must be able to; otherwise it is the
    /// token's, and the event must wait for it. That a wrong ciphertext may cost a second operation tells
    /// who made it nothing new: all wrong ones cost it, whatever is wrong with them.
    fn unwrap(&self, encrypted_key: &[u8]) -> Result<ContentKey, UnwrapError> {
        if let Some(key) = self.answer(encrypted_key)? {
            return Ok(key);
        }
        if self.try_out().is_ok() {
            return Err(UnwrapError::Unwrap);
        }
        // Perhaps it is only these sessions.
        self.sessions.forget();
        if let Some(key) = self.answer(encrypted_key)? {
            return Ok(key);
        }
        match self.try_out() {
            Ok(()) => Err(UnwrapError::Unwrap),
            Err(error) => Err(UnwrapError::Unavailable(format!("key {:?}: {error}", self.kid))),
        }
    }
}

fn find(session: &Session, kid: &str) -> Result<ObjectHandle, TokenError> {
    let id = Attribute::Id(kid.as_bytes().to_vec());
    match session.find_objects(&[Attribute::Class(ObjectClass::PRIVATE_KEY), id])?.as_slice() {
        [handle] => Ok(*handle),
        found => Err(TokenError::new(format!(
            "holds {} private keys with that CKA_ID, and not one",
            found.len()
        ))),
    }
}
