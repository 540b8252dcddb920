//! A message as it would be understood, as carriers are shown it. Times are RFC 3339, UTC; what is not known is empty.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;
use waybill_formats::{Format, all};
use waybill_schemas::EnrichedEvent;
use waybill_schemas::vocabulary::NoteCode;
use waybill_stage::Reject;

use waybill_stage::advice;

/// Events, rejects and codes that are shown of a message; it may have more.
const MOST: usize = 500;
/// Of each list within an event.
const MOST_OF_LIST: usize = 50;

/// By what it was read.
#[derive(Debug)]
pub struct Read {
    /// `None`: no format is registered for it.
    pub format: Option<&'static Format>,
    pub media_type: String,
    pub guessed: bool,
    /// What it looks like, too.
    pub others: Vec<&'static Format>,
}

/// What a message would be understood as.
#[derive(Debug, Serialize, ToSchema)]
pub struct Explained<'r> {
    /// As which it was read; null: as none.
    #[schema(required)]
    format: Option<&'static str>,
    #[schema(required, example = "application/edifact")]
    media_type: Option<&'r str>,
    /// Whether the format was guessed from the content.
    guessed: bool,
    /// Other formats that the content looks like.
    could_also_be: Vec<Known>,
    /// Where it is read as none: all that there are.
    tried: Vec<Known>,
    /// When it is taken to be received.
    #[schema(format = DateTime)]
    received: String,
    /// How many there are; at most 500 of them are shown.
    event_count: usize,
    events: Vec<Understood<'r>>,
    /// How many there are; at most 500 of them are shown.
    reject_count: usize,
    rejects: Vec<WouldReject<'r>>,
    /// Codes that no mapping names: those events are kept, as `other`. The operator can map them.
    unmapped_codes: BTreeSet<&'r str>,
}

/// A registered format.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Format)]
pub struct Known {
    format: &'static str,
    media_type: String,
}

/// An event that would be accepted (if it is none that came before).
#[derive(Debug, Serialize, ToSchema)]
struct Understood<'r> {
    /// In the message: 1, 2, …
    position: u32,
    #[schema(example = "gate_in")]
    milestone: &'static str,
    /// planned, estimated or actual
    classifier: &'static str,
    /// As it was sent, with its list in front.
    raw_code: &'r str,
    #[schema(required, format = DateTime)]
    happened: Option<String>,
    /// How finely the message tells it: second, minute or day. A plan or an estimate of a day is at its
    /// end.
    time_precision: &'static str,
    /// How its time zone is known: stated, from_place or assumed.
    zone_quality: &'static str,
    /// IANA
    time_zone: &'r str,
    unlocode: &'r str,
    place: &'r str,
    /// What the place was known by: unlocode, terminal, airport, name or none.
    place_source: &'static str,
    /// How sure that is: 100 for a code, less for a name.
    #[schema(required)]
    place_score: Option<u32>,
    /// ISO 3166-1 alpha-2
    country: &'r str,
    equipment: &'r str,
    mode: &'static str,
    vessel: &'r str,
    voyage: &'r str,
    /// The shipment's id, without the carrier's.
    shipment: &'r str,
    references: Vec<Pair<'r>>,
    exceptions: Vec<Pair<'r>>,
    quantities: Vec<Measure<'r>>,
    readings: Vec<Measure<'r>>,
    remark: &'r str,
    /// What is odd about it, though it would be kept.
    notes: Vec<Note<'r>>,
}

#[derive(Debug, Serialize, ToSchema)]
struct Pair<'r> {
    kind: &'static str,
    value: &'r str,
}

#[derive(Debug, Serialize, ToSchema)]
struct Measure<'r> {
    kind: &'static str,
    value: f64,
    /// UCUM
    unit: &'r str,
}

#[derive(Debug, Serialize, ToSchema)]
struct Note<'r> {
    /// A code of docs/formats.md, "Notes".
    #[schema(example = "container_check_digit")]
    code: &'static str,
    /// The field or segment that it is about; empty if it is about the event.
    about: &'r str,
    meaning: &'static str,
}

/// Why a part would not go on.
#[derive(Debug, Serialize, ToSchema)]
struct WouldReject<'r> {
    /// Of the part: 1, 2, …; 0 for the message as a whole.
    position: u32,
    /// A code of docs/rejects.md.
    #[schema(example = "missing_field")]
    code: &'static str,
    /// Where, and what was expected.
    detail: &'r str,
    #[schema(required)]
    meaning: Option<&'static str>,
    #[schema(required)]
    what_to_do: Option<&'static str>,
}

impl Known {
    fn of(format: &Format) -> Self {
        let media_type = format.patterns.first().map(ToString::to_string);
        Self { format: format.name, media_type: media_type.unwrap_or_default() }
    }

    /// Every format, those of one media type once.
    pub fn all() -> impl Iterator<Item = (&'static str, String)> {
        all().map(Self::of).map(|known| (known.format, known.media_type))
    }
}

fn time(ms: i64) -> Option<String> {
    Timestamp::from_millisecond(ms).ok().map(|time| time.to_string())
}

impl<'r> Explained<'r> {
    pub fn new(read: &'r Read, found: &'r waybill_explain::Explained) -> Self {
        let tried = read.format.is_none().then(all).into_iter().flatten();
        let is_guess_without_format = read.format.is_none() && read.guessed;
        Self {
            format: read.format.map(|format| format.name),
            media_type: (!is_guess_without_format).then_some(&read.media_type),
            guessed: read.guessed,
            could_also_be: read.others.iter().map(|other| Known::of(other)).collect(),
            tried: tried.map(Known::of).collect(),
            received: time(found.received_at).unwrap_or_default(),
            event_count: found.events.len(),
            events: found.events.iter().take(MOST).map(Understood::from).collect(),
            reject_count: found.rejects.len(),
            rejects: found.rejects.iter().take(MOST).map(WouldReject::from).collect(),
            unmapped_codes: found
                .unmapped()
                .collect::<BTreeSet<_>>()
                .into_iter()
                .take(MOST)
                .collect(),
        }
    }
}

impl<'r> From<&'r (u32, Reject)> for WouldReject<'r> {
    fn from((position, reject): &'r (u32, Reject)) -> Self {
        let advice = advice(reject.code.as_str());
        Self {
            position: *position,
            code: reject.code.as_str(),
            detail: &reject.detail,
            meaning: advice.map(|advice| advice.meaning),
            what_to_do: advice.map(|advice| advice.what_to_do),
        }
    }
}

impl<'r> From<&'r EnrichedEvent> for Understood<'r> {
    fn from(enriched: &'r EnrichedEvent) -> Self {
        let (event, more) = (&enriched.event, &enriched.enrichment);
        let transport = event.transport.as_ref();
        let of_transport = |text: fn(&waybill_schemas::Transport) -> &Option<String>| {
            transport.and_then(|transport| text(transport).as_deref()).unwrap_or_default()
        };
        let references = event.references.iter().take(MOST_OF_LIST);
        let exceptions = event.exceptions.iter().take(MOST_OF_LIST);
        let quantities = event.quantities.iter().take(MOST_OF_LIST);
        let readings = event.readings.iter().take(MOST_OF_LIST);
        Self {
            position: event.position,
            milestone: event.milestone.as_str(),
            classifier: event.classifier.as_str(),
            raw_code: &event.raw_code,
            happened: time(more.occurred_at),
            time_precision: event.occurred.precision.as_str(),
            zone_quality: more.zone_quality.as_str(),
            time_zone: more.time_zone.as_deref().unwrap_or_default(),
            unlocode: more.unlocode.as_deref().unwrap_or_default(),
            place: more.place_name.as_deref().unwrap_or_default(),
            place_source: more.place_source.as_str(),
            place_score: more.place_score,
            country: more.country.as_deref().unwrap_or_default(),
            equipment: event.equipment.as_ref().map_or("", |unit| &unit.number),
            mode: transport.and_then(|transport| transport.mode).map_or("", |mode| mode.as_str()),
            vessel: of_transport(|transport| &transport.vessel_name),
            voyage: of_transport(|transport| &transport.voyage),
            shipment: event.shipment_id.split_once('/').map_or("", |(_, rest)| rest),
            references: references
                .map(|one| Pair { kind: one.kind.as_str(), value: &one.value })
                .collect(),
            exceptions: exceptions
                .map(|one| Pair {
                    kind: one.kind.as_str(),
                    value: one.raw_code.as_deref().unwrap_or_default(),
                })
                .collect(),
            quantities: quantities
                .map(|one| Measure { kind: one.kind.as_str(), value: one.value, unit: &one.unit })
                .collect(),
            readings: readings
                .map(|one| Measure { kind: one.kind.as_str(), value: one.value, unit: &one.unit })
                .collect(),
            remark: event.remark.as_deref().unwrap_or_default(),
            notes: event.noted().map(Note::from).collect(),
        }
    }
}

impl<'r> From<(NoteCode, &'r str)> for Note<'r> {
    fn from((code, about): (NoteCode, &'r str)) -> Self {
        Self { code: code.as_str(), about, meaning: code.meaning() }
    }
}
