//! Shipments that are removed for good. What is to go is listed first, by where its records stood on Kafka
//! (`erased_rows`), and only then removed: whoever is cut off goes on from the list, which names no shipment, and
//! the audit counts a listed row as there once, whether it still is or not.
//!
//! Rows are removed by mutations, which write the parts that hold them anew without them; nothing is only
//! masked. A mutation is about parts that are there when it is asked for: what the sink inserts meanwhile is not
//! touched.

mod rollups;
mod which;

use std::time::Duration;

use clickhouse::error::Error;
use clickhouse::query::Query;
use clickhouse::{Row, RowOwned, RowRead};
use serde::Deserialize;
use waybill_stage::Fault;

use crate::Database;
use crate::failure::fault;
use crate::rows::{Events, Rejects, Shipments, Table};

pub use rollups::Rollup;
pub use which::{Erasable, Named};

/// The tables that hold a shipment, each with the column that it is cut into months by.
const TABLES: [(&str, &str); 3] = [
    (Events::NAME, Events::CUT_BY),
    (Shipments::NAME, Shipments::CUT_BY),
    (Rejects::NAME, Rejects::CUT_BY),
];

/// An erasure that is under way, or done.
#[derive(Clone, Debug, PartialEq, Eq, Row, Deserialize)]
pub struct ErasureRow {
    pub id: String,
    pub carrier_id: String,
    pub reason: String,
    pub shipments: u64,
    /// ms UTC.
    pub asked_at: i64,
}

/// A place in a partition of the topic that a table's rows come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowPlace {
    /// Kafka's id of the topic.
    pub topic_id: String,
    pub partition: i32,
    pub offset: i64,
}

/// A shipment whose rows are to go: those of records before these places. What stands behind is of another history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gone {
    pub shipment_id: String,
    pub events: RowPlace,
    pub shipments: RowPlace,
}

/// Rows of a table that an erasure has removed.
#[derive(Clone, Debug, PartialEq, Eq, Row, Deserialize)]
pub struct ErasedRows {
    pub table: String,
    pub rows: u64,
}

impl RowPlace {
    /// That a row is of a record at this place or behind it. (Kafka's ids are base64url.)
    fn or_behind(&self) -> String {
        let Self { topic_id, partition, offset } = self;
        let id: String =
            topic_id.chars().filter(|c| c.is_ascii_alphanumeric() || "-_".contains(*c)).collect();
        format!(
            "(kafka_topic_id = '{id}' AND kafka_partition = {partition} AND kafka_offset >= {offset})"
        )
    }
}

impl Database {
    /// A name that no other erasure has.
    pub fn new_erasure(&self) -> Result<String, Fault> {
        self.run("naming an erasure", async {
            self.client.query_raw("SELECT toString(generateUUIDv4())").fetch_one().await
        })
    }

    /// Refuses a user who could begin and not finish: before anything is forgotten, all rights are asked for.
    pub fn check_may_erase(&self) -> Result<(), Fault> {
        let rollups = Rollup::ALL.map(|rollup| ("INSERT, ALTER DELETE", rollup.table));
        let tables = TABLES.map(|(table, _)| ("SELECT, ALTER DELETE", table));
        let lists = ["erasures", "erased_rows"].map(|table| ("SELECT, INSERT", table));
        for (rights, table) in rollups.into_iter().chain(tables).chain(lists) {
            let sql = format!("CHECK GRANT {rights} ON {}", self.table(table));
            let has = self.answer::<u8>("asking what we may do", self.client.query_raw(&sql))?;
            if has != [1] {
                return Err(Fault(format!(
                    "ClickHouse: our user lacks a right ({rights} ON {}): \
                     dashboards/clickhouse/eraser.xml makes the user who may erase",
                    self.table(table)
                )));
            }
        }
        Ok(())
    }

    /// Lists all rows that are to go, and then that it has begun: from here on it can be
    /// [finished](Self::unfinished_erasures) by anybody. Of the rejects, those in `open_rejects` and behind may be
    /// inserted again, and are left.
    pub fn begin_erasure(
        &self,
        erasure: &ErasureRow,
        gone: &[Gone],
        open_rejects: &[RowPlace],
    ) -> Result<(), Fault> {
        let (id, carrier) = (erasure.id.as_str(), erasure.carrier_id.as_str());
        for of in gone {
            for (table, time, end) in [
                (Events::NAME, Events::CUT_BY, &of.events),
                (Shipments::NAME, Shipments::CUT_BY, &of.shipments),
            ] {
                let sql = self.list(
                    table,
                    time,
                    &format!("shipment_id = {{shipment:String}} AND NOT {}", end.or_behind()),
                );
                let query = self.quiet(&sql).param("id", id).param("carrier", carrier);
                self.change("listing rows", query.param("shipment", &of.shipment_id))?;
            }
        }
        let open: String =
            open_rejects.iter().map(|place| format!(" AND NOT {}", place.or_behind())).collect();
        let sql = self.list(Rejects::NAME, Rejects::CUT_BY, &(self.rejects_of() + &open));
        let ids: Vec<&str> = gone.iter().map(|of| of.shipment_id.as_str()).collect();
        let query = self.quiet(&sql).param("id", id).param("carrier", carrier);
        self.change("listing rows", query.param("shipments", ids))?;
        self.write_erasure(erasure, None)
    }

    fn list(&self, table: &str, time: &str, which: &str) -> String {
        format!(
            "INSERT INTO {} (erasure, from_table, carrier_id, minute, kafka_topic_id, kafka_partition, kafka_offset)
            SELECT {{id:String}}, '{table}', carrier_id, toStartOfMinute({time}), kafka_topic_id, kafka_partition,
                kafka_offset
            FROM {} WHERE carrier_id = {{carrier:String}} AND {which}",
            self.table("erased_rows"),
            self.table(table),
        )
    }

    /// A reject has no shipment, but the handle that the carrier sealed its record under: it is of these shipments
    /// if events of theirs have that handle, and none of another shipment's.
    fn rejects_of(&self) -> String {
        let handles = |of: &str| {
            format!(
                "SELECT handle FROM {} WHERE carrier_id = {{carrier:String}}
                    AND shipment_id {of} {{shipments:Array(String)}}",
                self.table(Events::NAME)
            )
        };
        let theirs = handles("IN");
        format!(
            "handle != '' AND handle IN ({theirs}) AND handle NOT IN ({} AND handle IN ({theirs}))",
            handles("NOT IN")
        )
    }

    fn write_erasure(&self, erasure: &ErasureRow, finished_at: Option<i64>) -> Result<(), Fault> {
        let finished = finished_at
            .map_or("NULL".to_owned(), |ms| format!("fromUnixTimestamp64Milli({ms}, 'UTC')"));
        let sql = format!(
            "INSERT INTO {} (id, carrier_id, reason, shipments, asked_at, finished_at)
            SELECT {{id:String}}, {{carrier:String}}, {{reason:String}}, {}, \
                fromUnixTimestamp64Milli({}, 'UTC'), {finished}",
            self.table("erasures"),
            erasure.shipments,
            erasure.asked_at,
        );
        let query = self.quiet(&sql).param("id", &erasure.id).param("carrier", &erasure.carrier_id);
        self.change("noting an erasure", query.param("reason", &erasure.reason))
    }

    /// Those that were broken off, the oldest first.
    pub fn unfinished_erasures(&self) -> Result<Vec<ErasureRow>, Fault> {
        let sql = format!(
            "SELECT id, carrier_id, reason, shipments, toUnixTimestamp64Milli(asked_at) AS asked_at
            FROM {} FINAL WHERE finished_at IS NULL ORDER BY asked_at, id",
            self.table("erasures")
        );
        self.answer("looking for erasures that were broken off", self.quiet(&sql))
    }

    /// Removes the rows that the erasure has listed. Nothing happens to what is gone already.
    pub fn erase_rows(&self, id: &str, limit: Duration) -> Result<(), Fault> {
        for (table, time) in TABLES {
            // Rows of before 30 November 2026 do not say of which topic of their name they are, and two topics have
            // the same offsets: those are told apart by carrier and minute.
            let listed = format!(
                "(kafka_topic_id, kafka_partition, kafka_offset, carrier_id, toStartOfMinute({time})) IN (
                    SELECT kafka_topic_id, kafka_partition, kafka_offset, carrier_id, minute FROM {}
                    WHERE erasure = {{id:String}} AND from_table = '{table}')",
                self.table("erased_rows")
            );
            for month in self.months(id, table)? {
                self.mutate(table, &month, &listed, id, limit)?;
            }
            let sql = format!("SELECT count() FROM {} WHERE {listed}", self.table(table));
            let left: Vec<u64> =
                self.answer("counting what is left", self.quiet(&sql).param("id", id))?;
            if left != [0] {
                return Err(Fault(format!(
                    "ClickHouse table {table}: {left:?} rows that were to go are still there"
                )));
            }
        }
        Ok(())
    }

    /// The partitions of `table` in which the erasure has listed rows.
    fn months(&self, id: &str, table: &str) -> Result<Vec<String>, Fault> {
        let sql = format!(
            "SELECT DISTINCT toString(toYYYYMM(minute)) AS month FROM {}
            WHERE erasure = {{id:String}} AND from_table = {{table:String}} ORDER BY month",
            self.table("erased_rows")
        );
        let query = self.quiet(&sql).param("id", id).param("table", table);
        self.answer("looking where rows are to go", query)
    }

    /// Removes rows of a partition from the parts that are there now, and waits until these are written anew, on
    /// every replica.
    fn mutate(
        &self,
        table: &str,
        month: &str,
        which: &str,
        id: &str,
        limit: Duration,
    ) -> Result<(), Fault> {
        // A mutation keeps its text, and no parameters of the query.
        let which = which.replace("{id:String}", &format!("'{}'", uuid(id)));
        let sql = format!(
            "ALTER TABLE {} DELETE IN PARTITION ID '{month}' WHERE {which}",
            self.table(table)
        );
        let query = self
            .quiet(&sql)
            .with_setting("mutations_sync", "2")
            // What is asked for within is the same at each replica: the list does not change any more.
            .with_setting("allow_nondeterministic_mutations", "1");
        self.within("removing rows", limit, query.execute())
    }

    /// Rows that it has removed, by table.
    pub fn erased_rows(&self, id: &str) -> Result<Vec<ErasedRows>, Fault> {
        let sql = format!(
            "SELECT from_table AS table, uniqExact(kafka_topic_id, kafka_partition, kafka_offset) AS rows
            FROM {} WHERE erasure = {{id:String}} GROUP BY table ORDER BY table",
            self.table("erased_rows")
        );
        self.answer("counting what is gone", self.quiet(&sql).param("id", id))
    }

    pub fn finish_erasure(&self, erasure: &ErasureRow, finished_at: i64) -> Result<(), Fault> {
        self.write_erasure(erasure, Some(finished_at))
    }

    /// How long ClickHouse keeps the files of parts that were written anew, s.
    pub fn old_parts_lifetime(&self) -> Result<u64, Fault> {
        let sql = "SELECT toUInt64(value) FROM system.merge_tree_settings WHERE name = 'old_parts_lifetime'";
        let found: Vec<u64> = self.answer("asking how long files are kept", self.quiet(sql))?;
        Ok(found.first().copied().unwrap_or_default())
    }

    /// A query that ClickHouse's own log of queries does not keep: it names a shipment.
    fn quiet(&self, sql: &str) -> Query {
        self.client.query_raw(sql).with_setting("log_queries", "0")
    }

    fn answer<R: RowOwned + RowRead>(&self, doing: &str, query: Query) -> Result<Vec<R>, Fault> {
        self.run(doing, query.fetch_all())
    }

    fn change(&self, doing: &str, query: Query) -> Result<(), Fault> {
        let query = query
            .with_setting("async_insert", "0")
            // The same rows may be written once more after they were removed.
            .with_setting("insert_deduplicate", "0");
        self.run(doing, query.execute())
    }

    /// Runs what may take longer than a request.
    fn within(
        &self,
        doing: &str,
        limit: Duration,
        exchange: impl Future<Output = clickhouse::error::Result<()>>,
    ) -> Result<(), Fault> {
        let answer = self.runtime.block_on(async {
            tokio::time::timeout(limit, exchange).await.unwrap_or(Err(Error::TimedOut))
        });
        answer.map_err(|error| fault(doing, &error))
    }
}

/// Of an erasure's name, what a name has.
fn uuid(id: &str) -> String {
    id.chars().filter(|c| c.is_ascii_hexdigit() || *c == '-').collect()
}
