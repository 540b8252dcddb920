//! How long rows are kept. It is configuration, and so no migration: `waybill migrate` brings the tables'
//! TTLs to what is configured, whatever they were.

use std::time::Duration;

use waybill_stage::Fault;

use crate::Database;
use crate::rows::{Events, Ledger, Rejects, Shipments, Table};

/// `None`: for ever.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Retention {
    pub events: Option<Duration>,
    pub shipments: Option<Duration>,
    pub rejects: Option<Duration>,
    /// What says of whom a reject was; the row stays.
    pub reject_details: Option<Duration>,
    pub ledger: Option<Duration>,
    pub rollups: Option<Duration>,
}

const HOUR_MS: i64 = 3_600_000;

/// Since when rows of a table are all there, ms UTC, at the beginning of an hour; 0: since ever.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KeptSince {
    pub events: i64,
    pub rejects: i64,
    pub ledger: i64,
    pub rollups: i64,
}

impl Retention {
    /// ClickHouse removes by its own clock: an hour more is left out.
    pub fn kept_since(&self, now_ms: i64) -> KeptSince {
        let since = |keep: Option<Duration>| {
            keep.map_or(0, |time| {
                let first = now_ms.saturating_sub(millis(time)).max(0);
                (first.div_euclid(HOUR_MS) + 2) * HOUR_MS
            })
        };
        KeptSince {
            events: since(self.events),
            rejects: since(self.rejects),
            ledger: since(self.ledger),
            rollups: since(self.rollups),
        }
    }

    /// Whether a row that has this time in [`Table::CUT_BY`] can have gone by now. (A shipment is kept by its
    /// last event, which is no earlier than its first, by which the table is cut.)
    pub(crate) fn may_have_gone<T: Table>(&self, cut_by_ms: i64, now_ms: i64) -> bool {
        let keep = match T::NAME {
            Events::NAME => self.events,
            Shipments::NAME => self.shipments,
            Rejects::NAME => self.rejects,
            Ledger::NAME => self.ledger,
            _ => None,
        };
        keep.is_some_and(|time| cut_by_ms < now_ms.saturating_sub(millis(time)) + HOUR_MS)
    }

    fn rules(&self) -> [Rule; 11] {
        let table = |table, clock, keep| Rule { table, column: None, clock, keep };
        let column = |column| Rule {
            table: Rejects::NAME,
            column: Some(column),
            clock: "toDateTime(received_at)",
            keep: self.reject_details,
        };
        [
            table(Events::NAME, "toDateTime(received_at)", self.events),
            table(Shipments::NAME, "toDateTime(last_received_at)", self.shipments),
            table(Rejects::NAME, "toDateTime(received_at)", self.rejects),
            column("handle"),
            column("message_id"),
            column("detail"),
            table(Ledger::NAME, "toDateTime(committed_at)", self.ledger),
            // Whoever adds the ledger up needs what was erased.
            table("erased_rows", "erased_at", self.ledger),
            table("throughput_by_minute", "minute", self.rollups),
            table("latency_by_minute", "minute", self.rollups),
            table("rejects_by_minute", "minute", self.rollups),
        ]
    }
}

fn millis(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

/// What is to be removed when: rows, or a column of them.
struct Rule {
    table: &'static str,
    column: Option<&'static str>,
    /// From when it is counted.
    clock: &'static str,
    keep: Option<Duration>,
}

impl Rule {
    /// As ClickHouse itself writes it.
    fn ttl(&self) -> Option<String> {
        Some(format!("{} + toIntervalSecond({})", self.clock, self.keep?.as_secs()))
    }

    /// The statement that brings it about.
    fn statement(&self, database: &str) -> String {
        let change = match (self.column, self.ttl()) {
            (None, Some(ttl)) => format!("MODIFY TTL {ttl}"),
            (None, None) => "REMOVE TTL".to_owned(),
            (Some(column), Some(ttl)) => format!("MODIFY COLUMN {column} TTL {ttl}"),
            (Some(column), None) => format!("MODIFY COLUMN {column} REMOVE TTL"),
        };
        format!("ALTER TABLE {database}.{} {change}", self.table)
    }

    /// What `create`, the statement that makes the table, formatted, says now.
    fn found<'a>(&self, create: &'a str) -> Option<&'a str> {
        match self.column {
            None => create.lines().find_map(|line| line.strip_prefix("TTL ")),
            Some(column) => {
                let start = format!("`{column}` ");
                let line = create.lines().find_map(|line| line.trim_start().strip_prefix(&start));
                line?.trim_end_matches(',').rsplit_once(" TTL ").map(|(_, ttl)| ttl)
            }
        }
    }

    fn name(&self) -> String {
        match self.column {
            None => self.table.to_owned(),
            Some(column) => format!("{}.{column}", self.table),
        }
    }
}

impl Database {
    /// Brings every TTL to what is configured, and says which it has changed: `events: TTL`. Rows that are past a
    /// new one go soon after.
    pub fn set_retention(&self) -> Result<Vec<String>, Fault> {
        let mut changed = Vec::new();
        for (rule, _) in self.unlike()? {
            let sql = rule.statement(&self.config.database);
            // What is there is rewritten behind this: on a big table for longer than a request may take.
            self.run("setting how long rows are kept", async {
                self.client.query_raw(&sql).with_setting("alter_sync", "0").execute().await
            })?;
            let ttl = rule.ttl().unwrap_or_else(|| "kept for ever".to_owned());
            changed.push(format!("{}: {ttl}", rule.name()));
        }
        Ok(changed)
    }

    /// Refuses tables that keep rows for another time than is configured: an audit would take what has gone for
    /// lost.
    pub fn check_retention(&self) -> Result<(), Fault> {
        match self.unlike()?.first() {
            None => Ok(()),
            Some((rule, found)) => Err(Fault(format!(
                "ClickHouse table {}.{} has TTL {}, and must have {} (clickhouse.retention): run `waybill migrate`",
                self.config.database,
                rule.name(),
                found.as_deref().unwrap_or("none"),
                rule.ttl().as_deref().unwrap_or("none"),
            ))),
        }
    }

    /// Rules that the tables do not follow, and what these have instead.
    fn unlike(&self) -> Result<Vec<(Rule, Option<String>)>, Fault> {
        let tables: Vec<(String, String)> = self.run("asking how long rows are kept", async {
            let sql = "SELECT name, formatQuery(create_table_query) FROM system.tables
                WHERE database = {database:String}";
            let query = self.client.query_raw(sql).param("database", &self.config.database);
            query.fetch_all().await
        })?;
        let create = |name: &str| tables.iter().find(|(table, _)| table == name);
        let mut unlike = Vec::new();
        for rule in self.config.retention.rules() {
            let Some((_, create)) = create(rule.table) else {
                return Err(Fault(format!(
                    "ClickHouse: there is no table {}.{}: run `waybill migrate`",
                    self.config.database, rule.table
                )));
            };
            let found = rule.found(create);
            if found != rule.ttl().as_deref() {
                let found = found.map(ToOwned::to_owned);
                unlike.push((rule, found));
            }
        }
        Ok(unlike)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Duration = Duration::from_secs(86_400);

    #[test]
    fn a_ttl_is_read_from_the_statement_that_makes_the_table() {
        let create = "CREATE TABLE w.rejects\n(\n    `detail` String COMMENT 'What, and TTL why' CODEC(ZSTD(1)) \
            TTL toDateTime(received_at) + toIntervalSecond(86400),\n    `handle` String COMMENT 'x' CODEC(ZSTD(1)),\n    \
            `received_at` DateTime64(3, 'UTC')\n)\nENGINE = MergeTree\nORDER BY received_at\n\
            TTL toDateTime(received_at) + toIntervalSecond(172800)\nSETTINGS index_granularity = 8192";
        let retention =
            Retention { rejects: Some(2 * DAY), reject_details: Some(DAY), ..Retention::default() };
        let rules = retention.rules();
        let unlike: Vec<_> = rules
            .iter()
            .filter(|rule| rule.table == "rejects" && rule.found(create) != rule.ttl().as_deref())
            .map(|rule| rule.statement("w"))
            .collect();
        let ttl = "toDateTime(received_at) + toIntervalSecond(86400)";
        assert_eq!(
            unlike,
            [
                format!("ALTER TABLE w.rejects MODIFY COLUMN handle TTL {ttl}"),
                format!("ALTER TABLE w.rejects MODIFY COLUMN message_id TTL {ttl}"),
            ]
        );
        let forever = Retention::default().rules();
        let forever = forever.iter().filter(|rule| rule.table == "rejects");
        let removed: Vec<_> =
            forever.filter(|rule| rule.found(create).is_some()).map(|r| r.statement("w")).collect();
        assert_eq!(
            removed,
            [
                "ALTER TABLE w.rejects REMOVE TTL",
                "ALTER TABLE w.rejects MODIFY COLUMN detail REMOVE TTL"
            ]
        );
    }

    #[test]
    fn what_is_surely_there_begins_an_hour_late_and_on_the_hour() {
        let retention = Retention { events: Some(DAY), ..Retention::default() };
        let kept = |now: i64| retention.kept_since(now).events;
        let day = 86_400_000;
        assert_eq!(kept(10 * day), 9 * day + 2 * HOUR_MS);
        assert_eq!(kept(10 * day + 1), 9 * day + 2 * HOUR_MS);
        assert_eq!(kept(10 * day + HOUR_MS), 9 * day + 3 * HOUR_MS);
        assert_eq!(retention.kept_since(10 * day).ledger, 0);
        let gone = |at: i64| retention.may_have_gone::<Events>(at, 10 * day);
        assert!(gone(9 * day) && gone(9 * day + HOUR_MS - 1) && !gone(9 * day + HOUR_MS));
        assert!(!retention.may_have_gone::<Rejects>(0, 10 * day));
    }
}
