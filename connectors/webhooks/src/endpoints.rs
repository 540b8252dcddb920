//! The endpoints of all carriers, by id: the registry as this role asks it.

use std::collections::HashMap;

use waybill_decrypt::{Carriers, Status, Webhook};
use waybill_schemas::vocabulary::Milestone;

/// By what they are asked for.
#[derive(Debug, Default)]
pub struct Endpoints {
    by_id: HashMap<String, Endpoint>,
    by_carrier: HashMap<String, Vec<Webhook>>,
    wants_events: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    pub carrier_id: String,
    pub webhook: Webhook,
}

impl Endpoints {
    /// A suspended carrier is told nothing.
    pub fn of(carriers: &Carriers) -> Self {
        let mut endpoints = Self::default();
        for carrier in carriers.iter().filter(|carrier| carrier.status == Status::Active) {
            for webhook in &carrier.webhooks {
                endpoints.wants_events |= !webhook.milestones.is_empty();
                let endpoint =
                    Endpoint { carrier_id: carrier.id().to_owned(), webhook: webhook.clone() };
                endpoints.by_id.insert(webhook.id.clone(), endpoint);
            }
            if !carrier.webhooks.is_empty() {
                let id = carrier.id().to_owned();
                endpoints.by_carrier.insert(id, carrier.webhooks.clone());
            }
        }
        endpoints
    }

    /// The endpoint of that id, if it is that carrier's.
    pub fn get(&self, id: &str) -> Option<&Endpoint> {
        self.by_id.get(id)
    }

    pub fn wants_events(&self) -> bool {
        self.wants_events
    }

    /// Who is told of a reject of that carrier, at that time (ms UTC).
    pub fn for_reject(&self, carrier_id: &str, at_ms: i64) -> impl Iterator<Item = &Webhook> {
        self.of_carrier(carrier_id, at_ms).filter(|webhook| webhook.rejects)
    }

    /// Who is told of a milestone.
    pub fn for_milestone(
        &self,
        carrier_id: &str,
        milestone: Milestone,
        at_ms: i64,
    ) -> impl Iterator<Item = &Webhook> {
        let wanted = move |webhook: &&Webhook| webhook.milestones.contains(&milestone);
        self.of_carrier(carrier_id, at_ms).filter(wanted)
    }

    /// None is told of what came up before it was there.
    fn of_carrier(&self, carrier_id: &str, at_ms: i64) -> impl Iterator<Item = &Webhook> {
        let own = self.by_carrier.get(carrier_id).map_or(&[][..], Vec::as_slice);
        own.iter().filter(move |webhook| webhook.created.as_millisecond() <= at_ms)
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use waybill_decrypt::Carrier;

    use super::*;

    #[test]
    fn each_is_told_of_its_own_carrier_s_and_of_what_it_has_chosen() {
        let mut carriers = Carriers::default();
        let webhook = |id: &str, rejects, milestones: &[Milestone], second| Webhook {
            id: id.into(),
            rejects,
            milestones: milestones.to_vec(),
            ..Webhook::new(String::new(), Timestamp::from_second(second).unwrap()).unwrap()
        };
        for (id, webhooks) in [
            ("a", vec![webhook("a1", true, &[], 1), webhook("a2", false, &[Milestone::GateIn], 5)]),
            ("b", vec![webhook("b1", true, &[Milestone::GateIn], 1)]),
            ("c", vec![]),
        ] {
            let mut carrier = Carrier::new(id, "").unwrap();
            carrier.webhooks = webhooks;
            carriers.insert(carrier).unwrap();
        }
        let ids = |found: &mut dyn Iterator<Item = &Webhook>| {
            found.map(|w| w.id.clone()).collect::<Vec<_>>()
        };
        let endpoints = Endpoints::of(&carriers);
        assert!(endpoints.wants_events());
        for (carrier, at_ms, rejects, gate_in) in [
            ("a", 10_000, &["a1"][..], &["a2"][..]),
            ("a", 4_999, &["a1"], &[]),
            ("a", 999, &[], &[]),
            ("b", 10_000, &["b1"], &["b1"]),
            ("c", 10_000, &[], &[]),
            ("", 10_000, &[], &[]),
        ] {
            assert_eq!(ids(&mut endpoints.for_reject(carrier, at_ms)), rejects, "{carrier}");
            let found = &mut endpoints.for_milestone(carrier, Milestone::GateIn, at_ms);
            assert_eq!(ids(found), gate_in, "{carrier}");
            let none = &mut endpoints.for_milestone(carrier, Milestone::GateOut, at_ms);
            assert!(ids(none).is_empty());
        }
        for id in ["a", "b"] {
            carriers.get_mut(id).unwrap().status = Status::Suspended;
        }
        let endpoints = Endpoints::of(&carriers);
        assert!(!endpoints.wants_events() && endpoints.get("a1").is_none());
        assert!(ids(&mut endpoints.for_reject("a", 10_000)).is_empty());
    }
}
