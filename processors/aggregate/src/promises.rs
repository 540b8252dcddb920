//! What was planned and estimated, as it is asked for: by classifier, place and milestone.

use std::cmp::Ordering;

use waybill_schemas::vocabulary::{Classifier, Milestone};
use waybill_schemas::{HistoryEntry, Unlocode};

use crate::events::{About, Events, Number, number};
use crate::milestone::order;
use crate::timeline::insert;

/// Up to so many, a search of them is quicker than a directory, and needs no memory.
const LISTED_FROM: usize = 32;

/// Planned and estimated events with a place: by what they are about, then as they were received.
#[derive(Debug, Default)]
pub(crate) struct Promises {
    order: Vec<Number>,
    /// What they are about: few, where promises are many. Empty until they are.
    directory: Vec<Group>,
}

/// Promises about the same.
#[derive(Clone, Copy, Debug)]
struct Group {
    about: About,
    /// Where they end in the order.
    end: Number,
}

impl Promises {
    pub(crate) fn insert(&mut self, events: &Events, n: Number, entry: &HistoryEntry) {
        let about = events.about(n);
        let (from, until) = self.stretch(events, |other| other.cmp(&about));
        let group = self.order.get(from..until).unwrap_or_default();
        let comes_before = |other: &Number| by_receipt(&events.get(*other), entry).is_lt();
        // Most come in order of receipt.
        let at = match group.last() {
            Some(last) if !comes_before(last) => from + group.partition_point(comes_before),
            _ => until,
        };
        insert(&mut self.order, at, n);
        if self.directory.is_empty() {
            if self.order.len() >= LISTED_FROM {
                self.directory = listed(events, &self.order);
            }
            return;
        }
        let directory = &mut self.directory;
        let i = directory.partition_point(|group| group.about < about);
        if from == until {
            insert(directory, i, Group { about, end: number(at) });
        }
        directory.iter_mut().skip(i).for_each(|group| group.end += 1);
    }

    pub(crate) fn remove(&mut self, events: &Events, n: Number) {
        let about = events.about(n);
        let (from, until) = self.stretch(events, |other| other.cmp(&about));
        let group = self.order.get(from..until).unwrap_or_default();
        let Some(at) = group.iter().position(|other| *other == n) else { return };
        self.order.remove(from + at);
        if self.directory.is_empty() {
            return;
        }
        let directory = &mut self.directory;
        let i = directory.partition_point(|group| group.about < about);
        directory.iter_mut().skip(i).for_each(|group| group.end -= 1);
        if until - from == 1 {
            directory.remove(i);
        }
    }

    /// Of a classifier at a place.
    pub(crate) fn at<'a>(
        &'a self,
        events: &'a Events,
        classifier: Classifier,
        unlocode: Option<Unlocode>,
    ) -> Promised<'a> {
        let here = About::new(classifier, unlocode, Milestone::Other).place();
        let within = self.stretch(events, |about| about.place().cmp(&here));
        Promised { promises: self, events, classifier, unlocode, within }
    }

    /// Where those begin and end that compare as equal.
    fn stretch(&self, events: &Events, compare: impl Fn(About) -> Ordering) -> (usize, usize) {
        let directory = &self.directory;
        if directory.is_empty() {
            let of = |n: &Number| compare(events.about(*n));
            let from = self.order.partition_point(|n| of(n).is_lt());
            let rest = self.order.get(from..).unwrap_or_default();
            return (from, from + rest.partition_point(|n| of(n).is_eq()));
        }
        let first = directory.partition_point(|group| compare(group.about).is_lt());
        let rest = directory.get(first..).unwrap_or_default();
        let groups = rest.partition_point(|group| compare(group.about).is_eq());
        let end = |groups: usize| {
            let last = groups.checked_sub(1).and_then(|last| directory.get(last));
            last.map_or(0, |group| usize::from(group.end))
        };
        (end(first), end(first + groups))
    }

    pub(crate) fn heap_bytes(&self) -> usize {
        self.order.capacity() * size_of::<Number>() + self.directory.capacity() * size_of::<Group>()
    }
}

fn listed(events: &Events, order: &[Number]) -> Vec<Group> {
    let mut directory: Vec<Group> = Vec::new();
    for (before, n) in order.iter().enumerate() {
        let (about, end) = (events.about(*n), number(before + 1));
        match directory.last_mut() {
            Some(group) if group.about == about => group.end = end,
            _ => directory.push(Group { about, end }),
        }
    }
    directory
}

fn by_receipt(one: &HistoryEntry, other: &HistoryEntry) -> Ordering {
    (one.received_at, order(one)).cmp(&(other.received_at, order(other)))
}

/// Promises of a classifier at a place: by milestone, then in order of receipt.
#[derive(Clone, Copy)]
pub(crate) struct Promised<'a> {
    promises: &'a Promises,
    events: &'a Events,
    classifier: Classifier,
    unlocode: Option<Unlocode>,
    within: (usize, usize),
}

impl<'a> Promised<'a> {
    pub(crate) fn by_milestone(self) -> impl Iterator<Item = OfMilestone<'a>> {
        let (mut from, until) = self.within;
        std::iter::from_fn(move || {
            let first = self.promises.order.get(from..until)?.first()?;
            let about = self.events.about(*first);
            let (start, end) = self.promises.stretch(self.events, |other| other.cmp(&about));
            from = end;
            let numbers = self.promises.order.get(start..end)?;
            Some(OfMilestone { events: self.events, milestone: about.milestone(), numbers })
        })
    }

    /// Those of a milestone, in order of receipt.
    pub(crate) fn of(
        self,
        milestone: Milestone,
    ) -> impl DoubleEndedIterator<Item = HistoryEntry> + 'a {
        let wanted = About::new(self.classifier, self.unlocode, milestone);
        let (from, until) = match self.within {
            (from, until) if from == until => (from, until),
            _ => self.promises.stretch(self.events, |about| about.cmp(&wanted)),
        };
        let numbers = self.promises.order.get(from..until).unwrap_or_default();
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
