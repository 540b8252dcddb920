//! Aggregate as a host runs it: keeps the state of each input partition, durable through the changelog, whose
//! partitions are those of the input.

use std::collections::BTreeMap;

use waybill_host::chain::OutputContext;
use waybill_host::chain::{decoded, opened, run_stage, unreadable};
use waybill_host::event::Restorer;
use waybill_host::input::Input;
use waybill_host::ledger::OutcomeCount;
use waybill_host::metrics::metrics;
use waybill_host::processor::{Incoming, Processor};
use waybill_host::state_log::{Meaning, StateLog};
use waybill_host::topic_cipher::TopicCipher;
use waybill_schemas::Role;
use waybill_schemas::pipeline::AGGREGATE;
use waybill_schemas::vocabulary::LedgerOutcome;
use waybill_schemas::{AcceptedEvent, EnrichedEvent, Erasure, ShipmentHistory};
use waybill_sealing::internal::Pseudonyms;
use waybill_stage::{Context, Fault, Outputs, Traced};

use crate::{NAME, Partition, Restoring, Settings, Taken, key};

pub struct Aggregating<'a> {
    /// What it goes by, asked for at each batch: carriers may be given longer while it runs.
    rules: &'a (dyn Fn() -> Settings + Sync),
    settings: Settings,
    cipher: &'a TopicCipher,
    partitions: BTreeMap<i32, Kept>,
    outputs: Outputs<AcceptedEvent>,
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
    pub fn new(rules: &'a (dyn Fn() -> Settings + Sync), cipher: &'a TopicCipher) -> Self {
        let (partitions, outputs) = (BTreeMap::new(), Outputs::default());
        Self { rules, settings: rules(), cipher, partitions, outputs }
    }

    fn show_size(&self) {
        let shipments: usize = self.partitions.values().map(|kept| kept.state.len()).sum();
        metrics().shipments.set(i64::try_from(shipments).unwrap_or(i64::MAX));
    }
}

/// The state of a partition, while its changelog is read.
pub struct Changelog<'a> {
    cipher: &'a TopicCipher,
    restoring: Restoring,
    log: StateLog,
    records: u64,
}

impl std::fmt::Debug for Changelog<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Changelog({} records)", self.records)
    }
}

impl<'a> Changelog<'a> {
    pub fn new(cipher: &'a TopicCipher) -> Self {
        Self { cipher, restoring: Restoring::default(), log: StateLog::default(), records: 0 }
    }

    fn finish(self, input: Input, settings: &Settings) -> Result<Kept, Fault> {
        let keys = self.cipher.pseudonyms(Role::AggregateState)?;
        let state = self.restoring.finish(settings, |about| keys.of(about));
        let state = state.map_err(|e| Fault(format!("changelog of {input}: {e}")))?;
        let (partition, shipments, moving) = (input.partition, state.len(), state.moving());
        tracing::info!(partition, records = self.records, shipments, moving, "state restored");
        Ok(Kept { input, state, batch: self.log.batch, keys })
    }

    /// What the partition's open shipments take, by carrier; and how many of them have records under keys of
    /// before.
    pub fn taken(
        self,
        input: Input,
        settings: &Settings,
    ) -> Result<(Vec<(String, Taken)>, usize), Fault> {
        let kept = self.finish(input, settings)?;
        let taken = kept.state.taken().map(|(carrier, taken)| (carrier.to_owned(), taken));
        let taken = taken.collect();
        Ok((taken, kept.state.moving()))
    }
}

impl Restorer for Changelog<'_> {
    /// A changelog that cannot be read is no record's fault: without it duplicates would pass, so the
    /// process does not go on.
    fn take(&mut self, record: &Incoming<'_>) -> Result<(), Fault> {
        self.records += 1;
        let bad = |why: &str| Fault(format!("changelog {}: {why}", record.place()));
        let key = record.key.unwrap_or_default();
        let is_there = self.restoring.has(key);
        let meaning = self.log.read(self.cipher, key, record.value, is_there);
        let history = match meaning.map_err(|fault| bad(&fault.0))? {
            Meaning::Value(plain) => Some(
                waybill_schemas::decode::<ShipmentHistory>(&plain)
                    .map_err(|e| bad(&e.to_string()))?,
            ),
            Meaning::Gone => None,
            Meaning::Nothing => return Ok(()),
            Meaning::Strange(what) => {
                metrics().strange_state.with_label_values(&[what]).inc();
                let place = record.place();
                tracing::error!(place, what, "somebody else has written to the changelog");
                return Ok(());
            }
        };
        self.restoring.take(key, history).map_err(|e| bad(&e.to_string()))
    }
}

/// Forgets the shipment, and says so behind what was written of it: on each topic, what stands before that is of
/// the shipment as it was. It is passed on also where nothing was known, since an operator waits for it.
fn erase(
    state: &mut Partition,
    erasure: &Erasure,
    out: &mut OutputContext<'_>,
) -> Result<(), Fault> {
    let known = state.erase(&erasure.carrier_id, &erasure.shipment_id);
    tracing::info!(erasure = erasure.erasure_id, known, "a shipment is erased");
    out.batch.ledger.count(OutcomeCount {
        stage: NAME.into(),
        carrier_id: &erasure.carrier_id,
        received_at: erasure.asked_at,
        outcome: LedgerOutcome::Erased,
        code: "".into(),
        records: 1,
        parts: 1,
    });
    for role in [Role::Events, Role::Shipments] {
        out.batch.put(out.cipher, role, None, erasure.shipment_id.as_bytes(), erasure)?;
    }
    Ok(())
}

impl<'a> Processor for Aggregating<'a> {
    type State = Changelog<'a>;

    fn stages(&self) -> Vec<&'static str> {
        vec![NAME]
    }

    fn inputs(&self) -> &'static [Role] {
        AGGREGATE.inputs
    }

    fn process(&mut self, record: &Incoming<'_>, out: &mut OutputContext<'_>) -> Result<(), Fault> {
        let plain = match opened(Role::Enriched, record, out.cipher)? {
            Ok(plain) => plain,
            Err(reason) => return unreadable(NAME, record, reason, out),
        };
        let Some(kept) = self.partitions.get_mut(&record.partition) else {
            return Err(Fault(format!("invariant: {} has no state", record.place())));
        };
        if waybill_schemas::is::<Erasure>(&plain) {
            return match decoded(&plain, record)? {
                Ok(erasure) => erase(&mut kept.state, &erasure, out),
                Err(reason) => unreadable(NAME, record, reason, out),
            };
        }
        let input: EnrichedEvent = match decoded(&plain, record)? {
            Ok(input) => input,
            Err(reason) => return unreadable(NAME, record, reason, out),
        };
        let (provenance, position) = (input.provenance(), input.position());
        let cx = Context::at(out.now_ms);
        let settings = &self.settings;
        run_stage(NAME, &mut self.outputs, &provenance, position, out, |outputs| {
            kept.state.apply(settings, &cx, input, outputs)
        })?;
        for accepted in self.outputs.emitted.drain(..) {
            let key = accepted.event.shipment_id.as_bytes();
            out.batch.put(out.cipher, Role::Events, None, key, &accepted)?;
        }
        Ok(())
    }

    /// Every shipment that changed in the batch: its new state for readers, and for the changelog.
    fn close(&mut self, out: &mut OutputContext<'_>) -> Result<(), Fault> {
        for (number, kept) in &mut self.partitions {
            kept.state.purge(&self.settings);
            out.batch.ledger.open(&kept.input);
            // Numbers may be left out, and only grow.
            kept.batch += 1;
            let at = (*number, kept.batch);
            for changed in kept.state.take_changed() {
                let id = changed.shipment_id;
                if let Some(shipment) = &changed.shipment {
                    out.batch.put(out.cipher, Role::Shipments, None, id.as_bytes(), shipment)?;
                }
                for old in &changed.old_keys {
                    out.batch.put_state(out.cipher, at, old, None)?;
                }
                for (record, history) in changed.records {
                    let key = kept.keys.of(&key(&id, record));
                    out.batch.put_state(out.cipher, at, key.as_ref(), history.as_ref())?;
                }
            }
        }
        self.settings = (self.rules)();
        self.show_size();
        Ok(())
    }

    fn state_of(&mut self, _: &Input) -> Result<Option<(Role, Changelog<'a>)>, Fault> {
        Ok(Some((Role::AggregateState, Changelog::new(self.cipher))))
    }

    fn on_assigned(&mut self, input: &Input, state: Option<Changelog<'a>>) -> Result<(), Fault> {
        let Some(state) = state else {
            return Err(Fault(format!("invariant: no state was read of {input}")));
        };
        let kept = state.finish(input.clone(), &self.settings)?;
        self.partitions.insert(input.partition, kept);
        self.show_size();
        Ok(())
    }

    fn on_revoked(&mut self, input: &Input) {
        self.partitions.remove(&input.partition);
        self.show_size();
    }
}
