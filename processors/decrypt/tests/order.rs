//! The order of the checks: as docs/sealed-event.md has it, and as events with several faults show it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod forge;

use std::collections::BTreeSet;

use forge::{Event, T, World};
use strum::VariantArray;
use waybill_decrypt::{Action, Reason, Restriction, Status};
use waybill_sealing::base64url::encode;
use waybill_sealing::platform_key::KeyState;

/// The codes of the page's table of checks, from its first row to its last.
fn rows_of_the_page() -> Vec<&'static str> {
    let page = include_str!("../../../docs/sealed-event.md");
    let (_, table) = page.split_once("\n| code | check |\n|---|---|\n").expect("the table");
    let rows = table.lines().take_while(|line| line.starts_with('|'));
    rows.map(|row| row.strip_prefix("| `").unwrap().split_once("` | ").unwrap().0).collect()
}

/// Whatever the stage may answer is in the table, and nothing else.
#[test]
fn the_page_has_every_code() {
    let on_the_page: BTreeSet<&str> = rows_of_the_page().into_iter().collect();
    let codes: BTreeSet<&str> = Reason::VARIANTS.iter().map(|r| r.code().as_str()).collect();
    assert_eq!(on_the_page, codes);
}

fn restriction() -> Restriction {
    Restriction {
        media_type: None,
        action: Action::Divert,
        by: "ops".into(),
        why: "a flood".into(),
        until: None,
    }
}

/// One fault of each row, from the last row to the first: each new one must win over all that the
/// event has already. Their codes in that order are the page's.
#[test]
fn an_earlier_row_wins() {
    use Reason as R;
    type Fault = (fn(&mut World, &mut Event), R);
    let rows: [Fault; 16] = [
        (|w, _| w.acme().restrictions = vec![restriction()], R::Restricted),
        (|_, e| e.parts = |p| p[4] = encode([0; 16]), R::Tag),
        (|_, e| e.encrypted_key = Some(vec![1; 256]), R::EncryptedKeyUnwrap),
        (|_, e| e.received_at = T + 604_800_001, R::TooLate),
        (|_, e| e.grant(|g| g.claims.set("iss", "\"x\"")), R::ProofMismatch),
        (
            |w, _| w.keys.get_mut("platform-test").unwrap().set_state(KeyState::Retired),
            R::PlatformKeyRetired,
        ),
        (|_, e| e.header.set("kid", "\"x\""), R::PlatformKeyNotHeld),
        (|w, _| w.acme().status = Status::Suspended, R::CarrierSuspended),
        (|w, _| w.carriers.give_topics("other-line", vec!["sealed".into()]), R::OtherTopic),
        (|_, e| e.header.set("iss", "\"x\""), R::CarrierNotRegistered),
        (|_, e| e.header.set("aud", "\"x\""), R::OtherAudience),
        (|_, e| e.key = None, R::OtherKey),
        (|_, e| e.iv = vec![], R::ContentLengths),
        (|_, e| e.header.set("zip", "1"), R::OtherVersion),
        (|_, e| e.header.unset("typ"), R::HeaderParameter),
        (|_, e| e.parts = |p| p[3] = "A".repeat(900_001), R::TooManyBytes),
    ];
    let (mut world, mut event) = (World::new(), Event::granted());
    let mut shown = Vec::new();
    for (fault, reason) in rows {
        fault(&mut world, &mut event);
        if reason == R::EncryptedKeyUnwrap {
            event.grant(|_| ()); // it fits the new encrypted key
        }
        world.rejects(&event, reason);
        shown.push(reason.code().as_str());
    }
    // The checks of one row are one row of the page.
    shown.dedup();
    shown.reverse();
    assert_eq!(rows_of_the_page(), shown);
}

/// A signed payload: expired and not_authentic come before what is inside is looked at.
#[test]
fn what_is_inside_comes_after_opening() {
    use Reason as R;
    let world = World::new();
    let inside = |e: Event| e.with(|e| e.payload = b"no JWS".to_vec());
    world.rejects(&inside(Event::signed()), R::ProofForm);
    let event = inside(Event::signed()).with(|e| e.parts = |p| p[4] = encode([0; 16]));
    world.rejects(&event, R::Tag);
    world.rejects(&event.with(|e| e.received_at = T - 60_001), R::AfterReceipt);
    // Both proofs: before expired.
    let event = Event::signed().set("grant", "\"x\"").with(|e| e.received_at = T - 60_001);
    world.rejects(&event, R::TwoProofs);
}
