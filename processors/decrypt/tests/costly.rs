//! Which records are run beside each other: those that cost a private RSA operation, and no other.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod forge;

use std::sync::atomic::Ordering;

use forge::{Event, World};
use waybill_sealing::MAX_SEALED;
use waybill_stage::SealedRecord;

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
