//! What carriers speak, read into the one shipment model. Bytes in, drafts out: no I/O, no clock,
//! no carrier and no receipt time, which are validate's to know.
//!
//! A format is one module with one function and a row in [`REGISTRY`]:
//!
//! ```
//! use waybill_formats::{Parts, find};
//!
//! let payload = br#"[{"eventType": "SHIPMENT", "eventClassifierCode": "ACT",
//!     "eventDateTime": "2026-01-20T10:00:00Z", "eventCreatedDateTime": "2026-01-20T10:01:00Z",
//!     "shipmentEventTypeCode": "CONF", "documentTypeCode": "BKG", "documentID": "ABC709951"}]"#;
//! let format = find("application/vnd.dcsa.tnt+json;version=2.2").expect("registered");
//! let mut parts = Parts::default();
//! format.read(payload, &mut parts).expect("a list of events");
//! for (position, part) in parts.iter() {
//!     println!("{position}: {part:?}");
//! }
//! ```

pub mod air;
pub mod codes;
pub mod dcsa;
pub mod dialect;
mod draft;
pub mod easypost;
mod edi;
pub mod edifact;
pub mod epcis;
mod example;
mod guess;
mod json;
pub mod limits;
mod lists;
mod location;
pub mod milestones;
pub mod ocean;
pub mod parcel;
mod parts;
pub mod rail;
mod registry;
pub mod shippo;
pub mod terminal49;
mod text;
mod time;
mod tree;
mod wrong;
pub mod x12;
mod xml;
mod year;

pub use draft::{Document, Draft, Note, YearOpen};
pub use example::{Example, example};
pub use guess::guess;
pub use lists::{LISTS, REASONS};
pub use parts::Parts;
pub use registry::{Format, Pattern, REGISTRY, all, connect, find};
