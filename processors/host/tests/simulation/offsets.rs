//! What a group has committed of each partition it reads.
//!
//! As with Kafka: what is committed in a transaction counts once that has its marker here, and of two the one counts
//! that was written later. Until then it is pending: who asks for what is stable is told to ask again.

use std::collections::BTreeMap;

use crate::log::Place;
use crate::transactions::TransactionId;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Committed {
    pub offset: i64,
    pub metadata: String,
}

/// A transaction is open on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unstable;

#[derive(Debug, Default)]
pub struct Offsets {
    /// With when it was written.
    committed: BTreeMap<Place, (u64, Committed)>,
    pending: BTreeMap<TransactionId, Vec<(u64, Place, Committed)>>,
    written: u64,
}

impl Offsets {
    pub fn append(&mut self, of: TransactionId, offsets: Vec<(Place, Committed)>) {
        for (place, committed) in offsets {
            self.written += 1;
            self.pending.entry(of).or_default().push((self.written, place, committed));
        }
    }

    pub fn mark(&mut self, of: TransactionId, commits: bool) {
        for (at, place, committed) in self.pending.remove(&of).unwrap_or_default() {
            let is_later = self.committed.get(&place).is_none_or(|(before, _)| *before < at);
            if commits && is_later {
                self.committed.insert(place, (at, committed));
            }
        }
    }

    /// What is committed, once nothing is open on it.
    pub fn stable(&self, place: Place) -> Result<Option<&Committed>, Unstable> {
        if self.pending.values().flatten().any(|(_, of, _)| *of == place) {
            return Err(Unstable);
        }
        Ok(self.unstable(place))
    }

    /// What is committed, whatever is open on it.
    pub fn unstable(&self, place: Place) -> Option<&Committed> {
        self.committed.get(&place).map(|(_, committed)| committed)
    }
}

#[cfg(test)]
mod tests {
    use waybill_schemas::Role;

    use super::*;

    const PLACE: Place = (Role::Opened, 0);
    const A: TransactionId = TransactionId(1);
    const B: TransactionId = TransactionId(2);

    fn at(offset: i64) -> Vec<(Place, Committed)> {
        vec![(PLACE, Committed { offset, metadata: String::new() })]
    }

    fn offset(offsets: &Offsets) -> Option<i64> {
        offsets.unstable(PLACE).map(|committed| committed.offset)
    }

    #[test]
    fn what_is_pending_is_waited_for() {
        let mut offsets = Offsets::default();
        offsets.append(A, at(5));
        assert_eq!((offsets.stable(PLACE), offset(&offsets)), (Err(Unstable), None));
        assert_eq!(offsets.stable((Role::Opened, 1)), Ok(None));
        offsets.mark(A, false);
        assert_eq!(offsets.stable(PLACE), Ok(None));
        offsets.append(B, at(7));
        offsets.mark(B, true);
        assert_eq!(offset(&offsets), Some(7));
    }

    #[test]
    fn what_was_written_later_counts() {
        let mut offsets = Offsets::default();
        offsets.append(A, at(5));
        offsets.append(B, at(7));
        offsets.mark(B, true);
        offsets.mark(A, true);
        assert_eq!(offset(&offsets), Some(7));
    }
}
