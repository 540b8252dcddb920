use waybill_schemas::vocabulary::Mode;
use waybill_schemas::{Dwell, Leg, MilestoneEntry, Unlocode};

use crate::great_circle::great_circle_km;
use crate::milestone::{arriving, leaving};
use crate::promise::promised;
use crate::stops::{Stop, Stops};
use crate::timeline::{Timeline, coordinates, place};

/// No real shipment has as many; a record of the changelog stays bounded.
const MAX_LEGS: usize = 128;

/// Consecutive actual events in one place.
#[derive(Debug)]
struct Stay {
    unlocode: Unlocode,
    events: usize,
    first: i64,
    last: i64,
    /// First event that tells of the arrival, last one that tells of leaving.
    arrived: Option<i64>,
    left: Option<i64>,
    /// How the cargo came and went: first and last mode named here.
    mode_in: Option<Mode>,
    mode_out: Option<Mode>,
    coordinates: Option<(f64, f64)>,
}

impl Stay {
    fn new(unlocode: Unlocode, at: i64) -> Self {
        Self {
            unlocode,
            events: 0,
            first: at,
            last: at,
            arrived: None,
            left: None,
            mode_in: None,
            mode_out: None,
            coordinates: None,
        }
    }

    fn add(&mut self, entry: &MilestoneEntry) {
        self.events += 1;
        self.last = entry.occurred_at;
        if arriving(entry.milestone).is_some() {
            self.arrived = self.arrived.or(Some(entry.occurred_at));
        }
        if leaving(entry.milestone).is_some() {
            self.left = Some(entry.occurred_at);
        }
        self.mode_in = self.mode_in.or(entry.mode);
        self.mode_out = entry.mode.or(self.mode_out);
        self.coordinates = self.coordinates.or_else(|| coordinates(entry));
    }
}

/// What the milestones add up to.
#[derive(Debug)]
pub(crate) struct Route {
    pub(crate) legs: Vec<Leg>,
    pub(crate) dwells: Vec<Dwell>,
    pub(crate) distance_km: f64,
}

pub(crate) fn route(timeline: &Timeline, stops: &Stops) -> Route {
    let mut stays: Vec<Stay> = Vec::new();
    for entry in timeline.actual() {
        let Some(unlocode) = place(entry) else { continue };
        if stays.last().is_none_or(|stay| stay.unlocode != unlocode) {
            stays.push(Stay::new(unlocode, entry.occurred_at));
        }
        if let Some(stay) = stays.last_mut() {
            stay.add(entry);
        }
    }
    let pairs = || stays.iter().zip(stays.iter().skip(1));
    let mut legs: Vec<_> = pairs()
        .skip(stays.len().saturating_sub(MAX_LEGS + 1))
        .map(|(from, to)| travelled(timeline, from, to))
        .collect();
    to_come(timeline, stays.last(), &stops.to_come(), &mut legs);
    let dwells: Vec<_> = stays
        .iter()
        .filter(|stay| stay.events > 1)
        .map(|stay| Dwell { unlocode: stay.unlocode, from: stay.first, until: stay.last })
        .collect();
    Route {
        legs,
        dwells: dwells.split_at(dwells.len().saturating_sub(MAX_LEGS)).1.to_vec(),
        distance_km: pairs().filter_map(|(a, b)| distance_km(a.coordinates, b.coordinates)).sum(),
    }
}

fn travelled(timeline: &Timeline, from: &Stay, to: &Stay) -> Leg {
    Leg {
        from_unlocode: from.unlocode,
        to_unlocode: to.unlocode,
        mode: from.mode_out.or(to.mode_in),
        departed_at: from.left,
        arrived_at: to.arrived,
        planned_departure_at: promised(
            timeline,
            leaving,
            from.unlocode,
            from.left.unwrap_or(from.last),
        ),
        planned_arrival_at: promised(
            timeline,
            arriving,
            to.unlocode,
            to.arrived.unwrap_or(to.first),
        ),
        distance_km: distance_km(from.coordinates, to.coordinates),
    }
}

/// Adds the legs that lie before the shipment: from where it is to the next call, and on.
fn to_come(timeline: &Timeline, here: Option<&Stay>, calls: &[Stop], legs: &mut Vec<Leg>) {
    let mut from = here.map(|stay| (stay.unlocode, stay.left, stay.last));
    let places = calls.iter().filter_map(|call| Some((call.place.unlocode?, call.expected()?)));
    for (to, expected) in places.take(MAX_LEGS) {
        if let Some((from, left, about)) = from.filter(|(from, ..)| *from != to) {
            legs.push(Leg {
                from_unlocode: from,
                to_unlocode: to,
                mode: mode_to(timeline, to),
                departed_at: left,
                arrived_at: None,
                planned_departure_at: promised(timeline, leaving, from, left.unwrap_or(about)),
                planned_arrival_at: promised(timeline, arriving, to, expected),
                distance_km: distance_km(timeline.coordinates(from), timeline.coordinates(to)),
            });
        }
        from = Some(match from {
            // Still here: what is expected here tells no other place.
            Some(here @ (place, ..)) if place == to => here,
            _ => (to, None, expected),
        });
    }
}

/// How the cargo is expected to come to a place.
fn mode_to(timeline: &Timeline, to: Unlocode) -> Option<Mode> {
    [timeline.planned(), timeline.estimated()]
        .into_iter()
        .flatten()
        .filter(|e| place(e) == Some(to) && arriving(e.milestone).is_some())
        .find_map(|e| e.mode)
}

fn distance_km(from: Option<(f64, f64)>, to: Option<(f64, f64)>) -> Option<f64> {
    Some(great_circle_km(from?, to?))
}
