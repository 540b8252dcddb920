//! How a partition's state stands in its changelog, and comes back from it.
//!
//! A shipment's events lie there in order of arrival, a few to a record, and the records of a shipment
//! are numbered: a change writes the last record anew, and those before it stay as they are. So what is
//! written grows with the change and not with the history. Each record has also what was known of the
//! shipment beside its events when it was written: of the last record that is what is known now.
//!
//! A compacted topic keeps the last record of each key. What was written in one transaction is there
//! wholly or not at all, so that no record of a shipment is missing before another.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use waybill_schemas::{Shipment, ShipmentHistory};

use crate::events::Events;
use crate::journey::Journey;
use crate::{Partition, Settings};

/// Events in a record. Half of them are written again with an event, on average; and a restore reads
/// one record for so many.
pub(crate) const PER_RECORD: usize = 8;

/// No byte of UTF-8, so it ends the shipment's id.
const SEPARATOR: u8 = 0xFF;

/// The key of a shipment's record of that number: its id, FF, and the number in two bytes, big-endian.
pub fn key(shipment_id: &str, number: u16) -> Vec<u8> {
    [shipment_id.as_bytes(), &[SEPARATOR], &number.to_be_bytes()].concat()
}

/// The shipment's id, and the number.
fn parts(key: &[u8]) -> Option<(&str, u16)> {
    let (rest, number) = key.split_last_chunk::<2>()?;
    let id = rest.strip_suffix(&[SEPARATOR])?;
    Some((str::from_utf8(id).ok()?, u16::from_be_bytes(*number)))
}

/// What a batch changed of a shipment.
#[derive(Clone, Debug, PartialEq)]
pub struct Changed {
    pub shipment_id: Arc<str>,
    /// As it is now; absent if it has expired.
    pub shipment: Option<Shipment>,
    /// Records of the changelog by their numbers; `None` takes one away.
    pub records: Vec<(u16, Option<ShipmentHistory>)>,
}

/// A changelog that cannot be what this platform has written.
#[derive(Debug, PartialEq, Eq)]
pub struct BadChangelog(pub String);

impl fmt::Display for BadChangelog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for BadChangelog {}

/// A partition that is read back from its changelog.
#[derive(Debug, Default)]
pub struct Restoring(HashMap<Arc<str>, Read>);

/// What was read of a shipment.
#[derive(Debug, Default)]
struct Read {
    /// Of the record of the highest number, and that number; its events are in `parts`.
    head: Option<(u16, ShipmentHistory)>,
    parts: Vec<Option<Events>>,
}

impl Restoring {
    /// Takes a record of the changelog, the older of one key before the newer; `None` is a tombstone.
    pub fn take(
        &mut self,
        key: &[u8],
        record: Option<ShipmentHistory>,
    ) -> Result<(), BadChangelog> {
        let (id, number) =
            parts(key).ok_or_else(|| BadChangelog("a key is not of this changelog".to_owned()))?;
        match record {
            Some(record) => {
                let read = match self.0.get_mut(id) {
                    Some(read) => read,
                    None => self.0.entry(id.into()).or_default(),
                };
                read.take(number, record);
            }
            None => {
                let Some(read) = self.0.get_mut(id) else { return Ok(()) };
                read.take_away(number);
                if read.parts.is_empty() {
                    self.0.remove(id);
                }
            }
        }
        Ok(())
    }

    /// Whether there is a record of that key.
    pub fn has(&self, key: &[u8]) -> bool {
        let read = parts(key).and_then(|(id, number)| Some((self.0.get(id)?, number)));
        read.is_some_and(|(read, number)| {
            matches!(read.parts.get(usize::from(number)), Some(Some(_)))
        })
    }

    /// The partition as it was when the last record was written.
    pub fn finish(self, settings: &Settings) -> Result<Partition, BadChangelog> {
        let mut partition = Partition::default();
        for (id, read) in self.0 {
            let journey = read.journey(id)?;
            partition.put_back(settings, journey);
        }
        Ok(partition)
    }
}

impl Read {
    fn take(&mut self, number: u16, mut record: ShipmentHistory) {
        let mut events = Events::default();
        for entry in std::mem::take(&mut record.events) {
            events.push(&entry, false);
        }
        let at = usize::from(number);
        if self.parts.len() <= at {
            self.parts.resize_with(at + 1, || None);
        }
        if let Some(part) = self.parts.get_mut(at) {
            *part = Some(events);
        }
        if self.head.as_ref().is_none_or(|(known, _)| *known <= number) {
            self.head = Some((number, record));
        }
    }

    fn take_away(&mut self, number: u16) {
        if let Some(part) = self.parts.get_mut(usize::from(number)) {
            *part = None;
        }
        while self.parts.pop_if(|part| part.is_none()).is_some() {}
        // All records of a shipment are taken away together: one that stays is of its next life.
        if self.head.as_ref().is_some_and(|(known, _)| usize::from(*known) >= self.parts.len()) {
            self.head = None;
        }
    }

    fn journey(self, id: Arc<str>) -> Result<Journey, BadChangelog> {
        let bad = |why: &str| Err(BadChangelog(format!("shipment {id}: {why}")));
        let last = self.parts.len().saturating_sub(1);
        let Some((number, head)) = self.head else { return bad("its last record is missing") };
        if usize::from(number) != last {
            return bad("its last record is missing");
        }
        for (at, part) in self.parts.iter().enumerate() {
            let events = part.as_ref().map_or(0, Events::len);
            if events == 0 || (at < last && events != PER_RECORD) {
                return bad(&format!("record {at} of {last} has {events} events"));
            }
        }
        let events = self.parts.iter().flatten().flat_map(|part| part.since(0));
        Ok(Journey::restore(id.clone(), head, events))
    }
}
