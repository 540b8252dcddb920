//! What can be judged of a sealed event without a private key: so a gateway answers at once what decrypt
//! would reject later. The rows are those of [`Opener`](crate::Opener), in their order; those that need the
//! event opened are left to it.

use std::sync::Arc;

use quick_cache::sync::Cache;
use waybill_sealing::header::Header;
use waybill_sealing::published::PublishedKeys;
use waybill_stage::Reject;

use crate::checks::{
    carrier_of, check_status, encrypted, grant_of, header_reject, not_authentic, shown, split,
};
use crate::key_cache::{Key, KeyRef, Verdict};
use crate::proof::Event;
use crate::{Carriers, Reason};

/// An event in which nothing was found wrong so far. What it says is proven only if it is granted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judged {
    pub carrier_id: String,
    /// The shipment handle (`sub`): what its record has as key.
    pub handle: String,
    /// `jti`
    pub message_id: String,
    /// Of the payload; not known of a signed one.
    pub media_type: Option<String>,
}

/// Why not.
#[derive(Debug)]
pub struct Refused {
    /// What it says of itself, where so much of it could be read.
    pub message_id: Option<String>,
    pub reject: Reject,
}

impl Refused {
    fn nameless(reject: Reject) -> Self {
        Self { message_id: None, reject }
    }
}

#[derive(Debug)]
pub struct Door {
    audience: String,
    verdicts: Cache<Key, Arc<Verdict>>,
}

impl Door {
    /// `grants`: of so many the verdict on the signature is kept, at about 2 KiB each.
    pub fn new(audience: impl Into<String>, grants: usize) -> Self {
        Self { audience: audience.into(), verdicts: Cache::new(grants) }
    }

    /// Judges a record's value, as received now.
    pub fn judge(
        &self,
        now_ms: i64,
        value: &[u8],
        carriers: &Carriers,
        keys: &PublishedKeys,
    ) -> Result<Judged, Refused> {
        // oversize, malformed, unsupported, malformed
        let parts = split(Some(value)).map_err(Refused::nameless)?;
        let header =
            Header::parse(&parts.header).map_err(header_reject).map_err(Refused::nameless)?;
        let judged = encrypted(parts.content).and_then(|_| {
            // wrong_audience, unknown_carrier
            let carrier = carrier_of(&header, &self.audience, carriers)?;
            let event = Event {
                now_ms,
                received_at_ms: now_ms,
                header: &header,
                carrier,
                encrypted_key: &parts.encrypted_key,
            };
            self.judge_addressed(&event, parts.encrypted_key_text, keys)
        });
        judged.map_err(|reject| Refused { message_id: Some((*header.jti).to_owned()), reject })?;
        let media_type = (!header.is_signed()).then(|| header.cty.clone().into_owned());
        Ok(Judged {
            carrier_id: header.iss.into_owned(),
            handle: header.sub.into_owned(),
            message_id: header.jti.into_owned(),
            media_type,
        })
    }

    fn judge_addressed(
        &self,
        event: &Event<'_>,
        encrypted_key_text: &str,
        keys: &PublishedKeys,
    ) -> Result<(), Reject> {
        // suspended_carrier
        check_status(event.carrier)?;
        // unknown_key, retired_key
        let kid = &event.header.kid;
        let key = keys.get(kid).ok_or_else(|| match keys.is_retired(kid) {
            true => shown(Reason::PlatformKeyRetired, "`kid`", kid),
            false => shown(Reason::PlatformKeyNotHeld, "`kid`", kid),
        })?;
        // bad_proof, expired
        match grant_of(event.header)? {
            None => event.check_receipt()?,
            Some(grant) => self.check_grant(event, encrypted_key_text, grant)?,
        }
        // not_authentic, of its length: it tells nothing that everybody does not see
        if event.encrypted_key.len() != key.modulus_bits().div_ceil(8) {
            return Err(not_authentic(Reason::EncryptedKeyLength));
        }
        Ok(())
    }

    fn check_grant(
        &self,
        event: &Event<'_>,
        encrypted_key: &str,
        grant: &str,
    ) -> Result<(), Reject> {
        let known = self.verdicts.get(&KeyRef { encrypted_key, grant });
        if let Some(verdict) = known.filter(|verdict| event.still_signs(verdict)) {
            return event.check_verdict(&verdict);
        }
        let verdict = event.verify(grant)?;
        event.check_verdict(&verdict)?;
        let key = Key { encrypted_key: encrypted_key.into(), grant: grant.into() };
        self.verdicts.insert(key, Arc::new(verdict));
        Ok(())
    }
}
