use waybill_schemas::vocabulary::{Classifier, Milestone};
use waybill_schemas::{HistoryEntry, Unlocode};

use crate::DAY_MS;
use crate::milestone::ARRIVING;
use crate::stops::Place;
use crate::timeline::{Timeline, place};

/// A plan that lies further from what happened belongs to another call at the same place: the
/// same container comes back.
const SAME_CALL_MS: u64 = 45 * DAY_MS.unsigned_abs();

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
    let first = |classifier| {
        kinds.iter().find_map(|kind| {
            timeline
                .promises(classifier, Some(at), *kind)
                .find(|e| e.occurred_at.abs_diff(about) <= SAME_CALL_MS)
                .map(|e| e.occurred_at)
        })
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

/// When the shipment is expected at `destination`, ms UTC: the latest word on its arrival, an
/// estimate before a plan.
pub(crate) fn eta(timeline: &Timeline, destination: Place) -> Option<i64> {
    let latest = |classifier| {
        ARRIVING.iter().find_map(|kind| {
            timeline
                .promises(classifier, destination.unlocode, *kind)
                .rfind(|e| Place::of(e) == Some(destination))
                .map(|e| e.occurred_at)
        })
    };
    latest(Classifier::Estimated).or_else(|| latest(Classifier::Planned))
}
