//! How each partition of a process is read on where a process has died, or may ([`Caution`] says what that means):
//! what stands beside the offsets that are committed, and how many records are taken at once.

use std::collections::{BTreeMap, BTreeSet};

use crate::caution::Caution;
use crate::input::Input;
use crate::protocol::CommittedOffset;

#[derive(Debug)]
pub struct Cautions {
    /// This process, among all that there ever are.
    me: String,
    /// Records that are taken at once where all is well.
    most: usize,
    /// Of the partitions of which nothing is committed yet since they are ours, and of those where a process
    /// has died.
    known: BTreeMap<Input, Caution>,
    /// Of these, the ones beside whose offset it stands that we have begun. Only they are read.
    begun: BTreeSet<Input>,
}

impl Cautions {
    pub fn new(me: String, most: usize) -> Self {
        Self { me, most, known: BTreeMap::new(), begun: BTreeSet::new() }
    }

    /// Takes over a partition, as it is to be read from `offset`, by what stands beside it.
    pub fn on_assigned(&mut self, input: &Input, offset: i64, metadata: &str) {
        let caution = Caution::taken_over(metadata, offset, &self.me, self.most);
        if caution.at_once < self.most {
            tracing::warn!(
                topic = &*input.topic,
                partition = input.partition,
                offset,
                at_once = caution.at_once,
                "a process has died here before it had committed anything: going on with care"
            );
        }
        self.known.insert(input.clone(), caution);
    }

    pub fn on_revoked(&mut self, input: &Input) {
        self.known.remove(input);
        self.begun.remove(input);
    }

    /// So many records go into one transaction.
    pub fn at_once(&self) -> usize {
        let begun = self.begun.iter().filter_map(|input| self.known.get(input));
        begun.map(|caution| caution.at_once).min().unwrap_or(self.most).min(self.most)
    }

    pub fn is_careful(&self) -> bool {
        self.at_once() < self.most
    }

    /// Whether the partition may be read.
    pub fn has_begun(&self, input: &Input) -> bool {
        !self.known.contains_key(input) || self.begun.contains(input)
    }

    pub fn is_poison(&self, input: &Input) -> bool {
        self.known.get(input).is_some_and(|caution| caution.is_poison())
    }

    /// What is to be put down before this partition is read: should a record end this process, the next one knows
    /// where. With it go all of which nothing is known but that they are ours. Where a process has died before,
    /// one is read at a time.
    pub fn begin(&mut self, first: &Input) -> Vec<(Input, String)> {
        let mut said = Vec::new();
        for (input, caution) in &self.known {
            let is_careful = caution.at_once < self.most;
            if input == first || (!is_careful && !self.begun.contains(input)) {
                said.push((input.clone(), caution.begun(&self.me)));
                self.begun.insert(input.clone());
            } else if is_careful && self.begun.remove(input) {
                said.push((input.clone(), caution.rests()));
            }
        }
        said
    }

    /// What is to be put down when these go in good order: that nobody works at what was begun.
    pub fn rest(&mut self, inputs: &[Input]) -> Vec<(Input, String)> {
        let begun = inputs.iter().filter(|input| self.begun.remove(*input));
        let said = begun.filter_map(|input| Some((input.clone(), self.known.get(input)?.rests())));
        said.collect()
    }

    /// Whether any of these has begun, and nothing was committed since.
    pub fn has_any_begun(&self, inputs: &[Input]) -> bool {
        inputs.iter().any(|input| self.begun.contains(input))
    }

    /// Says beside the offsets of a batch how its partitions are read on behind it.
    pub fn behind(&mut self, offsets: &mut BTreeMap<Input, CommittedOffset>) {
        for (input, committed) in offsets {
            let Some(caution) = self.known.remove(input) else { continue };
            let next = caution.behind(committed.offset);
            match next {
                Some(next) if !next.is_alone() => committed.metadata = next.begun(&self.me),
                _ => _ = self.begun.remove(input),
            }
            if let Some(next) = next {
                if next.is_alone() {
                    committed.metadata = next.rests();
                }
                self.known.insert(input.clone(), next);
            }
        }
    }
}
