//! How a partition's state stands in its changelog, and comes back from it.
//!
//! A shipment's events lie there in order of arrival, a few to a record, and the records of a shipment
//! are numbered: a change writes the last record anew, and those before it stay as they are. So what is
//! written grows with the change and not with the history. Each record has also what was known of the
//! shipment beside its events when it was written: of the last record that is what is known now.
//!
//! A compacted topic keeps the last record of each key. What was written in one transaction is there
//! wholly or not at all, so that no record of a shipment is missing before another.
//!
//! A record says itself which it is, and its key need not tell: the host gives it one that nobody can read
//! a number from. Where a shipment's records lie under other keys than they would have now (clear ones, of
//! before 1 December 2026, or those of another internal key), all of them are written anew with its next
//! change, or without one a few with each batch, and the old keys are taken away in the same transaction.

use std::collections::{BTreeMap, HashMap, HashSet};
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

/// What a shipment's record of that number is about: its id, FF, and the number in two bytes, big-endian.
/// Before 1 December 2026 this was its key.
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
    /// As it is now; absent if it has expired, or nothing of it changed but the keys of its records.
    pub shipment: Option<Shipment>,
    /// Keys of the changelog under which its records were, to be taken away before these are written.
    pub old_keys: Vec<Arc<[u8]>>,
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
pub struct Restoring {
    shipments: HashMap<Arc<str>, Read>,
    /// Which record is under each key.
    keys: HashMap<Arc<[u8]>, (Arc<str>, u16)>,
}

/// What was read of a shipment.
#[derive(Debug, Default)]
struct Read {
    /// Of the record of the highest number, and that number; its events are in `parts`.
    head: Option<(u16, ShipmentHistory)>,
    parts: Vec<Option<Part>>,
}

/// A record, and the key that it was under.
#[derive(Debug)]
struct Part {
    key: Arc<[u8]>,
    events: Events,
}

impl Restoring {
    /// Takes a record of the changelog, the older of one key before the newer; `None` is a tombstone.
    pub fn take(
        &mut self,
        key: &[u8],
        record: Option<ShipmentHistory>,
    ) -> Result<(), BadChangelog> {
        let Some(record) = record else {
            self.take_away(key);
            return Ok(());
        };
        let about = match record.shipment_id.as_str() {
            "" => parts(key),
            id => u16::try_from(record.number).ok().map(|number| (id, number)),
        };
        let (id, number) = about.ok_or_else(|| {
            BadChangelog("a record does not tell which shipment's it is".to_owned())
        })?;
        let id = self.shipments.get_key_value(id).map_or_else(|| id.into(), |(id, _)| id.clone());
        let key = self.keys.get_key_value(key).map_or_else(|| key.into(), |(key, _)| key.clone());
        self.keys.insert(key.clone(), (id.clone(), number));
        self.shipments.entry(id).or_default().take(number, key, record);
        Ok(())
    }

    fn take_away(&mut self, key: &[u8]) {
        let Some((id, number)) = self.keys.remove(key) else { return };
        let Some(read) = self.shipments.get_mut(&id) else { return };
        read.take_away(number, key);
        if read.parts.is_empty() {
            self.shipments.remove(&id);
        }
    }

    /// Whether there is a record of that key.
    pub fn has(&self, key: &[u8]) -> bool {
        self.keys.contains_key(key)
    }

    /// The partition as it was when the last record was written. `key_of` says which key a record is written
    /// under now, from [what it is about](key).
    pub fn finish<K: AsRef<[u8]>>(
        self,
        settings: &Settings,
        key_of: impl Fn(&[u8]) -> K,
    ) -> Result<Partition, BadChangelog> {
        let is_old = |at: &[u8], id: &str, number| key_of(&key(id, number)).as_ref() != at;
        let moving: HashSet<Arc<str>> = self
            .keys
            .iter()
            .filter(|(key, (id, number))| is_old(key, id, *number))
            .map(|(_, (id, _))| id.clone())
            .collect();
        // All of such a shipment: its records that are where they are to be are written once more, too.
        let mut old_keys = BTreeMap::<_, Vec<_>>::new();
        for (key, (id, _)) in self.keys.into_iter().filter(|(_, (id, _))| moving.contains(id)) {
            old_keys.entry(id).or_default().push(key);
        }
        old_keys.values_mut().for_each(|keys| keys.sort_unstable());
        let mut partition = Partition::default();
        for (id, read) in self.shipments {
            let mut journey = read.journey(id)?;
            if moving.contains(&journey.id) {
                journey.write_anew();
            }
            partition.put_back(settings, journey);
        }
        partition.move_from(old_keys);
        Ok(partition)
    }
}

impl Read {
    fn take(&mut self, number: u16, key: Arc<[u8]>, mut record: ShipmentHistory) {
        let mut events = Events::default();
        for entry in std::mem::take(&mut record.events) {
            events.push(&entry, false);
        }
        let at = usize::from(number);
        if self.parts.len() <= at {
            self.parts.resize_with(at + 1, || None);
        }
        if let Some(part) = self.parts.get_mut(at) {
            *part = Some(Part { key, events });
        }
        if self.head.as_ref().is_none_or(|(known, _)| *known <= number) {
            self.head = Some((number, record));
        }
    }

    fn take_away(&mut self, number: u16, key: &[u8]) {
        if let Some(part) = self.parts.get_mut(usize::from(number))
            // Not what has been written under another one since.
            && part.as_ref().is_some_and(|part| *part.key == *key)
        {
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
            let events = part.as_ref().map_or(0, |part| part.events.len());
            if events == 0 || (at < last && events != PER_RECORD) {
                return bad(&format!("record {at} of {last} has {events} events"));
            }
        }
        let events = self.parts.iter().flatten().flat_map(|part| part.events.since(0));
        Ok(Journey::restore(id.clone(), head, events))
    }
}
