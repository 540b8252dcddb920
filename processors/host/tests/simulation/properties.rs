//! What is promised of every history, whatever went wrong in it.

use std::collections::{BTreeMap, BTreeSet};

use waybill_schemas::vocabulary::LedgerOutcome;
use waybill_schemas::{LedgerEntry, Opened, RejectRecord, Role};
use waybill_stage::Code;

use crate::content::{TOPIC_ID, about, committed, places};
use crate::log::Place;
use crate::plan::{Arrival, Plan};
use crate::reading::{recomputed, strange};
use crate::seen::{Restoring, State};
use crate::servers::Servers;
use crate::store::{RowId, Table};
use crate::world::reads;

/// Everything is done: now it is all there, once.
pub fn check(plan: &Plan, s: &mut Servers) {
    let log = &s.log;
    let all = All {
        valid: committed(log, Role::Valid),
        events: committed(log, Role::Events),
        letters: committed(log, Role::Rejects),
        entries: committed(log, Role::Ledger),
    };
    let is_aside = |l: &&(i32, i64, RejectRecord)| l.2.code == Code::Poison.as_str();
    let aside = all.letters.iter().filter(is_aside).count();
    let mut wrong = Vec::new();
    check_inputs(plan, &all, &mut wrong);
    check_events(&all, &mut wrong);
    check_ledger(s, &all, &mut wrong);
    check_sums(s, &all, &mut wrong);
    check_rows(s, &all, &mut wrong);
    check_offsets(s, &mut wrong);
    check_state(s, &mut wrong);
    wrong.into_iter().for_each(|wrong| s.find(wrong));
    s.count("records set aside", aside);
}

/// What is committed, with partition and offset.
struct All {
    valid: Vec<(i32, i64, Opened)>,
    events: Vec<(i32, i64, Opened)>,
    letters: Vec<(i32, i64, RejectRecord)>,
    entries: Vec<(i32, i64, LedgerEntry)>,
}

impl All {
    /// Codes of the dead letters of what stands at such a place.
    fn letters_at(&self, role: Role, partition: i32, offset: i64) -> impl Iterator<Item = &str> {
        let is_of = move |l: &&RejectRecord| {
            l.source_topic == role.as_str()
                && l.source_partition == partition
                && l.source_offset == offset
        };
        self.letters.iter().map(|(_, _, l)| l).filter(is_of).map(|l| l.code.as_str())
    }
}

/// Each input has exactly its outputs and dead letters; or it was set aside, where processes died at it.
fn check_inputs(plan: &Plan, all: &All, wrong: &mut Vec<String>) {
    let mut ends: BTreeMap<Place, i64> = BTreeMap::new();
    for Arrival { input, .. } in &plan.arrivals {
        let end = ends.entry((input.role, input.partition)).or_default();
        let offset = *end;
        *end += 1;
        let message = input.number.to_string();
        let is_of = |e: &&(i32, i64, Opened)| e.2.provenance.message_id == message;
        let mut events: Vec<String> = all
            .valid
            .iter()
            .filter(is_of)
            .map(|(_, _, event)| String::from_utf8_lossy(&event.payload).into_owned())
            .collect();
        events.sort_unstable();
        let of_it = |l: &&RejectRecord| l.message_id == message && l.stage == "validate";
        let letters = all.letters.iter().map(|(_, _, l)| l).filter(of_it).map(|l| l.code.as_str());
        let at_its_place = all.letters_at(input.role, input.partition, offset);
        let letters: Vec<&str> = letters.chain(at_its_place).collect();
        let mut expect = input.events();
        expect.sort_unstable();
        let codes: Vec<&str> = input.letters().iter().map(|code| code.as_str()).collect();
        let is_aside = events.is_empty() && letters == [Code::Poison.as_str()];
        if !is_aside && (events != expect || letters != codes) {
            wrong.push(format!("{input:?} has become {events:?} and {letters:?}"));
        }
    }
    let known = |e: &(i32, i64, Opened)| !e.2.provenance.message_id.is_empty();
    if !all.valid.iter().all(known) {
        wrong.push("an event is of no input".to_owned());
    }
}

/// Each valid event is passed once, whatever copies there are of it.
fn check_events(all: &All, wrong: &mut Vec<String>) {
    let is_aside = |e: &&(i32, i64, Opened)| all.letters_at(Role::Valid, e.0, e.1).next().is_none();
    let expect: BTreeSet<_> = all.valid.iter().filter(is_aside).map(|(_, _, e)| about(e)).collect();
    let mut passed: Vec<_> = all.events.iter().map(|(_, _, e)| about(e)).collect();
    passed.sort_unstable();
    let expect: Vec<_> = expect.into_iter().collect();
    if passed != expect {
        wrong.push(format!("{passed:?} were passed, of {expect:?}"));
    }
}

/// The entries of each partition lie end to end, up to where it is committed, and count what is there.
fn check_ledger(s: &Servers, all: &All, wrong: &mut Vec<String>) {
    for (group, stages) in ["validate", "aggregate", "clickhouse"].into_iter().enumerate() {
        for place in reads(group) {
            let is_of = |e: &&LedgerEntry| {
                e.stages == stages && e.topic == place.0.as_str() && e.partition == place.1
            };
            let mut entries: Vec<_> = all.entries.iter().map(|e| &e.2).filter(is_of).collect();
            if place.0 == Role::Ledger {
                if !entries.is_empty() {
                    wrong.push("there are entries about entries".to_owned());
                }
                continue;
            }
            entries.sort_by_key(|entry| entry.from_offset);
            let at = s.log.at(place).everything_committed().0;
            let mut next = 0;
            for entry in entries {
                let (from, to) = (entry.from_offset, entry.next_offset);
                let there = at.iter().filter(|r| (from..to).contains(&r.offset)).count() as u64;
                let of_first = entry.counts.iter().filter(|count| count.stage == stages);
                let counted: u64 = of_first.map(|count| count.records).sum();
                if from != next || to <= from || entry.records != there || counted != there {
                    wrong.push(format!("{place:?} up to {next}, {there} records, has {entry:?}"));
                }
                if entry.topic_id != TOPIC_ID {
                    wrong.push(format!("{place:?}: an entry of topic {:?}", entry.topic_id));
                }
                next = to;
            }
            let committed = s.log.offsets[group].unstable(place).map_or(0, |c| c.offset);
            if next != committed {
                wrong.push(format!("{place:?}: entries up to {next}, and {committed} committed"));
            }
        }
    }
}

/// What the entries say was written is what is there.
fn check_sums(s: &Servers, all: &All, wrong: &mut Vec<String>) {
    let roles = [Role::Valid, Role::Events, Role::Shipments, Role::Rejects];
    for role in roles {
        let outputs = all.entries.iter().flat_map(|(_, _, entry)| &entry.outputs);
        let said: u64 = outputs.filter(|o| o.topic == role.as_str()).map(|o| o.records).sum();
        let there = places(role).map(|place| s.log.at(place).everything_committed().0.len());
        let there = there.sum::<usize>() as u64;
        if said != there {
            wrong.push(format!("{there} records of {role:?}, and {said} by the ledger"));
        }
    }
    let parts = |stage: &str, outcome: LedgerOutcome| -> u64 {
        let counts = all.entries.iter().flat_map(|(_, _, entry)| &entry.counts);
        let of = counts.filter(|c| c.stage == stage && c.outcome == outcome);
        of.map(|count| count.parts).sum()
    };
    let letters = |stage: &str| all.letters.iter().filter(|l| l.2.stage == stage).count() as u64;
    let of_aggregate = all.events.len() as u64;
    let copies = all.valid.len() as u64 - of_aggregate - letters("aggregate");
    for (what, said, there) in [
        ("valid", parts("validate", LedgerOutcome::Passed), all.valid.len() as u64),
        ("events", parts("aggregate", LedgerOutcome::Passed), of_aggregate),
        ("copies", parts("aggregate", LedgerOutcome::Duplicate), copies),
        ("rejected", parts("validate", LedgerOutcome::Rejected), letters("validate")),
        ("no rows", parts("clickhouse", LedgerOutcome::Rejected), letters("clickhouse")),
    ] {
        if said != there {
            wrong.push(format!("{what}: {there}, and {said} by the ledger"));
        }
    }
}

/// Each record that is to be a row is in the table and in the rollup, once; each other has its dead letter.
fn check_rows(s: &Servers, all: &All, wrong: &mut Vec<String>) {
    let mut expect: BTreeSet<RowId> = BTreeSet::new();
    for place in reads(2) {
        let found = s.log.at(place).everything_committed().0;
        expect.extend(found.iter().map(|r| (place.0.as_str(), place.1, r.offset)));
    }
    for (partition, offset, event) in &all.events {
        if !event.payload.ends_with(b"no-row") {
            continue;
        }
        expect.remove(&(Role::Events.as_str(), *partition, *offset));
        let message = &event.provenance.message_id;
        let of_it =
            |l: &&(i32, i64, RejectRecord)| l.2.stage == "clickhouse" && l.2.message_id == *message;
        let letters = all.letters.iter().filter(of_it).count();
        if letters != 1 {
            wrong.push(format!("{message} is no row, and has {letters} dead letters"));
        }
    }
    for (name, table) in [("rows", &s.store.rows), ("the rollup", &s.store.rollup)] {
        check_table(name, table, &expect, wrong);
    }
}

fn check_table(name: &str, table: &Table, expect: &BTreeSet<RowId>, wrong: &mut Vec<String>) {
    for row in expect.iter().filter(|row| !table.counts.contains_key(row)) {
        wrong.push(format!("{row:?} is not in {name}"));
    }
    for (row, count) in &table.counts {
        if *count != 1 || !expect.contains(row) {
            wrong.push(format!("{row:?} is {count} times in {name}"));
        }
    }
}

fn check_offsets(s: &Servers, wrong: &mut Vec<String>) {
    for group in 0..3 {
        for place in reads(group) {
            let Some(committed) = s.log.offsets[group].unstable(place) else { continue };
            if let Some(why) = strange(group, committed.offset, &committed.metadata) {
                wrong.push(format!("{place:?}: {why}"));
            }
        }
    }
}

/// Whoever reads the changelog now gets the state that all events together make.
fn check_state(s: &Servers, wrong: &mut Vec<String>) {
    use waybill_host::event::Restorer;
    for place in places(Role::AggregateState) {
        let mut restoring = Restoring::default();
        for standing in s.log.at(place).everything_committed().0 {
            if let Err(fault) = restoring.take(&crate::reading::incoming(place, standing)) {
                wrong.push(format!("{place:?}: {fault}"));
            }
        }
        let state: State = restoring.state();
        let expected = recomputed(&s.log, (Role::Valid, place.1), i64::MAX);
        if state != expected {
            wrong.push(format!("{place:?} says {state:?}, and it is {expected:?}"));
        }
    }
}
