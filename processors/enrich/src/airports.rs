use std::collections::HashMap;

use crate::Coordinates;

/// An airport, or a city that has several.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Airport {
    /// ISO 3166-1 alpha-2.
    pub country: &'static str,
    pub coordinates: Option<Coordinates>,
    /// IANA time zone.
    pub zone: &'static str,
    /// City, or the airport's own name.
    pub name: &'static str,
    /// Of the place, where it has one.
    pub unlocode: Option<&'static str>,
}

/// IATA codes of airports and cities.
#[derive(Clone, Debug)]
pub struct Airports(HashMap<&'static str, Airport>);

impl Airports {
    /// Reads `airports.tsv`: code, country, latitude, longitude, zone, name, UN/LOCODE. A line that
    /// is none is left out.
    pub fn read(table: &'static str) -> Self {
        let airport = |line: &'static str| {
            let mut fields = line.split('\t');
            let mut next = || fields.next();
            let (code, country, latitude, longitude) = (next()?, next()?, next()?, next()?);
            let (zone, name, unlocode) = (next()?, next()?, next()?);
            let coordinates = Coordinates::new(latitude.parse().ok()?, longitude.parse().ok()?);
            let unlocode = Some(unlocode).filter(|code| !code.is_empty());
            Some((code, Airport { country, coordinates, zone, name, unlocode }))
        };
        Self(table.lines().filter_map(airport).collect())
    }

    /// The airport of an IATA code in upper case.
    pub fn lookup(&self, iata: &str) -> Option<&Airport> {
        self.0.get(iata)
    }

    #[cfg(test)]
    pub(crate) fn all(&self) -> impl Iterator<Item = &Airport> {
        self.0.values()
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}
