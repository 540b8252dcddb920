//! Events as short as a table needs them.

#![allow(dead_code, reason = "no test needs them all")]

use std::collections::BTreeMap;
use std::sync::Arc;

use waybill_aggregate::{Partition, Restoring, Settings, key};
use waybill_schemas::vocabulary::{Classifier, Milestone, Mode, PlaceSource, ZoneQuality};
use waybill_schemas::{
    AcceptedEvent, EnrichedEvent, Enrichment, EventId, OccurrenceTime, Provenance, Shipment,
    ShipmentEvent, Transport,
};
use waybill_stage::{Context, Failure, Outputs};

pub const HOUR: i64 = 3_600_000;
pub const DAY: i64 = 24 * HOUR;
pub const NOW: i64 = 1_768_900_000_000;

/// UN/LOCODE, latitude, longitude (degrees, UN/LOCODE 2024-2, rounded).
pub const PLACES: &[(&str, f64, f64)] = &[
    ("CNSHA", 31.233, 121.467),
    ("SGSIN", 1.283, 103.85),
    ("NLRTM", 51.917, 4.5),
    ("DEDUI", 51.433, 6.75),
    ("BEANR", 51.217, 4.4),
    ("CNNGB", 29.883, 121.55),
];

/// Event number `n` of shipment `id`: received at `n` hours, unless said otherwise.
pub fn event(
    id: &str,
    n: u32,
    classifier: Classifier,
    milestone: Milestone,
    place: &str,
    occurred_at: i64,
) -> EnrichedEvent {
    let message_id = format!("m{n}");
    let found = PLACES.iter().find(|(code, ..)| *code == place);
    EnrichedEvent {
        event: ShipmentEvent {
            provenance: Arc::new(Provenance {
                carrier_id: "acme".into(),
                handle: id.into(),
                message_id: message_id.clone(),
                received_at: i64::from(n) * HOUR,
                ..Provenance::default()
            }),
            position: 1,
            event_id: EventId::new("acme", &message_id, 1, id),
            shipment_id: id.into(),
            milestone,
            classifier,
            raw_code: "X/Y".into(),
            raw_id: None,
            occurred: OccurrenceTime::stated(occurred_at, 0),
            created_at: None,
            references: Vec::new(),
            equipment: None,
            place: None,
            transport: Some(Transport { mode: Some(Mode::Ocean), ..Transport::default() }),
            exceptions: Vec::new(),
            customs: None,
            quantities: Vec::new(),
            remark: None,
            readings: Vec::new(),
            withdraws: None,
            notes: Vec::new(),
            notes_about: Vec::new(),
            validated_at: 0,
        },
        enrichment: Enrichment {
            occurred_at,
            zone_quality: ZoneQuality::Stated,
            time_zone: None,
            place_source: PlaceSource::Unlocode,
            place_score: None,
            unlocode: (place.len() == 5).then(|| place.into()),
            place_name: None,
            country: place.get(..2).map(Into::into),
            latitude: found.map(|p| p.1),
            longitude: found.map(|p| p.2),
            origin_country: None,
            destination_country: None,
            enriched_at: 0,
        },
    }
}

pub fn received_at(mut event: EnrichedEvent, at: i64) -> EnrichedEvent {
    Arc::make_mut(&mut event.event.provenance).received_at = at;
    event
}

#[derive(Debug)]
pub enum Outcome {
    Accepted(Box<AcceptedEvent>),
    Duplicate,
    Rejected(&'static str),
}

pub fn apply(partition: &mut Partition, settings: &Settings, event: EnrichedEvent) -> Outcome {
    let mut outputs = Outputs::default();
    let result = partition.apply(settings, &Context::at(NOW), event, &mut outputs);
    match (result, outputs.emitted.pop(), outputs.duplicates) {
        (Ok(()), Some(event), 0) => Outcome::Accepted(Box::new(event)),
        (Ok(()), None, 1) => Outcome::Duplicate,
        (Err(Failure::Reject(reject)), None, 0) => Outcome::Rejected(reject.code.as_str()),
        other => panic!("not one outcome: {other:?}"),
    }
}

/// What a compacted topic keeps of a changelog, each record as it lies there.
#[derive(Debug, Default)]
pub struct Log(pub BTreeMap<Vec<u8>, Vec<u8>>);

impl Log {
    /// Ends a batch: writes what changed, and says what readers are told.
    pub fn write(&mut self, partition: &mut Partition) -> Vec<(String, Option<Shipment>)> {
        let mut told = Vec::new();
        for changed in partition.take_changed() {
            for (number, record) in changed.records {
                let key = key(&changed.shipment_id, number);
                match record {
                    Some(record) => {
                        let mut bytes = Vec::new();
                        waybill_schemas::encode(&record, &mut bytes).unwrap();
                        self.0.insert(key, bytes);
                    }
                    None => {
                        self.0.remove(&key);
                    }
                }
            }
            told.push((changed.shipment_id.to_string(), changed.shipment));
        }
        told
    }

    /// The partition that comes back from it, whichever record comes first.
    pub fn restore(&self, settings: &Settings, backwards: bool) -> Partition {
        let mut restoring = Restoring::default();
        let mut records: Vec<_> = self.0.iter().collect();
        if backwards {
            records.reverse();
        }
        for (key, bytes) in records {
            restoring.take(key, Some(waybill_schemas::decode(bytes).unwrap())).unwrap();
        }
        restoring.finish(settings, <[u8]>::to_vec).unwrap()
    }
}

/// What changed, as readers are told.
pub fn changed(partition: &mut Partition) -> Vec<(String, Option<Shipment>)> {
    Log::default().write(partition)
}

/// The state of the only shipment in `events`.
pub fn shipment(events: impl IntoIterator<Item = EnrichedEvent>) -> Shipment {
    let mut partition = Partition::default();
    for event in events {
        apply(&mut partition, &Settings::default(), event);
    }
    let mut changed = changed(&mut partition);
    assert_eq!(changed.len(), 1);
    changed.pop().unwrap().1.unwrap()
}
