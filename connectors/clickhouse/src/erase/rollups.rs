//! Rollups are made anew from the rows that are left, for those minutes of the carrier in which rows have gone: no
//! state of a quantile can be taken back out of another.
//!
//! The sink goes on meanwhile, and may insert into such a minute: its rows are then in what is made anew, or in
//! what the views add, or in both or neither. So the outcome is compared with the rows, and while it is not the same,
//! all is done again. The comparison counts only once the sink has settled all that could have been on its way when
//! the rows were read: what it settles it has inserted wholly, rollups included, and never inserts again.

use std::time::Duration;

use waybill_stage::Fault;

use super::uuid;
use crate::Database;
use crate::rows::{Events, Rejects, Table};

/// A table that a view fills from the rows of another, by carrier and minute of receipt.
#[derive(Clone, Copy, Debug)]
pub struct Rollup {
    pub table: &'static str,
    view: &'static str,
    /// The table whose rows it is made of.
    pub of: &'static str,
    /// Beside carrier and minute.
    keys: &'static str,
    /// By these it is compared.
    sums: &'static [&'static str],
    /// What else it has.
    more: &'static [&'static str],
}

impl Rollup {
    pub const ALL: [Self; 3] = [
        Self {
            table: "throughput_by_minute",
            view: "events_to_throughput",
            of: Events::NAME,
            keys: "milestone",
            sums: &["events", "out_of_order", "zone_assumed", "flagged"],
            more: &[],
        },
        Self {
            table: "latency_by_minute",
            view: "events_to_latency",
            of: Events::NAME,
            keys: "stage",
            sums: &["events", "sum_ms"],
            more: &["max_ms", "quantiles"],
        },
        Self {
            table: "rejects_by_minute",
            view: "rejects_to_minutes",
            of: Rejects::NAME,
            keys: "stage, code",
            sums: &["rejects"],
            more: &[],
        },
    ];

    fn columns(&self) -> String {
        let all = self.sums.iter().chain(self.more).copied().collect::<Vec<_>>().join(", ");
        format!("minute, carrier_id, {}, {all}", self.keys)
    }
}

/// What of a rollup is made anew.
#[derive(Debug)]
struct Stretch {
    erasure: String,
    /// Minutes of the carrier in which rows have gone, as a condition.
    minutes: String,
    /// The view's own query, over the rows of these minutes.
    from_rows: String,
    /// Which rows of the table it reads, for the setting that says so.
    filter: String,
}

impl Database {
    /// Empties the minutes of a rollup that the erasure has changed. What a reader sees of them is then too little,
    /// until they are [filled](Self::fill_rollup).
    pub fn clear_rollup(&self, id: &str, rollup: Rollup, limit: Duration) -> Result<(), Fault> {
        let Some(stretch) = self.stretch(id, rollup)? else { return Ok(()) };
        for month in self.months(id, rollup.of)? {
            self.mutate(rollup.table, &month, &stretch.minutes, id, limit)?;
        }
        Ok(())
    }

    /// Makes these minutes anew from the rows.
    pub fn fill_rollup(&self, id: &str, rollup: Rollup, limit: Duration) -> Result<(), Fault> {
        let Some(stretch) = self.stretch(id, rollup)? else { return Ok(()) };
        let columns = rollup.columns();
        let sql = format!(
            "INSERT INTO {} ({columns}) SELECT {columns} FROM ({}) WHERE {}",
            self.table(rollup.table),
            stretch.from_rows,
            stretch.minutes
        );
        let query = self
            .quiet(&sql)
            .param("id", &stretch.erasure)
            .with_setting("async_insert", "0")
            .with_setting("insert_deduplicate", "0")
            .with_setting("additional_table_filters", &stretch.filter);
        self.within("making a rollup anew", limit, query.execute())
    }

    /// How many of these minutes differ from the rows: none, if all is well.
    pub fn unlike_rollup(&self, id: &str, rollup: Rollup) -> Result<u64, Fault> {
        let Some(stretch) = self.stretch(id, rollup)? else { return Ok(0) };
        let keys = format!("minute, carrier_id, {}", rollup.keys);
        let sums = |sign: &str| {
            let each = rollup.sums.iter().map(|sum| format!("{sign} toInt64({sum}) AS d_{sum}"));
            each.collect::<Vec<_>>().join(", ")
        };
        let unlike = rollup.sums.iter().map(|sum| format!("sum(d_{sum}) != 0"));
        let unlike = unlike.collect::<Vec<_>>().join(" OR ");
        let sql = format!(
            "SELECT count() FROM (
                SELECT {keys} FROM (
                    SELECT {keys}, {} FROM ({}) WHERE {minutes}
                    UNION ALL SELECT {keys}, {} FROM {} WHERE {minutes}
                ) GROUP BY {keys} HAVING {unlike}
            )",
            sums(""),
            stretch.from_rows,
            sums("-"),
            self.table(rollup.table),
            minutes = stretch.minutes,
        );
        let query = self
            .quiet(&sql)
            .param("id", &stretch.erasure)
            .with_setting("additional_table_filters", &stretch.filter);
        let found: Vec<u64> = self.answer("comparing a rollup with the rows", query)?;
        Ok(found.first().copied().unwrap_or_default())
    }

    /// How many minutes of the rollup it has to do with, and when the last of them has passed, ms UTC.
    pub fn minutes_of_rollup(&self, id: &str, rollup: Rollup) -> Result<(u64, i64), Fault> {
        let sql = format!(
            "SELECT uniqExact(minute), toInt64(toUnixTimestamp(max(minute)) + 60) * 1000 FROM {}
            WHERE {}",
            self.table("erased_rows"),
            self.listed(rollup)
        );
        let query = self.quiet(&sql).param("id", uuid(id));
        let found: Vec<(u64, i64)> = self.answer("looking for minutes", query)?;
        Ok(found.first().copied().unwrap_or_default())
    }

    /// Rows that are listed, of minutes that the rollup is made anew for. Where rows go sooner than rollups, an old
    /// minute cannot be: it keeps its counts, which name nobody.
    fn listed(&self, rollup: Rollup) -> String {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        let now_ms = now.map_or(0, |now| i64::try_from(now.as_millis()).unwrap_or(i64::MAX));
        let kept = self.config.retention.kept_since(now_ms);
        let since = if rollup.of == Rejects::NAME { kept.rejects } else { kept.events };
        format!(
            "erasure = {{id:String}} AND from_table = '{}' AND minute >= toDateTime({}, 'UTC')",
            rollup.of,
            since / 1000
        )
    }

    /// `None` if no row of it has gone.
    fn stretch(&self, id: &str, rollup: Rollup) -> Result<Option<Stretch>, Fault> {
        let erased = self.table("erased_rows");
        let listed = self.listed(rollup);
        let sql = format!(
            "SELECT any(carrier_id), toInt64(toUnixTimestamp(min(minute))), toInt64(toUnixTimestamp(max(minute)))
            FROM {erased} WHERE {listed} HAVING count() > 0"
        );
        let query = self.quiet(&sql).param("id", uuid(id));
        let found: Vec<(String, i64, i64)> = self.answer("looking for minutes", query)?;
        let Some((carrier, first, last)) = found.into_iter().next() else { return Ok(None) };
        let sql = "SELECT as_select FROM system.tables
            WHERE database = {database:String} AND name = {view:String}";
        let query = self.quiet(sql).param("database", &self.config.database);
        let view: Vec<String> =
            self.answer("reading how a rollup is made", query.param("view", rollup.view))?;
        let Some(from_rows) = view.into_iter().next() else {
            return Err(Fault(format!("ClickHouse view {} is not there", rollup.view)));
        };
        // Carriers' ids have a closed alphabet.
        let filter = format!(
            "carrier_id = \\'{carrier}\\' AND received_at >= toDateTime({first}, \\'UTC\\') \
             AND received_at < toDateTime({}, \\'UTC\\')",
            last + 60
        );
        Ok(Some(Stretch {
            erasure: uuid(id),
            minutes: format!(
                "carrier_id = '{carrier}' AND minute IN (SELECT minute FROM {erased} WHERE {listed})"
            ),
            from_rows,
            filter: format!("{{'{}': '{filter}'}}", self.table(rollup.of)),
        }))
    }
}
