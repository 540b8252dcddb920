//! For how long ClickHouse remembers the tokens of inserts, in every table that they reach. A token
//! that is forgotten while its insert can still be sent again puts the rows in twice.

use std::collections::BTreeMap;
use std::time::Duration;

use clickhouse::{Client, Row, error::Result};
use serde::Deserialize;
use waybill_stage::Fault;

use crate::Database;
use crate::rows::{Events, Ledger, Rejects, Shipments, Table};

/// The longest from an insert to the last attempt of whoever takes its range over: a session time-out,
/// a rebalance, a restart, with room to spare.
pub(crate) const TAKEOVER: Duration = Duration::from_secs(180);

/// A partition's claims follow each other, each behind a commit: it does not insert more often than
/// once in 100 ms.
const INSERTS_PER_SECOND: u64 = 10;

/// A replicated table forgets by age too.
const LEAST_SECONDS: u64 = 600;

/// What the migrations give each table.
const WINDOW: u64 = 100_000;

const PLAIN: &str = "non_replicated_deduplication_window";
const REPLICATED: &str = "replicated_deduplication_window";
const REPLICATED_SECONDS: &str = "replicated_deduplication_window_seconds";

/// What a table remembers.
#[derive(Debug, PartialEq)]
pub(crate) struct Memory {
    /// In full.
    pub(crate) table: String,
    pub(crate) replicated: bool,
    /// How many inserts; 0 where the engine knows no tokens.
    pub(crate) inserts: u64,
    /// How long, where that counts too.
    pub(crate) seconds: Option<u64>,
    /// Our user may not look at it, so nothing is known.
    pub(crate) hidden: bool,
}

#[derive(Row, Deserialize)]
struct Facts {
    table: String,
    engine: String,
    engine_full: String,
    /// Materialized views that read from it.
    views: Vec<String>,
    /// Of a materialized view: the table it writes to.
    target: String,
}

#[derive(Row, Deserialize)]
struct Default {
    name: String,
    value: String,
}

/// Of the tables `roots` and all that their views write to; a root comes before its views' tables.
pub(crate) async fn memories(
    client: &Client,
    database: &str,
    roots: &[&str],
) -> Result<Vec<Memory>> {
    let sql = "WITH extract(create_table_query,
            '^CREATE MATERIALIZED VIEW (?:`[^`]*`|[^ `])+ TO ((?:`[^`]*`|[^ (`])+)') AS named
        SELECT
            concat(database, '.', name) AS table,
            engine,
            engine_full,
            arrayMap((d, t) -> concat(d, '.', t), dependencies_database, dependencies_table) AS views,
            multiIf(
                engine != 'MaterializedView', '',
                named != '', replaceAll(named, '`', ''),
                uuid = toUUID('00000000-0000-0000-0000-000000000000'),
                concat(database, '..inner.', name),
                concat(database, '..inner_id.', toString(uuid))
            ) AS target
        FROM system.tables
        WHERE database NOT IN ('system', 'information_schema', 'INFORMATION_SCHEMA')";
    let facts: Vec<Facts> = client.query_raw(sql).fetch_all().await?;
    // Each engine family has a table of defaults of its own.
    let sql = format!(
        "SELECT name, value FROM system.merge_tree_settings WHERE name = '{PLAIN}'
        UNION ALL
        SELECT name, value FROM system.replicated_merge_tree_settings
        WHERE name IN ('{REPLICATED}', '{REPLICATED_SECONDS}')"
    );
    let defaults: Vec<Default> = client.query_raw(&sql).fetch_all().await?;
    Ok(reached(&facts, &defaults, database, roots))
}

fn reached(facts: &[Facts], defaults: &[Default], database: &str, roots: &[&str]) -> Vec<Memory> {
    let facts: BTreeMap<&str, &Facts> = facts.iter().map(|f| (f.table.as_str(), f)).collect();
    let mut names: Vec<String> = roots.iter().map(|root| format!("{database}.{root}")).collect();
    let mut found: Vec<Memory> = Vec::new();
    let mut at = 0;
    while let Some(name) = names.get(at).cloned() {
        at += 1;
        let Some(table) = facts.get(name.as_str()) else {
            let hidden = at > roots.len();
            found.push(Memory {
                table: name,
                replicated: false,
                inserts: 0,
                seconds: None,
                hidden,
            });
            continue;
        };
        for view in &table.views {
            // A view that is not shown to us is looked for as its own table, and not found.
            let target = facts.get(view.as_str()).map_or(view, |view| &view.target);
            if !names.contains(target) {
                names.push(target.clone());
            }
        }
        // A table that holds nothing remembers nothing.
        if table.engine != "Null" {
            found.push(table.memory(defaults));
        }
    }
    found
}

impl Facts {
    fn memory(&self, defaults: &[Default]) -> Memory {
        let value = |name: &str| {
            let default = defaults.iter().find(|d| d.name == name).map(|d| d.value.as_str());
            let text = setting(&self.engine_full, name).or(default)?;
            text.parse::<u64>().ok()
        };
        let replicated = self.engine.starts_with("Replicated") || self.engine.starts_with("Shared");
        let inserts = match (self.engine.ends_with("MergeTree"), replicated) {
            (false, _) => None,
            (true, false) => value(PLAIN),
            (true, true) => value(REPLICATED),
        };
        Memory {
            table: self.table.clone(),
            replicated,
            inserts: inserts.unwrap_or_default(),
            seconds: replicated.then(|| value(REPLICATED_SECONDS).unwrap_or_default()),
            hidden: false,
        }
    }
}

/// The value of a setting in `MergeTree … SETTINGS a = 1, b = 2`.
pub(crate) fn setting<'a>(engine_full: &'a str, name: &str) -> Option<&'a str> {
    let (_, settings) = engine_full.rsplit_once("SETTINGS ")?;
    let found = settings.split(", ").find_map(|s| s.strip_prefix(name)?.strip_prefix(" = "));
    found.map(str::trim)
}

impl Memory {
    /// What is wrong, and the statement that mends it.
    fn complaint(&self, partitions: u32) -> Option<String> {
        if self.hidden {
            return Some(format!(
                "ClickHouse {} is fed by our tables, and our user may not look at it, so that nobody knows whether \
                 it remembers inserts: GRANT SHOW TABLES ON its database, and that of the table it writes to",
                self.table
            ));
        }
        let takeover = TAKEOVER.as_secs();
        let needed = u64::from(partitions) * INSERTS_PER_SECOND * takeover;
        let setting = if self.replicated { REPLICATED } else { PLAIN };
        let mut mend = Vec::new();
        let mut said = Vec::new();
        if self.inserts < needed {
            said.push(format!(
                "the tokens of {} inserts, and {needed} are needed ({partitions} partitions, \
                 {INSERTS_PER_SECOND} inserts a second, {takeover} s)",
                self.inserts
            ));
            mend.push(format!("{setting} = {}", needed.max(WINDOW)));
        }
        if let Some(seconds) = self.seconds.filter(|&seconds| seconds < LEAST_SECONDS) {
            said.push(format!("them for {seconds} s, and {LEAST_SECONDS} s are needed"));
            mend.push(format!("{REPLICATED_SECONDS} = {}", 6 * LEAST_SECONDS));
        }
        if said.is_empty() {
            return None;
        }
        let (said, mend) = (said.join("; and "), mend.join(", "));
        Some(format!(
            "ClickHouse table {0} keeps {said}: ALTER TABLE {0} MODIFY SETTING {mend}",
            self.table
        ))
    }
}

impl Database {
    /// That no table forgets the token of an insert that can still be sent again: see
    /// [`check_window`](crate::ClickHouseSink::check_window).
    pub(crate) fn check_window(&self, partitions: u32) -> std::result::Result<(), Fault> {
        let roots = [Events::NAME, Shipments::NAME, Rejects::NAME, Ledger::NAME];
        let memories = self.run("asking what it remembers", async {
            memories(&self.client, &self.config.database, &roots).await
        })?;
        let complaints: Vec<String> =
            memories.iter().filter_map(|memory| memory.complaint(partitions)).collect();
        if complaints.is_empty() { Ok(()) } else { Err(Fault(complaints.join("\n"))) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_is_read_by_its_whole_name() {
        let full = "MergeTree PARTITION BY x ORDER BY y SETTINGS \
            non_replicated_deduplication_window = 7, index_granularity = 8192, \
            replicated_deduplication_window_seconds = 600";
        let check = |name: &str, expect: Option<&str>| assert_eq!(setting(full, name), expect);
        check(PLAIN, Some("7"));
        check(REPLICATED, None);
        check(REPLICATED_SECONDS, Some("600"));
        check("granularity", None);
        assert_eq!(setting("View", PLAIN), None);
    }

    #[test]
    fn a_table_that_forgets_too_soon_is_complained_of_with_what_mends_it() {
        let check = |engine: &str, settings: &str, partitions: u32, expect: Option<&str>| {
            let facts = Facts {
                table: "w.events".to_owned(),
                engine: engine.to_owned(),
                engine_full: format!("{engine} ORDER BY a SETTINGS {settings}"),
                views: vec![],
                target: String::new(),
            };
            let default = |name: &str, value: &str| Default {
                name: name.to_owned(),
                value: value.to_owned(),
            };
            let defaults = [
                default(PLAIN, "0"),
                default(REPLICATED, "10000"),
                default(REPLICATED_SECONDS, "3600"),
            ];
            let said = facts.memory(&defaults).complaint(partitions);
            let mend = said.as_deref().and_then(|said| said.split_once("MODIFY SETTING "));
            assert_eq!(mend.map(|(_, mend)| mend), expect, "{said:?}");
        };
        let plain = |n| format!("{PLAIN} = {n}");
        check("MergeTree", &plain(21_600), 12, None);
        check("MergeTree", &plain(21_599), 12, Some(&plain(100_000)));
        check("SummingMergeTree", "a = 1", 1, Some(&plain(100_000)));
        check("MergeTree", &plain(100_000), 100, Some(&plain(180_000)));
        check("Memory", "a = 1", 1, Some(&plain(100_000)));
        check("ReplicatedMergeTree", "a = 1", 5, None);
        check("SharedMergeTree", "a = 1", 12, Some(&format!("{REPLICATED} = 100000")));
        check(
            "ReplicatedMergeTree",
            &format!("{REPLICATED_SECONDS} = 599"),
            5,
            Some(&format!("{REPLICATED_SECONDS} = 3600")),
        );
        check("ReplicatedMergeTree", &plain(1), 5, None);
    }

    #[test]
    fn all_tables_on_the_way_are_looked_at() {
        let facts = |table: &str, engine: &str, views: &[&str], target: &str| Facts {
            table: table.to_owned(),
            engine: engine.to_owned(),
            engine_full: format!("{engine} SETTINGS {PLAIN} = 9"),
            views: views.iter().map(|&view| view.to_owned()).collect(),
            target: target.to_owned(),
        };
        let all = [
            facts("w.events", "MergeTree", &["w.v", "w.n"], ""),
            facts("w.v", "MaterializedView", &[], "w.minutes"),
            facts("w.n", "MaterializedView", &[], "w.nothing"),
            facts("w.minutes", "SummingMergeTree", &["x.v"], ""),
            facts("w.nothing", "Null", &[], ""),
            facts("x.v", "MaterializedView", &[], "x.hours"),
            facts("x.hours", "SummingMergeTree", &[], ""),
            facts("w.other", "MergeTree", &[], ""),
        ];
        let found = reached(&all, &[], "w", &["events", "absent"]);
        let names: Vec<_> = found.iter().map(|m| (m.table.as_str(), m.inserts)).collect();
        let expect = [("w.events", 9), ("w.absent", 0), ("w.minutes", 9), ("x.hours", 9)];
        assert_eq!(names, expect);
        let hidden: Vec<_> = found.iter().filter(|m| m.hidden).collect();
        assert_eq!(hidden, [] as [&Memory; 0], "one that is absent is not hidden");
    }

    /// A user without the right to see them is not shown views and tables of others.
    #[test]
    fn what_is_fed_and_not_shown_is_complained_of() {
        let facts = |table: &str, engine: &str, views: &[&str], target: &str| Facts {
            table: table.to_owned(),
            engine: engine.to_owned(),
            engine_full: format!("{engine} SETTINGS {PLAIN} = 100000"),
            views: views.iter().map(|&view| view.to_owned()).collect(),
            target: target.to_owned(),
        };
        let check = |all: &[Facts], hidden: &str| {
            let found = reached(all, &[], "w", &["events"]);
            let said: Vec<String> = found.iter().filter_map(|m| m.complaint(4)).collect();
            let expect = format!("ClickHouse {hidden} is fed");
            assert!(matches!(&said[..], [one] if one.starts_with(&expect)), "{said:?}");
        };
        let events = || facts("w.events", "MergeTree", &["x.v"], "");
        check(&[events()], "x.v");
        check(&[events(), facts("x.v", "MaterializedView", &[], "y.hours")], "y.hours");
    }
}
