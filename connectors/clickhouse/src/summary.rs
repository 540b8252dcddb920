use std::collections::BTreeMap;

use clickhouse::{Row, RowOwned, RowRead};
use serde::Deserialize;
use waybill_stage::Fault;

use crate::Database;

/// What has come in since a moment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Summary {
    /// By carrier id; the empty one holds the rejects whose carrier is not known.
    pub carriers: BTreeMap<String, CarrierSummary>,
    /// Of all carriers together: the percentiles are not to be had from theirs.
    pub total: CarrierSummary,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct CarrierSummary {
    /// Rows in `events`.
    pub events: u64,
    /// Rows in `rejects`, by code.
    pub rejects: BTreeMap<String, u64>,
    /// Copies of accepted events: all that the shipments heard of since then have had, ever.
    pub duplicates: u64,
    /// From sealing to insertion, ms; 0 without events.
    pub p50_ms: f64,
    pub p99_ms: f64,
}

impl CarrierSummary {
    pub fn rejected(&self) -> u64 {
        self.rejects.values().sum()
    }
}

#[derive(Row, Deserialize)]
struct EventsOf {
    carrier_id: String,
    is_total: u8,
    events: u64,
    p50_ms: f32,
    p99_ms: f32,
}

#[derive(Row, Deserialize)]
struct RejectsOf {
    carrier_id: String,
    code: String,
    rejects: u64,
}

#[derive(Row, Deserialize)]
struct DuplicatesOf {
    carrier_id: String,
    duplicates: u64,
}

impl Database {
    /// What was received since `since_ms` (ms UTC, by the broker's clock). It reads all shipments:
    /// not for every second.
    pub fn summary(&self, since_ms: i64) -> Result<Summary, Fault> {
        self.run("summing up", async {
            let events = self.since::<EventsOf>(
                since_ms,
                format!(
                    "SELECT carrier_id, toUInt8(grouping(carrier_id)) AS is_total, count() AS events,
                        (quantilesTDigest(0.5, 0.99)(
                            toUnixTimestamp64Milli(inserted_at) - toUnixTimestamp64Milli(sealed_at)
                        ) AS q)[1] AS p50_ms, q[2] AS p99_ms
                    FROM {} WHERE received_at >= fromUnixTimestamp64Milli({{since:Int64}}, 'UTC')
                    GROUP BY ROLLUP(carrier_id)",
                    self.table("events")
                ),
            );
            let rejects = self.since::<RejectsOf>(
                since_ms,
                format!(
                    "SELECT carrier_id, code, count() AS rejects
                    FROM {} WHERE received_at >= fromUnixTimestamp64Milli({{since:Int64}}, 'UTC')
                    GROUP BY carrier_id, code",
                    self.table("rejects")
                ),
            );
            let duplicates = self.since::<DuplicatesOf>(
                since_ms,
                format!(
                    "SELECT carrier_id, sum(duplicates) AS duplicates
                    FROM {}
                    WHERE last_received_at >= fromUnixTimestamp64Milli({{since:Int64}}, 'UTC')
                    GROUP BY carrier_id",
                    self.table("shipments")
                ),
            );
            Ok(put_together(events.await?, rejects.await?, duplicates.await?))
        })
    }

    /// p50 and p99 from sealing to insertion, ms, of the events received since `since_ms` (ms UTC, by
    /// the broker's clock); nothing without events.
    pub fn latency(&self, since_ms: i64) -> Result<Option<(f64, f64)>, Fault> {
        let sql = format!(
            "SELECT count() AS events, (quantilesTDigest(0.5, 0.99)(
                toUnixTimestamp64Milli(inserted_at) - toUnixTimestamp64Milli(sealed_at)
            ) AS q)[1] AS p50_ms, q[2] AS p99_ms
            FROM {} WHERE received_at >= fromUnixTimestamp64Milli({{since:Int64}}, 'UTC')",
            self.table("events")
        );
        let rows = self.run("asking for the latency", async {
            self.since::<(u64, f32, f32)>(since_ms, sql).await
        })?;
        let found = rows.first().filter(|(events, ..)| *events > 0);
        Ok(found.map(|(_, p50_ms, p99_ms)| ((*p50_ms).into(), (*p99_ms).into())))
    }

    async fn since<T: RowOwned + RowRead>(
        &self,
        since_ms: i64,
        sql: String,
    ) -> clickhouse::error::Result<Vec<T>> {
        self.client.query_raw(&sql).param("since", since_ms).fetch_all().await
    }
}

fn put_together(
    events: Vec<EventsOf>,
    rejects: Vec<RejectsOf>,
    duplicates: Vec<DuplicatesOf>,
) -> Summary {
    let mut summary = Summary::default();
    let Summary { carriers, total } = &mut summary;
    for of in events {
        // Without events there is still a total, and its percentiles are no numbers.
        if of.events == 0 {
            continue;
        }
        let to =
            if of.is_total == 1 { &mut *total } else { carriers.entry(of.carrier_id).or_default() };
        to.events = of.events;
        to.p50_ms = of.p50_ms.into();
        to.p99_ms = of.p99_ms.into();
    }
    for of in rejects {
        *total.rejects.entry(of.code.clone()).or_default() += of.rejects;
        carriers.entry(of.carrier_id).or_default().rejects.insert(of.code, of.rejects);
    }
    for of in duplicates {
        total.duplicates += of.duplicates;
        carriers.entry(of.carrier_id).or_default().duplicates = of.duplicates;
    }
    summary
}
