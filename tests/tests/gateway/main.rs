//! The gateway: carriers without Kafka publish, and learn what became of each event.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod answers;
mod api;
mod callers;
mod clients;
mod codes;
mod connections;
mod crashes;
mod examples;
mod explain;
mod outage;
mod page;
mod plain;
mod publish;
mod restrictions;
mod spool;
mod tls;
