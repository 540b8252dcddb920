//! What the tables say to an auditor: the ledger's sums and gaps, and the rows beside them. It
//! checks nothing.

use clickhouse::{Row, RowOwned, RowRead};
use serde::Deserialize;
use waybill_stage::Fault;

use crate::metrics::Metrics;
use crate::{Database, ErasedRows, KeptSince};

/// Of each kind of finding, so many are listed.
const LISTED: usize = 20;

/// Entries of one input partition, taken together.
#[derive(Clone, Debug, PartialEq, Eq, Row, Deserialize)]
pub struct Coverage {
    pub topic: String,
    /// Kafka's id of the topic: what is known of an earlier one of its name is told apart.
    pub topic_id: String,
    pub partition: i32,
    pub first: i64,
    pub next: i64,
    pub records: u64,
    pub entries: u64,
}

/// Two neighbours of one partition that do not meet.
#[derive(Clone, Debug, PartialEq, Eq, Row, Deserialize)]
pub struct Gap {
    pub topic: String,
    /// Kafka's id of it: carriers may have several topics.
    pub topic_id: String,
    pub partition: i32,
    /// Where the one before ends.
    pub before: i64,
    /// Where this one begins.
    pub from_offset: i64,
}

/// An entry whose outcomes are not its records.
#[derive(Clone, Debug, PartialEq, Eq, Row, Deserialize)]
pub struct Unbalanced {
    pub topic: String,
    pub topic_id: String,
    pub partition: i32,
    pub from_offset: i64,
    pub next_offset: i64,
    pub records: u64,
    pub counted: u64,
}

/// What became of a stage's records.
#[derive(Clone, Debug, PartialEq, Eq, Row, Deserialize)]
pub struct StageTotal {
    /// The process that the stage was in.
    pub stages: String,
    pub topic: String,
    pub stage: String,
    pub outcome: String,
    pub records: u64,
    pub parts: u64,
}

/// Records that were written to a topic.
#[derive(Clone, Debug, PartialEq, Eq, Row, Deserialize)]
pub struct Written {
    /// The process that wrote them.
    pub stages: String,
    pub topic: String,
    pub records: u64,
}

/// A range of which the table holds other rows than the ledger says.
#[derive(Clone, Debug, PartialEq, Eq, Row, Deserialize)]
pub struct Misstored {
    pub partition: i32,
    pub from_offset: i64,
    pub next_offset: i64,
    /// By the ledger.
    pub passed: u64,
    /// Rows, and different records among them.
    pub stored: u64,
    pub different: u64,
}

/// A carrier's hour.
#[derive(Clone, Debug, PartialEq, Eq, Row, Deserialize)]
pub struct Unaccounted {
    pub carrier_id: String,
    pub hour: String,
    pub in_flight: i64,
}

/// Rows of a table and of what is derived from it.
#[derive(Clone, Debug, PartialEq, Eq, Row, Deserialize)]
pub struct Derived {
    pub what: String,
    pub rows: u64,
    pub derived: u64,
}

/// All that an audit reads from ClickHouse.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditData {
    pub coverage: Vec<Coverage>,
    pub gaps: Vec<Gap>,
    pub unbalanced: Vec<Unbalanced>,
    pub stages: Vec<StageTotal>,
    pub written: Vec<Written>,
    pub misstored_events: Vec<Misstored>,
    pub misstored_rejects: Vec<Misstored>,
    pub unaccounted: Vec<Unaccounted>,
    pub derived: Vec<Derived>,
    /// Rows that erasures have removed, by table.
    pub erased: Vec<ErasedRows>,
    /// Names of erasures that were begun and are not done.
    pub unfinished_erasures: Vec<String>,
}

/// What an audit asks.
#[derive(Clone, Debug, Default)]
pub struct AuditQuestion {
    /// Only what was committed since then, ms UTC; 0: ever.
    pub since_ms: i64,
    /// The hours of this carrier alone.
    pub carrier: Option<String>,
    /// Whether tables are held against what is derived from them.
    pub derived: bool,
    /// Rows of before are not expected, nor counted where they still are.
    pub kept: KeptSince,
}

impl Database {
    pub fn audit_data(&self, question: &AuditQuestion) -> Result<AuditData, Fault> {
        let AuditQuestion { since_ms, carrier, derived, kept } = question;
        let ledger = self.ledger();
        let carrier = carrier.as_deref().unwrap_or_default();
        let ask = Ask { database: self, since_ms: *since_ms, carrier };
        let mut data = AuditData {
            coverage: ask.rows(&format!(
                "SELECT topic, topic_id, partition, min(from_offset) AS first,
                    max(next_offset) AS next, sum(records) AS records, count() AS entries
                FROM {ledger} WHERE topic != 'ledger' GROUP BY topic, topic_id, partition
                ORDER BY topic, topic_id, partition"
            ))?,
            gaps: ask.rows(&format!(
                "SELECT topic, topic_id, partition, before, from_offset FROM (
                    SELECT topic, topic_id, partition, from_offset, lagInFrame(next_offset, 1, from_offset) OVER (
                        PARTITION BY topic, topic_id, partition ORDER BY from_offset, next_offset
                        ROWS BETWEEN 1 PRECEDING AND CURRENT ROW
                    ) AS before
                    FROM {ledger} WHERE topic != 'ledger'
                ) WHERE before != from_offset ORDER BY topic, topic_id, partition, from_offset LIMIT {LISTED}"
            ))?,
            unbalanced: ask.rows(&format!(
                "SELECT topic, topic_id, partition, from_offset, next_offset, records,
                    arraySum(arrayMap((s, n) -> if(s = splitByChar(',', stages)[1], n, 0),
                        `counts.stage`, `counts.records`)) AS counted
                FROM {ledger} WHERE topic != 'ledger' AND records != counted
                ORDER BY topic, partition, from_offset LIMIT {LISTED}"
            ))?,
            stages: ask.rows(&format!(
                "SELECT stages, topic, `counts.stage` AS stage, `counts.outcome` AS outcome,
                    sum(`counts.records`) AS records, sum(`counts.parts`) AS parts
                FROM {ledger} ARRAY JOIN counts GROUP BY ALL ORDER BY ALL"
            ))?,
            written: ask.rows(&format!(
                "SELECT stages, `outputs.topic` AS topic, sum(`outputs.records`) AS records
                FROM {ledger} ARRAY JOIN outputs GROUP BY ALL ORDER BY ALL"
            ))?,
            misstored_events: ask.rows(&self.misstored(&ledger, "events", kept.events))?,
            misstored_rejects: ask.rows(&self.misstored(&ledger, "rejects", kept.rejects))?,
            unaccounted: ask.rows(&format!(
                "SELECT carrier_id, toString(hour) AS hour, toInt64(in_flight) AS in_flight
                FROM {} WHERE in_flight != 0
                    AND toInt64(toUnixTimestamp(hour)) * 1000 >= {{since:Int64}} - 3600000
                    AND ({{carrier:String}} = '' OR carrier_id = {{carrier:String}})
                ORDER BY hour, carrier_id LIMIT {LISTED}",
                self.table("conservation")
            ))?,
            derived: Vec::new(),
            erased: ask.rows(&format!(
                "SELECT from_table AS table, count() AS rows FROM {} FINAL
                WHERE erasure IN (SELECT id FROM {}) GROUP BY table ORDER BY table",
                self.table("erased_rows"),
                self.table("erasures")
            ))?,
            unfinished_erasures: ask.rows(&format!(
                "SELECT id FROM {} FINAL WHERE finished_at IS NULL ORDER BY id",
                self.table("erasures")
            ))?,
        };
        if *derived {
            data.derived = ask.rows(&self.derived(kept))?;
        }
        Ok(data)
    }

    /// Brings what the ledger says of the last two days into the metrics: cheap enough for once a
    /// minute.
    pub fn show_ledger(&self) -> Result<(), Fault> {
        let metrics = Metrics::get()?;
        let ask = Ask { database: self, since_ms: 0, carrier: "" };
        let unaccounted: Vec<u64> = ask.rows(&format!(
            "SELECT toUInt64(sum(abs(in_flight))) FROM {}
            WHERE hour >= now() - INTERVAL 2 DAY AND hour < toStartOfHour(now() - INTERVAL 10 MINUTE)",
            self.table("conservation")
        ))?;
        let gaps: Vec<u64> = ask.rows(&format!(
            "SELECT count() FROM (
                SELECT from_offset, lagInFrame(next_offset, 1, from_offset) OVER (
                    PARTITION BY topic, topic_id, partition ORDER BY from_offset, next_offset
                    ROWS BETWEEN 1 PRECEDING AND CURRENT ROW
                ) AS before
                FROM {} WHERE topic != 'ledger' AND committed_at >= now() - INTERVAL 2 DAY
            ) WHERE before != from_offset",
            self.table("ledger")
        ))?;
        let first =
            |found: Vec<u64>| found.first().map_or(0, |n| i64::try_from(*n).unwrap_or(i64::MAX));
        metrics.unaccounted.set(first(unaccounted));
        metrics.seams.set(first(gaps));
        Ok(())
    }

    /// The entries since `since`. Those of before 30 November 2026 know no id: they are of the first topic of the
    /// name that has one. What an entry says itself is `written_id`.
    fn ledger(&self) -> String {
        let table = self.table("ledger");
        format!(
            "(SELECT entry.* EXCEPT topic_id, entry.topic_id AS written_id,
                if(entry.topic_id = '', known.first_id, entry.topic_id) AS topic_id
            FROM {table} AS entry
            LEFT JOIN (
                SELECT topic, argMin(topic_id, committed_at) AS first_id
                FROM {table} WHERE topic_id != '' GROUP BY topic
            ) AS known ON known.topic = entry.topic
            WHERE committed_at >= fromUnixTimestamp64Milli({{since:Int64}}, 'UTC'))"
        )
    }

    /// Ranges whose rows, of those received since `since_ms`, are not those that the ledger says. (That is the
    /// beginning of an hour, and the ledger counts by hours.) A row that was erased counts as if it were there; one
    /// that is listed to be, and still is, counts once.
    fn misstored(&self, ledger: &str, topic: &str, since_ms: i64) -> String {
        format!(
            "WITH toDateTime({since_ms} / 1000, 'UTC') AS since, entries AS (
                SELECT written_id AS topic_id, partition, from_offset, next_offset, toUInt64(arraySum(arrayMap(
                    (outcome, hour, n) -> if(outcome = 'passed' AND hour >= since, n, 0),
                    `counts.outcome`, `counts.hour`, `counts.records`
                ))) AS passed
                FROM {ledger} WHERE topic = '{topic}' AND stages = 'clickhouse'
            )
            SELECT partition, from_offset, any(next_offset) AS next_offset, any(passed) AS passed,
                sum(found.n) AS stored, sum(found.different) AS different
            FROM entries LEFT JOIN (
                SELECT kafka_topic_id AS topic_id, kafka_partition AS partition, from_offset,
                    uniqExact(kafka_offset) AS different,
                    toUInt64(countIf(is_there) + different - uniqExactIf(kafka_offset, is_there)) AS n
                FROM (
                    SELECT kafka_topic_id, kafka_partition, kafka_offset, true AS is_there FROM {}
                    WHERE received_at >= since
                    UNION ALL
                    SELECT kafka_topic_id, kafka_partition, kafka_offset, false FROM {}
                    WHERE from_table = '{topic}' AND minute >= since
                ) AS row
                ASOF INNER JOIN entries
                    ON row.kafka_topic_id = entries.topic_id
                    AND row.kafka_partition = entries.partition
                    AND row.kafka_offset >= entries.from_offset
                WHERE kafka_offset < next_offset GROUP BY ALL
            ) AS found USING (topic_id, partition, from_offset)
            GROUP BY topic_id, partition, from_offset
            HAVING passed != stored OR passed != different
            ORDER BY partition, from_offset LIMIT {LISTED}",
            self.table(topic),
            self.table("erased_rows")
        )
    }

    /// Counts that must be the same.
    fn derived(&self, kept: &KeptSince) -> String {
        let since = |time: &str, ms: i64| format!("{time} >= toDateTime({} , 'UTC')", ms / 1000);
        let select = |what: &str, table: &str, filter: String| {
            format!("(SELECT {what} FROM {} WHERE {filter})", self.table(table))
        };
        // Both are there since the later of the two.
        let both = kept.events.max(kept.rollups);
        let rows = |table: &str, ms: i64| select("count()", table, since("received_at", ms));
        let sum = |column: &str, table: &str, ms: i64, more: &str| {
            select(&format!("sum({column})"), table, since("minute", ms) + more)
        };
        let different =
            select("uniqExact(carrier_id, event_id)", "events", since("received_at", kept.events));
        let rejects = kept.rejects.max(kept.rollups);
        let lines = [
            ("events: different (carrier_id, event_id)", rows("events", kept.events), different),
            (
                "events: rollup throughput",
                rows("events", both),
                sum("events", "throughput", both, ""),
            ),
            (
                "events: rollup latency, total",
                rows("events", both),
                sum("events", "latency", both, " AND stage = 'total'"),
            ),
            (
                "rejects: rollup rejects_by_minute",
                rows("rejects", rejects),
                sum("rejects", "rejects_by_minute", rejects, ""),
            ),
        ];
        lines
            .map(|(what, rows, derived)| {
                format!("SELECT '{what}' AS what, toUInt64(ifNull({rows}, 0)) AS rows, toUInt64(ifNull({derived}, 0)) AS derived")
            })
            .join(" UNION ALL ")
    }
}

struct Ask<'a> {
    database: &'a Database,
    since_ms: i64,
    carrier: &'a str,
}

impl Ask<'_> {
    fn rows<T: RowOwned + RowRead>(&self, sql: &str) -> Result<Vec<T>, Fault> {
        self.database.run("reading the ledger", async {
            let query = self.database.client.query_raw(sql).param("since", self.since_ms);
            query.param("carrier", self.carrier).fetch_all().await
        })
    }
}
