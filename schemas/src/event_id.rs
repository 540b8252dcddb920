use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// An event's identity: the first 128 bits of SHA-256 over carrier id, message id and shipment
/// id, each preceded by its length in bytes (u32, big-endian), then the position (u32,
/// big-endian).
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
// As the 16 bytes themselves: a newtype of them is no Avro `fixed` to serde.
#[serde(transparent)]
pub struct EventId(#[serde(with = "crate::codec::fixed16")] pub [u8; 16]);

impl EventId {
    pub fn new(carrier_id: &str, message_id: &str, position: u32, shipment_id: &str) -> Self {
        let mut hash = Sha256::new();
        let mut text = |t: &str| {
            hash.update(u32::try_from(t.len()).unwrap_or(u32::MAX).to_be_bytes());
            hash.update(t.as_bytes());
        };
        text(carrier_id);
        text(message_id);
        text(shipment_id);
        hash.update(position.to_be_bytes());
        let mut id = [0; 16];
        for (to, from) in id.iter_mut().zip(hash.finalize()) {
            *to = from;
        }
        Self(id)
    }

    /// The id as ClickHouse's UUID holds it: the 128 bits, most significant first.
    pub fn as_u128(&self) -> u128 {
        u128::from_be_bytes(self.0)
    }
}

impl fmt::Debug for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.as_u128())
    }
}
