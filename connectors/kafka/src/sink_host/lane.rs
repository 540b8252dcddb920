use std::time::{Duration, Instant};

use rdkafka::message::BorrowedMessage;
use rdkafka::{Message, Offset};
use waybill_host::input::Input;
use waybill_host::ledger::Stretch;
use waybill_host::protocol::{Mark, Position, ProtocolError, Range, token};
use waybill_host::values::Values;
use waybill_schemas::Role;
use waybill_stage::{Fault, Inserted, SinkBatch, SinkRecords};

use crate::KafkaConnection;
use crate::consumer::Start;
use crate::reader::{Go, read};

/// One topic partition that is ours: where it stands, and what was read of it.
pub(super) struct Lane {
    pub(super) role: Role,
    topic: String,
    topic_id: String,
    partition: i32,
    position: Position,
    gathered: Portion,
    claimed: Claimed,
}

/// What is known of the range that is claimed.
enum Claimed {
    Nothing,
    /// To be inserted.
    Waiting {
        batch: SinkBatch,
        unreadable: Vec<Unreadable>,
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
#[derive(Debug, Default)]
struct Portion {
    records: SinkRecords,
    unreadable: Vec<Unreadable>,
    /// First and last offset, those of the unreadable too.
    bounds: Option<(i64, i64)>,
    /// When the first was read.
    since: Option<Instant>,
}

/// A record that was not written by this platform for this topic and key.
#[derive(Clone, Debug)]
pub(super) struct Unreadable {
    pub(super) offset: i64,
    pub(super) appended_at: i64,
}

/// A range that has got into the store.
pub(super) struct Settled {
    pub(super) role: Role,
    pub(super) batch: SinkBatch,
    pub(super) inserted: Inserted,
    pub(super) unreadable: Vec<Unreadable>,
    /// From, and next.
    pub(super) offsets: (i64, i64),
}

impl Portion {
    fn take(
        &mut self,
        role: Role,
        message: &BorrowedMessage<'_>,
        values: &Values,
    ) -> Result<(), Fault> {
        let offset = message.offset();
        let appended_at = message.timestamp().to_millis().unwrap_or_default();
        let opened = match message.payload() {
            Some(value) => self.records.push(offset, appended_at, |to| {
                let opened = values.open_onto(role, message.key().unwrap_or_default(), value, to);
                opened.map_err(|fault| {
                    let (topic, partition) = (message.topic(), message.partition());
                    Fault(format!("{topic}-{partition}@{offset}: {fault}"))
                })
            })?,
            None => None,
        };
        if opened.is_none() {
            self.unreadable.push(Unreadable { offset, appended_at });
        }
        self.since.get_or_insert_with(Instant::now);
        let first = self.bounds.map_or(offset, |(first, _)| first);
        self.bounds = Some((first, offset));
        Ok(())
    }
}

fn broken(error: &ProtocolError, topic: &str, partition: i32) -> Fault {
    Fault(format!("{topic}-{partition}: {error}"))
}

impl Lane {
    /// Takes a partition over from whoever had it. A claim that is not settled is read again,
    /// exactly.
    pub(super) fn take_over(
        role: Role,
        start: &Start,
        topic_id: &str,
        connection: &KafkaConnection,
        values: &Values,
    ) -> Result<Self, Fault> {
        let Start { topic, partition, .. } = start;
        let partition = *partition;
        let committed = Mark { offset: start.offset, metadata: start.metadata.clone() };
        let position = Position::taken_over(committed.offset, &committed.metadata)
            .map_err(|e| broken(&e, topic, partition))?;
        let mut lane = Self {
            role,
            topic: topic.clone(),
            topic_id: topic_id.to_owned(),
            partition,
            position,
            gathered: Portion::default(),
            claimed: Claimed::Nothing,
        };
        if let Position::Claimed { range, .. } = position {
            let portion = lane.read_again(range, connection, values)?;
            tracing::info!(topic, partition, %range, "taking over a range that may be in the store");
            let topic_id = if start.is_of_topic { topic_id } else { "" };
            lane.claimed = lane.waiting(portion, range, topic_id, true);
        }
        Ok(lane)
    }

    fn read_again(
        &self,
        range: Range,
        connection: &KafkaConnection,
        values: &Values,
    ) -> Result<Portion, Fault> {
        let mut portion = Portion::default();
        let first = Offset::Offset(range.first());
        read(connection, &self.topic, self.partition, first, |message| {
            if range.contains(message.offset()) {
                portion.take(self.role, message, values)?;
            }
            Ok(if message.offset() < range.last() { Go::On } else { Go::Enough })
        })?;
        // Both were records when the range was claimed.
        if portion.bounds != Some((range.first(), range.last())) {
            return Err(Fault(format!(
                "{}-{}: {range} was claimed and is not there any more ({:?} is): what was removed \
                 may not have been stored",
                self.topic, self.partition, portion.bounds
            )));
        }
        Ok(portion)
    }

    fn waiting(&self, portion: Portion, range: Range, topic_id: &str, again: bool) -> Claimed {
        Claimed::Waiting {
            batch: SinkBatch {
                role: self.role.as_str(),
                topic: self.topic.clone(),
                topic_id: topic_id.to_owned(),
                partition: self.partition,
                first: range.first(),
                last: range.last(),
                token: token(&self.topic, topic_id, self.partition, range),
                again,
                records: portion.records,
            },
            unreadable: portion.unreadable,
        }
    }

    /// Where reading goes on.
    pub(super) fn read_from(&self) -> i64 {
        match self.position {
            Position::Claimed { range, .. } => range.end(),
            Position::Settled { next, .. } => next,
        }
    }

    pub(super) fn gather(
        &mut self,
        message: &BorrowedMessage<'_>,
        values: &Values,
    ) -> Result<(), Fault> {
        self.gathered.take(self.role, message, values)
    }

    /// Records and bytes read and not claimed.
    pub(super) fn gathered(&self) -> (usize, usize) {
        let portion = &self.gathered;
        (portion.records.len() + portion.unreadable.len(), portion.records.bytes())
    }

    /// When it is to be claimed, if records are gathered for `age`. Somebody waits for events and
    /// answers. The state of a shipment is worth more when it has taken in more of them, and is dear
    /// to the store, and the ledger is read by nobody in haste: these are gathered longer.
    pub(super) fn due_at(&self, age: Duration) -> Option<Instant> {
        let age = match self.role {
            Role::Shipments | Role::Ledger => age * 4,
            _ => age,
        };
        self.gathered.since.map(|since| since + age)
    }

    /// What the commit is to say of this partition.
    pub(super) fn mark(&self) -> Mark {
        self.position.mark()
    }

    pub(super) fn is_waiting(&self) -> bool {
        matches!(self.claimed, Claimed::Waiting { .. })
    }

    pub(super) fn is_stored(&self) -> bool {
        matches!(self.claimed, Claimed::Stored { .. })
    }

    /// Ends the claim whose range is in the store.
    pub(super) fn settle(&mut self) -> Result<Option<Settled>, Fault> {
        match std::mem::replace(&mut self.claimed, Claimed::Nothing) {
            Claimed::Stored { batch, inserted, unreadable } => {
                let from = self.position.mark().offset;
                self.position =
                    self.position.settle().map_err(|e| broken(&e, &self.topic, self.partition))?;
                let offsets = (from, self.position.mark().offset);
                Ok(Some(Settled { role: self.role, batch, inserted, unreadable, offsets }))
            }
            other => {
                self.claimed = other;
                Ok(None)
            }
        }
    }

    /// Claims what was gathered, if nothing is claimed and it is time. Whether
    /// there is a claim that is to be inserted now.
    pub(super) fn claim(&mut self, is_time: bool) -> Result<bool, Fault> {
        if self.is_waiting() {
            return Ok(true);
        }
        let (Claimed::Nothing, Some((first, last)), true) =
            (&self.claimed, self.gathered.bounds, is_time)
        else {
            return Ok(false);
        };
        let broken = |e: ProtocolError| broken(&e, &self.topic, self.partition);
        let range = Range::new(first, last).map_err(broken)?;
        self.position = self.position.claim(range).map_err(broken)?;
        let portion = std::mem::take(&mut self.gathered);
        self.claimed = self.waiting(portion, range, &self.topic_id, false);
        Ok(true)
    }

    /// Hands the claimed range to the store.
    pub(super) fn hand_over(&mut self) -> Option<SinkBatch> {
        match std::mem::replace(&mut self.claimed, Claimed::Nothing) {
            Claimed::Waiting { batch, unreadable } => {
                self.claimed = Claimed::InStore { unreadable };
                Some(batch)
            }
            other => {
                self.claimed = other;
                None
            }
        }
    }

    /// The store has answered; without an answer, the range is to be inserted again.
    pub(super) fn answered(&mut self, mut batch: SinkBatch, inserted: Option<Inserted>) {
        if let Claimed::InStore { unreadable } = &mut self.claimed {
            let unreadable = std::mem::take(unreadable);
            self.claimed = match inserted {
                Some(inserted) => Claimed::Stored { batch, inserted, unreadable },
                None => {
                    batch.again = true;
                    Claimed::Waiting { batch, unreadable }
                }
            };
        }
    }
}

impl Settled {
    /// What its entry in the ledger covers.
    pub(super) fn stretch(&self) -> Stretch<'_> {
        let (from, next) = self.offsets;
        let SinkBatch { topic, topic_id, partition, .. } = &self.batch;
        Stretch { input: Input::new(self.role, topic, *partition), topic_id, from, next }
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
