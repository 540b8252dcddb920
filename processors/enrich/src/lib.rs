//! The stage enrich: what reference data adds to a valid event. Where it happened (UN/LOCODE to
//! name, country, coordinates, time zone) and when in UTC, with how well its offset is known.
//!
//! The tables are compiled in (`data/SOURCES.md` says where they come from), time zone rules
//! included: no system time zone is read, so every machine gives the same answer. An operator may
//! put tables of the same form in their place.

mod airports;
mod countries;
mod divisions;
mod locate;
mod names;
mod occurrence;
mod places;
mod spelling;
mod tables;
mod terminals;
mod written;
mod zones;

use std::sync::Arc;

use waybill_schemas::vocabulary::{NoteCode, PlaceSource};
use waybill_schemas::{EnrichedEvent, Enrichment, ShipmentEvent};
use waybill_stage::{Context, Failure, Outputs, Stage};

pub use countries::Countries;
use locate::{Located, Locator};
pub use names::ENOUGH;
pub use places::{Coordinates, Place, Places};
pub use tables::Tables;
pub use zones::{Zone, Zones};

/// Every event passes: what no table knows is left out or flagged, and rejects nothing.
#[derive(Debug)]
pub struct Enrich {
    locator: Locator,
}

impl Enrich {
    pub fn new(tables: Arc<Tables>) -> Self {
        Self { locator: Locator::new(tables) }
    }
}

impl Default for Enrich {
    fn default() -> Self {
        Self::new(Arc::new(Tables::bundled()))
    }
}

impl Stage for Enrich {
    type Input = ShipmentEvent;
    type Output = EnrichedEvent;
    const NAME: &'static str = "enrich";

    fn apply(
        &self,
        cx: &Context,
        mut event: ShipmentEvent,
        outputs: &mut Outputs<EnrichedEvent>,
    ) -> Result<(), Failure> {
        let at: Located = match &event.place {
            Some(place) => self.locator.locate(place),
            None => Located::default(),
        };
        let when = occurrence::resolve(&event.occurred.counted(event.classifier), at.zone);
        if at.unknown_unlocode {
            event.note(NoteCode::PlaceUnknown);
        }
        if when.ambiguous {
            event.note(NoteCode::LocalTimeAmbiguous);
        }

        let enrichment = Enrichment {
            occurred_at: when.utc_ms,
            zone_quality: when.quality,
            time_zone: at.zone.map(|zone| zone.name.clone()),
            unlocode: at.unlocode,
            place_source: at.source,
            place_score: (at.source != PlaceSource::None).then(|| at.score.into()),
            place_name: at.name,
            country: at.country,
            latitude: at.coordinates.map(|c| c.latitude),
            longitude: at.coordinates.map(|c| c.longitude),
            // An event of the model has one place and no place with a role: no message names its
            // lane by itself, and the shipment's history (aggregate) tells it.
            origin_country: None,
            destination_country: None,
            enriched_at: cx.now_ms,
        };
        outputs.emit(EnrichedEvent { event, enrichment });
        Ok(())
    }
}

#[cfg(test)]
mod tests;
