//! Which place a name means: a city and a country, and a state or province if the message has one.
//!
//! | score | what agrees |
//! |---|---|
//! | 100 | the name, letter by letter, and the subdivision |
//! | 90 | the name, and no other place of the country has it |
//! | 85 | the name; several places have it, and only one of them is a port, an airport or a rail terminal |
//! | 80 | the name without what carriers put around it (`PORT OF`, `AIRPORT`, …), by one of the above |
//! | 50 | the name; several places have it: none is taken |
//!
//! Below [`ENOUGH`] nothing is taken for known. Names are compared without case, accents and
//! punctuation; `ST` is `SAINT`.

use std::collections::HashMap;
use std::sync::OnceLock;

use crate::{Place, Places};

/// A match of less is no match.
pub const ENOUGH: u8 = 80;

/// Port, rail terminal, airport, inland port.
const TERMINAL: u8 = 0b0001_1011;

/// Names of the places of each country, made when the country is first asked for.
#[derive(Debug, Default)]
pub(crate) struct Names(HashMap<String, OnceLock<Country>>);

type Country = HashMap<String, Vec<u32>>;

/// A place found by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Match {
    /// In the table.
    pub position: usize,
    pub score: u8,
}

impl Names {
    pub(crate) fn new<'a>(countries: impl Iterator<Item = &'a str>) -> Self {
        Self(countries.map(|code| (code.to_owned(), OnceLock::new())).collect())
    }

    /// The place that is meant, if the score is [`ENOUGH`].
    pub(crate) fn find(
        &self,
        places: &Places,
        country: &str,
        city: &str,
        region: Option<&str>,
    ) -> Option<Match> {
        self.find_normalised(places, country, &normalised(city), region)
    }

    /// As [`Self::find`], also without the words that carriers put around a name.
    pub(crate) fn find_loosely(
        &self,
        places: &Places,
        country: &str,
        city: &str,
        region: Option<&str>,
    ) -> Option<Match> {
        let name = normalised(city);
        if let Some(found) = self.find_normalised(places, country, &name, region) {
            return Some(found);
        }
        let bare = without_words(&name);
        if bare == name || bare.is_empty() {
            return None;
        }
        let found = self.find_normalised(places, country, bare, region)?;
        Some(Match { score: ENOUGH, ..found })
    }

    fn find_normalised(
        &self,
        places: &Places,
        country: &str,
        name: &str,
        region: Option<&str>,
    ) -> Option<Match> {
        let index = self.0.get(country)?.get_or_init(|| index(places, country));
        best(places, index.get(name)?, region).filter(|m| m.score >= ENOUGH)
    }
}

fn best(places: &Places, positions: &[u32], region: Option<&str>) -> Option<Match> {
    let all = || {
        positions.iter().filter_map(|n| {
            let position = usize::try_from(*n).ok()?;
            Some((position, places.get(position)?))
        })
    };
    let matched = |(position, _): (usize, Place), score| Match { position, score };
    if let Some(region) = region {
        let region = region.trim();
        let same = |(_, place): &(usize, Place)| place.division.eq_ignore_ascii_case(region);
        if let Some(found) = all().find(same) {
            return Some(matched(found, 100));
        }
        // It names another division than any place of the name is in.
        let is_division = region.len() <= 3;
        if is_division && all().any(|(_, place)| !place.division.is_empty()) {
            return all().next().map(|found| matched(found, 50));
        }
    }
    if let [_] = positions {
        return all().next().map(|found| matched(found, 90));
    }
    let mut terminals = all().filter(|(_, place)| place.functions & TERMINAL != 0);
    match (terminals.next(), terminals.next()) {
        (Some(only), None) => Some(matched(only, 85)),
        _ => all().next().map(|found| matched(found, 50)),
    }
}

fn index(places: &Places, country: &str) -> Country {
    let mut index = Country::new();
    for position in places.of_country(country) {
        let (Some(place), Ok(n)) = (places.get(position), u32::try_from(position)) else {
            continue;
        };
        index.entry(normalised(place.name)).or_default().push(n);
        // UN/LOCODE writes two names of one place so: "Bruxelles (Brussel)", "Genève/Geneva".
        for other in place.name.split(['(', ')', '/']).filter(|part| *part != place.name) {
            let other = normalised(other);
            if !other.is_empty() {
                let positions = index.entry(other).or_default();
                if !positions.contains(&n) {
                    positions.push(n);
                }
            }
        }
    }
    index
}

/// Upper case letters and digits, words apart by one blank, without accents.
pub(crate) fn normalised(name: &str) -> String {
    let mut text = String::with_capacity(name.len());
    for c in deunicode::AsciiChars::ascii_chars(name).flat_map(|ascii| ascii.unwrap_or(" ").chars())
    {
        if c.is_ascii_alphanumeric() {
            text.push(c.to_ascii_uppercase());
        } else if c != '\'' && !text.ends_with(' ') && !text.is_empty() {
            text.push(' ');
        }
    }
    text.truncate(text.trim_end().len());
    match text.strip_prefix("ST ") {
        Some(rest) => ["SAINT ", rest].concat(),
        None => text,
    }
}

fn without_words(name: &str) -> &str {
    const BEFORE: [&str; 4] = ["PORT OF ", "CITY OF ", "PORT ", "GREATER "];
    const BEHIND: [&str; 8] = [
        " INTERNATIONAL AIRPORT",
        " INTL AIRPORT",
        " AIRPORT",
        " APT",
        " PORT",
        " CITY",
        " RAMP",
        " HUB",
    ];
    let name = BEFORE.iter().find_map(|word| name.strip_prefix(word)).unwrap_or(name);
    BEHIND.iter().find_map(|word| name.strip_suffix(word)).unwrap_or(name).trim()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_compared_without_case_accents_and_punctuation() {
        for (name, expect) in [
            ("Zürich", "ZURICH"),
            ("  são  paulo ", "SAO PAULO"),
            ("St. Petersburg", "SAINT PETERSBURG"),
            ("Val-d'Oise", "VAL DOISE"),
            ("上海", "SHANG HAI"),
            ("", ""),
        ] {
            assert_eq!(normalised(name), expect, "{name}");
        }
    }

    #[test]
    fn a_place_is_found_by_its_name_or_not_at_all() {
        let places = Places::bundled();
        let names = Names::new(["US", "DE", "GB", "CH", "CN"].into_iter());
        for (country, city, region, expect) in [
            ("DE", "Hamburg", None, Some(("DEHAM", 90))),
            ("US", "SAVANNAH", Some("GA"), Some(("USSAV", 100))),
            ("US", "PORT WENTWORTH", Some("GA"), Some(("USPWN", 100))),
            // Fourteen of them, and the message does not say which.
            ("US", "Springfield", None, None),
            ("US", "Springfield", Some("IL"), Some(("USSPI", 100))),
            // There is a Savannah, but not in Alaska.
            ("US", "Savannah", Some("AK"), None),
            ("CH", "ZUERICH", None, None),
            ("CH", "Zurich", None, Some(("CHZRH", 90))),
            ("DE", "Port of Hamburg", None, Some(("DEHAM", 80))),
            ("DE", "Atlantis", None, None),
            ("XX", "Hamburg", None, None),
        ] {
            let found = names.find_loosely(&places, country, city, region);
            let found = found.map(|m| (places.get(m.position).unwrap().code, m.score));
            assert_eq!(found, expect, "{city}, {region:?}, {country}");
        }
    }
}
