//! JWE in Compact Serialization (RFC 7516 section 7.1), with RSA-OAEP-256 and A256GCM.

use crate::content_key::{ContentKey, IV_BYTES, TAG_BYTES, TagMismatch};
use crate::{KeyError, base64url, random};

/// Not five parts of strict base64url.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not five parts of base64url without padding, unused bits zero")]
pub struct NotCompact;

/// A JWE taken apart, nothing of it believed.
#[derive(Debug)]
pub struct Parts<'a> {
    /// The protected header, decoded.
    pub header: Vec<u8>,
    /// The encrypted key as sent. It and its bytes determine each other.
    pub encrypted_key_text: &'a str,
    pub encrypted_key: Vec<u8>,
    pub content: Content<'a>,
}

/// Header as sent, IV, ciphertext and tag, of whatever lengths.
#[derive(Debug)]
pub struct Content<'a> {
    /// The additional authenticated data (RFC 7516 section 5.1, step 14).
    protected: &'a str,
    iv: Vec<u8>,
    ciphertext: Vec<u8>,
    tag: Vec<u8>,
}

impl<'a> Parts<'a> {
    pub fn split(value: &'a [u8]) -> Result<Self, NotCompact> {
        // What is not ASCII is no base64url, either.
        let text = std::str::from_utf8(value).map_err(|_| NotCompact)?;
        let mut parts = text.split('.');
        let mut next = || parts.next().ok_or(NotCompact);
        let (protected, encrypted_key_text) = (next()?, next()?);
        let (iv, ciphertext, tag) = (next()?, next()?, next()?);
        if parts.next().is_some() {
            return Err(NotCompact);
        }
        let decode = |part| base64url::decode(part).map_err(|_| NotCompact);
        Ok(Self {
            header: decode(protected)?,
            encrypted_key_text,
            encrypted_key: decode(encrypted_key_text)?,
            content: Content {
                protected,
                iv: decode(iv)?,
                ciphertext: decode(ciphertext)?,
                tag: decode(tag)?,
            },
        })
    }
}

impl<'a> Content<'a> {
    /// What A256GCM needs, if IV and tag have its lengths and there is a ciphertext.
    pub fn into_encrypted(self) -> Option<Encrypted<'a>> {
        if self.ciphertext.is_empty() {
            return None;
        }
        Some(Encrypted {
            protected: self.protected,
            iv: self.iv.try_into().ok()?,
            tag: self.tag.try_into().ok()?,
            ciphertext: self.ciphertext,
        })
    }
}

/// The encrypted content of a JWE.
#[derive(Debug)]
pub struct Encrypted<'a> {
    protected: &'a str,
    iv: [u8; IV_BYTES],
    tag: [u8; TAG_BYTES],
    ciphertext: Vec<u8>,
}

impl Encrypted<'_> {
    /// The plaintext, if the tag fits.
    pub fn open(mut self, key: &ContentKey) -> Result<Vec<u8>, TagMismatch> {
        key.decrypt(&self.iv, self.protected.as_bytes(), &mut self.ciphertext, &self.tag)?;
        Ok(self.ciphertext)
    }
}

/// Appends the four parts after a protected header to `jwe`, which is that header's base64url
/// text. The IV is a new random one; a key may have 2^32 of them at most, and a sealer takes
/// 2^20 (NIST SP 800-38D section 8.3).
pub(crate) fn complete(
    mut jwe: String,
    encrypted_key_text: &str,
    key: &ContentKey,
    mut payload: Vec<u8>,
) -> Result<String, KeyError> {
    let mut iv = [0; IV_BYTES];
    random::fill(&mut iv)?;
    let tag = key.encrypt(&iv, jwe.as_bytes(), &mut payload)?;
    jwe.reserve(encrypted_key_text.len() + payload.len() * 4 / 3 + 48);
    jwe.push('.');
    jwe.push_str(encrypted_key_text);
    for part in [iv.as_slice(), &payload, &tag] {
        jwe.push('.');
        base64url::encode_to(part, &mut jwe);
    }
    Ok(jwe)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_strict_parts() {
        assert!(Parts::split(b"e30.AA.AA.AA.AA").is_ok());
        assert!(Parts::split(b"....").is_ok());
        for value in [
            "",
            "e30.AA.AA.AA",
            "e30.AA.AA.AA.AA.AA",
            "e30.AA.AA.AA.AA.",
            "e30.AA.AA.AA.AA\n",
            "e30=.AA.AA.AA.AA",
            "e30.AB.AA.AA.AA",
            "e30.AA.A+.AA.AA",
            "é.AA.AA.AA.AA",
        ] {
            assert_eq!(Parts::split(value.as_bytes()).unwrap_err(), NotCompact, "{value:?}");
        }
        assert_eq!(Parts::split(b"\xff.AA.AA.AA.AA").unwrap_err(), NotCompact);
    }

    #[test]
    fn opens_what_it_completed_and_nothing_else() {
        let key = ContentKey::random().unwrap();
        let jwe = complete("e30".into(), "AQID", &key, b"payload".to_vec()).unwrap();
        let open = |jwe: &str, key: &ContentKey| {
            Parts::split(jwe.as_bytes()).unwrap().content.into_encrypted().unwrap().open(key)
        };
        assert_eq!(open(&jwe, &key).as_deref(), Ok(b"payload".as_slice()));
        assert_eq!(open(&jwe, &ContentKey::random().unwrap()), Err(TagMismatch));
        assert_eq!(open(&jwe.replacen("e30", "e34", 1), &key), Err(TagMismatch));
    }

    #[test]
    fn lengths() {
        let (iv, tag) = ("A".repeat(16), "AAAAAAAAAAAAAAAAAAAAAA");
        for (jwe, fits) in [
            (format!("e30.AA.{iv}.AA.{tag}"), true),
            (format!("e30..{iv}.AA.{tag}"), true),
            (format!("e30.AA.{iv}..{tag}"), false),
            (format!("e30.AA.AA.AA.{tag}"), false),
            (format!("e30.AA.{iv}AA.AA.{tag}"), false),
            (format!("e30.AA.{iv}.AA.AA"), false),
        ] {
            let parts = Parts::split(jwe.as_bytes()).unwrap();
            assert_eq!(parts.content.into_encrypted().is_some(), fits, "{jwe}");
        }
    }
}
