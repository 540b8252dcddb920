//! One transaction, as the driver on librdkafka makes it, in steps between which anything may happen.

use std::collections::BTreeMap;

use waybill_host::batch::Batch;
use waybill_host::event::Member;
use waybill_host::mark;
use waybill_host::placement::{Placement, within};
use waybill_schemas::Role;

use crate::Ms;
use crate::content::TOPIC_ID;
use crate::flaw::Flaw;
use crate::log::{Appended, Place, Record};
use crate::offsets::Committed;
use crate::plan::{Moment, What};
use crate::producer::Producer;
use crate::servers::Servers;
use crate::transactions::{Refused, Touched, TransactionId};

/// A retriable error is tried again for this long.
const PATIENCE: Ms = 30_000;

#[derive(Debug)]
pub enum Outcome {
    Committed(Batch),
    Aborted(Batch, String),
    Unknown(String),
}

/// What an instance keeps from one transaction to the next.
#[derive(Debug, Default)]
pub struct Transactor {
    /// Transactional id.
    pub name: String,
    pub group: usize,
    producer: Option<Producer>,
    /// The next transaction needs a producer that begins anew.
    has_aborted: bool,
    /// How often the batch was aborted.
    attempt: u32,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    Init,
    Send(usize),
    Offsets,
    End,
    Abort(String),
}

#[derive(Debug)]
pub struct Commit {
    pub at: Ms,
    began: Ms,
    batch: Batch,
    /// As whom; nobody, only where that is wrong.
    member: Option<Member>,
    shares: Vec<(Place, Vec<Record>)>,
    step: Step,
}

impl Transactor {
    pub fn new(name: String, group: usize) -> Self {
        Self { name, group, ..Self::default() }
    }

    /// Ends what an earlier life has left open. True once that is done.
    pub fn init(&mut self, s: &mut Servers) -> bool {
        let identity = s.log.producers.init(&self.name);
        s.wake();
        if let Ok(identity) = identity {
            self.producer = Some(Producer::new(identity));
            self.has_aborted = false;
        }
        identity.is_ok()
    }

    pub fn begin(&self, batch: Batch, member: Option<Member>, s: &mut Servers) -> Commit {
        let is_new = !self.has_aborted || s.is(Flaw::ReusedNumbers);
        let shares = self.shares(&batch, s);
        let step = if is_new { Step::Send(0) } else { Step::Init };
        let at = s.now + s.delay();
        Commit { at, began: s.now, batch, member, shares, step }
    }

    /// What goes to each partition: one request.
    fn shares(&self, batch: &Batch, s: &mut Servers) -> Vec<(Place, Vec<Record>)> {
        let mut shares: BTreeMap<Place, Vec<Record>> = BTreeMap::new();
        if self.attempt > 0 && s.is(Flaw::RetryWithoutOutputs) {
            return Vec::new();
        }
        for out in batch.outgoing() {
            let is_left_out = (out.role == Role::Ledger && s.sometimes(Flaw::EntryLeftOut, 100))
                || (out.role == Role::AggregateState && s.sometimes(Flaw::StateLeftOut, 100));
            if is_left_out {
                continue;
            }
            let count = s.log.count(out.role);
            let partition = match out.placement {
                Placement::Number(number) => number,
                Placement::Hash(hash) => within(hash, count),
                Placement::Key => {
                    assert_eq!(count, 1, "librdkafka places these by their keys");
                    0
                }
            };
            let record = Record { key: out.key.to_vec(), value: out.value.map(<[u8]>::to_vec) };
            shares.entry((out.role, partition)).or_default().push(record);
        }
        shares.into_iter().collect()
    }
}

impl Commit {
    /// Where it stands: what may go wrong next.
    pub fn moment(&self) -> Moment {
        match self.step {
            Step::Init => Moment::Commit,
            Step::Send(_) => Moment::Send,
            Step::Offsets => Moment::Offsets,
            Step::End => Moment::End,
            Step::Abort(_) => Moment::Abort,
        }
    }

    /// Takes the next step. With the last, it says what became of the batch.
    pub fn step(
        &mut self,
        of: &mut Transactor,
        strike: Option<What>,
        s: &mut Servers,
    ) -> Option<Outcome> {
        self.at = s.now + s.delay();
        let done = match self.step.clone() {
            Step::Init => {
                if of.init(s) {
                    self.step = Step::Send(0);
                }
                Ok(None)
            }
            Step::Send(n) => self.send(n, of, strike, s).map(|()| None),
            Step::Offsets => self.offsets(of, strike, s).map(|()| None),
            Step::End => return self.end(of, strike, s),
            Step::Abort(why) => self.abort(of, why, s).map(Some),
        };
        match done {
            Ok(outcome) => outcome,
            Err(Refused::Concurrent) if s.now - self.began < PATIENCE => None,
            Err(Refused::NotAMember | Refused::OutOfOrder) => {
                s.count("commits refused of who is no member now", 1);
                self.step = Step::Abort(format!("driver: {done:?}"));
                None
            }
            Err(why) => {
                s.count("producers fenced", usize::from(why == Refused::Fenced));
                Some(Outcome::Unknown(format!("driver: {:?}: {why:?}", self.step)))
            }
        }
    }

    fn send(
        &mut self,
        n: usize,
        of: &mut Transactor,
        strike: Option<What>,
        s: &mut Servers,
    ) -> Result<(), Refused> {
        let Some((place, records)) = self.shares.get(n) else {
            self.step = Step::Offsets;
            return Ok(());
        };
        let (place, records) = (*place, records.clone());
        if s.is(Flaw::OutputsOutside) {
            let now = s.now;
            records.into_iter().for_each(|record| s.log.at_mut(place).append(record, now));
            self.step = Step::Send(n + 1);
            return Ok(());
        }
        let producer = of.producer.as_mut().expect("it was made at the start");
        let identity = producer.identity;
        s.log.producers.touch(identity, Touched::Partition(place), s.now)?;
        let first = producer.send(place, records.len());
        let arrives = !matches!(strike, Some(What::Abort | What::Lose { arrives: false }));
        if arrives {
            let appended = s.log.produce(identity, place, first, records, s.now)?;
            if appended == Appended::Copy {
                s.say(|| format!("{place:?}: taken for a copy, and dropped"));
            }
        }
        if matches!(strike, Some(What::Abort | What::Lose { .. })) {
            self.at += s.random.within(1_000, 15_000);
            self.step = Step::Abort("driver: producing: no answer".to_owned());
            return Ok(());
        }
        producer.answered(place);
        self.step = Step::Send(n + 1);
        Ok(())
    }

    /// What the commit says of each partition.
    fn marks(&self, group: usize, s: &mut Servers) -> Vec<(Place, Committed)> {
        let is_said = match group {
            2 => !s.is(Flaw::NoClaim),
            _ => !s.is(Flaw::NothingBegun),
        };
        let mut marks = Vec::new();
        for (input, mark) in &self.batch.offsets {
            let place = (input.role, input.partition);
            let said = if is_said { mark.metadata.as_str() } else { "" };
            let is_more = s.log.at(place).end() > mark.offset;
            let ahead = is_more && s.sometimes(Flaw::OffsetsAhead, 300);
            let offset = mark.offset + i64::from(ahead);
            marks.push((place, Committed { offset, metadata: mark::write(said, TOPIC_ID) }));
        }
        marks
    }

    fn offsets(
        &mut self,
        of: &mut Transactor,
        strike: Option<What>,
        s: &mut Servers,
    ) -> Result<(), Refused> {
        if strike == Some(What::Abort) {
            self.step = Step::Abort("driver: offsets: no answer".to_owned());
            return Ok(());
        }
        let marks = self.marks(of.group, s);
        if s.is(Flaw::OffsetsOutside) {
            let alone = TransactionId(u64::MAX);
            s.log.offsets[of.group].append(alone, marks);
            s.log.offsets[of.group].mark(alone, true);
            self.step = Step::End;
            return Ok(());
        }
        let identity = of.producer.as_ref().expect("it was made at the start").identity;
        s.log.producers.touch(identity, Touched::Offsets(of.group), s.now)?;
        let member = self.member.as_ref().filter(|_| !s.is(Flaw::Unfenced));
        let is_accepted = s.groups[of.group].accepts(member);
        s.log.send_offsets(identity, of.group, is_accepted, marks)?;
        self.step = Step::End;
        Ok(())
    }

    fn end(
        &mut self,
        of: &mut Transactor,
        strike: Option<What>,
        s: &mut Servers,
    ) -> Option<Outcome> {
        if strike == Some(What::Abort) {
            self.step = Step::Abort("driver: commit_transaction: no answer".to_owned());
            return None;
        }
        let identity = of.producer.as_ref().expect("it was made at the start").identity;
        let arrives = strike != Some(What::Lose { arrives: false });
        let is_empty = self.shares.is_empty() && s.is(Flaw::OffsetsOutside)
            || s.is(Flaw::OutputsOutside) && s.is(Flaw::OffsetsOutside);
        let ended = if arrives && !is_empty { s.log.producers.end(identity, true) } else { Ok(()) };
        s.wake();
        if matches!(strike, Some(What::Lose { .. })) && !s.is(Flaw::SilenceOfCommitIsYes) {
            return Some(Outcome::Unknown("driver: commit_transaction: no answer".to_owned()));
        }
        match ended {
            Ok(()) => {
                of.attempt = 0;
                Some(Outcome::Committed(std::mem::take(&mut self.batch)))
            }
            Err(why) => Some(Outcome::Unknown(format!("driver: commit_transaction: {why:?}"))),
        }
    }

    fn abort(
        &mut self,
        of: &mut Transactor,
        why: String,
        s: &mut Servers,
    ) -> Result<Outcome, Refused> {
        let producer = of.producer.as_mut().expect("it was made at the start");
        producer.purge();
        match s.log.producers.end(producer.identity, false) {
            // Nothing was begun.
            Ok(()) | Err(Refused::NoSuchTransaction) => {}
            Err(refused) => return Err(refused),
        }
        s.wake();
        of.has_aborted = true;
        of.attempt += 1;
        let batch = std::mem::take(&mut self.batch);
        if s.is(Flaw::AbortIsYes) {
            return Ok(Outcome::Committed(batch));
        }
        Ok(Outcome::Aborted(batch, why))
    }
}
