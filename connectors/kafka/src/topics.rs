use std::collections::BTreeMap;
use std::time::Duration;

use waybill_schemas::Role;

use crate::hand_over::REQUEST_BYTES;
use crate::sealed_topics::SealedTopics;

/// A topic's limit on what it takes in one request.
pub(crate) const MAX_MESSAGE_BYTES: &str = "max.message.bytes";
pub(crate) const TIMESTAMP_TYPE: &str = "message.timestamp.type";
/// In what form the broker keeps records: uncompressed, since then it unpacks them itself, and refuses what is
/// larger than a record may be: 4,622 bytes of zstd were 150 MB in every reader. What is encrypted does not get
/// smaller by compression.
pub(crate) const COMPRESSION_TYPE: &str = "compression.type";
pub(crate) const UNCOMPRESSED: &str = "uncompressed";
pub(crate) const RETENTION: &str = "retention.ms";
/// The broker removes whole segments: what is in one goes when its youngest record may. With the broker's own
/// default, a week, records of a quiet topic would stay a week longer than is said.
pub(crate) const SEGMENT_AGE: &str = "segment.ms";
const LONGEST_SEGMENT: i64 = 86_400_000;

/// What the broker must be told of a role's topic, but for how long it keeps records.
fn properties(role: Role) -> Vec<(&'static str, String)> {
    let set = |key: &'static str, value: &str| (key, value.to_owned());
    let mut properties = match role {
        // The append time is the time of receipt: sealed-event.md.
        Role::Sealed => {
            vec![set(TIMESTAMP_TYPE, "LogAppendTime"), set("cleanup.policy", "delete")]
        }
        Role::AggregateState => vec![
            set("cleanup.policy", "compact"),
            set("min.cleanable.dirty.ratio", "0.3"),
            set("segment.bytes", "67108864"),
        ],
        _ => vec![set("cleanup.policy", "delete")],
    };
    properties.push(set(COMPRESSION_TYPE, UNCOMPRESSED));
    if role.takes_transactions() {
        properties.push((MAX_MESSAGE_BYTES, REQUEST_BYTES.to_string()));
    }
    properties
}

/// Each role's topic: its name, and how long it keeps records. Of the sealed role there may be several.
#[derive(Clone, Debug)]
pub struct Topics {
    names: BTreeMap<Role, String>,
    sealed: SealedTopics,
    retention: BTreeMap<Role, Option<Duration>>,
}

impl Topics {
    /// `prefix` before each name, then single names changed.
    pub fn new(
        prefix: &str,
        sealed: SealedTopics,
        names: impl IntoIterator<Item = (Role, String)>,
    ) -> Self {
        let internal = Role::ALL.into_iter().filter(|role| role.is_internal());
        let mut all: BTreeMap<_, _> =
            internal.map(|r| (r, format!("{prefix}{}", r.as_str()))).collect();
        all.extend(names);
        Self { names: all, sealed, retention: BTreeMap::new() }
    }

    /// After which time the topics' records may go; `None`: never. Of roles that are not named, nothing is asked.
    pub fn keeping(self, times: impl IntoIterator<Item = (Role, Option<Duration>)>) -> Self {
        Self { retention: times.into_iter().collect(), ..self }
    }

    /// The topic of an internal role.
    pub fn name(&self, role: Role) -> &str {
        debug_assert!(role.is_internal(), "carriers may have several topics");
        self.names.get(&role).map_or("", String::as_str)
    }

    /// What carriers publish to.
    pub fn sealed(&self) -> &SealedTopics {
        &self.sealed
    }

    /// How long records of `role` are kept at least; `None`: for ever, or nobody said.
    pub fn retention(&self, role: Role) -> Option<Duration> {
        self.retention.get(&role).copied().flatten()
    }

    /// As the broker is told: ms, or -1; and how old a segment may get then, ms.
    pub(crate) fn retention_ms(&self, role: Role) -> Option<(i64, Option<i64>)> {
        Some(match self.retention.get(&role)? {
            None => (-1, None),
            Some(time) => {
                let ms = i64::try_from(time.as_millis()).unwrap_or(i64::MAX);
                (ms, Some(ms.min(LONGEST_SEGMENT)))
            }
        })
    }

    /// What the broker must be told of the role's topic.
    pub(crate) fn properties(&self, role: Role) -> Vec<(&'static str, String)> {
        let mut properties = properties(role);
        if let Some((ms, segment)) = self.retention_ms(role) {
            properties.push((RETENTION, ms.to_string()));
            properties.extend(segment.map(|age| (SEGMENT_AGE, age.to_string())));
        }
        properties
    }

    /// Of `roles`, the one whose topic has that name.
    pub fn role(&self, roles: &[Role], name: &str) -> Option<Role> {
        let is_of = |role: &Role| match role {
            Role::Sealed => self.sealed.matches(name),
            role => self.name(*role) == name,
        };
        roles.iter().copied().find(is_of)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_role_has_a_name_and_single_names_can_change() {
        let sealed = SealedTopics::parse(&["carriers-in"]).unwrap();
        let topics = Topics::new("waybill.", sealed, [(Role::Opened, "open".to_owned())]);
        assert_eq!(topics.sealed().only(), Some("carriers-in"));
        assert_eq!(topics.name(Role::Opened), "open");
        assert_eq!(topics.name(Role::AggregateState), "waybill.aggregate_state");
        for role in Role::ALL {
            let name = if role == Role::Sealed { "carriers-in" } else { topics.name(role) };
            assert_eq!(topics.role(&Role::ALL, name), Some(role));
        }
        assert_eq!(topics.role(&Role::ALL, "carriers-in.acme"), None);
    }
}
