//! What a stage is: one pure function of a record. No I/O, no clock, no async; no stage knows
//! Kafka, ClickHouse, a metric or a dead letter. The host (`waybill-host`) counts, times and
//! routes every outcome.

mod advice;
mod outputs;
mod pace;
mod reject;
mod sink;

use std::sync::Arc;

pub use advice::{Advice, advice};
pub use outputs::{Outputs, PartReject};
pub use pace::Pace;
pub use reject::{Claims, Code, Failure, Fault, Reject, safe_detail};
pub use sink::{Inserted, Lease, RefusedRecord, Sink, SinkBatch, SinkRecord, SinkRecords, Stored};
use waybill_schemas::{AcceptedEvent, EnrichedEvent, Opened, Provenance, ShipmentEvent};

/// What a stage may know of the world, given by the host.
#[derive(Clone, Copy, Debug)]
pub struct Context {
    /// The moment of this record's processing, ms UTC. Only for provenance (`opened_at`, …) and
    /// for what is a question of now (a revoked key): everything else goes by the receipt time,
    /// so that a replay gives the same answer.
    pub now_ms: i64,
    /// A record that costs much may be put off: [`Failure::Later`].
    pub may_wait: bool,
}

impl Context {
    /// Whatever it costs, each record is answered now.
    pub fn at(now_ms: i64) -> Self {
        Self { now_ms, may_wait: false }
    }

    pub fn may_wait(self) -> Self {
        Self { may_wait: true, ..self }
    }
}

/// A stateless stage: one record in, none, one or several out.
pub trait Stage: Send {
    type Input: Traced;
    type Output;
    const NAME: &'static str;

    /// Puts what becomes of `input` into `outputs`. `Err` rejects (or, for a [`Fault`], stops) the
    /// whole record; a bad part among good ones is [`Outputs::reject`]ed alone.
    fn apply(
        &self,
        cx: &Context,
        input: Self::Input,
        outputs: &mut Outputs<Self::Output>,
    ) -> Result<(), Failure>;

    /// Which of these records, in order, take a millisecond or more: the host may run those beside
    /// each other before their turn. A hint alone: it changes when a record is judged, not how.
    fn costly(&self, _inputs: &[Self::Input]) -> Vec<usize> {
        Vec::new()
    }
}

/// A sealed record as it lies on its topic.
#[derive(Clone, Debug)]
pub struct SealedRecord {
    pub key: Option<Vec<u8>>,
    pub value: Option<Vec<u8>>,
    /// Name of its topic: carriers may have one each. Empty where that is not known, of what was put off or
    /// redriven by a build that knew of one only.
    pub sealed_topic: String,
    pub source_partition: i32,
    pub source_offset: i64,
    /// The broker's append time, ms UTC.
    pub received_at: i64,
    /// 0, or which redrive of it this is; coordinates and time are then those of the first.
    pub attempt: u32,
}

/// Whose record it is: what a dead letter needs, before the stage has taken the record apart.
pub trait Traced {
    /// Cheap: a reference count.
    fn provenance(&self) -> Arc<Provenance>;
    /// Position in the message, 0 for the whole.
    fn position(&self) -> u32;
}

impl Traced for SealedRecord {
    fn provenance(&self) -> Arc<Provenance> {
        Arc::new(Provenance {
            sealed_topic: self.sealed_topic.clone(),
            source_partition: self.source_partition,
            source_offset: self.source_offset,
            received_at: self.received_at,
            attempt: self.attempt,
            ..Provenance::default()
        })
    }
    fn position(&self) -> u32 {
        0
    }
}

impl Traced for Opened {
    fn provenance(&self) -> Arc<Provenance> {
        self.provenance.clone()
    }
    fn position(&self) -> u32 {
        0
    }
}

impl Traced for ShipmentEvent {
    fn provenance(&self) -> Arc<Provenance> {
        self.provenance.clone()
    }
    fn position(&self) -> u32 {
        self.position
    }
}

impl Traced for EnrichedEvent {
    fn provenance(&self) -> Arc<Provenance> {
        self.event.provenance.clone()
    }
    fn position(&self) -> u32 {
        self.event.position
    }
}

impl Traced for AcceptedEvent {
    fn provenance(&self) -> Arc<Provenance> {
        self.event.provenance.clone()
    }
    fn position(&self) -> u32 {
        self.event.position
    }
}
