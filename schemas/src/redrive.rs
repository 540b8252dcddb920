use serde::{Deserialize, Serialize};

/// A sealed record that was rejected, as it was, to be judged once more. On its topic it has the
/// key that it had.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Redrive {
    /// Where the sealed record stands.
    pub source_partition: i32,
    pub source_offset: i64,
    /// When the broker appended it first, ms UTC: the time of receipt.
    pub received_at: i64,
    /// 1 for the first redrive.
    pub attempt: u32,
    #[serde(with = "crate::codec::bytes")]
    pub sealed: Vec<u8>,
    /// The dead letters that this takes back.
    pub answers: Vec<Answered>,
    /// Name of the sealed topic; empty in what was written while there could only be one.
    #[serde(default)]
    pub sealed_topic: String,
}

/// Dead letters of one record that are alike.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answered {
    pub stage: String,
    pub carrier_id: String,
    pub code: String,
    /// How many.
    pub parts: u64,
}
