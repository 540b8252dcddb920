use std::num::NonZeroI64;

use hashbrown::HashTable;
use waybill_schemas::vocabulary::{Classifier, Milestone};
use waybill_schemas::{HistoryEntry, Unlocode};

use crate::events::{Events, Number};
use crate::milestone::{is_physical, order};
use crate::promises::{Promised, Promises};
use crate::stops::Place;
use crate::track::Track;

/// Up to so many events a look at each is quicker than an index, and needs no memory.
const INDEXED_FROM: usize = 64;

/// The accepted events of a shipment: planned, estimated and actual apart, each in order of
/// occurrence. Apart from these, what is void.
///
/// Void is an event that the carrier has declared so, whenever the declaration comes; and one that the
/// carrier has sent anew, in a later message, under the same id of its own. The declarations stand with
/// what is void: they are no part of the history.
///
/// What is kept beside the events are their numbers, in the orders in which they are asked for, so that
/// an answer does not cost more the longer the history is.
#[derive(Debug, Default)]
pub(crate) struct Timeline {
    events: Events,
    planned: Track,
    estimated: Track,
    actual: Track,
    /// Planned and estimated events with a place.
    promises: Promises,
    /// Actual events that begin or end a shipment of a unit, or end one altogether.
    turns: Vec<Number>,
    index: Option<Box<Index>>,
}

/// Numbers of all events, by their ids and by the carrier's own: hashes both, so they are found by
/// themselves.
#[derive(Debug, Default)]
struct Index {
    by_event: HashTable<Number>,
    by_raw_id: HashTable<Number>,
}

/// A hash of a hash.
fn hashed(hash: i64) -> u64 {
    // The carrier's has 48 bits, and the table goes by the highest.
    hash.cast_unsigned().wrapping_mul(0x9E37_79B9_7F4A_7C15)
}

impl Timeline {
    pub(crate) fn len(&self) -> usize {
        self.events.len()
    }

    pub(crate) fn has(&self, event: i64) -> bool {
        match &self.index {
            Some(index) => {
                let is_it = |n: &Number| self.events.event(*n) == event;
                index.by_event.find(hashed(event), is_it).is_some()
            }
            None => self.numbers().any(|n| self.events.event(n) == event),
        }
    }

    fn numbers(&self) -> impl Iterator<Item = Number> + use<> {
        0..crate::events::number(self.events.len())
    }

    /// Everything that the carrier calls by the same id.
    fn named(&self, raw_id_hash: NonZeroI64) -> Vec<Number> {
        let wanted = raw_id_hash.get();
        let Some(index) = &self.index else {
            return self.numbers().filter(|n| self.events.raw_id_hash(*n) == wanted).collect();
        };
        let candidates = index.by_raw_id.iter_hash(hashed(wanted)).copied();
        candidates.filter(|n| self.events.raw_id_hash(*n) == wanted).collect()
    }

    /// Whether there is an event that the carrier calls by the same id, or a declaration that it is
    /// void.
    pub(crate) fn names(&self, raw_id_hash: NonZeroI64) -> bool {
        !self.named(raw_id_hash).is_empty()
    }

    fn track(&self, classifier: Classifier) -> &Track {
        match classifier {
            Classifier::Planned => &self.planned,
            Classifier::Estimated => &self.estimated,
            Classifier::Actual => &self.actual,
        }
    }

    /// The track of a classifier, and the events that it names.
    pub(crate) fn of(&self, classifier: Classifier) -> (&Track, &Events) {
        (self.track(classifier), &self.events)
    }

    /// Planned, estimated, actual.
    pub(crate) fn tracks(&self) -> [&Track; 3] {
        [&self.planned, &self.estimated, &self.actual]
    }

    pub(crate) fn events(&self) -> &Events {
        &self.events
    }

    pub(crate) fn actual(&self) -> &Track {
        &self.actual
    }

    pub(crate) fn actual_turns(&self) -> impl DoubleEndedIterator<Item = HistoryEntry> + '_ {
        self.turns.iter().map(|n| self.events.get(*n))
    }

    /// Puts a new event in its place.
    pub(crate) fn insert(&mut self, entry: HistoryEntry) -> Inserted {
        let named = entry.raw_id_hash.map(|id| self.named(id)).unwrap_or_default();
        self.void_others(&entry, &named);
        let is_void = self.is_void(&entry, &named);
        let n = self.events.push(&entry, is_void);
        self.enter(n);
        let at = self.track(entry.classifier).position(&self.events, &entry);
        if !is_void {
            let Self { events, planned, estimated, actual, .. } = self;
            let track = match entry.classifier {
                Classifier::Planned => planned,
                Classifier::Estimated => estimated,
                Classifier::Actual => actual,
            };
            track.insert(events, n, at);
            self.note(n, &entry);
        }
        Inserted { at, is_void }
    }

    /// Notes an event that stands in the orders beside its track.
    fn note(&mut self, n: Number, entry: &HistoryEntry) {
        let events = &self.events;
        if is_promise(entry) {
            self.promises.insert(events, n, entry);
        }
        if is_turn(entry) {
            let at = self.turns.partition_point(|other| events.order(*other) < order(entry));
            insert(&mut self.turns, at, n);
        }
    }

    /// Takes an event that stood out of its orders.
    fn make_void(&mut self, n: Number) {
        let entry = self.events.get(n);
        let Self { events, planned, estimated, actual, .. } = self;
        let track = match entry.classifier {
            Classifier::Planned => planned,
            Classifier::Estimated => estimated,
            Classifier::Actual => actual,
        };
        track.remove(events, n);
        self.promises.remove(events, n);
        self.turns.retain(|other| *other != n);
        self.events.make_void(n);
    }

    /// Enters an event into the index, which begins when there are many.
    fn enter(&mut self, n: Number) {
        if self.index.is_none() && self.events.len() >= INDEXED_FROM {
            self.index = Some(Box::default());
            (0..n).for_each(|before| self.enter(before));
        }
        let Self { events, index: Some(index), .. } = self else { return };
        let of_event = |n: &Number| hashed(events.event(*n));
        index.by_event.insert_unique(of_event(&n), n, of_event);
        if events.raw_id_hash(n) != 0 {
            let of_raw_id = |n: &Number| hashed(events.raw_id_hash(*n));
            index.by_raw_id.insert_unique(of_raw_id(&n), n, of_raw_id);
        }
    }

    fn is_void(&self, entry: &HistoryEntry, named: &[Number]) -> bool {
        entry.milestone == Milestone::Withdrawn
            || named.iter().any(|n| {
                let other = self.events.get(*n);
                if self.events.is_void(*n) {
                    other.milestone == Milestone::Withdrawn
                } else {
                    is_newer(&other, entry)
                }
            })
    }

    /// Takes out what `entry` makes void.
    fn void_others(&mut self, entry: &HistoryEntry, named: &[Number]) {
        let declares = entry.milestone == Milestone::Withdrawn;
        for n in named {
            if !self.events.is_void(*n) && (declares || is_newer(entry, &self.events.get(*n))) {
                self.make_void(*n);
            }
        }
    }

    /// What was planned or estimated at a place.
    pub(crate) fn promises(
        &self,
        classifier: Classifier,
        unlocode: Option<Unlocode>,
    ) -> Promised<'_> {
        self.promises.at(&self.events, classifier, unlocode)
    }

    /// Where `unlocode` lies: (latitude, longitude). As its events say, void or not, if they agree: what
    /// was taken back did not move the place. Else as the first that stands says.
    pub(crate) fn coordinates(&self, unlocode: Unlocode) -> Option<(f64, f64)> {
        match self.events.coordinates(unlocode) {
            Ok(found) => found.map(|(latitude, longitude)| (latitude.into(), longitude.into())),
            Err(()) => [&self.actual, &self.planned, &self.estimated]
                .into_iter()
                .flat_map(|track| track.iter(&self.events))
                .filter(|e| e.unlocode == Some(unlocode))
                .find_map(|e| coordinates(&e)),
        }
    }

    pub(crate) fn heap_bytes(&self) -> usize {
        let numbers = |of: &Vec<Number>| of.capacity() * size_of::<Number>();
        let index = self.index.as_ref().map_or(0, |index| {
            size_of::<Index>()
                + index.by_event.allocation_size()
                + index.by_raw_id.allocation_size()
        });
        self.events.heap_bytes()
            + self.tracks().iter().map(|track| track.heap_bytes()).sum::<usize>()
            + self.promises.heap_bytes()
            + numbers(&self.turns)
            + index
    }
}

/// What became of a new event.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Inserted {
    /// How many of its classifier come before it.
    pub(crate) at: usize,
    pub(crate) is_void: bool,
}

/// Whether `one` is what the carrier later said of `other`, of the same id. Events of one message,
/// which are received together, are several.
fn is_newer(one: &HistoryEntry, other: &HistoryEntry) -> bool {
    one.received_at > other.received_at
}

fn is_promise(entry: &HistoryEntry) -> bool {
    entry.classifier != Classifier::Actual && Place::of(entry).is_some()
}

fn is_turn(entry: &HistoryEntry) -> bool {
    entry.classifier == Classifier::Actual
        && matches!(
            entry.milestone,
            Milestone::EmptyPickedUp | Milestone::EmptyReturned | Milestone::Delivered
        )
}

/// `Vec::insert`, growing by a quarter and not to the double.
pub(crate) fn insert<T>(to: &mut Vec<T>, at: usize, item: T) {
    if to.len() == to.capacity() {
        to.reserve_exact(2 + to.len() / 4);
    }
    to.insert(at.min(to.len()), item);
}

/// (latitude, longitude) in degrees.
pub(crate) fn coordinates(entry: &HistoryEntry) -> Option<(f64, f64)> {
    Some((f64::from(entry.latitude?), f64::from(entry.longitude?)))
}

/// The UN/LOCODE where the cargo was; absent where the event is no matter of place.
pub(crate) fn place(entry: &HistoryEntry) -> Option<Unlocode> {
    entry.unlocode.filter(|_| is_physical(entry.milestone))
}
