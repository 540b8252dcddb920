use waybill_schemas::vocabulary::{Classifier, Milestone};
use waybill_schemas::{HistoryEntry, Unlocode};

use crate::DAY_MS;
use crate::milestone::ARRIVING;
use crate::stops::Place;
use crate::timeline::{Timeline, place};

/// A plan that lies further from what happened belongs to another call at the same place: the
/// same container comes back.
const SAME_CALL_MS: u64 = 45 * DAY_MS.unsigned_abs();

/// How many events the search for the last one that had a promise looks at.
const LOOKS_BACK: usize = 32;

/// When it should have happened, ms UTC: what was told first for this kind of event at this place
/// within 45 days of `about`, from the plan, or without a plan from the estimates. First, since
/// every later word has the delay already in it; by time of receipt at the platform, so that it
/// does not hang on the order in which the events got here. `kinds` are the milestones that will do,
/// the best first.
pub(crate) fn promised(
    timeline: &Timeline,
    kinds: &[Milestone],
    at: Unlocode,
    about: i64,
) -> Option<i64> {
    // Of many kinds that will do few were promised here.
    let first = |classifier| {
        let here = timeline.promises(classifier, Some(at)).by_milestone();
        here.filter_map(|promises| {
            let rank = kinds.iter().position(|kind| *kind == promises.milestone)?;
            let about = |at: &i64| at.abs_diff(about) <= SAME_CALL_MS;
            Some((rank, promises.times().find(about)?))
        })
        .min()
        .map(|(_, promised)| promised)
    };
    first(Classifier::Planned).or_else(|| first(Classifier::Estimated))
}

/// How late an actual event was, ms; negative is early. Against the [`promised`] time of the same
/// milestone at the same place.
pub(crate) fn delay(timeline: &Timeline, actual: &HistoryEntry) -> Option<i64> {
    if actual.classifier != Classifier::Actual {
        return None;
    }
    let promised = promised(timeline, &[actual.milestone], place(actual)?, actual.occurred_at)?;
    Some(actual.occurred_at.saturating_sub(promised))
}

/// How late the shipment was when last something happened that had been promised, among the last events
/// in a place.
pub(crate) fn last_delay(timeline: &Timeline) -> Option<i64> {
    let (actual, events) = timeline.of(Classifier::Actual);
    // Where and of what nothing was promised: most events are like the one before.
    let mut silent = Vec::new();
    actual.backwards(events).filter(|e| place(e).is_some()).take(LOOKS_BACK).find_map(|e| {
        let what = (place(&e), e.milestone);
        if silent.contains(&what) {
            return None;
        }
        let delay = delay(timeline, &e);
        let promises = |c| timeline.promises(c, what.0).of(e.milestone).next().is_some();
        if delay.is_none() && !promises(Classifier::Planned) && !promises(Classifier::Estimated) {
            silent.push(what);
        }
        delay
    })
}

/// When the shipment is expected at `destination`, ms UTC: the latest word on its arrival, an
/// estimate before a plan.
pub(crate) fn eta(timeline: &Timeline, destination: Place) -> Option<i64> {
    let latest = |classifier| {
        let there = timeline.promises(classifier, destination.unlocode);
        ARRIVING.iter().find_map(|kind| {
            there.of(*kind).rfind(|e| Place::of(e) == Some(destination)).map(|e| e.occurred_at)
        })
    };
    latest(Classifier::Estimated).or_else(|| latest(Classifier::Planned))
}
