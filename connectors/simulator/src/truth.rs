//! What the pipeline's counts must add up to.

use std::collections::BTreeMap;

use crate::{Kind, Message};

/// Counts of one carrier.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Messages; always `events + duplicates + rejected()`.
    pub published: u64,
    /// Good messages: each has one event.
    pub events: u64,
    pub duplicates: u64,
    /// By reject code.
    pub rejects: BTreeMap<&'static str, u64>,
}

impl Counts {
    pub fn rejected(&self) -> u64 {
        self.rejects.values().sum()
    }
}

/// Counts by carrier (its index), for messages that were published.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Truth {
    pub by_carrier: BTreeMap<usize, Counts>,
}

impl Truth {
    /// One message more is published.
    pub fn count(&mut self, message: &Message) {
        let counts = self.by_carrier.entry(message.carrier).or_default();
        counts.published += 1;
        match message.kind {
            Kind::Good => counts.events += 1,
            Kind::Duplicate(_) => counts.duplicates += 1,
            Kind::Bad(bad) => *counts.rejects.entry(bad.expected_code()).or_default() += 1,
        }
    }

    pub fn total(&self) -> Counts {
        let mut total = Counts::default();
        for counts in self.by_carrier.values() {
            total.published += counts.published;
            total.events += counts.events;
            total.duplicates += counts.duplicates;
            for (code, n) in &counts.rejects {
                *total.rejects.entry(code).or_default() += n;
            }
        }
        total
    }
}
