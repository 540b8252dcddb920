//! Which partition a record goes to. Where its key is a pseudonym, it goes by what that stands for, so that a
//! shipment has the partition that it always had: whatever the key is that pseudonyms are made with, and also
//! in a deployment that is older than they are.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use rdkafka::client::{Client, ClientContext};
use waybill_stage::Fault;

use crate::topic_identity::identities;
use crate::{Role, Topics};

/// As often as librdkafka looks by itself for its own partitioner, about.
const LOOK_EVERY: Duration = Duration::from_secs(30);
const LOOKUP_TIMEOUT: Duration = Duration::from_secs(5);

/// Where a record is to go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Placement {
    Number(i32),
    /// By the hash of what its key stands for.
    Hash(u32),
    /// By the hash of its key: librdkafka does it.
    Key,
}

impl Placement {
    /// That of records about `clear`.
    pub(crate) fn of(clear: &[u8]) -> Self {
        Self::Hash(murmur2(clear))
    }
}

/// How many partitions topics have, as the cluster said last.
#[derive(Debug, Default)]
pub(crate) struct PartitionCounts {
    known: BTreeMap<Role, i32>,
    asked_at: Option<Instant>,
}

impl PartitionCounts {
    /// Asks for the topics of `roles` if that is not known of one of them, or was long ago.
    pub(crate) fn bring<C: ClientContext>(
        &mut self,
        client: &Client<C>,
        topics: &Topics,
        roles: impl Iterator<Item = Role>,
    ) -> Result<(), Fault> {
        let mut is_new = false;
        for role in roles {
            is_new |= self.known.get(&role).is_none_or(|count| *count == 0);
            self.known.entry(role).or_default();
        }
        let is_old = self.asked_at.is_some_and(|at| at.elapsed() >= LOOK_EVERY);
        if self.known.is_empty() || !(is_new || is_old) {
            return Ok(());
        }
        let names: Vec<&str> = self.known.keys().map(|role| topics.name(*role)).collect();
        match identities(client, &names, LOOKUP_TIMEOUT) {
            Ok(found) => {
                for (role, count) in &mut self.known {
                    let found = found.get(topics.name(*role)).map_or(0, |topic| topic.partitions);
                    *count = i32::try_from(found).unwrap_or(i32::MAX);
                }
            }
            // What was known holds: whether it still does, the broker says where it is written to.
            Err(fault) if is_new => return Err(fault),
            Err(_) => {}
        }
        self.asked_at = Some(Instant::now());
        Ok(())
    }

    /// The number of the partition, unless librdkafka is to find it.
    pub(crate) fn number(&self, role: Role, placement: Placement) -> Result<Option<i32>, Fault> {
        match placement {
            Placement::Key => Ok(None),
            Placement::Number(number) => Ok(Some(number)),
            Placement::Hash(hash) => match self.known.get(&role) {
                Some(count) if *count > 0 => Ok(Some(within(hash, *count))),
                _ => Err(Fault(format!(
                    "the topic of the role `{}` is not there: run `waybill topics`",
                    role.as_str()
                ))),
            },
        }
    }
}

#[expect(clippy::cast_possible_wrap, reason = "31 bits")]
fn within(hash: u32, count: i32) -> i32 {
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

    /// Where earlier builds let librdkafka place what this one does.
    #[test]
    #[allow(unsafe_code)]
    fn a_record_goes_where_librdkafka_s_partitioner_would_have_put_it() {
        use rdkafka::bindings::rd_kafka_msg_partitioner_murmur2;
        use std::ptr::{null, null_mut};
        let mut text = String::new();
        for n in 0..5_000_u32 {
            let clear = format!("acme-line/{text}MSKU{n:07}{}", char::from(b' ' + (n % 90) as u8));
            text = "/2026-11-30".chars().take(n as usize % 12).collect();
            for count in [1, 2, 4, 7, 12, 100] {
                // SAFETY: it reads so many bytes of the key, and takes no other pointer.
                let theirs = unsafe {
                    let (key, bytes) = (clear.as_ptr().cast(), clear.len());
                    rd_kafka_msg_partitioner_murmur2(
                        null(),
                        key,
                        bytes,
                        count,
                        null_mut(),
                        null_mut(),
                    )
                };
                let counts =
                    PartitionCounts { known: [(Role::Valid, count)].into(), asked_at: None };
                let ours = counts.number(Role::Valid, Placement::of(clear.as_bytes())).unwrap();
                assert_eq!(ours, Some(theirs), "{clear} of {count}");
            }
        }
    }

    #[test]
    fn only_what_is_hashed_here_needs_the_topic() {
        let counts = PartitionCounts::default();
        assert_eq!(counts.number(Role::Valid, Placement::Key).unwrap(), None);
        assert_eq!(counts.number(Role::Valid, Placement::Number(3)).unwrap(), Some(3));
        let fault = counts.number(Role::Valid, Placement::of(b"a")).unwrap_err();
        assert!(fault.0.contains("`valid` is not there"), "{fault}");
    }
}
