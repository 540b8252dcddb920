//! A carrier's client: it publishes sealed events over HTTPS to a gateway, or to Kafka, and each event has an
//! answer. Sealing itself is [`waybill_sealing`].
//!
//! | what | where | feature |
//! |---|---|---|
//! | an event, its answers | [`SealedEvent`], [`Transport`], [`Answer`], [`Trouble`] | |
//! | ways to the platform | [`Https`], [`Kafka`] | `https`, `kafka` |
//! | what survives a crash | [`Spool`] | `spool` |
//! | many records, counted | [`Publisher`] | `kafka` |
//! | records of somebody else, each with its place | [`Acknowledged`] | `kafka` |
//!
//! ```no_run
//! use std::ops::ControlFlow;
//! use waybill_publisher::{Https, HttpsSettings, Limits, Report, SealedEvent, Spool};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let sealed = String::new();
//! let mut gateway = Https::new(&HttpsSettings {
//!     url: "https://events.example.org".to_owned(),
//!     ..HttpsSettings::default()
//! })?;
//! let spool = Spool::open("/var/spool/waybill", Limits::default())?;
//! std::thread::scope(|scope| {
//!     let delivery = scope.spawn(|| {
//!         spool.deliver(&mut gateway, |report| {
//!             match report {
//!                 Report::Accepted { entry, position } => {
//!                     println!("{}: {position}", entry.event.message_id())
//!                 }
//!                 Report::Rejected { entry, code, detail } => {
//!                     println!("{}: {code}: {detail}", entry.source)
//!                 }
//!                 Report::Trouble { trouble, pause } => eprintln!("{trouble}; again in {pause:?}"),
//!             }
//!             ControlFlow::Continue(())
//!         })
//!     });
//!     // What `waybill_sealing::seal::Sealer` made. It is on the disk when this returns.
//!     spool.take(&[("order-4711.json".to_owned(), SealedEvent::read(sealed)?)])?;
//!     // Nothing more comes: the delivery ends when everything has its answer.
//!     spool.finish();
//!     delivery.join().expect("no panic")?;
//!     Ok(())
//! })
//! # }
//! ```
//!
//! What is promised: an event that was taken is accepted or rejected, however often this process or the
//! platform is killed meanwhile; it may be published twice, under one id, and is a duplicate then. Events of one
//! handle are published in the order in which they were taken. There is no way to lose an answer: what is neither
//! accepted nor rejected is sent again.

#[cfg(feature = "kafka")]
mod acknowledged;
mod event;
#[cfg(feature = "https")]
mod https;
#[cfg(feature = "kafka")]
mod kafka;
#[cfg(feature = "kafka")]
mod producer;
#[cfg(feature = "spool")]
mod spool;
#[cfg(test)]
mod testing;
mod transport;

#[cfg(feature = "kafka")]
pub use acknowledged::{Acknowledged, Answers, Away, Place};
pub use event::{NotSealed, SealedEvent};
#[cfg(feature = "https")]
pub use https::{Https, Settings as HttpsSettings, Unusable};
#[cfg(feature = "kafka")]
pub use kafka::Kafka;
#[cfg(feature = "kafka")]
pub use producer::{PublishError, Publisher};
#[cfg(feature = "spool")]
pub use spool::{Ended, Entry, Held, Limits, Report, Spool, SpoolError};
pub use transport::{Answer, Kind, Sent, Transport, Trouble};
