use std::fmt;
use std::sync::{Mutex, PoisonError};

use waybill_sealing::internal;
use waybill_stage::Fault;

use crate::Role;

/// Encrypts and opens the values of internal topics, so that no broker disk holds plaintext. The
/// role and the record's key are authenticated with each value: a value cannot be moved to
/// another topic or shipment.
pub struct Values {
    sealer: Mutex<internal::Sealer>,
    opener: Mutex<internal::Opener>,
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
        })
    }

    /// Appends `plain` to `out`, encrypted if the role is confidential.
    pub(crate) fn seal(
        &self,
        role: Role,
        key: &[u8],
        plain: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), Fault> {
        if !role.is_confidential() {
            out.extend_from_slice(plain);
            return Ok(());
        }
        let mut sealer = self.sealer.lock().unwrap_or_else(PoisonError::into_inner);
        sealer
            .seal(&[role.as_str().as_bytes(), key], plain, out)
            .map_err(|e| Fault(format!("encrypting for {}: {e}", role.as_str())))
    }

    /// The plain value, or `None` if it was not written by this platform for this role and key.
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
        if !role.is_confidential() {
            out.extend_from_slice(value);
            return Ok(Some(()));
        }
        let mut opener = self.opener.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(opener.open_onto(&[role.as_str().as_bytes(), key], value, out).ok())
    }
}
