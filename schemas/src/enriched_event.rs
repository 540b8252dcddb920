use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::ShipmentEvent;
use crate::vocabulary::{PlaceSource, ZoneQuality};

/// A valid event and what reference data adds to it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EnrichedEvent {
    pub event: ShipmentEvent,
    pub enrichment: Enrichment,
}

/// What the place and its tables tell.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Enrichment {
    /// When it happened, ms UTC.
    pub occurred_at: i64,
    pub zone_quality: ZoneQuality,
    /// IANA time zone of the place.
    pub time_zone: Option<Arc<str>>,
    /// UN/LOCODE that the place was resolved to.
    pub unlocode: Option<String>,
    pub place_source: PlaceSource,
    /// How sure that is: 100 for a code, less for a name (docs/formats.md). Absent where no place was
    /// found, and in records of before 1 December 2026.
    #[serde(default)]
    pub place_score: Option<u32>,
    pub place_name: Option<Arc<str>>,
    /// ISO 3166-1 alpha-2.
    pub country: Option<String>,
    /// Degrees, WGS 84.
    pub latitude: Option<f64>,
    pub longitude: Option<f64>,
    /// Country of origin and destination as the message itself names them: always absent, since an
    /// event of the model has one place and none with a role. They stay because the released schema
    /// has them, and `sent_origin_country` and `sent_destination_country` in ClickHouse. The lane is
    /// told by the shipment's history.
    pub origin_country: Option<String>,
    pub destination_country: Option<String>,
    /// When enrich was done with it, ms UTC.
    pub enriched_at: i64,
}
