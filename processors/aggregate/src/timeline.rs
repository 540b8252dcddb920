use waybill_schemas::vocabulary::Classifier;
use waybill_schemas::{EventId, MilestoneEntry, Unlocode};

use crate::milestone::{is_physical, order};

/// The accepted events of a shipment: planned, estimated and actual apart, each in order of
/// occurrence, and the ids of them all.
#[derive(Debug, Default)]
pub(crate) struct Timeline {
    planned: Vec<MilestoneEntry>,
    estimated: Vec<MilestoneEntry>,
    actual: Vec<MilestoneEntry>,
    /// Sorted.
    seen: Vec<EventId>,
}

impl Timeline {
    /// From a changelog record; the order of `entries` does not matter.
    pub(crate) fn restore(entries: &[MilestoneEntry]) -> Self {
        let of = |classifier| {
            let mut some: Vec<_> =
                entries.iter().filter(|e| e.classifier == classifier).copied().collect();
            some.sort_by_key(order);
            some.shrink_to_fit();
            some
        };
        let mut seen: Vec<_> = entries.iter().map(|e| e.event_id).collect();
        seen.sort_unstable();
        Self {
            planned: of(Classifier::Planned),
            estimated: of(Classifier::Estimated),
            actual: of(Classifier::Actual),
            seen,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.seen.len()
    }

    pub(crate) fn has(&self, id: &EventId) -> bool {
        self.seen.binary_search(id).is_ok()
    }

    pub(crate) fn of(&self, classifier: Classifier) -> &[MilestoneEntry] {
        match classifier {
            Classifier::Planned => &self.planned,
            Classifier::Estimated => &self.estimated,
            Classifier::Actual => &self.actual,
        }
    }

    pub(crate) fn planned(&self) -> &[MilestoneEntry] {
        &self.planned
    }

    pub(crate) fn estimated(&self) -> &[MilestoneEntry] {
        &self.estimated
    }

    pub(crate) fn actual(&self) -> &[MilestoneEntry] {
        &self.actual
    }

    /// Puts a new event in its place and says how many of its classifier come before it.
    pub(crate) fn insert(&mut self, entry: MilestoneEntry) -> usize {
        let id_at = self.seen.partition_point(|id| *id < entry.event_id);
        insert(&mut self.seen, id_at, entry.event_id);
        let entries = match entry.classifier {
            Classifier::Planned => &mut self.planned,
            Classifier::Estimated => &mut self.estimated,
            Classifier::Actual => &mut self.actual,
        };
        let key = order(&entry);
        // Most events come in order of occurrence.
        let at = match entries.last() {
            Some(last) if order(last) > key => entries.partition_point(|e| order(e) < key),
            _ => entries.len(),
        };
        insert(entries, at, entry);
        at
    }

    /// Every event, in order of occurrence.
    pub(crate) fn in_order(&self) -> Vec<MilestoneEntry> {
        let mut all = Vec::with_capacity(self.len());
        all.extend_from_slice(&self.planned);
        all.extend_from_slice(&self.estimated);
        all.extend_from_slice(&self.actual);
        // Three sorted runs: the standard sort merges them.
        all.sort_by_key(order);
        all
    }

    /// Where `unlocode` lies, as its first event with coordinates says: (latitude, longitude).
    pub(crate) fn coordinates(&self, unlocode: Unlocode) -> Option<(f64, f64)> {
        [&self.actual, &self.planned, &self.estimated]
            .into_iter()
            .flatten()
            .filter(|e| e.unlocode == Some(unlocode))
            .find_map(coordinates)
    }

    pub(crate) fn heap_bytes(&self) -> usize {
        (self.planned.capacity() + self.estimated.capacity() + self.actual.capacity())
            * size_of::<MilestoneEntry>()
            + self.seen.capacity() * size_of::<EventId>()
    }
}

/// `Vec::insert`, growing by a quarter and not to the double: most of a partition's memory is here.
pub(crate) fn insert<T>(to: &mut Vec<T>, at: usize, item: T) {
    if to.len() == to.capacity() {
        to.reserve_exact(2 + to.len() / 4);
    }
    to.insert(at.min(to.len()), item);
}

/// (latitude, longitude) in degrees.
pub(crate) fn coordinates(entry: &MilestoneEntry) -> Option<(f64, f64)> {
    Some((f64::from(entry.latitude?), f64::from(entry.longitude?)))
}

/// The UN/LOCODE where the cargo was; absent where the event is no matter of place.
pub(crate) fn place(entry: &MilestoneEntry) -> Option<Unlocode> {
    entry.unlocode.filter(|_| is_physical(entry.milestone))
}
