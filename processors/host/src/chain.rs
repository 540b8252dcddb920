//! How stages follow each other in one process, as operators: `StageOperator::new(decrypt,
//! StageOperator::new(validate, TopicWriter::new(Role::Valid, …)))`. Each record is pushed through to the end;
//! nothing is queued between.

use std::collections::VecDeque;
use std::sync::Arc;

use waybill_schemas::Role;
use waybill_schemas::vocabulary::LedgerOutcome;
use waybill_schemas::{DecodeError, Provenance, Record, RejectRecord};
use waybill_stage::{Code, Context, Failure, Fault, Outputs, PartReject, Reject, Stage, Traced};

use crate::ahead::{Judged, Said, ahead, judge};
use crate::batch::Batch;
use crate::ledger::OutcomeCount;
use crate::processor::{Incoming, Processor, Stateless};
use crate::topic_cipher::TopicCipher;

/// What operators write into: the batch being filled. With it, the keys of its topics and the time, ms UTC.
#[derive(Debug)]
pub struct OutputContext<'a> {
    pub batch: &'a mut Batch,
    pub cipher: &'a TopicCipher,
    pub now_ms: i64,
}

/// Whether an operator has taken its record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    Taken,
    /// It costs more than there is for it now: nothing was done or counted.
    Later,
}

/// Takes one record and whatever becomes of it.
pub trait Operator<I>: Send {
    /// The stages from here on.
    fn stages(&self) -> Vec<&'static str>;

    /// A record that may wait by `cx` may be left for later.
    fn take(&mut self, input: I, cx: &Context, out: &mut OutputContext<'_>) -> Result<Turn, Fault>;

    /// What will be taken next, in this order: a chance to work at it beside each other.
    fn look_ahead(&mut self, _inputs: &[I], _cx: &Context) {}
}

/// Runs a stage, and hands what passes to the next operator.
#[derive(Debug)]
pub struct StageOperator<S: Stage, N> {
    stage: S,
    next: N,
    outputs: Outputs<S::Output>,
    /// Of the records that are taken next: what is known of them already.
    ahead: VecDeque<Option<Judged<S::Output>>>,
}

impl<S: Stage, N: Operator<S::Output>> StageOperator<S, N> {
    pub fn new(stage: S, next: N) -> Self {
        Self { stage, next, outputs: Outputs::default(), ahead: VecDeque::new() }
    }
}

impl<S, N> Operator<S::Input> for StageOperator<S, N>
where
    S: Stage + Sync,
    S::Input: Clone + Send,
    S::Output: Send + Traced,
    N: Operator<S::Output>,
{
    fn stages(&self) -> Vec<&'static str> {
        let mut stages = vec![S::NAME];
        stages.extend(self.next.stages());
        stages
    }

    fn take(
        &mut self,
        input: S::Input,
        cx: &Context,
        out: &mut OutputContext<'_>,
    ) -> Result<Turn, Fault> {
        let (provenance, position) = (input.provenance(), input.position());
        let said = match self.ahead.pop_front().flatten() {
            Some((outputs, said)) => {
                self.outputs = outputs;
                said
            }
            None => {
                let stage = &self.stage;
                judge(&mut self.outputs, |outputs| stage.apply(cx, input, outputs))
            }
        };
        if matches!(said.result, Some(Err(Failure::Later))) {
            return Ok(Turn::Later);
        }
        settle(S::NAME, said, &mut self.outputs, &provenance, position, out)?;
        for output in self.outputs.emitted.drain(..) {
            // What has come so far has been paid for.
            let cx = Context::at(cx.now_ms);
            if self.next.take(output, &cx, out)? == Turn::Later {
                return Err(puts_off(S::NAME));
            }
        }
        Ok(Turn::Taken)
    }

    fn look_ahead(&mut self, inputs: &[S::Input], cx: &Context) {
        self.ahead = ahead(&self.stage, cx, inputs).into();
    }
}

fn puts_off(stage: &str) -> Fault {
    Fault(format!("{stage}: a record was put off that cannot wait"))
}

/// Runs `apply` on one record, and settles what it said.
pub fn run_stage<T: Traced>(
    stage: &'static str,
    outputs: &mut Outputs<T>,
    provenance: &Arc<Provenance>,
    position: u32,
    out: &mut OutputContext<'_>,
    apply: impl FnOnce(&mut Outputs<T>) -> Result<(), Failure>,
) -> Result<(), Fault> {
    let said = judge(outputs, apply);
    settle(stage, said, outputs, provenance, position, out)
}

/// Counts a record's outcome, for the metrics and for the ledger, and writes its rejects. What passed
/// stays in `outputs`.
fn settle<T: Traced>(
    stage: &'static str,
    Said { result, took }: Said,
    outputs: &mut Outputs<T>,
    provenance: &Arc<Provenance>,
    position: u32,
    out: &mut OutputContext<'_>,
) -> Result<(), Fault> {
    match result {
        Some(Ok(())) => {}
        Some(Err(Failure::Reject(reject))) => {
            outputs.clear();
            outputs.reject(position, reject);
        }
        Some(Err(Failure::Fault(fault))) => return Err(fault),
        Some(Err(Failure::Later)) => return Err(puts_off(stage)),
        None => {
            outputs.clear();
            outputs.reject(position, Reject::new(Code::Internal, "").because("panic"));
        }
    }
    count(out.batch.tally.stage(stage), outputs, took);
    // A record counts once: where something of it passed, or else as what came of it first.
    let mut whole = 1;
    let mut counted = |outcome, code: &'static str, parts| OutcomeCount {
        stage: stage.into(),
        carrier_id: &provenance.carrier_id,
        received_at: provenance.received_at,
        outcome,
        code: code.into(),
        records: std::mem::take(&mut whole),
        parts,
    };
    if let Some(first) = outputs.emitted.first() {
        let parts = outputs.emitted.len() as u64;
        let carrier_id = &first.provenance().carrier_id;
        let count = OutcomeCount { carrier_id, ..counted(LedgerOutcome::Passed, "", parts) };
        out.batch.ledger.count(count);
        if !outputs.platform_key.is_empty() {
            out.batch.ledger.opened_with(&outputs.platform_key, carrier_id);
            out.batch.tally.opened_with(&outputs.platform_key, carrier_id);
        }
    }
    if outputs.duplicates > 0 || (outputs.emitted.is_empty() && outputs.rejects.is_empty()) {
        let copies = u64::from(outputs.duplicates);
        out.batch.ledger.count(counted(LedgerOutcome::Duplicate, "", copies));
    }
    for PartReject { position, reject } in outputs.rejects.drain(..) {
        let code = reject.code.as_str();
        let record = dead_letter(stage, provenance, position, reject, out.now_ms);
        let carrier_id = &record.carrier_id;
        let count = OutcomeCount { carrier_id, ..counted(LedgerOutcome::Rejected, code, 1) };
        out.batch.ledger.count(count);
        out.batch.put_reject(out.cipher, &record)?;
    }
    Ok(())
}

#[allow(clippy::cast_possible_truncation)]
fn count<T>(tally: &mut crate::metrics::StageTally, outputs: &Outputs<T>, took: f64) {
    tally.took(took);
    let (passed, rejected) = (outputs.emitted.len() as u64, outputs.rejects.len() as u64);
    match (passed, rejected, outputs.duplicates) {
        (0, 0, _) => tally.duplicate += 1,
        (0, _, _) => tally.rejected += 1,
        (_, 0, _) => tally.passed += 1,
        _ => tally.partial += 1,
    }
    tally.events_passed += passed;
    tally.events_rejected += rejected;
    tally.events_duplicate += u64::from(outputs.duplicates);
    for part in &outputs.rejects {
        tally.reject(&part.reject);
    }
}

/// The dead letter: coordinates and code, never plaintext.
pub fn dead_letter(
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
        sealed_topic: provenance.sealed_topic.clone(),
    }
}

/// The last operator: writes to a topic, under the key that `key` names.
pub struct TopicWriter<O> {
    role: Role,
    key: for<'a> fn(&'a O) -> &'a [u8],
}

impl<O> std::fmt::Debug for TopicWriter<O> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "TopicWriter({})", self.role.as_str())
    }
}

impl<O> TopicWriter<O> {
    pub fn new(role: Role, key: for<'a> fn(&'a O) -> &'a [u8]) -> Self {
        Self { role, key }
    }
}

impl<O: Record> Operator<O> for TopicWriter<O> {
    fn stages(&self) -> Vec<&'static str> {
        Vec::new()
    }

    fn take(&mut self, output: O, _: &Context, out: &mut OutputContext<'_>) -> Result<Turn, Fault> {
        out.batch.put(out.cipher, self.role, None, (self.key)(&output), &output)?;
        Ok(Turn::Taken)
    }
}

/// A chain that begins with what an earlier process wrote.
#[derive(Debug)]
pub struct Decoded<S, I> {
    input: &'static [Role],
    /// Of the stage that comes first, for records that cannot be read back.
    stage: &'static str,
    chain: S,
    input_type: std::marker::PhantomData<fn() -> I>,
}

impl<S: Operator<I>, I: Record> Decoded<S, I> {
    pub fn new(input: &'static [Role], stage: &'static str, chain: S) -> Self {
        Self { input, stage, chain, input_type: std::marker::PhantomData }
    }
}

impl<S: Operator<I>, I: Record> Processor for Decoded<S, I> {
    type State = Stateless;

    fn stages(&self) -> Vec<&'static str> {
        self.chain.stages()
    }

    fn inputs(&self) -> &'static [Role] {
        self.input
    }

    fn process(&mut self, record: &Incoming<'_>, out: &mut OutputContext<'_>) -> Result<(), Fault> {
        match read_back::<I>(record.role, record, out.cipher)? {
            Ok(input) => match self.chain.take(input, &Context::at(out.now_ms), out)? {
                Turn::Taken => Ok(()),
                Turn::Later => Err(puts_off(self.stage)),
            },
            Err(reason) => unreadable(self.stage, record, reason, out),
        }
    }
}

/// Opens and decodes a record of an internal topic, or says why it cannot be. A key or a schema that is
/// not known here is a fault: the record may be a later build's, or this process has the wrong keys.
pub fn read_back<I: Record>(
    role: Role,
    record: &Incoming<'_>,
    cipher: &TopicCipher,
) -> Result<Result<I, &'static str>, Fault> {
    match opened(role, record, cipher)? {
        Ok(plain) => decoded(&plain, record),
        Err(reason) => Ok(Err(reason)),
    }
}

/// The plain value of a record of an internal topic, or why there is none.
pub fn opened(
    role: Role,
    record: &Incoming<'_>,
    cipher: &TopicCipher,
) -> Result<Result<Vec<u8>, &'static str>, Fault> {
    let key = record.key.unwrap_or_default();
    let Some(value) = record.value else { return Ok(Err("no_value")) };
    let opened = cipher.open(role, key, value);
    let opened = opened.map_err(|fault| Fault(format!("{}: {fault}", record.place())))?;
    Ok(opened.ok_or("not_ours"))
}

pub fn decoded<I: Record>(
    plain: &[u8],
    record: &Incoming<'_>,
) -> Result<Result<I, &'static str>, Fault> {
    match waybill_schemas::decode(plain) {
        Ok(read) => Ok(Ok(read)),
        Err(error @ DecodeError::UnknownSchema) => {
            Err(Fault(format!("{}: a record is {error}", record.place())))
        }
        Err(_) => Ok(Err("no_avro")),
    }
}

/// A record on an internal topic that nobody of ours can have written as it is: it is answered where it
/// stands, and stops nobody.
pub fn unreadable(
    stage: &'static str,
    record: &Incoming<'_>,
    reason: &'static str,
    out: &mut OutputContext<'_>,
) -> Result<(), Fault> {
    let reject = Reject::new(Code::Internal, format!("{}: {reason}", record.place()));
    answer_at_its_place(stage, record, reject.because(reason), out)
}

/// A record of which nothing is known but where it stands gets its answer there.
pub fn answer_at_its_place(
    stage: &'static str,
    record: &Incoming<'_>,
    reject: Reject,
    out: &mut OutputContext<'_>,
) -> Result<(), Fault> {
    let tally = out.batch.tally.stage(stage);
    tally.rejected += 1;
    tally.events_rejected += 1;
    tally.reject(&reject);
    out.batch.ledger.count(OutcomeCount {
        stage: stage.into(),
        carrier_id: "",
        received_at: record.appended_at,
        outcome: LedgerOutcome::Rejected,
        code: reject.code.as_str().into(),
        records: 1,
        parts: 1,
    });
    let sealed_topic = if record.role == Role::Sealed { record.topic } else { "" };
    let place = nobodys(sealed_topic, record.partition, record.offset, record.appended_at);
    let letter = RejectRecord {
        source_topic: record.role.as_str().to_owned(),
        ..dead_letter(stage, &place, 0, reject, out.now_ms)
    };
    out.batch.put_reject(out.cipher, &letter)
}

/// What is known of a record that says nothing of itself: where it stands, and since when.
pub fn nobodys(sealed_topic: &str, partition: i32, offset: i64, appended_at: i64) -> Provenance {
    Provenance {
        sealed_topic: sealed_topic.to_owned(),
        source_partition: partition,
        source_offset: offset,
        received_at: appended_at,
        ..Provenance::default()
    }
}
