//! What comes to a host, and what it asks of whoever drives it.
//!
//! A driver brings [`Event`]s and does [`Command`]s, in their order: on librdkafka (`connectors/kafka`), or in a
//! simulation (`tests/simulation`). It decides nothing.

use std::ops::Range as Offsets;
use std::time::Duration;

use waybill_schemas::Role;
use waybill_stage::{Fault, Inserted, SinkBatch};

use crate::batch::Batch;
use crate::input::Input;
use crate::processor::Incoming;
use crate::protocol::Range;

/// The driver's word for what time it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// Since any moment before the first event; it never goes back.
    pub at: Duration,
    /// ms UTC.
    pub utc_ms: i64,
}

/// Who an instance is to its group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    pub id: String,
    /// It grows with every rebalance.
    pub generation: i32,
}

impl Member {
    /// Whether `now` is who was given the partitions. A client that the group has put out knows no id, or, once it
    /// has joined anew, another one; and a transactional commit that names no generation is accepted from anybody.
    /// So a driver asks this beside each commit, of the identity that it commits with.
    pub fn is_still(&self, now: Option<&Self>) -> bool {
        now.is_some_and(|now| now.id == self.id)
    }
}

/// Where reading of a partition begins: what is committed, or its beginning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Start {
    pub input: Input,
    /// Kafka's id of the topic.
    pub topic_id: String,
    pub offset: i64,
    /// What was said beside the committed offset.
    pub metadata: String,
    /// It was said of this very topic, and not only of one of its name.
    pub is_of_topic: bool,
}

/// Something to be read before a partition is ours.
#[derive(Debug)]
pub struct Reading<R> {
    /// For this partition.
    pub input: Input,
    /// From the topic of this role, the partition of the same number.
    pub role: Role,
    pub span: Span,
    /// It takes what is read.
    pub into: R,
}

/// How much of a partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Span {
    /// From its beginning to its high watermark, once no transaction is open below that: whoever had the
    /// partition before may have committed what is not marked committed yet.
    Whole,
    /// Committed records within it.
    Range(Range),
}

/// Takes what is read before a partition is ours.
pub trait Restorer: Send {
    fn take(&mut self, record: &Incoming<'_>) -> Result<(), Fault>;
}

/// What an insert worker says of its batches.
#[derive(Debug)]
pub struct Inserts {
    pub worker: usize,
    /// Without an answer, the store may have the batch or not.
    pub batches: Vec<(SinkBatch, Option<Inserted>)>,
    /// How near the store is to slowing inserts down, 0 to 1, if it was asked.
    pub pressure: Option<f64>,
}

/// What comes to a host. Records come by [`crate::host::Host::take`].
#[derive(Debug)]
#[allow(clippy::large_enum_variant, reason = "one is on its way at a time")]
pub enum Event<R> {
    /// The group gives us these partitions, as this member. They are ours once [`Command::Assign`] is done.
    Assigned {
        member: Member,
        starts: Vec<Start>,
    },
    /// All of [`Command::Restore`].
    Restored(Vec<Reading<R>>),
    /// The group wants these partitions back. They are ours until [`Command::Unassign`] is done.
    Revoked(Vec<Input>),
    /// The group has given our partitions to others already.
    Lost,
    /// The batch of the last [`Command::Commit`] is durable.
    Committed(Batch),
    /// Nothing of it is visible, nor will be.
    Aborted(Batch, String),
    /// What became of a command, nobody knows: only the group's committed offsets can tell.
    Failed(Fault),
    Inserted(Inserts),
    /// What stands at these offsets cannot be unpacked.
    Undecodable(Input, Offsets<i64>),
    /// Time has passed.
    Tick,
    /// All is to be ended in good order.
    Shutdown,
}

/// What a host asks for. Each but the last two is answered by one event.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "they are few, and each is moved once")]
pub enum Command<R> {
    Restore(Vec<Reading<R>>),
    /// Read these from there on.
    Assign(Vec<(Input, i64)>),
    Unassign(Vec<Input>),
    /// One transaction: the batch's records, and the offsets to commit, as this member and no other.
    Commit {
        batch: Batch,
        member: Member,
    },
    /// For no longer than the lease may an attempt begin.
    Insert {
        worker: usize,
        batches: Vec<SinkBatch>,
        lease: Duration,
    },
    /// No further attempt of any insert is to begin.
    CancelInserts,
    /// From now on these are not read, and all others are; membership goes on.
    Pause(Paused),
    /// It is over, in good order or not. Nothing more is taken.
    Stop(Result<(), Fault>),
}

/// What is not read for now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Paused {
    #[default]
    Nothing,
    Topic(Role),
    Everything,
}

/// What a host waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wait {
    /// Records are taken.
    pub records: bool,
    /// It wants to hear of the time then, at the latest.
    pub until: Option<Duration>,
}

/// Gives up with a [`Fault`] where something is so that only a mistake of ours can make so.
#[macro_export]
macro_rules! invariant {
    ($holds:expr, $($said:tt)+) => {
        if !$holds {
            return Err(waybill_stage::Fault(format!("invariant: {}", format!($($said)+))));
        }
    };
}
