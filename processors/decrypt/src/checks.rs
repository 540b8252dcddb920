//! The checks of sealed-event.md ("What the platform checks, in this order"). The first that
//! fails answers; this file reads from the table's first row to its last.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use waybill_schemas::{Opened, Proof, Provenance};
use waybill_sealing::content_key::ContentKey;
use waybill_sealing::grant::{Grant, GrantError};
use waybill_sealing::header::{self, Header, HeaderError};
use waybill_sealing::jwe::{Encrypted, Parts};
use waybill_sealing::platform_key::{PlatformKey, PlatformKeys, UnwrapError};
use waybill_sealing::signed::{Signed, SignedError};
use waybill_sealing::{MAX_SEALED, forms};
use waybill_stage::{Claims, Context, Failure, Fault, Reject, SealedRecord, safe_detail};

use crate::budget::{Budget, Payer};

use crate::key_cache::{Granted, KeyCache, Verdict};
use crate::registry::{Carrier, RegisteredKey, Status};
use crate::{Carriers, Reason};

/// Clocks may differ by this much, seconds.
const TOLERANCE_SECONDS: f64 = 60.0;
const TOLERANCE_MS: i64 = 60_000;
/// Characters of a record's text that an answer repeats.
const SHOWN: usize = 64;

#[derive(Clone, Debug)]
pub struct Settings {
    /// The deployment: what events must have as `aud`.
    pub audience: String,
    /// Content keys kept, at most; each takes about 2 KiB.
    pub cached_keys: usize,
    /// How long a content key is kept, ms.
    pub cached_key_age_ms: i64,
    /// RSA operations a second, for records that may wait and that are not proven before: what is beyond
    /// waits. One takes from 1 to 7 ms of a core.
    pub unwraps_per_second: u32,
    /// For one carrier, of what is not proven, and as many of what is.
    pub unwraps_per_second_per_carrier: u32,
}

impl Settings {
    /// 4096 keys for an hour, which is as long as a carrier uses one; and RSA for about a tenth of a core.
    pub fn new(audience: impl Into<String>) -> Self {
        Self {
            audience: audience.into(),
            cached_keys: 4096,
            cached_key_age_ms: 3_600_000,
            unwraps_per_second: 50,
            unwraps_per_second_per_carrier: 25,
        }
    }
}

/// What the host shows as metrics. They only grow.
#[derive(Debug, Default)]
pub struct Counters {
    /// Granted events whose content key was in the cache, and counted.
    pub cache_hits: AtomicU64,
    pub cache_misses: AtomicU64,
    /// RSA operations, for either proof.
    pub unwraps: AtomicU64,
}

/// Opens sealed records. Shared by all stages of a process.
#[derive(Debug)]
pub struct Opener {
    audience: String,
    cache: KeyCache,
    budget: Mutex<Budget>,
    counters: Counters,
}

/// A record that has passed the rows before the proof.
struct Addressed<'a> {
    now_ms: i64,
    may_wait: bool,
    received_at_ms: i64,
    header: &'a Header<'a>,
    carrier: &'a Carrier,
    platform_key: &'a PlatformKey,
    encrypted_key_text: &'a str,
    encrypted_key: &'a [u8],
}

impl Opener {
    pub fn new(settings: Settings) -> Self {
        Self {
            audience: settings.audience,
            cache: KeyCache::new(settings.cached_keys, settings.cached_key_age_ms),
            budget: Mutex::new(Budget::new(
                settings.unwraps_per_second,
                settings.unwraps_per_second_per_carrier,
            )),
            counters: Counters::default(),
        }
    }

    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    pub(crate) fn cache(&self) -> &KeyCache {
        &self.cache
    }

    /// Content keys in the cache now.
    pub fn cached_keys(&self) -> usize {
        self.cache.len()
    }

    /// Drops content keys that are too old. Opening does it, too; a host that calls this while
    /// nothing comes in keeps the bound on their age then as well.
    pub fn sweep(&self, now_ms: i64) {
        self.cache.sweep(now_ms);
    }

    /// Opens `record`, or says why not. The time of `cx` decides on revocation alone, and on what is free of
    /// the budget for RSA: a record that may wait, and that all cheaper checks have passed, comes later if
    /// nothing is.
    pub fn open(
        &self,
        cx: &Context,
        record: &SealedRecord,
        carriers: &Carriers,
        platform_keys: &PlatformKeys,
    ) -> Result<Opened, Failure> {
        // oversize
        let value = record.value.as_deref();
        if let Some(bytes) = value.map(<[u8]>::len).filter(|bytes| *bytes > MAX_SEALED) {
            let detail = format!("{bytes} bytes are more than {MAX_SEALED}");
            return Err(Reason::TooManyBytes.reject(detail).into());
        }

        // malformed, unsupported, malformed
        let value = value.ok_or_else(|| Reason::NoValue.reject("the record has no value"))?;
        let Parts { header, encrypted_key_text, encrypted_key, content } =
            Parts::split(value).map_err(|error| Reason::NotCompact.reject(error.to_string()))?;
        let header = Header::parse(&header).map_err(header_reject)?;
        let encrypted = content.into_encrypted().ok_or_else(|| {
            Reason::ContentLengths
                .reject("IV, tag and ciphertext have not 12, 16 and 1 or more bytes")
        })?;

        // key_mismatch
        if record.key.as_deref() != Some(header.sub.as_bytes()) {
            return Err(Reason::OtherKey.reject("the record's key is not `sub`").into());
        }

        // wrong_audience
        if header.aud != self.audience {
            return Err(shown(Reason::OtherAudience, "`aud`", &header.aud).into());
        }

        // unknown_carrier
        let Some(carrier) = carriers.get(&header.iss) else {
            return Err(shown(Reason::CarrierNotRegistered, "`iss`", &header.iss).into());
        };

        // wrong_topic
        if !carriers.may_publish(carrier, &record.sealed_topic) {
            return Err(wrong_topic(carriers, record, &header).into());
        }

        // The rest is answered to a carrier.
        let opened = platform_key(carrier, &header, platform_keys).and_then(|platform_key| {
            let addressed = Addressed {
                now_ms: cx.now_ms,
                may_wait: cx.may_wait,
                received_at_ms: record.received_at,
                header: &header,
                carrier,
                platform_key,
                encrypted_key_text,
                encrypted_key: &encrypted_key,
            };
            self.open_addressed(&addressed, encrypted)
        });
        let (proof, media_type, payload) =
            opened.map_err(|failure| with_claims(failure, &header))?;
        Ok(Opened {
            provenance: Arc::new(Provenance {
                carrier_id: header.iss.into_owned(),
                handle: header.sub.into_owned(),
                message_id: header.jti.into_owned(),
                source_partition: record.source_partition,
                source_offset: record.source_offset,
                sealed_at: forms::to_millis(header.iat),
                received_at: record.received_at,
                opened_at: cx.now_ms,
                attempt: record.attempt,
                sealed_topic: record.sealed_topic.clone(),
            }),
            proof,
            media_type,
            payload,
        })
    }

    /// The rows from `bad_proof` on.
    fn open_addressed(
        &self,
        event: &Addressed<'_>,
        encrypted: Encrypted<'_>,
    ) -> Result<(Proof, String, Vec<u8>), Failure> {
        match (&event.header.grant, event.header.is_signed()) {
            (header::Grant::Absent, false) => {
                Err(Reason::NoProof.reject("neither a grant nor a signed payload").into())
            }
            (header::Grant::Absent, true) => {
                let (media_type, payload) = self.open_signed(event, encrypted)?;
                Ok((Proof::Signed, media_type, payload))
            }
            (_, true) => Err(Reason::TwoProofs.reject("a grant and a signed payload").into()),
            (header::Grant::Invalid, false) => {
                Err(Reason::ProofForm.reject("`grant` is no text, or empty").into())
            }
            (header::Grant::Text(grant), false) => {
                let payload = self.open_granted(event, grant, encrypted)?;
                Ok((Proof::Granted, event.header.cty.clone().into_owned(), payload))
            }
        }
    }

    fn open_granted(
        &self,
        event: &Addressed<'_>,
        grant: &str,
        encrypted: Encrypted<'_>,
    ) -> Result<Vec<u8>, Failure> {
        let cached = self
            .cache
            .get(event.encrypted_key_text, grant, event.now_ms)
            .filter(|granted| event.still_counts(granted));
        if let Some(granted) = cached {
            self.counters.cache_hits.fetch_add(1, Ordering::Relaxed);
            event.check_verdict(&granted.verdict)?;
            return open(encrypted, &granted.content_key);
        }
        self.counters.cache_misses.fetch_add(1, Ordering::Relaxed);
        let verdict = event.verify(grant)?;
        event.check_verdict(&verdict)?;
        let payer = Payer::Proven(event.carrier.id());
        let (content_key, encrypted) = self.unwrap(event, payer, encrypted)?;
        let granted = Arc::new(Granted {
            content_key,
            verdict,
            platform_key: event.platform_key.thumbprint().to_owned(),
            cached_at_ms: event.now_ms,
        });
        self.cache.insert(event.encrypted_key_text, grant, granted.clone());
        open(encrypted, &granted.content_key)
    }

    fn open_signed(
        &self,
        event: &Addressed<'_>,
        encrypted: Encrypted<'_>,
    ) -> Result<(String, Vec<u8>), Failure> {
        event.check_receipt()?;
        let payer = Payer::Claimed(event.carrier.id());
        let (content_key, encrypted) = self.unwrap(event, payer, encrypted)?;
        let plaintext = open(encrypted, &content_key)?;
        // bad_proof, of what could only be seen now
        let signed = Signed::parse(&plaintext, event.header).map_err(|error| {
            let reason = match error {
                SignedError::Differs(_) => Reason::ProofMismatch,
                SignedError::Jws(_) | SignedError::Empty => Reason::ProofForm,
            };
            reason.reject(format!("signed payload: {error}"))
        })?;
        let key = event.signing_key(signed.signer())?;
        event.check_signing_key(key, event.header.iat)?;
        if !signed.is_signed_by(&key.key) {
            return Err(Reason::WrongSignature.reject("signed payload: wrong signature").into());
        }
        Ok(signed.into_content())
    }

    /// not_authentic: the encrypted key. If it gives no content key, another one is tried, so that
    /// the time does not tell which of the checks failed (RFC 7516 section 11.5); whatever comes
    /// of that, the event is rejected.
    fn unwrap<'e>(
        &self,
        event: &Addressed<'_>,
        payer: Payer<'_>,
        encrypted: Encrypted<'e>,
    ) -> Result<(ContentKey, Encrypted<'e>), Failure> {
        if event.may_wait {
            let mut budget = self.budget.lock().unwrap_or_else(PoisonError::into_inner);
            if !budget.allows(payer, event.now_ms) {
                return Err(Failure::Later);
            }
        }
        self.counters.unwraps.fetch_add(1, Ordering::Relaxed);
        let reason = match event.platform_key.unwrap(event.encrypted_key) {
            Ok(content_key) => return Ok((content_key, encrypted)),
            Err(UnwrapError::Length) => Reason::EncryptedKeyLength,
            Err(UnwrapError::Unwrap) => Reason::EncryptedKeyUnwrap,
            // Nobody knows whether it is a good one: it stays until that is known.
            Err(UnwrapError::Unavailable(why)) => return Err(Failure::Fault(Fault(why))),
        };
        let _ = std::hint::black_box(encrypted.open(&ContentKey::new(&[0; 32])));
        Err(not_authentic(reason))
    }
}

/// suspended_carrier, unknown_key, retired_key
fn platform_key<'k>(
    carrier: &Carrier,
    header: &Header<'_>,
    platform_keys: &'k PlatformKeys,
) -> Result<&'k PlatformKey, Failure> {
    if carrier.status == Status::Suspended {
        return Err(Reason::CarrierSuspended.reject("the carrier is suspended").into());
    }
    if platform_keys.is_retired(&header.kid) {
        return Err(shown(Reason::PlatformKeyRetired, "`kid`", &header.kid).into());
    }
    let key = platform_keys.get(&header.kid);
    key.ok_or_else(|| shown(Reason::PlatformKeyNotHeld, "`kid`", &header.kid).into())
}

impl Addressed<'_> {
    /// Whether a cached key was found out with the same platform key and the same signing key as
    /// are in force now, by value. If not, the event is judged as if nothing were cached.
    fn still_counts(&self, granted: &Granted) -> bool {
        let signer = &granted.verdict.signer;
        granted.platform_key == self.platform_key.thumbprint()
            && self.carrier.key(signer.kid()).is_some_and(|registered| registered.key == *signer)
    }

    /// The part of `bad_proof` that a grant keeps for good: its form, its signature, its hash of
    /// the encrypted key.
    fn verify(&self, text: &str) -> Result<Verdict, Failure> {
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
            return Err(Reason::WrongSignature.reject("grant: wrong signature").into());
        }
        let claims = grant.claims(self.encrypted_key).map_err(form)?.into_owned();
        Ok(Verdict { claims, signer: key.clone() })
    }

    /// The rest of `bad_proof`, and `expired`: for every event, cached key or not.
    fn check_verdict(&self, Verdict { claims, signer }: &Verdict) -> Result<(), Reject> {
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

    fn signing_key(&self, kid: &str) -> Result<&RegisteredKey, Reject> {
        let not_registered = || shown(Reason::SigningKeyNotRegistered, "signing `kid`", kid);
        self.carrier.key(kid).ok_or_else(not_registered)
    }

    fn check_signing_key(&self, key: &RegisteredKey, signed_at: f64) -> Result<(), Reject> {
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
    fn check_receipt(&self) -> Result<(), Reject> {
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

/// not_authentic: the tag.
fn open(encrypted: Encrypted<'_>, content_key: &ContentKey) -> Result<Vec<u8>, Failure> {
    encrypted.open(content_key).map_err(|_| not_authentic(Reason::Tag))
}

/// The same words for all three.
fn not_authentic(reason: Reason) -> Failure {
    reason.reject("the event is not authentic, or was sealed for another key").into()
}

fn header_reject(error: HeaderError) -> Reject {
    let reason = match error {
        HeaderError::Json(_) => Reason::HeaderNotJson,
        HeaderError::Malformed(_) => Reason::HeaderParameter,
        HeaderError::Unsupported(_) => Reason::OtherVersion,
    };
    reason.reject(error.to_string())
}

/// A reject that repeats a text of the record, bounded and escaped.
fn shown(reason: Reason, name: &str, text: &str) -> Reject {
    let problem = match reason {
        Reason::OtherAudience => "is another deployment",
        Reason::OtherTopic => "may not publish to this topic",
        Reason::PlatformKeyRetired => "is retired",
        Reason::SigningKeyNotValid => "was not valid when it signed",
        Reason::SigningKeyRevoked => "is revoked",
        _ => "is not known",
    };
    reason.reject(format!("{name} {problem}: {}", safe_detail(text, SHOWN)))
}

/// What such a record claims is not true: the answer goes to the carrier whose topic it is, if it is one's
/// alone, since nobody else may write to it.
fn wrong_topic(carriers: &Carriers, record: &SealedRecord, header: &Header<'_>) -> Reject {
    let mut reject = shown(Reason::OtherTopic, "`iss`", &header.iss);
    let owner = carriers.owner(&record.sealed_topic).unwrap_or_default().to_owned();
    reject.claims = Some(Box::new(Claims { carrier_id: owner, ..Claims::default() }));
    reject
}

/// What the record says of itself, for the dead letter; its carrier is a registered one.
fn with_claims(failure: Failure, header: &Header<'_>) -> Failure {
    match failure {
        Failure::Reject(mut reject) => {
            reject.claims = Some(Box::new(Claims {
                carrier_id: header.iss.clone().into_owned(),
                handle: header.sub.clone().into_owned(),
                message_id: header.jti.clone().into_owned(),
                sealed_at: Some(forms::to_millis(header.iat)),
            }));
            Failure::Reject(reject)
        }
        other => other,
    }
}
