//! The store: for each topic a table of rows, and a rollup that the same insert feeds behind it.
//!
//! As with ClickHouse: an insert makes a part for each month of its records, rows first, then rollups; each part has a
//! token of its own, made of the insert's, and each table drops what comes under a token that it still remembers, by
//! itself. So an insert whose rows are there goes on to the rollup. A crash ends what is under way behind any part;
//! [`Torn`] says what is left of the part that it was at.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use waybill_schemas::vocabulary::LedgerOutcome;
use waybill_schemas::{LedgerCount, Provenance};
use waybill_stage::{Code, Inserted, RefusedRecord, Reject, SinkBatch, SinkRecord};

use crate::Ms;

/// What a crash leaves of the part that was being written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Torn {
    /// Nothing, as a replicated table does.
    #[default]
    Neither,
    /// The token without the rows: a plain MergeTree.
    Token,
    /// The rows without the token.
    Rows,
}

/// What a record says of itself.
#[derive(Clone, Debug)]
pub struct Row {
    pub provenance: Arc<Provenance>,
    pub position: u32,
    /// It can be no row.
    pub is_refused: bool,
}

/// Reads a record of a topic.
pub type ReadRow = fn(&'static str, &SinkRecord<'_>) -> Row;

/// A record's place: its table, partition and offset.
pub type RowId = (&'static str, i32, i64);

#[derive(Debug, Default)]
pub struct Table {
    /// How often each row is in.
    pub counts: BTreeMap<RowId, u32>,
    /// By topic: the last few tokens, oldest first, with when they came.
    tokens: BTreeMap<&'static str, VecDeque<(Ms, String)>>,
}

impl Table {
    fn remembers(&self, role: &'static str, token: &str) -> bool {
        let mut tokens = self.tokens.get(role).into_iter().flatten();
        tokens.any(|(_, remembered)| remembered == token)
    }

    fn remember(&mut self, role: &'static str, token: String, setup: Setup, now: Ms) {
        let tokens = self.tokens.entry(role).or_default();
        tokens.push_back((now, token));
        if tokens.len() > setup.window {
            tokens.pop_front();
        }
    }

    fn forget(&mut self, setup: Setup, now: Ms) {
        for tokens in self.tokens.values_mut() {
            tokens.retain(|(at, _)| now - at < setup.age);
        }
    }
}

/// How the store is set up, or wrongly so.
#[derive(Clone, Copy, Debug)]
pub struct Setup {
    /// Tokens that a table remembers.
    pub window: usize,
    /// For so long, too.
    pub age: Ms,
    /// Records go over so many months in turn.
    pub months: i64,
    pub torn: Torn,
    /// What the rows' token drops goes on to the rollup.
    pub feeds_rollup: bool,
    /// Tokens are heeded.
    pub heeds_tokens: bool,
}

impl Default for Setup {
    fn default() -> Self {
        let (torn, feeds_rollup, heeds_tokens) = (Torn::Neither, true, true);
        // Longer than an insert can be on its way: its lease and its request, and a takeover.
        let age = 300_000;
        Self { window: 10_000, age, months: 2, torn, feeds_rollup, heeds_tokens }
    }
}

#[derive(Debug)]
struct Insert {
    role: &'static str,
    /// By part: its token, and its rows. The rows' parts first, then the rollups'.
    parts: Vec<(String, Vec<RowId>)>,
    done: usize,
    answer: Inserted,
    /// When the store was last at it.
    at: Ms,
}

/// A table of rows, and its rollup.
#[derive(Debug)]
pub struct Store {
    pub setup: Setup,
    pub rows: Table,
    pub rollup: Table,
    inserts: BTreeMap<u64, Insert>,
    begun: u64,
    /// How many parts came whose token was remembered.
    pub dropped: usize,
    read: ReadRow,
}

impl Store {
    pub fn new(setup: Setup, read: ReadRow) -> Self {
        let (rows, rollup) = (Table::default(), Table::default());
        Self { setup, rows, rollup, inserts: BTreeMap::new(), begun: 0, dropped: 0, read }
    }

    /// An insert arrives. Whether anybody waits for it, the store does not know.
    pub fn begin(&mut self, batch: &SinkBatch, now: Ms) -> u64 {
        self.begun += 1;
        let (taken, answer) = self.decode(batch);
        let mut months: BTreeMap<i64, Vec<RowId>> = BTreeMap::new();
        for offset in taken {
            let row = (batch.role, batch.partition, offset);
            months.entry(offset % self.setup.months).or_default().push(row);
        }
        let part = |(month, rows): (i64, Vec<RowId>)| (format!("{}_{month}", batch.token), rows);
        let parts: Vec<_> = months.into_iter().map(part).collect();
        let parts = [parts.clone(), parts].concat();
        let insert = Insert { role: batch.role, parts, done: 0, answer, at: now };
        self.inserts.insert(self.begun, insert);
        self.begun
    }

    /// Whether any row of the batch is there.
    pub fn has_any(&self, batch: &SinkBatch) -> bool {
        let rows = batch.records.iter().map(|r| (batch.role, batch.partition, r.offset));
        rows.into_iter().any(|row| self.rows.counts.contains_key(&row))
    }

    /// The offsets that become rows, and the answer.
    pub fn decode(&self, batch: &SinkBatch) -> (Vec<i64>, Inserted) {
        let (mut taken, mut answer) = (Vec::new(), Inserted::default());
        for record in batch.records.iter() {
            let Row { provenance, position, is_refused } = (self.read)(batch.role, &record);
            let (outcome, code) = match is_refused {
                true => (LedgerOutcome::Rejected, Code::StorageRefused.as_str()),
                false => (LedgerOutcome::Passed, ""),
            };
            // Entries about entries are not counted.
            if batch.role != "ledger" {
                count(&mut answer.counts, &provenance, outcome, code);
            }
            if is_refused {
                answer.rejects.push(RefusedRecord {
                    offset: record.offset,
                    provenance: Some(provenance),
                    position,
                    reject: Reject::new(Code::StorageRefused, ""),
                });
            } else {
                taken.push(record.offset);
            }
        }
        answer.rows = taken.len() as u64;
        (taken, answer)
    }

    /// Writes the next part of an insert. With the last, it is answered.
    pub fn step(&mut self, id: u64, now: Ms) -> Option<Inserted> {
        let mut insert = self.inserts.remove(&id)?;
        insert.at = now;
        self.rows.forget(self.setup, now);
        self.rollup.forget(self.setup, now);
        let is_new = insert.done >= insert.parts.len() || self.write(&insert, None);
        insert.done += 1;
        if !is_new && !self.setup.feeds_rollup {
            // What comes behind the rows is theirs, and they are dropped.
            insert.done = insert.parts.len();
        }
        if insert.done >= insert.parts.len() {
            return Some(insert.answer);
        }
        self.inserts.insert(id, insert);
        None
    }

    /// Writes a part, or what a crash leaves of it. False if its token is remembered.
    fn write(&mut self, insert: &Insert, torn: Option<Torn>) -> bool {
        let is_rows = insert.done < insert.parts.len() / 2;
        let table = if is_rows { &mut self.rows } else { &mut self.rollup };
        let (token, rows) = &insert.parts[insert.done];
        if self.setup.heeds_tokens && table.remembers(insert.role, token) {
            self.dropped += 1;
            return false;
        }
        if torn.is_none_or(|torn| torn == Torn::Token) {
            table.remember(insert.role, token.clone(), self.setup, insert.at);
        }
        if torn.is_none_or(|torn| torn == Torn::Rows) {
            for row in rows {
                *table.counts.entry(*row).or_default() += 1;
            }
        }
        true
    }

    /// The store ends, and starts again. Returns what was under way, and is no more.
    pub fn crash(&mut self) -> Vec<u64> {
        let cut = std::mem::take(&mut self.inserts);
        for insert in cut.values().filter(|insert| insert.done < insert.parts.len()) {
            self.write(insert, Some(self.setup.torn));
        }
        cut.into_keys().collect()
    }

    pub fn is_idle(&self) -> bool {
        self.inserts.is_empty()
    }
}

const HOUR_MS: i64 = 3_600_000;

fn count(
    counts: &mut Vec<LedgerCount>,
    provenance: &Provenance,
    outcome: LedgerOutcome,
    code: &str,
) {
    let hour = provenance.received_at - provenance.received_at.rem_euclid(HOUR_MS);
    let same = |c: &&mut LedgerCount| {
        c.carrier_id == provenance.carrier_id
            && c.hour == hour
            && c.outcome == outcome
            && c.code == code
    };
    if let Some(count) = counts.iter_mut().find(same) {
        count.records += 1;
        count.parts += 1;
        return;
    }
    counts.push(LedgerCount {
        stage: String::new(),
        carrier_id: provenance.carrier_id.clone(),
        hour,
        outcome,
        code: code.to_owned(),
        records: 1,
        parts: 1,
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(_: &'static str, record: &SinkRecord<'_>) -> Row {
        let is_refused = record.value == b"refused";
        Row { provenance: Arc::default(), position: 1, is_refused }
    }

    fn batch(offsets: &[i64], refused: &[i64]) -> SinkBatch {
        let value = |offset: &i64| if refused.contains(offset) { &b"refused"[..] } else { b"row" };
        SinkBatch {
            role: "events",
            topic: "t".to_owned(),
            topic_id: "id".to_owned(),
            partition: 0,
            first: offsets[0],
            last: *offsets.last().unwrap(),
            token: format!("t/id:0:{}-{}", offsets[0], offsets.last().unwrap()),
            again: false,
            records: offsets.iter().map(|offset| (*offset, value(offset), 0)).collect(),
        }
    }

    fn store(setup: Setup) -> Store {
        Store::new(setup, read)
    }

    fn finish(store: &mut Store, id: u64) -> Inserted {
        (0..9).find_map(|_| store.step(id, 0)).expect("it has an end")
    }

    fn insert(store: &mut Store, offsets: &[i64]) -> Inserted {
        let id = store.begin(&batch(offsets, &[]), 0);
        finish(store, id)
    }

    /// How often each row is in, and in the rollup.
    fn counts(store: &Store) -> (Vec<u32>, Vec<u32>) {
        let counts = |table: &Table| table.counts.values().copied().collect();
        (counts(&store.rows), counts(&store.rollup))
    }

    #[test]
    fn an_insert_that_comes_again_changes_nothing() {
        for (heeds_tokens, expect) in [(true, vec![1, 1]), (false, vec![2, 2])] {
            let mut store = store(Setup { heeds_tokens, ..Setup::default() });
            assert_eq!(insert(&mut store, &[1, 2]).rows, 2);
            assert_eq!(insert(&mut store, &[1, 2]).rows, 2);
            assert_eq!(counts(&store), (expect.clone(), expect));
        }
    }

    #[test]
    fn what_a_crash_cut_off_is_completed() {
        for (feeds_rollup, expect) in [(true, vec![1, 1]), (false, vec![])] {
            let mut store = store(Setup { feeds_rollup, ..Setup::default() });
            let id = store.begin(&batch(&[1, 2], &[]), 0);
            assert!(store.step(id, 0).is_none() && store.step(id, 0).is_none());
            assert_eq!(counts(&store), (vec![1, 1], vec![]));
            assert_eq!(store.crash(), [id]);
            assert!(store.step(id, 0).is_none() && store.is_idle());
            insert(&mut store, &[1, 2]);
            assert_eq!(counts(&store), (vec![1, 1], expect));
        }
    }

    #[test]
    fn a_torn_part_is_lost_or_doubled() {
        for (torn, expect) in [(Torn::Neither, 1), (Torn::Token, 0), (Torn::Rows, 2)] {
            let mut store = store(Setup { torn, months: 1, ..Setup::default() });
            store.begin(&batch(&[1], &[]), 0);
            store.crash();
            insert(&mut store, &[1]);
            assert_eq!(store.rows.counts.values().sum::<u32>(), expect, "{torn:?}");
            assert_eq!(store.rollup.counts.values().sum::<u32>(), 1, "{torn:?}");
        }
    }

    #[test]
    fn a_token_is_forgotten_behind_its_window() {
        for (window, expect) in [(2, 1), (1, 2)] {
            let mut store = store(Setup { window, months: 1, ..Setup::default() });
            insert(&mut store, &[1]);
            insert(&mut store, &[2]);
            insert(&mut store, &[1]);
            assert_eq!(store.rows.counts[&("events", 0, 1)], expect);
        }
    }

    #[test]
    fn a_token_is_forgotten_with_time() {
        for (later, expect) in [(299_999, 1), (300_000, 2)] {
            let mut store = store(Setup::default());
            insert(&mut store, &[1]);
            let id = store.begin(&batch(&[1], &[]), later);
            while store.step(id, later).is_none() {}
            assert_eq!(store.rows.counts[&("events", 0, 1)], expect);
        }
    }

    #[test]
    fn what_can_be_no_row_is_returned_each_time() {
        let mut store = store(Setup::default());
        for _ in 0..2 {
            let id = store.begin(&batch(&[4, 6, 7], &[6]), 0);
            let answer = finish(&mut store, id);
            assert_eq!((answer.rows, answer.rejects.len()), (2, 1));
            assert_eq!(answer.rejects[0].offset, 6);
            let counts: Vec<_> = answer.counts.iter().map(|c| (c.outcome, c.records)).collect();
            assert_eq!(counts, [(LedgerOutcome::Passed, 2), (LedgerOutcome::Rejected, 1)]);
        }
        assert_eq!(counts(&store), (vec![1, 1], vec![1, 1]));
        // A batch of which nothing is a row is answered, too.
        let id = store.begin(&batch(&[9], &[9]), 0);
        assert_eq!(finish(&mut store, id).rows, 0);
    }
}
