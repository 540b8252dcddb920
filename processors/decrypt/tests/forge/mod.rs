//! Makes events of any kind, right and wrong, out of the primitives: what a sealer would refuse
//! to make must be rejected all the same.
// Each test uses a part of it.
#![allow(dead_code, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fmt::Write as _;

use waybill_decrypt::{
    Carrier, Carriers, Door, Judged, Opener, PlatformKeys, Reason, Refused, RegisteredKey, Settings,
};
use waybill_schemas::{Opened, Proof};
use waybill_sealing::base64url::encode;
use waybill_sealing::content_key::ContentKey;
use waybill_sealing::header::Header;
use waybill_sealing::jwe::Parts;
use waybill_sealing::platform_key::{KeyState, PlatformKey};
use waybill_sealing::published::{Published, PublishedKeys};
use waybill_sealing::signing_key::PrivateSigningKey;
use waybill_stage::{Context, Failure, Reject, SealedRecord};

/// When events are sealed, seconds and ms.
pub const IAT: f64 = 1_763_990_400.125;
pub const T: i64 = 1_763_990_400_125;
pub const AUDIENCE: &str = "waybill:test";
pub const PAYLOAD: &[u8] = b"{\"a\":1}";

pub fn fixture(name: &str) -> String {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/");
    std::fs::read_to_string(format!("{path}{name}")).unwrap()
}

pub fn signing_key(name: &str) -> PrivateSigningKey {
    let pem = fixture(&format!("test-key-carrier-{name}.pem"));
    PrivateSigningKey::from_pem(&pem, None).unwrap().with_kid(name)
}

pub fn platform_key(file: &str, kid: &str, state: KeyState) -> PlatformKey {
    let pem = fixture(&format!("test-key-{file}.pem"));
    PlatformKey::from_pem(kid, state, &pem, None).unwrap()
}

/// A platform that knows `acme-line` with two signing keys.
pub struct World {
    pub opener: Opener,
    pub carriers: Carriers,
    pub keys: PlatformKeys,
    /// The moment of opening, ms.
    pub now_ms: i64,
}

impl World {
    pub fn new() -> Self {
        let mut acme = Carrier::new("acme-line", "Acme Line").unwrap();
        for name in ["ed25519", "es256"] {
            acme.add_key(RegisteredKey::new(signing_key(name).public().clone())).unwrap();
        }
        let mut carriers = Carriers::default();
        carriers.insert(acme).unwrap();
        // Another carrier, with a key under the same kid.
        let mut other = Carrier::new("other-line", "Other Line").unwrap();
        let es256 = signing_key("es256").public().clone();
        other.add_key(RegisteredKey::new(es256.with_kid("ed25519"))).unwrap();
        carriers.insert(other).unwrap();
        let keys = PlatformKeys::new([
            platform_key("platform", "platform-test", KeyState::Active),
            platform_key("platform-2", "platform-2", KeyState::Retiring),
        ])
        .unwrap();
        Self { opener: Opener::new(Settings::new(AUDIENCE)), carriers, keys, now_ms: T + 2000 }
    }

    pub fn acme(&mut self) -> &mut Carrier {
        self.carriers.get_mut("acme-line").unwrap()
    }

    pub fn open(&self, record: &SealedRecord) -> Result<Opened, Reject> {
        match self.judge(&Context::at(self.now_ms), record) {
            Ok(opened) => Ok(opened),
            Err(Failure::Reject(reject)) => Err(reject),
            Err(other) => panic!("{other:?}"),
        }
    }

    pub fn judge(&self, cx: &Context, record: &SealedRecord) -> Result<Opened, Failure> {
        let opened = self.opener.open(cx, record, &self.carriers, &self.keys);
        opened.map(|(opened, kid)| {
            assert!(self.keys.get(&kid).is_some(), "it names no key of ours: {kid}");
            opened
        })
    }

    #[track_caller]
    pub fn accepts(&self, event: &Event) -> Opened {
        match self.open(&event.record()) {
            Ok(opened) => {
                let judged = self.at_the_door(&event.record()).expect("the door lets it pass");
                let provenance = &opened.provenance;
                assert_eq!(judged.carrier_id, provenance.carrier_id);
                assert_eq!(judged.handle, provenance.handle);
                assert_eq!(judged.message_id, provenance.message_id);
                let media_type =
                    (opened.proof == Proof::Granted).then_some(opened.media_type.clone());
                assert_eq!(judged.media_type, media_type);
                opened
            }
            Err(reject) => panic!("{reject:?}"),
        }
    }

    /// What a gateway says of it that receives it when the broker does.
    pub fn at_the_door(&self, record: &SealedRecord) -> Result<Judged, Refused> {
        let value = record.value.as_deref().unwrap_or_default();
        let keys = self.published();
        Door::new(AUDIENCE, 10).judge(record.received_at, value, &self.carriers, &keys)
    }

    /// What everybody may know of its keys.
    pub fn published(&self) -> PublishedKeys {
        let opening = self.keys.iter().filter(|key| key.state().opens());
        let published =
            |key: &PlatformKey| Published { key: key.public().clone(), shown_from_ms: None };
        PublishedKeys::new(opening.map(published), self.keys.retired().map(str::to_owned))
    }

    /// The door says the same of what it can see, and lets pass what it cannot.
    #[track_caller]
    fn agrees(&self, record: &SealedRecord, reason: Reason) {
        use Reason as R;
        let signed = record.value.as_deref().is_some_and(|value| {
            let parts = Parts::split(value);
            parts.is_ok_and(|parts| Header::parse(&parts.header).is_ok_and(|h| h.is_signed()))
        });
        let is_seen = match reason {
            // A restriction is the gateway's own business: what it diverts, it takes in.
            R::NoValue | R::EncryptedKeyUnwrap | R::Tag | R::Restricted => false,
            // The door chooses the record's key and topic; and a revocation goes by another clock than it has
            // in this test.
            R::OtherKey | R::OtherTopic | R::SigningKeyRevoked => return,
            R::ProofForm
            | R::ProofMismatch
            | R::SigningKeyNotRegistered
            | R::SigningKeyNotValid
            | R::WrongSignature => !signed,
            _ => true,
        };
        match self.at_the_door(record) {
            Err(refused) if is_seen => assert_eq!(refused.reject.reason, reason.as_str()),
            Ok(_) if !is_seen => {}
            Err(_) if reason == R::NoValue => {}
            other => panic!("the door, of {reason:?}: {other:?}"),
        }
    }

    #[track_caller]
    pub fn rejects(&self, event: &Event, reason: Reason) {
        let reject = self.open(&event.record()).expect_err("it must be rejected");
        assert_eq!((reject.code, reject.reason), (reason.code(), reason.as_str()), "{reject:?}");
        self.agrees(&event.record(), reason);
        let shown = reject.detail.len() <= 800 && reject.detail.chars().all(|c| !c.is_control());
        assert!(shown, "{reject:?}");
    }
}

/// A JSON object, member by member, values as JSON.
#[derive(Clone, Default)]
pub struct Object(pub Vec<(String, String)>);

impl Object {
    pub fn of(members: &[(&str, &str)]) -> Self {
        Self(members.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect())
    }

    pub fn set(&mut self, name: &str, value: impl ToString) {
        self.unset(name);
        self.0.push((name.into(), value.to_string()));
    }

    pub fn unset(&mut self, name: &str) {
        self.0.retain(|(n, _)| n != name);
    }

    pub fn json(&self) -> String {
        let mut json = String::from("{");
        for (name, value) in &self.0 {
            let comma = if json.len() > 1 { "," } else { "" };
            write!(json, "{comma}\"{name}\":{value}").unwrap();
        }
        json + "}"
    }
}

pub fn quoted(text: &str) -> String {
    format!("\"{text}\"")
}

pub fn jws(signer: &PrivateSigningKey, header: &str, payload: &[u8]) -> String {
    let input = format!("{}.{}", encode(header), encode(payload));
    let signature = signer.sign(input.as_bytes()).unwrap();
    format!("{input}.{}", encode(signature))
}

/// An event before it is sealed.
#[derive(Clone)]
pub struct Event {
    pub header: Object,
    /// The record's key; `None` is a null one.
    pub key: Option<Vec<u8>>,
    pub topic: &'static str,
    pub received_at: i64,
    pub platform: &'static str,
    pub content_key: [u8; 32],
    pub encrypted_key: Option<Vec<u8>>,
    pub payload: Vec<u8>,
    pub iv: Vec<u8>,
    /// Changes the five parts of the text.
    pub parts: fn(&mut [String; 5]),
}

impl Event {
    /// Without any proof.
    pub fn bare() -> Self {
        let members = [
            ("alg", "\"RSA-OAEP-256\""),
            ("enc", "\"A256GCM\""),
            ("kid", "\"platform-test\""),
            ("typ", "\"waybill+jwe\""),
            ("cty", "\"application/json\""),
            ("iss", "\"acme-line\""),
            ("aud", "\"waybill:test\""),
            ("sub", "\"h-1\""),
            ("iat", "1763990400.125"),
            ("jti", "\"m-1\""),
        ];
        Self {
            header: Object::of(&members),
            key: Some(b"h-1".to_vec()),
            topic: "sealed",
            received_at: T + 1000,
            platform: "platform",
            content_key: [42; 32],
            encrypted_key: None,
            payload: PAYLOAD.to_vec(),
            iv: vec![7; 12],
            parts: |_| (),
        }
    }

    pub fn granted() -> Self {
        Self::granted_with(|_| ())
    }

    pub fn granted_with(change: impl FnOnce(&mut GrantForge)) -> Self {
        let mut event = Self::bare();
        event.fix_encrypted_key();
        event.grant(change);
        event
    }

    pub fn signed() -> Self {
        Self::signed_with(|_| ())
    }

    pub fn signed_with(change: impl FnOnce(&mut SignedForge)) -> Self {
        let mut event = Self::bare();
        event.header.set("cty", "\"application/jose\"");
        let mut forge = SignedForge {
            header: Object::of(&[
                ("alg", "\"EdDSA\""),
                ("kid", "\"ed25519\""),
                ("cty", "\"application/json\""),
                ("iss", "\"acme-line\""),
                ("aud", "\"waybill:test\""),
                ("sub", "\"h-1\""),
                ("iat", "1763990400.1250"),
                ("jti", "\"m-1\""),
            ]),
            payload: PAYLOAD.to_vec(),
            signer: signing_key("ed25519"),
            text: |text| text,
        };
        change(&mut forge);
        let text = jws(&forge.signer, &forge.header.json(), &forge.payload);
        event.payload = (forge.text)(text).into_bytes();
        event
    }

    /// Wraps the content key, and keeps the result.
    pub fn fix_encrypted_key(&mut self) {
        let platform = platform_key(self.platform, "any", KeyState::Active);
        self.encrypted_key = Some(platform.public().wrap(&self.content_key).unwrap());
    }

    /// Gives the event a grant for its encrypted key.
    pub fn grant(&mut self, change: impl FnOnce(&mut GrantForge)) {
        let hash = hash(self.encrypted_key.as_deref().unwrap());
        let mut forge = GrantForge {
            header: Object::of(&[
                ("alg", "\"EdDSA\""),
                ("kid", "\"ed25519\""),
                ("typ", "\"waybill-grant+jwt\""),
            ]),
            claims: Object::of(&[
                ("iss", "\"acme-line\""),
                ("aud", "\"waybill:test\""),
                ("kid", "\"platform-test\""),
                ("ekh", &quoted(&hash)),
                ("iat", "1763990400.125"),
                ("exp", "1763994000.125"),
            ]),
            signer: signing_key("ed25519"),
            text: |text| text,
        };
        change(&mut forge);
        let text = jws(&forge.signer, &forge.header.json(), forge.claims.json().as_bytes());
        self.header.set("grant", quoted(&(forge.text)(text)));
    }

    pub fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    pub fn set(mut self, name: &str, value: impl ToString) -> Self {
        self.header.set(name, value);
        self
    }

    pub fn record(&self) -> SealedRecord {
        let mut event = self.clone();
        if event.encrypted_key.is_none() {
            event.fix_encrypted_key();
        }
        let protected = encode(self.header.json());
        let mut payload = self.payload.clone();
        let iv: [u8; 12] = self.iv.as_slice().try_into().unwrap_or([7; 12]);
        let tag = ContentKey::new(&self.content_key)
            .encrypt(&iv, protected.as_bytes(), &mut payload)
            .unwrap();
        let encrypted_key = encode(event.encrypted_key.unwrap());
        let mut parts = [protected, encrypted_key, encode(&self.iv), encode(payload), encode(tag)];
        (self.parts)(&mut parts);
        SealedRecord {
            key: self.key.clone(),
            value: Some(parts.join(".").into_bytes()),
            sealed_topic: self.topic.to_owned(),
            source_partition: 3,
            source_offset: 77,
            received_at: self.received_at,
            attempt: 0,
        }
    }
}

/// SHA-256 as base64url: what a grant has as `ekh`.
fn hash(encrypted_key: &[u8]) -> String {
    use sha2::{Digest, Sha256};
    encode(Sha256::digest(encrypted_key))
}

pub struct GrantForge {
    pub header: Object,
    pub claims: Object,
    pub signer: PrivateSigningKey,
    pub text: fn(String) -> String,
}

pub struct SignedForge {
    pub header: Object,
    pub payload: Vec<u8>,
    pub signer: PrivateSigningKey,
    pub text: fn(String) -> String,
}
