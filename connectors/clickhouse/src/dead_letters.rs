//! Dead letters, for operators who look at them and send their records through once more.

use clickhouse::{Row, RowOwned, RowRead};
use serde::Deserialize;
use waybill_stage::Fault;

use crate::Database;

/// Which dead letters are meant.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    pub code: Option<String>,
    pub carrier: Option<String>,
    /// Received since then, ms UTC.
    pub since_ms: i64,
    pub limit: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Row, Deserialize)]
pub struct DeadLetter {
    pub code: String,
    pub stage: String,
    pub carrier_id: String,
    pub handle: String,
    pub message_id: String,
    pub position: u32,
    pub attempt: u32,
    /// `sealed`, or the internal topic whose record could not be read back.
    pub source_topic: String,
    pub source_partition: i32,
    pub source_offset: i64,
    /// RFC 3339.
    #[serde(rename = "received_at_text")]
    pub received_at: String,
    #[serde(rename = "rejected_at_text")]
    pub rejected_at: String,
    pub detail: String,
}

/// A sealed record that was rejected, wholly or in part, and its last answers.
#[derive(Clone, Debug, PartialEq, Eq, Row, Deserialize)]
pub struct RejectedRecord {
    pub source_partition: i32,
    pub source_offset: i64,
    /// 0, or the redrive that was answered so.
    pub attempt: u32,
    /// Stage, carrier, code, and how many dead letters are alike.
    pub answers: Vec<(String, String, String, u64)>,
}

const MATCHES: &str = "({code:String} = '' OR code = {code:String})
    AND ({carrier:String} = '' OR carrier_id = {carrier:String})";
const SINCE: &str = "received_at >= fromUnixTimestamp64Milli({since:Int64}, 'UTC')";

impl Database {
    /// The latest first.
    pub fn dead_letters(&self, filter: &Filter) -> Result<Vec<DeadLetter>, Fault> {
        self.letters(filter, &format!("{SINCE} AND {MATCHES}"))
    }

    /// All about one sealed record.
    pub fn dead_letters_of(&self, partition: i32, offset: i64) -> Result<Vec<DeadLetter>, Fault> {
        let filter = Filter { limit: 10_000, ..Filter::default() };
        self.letters(
            &filter,
            &format!(
                "source_topic = 'sealed' AND source_partition = {partition} AND source_offset = {offset}"
            ),
        )
    }

    /// Sealed records with an answer that matches, in order of their place.
    pub fn rejected_records(&self, filter: &Filter) -> Result<Vec<RejectedRecord>, Fault> {
        let rejects = self.table("rejects");
        self.filtered(
            filter,
            &format!(
                "SELECT source_partition, source_offset, attempt,
                    groupArray((stage, carrier_id, code, letters)) AS answers
                FROM (
                    SELECT source_partition, source_offset, attempt, toString(stage) AS stage,
                        toString(carrier_id) AS carrier_id, toString(code) AS code,
                        count() AS letters
                    FROM {rejects}
                    WHERE {SINCE} AND source_topic = 'sealed'
                        AND (source_partition, source_offset, attempt) IN (
                        SELECT source_partition, source_offset, max(attempt) FROM {rejects}
                        WHERE {SINCE} AND source_topic = 'sealed'
                        GROUP BY source_partition, source_offset
                    )
                    GROUP BY ALL ORDER BY ALL
                )
                GROUP BY source_partition, source_offset, attempt
                HAVING countIf({MATCHES}) > 0
                ORDER BY source_partition, source_offset LIMIT {{limit:UInt64}}"
            ),
        )
    }

    fn letters(&self, filter: &Filter, condition: &str) -> Result<Vec<DeadLetter>, Fault> {
        let time = |column: &str| {
            format!("formatDateTime({column}, '%Y-%m-%dT%H:%i:%SZ', 'UTC') AS {column}_text")
        };
        self.filtered(
            filter,
            &format!(
                "SELECT code, stage, carrier_id, handle, message_id, position, attempt,
                    source_topic, source_partition, source_offset, {}, {}, detail
                FROM {} WHERE {condition}
                ORDER BY rejected_at DESC, source_partition, source_offset, position
                LIMIT {{limit:UInt64}}",
                time("received_at"),
                time("rejected_at"),
                self.table("rejects")
            ),
        )
    }

    fn filtered<T: RowOwned + RowRead>(&self, filter: &Filter, sql: &str) -> Result<Vec<T>, Fault> {
        self.run("reading dead letters", async {
            self.client
                .query_raw(sql)
                .param("code", filter.code.as_deref().unwrap_or_default())
                .param("carrier", filter.carrier.as_deref().unwrap_or_default())
                .param("since", filter.since_ms)
                .param("limit", filter.limit)
                .fetch_all()
                .await
        })
    }
}
