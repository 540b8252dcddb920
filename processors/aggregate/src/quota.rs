use std::collections::HashMap;

/// What a shipment counts, and an event: what they take, about (benches/growth.rs).
const SHIPMENT_BYTES: usize = 1_000;
const EVENT_BYTES: usize = 44;

/// What the shipments of each carrier take of a partition's memory.
#[derive(Debug, Default)]
pub(crate) struct Quota(HashMap<String, Taken>);

/// What the shipments of a carrier take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Taken {
    pub shipments: usize,
    pub events: usize,
}

impl Taken {
    /// Of memory, about.
    pub fn bytes(self) -> usize {
        self.shipments * SHIPMENT_BYTES + self.events * EVENT_BYTES
    }
}

impl Quota {
    pub(crate) fn bytes(&self, carrier_id: &str) -> usize {
        self.0.get(carrier_id).map_or(0, |taken| taken.bytes())
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, Taken)> {
        self.0.iter().map(|(carrier_id, taken)| (carrier_id.as_str(), *taken))
    }

    pub(crate) fn add(&mut self, carrier_id: &str, shipments: usize, events: usize) {
        // A carrier's name is not copied for each event.
        let taken = match self.0.get_mut(carrier_id) {
            Some(taken) => taken,
            None => self.0.entry(carrier_id.to_owned()).or_default(),
        };
        taken.shipments += shipments;
        taken.events += events;
    }

    /// A shipment has gone, with its events.
    pub(crate) fn remove(&mut self, carrier_id: &str, events: usize) {
        let Some(taken) = self.0.get_mut(carrier_id) else { return };
        taken.shipments = taken.shipments.saturating_sub(1);
        taken.events = taken.events.saturating_sub(events);
        if taken.shipments == 0 {
            self.0.remove(carrier_id);
        }
    }
}
