//! Which topic it is that has a name. One that is deleted and made anew, or a cluster that is rebuilt, has the
//! same names, and begins at offset 0 again: what was kept of the old one by offset (a commit, a token, the
//! coordinates of a row) would be taken for the new one's. Kafka gives each topic an id of its own (KIP-516).
#![allow(unsafe_code)] // the binding does not show DescribeTopics

use std::collections::BTreeMap;
use std::ffi::{CStr, CString, c_char, c_int};
use std::time::Duration;

use rdkafka::bindings::{self, rd_kafka_queue_t};
use rdkafka::client::{Client, ClientContext};
use rdkafka::types::RDKafkaRespErr;
use waybill_stage::Fault;

/// Of a topic, as it is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    /// As Kafka's tools show it: 22 characters of base64url.
    pub(crate) id: String,
    pub(crate) partitions: usize,
}

pub(crate) type Identities = BTreeMap<String, Identity>;

/// A request on its way. It must not outlive the client that was asked.
pub(crate) struct Question(*mut rd_kafka_queue_t);

// SAFETY: librdkafka's queues may be used and destroyed by any thread.
unsafe impl Send for Question {}

impl Question {
    /// Asks for these topics, and waits for nothing.
    pub(crate) fn ask<C: ClientContext>(
        client: &Client<C>,
        topics: &[&str],
        limit: Duration,
    ) -> Result<Self, Fault> {
        let names: Result<Vec<CString>, _> =
            topics.iter().map(|name| CString::new(*name)).collect();
        let names = names.map_err(|_| Fault("a topic's name holds a zero byte".to_owned()))?;
        let mut pointers: Vec<*const c_char> = names.iter().map(|name| name.as_ptr()).collect();
        let timeout = c_int::try_from(limit.as_millis()).unwrap_or(c_int::MAX);
        let op = bindings::rd_kafka_admin_op_t::RD_KAFKA_ADMIN_OP_DESCRIBETOPICS;
        // SAFETY: the client outlives the call; the names are copied by the collection, which with the
        // options is ours until it is destroyed; the queue is destroyed once, by `drop`.
        unsafe {
            let client = client.native_ptr();
            let queue = bindings::rd_kafka_queue_new(client);
            let options = bindings::rd_kafka_AdminOptions_new(client, op);
            let mut error = [0 as c_char; 128];
            let (text, size) = (error.as_mut_ptr(), error.len());
            bindings::rd_kafka_AdminOptions_set_request_timeout(options, timeout, text, size);
            let collection = bindings::rd_kafka_TopicCollection_of_topic_names(
                pointers.as_mut_ptr(),
                pointers.len(),
            );
            bindings::rd_kafka_DescribeTopics(client, collection, options, queue);
            bindings::rd_kafka_TopicCollection_destroy(collection);
            bindings::rd_kafka_AdminOptions_destroy(options);
            Ok(Self(queue))
        }
    }

    /// The answer, if there is one within `wait`. After it there is no other.
    pub(crate) fn answer(&self, wait: Duration) -> Option<Result<Identities, Fault>> {
        let wait = c_int::try_from(wait.as_millis()).unwrap_or(c_int::MAX);
        // SAFETY: the queue is ours; the event is, until it is destroyed, and all that is read of it is
        // copied before.
        unsafe {
            let event = bindings::rd_kafka_queue_poll(self.0, wait);
            if event.is_null() {
                return None;
            }
            let found = read(event);
            bindings::rd_kafka_event_destroy(event);
            Some(found)
        }
    }
}

impl Drop for Question {
    fn drop(&mut self) {
        // SAFETY: made by `ask`, and destroyed here alone.
        unsafe { bindings::rd_kafka_queue_destroy(self.0) }
    }
}

/// Asks, and waits for the answer.
pub(crate) fn identities<C: ClientContext>(
    client: &Client<C>,
    topics: &[&str],
    limit: Duration,
) -> Result<Identities, Fault> {
    let answer = Question::ask(client, topics, limit)?.answer(limit + Duration::from_secs(1));
    answer.unwrap_or_else(|| Err(Fault("looking for the topics' ids: no answer".to_owned())))
}

/// # Safety
/// `event` must be one that `rd_kafka_queue_poll` gave for DescribeTopics, and not destroyed yet.
unsafe fn read(event: *mut bindings::rd_kafka_event_t) -> Result<Identities, Fault> {
    // SAFETY: by the caller's promise; every pointer is into the event, and is read before it goes.
    unsafe {
        let text = |text: *const c_char| match text.is_null() {
            true => String::new(),
            false => CStr::from_ptr(text).to_string_lossy().into_owned(),
        };
        let fault = |why: String| Fault(format!("looking for the topics' ids: {why}"));
        if bindings::rd_kafka_event_error(event) != RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR {
            return Err(fault(text(bindings::rd_kafka_event_error_string(event))));
        }
        let result = bindings::rd_kafka_event_DescribeTopics_result(event);
        if result.is_null() {
            return Err(fault("another answer".to_owned()));
        }
        let mut count = 0;
        let topics = bindings::rd_kafka_DescribeTopics_result_topics(result, &raw mut count);
        let mut found = Identities::new();
        for n in 0..count {
            let topic = *topics.add(n);
            let name = text(bindings::rd_kafka_TopicDescription_name(topic));
            let error = bindings::rd_kafka_TopicDescription_error(topic);
            if !error.is_null()
                && bindings::rd_kafka_error_code(error)
                    != RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR
            {
                return Err(fault(format!(
                    "{name}: {}",
                    text(bindings::rd_kafka_error_string(error))
                )));
            }
            let id = bindings::rd_kafka_TopicDescription_topic_id(topic);
            let id = text(bindings::rd_kafka_Uuid_base64str(id));
            let mut partitions = 0;
            bindings::rd_kafka_TopicDescription_partitions(topic, &raw mut partitions);
            found.insert(name, Identity { id, partitions });
        }
        Ok(found)
    }
}

/// What is different of a topic now, for those who read a log.
pub(crate) fn difference(before: &Identities, now: &Identities) -> Option<String> {
    before.iter().find_map(|(name, was)| {
        let is = now.get(name)?;
        if is.id != was.id {
            return Some(format!(
                "topic {name} is another one than before (id {}, and it was {}): it was deleted and made anew",
                is.id, was.id
            ));
        }
        (is.partitions != was.partitions).then(|| {
            format!(
                "topic {name} has {} partitions now, and had {}: partitions cannot be added to a running \
                 deployment",
                is.partitions, was.partitions
            )
        })
    })
}
