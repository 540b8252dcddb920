//! Which rows of a range the store holds, and how those are put in place that it has lost. Why, and
//! when, is said in `insert.rs`.
//!
//! Lost rows go into a table made like theirs, and its partitions are moved: that fires no view, and
//! a second move finds nothing to move. To be safe beside whoever had the range before, whose last
//! statement may still run: the scratch table is made anew first, then nothing under the token may
//! be running, and only then the rows are counted.

use std::time::{SystemTime, UNIX_EPOCH};

use clickhouse::Row;
use serde::Deserialize;
use tracing::warn;
use waybill_stage::Fault;

use crate::decode::{BatchRow, Decoded};
use crate::exchange::{Failed, Inserter, failed};
use crate::failure::{Kind, Remedy};
use crate::rows::Table;
use crate::window::{TAKEOVER, memories};

/// What the store says of a range, and of how long it remembers.
pub(crate) struct Store {
    /// An insert under the range's token would not double what is there.
    pub(crate) remembers: bool,
    /// Token and part are kept together.
    replicated: bool,
    /// Of the oldest of the range's rows.
    pub(crate) age_ms: i64,
}

#[derive(Row, Deserialize)]
struct Present {
    offsets: Vec<i64>,
    age_ms: i64,
    /// Not fewer than the inserts that came after these rows. (A merged part counts from its
    /// oldest.)
    inserts_since: i64,
}

impl Inserter<'_> {
    pub(crate) async fn look<T: Table>(&self, rows: &[BatchRow]) -> Result<Store, Failed> {
        let memories = memories(self.client, &self.config.database, &[T::NAME]).await;
        let memories = memories.map_err(|e| failed("asking what it remembers", &e))?;
        let replicated = memories.first().is_some_and(|own| own.replicated);
        let window = memories.iter().map(|memory| memory.inserts).min().unwrap_or_default();
        let present = self.present::<T>(rows).await?;
        let young = present.age_ms < TAKEOVER.as_millis() as i64;
        let within =
            !replicated && present.inserts_since < i64::try_from(window).unwrap_or(i64::MAX);
        Ok(Store {
            remembers: present.offsets.is_empty() || young || within,
            replicated,
            age_ms: present.age_ms,
        })
    }

    /// Makes sure that every row is there, once.
    pub(crate) async fn complete<T: Table>(
        &self,
        decoded: &Decoded,
        store: &Store,
    ) -> Result<(), Failed> {
        if store.replicated && store.remembers {
            return Ok(());
        }
        self.nothing_runs().await?;
        let missing = self.missing::<T>(&decoded.rows).await?;
        if missing.is_empty() {
            return Ok(());
        }
        if store.replicated {
            return Err(Failed::Fault(Fault(format!(
                "ClickHouse table {} holds {} of {} rows of a range whose token may be forgotten: {}",
                T::NAME,
                decoded.rows.len() - missing.len(),
                decoded.rows.len(),
                self.place()
            ))));
        }
        self.restore::<T>(decoded).await
    }

    async fn restore<T: Table>(&self, decoded: &Decoded) -> Result<(), Failed> {
        let doing = "putting lost rows in place";
        let (table, lost) = (self.table(T::NAME), self.scratch::<T>("lost"));
        let scratch = self.scratch_table(&lost);
        self.execute(doing, &format!("DROP TABLE IF EXISTS {scratch} SYNC")).await?;
        self.execute(doing, &format!("CREATE TABLE {scratch} AS {table}")).await?;
        self.nothing_runs().await?;
        let missing = self.missing::<T>(&decoded.rows).await?;
        if missing.is_empty() {
            return Ok(());
        }
        warn!(
            table = T::NAME,
            rows = missing.len(),
            of = decoded.rows.len(),
            "the store has lost rows that it has the token of; they are put in place: {}",
            self.place()
        );
        self.begin(doing)?;
        if let Err(error) = self.write::<T>(&scratch, decoded, missing).await {
            return Err(match Kind::of(&error).remedy() {
                Remedy::Refuse => Failed::Refused(error),
                Remedy::Again | Remedy::Operator => failed(doing, &error),
            });
        }
        let sql = "SELECT DISTINCT partition_id FROM system.parts
            WHERE database = {database:String} AND table = {table:String} AND active";
        let query = self.client.query_raw(sql);
        let query = query.param("database", self.config.scratch_database()).param("table", &lost);
        for partition in self.ask::<String>(doing, query).await? {
            let partition = format!("MOVE PARTITION ID '{partition}' TO TABLE {table}");
            self.execute(doing, &format!("ALTER TABLE {scratch} {partition}")).await?;
        }
        match self.missing::<T>(&decoded.rows).await?.len() {
            0 => Ok(()),
            rows => {
                let said = format!("ClickHouse ({doing}): {rows} rows are still missing");
                Err(Failed::Again(Fault(said)))
            }
        }
    }

    /// Drops what earlier attempts may have left.
    pub(crate) async fn clean_up<T: Table>(&self) -> Result<(), Failed> {
        for what in ["probe", "lost"] {
            let scratch = self.scratch_table(&self.scratch::<T>(what));
            self.execute("cleaning up", &format!("DROP TABLE IF EXISTS {scratch} SYNC")).await?;
        }
        Ok(())
    }

    /// An insert whose answer was lost may still be at work: what it has not written yet is not
    /// lost.
    async fn nothing_runs(&self) -> Result<(), Failed> {
        let sql = "SELECT count() FROM system.processes
            WHERE Settings['log_comment'] = {token:String}";
        let query = self.client.query_raw(sql).param("token", &self.batch.token);
        match self.ask::<u64>("asking what runs", query).await?.as_slice() {
            [0] => Ok(()),
            _ => Err(Failed::Again(Fault(
                "ClickHouse still works at an earlier attempt of this range".to_owned(),
            ))),
        }
    }

    async fn missing<'r, T: Table>(
        &self,
        rows: &'r [BatchRow],
    ) -> Result<Vec<&'r BatchRow>, Failed> {
        let mut present = self.present::<T>(rows).await?.offsets;
        present.sort_unstable();
        let now = now_ms();
        let missing: Vec<_> = rows
            .iter()
            .filter(|row| present.binary_search(&row.offset).is_err())
            // What waited longer than the table keeps rows has gone again, and is not lost.
            .filter(|row| !self.config.retention.may_have_gone::<T>(row.cut_by, now))
            .collect();
        let surplus = (present.len() + missing.len()).saturating_sub(rows.len());
        if surplus > 0 && !T::MERGES {
            return Err(Failed::Fault(Fault(format!(
                "ClickHouse table {} holds {surplus} rows more than the {} of {}: an earlier insert \
                 of the range was not this one, or its token was forgotten",
                T::NAME,
                rows.len(),
                self.place()
            ))));
        }
        Ok(missing)
    }

    /// The time's bounds leave most parts unread.
    async fn present<T: Table>(&self, rows: &[BatchRow]) -> Result<Present, Failed> {
        let times = || rows.iter().map(|row| row.cut_by);
        let sql = format!(
            "SELECT
                groupArray(kafka_offset) AS offsets,
                max(dateDiff('millisecond', inserted_at, now64(3))) AS age_ms,
                ifNull((SELECT max(max_block_number) FROM system.parts
                    WHERE database = {{database:String}} AND table = {{table:String}}), 0)
                - min(toInt64(splitByChar('_', _part)[2])) AS inserts_since
            FROM {}
            WHERE kafka_topic_id = {{topic_id:String}} AND kafka_partition = {{partition:Int32}}
                AND kafka_offset BETWEEN {{first:Int64}} AND {{last:Int64}}
                AND {} BETWEEN fromUnixTimestamp64Milli({{from:Int64}}, 'UTC')
                    AND fromUnixTimestamp64Milli({{until:Int64}}, 'UTC')",
            self.table(T::NAME),
            T::CUT_BY
        );
        let query = self
            .client
            .query_raw(&sql)
            .param("database", &self.config.database)
            .param("table", T::NAME)
            .param("topic_id", &self.batch.topic_id)
            .param("partition", self.batch.partition)
            .param("first", self.batch.first)
            .param("last", self.batch.last)
            .param("from", times().min().unwrap_or_default())
            .param("until", times().max().unwrap_or_default());
        let found = self.ask::<Present>("counting the rows of a range", query).await?;
        found.into_iter().next().ok_or_else(|| {
            Failed::Again(Fault("ClickHouse (counting the rows of a range): no answer".to_owned()))
        })
    }
}

fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
