//! Who may seal: carriers with their signing keys.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use strum::{Display, EnumString};
use waybill_sealing::signing_key::PublicSigningKey;

use crate::access::Access;
use crate::restriction::Restriction;
use crate::webhook::Webhook;
use crate::{Delay, RegistryError};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Display, EnumString, Serialize, Deserialize)]
#[strum(serialize_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum Status {
    Active,
    Suspended,
}

/// A carrier's signing key, and when it counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegisteredKey {
    pub key: PublicSigningKey,
    /// What it signs at this time or later counts, …
    pub valid_from: Option<Timestamp>,
    /// … and up to this time, inclusive.
    pub valid_until: Option<Timestamp>,
    /// From this moment on nothing that it signed counts, whenever it signed.
    pub revoked_at: Option<Timestamp>,
}

impl RegisteredKey {
    pub fn new(key: PublicSigningKey) -> Self {
        Self { key, valid_from: None, valid_until: None, revoked_at: None }
    }

    /// Whether the key counts for a signature that says it was made at `numeric_date` (seconds).
    pub(crate) fn is_valid_at(&self, numeric_date: f64) -> bool {
        self.valid_from.is_none_or(|from| to_numeric_date(from) <= numeric_date)
            && self.valid_until.is_none_or(|until| numeric_date <= to_numeric_date(until))
    }

    pub(crate) fn is_revoked(&self, now_ms: i64) -> bool {
        let now_ns = i128::from(now_ms) * 1_000_000;
        self.revoked_at.is_some_and(|revoked| revoked.as_nanosecond() <= now_ns)
    }
}

/// The double nearest to the time, as a reader of the same decimal digits gets it (to the µs).
fn to_numeric_date(time: Timestamp) -> f64 {
    time.as_microsecond() as f64 / 1e6
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Carrier {
    id: String,
    pub name: String,
    pub status: Status,
    /// From sealing to receipt, at most.
    pub max_delivery_delay: Delay,
    /// What its open shipments may take of aggregate's memory for a partition, bytes, if it is not as for
    /// others.
    pub max_state_bytes: Option<usize>,
    /// aggregate forgets its shipments of which nothing was received after this.
    pub state_purged_at: Option<Timestamp>,
    /// At the gateway.
    pub access: Access,
    /// What of it is not taken for the time being.
    pub restrictions: Vec<Restriction>,
    /// Where it wants to be told.
    pub webhooks: Vec<Webhook>,
    keys: Vec<RegisteredKey>,
    topics: Vec<String>,
}

fn is_id(id: &str) -> bool {
    let of_alphabet = |b: u8| b.is_ascii_alphanumeric() || b".-_:".contains(&b);
    id.len() <= 128
        && id.bytes().all(of_alphabet)
        && id.as_bytes().first().is_some_and(u8::is_ascii_alphanumeric)
}

impl Carrier {
    /// An active carrier without keys. `id` is what its events have as `iss`: 1 to 128 ASCII letters,
    /// digits, `.`, `_`, `-` and `:`, of which a letter or digit is the first. It begins shipments' ids,
    /// where `/` ends it, and is a label in metrics.
    pub fn new(id: impl Into<String>, name: impl Into<String>) -> Result<Self, RegistryError> {
        let id = id.into();
        if !is_id(&id) {
            return Err(RegistryError::new(format!(
                "`id` {id:?} is not of the form of a carrier's: 1 to 128 ASCII letters, digits, '.', \
                 '_', '-' and ':', the first a letter or digit"
            )));
        }
        Ok(Self {
            id,
            name: name.into(),
            status: Status::Active,
            max_delivery_delay: Delay::DEFAULT,
            max_state_bytes: None,
            state_purged_at: None,
            access: Access::default(),
            restrictions: Vec::new(),
            webhooks: Vec::new(),
            keys: Vec::new(),
            topics: Vec::new(),
        })
    }

    pub fn id(&self) -> &str {
        &self.id
    }

    pub fn keys(&self) -> &[RegisteredKey] {
        &self.keys
    }

    /// The sealed topics that are its own. None: it publishes to those that are nobody's.
    pub fn topics(&self) -> &[String] {
        &self.topics
    }

    /// The restriction that holds for a payload of this type now, if one does.
    pub fn restriction(&self, media_type: Option<&str>, now_ms: i64) -> Option<&Restriction> {
        self.restrictions.iter().find(|one| one.holds(media_type, now_ms))
    }

    /// To revoke a key, say.
    pub fn key_mut(&mut self, kid: &str) -> Option<&mut RegisteredKey> {
        self.keys.iter_mut().find(|registered| registered.key.kid() == kid)
    }

    /// A `kid` that the carrier has already is refused: revoke or remove that key first.
    pub fn add_key(&mut self, key: RegisteredKey) -> Result<(), RegistryError> {
        let kid = key.key.kid();
        let of = |what: &str| format!("carrier {:?}, key {kid:?}: {what}", self.id);
        if self.key(kid).is_some() {
            return Err(RegistryError::new(of("its `kid` stands twice")));
        }
        if let (Some(from), Some(until)) = (key.valid_from, key.valid_until)
            && from > until
        {
            return Err(RegistryError::new(of("`valid_until` is before `valid_from`")));
        }
        self.keys.push(key);
        Ok(())
    }

    pub(crate) fn key(&self, kid: &str) -> Option<&RegisteredKey> {
        self.keys.iter().find(|registered| registered.key.kid() == kid)
    }
}

/// All carriers, by id.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Carriers {
    by_id: BTreeMap<String, Carrier>,
    /// Of the topics that are somebody's, whose.
    owners: BTreeMap<String, BTreeSet<String>>,
}

impl Carriers {
    /// An id that is there already is refused.
    pub fn insert(&mut self, carrier: Carrier) -> Result<(), RegistryError> {
        if self.by_id.contains_key(&carrier.id) {
            return Err(RegistryError::new(format!("carrier {:?} stands twice", carrier.id)));
        }
        self.by_id.insert(carrier.id.clone(), carrier);
        Ok(())
    }

    pub fn get(&self, id: &str) -> Option<&Carrier> {
        self.by_id.get(id)
    }

    pub fn get_mut(&mut self, id: &str) -> Option<&mut Carrier> {
        self.by_id.get_mut(id)
    }

    /// In order of id.
    pub fn iter(&self) -> impl Iterator<Item = &Carrier> {
        self.by_id.values()
    }

    /// Gives a registered carrier sealed topics of its own: what it publishes counts there alone, and there
    /// counts nobody else's, but of carriers that were given the topic too.
    pub fn give_topics(&mut self, id: &str, topics: Vec<String>) {
        let Some(carrier) = self.by_id.get_mut(id) else { return };
        for before in std::mem::replace(&mut carrier.topics, topics) {
            if let Some(owners) = self.owners.get_mut(&before) {
                owners.remove(id);
            }
        }
        self.owners.retain(|_, owners| !owners.is_empty());
        for topic in &carrier.topics {
            self.owners.entry(topic.clone()).or_default().insert(id.to_owned());
        }
    }

    /// Whether what is on that topic may be the carrier's. Of a record whose topic is not known, it may.
    pub(crate) fn may_publish(&self, carrier: &Carrier, topic: &str) -> bool {
        if topic.is_empty() {
            return true;
        }
        match carrier.topics.as_slice() {
            [] => !self.owners.contains_key(topic),
            own => own.iter().any(|own| own == topic),
        }
    }

    /// Whose topic it is, if it is one carrier's alone.
    pub(crate) fn owner(&self, topic: &str) -> Option<&str> {
        let mut owners = self.owners.get(topic)?.iter();
        owners.next().filter(|_| owners.next().is_none()).map(String::as_str)
    }

    /// How long shipments' state must be kept for "seen before", less a day.
    pub fn longest_delivery_delay(&self) -> Delay {
        self.iter().map(|carrier| carrier.max_delivery_delay).max().unwrap_or(Delay::DEFAULT)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use waybill_sealing::jws::Algorithm;
    use waybill_sealing::signing_key::PrivateSigningKey;

    #[test]
    fn ids_have_a_closed_alphabet() {
        for id in ["a", "acme-line", "urn:scac:MAEU", "DE.4711_x", "9", &"x".repeat(128)] {
            assert!(Carrier::new(id, "").is_ok(), "{id}");
        }
        let too_long = "x".repeat(129);
        for id in ["", "acme/X", "acme X", "-a", ".", "é", "a\n", "a%2F", &too_long] {
            assert!(Carrier::new(id, "").is_err(), "{id}");
        }
    }

    #[test]
    fn a_topic_is_nobodys_one_carriers_or_some_carriers() {
        let mut carriers = Carriers::default();
        for id in ["a", "b", "c"] {
            carriers.insert(Carrier::new(id, "").unwrap()).unwrap();
        }
        carriers.give_topics("a", vec!["t.a".into(), "t.ab".into()]);
        carriers.give_topics("b", vec!["t.b".into(), "t.ab".into()]);
        let may = |carriers: &Carriers, id: &str| {
            let topics = ["", "t", "t.a", "t.b", "t.ab"];
            topics.map(|topic| carriers.may_publish(carriers.get(id).unwrap(), topic))
        };
        assert_eq!(may(&carriers, "a"), [true, false, true, false, true]);
        assert_eq!(may(&carriers, "b"), [true, false, false, true, true]);
        assert_eq!(may(&carriers, "c"), [true, true, false, false, false]);
        let owners = |carriers: &Carriers| {
            ["", "t", "t.a", "t.b", "t.ab"].map(|t| carriers.owner(t).map(str::to_owned))
        };
        let some = |id: &str| Some(id.to_owned());
        assert_eq!(owners(&carriers), [None, None, some("a"), some("b"), None]);
        carriers.give_topics("a", Vec::new());
        assert_eq!(may(&carriers, "a"), [true, true, true, false, false]);
        assert_eq!(owners(&carriers), [None, None, None, some("b"), some("b")]);
    }

    #[test]
    fn times_are_inclusive_but_a_revocation_is_at_once() {
        let private = PrivateSigningKey::generate(Algorithm::EdDsa).unwrap();
        let mut key = RegisteredKey::new(private.public().clone());
        assert!(
            key.is_valid_at(f64::MIN) && key.is_valid_at(f64::MAX) && !key.is_revoked(i64::MAX)
        );
        key.valid_from = Some("2026-11-24T12:00:00.123Z".parse().unwrap());
        key.valid_until = Some("2026-11-24T14:00:00.123456+01:00".parse().unwrap());
        key.revoked_at = key.valid_from;
        for (date, valid) in [
            (1_795_521_600.122, false),
            (1_795_521_600.123, true),
            (1_795_525_200.123_456, true),
            (1_795_525_200.123_457, false),
        ] {
            assert_eq!(key.is_valid_at(date), valid, "{date}");
        }
        assert!(!key.is_revoked(1_795_521_600_122));
        assert!(key.is_revoked(1_795_521_600_123));
    }
}
