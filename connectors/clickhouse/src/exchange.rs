//! One range and the exchanges about it.

use std::time::{Duration, Instant};

use clickhouse::error::{Error, Result};
use clickhouse::query::Query;
use clickhouse::{Client, RowOwned, RowRead};
use sha2::{Digest, Sha256};
use waybill_stage::{Fault, Lease, SinkBatch};

use crate::Config;
use crate::columns::Headers;
use crate::decode::{BatchRow, Decoded};
use crate::failure::{Kind, Remedy, code, fault};
use crate::metrics::Metrics;
use crate::rows::Table;

/// The most rows that an INSERT surely keeps in one block, and so under one token.
pub(crate) const LONGEST_BLOCK: usize = 1_000_000;

/// Bytes that are compressed, and sent, at once.
const FRAME: usize = 256 << 10;

/// A range that is inserted, and what it takes.
#[derive(Clone, Copy)]
pub(crate) struct Inserter<'a> {
    pub(crate) config: &'a Config,
    pub(crate) client: &'a Client,
    pub(crate) headers: &'a Headers,
    pub(crate) metrics: &'static Metrics,
    pub(crate) lease: &'a Lease,
    pub(crate) batch: &'a SinkBatch,
}

/// Why an exchange did not succeed.
pub(crate) enum Failed {
    /// A row is not taken.
    Refused(Error),
    /// It can get better.
    Again(Fault),
    Fault(Fault),
}

impl Inserter<'_> {
    /// In full.
    pub(crate) fn table(&self, name: &str) -> String {
        format!("{}.{name}", self.config.database)
    }

    /// Name of a table of the scratch database that holds something of this range for a moment: the same at
    /// every attempt, so that the next one cleans up after one that was cut off.
    pub(crate) fn scratch<T: Table>(&self, what: &str) -> String {
        let hash = Sha256::digest(&self.batch.token);
        let hash: String = hash.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        format!("{}_{what}_{hash}", T::NAME)
    }

    /// That table, in full.
    pub(crate) fn scratch_table(&self, name: &str) -> String {
        format!("{}.{name}", self.config.scratch_database())
    }

    /// Where the range stands, for people.
    pub(crate) fn place(&self) -> String {
        let SinkBatch { topic, partition, first, last, .. } = self.batch;
        format!("topic {topic}, partition {partition}, offsets {first} to {last}")
    }

    /// What changes something begins only under the lease.
    pub(crate) fn begin(&self, doing: &str) -> std::result::Result<(), Failed> {
        if self.lease.holds(Instant::now()) {
            return Ok(());
        }
        Err(Failed::Again(Fault(format!("ClickHouse ({doing}): the lease has ended"))))
    }

    /// A statement that changes something.
    pub(crate) async fn execute(&self, doing: &str, sql: &str) -> std::result::Result<(), Failed> {
        self.begin(doing)?;
        let query = self.client.query_raw(sql).with_setting("log_comment", &self.batch.token);
        self.limited(query.execute()).await.map_err(|error| failed(doing, &error))
    }

    pub(crate) async fn ask<R: RowOwned + RowRead>(
        &self,
        doing: &str,
        query: Query,
    ) -> std::result::Result<Vec<R>, Failed> {
        self.limited(query.fetch_all()).await.map_err(|error| failed(doing, &error))
    }

    async fn limited<R>(&self, exchange: impl Future<Output = Result<R>>) -> Result<R> {
        let limit: Duration = self.config.request_timeout;
        tokio::time::timeout(limit, exchange).await.unwrap_or(Err(Error::TimedOut))
    }

    /// One INSERT of one block. If an attempt arrived although we did not hear of it, the token
    /// makes the next one change nothing, in the rollups neither; and where one of these lacks what
    /// the others have, it is completed. `table` is named in full.
    pub(crate) async fn write<'r, T: Table>(
        &self,
        table: &str,
        decoded: &Decoded,
        rows: impl IntoIterator<Item = &'r BatchRow>,
    ) -> Result<()> {
        let header = self.headers.of::<T>(self.client, &self.config.database).await?;
        let limit = Some(self.config.request_timeout);
        let block = LONGEST_BLOCK.to_string();
        let names: Vec<_> = T::COLUMNS.iter().map(|(name, _)| format!("`{name}`")).collect();
        let sql =
            format!("INSERT INTO {table}({}) FORMAT RowBinaryWithNamesAndTypes", names.join(","));
        let mut insert = self
            .client
            .insert_formatted_with(sql)
            .with_timeouts(limit, limit)
            // Rows are visible when the answer comes, not queued by the server.
            .with_setting("async_insert", "0")
            .with_setting("insert_deduplication_token", &self.batch.token)
            .with_setting("log_comment", &self.batch.token)
            .with_setting("insert_deduplicate", "1")
            .with_setting("deduplicate_blocks_in_dependent_materialized_views", "1")
            // One token is one block, however many rows and bytes it has.
            .with_setting("max_insert_block_size", &block)
            .with_setting("min_insert_block_size_rows", &block)
            .with_setting("min_insert_block_size_bytes", "0")
            .with_setting("input_format_parallel_parsing", "0")
            .with_setting("max_insert_threads", "1")
            // The header is no decoration: what was written for other types is refused.
            .with_setting("input_format_with_types_use_header", "1")
            .with_setting("input_format_with_names_use_header", "1")
            // A batch that spans many months makes many parts: slow, but no reason to stop.
            .with_setting("throw_on_max_partitions_per_insert_block", "0")
            .buffered_with_capacity(FRAME + FRAME / 8);
        insert.write_buffered(&header);
        for row in rows {
            insert.write_buffered(decoded.bytes(row));
            if insert.buf_len() >= FRAME {
                insert.flush().await?;
            }
        }
        insert.end().await
    }
}

/// Of an exchange that is not about rows: none of them is to blame.
pub(crate) fn failed(doing: &str, error: &Error) -> Failed {
    // A scratch table that somebody else, who had the range before, has just dropped.
    let dropped = matches!(error, Error::BadResponse(text) if matches!(code(text), Some(60 | 218)));
    match Kind::of(error).remedy() {
        Remedy::Again => Failed::Again(fault(doing, error)),
        Remedy::Operator if dropped => Failed::Again(fault(doing, error)),
        Remedy::Operator | Remedy::Refuse => Failed::Fault(fault(doing, error)),
    }
}
