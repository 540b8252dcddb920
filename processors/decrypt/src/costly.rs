//! Which records will cost a private RSA operation, seen before they are judged.

use waybill_sealing::MAX_SEALED;
use waybill_sealing::header::Header;
use waybill_sealing::jwe::Parts;
use waybill_stage::SealedRecord;

use crate::Opener;
use crate::key_cache::Tail;

impl Opener {
    /// A signed event has a content key of its own. A granted one shares it with others: the first of
    /// them pays, and the key cache knows it from then on. For one whose key it knows nothing is
    /// parsed here.
    pub fn costly(&self, records: &[SealedRecord]) -> Vec<usize> {
        let mut granted: Vec<Tail> = Vec::new();
        let mut costly = Vec::new();
        for (n, record) in records.iter().enumerate() {
            let Some(value) = record.value.as_deref().filter(|value| value.len() <= MAX_SEALED)
            else {
                continue;
            };
            let Some(tail) = encrypted_key_text(value).and_then(Tail::of) else { continue };
            if self.cache().knows(tail) || granted.contains(&tail) {
                continue;
            }
            let Ok(parts) = Parts::split(value) else { continue };
            let Ok(header) = Header::parse(&parts.header) else { continue };
            if !header.is_signed() {
                granted.push(tail);
            }
            costly.push(n);
        }
        costly
    }
}

/// The second part of a compact JWE, if it is one.
fn encrypted_key_text(value: &[u8]) -> Option<&[u8]> {
    value.split(|byte| *byte == b'.').nth(1)
}
