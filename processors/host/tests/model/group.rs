//! The group's coordinator.

use waybill_host::protocol::CommittedOffset;

/// What the coordinator thinks of an instance. Generations need no number here: a member is of the
/// current one, or of none that will ever be accepted again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Member {
    Out,
    Current,
    /// Of the current generation, and ready for the next.
    Rejoined,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Group {
    pub members: Vec<Member>,
    /// The next generation begins when every member has rejoined.
    pub rebalancing: bool,
    /// By partition.
    pub committed: Vec<CommittedOffset>,
    /// By instance: the offsets, by partition, of a transaction that has not ended.
    pub open: Vec<Option<Vec<(usize, CommittedOffset)>>>,
}

impl Group {
    pub fn join(&mut self, instance: usize) {
        self.members[instance] = Member::Rejoined;
        self.rebalancing = true;
        // Its producer's first call ends what an earlier life of it has left open.
        self.open[instance] = None;
    }

    pub fn rejoin(&mut self, instance: usize) {
        self.members[instance] = Member::Rejoined;
    }

    pub fn remove(&mut self, instance: usize) {
        self.members[instance] = Member::Out;
        self.rebalancing = !self.is_empty();
    }

    pub fn has(&self, instance: usize) -> bool {
        self.members[instance] != Member::Out
    }

    pub fn is_empty(&self) -> bool {
        self.members.iter().all(|m| *m == Member::Out)
    }

    pub fn can_begin_generation(&self) -> bool {
        self.rebalancing && self.members.iter().all(|m| *m != Member::Current)
    }

    pub fn begin_generation(&mut self) {
        for member in self.members.iter_mut().filter(|m| **m == Member::Rejoined) {
            *member = Member::Current;
        }
        self.rebalancing = false;
    }

    pub fn is_stable(&self, partition: usize) -> bool {
        !self.open.iter().flatten().flatten().any(|(p, _)| *p == partition)
    }

    /// The transaction takes effect: what it committed, or nothing if the broker has ended it before.
    pub fn end_transaction(&mut self, instance: usize) -> Option<Vec<(usize, CommittedOffset)>> {
        let offsets = self.open[instance].take()?;
        for (partition, committed) in &offsets {
            self.committed[*partition] = committed.clone();
        }
        Some(offsets)
    }
}
