//! The example of docs/sealed-event.md: what is printed opens, step by step, and our sealer makes the same of
//! the same keys, header and payload.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod forge;

use std::collections::BTreeSet;

use forge::Event;
use serde_json::Value;
use waybill_decrypt::{Carrier, Carriers, Opener, PlatformKeys, RegisteredKey, Settings};
use waybill_schemas::{Opened, Proof};
use waybill_sealing::base64url::{decode, decode_array};
use waybill_sealing::content_key::ContentKey;
use waybill_sealing::header::Header;
use waybill_sealing::jwe::Parts;
use waybill_sealing::platform_key::{KeyState, PlatformKey};
use waybill_sealing::rsa_key::RsaPublicKey;
use waybill_sealing::seal::{self, Message, Sealer, SealerConfig};
use waybill_sealing::signing_key::PrivateSigningKey;
use waybill_stage::{Context, SealedRecord};

const PAGE: &str = include_str!("../../../docs/sealed-event.md");
const MEDIA_TYPE: &str = "application/vnd.dcsa.tnt+json;version=2.2";
const HANDLE: &str = "h-7f3a91";
/// When the signed one was sealed, and the grant made; the granted one is a minute younger.
const T: i64 = 1_795_521_600_125;

/// The lines of the block that the page calls so.
fn lines(name: &str) -> Vec<&'static str> {
    let mark = format!("<!-- example: {name} -->\n```");
    let (_, block) = PAGE.split_once(&mark).unwrap_or_else(|| panic!("no block {name}"));
    block.split_once("\n```").expect("an end").0.lines().skip(1).collect()
}

/// A text that is broken for the page alone.
fn text(name: &str) -> String {
    lines(name).concat()
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

/// The part of a JWS or a JWE, decoded.
fn part(compact: &str, n: usize) -> String {
    String::from_utf8(decode(compact.split('.').nth(n).unwrap()).unwrap()).unwrap()
}

fn signing_key() -> PrivateSigningKey {
    PrivateSigningKey::from_jwk(text("signing-key.jwk").as_bytes()).unwrap()
}

fn public_key() -> RsaPublicKey {
    RsaPublicKey::from_jwk(text("platform.jwk").as_bytes()).unwrap()
}

fn platform_key() -> PlatformKey {
    let pem = lines("platform.pem").join("\n");
    let key = PlatformKey::from_pem(public_key().kid(), KeyState::Active, &pem, None).unwrap();
    assert_eq!(key.public(), &public_key(), "the two halves are of one key");
    key
}

/// As the platform opens it, a second after it was sealed.
fn open(sealed: &str, sealed_at: i64) -> Opened {
    let keys = PlatformKeys::new([platform_key()]).unwrap();
    let mut acme = Carrier::new("acme-line", "Acme Line").unwrap();
    acme.add_key(RegisteredKey::new(signing_key().public().clone())).unwrap();
    let mut carriers = Carriers::default();
    carriers.insert(acme).unwrap();
    let record = SealedRecord {
        key: Some(HANDLE.into()),
        value: Some(sealed.into()),
        sealed_topic: "waybill.sealed".to_owned(),
        source_partition: 0,
        source_offset: 0,
        received_at: sealed_at + 1000,
        attempt: 0,
    };
    let opener = Opener::new(Settings::new("waybill:demo"));
    let (opened, _) = opener.open(&Context::at(T + 120_000), &record, &carriers, &keys).unwrap();
    assert_eq!(opened.provenance.carrier_id, "acme-line");
    assert_eq!(
        (opened.provenance.handle.as_str(), opened.provenance.sealed_at),
        (HANDLE, sealed_at)
    );
    assert_eq!(opened.media_type, MEDIA_TYPE);
    assert_eq!(String::from_utf8_lossy(&opened.payload), text("payload"));
    opened
}

/// What was encrypted, by the content key that the page shows.
fn decrypted(sealed: &str, content_key: &str) -> String {
    let key = ContentKey::new(&decode_array(&text(content_key)).unwrap());
    let content = Parts::split(sealed.as_bytes()).unwrap().content.into_encrypted().unwrap();
    String::from_utf8(content.open(&key).unwrap()).unwrap()
}

/// Our sealer's, with what stands on the page.
fn sealed_anew(proof: seal::Proof, now_ms: &[i64], message_id: &str) -> String {
    let mut sealer = Sealer::new(SealerConfig {
        issuer: "acme-line".into(),
        audience: "waybill:demo".into(),
        platform_key: public_key(),
        signing_key: signing_key().into(),
        proof,
        content_key_life_ms: 3_600_000,
    })
    .unwrap();
    let payload = text("payload");
    let message = Message {
        subject: HANDLE,
        message_id,
        media_type: MEDIA_TYPE,
        payload: payload.as_bytes(),
    };
    now_ms.iter().map(|now_ms| sealer.seal(*now_ms, &message).unwrap()).last().unwrap()
}

#[test]
fn the_signed_event_is_as_the_steps_say_and_opens() {
    let sealed = text("signed.jwe");
    assert_eq!(part(&sealed, 0), text("signed.header"));
    let jws = decrypted(&sealed, "signed.content-key");
    assert_eq!(jws, text("signed.jws"));
    assert_eq!(part(&jws, 0), text("signed.jws-header"));
    assert_eq!(part(&jws, 1), text("payload"));
    let opened = open(&sealed, T);
    assert_eq!((opened.proof, opened.provenance.message_id.as_str()), (Proof::Signed, "01JD-1"));
}

#[test]
fn the_granted_event_is_as_the_steps_say_and_opens() {
    let sealed = text("granted.jwe");
    assert_eq!(part(&sealed, 0), text("granted.header"));
    let grant = text("grant.jws");
    assert_eq!(json(&text("granted.header"))["grant"], grant);
    assert_eq!(part(&grant, 0), text("grant.header"));
    assert_eq!(part(&grant, 1), text("grant.claims"));
    assert_eq!(decrypted(&sealed, "granted.content-key"), text("payload"));
    let opened = open(&sealed, T + 60_000);
    assert_eq!((opened.proof, opened.provenance.message_id.as_str()), (Proof::Granted, "01JD-2"));
}

/// Ed25519 gives the same signature each time: the JWS is the printed one, to the byte.
#[test]
fn a_signed_event_sealed_anew() {
    let sealed = sealed_anew(seal::Proof::Signed, &[T], "01JD-1");
    assert_eq!(json(&part(&sealed, 0)), json(&text("signed.header")));
    let opened = open(&sealed, T);
    assert_eq!(opened.proof, Proof::Signed);
    let parts = Parts::split(sealed.as_bytes()).unwrap();
    let content_key = platform_key().unwrap(&parts.encrypted_key).unwrap();
    let content = parts.content.into_encrypted().unwrap();
    assert_eq!(content.open(&content_key).unwrap(), text("signed.jws").into_bytes());
}

/// The grant differs by the hash of its encrypted key, which is another one each time.
#[test]
fn a_granted_event_sealed_anew() {
    let sealed = sealed_anew(seal::Proof::Granted, &[T, T + 60_000], "01JD-2");
    let [mut header, mut printed] = [json(&part(&sealed, 0)), json(&text("granted.header"))];
    let [grant, printed_grant] =
        [&mut header, &mut printed].map(|h| h["grant"].take().as_str().unwrap().to_owned());
    assert_eq!(header, printed);
    assert_eq!(part(&grant, 0), part(&printed_grant, 0));
    let [mut claims, mut printed] = [grant, printed_grant].map(|grant| json(&part(&grant, 1)));
    assert_ne!(claims["ekh"].take(), printed["ekh"].take());
    assert_eq!(claims, printed);
    assert_eq!(open(&sealed, T + 60_000).proof, Proof::Granted);
}

/// The page's table of parameters: all but two are required, and the examples have no other.
#[test]
fn the_header_has_the_parameters_of_the_table() {
    let (_, table) = PAGE.split_once("\n| parameter | value |\n|---|---|\n").unwrap();
    let rows = table.lines().take_while(|line| line.starts_with('|'));
    let named: Vec<&str> =
        rows.map(|row| row.strip_prefix("| `").unwrap().split_once("` | ").unwrap().0).collect();
    let required: BTreeSet<&str> = named
        .iter()
        .copied()
        .filter(|name| {
            let mut event = Event::bare();
            event.header.unset(name);
            Header::parse(event.header.json().as_bytes()).is_err()
        })
        .collect();
    let all: BTreeSet<&str> = named.iter().copied().collect();
    assert_eq!(all.len(), named.len());
    let optional: Vec<&&str> = all.difference(&required).collect();
    assert_eq!(optional, [&"crit", &"grant"]);
    for (example, expected) in [("signed.header", None), ("granted.header", Some("grant"))] {
        let header = json(&text(example));
        let names: BTreeSet<&str> =
            header.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(names, required.iter().copied().chain(expected).collect(), "{example}");
    }
}
