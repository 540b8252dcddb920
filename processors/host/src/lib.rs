//! What a host does with records, whatever it reads them from: it runs stages, fills batches, keeps the ledger
//! and the protocol of a sink, and answers what cannot be read.
//!
//! What is absent: Kafka, ClickHouse, an async runtime, and a clock that decides anything; a stage or a store by
//! name.

pub mod ahead;
pub mod batch;
pub mod caution;
pub mod cautions;
pub mod chain;
pub mod event;
pub mod host;
pub mod input;
pub mod ledger;
pub mod mark;
pub mod metrics;
pub mod placement;
pub mod processor;
pub mod protocol;
pub mod sealed;
pub mod sink_task;
pub mod stage_task;
pub mod state_log;
pub mod task;
pub mod topic_cipher;
