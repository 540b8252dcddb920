//! Where it happened: the place as sent, put together with the tables.
//!
//! | the message has | the place |
//! |---|---|
//! | a UN/LOCODE | that one, also when no table knows it: it still tells places apart |
//! | an SMDG terminal code | the terminal, and its port |
//! | an IATA code | the airport or city |
//! | a city (or a name), with a country, a state or both | the one that is meant, if the match is good enough (`names.rs`) |
//!
//! The first that is known counts. Coordinates: as sent, else the terminal's, the place's, the
//! airport's. Time zone: the place's, the airport's, that of the coordinates, the only one of the
//! country.

use std::sync::{Arc, OnceLock};

use waybill_schemas::Place as SentPlace;
use waybill_schemas::vocabulary::PlaceSource;

use crate::airports::Airport;
use crate::terminals::Terminal;
use crate::{Coordinates, Place, Tables, Zone};

#[derive(Debug, Default)]
pub(crate) struct Located<'a> {
    pub unlocode: Option<String>,
    pub unknown_unlocode: bool,
    pub source: PlaceSource,
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
    /// In the table of places.
    position: Option<usize>,
    airport: Option<&'a Airport>,
    terminal: Option<&'a Terminal>,
}

/// Countries whose states a message names without the country: no other carrier's city stands so.
const BY_STATE: [&str; 2] = ["US", "CA"];

impl Locator {
    pub(crate) fn new(tables: Arc<Tables>) -> Self {
        let names = std::iter::repeat_with(OnceLock::new).take(tables.places.len()).collect();
        Self { tables, names }
    }

    pub(crate) fn locate(&self, sent: &SentPlace) -> Located<'_> {
        let tables = &*self.tables;
        let known = self.known(sent);
        let listed = known.position.and_then(|n| tables.places.get(n));
        let country = self.country(sent, listed, known.airport);
        // The message's own coordinates may be a terminal's, the table's are a town's.
        let coordinates = as_sent(sent)
            .or_else(|| known.terminal?.coordinates)
            .or_else(|| known.airport?.coordinates)
            .or_else(|| listed?.coordinates);
        let zone = listed
            .and_then(|place| tables.zones.get(place.zone?))
            .or_else(|| tables.zones.get(known.airport?.zone))
            .or_else(|| tables.zones.at(coordinates?))
            .or_else(|| tables.zones.get(tables.countries.only_zone(country?)?));
        let name = match (known.position, listed, known.airport) {
            (Some(n), Some(place), _) => self.name(n, place.name),
            (_, _, Some(airport)) => Some(airport.name.into()),
            _ => sent.name.as_deref().or(sent.city.as_deref()).map(Arc::from),
        };
        let unlocode = match &sent.unlocode {
            Some(code) => Some(code.clone()),
            None => listed.map(|place| place.code.to_owned()),
        };
        Located {
            unknown_unlocode: sent.unlocode.is_some() && listed.is_none(),
            unlocode,
            source: known.source,
            name,
            country: country.map(str::to_owned),
            coordinates,
            zone,
        }
    }

    fn known(&self, sent: &SentPlace) -> Known<'_> {
        let tables = &self.tables;
        let code = sent.unlocode.as_deref();
        let terminal = sent
            .facility
            .as_deref()
            .and_then(|facility| facility.strip_prefix("SMDG/"))
            .and_then(|terminal| tables.terminals.lookup(terminal, code));
        if let Some(code) = code {
            let position = tables.places.position(code);
            let source = position.map_or(PlaceSource::None, |_| PlaceSource::Unlocode);
            return Known { source, position, terminal, airport: None };
        }
        if let Some(found) = terminal {
            let position = tables.places.position(found.unlocode);
            return Known { source: PlaceSource::Terminal, position, terminal, airport: None };
        }
        if let Some(airport) = sent.iata.as_deref().and_then(|code| tables.airports.lookup(code)) {
            let position = airport.unlocode.and_then(|code| tables.places.position(code));
            let airport = Some(airport);
            return Known { source: PlaceSource::Airport, position, airport, terminal: None };
        }
        match self.by_name(sent) {
            Some(n) => Known { source: PlaceSource::Name, position: Some(n), ..Known::default() },
            None => Known::default(),
        }
    }

    /// The place that city, state and country mean.
    fn by_name(&self, sent: &SentPlace) -> Option<usize> {
        let Tables { places, names, countries, .. } = &*self.tables;
        let text = sent.city.as_deref().or(sent.name.as_deref())?;
        // "SAVANNAH, GA" says city and state in one.
        let (city, region) = match (text.rsplit_once(','), sent.region.as_deref()) {
            (Some((city, state)), None) if is_short(state) => (city, Some(state.trim())),
            (_, region) => (text, region),
        };
        if let Some(country) = sent.country.as_deref().and_then(|sent| countries.code(sent)) {
            return Some(names.find_loosely(places, country, city, region)?.position);
        }
        if sent.country.is_some() {
            return None;
        }
        // Without a country the state has to agree.
        let region = region?;
        BY_STATE.iter().find_map(|country| {
            let found = names.find(places, country, city, Some(region))?;
            let place = places.get(found.position)?;
            place.division.eq_ignore_ascii_case(region).then_some(found.position)
        })
    }

    fn country(
        &self,
        sent: &SentPlace,
        listed: Option<Place>,
        airport: Option<&Airport>,
    ) -> Option<&'static str> {
        let countries = &self.tables.countries;
        let of_code = || sent.unlocode.as_deref()?.get(..2).and_then(|two| countries.code(two));
        listed
            .map(|place| place.country)
            .or_else(|| Some(airport?.country))
            .or_else(of_code)
            .or_else(|| countries.code(sent.country.as_deref()?))
    }

    fn name(&self, position: usize, name: &'static str) -> Option<Arc<str>> {
        Some(self.names.get(position)?.get_or_init(|| name.into()).clone())
    }
}

fn as_sent(sent: &SentPlace) -> Option<Coordinates> {
    Coordinates::new(sent.latitude?, sent.longitude?)
}

fn is_short(state: &str) -> bool {
    let state = state.trim();
    (2..=3).contains(&state.len()) && state.bytes().all(|b| b.is_ascii_alphabetic())
}
