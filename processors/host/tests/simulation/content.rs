//! What flows through the simulated pipeline: records on real topics, in their real encoding and encryption, and a
//! small stage.

use std::cell::Cell;
use std::sync::{Arc, LazyLock};

use waybill_host::topic_cipher::{RoleKeys, TopicCipher};
use waybill_schemas::{
    LedgerEntry, Opened, Proof, Provenance, Record as Encoded, RejectRecord, Role,
};
use waybill_sealing::internal::InternalKey;
use waybill_stage::{Code, Context, Failure, Outputs, Reject, SinkRecord, Stage};

use crate::log::{Log, Place, Record, Standing};
use crate::random::Random;
use crate::store::Row;

/// Made once, for all histories: what keys are, changes nothing of what happens.
pub static VALUES: LazyLock<TopicCipher> = LazyLock::new(|| {
    let key = InternalKey::generate().expect("the system has chance");
    TopicCipher::new(&RoleKeys::of(&key).expect("it is a key"), || 0).expect("they are keys")
});

/// Kafka's id of a topic.
pub const TOPIC_ID: &str = "8pNgRVcZSdKGZqQH0kaUyA";

/// The partitions of a topic, all of which have state or are read.
pub const PARTITIONS: i32 = 2;

pub fn topic(role: Role) -> &'static str {
    match role {
        Role::Opened => "waybill.opened",
        Role::Redrive => "waybill.redrive",
        Role::Valid => "waybill.valid",
        Role::Events => "waybill.events",
        Role::Shipments => "waybill.shipments",
        Role::Rejects => "waybill.rejects",
        Role::Ledger => "waybill.ledger",
        Role::AggregateState => "waybill.aggregate_state",
        other => panic!("{other:?} is no topic of the simulation"),
    }
}

pub fn places(role: Role) -> impl Iterator<Item = Place> {
    (0..role.partitions(PARTITIONS)).map(move |partition| (role, partition))
}

/// What is to become of an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// One event.
    Pass,
    /// Two events.
    FanOut,
    /// One event, and a dead letter for the other part.
    Partial,
    /// A dead letter.
    Reject,
    /// Nothing: it is a copy.
    Copy,
    /// One event, of which the store makes no row.
    NoRow,
    /// It ends whoever takes it, and is set aside in the end.
    Kill,
    /// Nobody of ours has written it.
    Foreign,
    /// It cannot be unpacked.
    Broken,
}

/// A record of one of the first topics.
#[derive(Clone, Copy, Debug)]
pub struct Input {
    pub number: u32,
    pub kind: Kind,
    pub role: Role,
    pub partition: i32,
    pub shipment: u32,
    /// Of the first of its events; one that another has too is a copy to who knows the shipment.
    pub event: u32,
}

/// The key of a record that a broker's batch cannot be unpacked to.
pub const BROKEN: &[u8] = b"broken";

impl Input {
    pub fn draw(number: u32, kills: bool, random: &mut Random) -> Self {
        let kind = match random.within(0, 100) {
            0..50 => Kind::Pass,
            50..65 => Kind::FanOut,
            65..72 => Kind::Partial,
            72..80 => Kind::Reject,
            80..85 => Kind::Copy,
            85..91 => Kind::NoRow,
            91..94 => Kind::Foreign,
            94..96 => Kind::Broken,
            _ if kills => Kind::Kill,
            _ => Kind::Pass,
        };
        let mut shipment = u32::try_from(random.within(0, 6)).expect("it is small");
        let mut event = number * 2;
        if number > 0 && random.permille(150) {
            // It may be an event that was told before, of the same shipment.
            event = u32::try_from(random.within(0, i64::from(number))).expect("it is small") * 2;
            shipment = event % 6;
        } else if kind == Kind::Pass {
            shipment = event % 6;
        }
        let role = if random.permille(150) { Role::Redrive } else { Role::Opened };
        let count = i64::from(role.partitions(PARTITIONS));
        let partition = i32::try_from(random.within(0, count)).expect("it is small");
        Self { number, kind, role, partition, shipment, event }
    }

    /// The texts of the events that come of it.
    pub fn events(&self) -> Vec<String> {
        let Self { shipment, event, .. } = self;
        match self.kind {
            Kind::Pass | Kind::Partial => vec![format!("{shipment} {event}")],
            Kind::FanOut => {
                vec![format!("{shipment} {event}"), format!("{shipment} {}", event + 1)]
            }
            // It has a number of its own, so that whether it is a row is no matter of which came first.
            Kind::NoRow => vec![format!("{shipment} {} no-row", 1_000_000 + self.number)],
            _ => Vec::new(),
        }
    }

    /// Codes of the dead letters that come of it.
    pub fn letters(&self) -> Vec<Code> {
        match self.kind {
            Kind::Partial | Kind::Reject => vec![Code::MissingField],
            Kind::Kill => vec![Code::Poison],
            Kind::Foreign => vec![Code::Internal],
            Kind::Broken => vec![Code::Undecodable],
            _ => Vec::new(),
        }
    }

    /// As it stands on its topic.
    pub fn record(&self, offset: i64) -> Record {
        let key = format!("carrier-{}", self.number % 3).into_bytes();
        match self.kind {
            Kind::Broken => return Record { key: BROKEN.to_vec(), value: Some(Vec::new()) },
            Kind::Foreign => return Record { key, value: Some(b"{}".to_vec()) },
            _ => {}
        }
        let events = self.events().join(",");
        let payload = format!("{:?};{events}", self.kind).into_bytes();
        let provenance = Provenance {
            carrier_id: format!("carrier-{}", self.number % 3),
            message_id: self.number.to_string(),
            source_partition: self.partition,
            source_offset: offset,
            received_at: 3_600_000 * i64::from(self.number % 2),
            ..Provenance::default()
        };
        let opened = opened(provenance.into(), "input", payload);
        let value = sealed(self.role, &key, &opened);
        Record { key, value: Some(value) }
    }
}

fn opened(provenance: Arc<Provenance>, about: &str, payload: Vec<u8>) -> Opened {
    Opened { provenance, proof: Proof::Signed, media_type: about.to_owned(), payload }
}

fn sealed<R: Encoded>(role: Role, key: &[u8], record: &R) -> Vec<u8> {
    let (mut plain, mut out) = (Vec::new(), Vec::new());
    waybill_schemas::encode(record, &mut plain).expect("it is a record");
    VALUES.seal(role, key, &plain, &mut out).expect("the role has a key");
    out
}

/// Reads a record of an internal topic; `None` for one that nobody of ours has written.
pub fn read<R: Encoded>(role: Role, standing: &Standing) -> Option<R> {
    let Record { key, value } = &standing.record;
    let plain = VALUES.open(role, key, value.as_ref()?).expect("its key is known")?;
    Some(waybill_schemas::decode(&plain).expect("it was written here"))
}

/// All that is committed on a topic, with where it stands.
pub fn committed<R: Encoded>(log: &Log, role: Role) -> Vec<(i32, i64, R)> {
    let all = places(role).flat_map(|place| {
        let at = log.at(place);
        let (found, _) = at.everything_committed();
        found.into_iter().map(move |standing| (place.1, standing))
    });
    all.filter_map(|(partition, s)| Some((partition, s.offset, read::<R>(role, s)?))).collect()
}

thread_local! {
    /// Whether a record was taken that ends its process.
    static KILLED: Cell<bool> = const { Cell::new(false) };
}

/// Whether a stage has taken a record since this was asked that ends its process.
pub fn was_killed() -> bool {
    KILLED.replace(false)
}

/// Takes an input apart.
#[derive(Debug)]
pub struct Validate;

impl Stage for Validate {
    type Input = Opened;
    type Output = Opened;
    const NAME: &'static str = "validate";

    fn apply(&self, _: &Context, input: Opened, out: &mut Outputs<Opened>) -> Result<(), Failure> {
        let text = String::from_utf8(input.payload).expect("it is an input's text");
        let (kind, events) = text.split_once(';').expect("it is an input's text");
        if kind == "Kill" {
            KILLED.set(true);
        }
        let missing = || Reject::new(Code::MissingField, "");
        for event in events.split(',').filter(|event| !event.is_empty()) {
            let shipment = event.split(' ').next().expect("it has a first word");
            out.emit(opened(input.provenance.clone(), shipment, event.as_bytes().to_vec()));
        }
        match kind {
            "Reject" => return Err(missing().into()),
            "Partial" => out.reject(2, missing()),
            "Copy" => out.duplicate(),
            _ => {}
        }
        Ok(())
    }
}

/// What an event is about, and its number.
pub fn about(event: &Opened) -> (String, i64) {
    let text = std::str::from_utf8(&event.payload).expect("it is an event's text");
    let mut words = text.split(' ');
    let shipment = words.next().expect("it has a first word").to_owned();
    (shipment, words.next().and_then(|n| n.parse().ok()).expect("it has a number"))
}

/// What the store reads of a record.
pub fn row(role: &'static str, record: &SinkRecord<'_>) -> Row {
    let (position, is_refused) = (0, false);
    match role {
        "events" | "shipments" => {
            let event: Opened = waybill_schemas::decode(record.value).expect("it is an event");
            let is_refused = role == "events" && event.payload.ends_with(b"no-row");
            Row { provenance: event.provenance, position, is_refused }
        }
        "rejects" => {
            let letter: RejectRecord = waybill_schemas::decode(record.value).expect("a letter");
            let carrier_id = letter.carrier_id;
            let provenance =
                Provenance { carrier_id, received_at: letter.received_at, ..Provenance::default() };
            Row { provenance: provenance.into(), position, is_refused }
        }
        _ => {
            let _: LedgerEntry = waybill_schemas::decode(record.value).expect("it is an entry");
            Row { provenance: Arc::default(), position, is_refused }
        }
    }
}
