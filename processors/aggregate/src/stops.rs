use waybill_schemas::vocabulary::{Classifier, Milestone};
use waybill_schemas::{Country, HistoryEntry, Unlocode};

use crate::milestone::is_physical;
use crate::timeline::Timeline;

/// A place as far as it is known: by UN/LOCODE and country, or by its country alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) unlocode: Option<Unlocode>,
    pub(crate) country: Option<Country>,
}

impl Place {
    /// Where the cargo was at this event, if that is known.
    pub(crate) fn of(entry: &HistoryEntry) -> Option<Self> {
        Self::of_spot(entry.unlocode, entry.country, entry.milestone)
    }

    pub(crate) fn of_spot(
        unlocode: Option<Unlocode>,
        country: Option<Country>,
        milestone: Milestone,
    ) -> Option<Self> {
        let known = unlocode.is_some() || country.is_some();
        (known && is_physical(milestone)).then_some(Self { unlocode, country })
    }
}

/// A place of the shipment with the last planned, estimated and actual time there, ms UTC.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stop {
    pub(crate) place: Place,
    planned: Option<i64>,
    estimated: Option<i64>,
    actual: Option<i64>,
}

impl Stop {
    /// When the cargo is expected to leave it for the last time. The plan goes first: an estimate
    /// comes for the next call alone, and would put it behind the calls after it.
    pub(crate) fn expected(&self) -> Option<i64> {
        self.planned.or(self.estimated)
    }

    fn key(&self) -> Option<(i64, Place)> {
        Some((self.expected()?, self.place))
    }
}

/// Every place of a shipment once, in no order: few, where events are many.
#[derive(Debug, Default)]
pub(crate) struct Stops(Vec<Stop>);

impl Stops {
    pub(crate) fn of(timeline: &Timeline) -> Self {
        let mut stops = Self::default();
        for classifier in [Classifier::Planned, Classifier::Estimated, Classifier::Actual] {
            let (track, events) = timeline.of(classifier);
            for (place, at) in track.places(events) {
                stops.add(classifier, place, at);
            }
        }
        stops
    }

    fn add(&mut self, classifier: Classifier, place: Place, at: i64) {
        let known = self.0.iter().position(|stop| stop.place == place);
        let known = known.unwrap_or_else(|| {
            self.0.push(Stop { place, planned: None, estimated: None, actual: None });
            self.0.len() - 1
        });
        let Some(stop) = self.0.get_mut(known) else { return };
        let last = match classifier {
            Classifier::Planned => &mut stop.planned,
            Classifier::Estimated => &mut stop.estimated,
            Classifier::Actual => &mut stop.actual,
        };
        *last = (*last).max(Some(at));
    }

    /// Where the shipment goes: the last place of what is expected while it has not been there,
    /// then the last place where it was. "Has been there" means an actual event there after the
    /// time at which the call before was expected to end: a container that comes back to where it
    /// was is not there before it leaves.
    pub(crate) fn destination(&self, timeline: &Timeline) -> Option<Destination> {
        let mut last: Option<&Stop> = None;
        let mut before: Option<&Stop> = None;
        for stop in self.0.iter().filter(|s| s.expected().is_some()) {
            if last.is_none_or(|l| l.key() < stop.key()) {
                before = last.replace(stop);
            } else if before.is_none_or(|b| b.key() < stop.key()) {
                before = Some(stop);
            }
        }
        match last {
            Some(stop) if !is_reached(stop, before) => {
                Some(Destination { place: stop.place, reached: false })
            }
            _ => timeline
                .actual()
                .places(timeline.events())
                .next_back()
                .map(|(place, _)| Destination { place, reached: true }),
        }
    }

    /// The calls that still lie before the shipment, in order of what is expected.
    pub(crate) fn to_come(&self) -> Vec<Stop> {
        let mut expected: Vec<_> =
            self.0.iter().filter(|s| s.expected().is_some()).copied().collect();
        expected.sort_by_key(Stop::key);
        let before = std::iter::once(None).chain(expected.iter().map(Some));
        let reached = (1..)
            .zip(expected.iter().zip(before))
            .filter(|(_, (stop, before))| is_reached(stop, *before))
            .map(|(calls, _)| calls)
            .last();
        expected.drain(..reached.unwrap_or(0));
        expected
    }
}

fn is_reached(stop: &Stop, before: Option<&Stop>) -> bool {
    stop.actual.is_some_and(|at| before.and_then(Stop::expected).is_none_or(|left| at > left))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Destination {
    pub(crate) place: Place,
    pub(crate) reached: bool,
}

/// Where the shipment comes from: the place of the earliest event with one.
pub(crate) fn origin(timeline: &Timeline) -> Option<Place> {
    timeline
        .tracks()
        .into_iter()
        .filter_map(|track| track.runs(timeline.events()).next())
        // Of the same time the actual one.
        .rev()
        .min_by_key(|run| run.first)
        .map(|run| run.place)
}
