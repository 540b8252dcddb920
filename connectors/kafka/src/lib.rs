//! The host of every role that reads Kafka. It consumes, batches, runs stages, and commits: one
//! Kafka transaction for outputs, rejects, state, ledger and offsets ([`host`]), or claims and
//! inserts in turn ([`sink_host`]). It counts, times and routes every outcome, once, here.
//!
//! What is absent: no stage knows Kafka; no offset is committed without the outputs that belong to
//! it; nothing is done in a rebalance callback.

mod acl;
mod aggregating;
mod changelog;
mod committer;
mod consumer;
mod courier;
mod crash_point;
mod eraser;
mod hand_over;
mod health;
mod host;
mod lookout;
mod membership;
mod offsets;
mod orphans;
mod partition_counts;
mod reader;
mod redriver;
mod rights;
mod sealed_topics;
mod settings;
mod sink_host;
mod supervise;
mod survey;
mod topic_admin;
mod topic_identity;
mod topics;
mod transaction;
mod undecodable;
mod webhook_host;
mod webhook_log;

pub use acl::{Acl, Acls, Operation, Resource};
pub use aggregating::{Aggregating, State, state};
pub use courier::Courier;
pub use crash_point::{arm as arm_crash_points, crash_point};
pub use eraser::{Eraser, Passed, Place};
pub use hand_over::PORTION_BYTES;
pub use health::{Health, now_ms};
pub use host::host;
pub use lookout::{READS_SEALED, sealed_topic_ids, sealed_topics};
pub use offsets::{Reader, Standing, most_partitions, standings};
pub use redriver::{Attempt, Redriver, Source, source};
pub use rights::{check_rights, look_at_rights};
pub use sealed_topics::SealedTopics;
pub use settings::{BatchLimits, HostSettings, KafkaConnection};
pub use sink_host::sink_host;
pub use supervise::{Shutdown, supervise};
pub use survey::{Found, survey};
pub use topic_admin::{TopicChanges, TopicError, check_topics, create_topics};
pub use topics::Topics;
pub use webhook_host::webhook_host;
pub use webhook_log::{At, Kept, WebhookLog};
