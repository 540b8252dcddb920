use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::vocabulary::{
    Classifier, ExceptionKind, Milestone, Mode, NoteCode, QuantityKind, ReadingKind, ReferenceKind,
    TimePrecision,
};
use crate::{EventId, Provenance};

/// One event in the life of a shipment, in the one model that every format is read into.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ShipmentEvent {
    pub provenance: Arc<Provenance>,
    /// Position in the message: 1, 2, …; a rejected part keeps its place.
    pub position: u32,
    pub event_id: EventId,
    /// Which shipment it belongs to; also the key on `waybill.valid` and after.
    pub shipment_id: String,
    pub milestone: Milestone,
    pub classifier: Classifier,
    /// The code as the carrier sent it, with its list in front: `EQUIPMENT/LOAD`.
    pub raw_code: String,
    /// The carrier's own id of the event.
    pub raw_id: Option<String>,
    pub occurred: OccurrenceTime,
    /// When the carrier says it recorded the event, ms UTC.
    pub created_at: Option<i64>,
    pub references: Vec<Reference>,
    pub equipment: Option<Equipment>,
    pub place: Option<Place>,
    pub transport: Option<Transport>,
    /// What went otherwise than planned.
    pub exceptions: Vec<Exception>,
    pub customs: Option<Customs>,
    pub quantities: Vec<Quantity>,
    pub remark: Option<String>,
    pub readings: Vec<Reading>,
    /// The carrier's id of the earlier event that this one declares void.
    pub withdraws: Option<String>,
    /// What is odd about the event though it was kept.
    #[serde(alias = "flags")]
    pub notes: Vec<NoteCode>,
    /// What each note is about, in the same order: a field, a segment, or nothing. Empty in records of
    /// before 1 December 2026.
    #[serde(default)]
    pub notes_about: Vec<String>,
    /// When validate accepted it, ms UTC.
    pub validated_at: i64,
}

/// When it happened, as far as the message itself says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OccurrenceTime {
    /// The wall clock of the message, read as if it were UTC, in ms: 2026-01-20T14:15+08:00 is
    /// 14:15 here.
    pub wall_ms: i64,
    /// Its offset from UTC in minutes, positive east; absent when the message gives none.
    pub offset_minutes: Option<i32>,
    #[serde(default)]
    pub precision: TimePrecision,
}

impl OccurrenceTime {
    /// A time whose offset the message states.
    pub fn stated(utc_ms: i64, offset_minutes: i32) -> Self {
        Self {
            wall_ms: utc_ms + i64::from(offset_minutes) * 60_000,
            offset_minutes: Some(offset_minutes),
            precision: TimePrecision::Second,
        }
    }

    /// A wall clock whose offset the message does not state.
    pub fn wall(wall_ms: i64, precision: TimePrecision) -> Self {
        Self { wall_ms, offset_minutes: None, precision }
    }

    /// ms UTC if the offset is stated, else the wall clock taken as UTC (at most 14 h off).
    pub fn utc_or_wall_ms(&self) -> i64 {
        self.wall_ms - i64::from(self.offset_minutes.unwrap_or(0)) * 60_000
    }

    /// The same time as it counts: what is to be on a day, and no hour is told, is in time until that
    /// day ends. What has happened on a day counts from its beginning.
    pub fn counted(self, classifier: Classifier) -> Self {
        const DAY_MS: i64 = 24 * 3_600_000;
        let end = self.precision == TimePrecision::Day && classifier != Classifier::Actual;
        Self { wall_ms: self.wall_ms.saturating_add(if end { DAY_MS - 1 } else { 0 }), ..self }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reference {
    pub kind: ReferenceKind,
    pub value: String,
}

/// A container, or another unit that cargo travels in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Equipment {
    /// ISO 6346 number, or the carrier's own.
    pub number: String,
    /// ISO 6346 size and type, such as `22G1`.
    pub iso_type: Option<String>,
    pub empty: Option<bool>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Place {
    /// UN/LOCODE, five characters, upper case.
    pub unlocode: Option<String>,
    /// IATA code of an airport or a city, three letters, upper case.
    pub iata: Option<String>,
    pub name: Option<String>,
    /// Code of the terminal or depot, with its list: `SMDG/ADT`.
    pub facility: Option<String>,
    /// DCSA facility type code: `POTE`, `DEPO`, ….
    pub facility_type: Option<String>,
    pub city: Option<String>,
    /// State, province or county, as sent.
    pub region: Option<String>,
    pub postal_code: Option<String>,
    /// ISO 3166-1 alpha-2, or the country's name as sent.
    pub country: Option<String>,
    /// Degrees, WGS 84.
    pub latitude: Option<f64>,
    pub longitude: Option<f64>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Transport {
    pub mode: Option<Mode>,
    pub vessel_imo: Option<String>,
    pub vessel_name: Option<String>,
    /// Voyage number on leaving the place (DCSA: export voyage).
    pub voyage: Option<String>,
    /// Carrier and number: `LH400`.
    pub flight: Option<String>,
    /// Truck, trailer, wagon or train, as sent.
    pub vehicle: Option<String>,
    pub service: Option<String>,
    /// The carrier's id of the call at this place.
    pub call_id: Option<String>,
}

/// What went otherwise than planned, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exception {
    pub kind: ExceptionKind,
    /// The reason as sent, its list in front: `X12/BG`, `SMDG/WEA`.
    pub raw_code: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Customs {
    /// Import, export, transit, …, as sent.
    pub procedure: Option<String>,
    /// Status code, as sent.
    pub status: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Quantity {
    pub kind: QuantityKind,
    pub value: f64,
    /// UCUM: `kg`, `m3`; `1` for things that are counted.
    pub unit: String,
}

/// What a sensor said.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reading {
    pub kind: ReadingKind,
    pub value: f64,
    /// UCUM: `Cel`, `%`, ….
    pub unit: String,
    /// Which probe or device, as sent.
    pub sensor: Option<String>,
}
