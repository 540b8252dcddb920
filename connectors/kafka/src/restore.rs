//! What is read beside the loop: where partitions begin, what must be read before they are taken on, and where a
//! record that cannot be unpacked lies.

use std::ops::Range;

use rdkafka::message::BorrowedMessage;
use rdkafka::{Message, Offset, TopicPartitionList};
use waybill_host::event::{Reading, Restorer, Span, Start};
use waybill_host::processor::Incoming;
use waybill_schemas::Role;
use waybill_stage::Fault;

use crate::HostSettings;
use crate::consumer::GroupConsumer;
use crate::reader::{Go, read, settled};
use crate::undecodable::undecodable_at;
use crate::worker::Pulse;

pub(crate) enum Job<R> {
    Starts(TopicPartitionList),
    Readings(Vec<Reading<R>>),
    /// Topic, partition and offset of each place where it may lie.
    Undecodable(Vec<(String, i32, i64)>),
}

pub(crate) enum Done<R> {
    Starts(Vec<Start>),
    Readings(Vec<Reading<R>>),
    Undecodable(Vec<(String, i32, Range<i64>)>),
}

pub(crate) fn work<R: Restorer>(
    job: Job<R>,
    consumer: &GroupConsumer,
    settings: &HostSettings,
    pulse: &Pulse,
) -> Result<Done<R>, Fault> {
    match job {
        Job::Starts(partitions) => Ok(Done::Starts(consumer.starts(&partitions, pulse)?)),
        Job::Readings(mut readings) => {
            for reading in &mut readings {
                restore(settings, reading, pulse)?;
            }
            Ok(Done::Readings(readings))
        }
        Job::Undecodable(places) => {
            let mut found = Vec::new();
            for (topic, partition, from) in places {
                pulse.beat()?;
                let offsets = undecodable_at(&settings.connection, &topic, partition, from)?;
                found.extend(offsets.map(|offsets| (topic, partition, offsets)));
            }
            Ok(Done::Undecodable(found))
        }
    }
}

fn restore<R: Restorer>(
    settings: &HostSettings,
    reading: &mut Reading<R>,
    pulse: &Pulse,
) -> Result<(), Fault> {
    let Reading { input, role, span, into } = reading;
    pulse.beat()?;
    match span {
        Span::Whole => read_whole(settings, *role, input.partition, into, pulse),
        Span::Range(range) => {
            let topic = settings.topics.name(*role);
            let first = Offset::Offset(range.first());
            read(&settings.connection, topic, input.partition, first, |message| {
                pulse.beat()?;
                if range.contains(message.offset()) {
                    into.take(&incoming(*role, message))?;
                }
                Ok(if message.offset() < range.last() { Go::On } else { Go::Enough })
            })
        }
    }
}

/// Reads one partition of a compacted changelog, from its beginning to its end as it is now.
///
/// The end is the high watermark, also where a transaction is still open below it: the owner
/// before us may have committed offsets whose changelog records are not marked committed yet. So
/// we wait until that is decided. A zombie cannot add to it later: its offsets are fenced by the
/// group's generation, and so is its transaction.
fn read_whole(
    settings: &HostSettings,
    role: Role,
    partition: i32,
    into: &mut impl Restorer,
    pulse: &Pulse,
) -> Result<(), Fault> {
    let (connection, topic) = (&settings.connection, settings.topics.name(role));
    let (low, high) = settled(connection, topic, partition)?;
    if low == high {
        return Ok(());
    }
    read(connection, topic, partition, Offset::Beginning, |message| {
        pulse.beat()?;
        into.take(&incoming(role, message))?;
        Ok(Go::On)
    })
}

/// What lies in a partition of a compacted topic, for a command.
pub fn read_changelog(
    settings: &HostSettings,
    role: Role,
    partition: i32,
    into: &mut impl Restorer,
) -> Result<(), Fault> {
    read_whole(settings, role, partition, into, &Pulse::default())
}

pub(crate) fn incoming<'m>(role: Role, message: &'m BorrowedMessage<'_>) -> Incoming<'m> {
    Incoming {
        role,
        topic: message.topic(),
        partition: message.partition(),
        offset: message.offset(),
        key: message.key(),
        value: message.payload(),
        appended_at: message.timestamp().to_millis().unwrap_or_default(),
    }
}
