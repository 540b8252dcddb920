//! Everything there is, and what can happen next.

use waybill_host::protocol::{CommittedOffset, Position, Range};

use crate::group::{Group, Member};
use crate::setting::{Fault, Setting, Variant};
use crate::store::{Insert, Store};

/// A partition in the hands of an instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Hold {
    Assigned,
    At {
        position: Position,
        /// It is what is committed, as far as the instance knows.
        durable: bool,
    },
    /// A claim that may be in the store; it is to ask before it inserts.
    Unasked {
        position: Position,
    },
    /// It goes no further, and calls for an operator.
    Stopped,
}

impl Hold {
    pub fn ask_first(&mut self) {
        if let Self::At { position: position @ Position::Claimed { .. }, .. } = *self {
            *self = Self::Unasked { position };
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Instance {
    pub up: bool,
    /// Its offsets are in an open transaction, which it is about to end.
    pub committing: bool,
    /// By partition.
    pub holds: Vec<Option<Hold>>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct World {
    pub group: Group,
    pub instances: Vec<Instance>,
    /// In order, so that the same ones make the same world.
    pub inserts: Vec<Insert>,
    pub store: Store,
    pub faults_left: u8,
}

/// One thing that happens: to an instance first, then in which partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// An instance starts and joins the group.
    Start(usize),
    /// A member gets ready for the next generation, with those partitions of its in hand that it
    /// keeps (all under cooperative rebalancing, unless they are wanted elsewhere; else none).
    Rejoin(usize, Vec<usize>),
    /// The next generation begins. By partition: who has it.
    Rebalance(Vec<usize>),
    /// The session of one that has ended expires.
    Expire(usize),
    /// One that is no longer a member notices, and starts anew.
    Notice(usize),
    /// The committed offset is read.
    TakeOver(usize, usize),
    Claim(usize, usize, Range),
    /// The offsets of all partitions that are not where they were go into a transaction. This is where
    /// the coordinator looks at the generation; one that it refuses starts anew.
    Offer(usize),
    /// The transaction is ended, and the answer arrives.
    Commit(usize),
    /// The broker ends a transaction that nobody ends.
    Abort(usize),
    Ask(usize, usize),
    Send(usize, usize),
    /// The store takes an insert's next step; with the last, the answer arrives.
    Insert(Insert),
    // Faults.
    Crash(usize),
    Freeze(usize),
    LoseAnswer(Insert),
    /// The commit came about, and the instance, which does not know, starts anew. (If it did not
    /// come about, that is the same as a crash before it.)
    LoseCommit(usize),
    /// With, perhaps, the insert at whose next step it ended halfway.
    StoreCrash(Option<Insert>),
}

impl World {
    /// All instances are up and have joined.
    pub fn first(setting: &Setting) -> Self {
        let partitions = setting.partitions.len();
        let holds = vec![None; partitions];
        let committed = CommittedOffset { offset: 0, metadata: String::new() };
        Self {
            group: Group {
                members: vec![Member::Rejoined; setting.instances],
                rebalancing: true,
                committed: vec![committed; partitions],
                open: vec![None; setting.instances],
            },
            instances: vec![Instance { up: true, committing: false, holds }; setting.instances],
            inserts: Vec::new(),
            store: Store::empty(setting),
            faults_left: setting.faults,
        }
    }

    pub fn is_zombie(&self, i: usize) -> bool {
        self.instances[i].up && !self.group.has(i)
    }

    fn awaits(&self, i: usize, p: usize) -> bool {
        self.inserts.iter().any(|n| n.awaited_by == Some(i) && n.partition == p)
    }

    pub fn steps(&self, setting: &Setting, steps: &mut Vec<Step>) {
        for i in 0..self.instances.len() {
            self.steps_of_member(i, steps);
            for p in 0..setting.partitions.len() {
                self.steps_of_hold(setting, i, p, steps);
            }
        }
        if self.group.can_begin_generation() {
            self.generations(steps);
        }
        steps.extend(self.inserts.iter().map(|n| Step::Insert(n.clone())));
        if self.faults_left > 0 {
            self.faults(setting, steps);
        }
        // Two inserts that are the same in everything make one step.
        steps.dedup();
    }

    fn steps_of_member(&self, i: usize, steps: &mut Vec<Step>) {
        let Instance { up, committing, holds } = &self.instances[i];
        if !up {
            steps.push(Step::Start(i));
            if self.group.has(i) {
                steps.push(Step::Expire(i));
            }
        }
        if self.is_zombie(i) {
            steps.push(Step::Notice(i));
        }
        if *committing {
            steps.push(Step::Commit(i));
        } else if holds.iter().flatten().any(|h| matches!(h, Hold::At { durable: false, .. })) {
            steps.push(Step::Offer(i));
        }
        if self.group.open[i].is_some() && (!up || self.is_zombie(i)) {
            steps.push(Step::Abort(i));
        }
        if *up && self.group.rebalancing && self.group.members[i] == Member::Current {
            let all: Vec<usize> = (0..holds.len()).filter(|p| holds[*p].is_some()).collect();
            for keep in subsets(&all) {
                // Who gives partitions up does so with no transaction open.
                if keep == all || !committing {
                    steps.push(Step::Rejoin(i, keep));
                }
            }
        }
    }

    fn steps_of_hold(&self, setting: &Setting, i: usize, p: usize, steps: &mut Vec<Step>) {
        let unstable = setting.is(Variant::UnstableRead);
        match self.instances[i].holds[p] {
            Some(Hold::Assigned) if unstable || self.group.is_stable(p) => {
                steps.push(Step::TakeOver(i, p));
            }
            Some(Hold::Unasked { .. }) => steps.push(Step::Ask(i, p)),
            Some(Hold::At { position: Position::Settled { next, .. }, .. }) => {
                let offered = self.group.open[i].iter().flatten().any(|(q, _)| *q == p);
                let offsets = setting.partitions[p].iter().filter(|o| **o >= next);
                let first = offsets.clone().next();
                for last in offsets.take(setting.batch).filter(|_| !offered) {
                    let range = first.and_then(|first| Range::new(*first, *last).ok());
                    steps.extend(range.map(|range| Step::Claim(i, p, range)));
                }
            }
            Some(Hold::At { position: Position::Claimed { .. }, durable: true })
                if !self.awaits(i, p) =>
            {
                steps.push(Step::Send(i, p));
            }
            _ => {}
        }
    }

    /// A kept partition stays; any other may go to any member, even one that has ended since.
    fn generations(&self, steps: &mut Vec<Step>) {
        let members: Vec<usize> =
            (0..self.instances.len()).filter(|i| self.group.has(*i)).collect();
        let mut all = vec![Vec::new()];
        for p in 0..self.group.committed.len() {
            let keeper = members.iter().find(|i| self.instances[**i].holds[p].is_some());
            let owners = keeper.map_or(members.clone(), |keeper| vec![*keeper]);
            all = all
                .iter()
                .flat_map(|before| owners.iter().map(|o| [before.as_slice(), &[*o]].concat()))
                .collect();
        }
        steps.extend(all.into_iter().map(Step::Rebalance));
    }

    fn faults(&self, setting: &Setting, steps: &mut Vec<Step>) {
        for fault in setting.kinds {
            let up = (0..self.instances.len()).filter(|i| self.instances[*i].up);
            match fault {
                Fault::Crash => steps.extend(up.map(Step::Crash)),
                Fault::Freeze => steps.extend(up.filter(|i| self.group.has(*i)).map(Step::Freeze)),
                Fault::LoseCommit => steps.extend(
                    up.filter(|i| self.instances[*i].committing)
                        .filter(|i| self.group.open[*i].is_some())
                        .map(Step::LoseCommit),
                ),
                Fault::LoseAnswer => steps.extend(
                    self.inserts
                        .iter()
                        .filter(|n| n.awaited_by.is_some())
                        .map(|n| Step::LoseAnswer(n.clone())),
                ),
                Fault::StoreCrash => {
                    // Where nothing has begun, it would be felt by nobody.
                    if self.inserts.iter().any(|n| n.done > 0) {
                        steps.push(Step::StoreCrash(None));
                    }
                    if setting.is(Variant::TokenBeforeRows) || setting.is(Variant::RowsBeforeToken)
                    {
                        let torn = self.inserts.iter().map(|n| Some(n.clone()));
                        steps.extend(torn.map(Step::StoreCrash));
                    }
                }
            }
        }
    }
}

fn subsets(of: &[usize]) -> Vec<Vec<usize>> {
    let mut all = vec![Vec::new()];
    for one in of {
        all.extend(all.clone().into_iter().map(|set| [set.as_slice(), &[*one]].concat()));
    }
    all
}
