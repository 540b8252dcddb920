//! How a carrier's last hours went: counts by hour of receipt, from the rollups and the ledger, and what came last.
//! The latency from receipt to the row is of no rollup (a stage's quantiles cannot be added up): it is of the rows.

use clickhouse::Row;
use serde::Deserialize;
use waybill_stage::Fault;

use crate::answers::{Answers, EventRow, RejectRow};

/// Rows of the last messages, and rejects, that are looked at for the list of them.
pub const MOST_RECENT: usize = 500;

/// Counts by hour hold none where there is nothing. An hour is that of receipt, as it begins, seconds UTC.
#[derive(Clone, Debug, Default)]
pub struct StatusRows {
    pub accepted: Vec<CountRow>,
    pub rejected: Vec<RejectedRow>,
    /// Copies of events that came before.
    pub duplicates: Vec<CountRow>,
    /// That of hour 0 is of all together.
    pub latency: Vec<LatencyRow>,
    /// What came last, the last first; at most [`MOST_RECENT`], and then the first message may not be whole.
    pub rows: Vec<EventRow>,
    /// The same of rejects.
    pub rejects: Vec<RejectRow>,
}

#[derive(Clone, Debug, PartialEq, Eq, Row, Deserialize)]
pub struct CountRow {
    pub hour: u32,
    pub events: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Row, Deserialize)]
pub struct RejectedRow {
    pub hour: u32,
    pub stage: String,
    pub code: String,
    pub rejects: u64,
}

/// From receipt to the row, ms.
#[derive(Clone, Debug, PartialEq, Row, Deserialize)]
pub struct LatencyRow {
    pub hour: u32,
    pub p50: f64,
    pub p95: f64,
}

impl Answers {
    /// Of what was received since then (the beginning of an hour, seconds UTC), with at least `last` messages, if
    /// there are so many.
    pub async fn status(&self, carrier: &str, since: u32, last: u32) -> Result<StatusRows, Fault> {
        let [accepted, rejected, duplicates, latency, rows, rejects] = self.status_questions();
        let asked = |sql: &str| {
            self.query(sql).param("carrier", carrier).param("since", since).param("last", last)
        };
        self.within("asking for a status", async {
            // One after the other: a carrier's question takes one connection, and ClickHouse's threads once.
            Ok(StatusRows {
                accepted: asked(&accepted).fetch_all().await?,
                rejected: asked(&rejected).fetch_all().await?,
                duplicates: asked(&duplicates).fetch_all().await?,
                latency: asked(&latency).fetch_all().await?,
                rows: asked(&rows).fetch_all().await?,
                rejects: asked(&rejects).fetch_all().await?,
            })
        })
        .await
    }

    fn status_questions(&self) -> [String; 6] {
        let database = self.database();
        let own = "carrier_id = {carrier:String}";
        let since = "toDateTime({since:UInt32}, 'UTC')";
        let hour = |column: &str| format!("toUnixTimestamp(toStartOfHour({column})) AS hour");
        let accepted = format!(
            "SELECT {}, sum(t.events) AS events FROM {database}.throughput_by_minute AS t
            WHERE {own} AND minute >= {since} GROUP BY hour ORDER BY hour",
            hour("minute")
        );
        let rejected = format!(
            "SELECT {}, toString(stage) AS stage, toString(code) AS code, sum(t.rejects) AS rejects
            FROM {database}.rejects_by_minute AS t
            WHERE {own} AND minute >= {since} GROUP BY ALL ORDER BY ALL",
            hour("minute")
        );
        // Only aggregate knows copies, and it reads `enriched`: the ledger is ordered by that.
        let duplicates = format!(
            "SELECT toUnixTimestamp(received) AS hour, sum(parts) AS events
            FROM {database}.ledger ARRAY JOIN counts.carrier_id AS carrier, counts.hour AS received,
                counts.outcome AS outcome, counts.parts AS parts
            WHERE topic = 'enriched' AND committed_at >= {since}
                AND carrier = {{carrier:String}} AND outcome = 'duplicate' AND received >= {since}
            GROUP BY hour ORDER BY hour"
        );
        let latency = format!(
            "SELECT {}, toFloat64((quantilesTDigest(0.5, 0.95)(
                    toUnixTimestamp64Milli(inserted_at) - toUnixTimestamp64Milli(received_at)) AS q)[1]) AS p50,
                toFloat64(q[2]) AS p95
            FROM {database}.events WHERE {own} AND received_at >= {since}
            GROUP BY hour WITH ROLLUP ORDER BY hour",
            hour("received_at")
        );
        // In so many minutes with events are so many messages at least: the rest of the day need not be read.
        let rows = format!(
            "SELECT {} FROM {database}.events
            WHERE {own} AND received_at >= (
                SELECT greatest({since}, min(minute)) FROM (
                    SELECT minute FROM {database}.throughput_by_minute WHERE {own} AND minute >= {since}
                    ORDER BY minute DESC LIMIT 1 BY minute LIMIT {{last:UInt32}}))
            ORDER BY received_at DESC, sealed_topic, source_partition, source_offset, position LIMIT {MOST_RECENT}",
            Self::event_columns()
        );
        let rejects = format!(
            "SELECT {} FROM {database}.rejects WHERE {own} AND received_at >= {since}
            ORDER BY received_at DESC, sealed_topic, source_partition, source_offset, position LIMIT {MOST_RECENT}",
            Self::reject_columns()
        );
        [accepted, rejected, duplicates, latency, rows, rejects]
    }
}
