//! carriers.json: the registry as a file.
//!
//! ```json
//! {"carriers": [{"id": "acme-line", "name": "Acme Line", "status": "active",
//!   "max_delivery_delay": "7d",
//!   "keys": [{"jwk": {"kty": "OKP", "crv": "Ed25519", "x": "…", "kid": "acme-2026"},
//!             "valid_from": "2026-11-01T00:00:00Z", "valid_until": null, "revoked_at": null}]}]}
//! ```
//!
//! Times are RFC 3339, and optional; so are `max_delivery_delay` (7d), `max_state_bytes` (what its open
//! shipments may take of aggregate's memory for a partition) and `state_purged_at` (aggregate forgets its
//! shipments of which nothing was received after that), `topics` (the sealed topics that are its own: what
//! says that it is of this carrier counts on no other, and what says another counts on none of them), and
//! `gateway` ([`Access`](crate::Access): what it may do there), `restrictions` ([`Restriction`]: what of
//! it is not taken for the time being), and `webhooks` ([`Webhook`]: where it wants to be told). Members of other names are refused (but not inside `jwk`, where
//! RFC 7517 has them ignored).

use std::borrow::Cow;
use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use waybill_sealing::signing_key::PublicSigningKey;

use crate::access::Access;
use crate::restriction::Restriction;
use crate::webhook::{MOST_WEBHOOKS, Webhook};
use crate::{Carrier, Carriers, Delay, RegisteredKey, Status};

/// What is wrong with a registry, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct RegistryError(Cow<'static, str>);

impl RegistryError {
    pub(crate) fn new(text: impl Into<Cow<'static, str>>) -> Self {
        Self(text.into())
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    carriers: Vec<CarrierEntry>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct CarrierEntry {
    id: String,
    name: String,
    status: Status,
    #[serde(default = "default_delay")]
    max_delivery_delay: Delay,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    max_state_bytes: Option<usize>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    state_purged_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    topics: Vec<String>,
    #[serde(default)]
    keys: Vec<KeyEntry>,
    #[serde(default, skip_serializing_if = "Access::is_default")]
    gateway: Access,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    restrictions: Vec<Restriction>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    webhooks: Vec<Webhook>,
}

fn default_delay() -> Delay {
    Delay::DEFAULT
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyEntry {
    jwk: PublicSigningKey,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    valid_from: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    valid_until: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    revoked_at: Option<Timestamp>,
}

impl Serialize for Delay {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Delay {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text: Cow<'_, str> = Deserialize::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl Carriers {
    /// From the bytes of carriers.json.
    pub fn parse(json: &[u8]) -> Result<Self, RegistryError> {
        let mut reader = serde_json::Deserializer::from_slice(json);
        let file: File = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
            let path = error.path().to_string();
            let carrier = carrier_at(json, &path).map(|id| format!(" (carrier {id:?})"));
            RegistryError::new(format!(
                "{path}{}: {}",
                carrier.unwrap_or_default(),
                error.into_inner()
            ))
        })?;
        reader.end().map_err(|error| RegistryError::new(error.to_string()))?;

        let mut carriers = Self::default();
        for entry in file.carriers {
            let mut carrier = Carrier::new(entry.id, entry.name)?;
            carrier.status = entry.status;
            carrier.max_delivery_delay = entry.max_delivery_delay;
            carrier.max_state_bytes = entry.max_state_bytes;
            carrier.state_purged_at = entry.state_purged_at;
            carrier.access = entry.gateway;
            carrier.restrictions = entry.restrictions;
            carrier.webhooks = entry.webhooks;
            for KeyEntry { jwk: key, valid_from, valid_until, revoked_at } in entry.keys {
                carrier.add_key(RegisteredKey { key, valid_from, valid_until, revoked_at })?;
            }
            let id = carrier.id().to_owned();
            carriers.insert(carrier)?;
            carriers.give_topics(&id, entry.topics);
        }
        carriers.check_names()?;
        Ok(carriers)
    }

    /// An API key, a certificate or an endpoint names one carrier.
    fn check_names(&self) -> Result<(), RegistryError> {
        let mut names = BTreeSet::new();
        for carrier in self.iter() {
            if carrier.webhooks.len() > MOST_WEBHOOKS {
                let id = carrier.id();
                return Err(RegistryError::new(format!(
                    "carrier {id:?} has more than {MOST_WEBHOOKS} webhooks"
                )));
            }
            for webhook in &carrier.webhooks {
                if !names.insert(("webhook", &webhook.id)) {
                    return Err(RegistryError::new(format!(
                        "webhook {:?} stands twice",
                        webhook.id
                    )));
                }
            }
        }
        for access in self.iter().map(|carrier| &carrier.access) {
            let keys = access.api_keys.iter().map(|key| ("API key", &key.id));
            let subjects = access.certificates.iter().map(|subject| ("certificate", subject));
            for (what, name) in keys.chain(subjects) {
                if !names.insert((what, name)) {
                    return Err(RegistryError::new(format!("{what} {name:?} stands twice")));
                }
            }
        }
        Ok(())
    }

    /// As carriers.json, carriers in order of id.
    pub fn to_json(&self) -> Result<String, RegistryError> {
        let entry = |carrier: &Carrier| CarrierEntry {
            id: carrier.id().to_owned(),
            name: carrier.name.clone(),
            status: carrier.status,
            max_delivery_delay: carrier.max_delivery_delay,
            max_state_bytes: carrier.max_state_bytes,
            state_purged_at: carrier.state_purged_at,
            topics: carrier.topics().to_vec(),
            keys: carrier.keys().iter().map(key_entry).collect(),
            gateway: carrier.access.clone(),
            restrictions: carrier.restrictions.clone(),
            webhooks: carrier.webhooks.clone(),
        };
        let file = File { carriers: self.iter().map(entry).collect() };
        serde_json::to_string_pretty(&file).map_err(|error| RegistryError::new(error.to_string()))
    }
}

fn key_entry(registered: &RegisteredKey) -> KeyEntry {
    KeyEntry {
        jwk: registered.key.clone(),
        valid_from: registered.valid_from,
        valid_until: registered.valid_until,
        revoked_at: registered.revoked_at,
    }
}

/// The id of the carrier that `path` (`carriers[3].keys…`) leads into, so that an operator need
/// not count.
fn carrier_at(json: &[u8], path: &str) -> Option<String> {
    let index: usize = path.strip_prefix("carriers[")?.split_once(']')?.0.parse().ok()?;
    let file: serde_json::Value = serde_json::from_slice(json).ok()?;
    Some(file.get("carriers")?.get(index)?.get("id")?.as_str()?.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = r#"{"jwk":{"kty":"OKP","crv":"Ed25519","kid":"k1","ext":true,"x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;

    fn file(carrier: &str) -> String {
        format!(r#"{{"carriers":[{{"id":"acme","name":"Acme","status":"active"{carrier}}}]}}"#)
    }

    #[test]
    fn read_and_written() {
        let key = format!(
            r#","max_delivery_delay":"36h","topics":["t.acme"],"keys":[{KEY},"valid_from":"2026-11-01T00:00:00Z","valid_until":null,"revoked_at":"2026-11-24T12:00:00+01:00"}}]"#
        );
        let carriers = Carriers::parse(file(&key).as_bytes()).unwrap();
        let carrier = carriers.get("acme").unwrap();
        assert_eq!(carrier.max_delivery_delay.to_string(), "36h");
        assert_eq!(carrier.topics(), ["t.acme"]);
        assert_eq!(carriers.owner("t.acme"), Some("acme"));
        assert_eq!(carrier.keys()[0].key.kid(), "k1");
        assert_eq!(carrier.keys()[0].revoked_at, Some("2026-11-24T11:00:00Z".parse().unwrap()));
        assert_eq!(carrier.keys()[0].valid_until, None);
        let written = carriers.to_json().unwrap();
        assert_eq!(Carriers::parse(written.as_bytes()).unwrap(), carriers);

        let carriers = Carriers::parse(file("").as_bytes()).unwrap();
        assert_eq!(carriers.longest_delivery_delay(), Delay::DEFAULT);
        assert!(carriers.get("acme").unwrap().keys().is_empty());
        assert_eq!(Carriers::parse(br#"{"carriers":[]}"#), Ok(Carriers::default()));
    }

    #[test]
    fn access_to_the_gateway_is_read_and_written() {
        let access = r#","gateway":{"plain":["application/EDIFACT"],"certificates":["CN=edi,O=Acme"],
            "api_keys":[{"id":"abc","sha256":"x","scopes":["publish","read"],"created":"2026-11-01T00:00:00Z"}],
            "limits":{"messages_per_second":10,"dry_run":true}}"#;
        let carriers = Carriers::parse(file(access).as_bytes()).unwrap();
        let read = &carriers.get("acme").unwrap().access;
        assert_eq!(read.api_keys[0].scopes, [crate::Scope::Publish, crate::Scope::Read]);
        assert_eq!(read.limits.messages_per_second, Some(10));
        let written = carriers.to_json().unwrap();
        assert_eq!(Carriers::parse(written.as_bytes()).unwrap(), carriers);
        let without = Carriers::parse(file("").as_bytes()).unwrap().to_json().unwrap();
        assert!(!without.contains("gateway"), "an earlier build reads it: {without}");

        let key = r#"{"id":"abc","sha256":"x","scopes":[],"created":"2026-11-01T00:00:00Z"}"#;
        let other = key.replace("abc", "abd");
        let same_name = r#""certificates":["CN=edi","CN=edi"]"#;
        for (access, expected) in [
            (format!(r#""api_keys":[{key},{other},{key}]"#), r#"API key "abc" stands twice"#),
            (same_name.to_owned(), r#"certificate "CN=edi" stands twice"#),
            (r#""limit":{}"#.to_owned(), "unknown field `limit`"),
        ] {
            let json = file(&format!(r#","gateway":{{{access}}}"#));
            let error = Carriers::parse(json.as_bytes()).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn says_what_is_wrong_and_where() {
        let with_key = |key: &str| file(&format!(r#","keys":[{KEY}{key}}}]"#));
        let twice = file(&format!(r#","keys":[{KEY}}},{KEY}}}]"#));
        let private = file(
            r#","keys":[{"jwk":{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","d":"AAAA"}}]"#,
        );
        let same_id = r#"{"carriers":[{"id":"a","name":"","status":"active"},{"id":"a","name":"","status":"active"}]}"#;
        for (json, expected) in [
            (String::new(), "EOF"),
            ("{}".into(), "missing field `carriers`"),
            ("{\"carriers\":[]} x".into(), "trailing"),
            (r#"{"carriers":[],"x":1}"#.into(), "unknown field `x`"),
            (
                r#"{"carriers":[{"name":"","status":"active"}]}"#.into(),
                "carriers[0]: missing field `id`",
            ),
            (file(r#","statu":1"#), r#"carriers[0].statu (carrier "acme"): unknown field"#),
            (file("").replace("active", "on"), r#"carriers[0].status (carrier "acme")"#),
            (file("").replace("acme", ""), "`id` \"\" is not of the form"),
            (file("").replace("acme", "acme/X"), "`id` \"acme/X\" is not of the form"),
            (
                file(r#","max_delivery_delay":"soon""#),
                r#"max_delivery_delay (carrier "acme"): "soon" is no delay"#,
            ),
            (file(r#","max_delivery_delay":7"#), "max_delivery_delay"),
            (
                with_key(r#","valid_from":"yesterday""#),
                r#"carriers[0].keys[0].valid_from (carrier "acme")"#,
            ),
            (with_key(r#","note":"""#), r#"carriers[0].keys[0].note (carrier "acme")"#),
            (
                with_key("").replace("11qY", "11q!"),
                r#"carriers[0].keys[0].jwk (carrier "acme"): `x` is not base64url"#,
            ),
            (
                with_key(
                    r#","valid_from":"2026-01-02T00:00:00Z","valid_until":"2026-01-01T00:00:00Z""#,
                ),
                r#"carrier "acme", key "k1": `valid_until` is before `valid_from`"#,
            ),
            (twice, r#"carrier "acme", key "k1": its `kid` stands twice"#),
            (private, "a private key"),
            (same_id.into(), r#"carrier "a" stands twice"#),
        ] {
            let error = Carriers::parse(json.as_bytes()).unwrap_err().to_string();
            assert!(error.contains(expected), "{json}\n{error}");
        }
    }
}
