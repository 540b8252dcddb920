//! The cache spares RSA and signatures, and nothing else: every other check is made for every
//! event.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod forge;

use std::sync::atomic::Ordering;

use forge::{AUDIENCE, Event, IAT, T, World, platform_key, quoted, signing_key};
use waybill_decrypt::{Opener, PlatformKeys, Reason, RegisteredKey, Settings, Status};
use waybill_sealing::base64url::encode;
use waybill_sealing::platform_key::KeyState;

/// hits, misses, unwraps
fn counts(world: &World) -> (u64, u64, u64) {
    let counters = world.opener.counters();
    (
        counters.cache_hits.load(Ordering::Relaxed),
        counters.cache_misses.load(Ordering::Relaxed),
        counters.unwraps.load(Ordering::Relaxed),
    )
}

/// A world that has opened `event`.
fn warm(event: &Event) -> World {
    let world = World::new();
    world.accepts(event);
    assert_eq!((counts(&world), world.opener.cached_keys()), ((0, 1, 1), 1));
    world
}

#[test]
fn one_unwrap_for_many_events() {
    let event = Event::granted();
    let world = warm(&event);
    for n in 0..100 {
        let event = event.clone().set("jti", quoted(&n.to_string()));
        world.accepts(&event.with(|e| e.iv = vec![n; 12]));
    }
    assert_eq!(counts(&world), (100, 1, 1));
    // The tag is checked with a cached key, too, and a wrong one costs no RSA.
    world.rejects(&event.with(|e| e.parts = |p| p[4] = encode([0; 16])), Reason::Tag);
    assert_eq!(counts(&world), (101, 1, 1));
}

#[test]
fn everything_else_is_checked_for_each_event() {
    let event = Event::granted();
    type Change = fn(&mut World, &mut Event);
    let cases: [(Change, Reason); 10] = [
        (|w, _| w.acme().status = Status::Suspended, Reason::CarrierSuspended),
        (
            |w, _| w.keys.get_mut("platform-test").unwrap().set_state(KeyState::Retired),
            Reason::PlatformKeyRetired,
        ),
        (
            |w, _| {
                w.acme().key_mut("ed25519").unwrap().revoked_at =
                    Some("2025-11-24T13:20:00Z".parse().unwrap());
            },
            Reason::SigningKeyRevoked,
        ),
        (
            |w, _| {
                w.acme().key_mut("ed25519").unwrap().valid_until =
                    Some("2025-11-24T13:20:00Z".parse().unwrap());
            },
            Reason::SigningKeyNotValid,
        ),
        // The key is replaced under its kid: the verdict was another key's.
        (
            |w, _| {
                let other = signing_key("es256").public().clone().with_kid("ed25519");
                w.acme().key_mut("ed25519").unwrap().key = other;
            },
            Reason::WrongSignature,
        ),
        (|_, e| e.header.set("iss", "\"other-line\""), Reason::WrongSignature),
        (|_, e| e.key = Some(b"h-2".to_vec()), Reason::OtherKey),
        (|_, e| e.header.set("aud", "\"waybill:prod\""), Reason::OtherAudience),
        (|_, e| e.header.set("iat", IAT + 3660.5), Reason::OutsideGrant),
        (|_, e| e.received_at = T + 604_800_001, Reason::TooLate),
    ];
    for (change, reason) in cases {
        let (mut world, mut event) = (warm(&event), event.clone());
        change(&mut world, &mut event);
        world.rejects(&event, reason);
    }
}

/// The header may name another platform key than the grant does.
#[test]
fn the_header_must_be_the_grants() {
    let event = Event::granted();
    let mut world = warm(&event);
    // The same key under another kid as well, so that only the grant's claim tells them apart.
    world.keys.insert(platform_key("platform", "alias", KeyState::Active)).unwrap();
    world.rejects(&event.set("kid", "\"alias\""), Reason::ProofMismatch);
}

#[test]
fn a_platform_key_replaced_under_its_kid_opens_nothing_of_the_old_one() {
    let event = Event::granted();
    let mut world = warm(&event);
    world.keys =
        PlatformKeys::new([platform_key("platform-2", "platform-test", KeyState::Active)]).unwrap();
    world.rejects(&event, Reason::EncryptedKeyUnwrap);
}

#[test]
fn a_kid_that_is_gone_is_not_registered() {
    let event = Event::granted();
    let mut world = warm(&event);
    let mut acme = waybill_decrypt::Carrier::new("acme-line", "Acme Line").unwrap();
    acme.add_key(RegisteredKey::new(signing_key("es256").public().clone())).unwrap();
    world.carriers = waybill_decrypt::Carriers::default();
    world.carriers.insert(acme).unwrap();
    world.rejects(&event, Reason::SigningKeyNotRegistered);
}

/// Encrypted key and grant count together: neither one nor the other alone.
#[test]
fn found_by_both_texts() {
    let event = Event::granted();
    let world = warm(&event);
    // Another grant for the same encrypted key, signed by nobody.
    world.rejects(&event.clone().set("grant", "\"x\""), Reason::ProofForm);
    // The cached grant with another encrypted key.
    let other = event.with(|e| e.fix_encrypted_key());
    world.rejects(&other, Reason::ProofMismatch);
    assert_eq!(world.opener.cached_keys(), 1);
}

#[test]
fn only_successes_are_kept() {
    let world = World::new();
    let failures = [
        Event::granted_with(|g| g.signer = signing_key("es256")),
        Event::granted().with(|e| e.received_at = T - 60_001),
        Event::bare().with(|e| {
            e.encrypted_key = Some(vec![1; 256]);
            e.grant(|_| ());
        }),
        Event::signed_with(|s| s.signer = signing_key("es256")),
    ];
    for event in failures {
        assert!(world.open(&event.record()).is_err());
        assert_eq!(world.opener.cached_keys(), 0);
    }
    world.accepts(&Event::signed());
    assert_eq!(world.opener.cached_keys(), 0, "a signed event's key is used once");
}

#[test]
fn kept_for_a_time_only() {
    let event = Event::granted();
    let mut world = warm(&event);
    world.now_ms += 3_599_999;
    world.accepts(&event);
    assert_eq!(counts(&world), (1, 1, 1));
    world.now_ms += 1;
    world.accepts(&event);
    assert_eq!(counts(&world), (1, 2, 2));
    world.opener.sweep(world.now_ms + 3_600_000);
    assert_eq!(world.opener.cached_keys(), 0);
}

#[test]
fn kept_in_a_bounded_number() {
    let settings = Settings { cached_keys: 4, ..Settings::new(AUDIENCE) };
    let world = World { opener: Opener::new(settings), ..World::new() };
    for _ in 0..12 {
        world.accepts(&Event::granted());
        assert!(world.opener.cached_keys() <= 4);
    }
}
