use std::num::NonZeroI64;
use std::sync::Arc;

use waybill_schemas::vocabulary::{Classifier, Milestone};
use waybill_schemas::{
    Country, EnrichedEvent, EventId, History, HistoryEntry, Provenance, Shipment, ShipmentEvent,
    ShipmentHistory, StatedCountry, Unlocode, raw_id_hash as raw_id_hash_of,
};

use crate::Settings;
use crate::changelog::PER_RECORD;
use crate::events::number;
use crate::great_circle::great_circle_km;
use crate::identity::{Documents, Span};
use crate::milestone::leaving;
use crate::promise::{delay, eta, last_delay};
use crate::route::route;
use crate::stops::{Destination, Place, Stops, origin};
use crate::timeline::{Inserted, Timeline, coordinates, place};

/// The state of one shipment, as small as it can be: what follows from the milestones is worked
/// out when the shipment is [shown](Self::show), once a batch.
#[derive(Debug)]
pub(crate) struct Journey {
    pub(crate) id: Arc<str>,
    /// The unit that it is a shipment of, as validate names it; absent for one by document.
    pub(crate) unit: Option<Arc<str>>,
    pub(crate) documents: Documents,
    timeline: Timeline,
    events_checksum: i64,
    /// How many of its events are in the changelog, as far as this process has handed them out.
    written: usize,
    last: Arc<Provenance>,
    equipment: Option<Box<str>>,
    revision: u64,
    duplicates: u64,
    /// Few messages name them: a pointer takes less than their absence would.
    stated_origin: Option<Box<StatedCountry>>,
    stated_destination: Option<Box<StatedCountry>>,
    first_received_at: i64,
    last_received_at: i64,
    aggregated_at: i64,
    /// Kept for the partition: when to ask next whether this has expired, and in which batch it
    /// last changed.
    pub(crate) due: i64,
    pub(crate) changed_in: u64,
}

impl Journey {
    /// A shipment of which nothing is known but that `first` is about it, and counts as received then.
    pub(crate) fn new(
        id: Arc<str>,
        unit: Option<Arc<str>>,
        first: &Arc<Provenance>,
        received_at: i64,
    ) -> Self {
        Self {
            id,
            unit,
            documents: Documents::default(),
            timeline: Timeline::default(),
            events_checksum: 0,
            written: 0,
            last: first.clone(),
            equipment: None,
            revision: 0,
            duplicates: 0,
            stated_origin: None,
            stated_destination: None,
            first_received_at: received_at,
            last_received_at: received_at,
            aggregated_at: i64::MIN,
            due: i64::MAX,
            changed_in: 0,
        }
    }

    /// From its records of the changelog: what the last of them says of it, and all its events in
    /// order of arrival.
    pub(crate) fn restore(
        id: Arc<str>,
        head: ShipmentHistory,
        events: impl Iterator<Item = HistoryEntry>,
    ) -> Self {
        let mut timeline = Timeline::default();
        let mut events_checksum = 0;
        for entry in events {
            events_checksum ^= entry.event;
            timeline.insert(entry);
        }
        Self {
            id,
            unit: head.unit.map(Into::into),
            documents: Documents::of(&head.documents),
            written: timeline.len(),
            timeline,
            events_checksum,
            last: head.last,
            equipment: head.equipment.map(Into::into),
            revision: head.revision,
            duplicates: head.duplicates,
            stated_origin: head.stated_origin.map(Box::new),
            stated_destination: head.stated_destination.map(Box::new),
            first_received_at: head.first_received_at,
            last_received_at: head.last_received_at,
            aggregated_at: head.aggregated_at,
            due: i64::MAX,
            changed_in: 0,
        }
    }

    /// The records of the changelog that changed since the last call, and their numbers: the last one
    /// at least, since it tells what is known of the shipment.
    pub(crate) fn take_records(&mut self) -> Vec<(u16, ShipmentHistory)> {
        let events = self.timeline.events();
        let first = self.written.min(events.len().saturating_sub(1)) / PER_RECORD;
        let last = events.len().saturating_sub(1) / PER_RECORD;
        let mut entries = events.since(first * PER_RECORD);
        let records = (first..=last)
            .map(number)
            .map(|n| (n, self.record(n, entries.by_ref().take(PER_RECORD).collect())))
            .collect();
        drop(entries);
        self.written = self.timeline.len();
        records
    }

    fn record(&self, number: u16, events: Vec<HistoryEntry>) -> ShipmentHistory {
        ShipmentHistory {
            shipment_id: self.id.as_ref().to_owned(),
            number: number.into(),
            last: self.last.clone(),
            revision: self.revision,
            duplicates: self.duplicates,
            unit: self.unit.as_deref().map(str::to_owned),
            documents: self.documents.as_slice().to_vec(),
            equipment: self.equipment.as_deref().map(str::to_owned),
            stated_origin: self.stated_origin.as_deref().copied(),
            stated_destination: self.stated_destination.as_deref().copied(),
            first_received_at: self.first_received_at,
            last_received_at: self.last_received_at,
            aggregated_at: self.aggregated_at,
            events,
        }
    }

    /// All its records of the changelog are to be written once more.
    pub(crate) fn write_anew(&mut self) {
        self.written = 0;
    }

    /// How many records of the changelog it has, but for those that it is to write anew.
    pub(crate) fn records(&self) -> usize {
        self.written.div_ceil(PER_RECORD)
    }

    /// When it can have had events, as those that stand tell.
    pub(crate) fn span(&self) -> Span {
        let events = self.timeline.events();
        let tracks = self.timeline.tracks();
        let first = tracks.iter().filter_map(|track| track.first(events)).map(|e| e.occurred_at);
        let last = tracks.iter().filter_map(|track| track.last(events)).map(|e| e.occurred_at);
        let mut turns = self.timeline.actual_turns();
        Span {
            first: first.min(),
            last: last.max(),
            picked_up: turns
                .by_ref()
                .find(|e| e.milestone == Milestone::EmptyPickedUp)
                .map(|e| e.occurred_at),
            returned: self
                .timeline
                .actual_turns()
                .rfind(|e| e.milestone == Milestone::EmptyReturned)
                .map(|e| e.occurred_at),
        }
    }

    pub(crate) fn events(&self) -> usize {
        self.timeline.len()
    }

    pub(crate) fn has(&self, id: &EventId) -> bool {
        self.timeline.has(HistoryEntry::event_of(id))
    }

    /// Whether it has the event, or one that the carrier calls the same.
    pub(crate) fn knows(&self, id: &EventId, raw_id_hash: Option<NonZeroI64>) -> bool {
        self.has(id) || raw_id_hash.is_some_and(|raw| self.timeline.names(raw))
    }

    pub(crate) fn carrier_id(&self) -> &str {
        &self.last.carrier_id
    }

    pub(crate) fn last_received_at(&self) -> i64 {
        self.last_received_at
    }

    /// When its state may go if nothing more comes, ms of stream time.
    pub(crate) fn expires_at(&self, settings: &Settings) -> i64 {
        let destination = Stops::of(&self.timeline).destination(&self.timeline);
        let kept = if self.is_finished(destination) {
            settings.retention_ms
        } else {
            settings.unfinished_retention_ms.max(settings.retention_ms)
        };
        self.last_received_at.saturating_add(kept)
    }

    /// Something came for it, accepted or not.
    pub(crate) fn received(&mut self, at: i64) {
        self.first_received_at = self.first_received_at.min(at);
        self.last_received_at = self.last_received_at.max(at);
    }

    pub(crate) fn duplicate(&mut self) {
        self.duplicates = self.duplicates.saturating_add(1);
    }

    /// Puts a new event into the history and says where it stands there.
    pub(crate) fn accept(&mut self, input: &EnrichedEvent, now_ms: i64) -> History {
        let entry = entry(input);
        self.revision = self.revision.saturating_add(1);
        self.aggregated_at = self.aggregated_at.max(now_ms);
        self.last = input.event.provenance.clone();
        self.note_equipment(input);
        let stated = |country: &Option<String>| {
            Some(StatedCountry {
                country: Country::new(country.as_deref()?)?,
                received_at: entry.received_at,
                event_id: input.event.event_id,
            })
        };
        latest(&mut self.stated_origin, stated(&input.enrichment.origin_country));
        latest(&mut self.stated_destination, stated(&input.enrichment.destination_country));
        if self.unit.is_some() {
            input.event.references.iter().for_each(|r| self.documents.add(r));
        }
        self.events_checksum ^= entry.event;
        let Inserted { at, is_void } = self.timeline.insert(entry);

        let (track, events) = self.timeline.of(entry.classifier);
        let here = place(&entry);
        let previous = here.and_then(|here| track.previous(events, at, here));
        let from_here = track.len() - at;
        let leaves = entry.classifier == Classifier::Actual && leaving(entry.milestone);
        let began = here.filter(|_| leaves).and_then(|here| track.stay_began(events, at, here));
        let dwell_ms = began.map(|began| entry.occurred_at.saturating_sub(began));
        let lane = self.lane(Stops::of(&self.timeline).destination(&self.timeline));
        History {
            sequence: u32::try_from(at).unwrap_or(u32::MAX).saturating_add(1),
            revision: self.revision,
            out_of_order: from_here > usize::from(!is_void),
            previous_unlocode: previous.and_then(|p| p.unlocode),
            distance_km: previous.and_then(|p| distance_km(&p, &entry)),
            delay_ms: delay(&self.timeline, &entry).filter(|_| !is_void),
            dwell_ms: dwell_ms.filter(|_| !is_void),
            origin_country: lane.origin,
            destination_country: lane.destination,
            crosses_border: lane.crosses_border(),
            aggregated_at: now_ms,
        }
    }

    /// Of several units, which a shipment by document may name, the first by alphabet: one that
    /// does not hang on the order of arrival.
    fn note_equipment(&mut self, input: &EnrichedEvent) {
        let Some(unit) = &input.event.equipment else { return };
        if self.equipment.as_deref().is_none_or(|known| unit.number.as_str() < known) {
            self.equipment = Some(unit.number.as_str().into());
        }
    }

    fn lane(&self, destination: Option<Destination>) -> Lane {
        let stated = |s: &Option<Box<StatedCountry>>| s.as_ref().map(|s| s.country);
        Lane {
            origin: stated(&self.stated_origin)
                .or_else(|| origin(&self.timeline).and_then(|p| p.country)),
            destination: stated(&self.stated_destination)
                .or_else(|| destination.and_then(|d| d.place.country)),
        }
    }

    /// Delivered or empty returned, and not picked up empty again after it; or, since many carriers
    /// report no delivery: discharged at the destination, and out of its gate as the last thing
    /// known.
    fn is_finished(&self, destination: Option<Destination>) -> bool {
        let end = self.timeline.actual_turns().next_back().map(|e| e.milestone);
        if end.is_some_and(|m| m != Milestone::EmptyPickedUp) {
            return true;
        }
        let mut stay = self.timeline.actual().last_run(self.timeline.events());
        let Some(gate_out) = stay.next().filter(|e| e.milestone == Milestone::GateOut) else {
            return false;
        };
        destination.is_some_and(|d| d.reached && Place::of(&gate_out) == Some(d.place))
            && stay.any(|e| e.milestone == Milestone::Discharged)
    }

    /// The shipment as others see it.
    pub(crate) fn show(&self) -> Shipment {
        let timeline = &self.timeline;
        let (actual, events) = timeline.of(Classifier::Actual);
        let stops = Stops::of(timeline);
        let route = route(timeline, &stops);
        let destination = stops.destination(timeline);
        let lane = self.lane(destination);
        let last = actual.backwards(events).next();
        Shipment {
            shipment_id: self.id.as_ref().to_owned(),
            carrier_id: self.last.carrier_id.clone(),
            last: self.last.clone(),
            revision: self.revision,
            duplicates: self.duplicates,
            unit: self.unit.as_deref().map(str::to_owned),
            documents: self.documents.as_slice().to_vec(),
            equipment: self.equipment.as_deref().map(str::to_owned),
            events_checksum: self.events_checksum,
            legs: route.legs,
            dwells: route.dwells,
            last_unlocode: last.and_then(|e| e.unlocode),
            last_country: last.and_then(|e| e.country),
            last_milestone: last.map(|e| e.milestone),
            last_occurred_at: last.map(|e| e.occurred_at),
            eta: destination.filter(|d| !d.reached).and_then(|d| eta(timeline, d.place)),
            delay_ms: last_delay(timeline),
            origin_unlocode: origin(timeline).and_then(|p| p.unlocode),
            origin_country: lane.origin,
            destination_unlocode: destination.and_then(|d| d.place.unlocode),
            destination_country: lane.destination,
            crosses_border: lane.crosses_border(),
            stated_origin: self.stated_origin.as_deref().copied(),
            stated_destination: self.stated_destination.as_deref().copied(),
            distance_km: route.distance_km,
            finished: self.is_finished(destination),
            first_received_at: self.first_received_at,
            last_received_at: self.last_received_at,
            aggregated_at: self.aggregated_at,
        }
    }

    /// Bytes on the heap, this value included.
    pub(crate) fn heap_bytes(&self) -> usize {
        let texts = self.last.carrier_id.capacity()
            + self.last.handle.capacity()
            + self.last.message_id.capacity()
            + self.last.sealed_topic.capacity()
            + self.equipment.as_deref().map_or(0, str::len)
            + self.id.len();
        size_of::<Self>()
            + size_of::<Provenance>()
            + texts
            + self.documents.heap_bytes()
            + self.timeline.heap_bytes()
    }
}

/// By which the carrier's own words for an event are told apart.
pub(crate) fn raw_id_hash(event: &ShipmentEvent) -> Option<NonZeroI64> {
    event.withdraws.as_ref().or(event.raw_id.as_ref()).and_then(|id| raw_id_hash_of(id))
}

struct Lane {
    origin: Option<Country>,
    destination: Option<Country>,
}

impl Lane {
    fn crosses_border(&self) -> Option<bool> {
        Some(self.origin? != self.destination?)
    }
}

/// The word received last counts.
fn latest(known: &mut Option<Box<StatedCountry>>, new: Option<StatedCountry>) {
    let age = |s: &StatedCountry| (s.received_at, s.event_id);
    if new.as_ref().map(age) > known.as_deref().map(age) {
        *known = new.map(Box::new);
    }
}

/// What the state keeps of an event. Codes that have not the form of their list, and coordinates
/// that lie on no globe, are left out: they came from reference data, so they do not occur.
fn entry(input: &EnrichedEvent) -> HistoryEntry {
    let (event, enrichment) = (&input.event, &input.enrichment);
    let within = |degrees: Option<f64>, most: f64| {
        #[expect(clippy::cast_possible_truncation, reason = "f32 holds a degree to 2 m")]
        degrees.filter(|d| d.abs() <= most).map(|d| d as f32)
    };
    let latitude = within(enrichment.latitude, 90.0);
    let longitude = within(enrichment.longitude, 180.0);
    HistoryEntry {
        event: HistoryEntry::event_of(&event.event_id),
        milestone: event.milestone,
        classifier: event.classifier,
        occurred_at: enrichment.occurred_at,
        received_at: event.provenance.received_at,
        unlocode: enrichment.unlocode.as_deref().and_then(Unlocode::new),
        country: enrichment.country.as_deref().and_then(Country::new),
        latitude: latitude.and(longitude).and(latitude),
        longitude: latitude.and(longitude),
        mode: event.transport.as_ref().and_then(|t| t.mode),
        raw_id_hash: raw_id_hash(event),
    }
}

fn distance_km(from: &HistoryEntry, to: &HistoryEntry) -> Option<f64> {
    Some(great_circle_km(coordinates(from)?, coordinates(to)?))
}
