//! Where a carrier wants to be told of its rejects and of milestones of its shipments. The secret that what it is
//! told is signed with stands nowhere: it is derived from the platform's, the endpoint's id and the version here.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use waybill_schemas::vocabulary::Milestone;
use waybill_sealing::base64url;

use crate::RegistryError;

/// Endpoints that a carrier may have.
pub const MOST_WEBHOOKS: usize = 16;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Webhook {
    /// `wh_` and 12 characters of base64url.
    pub id: String,
    /// https. Where it leads to is checked by whoever connects.
    pub url: String,
    /// Whether it is told of rejects, …
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub rejects: bool,
    /// … and of which actual milestones.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub milestones: Vec<Milestone>,
    /// It is told of nothing that came up before.
    pub created: Timestamp,
    #[serde(default)]
    pub secret: SecretVersion,
}

/// Which secret signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SecretVersion {
    pub version: u32,
    /// Until then the version before signs too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous_until: Option<Timestamp>,
}

impl Default for SecretVersion {
    fn default() -> Self {
        Self { version: 1, previous_until: None }
    }
}

impl SecretVersion {
    /// What signs now, the newest first.
    pub fn in_force(self, now_ms: i64) -> impl Iterator<Item = u32> {
        let before = self.previous_until.filter(|until| now_ms < until.as_millisecond());
        let before = before.and(self.version.checked_sub(1)).filter(|version| *version > 0);
        std::iter::once(self.version).chain(before)
    }

    /// The next one, beside which this one signs until `previous_until`.
    #[must_use]
    pub fn next(self, previous_until: Timestamp) -> Self {
        Self { version: self.version.saturating_add(1), previous_until: Some(previous_until) }
    }
}

impl Webhook {
    pub fn new(url: String, created: Timestamp) -> Result<Self, RegistryError> {
        let mut id = [0; 9];
        waybill_sealing::fill_random(&mut id)
            .map_err(|error| RegistryError::new(error.to_string()))?;
        Ok(Self {
            id: format!("wh_{}", base64url::encode(id)),
            url,
            rejects: false,
            milestones: Vec::new(),
            created,
            secret: SecretVersion::default(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_before_signs_beside_the_new_one_for_a_while() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let in_force = |secret: SecretVersion, ms| secret.in_force(ms).collect::<Vec<_>>();
        let first = SecretVersion::default();
        assert_eq!(in_force(first, 0), [1]);
        let second = first.next(at(100));
        assert_eq!(in_force(second, 99_999), [2, 1]);
        assert_eq!(in_force(second, 100_000), [2]);
        // Two rotations in a row end the first secret at once.
        assert_eq!(in_force(second.next(at(200)), 99_999), [3, 2]);
        let strange = SecretVersion { version: 1, previous_until: Some(at(100)) };
        assert_eq!(in_force(strange, 0), [1]);
    }

    #[test]
    fn it_stands_in_the_registry_without_a_secret() {
        let webhook = Webhook::new("https://a.example/h".into(), Timestamp::UNIX_EPOCH).unwrap();
        assert!(webhook.id.starts_with("wh_") && webhook.id.len() == 15, "{}", webhook.id);
        let webhook =
            Webhook { id: "wh_1".into(), milestones: vec![Milestone::GateOut], ..webhook };
        let json = serde_json::to_string(&webhook).unwrap();
        assert_eq!(
            json,
            r#"{"id":"wh_1","url":"https://a.example/h","milestones":["gate_out"],"created":"1970-01-01T00:00:00Z","secret":{"version":1}}"#
        );
        assert_eq!(serde_json::from_str::<Webhook>(&json).unwrap(), webhook);
    }
}
