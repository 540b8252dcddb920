//! What a carrier may do at the gateway, and how it shows that it is the carrier. Events that it seals itself
//! carry their own proof: what stands here is for everything else.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use strum::{Display, EnumString};
use subtle::ConstantTimeEq;
use waybill_sealing::base64url;

use crate::RegistryError;

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Access {
    /// Media types of plain payloads that the gateway may seal in the carrier's name; a type stands for
    /// itself with any parameters. None unless listed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub plain: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub api_keys: Vec<ApiKey>,
    /// Subjects of client certificates, as RFC 4514 writes them: `CN=edi,O=Acme Line,C=NL`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub certificates: Vec<String>,
    #[serde(skip_serializing_if = "Limits::is_default")]
    pub limits: Limits,
}

impl Access {
    pub(crate) fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// Whether a plain payload of this media type may be sealed for the carrier.
    pub fn allows(&self, media_type: &str) -> bool {
        let essence = essence(media_type);
        self.plain.iter().any(|allowed| {
            allowed.eq_ignore_ascii_case(media_type) || allowed.eq_ignore_ascii_case(essence)
        })
    }
}

/// A media type without its parameters.
pub(crate) fn essence(media_type: &str) -> &str {
    media_type.split(';').next().unwrap_or_default().trim()
}

/// What a key lets its holder do.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Display, EnumString, Serialize, Deserialize,
)]
#[strum(serialize_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Publish plain payloads.
    Publish,
    /// Read what became of the carrier's events.
    Read,
}

/// A key of which only the hash is kept: the carrier was shown it once. It has 256 random bits, so a plain
/// hash tells nothing of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApiKey {
    /// The part of the key that is no secret.
    pub id: String,
    /// base64url of the SHA-256 of the whole key.
    pub sha256: String,
    pub scopes: Vec<Scope>,
    pub created: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Timestamp>,
}

/// How every key begins, so that whoever finds one knows what it is.
const PREFIX: &str = "waybill_";

/// A new key's text, which is shown and then forgotten.
pub struct NewKey {
    pub text: String,
    pub key: ApiKey,
}

impl fmt::Debug for NewKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NewKey({:?})", self.key.id)
    }
}

impl ApiKey {
    /// A new key, `waybill_ID.SECRET`.
    pub fn generate(
        scopes: Vec<Scope>,
        created: Timestamp,
        expires: Option<Timestamp>,
    ) -> Result<NewKey, RegistryError> {
        let [mut id, mut secret] = [vec![0; 9], vec![0; 32]];
        for bytes in [&mut id, &mut secret] {
            waybill_sealing::fill_random(bytes)
                .map_err(|error| RegistryError::new(error.to_string()))?;
        }
        let id = base64url::encode(id);
        let text = format!("{PREFIX}{id}.{}", base64url::encode(secret));
        let sha256 = hash(&text);
        Ok(NewKey { text, key: Self { id, sha256, scopes, created, expires } })
    }

    /// The part of a key's text that names it.
    pub fn id_in(text: &str) -> Option<&str> {
        text.strip_prefix(PREFIX)?.split_once('.').map(|(id, _)| id)
    }

    /// Whether `text` is this key and the time is within its life. It takes the same time whatever `text` is.
    pub fn is(&self, text: &str, now_ms: i64) -> bool {
        let is_same = bool::from(hash(text).as_bytes().ct_eq(self.sha256.as_bytes()));
        is_same & self.expires.is_none_or(|expires| now_ms < expires.as_millisecond())
    }
}

fn hash(text: &str) -> String {
    base64url::encode(Sha256::digest(text))
}

/// Limits of a carrier at the gateway, if they are not as for others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub messages_per_second: Option<u32>,
    /// How many may come at once after a pause.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub burst: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes_per_second: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub messages_per_day: Option<u64>,
    /// What is over a limit is counted, and let pass.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dry_run: Option<bool>,
}

impl Limits {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_itself_alone_and_has_its_time() {
        let now = Timestamp::from_second(1_000).unwrap();
        let expires = Some(Timestamp::from_second(2_000).unwrap());
        let made = ApiKey::generate(vec![Scope::Read], now, expires).unwrap();
        let (text, key) = (made.text.as_str(), &made.key);
        assert_eq!(ApiKey::id_in(text), Some(key.id.as_str()));
        assert!(text.len() == "waybill_".len() + 12 + 1 + 43, "{text}");
        assert!(key.is(text, 1_999_999));
        assert!(!key.is(text, 2_000_000));
        let mut other = text.to_owned();
        other.pop();
        for wrong in ["", "waybill_", &other, &format!("{text}A"), &text.to_uppercase()] {
            assert!(!key.is(wrong, 1_000_000), "{wrong}");
        }
        assert!(!key.is(&ApiKey::generate(vec![], now, None).unwrap().text, 1_000_000));
        assert!(!format!("{made:?} {}", serde_json::to_string(key).unwrap()).contains(&text[21..]));
        for no_key in ["", "waybill_abc", "Waybill_abc.def", "abc.def"] {
            assert_eq!(ApiKey::id_in(no_key), None, "{no_key}");
        }
    }

    #[test]
    fn an_allowed_type_is_allowed_with_parameters() {
        let plain = ["application/EDIFACT", "application/json;version=2"].map(str::to_owned);
        let access = Access { plain: plain.into(), ..Access::default() };
        for (media_type, allowed) in [
            ("application/edifact", true),
            ("application/EDIFACT; charset=us-ascii", true),
            ("application/EDIFACT2", false),
            ("application/json;version=2", true),
            ("application/json", false),
            ("", false),
        ] {
            assert_eq!(access.allows(media_type), allowed, "{media_type}");
        }
        assert!(!Access::default().allows(""));
    }
}
