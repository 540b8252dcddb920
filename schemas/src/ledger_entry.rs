use serde::{Deserialize, Serialize};

use crate::vocabulary::LedgerOutcome;

/// What one committed batch did with one stretch of an input partition. It is committed in the
/// batch's transaction: a batch without its entry, or an entry without its batch, cannot be.
///
/// The entries of one partition lie end to end. In each, for the stage that comes first, `records`
/// is the sum of the counts' `records`; and `parts` that passed a stage are the `records` of the
/// next.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LedgerEntry {
    /// The stages of the process, as `waybill run` names them.
    pub stages: String,
    /// Role of the input topic.
    pub topic: String,
    /// Kafka's id of it; empty where the writer did not know it.
    #[serde(default)]
    pub topic_id: String,
    pub partition: i32,
    /// Where the entry before it ends.
    pub from_offset: i64,
    /// The first offset that it does not cover. Offsets without a record are covered too.
    pub next_offset: i64,
    pub records: u64,
    /// ms UTC.
    pub committed_at: i64,
    pub counts: Vec<LedgerCount>,
    /// Records written to topics that another stage reads.
    pub outputs: Vec<LedgerOutput>,
    /// What decrypt opened, by platform key and carrier.
    #[serde(default)]
    pub keys: Vec<LedgerKey>,
}

/// Of one stage, one carrier, one hour, one outcome.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerCount {
    pub stage: String,
    /// Empty when not known.
    pub carrier_id: String,
    /// Hour of receipt of the sealed record, ms UTC.
    pub hour: i64,
    pub outcome: LedgerOutcome,
    /// Of a reject; empty otherwise.
    pub code: String,
    /// Records that the stage took in. One of which some parts passed and some did not counts
    /// where it passed.
    pub records: u64,
    /// What came of them: records passed on, dead letters, copies dropped.
    pub parts: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerOutput {
    /// Role of the topic.
    pub topic: String,
    pub records: u64,
}

/// Records of one carrier that were sealed for one platform key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerKey {
    pub kid: String,
    pub carrier_id: String,
    pub records: u64,
}
