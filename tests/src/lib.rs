//! What the end-to-end tests stand on: a deployment of its own (topics, groups, database, keys,
//! carriers) on the Kafka and ClickHouse that `dev/test` has started, and the `waybill` binary as
//! users run it.

mod attacker;
mod authority;
mod browser;
mod busy_loops;
mod certificates;
mod deployment;
mod door;
mod guarded;
mod invited;
mod messages;
mod own_servers;
pub mod panels;
mod ports;
pub mod processor_time;
mod proxy;
mod receiver;
mod servers;
mod tls_door;
mod topic;
mod truth;

pub use attacker::{Attacker, forged};
pub use authority::{Authority, Certificate};
pub use browser::{Browser, chromium};
pub use busy_loops::BusyLoops;
pub use certificates::{authority, certificate};
pub use deployment::{Deployment, Process, wait_until};
pub use door::{Answer, Door, seal, sealer};
pub use guarded::{By, Grant, GuardedKafka};
pub use invited::{Installed, said, steps};
pub use messages::{DCSA_22, gate_in};
pub use own_servers::OwnServers;
pub use ports::free_port;
pub use proxy::Proxy;
pub use receiver::{Behaviour, Received, Receiver};
pub use servers::{Servers, shared};
pub use tls_door::tls_door;
pub use topic::Topic;
pub use truth::Truth;
