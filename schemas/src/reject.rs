use serde::{Deserialize, Serialize};

/// A dead letter: it points at the sealed record and says why, and never holds plaintext.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RejectRecord {
    /// Closed set: docs/rejects.md.
    pub code: String,
    /// Which stage rejected it.
    pub stage: String,
    /// Empty when not known. From decrypt it is what the record claims, if so registered.
    pub carrier_id: String,
    /// Empty when not known.
    pub handle: String,
    pub message_id: String,
    /// Position in the message; 0 for the message as a whole.
    pub position: u32,
    pub source_partition: i32,
    pub source_offset: i64,
    /// ms UTC; absent when the record does not say.
    pub sealed_at: Option<i64>,
    /// ms UTC.
    pub received_at: i64,
    pub rejected_at: i64,
    /// For the carrier: what to mend, such as a JSON pointer; no values of the payload.
    pub detail: String,
    /// 0, or which redrive of the sealed record was rejected.
    #[serde(default)]
    pub attempt: u32,
    /// Of which topic partition and offset are: `sealed`, or the internal one whose record could not be
    /// read back.
    #[serde(default = "sealed")]
    pub source_topic: String,
    /// Name of the sealed topic, if partition and offset are of one; empty in what was written while there could
    /// only be one.
    #[serde(default)]
    pub sealed_topic: String,
}

fn sealed() -> String {
    "sealed".to_owned()
}
