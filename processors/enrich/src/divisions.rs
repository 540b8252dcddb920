//! States and provinces: ISO 3166-2, which one a message means, and which lies in which.

use std::collections::HashMap;

use crate::spelling::normalised;

/// A state or province of a country.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Division {
    /// ISO 3166-2 without its country.
    pub code: &'static str,
    /// Two divisions of the same one can be a region and a province of it (Madrid: `MD` and `M`).
    /// A number or letters of GeoNames, not for show.
    pub within: &'static str,
    /// IANA time zone of all of it but a village or two, if it has one.
    pub zone: Option<&'static str>,
}

/// Those that a place of the table is in, by country.
#[derive(Debug, Default)]
pub struct Divisions {
    by_code: HashMap<(&'static str, &'static str), Division>,
    by_name: HashMap<(&'static str, String), Division>,
}

/// What a table puts behind the name that people use.
const KINDS: [&str; 10] = [
    " SHENG",
    " SHI",
    " ZIZHIQU",
    " PROVINCE",
    " STATE",
    " REGION",
    " OBLAST",
    " OBLAST'",
    " KEN",
    " FU",
];

impl Divisions {
    /// Reads `divisions.tsv`: country, code, what it lies within, time zone
    /// or nothing, name. A line that is none is left out.
    pub fn read(table: &'static str) -> Self {
        let mut divisions = Self::default();
        for line in table.lines() {
            let mut fields = line.split('\t');
            let (Some(country), Some(code), Some(within), Some(zone), Some(name)) =
                (fields.next(), fields.next(), fields.next(), fields.next(), fields.next())
            else {
                continue;
            };
            let zone = (!zone.is_empty()).then_some(zone);
            let division = Division { code, within, zone };
            divisions.by_code.insert((country, code), division);
            // "Dubayy [Dubai]"
            for name in name.split(['[', ']', '(', ')', '/']) {
                let name = normalised(name);
                let bare = KINDS.iter().find_map(|kind| name.strip_suffix(kind));
                if let Some(bare) = bare.filter(|bare| !bare.is_empty()) {
                    divisions.by_name.entry((country, bare.to_owned())).or_insert(division);
                }
                if !name.is_empty() {
                    divisions.by_name.insert((country, name), division);
                }
            }
        }
        divisions
    }

    /// The division that `text` is the code or the name of, in either case of letters. `None` for
    /// what the country has not: carriers have codes of their own there.
    pub fn find(&self, country: &'static str, text: &str) -> Option<Division> {
        let text = text.trim();
        // ISO 3166-2 in full: "US-GA".
        let code = text.strip_prefix(country).and_then(|rest| rest.strip_prefix('-'));
        let code = code.unwrap_or(text);
        if (1..=3).contains(&code.len()) && code.is_ascii() {
            let mut upper = [0; 3];
            let upper = upper.get_mut(..code.len())?;
            upper.copy_from_slice(code.as_bytes());
            upper.make_ascii_uppercase();
            let upper: &str = std::str::from_utf8(upper).ok()?;
            if let Some(found) = self.by_code.get(&(country, upper)) {
                return Some(*found);
            }
        }
        let name = normalised(text);
        if name.is_empty() {
            return None;
        }
        self.by_name.get(&(country, name)).copied()
    }

    /// What a place's division lies within; nothing where that is not known.
    pub fn within(&self, country: &str, code: &str) -> &'static str {
        self.by_code.get(&(country, code)).map_or("", |division| division.within)
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.by_code.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_division_is_known_by_its_code_or_name() {
        let divisions = Divisions::read(include_str!("../data/divisions.tsv"));
        let code = |country, text| divisions.find(country, text).map(|found| found.code);
        for (country, text, expect) in [
            ("US", "GA", Some("GA")),
            ("US", " ga ", Some("GA")),
            ("US", "US-GA", Some("GA")),
            ("US", "Georgia", Some("GA")),
            ("CN", "Jiangsu", Some("JS")),
            ("CA", "Québec", Some("QC")),
            ("CA", "GA", None),
            ("US", "ZZ", None),
            ("US", "Ã", None),
            ("US", "", None),
        ] {
            assert_eq!(code(country, text), expect, "{text:?}, {country}");
        }
    }
}
