//! Kafka. Every process that reads records is a host (`waybill-host`, which does no I/O) and its [driver](driver),
//! which does what the host asks for on librdkafka; [`webhook_host`] is a loop of its own. Beside them: topics,
//! rights, and what reads a log from outside.
//!
//! What is absent: no stage knows Kafka; no offset is committed without the outputs that belong to it; nothing is
//! done in a rebalance callback.

mod acl;
mod committer;
mod consumer;
mod courier;
mod crash_point;
mod driver;
mod eraser;
mod hand_over;
mod health;
mod inserter;
mod lookout;
mod membership;
mod offsets;
mod partition_counts;
mod reader;
mod redriver;
mod restore;
mod rights;
mod run;
mod sealed_topics;
mod settings;
mod supervise;
mod survey;
mod timeouts;
mod topic_admin;
mod topic_identity;
mod topics;
mod transaction;
mod unassigned;
mod undecodable;
mod webhook_host;
mod webhook_log;
mod worker;

pub use acl::{Acl, Acls, Operation, Resource};
pub use courier::Courier;
pub use crash_point::{arm as arm_crash_points, crash_point};
pub use eraser::{Eraser, Passed, Place};
pub use hand_over::PORTION_BYTES;
pub use health::{Health, now_ms};
pub use lookout::{READS_SEALED, sealed_topic_ids, sealed_topics};
pub use offsets::{GroupProgress, Reader, group_progress, most_partitions};
pub use redriver::{Attempt, Redriver, Source, source};
pub use restore::read_changelog;
pub use rights::{check_rights, look_at_rights};
pub use run::{run_sink, run_stages};
pub use sealed_topics::SealedTopics;
pub use settings::{HostSettings, KafkaConnection};
pub use supervise::{Shutdown, supervise};
pub use survey::{Found, survey};
pub use topic_admin::{TopicChanges, TopicError, check_topics, create_topics};
pub use topics::Topics;
pub use webhook_host::webhook_host;
pub use webhook_log::{At, Kept, WebhookLog};
