//! Which records are run beside each other: those that cost a private RSA operation, and no other.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod forge;

use std::sync::atomic::Ordering;

use forge::{Event, World, quoted};
use waybill_sealing::MAX_SEALED;
use waybill_sealing::jws::Algorithm;
use waybill_sealing::signing_key::PrivateSigningKey;
use waybill_stage::{Context, Failure, SealedRecord};

fn signed(n: u8) -> SealedRecord {
    let key = forge::platform_key(
        "platform",
        "platform-test",
        waybill_sealing::platform_key::KeyState::Active,
    );
    let event = Event::signed().with(|e| {
        e.content_key = [n; 32];
        e.encrypted_key = Some(key.public().wrap(&e.content_key).unwrap());
    });
    event.record()
}

#[test]
fn signed_events_and_the_first_under_a_granted_key() {
    let world = World::new();
    let granted = Event::granted().record();
    let records = [granted.clone(), signed(1), granted.clone(), signed(2), granted];
    assert_eq!(world.opener.costly(&records), [0, 1, 3]);

    for record in &records {
        world.open(record).unwrap();
    }
    // One that is known costs little; a signed one pays each time that it comes.
    assert_eq!(world.opener.costly(&records), [1, 3]);
    let unwraps = || world.opener.counters().unwraps.load(Ordering::Relaxed);
    let before = unwraps();
    for record in &records {
        world.open(record).unwrap();
    }
    assert_eq!(unwraps() - before, 2);
}

#[test]
fn what_is_answered_at_once_is_not_costly() {
    let good = signed(1);
    let with = |value: Option<Vec<u8>>| SealedRecord { value, ..good.clone() };
    let value = good.value.clone().unwrap();
    let records = [
        with(None),
        with(Some(Vec::new())),
        with(Some(b"no.jwe".to_vec())),
        with(Some(vec![b'.'; 5])),
        with(Some([&value[..], b".more"].concat())),
        with(Some([&b"not-a-header"[..], &value[12..]].concat())),
        with(Some(vec![b'A'; MAX_SEALED + 1])),
    ];
    assert_eq!(World::new().opener.costly(&records), Vec::<usize>::new());
}

/// What costs RSA and is beyond the budget comes later; what costs none is answered, and takes nothing of
/// the budget: nor does what must not wait.
#[test]
fn only_what_has_passed_all_cheaper_checks_waits_for_rsa() {
    let world = World::new();
    let cx = Context::at(world.now_ms).may_wait();
    let is_put_off =
        |record: &SealedRecord| matches!(world.judge(&cx, record), Err(Failure::Later));
    let is_rejected =
        |record: &SealedRecord| matches!(world.judge(&cx, record), Err(Failure::Reject(_)));
    // A grant that is not signed by the carrier.
    let other = PrivateSigningKey::generate(Algorithm::EdDsa).unwrap();
    let forged = Event::granted_with(|grant| grant.signer = other).record();
    let stranger = Event::signed().set("iss", quoted("nobody")).record();
    let late = Event::signed().set("iat", "1000000000").record();
    for _ in 0..1000 {
        assert!(is_rejected(&forged) && is_rejected(&stranger) && is_rejected(&late));
    }
    let unwraps = world.opener.counters().unwraps.load(Ordering::Relaxed);
    assert_eq!(unwraps, 0);
    let answered = (0..40).filter(|n| !is_put_off(&signed(*n))).count();
    assert_eq!(answered, 6, "a quarter of 25 a second");
    // Nobody has taken what the carrier may spend by its grants.
    let granted: Vec<_> = (0..7).map(|_| Event::granted().record()).collect();
    assert_eq!(granted.iter().filter(|record| !is_put_off(record)).count(), 6);
    let known = &granted[0];
    assert!((0..1000).all(|_| !is_put_off(known)), "a content key that is known costs nothing");
    // What must not wait is answered whatever it costs.
    assert!((0..20).all(|n| world.open(&signed(n)).is_ok()));
}
