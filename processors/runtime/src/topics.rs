use std::collections::BTreeMap;
use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::RDKafkaErrorCode;

/// What a topic is for. Its name is a setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Role {
    /// What carriers publish.
    Sealed,
    /// Sealed records that an operator sends through once more. Only operators may write to it.
    Redrive,
    Opened,
    Valid,
    Enriched,
    Events,
    Shipments,
    Rejects,
    /// What each committed batch did.
    Ledger,
    /// Aggregate's state, compacted; its partitions are those of `Enriched`.
    AggregateState,
}

impl Role {
    pub const ALL: [Role; 10] = [
        Role::Sealed,
        Role::Redrive,
        Role::Opened,
        Role::Valid,
        Role::Enriched,
        Role::Events,
        Role::Shipments,
        Role::Rejects,
        Role::Ledger,
        Role::AggregateState,
    ];

    /// The configuration key, and the name without its prefix.
    pub const fn as_str(self) -> &'static str {
        match self {
            Role::Sealed => "sealed",
            Role::Redrive => "redrive",
            Role::Opened => "opened",
            Role::Valid => "valid",
            Role::Enriched => "enriched",
            Role::Events => "events",
            Role::Shipments => "shipments",
            Role::Rejects => "rejects",
            Role::Ledger => "ledger",
            Role::AggregateState => "aggregate_state",
        }
    }

    /// Whether values are encrypted under the platform's internal key: all that hold what carriers
    /// said. Sealed records, sent again or not, are encrypted already; rejects and the ledger hold
    /// no plaintext.
    pub const fn is_confidential(self) -> bool {
        !matches!(self, Role::Sealed | Role::Redrive | Role::Rejects | Role::Ledger)
    }

    /// How many partitions it gets, of the number that is set. Rejects and entries are few, and
    /// each partition costs the sink an insert; redriven records are few.
    fn partitions(self, set: i32) -> i32 {
        if matches!(self, Role::Redrive | Role::Rejects | Role::Ledger) { 1 } else { set }
    }

    /// What the broker must be told of it.
    fn properties(self) -> &'static [(&'static str, &'static str)] {
        match self {
            // The append time is the time of receipt: sealed-event.md.
            Role::Sealed => {
                &[("message.timestamp.type", "LogAppendTime"), ("cleanup.policy", "delete")]
            }
            // Kept for ever: they tell what was redriven.
            Role::Redrive => &[("cleanup.policy", "delete"), ("retention.ms", "-1")],
            Role::AggregateState => &[
                ("cleanup.policy", "compact"),
                ("min.cleanable.dirty.ratio", "0.3"),
                ("segment.bytes", "67108864"),
            ],
            _ => &[("cleanup.policy", "delete")],
        }
    }
}

/// Each role's topic name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Topics(BTreeMap<Role, String>);

impl Topics {
    /// `prefix` before each name, then single names changed.
    pub fn new(prefix: &str, names: impl IntoIterator<Item = (Role, String)>) -> Self {
        let mut all: BTreeMap<_, _> =
            Role::ALL.iter().map(|r| (*r, format!("{prefix}{}", r.as_str()))).collect();
        all.extend(names);
        Self(all)
    }

    pub fn name(&self, role: Role) -> &str {
        self.0.get(&role).map_or("", String::as_str)
    }

    /// Of `roles`, the one whose topic has that name.
    pub fn role(&self, roles: &[Role], name: &str) -> Option<Role> {
        roles.iter().copied().find(|role| self.name(*role) == name)
    }
}

#[derive(Debug)]
pub struct TopicError(pub String);

impl std::fmt::Display for TopicError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for TopicError {}

/// Creates the topics that are missing; returns their names. One that is there is left as it is,
/// but a sealed topic without `LogAppendTime` would take the carrier's word for the receipt, so
/// that is refused.
pub fn create_topics(
    connection: &ClientConfig,
    topics: &Topics,
    partitions: i32,
    replication: i32,
) -> Result<Vec<String>, TopicError> {
    let error = |e: &dyn std::fmt::Display| TopicError(format!("creating topics: {e}"));
    let admin: AdminClient<DefaultClientContext> = connection.create().map_err(|e| error(&e))?;
    let timeout = Duration::from_secs(30);
    let options = AdminOptions::new().operation_timeout(Some(timeout));
    let new: Vec<NewTopic<'_>> = Role::ALL
        .iter()
        .map(|role| {
            let mut topic = NewTopic::new(
                topics.name(*role),
                role.partitions(partitions),
                TopicReplication::Fixed(replication),
            );
            for (key, value) in role.properties() {
                topic = topic.set(key, value);
            }
            topic
        })
        .collect();
    let results = block_on(admin.create_topics(&new, &options)).map_err(|e| error(&e))?;
    let mut created = Vec::new();
    for result in results {
        match result {
            Ok(name) => created.push(name),
            Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => {}
            Err((name, code)) => return Err(TopicError(format!("creating topic {name}: {code}"))),
        }
    }
    // The controller answers before every broker knows: wait until the last is visible.
    let probe: BaseConsumer = connection.create().map_err(|e| error(&e))?;
    for role in Role::ALL {
        wait_visible(&probe, topics.name(role), role.partitions(partitions))?;
    }
    require_append_time(&admin, topics.name(Role::Sealed), &options)?;
    Ok(created)
}

fn wait_visible(probe: &BaseConsumer, topic: &str, partitions: i32) -> Result<(), TopicError> {
    let mut found = 0;
    for _ in 0..100 {
        if let Ok(metadata) = probe.fetch_metadata(Some(topic), Duration::from_secs(5))
            && let Some(t) = metadata.topics().first()
        {
            found = t.partitions().iter().filter(|p| p.leader() >= 0).count();
            if t.error().is_none() && found > 0 {
                if i32::try_from(found) != Ok(partitions) {
                    tracing::warn!(topic, found, wanted = partitions, "topic has other partitions");
                }
                return Ok(());
            }
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    Err(TopicError(format!("topic {topic} has no leaders after 5 s ({found} found)")))
}

fn require_append_time(
    admin: &AdminClient<DefaultClientContext>,
    topic: &str,
    options: &AdminOptions,
) -> Result<(), TopicError> {
    use rdkafka::admin::ResourceSpecifier;
    let resources =
        block_on(admin.describe_configs([&ResourceSpecifier::Topic(topic)], options))
            .map_err(|e| TopicError(format!("reading the configuration of {topic}: {e}")))?;
    for resource in resources {
        let resource = resource
            .map_err(|code| TopicError(format!("reading the configuration of {topic}: {code}")))?;
        let kind = resource.get("message.timestamp.type").and_then(|e| e.value.as_deref());
        if kind != Some("LogAppendTime") {
            return Err(TopicError(format!(
                "topic {topic} has message.timestamp.type={}, and must have LogAppendTime: the \
                 append time is the time of receipt",
                kind.unwrap_or("(none)")
            )));
        }
    }
    Ok(())
}

/// The admin client's futures are driven by a thread of its own: any executor does.
fn block_on<F: Future>(future: F) -> F::Output {
    use std::pin::pin;
    use std::sync::Arc;
    use std::task::{Context, Poll, Wake, Waker};
    struct Unpark(std::thread::Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut context = Context::from_waker(&waker);
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(output) => return output,
            Poll::Pending => std::thread::park(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_role_has_a_name_and_single_names_can_change() {
        let topics = Topics::new("waybill.", [(Role::Sealed, "carriers-in".to_owned())]);
        assert_eq!(topics.name(Role::Sealed), "carriers-in");
        assert_eq!(topics.name(Role::AggregateState), "waybill.aggregate_state");
        let names: std::collections::BTreeSet<_> =
            Role::ALL.iter().map(|r| topics.name(*r)).collect();
        assert_eq!(names.len(), Role::ALL.len());
        assert!(!names.contains(""));
    }
}
