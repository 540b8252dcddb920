//! The records as those read them who keep nothing of them: every text is borrowed from the bytes.
//! Field by field they are as the types of the same name; tests/avro/positions.rs holds them to it.

use serde::Deserialize;

use crate::vocabulary::{
    Classifier, ExceptionKind, Milestone, Mode, NoteCode, PlaceSource, QuantityKind, ReadingKind,
    ReferenceKind, ZoneQuality,
};
use crate::{DecodeError, EventId, History, OccurrenceTime, Record};

/// A type that is read from the bytes of another: all of its fields, or the first ones.
pub trait View<'a>: Deserialize<'a> {
    type Of: Record;
    /// Whether it has all fields: then nothing may come behind them.
    const IS_WHOLE: bool = true;
}

/// Reads a view of one record in single-object encoding, written with the current schema or a
/// released one.
pub fn view<'a, V: View<'a>>(bytes: &'a [u8]) -> Result<V, DecodeError> {
    V::Of::schemas().decode(bytes, V::IS_WHOLE)
}

macro_rules! views {
    ($($(#[$doc:meta])* $name:ident {
        $($(#[$attribute:meta])* $field:ident: $type:ty),+ $(,)?
    })+) => {
        $($(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Deserialize)]
        #[serde(bound(deserialize = "'de: 'a"))]
        pub struct $name<'a> {
            $($(#[$attribute])* pub $field: $type),+
        })+
    };
}

views! {
AcceptedEvent {
    event: ShipmentEvent<'a>,
    enrichment: Enrichment<'a>,
    history: History,
}

EnrichedEvent {
    event: ShipmentEvent<'a>,
    enrichment: Enrichment<'a>,
}

Provenance {
    carrier_id: &'a str,
    handle: &'a str,
    message_id: &'a str,
    source_partition: i32,
    source_offset: i64,
    sealed_at: i64,
    received_at: i64,
    opened_at: i64,
    attempt: u32,
    #[serde(default)]
    sealed_topic: &'a str,
}

ShipmentEvent {
    provenance: Provenance<'a>,
    position: u32,
    event_id: EventId,
    shipment_id: &'a str,
    milestone: Milestone,
    classifier: Classifier,
    raw_code: &'a str,
    raw_id: Option<&'a str>,
    occurred: OccurrenceTime,
    created_at: Option<i64>,
    references: Vec<Reference<'a>>,
    equipment: Option<Equipment<'a>>,
    place: Option<Place<'a>>,
    transport: Option<Transport<'a>>,
    exceptions: Vec<Exception<'a>>,
    customs: Option<Customs<'a>>,
    quantities: Vec<Quantity<'a>>,
    remark: Option<&'a str>,
    readings: Vec<Reading<'a>>,
    withdraws: Option<&'a str>,
    #[serde(alias = "flags")]
    notes: Vec<NoteCode>,
    #[serde(default)]
    notes_about: Vec<&'a str>,
    validated_at: i64,
}

Reference {
    kind: ReferenceKind,
    value: &'a str,
}

Equipment {
    number: &'a str,
    iso_type: Option<&'a str>,
    empty: Option<bool>,
}

Place {
    unlocode: Option<&'a str>,
    iata: Option<&'a str>,
    name: Option<&'a str>,
    facility: Option<&'a str>,
    facility_type: Option<&'a str>,
    city: Option<&'a str>,
    region: Option<&'a str>,
    postal_code: Option<&'a str>,
    country: Option<&'a str>,
    latitude: Option<f64>,
    longitude: Option<f64>,
}

Transport {
    mode: Option<Mode>,
    vessel_imo: Option<&'a str>,
    vessel_name: Option<&'a str>,
    voyage: Option<&'a str>,
    flight: Option<&'a str>,
    vehicle: Option<&'a str>,
    service: Option<&'a str>,
    call_id: Option<&'a str>,
}

Exception {
    kind: ExceptionKind,
    raw_code: Option<&'a str>,
}

Customs {
    procedure: Option<&'a str>,
    status: Option<&'a str>,
}

Quantity {
    kind: QuantityKind,
    value: f64,
    unit: &'a str,
}

Reading {
    kind: ReadingKind,
    value: f64,
    unit: &'a str,
    sensor: Option<&'a str>,
}

Enrichment {
    occurred_at: i64,
    zone_quality: ZoneQuality,
    time_zone: Option<&'a str>,
    unlocode: Option<&'a str>,
    place_source: PlaceSource,
    #[serde(default)]
    place_score: Option<u32>,
    place_name: Option<&'a str>,
    country: Option<&'a str>,
    latitude: Option<f64>,
    longitude: Option<f64>,
    origin_country: Option<&'a str>,
    destination_country: Option<&'a str>,
    enriched_at: i64,
}

RejectRecord {
    code: &'a str,
    stage: &'a str,
    carrier_id: &'a str,
    handle: &'a str,
    message_id: &'a str,
    position: u32,
    source_partition: i32,
    source_offset: i64,
    sealed_at: Option<i64>,
    received_at: i64,
    rejected_at: i64,
    detail: &'a str,
    attempt: u32,
    #[serde(default = "sealed")]
    source_topic: &'a str,
    #[serde(default)]
    sealed_topic: &'a str,
}

/// The first fields of a [`Shipment`](crate::Shipment): of which shipment it is a state, and
/// through which event.
ShipmentHead {
    shipment_id: &'a str,
    carrier_id: &'a str,
    last: Provenance<'a>,
    revision: u64,
}
}

fn sealed() -> &'static str {
    "sealed"
}

impl Provenance<'_> {
    pub fn to_owned(&self) -> crate::Provenance {
        crate::Provenance {
            carrier_id: self.carrier_id.to_owned(),
            handle: self.handle.to_owned(),
            message_id: self.message_id.to_owned(),
            source_partition: self.source_partition,
            source_offset: self.source_offset,
            sealed_at: self.sealed_at,
            received_at: self.received_at,
            opened_at: self.opened_at,
            attempt: self.attempt,
            sealed_topic: self.sealed_topic.to_owned(),
        }
    }
}

impl<'a> View<'a> for AcceptedEvent<'a> {
    type Of = crate::AcceptedEvent;
}

impl<'a> View<'a> for EnrichedEvent<'a> {
    type Of = crate::EnrichedEvent;
}

impl<'a> View<'a> for RejectRecord<'a> {
    type Of = crate::RejectRecord;
}

impl<'a> View<'a> for ShipmentHead<'a> {
    type Of = crate::Shipment;
    const IS_WHOLE: bool = false;
}

/// A record is a view of itself.
impl<R: Record> View<'_> for R {
    type Of = R;
}
