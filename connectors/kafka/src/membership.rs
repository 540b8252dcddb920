//! Who we are to our group.
//!
//! A client that has been put out of its group learns so from a heartbeat, in a thread of its own.
//! From then on librdkafka knows no member id and no generation; it may even have joined anew, as
//! somebody else, before we have given up what we held. A transactional commit that names no
//! generation is accepted from anybody. So the identity is asked for beside each commit, and must
//! be the one that was given our partitions.
#![allow(unsafe_code)] // the binding does not show what is in a group's metadata

use std::ffi::CStr;

use rdkafka::bindings;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use waybill_host::event::Member;

/// `None` for who is no member now.
pub(crate) fn member<C: ConsumerContext>(consumer: &BaseConsumer<C>) -> Option<Member> {
    // SAFETY: the client outlives the call; the metadata is ours until it is destroyed, and the
    // member id, a C string within it, is copied before.
    let member = unsafe {
        let metadata = bindings::rd_kafka_consumer_group_metadata(consumer.client().native_ptr());
        if metadata.is_null() {
            return None;
        }
        let id = bindings::rd_kafka_consumer_group_metadata_member_id(metadata);
        let member = Member {
            id: if id.is_null() {
                String::new()
            } else {
                CStr::from_ptr(id).to_string_lossy().into_owned()
            },
            generation: bindings::rd_kafka_consumer_group_metadata_generation_id(metadata),
        };
        bindings::rd_kafka_consumer_group_metadata_destroy(metadata);
        member
    };
    (!member.id.is_empty() && member.generation >= 0).then_some(member)
}
