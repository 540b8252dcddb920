//! The oldest events of a spool, in memory: what goes next is chosen among them.

use std::collections::{HashSet, VecDeque};

use super::file::File;
use super::{Entry, SpoolError};

const MOST_EVENTS: usize = 10_000;
const MOST_BYTES: usize = 16 << 20;

/// Every event before `next` that has no answer yet, in their order.
#[derive(Debug, Default)]
pub struct Window {
    entries: VecDeque<Entry>,
    bytes: usize,
    next: u64,
}

impl Window {
    pub fn fill(&mut self, file: &File) -> Result<(), SpoolError> {
        let most = MOST_EVENTS.saturating_sub(self.entries.len());
        let most_bytes = MOST_BYTES.saturating_sub(self.bytes);
        if most == 0 || most_bytes == 0 {
            return Ok(());
        }
        for entry in file.read(self.next, most, most_bytes)? {
            self.bytes += entry.event.value().len();
            self.next = entry.sequence + 1;
            self.entries.push_back(entry);
        }
        Ok(())
    }

    /// The first of each handle, in their order. Only one of a handle is on its way at a time: whatever becomes
    /// of it, the next comes behind it.
    pub fn choose(&self, most: usize, most_bytes: usize) -> Vec<&Entry> {
        let (mut chosen, mut bytes, mut handles) = (Vec::new(), 0, HashSet::new());
        for entry in &self.entries {
            if chosen.len() == most {
                break;
            }
            if !handles.insert(entry.event.handle()) {
                continue;
            }
            bytes += entry.event.value().len();
            if bytes > most_bytes && !chosen.is_empty() {
                break;
            }
            chosen.push(entry);
        }
        chosen
    }

    /// These have their answer.
    pub fn remove(&mut self, sequences: &HashSet<u64>) {
        self.entries.retain(|entry| !sequences.contains(&entry.sequence));
        self.bytes = self.entries.iter().map(|entry| entry.event.value().len()).sum();
    }
}
