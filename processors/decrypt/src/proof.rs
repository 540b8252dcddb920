//! The rows `bad_proof` and `expired`, as far as they need no private key: whoever has an event's header
//! and the registry can judge them, the gateway too.

use waybill_sealing::forms;
use waybill_sealing::grant::{Grant, GrantError};
use waybill_sealing::header::Header;
use waybill_stage::Reject;

use crate::Reason;
use crate::checks::shown;
use crate::key_cache::Verdict;
use crate::registry::{Carrier, RegisteredKey};

/// Clocks may differ by this much, seconds.
const TOLERANCE_SECONDS: f64 = 60.0;
const TOLERANCE_MS: i64 = 60_000;

/// An event of a registered carrier.
#[derive(Clone, Copy)]
pub(crate) struct Event<'a> {
    pub now_ms: i64,
    pub received_at_ms: i64,
    pub header: &'a Header<'a>,
    pub carrier: &'a Carrier,
    pub encrypted_key: &'a [u8],
}

impl Event<'_> {
    /// Whether the signing key that gave a verdict is still the one in force, by value.
    pub fn still_signs(&self, verdict: &Verdict) -> bool {
        let registered = self.carrier.key(verdict.signer.kid());
        registered.is_some_and(|registered| registered.key == verdict.signer)
    }

    /// The part of `bad_proof` that a grant keeps for good: its form, its signature, its hash of
    /// the encrypted key.
    pub fn verify(&self, text: &str) -> Result<Verdict, Reject> {
        let form = |error: GrantError| {
            let reason = match error {
                GrantError::Jws(_) => Reason::ProofForm,
                GrantError::OtherKey => Reason::ProofMismatch,
            };
            reason.reject(format!("grant: {error}"))
        };
        let grant = Grant::parse(text).map_err(|error| form(error.into()))?;
        let key = &self.signing_key(grant.signer())?.key;
        if !grant.is_signed_by(key) {
            return Err(Reason::WrongSignature.reject("grant: wrong signature"));
        }
        let claims = grant.claims(self.encrypted_key).map_err(form)?.into_owned();
        Ok(Verdict { claims, signer: key.clone() })
    }

    /// The rest of `bad_proof`, and `expired`: for every event, cached key or not.
    pub fn check_verdict(&self, Verdict { claims, signer }: &Verdict) -> Result<(), Reject> {
        self.check_signing_key(self.signing_key(signer.kid())?, claims.iat)?;
        let header = self.header;
        for (name, claimed, expected) in [
            ("iss", &claims.iss, &header.iss),
            ("aud", &claims.aud, &header.aud),
            ("kid", &claims.kid, &header.kid),
        ] {
            if claimed != expected {
                let detail = format!("grant: `{name}` is not the one of the header");
                return Err(Reason::ProofMismatch.reject(detail));
            }
        }
        // Doubles near a present time lie on one grid of 2^-22 s, where adding whole seconds is
        // exact: the limits are inclusive to the last bit.
        if header.iat < claims.iat - TOLERANCE_SECONDS
            || header.iat > claims.exp + TOLERANCE_SECONDS
        {
            return Err(Reason::OutsideGrant.reject("`iat` is not within the grant's time"));
        }
        self.check_receipt()
    }

    pub fn signing_key(&self, kid: &str) -> Result<&RegisteredKey, Reject> {
        let not_registered = || shown(Reason::SigningKeyNotRegistered, "signing `kid`", kid);
        self.carrier.key(kid).ok_or_else(not_registered)
    }

    pub fn check_signing_key(&self, key: &RegisteredKey, signed_at: f64) -> Result<(), Reject> {
        if !key.is_valid_at(signed_at) {
            return Err(shown(Reason::SigningKeyNotValid, "signing `kid`", key.key.kid()));
        }
        if key.is_revoked(self.now_ms) {
            return Err(shown(Reason::SigningKeyRevoked, "signing `kid`", key.key.kid()));
        }
        Ok(())
    }

    /// expired, against the receipt. The limits are made of whole milliseconds and rounded once,
    /// as the `iat` that a carrier wrote in decimal was.
    pub fn check_receipt(&self) -> Result<(), Reject> {
        let (iat, received_at) = (self.header.iat, self.received_at_ms);
        if iat > forms::to_numeric_date(received_at.saturating_add(TOLERANCE_MS)) {
            return Err(Reason::AfterReceipt.reject("`iat` is more than 60 s after receipt"));
        }
        let delay = self.carrier.max_delivery_delay;
        if iat < forms::to_numeric_date(received_at.saturating_sub(delay.as_millis())) {
            return Err(Reason::TooLate.reject(format!("received more than {delay} after `iat`")));
        }
        Ok(())
    }
}
