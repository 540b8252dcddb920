//! What an instance reads, and offers to its host.

use waybill_host::event::{Event, Paused};
use waybill_host::task::Task;

use crate::content::BROKEN;
use crate::flaw::Flaw;
use crate::instance::Instance;
use crate::log::{Place, Standing};
use crate::reading::{failed, input};
use crate::seen::Restored;
use crate::servers::Servers;

/// Records of one topic, or what stands in their place.
pub struct Offer<R> {
    pub records: Vec<(Place, Standing)>,
    pub event: Option<Event<R>>,
}

impl<T: Task> Instance<T>
where
    T::Restorer: Restored,
{
    /// What comes next of a topic that is not paused: of one of its partitions, or of several.
    pub fn gather(&mut self, s: &mut Servers) -> Option<Offer<T::Restorer>> {
        let mut places: Vec<Place> = self.positions.keys().copied().collect();
        places.retain(|place| match self.paused {
            Paused::Nothing => true,
            Paused::Topic(role) => place.0 != role,
            Paused::Everything => false,
        });
        s.random.shuffle(&mut places);
        let mut offer = Offer { records: Vec::new(), event: None };
        for place in places {
            let is_other = offer.records.first().is_some_and(|(first, _)| first.0 != place.0);
            if is_other || (!offer.records.is_empty() && s.random.permille(500)) {
                continue;
            }
            let from = self.positions[&place];
            if from < s.log.at(place).first() {
                offer.event = Some(failed("offset out of range"));
                return Some(offer);
            }
            if !self.gather_of(place, from, &mut offer, s) {
                return Some(offer);
            }
        }
        Some(offer)
    }

    /// Whether other partitions may be looked at, too.
    fn gather_of(
        &mut self,
        place: Place,
        from: i64,
        offer: &mut Offer<T::Restorer>,
        s: &mut Servers,
    ) -> bool {
        let most = s.random.index(20) + 1;
        let at = s.log.at(place);
        let (found, next) = match s.flaw {
            Some(Flaw::UncommittedRead) => at.uncommitted(from, most),
            _ => at.committed(from, most),
        };
        let Some(first) = found.first() else {
            self.positions.insert(place, next);
            return true;
        };
        if first.record.key == BROKEN {
            if offer.records.is_empty() {
                let offset = first.offset;
                offer.event = Some(Event::Undecodable(input(place), offset..offset + 1));
                self.positions.insert(place, offset + 1);
            }
            return false;
        }
        let whole = found.into_iter().take_while(|standing| standing.record.key != BROKEN);
        offer.records.extend(whole.map(|standing| (place, standing.clone())));
        true
    }

    /// So many were taken: the rest comes again.
    pub fn go_on_behind(&mut self, offered: &[(Place, Standing)], taken: usize, s: &mut Servers) {
        let taken = if s.is(Flaw::UntakenSkipped) { offered.len() } else { taken };
        for (place, standing) in &offered[..taken] {
            if let Some(position) = self.positions.get_mut(place) {
                *position = standing.offset + 1;
            }
        }
        if taken > 0 && s.sometimes(Flaw::OfferedTwice, 100) {
            let (place, standing) = &offered[taken - 1];
            self.positions.insert(*place, standing.offset);
        }
    }
}
