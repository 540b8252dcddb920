use std::fmt;
use std::sync::{Mutex, PoisonError};

use waybill_sealing::internal::{self, OpenError};
use waybill_stage::Fault;

use crate::Role;

/// How a value in Avro single-object encoding begins.
const AVRO: [u8; 2] = [0xC3, 0x01];

/// Encrypts and opens the values of internal topics, so that no broker disk holds plaintext. The
/// role and the record's key are authenticated with each value: a value cannot be moved to
/// another topic or shipment.
pub struct Values {
    sealer: Mutex<internal::Sealer>,
    opener: Mutex<internal::Opener>,
    takes_plain: bool,
}

impl fmt::Debug for Values {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Values")
    }
}

impl Values {
    pub fn new(key: &internal::InternalKey) -> Result<Self, Fault> {
        let fault = |e| Fault(format!("internal key: {e}"));
        Ok(Self {
            sealer: Mutex::new(internal::Sealer::new(key).map_err(fault)?),
            opener: Mutex::new(internal::Opener::new(key)),
            takes_plain: false,
        })
    }

    /// Takes plain Avro where earlier builds wrote such (redrive, rejects, ledger), until what they wrote
    /// has been read: meanwhile whoever may write to these topics is believed.
    pub fn taking_plain(self, takes_plain: bool) -> Self {
        Self { takes_plain, ..self }
    }

    /// Appends `plain` to `out`, encrypted if the role is internal.
    pub(crate) fn seal(
        &self,
        role: Role,
        key: &[u8],
        plain: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), Fault> {
        if !role.is_internal() {
            out.extend_from_slice(plain);
            return Ok(());
        }
        let mut sealer = self.sealer.lock().unwrap_or_else(PoisonError::into_inner);
        sealer
            .seal(&[role.as_str().as_bytes(), key], plain, out)
            .map_err(|e| Fault(format!("encrypting for {}: {e}", role.as_str())))
    }

    /// The plain value, or `None` if it was not written by this platform for this role and key. What was
    /// sealed with a key or in a form that is not known here is a fault: it may be ours, and opens once this
    /// process is put right. A reject would lose it.
    pub(crate) fn open(
        &self,
        role: Role,
        key: &[u8],
        value: &[u8],
    ) -> Result<Option<Vec<u8>>, Fault> {
        let mut plain = Vec::with_capacity(value.len());
        Ok(self.open_onto(role, key, value, &mut plain)?.map(|()| plain))
    }

    /// Appends the plain value to `out`; or nothing, and `None`, if it was not written by this
    /// platform for this role and key.
    pub(crate) fn open_onto(
        &self,
        role: Role,
        key: &[u8],
        value: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<Option<()>, Fault> {
        let is_plain = self.takes_plain && role.was_plain() && value.starts_with(&AVRO);
        if !role.is_internal() || is_plain {
            out.extend_from_slice(value);
            return Ok(Some(()));
        }
        let mut opener = self.opener.lock().unwrap_or_else(PoisonError::into_inner);
        match opener.open_onto(&[role.as_str().as_bytes(), key], value, out) {
            Ok(()) => Ok(Some(())),
            Err(OpenError::NotAuthentic) => Ok(None),
            Err(error @ OpenError::UnknownKey(_)) => Err(Fault(format!(
                "a record is {error}: give this process the keys folder (internal.key) of those that \
                 write to the topic"
            ))),
            Err(error @ OpenError::LaterVersion(_)) => Err(Fault(format!(
                "a record is {error}: upgrade those that read before those that write"
            ))),
        }
    }
}

#[cfg(test)]
mod tests {
    use waybill_sealing::internal::InternalKey;

    use super::*;

    #[test]
    fn what_may_be_ours_is_a_fault_and_what_cannot_be_is_nobodys() {
        let key = InternalKey::generate().unwrap();
        let values = Values::new(&key).unwrap();
        let others = Values::new(&InternalKey::generate().unwrap()).unwrap();
        for role in Role::ALL.into_iter().filter(|role| role.is_internal()) {
            let mut sealed = Vec::new();
            values.seal(role, b"k", b"plain", &mut sealed).unwrap();
            assert_eq!(values.open(role, b"k", &sealed).unwrap().unwrap(), b"plain");
            assert_eq!(values.open(role, b"other", &sealed).unwrap(), None);
            let fault = others.open(role, b"k", &sealed).unwrap_err();
            assert!(fault.0.contains("give this process the keys folder"), "{fault}");
            sealed[0] = 2;
            let fault = values.open(role, b"k", &sealed).unwrap_err();
            assert!(fault.0.contains("upgrade those that read before"), "{fault}");
            assert_eq!(values.open(role, b"k", b"{}").unwrap(), None);
        }
    }

    #[test]
    fn plain_values_are_taken_only_where_it_is_said_and_only_where_they_were_written() {
        let key = InternalKey::generate().unwrap();
        let plain = [&AVRO[..], b"anything"].concat();
        let strict = Values::new(&key).unwrap();
        let migrating = Values::new(&key).unwrap().taking_plain(true);
        for role in Role::ALL.into_iter().filter(|role| role.is_internal()) {
            assert_eq!(strict.open(role, b"k", &plain).unwrap(), None);
            let expected = role.was_plain().then(|| plain.clone());
            assert_eq!(migrating.open(role, b"k", &plain).unwrap(), expected);
        }
    }
}
