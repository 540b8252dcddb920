//! What must be true of every world, and why everything comes to an end.

use stateright::{Model, Property};
use waybill_host::protocol::Position;

use crate::group::Member;
use crate::setting::{ALL_FAULTS, Setting, Variant};
use crate::store::steps_left;
use crate::world::{Hold, Instance, Step, World};

pub const NOT_TWICE: &str = "no row is in twice";
pub const COMMITTED_IS_IN: &str = "what is committed is in, once";
pub const ROLLUP_WITHIN_ROWS: &str = "the rollup never says more than the rows";
pub const ALL_IN_AT_REST: &str = "at rest, everything is in once, rows and rollup";
pub const LIVING_GO_ON: &str = "the living need nobody else to go on";

impl Model for Setting {
    type State = World;
    type Action = Step;

    fn init_states(&self) -> Vec<World> {
        vec![World::first(self)]
    }

    fn actions(&self, world: &World, steps: &mut Vec<Step>) {
        world.steps(self, steps);
    }

    fn next_state(&self, world: &World, step: Step) -> Option<World> {
        let next = world.after(self, step);
        // So that there is no endless path, and a property of every world at rest is one of
        // every end.
        if self.is(Variant::AsItIs) {
            let (before, after) = (distance(self, world), distance(self, &next));
            assert!(after < before, "no nearer the end: {before:?} to {after:?}\n{next:#?}");
        }
        Some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        let mut properties = vec![
            Property::always(NOT_TWICE, |_, world: &World| {
                world.store.rows.counts.iter().flatten().all(|count| *count <= 1)
            }),
            Property::always(COMMITTED_IS_IN, committed_is_in),
            Property::always(ROLLUP_WITHIN_ROWS, |_, World { store, .. }| {
                let rows = store.rows.counts.iter().flatten();
                rows.zip(store.rollup.counts.iter().flatten()).all(|(rows, rollup)| rollup <= rows)
            }),
            Property::always(ALL_IN_AT_REST, |setting: &Self, world: &World| {
                let counts = [&world.store.rows.counts, &world.store.rollup.counts];
                !is_at_rest(setting, world)
                    || counts.into_iter().flatten().flatten().all(|count| *count == 1)
            }),
            Property::always(LIVING_GO_ON, living_go_on),
            Property::sometimes("it comes to rest", is_at_rest),
        ];
        // That the world is bad enough for the rest to say something.
        if self.kinds == ALL_FAULTS && self.faults >= 2 && self.is(Variant::AsItIs) {
            properties.extend([
                Property::sometimes(
                    "an insert arrives long after its range was settled",
                    |_, w: &World| {
                        let settled = |p: usize| w.group.committed[p].offset;
                        w.inserts.iter().any(|n| n.range.last() < settled(n.partition))
                    },
                ),
                Property::sometimes("a zombie is at a range with its successor", |_, w: &World| {
                    w.inserts.iter().any(|a| {
                        a.awaited_by.is_some_and(|i| w.is_zombie(i))
                            && w.inserts.iter().any(|b| a != b && a.range == b.range)
                    })
                }),
                Property::sometimes(
                    "a takeover finds rows without their rollup",
                    |_, w: &World| {
                        let halves = w.store.rows.counts != w.store.rollup.counts;
                        halves
                            && w.inserts.is_empty()
                            && holds(w).any(|(_, h)| *h == Hold::Assigned)
                    },
                ),
                Property::sometimes("a transaction is left open", |_, w: &World| {
                    let ended = |i: usize| !w.instances[i].up && w.group.open[i].is_some();
                    (0..w.instances.len()).any(ended)
                }),
            ]);
        }
        properties.retain(|property| self.only.is_none_or(|only| property.name == only));
        properties
    }
}

fn holds(world: &World) -> impl Iterator<Item = (usize, &Hold)> {
    let instances = world.instances.iter().enumerate();
    instances.flat_map(|(i, instance)| instance.holds.iter().flatten().map(move |hold| (i, hold)))
}

fn committed_is_in(setting: &Setting, world: &World) -> bool {
    let partitions = setting.partitions.iter().zip(&world.store.rows.counts);
    partitions.zip(&world.group.committed).all(|((offsets, counts), committed)| {
        offsets.iter().zip(counts).all(|(offset, count)| *offset >= committed.offset || *count == 1)
    })
}

/// Every partition is with a member, which has settled the last record and committed that. Zombies
/// may still wake, and inserts arrive.
fn is_at_rest(setting: &Setting, world: &World) -> bool {
    let rests = |p: usize, (i, instance): (usize, &Instance)| {
        let Some(Hold::At { position: Position::Settled { next, .. }, durable: true }) =
            instance.holds[p]
        else {
            return false;
        };
        world.group.members[i] == Member::Current
            && setting.partitions[p].last().is_none_or(|last| *last < next)
    };
    !world.group.rebalancing
        && (0..setting.partitions.len())
            .all(|p| world.instances.iter().enumerate().any(|instance| rests(p, instance)))
}

/// As long as one member lives, there is a step towards the end that needs no luck: nobody has to
/// start again, no zombie to wake, no insert to arrive for which nobody waits.
fn living_go_on(setting: &Setting, world: &World) -> bool {
    let lives = |i: usize| world.instances[i].up && world.group.has(i);
    if !(0..world.instances.len()).any(lives)
        || is_at_rest(setting, world)
        || holds(world).any(|(_, hold)| *hold == Hold::Stopped)
    {
        return true;
    }
    let mut steps = Vec::new();
    world.steps(&Setting { kinds: &[], ..*setting }, &mut steps);
    steps.iter().any(|step| match step {
        Step::Start(..) | Step::Notice(..) => false,
        Step::Insert(insert) => insert.awaited_by.is_some_and(lives),
        Step::Rebalance(..) | Step::Expire(..) | Step::Abort(..) => true,
        Step::Rejoin(i, ..)
        | Step::TakeOver(i, ..)
        | Step::Claim(i, ..)
        | Step::Offer(i)
        | Step::Commit(i)
        | Step::Ask(i, ..)
        | Step::Send(i, ..) => lives(*i),
        fault => unreachable!("there are none left: {fault:?}"),
    })
}

/// How far a world is from its end: every step makes it less, comparing from the left.
fn distance(setting: &Setting, world: &World) -> [usize; 7] {
    let World { group, instances, inserts, .. } = world;
    let all = 0..instances.len();
    // A zombie notices (3 to 1), an instance that has ended expires (2 to 1), starts (to 0).
    let strayed = |i: usize| match (instances[i].up, group.has(i)) {
        (true, false) => 3,
        (false, true) => 2,
        (false, false) => 1,
        (true, true) => 0,
    };
    let left_open = |i: &usize| strayed(*i) > 0 && group.open[*i].is_some();
    let waited_for = group.members.iter().filter(|m| **m == Member::Current).count();
    let orphans = inserts.iter().filter(|n| n.awaited_by.is_none());
    let uncommitted = group.committed.iter().enumerate().map(|(p, committed)| {
        let records = setting.partitions[p].iter().filter(|o| **o >= committed.offset).count();
        2 * records + usize::from(committed.metadata.is_empty())
    });
    let most_steps = 2 * setting.months;
    let to_commit = |i: usize| {
        let phases = instances[i].holds.iter().enumerate().map(|(p, hold)| match hold {
            None | Some(Hold::Stopped) => 0,
            Some(Hold::At { position: Position::Claimed { .. }, durable: false }) => 1,
            Some(Hold::At { position: Position::Settled { .. }, durable: false }) => 2,
            Some(Hold::At { position: Position::Claimed { .. }, durable: true }) => {
                let mine = inserts.iter().find(|n| n.awaited_by == Some(i) && n.partition == p);
                2 + mine.map_or(most_steps + 1, |n| steps_left(setting, n))
            }
            Some(Hold::At { .. } | Hold::Unasked { .. }) => most_steps + 4,
            Some(Hold::Assigned) => most_steps + 5,
        });
        2 * phases.sum::<usize>() + usize::from(!instances[i].committing)
    };
    [
        usize::from(world.faults_left),
        all.clone().map(strayed).sum(),
        all.clone().filter(left_open).count(),
        if group.rebalancing { 1 + waited_for } else { 0 },
        orphans.map(|n| steps_left(setting, n)).sum(),
        uncommitted.sum(),
        all.map(to_commit).sum(),
    ]
}
