//! Internal keys as a file: a JWK Set (RFC 7517) of symmetric keys, encrypted under a passphrase if there
//! is one (its section 7: a JWE). So one file holds the keys of several roles, and costs one derivation.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::{InternalKey, KeyId, RoleKey};
use crate::{KeyError, base64url, pbes2};

/// `kid` of the internal key itself; a role's key has the role's name.
const INTERNAL: &str = "internal";
/// The media type, without `application/`.
const JWK_SET: &str = "jwk-set+json";

/// What one file holds.
#[derive(Clone)]
pub enum KeyFile {
    /// The internal key itself, and so the keys of all roles.
    Internal(InternalKey),
    /// The keys of some roles, by name.
    Roles(BTreeMap<String, RoleKey>),
}

impl fmt::Debug for KeyFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Internal(_) => f.write_str("KeyFile::Internal"),
            Self::Roles(keys) => write!(f, "KeyFile::Roles({:?})", keys.keys()),
        }
    }
}

#[derive(Serialize, Deserialize)]
struct Set {
    keys: Vec<Symmetric>,
}

/// RFC 7518 section 6.4.
#[derive(Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
struct Symmetric {
    kty: String,
    kid: String,
    k: String,
}

impl KeyFile {
    /// Whether a file's text is not encrypted.
    pub fn is_plain(text: &str) -> bool {
        !pbes2::is_jwe(text)
    }

    /// A passphrase that is not needed is not used. Earlier builds wrote the internal key as base64url.
    pub fn parse(text: &str, passphrase: Option<&str>) -> Result<Self, KeyError> {
        if Self::is_plain(text) {
            if text.trim_start().starts_with('{') {
                return Self::from_json(text.as_bytes());
            }
            return InternalKey::from_text(text).map(Self::Internal);
        }
        let passphrase = passphrase
            .ok_or_else(|| KeyError::new("the file is encrypted: a passphrase is needed"))?;
        Self::from_json(&pbes2::open(passphrase, JWK_SET, text)?)
    }

    fn from_json(json: &[u8]) -> Result<Self, KeyError> {
        // serde_json's message could quote a value of the wrong type.
        let set: Set = serde_json::from_slice(json).map_err(|e| {
            KeyError::new(format!("no JWK Set: line {}, column {}", e.line(), e.column()))
        })?;
        let mut roles = BTreeMap::new();
        for jwk in &set.keys {
            if jwk.kty != "oct" {
                return Err(KeyError::new(format!("key {:?}: `kty` is not \"oct\"", jwk.kid)));
            }
            let bytes = base64url::decode(&jwk.k).map(Zeroizing::new);
            let bytes = bytes.ok().and_then(|bytes| <[u8; 32]>::try_from(bytes.as_slice()).ok());
            let bytes = bytes.map(Zeroizing::new);
            let bytes =
                bytes.ok_or_else(|| KeyError::new(format!("key {:?}: not 32 bytes", jwk.kid)))?;
            if jwk.kid == INTERNAL && set.keys.len() == 1 {
                return Ok(Self::Internal(InternalKey::new(*bytes)));
            }
            roles.insert(jwk.kid.clone(), RoleKey::new(*bytes));
        }
        if roles.len() != set.keys.len() || roles.contains_key(INTERNAL) {
            return Err(KeyError::new("a key stands twice, or the internal key beside others"));
        }
        Ok(Self::Roles(roles))
    }

    /// Encrypted under the passphrase, if there is one.
    pub fn to_text(&self, passphrase: Option<&str>) -> Result<Zeroizing<String>, KeyError> {
        let jwk = |kid: &str, key: &[u8; 32]| Symmetric {
            kty: "oct".to_owned(),
            kid: kid.to_owned(),
            k: base64url::encode(key),
        };
        let keys = match self {
            Self::Internal(key) => vec![jwk(INTERNAL, &key.0)],
            Self::Roles(roles) => roles.iter().map(|(role, key)| jwk(role, &key.0)).collect(),
        };
        let json =
            serde_json::to_string(&Set { keys }).map_err(|e| KeyError::new(e.to_string()))?;
        match passphrase {
            None => Ok(Zeroizing::new(json)),
            // Encrypted in place: nothing of it is left.
            Some(passphrase) => {
                pbes2::seal(passphrase, JWK_SET, json.into_bytes()).map(Zeroizing::new)
            }
        }
    }

    /// The key of a role, if the file has it.
    pub fn role(&self, role: &str) -> Result<Option<RoleKey>, KeyError> {
        match self {
            Self::Internal(key) => {
                key.role(role).map(Some).map_err(|e| KeyError::new(e.to_string()))
            }
            Self::Roles(roles) => Ok(roles.get(role).cloned()),
        }
    }

    /// What values of version 1 name it by, if it is the internal key itself.
    pub fn version_1(&self) -> Option<KeyId> {
        match self {
            Self::Internal(key) => Some(key.id()),
            Self::Roles(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn written_and_read_again() {
        let key = InternalKey::generate().unwrap();
        let valid = key.role("valid").unwrap();
        let roles = KeyFile::Roles([("valid".to_owned(), valid.clone())].into());
        for passphrase in [None, Some("a test passphrase")] {
            let text = KeyFile::Internal(key.clone()).to_text(passphrase).unwrap();
            assert_eq!(KeyFile::is_plain(&text), passphrase.is_none());
            assert_eq!(text.contains(&*key.to_text()), passphrase.is_none());
            let read = KeyFile::parse(&text, Some("a test passphrase")).unwrap();
            assert_eq!(read.version_1(), Some(key.id()));
            assert_eq!(read.role("valid").unwrap().unwrap().id(), valid.id());

            let text = roles.to_text(passphrase).unwrap();
            let read = KeyFile::parse(&format!("{}\n", &*text), passphrase).unwrap();
            assert_eq!(read.version_1(), None);
            assert_eq!(read.role("valid").unwrap().unwrap().id(), valid.id());
            assert!(read.role("opened").unwrap().is_none());
        }
        // As earlier builds wrote it.
        let read = KeyFile::parse(&format!("{}\n", &*key.to_text()), None).unwrap();
        assert_eq!(read.version_1(), Some(key.id()));
        assert_eq!(format!("{read:?} {roles:?}"), "KeyFile::Internal KeyFile::Roles([\"valid\"])");
    }

    #[test]
    fn what_is_wrong_is_said_and_nothing_of_the_key() {
        let key = InternalKey::generate().unwrap();
        let text = KeyFile::Internal(key).to_text(Some("right")).unwrap();
        let why =
            |text: &str, passphrase| KeyFile::parse(text, passphrase).unwrap_err().to_string();
        assert!(why(&text, None).contains("a passphrase is needed"));
        assert!(why(&text, Some("wrong")).contains("wrong passphrase"));
        let k = base64url::encode([0; 32]);
        let jwk = |kid: &str| format!("{{\"kty\":\"oct\",\"kid\":\"{kid}\",\"k\":\"{k}\"}}");
        for (json, expected) in [
            ("{\"keys\":3}".to_owned(), "line 1, column"),
            (format!("{{\"keys\":[{},{}]}}", jwk("valid"), jwk("valid")), "twice"),
            (format!("{{\"keys\":[{},{}]}}", jwk("internal"), jwk("valid")), "beside others"),
            (format!("{{\"keys\":[{}]}}", jwk("valid").replace("oct", "RSA")), "`kty`"),
            (format!("{{\"keys\":[{}]}}", jwk("valid").replace(&k, "AAAA")), "not 32 bytes"),
        ] {
            assert!(why(&json, None).contains(expected), "{json}: {}", why(&json, None));
        }
    }
}
