//! Where it happened: the place as sent, put together with the tables.
//!
//! | the message has | the place |
//! |---|---|
//! | a UN/LOCODE | that one, also when no table knows it: it still tells places apart |
//! | an SMDG terminal code | the terminal, and its port |
//! | an IATA code | the airport or city |
//! | a city (or a name), with a country, a state or both | the one that is meant, if the match is good enough (`names.rs`) |
//! | DHL's code of a service area | the airport or city of that IATA code, if it is not in another country |
//!
//! The first that is known counts; where a UN/LOCODE is in no table, what else the message has
//! tells where it is. Coordinates: as sent, else the terminal's, the place's, the airport's. Time
//! zone: the place's, the airport's, that of the coordinates, the state's, the country's, where
//! those have one.

use std::sync::{Arc, OnceLock};

use waybill_schemas::Place as SentPlace;
use waybill_schemas::vocabulary::PlaceSource;

use crate::airports::Airport;
use crate::names::{CITY, ENOUGH, Found, Match};
use crate::terminals::Terminal;
use crate::written::{BY_STATE, Reading, Sure, Written, readings, written_as};
use crate::{Coordinates, Place, Tables, Zone};

#[derive(Debug, Default)]
pub(crate) struct Located<'a> {
    pub unlocode: Option<String>,
    pub unknown_unlocode: bool,
    pub source: PlaceSource,
    /// How sure the place is, 0 to 100: 100 for a code, `names.rs` for a name, 0 for no place.
    pub score: u8,
    pub name: Option<Arc<str>>,
    /// ISO 3166-1 alpha-2.
    pub country: Option<String>,
    pub coordinates: Option<Coordinates>,
    pub zone: Option<&'a Zone>,
}

#[derive(Debug)]
pub(crate) struct Locator {
    tables: Arc<Tables>,
    /// Name of each place, by position: made when first seen, then shared by its events.
    names: Box<[OnceLock<Arc<str>>]>,
}

/// What the tables know of a place as sent.
#[derive(Default)]
struct Known<'a> {
    source: PlaceSource,
    score: u8,
    /// In the table of places.
    position: Option<usize>,
    airport: Option<&'a Airport>,
    terminal: Option<&'a Terminal>,
}

/// The score of what a code says.
const BY_CODE: u8 = 100;

impl Locator {
    pub(crate) fn new(tables: Arc<Tables>) -> Self {
        let names = std::iter::repeat_with(OnceLock::new).take(tables.places.len()).collect();
        Self { tables, names }
    }

    pub(crate) fn locate(&self, sent: &SentPlace) -> Located<'_> {
        let tables = &*self.tables;
        let written = self.written(sent);
        let known = self.known(sent, &written);
        let listed = known.position.and_then(|n| tables.places.get(n));
        let country = self.country(listed, known.airport, &written);
        // The message's own coordinates may be a terminal's, the table's are a town's.
        let coordinates = as_sent(sent)
            .or_else(|| known.terminal?.coordinates)
            .or_else(|| known.airport?.coordinates)
            .or_else(|| listed?.coordinates);
        let zone = listed
            .and_then(|place| tables.zones.get(place.zone?))
            .or_else(|| tables.zones.get(known.airport?.zone))
            .or_else(|| tables.zones.at(coordinates?))
            .or_else(|| self.zone_around(country?, written.region));
        let name = match (known.position, listed, known.airport) {
            (Some(n), Some(place), _) => self.name(n, place.name),
            (_, _, Some(airport)) => Some(airport.name.into()),
            _ => sent.name.as_deref().or(sent.city.as_deref()).map(Arc::from),
        };
        let unlocode = match &sent.unlocode {
            Some(code) => Some(code.clone()),
            None => listed.map(|place| place.code.to_owned()).filter(|code| !code.is_empty()),
        };
        let unknown = |code: &String| tables.places.position(code).is_none();
        Located {
            unknown_unlocode: sent.unlocode.as_ref().is_some_and(unknown),
            unlocode,
            source: known.source,
            score: known.score,
            name,
            country: country.map(str::to_owned),
            coordinates,
            zone,
        }
    }

    fn known<'a>(&'a self, sent: &SentPlace, written: &Written<'_>) -> Known<'a> {
        let tables = &*self.tables;
        let code = sent.unlocode.as_deref();
        let terminal = sent
            .facility
            .as_deref()
            .and_then(|facility| facility.strip_prefix("SMDG/"))
            .and_then(|terminal| tables.terminals.lookup(terminal, code));
        let known = Known { terminal, score: BY_CODE, ..Known::default() };
        if let Some(position) = code.and_then(|code| tables.places.position(code)) {
            return Known { source: PlaceSource::Unlocode, position: Some(position), ..known };
        }
        if let Some(found) = terminal {
            let position = tables.places.position(found.unlocode);
            return Known { source: PlaceSource::Terminal, position, ..known };
        }
        if let Some(airport) = sent.iata.as_deref().and_then(|code| tables.airports.lookup(code)) {
            return self.at_airport(airport, BY_CODE);
        }
        if let Some(Match { position, score, .. }) = self.by_name(written) {
            let source = PlaceSource::Name;
            return Known { source, score, position: Some(position), ..Known::default() };
        }
        match self.by_service_area(sent, written) {
            Some(airport) => self.at_airport(airport, ENOUGH),
            None => Known::default(),
        }
    }

    fn at_airport<'a>(&'a self, airport: &'a Airport, score: u8) -> Known<'a> {
        let position = airport.unlocode.and_then(|code| self.tables.places.position(code));
        let source = PlaceSource::Airport;
        Known { source, score, position, airport: Some(airport), ..Known::default() }
    }

    /// City, state and country as the message has them, in fields or in one text.
    fn written<'s>(&self, sent: &'s SentPlace) -> Written<'s> {
        let Tables { countries, divisions, .. } = &*self.tables;
        let of_code = || sent.unlocode.as_deref()?.get(..2).and_then(|two| countries.code(two));
        let country = match sent.country.as_deref() {
            Some(country) => countries.code(country).or_else(of_code),
            None => of_code(),
        };
        let text = sent.city.as_deref().or(sent.name.as_deref()).unwrap_or_default();
        Written::read(text, sent.region.as_deref(), country, countries, divisions)
    }

    /// The place that city, state and country mean.
    fn by_name(&self, written: &Written<'_>) -> Option<Match> {
        if let Some(country) = written.country {
            return match self.in_country(written, country) {
                Found::One(found) => Some(found),
                _ => None,
            };
        }
        // Without a country the state has to agree.
        written.region?;
        BY_STATE.iter().find_map(|country| match self.in_country(written, country) {
            Found::One(found) if found.of_state => Some(found),
            _ => None,
        })
    }

    /// By the first reading of the city that the country has a name for.
    fn in_country(&self, written: &Written<'_>, country: &'static str) -> Found {
        let Tables { places, names, countries, divisions, .. } = &*self.tables;
        if written.city.is_empty() {
            return Found::Nothing;
        }
        let also = written_as(country);
        let mut readings = readings(*written, country, countries, divisions).map(|reading| {
            let Reading { name, state, .. } = &reading;
            let found = names.find(places, divisions, country, also, name, *state);
            match (found, reading.sure) {
                (Found::One(found), Sure::Spelling) => {
                    Found::One(Match { score: (found.score - 3).max(ENOUGH), ..found })
                }
                (Found::One(found), Sure::WithoutTail) => {
                    Found::One(Match { score: ENOUGH, ..found })
                }
                (Found::One(found), Sure::Loosely(functions)) => {
                    let may_be = places.get(found.position).is_some_and(|place| {
                        place.rank >= CITY || (!found.part && place.functions & functions != 0)
                    });
                    if may_be {
                        Found::One(Match { score: ENOUGH, ..found })
                    } else {
                        Found::Unclear
                    }
                }
                (found, _) => found,
            }
        });
        readings.find(|found| *found != Found::Nothing).unwrap_or(Found::Nothing)
    }

    /// DHL's code of a service area is mostly, but not always, IATA's of its city: it counts where
    /// nothing else is known, and the message names no other country.
    fn by_service_area(&self, sent: &SentPlace, written: &Written<'_>) -> Option<&Airport> {
        let code = sent.facility.as_deref()?.strip_prefix("DHL/")?;
        let airport = self.tables.airports.lookup(code)?;
        written.country.is_none_or(|country| country == airport.country).then_some(airport)
    }

    fn country(
        &self,
        listed: Option<Place>,
        airport: Option<&Airport>,
        written: &Written<'_>,
    ) -> Option<&'static str> {
        let country = listed.map(|place| place.country).or_else(|| Some(airport?.country));
        country.or(written.country)
    }

    /// Of a state or a country of which no more is known.
    fn zone_around(&self, country: &'static str, region: Option<&str>) -> Option<&Zone> {
        let Tables { zones, countries, divisions, .. } = &*self.tables;
        let state = region.and_then(|region| divisions.find(country, region));
        let zone = state.and_then(|state| state.zone).or_else(|| countries.zone(country));
        zones.get(zone?)
    }

    fn name(&self, position: usize, name: &'static str) -> Option<Arc<str>> {
        Some(self.names.get(position)?.get_or_init(|| name.into()).clone())
    }
}

fn as_sent(sent: &SentPlace) -> Option<Coordinates> {
    Coordinates::new(sent.latitude?, sent.longitude?)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What docs/formats.md says of scores.
    #[test]
    fn a_score_says_how_sure_a_place_is() {
        let locator = Locator::new(Arc::new(Tables::bundled()));
        let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let city = |name: &str, region: &str, country: &str| SentPlace {
            city: text(name),
            region: text(region),
            country: text(country),
            ..SentPlace::default()
        };
        let code = |unlocode: &str| SentPlace { unlocode: text(unlocode), ..SentPlace::default() };
        let area = SentPlace { facility: text("DHL/BCN"), ..SentPlace::default() };
        for (sent, expect) in [
            (code("NLRTM"), 100),
            (code("USZZ9"), 0),
            (SentPlace { iata: text("FRA"), ..SentPlace::default() }, 100),
            (SentPlace { facility: text("SMDG/DPWJ2"), ..SentPlace::default() }, 100),
            (area, 80),
            (city("Savannah", "GA", "US"), 100),
            (city("Hamburg", "", "DE"), 90),
            (city("Dallas", "", "US"), 85),
            (city("Monaco di Baviera", "BY", "DE"), 97),
            (city("Monaco di Baviera", "", "DE"), 87),
            (city("Port of Tacoma", "WA", "US"), 80),
            (city("NEW YORK NY 10001", "", "US"), 80),
            (city("Springfield", "", "US"), 0),
            (city("Savannah", "AK", "US"), 0),
            (SentPlace::default(), 0),
        ] {
            assert_eq!(locator.locate(&sent).score, expect, "{sent:?}");
        }
    }
}
