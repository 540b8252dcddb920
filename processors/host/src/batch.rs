use std::collections::BTreeMap;
use std::ops::Range;
use std::time::Duration;

use waybill_schemas::RejectRecord;
use waybill_schemas::Role;

use crate::event::Now;
use crate::input::Input;
use crate::ledger::{Ledger, LedgerRange};
use crate::metrics::Tally;
use crate::placement::Placement;
use crate::protocol::CommittedOffset;
use crate::state_log::origin;
use crate::topic_cipher::TopicCipher;

/// When a batch is closed, whichever comes first.
#[derive(Clone, Copy, Debug)]
pub struct BatchLimits {
    pub records: usize,
    /// Of keys and values going out (transactions) or coming in (sink).
    pub bytes: usize,
    pub age: Duration,
}

/// What one transaction will hold: outputs, rejects, state, and how far each input partition was
/// read. Bytes lie in one arena, so a record costs no allocation.
#[derive(Debug, Default)]
pub struct Batch {
    arena: Vec<u8>,
    outputs: Vec<Output>,
    /// What the commit says of each input partition.
    pub offsets: BTreeMap<Input, CommittedOffset>,
    pub records: usize,
    /// When its first record was read ([`Now::at`]).
    pub opened_at: Option<Duration>,
    pub tally: Tally,
    pub ledger: Ledger,
    scratch: Vec<u8>,
}

#[derive(Debug)]
struct Output {
    role: Role,
    placement: Placement,
    key: Range<usize>,
    /// Absent: a tombstone.
    value: Option<Range<usize>>,
}

/// An output as the committer sends it.
#[derive(Debug)]
pub struct Outgoing<'a> {
    pub role: Role,
    pub placement: Placement,
    pub key: &'a [u8],
    pub value: Option<&'a [u8]>,
}

impl Batch {
    /// Adds `record`, which is about `key`, encrypted if the role is internal: under `key`, or under a
    /// pseudonym of it where records are about shipments.
    pub fn put<R: waybill_schemas::Record>(
        &mut self,
        cipher: &TopicCipher,
        role: Role,
        partition: Option<i32>,
        key: &[u8],
        record: &R,
    ) -> Result<(), waybill_stage::Fault> {
        self.scratch.clear();
        waybill_schemas::encode(record, &mut self.scratch)
            .map_err(|e| waybill_stage::Fault(format!("encoding for {}: {e}", role.as_str())))?;
        self.ledger.wrote(role);
        let (pseudonym, by_hash) = if role.is_of_shipments() {
            (Some(cipher.pseudonym(role, key)?), Placement::of(key))
        } else {
            (None, Placement::Key)
        };
        let placement = partition.map_or(by_hash, Placement::Number);
        let key = pseudonym.as_ref().map_or(key, AsRef::as_ref);
        let kept = self.keep(key);
        let from = self.arena.len();
        cipher.seal(role, key, &self.scratch, &mut self.arena)?;
        let value = Some(from..self.arena.len());
        self.outputs.push(Output { role, placement, key: kept, value });
        Ok(())
    }

    /// A value of the changelog, of that batch of its partition, under `key` as it is; `None` takes the key's
    /// record away.
    pub fn put_state(
        &mut self,
        cipher: &TopicCipher,
        (partition, batch): (i32, u64),
        key: &[u8],
        record: Option<&waybill_schemas::ShipmentHistory>,
    ) -> Result<(), waybill_stage::Fault> {
        let role = Role::AggregateState;
        self.scratch.clear();
        if let Some(record) = record {
            waybill_schemas::encode(record, &mut self.scratch).map_err(|e| {
                waybill_stage::Fault(format!("encoding for {}: {e}", role.as_str()))
            })?;
        }
        let kept = self.keep(key);
        let from = self.arena.len();
        cipher.seal_from(role, key, &origin(batch), &self.scratch, &mut self.arena)?;
        let value = Some(from..self.arena.len());
        let placement = Placement::Number(partition);
        self.outputs.push(Output { role, placement, key: kept.clone(), value });
        if record.is_none() {
            // What lets the broker forget it.
            self.outputs.push(Output { role, placement, key: kept, value: None });
        }
        Ok(())
    }

    pub fn put_reject(
        &mut self,
        cipher: &TopicCipher,
        record: &RejectRecord,
    ) -> Result<(), waybill_stage::Fault> {
        self.put(cipher, Role::Rejects, None, record.carrier_id.as_bytes(), record)
    }

    /// Appends the ledger's entry of a range, which closes it: it goes out with the batch.
    pub fn append_entry(
        &mut self,
        cipher: &TopicCipher,
        stages: &str,
        range: LedgerRange<'_>,
        now_ms: i64,
    ) -> Result<(), waybill_stage::Fault> {
        let entry = self.ledger.take(stages, range, now_ms);
        let key = format!("{stages}/{}-{}", entry.topic, entry.partition);
        self.put(cipher, Role::Ledger, None, key.as_bytes(), &entry)
    }

    fn keep(&mut self, bytes: &[u8]) -> Range<usize> {
        let from = self.arena.len();
        self.arena.extend_from_slice(bytes);
        from..self.arena.len()
    }

    /// A record is taken in: what comes of it follows.
    pub fn read(&mut self, input: &Input, offset: i64, now: Now) {
        let committed = CommittedOffset { offset: offset + 1, metadata: String::new() };
        match self.offsets.get_mut(input) {
            Some(known) => *known = committed,
            None => self.set_offset(input.clone(), committed),
        }
        self.ledger.open(input);
        self.ledger.read(1);
        self.records += 1;
        if self.opened_at.is_none() {
            self.opened_at = Some(now.at);
        }
    }

    pub fn set_offset(&mut self, input: Input, offset: CommittedOffset) {
        self.offsets.insert(input, offset);
    }

    pub fn outgoing(&self) -> impl Iterator<Item = Outgoing<'_>> {
        self.outputs.iter().map(|o| Outgoing {
            role: o.role,
            placement: o.placement,
            key: self.arena.get(o.key.clone()).unwrap_or_default(),
            value: o.value.clone().and_then(|range| self.arena.get(range)),
        })
    }

    /// Roles of records that are placed by what their keys stand for.
    pub fn hashed_roles(&self) -> impl Iterator<Item = Role> {
        let hashed = |o: &&Output| matches!(o.placement, Placement::Hash(_));
        self.outputs.iter().filter(hashed).map(|o| o.role)
    }

    pub fn bytes(&self) -> usize {
        self.arena.len()
    }

    pub fn is_empty(&self) -> bool {
        self.records == 0
    }

    /// Empties it and keeps its memory, unless one batch had grown it much.
    pub fn reset(&mut self, keep_bytes: usize) {
        self.arena.clear();
        self.arena.shrink_to(keep_bytes);
        self.outputs.clear();
        self.offsets.clear();
        self.records = 0;
        self.opened_at = None;
        self.tally.clear();
        self.ledger.clear();
    }
}

#[cfg(test)]
mod tests {
    use waybill_schemas::Redrive;
    use waybill_sealing::internal::InternalKey;

    use super::*;
    use crate::topic_cipher::RoleKeys;

    /// By the key, and where it goes: a record about `clear` on each internal topic.
    fn put(cipher: &TopicCipher, clear: &[u8]) -> Vec<(Role, Vec<u8>, Placement)> {
        let record = Redrive {
            source_partition: 0,
            source_offset: 0,
            sealed_topic: String::new(),
            received_at: 0,
            attempt: 1,
            sealed: Vec::new(),
            answers: Vec::new(),
        };
        let mut batch = Batch::default();
        for role in Role::ALL.into_iter().filter(|role| role.is_internal()) {
            batch.put(cipher, role, None, clear, &record).unwrap();
        }
        for out in batch.outgoing() {
            let opened = cipher.open(out.role, out.key, out.value.unwrap()).unwrap();
            assert!(opened.is_some(), "{:?} does not open under its own key", out.role);
        }
        batch.outgoing().map(|out| (out.role, out.key.to_vec(), out.placement)).collect()
    }

    #[test]
    fn records_about_shipments_have_pseudonyms_for_keys_and_keep_their_partitions() {
        let [old, new] = [0, 1].map(|_| InternalKey::generate().unwrap());
        let cipher = TopicCipher::new(&RoleKeys::of(&old).unwrap(), || 0).unwrap();
        let clear = b"acme-line/MSKU1234565";
        let first = put(&cipher, clear);
        assert_eq!(put(&cipher, clear), first);
        let hidden: Vec<_> = first.iter().filter(|(_, key, _)| key != clear).collect();
        let roles: Vec<_> = hidden.iter().map(|(role, ..)| *role).collect();
        use Role::{AggregateState, Enriched, Events, Shipments, Valid};
        assert_eq!(roles, [Valid, Enriched, Events, Shipments, AggregateState]);
        let of_before = (first.len() - hidden.len(), Placement::Key);
        let by_key = first.iter().filter(|(_, key, at)| key == clear && *at == of_before.1);
        assert_eq!(by_key.count(), of_before.0);
        // Another on each topic; and the partition goes by what it stands for.
        let keys: std::collections::BTreeSet<_> = hidden.iter().map(|(_, key, _)| key).collect();
        assert_eq!(keys.len(), hidden.len());
        assert!(hidden.iter().all(|(.., at)| *at == Placement::of(clear)));
        // Another internal key makes others, which go to the same partitions.
        cipher.take_up(&RoleKeys::of(&new).unwrap()).unwrap();
        for ((role, before, at), (_, key, now_at)) in first.iter().zip(put(&cipher, clear)) {
            assert_eq!(*before != key, role.is_of_shipments(), "{role:?}");
            assert_eq!(*at, now_at);
        }
    }
}
