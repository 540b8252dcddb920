//! Where records come in: as carriers publish them, put off since they cost much, or sent through once
//! more.
//!
//! What costs a private RSA operation costs a thousand times what the rest does, and nobody has proven yet
//! who sent it. Beyond a budget such a record goes, still sealed, to a topic of its own, in the batch's
//! transaction: the records behind it are not held up, and it is not lost. It is read back from there while
//! nothing else comes in, or else at a pace.

use std::collections::VecDeque;

use waybill_schemas::Redrive;
use waybill_schemas::Role;
use waybill_schemas::pipeline::DECRYPT;
use waybill_schemas::vocabulary::LedgerOutcome;
use waybill_stage::{Context, Fault, Pace, SealedRecord};

use crate::ahead::cores;
use crate::chain::OutputContext;
use crate::chain::{Operator, Turn, read_back, unreadable};
use crate::ledger::OutcomeCount;
use crate::processor::{Incoming, Processor, Stateless};
use crate::topic_cipher::TopicCipher;

/// Nothing has come in for so long, ms: there is time for what was put off.
const QUIET_MS: i64 = 100;

/// A chain that begins with sealed records.
#[derive(Debug)]
pub struct Sealed<S> {
    chain: S,
    /// Records that were looked at ahead, and are taken next.
    ahead: VecDeque<SealedRecord>,
    /// Of what was put off, while others come in.
    pace: Pace,
    /// When the last record of a carrier came in, ms UTC.
    busy_at: Option<i64>,
}

impl<S: Operator<SealedRecord>> Sealed<S> {
    /// `per_second`: so many records that were put off are taken while others come in.
    pub fn new(chain: S, per_second: u32) -> Self {
        let pace = Pace::per_second(per_second);
        Self { chain, ahead: VecDeque::new(), pace, busy_at: None }
    }

    fn stage(&self) -> &'static str {
        self.chain.stages().first().copied().unwrap_or_default()
    }

    /// What a carrier has published.
    fn publish(&mut self, record: &Incoming<'_>, out: &mut OutputContext<'_>) -> Result<(), Fault> {
        self.busy_at = Some(out.now_ms);
        let sealed = self.ahead.pop_front().unwrap_or_else(|| sealed(record));
        match self.chain.take(sealed, &Context::at(out.now_ms).may_wait(), out)? {
            Turn::Taken => Ok(()),
            Turn::Later => self.put_off(record, out),
        }
    }

    fn put_off(&self, record: &Incoming<'_>, out: &mut OutputContext<'_>) -> Result<(), Fault> {
        let stage = self.stage();
        out.batch.tally.stage(stage).deferred += 1;
        out.batch.ledger.count(OutcomeCount {
            stage: stage.into(),
            carrier_id: "",
            received_at: record.appended_at,
            outcome: LedgerOutcome::Deferred,
            code: "".into(),
            records: 1,
            parts: 1,
        });
        let deferred = Redrive {
            source_partition: record.partition,
            source_offset: record.offset,
            received_at: record.appended_at,
            attempt: 0,
            sealed: record.value.unwrap_or_default().to_vec(),
            answers: Vec::new(),
            sealed_topic: record.topic.to_owned(),
        };
        let key = record.key.unwrap_or_default();
        out.batch.put(out.cipher, Role::Deferred, None, key, &deferred)
    }

    /// What was put off, as what it was then.
    fn resume(&mut self, record: &Incoming<'_>, out: &mut OutputContext<'_>) -> Result<(), Fault> {
        self.pace.charge(out.now_ms);
        let sealed = match self.ahead.pop_front() {
            Some(sealed) => sealed,
            None => match read_back::<Redrive>(record.role, record, out.cipher)? {
                Ok(deferred) => as_it_was(record, deferred),
                Err(reason) => return unreadable(self.stage(), record, reason, out),
            },
        };
        self.once_more(sealed, record, out)
    }

    /// What was rejected, as what it was then.
    fn redrive(&mut self, record: &Incoming<'_>, out: &mut OutputContext<'_>) -> Result<(), Fault> {
        let mut redrive = match read_back::<Redrive>(record.role, record, out.cipher)? {
            Ok(redrive) => redrive,
            Err(reason) => return unreadable(self.stage(), record, reason, out),
        };
        for answered in std::mem::take(&mut redrive.answers) {
            out.batch.ledger.count(OutcomeCount {
                stage: answered.stage.into(),
                carrier_id: &answered.carrier_id,
                received_at: redrive.received_at,
                outcome: LedgerOutcome::Redriven,
                code: answered.code.into(),
                records: 0,
                parts: answered.parts,
            });
        }
        self.once_more(as_it_was(record, redrive), record, out)
    }

    fn once_more(
        &mut self,
        sealed: SealedRecord,
        record: &Incoming<'_>,
        out: &mut OutputContext<'_>,
    ) -> Result<(), Fault> {
        match self.chain.take(sealed, &Context::at(out.now_ms), out)? {
            Turn::Taken => Ok(()),
            Turn::Later => Err(Fault(format!("{}: it was put off once more", record.place()))),
        }
    }
}

impl<S: Operator<SealedRecord>> Processor for Sealed<S> {
    type State = Stateless;

    fn stages(&self) -> Vec<&'static str> {
        self.chain.stages()
    }

    fn inputs(&self) -> &'static [Role] {
        DECRYPT.inputs
    }

    fn waits(&self, now_ms: i64) -> Option<Role> {
        let is_busy = self.busy_at.is_some_and(|at| now_ms.saturating_sub(at) < QUIET_MS);
        (is_busy && !self.pace.is_free(now_ms)).then_some(Role::Deferred)
    }

    fn process(&mut self, record: &Incoming<'_>, out: &mut OutputContext<'_>) -> Result<(), Fault> {
        match record.role {
            Role::Sealed => self.publish(record, out),
            Role::Deferred => self.resume(record, out),
            _ => self.redrive(record, out),
        }
    }

    /// So that each core has some to do, and none waits long for those before it.
    fn at_once(&self) -> usize {
        16 * cores()
    }

    fn look_ahead(&mut self, records: &[Incoming<'_>], cipher: &TopicCipher, now_ms: i64) {
        let (inputs, cx) = match records.first().map(|first| first.role) {
            Some(Role::Sealed) => {
                (records.iter().map(sealed).collect(), Context::at(now_ms).may_wait())
            }
            Some(Role::Deferred) => {
                let read = |record| {
                    let read = read_back::<Redrive>(Role::Deferred, record, cipher).ok()?.ok()?;
                    Some(as_it_was(record, read))
                };
                // One that is nobody's is answered in its turn, and the others with it.
                let Some(inputs) = records.iter().map(read).collect() else { return };
                (inputs, Context::at(now_ms))
            }
            _ => return,
        };
        self.ahead = inputs;
        self.chain.look_ahead(self.ahead.make_contiguous(), &cx);
    }
}

fn sealed(record: &Incoming<'_>) -> SealedRecord {
    SealedRecord {
        key: record.key.map(<[u8]>::to_vec),
        value: record.value.map(<[u8]>::to_vec),
        sealed_topic: record.topic.to_owned(),
        source_partition: record.partition,
        source_offset: record.offset,
        received_at: record.appended_at,
        attempt: 0,
    }
}

/// The sealed record of which it tells.
fn as_it_was(record: &Incoming<'_>, redrive: Redrive) -> SealedRecord {
    SealedRecord {
        key: record.key.map(<[u8]>::to_vec),
        value: Some(redrive.sealed),
        sealed_topic: redrive.sealed_topic,
        source_partition: redrive.source_partition,
        source_offset: redrive.source_offset,
        received_at: redrive.received_at,
        attempt: redrive.attempt,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};
    use std::time::Duration;

    use waybill_sealing::internal::InternalKey;
    use waybill_stage::{Code, Failure, Outputs, Reject, Stage};

    use super::*;
    use crate::batch::Batch;
    use crate::chain::StageOperator;
    use crate::event::Now;
    use crate::input::Input;
    use crate::topic_cipher::RoleKeys;

    fn cipher() -> TopicCipher {
        let keys = RoleKeys::of(&InternalKey::generate().unwrap()).unwrap();
        TopicCipher::new(&keys, || 0).unwrap()
    }

    /// Passes a record on as it is, and calls every other one costly. One is rejected, and two are put off
    /// where they may be.
    struct Echo;

    impl Stage for Echo {
        type Input = SealedRecord;
        type Output = SealedRecord;
        const NAME: &'static str = "echo";

        fn costly(&self, records: &[SealedRecord]) -> Vec<usize> {
            (0..records.len()).step_by(2).collect()
        }

        fn apply(
            &self,
            cx: &Context,
            record: SealedRecord,
            outputs: &mut Outputs<SealedRecord>,
        ) -> Result<(), Failure> {
            if record.source_offset == 4 {
                return Err(Reject::new(Code::Malformed, "as it should").into());
            }
            if cx.may_wait && [3, 8].contains(&record.source_offset) {
                return Err(Failure::Later);
            }
            outputs.emit(record);
            Ok(())
        }
    }

    #[derive(Default)]
    struct Collect(Arc<Mutex<Vec<i64>>>);

    impl Operator<SealedRecord> for Collect {
        fn stages(&self) -> Vec<&'static str> {
            Vec::new()
        }
        fn take(
            &mut self,
            record: SealedRecord,
            _: &Context,
            _: &mut OutputContext<'_>,
        ) -> Result<Turn, Fault> {
            self.0.lock().unwrap().push(record.source_offset);
            Ok(Turn::Taken)
        }
    }

    fn at(role: Role, offset: i64, value: &[u8]) -> Incoming<'_> {
        let (topic, partition, key, appended_at) = (role.as_str(), 0, Some(&b"k"[..]), 5);
        Incoming { role, topic, partition, offset, key, value: Some(value), appended_at }
    }

    /// Takes the records in windows, of which those of one record are not shown ahead.
    fn take(
        chain: &mut Sealed<StageOperator<Echo, Collect>>,
        records: &[Incoming<'_>],
        cipher: &TopicCipher,
        batch: &mut Batch,
    ) {
        for window in records.chunks(5) {
            if window.len() > 1 {
                chain.look_ahead(window, cipher, 0);
            }
            for record in window {
                let input = Input::new(record.role, record.topic, record.partition);
                batch.read(&input, record.offset, Now { at: Duration::ZERO, utc_ms: 0 });
                let mut out = OutputContext { batch: &mut *batch, cipher, now_ms: 0 };
                chain.process(record, &mut out).unwrap();
            }
        }
    }

    #[test]
    fn each_record_gets_its_own_answer_in_its_turn_and_what_was_put_off_later() {
        let collected = Collect::default();
        let seen = collected.0.clone();
        let mut chain = Sealed::new(StageOperator::new(Echo, collected), 10);
        let cipher = cipher();
        let mut batch = Batch::default();
        let records: Vec<_> = (0..11).map(|offset| at(Role::Sealed, offset, b"x")).collect();
        take(&mut chain, &records, &cipher, &mut batch);
        assert_eq!(*seen.lock().unwrap(), [0, 1, 2, 5, 6, 7, 9, 10]);
        let tally = batch.tally.stage("echo");
        assert_eq!((tally.passed, tally.rejected, tally.deferred), (8, 1, 2));

        let written = batch.outgoing().filter(|out| out.role == Role::Deferred);
        let put_off: Vec<_> = written.map(|out| out.value.unwrap().to_vec()).collect();
        assert_eq!(put_off.len(), 2);
        let strangers = b"nobody's".to_vec();
        for values_of in [vec![&put_off[0], &strangers, &put_off[1]], vec![&put_off[0]]] {
            seen.lock().unwrap().clear();
            let mut batch = Batch::default();
            let records: Vec<_> = (100..)
                .zip(&values_of)
                .map(|(offset, value)| at(Role::Deferred, offset, value))
                .collect();
            take(&mut chain, &records, &cipher, &mut batch);
            let tally = batch.tally.stage("echo");
            let strange = values_of.len() as u64 / 3;
            assert_eq!((tally.rejected, tally.deferred), (strange, 0));
            assert_eq!(*seen.lock().unwrap(), [3, 8][..values_of.len().min(2)]);
        }
    }

    #[test]
    fn what_was_put_off_waits_only_while_others_come_in_and_not_for_ever() {
        let mut chain = Sealed::new(StageOperator::new(Echo, Collect::default()), 1);
        let cipher = cipher();
        let mut batch = Batch::default();
        assert_eq!(chain.waits(0), None);
        let records = [at(Role::Sealed, 3, b"x")];
        take(&mut chain, &records, &cipher, &mut batch);
        assert_eq!(chain.waits(0), None, "one is free");
        let put_off = batch.outgoing().find_map(|out| Some(out.value?.to_vec())).unwrap();
        take(&mut chain, &[at(Role::Deferred, 0, &put_off)], &cipher, &mut Batch::default());
        assert_eq!(chain.waits(0), Some(Role::Deferred));
        assert_eq!(chain.waits(QUIET_MS - 1), Some(Role::Deferred));
        assert_eq!(chain.waits(QUIET_MS), None, "nothing comes in");
        chain.busy_at = Some(950);
        assert_eq!(chain.waits(999), Some(Role::Deferred));
        assert_eq!(chain.waits(1_000), None, "a second later the next is free");
    }
}
