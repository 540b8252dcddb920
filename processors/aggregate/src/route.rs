use waybill_schemas::vocabulary::{Classifier, Mode};
use waybill_schemas::{Dwell, Leg, Unlocode};

use crate::great_circle::great_circle_km;
use crate::milestone::{ARRIVING, LEAVING, arriving};
use crate::promise::promised;
use crate::stops::{Stop, Stops};
use crate::timeline::Timeline;
use crate::track::Told;

/// No real shipment has as many; what is shown of a shipment stays small.
const MAX_LEGS: usize = 32;

/// Consecutive actual events in one place.
#[derive(Debug)]
struct Stay {
    unlocode: Unlocode,
    events: u32,
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
    fn new(unlocode: Unlocode, run: &Told) -> Self {
        Self {
            unlocode,
            events: run.events,
            first: run.first,
            last: run.last,
            arrived: run.arrived,
            left: run.left,
            mode_in: run.mode_in,
            mode_out: run.mode_out,
            coordinates: run.coordinates,
        }
    }

    /// Goes on with a later run: the cargo was nowhere else meanwhile, as far as is known.
    fn go_on(&mut self, run: Self) {
        self.events += run.events;
        self.last = run.last;
        self.arrived = self.arrived.or(run.arrived);
        self.left = run.left.or(self.left);
        self.mode_in = self.mode_in.or(run.mode_in);
        self.mode_out = run.mode_out.or(self.mode_out);
        self.coordinates = self.coordinates.or(run.coordinates);
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
    for run in timeline.actual().runs(timeline.events()) {
        let Some(unlocode) = run.place.unlocode else { continue };
        let stay = Stay::new(unlocode, &run);
        match stays.last_mut() {
            Some(here) if here.unlocode == unlocode => here.go_on(stay),
            _ => stays.push(stay),
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
            LEAVING,
            from.unlocode,
            from.left.unwrap_or(from.last),
        ),
        planned_arrival_at: promised(
            timeline,
            ARRIVING,
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
                planned_departure_at: promised(timeline, LEAVING, from, left.unwrap_or(about)),
                planned_arrival_at: promised(timeline, ARRIVING, to, expected),
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
    [Classifier::Planned, Classifier::Estimated].into_iter().find_map(|classifier| {
        let (track, events) = timeline.of(classifier);
        track.with_mode_at(events, to).filter(|e| arriving(e.milestone)).find_map(|e| e.mode)
    })
}

fn distance_km(from: Option<(f64, f64)>, to: Option<(f64, f64)>) -> Option<f64> {
    Some(great_circle_km(from?, to?))
}
