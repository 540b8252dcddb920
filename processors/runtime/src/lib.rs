//! The host of every role that reads Kafka. It consumes, batches, runs stages, and commits: one
//! Kafka transaction for outputs, rejects, state and offsets ([`host`]), or one insert and then
//! the offsets ([`sink_host`]). It counts, times and routes every outcome, once, here.
//!
//! What is absent: no stage knows Kafka; no offset is committed without the outputs that belong to
//! it; nothing is done in a rebalance callback.

mod aggregating;
mod batch;
mod chain;
mod changelog;
mod committer;
mod consumer;
mod health;
mod host;
mod membership;
pub mod metrics;
mod settings;
mod sink_host;
mod supervise;
mod topics;
mod transaction;
mod values;

pub use aggregating::Aggregating;
pub use batch::Batch;
pub use chain::{Decoded, End, Flow, Run, Sealed, Step};
pub use health::Health;
pub use host::{Incoming, Processor, host};
pub use settings::{BatchLimits, HostSettings, KafkaConnection};
pub use sink_host::sink_host;
pub use supervise::{Shutdown, supervise};
pub use topics::{Role, TopicError, Topics, create_topics};
pub use values::Values;
