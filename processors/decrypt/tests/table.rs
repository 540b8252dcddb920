//! The table of docs/sealed-event.md: each code and each reason under it, and the limits to the bit.
//! (The order of the rows: order.rs.)
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod forge;

use forge::{Event, IAT, Object, PAYLOAD, T, World, quoted, signing_key};
use strum::VariantArray;
use waybill_decrypt::{Action, PlatformKeys, Reason, Restriction, Status};
use waybill_schemas::Proof;
use waybill_sealing::base64url::encode;
use waybill_sealing::content_key::ContentKey;
use waybill_sealing::platform_key::{KeyState, PlatformKey, PrivateKey, UnwrapError};
use waybill_stage::{Context, Failure};

#[test]
fn both_proofs_open() {
    let world = World::new();
    for (event, proof) in [(Event::granted(), Proof::Granted), (Event::signed(), Proof::Signed)] {
        let opened = world.accepts(&event);
        assert_eq!((opened.proof, opened.payload.as_slice()), (proof, PAYLOAD));
        assert_eq!(opened.media_type, "application/json");
        let provenance = &opened.provenance;
        assert_eq!(provenance.carrier_id, "acme-line");
        assert_eq!((provenance.handle.as_str(), provenance.message_id.as_str()), ("h-1", "m-1"));
        assert_eq!((provenance.source_partition, provenance.source_offset), (3, 77));
        assert_eq!((provenance.sealed_at, provenance.received_at), (T, T + 1000));
        assert_eq!(provenance.opened_at, world.now_ms);
    }
}

#[test]
fn variants_that_open() {
    let world = World::new();
    for event in [
        Event::granted().set("crit", r#"["grant"]"#),
        Event::granted().set("ignored", r#"{"deep":[[[[[[]]]]]]}"#),
        Event::granted().set("cty", "\"application/JOSE\""),
        Event::granted_with(|g| g.header.set("alg", "\"Ed25519\"")),
        Event::granted_with(|g| g.header.set("x", "[]")),
        Event::granted_with(|g| {
            g.header.set("alg", "\"ES256\"");
            g.header.set("kid", "\"es256\"");
            g.signer = signing_key("es256");
        }),
        Event::signed_with(|s| s.header.set("alg", "\"Ed25519\"")),
        Event::signed_with(|s| {
            s.header.set("alg", "\"ES256\"");
            s.header.set("kid", "\"es256\"");
            s.signer = signing_key("es256");
        }),
        Event::signed_with(|s| s.header.set("typ", "\"JOSE\"")),
        // The same double, written in another way.
        Event::signed_with(|s| s.header.set("iat", "1763990400125e-3")),
        // A key that is retiring still opens.
        Event::bare().with(|e| {
            e.platform = "platform-2";
            e.header.set("kid", "\"platform-2\"");
            e.fix_encrypted_key();
            e.grant(|g| g.claims.set("kid", "\"platform-2\""));
        }),
        // Escapes are part of the text, not of what it says.
        Event::granted().set("sub", r#""\u0068-1""#),
    ] {
        world.accepts(&event);
    }
}

/// Every reason, by at least one event.
#[test]
fn every_check_rejects() {
    use Reason as R;
    let mut seen = Vec::new();
    let mut check = |reason: R, event: Event| {
        World::new().rejects(&event, reason);
        seen.push(reason);
    };
    let granted = Event::granted;
    let grant = |change: fn(&mut forge::GrantForge)| Event::granted_with(change);
    let signed = |change: fn(&mut forge::SignedForge)| Event::signed_with(change);

    // oversize
    check(R::TooManyBytes, granted().with(|e| e.parts = |p| p[3] = "A".repeat(900_000)));

    // malformed: the parts
    check(R::NotCompact, granted().with(|e| e.parts = |p| p[0].push('=')));
    check(R::NotCompact, granted().with(|e| e.parts = |p| p[1].push('\n')));
    check(R::NotCompact, granted().with(|e| e.parts = |p| p[2].push_str(".AA")));
    check(R::NotCompact, granted().with(|e| e.parts = |p| p[3] = "AB".into()));
    check(R::NotCompact, granted().with(|e| e.parts = |p| p[4] = "A+AA".into()));
    // malformed: the header
    for (name, value) in [
        ("x", "1e999"),
        ("x", r#""\ud800""#),
        ("x", r#"{"a":1,"a":2}"#),
        ("x", r#"{"y":[{"a":1,"\u0061":2}]}"#),
        ("x", "[[[[[[[[0]]]]]]]]"),
        ("x", "nope"),
        ("x\":1,\"jti", "\"m-1\""),
    ] {
        check(R::HeaderNotJson, granted().set(name, value));
    }
    check(R::HeaderNotJson, granted().set("x", quoted(&"x".repeat(16 * 1024))));
    check(R::HeaderNotJson, granted().with(|e| e.parts = |p| p[0] = encode("\u{feff}{}")));
    check(R::HeaderNotJson, granted().with(|e| e.parts = |p| p[0] = encode("[]")));
    check(R::HeaderNotJson, granted().with(|e| e.parts = |p| p[0].clear()));
    check(R::HeaderParameter, granted().with(|e| e.header.unset("typ")));
    check(R::HeaderParameter, granted().set("typ", "7"));
    for (name, value) in [
        ("kid", "\"\""),
        ("cty", "\"json\""),
        ("iss", "1"),
        ("aud", r#"["waybill:test"]"#),
        ("sub", "\"\""),
        ("jti", "\"a/b\""),
        ("iat", "\"1763990400\""),
    ] {
        check(R::HeaderParameter, granted().set(name, value));
        check(R::HeaderParameter, granted().with(|e| e.header.unset(name)));
    }
    // unsupported
    for (name, value) in [
        ("typ", "\"waybill2+jwe\""),
        ("alg", "\"RSA-OAEP\""),
        ("alg", "\"\""),
        ("enc", "\"A128GCM\""),
        ("enc", "null"),
        ("zip", "\"DEF\""),
        ("zip", "null"),
        ("crit", "[]"),
        ("crit", r#"["grant","x"]"#),
    ] {
        check(R::OtherVersion, granted().set(name, value));
    }
    check(R::OtherVersion, Event::signed().set("crit", r#"["grant"]"#));
    // malformed: the lengths
    check(R::ContentLengths, granted().with(|e| e.iv = vec![7; 13]));
    check(R::ContentLengths, granted().with(|e| e.iv = vec![]));
    check(R::ContentLengths, granted().with(|e| e.parts = |p| p[4].truncate(20)));
    check(R::ContentLengths, granted().with(|e| e.payload = vec![]));

    check(R::OtherKey, granted().with(|e| e.key = Some(b"h-2".to_vec())));
    check(R::OtherKey, granted().with(|e| e.key = Some(b"h-1\0".to_vec())));
    check(R::OtherKey, granted().with(|e| e.key = Some(vec![])));
    check(R::OtherKey, granted().with(|e| e.key = None));
    check(R::OtherAudience, granted().set("aud", "\"waybill:prod\""));
    check(R::CarrierNotRegistered, granted().set("iss", "\"Acme-line\""));
    check(R::CarrierNotRegistered, granted().set("iss", quoted(&"\u{1f69a}".repeat(900))));
    check(R::PlatformKeyNotHeld, granted().set("kid", "\"platform\""));

    // bad_proof
    check(R::NoProof, Event::bare());
    check(R::TwoProofs, granted().set("cty", "\"application/jose\""));
    check(R::TwoProofs, Event::signed().set("grant", "null"));
    for value in ["null", "\"\"", "1", "[]", "{}"] {
        check(R::ProofForm, Event::bare().set("grant", value));
    }
    for change in [
        (|g| g.text = |_| "nope".into()) as fn(&mut forge::GrantForge),
        |g| g.text = |t| t + "=",
        |g| g.text = |t| t + ".AA",
        |g| g.header.unset("alg"),
        |g| g.header.set("alg", "\"none\""),
        |g| g.header.set("alg", "\"RS256\""),
        |g| g.header.unset("kid"),
        |g| g.header.set("kid", "\"\""),
        |g| g.header.unset("typ"),
        |g| g.header.set("typ", "\"JWT\""),
        |g| g.header.set("crit", "[\"exp\"]"),
        |g| g.header.set("x", "1e999"),
        |g| g.claims.set("x", "{\"a\":1,\"a\":1}"),
        |g| g.claims.set("x", "[[[[[[[[0]]]]]]]]"),
        |g| g.claims.unset("iss"),
        |g| g.claims.set("aud", "[\"waybill:test\"]"),
        |g| g.claims.unset("kid"),
        |g| g.claims.unset("ekh"),
        |g| g.claims.set("ekh", "\"AA\""),
        |g| g.claims.unset("iat"),
        |g| g.claims.set("exp", "\"1763994000\""),
        // exp is after iat, by 24 hours at most.
        |g| g.claims.set("exp", "1763990400.125"),
        |g| g.claims.set("exp", "1764076800.126"),
    ] {
        check(R::ProofForm, grant(change));
    }
    for change in [
        (|g| g.claims.set("iss", "\"other-line\"")) as fn(&mut forge::GrantForge),
        |g| g.claims.set("aud", "\"waybill:prod\""),
        |g| g.claims.set("kid", "\"platform-2\""),
        |g| g.claims.set("ekh", quoted(&encode([0; 32]))),
    ] {
        check(R::ProofMismatch, grant(change));
    }
    check(R::SigningKeyNotRegistered, grant(|g| g.header.set("kid", "\"k\"")));
    check(R::WrongSignature, grant(|g| g.header.set("kid", "\"es256\"")));
    check(R::WrongSignature, grant(|g| g.signer = signing_key("es256")));
    check(R::WrongSignature, grant(|g| g.header.set("alg", "\"ES256\"")));
    check(
        R::WrongSignature,
        grant(|g| g.text = |t| format!("{}.AAAA", t.rsplit_once('.').unwrap().0)),
    );
    // Another carrier's grant, under its own name.
    check(R::WrongSignature, granted().set("iss", "\"other-line\""));
    for change in [
        (|s| s.text = |_| "no JWS".into()) as fn(&mut forge::SignedForge),
        |s| s.text = |t| t + "\n",
        |s| s.header.set("alg", "\"none\""),
        |s| s.header.unset("kid"),
        |s| s.header.set("crit", "[]"),
        |s| s.header.set("x", "\"\\udfff\""),
        |s| s.header.set("x", quoted(&"x".repeat(16 * 1024))),
        |s| s.header.unset("cty"),
        |s| s.header.set("cty", "\"json\""),
        |s| s.header.set("cty", "\"application/jose\""),
        |s| s.header.unset("iss"),
        |s| s.header.unset("jti"),
        |s| s.header.set("iat", "\"1763990400.125\""),
        |s| s.payload = vec![],
    ] {
        check(R::ProofForm, signed(change));
    }
    for change in [
        (|s| s.header.set("iss", "\"other-line\"")) as fn(&mut forge::SignedForge),
        |s| s.header.set("aud", "\"waybill:prod\""),
        |s| s.header.set("sub", "\"h-2\""),
        |s| s.header.set("jti", "\"m-2\""),
        |s| s.header.set("iat", "1763990400.126"),
    ] {
        check(R::ProofMismatch, signed(change));
    }
    check(R::SigningKeyNotRegistered, signed(|s| s.header.set("kid", "\"k\"")));
    check(R::WrongSignature, signed(|s| s.signer = signing_key("es256")));
    check(R::WrongSignature, signed(|s| s.header.set("alg", "\"ES256\"")));

    // not_authentic
    for event in [granted(), Event::signed()] {
        check(R::Tag, event.clone().with(|e| e.parts = |p| p[4] = encode([0; 16])));
        check(R::Tag, event.clone().with(|e| e.parts = |p| p[2] = encode([0; 12])));
        check(R::Tag, event.with(|e| e.parts = |p| p[3] = encode(b"{\"a\":2}")));
    }
    let wrapped = |encrypted_key: Vec<u8>| {
        Event::bare().with(|e| {
            e.encrypted_key = Some(encrypted_key);
            e.grant(|_| ());
        })
    };
    check(R::EncryptedKeyLength, wrapped(vec![1; 255]));
    check(R::EncryptedKeyLength, wrapped(vec![1; 257]));
    check(R::EncryptedKeyLength, wrapped(vec![]));
    check(R::EncryptedKeyLength, Event::signed().with(|e| e.encrypted_key = Some(vec![])));
    check(R::EncryptedKeyUnwrap, wrapped(vec![1; 256]));
    check(R::EncryptedKeyUnwrap, wrapped(vec![0; 256]));
    check(R::EncryptedKeyUnwrap, wrapped(vec![255; 256]));
    check(R::EncryptedKeyUnwrap, Event::signed().with(|e| e.platform = "platform-2"));

    // What a world, and not an event, has to be made for.
    let mut world = World::new();
    world.rejects(&granted().with(|e| e.received_at = T - 60_001), R::AfterReceipt);
    world.rejects(&granted().with(|e| e.received_at = T + 604_800_001), R::TooLate);
    world.rejects(&granted().set("iat", IAT - 60.001), R::OutsideGrant);
    world.acme().restrictions = vec![Restriction {
        media_type: Some("application/json".into()),
        action: Action::Divert,
        by: "ops".into(),
        why: "a flood".into(),
        until: None,
    }];
    for event in [granted(), Event::signed()] {
        world.rejects(&event, R::Restricted);
    }
    world.acme().status = Status::Suspended;
    world.rejects(&granted(), R::CarrierSuspended);
    let mut world = World::new();
    world.keys.get_mut("platform-test").unwrap().set_state(KeyState::Retired);
    world.rejects(&granted(), R::PlatformKeyRetired);
    for event in [granted(), Event::signed()] {
        let mut world = World::new();
        world.acme().key_mut("ed25519").unwrap().valid_until =
            Some("2025-01-01T00:00:00Z".parse().unwrap());
        world.rejects(&event, R::SigningKeyNotValid);
        let mut world = World::new();
        world.acme().key_mut("ed25519").unwrap().revoked_at =
            Some("2025-01-01T00:00:00Z".parse().unwrap());
        world.rejects(&event, R::SigningKeyRevoked);
    }
    let null = waybill_stage::SealedRecord { value: None, ..granted().record() };
    assert_eq!(World::new().open(&null).unwrap_err().reason, R::NoValue.as_str());
    seen.extend([
        R::AfterReceipt,
        R::TooLate,
        R::OutsideGrant,
        R::OtherTopic,
        R::CarrierSuspended,
        R::Restricted,
        R::PlatformKeyRetired,
        R::SigningKeyNotValid,
        R::SigningKeyRevoked,
        R::NoValue,
    ]);
    for reason in R::VARIANTS {
        assert!(seen.contains(reason), "no event for {reason:?}");
    }
}

/// A topic may be a carrier's own. What claims there to be of another carrier is answered to whoever may write
/// to it, and costs no RSA operation; it is no blot on the carrier that it names.
#[test]
fn a_claim_on_anothers_topic_is_nobodys_but_the_topics_owner() {
    let mut world = World::new();
    world.carriers.give_topics("other-line", vec!["sealed.other".into()]);
    for event in [Event::granted(), Event::signed()] {
        world.accepts(&event);
        let elsewhere = event.with(|e| e.topic = "sealed.other");
        world.rejects(&elsewhere, Reason::OtherTopic);
        let claims = world.open(&elsewhere.record()).unwrap_err().claims.unwrap();
        assert_eq!(claims.carrier_id, "other-line");
        assert_eq!((claims.handle.as_str(), claims.message_id.as_str()), ("", ""));
    }
    let unwraps = world.opener.counters().unwraps.load(std::sync::atomic::Ordering::Relaxed);
    assert_eq!(unwraps, 2, "of those that were taken");
    // With a topic of its own, it publishes there alone.
    world.carriers.give_topics("acme-line", vec!["sealed.acme".into(), "sealed".into()]);
    world.accepts(&Event::granted());
    world.carriers.give_topics("acme-line", vec!["sealed.acme".into()]);
    world.rejects(&Event::granted(), Reason::OtherTopic);
    let claims = world.open(&Event::granted().record()).unwrap_err().claims.unwrap();
    assert_eq!(claims.carrier_id, "", "the topic is nobody's");
    // What was put off by an earlier build does not say of which topic it is.
    world.accepts(&Event::granted().with(|e| e.topic = ""));
}

#[test]
fn limits_are_inclusive() {
    let world = World::new();
    // Against the receipt, for either proof.
    for event in [Event::granted, Event::signed] {
        for (received_at, reason) in [
            (T - 60_000, None),
            (T - 60_001, Some(Reason::AfterReceipt)),
            (T + 604_800_000, None),
            (T + 604_800_001, Some(Reason::TooLate)),
        ] {
            let event = event().with(|e| e.received_at = received_at);
            match reason {
                None => drop(world.accepts(&event)),
                Some(reason) => world.rejects(&event, reason),
            }
        }
    }
    // Against the grant, at every last digit of a millisecond.
    for ms in 0..1000 {
        if ms % 37 != 0 {
            continue;
        }
        let at = |offset_ms: i64| {
            let ms = 1_763_990_400_000 + ms + offset_ms;
            format!("{}.{:03}", ms / 1000, ms % 1000)
        };
        let event = Event::granted_with(|g| {
            g.claims.set("iat", at(0));
            g.claims.set("exp", at(3_600_000));
        });
        for (offset_ms, opens) in
            [(-60_001, false), (-60_000, true), (3_660_000, true), (3_660_001, false)]
        {
            let event =
                event.clone().set("iat", at(offset_ms)).with(|e| e.received_at = T + offset_ms);
            match opens {
                true => drop(world.accepts(&event)),
                false => world.rejects(&event, Reason::OutsideGrant),
            }
        }
    }
    // The life of a grant: 24 hours.
    world.accepts(&Event::granted_with(|g| g.claims.set("exp", "1764076800.125")));
    // The value's length: 900,000 bytes are tried, and are found wanting for another reason.
    let fill = |length: usize| {
        let mut record = Event::granted().record();
        let value = record.value.as_mut().unwrap();
        value.resize(length, b'A');
        world.open(&record).unwrap_err().reason
    };
    assert_eq!(fill(900_001), Reason::TooManyBytes.as_str());
    assert_ne!(fill(900_000), Reason::TooManyBytes.as_str());
    // A signing key's times count at the grant's iat, not at the event's.
    let mut world = World::new();
    let key = world.acme().key_mut("ed25519").unwrap();
    key.valid_from = Some("2025-11-24T13:20:00.125Z".parse().unwrap());
    key.valid_until = key.valid_from;
    let later = |e: Event| e.set("iat", IAT + 5.0).with(|e| e.received_at = T + 6000);
    world.accepts(&later(Event::granted()));
    world.accepts(&Event::signed());
    let event = later(Event::signed_with(|s| s.header.set("iat", IAT + 5.0)));
    world.rejects(&event, Reason::SigningKeyNotValid);
    // revoked_at is after the moment of the check.
    world.acme().key_mut("ed25519").unwrap().revoked_at =
        Some("2025-11-24T13:20:02.126Z".parse().unwrap());
    world.accepts(&Event::granted());
    world.now_ms += 1;
    world.rejects(&Event::granted(), Reason::SigningKeyRevoked);
}

/// A longer delay for one carrier is its own.
#[test]
fn delivery_delay_is_the_carriers() {
    let mut world = World::new();
    world.acme().max_delivery_delay = "30d".parse().unwrap();
    world.accepts(&Event::granted().with(|e| e.received_at = T + 30 * 86_400_000));
    world.rejects(
        &Event::granted().with(|e| e.received_at = T + 30 * 86_400_000 + 1),
        Reason::TooLate,
    );
}

/// What a carrier and a dead letter see.
#[test]
fn answers_are_safe() {
    let world = World::new();
    // The three of not_authentic: one code, the same words.
    let events = [
        Event::granted().with(|e| e.parts = |p| p[4] = encode([0; 16])),
        Event::signed().with(|e| e.encrypted_key = Some(vec![1; 256])),
        Event::signed().with(|e| e.encrypted_key = Some(vec![])),
    ];
    let rejects = events.map(|event| world.open(&event.record()).unwrap_err());
    for reject in &rejects {
        assert_eq!((reject.code, &reject.detail), (rejects[0].code, &rejects[0].detail));
    }
    assert_ne!(rejects[0].reason, rejects[1].reason);
    assert_ne!(rejects[1].reason, rejects[2].reason);

    // Claims only of a registered carrier.
    let claims = rejects[0].claims.as_ref().unwrap();
    assert_eq!((claims.carrier_id.as_str(), claims.sealed_at), ("acme-line", Some(T)));
    let unknown = world.open(&Event::granted().set("iss", "\"\u{202e}x\\u0000\"").record());
    let unknown = unknown.unwrap_err();
    assert!(unknown.claims.is_none());
    assert!(unknown.detail.is_ascii(), "{}", unknown.detail);
    assert!(
        world.open(&Event::granted().set("aud", "\"x\"").record()).unwrap_err().claims.is_none()
    );

    // No plaintext in any answer, though the payload was opened.
    let event = Event::signed_with(|s| s.signer = signing_key("es256"));
    let reject = world.open(&event.record()).unwrap_err();
    assert!(!format!("{reject:?}").contains(&String::from_utf8_lossy(PAYLOAD).into_owned()));
}

#[test]
fn object_helper_writes_json() {
    let mut object = Object::of(&[("a", "1"), ("b", "2")]);
    object.set("a", 3);
    object.unset("b");
    assert_eq!(object.json(), r#"{"a":3}"#);
}

/// A key in a device that is away.
#[derive(Debug)]
struct Away;

impl PrivateKey for Away {
    fn unwrap(&self, _: &[u8]) -> Result<ContentKey, UnwrapError> {
        Err(UnwrapError::Unavailable("the device is away".to_owned()))
    }
}

/// Nobody knows then whether an event is a good one: it is not lost, and opens when the device is back.
#[test]
fn a_device_that_does_not_answer_rejects_nothing() {
    let mut world = World::new();
    let public = world.keys.get("platform-test").unwrap().public().clone();
    let away = PlatformKey::new(KeyState::Active, public, Box::new(Away));
    let back = std::mem::replace(&mut world.keys, PlatformKeys::new([away]).unwrap());
    for event in [Event::granted(), Event::signed()] {
        let opened = world.judge(&Context::at(world.now_ms), &event.record());
        let Err(Failure::Fault(fault)) = opened else { panic!("{opened:?}") };
        assert_eq!(fault.0, "the device is away");
    }
    world.keys = back;
    for event in [Event::granted(), Event::signed()] {
        world.accepts(&event);
    }
}

#[test]
fn a_key_that_is_held_no_more_is_still_known_as_retired() {
    let mut world = World::new();
    world.keys = PlatformKeys::default().with_retired(["platform-test".to_owned()]);
    for event in [Event::granted(), Event::signed()] {
        world.rejects(&event, Reason::PlatformKeyRetired);
    }
}
