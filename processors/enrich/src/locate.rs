//! Where it happened: the place as sent, put together with the tables.

use std::sync::{Arc, OnceLock};

use waybill_schemas::Place as SentPlace;

use crate::{Coordinates, Countries, Places, Zone, Zones};

#[derive(Debug, Default)]
pub(crate) struct Located<'a> {
    /// As sent, also when it is in no list: it still tells places apart.
    pub unlocode: Option<String>,
    pub unknown_unlocode: bool,
    pub name: Option<Arc<str>>,
    /// ISO 3166-1 alpha-2.
    pub country: Option<String>,
    pub coordinates: Option<Coordinates>,
    pub zone: Option<&'a Zone>,
}

#[derive(Debug)]
pub(crate) struct Locator {
    places: Places,
    /// Name of each place, by position: made when first seen, then shared by its events.
    names: Box<[OnceLock<Arc<str>>]>,
    countries: Countries,
    zones: Zones,
}

impl Locator {
    pub(crate) fn new() -> Self {
        let places = Places::bundled();
        Self {
            names: std::iter::repeat_with(OnceLock::new).take(places.len()).collect(),
            places,
            countries: Countries::bundled(),
            zones: Zones::bundled(),
        }
    }

    pub(crate) fn locate(&self, sent: &SentPlace) -> Located<'_> {
        let position = sent.unlocode.as_deref().and_then(|code| self.places.position(code));
        let listed = position.and_then(|n| self.places.get(n));
        let as_sent = || match (sent.latitude, sent.longitude) {
            (Some(latitude), Some(longitude)) => Coordinates::new(latitude, longitude),
            _ => None,
        };
        // The message's own coordinates may be a terminal's, the table's are a town's.
        let coordinates = as_sent().or_else(|| listed.and_then(|place| place.coordinates));

        let country = match (listed, &sent.unlocode) {
            (Some(place), _) => Some(place.country),
            (None, Some(code)) => code.get(..2).and_then(|letters| self.countries.code(letters)),
            (None, None) => None,
        };
        let country =
            country.or_else(|| sent.country.as_deref().and_then(|c| self.countries.code(c)));

        let zone = listed
            .and_then(|place| place.zone)
            .and_then(|name| self.zones.get(name))
            .or_else(|| coordinates.and_then(|point| self.zones.at(point)))
            .or_else(|| self.zones.get(self.countries.only_zone(country?)?));

        let name = match (position, listed) {
            (Some(n), Some(place)) => self.name(n, place.name),
            _ => sent.name.as_deref().or(sent.city.as_deref()).map(Arc::from),
        };
        Located {
            unlocode: sent.unlocode.clone(),
            unknown_unlocode: sent.unlocode.is_some() && listed.is_none(),
            name,
            country: country.map(str::to_owned),
            coordinates,
            zone,
        }
    }

    fn name(&self, position: usize, name: &'static str) -> Option<Arc<str>> {
        Some(self.names.get(position)?.get_or_init(|| name.into()).clone())
    }
}
