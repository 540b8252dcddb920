//! One topic partition of a sink: where it stands, and what was read of it.

use std::time::Duration;

use waybill_schemas::Role;
use waybill_stage::{Fault, Inserted, SinkBatch, SinkRecords};

use crate::event::{Now, Reading, Restorer, Span, Start};
use crate::input::Input;
use crate::invariant;
use crate::ledger::LedgerRange;
use crate::processor::Incoming;
use crate::protocol::{CommittedOffset, Position, ProtocolError, Range, token};
use crate::topic_cipher::TopicCipher;

#[derive(Debug)]
pub(super) struct SinkPartition<'a> {
    input: Input,
    topic_id: String,
    position: Position,
    pending: PendingRange<'a>,
    claimed: Claimed,
}

/// What is known of the range that is claimed.
#[derive(Debug)]
enum Claimed {
    Nothing,
    /// To be inserted, once it is durable that it is claimed.
    Waiting {
        batch: SinkBatch,
        unreadable: Vec<Unreadable>,
        /// The commit that is under way says so.
        is_said: bool,
    },
    InStore {
        unreadable: Vec<Unreadable>,
    },
    Stored {
        batch: SinkBatch,
        inserted: Inserted,
        unreadable: Vec<Unreadable>,
    },
}

/// Records that follow each other, read and not yet claimed.
#[derive(Debug)]
pub struct PendingRange<'a> {
    cipher: &'a TopicCipher,
    role: Role,
    records: SinkRecords,
    unreadable: Vec<Unreadable>,
    /// First and last offset, those of the unreadable too.
    bounds: Option<(i64, i64)>,
    /// When the first was read ([`Now::at`]).
    since: Option<Duration>,
}

/// A record that was not written by this platform for this topic and key.
#[derive(Clone, Debug)]
pub(super) struct Unreadable {
    pub(super) offset: i64,
    pub(super) appended_at: i64,
}

/// A range that has got into the store.
pub(super) struct Completed {
    pub(super) input: Input,
    pub(super) batch: SinkBatch,
    pub(super) inserted: Inserted,
    pub(super) unreadable: Vec<Unreadable>,
    /// From, and next.
    pub(super) offsets: (i64, i64),
}

impl<'a> PendingRange<'a> {
    fn new(role: Role, cipher: &'a TopicCipher) -> Self {
        let (records, unreadable) = (SinkRecords::default(), Vec::new());
        Self { cipher, role, records, unreadable, bounds: None, since: None }
    }

    fn len(&self) -> usize {
        self.records.len() + self.unreadable.len()
    }
}

impl Restorer for PendingRange<'_> {
    fn take(&mut self, record: &Incoming<'_>) -> Result<(), Fault> {
        let (offset, appended_at) = (record.offset, record.appended_at);
        if let Some((_, last)) = self.bounds {
            invariant!(last < offset, "{} was read behind {last}", record.place());
        }
        let opened = match record.value {
            Some(value) => self.records.push(offset, appended_at, |to| {
                let key = record.key.unwrap_or_default();
                let opened = self.cipher.open_onto(self.role, key, value, to);
                opened.map_err(|fault| Fault(format!("{}: {fault}", record.place())))
            })?,
            None => None,
        };
        if opened.is_none() {
            self.unreadable.push(Unreadable { offset, appended_at });
        }
        let first = self.bounds.map_or(offset, |(first, _)| first);
        self.bounds = Some((first, offset));
        Ok(())
    }
}

impl<'a> SinkPartition<'a> {
    /// What is to be read again before the partition is taken over: a claim that is not settled, exactly.
    pub(super) fn reading(
        start: &Start,
        cipher: &'a TopicCipher,
    ) -> Result<Option<Reading<PendingRange<'a>>>, Fault> {
        let Position::Claimed { range, .. } = taken_over(start)? else { return Ok(None) };
        let (input, role) = (start.input.clone(), start.input.role);
        let into = PendingRange::new(role, cipher);
        Ok(Some(Reading { input, role, span: Span::Range(range), into }))
    }

    /// Takes a partition over from whoever had it, with what was read again.
    pub(super) fn take_over(
        start: Start,
        restored: Option<PendingRange<'a>>,
        cipher: &'a TopicCipher,
    ) -> Result<Self, Fault> {
        let position = taken_over(&start)?;
        let Start { input, topic_id, is_of_topic, .. } = start;
        let pending = PendingRange::new(input.role, cipher);
        let mut partition = Self { input, topic_id, position, pending, claimed: Claimed::Nothing };
        if let Position::Claimed { range, .. } = position {
            let Some(restored) = restored else {
                return Err(Fault(format!("invariant: {range} was claimed and not read again")));
            };
            // Both were records when the range was claimed.
            if restored.bounds != Some((range.first(), range.last())) {
                return Err(Fault(format!(
                    "{}: {range} was claimed and is not there any more ({:?} is): what was removed \
                     may not have been stored",
                    partition.input, restored.bounds
                )));
            }
            let (topic, number) = (&*partition.input.topic, partition.input.partition);
            tracing::info!(
                topic,
                partition = number,
                %range,
                "taking over a range that may be in the store"
            );
            // A claim of a build that did not know the topic's id has a token without it.
            let topic_id = if is_of_topic { partition.topic_id.as_str() } else { "" };
            partition.claimed = partition.waiting(restored, range, topic_id, true);
        }
        Ok(partition)
    }

    fn waiting(
        &self,
        pending: PendingRange<'a>,
        range: Range,
        topic_id: &str,
        again: bool,
    ) -> Claimed {
        let (topic, partition) = (&*self.input.topic, self.input.partition);
        Claimed::Waiting {
            batch: SinkBatch {
                role: self.input.role.as_str(),
                topic: topic.to_owned(),
                topic_id: topic_id.to_owned(),
                partition,
                first: range.first(),
                last: range.last(),
                token: token(topic, topic_id, partition, range),
                again,
                records: pending.records,
            },
            unreadable: pending.unreadable,
            is_said: false,
        }
    }

    fn broken(&self, error: &ProtocolError) -> Fault {
        Fault(format!("invariant: {}: {error}", self.input))
    }

    /// Where reading goes on.
    pub(super) fn read_from(&self) -> i64 {
        match self.position {
            Position::Claimed { range, .. } => range.end(),
            Position::Settled { next, .. } => next,
        }
    }

    pub(super) fn take(&mut self, now: Now, record: &Incoming<'_>) -> Result<(), Fault> {
        self.pending.take(record)?;
        self.pending.since.get_or_insert(now.at);
        Ok(())
    }

    /// Records and bytes read and not claimed.
    pub(super) fn pending(&self) -> (usize, usize) {
        (self.pending.len(), self.pending.records.bytes())
    }

    /// When it is to be claimed, if records are gathered for `age`. Somebody waits for events and
    /// answers. The state of a shipment is worth more when it has taken in more of them, and is dear
    /// to the store, and the ledger is read by nobody in haste: these are gathered longer.
    pub(super) fn due_at(&self, age: Duration) -> Option<Duration> {
        let age = match self.input.role {
            Role::Shipments | Role::Ledger => age * 4,
            _ => age,
        };
        self.pending.since.map(|since| since + age)
    }

    /// What the commit is to say of this partition.
    pub(super) fn offset_to_commit(&self) -> CommittedOffset {
        self.position.offset_to_commit()
    }

    pub(super) fn is_waiting(&self) -> bool {
        matches!(self.claimed, Claimed::Waiting { .. })
    }

    pub(super) fn is_stored(&self) -> bool {
        matches!(self.claimed, Claimed::Stored { .. })
    }

    /// Ends the claim whose range is in the store.
    pub(super) fn complete(&mut self) -> Result<Option<Completed>, Fault> {
        match std::mem::replace(&mut self.claimed, Claimed::Nothing) {
            Claimed::Stored { batch, inserted, unreadable } => {
                let from = self.position.offset_to_commit().offset;
                self.position = self.position.complete().map_err(|e| self.broken(&e))?;
                let offsets = (from, self.position.offset_to_commit().offset);
                let input = self.input.clone();
                Ok(Some(Completed { input, batch, inserted, unreadable, offsets }))
            }
            other => {
                self.claimed = other;
                Ok(None)
            }
        }
    }

    /// Claims what was gathered, if nothing is claimed and it is time. Returns whether there is a claim that is to
    /// be said in this commit, and inserted once that is durable.
    pub(super) fn claim(&mut self, is_time: bool) -> Result<bool, Fault> {
        if let Claimed::Waiting { is_said, .. } = &mut self.claimed {
            *is_said = true;
            return Ok(true);
        }
        let (Claimed::Nothing, Some((first, last)), true) =
            (&self.claimed, self.pending.bounds, is_time)
        else {
            return Ok(false);
        };
        let range = Range::new(first, last).map_err(|e| self.broken(&e))?;
        self.position = self.position.claim(range).map_err(|e| self.broken(&e))?;
        let fresh = PendingRange::new(self.input.role, self.pending.cipher);
        let pending = std::mem::replace(&mut self.pending, fresh);
        self.claimed = self.waiting(pending, range, &self.topic_id, false);
        self.claim(is_time)
    }

    /// Hands the range to the store whose claim is durable now.
    pub(super) fn dispatch(&mut self) -> Option<SinkBatch> {
        match std::mem::replace(&mut self.claimed, Claimed::Nothing) {
            Claimed::Waiting { batch, unreadable, is_said: true } => {
                self.claimed = Claimed::InStore { unreadable };
                Some(batch)
            }
            other => {
                self.claimed = other;
                None
            }
        }
    }

    /// The store has answered; without an answer, the range is to be inserted again, and its claim said again: only
    /// a member of the group can.
    pub(super) fn on_inserted(&mut self, mut batch: SinkBatch, inserted: Option<Inserted>) {
        if let Claimed::InStore { unreadable } = &mut self.claimed {
            let unreadable = std::mem::take(unreadable);
            self.claimed = match inserted {
                Some(inserted) => Claimed::Stored { batch, inserted, unreadable },
                None => {
                    batch.again = true;
                    Claimed::Waiting { batch, unreadable, is_said: false }
                }
            };
        }
    }
}

/// Reads what is committed. What this protocol did not write is for an operator.
fn taken_over(start: &Start) -> Result<Position, Fault> {
    Position::taken_over(start.offset, &start.metadata)
        .map_err(|error| Fault(format!("{}: {error}", start.input)))
}

impl Completed {
    /// What its entry in the ledger covers.
    pub(super) fn offsets(&self) -> LedgerRange<'_> {
        let (from, next) = self.offsets;
        LedgerRange { input: self.input.clone(), topic_id: &self.batch.topic_id, from, next }
    }

    /// When the record of that offset was appended, ms UTC.
    pub(super) fn appended_at(&self, offset: i64) -> i64 {
        self.batch.records.get(offset).map_or(0, |r| r.appended_at)
    }

    /// Records of the range, and how many of them the store has taken.
    pub(super) fn records(&self) -> (u64, u64) {
        let readable = self.batch.records.len();
        let taken = readable.saturating_sub(self.inserted.rejects.len());
        ((readable + self.unreadable.len()) as u64, taken as u64)
    }
}
