//! A member of a group, as librdkafka is one: it joins, beats, and says what has changed. What it was told to do, it
//! answers, before it joins the next generation.

use std::collections::{BTreeSet, VecDeque};

use waybill_host::event::Member;

use crate::Ms;
use crate::group::{Beat, Group};
use crate::log::Place;

pub const BEAT_EVERY: Ms = 1_000;

/// What the group says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    Assigned {
        member: Member,
        places: Vec<Place>,
    },
    Revoked(Vec<Place>),
    /// Others have it already.
    Lost,
}

#[derive(Debug, Default)]
pub struct Client {
    /// Who it is, as far as it knows.
    pub known: Option<Member>,
    /// It has joined as this, and waits for the generation to begin.
    joining: Option<String>,
    owned: BTreeSet<Place>,
    changes: VecDeque<Change>,
    /// A change was told, and is not answered.
    is_owing: bool,
    /// What is given up was asked back: it joins anew once that is done.
    is_to_rejoin: bool,
}

impl Client {
    /// What comes next, to be [answered](Self::assigned).
    pub fn change(&mut self) -> Option<Change> {
        if self.is_owing {
            return None;
        }
        let change = self.changes.pop_front()?;
        self.is_owing = true;
        Some(change)
    }

    pub fn has_change(&self) -> bool {
        !self.is_owing && !self.changes.is_empty()
    }

    pub fn assigned(&mut self, places: impl IntoIterator<Item = Place>) {
        self.is_owing = false;
        self.owned.extend(places);
    }

    pub fn unassigned(&mut self, places: &[Place]) {
        self.is_owing = false;
        self.owned.retain(|place| !places.contains(place));
    }

    /// Nothing is owed and nothing comes.
    pub fn is_quiet(&self) -> bool {
        !self.is_owing && self.changes.is_empty() && self.joining.is_none() && !self.is_to_rejoin
    }

    /// Speaks with the coordinator, as a thread of its own does.
    pub fn beat(&mut self, group: &mut Group, now: Ms) {
        if let Some(id) = self.joining.clone() {
            match group.assignment(&id) {
                Err(_) => self.lose(),
                Ok(None) => {}
                Ok(Some((generation, given))) => {
                    let member = Member { id, generation };
                    self.joining = None;
                    self.known = Some(member.clone());
                    self.take(member, &given.clone());
                }
            }
            return;
        }
        let is_answered = !self.is_owing && self.changes.is_empty();
        match &self.known {
            None if self.owned.is_empty() => self.joining = Some(group.join(now)),
            None => {}
            Some(member) => match group.heartbeat(member, now) {
                Beat::Fine if !self.is_to_rejoin => {}
                // Who owes an answer, gives it first.
                Beat::Fine | Beat::Rebalancing if !is_answered => {}
                Beat::Fine | Beat::Rebalancing => {
                    let id = member.id.clone();
                    self.is_to_rejoin = false;
                    group.rejoin(&id, self.owned.clone(), now);
                    self.joining = Some(id);
                }
                Beat::Unknown => self.lose(),
            },
        }
    }

    fn take(&mut self, member: Member, given: &BTreeSet<Place>) {
        let revoked: Vec<Place> = self.owned.difference(given).copied().collect();
        let places: Vec<Place> = given.difference(&self.owned).copied().collect();
        if !revoked.is_empty() {
            self.changes.push_back(Change::Revoked(revoked));
            self.is_to_rejoin = true;
        }
        if !places.is_empty() {
            self.changes.push_back(Change::Assigned { member, places });
        }
    }

    /// It has been put out. It joins anew at once, as somebody else, whatever is still held here.
    fn lose(&mut self) {
        self.known = None;
        self.joining = None;
        self.is_to_rejoin = false;
        let had = !self.owned.is_empty() || self.is_owing || !self.changes.is_empty();
        self.owned.clear();
        self.changes.clear();
        if had {
            self.changes.push_back(Change::Lost);
        }
    }

    /// Gives all back and goes.
    pub fn leave(&mut self, group: &mut Group, now: Ms) {
        let id = self.joining.take().or(self.known.take().map(|member| member.id));
        if let Some(id) = id {
            group.leave(&id, now);
        }
    }
}

#[cfg(test)]
mod tests {
    use waybill_schemas::Role;

    use super::*;
    use crate::group::SESSION;
    use crate::random::Random;

    const A: Place = (Role::Opened, 0);
    const B: Place = (Role::Opened, 1);

    fn pass(group: &mut Group, clients: &mut [&mut Client], now: Ms) {
        for _ in 0..3 {
            clients.iter_mut().for_each(|client| client.beat(group, now));
            group.pass(now, &mut Random::new(7));
        }
    }

    #[test]
    fn a_partition_moves_once_it_is_given_up() {
        let mut group = Group::new(vec![A, B]);
        let (mut one, mut two) = (Client::default(), Client::default());
        pass(&mut group, &mut [&mut one], 0);
        let Some(Change::Assigned { places, .. }) = one.change() else { panic!("{one:?}") };
        assert_eq!(places, [A, B]);
        // It owes an answer, so the other waits.
        pass(&mut group, &mut [&mut one, &mut two], 1);
        assert!(!two.has_change() && one.change().is_none());
        one.assigned(places);
        pass(&mut group, &mut [&mut one, &mut two], 2);
        let Some(Change::Revoked(moved)) = one.change() else { panic!("{one:?}") };
        pass(&mut group, &mut [&mut one, &mut two], 3);
        assert!(!two.has_change());
        one.unassigned(&moved);
        pass(&mut group, &mut [&mut one, &mut two], 4);
        let Some(Change::Assigned { places, .. }) = two.change() else { panic!("{two:?}") };
        assert_eq!(places, moved);
        two.assigned(places);
        pass(&mut group, &mut [&mut one, &mut two], 5);
        assert!(group.is_settled() && one.is_quiet() && two.is_quiet());
    }

    #[test]
    fn who_was_put_out_learns_late_and_is_another_then() {
        let mut group = Group::new(vec![A]);
        let (mut one, mut two) = (Client::default(), Client::default());
        pass(&mut group, &mut [&mut one], 0);
        let before = one.known.clone();
        assert!(matches!(one.change(), Some(Change::Assigned { .. })));
        one.assigned([A]);
        group.pass(SESSION, &mut Random::new(1));
        pass(&mut group, &mut [&mut two], SESSION);
        assert_eq!(one.known, before);
        pass(&mut group, &mut [&mut one], SESSION);
        assert_eq!(one.change(), Some(Change::Lost));
        assert_ne!(one.joining, before.map(|member| member.id));
        one.leave(&mut group, SESSION);
        assert_eq!(group.members(), 1);
    }
}
