//! The real [`waybill_host`] in a simulated world: a log with transactions and groups, and a store, in memory,
//! driven by one seed. No thread, no clock.
//!
//! What the servers do wrong here is what real ones do: see the head of each module.

#![allow(clippy::indexing_slicing, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod client;
mod committing;
mod content;
mod faulty;
mod flaw;
mod group;
mod histories;
mod inserting;
mod instance;
mod log;
mod obeying;
mod offering;
mod offsets;
mod plan;
mod producer;
mod properties;
mod random;
mod reading;
mod seen;
mod servers;
mod store;
mod telling;
mod transactions;
mod waiting;
mod world;

/// Milliseconds since the world began, and also UTC.
type Ms = i64;
