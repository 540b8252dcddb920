//! Looks whether the broker allows what a client is about to do, and says what is missing. A client that goes
//! ahead without a right waits for a group, a coordinator or a leader that it is never told of: so it is asked
//! before.
//!
//! The broker says itself what it allows (KIP-430), of topics and groups. Of transactional ids it does not: there
//! the first transaction is refused ([`refused`]).
#![allow(unsafe_code)] // the binding does not show what is authorized

use std::collections::BTreeMap;
use std::ffi::{CStr, CString, c_char, c_int};
use std::time::Duration;

use rdkafka::admin::AdminClient;
use rdkafka::bindings::{self, rd_kafka_AclOperation_t, rd_kafka_queue_t};
use rdkafka::client::{Client, DefaultClientContext};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::types::RDKafkaRespErr;
use waybill_host::metrics::metrics;
use waybill_stage::Fault;

use crate::KafkaConnection;
use crate::acl::{Acl, Operation, Resource};

const TIMEOUT: Duration = Duration::from_secs(10);

/// Of each name, what the broker allows of it.
type Allowed = BTreeMap<String, Verdict>;

#[derive(Clone, Debug, PartialEq, Eq)]
enum Verdict {
    Operations(Vec<Operation>),
    /// It does not say.
    Unknown,
    /// Not even to look at it.
    Nothing,
}

impl Verdict {
    /// What of `wanted` is not allowed.
    fn missing(&self, wanted: &[Operation]) -> Vec<Operation> {
        match self {
            Self::Unknown => Vec::new(),
            Self::Nothing => wanted.to_vec(),
            Self::Operations(allowed) => {
                wanted.iter().copied().filter(|o| !allowed.contains(o)).collect()
            }
        }
    }
}

/// Looks whether all of `needed` is allowed: what is missing and what grants it, if anything. What is PREFIXED is
/// of topics that are looked at one by one, when they are found.
///
/// # Errors
/// The broker does not answer, and nothing is known.
pub fn look_at_rights(
    connection: &KafkaConnection,
    needed: &[Acl],
) -> Result<Option<String>, Fault> {
    let missing = missing_rights(connection, needed)?;
    for resource in [Resource::Topic, Resource::Group, Resource::TransactionalId] {
        let count = missing.iter().filter(|acl| acl.resource == resource).count();
        let metric = metrics().missing_rights.with_label_values(&[resource.as_str()]);
        metric.set(i64::try_from(count).unwrap_or(i64::MAX));
    }
    Ok((!missing.is_empty()).then(|| said(connection, &missing)))
}

/// The same, for who does not go on without.
///
/// # Errors
/// Something is missing, or the broker does not answer.
pub fn check_rights(connection: &KafkaConnection, needed: &[Acl]) -> Result<(), Fault> {
    look_at_rights(connection, needed)?.map_or(Ok(()), |missing| Err(Fault(missing)))
}

/// Of `needed`, what is not allowed.
pub(crate) fn missing_rights(
    connection: &KafkaConnection,
    needed: &[Acl],
) -> Result<Vec<Acl>, Fault> {
    let admin: AdminClient<DefaultClientContext> = connection
        .client()
        .create()
        .map_err(|e| Fault(format!("asking what Kafka allows: {e}")))?;
    let client = admin.inner();
    let mut missing = Vec::new();
    for resource in [Resource::Topic, Resource::Group] {
        let asked: Vec<&Acl> =
            needed.iter().filter(|acl| acl.resource == resource && !acl.is_prefix).collect();
        let names: Vec<&str> = asked.iter().map(|acl| acl.name.as_str()).collect();
        if names.is_empty() {
            continue;
        }
        let allowed = ask(client, resource, &names)?;
        for acl in asked {
            // A broker that says nothing of it does not forbid it.
            let verdict = allowed.get(&acl.name).unwrap_or(&Verdict::Unknown);
            let operations = verdict.missing(&acl.operations);
            if !operations.is_empty() {
                missing.push(Acl { operations, ..acl.clone() });
            }
        }
    }
    Ok(missing)
}

/// For who must grant it.
pub(crate) fn said(connection: &KafkaConnection, missing: &[Acl]) -> String {
    let principal = connection.principal();
    let rights: Vec<String> = missing.iter().map(Acl::to_string).collect();
    let commands: Vec<String> = missing.iter().map(|acl| acl.command(&principal)).collect();
    format!(
        "Kafka does not allow {principal} what it needs: {}. This grants it: {}",
        rights.join("; "),
        commands.join("; ")
    )
}

/// If the broker has refused `error` for want of `right`: what is to be done about it.
pub(crate) fn refused(
    connection: &KafkaConnection,
    error: &KafkaError,
    right: &Acl,
) -> Option<Fault> {
    let refusal = match right.resource {
        Resource::Topic => RDKafkaErrorCode::TopicAuthorizationFailed,
        Resource::Group => RDKafkaErrorCode::GroupAuthorizationFailed,
        Resource::TransactionalId => RDKafkaErrorCode::TransactionalIdAuthorizationFailed,
    };
    // What is fatal to a producer has a code of its own, and says in words why.
    let is_it = error.rdkafka_error_code() == Some(refusal)
        || matches!(error, KafkaError::Transaction(e) if e.code() == refusal || e.string().contains(&refusal.to_string()));
    is_it.then(|| {
        let resource = right.resource.as_str();
        metrics().missing_rights.with_label_values(&[resource]).set(1);
        Fault(said(connection, std::slice::from_ref(right)))
    })
}

fn ask(
    client: &Client<DefaultClientContext>,
    resource: Resource,
    names: &[&str],
) -> Result<Allowed, Fault> {
    let texts: Result<Vec<CString>, _> = names.iter().map(|name| CString::new(*name)).collect();
    let texts = texts.map_err(|_| Fault("a name holds a zero byte".to_owned()))?;
    let mut pointers: Vec<*const c_char> = texts.iter().map(|name| name.as_ptr()).collect();
    let timeout = c_int::try_from(TIMEOUT.as_millis()).unwrap_or(c_int::MAX);
    let wait =
        c_int::try_from((TIMEOUT + Duration::from_secs(1)).as_millis()).unwrap_or(c_int::MAX);
    let op = match resource {
        Resource::Topic => bindings::rd_kafka_admin_op_t::RD_KAFKA_ADMIN_OP_DESCRIBETOPICS,
        _ => bindings::rd_kafka_admin_op_t::RD_KAFKA_ADMIN_OP_DESCRIBECONSUMERGROUPS,
    };
    // SAFETY: the client outlives the call, which waits for the answer; the names are copied by librdkafka, the
    // options, the queue and the event are ours and destroyed once, and all that is read of the event is copied
    // before.
    unsafe {
        let client = client.native_ptr();
        let queue: *mut rd_kafka_queue_t = bindings::rd_kafka_queue_new(client);
        let options = bindings::rd_kafka_AdminOptions_new(client, op);
        let mut error = [0 as c_char; 128];
        let (buffer, size) = (error.as_mut_ptr(), error.len());
        bindings::rd_kafka_AdminOptions_set_request_timeout(options, timeout, buffer, size);
        let refused = bindings::rd_kafka_AdminOptions_set_include_authorized_operations(options, 1);
        if !refused.is_null() {
            bindings::rd_kafka_error_destroy(refused);
        }
        if resource == Resource::Topic {
            let all = bindings::rd_kafka_TopicCollection_of_topic_names(
                pointers.as_mut_ptr(),
                pointers.len(),
            );
            bindings::rd_kafka_DescribeTopics(client, all, options, queue);
            bindings::rd_kafka_TopicCollection_destroy(all);
        } else {
            let (names, count) = (pointers.as_mut_ptr(), pointers.len());
            bindings::rd_kafka_DescribeConsumerGroups(client, names, count, options, queue);
        }
        bindings::rd_kafka_AdminOptions_destroy(options);
        let event = bindings::rd_kafka_queue_poll(queue, wait);
        let found = if event.is_null() { Err(failed("no answer")) } else { read(event, resource) };
        if !event.is_null() {
            bindings::rd_kafka_event_destroy(event);
        }
        bindings::rd_kafka_queue_destroy(queue);
        found
    }
}

fn failed(why: &str) -> Fault {
    Fault(format!("asking what Kafka allows: {why}"))
}

/// # Safety
/// `event` must be the answer to such a question, and not destroyed yet.
unsafe fn read(
    event: *mut bindings::rd_kafka_event_t,
    resource: Resource,
) -> Result<Allowed, Fault> {
    // SAFETY: by the caller's promise; every pointer is into the event, and is read before it goes.
    unsafe {
        if bindings::rd_kafka_event_error(event) != RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR {
            return Err(failed(&text(bindings::rd_kafka_event_error_string(event))));
        }
        let (mut count, mut found) = (0, Allowed::new());
        if resource == Resource::Topic {
            let result = bindings::rd_kafka_event_DescribeTopics_result(event);
            let topics = bindings::rd_kafka_DescribeTopics_result_topics(result, &raw mut count);
            for n in 0..count {
                let topic = *topics.add(n);
                let error = bindings::rd_kafka_TopicDescription_error(topic);
                let mut size = 0;
                let allowed =
                    bindings::rd_kafka_TopicDescription_authorized_operations(topic, &raw mut size);
                let name = text(bindings::rd_kafka_TopicDescription_name(topic));
                found.insert(name, verdict(error, allowed, size));
            }
        } else {
            let result = bindings::rd_kafka_event_DescribeConsumerGroups_result(event);
            let groups =
                bindings::rd_kafka_DescribeConsumerGroups_result_groups(result, &raw mut count);
            for n in 0..count {
                let group = *groups.add(n);
                let error = bindings::rd_kafka_ConsumerGroupDescription_error(group);
                let mut size = 0;
                let allowed = bindings::rd_kafka_ConsumerGroupDescription_authorized_operations(
                    group,
                    &raw mut size,
                );
                let name = text(bindings::rd_kafka_ConsumerGroupDescription_group_id(group));
                found.insert(name, verdict(error, allowed, size));
            }
        }
        Ok(found)
    }
}

/// # Safety
/// Null, or a C string.
unsafe fn text(text: *const c_char) -> String {
    if text.is_null() {
        return String::new();
    }
    // SAFETY: by the caller's promise.
    unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned()
}

/// # Safety
/// Pointers into an answer that is not destroyed yet; `allowed` to `size` operations.
unsafe fn verdict(
    error: *const bindings::rd_kafka_error_t,
    allowed: *const rd_kafka_AclOperation_t,
    size: usize,
) -> Verdict {
    use RDKafkaRespErr as Code;
    // SAFETY: by the caller's promise.
    unsafe {
        match if error.is_null() {
            Code::RD_KAFKA_RESP_ERR_NO_ERROR
        } else {
            bindings::rd_kafka_error_code(error)
        } {
            Code::RD_KAFKA_RESP_ERR_NO_ERROR => {}
            Code::RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED
            | Code::RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED => return Verdict::Nothing,
            // It is not there, or has no leader just now: who goes on is told that in its own words.
            _ => return Verdict::Unknown,
        }
        if allowed.is_null() {
            return Verdict::Unknown;
        }
        let all = std::slice::from_raw_parts(allowed, size).iter();
        Verdict::Operations(all.filter_map(|code| operation(*code)).collect())
    }
}

fn operation(code: rd_kafka_AclOperation_t) -> Option<Operation> {
    use rd_kafka_AclOperation_t as Code;
    Some(match code {
        Code::RD_KAFKA_ACL_OPERATION_READ => Operation::Read,
        Code::RD_KAFKA_ACL_OPERATION_WRITE => Operation::Write,
        Code::RD_KAFKA_ACL_OPERATION_CREATE => Operation::Create,
        Code::RD_KAFKA_ACL_OPERATION_DESCRIBE => Operation::Describe,
        Code::RD_KAFKA_ACL_OPERATION_DESCRIBE_CONFIGS => Operation::DescribeConfigs,
        Code::RD_KAFKA_ACL_OPERATION_ALTER_CONFIGS => Operation::AlterConfigs,
        _ => return None,
    })
}
