//! Which partition a record goes to. Where its key is a pseudonym, it goes by what that stands for, so that a
//! shipment has the partition that it always had: whatever the key is that pseudonyms are made with, and also
//! in a deployment that is older than they are.

/// Where a record is to go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Placement {
    Number(i32),
    /// By the hash of what its key stands for.
    Hash(u32),
    /// By the hash of its key: librdkafka does it.
    Key,
}

impl Placement {
    /// That of records about `clear`.
    pub fn of(clear: &[u8]) -> Self {
        Self::Hash(murmur2(clear))
    }
}

/// The number of the partition, of so many, that a hash places a record in.
#[expect(clippy::cast_possible_wrap, reason = "31 bits")]
pub fn within(hash: u32, count: i32) -> i32 {
    (hash & 0x7FFF_FFFF) as i32 % count.max(1)
}

/// The hash that Kafka's Java client places keys by, and librdkafka as `murmur2`: MurmurHash2 in 32 bits, with
/// Kafka's seed.
fn murmur2(bytes: &[u8]) -> u32 {
    const M: u32 = 0x5BD1_E995;
    let (words, rest) = bytes.as_chunks::<4>();
    #[expect(clippy::cast_possible_truncation, reason = "as Kafka takes it")]
    let mut hash = 0x9747_B28C ^ bytes.len() as u32;
    for word in words {
        let word = u32::from_le_bytes(*word).wrapping_mul(M);
        hash = hash.wrapping_mul(M) ^ (word ^ (word >> 24)).wrapping_mul(M);
    }
    if !rest.is_empty() {
        for (byte, shift) in rest.iter().zip([0, 8, 16]) {
            hash ^= u32::from(*byte) << shift;
        }
        hash = hash.wrapping_mul(M);
    }
    hash = (hash ^ (hash >> 13)).wrapping_mul(M);
    hash ^ (hash >> 15)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of Kafka's own tests (`UtilsTest.testMurmur2`).
    #[test]
    fn the_hash_is_kafka_s() {
        for (text, hash) in [
            ("21", -973_932_308),
            ("foobar", -790_332_482),
            ("a-little-bit-long-string", -985_981_536),
            ("a-little-bit-longer-string", -1_486_304_829),
            ("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58_897_971),
            ("abc", 479_470_107),
        ] {
            assert_eq!(murmur2(text.as_bytes()).cast_signed(), hash, "{text}");
        }
    }
}
