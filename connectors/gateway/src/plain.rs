//! Plain payloads are sealed at once, in the carrier's name, under a grant that the gateway's own key has
//! signed: so nothing is produced in plain, and downstream has one rule. A carrier's entry in the registry
//! has that key, or what is sealed here is not let through.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use waybill_sealing::rsa_key::RsaPublicKey;
use waybill_sealing::seal::{
    MAX_CONTENT_KEY_LIFE_MS, Message, Proof, SealError, Sealer, SealerConfig,
};
use waybill_sealing::signing_key::PrivateSigningKey;

/// Seals for all carriers.
#[derive(Debug)]
pub struct PlainSealer {
    audience: String,
    signing_key: Arc<PrivateSigningKey>,
    of: Mutex<HashMap<String, Arc<Mutex<OfCarrier>>>>,
}

/// Content keys are a carrier's own.
#[derive(Debug)]
struct OfCarrier {
    /// Thumbprint of the platform key that it seals for.
    platform_key: String,
    sealer: Sealer,
}

impl PlainSealer {
    pub fn new(audience: impl Into<String>, signing_key: PrivateSigningKey) -> Self {
        let signing_key = Arc::new(signing_key);
        Self { audience: audience.into(), signing_key, of: Mutex::default() }
    }

    /// The sealed event.
    pub fn seal(
        &self,
        now_ms: i64,
        carrier_id: &str,
        platform_key: &RsaPublicKey,
        message: &Message<'_>,
    ) -> Result<String, SealError> {
        let of = self.of(carrier_id, platform_key)?;
        let mut of = of.lock().unwrap_or_else(PoisonError::into_inner);
        let thumbprint = platform_key.thumbprint();
        if of.platform_key != thumbprint {
            *of = self.begin(carrier_id, platform_key, thumbprint)?;
        }
        of.sealer.seal(now_ms, message)
    }

    fn of(
        &self,
        carrier_id: &str,
        platform_key: &RsaPublicKey,
    ) -> Result<Arc<Mutex<OfCarrier>>, SealError> {
        let mut all = self.of.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(of) = all.get(carrier_id) {
            return Ok(of.clone());
        }
        let of = self.begin(carrier_id, platform_key, platform_key.thumbprint())?;
        Ok(all.entry(carrier_id.to_owned()).or_insert(Arc::new(Mutex::new(of))).clone())
    }

    fn begin(
        &self,
        carrier_id: &str,
        platform_key: &RsaPublicKey,
        thumbprint: String,
    ) -> Result<OfCarrier, SealError> {
        let sealer = Sealer::new(SealerConfig {
            issuer: carrier_id.to_owned(),
            audience: self.audience.clone(),
            platform_key: platform_key.clone(),
            signing_key: self.signing_key.clone(),
            proof: Proof::Granted,
            content_key_life_ms: MAX_CONTENT_KEY_LIFE_MS,
        })?;
        Ok(OfCarrier { platform_key: thumbprint, sealer })
    }
}
