//! What the end-to-end tests stand on: a deployment of its own (topics, groups, database, keys,
//! carriers) on the Kafka and ClickHouse that `dev/test` has started, and the `waybill` binary as
//! users run it.

mod deployment;
pub mod panels;
mod servers;

pub use deployment::{Deployment, Process, wait_until};
pub use servers::{Servers, free_port, shared};
