//! How stages follow each other in one process: `Run::new(decrypt, Run::new(validate,
//! End::new(Role::Valid, …)))`. Each record is pushed through to the end; nothing is queued
//! between.

use std::collections::VecDeque;
use std::sync::Arc;

use waybill_schemas::vocabulary::LedgerOutcome;
use waybill_schemas::{DecodeError, Provenance, Record, Redrive, RejectRecord};
use waybill_stage::{
    Answer, Code, Context, Failure, Fault, PartReject, Reject, SealedRecord, Stage, Traced,
};

use crate::ahead::{Judged, Said, ahead, cores, judge};
use crate::host::{Incoming, Processor};
use crate::ledger::Item;
use crate::{Batch, Role, Values};

/// What flows beside the records: the batch being filled, and the clock's word.
#[derive(Debug)]
pub struct Flow<'a> {
    pub batch: &'a mut Batch,
    pub values: &'a Values,
    pub now_ms: i64,
}

/// Takes one record and whatever becomes of it.
pub trait Step<I>: Send {
    /// The stages from here on.
    fn stages(&self) -> Vec<&'static str>;

    fn take(&mut self, input: I, flow: &mut Flow<'_>) -> Result<(), Fault>;

    /// What will be taken next, in this order: a chance to work at it beside each other.
    fn look_ahead(&mut self, _inputs: &[I], _now_ms: i64) {}
}

/// Runs a stage, and hands what passes to the next step.
#[derive(Debug)]
pub struct Run<S: Stage, N> {
    stage: S,
    next: N,
    answer: Answer<S::Output>,
    /// Of the records that are taken next: what is known of them already.
    ahead: VecDeque<Option<Judged<S::Output>>>,
}

impl<S: Stage, N: Step<S::Output>> Run<S, N> {
    pub fn new(stage: S, next: N) -> Self {
        Self { stage, next, answer: Answer::default(), ahead: VecDeque::new() }
    }
}

impl<S, N> Step<S::Input> for Run<S, N>
where
    S: Stage + Sync,
    S::Input: Clone + Send,
    S::Output: Send + Traced,
    N: Step<S::Output>,
{
    fn stages(&self) -> Vec<&'static str> {
        let mut stages = vec![S::NAME];
        stages.extend(self.next.stages());
        stages
    }

    fn take(&mut self, input: S::Input, flow: &mut Flow<'_>) -> Result<(), Fault> {
        let (provenance, position) = (input.provenance(), input.position());
        let said = match self.ahead.pop_front().flatten() {
            Some((answer, said)) => {
                self.answer = answer;
                said
            }
            None => {
                let (stage, cx) = (&self.stage, Context { now_ms: flow.now_ms });
                judge(&mut self.answer, |answer| stage.apply(&cx, input, answer))
            }
        };
        settle(S::NAME, said, &mut self.answer, &provenance, position, flow)?;
        for output in self.answer.passed.drain(..) {
            self.next.take(output, flow)?;
        }
        Ok(())
    }

    fn look_ahead(&mut self, inputs: &[S::Input], now_ms: i64) {
        self.ahead = ahead(&self.stage, &Context { now_ms }, inputs).into();
    }
}

/// Runs `apply` on one record, and settles what it said.
pub(crate) fn answered<T: Traced>(
    stage: &'static str,
    answer: &mut Answer<T>,
    provenance: &Arc<Provenance>,
    position: u32,
    flow: &mut Flow<'_>,
    apply: impl FnOnce(&mut Answer<T>) -> Result<(), Failure>,
) -> Result<(), Fault> {
    let said = judge(answer, apply);
    settle(stage, said, answer, provenance, position, flow)
}

/// Counts a record's outcome, for the metrics and for the ledger, and writes its rejects. What passed
/// stays in `answer`.
fn settle<T: Traced>(
    stage: &'static str,
    Said { result, took }: Said,
    answer: &mut Answer<T>,
    provenance: &Arc<Provenance>,
    position: u32,
    flow: &mut Flow<'_>,
) -> Result<(), Fault> {
    match result {
        Some(Ok(())) => {}
        Some(Err(Failure::Reject(reject))) => {
            answer.clear();
            answer.reject(position, reject);
        }
        Some(Err(Failure::Fault(fault))) => return Err(fault),
        None => {
            answer.clear();
            answer.reject(position, Reject::new(Code::Internal, "").because("panic"));
        }
    }
    count(flow.batch.tally.stage(stage), answer, took);
    // A record counts once: where something of it passed, or else as what came of it first.
    let mut whole = 1;
    let mut item = |outcome, code: &'static str, parts| Item {
        stage: stage.into(),
        carrier_id: &provenance.carrier_id,
        received_at: provenance.received_at,
        outcome,
        code: code.into(),
        records: std::mem::take(&mut whole),
        parts,
    };
    if let Some(first) = answer.passed.first() {
        let parts = answer.passed.len() as u64;
        let carrier_id = &first.provenance().carrier_id;
        flow.batch.ledger.count(Item { carrier_id, ..item(LedgerOutcome::Passed, "", parts) });
    }
    if answer.duplicates > 0 || (answer.passed.is_empty() && answer.rejects.is_empty()) {
        let copies = u64::from(answer.duplicates);
        flow.batch.ledger.count(item(LedgerOutcome::Duplicate, "", copies));
    }
    for PartReject { position, reject } in answer.rejects.drain(..) {
        let code = reject.code.as_str();
        let record = dead_letter(stage, provenance, position, reject, flow.now_ms);
        let carrier_id = &record.carrier_id;
        flow.batch.ledger.count(Item { carrier_id, ..item(LedgerOutcome::Rejected, code, 1) });
        flow.batch.put_reject(flow.values, &record)?;
    }
    Ok(())
}

#[allow(clippy::cast_possible_truncation)]
fn count<T>(tally: &mut crate::metrics::StageTally, answer: &Answer<T>, took: f64) {
    tally.took(took);
    let (passed, rejected) = (answer.passed.len() as u64, answer.rejects.len() as u64);
    match (passed, rejected, answer.duplicates) {
        (0, 0, _) => tally.duplicate += 1,
        (0, _, _) => tally.rejected += 1,
        (_, 0, _) => tally.passed += 1,
        _ => tally.partial += 1,
    }
    tally.events_passed += passed;
    tally.events_rejected += rejected;
    tally.events_duplicate += u64::from(answer.duplicates);
    for part in &answer.rejects {
        tally.reject(&part.reject);
    }
}

/// The dead letter: coordinates and code, never plaintext.
pub(crate) fn dead_letter(
    stage: &'static str,
    provenance: &Provenance,
    position: u32,
    reject: Reject,
    now_ms: i64,
) -> RejectRecord {
    let claims = reject.claims.map_or_else(
        || waybill_stage::Claims {
            carrier_id: provenance.carrier_id.clone(),
            handle: provenance.handle.clone(),
            message_id: provenance.message_id.clone(),
            sealed_at: (!provenance.carrier_id.is_empty()).then_some(provenance.sealed_at),
        },
        |claims| *claims,
    );
    RejectRecord {
        code: reject.code.as_str().to_owned(),
        stage: stage.to_owned(),
        carrier_id: claims.carrier_id,
        handle: claims.handle,
        message_id: claims.message_id,
        position,
        source_partition: provenance.source_partition,
        source_offset: provenance.source_offset,
        sealed_at: claims.sealed_at,
        received_at: provenance.received_at,
        rejected_at: now_ms,
        detail: reject.detail.into_owned(),
        attempt: provenance.attempt,
        source_topic: Role::Sealed.as_str().to_owned(),
    }
}

/// The last step: writes to a topic, under the key that `key` names.
pub struct End<O> {
    role: Role,
    key: for<'a> fn(&'a O) -> &'a [u8],
}

impl<O> std::fmt::Debug for End<O> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "End({})", self.role.as_str())
    }
}

impl<O> End<O> {
    pub fn new(role: Role, key: for<'a> fn(&'a O) -> &'a [u8]) -> Self {
        Self { role, key }
    }
}

impl<O: Record> Step<O> for End<O> {
    fn stages(&self) -> Vec<&'static str> {
        Vec::new()
    }

    fn take(&mut self, output: O, flow: &mut Flow<'_>) -> Result<(), Fault> {
        flow.batch.put(flow.values, self.role, None, (self.key)(&output), &output)
    }
}

/// A chain that begins with sealed records: as carriers publish them, or sent through once more.
#[derive(Debug)]
pub struct Sealed<S> {
    chain: S,
    /// Records that were looked at ahead, and are taken next.
    ahead: VecDeque<SealedRecord>,
}

impl<S: Step<SealedRecord>> Sealed<S> {
    pub fn new(chain: S) -> Self {
        Self { chain, ahead: VecDeque::new() }
    }

    /// A record that was rejected: judged as what it was then, at the place where it stands.
    fn again(&mut self, record: &Incoming<'_>, flow: &mut Flow<'_>) -> Result<(), Fault> {
        let redrive = match read_back::<Redrive>(Role::Redrive, record, flow)? {
            Ok(redrive) => redrive,
            Err(reason) => {
                let stage = self.chain.stages().first().copied().unwrap_or_default();
                return unreadable(stage, record, reason, flow);
            }
        };
        for answered in redrive.answers {
            flow.batch.ledger.count(Item {
                stage: answered.stage.into(),
                carrier_id: &answered.carrier_id,
                received_at: redrive.received_at,
                outcome: LedgerOutcome::Redriven,
                code: answered.code.into(),
                records: 0,
                parts: answered.parts,
            });
        }
        let sealed = SealedRecord {
            key: record.key.map(<[u8]>::to_vec),
            value: Some(redrive.sealed),
            source_partition: redrive.source_partition,
            source_offset: redrive.source_offset,
            received_at: redrive.received_at,
            attempt: redrive.attempt,
        };
        self.chain.take(sealed, flow)
    }
}

impl<S: Step<SealedRecord>> Processor for Sealed<S> {
    fn stages(&self) -> Vec<&'static str> {
        self.chain.stages()
    }

    fn inputs(&self) -> &'static [Role] {
        &[Role::Sealed, Role::Redrive]
    }

    fn process(&mut self, record: &Incoming<'_>, flow: &mut Flow<'_>) -> Result<(), Fault> {
        if record.role == Role::Redrive {
            return self.again(record, flow);
        }
        let sealed = self.ahead.pop_front().unwrap_or_else(|| sealed(record));
        self.chain.take(sealed, flow)
    }

    /// So that each core has some to do, and none waits long for those before it.
    fn at_once(&self) -> usize {
        16 * cores()
    }

    fn look_ahead(&mut self, records: &[Incoming<'_>], now_ms: i64) {
        if records.iter().all(|record| record.role == Role::Sealed) {
            self.ahead = records.iter().map(sealed).collect();
            self.chain.look_ahead(self.ahead.make_contiguous(), now_ms);
        }
    }
}

fn sealed(record: &Incoming<'_>) -> SealedRecord {
    SealedRecord {
        key: record.key.map(<[u8]>::to_vec),
        value: record.value.map(<[u8]>::to_vec),
        source_partition: record.partition,
        source_offset: record.offset,
        received_at: record.appended_at,
        attempt: 0,
    }
}

/// A chain that begins with what an earlier process wrote.
#[derive(Debug)]
pub struct Decoded<S, I> {
    input: &'static [Role; 1],
    /// Of the stage that comes first, for records that cannot be read back.
    stage: &'static str,
    chain: S,
    input_type: std::marker::PhantomData<fn() -> I>,
}

impl<S: Step<I>, I: Record> Decoded<S, I> {
    pub fn new(input: &'static [Role; 1], stage: &'static str, chain: S) -> Self {
        Self { input, stage, chain, input_type: std::marker::PhantomData }
    }
}

impl<S: Step<I>, I: Record> Processor for Decoded<S, I> {
    fn stages(&self) -> Vec<&'static str> {
        self.chain.stages()
    }

    fn inputs(&self) -> &'static [Role] {
        self.input
    }

    fn process(&mut self, record: &Incoming<'_>, flow: &mut Flow<'_>) -> Result<(), Fault> {
        match read_back::<I>(record.role, record, flow)? {
            Ok(input) => self.chain.take(input, flow),
            Err(reason) => unreadable(self.stage, record, reason, flow),
        }
    }
}

/// Opens and decodes a record of an internal topic, or says why it cannot be. A key or a schema that is
/// not known here is a fault: the record may be a later build's, or this process has the wrong keys.
pub(crate) fn read_back<I: Record>(
    role: Role,
    record: &Incoming<'_>,
    flow: &mut Flow<'_>,
) -> Result<Result<I, &'static str>, Fault> {
    let key = record.key.unwrap_or_default();
    let Some(value) = record.value else { return Ok(Err("no_value")) };
    let opened = flow.values.open(role, key, value);
    let opened = opened.map_err(|fault| Fault(format!("{}: {fault}", record.place())))?;
    let Some(plain) = opened else { return Ok(Err("not_ours")) };
    match waybill_schemas::decode(&plain) {
        Ok(read) => Ok(Ok(read)),
        Err(error @ DecodeError::UnknownSchema) => {
            Err(Fault(format!("{}: a record is {error}", record.place())))
        }
        Err(_) => Ok(Err("no_avro")),
    }
}

/// A record on an internal topic that nobody of ours can have written as it is: it is answered where it
/// stands, and stops nobody.
pub(crate) fn unreadable(
    stage: &'static str,
    record: &Incoming<'_>,
    reason: &'static str,
    flow: &mut Flow<'_>,
) -> Result<(), Fault> {
    let reject = Reject::new(Code::Internal, format!("{}: {reason}", record.place()));
    answer_at_its_place(stage, record, reject.because(reason), flow)
}

/// A record of which nothing is known but where it stands gets its answer there.
pub(crate) fn answer_at_its_place(
    stage: &'static str,
    record: &Incoming<'_>,
    reject: Reject,
    flow: &mut Flow<'_>,
) -> Result<(), Fault> {
    let tally = flow.batch.tally.stage(stage);
    tally.rejected += 1;
    tally.events_rejected += 1;
    tally.reject(&reject);
    flow.batch.ledger.count(Item {
        stage: stage.into(),
        carrier_id: "",
        received_at: record.appended_at,
        outcome: LedgerOutcome::Rejected,
        code: reject.code.as_str().into(),
        records: 1,
        parts: 1,
    });
    let place = nobodys(record.partition, record.offset, record.appended_at);
    let letter = RejectRecord {
        source_topic: record.role.as_str().to_owned(),
        ..dead_letter(stage, &place, 0, reject, flow.now_ms)
    };
    flow.batch.put_reject(flow.values, &letter)
}

/// What is known of a record that says nothing of itself: where it stands, and since when.
pub(crate) fn nobodys(partition: i32, offset: i64, appended_at: i64) -> Provenance {
    Provenance {
        source_partition: partition,
        source_offset: offset,
        received_at: appended_at,
        ..Provenance::default()
    }
}

#[cfg(test)]
mod tests {
    use waybill_sealing::internal::InternalKey;

    use super::*;
    use crate::RoleKeys;

    /// Passes a record on as it is, and calls every other one costly. One is rejected.
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
            _: &Context,
            record: SealedRecord,
            answer: &mut Answer<SealedRecord>,
        ) -> Result<(), Failure> {
            if record.source_offset == 4 {
                return Err(Reject::new(Code::Malformed, "as it should").into());
            }
            answer.pass(record);
            Ok(())
        }
    }

    #[derive(Default)]
    struct Collect(Arc<std::sync::Mutex<Vec<i64>>>);

    impl Step<SealedRecord> for Collect {
        fn stages(&self) -> Vec<&'static str> {
            Vec::new()
        }
        fn take(&mut self, record: SealedRecord, _: &mut Flow<'_>) -> Result<(), Fault> {
            self.0.lock().unwrap().push(record.source_offset);
            Ok(())
        }
    }

    /// Records of several windows, the last of them not shown ahead.
    #[test]
    fn each_record_gets_its_own_answer_in_its_turn() {
        let collected = Collect::default();
        let seen = collected.0.clone();
        let mut chain = Sealed::new(Run::new(Echo, collected));
        let keys = RoleKeys::of(&InternalKey::generate().unwrap()).unwrap();
        let values = Values::new(&keys).unwrap();
        let mut batch = Batch::default();
        let records: Vec<_> = (0..11)
            .map(|offset| Incoming {
                role: Role::Sealed,
                topic: "sealed",
                partition: 0,
                offset,
                key: None,
                value: Some(b"x"),
                appended_at: 0,
            })
            .collect();
        for window in records.chunks(5) {
            if window.len() > 1 {
                chain.look_ahead(window, 0);
            }
            for record in window {
                batch.read(record.role, record.partition, record.offset);
                let mut flow = Flow { batch: &mut batch, values: &values, now_ms: 0 };
                chain.process(record, &mut flow).unwrap();
            }
        }
        assert_eq!(*seen.lock().unwrap(), [0, 1, 2, 3, 5, 6, 7, 8, 9, 10]);
        let tally = batch.tally.stage("echo");
        assert_eq!((tally.passed, tally.rejected), (10, 1));
    }
}
