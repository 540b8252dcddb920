//! The sink's protocol, model-checked: the real [`waybill_sink`], in a world of instances that end,
//! freeze and wake, of commits and inserts whose answers are lost, and of a store that ends between
//! rows and rollup.
//!
//! `WAYBILL_MODEL=large` takes larger worlds and more faults: some minutes with `--release`. With
//! `--nocapture` it says what it went through.

#![allow(clippy::indexing_slicing, clippy::expect_used, clippy::panic)]

mod act;
mod group;
mod properties;
mod setting;
mod store;
mod world;

use std::time::Instant;

use stateright::{Checker, Expectation, Model};

use crate::properties::{ALL_IN_AT_REST, COMMITTED_IS_IN, NOT_TWICE};
use crate::setting::{ALL_FAULTS, Fault, Setting, Variant};

/// Offset 2 is a transaction marker's. No table can get more tokens than there are records, so the
/// window never forgets one; the next smaller window does, see below.
const SMALL: Setting = Setting {
    partitions: &[&[0, 1, 3]],
    batch: 2,
    instances: 2,
    window: 3,
    months: 1,
    faults: 2,
    kinds: ALL_FAULTS,
    late_inserts: true,
    variant: Variant::AsItIs,
    only: None,
};

const TWO_PARTITIONS: Setting =
    Setting { partitions: &[&[0], &[0]], window: 2, faults: 1, ..SMALL };

#[test]
fn the_protocol_holds() {
    let small = [
        ("one partition", SMALL),
        ("two partitions", TWO_PARTITIONS),
        ("three instances", Setting { instances: 3, faults: 1, ..SMALL }),
        ("inserts of two parts", Setting { partitions: &[&[0, 2]], window: 2, months: 2, ..SMALL }),
    ];
    let large = [
        ("one partition, four faults", Setting { faults: 4, ..SMALL }),
        (
            "four records, three faults",
            Setting { partitions: &[&[0, 1, 3, 4]], batch: 3, window: 4, faults: 3, ..SMALL },
        ),
        ("two partitions, two faults", Setting { faults: 2, ..TWO_PARTITIONS }),
        (
            "two partitions of three records, two faults",
            Setting { partitions: &[&[0, 1], &[1]], window: 3, faults: 2, ..TWO_PARTITIONS },
        ),
        ("three instances, two faults", Setting { instances: 3, ..SMALL }),
        (
            "three instances, two records, three faults",
            Setting { instances: 3, partitions: &[&[1, 2]], window: 2, faults: 3, ..SMALL },
        ),
        ("inserts of two parts, three faults", Setting { months: 2, faults: 3, ..SMALL }),
    ];
    small.into_iter().for_each(|(name, setting)| holds(name, setting));
    if is_large() {
        large.into_iter().for_each(|(name, setting)| holds(name, setting));
    }
}

/// A takeover after so long that the window may have forgotten the token: here it keeps one, and two
/// partitions use it.
const FORGOTTEN: Setting = Setting {
    window: 1,
    faults: 2,
    kinds: &[Fault::Crash, Fault::StoreCrash],
    late_inserts: false,
    ..TWO_PARTITIONS
};

/// Then it helps to ask first, and to stop where rows are there: by the rows alone nobody can tell
/// whether the rollup is. But only as long as no insert outlives who sent it: against one that
/// arrives late, nothing helps but the window.
#[test]
fn a_forgotten_claim_is_not_repeated() {
    holds("asks first", Setting { variant: Variant::StopAtWhatIsThere, ..FORGOTTEN });
}

/// The check can fail: without any one part of it, the protocol does not hold.
#[test]
fn every_part_is_needed() {
    let of = |variant, faults, kinds| Setting { variant, faults, kinds, ..SMALL };
    let window = |window, kinds| Setting { window, ..of(AsItIs, 1, kinds) };
    use Fault::*;
    use Variant::*;
    for (name, setting, property) in [
        ("no claim", of(NoClaim, 1, &[Crash]), NOT_TWICE),
        ("commits are not fenced", of(Unfenced, 1, &[Freeze]), NOT_TWICE),
        ("not when the group is empty", of(UnfencedWhenEmpty, 2, &[Crash, Freeze]), NOT_TWICE),
        ("reads past an open transaction", of(UnstableRead, 1, &[Freeze]), NOT_TWICE),
        ("no token: a takeover", of(NoToken, 1, &[Crash]), NOT_TWICE),
        ("no token: a lost answer", of(NoToken, 1, &[LoseAnswer]), NOT_TWICE),
        ("silence is a yes: a commit", of(TakesSilenceForYes, 2, &[LoseCommit, Crash]), NOT_TWICE),
        ("silence is a yes: an insert", of(TakesSilenceForYes, 1, &[LoseAnswer]), COMMITTED_IS_IN),
        ("window short of one: a zombie", window(2, &[Freeze]), NOT_TWICE),
        ("window short of one: a late insert", window(2, &[Crash]), NOT_TWICE),
        ("window short of one: a lost answer", window(2, &[LoseAnswer]), NOT_TWICE),
        ("a forgotten claim", Setting { faults: 1, kinds: &[Crash], ..FORGOTTEN }, NOT_TWICE),
        (
            "a forgotten claim, asked for, and a late insert",
            Setting { variant: StopAtWhatIsThere, late_inserts: true, ..FORGOTTEN },
            NOT_TWICE,
        ),
        ("what is there is skipped", of(SkipWhatIsThere, 2, &[Crash, StoreCrash]), ALL_IN_AT_REST),
        (
            "what is there does not feed the rollup",
            of(RollupNotFed, 1, &[StoreCrash]),
            ALL_IN_AT_REST,
        ),
        ("token kept before the rows", of(TokenBeforeRows, 1, &[StoreCrash]), COMMITTED_IS_IN),
        ("rows kept before the token", of(RowsBeforeToken, 1, &[StoreCrash]), NOT_TWICE),
    ] {
        finds(name, setting, property);
    }
}

fn is_large() -> bool {
    match std::env::var("WAYBILL_MODEL") {
        Ok(size) if size == "large" => true,
        Ok(size) if size != "small" => panic!("WAYBILL_MODEL is small or large, not {size}"),
        _ => false,
    }
}

fn holds(name: &str, setting: Setting) {
    let began = Instant::now();
    let checker = setting.checker().spawn_dfs().join();
    let mut said = format!(
        "{name}: {} states, up to {} steps, {:.1?}\n",
        checker.unique_state_count(),
        checker.max_depth() - 1,
        began.elapsed(),
    );
    for property in setting.properties() {
        let found = checker.discovery(property.name).is_some();
        said += match (&property.expectation, found) {
            (Expectation::Sometimes, true) => "    happens: ",
            (Expectation::Sometimes, false) => "    NEVER:   ",
            (_, false) => "    always:  ",
            (_, true) => "    NOT SO:  ",
        };
        said += &format!("{}\n", property.name);
    }
    println!("{said}");
    checker.assert_properties();
}

fn finds(name: &str, setting: Setting, property: &'static str) {
    let began = Instant::now();
    let checker = Setting { only: Some(property), ..setting }.checker().spawn_bfs().join();
    let found = checker.discovery(property);
    let mut said = format!(
        "{name}: {} states, {:.1?}\n    not so:  {property}\n",
        checker.unique_state_count(),
        began.elapsed(),
    );
    for step in found.iter().flat_map(|path| path.clone().into_actions()) {
        said += &format!("        {step:?}\n");
    }
    println!("{said}");
    assert!(found.is_some(), "{name}: it does not come to light that not: {property}");
}
