//! Names of topics and of consumer groups.

use serde::{Deserialize, Serialize};
use waybill_kafka::SealedTopics;
use waybill_schemas::Role;

use super::TopicRetention;

/// Topic names: the prefix and the role's name, unless one is named here.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TopicSettings {
    pub prefix: String,
    /// For `waybill topics`: how many partitions, and copies of each.
    pub partitions: i32,
    pub replication: i32,
    /// What carriers publish to: a name, a pattern that begins with `^`, or a list of these.
    pub sealed: Option<OneOrMore>,
    pub redrive: Option<String>,
    pub deferred: Option<String>,
    pub opened: Option<String>,
    pub valid: Option<String>,
    pub enriched: Option<String>,
    pub events: Option<String>,
    pub shipments: Option<String>,
    pub rejects: Option<String>,
    pub ledger: Option<String>,
    pub aggregate_state: Option<String>,
    pub webhooks: Option<String>,
    pub retention: TopicRetention,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(untagged, expecting = "a topic's name, a pattern that begins with ^, or a list of these")]
pub enum OneOrMore {
    One(String),
    More(Vec<String>),
}

impl TopicSettings {
    pub fn sealed(&self) -> Result<SealedTopics, String> {
        match &self.sealed {
            None => SealedTopics::parse(&[format!("{}{}", self.prefix, Role::Sealed.as_str())]),
            Some(OneOrMore::One(one)) => SealedTopics::parse(&[one]),
            Some(OneOrMore::More(entries)) => SealedTopics::parse(entries),
        }
    }
}

impl Default for TopicSettings {
    fn default() -> Self {
        Self {
            prefix: "waybill.".to_owned(),
            partitions: 4,
            replication: 1,
            sealed: None,
            redrive: None,
            deferred: None,
            opened: None,
            valid: None,
            enriched: None,
            events: None,
            shipments: None,
            rejects: None,
            ledger: None,
            aggregate_state: None,
            webhooks: None,
            retention: TopicRetention::default(),
        }
    }
}

/// Consumer groups: the prefix and the names of the stages in the process.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Groups {
    pub prefix: String,
}

impl Default for Groups {
    fn default() -> Self {
        Self { prefix: "waybill-".to_owned() }
    }
}
