//! The coordinator of a consumer group, with cooperative rebalances.
//!
//! As with Kafka: a member that is not heard of for a session is put out; a rebalance begins when one comes or goes;
//! the next generation begins once every member has joined it, or has been put out for not doing so; what a
//! member had and another is to have goes to nobody in that generation, and is given in the next, which the member
//! asks for once it has given it up. Offsets in a transaction are taken from a member of the current generation, and
//! from whoever names none.

use std::collections::{BTreeMap, BTreeSet};

use waybill_host::event::Member;

use crate::Ms;
use crate::log::Place;
use crate::random::Random;

pub const SESSION: Ms = 10_000;
/// For so long a rebalance waits for who has not joined it.
pub const REBALANCE: Ms = 20_000;

/// What a heartbeat is answered with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Beat {
    Fine,
    /// A rebalance has begun: join it.
    Rebalancing,
    /// Nobody of this name, or not any more.
    Unknown,
}

#[derive(Debug, Default)]
struct Seat {
    seen_at: Ms,
    /// It has joined the generation to come, with these in hand.
    joins_with: Option<BTreeSet<Place>>,
    given: BTreeSet<Place>,
}

#[derive(Debug)]
pub struct Group {
    places: Vec<Place>,
    seats: BTreeMap<String, Seat>,
    generation: i32,
    rebalancing_since: Option<Ms>,
    joined: u32,
}

impl Group {
    pub fn new(places: Vec<Place>) -> Self {
        Self { places, seats: BTreeMap::new(), generation: 0, rebalancing_since: None, joined: 0 }
    }

    fn rebalance(&mut self, now: Ms) {
        self.rebalancing_since.get_or_insert(now);
    }

    /// A new member, which has nothing in hand. Returns its id.
    pub fn join(&mut self, now: Ms) -> String {
        self.joined += 1;
        let id = format!("member-{}", self.joined);
        let seat = Seat { seen_at: now, joins_with: Some(BTreeSet::new()), ..Seat::default() };
        self.seats.insert(id.clone(), seat);
        self.rebalance(now);
        id
    }

    /// Joins the next generation, with these in hand; without a rebalance, it asks for one.
    pub fn rejoin(&mut self, id: &str, owned: BTreeSet<Place>, now: Ms) -> Beat {
        let Some(seat) = self.seats.get_mut(id) else { return Beat::Unknown };
        seat.seen_at = now;
        seat.joins_with = Some(owned);
        self.rebalance(now);
        Beat::Fine
    }

    pub fn heartbeat(&mut self, member: &Member, now: Ms) -> Beat {
        let Some(seat) = self.seats.get_mut(&member.id) else { return Beat::Unknown };
        seat.seen_at = now;
        match (member.generation == self.generation, self.rebalancing_since) {
            (_, Some(_)) => Beat::Rebalancing,
            (true, None) => Beat::Fine,
            (false, None) => Beat::Unknown,
        }
    }

    pub fn leave(&mut self, id: &str, now: Ms) {
        if self.seats.remove(id).is_some() {
            self.rebalance(now);
        }
    }

    /// What a member has in the generation that it has joined, once that has begun.
    pub fn assignment(&self, id: &str) -> Result<Option<(i32, &BTreeSet<Place>)>, Beat> {
        let seat = self.seats.get(id).ok_or(Beat::Unknown)?;
        Ok(seat.joins_with.is_none().then_some((self.generation, &seat.given)))
    }

    /// Whether offsets in a transaction are taken from this one.
    pub fn accepts(&self, member: Option<&Member>) -> bool {
        member.is_none_or(|member| {
            member.generation == self.generation && self.seats.contains_key(&member.id)
        })
    }

    pub fn is_settled(&self) -> bool {
        let given: usize = self.seats.values().map(|seat| seat.given.len()).sum();
        self.rebalancing_since.is_none() && given == self.places.len()
    }

    pub fn members(&self) -> usize {
        self.seats.len()
    }

    /// Time passes: sessions end, and the next generation begins if all are there.
    pub fn pass(&mut self, now: Ms, random: &mut Random) {
        let before = self.seats.len();
        // Who waits for the next generation is heard of by that.
        self.seats.retain(|_, seat| seat.joins_with.is_some() || now - seat.seen_at < SESSION);
        if self.seats.len() != before {
            self.rebalance(now);
        }
        let Some(since) = self.rebalancing_since else { return };
        if now - since >= REBALANCE {
            self.seats.retain(|_, seat| seat.joins_with.is_some());
        }
        if !self.seats.is_empty() && self.seats.values().all(|seat| seat.joins_with.is_some()) {
            self.begin_generation(now, random);
        }
    }

    fn begin_generation(&mut self, now: Ms, random: &mut Random) {
        self.generation += 1;
        self.rebalancing_since = None;
        let mut owners = BTreeMap::new();
        for (id, seat) in &mut self.seats {
            seat.seen_at = now;
            seat.given.clear();
            for place in seat.joins_with.take().unwrap_or_default() {
                let before = owners.insert(place, id.clone());
                assert!(before.is_none(), "{place:?} is in the hands of two members");
            }
        }
        for (place, to) in self.wanted(&owners, random) {
            // What another has in hand, it gives up first.
            if owners.get(&place).is_none_or(|owner| *owner == to) {
                let seat = self.seats.get_mut(&to).expect("it is given to a member");
                seat.given.insert(place);
            }
        }
    }

    /// Who is to have what: everybody as many, and what one has it keeps as far as that allows.
    fn wanted(
        &self,
        owners: &BTreeMap<Place, String>,
        random: &mut Random,
    ) -> BTreeMap<Place, String> {
        let mut ids: Vec<&String> = self.seats.keys().collect();
        random.shuffle(&mut ids);
        let quota = self.places.len().div_ceil(ids.len());
        let mut wanted: BTreeMap<Place, String> = BTreeMap::new();
        let mut counts: BTreeMap<&String, usize> = ids.iter().map(|id| (*id, 0)).collect();
        for (place, owner) in owners {
            let count = counts.get_mut(owner).expect("owners are members");
            if *count < quota {
                *count += 1;
                wanted.insert(*place, owner.clone());
            }
        }
        for place in &self.places {
            if !wanted.contains_key(place) {
                let id = ids.iter().min_by_key(|id| counts[**id]).expect("there is one");
                *counts.get_mut(*id).expect("it is a member") += 1;
                wanted.insert(*place, (*id).clone());
            }
        }
        wanted
    }
}

#[cfg(test)]
mod tests {
    use waybill_schemas::Role;

    use super::*;

    const A: Place = (Role::Opened, 0);
    const B: Place = (Role::Opened, 1);

    fn group() -> (Group, Random) {
        (Group::new(vec![A, B]), Random::new(3))
    }

    fn given(group: &Group, id: &str) -> Vec<Place> {
        let (_, given) = group.assignment(id).unwrap().expect("its generation has begun");
        given.iter().copied().collect()
    }

    fn member(id: &str, generation: i32) -> Member {
        Member { id: id.to_owned(), generation }
    }

    #[test]
    fn what_moves_is_given_up_before_it_is_given() {
        let (mut group, mut random) = group();
        let one = group.join(0);
        assert_eq!(group.assignment(&one), Ok(None));
        group.pass(0, &mut random);
        assert_eq!(given(&group, &one), [A, B]);
        assert!(group.is_settled());
        let two = group.join(1);
        let has = member(&one, 1);
        group.pass(1, &mut random);
        // Not before the first has joined too; until then it is of the current generation.
        assert_eq!(group.assignment(&two), Ok(None));
        assert!(group.accepts(Some(&has)));
        assert_eq!(group.heartbeat(&has, 1), Beat::Rebalancing);
        group.rejoin(&one, [A, B].into(), 1);
        group.pass(2, &mut random);
        assert!(!group.accepts(Some(&has)) && group.accepts(Some(&member(&one, 2))));
        let kept = given(&group, &one);
        assert_eq!((kept.len(), given(&group, &two)), (1, vec![]));
        assert!(!group.is_settled());
        group.rejoin(&one, kept.iter().copied().collect(), 3);
        group.rejoin(&two, BTreeSet::new(), 3);
        group.pass(3, &mut random);
        assert_eq!((given(&group, &one), given(&group, &two).len()), (kept, 1));
        assert!(group.is_settled() && group.members() == 2);
    }

    #[test]
    fn who_is_silent_is_put_out() {
        let (mut group, mut random) = group();
        let (one, two) = (group.join(0), group.join(0));
        group.pass(0, &mut random);
        let (has, other) = (member(&one, 1), member(&two, 1));
        assert_eq!(group.heartbeat(&has, SESSION - 1), Beat::Fine);
        group.pass(SESSION - 1, &mut random);
        assert_eq!(group.members(), 2);
        group.pass(SESSION, &mut random);
        assert_eq!(group.heartbeat(&other, SESSION), Beat::Unknown);
        assert!(!group.accepts(Some(&other)), "a zombie is fenced");
        assert!(group.accepts(None), "a commit that names nobody is taken from anybody");
        let owned = given(&group, &one).into_iter().collect();
        group.rejoin(&one, owned, SESSION);
        group.pass(SESSION, &mut random);
        assert_eq!(given(&group, &one), [A, B]);
        assert_eq!(group.heartbeat(&has, SESSION), Beat::Unknown, "an old generation");
    }

    #[test]
    fn who_does_not_join_is_put_out_in_the_end() {
        let (mut group, mut random) = group();
        let one = group.join(0);
        group.pass(0, &mut random);
        let two = group.join(1);
        for now in [1, SESSION / 2, SESSION, SESSION + SESSION / 2, REBALANCE] {
            assert_eq!(group.heartbeat(&member(&one, 1), now), Beat::Rebalancing);
            group.pass(now, &mut random);
        }
        assert_eq!(group.members(), 2);
        group.pass(REBALANCE + 1, &mut random);
        assert_eq!(group.assignment(&one), Err(Beat::Unknown));
        assert_eq!(given(&group, &two), [A, B]);
    }

    #[test]
    fn who_leaves_is_missed_at_once() {
        let (mut group, mut random) = group();
        let (one, two) = (group.join(0), group.join(0));
        group.pass(0, &mut random);
        group.leave(&two, 1);
        assert_eq!(group.heartbeat(&member(&one, 1), 1), Beat::Rebalancing);
        group.leave(&one, 1);
        group.pass(2, &mut random);
        assert!(!group.accepts(Some(&member(&one, 1))));
    }
}
