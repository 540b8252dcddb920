//! The checks of sealed-event.md ("What the platform checks, in this order"). The first that
//! fails answers; this file reads from the table's first row to its last.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use waybill_schemas::{Opened, Proof, Provenance};
use waybill_sealing::content_key::ContentKey;
use waybill_sealing::header::{self, Header, HeaderError};
use waybill_sealing::jwe::{Content, Encrypted, Parts};
use waybill_sealing::platform_key::{PlatformKey, PlatformKeys, UnwrapError};
use waybill_sealing::signed::{Signed, SignedError};
use waybill_sealing::{MAX_SEALED, forms};
use waybill_stage::{Claims, Context, Failure, Fault, Reject, SealedRecord, safe_detail};

use crate::budget::{Budget, Payer};

use crate::key_cache::{Granted, KeyCache};
use crate::proof::Event;
use crate::registry::{Carrier, Status};
use crate::{Carriers, Reason};

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
    event: Event<'a>,
    may_wait: bool,
    platform_key: &'a PlatformKey,
    encrypted_key_text: &'a str,
}

impl Addressed<'_> {
    /// Whether a cached key was found out with the same platform key and the same signing key as
    /// are in force now, by value. If not, the event is judged as if nothing were cached.
    fn still_counts(&self, granted: &Granted) -> bool {
        granted.platform_key == self.platform_key.thumbprint()
            && self.event.still_signs(&granted.verdict)
    }
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

    /// Opens `record`, and names the platform key that it was sealed for; or says why not. The time of `cx` decides on revocation alone, and on what is free of
    /// the budget for RSA: a record that may wait, and that all cheaper checks have passed, comes later if
    /// nothing is.
    pub fn open(
        &self,
        cx: &Context,
        record: &SealedRecord,
        carriers: &Carriers,
        platform_keys: &PlatformKeys,
    ) -> Result<(Opened, String), Failure> {
        // oversize, malformed, unsupported, malformed
        let Parts { header, encrypted_key_text, encrypted_key, content } =
            split(record.value.as_deref())?;
        let header = Header::parse(&header).map_err(header_reject)?;
        let encrypted = encrypted(content)?;

        // key_mismatch
        if record.key.as_deref() != Some(header.sub.as_bytes()) {
            return Err(Reason::OtherKey.reject("the record's key is not `sub`").into());
        }

        // wrong_audience, unknown_carrier
        let carrier = carrier_of(&header, &self.audience, carriers)?;

        // wrong_topic
        if !carriers.may_publish(carrier, &record.sealed_topic) {
            return Err(wrong_topic(carriers, record, &header).into());
        }

        // The rest is answered to a carrier.
        let opened = platform_key(carrier, &header, platform_keys).and_then(|platform_key| {
            let event = Event {
                now_ms: cx.now_ms,
                received_at_ms: record.received_at,
                header: &header,
                carrier,
                encrypted_key: &encrypted_key,
            };
            let addressed =
                Addressed { event, may_wait: cx.may_wait, platform_key, encrypted_key_text };
            self.open_addressed(&addressed, encrypted)
        });
        // restricted: only now the type is known, and that it is the carrier's own.
        let opened = opened.and_then(|(proof, media_type, payload)| {
            match carrier.restriction(Some(&media_type), cx.now_ms) {
                Some(restriction) => Err(restriction.reject().into()),
                None => Ok((proof, media_type, payload)),
            }
        });
        let (proof, media_type, payload) =
            opened.map_err(|failure| with_claims(failure, &header))?;
        let opened = Opened {
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
        };
        Ok((opened, header.kid.into_owned()))
    }

    /// The rows from `bad_proof` on.
    fn open_addressed(
        &self,
        addressed: &Addressed<'_>,
        encrypted: Encrypted<'_>,
    ) -> Result<(Proof, String, Vec<u8>), Failure> {
        let header = addressed.event.header;
        match grant_of(header)? {
            None => {
                let (media_type, payload) = self.open_signed(addressed, encrypted)?;
                Ok((Proof::Signed, media_type, payload))
            }
            Some(grant) => {
                let payload = self.open_granted(addressed, grant, encrypted)?;
                Ok((Proof::Granted, header.cty.clone().into_owned(), payload))
            }
        }
    }

    fn open_granted(
        &self,
        addressed: &Addressed<'_>,
        grant: &str,
        encrypted: Encrypted<'_>,
    ) -> Result<Vec<u8>, Failure> {
        let event = &addressed.event;
        let cached = self
            .cache
            .get(addressed.encrypted_key_text, grant, event.now_ms)
            .filter(|granted| addressed.still_counts(granted));
        if let Some(granted) = cached {
            self.counters.cache_hits.fetch_add(1, Ordering::Relaxed);
            event.check_verdict(&granted.verdict)?;
            return open(encrypted, &granted.content_key);
        }
        self.counters.cache_misses.fetch_add(1, Ordering::Relaxed);
        let verdict = event.verify(grant)?;
        event.check_verdict(&verdict)?;
        let payer = Payer::Proven(event.carrier.id());
        let (content_key, encrypted) = self.unwrap(addressed, payer, encrypted)?;
        let granted = Arc::new(Granted {
            content_key,
            verdict,
            platform_key: addressed.platform_key.thumbprint().to_owned(),
            cached_at_ms: event.now_ms,
        });
        self.cache.insert(addressed.encrypted_key_text, grant, granted.clone());
        open(encrypted, &granted.content_key)
    }

    fn open_signed(
        &self,
        addressed: &Addressed<'_>,
        encrypted: Encrypted<'_>,
    ) -> Result<(String, Vec<u8>), Failure> {
        let event = &addressed.event;
        event.check_receipt()?;
        let payer = Payer::Claimed(event.carrier.id());
        let (content_key, encrypted) = self.unwrap(addressed, payer, encrypted)?;
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
        addressed: &Addressed<'_>,
        payer: Payer<'_>,
        encrypted: Encrypted<'e>,
    ) -> Result<(ContentKey, Encrypted<'e>), Failure> {
        let event = &addressed.event;
        if addressed.may_wait {
            let mut budget = self.budget.lock().unwrap_or_else(PoisonError::into_inner);
            if !budget.allows(payer, event.now_ms) {
                return Err(Failure::Later);
            }
        }
        self.counters.unwraps.fetch_add(1, Ordering::Relaxed);
        let reason = match addressed.platform_key.unwrap(event.encrypted_key) {
            Ok(content_key) => return Ok((content_key, encrypted)),
            Err(UnwrapError::Length) => Reason::EncryptedKeyLength,
            Err(UnwrapError::Unwrap) => Reason::EncryptedKeyUnwrap,
            // Nobody knows whether it is a good one: it stays until that is known.
            Err(UnwrapError::Unavailable(why)) => return Err(Failure::Fault(Fault(why))),
        };
        let _ = std::hint::black_box(encrypted.open(&ContentKey::new(&[0; 32])));
        Err(not_authentic(reason).into())
    }
}

/// oversize; malformed, but for the header
pub(crate) fn split(value: Option<&[u8]>) -> Result<Parts<'_>, Reject> {
    if let Some(bytes) = value.map(<[u8]>::len).filter(|bytes| *bytes > MAX_SEALED) {
        let detail = format!("{bytes} bytes are more than {MAX_SEALED}");
        return Err(Reason::TooManyBytes.reject(detail));
    }
    let value = value.ok_or_else(|| Reason::NoValue.reject("the record has no value"))?;
    Parts::split(value).map_err(|error| Reason::NotCompact.reject(error.to_string()))
}

/// malformed, of the content
pub(crate) fn encrypted(content: Content<'_>) -> Result<Encrypted<'_>, Reject> {
    content.into_encrypted().ok_or_else(|| {
        Reason::ContentLengths.reject("IV, tag and ciphertext have not 12, 16 and 1 or more bytes")
    })
}

/// wrong_audience, unknown_carrier
pub(crate) fn carrier_of<'c>(
    header: &Header<'_>,
    audience: &str,
    carriers: &'c Carriers,
) -> Result<&'c Carrier, Reject> {
    if header.aud != audience {
        return Err(shown(Reason::OtherAudience, "`aud`", &header.aud));
    }
    let carrier = carriers.get(&header.iss);
    carrier.ok_or_else(|| shown(Reason::CarrierNotRegistered, "`iss`", &header.iss))
}

/// suspended_carrier
pub(crate) fn check_status(carrier: &Carrier) -> Result<(), Reject> {
    match carrier.status {
        Status::Active => Ok(()),
        Status::Suspended => Err(Reason::CarrierSuspended.reject("the carrier is suspended")),
    }
}

/// suspended_carrier, unknown_key, retired_key
fn platform_key<'k>(
    carrier: &Carrier,
    header: &Header<'_>,
    platform_keys: &'k PlatformKeys,
) -> Result<&'k PlatformKey, Failure> {
    check_status(carrier)?;
    if platform_keys.is_retired(&header.kid) {
        return Err(shown(Reason::PlatformKeyRetired, "`kid`", &header.kid).into());
    }
    let key = platform_keys.get(&header.kid);
    key.ok_or_else(|| shown(Reason::PlatformKeyNotHeld, "`kid`", &header.kid).into())
}

/// bad_proof, of the number of proofs. `None` is a signed payload.
pub(crate) fn grant_of<'h>(header: &'h Header<'_>) -> Result<Option<&'h str>, Reject> {
    match (&header.grant, header.is_signed()) {
        (header::Grant::Absent, false) => {
            Err(Reason::NoProof.reject("neither a grant nor a signed payload"))
        }
        (header::Grant::Absent, true) => Ok(None),
        (_, true) => Err(Reason::TwoProofs.reject("a grant and a signed payload")),
        (header::Grant::Invalid, false) => {
            Err(Reason::ProofForm.reject("`grant` is no text, or empty"))
        }
        (header::Grant::Text(grant), false) => Ok(Some(grant)),
    }
}

/// not_authentic: the tag.
fn open(encrypted: Encrypted<'_>, content_key: &ContentKey) -> Result<Vec<u8>, Failure> {
    encrypted.open(content_key).map_err(|_| not_authentic(Reason::Tag).into())
}

/// The same words for all three.
pub(crate) fn not_authentic(reason: Reason) -> Reject {
    reason.reject("the event is not authentic, or was sealed for another key")
}

pub(crate) fn header_reject(error: HeaderError) -> Reject {
    let reason = match error {
        HeaderError::Json(_) => Reason::HeaderNotJson,
        HeaderError::Malformed(_) => Reason::HeaderParameter,
        HeaderError::Unsupported(_) => Reason::OtherVersion,
    };
    reason.reject(error.to_string())
}

/// A reject that repeats a text of the record, bounded and escaped.
pub(crate) fn shown(reason: Reason, name: &str, text: &str) -> Reject {
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
