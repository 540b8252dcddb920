//! A stage with state: it passes each event once, and remembers which, by shipment, in the changelog.

use std::collections::{BTreeMap, BTreeSet};

use waybill_host::batch::Batch;
use waybill_host::chain::{OutputContext, read_back, run_stage, unreadable};
use waybill_host::event::Restorer;
use waybill_host::input::Input;
use waybill_host::processor::{Incoming, Processor, Stateless};
use waybill_host::sink_task::PendingRange;
use waybill_host::state_log::{Meaning, StateLog};
use waybill_schemas::vocabulary::{Classifier, Milestone};
use waybill_schemas::{HistoryEntry, Opened, Role, ShipmentHistory};
use waybill_stage::{Fault, Outputs, Traced};

use crate::content::{VALUES, about};

pub const NAME: &str = "aggregate";

/// The numbers of the events of each shipment.
pub type State = BTreeMap<String, BTreeSet<i64>>;

/// A partition's state as it is read back.
#[derive(Debug, Default)]
pub struct Restoring {
    log: StateLog,
    by_key: BTreeMap<Vec<u8>, ShipmentHistory>,
}

impl Restoring {
    pub fn state(&self) -> State {
        let all = self.by_key.values();
        let numbers = |h: &ShipmentHistory| h.events.iter().map(|e| e.event).collect();
        all.map(|history| (history.shipment_id.clone(), numbers(history))).collect()
    }
}

impl Restorer for Restoring {
    fn take(&mut self, record: &Incoming<'_>) -> Result<(), Fault> {
        let key = record.key.unwrap_or_default();
        let is_there = self.by_key.contains_key(key);
        match self.log.read(&VALUES, key, record.value, is_there)? {
            Meaning::Value(plain) => {
                let history = waybill_schemas::decode(&plain).map_err(|e| Fault(e.to_string()))?;
                self.by_key.insert(key.to_vec(), history);
            }
            Meaning::Gone => _ = self.by_key.remove(key),
            Meaning::Nothing => {}
            Meaning::Strange(what) => return Err(Fault(format!("strange state: {what}"))),
        }
        Ok(())
    }
}

/// What of a restored state can be looked at.
pub trait Restored: Restorer + std::fmt::Debug + 'static {
    fn state(&self) -> Option<State> {
        None
    }
}

impl Restored for Stateless {}
impl Restored for PendingRange<'static> {}
impl Restored for Restoring {
    fn state(&self) -> Option<State> {
        Some(self.state())
    }
}

#[derive(Debug, Default)]
struct Kept {
    state: State,
    changed: BTreeMap<String, Opened>,
    batch: u64,
}

/// It reads the valid events, and passes those that are new.
#[derive(Debug, Default)]
pub struct Seen {
    partitions: BTreeMap<i32, Kept>,
    answer: Outputs<Opened>,
}

impl Processor for Seen {
    type State = Restoring;

    fn stages(&self) -> Vec<&'static str> {
        vec![NAME]
    }

    fn inputs(&self) -> &'static [Role] {
        &[Role::Valid]
    }

    fn process(
        &mut self,
        record: &Incoming<'_>,
        flow: &mut OutputContext<'_>,
    ) -> Result<(), Fault> {
        let input: Opened = match read_back(Role::Valid, record, flow.cipher)? {
            Ok(input) => input,
            Err(reason) => return unreadable(NAME, record, reason, flow),
        };
        let Some(kept) = self.partitions.get_mut(&record.partition) else {
            return Err(Fault(format!("invariant: no state of partition {}", record.partition)));
        };
        let (provenance, position) = (input.provenance(), input.position());
        let (shipment, number) = about(&input);
        run_stage(NAME, &mut self.answer, &provenance, position, flow, |answer| {
            if kept.state.entry(shipment.clone()).or_default().insert(number) {
                kept.changed.insert(shipment.clone(), input.clone());
                answer.emit(input);
            } else {
                answer.duplicate();
            }
            Ok(())
        })?;
        for event in self.answer.emitted.drain(..) {
            flow.batch.put(flow.cipher, Role::Events, None, shipment.as_bytes(), &event)?;
        }
        Ok(())
    }

    fn close(&mut self, flow: &mut OutputContext<'_>) -> Result<(), Fault> {
        for (partition, kept) in &mut self.partitions {
            let Some((input, _)) =
                flow.batch.offsets.iter().find(|(i, _)| i.partition == *partition)
            else {
                continue;
            };
            let input = input.clone();
            flow.batch.ledger.open(&input);
            kept.batch += 1;
            for (shipment, last) in std::mem::take(&mut kept.changed) {
                flow.batch.put(flow.cipher, Role::Shipments, None, shipment.as_bytes(), &last)?;
                put_history(flow.batch, (*partition, kept.batch), &shipment, &kept.state)?;
            }
        }
        Ok(())
    }

    fn state_of(&mut self, _: &Input) -> Result<Option<(Role, Restoring)>, Fault> {
        Ok(Some((Role::AggregateState, Restoring::default())))
    }

    fn on_assigned(&mut self, input: &Input, state: Option<Restoring>) -> Result<(), Fault> {
        let Some(restored) = state else {
            return Err(Fault(format!("invariant: no state was read of {input}")));
        };
        let (state, batch) = (restored.state(), restored.log.batch);
        self.partitions.insert(input.partition, Kept { state, batch, ..Kept::default() });
        Ok(())
    }

    fn on_revoked(&mut self, input: &Input) {
        self.partitions.remove(&input.partition);
    }
}

fn put_history(
    batch: &mut Batch,
    at: (i32, u64),
    shipment: &str,
    state: &State,
) -> Result<(), Fault> {
    let entry = |event: &i64| HistoryEntry {
        event: *event,
        milestone: Milestone::GateIn,
        classifier: Classifier::Actual,
        occurred_at: 0,
        received_at: 0,
        unlocode: None,
        country: None,
        latitude: None,
        longitude: None,
        mode: None,
        raw_id_hash: None,
    };
    let history = ShipmentHistory {
        shipment_id: shipment.to_owned(),
        number: 0,
        last: std::sync::Arc::default(),
        revision: 0,
        duplicates: 0,
        unit: None,
        documents: Vec::new(),
        equipment: None,
        stated_origin: None,
        stated_destination: None,
        first_received_at: 0,
        last_received_at: 0,
        aggregated_at: 0,
        events: state.get(shipment).into_iter().flatten().map(entry).collect(),
    };
    let key = VALUES.pseudonym(Role::AggregateState, shipment.as_bytes())?;
    batch.put_state(&VALUES, at, key.as_ref(), Some(&history))
}
