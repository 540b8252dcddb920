use std::ops::Range;

use waybill_schemas::vocabulary::Mode;
use waybill_schemas::{HistoryEntry, Unlocode};

use crate::events::{Events, Number, number};
use crate::milestone::{arriving, leaving, order};
use crate::stops::Place;
use crate::timeline::coordinates;

/// No event.
const NONE: Number = Number::MAX;

/// The standing events of one classifier in order of occurrence, and the runs of those that follow each
/// other in one place. What a shipment shows follows from the runs: few, where events are many.
#[derive(Debug, Default)]
pub(crate) struct Track {
    order: Vec<Number>,
    runs: Vec<Run>,
}

/// Events that follow each other in one place, with others between them that are no matter of place.
/// Each member but the first three names an event: the first or the last, in order of occurrence, that
/// is such.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Run {
    /// Where its first and last event stand in the order.
    start: u16,
    last: u16,
    pub(crate) events: u16,
    /// The first that tells of the arrival, the last that tells of leaving.
    arrived: Number,
    left: Number,
    /// The first and the last that names a mode.
    mode_in: Number,
    mode_out: Number,
    /// The first that has coordinates.
    coordinates: Number,
    /// Of one of its events: where they all are.
    spot: u16,
}

impl Run {
    fn at(position: usize, spot: u16) -> Self {
        let position = number(position);
        Self {
            spot,
            start: position,
            last: position,
            events: 0,
            arrived: NONE,
            left: NONE,
            mode_in: NONE,
            mode_out: NONE,
            coordinates: NONE,
        }
    }

    /// Takes an event in, wherever in the run it stands.
    fn take(&mut self, events: &Events, n: Number) {
        let entry = events.get(n);
        let key = order(&entry);
        let first = |slot: &mut Number| {
            if *slot == NONE || key < events.order(*slot) {
                *slot = n;
            }
        };
        let last = |slot: &mut Number| {
            if *slot == NONE || key > events.order(*slot) {
                *slot = n;
            }
        };
        self.events += 1;
        if arriving(entry.milestone) {
            first(&mut self.arrived);
        }
        if leaving(entry.milestone) {
            last(&mut self.left);
        }
        if entry.mode.is_some() {
            first(&mut self.mode_in);
            last(&mut self.mode_out);
        }
        if coordinates(&entry).is_some() {
            first(&mut self.coordinates);
        }
    }
}

/// What a run tells.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Told {
    pub(crate) place: Place,
    pub(crate) events: u32,
    /// Times are ms UTC.
    pub(crate) first: i64,
    pub(crate) last: i64,
    pub(crate) arrived: Option<i64>,
    pub(crate) left: Option<i64>,
    pub(crate) mode_in: Option<Mode>,
    pub(crate) mode_out: Option<Mode>,
    pub(crate) coordinates: Option<(f64, f64)>,
}

impl Track {
    pub(crate) fn len(&self) -> usize {
        self.order.len()
    }

    pub(crate) fn first(&self, events: &Events) -> Option<HistoryEntry> {
        self.order.first().map(|n| events.get(*n))
    }

    pub(crate) fn last(&self, events: &Events) -> Option<HistoryEntry> {
        self.order.last().map(|n| events.get(*n))
    }

    /// In order of occurrence.
    pub(crate) fn iter<'a>(
        &'a self,
        events: &'a Events,
    ) -> impl DoubleEndedIterator<Item = HistoryEntry> + 'a {
        self.order.iter().map(|n| events.get(*n))
    }

    /// Where an event would stand.
    pub(crate) fn position(&self, events: &Events, entry: &HistoryEntry) -> usize {
        let key = order(entry);
        // Most events come in order of occurrence.
        match self.order.last() {
            Some(last) if events.order(*last) > key => {
                self.order.partition_point(|n| events.order(*n) < key)
            }
            _ => self.order.len(),
        }
    }

    pub(crate) fn insert(&mut self, events: &Events, n: Number, at: usize) {
        for run in &mut self.runs {
            run.start += u16::from(usize::from(run.start) >= at);
            run.last += u16::from(usize::from(run.last) >= at);
        }
        if self.order.len() == self.order.capacity() {
            self.order.reserve_exact(2 + self.order.len() / 4);
        }
        self.order.insert(at, n);
        let Some(place) = events.place(n) else { return };
        let next = self.runs_before(at);
        let is_here = |run: &Run| events.place_of(run.spot) == place;
        let before = next.checked_sub(1).and_then(|i| Some((i, *self.runs.get(i)?)));
        if let Some((i, run)) = before {
            let is_inside = usize::from(run.last) > at;
            if is_here(&run) {
                if let Some(run) = self.runs.get_mut(i) {
                    run.take(events, n);
                    run.last = run.last.max(number(at));
                }
                return;
            }
            if is_inside {
                let range = usize::from(run.start)..usize::from(run.last) + 1;
                let parts = [range.start..at, at..at + 1, at + 1..range.end];
                let parts = parts.into_iter().filter_map(|part| self.build(events, part));
                let parts: Vec<Run> = parts.collect();
                self.runs.splice(i..=i, parts);
                return;
            }
        }
        if self.runs.get(next).is_some_and(is_here) {
            if let Some(run) = self.runs.get_mut(next) {
                run.take(events, n);
                run.start = number(at);
            }
            return;
        }
        let mut run = Run::at(at, events.spot_number(n));
        run.take(events, n);
        if self.runs.len() == self.runs.capacity() {
            self.runs.reserve_exact(1 + self.runs.len() / 4);
        }
        self.runs.insert(next, run);
    }

    pub(crate) fn remove(&mut self, events: &Events, n: Number) {
        let key = events.order(n);
        let at = self.order.partition_point(|other| events.order(*other) < key);
        if self.order.get(at) != Some(&n) {
            unreachable!("event {n} is not where it stands");
        }
        let i = self.runs_before(at + 1).checked_sub(1);
        let run = i.and_then(|i| self.runs.get(i)).copied();
        self.order.remove(at);
        for run in &mut self.runs {
            run.start -= u16::from(usize::from(run.start) > at);
            // Its own may have had no other; it is made anew below.
            run.last = run.last.saturating_sub(u16::from(usize::from(run.last) >= at));
        }
        let (Some(i), Some(run)) = (i, run) else { return };
        if events.place(n).is_none() || usize::from(run.last) < at {
            return;
        }
        // What is left of its run; without any, its neighbours may be one.
        let rest = self.build(events, usize::from(run.start)..usize::from(run.last));
        self.runs.splice(i..=i, rest);
        if rest.is_some() {
            return;
        }
        let neighbours =
            i.checked_sub(1).and_then(|i| Some((*self.runs.get(i)?, *self.runs.get(i + 1)?)));
        if let Some((before, after)) = neighbours
            && events.place_of(before.spot) == events.place_of(after.spot)
        {
            let one = self.build(events, usize::from(before.start)..usize::from(after.last) + 1);
            self.runs.splice(i - 1..=i, one);
        }
    }

    /// The run of a stretch of the order, whose events with a place are all in one.
    fn build(&self, events: &Events, range: Range<usize>) -> Option<Run> {
        let mut run: Option<Run> = None;
        for (at, n) in self.order.iter().enumerate().take(range.end).skip(range.start) {
            if events.place(*n).is_some() {
                let run = run.get_or_insert_with(|| Run::at(at, events.spot_number(*n)));
                run.last = number(at);
                run.take(events, *n);
            }
        }
        run
    }

    /// How many runs begin before a position.
    fn runs_before(&self, at: usize) -> usize {
        self.runs.partition_point(|run| usize::from(run.start) < at)
    }

    fn standing_at(&self, position: u16) -> Number {
        match self.order.get(usize::from(position)) {
            Some(n) => *n,
            None => unreachable!("a run beyond the order"),
        }
    }

    /// The runs that begin before a position, in order of occurrence.
    fn told_before<'a>(
        &'a self,
        events: &'a Events,
        at: usize,
    ) -> impl DoubleEndedIterator<Item = (Run, Place)> + 'a {
        let runs = self.runs.iter().take(self.runs_before(at));
        runs.map(|run| (*run, events.place_of(run.spot)))
    }

    /// Where the cargo was, in order of occurrence, with the last time there, ms UTC.
    pub(crate) fn places<'a>(
        &'a self,
        events: &'a Events,
    ) -> impl DoubleEndedIterator<Item = (Place, i64)> + 'a {
        self.runs
            .iter()
            .map(|run| (events.place_of(run.spot), events.occurred_at(self.standing_at(run.last))))
    }

    pub(crate) fn runs<'a>(
        &'a self,
        events: &'a Events,
    ) -> impl DoubleEndedIterator<Item = Told> + 'a {
        self.runs.iter().map(|run| {
            let named = |n: Number| Some(n).filter(|n| *n != NONE);
            let at = |n: Number| named(n).map(|n| events.occurred_at(n));
            Told {
                place: events.place_of(run.spot),
                events: u32::from(run.events),
                first: events.occurred_at(self.standing_at(run.start)),
                last: events.occurred_at(self.standing_at(run.last)),
                arrived: at(run.arrived),
                left: at(run.left),
                mode_in: named(run.mode_in).and_then(|n| events.mode(n)),
                mode_out: named(run.mode_out).and_then(|n| events.mode(n)),
                coordinates: named(run.coordinates).and_then(|n| events.spot_coordinates(n)),
            }
        })
    }

    /// The events of the last run, the last first.
    pub(crate) fn last_run<'a>(
        &'a self,
        events: &'a Events,
    ) -> impl Iterator<Item = HistoryEntry> + 'a {
        self.backwards(events).take(self.runs.last().map_or(0, |run| usize::from(run.events)))
    }

    /// The events that have a place, the last first.
    pub(crate) fn backwards<'a>(
        &'a self,
        events: &'a Events,
    ) -> impl Iterator<Item = HistoryEntry> + 'a {
        let end = self.runs.last().map_or(0, |run| usize::from(run.last) + 1);
        let numbers = self.order.get(..end).unwrap_or_default();
        numbers.iter().rev().filter(|n| events.place(**n).is_some()).map(|n| events.get(*n))
    }

    /// The events of the runs at a place, in order of occurrence; not of those that name no mode.
    pub(crate) fn with_mode_at<'a>(
        &'a self,
        events: &'a Events,
        unlocode: Unlocode,
    ) -> impl Iterator<Item = HistoryEntry> + 'a {
        let is_here = move |run: &&Run| events.place_of(run.spot).unlocode == Some(unlocode);
        let runs = self.runs.iter().filter(|run| run.mode_in != NONE).filter(is_here);
        runs.flat_map(|run| {
            let range = usize::from(run.start)..usize::from(run.last) + 1;
            self.order.get(range).unwrap_or_default()
        })
        .map(|n| events.get(*n))
        .filter(|e| Place::of(e).is_some())
    }

    /// The last event before a position that is at another UN/LOCODE than `here`.
    pub(crate) fn previous(
        &self,
        events: &Events,
        at: usize,
        here: Unlocode,
    ) -> Option<HistoryEntry> {
        let (run, _) = self
            .told_before(events, at)
            .rev()
            .find(|(_, place)| place.unlocode.is_some_and(|there| there != here))?;
        if usize::from(run.last) < at {
            return Some(events.get(self.standing_at(run.last)));
        }
        let before = self.order.get(..at).unwrap_or_default();
        before.iter().rev().find(|n| events.place(**n).is_some()).map(|n| events.get(*n))
    }

    /// When the stay at `here` began that lasts until a position, ms UTC.
    pub(crate) fn stay_began(&self, events: &Events, at: usize, here: Unlocode) -> Option<i64> {
        self.told_before(events, at)
            .rev()
            .filter(|(_, place)| place.unlocode.is_some())
            .take_while(|(_, place)| place.unlocode == Some(here))
            .last()
            .map(|(run, _)| events.occurred_at(self.standing_at(run.start)))
    }

    pub(crate) fn heap_bytes(&self) -> usize {
        self.order.capacity() * size_of::<Number>() + self.runs.capacity() * size_of::<Run>()
    }
}
