//! The real [`waybill_host`] in a simulated world: a log with transactions and groups, and a store, in memory,
//! driven by one seed. No thread, no clock.
//!
//! What the servers do wrong here is what real ones do: see the head of each module.

#![allow(clippy::indexing_slicing, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod group;
mod log;
mod offsets;
mod producer;
mod random;
mod store;
mod transactions;

/// Milliseconds since the world began, and also UTC.
type Ms = i64;
