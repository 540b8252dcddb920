//! A door that has seen a grant before asks everything again that can change.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod forge;

use forge::{AUDIENCE, Event, T, World, signing_key};
use waybill_decrypt::{Door, Reason, Status};

/// What the door answers at `now_ms`, to an event whose grant it has let pass a moment after it was sealed.
fn answer(now_ms: i64, change: impl FnOnce(&mut World)) -> Option<Reason> {
    let mut world = World::new();
    let door = Door::new(AUDIENCE, 10);
    let value = Event::granted().record().value.unwrap();
    door.judge(T + 1000, &value, &world.carriers, &world.published()).unwrap();
    change(&mut world);
    let judged = door.judge(now_ms, &value, &world.carriers, &world.published());
    let reason = judged.err()?.reject.reason;
    Some(*<Reason as strum::VariantArray>::VARIANTS.iter().find(|r| r.as_str() == reason).unwrap())
}

#[test]
fn what_can_change_is_asked_each_time() {
    const WEEK: i64 = 604_800_000;
    assert_eq!(answer(T + 2000, |_| ()), None);
    assert_eq!(answer(T + WEEK, |_| ()), None);
    assert_eq!(answer(T + WEEK + 1, |_| ()), Some(Reason::TooLate));
    assert_eq!(answer(T - 60_001, |_| ()), Some(Reason::AfterReceipt));
    let suspend = |world: &mut World| world.acme().status = Status::Suspended;
    assert_eq!(answer(T + 2000, suspend), Some(Reason::CarrierSuspended));
    let revoke = |world: &mut World| {
        let key = world.acme().key_mut("ed25519").unwrap();
        key.revoked_at = Some(jiff::Timestamp::from_millisecond(T + 2000).unwrap());
    };
    assert_eq!(answer(T + 1999, revoke), None);
    assert_eq!(answer(T + 2000, revoke), Some(Reason::SigningKeyRevoked));
    let replace = |world: &mut World| {
        let other = signing_key("es256").public().clone().with_kid("ed25519");
        world.acme().key_mut("ed25519").unwrap().key = other;
    };
    assert_eq!(answer(T + 2000, replace), Some(Reason::WrongSignature));
}
