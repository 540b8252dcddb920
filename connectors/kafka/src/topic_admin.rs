//! Makes the topics, and looks whether those that are there can keep what is promised.

use std::time::Duration;

use rdkafka::admin::{
    AdminClient, AdminOptions, AlterConfig, ConfigResource, ConfigSource, NewTopic,
    ResourceSpecifier, TopicReplication,
};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::RDKafkaErrorCode;
use waybill_schemas::Role;
use waybill_stage::Fault;

use crate::hand_over::REQUEST_BYTES;
use crate::lookout::sealed_topics;
use crate::topics::{
    COMPRESSION_TYPE, MAX_MESSAGE_BYTES, RETENTION, SEGMENT_AGE, TIMESTAMP_TYPE, UNCOMPRESSED,
};
use crate::{KafkaConnection, Topics};

#[derive(Debug)]
pub struct TopicError(pub String);

impl std::fmt::Display for TopicError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for TopicError {}

/// What was done to the topics, by their names.
#[derive(Debug, Default)]
pub struct TopicChanges {
    pub created: Vec<String>,
    /// What was set of those that were there: `TOPIC: KEY=VALUE`.
    pub set: Vec<String>,
}

/// What a topic must have and has not.
struct Lack {
    key: &'static str,
    found: String,
    value: String,
    /// What else than `value` would do.
    or: &'static str,
}

impl std::fmt::Display for Lack {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { key, found, value, or } = self;
        write!(f, "{key}={found}, and must have {value}{or}: `waybill topics` sets it")
    }
}

/// Of the properties without which a topic cannot keep what is promised, those that it has not.
fn lacks(topics: &Topics, role: Role, topic: &ConfigResource) -> Vec<Lack> {
    let found = |key: &str| topic.get(key).and_then(|entry| entry.value.clone());
    let shown = |value: Option<String>| value.unwrap_or_else(|| "(none)".to_owned());
    let mut lacks = Vec::new();
    let largest = found(MAX_MESSAGE_BYTES);
    let takes = largest.as_deref().and_then(|bytes| bytes.parse::<usize>().ok());
    if role.takes_transactions() && takes < Some(REQUEST_BYTES) {
        lacks.push(Lack {
            key: MAX_MESSAGE_BYTES,
            found: shown(largest),
            value: REQUEST_BYTES.to_string(),
            or: " or more",
        });
    }
    if let Some((wanted, segment)) = topics.retention_ms(role) {
        let number = |key: &str| found(key).and_then(|value| value.parse::<i64>().ok());
        if number(RETENTION) != Some(wanted) {
            lacks.push(Lack {
                key: RETENTION,
                found: shown(found(RETENTION)),
                value: wanted.to_string(),
                or: "",
            });
        }
        if let Some(longest) = segment
            && number(SEGMENT_AGE).is_none_or(|age| age > longest)
        {
            lacks.push(Lack {
                key: SEGMENT_AGE,
                found: shown(found(SEGMENT_AGE)),
                value: longest.to_string(),
                or: " or less",
            });
        }
    }
    let compression = found(COMPRESSION_TYPE);
    if compression.as_deref() != Some(UNCOMPRESSED) {
        lacks.push(Lack {
            key: COMPRESSION_TYPE,
            found: shown(compression),
            value: UNCOMPRESSED.to_owned(),
            or: "",
        });
    }
    lacks
}

/// Creates the topics that are missing, and sets what those that are there lack: retention too, when another
/// is configured. A sealed topic without
/// `LogAppendTime` would take the carrier's word for the receipt: it is refused, since the records that
/// it has are of that kind. Of the sealed topics those are made that are named, and `more`; those that a pattern
/// finds are set up.
pub fn create_topics(
    connection: &KafkaConnection,
    topics: &Topics,
    more: &[String],
    partitions: i32,
    replication: i32,
) -> Result<TopicChanges, TopicError> {
    let error = |e: &dyn std::fmt::Display| TopicError(format!("creating topics: {e}"));
    let client = connection.client();
    let admin: AdminClient<DefaultClientContext> = client.create().map_err(|e| error(&e))?;
    let timeout = Duration::from_secs(30);
    let options = AdminOptions::new().operation_timeout(Some(timeout));
    let mut named = all_named(topics);
    named.extend(more.iter().map(|name| (Role::Sealed, name.as_str())));
    let properties: Vec<_> = named.iter().map(|(role, _)| topics.properties(*role)).collect();
    let new: Vec<NewTopic<'_>> = named
        .iter()
        .zip(&properties)
        .map(|((role, name), properties)| {
            let count = role.partitions(partitions);
            let mut topic = NewTopic::new(name, count, TopicReplication::Fixed(replication));
            for (key, value) in properties {
                topic = topic.set(key, value);
            }
            topic
        })
        .collect();
    let results = block_on(admin.create_topics(&new, &options)).map_err(|e| error(&e))?;
    let mut changes = TopicChanges::default();
    for result in results {
        match result {
            Ok(name) => changes.created.push(name),
            Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => {}
            Err((name, code)) => {
                return Err(TopicError(format!("creating topic {name}: {code}{}", hint(code))));
            }
        }
    }
    // The controller answers before every broker knows: wait until the last is visible.
    let probe: BaseConsumer = client.create().map_err(|e| error(&e))?;
    for (role, name) in &named {
        wait_visible(&probe, name, role.partitions(partitions))?;
    }
    let found = sealed_topics(connection, topics.sealed()).map_err(|fault| TopicError(fault.0))?;
    let found = found.iter().map(|name| (Role::Sealed, name.as_str()));
    let all: Vec<_> = named.into_iter().filter(|(r, _)| r.is_internal()).chain(found).collect();
    let mut refused = Vec::new();
    for ((role, name), found) in all.iter().zip(describe(&admin, &all)?) {
        let found = found?;
        if *role == Role::Sealed
            && let Err(why) = require_append_time(&found)
        {
            refused.push(format!("topic {name} has {why}"));
            continue;
        }
        let lacks = lacks(topics, *role, &found);
        if !lacks.is_empty() {
            set(&admin, &found, name, &lacks, &options)?;
        }
        for Lack { key, value, .. } in lacks {
            changes.set.push(format!("{name}: {key}={value}"));
        }
    }
    if refused.is_empty() { Ok(changes) } else { Err(TopicError(refused.join("; "))) }
}

/// Roles and topics that have a name before they are there.
fn all_named(topics: &Topics) -> Vec<(Role, &str)> {
    let internal = Role::ALL.into_iter().filter(|role| role.is_internal());
    let internal = internal.map(|role| (role, topics.name(role)));
    topics.sealed().names().map(|name| (Role::Sealed, name)).chain(internal).collect()
}

/// Looks whether the topics that a process writes to take a share of a transaction as one request and keep
/// records as long as is configured, and whether that which carriers write to keeps its readers from harm.
/// Where these are several, each is looked at for itself (`lookout.rs`).
pub fn check_topics(
    connection: &KafkaConnection,
    topics: &Topics,
    used: &[Role],
) -> Result<(), Fault> {
    let admin: AdminClient<DefaultClientContext> =
        connection.client().create().map_err(|e| Fault(format!("looking at the topics: {e}")))?;
    let of_role = |role: &Role| match role {
        Role::Sealed => topics.sealed().only().map(|name| (*role, name)),
        role => Some((*role, topics.name(*role))),
    };
    let used: Vec<_> = used.iter().filter_map(of_role).collect();
    // Of none librdkafka does not ask.
    if used.is_empty() {
        return Ok(());
    }
    for ((role, name), found) in used.iter().zip(describe(&admin, &used).map_err(|e| Fault(e.0))?) {
        if let Some(lack) = lack(topics, *role, &found.map_err(|e| Fault(e.0))?) {
            return Err(Fault(format!("topic {name} has {lack}")));
        }
    }
    Ok(())
}

/// Of each of these sealed topics, what it has and must not have, if anything.
pub(crate) fn unfit<'n>(
    admin: &AdminClient<DefaultClientContext>,
    topics: &Topics,
    names: &[&'n str],
) -> Result<Vec<(&'n str, Option<String>)>, Fault> {
    let asked: Vec<_> = names.iter().map(|name| (Role::Sealed, *name)).collect();
    let found = describe(admin, &asked).map_err(|e| Fault(e.0))?;
    let lack_of = |found: Result<ConfigResource, TopicError>| match found {
        Ok(found) => lack(topics, Role::Sealed, &found).map(|lack| format!("it has {lack}")),
        Err(why) => Some(why.0),
    };
    Ok(names.iter().copied().zip(found.into_iter().map(lack_of)).collect())
}

fn lack(topics: &Topics, role: Role, found: &ConfigResource) -> Option<String> {
    if role == Role::Sealed
        && let Err(why) = require_append_time(found)
    {
        return Some(why);
    }
    lacks(topics, role, found).first().map(Lack::to_string)
}

/// The configuration of each topic.
fn describe(
    admin: &AdminClient<DefaultClientContext>,
    topics: &[(Role, &str)],
) -> Result<Vec<Result<ConfigResource, TopicError>>, TopicError> {
    let asked: Vec<_> = topics.iter().map(|(_, name)| ResourceSpecifier::Topic(name)).collect();
    let options = AdminOptions::new().request_timeout(Some(Duration::from_secs(30)));
    let error = |e: &dyn std::fmt::Display| {
        TopicError(format!("reading the topics' configuration (DescribeConfigs): {e}"))
    };
    let found = block_on(admin.describe_configs(&asked, &options)).map_err(|e| error(&e))?;
    let refused = |code| error(&format!("{code}{}", hint(code)));
    Ok(found.into_iter().map(|found| found.map_err(refused)).collect())
}

/// Sets what is lacking and says everything again that was set for this topic alone: the request takes
/// back what it does not name.
fn set(
    admin: &AdminClient<DefaultClientContext>,
    found: &ConfigResource,
    topic: &str,
    lacks: &[Lack],
    options: &AdminOptions,
) -> Result<(), TopicError> {
    let error = |e: &dyn std::fmt::Display| TopicError(format!("setting up topic {topic}: {e}"));
    let mut change = AlterConfig::new(ResourceSpecifier::Topic(topic));
    for entry in found.entries.iter().filter(|e| e.source == ConfigSource::DynamicTopic) {
        if let Some(value) = &entry.value {
            change = change.set(&entry.name, value);
        }
    }
    for lack in lacks {
        change = change.set(lack.key, &lack.value);
    }
    let results = block_on(admin.alter_configs([&change], options)).map_err(|e| error(&e))?;
    for result in results {
        result.map_err(|(_, code)| error(&format!("{code}{}", hint(code))))?;
    }
    Ok(())
}

/// What is to be done about a refusal.
fn hint(code: RDKafkaErrorCode) -> &'static str {
    match code {
        RDKafkaErrorCode::TopicAuthorizationFailed
        | RDKafkaErrorCode::ClusterAuthorizationFailed => {
            " (`waybill topics acls topics` lists what must be allowed)"
        }
        _ => "",
    }
}

fn wait_visible(probe: &BaseConsumer, topic: &str, partitions: i32) -> Result<(), TopicError> {
    let mut found = 0;
    for _ in 0..100 {
        if let Ok(metadata) = probe.fetch_metadata(Some(topic), Duration::from_secs(5))
            && let Some(t) = metadata.topics().first()
        {
            if let Some(code) = t.error().map(RDKafkaErrorCode::from)
                && !hint(code).is_empty()
            {
                return Err(TopicError(format!("looking at topic {topic}: {code}{}", hint(code))));
            }
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

/// Or what it has instead.
fn require_append_time(found: &ConfigResource) -> Result<(), String> {
    let kind = found.get(TIMESTAMP_TYPE).and_then(|e| e.value.as_deref());
    if kind == Some("LogAppendTime") {
        return Ok(());
    }
    Err(format!(
        "{TIMESTAMP_TYPE}={}, and must have LogAppendTime: the append time is the time of receipt",
        kind.unwrap_or("(none)")
    ))
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
