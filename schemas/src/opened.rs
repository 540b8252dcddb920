use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// Where a record came from and when it passed: carried unchanged by everything made from it.
/// Shared by reference count, since one message may carry many events.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Provenance {
    /// `iss`: the carrier's id, proven.
    pub carrier_id: String,
    /// `sub`: the shipment handle, opaque, also the key of the sealed record.
    pub handle: String,
    /// `jti`: the message's id, unique for the carrier.
    pub message_id: String,
    /// Partition of the sealed topic where the sealed record stands.
    pub source_partition: i32,
    /// Offset in that partition.
    pub source_offset: i64,
    /// `iat`: when the carrier sealed it, ms UTC.
    pub sealed_at: i64,
    /// When the broker appended it, ms UTC: the time of receipt.
    pub received_at: i64,
    /// When decrypt opened it, ms UTC.
    pub opened_at: i64,
    /// 0, or which redrive of the sealed record this is.
    #[serde(default)]
    pub attempt: u32,
    /// Name of the sealed topic; empty in what was written while there could only be one.
    #[serde(default)]
    pub sealed_topic: String,
}

/// Which of the two proofs of sealed-event.md said who sent it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Proof {
    Signed,
    Granted,
}

/// A sealed event after decrypt: who sent it is proven, what it says is not yet read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Opened {
    pub provenance: Arc<Provenance>,
    pub proof: Proof,
    /// Media type of `payload` (RFC 9110 section 8.3.1), as the carrier sent it.
    pub media_type: String,
    #[serde(with = "crate::codec::bytes")]
    pub payload: Vec<u8>,
}
