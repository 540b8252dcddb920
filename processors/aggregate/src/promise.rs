use waybill_schemas::vocabulary::{Classifier, Milestone};
use waybill_schemas::{MilestoneEntry, Unlocode};

use crate::DAY_MS;
use crate::milestone::{arriving, order};
use crate::stops::Place;
use crate::timeline::{Timeline, place};

/// A plan that lies further from what happened belongs to another call at the same place: the
/// same container comes back.
const SAME_CALL_MS: u64 = 45 * DAY_MS.unsigned_abs();

/// When it should have happened, ms UTC: what was told first for this kind of event at this place
/// within 45 days of `about`, from the plan, or without a plan from the estimates. First, since
/// every later word has the delay already in it; by time of receipt at the platform, so that it
/// does not hang on the order in which the events got here. `kind` ranks the milestones that will
/// do, best first.
pub(crate) fn promised(
    timeline: &Timeline,
    kind: impl Fn(Milestone) -> Option<u8>,
    at: Unlocode,
    about: i64,
) -> Option<i64> {
    let first = |entries: &[MilestoneEntry]| {
        entries
            .iter()
            .filter(|e| place(e) == Some(at) && e.occurred_at.abs_diff(about) <= SAME_CALL_MS)
            .filter_map(|e| Some((kind(e.milestone)?, e.received_at, order(e))))
            .min()
            .map(|(.., (occurred_at, ..))| occurred_at)
    };
    first(timeline.planned()).or_else(|| first(timeline.estimated()))
}

/// How late an actual event was, ms; negative is early. Against the [`promised`] time of the same
/// milestone at the same place.
pub(crate) fn delay(timeline: &Timeline, actual: &MilestoneEntry) -> Option<i64> {
    if actual.classifier != Classifier::Actual {
        return None;
    }
    let same = |m| (m == actual.milestone).then_some(0);
    let promised = promised(timeline, same, place(actual)?, actual.occurred_at)?;
    Some(actual.occurred_at.saturating_sub(promised))
}

/// When the shipment is expected at `destination`, ms UTC: the latest word on its arrival, an
/// estimate before a plan.
pub(crate) fn eta(timeline: &Timeline, destination: Place) -> Option<i64> {
    let latest = |entries: &[MilestoneEntry]| {
        entries
            .iter()
            .filter(|e| Place::of(e) == Some(destination))
            .filter_map(|e| {
                Some((std::cmp::Reverse(arriving(e.milestone)?), e.received_at, order(e)))
            })
            .max()
            .map(|(.., (occurred_at, ..))| occurred_at)
    };
    latest(timeline.estimated()).or_else(|| latest(timeline.planned()))
}
