//! What a carrier asks the gateway: of its own events alone, which each question is narrowed to.

use std::collections::HashMap;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use clickhouse::{Client, Row};
use serde::Deserialize;
use waybill_stage::Fault;

use crate::Config;
use crate::failure::fault;

/// A question may take so long: whoever asks waits for it.
const PATIENCE: Duration = Duration::from_secs(5);
/// Rows come so long after they were inserted: by then none can come before them any more.
const SETTLED_SECONDS: u32 = 3;
/// What one message can have become.
const MOST_ROWS: u32 = 1_000;
/// Shipments that one reference can name, and events of them.
const MOST_SHIPMENTS: u32 = 20;
const MOST_EVENTS: u32 = 2_000;

/// Asks ClickHouse, many at a time.
#[derive(Clone)]
pub struct Answers {
    client: Client,
    database: Arc<str>,
}

impl std::fmt::Debug for Answers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Answers").field("database", &self.database).finish_non_exhaustive()
    }
}

/// A row that a message became. Times are RFC 3339, UTC.
#[derive(Clone, Debug, PartialEq, Eq, Row, Deserialize)]
pub struct EventRow {
    pub message_id: String,
    pub event_id: String,
    pub shipment_id: String,
    /// In the message: 1, 2, …
    pub position: u32,
    pub milestone: String,
    pub classifier: String,
    pub happened: String,
    pub unlocode: String,
    pub equipment: String,
    pub received: String,
    /// Empty: it was written while there was one.
    pub sealed_topic: String,
    pub source_partition: i32,
    pub source_offset: i64,
}

/// An answer that rejects a message, or a part of it.
#[derive(Clone, Debug, PartialEq, Eq, Row, Deserialize)]
pub struct RejectRow {
    pub message_id: String,
    /// Of the part; 0 for the message as a whole.
    pub position: u32,
    pub stage: String,
    pub code: String,
    pub detail: String,
    /// 0, or which redrive was answered so.
    pub attempt: u32,
    pub received: String,
    pub rejected: String,
    pub sealed_topic: String,
    pub source_partition: i32,
    pub source_offset: i64,
    /// Where the next page begins.
    pub inserted_ms: i64,
    pub kafka_partition: i32,
    pub kafka_offset: i64,
}

/// All that is known of a message.
#[derive(Clone, Debug, Default)]
pub struct OfMessage {
    pub rows: Vec<EventRow>,
    /// The first attempt first.
    pub rejects: Vec<RejectRow>,
}

#[derive(Clone, Debug, PartialEq, Row, Deserialize)]
pub struct ShipmentRow {
    pub shipment_id: String,
    pub equipment: String,
    pub documents: Vec<String>,
    pub origin: String,
    pub destination: String,
    pub last_unlocode: String,
    pub last_milestone: String,
    pub last_happened: Option<String>,
    /// The latest estimate, or plan, of its arrival.
    pub expected: Option<String>,
    pub delay_ms: Option<i64>,
    pub finished: bool,
    pub events: u64,
    pub duplicates: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Row, Deserialize)]
pub struct TimelineRow {
    pub shipment_id: String,
    pub happened: String,
    /// planned, estimated or actual
    pub classifier: String,
    pub milestone: String,
    pub unlocode: String,
    pub place_name: String,
    pub mode: String,
    pub vessel_name: String,
    pub voyage: String,
    pub received: String,
}

/// What one day brought, of one kind.
#[derive(Clone, Debug, PartialEq, Eq, Row, Deserialize)]
pub struct UsageRow {
    /// Of receipt, `2026-11-30`, UTC.
    pub day: String,
    pub stage: String,
    pub outcome: String,
    pub code: String,
    pub records: u64,
}

/// Where a page of rejects begins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cursor {
    pub inserted_ms: i64,
    pub kafka_partition: i32,
    pub kafka_offset: i64,
}

/// A column of times as RFC 3339.
fn time(column: &str, name: &str) -> String {
    format!("concat(replaceOne(toString({column}), ' ', 'T'), 'Z') AS {name}")
}

impl Answers {
    /// Of an [`EventRow`].
    pub(crate) fn event_columns() -> String {
        format!(
            "message_id, toString(event_id) AS event_id, shipment_id, position, toString(milestone) AS milestone,
                toString(classifier) AS classifier, {}, toString(unlocode) AS unlocode, equipment, {},
                toString(sealed_topic) AS sealed_topic, source_partition, source_offset",
            time("occurred_at", "happened"),
            time("received_at", "received"),
        )
    }

    /// Of a [`RejectRow`].
    pub(crate) fn reject_columns() -> String {
        format!(
            "message_id, position, toString(stage) AS stage, toString(code) AS code, detail, attempt, {}, {},
            toString(sealed_topic) AS sealed_topic, source_partition, source_offset,
            toUnixTimestamp64Milli(inserted_at) AS inserted_ms, kafka_partition,
            kafka_offset",
            time("received_at", "received"),
            time("rejected_at", "rejected")
        )
    }

    pub(crate) fn database(&self) -> &str {
        &self.database
    }

    pub(crate) fn query(&self, sql: &str) -> clickhouse::query::Query {
        self.client.query_raw(sql)
    }

    /// Checks the configuration; sends nothing yet.
    pub fn open(config: &Config) -> Result<Self, Fault> {
        config.check()?;
        Ok(Self { client: config.client()?, database: config.database.as_str().into() })
    }

    pub(crate) async fn within<T>(
        &self,
        doing: &str,
        exchange: impl Future<Output = clickhouse::error::Result<T>>,
    ) -> Result<T, Fault> {
        let answer = tokio::time::timeout(PATIENCE, exchange).await;
        let answer = answer.unwrap_or(Err(clickhouse::error::Error::TimedOut));
        answer.map_err(|error| fault(doing, &error))
    }

    /// What a message became.
    pub async fn message(&self, carrier: &str, message_id: &str) -> Result<OfMessage, Fault> {
        let database = &self.database;
        let rows = format!(
            "SELECT {} FROM {database}.events
            WHERE carrier_id = {{carrier:String}} AND message_id = {{id:String}}
            ORDER BY received_at, position LIMIT {MOST_ROWS}",
            Self::event_columns()
        );
        let rejects = format!(
            "SELECT {} FROM {database}.rejects
            WHERE carrier_id = {{carrier:String}} AND message_id = {{id:String}}
            ORDER BY rejected_at, position LIMIT {MOST_ROWS}",
            Self::reject_columns()
        );
        let asked = |sql: &str| {
            self.client.query_raw(sql).param("carrier", carrier).param("id", message_id)
        };
        self.within("asking for a message", async {
            Ok(OfMessage {
                rows: asked(&rows).fetch_all().await?,
                rejects: asked(&rejects).fetch_all().await?,
            })
        })
        .await
    }

    /// Whether decrypt has taken in the record at this place of the sealed topic that has this id.
    pub async fn is_taken_in(
        &self,
        topic_id: &str,
        partition: i32,
        offset: i64,
    ) -> Result<bool, Fault> {
        let sql = format!(
            "SELECT count() FROM {}.ledger WHERE topic = 'sealed' AND topic_id = {{id:String}}
                AND partition = {{partition:Int32}} AND from_offset <= {{offset:Int64}}
                AND next_offset > {{offset:Int64}}",
            self.database
        );
        let asked = self.client.query_raw(&sql).param("id", topic_id);
        let asked = asked.param("partition", partition).param("offset", offset);
        let entries = self.within("asking the ledger", asked.fetch_one::<u64>()).await?;
        Ok(entries > 0)
    }

    /// Rejects of the carrier after `after`, in the order in which they were stored, and not the very last.
    pub async fn rejects(
        &self,
        carrier: &str,
        after: Cursor,
        limit: u32,
    ) -> Result<Vec<RejectRow>, Fault> {
        let sql = format!(
            "SELECT {} FROM {}.rejects
            WHERE carrier_id = {{carrier:String}}
                AND inserted_at >= fromUnixTimestamp64Milli({{inserted:Int64}}, 'UTC')
                AND inserted_at < now64(3) - INTERVAL {SETTLED_SECONDS} SECOND
                AND (toUnixTimestamp64Milli(inserted_at), kafka_partition, kafka_offset)
                    > ({{inserted:Int64}}, {{partition:Int32}}, {{offset:Int64}})
            ORDER BY inserted_at, kafka_partition, kafka_offset LIMIT {limit}",
            Self::reject_columns(),
            self.database
        );
        let asked = self
            .client
            .query_raw(&sql)
            .param("carrier", carrier)
            .param("inserted", after.inserted_ms)
            .param("partition", after.kafka_partition)
            .param("offset", after.kafka_offset);
        self.within("asking for rejects", asked.fetch_all()).await
    }

    /// Shipments that a reference names (their id, unit or one of their documents), the latest first, and
    /// what happened to them, in its order.
    pub async fn shipments(
        &self,
        carrier: &str,
        reference: &str,
    ) -> Result<(Vec<ShipmentRow>, Vec<TimelineRow>), Fault> {
        let database = &self.database;
        let states = format!(
            "SELECT shipment_id, equipment, `documents.value` AS documents,
                toString(origin_unlocode) AS origin, toString(destination_unlocode) AS destination,
                toString(last_unlocode) AS last_unlocode, toString(last_milestone) AS last_milestone,
                {}, {}, delay_ms, finished, revision AS events, duplicates
            FROM {database}.shipments
            WHERE carrier_id = {{carrier:String}} AND (shipment_id = {{reference:String}}
                OR equipment = {{reference:String}} OR has(`documents.value`, {{reference:String}})
                OR endsWith(shipment_id, concat('/', {{reference:String}})))
            ORDER BY last_received_at DESC LIMIT {MOST_SHIPMENTS}",
            time("last_occurred_at", "last_happened"),
            time("eta", "expected"),
        );
        let timeline = format!(
            "SELECT shipment_id, {}, toString(classifier) AS classifier, toString(milestone) AS milestone,
                toString(unlocode) AS unlocode, toString(place_name) AS place_name, toString(mode) AS mode,
                toString(vessel_name) AS vessel_name, toString(voyage) AS voyage, {}
            FROM {database}.shipment_timeline
            WHERE carrier_id = {{carrier:String}} AND shipment_id IN {{ids:Array(String)}}
            ORDER BY shipment_id, occurred_at, event_id LIMIT {MOST_EVENTS}",
            time("occurred_at", "happened"),
            time("received_at", "received"),
        );
        self.within("asking for a shipment", async {
            let asked = self.client.query_raw(&states);
            let asked = asked.param("carrier", carrier).param("reference", reference);
            let shipments: Vec<ShipmentRow> = asked.fetch_all().await?;
            if shipments.is_empty() {
                return Ok((shipments, Vec::new()));
            }
            let ids: Vec<&str> = shipments.iter().map(|s| s.shipment_id.as_str()).collect();
            let asked =
                self.client.query_raw(&timeline).param("carrier", carrier).param("ids", ids);
            Ok((shipments, asked.fetch_all().await?))
        })
        .await
    }

    /// Records that decrypt has opened of what was received since then (ms UTC, the beginning of an hour), by carrier:
    /// a redriven one counts once.
    pub async fn opened_since(&self, since_ms: i64) -> Result<HashMap<String, u64>, Fault> {
        #[derive(Row, Deserialize)]
        struct Opened {
            carrier: String,
            records: u64,
        }
        let sql = format!(
            "SELECT toString(carrier) AS carrier, sum(records) AS records
            FROM {}.ledger ARRAY JOIN counts.stage AS stage, counts.carrier_id AS carrier, counts.hour AS hour,
                counts.outcome AS outcome, counts.records AS records
            WHERE stage = 'decrypt' AND outcome = 'passed' AND topic != 'redrive'
                AND hour >= fromUnixTimestamp64Milli({{since:Int64}}, 'UTC')
                AND committed_at >= fromUnixTimestamp64Milli({{since:Int64}}, 'UTC')
            GROUP BY carrier",
            self.database
        );
        let asked = self.client.query_raw(&sql).param("since", since_ms);
        let rows: Vec<Opened> = self.within("asking for quotas", asked.fetch_all()).await?;
        Ok(rows.into_iter().map(|row| (row.carrier, row.records)).collect())
    }

    /// What each of the last days brought, the earliest first.
    pub async fn usage(&self, carrier: &str, days: u32) -> Result<Vec<UsageRow>, Fault> {
        let sql = format!(
            "SELECT toString(toDate(hour)) AS day, toString(stage) AS stage, toString(outcome) AS outcome,
                toString(code) AS code, sum(records) AS records
            FROM {}.ledger ARRAY JOIN counts.stage AS stage, counts.carrier_id AS carrier, counts.hour AS hour,
                counts.outcome AS outcome, counts.code AS code, counts.records AS records
            WHERE carrier = {{carrier:String}} AND hour >= toStartOfDay(now('UTC')) - INTERVAL {days} DAY
                AND committed_at >= toStartOfDay(now('UTC')) - INTERVAL {days} DAY
            GROUP BY ALL ORDER BY ALL",
            self.database
        );
        let asked = self.client.query_raw(&sql).param("carrier", carrier);
        self.within("asking for usage", asked.fetch_all()).await
    }
}
