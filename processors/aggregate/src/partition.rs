use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, HashMap};
use std::fmt;
use std::sync::Arc;

use waybill_schemas::{AcceptedEvent, EnrichedEvent};
use waybill_stage::{Code, Context, Failure, Outputs, Reject};

use crate::Settings;
use crate::changelog::Changed;
use crate::events::number;
use crate::identity::{self, Known};
use crate::journey::{self, Journey};
use crate::quota::{Quota, Taken};

/// A unit on more open bookings than these is none: who looks for an event's shipment looks at each.
const SHIPMENTS_OF_UNIT: usize = 256;
/// A receipt further ahead of the host's clock than this moves no time: one record with a wrong one would
/// make all others' shipments expire, ms.
const AHEAD_MS: i64 = 5 * 60_000;
/// So many shipments may go with one event: many that are due go one after the other.
const EXPIRED_AT_ONCE: usize = 64;
/// So many may go with one batch, of carriers whose shipments are to go.
const PURGED_AT_ONCE: usize = 5_000;
/// So many records, about, are moved to other keys with one batch: as many shipments at the most.
const MOVED_AT_ONCE: usize = 256;

/// The shipments of one input partition.
pub struct Partition {
    shipments: HashMap<Arc<str>, Box<Journey>>,
    /// The shipments of each unit.
    units: HashMap<Arc<str>, Vec<Arc<str>>>,
    /// When to ask whether a shipment has expired. An entry counts if it is its shipment's `due`,
    /// so that a shipment costs one look each retention period and not one each event.
    due: BinaryHeap<Reverse<(i64, Arc<str>)>>,
    /// Sorted, so that a batch writes the same records in the same order whenever it is repeated.
    changed: BTreeMap<Arc<str>, Change>,
    /// Of shipments whose records of the changelog are to be moved: the keys that they are under.
    old_keys: BTreeMap<Arc<str>, Vec<Arc<[u8]>>>,
    /// Of [`Self::take_changed`]; a shipment knows the last one that it changed in.
    batch: u64,
    /// The latest receipt of any event here: the only clock that expiry knows, ms UTC. It is the
    /// latest `last_received_at` of all shipments too, so that it comes back with them.
    stream_time: i64,
    events: usize,
    quota: Quota,
    /// Of which carriers, and until when, all shipments are gone that were to go.
    purged: Option<Arc<BTreeMap<String, i64>>>,
}

/// What is to be written of a shipment.
#[derive(Clone, Copy, Debug, Default)]
struct Change {
    /// How many records of the changelog are to be taken away: those of one that has expired.
    taken_away: usize,
    /// Nothing of it changed but the keys of its records.
    only_moves: bool,
}

impl Default for Partition {
    fn default() -> Self {
        Self {
            shipments: HashMap::new(),
            units: HashMap::new(),
            due: BinaryHeap::new(),
            changed: BTreeMap::new(),
            old_keys: BTreeMap::new(),
            batch: 1,
            stream_time: i64::MIN,
            events: 0,
            quota: Quota::default(),
            purged: None,
        }
    }
}

impl fmt::Debug for Partition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Partition")
            .field("shipments", &self.len())
            .field("events", &self.events)
            .field("stream_time", &self.stream_time)
            .finish_non_exhaustive()
    }
}

impl Partition {
    /// Puts a shipment back that was read from the changelog.
    pub(crate) fn put_back(&mut self, settings: &Settings, journey: Journey) {
        let mut journey = Box::new(journey);
        self.stream_time = self.stream_time.max(journey.last_received_at());
        self.events += journey.events();
        self.quota.add(journey.carrier_id(), 1, journey.events());
        ask_when_due(&mut self.due, settings, &mut journey);
        self.keep(journey);
    }

    /// The records of these shipments are under these keys, and are to be moved.
    pub(crate) fn move_from(&mut self, old_keys: BTreeMap<Arc<str>, Vec<Arc<[u8]>>>) {
        self.old_keys = old_keys;
    }

    /// How many shipments have records that are to be moved to other keys.
    pub fn moving(&self) -> usize {
        self.old_keys.len()
    }

    /// Some of those go with this batch, whether they have changed or not.
    fn move_some(&mut self) {
        let mut records = 0;
        for (id, keys) in &self.old_keys {
            if records >= MOVED_AT_ONCE {
                return;
            }
            records += keys.len();
            let only_moves = Change { only_moves: true, ..Change::default() };
            self.changed.entry(id.clone()).or_insert(only_moves);
        }
    }

    fn keep(&mut self, journey: Box<Journey>) {
        if let Some(unit) = &journey.unit {
            let ids = self.units.entry(unit.clone()).or_default();
            if !ids.contains(&journey.id) {
                // Most units have one.
                ids.reserve_exact(1);
                ids.push(journey.id.clone());
            }
        }
        self.shipments.insert(journey.id.clone(), journey);
    }

    fn forget(&mut self, id: &str) {
        let Some(gone) = self.shipments.remove(id) else { return };
        self.events -= gone.events();
        self.quota.remove(gone.carrier_id(), gone.events());
        if let Some(unit) = &gone.unit
            && let Some(ids) = self.units.get_mut(unit)
        {
            ids.retain(|known| known.as_ref() != id);
            if ids.is_empty() {
                self.units.remove(unit);
            }
        }
    }

    /// The shipment that the event belongs to, and its unit if it is one of a unit.
    fn shipment_of(&self, input: &EnrichedEvent) -> Result<(Arc<str>, Option<Arc<str>>), Reject> {
        let key = input.event.shipment_id.as_str();
        if !identity::is_of_unit(input) {
            let known = self.shipments.get_key_value(key).map(|(id, _)| id.clone());
            return Ok((known.unwrap_or_else(|| key.into()), None));
        }
        let references = &input.event.references;
        let at = input.enrichment.occurred_at;
        let is_taken = |id: &str| self.shipments.contains_key(id);
        let new = || identity::new_id(key, references, at, is_taken);
        let Some((unit, ids)) = self.units.get_key_value(key) else {
            return Ok((new(), Some(key.into())));
        };
        let raw_id_hash = journey::raw_id_hash(&input.event);
        let known = ids.iter().filter_map(|id| self.shipments.get(id)).map(|journey| Known {
            id: &journey.id,
            has_it: journey.knows(&input.event.event_id, raw_id_hash),
            documents: &journey.documents,
            span: journey.span(),
        });
        let id = match identity::choose(known, references, at) {
            Some(known) => known.clone(),
            None if ids.len() >= SHIPMENTS_OF_UNIT => {
                let detail = format!("the unit has {SHIPMENTS_OF_UNIT} open shipments already");
                return Err(Reject::new(Code::ShipmentFull, detail).because("unit_full"));
            }
            None => new(),
        };
        Ok((id, Some(unit.clone())))
    }

    /// Accepts the event into the history of its shipment, or finds that it was there before.
    ///
    /// Rejects it with `shipment_full` if the shipment has as many events as one may have, and with `quota`
    /// if the carrier's shipments take as much as they may.
    pub fn apply(
        &mut self,
        settings: &Settings,
        cx: &Context,
        mut input: EnrichedEvent,
        outputs: &mut Outputs<AcceptedEvent>,
    ) -> Result<(), Failure> {
        let received_at = input.event.provenance.received_at;
        let received_at = received_at.min(cx.now_ms.saturating_add(AHEAD_MS));
        self.stream_time = self.stream_time.max(received_at);
        self.expire(settings);

        let (id, unit) = self.shipment_of(&input)?;
        let carrier_id = &input.event.provenance.carrier_id;
        let is_over = self.quota.bytes(carrier_id) >= settings.max_bytes(carrier_id);
        if unit.is_some() {
            input.event.shipment_id = id.as_ref().to_owned();
        }
        let known = self.shipments.get_mut(&id);
        let is_new = known.is_none();
        let mut new = None;
        let journey = match known {
            Some(journey) => journey,
            None => {
                let first = &input.event.provenance;
                new.insert(Box::new(Journey::new(id, unit, first, received_at)))
            }
        };
        let outcome = if journey.has(&input.event.event_id) {
            journey.duplicate();
            outputs.duplicate();
            Ok(())
        } else if journey.events() >= settings.max_events_per_shipment {
            Err(full(settings).into())
        } else if is_over {
            Err(over(settings.max_bytes(&input.event.provenance.carrier_id)).into())
        } else {
            self.quota.add(&input.event.provenance.carrier_id, usize::from(is_new), 1);
            let history = journey.accept(&input, cx.now_ms);
            self.events += 1;
            let EnrichedEvent { event, enrichment } = input;
            outputs.emit(AcceptedEvent { event, enrichment, history });
            Ok(())
        };
        if outcome.is_err() && is_new {
            return outcome;
        }
        // A rejected event keeps the state alive as well: a full shipment whose events go on
        // coming would otherwise begin anew in the middle of them.
        journey.received(received_at);
        ask_when_due(&mut self.due, settings, journey);
        if journey.changed_in != self.batch {
            journey.changed_in = self.batch;
            self.changed.entry(journey.id.clone()).or_default();
        }
        if let Some(journey) = new {
            self.keep(journey);
        }
        outcome
    }

    /// Ends a batch: every shipment that changed since the last call, once, in order of its id, and some of
    /// which only the keys of their records change. What the iterator is not asked for is lost.
    pub fn take_changed(&mut self) -> impl Iterator<Item = Changed> {
        self.batch += 1;
        self.move_some();
        std::mem::take(&mut self.changed).into_iter().map(|(shipment_id, change)| {
            let old_keys = self.old_keys.remove(&shipment_id).unwrap_or_default();
            let journey = self.shipments.get_mut(&shipment_id);
            let shown = journey.as_ref().filter(|_| !change.only_moves);
            let shipment = shown.map(|journey| journey.show());
            let records = journey.map(|journey| journey.take_records()).unwrap_or_default();
            // What its next life, begun in the same batch, has written anew is not taken away.
            let written = records.last().map_or(0, |(last, _)| usize::from(*last) + 1);
            let taken_away = (written..change.taken_away).map(|n| (number(n), None));
            let records = records.into_iter().map(|(n, record)| (n, Some(record)));
            let records = records.chain(taken_away).collect();
            Changed { shipment, old_keys, records, shipment_id }
        })
    }

    /// Forgets shipments of those carriers whose are to go: the host calls it before it ends a batch.
    pub fn purge(&mut self, settings: &Settings) {
        if self.purged == settings.purged {
            return;
        }
        let to_go = |journey: &Journey| {
            let until = settings.purged.as_ref().and_then(|of| of.get(journey.carrier_id()));
            until.is_some_and(|until| journey.last_received_at() <= *until)
        };
        let of = self.shipments.values().filter(|journey| to_go(journey)).take(PURGED_AT_ONCE);
        let gone: Vec<_> = of.map(|journey| (journey.id.clone(), journey.records())).collect();
        if gone.len() < PURGED_AT_ONCE {
            self.purged = settings.purged.clone();
        }
        for (id, records) in gone {
            self.let_go(id, records);
        }
    }

    /// Forgets one shipment, if it is the carrier's and is known; whether it was. What comes for it later begins
    /// another history.
    pub fn erase(&mut self, carrier_id: &str, shipment_id: &str) -> bool {
        let known = self.shipments.get(shipment_id).filter(|j| j.carrier_id() == carrier_id);
        let Some((id, records)) = known.map(|j| (j.id.clone(), j.records())) else { return false };
        self.let_go(id, records);
        true
    }

    /// Forgets a shipment that has so many records in the changelog, and takes these away.
    fn let_go(&mut self, id: Arc<str>, records: usize) {
        self.forget(&id);
        let taken_away = &mut self.changed.entry(id).or_default().taken_away;
        *taken_away = records.max(*taken_away);
    }

    /// What each carrier's shipments take.
    pub fn taken(&self) -> impl Iterator<Item = (&str, Taken)> {
        self.quota.iter()
    }

    /// Shipments in memory.
    pub fn len(&self) -> usize {
        self.shipments.len()
    }

    pub fn is_empty(&self) -> bool {
        self.shipments.is_empty()
    }

    /// Events in memory.
    pub fn events(&self) -> usize {
        self.events
    }

    /// About how many bytes the shipments hold on the heap. Walks them all: for a metric, not for
    /// every batch.
    pub fn heap_bytes(&self) -> usize {
        // One control byte a bucket, and two counts before the text of an `Arc`.
        let bucket = size_of::<(Arc<str>, Box<Journey>)>() + 1;
        let arc = 2 * size_of::<usize>();
        self.shipments.values().map(|journey| journey.heap_bytes() + 2 * arc).sum::<usize>()
            + self.shipments.capacity() * 8 / 7 * bucket
            + self.due.capacity() * size_of::<(i64, Arc<str>)>()
    }

    /// Forgets each shipment whose time has passed.
    fn expire(&mut self, settings: &Settings) {
        let mut expired = 0;
        while expired < EXPIRED_AT_ONCE
            && self.due.peek().is_some_and(|Reverse((due, _))| *due < self.stream_time)
        {
            let Some(Reverse((due, id))) = self.due.pop() else { return };
            let Some(journey) = self.shipments.get_mut(&id).filter(|j| j.due == due) else {
                continue;
            };
            journey.due = journey.expires_at(settings);
            if journey.due < self.stream_time {
                let records = journey.records();
                expired += 1;
                self.let_go(id, records);
            } else {
                self.due.push(Reverse((journey.due, id)));
            }
        }
    }
}

/// Sees to it that the shipment is looked at when it could expire at the earliest: as soon as if
/// it were finished, since the next event may finish it.
fn ask_when_due(
    queue: &mut BinaryHeap<Reverse<(i64, Arc<str>)>>,
    settings: &Settings,
    journey: &mut Journey,
) {
    let earliest = journey.last_received_at().saturating_add(settings.retention_ms);
    if earliest < journey.due {
        journey.due = earliest;
        queue.push(Reverse((earliest, journey.id.clone())));
    }
}

fn over(most: usize) -> Reject {
    let detail =
        format!("the carrier's open shipments take {most} bytes here, as much as they may");
    Reject::new(Code::Quota, detail)
}

fn full(settings: &Settings) -> Reject {
    let most = settings.max_events_per_shipment;
    Reject::new(Code::ShipmentFull, format!("the shipment has {most} events, as many as one may"))
}
