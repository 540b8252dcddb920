//! What a message writes as a city, taken apart: `SAVANNAH, GA 31401, USA` is a city, a state and
//! a country, and so may `NEW YORK NY` be.

use std::rc::Rc;

use crate::Countries;
use crate::divisions::{Division, Divisions};
use crate::names::{PORT, TERMINAL};
use crate::spelling::{normalised, without_umlauts, without_words};

/// City, state and country as they stand in one text, beside what the message says of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Written<'a> {
    pub city: &'a str,
    pub region: Option<&'a str>,
    /// ISO 3166-1 alpha-2.
    pub country: Option<&'static str>,
}

/// Countries whose states a message names without the country: no other carrier's city stands so.
pub(crate) const BY_STATE: [&str; 2] = ["US", "CA"];

/// Countries that some carriers write as another, which has them as states or not at all.
const WRITTEN_AS: [(&str, &[&str]); 6] = [
    ("CN", &["HK", "MO", "TW"]),
    ("US", &["PR", "VI", "GU", "AS", "MP"]),
    ("GB", &["GG", "JE", "IM", "GI"]),
    ("FR", &["GP", "MQ", "GF", "RE", "YT", "MC", "NC", "PF"]),
    ("NL", &["CW", "AW", "SX", "BQ"]),
    ("DK", &["FO", "GL"]),
];

/// The countries that are written as this one.
pub(crate) fn written_as(country: &str) -> &'static [&'static str] {
    WRITTEN_AS.iter().find(|(of, _)| *of == country).map_or(&[], |(_, also)| also)
}

impl<'a> Written<'a> {
    /// Takes apart what stands behind commas. What is none of the three is passed over: a ZIP
    /// code, a district.
    pub(crate) fn read(
        text: &'a str,
        region: Option<&'a str>,
        country: Option<&'static str>,
        countries: &Countries,
        divisions: &Divisions,
    ) -> Self {
        let mut written = Self { city: text, region, country };
        // "SAN JUAN, PR, US"
        let part_of = |of, region| {
            let country = countries.code(region)?;
            written_as(of).contains(&country).then_some(country)
        };
        if let Some(own) = country.zip(region).and_then(|(of, region)| part_of(of, region)) {
            written = Self { city: text, region: None, country: Some(own) };
        }
        let Some((city, rest)) = text.split_once(',') else { return written };
        for part in rest.rsplit(',').map(without_zip) {
            let named = countries.code(part);
            let state = |country| divisions.find(country, part).is_some();
            match written.country {
                // A country in full: "GA" is a state before it is Gabon.
                None if named.is_some() && part.len() > 3 => written.country = named,
                None if written.region.is_none() && BY_STATE.iter().any(|us| state(us)) => {
                    written.region = Some(part);
                }
                None if named.is_some() && !BY_STATE.iter().any(|us| state(us)) => {
                    written.country = named;
                }
                Some(country) if named == Some(country) => {}
                Some(country) if part_of(country, part).is_some() => {
                    written.country = part_of(country, part);
                }
                Some(country) if written.region.is_none() && state(country) => {
                    written.region = Some(part);
                }
                _ => continue,
            }
            written.city = city;
        }
        written
    }
}

fn without_zip(part: &str) -> &str {
    part.trim().trim_end_matches(|c: char| c.is_ascii_digit() || c == '-' || c == ' ')
}

/// Another way to read what was written as a city, surer ones first.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Reading {
    /// Normalised.
    pub name: String,
    pub state: Option<Division>,
    /// What was left out or changed counts less.
    pub sure: Sure,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sure {
    AsWritten,
    /// Another spelling: `KOELN`.
    Spelling,
    /// A ZIP code, the state or the country was left out behind it.
    WithoutTail,
    /// Words or a part were left out: what is left has to be a place with one of these functions
    /// of UN/LOCODE, or a city.
    Loosely(u8),
}

/// The readings of a city in a country, one after the other: most messages need but the first.
pub(crate) fn readings<'a>(
    written: Written<'a>,
    country: &'static str,
    countries: &'a Countries,
    divisions: &'a Divisions,
) -> impl Iterator<Item = Reading> + 'a {
    let name = Rc::new(normalised(written.city));
    let state = written.region.and_then(|region| divisions.find(country, region));
    let reading = move |name: String, sure| Reading { name, state, sure };
    let first = reading(name.to_string(), Sure::AsWritten);
    let umlauts = {
        let name = name.clone();
        let read = move || Some(reading(without_umlauts(&name)?, Sure::Spelling));
        std::iter::once_with(read).flatten()
    };
    let tail = {
        let name = name.clone();
        let read = move || without_tail(&name, state, country, countries, divisions);
        std::iter::once_with(read).flatten()
    };
    let bare = std::iter::once_with(move || bare_readings(&name, state));
    // "Frankfurt/Main", "Kowloon (Hong Kong)", "Rotterdam - Maasvlakte"
    let parts = written.city.split(['/', '(', ')', ',', '-', ';']);
    let parts = parts.filter(move |part| *part != written.city).map(normalised);
    let parts = parts.filter(|part| part.len() > 2).take(MOST_PARTS).flat_map(move |part| {
        let bare = bare_readings(&part, state);
        std::iter::once(reading(part, loosely(false))).chain(bare)
    });
    std::iter::once(first).chain(umlauts).chain(tail).chain(bare.flatten()).chain(parts)
}

/// Without the words around it, one after the other: `ISHIKARI BAY NEW PORT`.
fn bare_readings(name: &str, state: Option<Division>) -> Vec<Reading> {
    let mut readings = Vec::new();
    let (mut left, mut of_harbour) = (name, false);
    while let Some((bare, is_harbour)) = without_words(left) {
        of_harbour |= is_harbour;
        left = bare;
        readings.push(Reading { name: bare.to_owned(), state, sure: loosely(of_harbour) });
    }
    readings
}

fn loosely(is_harbour: bool) -> Sure {
    Sure::Loosely(if is_harbour { PORT } else { TERMINAL })
}

/// Of a name that is none as a whole.
const MOST_PARTS: usize = 3;

/// Without a ZIP code, the country and the state behind the name: `MUNICH GERMANY`,
/// `NEW YORK NY 10001`.
fn without_tail(
    name: &str,
    mut state: Option<Division>,
    country: &'static str,
    countries: &Countries,
    divisions: &Divisions,
) -> Option<Reading> {
    let mut left = name;
    while let Some((rest, last)) = left.rsplit_once(' ') {
        let is_zip = last.bytes().any(|b| b.is_ascii_digit());
        let is_country = countries.code(last) == Some(country);
        let named = divisions.find(country, last);
        if named.is_some() && (state.is_none() || state == named) {
            state = named;
        } else if !is_zip && !is_country {
            break;
        }
        left = rest;
    }
    (left != name).then(|| Reading { name: left.to_owned(), state, sure: Sure::WithoutTail })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Tables;

    #[test]
    fn what_stands_behind_commas_is_a_state_or_a_country() {
        let tables = Tables::bundled();
        let read = |text, region, country| {
            let Tables { countries, divisions, .. } = &tables;
            let Written { city, region, country } =
                Written::read(text, region, country, countries, divisions);
            (city, region, country)
        };
        for (text, country, expect) in [
            ("SAVANNAH", None, ("SAVANNAH", None, None)),
            ("SAVANNAH, GA", None, ("SAVANNAH", Some("GA"), None)),
            ("SAVANNAH, GA 31401", None, ("SAVANNAH", Some("GA"), None)),
            ("SAVANNAH, GA 31401-1234, USA", None, ("SAVANNAH", Some("GA"), Some("US"))),
            ("Hamburg, Germany", None, ("Hamburg", None, Some("DE"))),
            ("Hamburg, Germany", Some("DE"), ("Hamburg", None, Some("DE"))),
            ("Rotterdam, Maasvlakte", Some("NL"), ("Rotterdam, Maasvlakte", None, Some("NL"))),
            ("", None, ("", None, None)),
            (",", None, (",", None, None)),
        ] {
            assert_eq!(read(text, None, country), expect, "{text}");
        }
        assert_eq!(read("Savannah, GA", Some("AK"), None), ("Savannah, GA", Some("AK"), None));
    }

    #[test]
    fn a_city_can_be_read_in_several_ways() {
        let Tables { countries, divisions, .. } = &Tables::bundled();
        for (city, country, expect) in [
            ("HAMBURG", "DE", &["HAMBURG"][..]),
            ("KOELN", "DE", &["KOELN", "KOLN"]),
            ("MUNICH GERMANY", "DE", &["MUNICH GERMANY", "MUNICH"]),
            ("NEW YORK NY 10001", "US", &["NEW YORK NY 10001", "NEW YORK"]),
            ("Port of Tacoma", "US", &["PORT OF TACOMA", "TACOMA"]),
            ("Frankfurt/Main", "DE", &["FRANKFURT MAIN", "FRANKFURT", "MAIN"]),
            (
                "Mina Tarabulus (Tripoli)",
                "LY",
                &[
                    "MINA TARABULUS TRIPOLI",
                    "TARABULUS TRIPOLI",
                    "MINA TARABULUS",
                    "TARABULUS",
                    "TRIPOLI",
                ],
            ),
            ("", "DE", &[""]),
        ] {
            let written = Written { city, ..Written::default() };
            let readings = readings(written, country, countries, divisions);
            let names: Vec<_> = readings.map(|reading| reading.name).collect();
            assert_eq!(names, expect, "{city}");
        }
    }
}
