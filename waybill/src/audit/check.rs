use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use waybill_clickhouse::{AuditData, Misstored};
use waybill_kafka::GroupProgress;
use waybill_schemas::Role;

use super::checked;

/// All that is known.
#[derive(Clone, Debug)]
pub struct Facts {
    /// When the audit began: the ledger must tell of all of this.
    pub asked: BTreeMap<Role, Vec<GroupProgress>>,
    /// Just before the tables were read, …
    pub progress: BTreeMap<Role, Vec<GroupProgress>>,
    /// … and just after: tables are read one after the other, and what moves meanwhile is in some of them.
    pub after: BTreeMap<Role, Vec<GroupProgress>>,
    pub data: AuditData,
    /// The data is that of all time.
    pub is_whole: bool,
}

/// What an audit says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditReport {
    /// How many sealed records there are, read or waiting.
    pub sealed: u64,
    /// By topic: what was found in order.
    pub lines: Vec<String>,
    /// What is on its way, and no finding.
    pub moving: Vec<String>,
    /// What the ledger does not tell yet, so that nobody can say whether it is in order.
    pub unsettled: Vec<String>,
    /// What is not in order, with coordinates.
    pub findings: Vec<String>,
}

impl AuditReport {
    pub fn is_clean(&self) -> bool {
        self.findings.is_empty() && self.unsettled.is_empty()
    }
}

impl AuditReport {
    /// A sum over entries that is not what it should be.
    fn sum(&mut self, facts: &Facts, line: String) {
        if facts.is_telling() {
            self.moving.push(line);
        } else {
            self.findings.push(line);
        }
    }
}

impl Facts {
    /// Whether something is still on its way, so that the data may be behind.
    pub fn is_moving(&self) -> bool {
        let both = [&self.progress, &self.after].into_iter();
        both.flat_map(|of| of.values().flatten()).any(|s| s.waiting > 0 || !s.claim.is_empty())
            || self.is_changing()
            || !self.behind(&self.asked).is_empty()
    }

    /// Whether entries of the ledger are still coming in: a sum may then lack one of them. Those of who wrote and of who
    /// read lie in partitions of their own, and come in any order.
    fn is_telling(&self) -> bool {
        self.is_ledger_unread() || self.is_changing()
    }

    /// Whether entries lie on the ledger's topic that are not in its table.
    fn is_ledger_unread(&self) -> bool {
        let both = [&self.progress, &self.after].into_iter();
        let of_ledger = both.filter_map(|of| of.get(&Role::Ledger)).flatten();
        of_ledger.into_iter().any(|s| s.waiting > 0 || !s.claim.is_empty())
    }

    /// Whether something was committed while the tables were read, or just before: Kafka shows the offsets of a
    /// transaction a moment before it shows what else was written in it, and so its entry.
    fn is_changing(&self) -> bool {
        self.progress != self.after || !self.behind(&self.progress).is_empty()
    }

    /// Partitions of which more is committed than the ledger tells.
    fn behind(
        &self,
        progress: &BTreeMap<Role, Vec<GroupProgress>>,
    ) -> Vec<(String, i32, i64, i64)> {
        let mut behind = Vec::new();
        for (role, _) in checked() {
            for group in progress.get(&role).into_iter().flatten() {
                let told = self
                    .data
                    .coverage
                    .iter()
                    .find(|c| {
                        (c.topic.as_str(), &c.topic_id, c.partition)
                            == (role.as_str(), &group.topic_id, group.partition)
                    })
                    .map(|c| c.next);
                if let Some(next) = group.next
                    && told.unwrap_or(group.first) < next
                    && (self.is_whole || told.is_some())
                {
                    let topic = self.named(role.as_str(), &group.topic_id);
                    behind.push((topic, group.partition, told.unwrap_or(group.first), next));
                }
            }
        }
        behind
    }

    /// What a person calls the topic: by its role, or by its name where carriers have several.
    fn named(&self, role: &str, topic_id: &str) -> String {
        let sealed = self.of(Role::Sealed);
        let mut topics: Vec<&str> = sealed.iter().map(|s| s.topic.as_str()).collect();
        topics.dedup();
        if role != Role::Sealed.as_str() || topics.len() < 2 {
            return role.to_owned();
        }
        let known = sealed.iter().find(|group| group.topic_id == topic_id);
        known.map_or_else(|| format!("{role} (id {topic_id})"), |known| known.topic.clone())
    }

    fn of(&self, role: Role) -> &[GroupProgress] {
        self.progress.get(&role).map_or(&[], Vec::as_slice)
    }

    fn waiting(&self, role: Role) -> u64 {
        self.of(role).iter().map(|s| s.waiting).sum()
    }

    fn read(&self, role: Role) -> u64 {
        let of = self.data.coverage.iter().filter(|c| c.topic == role.as_str());
        of.map(|c| c.records).sum()
    }

    fn written(&self, role: Role) -> u64 {
        let of = self.data.written.iter().filter(|w| w.topic == role.as_str());
        of.map(|w| w.records).sum()
    }

    /// Records and parts of a stage with that outcome; of one process if it is named.
    fn stage(&self, stages: Option<&str>, stage: &str, outcome: Option<&str>) -> (u64, u64) {
        self.data
            .stages
            .iter()
            .filter(|t| t.stage == stage && stages.is_none_or(|s| s == t.stages))
            .filter(|t| outcome.is_none_or(|o| o == t.outcome) && t.outcome != "redriven")
            .fold((0, 0), |sum, t| (sum.0 + t.records, sum.1 + t.parts))
    }
}

/// Every promise, held against the facts.
pub fn check(facts: &Facts) -> AuditReport {
    let sealed = facts.read(Role::Sealed) + facts.waiting(Role::Sealed);
    let mut report = AuditReport { sealed, ..AuditReport::default() };
    offsets(facts, &mut report);
    sums(facts, &mut report);
    if facts.is_whole {
        flow(facts, &mut report);
    }
    derived(facts, &mut report);
    store(facts, &mut report);
    erased(facts, &mut report);
    for hour in &facts.data.unaccounted {
        let line = format!(
            "carrier {:?}, hour {}: {} of what was received is not accounted for",
            hour.carrier_id, hour.hour, hour.in_flight
        );
        if (facts.is_moving() && hour.in_flight > 0) || facts.is_telling() {
            report.moving.push(line);
        } else {
            report.findings.push(line);
        }
    }
    report
}

/// Each offset is covered once, from where the log began to what is committed.
fn offsets(facts: &Facts, report: &mut AuditReport) {
    for gap in &facts.data.gaps {
        let what = if gap.before < gap.from_offset { "by no entry" } else { "more than once" };
        let (low, high) = (gap.before.min(gap.from_offset), gap.before.max(gap.from_offset));
        report.findings.push(format!(
            "{}-{}: offsets {low} to {} are covered {what}",
            facts.named(&gap.topic, &gap.topic_id),
            gap.partition,
            high - 1
        ));
    }
    for entry in &facts.data.unbalanced {
        report.findings.push(format!(
            "{}-{}@{}-{}: {} records were read, and {} have an outcome",
            facts.named(&entry.topic, &entry.topic_id),
            entry.partition,
            entry.from_offset,
            entry.next_offset - 1,
            entry.records,
            entry.counted
        ));
    }
    if facts.is_whole {
        for covered in facts.data.coverage.iter().filter(|c| c.first != 0) {
            report.findings.push(format!(
                "{}-{}: offsets 0 to {} are covered by no entry",
                facts.named(&covered.topic, &covered.topic_id),
                covered.partition,
                covered.first - 1
            ));
        }
    }
    for (topic, partition, told, next) in facts.behind(&facts.asked) {
        let line = format!(
            "{topic}-{partition}: offsets {told} to {} are committed, and the ledger does not tell of \
             them",
            next - 1
        );
        // The entry may be among those that the sink has not stored.
        if facts.is_ledger_unread() {
            report.unsettled.push(line);
        } else {
            report.findings.push(line);
        }
    }
    former(facts, report);
    for (role, _) in checked() {
        let (waiting, name) = (facts.waiting(role), role.as_str());
        if waiting > 0 {
            report.moving.push(format!("{name}: {waiting} records are not read yet"));
        }
    }
}

/// Topics that began anew, or are gone: what is known of them is told.
fn former(facts: &Facts, report: &mut AuditReport) {
    for (role, _) in checked() {
        let now: BTreeSet<&str> = facts.of(role).iter().map(|s| s.topic_id.as_str()).collect();
        if now.is_empty() {
            continue;
        }
        let of = facts.data.coverage.iter().filter(|c| c.topic == role.as_str());
        let mut before: BTreeMap<&str, u64> = BTreeMap::new();
        for covered in of.filter(|c| !now.contains(c.topic_id.as_str())) {
            *before.entry(&covered.topic_id).or_default() += covered.records;
        }
        for (id, records) in before {
            report.lines.push(if now.len() > 1 {
                format!(
                    "{:<10} of a topic that is not read any more (id {id}), {records} records were read",
                    role.as_str()
                )
            } else {
                format!(
                    "{:<10} began anew: of the topic before it (id {id}), {records} records were read",
                    role.as_str()
                )
            });
        }
    }
}

/// What stages of one process hand to each other, and what each process writes.
fn sums(facts: &Facts, report: &mut AuditReport) {
    let mut processes: Vec<&str> = facts.data.stages.iter().map(|t| t.stages.as_str()).collect();
    processes.dedup();
    for process in processes {
        let stages: Vec<&str> = process.split(',').collect();
        for pair in stages.windows(2) {
            let [first, second] = pair else { continue };
            let (_, passed) = facts.stage(Some(process), first, Some("passed"));
            let (taken, _) = facts.stage(Some(process), second, None);
            if passed != taken {
                let line =
                    format!("{process}: {first} passed {passed} on, and {second} took {taken}");
                report.sum(facts, line);
            }
        }
        let output = match stages.last() {
            Some(&"decrypt") => Role::Opened,
            Some(&"validate") => Role::Valid,
            Some(&"enrich") => Role::Enriched,
            Some(&"aggregate") => Role::Events,
            _ => continue,
        };
        let last = stages.last().copied().unwrap_or_default();
        let (_, passed) = facts.stage(Some(process), last, Some("passed"));
        // What has a shipment forgotten goes on as events do.
        let (_, erased) = facts.stage(Some(process), last, Some("erased"));
        let passed = passed + erased;
        let written: u64 = facts
            .data
            .written
            .iter()
            .filter(|w| w.stages == process && w.topic == output.as_str())
            .map(|w| w.records)
            .sum();
        if passed != written {
            let line = format!(
                "{process}: {last} passed {passed} on, and {written} were written to {}",
                output.as_str()
            );
            report.sum(facts, line);
        }
    }
}

/// Of a record that was read, as the ledger names them.
const OUTCOMES: [&str; 6] = ["passed", "rejected", "duplicate", "superseded", "deferred", "erased"];

/// What leaves a stage enters the next.
fn flow(facts: &Facts, report: &mut AuditReport) {
    for (role, reader) in checked() {
        let (read, waiting, name) = (facts.read(role), facts.waiting(role), role.as_str());
        let partitions = facts.of(role).len();
        let outcomes: Vec<String> = OUTCOMES
            .into_iter()
            .filter_map(|outcome| {
                let of = |t: &&waybill_clickhouse::StageTotal| {
                    t.topic == name && t.stage == reader && t.outcome == outcome
                };
                let records: u64 = facts.data.stages.iter().filter(of).map(|t| t.records).sum();
                (records > 0).then(|| format!("{records} {outcome}"))
            })
            .collect();
        if read > 0 || waiting > 0 {
            report.lines.push(format!(
                "{name:<10} {read} records of {partitions} partitions, each read once by {reader}: \
                 {}",
                if outcomes.is_empty() { "none".to_owned() } else { outcomes.join(" + ") }
            ));
        }
        // Carriers and operators write these.
        if matches!(role, Role::Sealed | Role::Redrive) {
            continue;
        }
        let written = facts.written(role);
        if written != read + waiting {
            let line =
                format!("{name}: {written} records were written, and {read} read, {waiting} wait");
            // What was written and not read yet is a matter of time; that more was read than written is one only
            // where the entry of who wrote may still come in.
            if facts.is_moving() && written > read {
                report.moving.push(line);
            } else {
                report.sum(facts, line);
            }
        }
    }
    let rejected: u64 =
        facts.data.stages.iter().filter(|t| t.outcome == "rejected").map(|t| t.parts).sum();
    let letters = facts.written(Role::Rejects);
    if rejected != letters {
        let line = format!("{rejected} were rejected, and {letters} dead letters were written");
        report.sum(facts, line);
    }
}

/// What entered the sink is in ClickHouse, once.
fn store(facts: &Facts, report: &mut AuditReport) {
    let mut list = |table: &str, ranges: &[Misstored]| {
        for range in ranges {
            report.findings.push(format!(
                "{table}-{}@{}-{}: {} records were stored by the ledger, and the table has {} rows \
                 of {} records",
                range.partition,
                range.from_offset,
                range.next_offset - 1,
                range.passed,
                range.stored,
                range.different
            ));
        }
    };
    list("events", &facts.data.misstored_events);
    list("rejects", &facts.data.misstored_rejects);
}

/// What has gone because it was asked for.
fn erased(facts: &Facts, report: &mut AuditReport) {
    let of = facts.data.erased.iter().map(|of| format!("{} {}", of.table, of.rows));
    let of: Vec<String> = of.collect();
    if !of.is_empty() {
        report.lines.push(format!("{:<10} rows that were erased: {}", "ClickHouse", of.join("; ")));
    }
    for id in &facts.data.unfinished_erasures {
        report.moving.push(format!(
            "erasure {id} is not done; if it was broken off, `waybill erase --unfinished` goes on with it"
        ));
    }
}

fn derived(facts: &Facts, report: &mut AuditReport) {
    let mut fine = Vec::new();
    for pair in &facts.data.derived {
        if pair.rows == pair.derived {
            fine.push(format!("{} {}", pair.what, pair.rows));
        } else {
            let line = format!("{}: {}, and the rows are {}", pair.what, pair.derived, pair.rows);
            // Between an insert and the next, a table and its rollup are read one after the other.
            if facts.is_moving() {
                report.moving.push(line);
            } else {
                report.findings.push(line);
            }
        }
    }
    if !fine.is_empty() {
        report.lines.push(format!("{:<10} {}", "ClickHouse", fine.join("; ")));
    }
}

impl fmt::Display for AuditReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in &self.lines {
            writeln!(f, "  {line}")?;
        }
        for line in &self.moving {
            writeln!(f, "  on its way: {line}")?;
        }
        for line in &self.findings {
            writeln!(f, "  NOT IN ORDER: {line}")?;
        }
        for line in &self.unsettled {
            writeln!(f, "  not told yet: {line}")?;
        }
        match (self.findings.len(), self.unsettled.len()) {
            (0, 1..) => write!(
                f,
                "audit: not settled. Entries of the ledger lie on its topic that the sink has not stored, so that \
                 this cannot be judged: ask again when it has, or with a longer --wait."
            ),
            (0, 0) => write!(
                f,
                "audit: clean. Every offset is covered once, every record has one outcome, what \
                 leaves a stage enters the next, and what entered the sink is stored once."
            ),
            (n, _) => write!(f, "audit: {n} findings"),
        }
    }
}

#[cfg(test)]
#[path = "check_tests.rs"]
mod tests;
