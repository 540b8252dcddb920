//! Platform keys in a PKCS#11 token (an HSM, or software that behaves like one): they are made there, they
//! unwrap content keys there, and nobody sees them, this process neither.
//!
//! A key's `kid` is its CKA_ID and its CKA_LABEL. Content keys are unwrapped by CKM_RSA_PKCS_OAEP with
//! SHA-256 and MGF1 with SHA-256, which is RSA-OAEP-256 of RFC 7518 section 4.3.

mod error;
mod key;
mod sessions;

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use cryptoki::mechanism::Mechanism;
use cryptoki::object::{Attribute, AttributeType, ObjectClass};
use cryptoki::session::Session;
use cryptoki::types::{AuthPin, Ulong};
use waybill_sealing::rsa_key::RsaPublicKey;

pub use error::TokenError;
pub use key::TokenKey;
use sessions::Sessions;

/// Which token, and how to get in.
#[derive(Clone)]
pub struct Settings {
    /// The module: a shared library that the token's maker provides.
    pub module: PathBuf,
    pub token: Which,
    pub pin: AuthPin,
    /// For modules that want a text when they are initialized, such as NSS's softoken; as p11-kit's
    /// `x-init-reserved`.
    pub parameters: Option<String>,
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "pkcs11::Settings({} in {})", self.token, self.module.display())
    }
}

/// A token of a module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Which {
    Label(String),
    Slot(u64),
}

impl fmt::Display for Which {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Label(label) => write!(f, "the token {label:?}"),
            Self::Slot(slot) => write!(f, "the token in slot {slot}"),
        }
    }
}

/// A token. It is opened when it is first needed, and again when its sessions are lost.
#[derive(Clone, Debug)]
pub struct Token(Arc<Sessions>);

impl Token {
    pub fn new(settings: Settings) -> Self {
        Self(Arc::new(Sessions::new(settings)))
    }

    /// Makes a key in the token that cannot be taken out of it; what it unwraps is tried.
    pub fn generate(&self, kid: &str, bits: usize) -> Result<RsaPublicKey, TokenError> {
        let (id, label) = (kid.as_bytes().to_vec(), kid.as_bytes().to_vec());
        let public = self.0.writing(|session| {
            if !objects(session, kid)?.is_empty() {
                return Err(TokenError::new(format!("holds a key {kid:?} already")));
            }
            let named = [Attribute::Id(id.clone()), Attribute::Label(label.clone())];
            let bits = Ulong::try_from(bits)?;
            let public = [
                Attribute::Token(true),
                Attribute::Encrypt(true),
                Attribute::ModulusBits(bits),
                Attribute::PublicExponent(vec![1, 0, 1]),
            ];
            let private = [
                Attribute::Token(true),
                Attribute::Private(true),
                Attribute::Sensitive(true),
                Attribute::Extractable(false),
                Attribute::Decrypt(true),
            ];
            let (public, _) = session.generate_key_pair(
                &Mechanism::RsaPkcsKeyPairGen,
                &[&named[..], &public].concat(),
                &[&named[..], &private].concat(),
            )?;
            let (mut n, mut e) = (Vec::new(), Vec::new());
            for attribute in session
                .get_attributes(public, &[AttributeType::Modulus, AttributeType::PublicExponent])?
            {
                match attribute {
                    Attribute::Modulus(bytes) => n = bytes,
                    Attribute::PublicExponent(bytes) => e = bytes,
                    _ => {}
                }
            }
            RsaPublicKey::from_numbers(kid, &n, &e).map_err(|e| TokenError::new(e.to_string()))
        })?;
        // One that cannot do its work is not left behind.
        match self.key(public.clone()) {
            Ok(_) => Ok(public),
            Err(error) => {
                self.destroy(kid)?;
                Err(error)
            }
        }
    }

    /// The key whose public half that is, tried once.
    pub fn key(&self, public: RsaPublicKey) -> Result<TokenKey, TokenError> {
        TokenKey::new(self.0.clone(), public)
    }

    /// Destroys the key pair, if it is there.
    pub fn destroy(&self, kid: &str) -> Result<(), TokenError> {
        self.0.writing(|session| {
            for object in objects(session, kid)? {
                session.destroy_object(object)?;
            }
            Ok(())
        })
    }
}

/// Both halves of a key.
fn objects(
    session: &Session,
    kid: &str,
) -> Result<Vec<cryptoki::object::ObjectHandle>, TokenError> {
    let mut found = Vec::new();
    for class in [ObjectClass::PRIVATE_KEY, ObjectClass::PUBLIC_KEY] {
        let id = Attribute::Id(kid.as_bytes().to_vec());
        found.extend(session.find_objects(&[Attribute::Class(class), id])?);
    }
    Ok(found)
}
