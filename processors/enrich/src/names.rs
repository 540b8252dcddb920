//! Which place a name means: a city of a country, and a state or province if the message has one.
//!
//! | score | what agrees |
//! |---|---|
//! | 100 | the name and the state |
//! | 90 | the name, and no other place of the country has it |
//! | 85 | the name; others have it, too, and this place counts far more ([`CLEARLY`]) |
//! | 3 less | another spelling or language of the name (`Munich`, `Koeln`) |
//! | 80 | a part of a name (`Staten Island` of "Staten Island/New York"), or the name without what carriers put around it (`PORT OF`, `AIRPORT`, a ZIP code) |
//! | 50 | the name; places that lie far apart have it, and none counts far more: none is taken |
//!
//! Below [`ENOUGH`] nothing is taken for known. How much a place counts is its rank in the table:
//! the people who live there, or what its port and airport are worth in people.

use std::collections::HashMap;
use std::sync::OnceLock;

use crate::divisions::{Division, Divisions};
use crate::places::Kind;
use crate::spelling::{hash, normalised};
use crate::{Coordinates, Place, Places};

/// A match of less is no match.
pub const ENOUGH: u8 = 80;

/// How much higher a rank has to be to be the place that is meant: six times the people.
const CLEARLY: i32 = 6;

/// Places of one name that lie nearer are quarters and terminals of one city, km.
const ONE_CITY: f64 = 100.0;

/// An airport that lies nearer to a city, and bears its name, is the city's, km.
const ONE_TOWN: f64 = 40.0;

/// Functions of UN/LOCODE, as [`Place::functions`] has them.
pub(crate) const PORT: u8 = 1;
const AIRPORT: u8 = 1 << 3;
/// Port, rail terminal, airport, inland port.
pub(crate) const TERMINAL: u8 = 0b0001_1011;

/// The rank of a city of 100,000.
pub(crate) const CITY: u8 = 40;

/// Names of the places of each country, made when the country is first asked for.
#[derive(Debug, Default)]
pub(crate) struct Names(HashMap<&'static str, OnceLock<Country>>);

/// Ascending by the hash of a name: the position of its place, and how the name stands to it.
type Country = Box<[(u64, u32, Kind)]>;

/// A place found by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Match {
    /// In the table.
    pub position: usize,
    pub score: u8,
    /// Whether the name is but a part of its own.
    pub part: bool,
    /// The message's state is the place's.
    pub of_state: bool,
}

/// What is known of a name in a country.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    One(Match),
    /// The name, but not which of its places; or none of them in that state.
    Unclear,
    Nothing,
}

#[derive(Clone, Copy)]
struct Candidate {
    position: usize,
    place: Place,
    kind: Kind,
    /// Whether the state of the message is its own: not if it has none, or one that lies within
    /// the same region.
    of_state: bool,
    weight: i32,
}

impl Names {
    pub(crate) fn new(countries: impl Iterator<Item = &'static str>) -> Self {
        Self(countries.map(|code| (code, OnceLock::new())).collect())
    }

    /// The place that a normalised name means in a country, or in one that is written as it
    /// (`also`): `HONG KONG, CN`.
    pub(crate) fn find(
        &self,
        places: &Places,
        divisions: &Divisions,
        country: &'static str,
        also: &[&'static str],
        name: &str,
        state: Option<Division>,
    ) -> Found {
        let mut named = Vec::new();
        self.named(places, country, name, &mut named);
        // A state is one of its own country.
        let also = if state.is_some() { &[] } else { also };
        for country in also {
            self.named(places, country, name, &mut named);
        }
        if named.is_empty() {
            return Found::Nothing;
        }
        let Some(state) = state else {
            return best(&named).map_or(Found::Unclear, Found::One);
        };
        let there: Vec<_> = named
            .iter()
            .filter(|one| {
                let own = one.place.division;
                let within = divisions.within(country, own);
                own == state.code
                    || own.is_empty()
                    || (!state.within.is_empty() && within == state.within)
            })
            .map(|one| Candidate { of_state: one.place.division == state.code, ..*one })
            .collect();
        // None of them in that state: it is another place, that no table knows.
        best(&there).map_or(Found::Unclear, Found::One)
    }

    fn named(&self, places: &Places, country: &str, name: &str, into: &mut Vec<Candidate>) {
        let Some(index) = self.0.get(country) else { return };
        let index = index.get_or_init(|| index_of(places, country));
        let hash = hash(name);
        let from = index.partition_point(|(other, ..)| *other < hash);
        let named = index.get(from..).unwrap_or_default();
        let named = named.iter().take_while(|(other, ..)| *other == hash);
        into.extend(named.filter_map(|(_, position, kind)| {
            let position = usize::try_from(*position).ok()?;
            let place = places.get(position)?;
            let weight = i32::from(place.rank) - worth_less(*kind);
            Some(Candidate { position, place, kind: *kind, of_state: false, weight })
        }));
    }
}

/// A name that is not a place's own means a place of the name instead where that counts: half
/// Frankfurt (Oder)'s people, not a hamlet.
fn worth_less(kind: Kind) -> i32 {
    match kind {
        Kind::Own => 0,
        Kind::Spelling => 8,
        Kind::Part => 16,
    }
}

fn best(candidates: &[Candidate]) -> Option<Match> {
    let best = candidates.iter().max_by_key(|one| one.order())?;
    // The code of a city's airport, where it bears the city's name, is what carriers mean by the
    // city, its port included: CNNGB, not CNNBO.
    let flown_to = candidates.iter().filter(|one| {
        one.kind == Kind::Own
            && one.place.functions == AIRPORT
            && one.place.rank >= CITY
            && best.is_within(one, ONE_TOWN)
    });
    let best = flown_to.max_by_key(|one| one.order()).map_or(best, |one| {
        if best.kind == Kind::Own && one.of_state == best.of_state { one } else { best }
    });
    let weight = candidates.iter().map(|one| one.weight).max()?;
    let mut rivals = candidates.iter().filter(|other| best.is_far_from(other)).peekable();
    let alone = rivals.peek().is_none();
    if rivals.any(|other| other.weight + CLEARLY > weight) {
        return None;
    }
    let score = match (best.of_state, alone) {
        (true, true) => 100,
        (false, true) | (true, false) => 90,
        (false, false) => 85,
    };
    let score = match best.kind {
        Kind::Own => score,
        Kind::Spelling => score - 3,
        Kind::Part => ENOUGH,
    };
    let part = best.kind == Kind::Part;
    Some(Match { position: best.position, score, part, of_state: best.of_state })
}

impl Candidate {
    /// Of two places the greater is meant.
    fn order(&self) -> impl Ord {
        (
            self.weight,
            std::cmp::Reverse(self.kind),
            (self.place.functions & TERMINAL).count_ones(),
            self.place.coordinates.is_some(),
            !self.place.code.is_empty(),
            std::cmp::Reverse(self.position),
        )
    }

    fn is_within(&self, other: &Self, apart: f64) -> bool {
        let both = self.place.coordinates.zip(other.place.coordinates);
        both.is_some_and(|(here, there)| km(here, there) <= apart)
    }

    fn is_far_from(&self, other: &Self) -> bool {
        if self.position == other.position {
            return false;
        }
        match (self.place.coordinates, other.place.coordinates) {
            (Some(here), Some(there)) => km(here, there) > ONE_CITY,
            _ => self.place.division.is_empty() || self.place.division != other.place.division,
        }
    }
}

/// Between two points, on a globe.
pub(crate) fn km(a: Coordinates, b: Coordinates) -> f64 {
    let (lat_a, lat_b) = (a.latitude.to_radians(), b.latitude.to_radians());
    let lon = (b.longitude - a.longitude).to_radians();
    let h = ((lat_b - lat_a) / 2.0).sin().powi(2)
        + lat_a.cos() * lat_b.cos() * (lon / 2.0).sin().powi(2);
    12_742.0 * h.sqrt().min(1.0).asin()
}

fn index_of(places: &Places, country: &str) -> Country {
    let names = places.names_of_country(country);
    let mut index: Vec<_> = names
        .filter_map(|(position, name, kind)| {
            let name = normalised(name);
            let position = u32::try_from(position).ok()?;
            (!name.is_empty()).then(|| (hash(&name), position, kind))
        })
        .collect();
    index.sort_unstable();
    // A place's best name of those that are written alike.
    index.dedup_by_key(|(hash, position, _)| (*hash, *position));
    index.into_boxed_slice()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_found_by_its_name_or_not_at_all() {
        let places = Places::bundled();
        let divisions = Divisions::read(include_str!("../data/divisions.tsv"));
        let names = Names::new(["US", "DE", "CN", "HK"].into_iter());
        for (country, also, name, state, expect) in [
            ("DE", &[][..], "HAMBURG", None, Some(("DEHAM", 90))),
            ("US", &[], "SAVANNAH", Some("GA"), Some(("USSAV", 100))),
            ("US", &[], "PORT WENTWORTH", Some("GA"), Some(("USPWN", 100))),
            // Dozens of them, and the message does not say which.
            ("US", &[], "SPRINGFIELD", None, None),
            ("US", &[], "SPRINGFIELD", Some("IL"), Some(("USSPI", 100))),
            // There is a Savannah, but not in Alaska.
            ("US", &[], "SAVANNAH", Some("AK"), None),
            ("DE", &[], "MUNICH", None, Some(("DEMUC", 90))),
            ("DE", &[], "MONACO DI BAVIERA", None, Some(("DEMUC", 87))),
            ("DE", &[], "ATLANTIS", None, None),
            ("CN", &[], "HONG KONG", None, None),
            ("CN", &["HK"], "HONG KONG", None, Some(("HKHKG", 90))),
            ("XX", &[], "HAMBURG", None, None),
        ] {
            let state = state.and_then(|state| divisions.find(country, state));
            let found = match names.find(&places, &divisions, country, also, name, state) {
                Found::One(m) => Some((places.get(m.position).unwrap().code, m.score)),
                Found::Unclear | Found::Nothing => None,
            };
            assert_eq!(found, expect, "{name}, {state:?}, {country}");
        }
    }

    /// Two places of equal rank that lie far apart, and two that do not.
    #[test]
    fn of_places_that_count_alike_none_is_taken_if_they_lie_far_apart() {
        let place = |rank, longitude| Place {
            code: "XXAAA",
            name: "Twin",
            country: "XX",
            coordinates: Coordinates::new(50.0, longitude),
            zone: None,
            division: "",
            functions: 0,
            rank,
        };
        let candidate = |position, place: Place, kind| Candidate {
            position,
            place,
            kind,
            of_state: false,
            weight: i32::from(place.rank) - worth_less(kind),
        };
        let best = |here: (u8, Kind), there: (u8, Kind), apart| {
            let one = candidate(0, place(here.0, 7.0), here.1);
            let other = candidate(1, place(there.0, 7.0 + apart), there.1);
            let found = super::best(&[one, other]);
            assert_eq!(super::best(&[other, one]), found, "in whichever order they stand");
            found.map(|found| (found.position, found.score))
        };
        // A degree of longitude is 71 km here.
        assert_eq!(best((40, Kind::Own), (40, Kind::Own), 1.5), None);
        assert_eq!(best((40, Kind::Own), (39, Kind::Own), 1.3), Some((0, 90)));
        assert_eq!(best((45, Kind::Own), (40, Kind::Own), 1.5), None);
        assert_eq!(best((46, Kind::Own), (40, Kind::Own), 1.5), Some((0, 85)));
        // A whole name before a part, unless that one counts far more.
        assert_eq!(best((40, Kind::Own), (48, Kind::Part), 1.5), Some((0, 85)));
        assert_eq!(best((30, Kind::Own), (52, Kind::Part), 1.5), Some((1, 80)));
        assert_eq!(best((40, Kind::Spelling), (39, Kind::Own), 1.5), Some((1, 85)));
    }
}
