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
    /// The sealed topic that rows are of which name none: those of before there could be several. Empty where
    /// nobody knows.
    pub first_topic: String,
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
    /// Name of the sealed topic, if it is of one.
    #[serde(rename = "sealed")]
    pub sealed_topic: String,
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
    #[serde(rename = "sealed")]
    pub sealed_topic: String,
    pub source_partition: i32,
    pub source_offset: i64,
    /// ms UTC: what stands at the place and was received at another time is another record.
    pub received_ms: i64,
    /// 0, or the redrive that was answered so.
    pub attempt: u32,
    /// Stage, carrier, code, and how many dead letters are alike.
    pub answers: Vec<(String, String, String, u64)>,
}

const MATCHES: &str = "({code:String} = '' OR code = {code:String})
    AND ({carrier:String} = '' OR carrier_id = {carrier:String})";
/// Where the sealed record stands, also of rows of before.
const SEALED: &str = "if(source_topic = 'sealed' AND sealed_topic = '', {first_topic:String},
    toString(sealed_topic)) AS sealed";
const SINCE: &str = "received_at >= fromUnixTimestamp64Milli({since:Int64}, 'UTC')";

impl Database {
    /// The latest first.
    pub fn dead_letters(&self, filter: &Filter) -> Result<Vec<DeadLetter>, Fault> {
        self.letters(filter, &format!("{SINCE} AND {MATCHES}"), "")
    }

    /// All about one sealed record.
    pub fn dead_letters_of(
        &self,
        (topic, partition, offset): (&str, i32, i64),
        first_topic: &str,
    ) -> Result<Vec<DeadLetter>, Fault> {
        let first_topic = first_topic.to_owned();
        let filter = Filter { limit: 10_000, first_topic, ..Filter::default() };
        let ours =
            if topic == filter.first_topic { "('', {topic:String})" } else { "{topic:String}" };
        let condition = format!(
            "source_topic = 'sealed' AND sealed_topic IN {ours} AND source_partition = {partition}
            AND source_offset = {offset}"
        );
        self.letters(&filter, &condition, topic)
    }

    /// Sealed records with an answer that matches, in order of their place.
    pub fn rejected_records(&self, filter: &Filter) -> Result<Vec<RejectedRecord>, Fault> {
        let rejects = self.table("rejects");
        let place = "sealed, source_partition, source_offset, received_at";
        self.filtered(
            filter,
            &format!(
                "WITH letters AS (
                    SELECT {SEALED}, source_partition, source_offset, received_at, attempt,
                        toString(stage) AS stage, toString(carrier_id) AS carrier_id,
                        toString(code) AS code
                    FROM {rejects} WHERE {SINCE} AND source_topic = 'sealed'
                )
                SELECT sealed, source_partition, source_offset,
                    toUnixTimestamp64Milli(received_at) AS received_ms, attempt,
                    groupArray((stage, carrier_id, code, alike)) AS answers
                FROM (
                    SELECT {place}, attempt, stage, carrier_id, code, count() AS alike
                    FROM letters
                    WHERE ({place}, attempt) IN (
                        SELECT {place}, max(attempt) FROM letters GROUP BY {place}
                    )
                    GROUP BY ALL ORDER BY ALL
                )
                GROUP BY {place}, attempt
                HAVING countIf({MATCHES}) > 0
                ORDER BY {place} LIMIT {{limit:UInt64}}"
            ),
            "",
        )
    }

    fn letters(
        &self,
        filter: &Filter,
        condition: &str,
        topic: &str,
    ) -> Result<Vec<DeadLetter>, Fault> {
        let time = |column: &str| {
            format!("formatDateTime({column}, '%Y-%m-%dT%H:%i:%SZ', 'UTC') AS {column}_text")
        };
        self.filtered(
            filter,
            &format!(
                "SELECT code, stage, carrier_id, handle, message_id, position, attempt,
                    source_topic, {SEALED}, source_partition, source_offset, {}, {}, detail
                FROM {} WHERE {condition}
                ORDER BY rejected_at DESC, sealed, source_partition, source_offset, position
                LIMIT {{limit:UInt64}}",
                time("received_at"),
                time("rejected_at"),
                self.table("rejects")
            ),
            topic,
        )
    }

    fn filtered<T: RowOwned + RowRead>(
        &self,
        filter: &Filter,
        sql: &str,
        topic: &str,
    ) -> Result<Vec<T>, Fault> {
        self.run("reading dead letters", async {
            self.client
                .query_raw(sql)
                .param("code", filter.code.as_deref().unwrap_or_default())
                .param("carrier", filter.carrier.as_deref().unwrap_or_default())
                .param("since", filter.since_ms)
                .param("limit", filter.limit)
                .param("first_topic", filter.first_topic.as_str())
                .param("topic", topic)
                .fetch_all()
                .await
        })
    }
}
