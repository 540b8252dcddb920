//! The store: a table of rows, and a rollup fed by a second step of the same insert. Each drops what
//! comes under a token that it still keeps, by itself; so an insert whose rows are there already
//! goes on to the rollup.

use std::fmt;

use waybill_host::protocol::{Range, token};

use crate::setting::{Setting, Variant};

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Table {
    /// By partition and record: how often it is in.
    pub counts: Vec<Vec<u8>>,
    /// The last few, oldest first.
    tokens: Vec<String>,
}

/// An insert on its way, or being worked at.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Insert {
    pub partition: usize,
    pub range: Range,
    /// Steps that the store has taken.
    pub done: usize,
    /// Nobody, when whoever sent it has ended, or has given up and sent another.
    pub awaited_by: Option<usize>,
}

/// One line of a counterexample.
impl fmt::Debug for Insert {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { partition, range, done, awaited_by } = self;
        write!(f, "{partition}:{range}, {done} done, ")?;
        match awaited_by {
            Some(i) => write!(f, "awaited by {i}"),
            None => write!(f, "awaited by nobody"),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Store {
    pub rows: Table,
    pub rollup: Table,
}

/// How much of a step is taken: by a store that ends within it, half.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    Whole,
    Torn,
}

impl Store {
    pub fn empty(setting: &Setting) -> Self {
        let counts = setting.partitions.iter().map(|records| vec![0; records.len()]).collect();
        let table = Table { counts, tokens: Vec::new() };
        Self { rows: table.clone(), rollup: table }
    }

    /// The insert's next step; false if the token says that it was taken before.
    pub fn take_step(&mut self, setting: &Setting, insert: &Insert, extent: Extent) -> bool {
        let months = months(setting, insert);
        let table = if insert.done < months.len() { &mut self.rows } else { &mut self.rollup };
        let month = months[insert.done % months.len()];
        let name = token("t", "id", insert.partition as i32, insert.range);
        let token = format!("{name} month {month}");
        if table.tokens.contains(&token) && !setting.is(Variant::NoToken) {
            return false;
        }
        if extent == Extent::Whole || setting.is(Variant::TokenBeforeRows) {
            table.tokens.push(token);
            if table.tokens.len() > setting.window {
                table.tokens.remove(0);
            }
        }
        if extent == Extent::Whole || setting.is(Variant::RowsBeforeToken) {
            for index in records(setting, insert.partition, insert.range) {
                if index % setting.months == month {
                    table.counts[insert.partition][index] += 1;
                }
            }
        }
        true
    }

    pub fn has_any(&self, setting: &Setting, partition: usize, range: Range) -> bool {
        records(setting, partition, range).any(|index| self.rows.counts[partition][index] > 0)
    }
}

/// The records of a range, by their place in the partition.
pub fn records(setting: &Setting, partition: usize, range: Range) -> impl Iterator<Item = usize> {
    let offsets = setting.partitions[partition];
    (0..offsets.len()).filter(move |index| range.contains(offsets[*index]))
}

fn months(setting: &Setting, insert: &Insert) -> Vec<usize> {
    let mut months: Vec<usize> = records(setting, insert.partition, insert.range)
        .map(|index| index % setting.months)
        .collect();
    months.sort_unstable();
    months.dedup();
    months
}

/// How many steps the store still has to take: first the rows of each month, then their rollups.
pub fn steps_left(setting: &Setting, insert: &Insert) -> usize {
    2 * months(setting, insert).len() - insert.done
}
