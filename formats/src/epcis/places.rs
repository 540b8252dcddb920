//! Where: a read point or business location, and what the header's master data says of it (EPCIS
//! 2.0 sections 7.3.5.4 and 7.1.2, CBV 2.0 section 9.3).
//!
//! | written | read as |
//! |---|---|
//! | SGLN as EPC URI or Digital Link 414 | facility `GLN/4012345000054`, with its extension `GLN/4012345000054.122` |
//! | `geo:47.5,11.1` (RFC 5870) | coordinates |
//! | another URI | facility `URI/…` |

use std::collections::HashMap;

use waybill_schemas::Place;
use waybill_stage::Reject;

use super::gs1::Key;
use super::node::Node;
use super::wire_json;
use crate::wrong::At;
use crate::{limits, text};

/// Master data of locations, by their ids.
#[derive(Debug, Default)]
pub(super) struct Places(HashMap<String, Place>);

impl Places {
    /// The header of an XML document.
    pub(super) fn of_xml(header: &Node<'_>) -> Self {
        let mut places = Self::default();
        let lists = header.all("EPCISMasterData").flat_map(|data| data.all("VocabularyList"));
        for vocabulary in lists.flat_map(|list| list.all("Vocabulary")) {
            let elements = vocabulary.all("VocabularyElementList");
            let elements = elements.flat_map(|list| list.all("VocabularyElement"));
            let of = |node: &Node<'_>| {
                let name = node.child("id")?.trimmed()?.to_owned();
                Some((name, node.trimmed()?.to_owned()))
            };
            for element in elements {
                places.add(vocabulary, element, element.all("attribute").filter_map(of));
            }
        }
        places
    }

    /// The header of a JSON-LD document. One that cannot be read says nothing.
    pub(super) fn of_json(header: &str) -> Self {
        let mut places = Self::default();
        let Some(header) = wire_json::node_of("epcisHeader", header) else { return places };
        let lists = header.all("epcisMasterData").flat_map(|data| data.all("vocabularyList"));
        for vocabulary in lists {
            let of = |node: &Node<'_>| {
                let name = node.child("id")?.trimmed()?.to_owned();
                Some((name, node.child("attribute")?.trimmed()?.to_owned()))
            };
            for element in vocabulary.all("vocabularyElementList") {
                places.add(vocabulary, element, element.all("attributes").filter_map(of));
            }
        }
        places
    }

    fn add(
        &mut self,
        vocabulary: &Node<'_>,
        element: &Node<'_>,
        attributes: impl Iterator<Item = (String, String)>,
    ) {
        let text =
            |node: &Node<'_>, name| node.child(name).and_then(Node::trimmed).map(str::to_owned);
        let is_place = |kind: &String| {
            kind.ends_with(":Location")
                || kind.ends_with(":BusinessLocation")
                || kind.ends_with(":ReadPoint")
        };
        let (Some(_), Some(id)) = (text(vocabulary, "type").filter(is_place), text(element, "id"))
        else {
            return;
        };
        let mut place = Place::default();
        let (mut latitude, mut longitude) = (None, None);
        for (name, value) in attributes {
            let value = text::clipped(&value, limits::NAME);
            // `urn:epcglobal:cbv:mda#city`, `cbvmda:city`.
            match name.rsplit(['#', ':', '/']).next().unwrap_or_default() {
                "name" => place.name = value,
                "city" => place.city = value,
                "state" => place.region = value,
                "postalCode" => place.postal_code = value,
                "countryCode" => place.country = value,
                "latitude" => latitude = value.and_then(|value| degrees(&value, 90.0)),
                "longitude" => longitude = value.and_then(|value| degrees(&value, 180.0)),
                _ => {}
            }
        }
        if let (Some(latitude), Some(longitude)) = (latitude, longitude) {
            (place.latitude, place.longitude) = (Some(latitude), Some(longitude));
        }
        self.0.insert(id, place);
    }

    /// The place with that id.
    pub(super) fn read(&self, id: &str, at: At) -> Result<Place, Reject> {
        let mut place = self.0.get(id).cloned().unwrap_or_default();
        if let Some(rest) = id.strip_prefix("geo:") {
            let (latitude, longitude) = geo(rest)
                .ok_or_else(|| at.invalid("a geo URI (RFC 5870) with degrees in WGS 84"))?;
            (place.latitude, place.longitude) = (Some(latitude), Some(longitude));
            return Ok(place);
        }
        let key = Key::read(id);
        let gln = key.as_ref().filter(|key| matches!(key.primary().0, "414" | "417"));
        place.facility = Some(match gln {
            Some(key) => match key.qualifier() {
                Some(extension) => ["GLN/", key.primary().1, ".", extension].concat(),
                None => ["GLN/", key.primary().1].concat(),
            },
            None => ["URI/", id].concat(),
        });
        Ok(place)
    }
}

fn degrees(text: &str, limit: f64) -> Option<f64> {
    text.trim().parse::<f64>().ok().filter(|degrees| degrees.abs() <= limit)
}

/// After `geo:`. Altitude and accuracy are left out; another reference system than WGS 84 is none
/// of ours.
fn geo(rest: &str) -> Option<(f64, f64)> {
    let mut parameters = rest.split(';');
    let mut coordinates = parameters.next()?.split(',');
    let foreign = |parameter: &str| {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        name.eq_ignore_ascii_case("crs") && !value.eq_ignore_ascii_case("wgs84")
    };
    if parameters.any(foreign) {
        return None;
    }
    Some((degrees(coordinates.next()?, 90.0)?, degrees(coordinates.next()?, 180.0)?))
}

/// What the first says, and where it is silent the second.
pub(super) fn merged(first: Place, second: Place) -> Place {
    let (latitude, longitude) = match first.latitude {
        Some(_) => (first.latitude, first.longitude),
        None => (second.latitude, second.longitude),
    };
    Place {
        name: first.name.or(second.name),
        facility: first.facility.or(second.facility),
        city: first.city.or(second.city),
        region: first.region.or(second.region),
        postal_code: first.postal_code.or(second.postal_code),
        country: first.country.or(second.country),
        latitude,
        longitude,
        ..Place::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn geo_uris() {
        assert_eq!(geo("47.506694,11.104301"), Some((47.506694, 11.104301)));
        assert_eq!(geo("48.2010,16.3695,183;crs=WGS84;u=40"), Some((48.2010, 16.3695)));
        assert_eq!(geo("1.0,2.0;crs=Moon-2011"), None);
        assert_eq!(geo("91,2"), None);
        assert_eq!(geo("1"), None);
        assert_eq!(geo("nan,1"), None);
    }
}
