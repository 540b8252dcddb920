//! Time zones: by name, and by coordinates.

use std::fmt;
use std::sync::{Arc, OnceLock};

use jiff::tz::{TimeZone, TimeZoneDatabase};
use tzf_rs::EmbeddedFinder;

use crate::Coordinates;

/// A zone and its rules; the name is shared by all events that are in it.
#[derive(Clone, Debug)]
pub struct Zone {
    /// IANA name.
    pub name: Arc<str>,
    pub rules: TimeZone,
}

/// Every zone of the bundled tz database; one is read when it is first asked for.
pub struct Zones {
    database: TimeZoneDatabase,
    /// Ascending by name.
    zones: Vec<(Box<str>, OnceLock<Option<Zone>>)>,
    /// Reads its boundaries where they lie in the binary. The other finder of the crate unpacks
    /// them: faster, and 60 MB.
    finder: EmbeddedFinder,
}

impl Zones {
    pub fn bundled() -> Self {
        let database = TimeZoneDatabase::bundled();
        let mut zones: Vec<_> = database
            .available()
            .map(|name| (Box::<str>::from(name.as_str()), OnceLock::new()))
            .collect();
        zones.sort_by(|(a, _), (b, _)| a.cmp(b));
        Self { database, zones, finder: EmbeddedFinder::new() }
    }

    /// By IANA name.
    pub fn get(&self, name: &str) -> Option<&Zone> {
        let at = self.zones.binary_search_by(|(n, _)| (**n).cmp(name)).ok()?;
        let (_, zone) = self.zones.get(at)?;
        let read = || Some(Zone { name: name.into(), rules: self.database.get(name).ok()? });
        zone.get_or_init(read).as_ref()
    }

    /// The zone of a point; at sea the nautical one (`Etc/GMT+5`).
    pub fn at(&self, point: Coordinates) -> Option<&Zone> {
        self.get(self.finder.get_tz_name(point.longitude, point.latitude))
    }
}

impl fmt::Debug for Zones {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Zones({}, boundaries {})", self.zones.len(), self.finder.data_version())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::{Countries, Places};

    /// The tables and the boundaries are of other releases than the rules.
    #[test]
    fn every_zone_that_a_table_names_has_rules() {
        let zones = Zones::bundled();
        let (places, countries) = (Places::bundled(), Countries::bundled());
        let mut names: BTreeSet<&str> = places.iter().filter_map(|place| place.zone).collect();
        names.extend(countries.zones());
        for name in names.into_iter().chain(zones.finder.timezonenames()) {
            assert!(zones.get(name).is_some(), "{name}");
        }
    }

    #[test]
    fn points_have_zones() {
        let zones = Zones::bundled();
        for (latitude, longitude, zone) in [
            (48.86, 2.29, "Europe/Paris"),
            (-34.6, -58.4, "America/Argentina/Buenos_Aires"),
            (10.0, -150.0, "Etc/GMT+10"),
            (90.0, 180.0, "Etc/GMT-12"),
        ] {
            let found = zones.at(Coordinates::new(latitude, longitude).unwrap());
            assert_eq!(found.map(|z| &*z.name), Some(zone), "{latitude} {longitude}");
        }
        assert!(zones.get("Europe/Atlantis").is_none());
    }
}
