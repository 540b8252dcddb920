use std::num::NonZeroI64;

use strum::VariantArray;
use waybill_schemas::vocabulary::{Classifier, Milestone, Mode};
use waybill_schemas::{Country, HistoryEntry, Unlocode};

use crate::milestone::{Order, order_of};
use crate::stops::Place;

/// How many places an event is compared with before it gets one of its own: most events are where
/// another has just been, and a track of positions has as many places as events.
const PLACES_LOOKED_AT: usize = 12;

/// The accepted events of a shipment in order of arrival, 32 bytes each.
#[derive(Debug, Default)]
pub(crate) struct Events {
    packed: Vec<Packed>,
    spots: Vec<Spot>,
}

/// Number of an event in order of arrival: a shipment has at most 4,096.
pub(crate) type Number = u16;

#[derive(Clone, Copy, Debug)]
#[repr(C)]
struct Packed {
    event: [u8; 8],
    occurred_at: [u8; 8],
    /// Broker's time: 48 bits last for 4,000 years.
    received_at: [u8; 6],
    raw_id_hash: [u8; 6],
    milestone: u8,
    /// Classifier (2 bits), whether it is void (1), mode (4).
    kind: u8,
    spot: u16,
}

const VOID: u8 = 4;

impl Packed {
    fn milestone(&self) -> Milestone {
        milestone(self.milestone)
    }

    fn classifier(&self) -> Classifier {
        match self.kind & 3 {
            0 => Classifier::Planned,
            1 => Classifier::Estimated,
            _ => Classifier::Actual,
        }
    }

    fn mode(&self) -> Option<Mode> {
        let at = usize::from(self.kind >> 3).checked_sub(1)?;
        Mode::VARIANTS.get(at).copied()
    }
}

fn milestone(number: u8) -> Milestone {
    match Milestone::VARIANTS.get(usize::from(number)) {
        Some(milestone) => *milestone,
        None => unreachable!("no milestone has number {number}"),
    }
}

/// Classifier, place and milestone in one number, ordered as these are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct About(u64);

impl About {
    pub(crate) fn new(
        classifier: Classifier,
        unlocode: Option<Unlocode>,
        milestone: Milestone,
    ) -> Self {
        let [a, b, c, d, e] = unlocode.map_or([0; 5], |unlocode| unlocode.bytes());
        Self(u64::from_be_bytes([0, classifier as u8, a, b, c, d, e, milestone as u8]))
    }

    pub(crate) fn milestone(self) -> Milestone {
        milestone(self.0.to_le_bytes()[0])
    }

    /// Classifier and place alone.
    pub(crate) fn place(self) -> u64 {
        self.0 >> 8
    }
}

/// Where an event was.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Spot {
    unlocode: Option<Unlocode>,
    country: Option<Country>,
    coordinates: Option<(f32, f32)>,
}

impl Events {
    pub(crate) fn len(&self) -> usize {
        self.packed.len()
    }

    /// Adds one, and gives its number.
    pub(crate) fn push(&mut self, entry: &HistoryEntry, is_void: bool) -> Number {
        let packed = self.pack(entry, is_void);
        if self.packed.len() == self.packed.capacity() {
            // A quarter and not the double: most of a partition's memory is here.
            self.packed.reserve_exact(2 + self.packed.len() / 4);
        }
        self.packed.push(packed);
        number(self.packed.len() - 1)
    }

    fn pack(&mut self, entry: &HistoryEntry, is_void: bool) -> Packed {
        let spot = Spot {
            unlocode: entry.unlocode,
            country: entry.country,
            coordinates: entry.latitude.zip(entry.longitude),
        };
        let near = self.spots.len().saturating_sub(PLACES_LOOKED_AT);
        let looked_at = self.spots.iter().enumerate();
        let found = looked_at
            .clone()
            .skip(near)
            .chain(looked_at.take(PLACES_LOOKED_AT.min(near)))
            .find(|(_, known)| **known == spot)
            .map(|(at, _)| at);
        let at = found.unwrap_or_else(|| {
            if self.spots.len() == self.spots.capacity() {
                self.spots.reserve_exact(1 + self.spots.len() / 4);
            }
            self.spots.push(spot);
            self.spots.len() - 1
        });
        let mode = entry.mode.map_or(0, |mode| mode as u8 + 1);
        Packed {
            event: entry.event.to_le_bytes(),
            occurred_at: entry.occurred_at.to_le_bytes(),
            // With the sign at the top; beyond 48 bits is no time.
            received_at: low_bytes(entry.received_at.clamp(-(1 << 47), (1 << 47) - 1)),
            raw_id_hash: low_bytes(entry.raw_id_hash.map_or(0, NonZeroI64::get)),
            milestone: entry.milestone as u8,
            kind: entry.classifier as u8 | if is_void { VOID } else { 0 } | mode << 3,
            spot: number(at),
        }
    }

    pub(crate) fn get(&self, n: Number) -> HistoryEntry {
        self.unpack(self.packed(n))
    }

    fn packed(&self, n: Number) -> &Packed {
        match self.packed.get(usize::from(n)) {
            Some(packed) => packed,
            None => unreachable!("event {n} of {}", self.packed.len()),
        }
    }

    fn spot(&self, n: Number) -> &Spot {
        match self.spots.get(usize::from(self.packed(n).spot)) {
            Some(spot) => spot,
            None => unreachable!("event {n} names a place that is not there"),
        }
    }

    // What searches and sums ask for, without unpacking the rest.

    pub(crate) fn occurred_at(&self, n: Number) -> i64 {
        i64::from_le_bytes(self.packed(n).occurred_at)
    }

    /// Its [order](crate::milestone::order) of occurrence.
    pub(crate) fn order(&self, n: Number) -> Order {
        let packed = self.packed(n);
        order_of(
            i64::from_le_bytes(packed.occurred_at),
            packed.classifier(),
            packed.milestone(),
            i64::from_le_bytes(packed.event),
        )
    }

    /// Where the cargo was, if that is known.
    pub(crate) fn place(&self, n: Number) -> Option<Place> {
        let Spot { unlocode, country, .. } = *self.spot(n);
        Place::of_spot(unlocode, country, self.packed(n).milestone())
    }

    /// Where it was, by the number of that.
    pub(crate) fn spot_number(&self, n: Number) -> u16 {
        self.packed(n).spot
    }

    /// Where the cargo was, at an event there that has a place.
    pub(crate) fn place_of(&self, spot: u16) -> Place {
        match self.spots.get(usize::from(spot)) {
            Some(Spot { unlocode, country, .. }) => {
                Place { unlocode: *unlocode, country: *country }
            }
            None => unreachable!("no place has number {spot}"),
        }
    }

    pub(crate) fn mode(&self, n: Number) -> Option<Mode> {
        self.packed(n).mode()
    }

    /// (latitude, longitude) in degrees.
    pub(crate) fn spot_coordinates(&self, n: Number) -> Option<(f64, f64)> {
        self.spot(n).coordinates.map(|(latitude, longitude)| (latitude.into(), longitude.into()))
    }

    /// What a promise is about: see [`About`].
    pub(crate) fn about(&self, n: Number) -> About {
        let packed = self.packed(n);
        About::new(packed.classifier(), self.spot(n).unlocode, packed.milestone())
    }

    fn unpack(&self, packed: &Packed) -> HistoryEntry {
        let Some(spot) = self.spots.get(usize::from(packed.spot)) else {
            unreachable!("an event names a place that is not there")
        };
        HistoryEntry {
            event: i64::from_le_bytes(packed.event),
            milestone: packed.milestone(),
            classifier: packed.classifier(),
            occurred_at: i64::from_le_bytes(packed.occurred_at),
            received_at: signed(packed.received_at),
            unlocode: spot.unlocode,
            country: spot.country,
            latitude: spot.coordinates.map(|c| c.0),
            longitude: spot.coordinates.map(|c| c.1),
            mode: packed.mode(),
            raw_id_hash: NonZeroI64::new(unsigned(packed.raw_id_hash)),
        }
    }

    pub(crate) fn is_void(&self, n: Number) -> bool {
        self.packed.get(usize::from(n)).is_some_and(|packed| packed.kind & VOID != 0)
    }

    pub(crate) fn make_void(&mut self, n: Number) {
        if let Some(packed) = self.packed.get_mut(usize::from(n)) {
            packed.kind |= VOID;
        }
    }

    pub(crate) fn event(&self, n: Number) -> i64 {
        self.packed.get(usize::from(n)).map_or(0, |packed| i64::from_le_bytes(packed.event))
    }

    /// 0 for none.
    pub(crate) fn raw_id_hash(&self, n: Number) -> i64 {
        self.packed.get(usize::from(n)).map_or(0, |packed| unsigned(packed.raw_id_hash))
    }

    /// The coordinates of the place, if all events there that have any have the same. `Err` if they
    /// differ: then the order of events tells.
    pub(crate) fn coordinates(&self, unlocode: Unlocode) -> Result<Option<(f32, f32)>, ()> {
        let mut found = None;
        for spot in self.spots.iter().filter(|spot| spot.unlocode == Some(unlocode)) {
            match (found, spot.coordinates) {
                (_, None) => {}
                (None, some) => found = some,
                (Some(one), Some(other)) if one == other => {}
                (Some(_), Some(_)) => return Err(()),
            }
        }
        Ok(found)
    }

    /// From a number on, in order of arrival.
    pub(crate) fn since(&self, first: usize) -> impl Iterator<Item = HistoryEntry> {
        self.packed.iter().skip(first).map(|packed| self.unpack(packed))
    }

    pub(crate) fn heap_bytes(&self) -> usize {
        self.packed.capacity() * size_of::<Packed>() + self.spots.capacity() * size_of::<Spot>()
    }
}

/// A shipment never has more: the setting `max_events_per_shipment` is at most 4,096.
pub(crate) fn number(at: usize) -> Number {
    match Number::try_from(at) {
        Ok(number) => number,
        Err(_) => unreachable!("a shipment of {at} events"),
    }
}

fn low_bytes(value: i64) -> [u8; 6] {
    let [a, b, c, d, e, f, ..] = value.to_le_bytes();
    [a, b, c, d, e, f]
}

fn unsigned([a, b, c, d, e, f]: [u8; 6]) -> i64 {
    i64::from_le_bytes([a, b, c, d, e, f, 0, 0])
}

fn signed(bytes: [u8; 6]) -> i64 {
    unsigned(bytes) << 16 >> 16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_32_bytes_and_comes_back_as_it_was() {
        assert_eq!(size_of::<Packed>(), 32);
        // The bits of `kind`.
        assert!(Mode::VARIANTS.len() < 16 && Milestone::VARIANTS.len() < 256);
        let mut events = Events::default();
        let full = HistoryEntry {
            event: -5,
            milestone: Milestone::SensorAlert,
            classifier: Classifier::Estimated,
            occurred_at: i64::MAX - 3,
            received_at: -86_400_000,
            unlocode: Unlocode::new("NLRTM"),
            country: Country::new("NL"),
            latitude: Some(51.9),
            longitude: Some(-4.5),
            mode: Some(Mode::Multimodal),
            raw_id_hash: NonZeroI64::new(0xFFFF_FFFF_FFFF),
        };
        let bare = HistoryEntry {
            milestone: Milestone::Other,
            classifier: Classifier::Planned,
            received_at: 1_768_900_000_000,
            unlocode: None,
            country: None,
            latitude: None,
            longitude: None,
            mode: None,
            raw_id_hash: None,
            ..full
        };
        for (n, entry) in [(0, full), (1, bare), (2, full)] {
            assert_eq!(events.push(&entry, n == 1), n);
            assert_eq!(events.get(n), entry);
        }
        assert_eq!((0..3).map(|n| events.is_void(n)).collect::<Vec<_>>(), [false, true, false]);
        events.make_void(2);
        assert!(events.is_void(2));
        assert_eq!(events.get(2), full);
        assert_eq!(events.spots.len(), 2);
    }
}
