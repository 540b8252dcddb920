use std::collections::BTreeMap;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use waybill_clickhouse::{ErasedRows, ErasureRow};
use waybill_schemas::Role;

use crate::config::Config;
use crate::exit::Failure;

/// A segment of a topic is that old at most, and goes when its youngest record may.
const SEGMENT: SignedDuration = SignedDuration::from_hours(24);
/// ClickHouse looks for files that may go once a minute.
const LOOKS_FOR_FILES: SignedDuration = SignedDuration::from_mins(1);

/// What was erased, and what is still somewhere until when. It names no shipment: that would keep what was to go.
/// Whose request it was, `reason` tells to those who keep the request.
#[derive(Debug, Serialize)]
pub struct Receipt {
    erasure: String,
    deployment: String,
    carrier: String,
    reason: String,
    asked_at: String,
    finished_at: String,
    shipments: u64,
    /// By table.
    rows: BTreeMap<String, u64>,
    /// Minutes of the carrier that were made anew, by rollup.
    rollup_minutes: BTreeMap<String, u64>,
    /// aggregate has forgotten them: what comes from now on begins a new shipment.
    state: &'static str,
    /// Parts that held the rows are written anew; their old files go by then.
    clickhouse_files_until: String,
    /// Records of before are on Kafka, sealed or encrypted, until then.
    kafka_until: BTreeMap<&'static str, String>,
    not_touched: [&'static str; 3],
}

impl Receipt {
    pub fn of(
        config: &Config,
        row: &ErasureRow,
        finished_at: Timestamp,
        rows: &[ErasedRows],
        minutes: &[(&'static str, u64)],
        files: Duration,
    ) -> Result<Self, Failure> {
        let after = |time: Option<SignedDuration>, and: SignedDuration| {
            let until = time.and_then(|time| finished_at.checked_add(time.checked_add(and)?).ok());
            until.map_or_else(|| "for ever".to_owned(), |until| format!("{until:.0}"))
        };
        let topics = config.topics()?;
        let kafka = Role::ALL.into_iter().map(|role| {
            let until = match role {
                Role::AggregateState => "the broker has compacted the topic".to_owned(),
                _ => {
                    let keeps = topics.retention(role);
                    after(keeps.and_then(|time| SignedDuration::try_from(time).ok()), SEGMENT)
                }
            };
            (role.as_str(), until)
        });
        // The ledger counts, and names no shipment.
        let kafka_until = kafka.filter(|(role, _)| *role != Role::Ledger.as_str()).collect();
        let asked_at = Timestamp::from_millisecond(row.asked_at).unwrap_or_default();
        Ok(Self {
            erasure: row.id.clone(),
            deployment: config.deployment.clone(),
            carrier: row.carrier_id.clone(),
            reason: row.reason.clone(),
            asked_at: format!("{asked_at:.0}"),
            finished_at: format!("{finished_at:.0}"),
            shipments: row.shipments,
            rows: rows.iter().map(|of| (of.table.clone(), of.rows)).collect(),
            rollup_minutes: minutes.iter().map(|(name, n)| ((*name).to_owned(), *n)).collect(),
            state: "forgotten by aggregate; what comes from now on begins a new shipment",
            clickhouse_files_until: after(SignedDuration::try_from(files).ok(), LOOKS_FOR_FILES),
            kafka_until,
            not_touched: [
                "backups of Kafka and ClickHouse",
                "what others have copied, dashboards' caches among it",
                "what the carrier has",
            ],
        })
    }
}
