use std::collections::BTreeMap;

use waybill_aggregate::{NAME, Partition, Restoring, Settings, Taken, key};
use waybill_host::chain::Flow;
use waybill_host::chain::{answered, decoded, opened, unreadable};
use waybill_host::input::Input;
use waybill_host::ledger::Item;
use waybill_host::metrics::metrics;
use waybill_host::processor::{Incoming, Processor};
use waybill_host::state_log::{Meaning, StateLog};
use waybill_host::values::Values;
use waybill_schemas::Role;
use waybill_schemas::pipeline::AGGREGATE;
use waybill_schemas::vocabulary::LedgerOutcome;
use waybill_schemas::{AcceptedEvent, EnrichedEvent, Erasure, ShipmentHistory};
use waybill_sealing::internal::Pseudonyms;
use waybill_stage::{Answer, Context, Fault, Traced};

use crate::offsets::{numbers, probe};
use crate::{HostSettings, changelog};

/// The host's side of aggregate: keeps its state by input partition, durable through the
/// changelog, whose partitions are those of the input.
pub struct Aggregating<'a> {
    /// What it goes by, asked for at each batch: carriers may be given longer while it runs.
    rules: &'a (dyn Fn() -> Settings + Sync),
    settings: Settings,
    host: &'a HostSettings,
    values: &'a Values,
    partitions: BTreeMap<i32, Kept>,
    answer: Answer<AcceptedEvent>,
}

/// A partition's state, and the last batch that has written to its changelog.
struct Kept {
    input: Input,
    state: Partition,
    batch: u64,
    /// What the keys of its changelog are made with, as long as it is ours. Whoever restores it with others,
    /// made with a later internal key, moves its records.
    keys: Pseudonyms,
}

impl std::fmt::Debug for Aggregating<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Aggregating({} partitions)", self.partitions.len())
    }
}

impl<'a> Aggregating<'a> {
    pub fn new(
        rules: &'a (dyn Fn() -> Settings + Sync),
        host: &'a HostSettings,
        values: &'a Values,
    ) -> Self {
        let (partitions, answer) = (BTreeMap::new(), Answer::default());
        Self { rules, settings: rules(), host, values, partitions, answer }
    }

    fn show_size(&self) {
        let shipments: usize = self.partitions.values().map(|kept| kept.state.len()).sum();
        metrics().shipments.set(i64::try_from(shipments).unwrap_or(i64::MAX));
    }
}

/// The state of a partition, from its changelog.
fn restore(
    host: &HostSettings,
    values: &Values,
    settings: &Settings,
    partition: i32,
) -> Result<Kept, Fault> {
    let topic = host.topics.name(Role::AggregateState);
    // A changelog that cannot be read is no record's fault: without it duplicates would pass, so the
    // process does not go on.
    let bad = |why: &str| Fault(format!("changelog {topic}-{partition}: {why}"));
    let (mut restoring, mut log) = (Restoring::default(), StateLog::default());
    let each = |key: &[u8], value: Option<&[u8]>| {
        let meaning = log.read(values, key, value, restoring.has(key));
        let record = match meaning.map_err(|fault| bad(&fault.0))? {
            Meaning::Value(plain) => Some(
                waybill_schemas::decode::<ShipmentHistory>(&plain)
                    .map_err(|e| bad(&e.to_string()))?,
            ),
            Meaning::Gone => None,
            Meaning::Nothing => return Ok(()),
            Meaning::Strange(what) => {
                metrics().strange_state.with_label_values(&[what]).inc();
                tracing::error!(
                    topic,
                    partition,
                    what,
                    "somebody else has written to the changelog"
                );
                return Ok(());
            }
        };
        restoring.take(key, record).map_err(|e| bad(&e.to_string()))
    };
    let records = changelog::read(&host.connection, topic, partition, each)?;
    let keys = values.pseudonyms(Role::AggregateState)?;
    let state = restoring.finish(settings, |about| keys.of(about));
    let state = state.map_err(|e| bad(&e.to_string()))?;
    let (shipments, moving) = (state.len(), state.moving());
    tracing::info!(partition, records, shipments, moving, "state restored");
    let input = Input::new(Role::Enriched, host.topics.name(Role::Enriched), partition);
    Ok(Kept { input, state, batch: log.batch, keys })
}

/// What aggregate remembers.
#[derive(Debug, Default)]
pub struct State {
    /// What each carrier's open shipments take of each partition: partition, carrier, how much.
    pub taken: Vec<(i32, String, Taken)>,
    /// How many shipments have records under keys of before.
    pub moving: usize,
}

/// It is read from the changelog, so that no process is asked.
pub fn state(host: &HostSettings, values: &Values, settings: &Settings) -> Result<State, Fault> {
    let probe = probe(&host.connection, &host.group)?;
    let mut found = State::default();
    for partition in numbers(&probe, host.topics.name(Role::AggregateState))? {
        let kept = restore(host, values, settings, partition)?;
        let mut taken: Vec<_> = kept
            .state
            .taken()
            .map(|(carrier, taken)| (partition, carrier.to_owned(), taken))
            .collect();
        taken.sort_by(|a, b| a.1.cmp(&b.1));
        found.taken.extend(taken);
        found.moving += kept.state.moving();
    }
    Ok(found)
}

/// Forgets the shipment, and says so behind what was written of it: on each topic, what stands before that is of
/// the shipment as it was. It is passed on also where nothing was known, since an operator waits for it.
fn erase(state: &mut Partition, erasure: &Erasure, flow: &mut Flow<'_>) -> Result<(), Fault> {
    let known = state.erase(&erasure.carrier_id, &erasure.shipment_id);
    tracing::info!(erasure = erasure.erasure_id, known, "a shipment is erased");
    flow.batch.ledger.count(Item {
        stage: NAME.into(),
        carrier_id: &erasure.carrier_id,
        received_at: erasure.asked_at,
        outcome: LedgerOutcome::Erased,
        code: "".into(),
        records: 1,
        parts: 1,
    });
    for role in [Role::Events, Role::Shipments] {
        flow.batch.put(flow.values, role, None, erasure.shipment_id.as_bytes(), erasure)?;
    }
    Ok(())
}

impl Processor for Aggregating<'_> {
    fn stages(&self) -> Vec<&'static str> {
        vec![NAME]
    }

    fn inputs(&self) -> &'static [Role] {
        AGGREGATE.inputs
    }

    fn process(&mut self, record: &Incoming<'_>, flow: &mut Flow<'_>) -> Result<(), Fault> {
        let plain = match opened(Role::Enriched, record, flow.values)? {
            Ok(plain) => plain,
            Err(reason) => return unreadable(NAME, record, reason, flow),
        };
        let Some(kept) = self.partitions.get_mut(&record.partition) else {
            return Err(Fault(format!("record of partition {} without state", record.partition)));
        };
        if waybill_schemas::is::<Erasure>(&plain) {
            return match decoded(&plain, record)? {
                Ok(erasure) => erase(&mut kept.state, &erasure, flow),
                Err(reason) => unreadable(NAME, record, reason, flow),
            };
        }
        let input: EnrichedEvent = match decoded(&plain, record)? {
            Ok(input) => input,
            Err(reason) => return unreadable(NAME, record, reason, flow),
        };
        let (provenance, position) = (input.provenance(), input.position());
        let cx = Context::at(flow.now_ms);
        let settings = &self.settings;
        answered(NAME, &mut self.answer, &provenance, position, flow, |answer| {
            kept.state.apply(settings, &cx, input, answer)
        })?;
        for accepted in self.answer.passed.drain(..) {
            let key = accepted.event.shipment_id.as_bytes();
            flow.batch.put(flow.values, Role::Events, None, key, &accepted)?;
        }
        Ok(())
    }

    /// Every shipment that changed in the batch: its new state for readers, and for the changelog.
    fn close(&mut self, flow: &mut Flow<'_>) -> Result<(), Fault> {
        for (number, kept) in &mut self.partitions {
            kept.state.purge(&self.settings);
            flow.batch.ledger.open(&kept.input);
            // Numbers may be left out, and only grow.
            kept.batch += 1;
            let at = (*number, kept.batch);
            for changed in kept.state.take_changed() {
                let id = changed.shipment_id;
                if let Some(shipment) = &changed.shipment {
                    flow.batch.put(flow.values, Role::Shipments, None, id.as_bytes(), shipment)?;
                }
                for old in &changed.old_keys {
                    flow.batch.put_state(flow.values, at, old, None)?;
                }
                for (record, history) in changed.records {
                    let key = kept.keys.of(&key(&id, record));
                    flow.batch.put_state(flow.values, at, key.as_ref(), history.as_ref())?;
                }
            }
        }
        self.settings = (self.rules)();
        self.show_size();
        Ok(())
    }

    fn gain(&mut self, partitions: &[i32]) -> Result<(), Fault> {
        for partition in partitions {
            let state = restore(self.host, self.values, &self.settings, *partition)?;
            self.partitions.insert(*partition, state);
        }
        self.show_size();
        Ok(())
    }

    fn lose(&mut self, partitions: &[i32]) {
        for partition in partitions {
            self.partitions.remove(partition);
        }
        self.show_size();
    }
}
