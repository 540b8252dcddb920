//! What a batch enters into the ledger: for each input partition, what became of its records.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

use waybill_schemas::Role;
use waybill_schemas::vocabulary::LedgerOutcome;
use waybill_schemas::{LedgerCount, LedgerEntry, LedgerKey, LedgerOutput};

use crate::input::Input;

const HOUR_MS: i64 = 3_600_000;

/// The hour in which `received_at` lies, ms UTC.
pub fn hour(received_at: i64) -> i64 {
    received_at - received_at.rem_euclid(HOUR_MS)
}

#[derive(Debug, Default)]
pub struct Ledger {
    entries: BTreeMap<Input, PartitionEntry>,
    /// The entry that is written on.
    open: Option<Input>,
}

#[derive(Debug, Default)]
struct PartitionEntry {
    records: u64,
    counts: HashMap<String, Vec<Count>>,
    outputs: BTreeMap<Role, u64>,
    /// Records by carrier and the platform key that they were sealed for.
    keys: HashMap<String, Vec<(String, u64)>>,
}

/// One outcome of one carrier's records.
#[derive(Debug)]
struct Count {
    stage: Cow<'static, str>,
    hour: i64,
    outcome: LedgerOutcome,
    code: Cow<'static, str>,
    records: u64,
    parts: u64,
}

/// What is counted.
#[derive(Clone, Debug)]
pub struct OutcomeCount<'a> {
    pub stage: Cow<'static, str>,
    pub carrier_id: &'a str,
    pub received_at: i64,
    pub outcome: LedgerOutcome,
    pub code: Cow<'static, str>,
    pub records: u64,
    pub parts: u64,
}

/// The range of an input partition that an entry covers.
#[derive(Clone, Debug)]
pub struct LedgerRange<'a> {
    pub input: Input,
    /// Kafka's id of the input topic.
    pub topic_id: &'a str,
    pub from: i64,
    pub next: i64,
}

impl Ledger {
    /// What is counted from now on came from this partition.
    pub fn open(&mut self, input: &Input) {
        if self.open.as_ref() != Some(input) {
            self.open = Some(input.clone());
        }
    }

    fn entry(&mut self) -> Option<&mut PartitionEntry> {
        let open = self.open.as_ref()?;
        if !self.entries.contains_key(open) {
            self.entries.insert(open.clone(), PartitionEntry::default());
        }
        self.entries.get_mut(open)
    }

    pub fn read(&mut self, records: u64) {
        if let Some(entry) = self.entry() {
            entry.records += records;
        }
    }

    pub fn count(&mut self, counted: OutcomeCount<'_>) {
        let Some(entry) = self.entry() else { return };
        let hour = hour(counted.received_at);
        // A carrier's name is not copied for each record.
        let counts = match entry.counts.get_mut(counted.carrier_id) {
            Some(counts) => counts,
            None => entry.counts.entry(counted.carrier_id.to_owned()).or_default(),
        };
        let same = |c: &&mut Count| {
            c.stage == counted.stage
                && c.hour == hour
                && c.outcome == counted.outcome
                && c.code == counted.code
        };
        match counts.iter_mut().find(same) {
            Some(count) => {
                count.records += counted.records;
                count.parts += counted.parts;
            }
            None => counts.push(Count {
                stage: counted.stage,
                hour,
                outcome: counted.outcome,
                code: counted.code,
                records: counted.records,
                parts: counted.parts,
            }),
        }
    }

    /// A record of the carrier's was sealed for this platform key, and opened.
    pub fn opened_with(&mut self, platform_key: &str, carrier_id: &str) {
        let Some(entry) = self.entry() else { return };
        let keys = match entry.keys.get_mut(carrier_id) {
            Some(keys) => keys,
            None => entry.keys.entry(carrier_id.to_owned()).or_default(),
        };
        match keys.iter_mut().find(|(known, _)| known == platform_key) {
            Some((_, records)) => *records += 1,
            None => keys.push((platform_key.to_owned(), 1)),
        }
    }

    /// A record goes to `role`.
    pub fn wrote(&mut self, role: Role) {
        // Of these two no stage passes anything on.
        if matches!(role, Role::AggregateState | Role::Ledger) {
            return;
        }
        if let Some(entry) = self.entry() {
            *entry.outputs.entry(role).or_default() += 1;
        }
    }

    /// Takes out the entry of a range: what comes next goes into another.
    pub fn take(&mut self, stages: &str, range: LedgerRange<'_>, now_ms: i64) -> LedgerEntry {
        let LedgerRange { input, topic_id, from, next } = range;
        let entry = self.entries.remove(&input).unwrap_or_default();
        let mut counts: Vec<LedgerCount> = entry
            .counts
            .into_iter()
            .flat_map(|(carrier_id, counts)| {
                counts.into_iter().map(move |c| LedgerCount {
                    stage: c.stage.into_owned(),
                    carrier_id: carrier_id.clone(),
                    hour: c.hour,
                    outcome: c.outcome,
                    code: c.code.into_owned(),
                    records: c.records,
                    parts: c.parts,
                })
            })
            .collect();
        counts.sort_by(|a, b| {
            (&a.carrier_id, a.hour, &a.stage).cmp(&(&b.carrier_id, b.hour, &b.stage))
        });
        let mut keys: Vec<LedgerKey> = entry
            .keys
            .into_iter()
            .flat_map(|(carrier_id, keys)| {
                keys.into_iter().map(move |(kid, records)| LedgerKey {
                    kid,
                    carrier_id: carrier_id.clone(),
                    records,
                })
            })
            .collect();
        keys.sort_by(|a, b| (&a.kid, &a.carrier_id).cmp(&(&b.kid, &b.carrier_id)));
        LedgerEntry {
            stages: stages.to_owned(),
            topic: input.role.as_str().to_owned(),
            topic_id: topic_id.to_owned(),
            partition: input.partition,
            from_offset: from,
            next_offset: next,
            records: entry.records,
            committed_at: now_ms,
            counts,
            outputs: entry
                .outputs
                .into_iter()
                .map(|(role, records)| LedgerOutput { topic: role.as_str().to_owned(), records })
                .collect(),
            keys,
        }
    }

    pub fn clear(&mut self) {
        self.entries.clear();
        self.open = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(carrier_id: &str, outcome: LedgerOutcome, received_at: i64) -> OutcomeCount<'_> {
        OutcomeCount {
            stage: "validate".into(),
            carrier_id,
            received_at,
            outcome,
            code: "".into(),
            records: 1,
            parts: 2,
        }
    }

    #[test]
    fn an_entry_has_what_came_from_its_partition_and_nothing_else() {
        let mut ledger = Ledger::default();
        let of = |partition| Input::new(Role::Opened, "opened", partition);
        ledger.open(&of(1));
        for (carrier, at) in [("a", 5), ("b", HOUR_MS - 1), ("a", HOUR_MS), ("a", 6)] {
            ledger.read(1);
            ledger.count(counted(carrier, LedgerOutcome::Passed, at));
        }
        ledger.wrote(Role::Valid);
        ledger.wrote(Role::AggregateState);
        ledger.open(&of(2));
        ledger.read(1);
        ledger.count(counted("a", LedgerOutcome::Duplicate, 5));
        let range = |n| LedgerRange { input: of(n), topic_id: "id", from: 7, next: 12 };
        let entry = ledger.take("validate", range(1), 9);
        assert_eq!((entry.from_offset, entry.next_offset, entry.records), (7, 12, 4));
        let counts: Vec<_> = entry
            .counts
            .iter()
            .map(|c| (c.carrier_id.as_str(), c.hour, c.outcome, c.records, c.parts))
            .collect();
        assert_eq!(
            counts,
            [
                ("a", 0, LedgerOutcome::Passed, 2, 4),
                ("a", HOUR_MS, LedgerOutcome::Passed, 1, 2),
                ("b", 0, LedgerOutcome::Passed, 1, 2),
            ]
        );
        assert_eq!(entry.outputs, [LedgerOutput { topic: "valid".to_owned(), records: 1 }]);
        assert_eq!(ledger.take("validate", range(2), 9).counts.len(), 1);
        assert_eq!(ledger.take("validate", range(2), 9).records, 0);
    }

    #[test]
    fn partitions_of_one_number_in_two_topics_have_an_entry_each() {
        let mut ledger = Ledger::default();
        let of = |topic| Input::new(Role::Sealed, topic, 0);
        for topic in ["a", "b", "a"] {
            ledger.open(&of(topic));
            ledger.read(1);
        }
        for (topic, records) in [("a", 2), ("b", 1)] {
            let range = LedgerRange { input: of(topic), topic_id: topic, from: 0, next: 5 };
            assert_eq!(ledger.take("decrypt", range, 9).records, records, "{topic}");
        }
    }

    #[test]
    fn an_hour_begins_at_its_first_millisecond() {
        for (at, expect) in [(0, 0), (1, 0), (HOUR_MS, HOUR_MS), (-1, -HOUR_MS)] {
            assert_eq!(hour(at), expect);
        }
    }
}
