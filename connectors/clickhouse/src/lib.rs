//! ClickHouse's side of Waybill: the [`ClickHouseSink`] that turns the records of `waybill.events`,
//! `waybill.shipments`, `waybill.rejects` and `waybill.ledger` into rows, each once (`insert.rs` says
//! how), the tables' [migrations](Database::migrate),
//! and the few questions that the command line asks ([`Database::summary`],
//! [`Database::query_text`]).
//!
//! Everything here blocks: a [`Database`] owns a small runtime. Call it from a plain thread (or
//! `spawn_blocking`), never from async code.
//!
//! What is absent: no second attempt at what cannot get better ([`Kind`] says what can), and no
//! record that stops the stream. A record that is no row comes back as a reject.

mod answers;
mod audit;
mod columns;
mod config;
mod counts;
mod database;
mod dead_letters;
mod decode;
mod erase;
mod exchange;
mod failure;
mod insert;
mod key_use;
pub mod metrics;
mod migrate;
mod noted;
mod presence;
mod pressure;
mod probe;
mod retention;
mod roles;
mod rows;
mod sink;
mod statements;
mod status;
mod summary;
mod tls;
mod unmapped;
mod wait;
mod window;

pub use answers::{
    Answers, Cursor, EventRow, OfMessage, RejectRow, ShipmentRow, TimelineRow, UsageRow,
};
pub use audit::{
    AuditData, AuditQuestion, Coverage, Derived, Gap, Misstored, StageTotal, Unaccounted,
    Unbalanced, Written,
};
pub use config::Config;
pub use database::Database;
pub use dead_letters::{DeadLetter, Filter, RejectedRecord};
#[doc(hidden)]
pub use decode::rows_of;
pub use erase::{Erasable, ErasedRows, ErasureRow, Gone, Named, Rollup, RowPlace};
pub use failure::{Kind, Remedy};
pub use key_use::KeyUse;
pub use migrate::Applied;
pub use noted::Noted;
pub use retention::{KeptSince, Retention};
pub use roles::Roles;
pub use sink::ClickHouseSink;
pub use status::{CountRow, LatencyRow, MOST_RECENT, RejectedRow, StatusRows};
pub use summary::{CarrierSummary, Summary};
pub use tls::Tls;
pub use unmapped::UnmappedCode;
