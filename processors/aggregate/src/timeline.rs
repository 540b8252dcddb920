use std::cmp::Ordering;
use std::num::NonZeroI64;

use waybill_schemas::vocabulary::{Classifier, Milestone};
use waybill_schemas::{HistoryEntry, Unlocode};

use crate::events::{About, Events, Number};
use crate::milestone::{is_physical, order};
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
    /// Planned and estimated events with a place: by classifier, place and milestone, then as they were
    /// received.
    promises: Vec<Number>,
    /// Actual events that begin or end a shipment of a unit, or end one altogether.
    turns: Vec<Number>,
    index: Option<Box<Index>>,
}

/// Numbers of all events, by their ids and by the carrier's own.
#[derive(Debug, Default)]
struct Index {
    by_event: Vec<Number>,
    by_raw_id: Vec<Number>,
}

impl Timeline {
    pub(crate) fn len(&self) -> usize {
        self.events.len()
    }

    pub(crate) fn has(&self, event: i64) -> bool {
        match &self.index {
            Some(index) => {
                index.by_event.binary_search_by_key(&event, |n| self.events.event(*n)).is_ok()
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
        let from = index.by_raw_id.partition_point(|n| self.events.raw_id_hash(*n) < wanted);
        let rest = index.by_raw_id.get(from..).unwrap_or_default();
        rest.iter().copied().take_while(|n| self.events.raw_id_hash(*n) == wanted).collect()
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
            let about = events.about(n);
            let comes_before = |other: &Number| match events.about(*other).cmp(&about) {
                Ordering::Equal => by_receipt(&events.get(*other), entry) == Ordering::Less,
                different => different == Ordering::Less,
            };
            let at = self.promises.partition_point(comes_before);
            insert(&mut self.promises, at, n);
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
        self.promises.retain(|other| *other != n);
        self.turns.retain(|other| *other != n);
        self.events.make_void(n);
    }

    /// Enters an event into the index, which begins when there are many.
    fn enter(&mut self, n: Number) {
        let events = &self.events;
        if self.index.is_none() && events.len() >= INDEXED_FROM {
            self.index = Some(Box::default());
            (0..n).for_each(|before| self.enter(before));
        }
        let events = &self.events;
        let Some(index) = &mut self.index else { return };
        let by_event = index.by_event.partition_point(|o| events.event(*o) < events.event(n));
        insert(&mut index.by_event, by_event, n);
        let raw = events.raw_id_hash(n);
        if raw != 0 {
            let by_raw = index.by_raw_id.partition_point(|o| events.raw_id_hash(*o) < raw);
            insert(&mut index.by_raw_id, by_raw, n);
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
    ) -> Promises<'_> {
        let events = &self.events;
        let about = move |milestone| About::new(classifier, unlocode, milestone);
        let here = about(Milestone::Other).place();
        let numbers = stretch(&self.promises, |n| events.about(n).place().cmp(&here));
        Promises { events, numbers, classifier, unlocode }
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
            size_of::<Index>() + numbers(&index.by_event) + numbers(&index.by_raw_id)
        });
        self.events.heap_bytes()
            + self.tracks().iter().map(|track| track.heap_bytes()).sum::<usize>()
            + numbers(&self.promises)
            + numbers(&self.turns)
            + index
    }
}

/// Promises of a classifier at a place: by milestone, then in order of receipt.
#[derive(Clone, Copy)]
pub(crate) struct Promises<'a> {
    events: &'a Events,
    numbers: &'a [Number],
    classifier: Classifier,
    unlocode: Option<Unlocode>,
}

impl<'a> Promises<'a> {
    pub(crate) fn by_milestone(self) -> impl Iterator<Item = OfMilestone<'a>> {
        let mut rest = self.numbers;
        std::iter::from_fn(move || {
            let about = self.events.about(*rest.first()?);
            let until = rest.partition_point(|n| self.events.about(*n) == about);
            let (numbers, behind) = rest.split_at(until);
            rest = behind;
            Some(OfMilestone { events: self.events, milestone: about.milestone(), numbers })
        })
    }

    /// Those of a milestone, in order of receipt.
    pub(crate) fn of(
        self,
        milestone: Milestone,
    ) -> impl DoubleEndedIterator<Item = HistoryEntry> + 'a {
        let wanted = About::new(self.classifier, self.unlocode, milestone);
        let numbers = stretch(self.numbers, |n| self.events.about(n).cmp(&wanted));
        numbers.iter().map(move |n| self.events.get(*n))
    }
}

/// Promises of a milestone, in order of receipt.
pub(crate) struct OfMilestone<'a> {
    events: &'a Events,
    pub(crate) milestone: Milestone,
    numbers: &'a [Number],
}

impl<'a> OfMilestone<'a> {
    /// When it was to happen, ms UTC.
    pub(crate) fn times(&self) -> impl Iterator<Item = i64> + use<'a> {
        let events = self.events;
        self.numbers.iter().map(move |n| events.occurred_at(*n))
    }
}

/// Of numbers in order, those that compare as equal.
fn stretch(numbers: &[Number], compare: impl Fn(Number) -> Ordering) -> &[Number] {
    let from = numbers.partition_point(|n| compare(*n) == Ordering::Less);
    let rest = numbers.get(from..).unwrap_or_default();
    let until = rest.partition_point(|n| compare(*n) == Ordering::Equal);
    rest.get(..until).unwrap_or_default()
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

fn by_receipt(one: &HistoryEntry, other: &HistoryEntry) -> Ordering {
    (one.received_at, order(one)).cmp(&(other.received_at, order(other)))
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
