//! UN/LOCODE, as `data/make.py` packed it: read in place, so that it costs no time to load and no
//! memory but the pages that are touched.

/// Degrees, WGS 84; north and east positive.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Coordinates {
    pub latitude: f64,
    pub longitude: f64,
}

impl Coordinates {
    /// `None` for what is no point on earth, and for 0° N 0° E: devices without a fix send it,
    /// and nothing but a buoy is there.
    pub fn new(latitude: f64, longitude: f64) -> Option<Self> {
        let on_earth = latitude.abs() <= 90.0 && longitude.abs() <= 180.0;
        let no_fix = latitude == 0.0 && longitude == 0.0;
        (on_earth && !no_fix).then_some(Self { latitude, longitude })
    }
}

/// A place of UN/LOCODE, or a city that it does not list.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Place {
    /// UN/LOCODE, five characters; nothing for a city that has none.
    pub code: &'static str,
    pub name: &'static str,
    /// ISO 3166-1 alpha-2; `XZ` for installations in international waters.
    pub country: &'static str,
    /// To the minute of arc: up to 1.3 km off. One place in five has none.
    pub coordinates: Option<Coordinates>,
    /// IANA time zone.
    pub zone: Option<&'static str>,
    /// ISO 3166-2 subdivision without its country, or nothing.
    pub division: &'static str,
    /// Bit n: function n + 1 of UN/LOCODE.
    pub functions: u8,
    /// How much goes on there, to compare places of one name: 8 log10 of its people, or of what
    /// its port and airport are worth in people. 24: a village of 1,000; 48: a city of a million.
    pub rank: u8,
}

/// How a name stands to its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// The name in UN/LOCODE, or GeoNames'.
    Own,
    /// Another spelling, in this language or another: `Munich`.
    Spelling,
    /// A part of it: `New York` of `Astoria/New York`.
    Part,
}

const RECORD: usize = 19;
const SPELLING: usize = 7;
const UNKNOWN: i16 = i16::MIN;

/// The table: 115,770 places of UN/LOCODE, and 24,686 towns and harbours that it lacks.
#[derive(Clone, Debug, Default)]
pub struct Places {
    /// Ascending by code, their first five bytes.
    records: &'static [[u8; RECORD]],
    /// Ascending by place, their first three bytes.
    spellings: &'static [[u8; SPELLING]],
    pool: &'static [u8],
    zones: Vec<&'static str>,
}

impl Places {
    pub fn bundled() -> Self {
        // A table that does not fit its own header would be an empty one: a test counts.
        Self::read(include_bytes!("../data/places.bin")).unwrap_or_default()
    }

    /// `None` for what is no such table.
    pub fn read(table: &'static [u8]) -> Option<Self> {
        let (count, rest) = u32_le(table)?;
        let (spelling_count, rest) = u32_le(rest)?;
        let (zone_count, rest) = u32_le(rest)?;
        let (pool_length, rest) = u32_le(rest)?;
        let (records, rest) = rest.split_at_checked(count.checked_mul(RECORD)?)?;
        let (records, _) = records.as_chunks::<RECORD>();
        let (spellings, rest) = rest.split_at_checked(spelling_count.checked_mul(SPELLING)?)?;
        let (spellings, _) = spellings.as_chunks::<SPELLING>();
        let (pool, mut rest) = rest.split_at_checked(pool_length)?;
        let mut zones = Vec::with_capacity(zone_count.min(rest.len()));
        for _ in 0..zone_count {
            let zone = text_at(rest, 0)?;
            zones.push(zone);
            rest = rest.get(1 + zone.len()..)?;
        }
        Some(Self { records, spellings, pool, zones })
    }

    pub fn len(&self) -> usize {
        self.records.len()
    }

    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// The place of a UN/LOCODE in upper case, such as `NLRTM`.
    pub fn lookup(&self, unlocode: &str) -> Option<Place> {
        self.get(self.position(unlocode)?)
    }

    /// Where in the table a UN/LOCODE stands.
    pub fn position(&self, unlocode: &str) -> Option<usize> {
        let code: [u8; 5] = unlocode.as_bytes().try_into().ok()?;
        if code.contains(&b' ') {
            return None;
        }
        self.records.binary_search_by(|r| r.first_chunk::<5>().cmp(&Some(&code))).ok()
    }

    /// The place at a position.
    pub fn get(&self, position: usize) -> Option<Place> {
        let (code, rest) = self.records.get(position)?.split_first_chunk::<5>()?;
        let (&[n0, n1, n2, lat0, lat1, lon0, lon1, z0, z1], rest) = rest.split_first_chunk()?;
        let (division, rest) = rest.split_first_chunk::<3>()?;
        let &[functions, rank] = rest.first_chunk()?;
        let code = std::str::from_utf8(code).ok()?;
        let name = u32::from_le_bytes([n0, n1, n2, 0]);
        let latitude = i16::from_le_bytes([lat0, lat1]);
        let longitude = i16::from_le_bytes([lon0, lon1]);
        let zone = u16::from_le_bytes([z0, z1]);
        Some(Place {
            code: if code.contains(' ') { "" } else { code },
            name: text_at(self.pool, usize::try_from(name).ok()?)?,
            country: code.get(..2)?,
            coordinates: (latitude != UNKNOWN).then(|| Coordinates {
                latitude: f64::from(latitude) / 60.0,
                longitude: f64::from(longitude) / 60.0,
            }),
            zone: self.zones.get(usize::from(zone)).copied(),
            division: std::str::from_utf8(division).ok()?.trim_end(),
            functions,
            rank,
        })
    }

    /// Every name of the places of a country, with the position of its place.
    pub fn names_of_country(
        &self,
        country: &str,
    ) -> impl Iterator<Item = (usize, &'static str, Kind)> + '_ {
        let range = self.of_country(country);
        let place = |spelling: &[u8; SPELLING]| {
            let [n0, n1, n2, ..] = *spelling;
            usize::try_from(u32::from_le_bytes([n0, n1, n2, 0])).unwrap_or(usize::MAX)
        };
        let first = self.spellings.partition_point(|spelling| place(spelling) < range.start);
        let others = self.spellings.get(first..).unwrap_or_default().iter();
        let end = range.end;
        let others = others.map(move |s| (place(s), s)).take_while(move |(n, _)| *n < end);
        let others = others.filter_map(|(n, [_, _, _, n0, n1, n2, kind])| {
            let name = usize::try_from(u32::from_le_bytes([*n0, *n1, *n2, 0])).ok()?;
            let kind = match kind {
                0 => Kind::Own,
                1 => Kind::Spelling,
                _ => Kind::Part,
            };
            Some((n, text_at(self.pool, name)?, kind))
        });
        range.filter_map(|n| Some((n, self.get(n)?.name, Kind::Own))).chain(others)
    }

    /// Positions of the places of a country.
    pub fn of_country(&self, country: &str) -> std::ops::Range<usize> {
        let bytes = country.as_bytes();
        let start = self.records.partition_point(|r| r.get(..2) < Some(bytes));
        let end = self.records.partition_point(|r| r.get(..2) <= Some(bytes));
        start..end
    }

    /// In ascending order of their codes.
    pub fn iter(&self) -> impl Iterator<Item = Place> + '_ {
        (0..self.len()).filter_map(|n| self.get(n))
    }
}

/// A text behind its length.
fn text_at(texts: &'static [u8], at: usize) -> Option<&'static str> {
    let (length, text) = texts.get(at..)?.split_first()?;
    std::str::from_utf8(text.get(..usize::from(*length))?).ok()
}

fn u32_le(bytes: &'static [u8]) -> Option<(usize, &'static [u8])> {
    let (number, rest) = bytes.split_first_chunk::<4>()?;
    Some((usize::try_from(u32::from_le_bytes(*number)).ok()?, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// SOURCES.md's figures: a table cut short or made from something else is not this one.
    #[test]
    fn the_table_is_whole() {
        let places = Places::bundled();
        assert_eq!(places.len(), 140_455);
        let all: Vec<_> = places.iter().collect();
        assert_eq!(all.len(), places.len(), "every record can be read");
        let coded: Vec<_> = all.iter().filter(|place| !place.code.is_empty()).collect();
        assert_eq!(coded.len(), 115_770);
        assert!(coded.is_sorted_by(|a, b| a.code < b.code), "ascending, each code once");
        assert_eq!(all.iter().filter(|p| p.coordinates.is_some()).count(), 134_075);
        assert_eq!(all.iter().filter(|p| p.zone.is_some()).count(), 139_186);
        assert_eq!(places.zones.len(), 413);
        for place in all {
            assert!(!place.name.is_empty(), "{}", place.code);
            if !place.code.is_empty() {
                assert_eq!(places.lookup(place.code), Some(place));
            }
            if let Some(c) = place.coordinates {
                assert!(c.latitude.abs() <= 90.0 && c.longitude.abs() <= 180.0, "{}", place.code);
            }
        }
    }

    #[track_caller]
    fn check(code: &str, name: &str, latitude: f64, longitude: f64, zone: &str) {
        let place = Places::bundled().lookup(code).unwrap();
        assert_eq!((place.name, place.country), (name, &code[..2]));
        assert_eq!(place.zone, Some(zone), "{code}");
        let at = place.coordinates.unwrap();
        let near = |a: f64, b: f64| (a - b).abs() < 0.2;
        assert!(near(at.latitude, latitude) && near(at.longitude, longitude), "{code}: {at:?}");
    }

    #[test]
    fn places_are_where_they_are() {
        // in UN/LOCODE with coordinates, in each quarter of the globe
        check("NLRTM", "Rotterdam", 51.92, 4.5, "Europe/Amsterdam");
        check("USNYC", "New York", 40.7, -74.0, "America/New_York");
        check("BRSSZ", "Santos", -23.95, -46.33, "America/Sao_Paulo");
        check("AUSYD", "Sydney", -33.87, 151.2, "Australia/Sydney");
        // from the overlay
        check("SGSIN", "Singapore", 1.27, 103.8, "Asia/Singapore");
        check("USLAX", "Los Angeles", 33.74, -118.27, "America/Los_Angeles");
        check("CNSHA", "Shanghai", 31.23, 121.47, "Asia/Shanghai");
        check("CNYTN", "Yantian Pt", 22.57, 114.27, "Asia/Shanghai");
    }

    #[test]
    fn a_place_without_coordinates_has_the_zone_of_its_subdivision() {
        let places = Places::bundled();
        let place = places.lookup("USAKW").unwrap();
        assert_eq!((place.coordinates, place.zone), (None, Some("America/New_York")));
    }

    #[test]
    fn what_is_no_code_is_not_found() {
        for code in ["", "NLRT", "NLRTMX", "nlrtm", "ZZZZZ", "AA000", "ÄÖab", "     "] {
            assert_eq!(Places::bundled().lookup(code), None, "{code:?}");
        }
    }

    #[test]
    fn a_table_cut_short_is_refused_where_it_is_read() {
        let table: &'static [u8] = include_bytes!("../data/places.bin");
        for end in [0, 11, 12, 40_000, table.len() - 1] {
            assert!(Places::read(&table[..end]).is_none(), "{end}");
        }
    }

    #[test]
    fn coordinates_are_on_earth() {
        for (latitude, longitude, valid) in [
            (51.9, 4.5, true),
            (-90.0, 180.0, true),
            (0.0, 6.6, true),
            (90.1, 0.0, false),
            (0.0, -180.1, false),
            (f64::NAN, 4.5, false),
            (4.5, f64::INFINITY, false),
            (0.0, 0.0, false),
        ] {
            assert_eq!(Coordinates::new(latitude, longitude).is_some(), valid, "{latitude}");
        }
    }
}
