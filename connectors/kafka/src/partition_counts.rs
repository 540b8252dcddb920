//! How many partitions the topics have that records are placed in by a hash.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use rdkafka::client::{Client, ClientContext};
use waybill_host::placement::{Placement, within};
use waybill_schemas::Role;
use waybill_stage::Fault;

use crate::Topics;
use crate::topic_identity::identities;

/// As often as librdkafka looks by itself for its own partitioner, about.
const LOOK_EVERY: Duration = Duration::from_secs(30);
const LOOKUP_TIMEOUT: Duration = Duration::from_secs(5);

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

#[cfg(test)]
mod tests {
    use super::*;

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
