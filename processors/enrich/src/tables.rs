use crate::airports::Airports;
use crate::divisions::Divisions;
use crate::names::Names;
use crate::terminals::Terminals;
use crate::{Countries, Places, Zones};

/// The reference tables: bundled, or an operator's own in their place. `data/SOURCES.md` says what
/// they hold and how they are made.
#[derive(Debug)]
pub struct Tables {
    pub(crate) places: Places,
    pub(crate) names: Names,
    pub(crate) countries: Countries,
    pub(crate) divisions: Divisions,
    pub(crate) airports: Airports,
    pub(crate) terminals: Terminals,
    pub(crate) zones: Zones,
}

impl Tables {
    /// The names of the files that can take a bundled table's place.
    pub const FILES: [&'static str; 5] =
        ["places.bin", "countries.tsv", "divisions.tsv", "airports.tsv", "terminals.tsv"];

    pub fn bundled() -> Self {
        let bundled = Self::with(|_| Ok(None));
        // Nothing of the bundled tables can be wrong: their tests count.
        bundled.unwrap_or_else(|_| Self {
            places: Places::default(),
            names: Names::default(),
            countries: Countries::read(""),
            divisions: Divisions::read(""),
            airports: Airports::read(""),
            terminals: Terminals::read(""),
            zones: Zones::bundled(),
        })
    }

    /// Each table from what `file` gives for its name, or bundled where it gives nothing. They stay
    /// for as long as the process runs.
    pub fn with(file: impl Fn(&str) -> Result<Option<Vec<u8>>, String>) -> Result<Self, String> {
        let bytes = |name: &str, own: &'static [u8]| -> Result<&'static [u8], String> {
            Ok(match file(name)? {
                Some(given) => Vec::leak(given),
                None => own,
            })
        };
        let text = |name: &str, own: &'static str| {
            std::str::from_utf8(bytes(name, own.as_bytes())?)
                .map_err(|_| format!("{name}: not UTF-8"))
        };
        let places = Places::read(bytes("places.bin", include_bytes!("../data/places.bin"))?)
            .ok_or("places.bin: no table as data/make.py makes it")?;
        let countries =
            Countries::read(text("countries.tsv", include_str!("../data/countries.tsv"))?);
        let divisions =
            Divisions::read(text("divisions.tsv", include_str!("../data/divisions.tsv"))?);
        let airports = Airports::read(text("airports.tsv", include_str!("../data/airports.tsv"))?);
        let terminals =
            Terminals::read(text("terminals.tsv", include_str!("../data/terminals.tsv"))?);
        Ok(Self {
            names: Names::new(countries.all()),
            places,
            countries,
            divisions,
            airports,
            terminals,
            zones: Zones::bundled(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// SOURCES.md's figures.
    #[test]
    fn the_bundled_tables_are_whole() {
        let tables = Tables::bundled();
        assert_eq!(tables.places.len(), 140_455);
        assert_eq!(tables.divisions.len(), 2_258);
        assert_eq!(tables.airports.len(), 7_906);
        assert_eq!(tables.terminals.len(), 1_255);
        for airport in tables.airports.all() {
            assert!(tables.zones.get(airport.zone).is_some(), "{}", airport.zone);
            let listed = airport.unlocode.map(|code| tables.places.lookup(code).is_some());
            assert_ne!(listed, Some(false), "{:?}", airport.unlocode);
        }
    }

    #[test]
    fn a_table_can_be_replaced_and_a_wrong_one_is_refused() {
        let own = |name: &str| {
            Ok((name == "terminals.tsv").then(|| b"NLRTM\tOWN\t51.9\t4.1\tOwn quay\n".to_vec()))
        };
        let tables = Tables::with(own).unwrap();
        assert_eq!(tables.terminals.lookup("OWN", Some("NLRTM")).unwrap().name, "Own quay");
        assert!(tables.terminals.lookup("APMII", Some("NLRTM")).is_none());
        assert_eq!(tables.airports.len(), 7_906);
        let cut = |name: &str| Ok((name == "places.bin").then(|| vec![1, 0, 0]));
        assert!(Tables::with(cut).unwrap_err().starts_with("places.bin"));
    }
}
