//! The sink and the tables on a real ClickHouse: see `server.rs` for which one.

// clippy.toml lets tests unwrap, but not the functions beside them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod analysts;
mod answers;
mod erase;
mod inserts;
mod ledger;
mod notes;
mod once;
mod operator;
mod proxy;
mod questions;
mod refusals;
mod retention;
mod roles;
mod samples;
mod schema;
mod server;
mod tls;
mod users;
mod window;
