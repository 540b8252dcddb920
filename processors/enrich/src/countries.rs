//! ISO 3166-1: which codes there are, and which country a name means.

use std::collections::BTreeMap;

/// As carriers write them, beside the names of the tables.
const ALIASES: [(&str, &str); 20] = [
    ("BOLIVIA (PLURINATIONAL STATE OF)", "BO"),
    ("BRUNEI DARUSSALAM", "BN"),
    ("COTE D'IVOIRE", "CI"),
    ("CZECH REPUBLIC", "CZ"),
    ("ENGLAND", "GB"),
    ("GREAT BRITAIN", "GB"),
    ("HONG KONG SAR", "HK"),
    ("IVORY COAST", "CI"),
    ("MACAO SAR", "MO"),
    ("NORTH KOREA", "KP"),
    ("PEOPLE'S REPUBLIC OF CHINA", "CN"),
    ("REPUBLIC OF KOREA", "KR"),
    ("RUSSIAN FEDERATION", "RU"),
    ("SOUTH KOREA", "KR"),
    ("SWAZILAND", "SZ"),
    ("THE NETHERLANDS", "NL"),
    ("TURKIYE", "TR"),
    ("U.S.A.", "US"),
    ("UK", "GB"),
    ("USA", "US"),
];

/// The table: 249 countries.
#[derive(Clone, Debug)]
pub struct Countries {
    /// Code to the time zone of the country, if it has one.
    codes: BTreeMap<&'static str, Option<&'static str>>,
    /// Upper-case name to code.
    names: BTreeMap<&'static str, &'static str>,
}

impl Countries {
    #[cfg(test)]
    pub(crate) fn bundled() -> Self {
        Self::read(include_str!("../data/countries.tsv"))
    }

    /// Reads `countries.tsv`: code, zone or nothing, names in upper case (ISO 3166-1 alpha-3 among
    /// them).
    pub fn read(table: &'static str) -> Self {
        let mut countries = Self { codes: BTreeMap::new(), names: ALIASES.into() };
        for line in table.lines() {
            let mut fields = line.split('\t');
            let (Some(code), Some(zone)) = (fields.next(), fields.next()) else { continue };
            countries.codes.insert(code, (!zone.is_empty()).then_some(zone));
            countries.names.extend(fields.map(|name| (name, code)));
        }
        countries
    }

    /// The alpha-2 code that `text` is, or that the country named `text` has; in either case of
    /// letters.
    pub fn code(&self, text: &str) -> Option<&'static str> {
        let text = text.trim();
        if let Some((code, _)) = self.codes.get_key_value(text) {
            return Some(code);
        }
        let upper = text.to_uppercase();
        let code = self.codes.get_key_value(upper.as_str()).map(|(code, _)| *code);
        let named = |name: &str| self.names.get(name).copied();
        // "HONG KONG SAR, CHINA"
        code.or_else(|| named(&upper)).or_else(|| named(upper.split_once(',')?.0.trim()))
    }

    /// IANA name of a country's time zone, if it has but one, or several that have shown the same
    /// time since 2000: the one that most of its people are in.
    pub fn zone(&self, code: &str) -> Option<&'static str> {
        self.codes.get(code).copied().flatten()
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &'static str> {
        self.codes.keys().copied()
    }

    #[cfg(test)]
    pub(crate) fn zones(&self) -> impl Iterator<Item = &'static str> {
        self.codes.values().copied().flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_and_names_are_understood() {
        let countries = Countries::bundled();
        assert_eq!(countries.codes.len(), 249);
        for (text, code) in [
            ("NL", Some("NL")),
            ("nl", Some("NL")),
            (" DK ", Some("DK")),
            ("Denmark", Some("DK")),
            ("UNITED STATES", Some("US")),
            ("Viet Nam", Some("VN")),
            ("Vietnam", Some("VN")),
            ("Türkiye", Some("TR")),
            ("UK", Some("GB")),
            ("Korea, Republic of", Some("KR")),
            ("South Korea", Some("KR")),
            ("Bahamas", Some("BS")),
            ("JAM", Some("JM")),
            ("Taiwan, China", Some("TW")),
            ("Hong Kong SAR, China", Some("HK")),
            ("XZ", None),
            ("ZZ", None),
            ("Atlantis", None),
            ("", None),
        ] {
            assert_eq!(countries.code(text), code, "{text:?}");
        }
    }

    #[test]
    fn a_country_may_have_one_zone_or_several() {
        let countries = Countries::bundled();
        for (code, zone) in [
            ("NL", Some("Europe/Amsterdam")),
            ("DE", Some("Europe/Berlin")),
            ("CN", Some("Asia/Shanghai")),
            ("US", None),
            ("ZZ", None),
            ("XZ", None),
        ] {
            assert_eq!(countries.zone(code), zone, "{code}");
        }
    }
}
