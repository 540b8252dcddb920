//! What crosses a boundary of Waybill, and nothing else: the records on the internal topics
//! (`avro/*.avsc`), the tables in ClickHouse (`clickhouse/*.sql`), and the Rust types that match
//! them. No I/O, no clock.
//!
//! | topic role | record | schema |
//! |---|---|---|
//! | `waybill.opened` | [`Opened`] | `opened.avsc` |
//! | `waybill.valid` | [`ShipmentEvent`] | `shipment_event.avsc` |
//! | `waybill.enriched` | [`EnrichedEvent`] | `enriched_event.avsc` |
//! | `waybill.events` | [`AcceptedEvent`] | `accepted_event.avsc` |
//! | `waybill.shipments` | [`Shipment`] | `shipment.avsc` |
//! | `waybill.aggregate_state` | [`ShipmentHistory`] | `shipment_history.avsc` |
//! | `waybill.rejects` | [`RejectRecord`] | `reject.avsc` |
//! | `waybill.ledger` | [`LedgerEntry`] | `ledger_entry.avsc` |
//! | `waybill.redrive` | [`Redrive`] | `redrive.avsc` |
//! | `waybill.webhooks` | [`Delivery`] | `delivery.avsc` |
//! | `waybill.enriched`, `.events`, `.shipments` | [`Erasure`] | `erasure.avsc` |
//!
//! Times are milliseconds since 1970-01-01T00:00:00Z (UTC) unless a field says otherwise.

mod accepted_event;
pub mod clickhouse;
mod code;
mod codec;
mod delivery;
mod enriched_event;
mod erasure;
mod event_id;
mod later;
mod ledger_entry;
mod notes;
mod opened;
pub mod pipeline;
mod read;
mod redrive;
mod reject;
mod released;
mod role;
mod shipment;
mod shipment_event;
mod shipment_history;
mod splice;
pub mod view;
pub mod vocabulary;
mod write;

pub use accepted_event::{AcceptedEvent, History};
pub use code::{AsciiCode, Country, Unlocode};
pub use codec::{DecodeError, EncodeError, Record, decode, encode, is};
pub use delivery::Delivery;
pub use enriched_event::{EnrichedEvent, Enrichment};
pub use erasure::Erasure;
pub use event_id::EventId;
pub use ledger_entry::{LedgerCount, LedgerEntry, LedgerKey, LedgerOutput};
pub use opened::{Opened, Proof, Provenance};
pub use redrive::{Answered, Redrive};
pub use reject::RejectRecord;
pub use released::released;
pub use role::Role;
pub use shipment::{Dwell, Leg, Shipment, StatedCountry};
pub use shipment_event::{
    Customs, Equipment, Exception, OccurrenceTime, Place, Quantity, Reading, Reference,
    ShipmentEvent, Transport,
};
pub use shipment_history::{HistoryEntry, ShipmentHistory, raw_id_hash};
pub use splice::{SpliceError, accepted};
pub use view::{View, view};

/// The published text of every Avro schema, by file name, as a reader outside needs it.
pub use codec::{NAMES, published};
