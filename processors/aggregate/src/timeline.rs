use std::num::NonZeroI64;

use waybill_schemas::vocabulary::{Classifier, Milestone};
use waybill_schemas::{EventId, MilestoneEntry, Unlocode};

use crate::milestone::{is_physical, order};

/// The accepted events of a shipment: planned, estimated and actual apart, each in order of
/// occurrence, and the ids of them all. Apart from these, what is void.
///
/// Void is an event that the carrier has declared so, whenever the declaration comes; and one that the
/// carrier has sent anew, in a later message, under the same id of its own. The declarations stand with
/// what is void: they are no part of the history.
#[derive(Debug, Default)]
pub(crate) struct Timeline {
    planned: Vec<MilestoneEntry>,
    estimated: Vec<MilestoneEntry>,
    actual: Vec<MilestoneEntry>,
    void: Vec<MilestoneEntry>,
    /// Sorted.
    seen: Vec<EventId>,
}

impl Timeline {
    /// From a changelog record; the order of `entries` and of `void` does not matter.
    pub(crate) fn restore(entries: &[MilestoneEntry], void: &[MilestoneEntry]) -> Self {
        let of = |classifier| {
            let mut some: Vec<_> =
                entries.iter().filter(|e| e.classifier == classifier).copied().collect();
            some.sort_by_key(order);
            some.shrink_to_fit();
            some
        };
        let mut seen: Vec<_> = entries.iter().chain(void).map(|e| e.event_id).collect();
        seen.sort_unstable();
        Self {
            planned: of(Classifier::Planned),
            estimated: of(Classifier::Estimated),
            actual: of(Classifier::Actual),
            void: void.to_vec(),
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

    /// Whether there is an event that the carrier calls by the same id, or a declaration that it is
    /// void.
    pub(crate) fn names(&self, raw_id_hash: NonZeroI64) -> bool {
        let named = |e: &MilestoneEntry| e.raw_id_hash == Some(raw_id_hash);
        self.standing().any(named) || self.void.iter().any(named)
    }

    /// Everything but what is void, in no order.
    pub(crate) fn standing(&self) -> impl Iterator<Item = &MilestoneEntry> {
        self.planned.iter().chain(&self.estimated).chain(&self.actual)
    }

    /// Puts a new event in its place.
    pub(crate) fn insert(&mut self, entry: MilestoneEntry) -> Inserted {
        let id_at = self.seen.partition_point(|id| *id < entry.event_id);
        insert(&mut self.seen, id_at, entry.event_id);
        let has_voided = self.void_others(&entry);
        let is_void = self.is_void(&entry);
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
        if is_void {
            insert(&mut self.void, usize::MAX, entry);
        } else {
            insert(entries, at, entry);
        }
        Inserted { at, is_void, has_voided }
    }

    fn is_void(&self, entry: &MilestoneEntry) -> bool {
        if entry.milestone == Milestone::Withdrawn {
            return true;
        }
        let Some(id) = entry.raw_id_hash else { return false };
        self.void.iter().any(|e| declares_void(e, id))
            || self.standing().any(|e| is_newer(e, entry))
    }

    /// Takes out what `entry` makes void, and says whether there was any.
    fn void_others(&mut self, entry: &MilestoneEntry) -> bool {
        let Some(id) = entry.raw_id_hash else { return false };
        let declares = declares_void(entry, id);
        let is_voided =
            |e: &MilestoneEntry| e.raw_id_hash == Some(id) && (declares || is_newer(entry, e));
        if !self.standing().any(is_voided) {
            return false;
        }
        for entries in [&mut self.planned, &mut self.estimated, &mut self.actual] {
            self.void.extend(entries.extract_if(.., |e| is_voided(e)));
        }
        true
    }

    /// What is void, in order of occurrence.
    pub(crate) fn void_in_order(&self) -> Vec<MilestoneEntry> {
        let mut void = self.void.clone();
        void.sort_by_key(order);
        void
    }

    /// Every event that is not void, in order of occurrence.
    pub(crate) fn in_order(&self) -> Vec<MilestoneEntry> {
        let mut all = Vec::with_capacity(self.len() - self.void.len());
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
        let entries = [&self.planned, &self.estimated, &self.actual, &self.void];
        entries.iter().map(|of| of.capacity()).sum::<usize>() * size_of::<MilestoneEntry>()
            + self.seen.capacity() * size_of::<EventId>()
    }
}

/// What became of a new event.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Inserted {
    /// How many of its classifier come before it.
    pub(crate) at: usize,
    pub(crate) is_void: bool,
    /// Others are void because of it.
    pub(crate) has_voided: bool,
}

fn declares_void(entry: &MilestoneEntry, id: NonZeroI64) -> bool {
    entry.milestone == Milestone::Withdrawn && entry.raw_id_hash == Some(id)
}

/// Whether `one` is what the carrier later said of `other`. Events of one message, which are received
/// together, are several.
fn is_newer(one: &MilestoneEntry, other: &MilestoneEntry) -> bool {
    one.raw_id_hash == other.raw_id_hash && one.received_at > other.received_at
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
