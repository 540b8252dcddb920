//! What each step does.

use waybill_host::protocol::{CommittedOffset, Position};

use crate::setting::{Setting, Variant};
use crate::store::{Extent, Insert, steps_left};
use crate::world::{Hold, Step, World};

impl World {
    pub fn after(&self, setting: &Setting, step: Step) -> Self {
        let mut next = self.clone();
        next.act(setting, step);
        next.inserts.sort();
        next
    }

    fn act(&mut self, setting: &Setting, step: Step) {
        match step {
            Step::Start(i) => {
                self.instances[i].up = true;
                self.group.join(i);
            }
            Step::Rejoin(i, keep) => {
                for p in (0..setting.partitions.len()).filter(|p| !keep.contains(p)) {
                    self.let_go(setting, i, p);
                }
                self.group.rejoin(i);
            }
            Step::Rebalance(owners) => {
                for (p, owner) in owners.into_iter().enumerate() {
                    if self.instances[owner].up {
                        self.instances[owner].holds[p].get_or_insert(Hold::Assigned);
                    }
                }
                self.group.begin_generation();
            }
            Step::Expire(i) => self.group.remove(i),
            Step::Notice(i) => self.end(setting, i),
            Step::TakeOver(i, p) => self.take_over(setting, i, p),
            Step::Claim(i, p, range) => {
                let Some(Hold::At { position, durable }) = &mut self.instances[i].holds[p] else {
                    unreachable!("only a settled position claims")
                };
                *position = position.claim(range).expect("the range is behind what is settled");
                *durable = setting.is(Variant::NoClaim);
            }
            Step::Offer(i) => self.offer(setting, i),
            Step::Commit(i) => match self.group.end_transaction(i) {
                Some(offsets) => self.learn_committed(i, &offsets),
                None => self.end(setting, i),
            },
            Step::Abort(i) => self.group.open[i] = None,
            Step::Ask(i, p) => self.ask(setting, i, p),
            Step::Send(i, p) => self.send(i, p),
            Step::Insert(insert) => self.insert(setting, &insert),
            Step::Crash(i) => {
                self.faults_left -= 1;
                self.end(setting, i);
            }
            Step::Freeze(i) => {
                self.faults_left -= 1;
                self.group.remove(i);
            }
            Step::LoseAnswer(insert) => {
                self.faults_left -= 1;
                self.find(&insert).awaited_by = None;
                if setting.is(Variant::TakesSilenceForYes) {
                    self.answer(&insert);
                } else {
                    self.inserts.push(Insert { done: 0, ..insert });
                }
            }
            Step::LoseCommit(i) => {
                self.faults_left -= 1;
                if setting.is(Variant::TakesSilenceForYes) {
                    let offsets = self.group.open[i].take().expect("it is open");
                    self.learn_committed(i, &offsets);
                } else {
                    self.group.end_transaction(i);
                    self.end(setting, i);
                }
            }
            Step::StoreCrash(torn) => {
                self.faults_left -= 1;
                self.store_crash(setting, torn);
            }
        }
    }

    fn find(&mut self, insert: &Insert) -> &mut Insert {
        self.inserts.iter_mut().find(|n| *n == insert).expect("it is on its way")
    }

    /// The instance is no more; what it has sent is still on its way.
    fn end(&mut self, setting: &Setting, i: usize) {
        for p in 0..setting.partitions.len() {
            self.let_go(setting, i, p);
        }
        self.instances[i].up = false;
        self.instances[i].committing = false;
    }

    fn let_go(&mut self, setting: &Setting, i: usize, p: usize) {
        self.instances[i].holds[p] = None;
        let mine = |n: &Insert| n.awaited_by == Some(i) && n.partition == p;
        self.inserts.retain(|n| !mine(n) || setting.late_inserts || n.done > 0);
        for insert in self.inserts.iter_mut().filter(|n| mine(n)) {
            insert.awaited_by = None;
        }
    }

    fn take_over(&mut self, setting: &Setting, i: usize, p: usize) {
        let committed = &self.group.committed[p];
        let position = Position::taken_over(committed.offset, &committed.metadata)
            .expect("what is committed is ours and whole");
        let mut hold = Hold::At { position, durable: true };
        if setting.asks() {
            hold.ask_first();
        }
        self.instances[i].holds[p] = Some(hold);
    }

    fn offer(&mut self, setting: &Setting, i: usize) {
        let offsets =
            self.instances[i].holds.iter().enumerate().filter_map(|(p, hold)| match hold {
                Some(Hold::At { position, durable: false }) => {
                    Some((p, position.offset_to_commit()))
                }
                _ => None,
            });
        self.group.open[i] = Some(offsets.collect());
        if self.group.has(i) || setting.is(Variant::Unfenced) {
            self.instances[i].committing = true;
        } else if setting.is(Variant::UnfencedWhenEmpty) && self.group.is_empty() {
            // Outside of transactions, a commit is one step.
            let offsets = self.group.end_transaction(i).expect("it was opened just now");
            self.learn_committed(i, &offsets);
        } else {
            self.group.open[i] = None;
            self.end(setting, i);
        }
    }

    fn learn_committed(&mut self, i: usize, offsets: &[(usize, CommittedOffset)]) {
        self.instances[i].committing = false;
        for (p, committed) in offsets {
            if let Some(Hold::At { position, durable }) = &mut self.instances[i].holds[*p] {
                *durable |= position.offset_to_commit() == *committed;
            }
        }
    }

    fn ask(&mut self, setting: &Setting, i: usize, p: usize) {
        let Some(Hold::Unasked { position }) = self.instances[i].holds[p] else {
            unreachable!("only who took over a claim asks")
        };
        let Position::Claimed { range, .. } = position else {
            unreachable!("only a claim is asked about")
        };
        let hold = if !self.store.has_any(setting, p, range) {
            Hold::At { position, durable: true }
        } else if setting.is(Variant::SkipWhatIsThere) {
            let position = position.complete().expect("it is claimed");
            Hold::At { position, durable: false }
        } else {
            Hold::Stopped
        };
        self.instances[i].holds[p] = Some(hold);
    }

    fn send(&mut self, i: usize, p: usize) {
        let Some(Hold::At { position: Position::Claimed { range, .. }, .. }) =
            self.instances[i].holds[p]
        else {
            unreachable!("only what is claimed is inserted")
        };
        self.inserts.push(Insert { partition: p, range, done: 0, awaited_by: Some(i) });
    }

    fn insert(&mut self, setting: &Setting, insert: &Insert) {
        let is_new = self.store.take_step(setting, insert, Extent::Whole);
        let goes_on = is_new || !setting.is(Variant::RollupNotFed);
        if goes_on && steps_left(setting, insert) > 1 {
            self.find(insert).done += 1;
            return;
        }
        let at = self.inserts.iter().position(|n| n == insert).expect("it is on its way");
        self.inserts.remove(at);
        self.answer(insert);
    }

    fn answer(&mut self, insert: &Insert) {
        let Some(i) = insert.awaited_by else { return };
        if let Some(Hold::At { position, durable }) = &mut self.instances[i].holds[insert.partition]
        {
            *position = position.complete().expect("it is claimed");
            *durable = false;
        }
    }

    /// What was begun is cut off. Who waits for it gets an error, and tries again.
    fn store_crash(&mut self, setting: &Setting, torn: Option<Insert>) {
        if let Some(torn) = torn {
            self.store.take_step(setting, &torn, Extent::Torn);
            self.find(&torn).done += 1;
        }
        let cut: Vec<Insert> = self.inserts.extract_if(.., |n| n.done > 0).collect();
        for Insert { partition, range, awaited_by, .. } in cut {
            let Some(i) = awaited_by else { continue };
            match &mut self.instances[i].holds[partition] {
                Some(hold) if setting.is(Variant::StopAtWhatIsThere) => hold.ask_first(),
                _ => self.inserts.push(Insert { partition, range, done: 0, awaited_by }),
            }
        }
    }
}
