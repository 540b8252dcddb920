//! An event into a draft.

use std::borrow::Cow;

use waybill_schemas::vocabulary::{Milestone, NoteCode, QuantityKind, ReferenceKind};
use waybill_schemas::{OccurrenceTime, Place, Quantity, Reference};
use waybill_stage::{Code, Reject};

use super::codes::{self, BIZ_STEPS, DISPOSITIONS, ERROR_REASONS, EVENTS};
use super::gs1::Key;
use super::hash;
use super::node::{Event, Node};
use super::places::{Places, merged};
use super::readings::{self, Sensed};
use super::units::ucum;
use crate::codes::CodeList;
use crate::wrong::{At, at};
use crate::{Document, Draft, limits, text, time};

pub(super) fn draft(event: &Event<'_>, places: &Places) -> Result<Draft, Reject> {
    let root = &event.root;
    let kind = &*root.name;
    if root.namespace.is_some() || !EVENT_TYPES.contains(&kind) {
        return Err(at("/type").unknown_code("event type of EPCIS"));
    }
    let mut notes = Notes::default();
    let occurred = occurred(root, &mut notes)?;
    let action = action(root, kind, &mut notes)?;
    let objects = Objects::of(root, &mut notes)?;
    let mut draft = told(root, kind, action, occurred, &mut notes)?;
    draft.document = objects.document();
    let referred = objects.refer(root, &mut draft);
    notes.unless(referred)?;
    let counted = quantities(root, &mut draft);
    notes.unless(counted)?;
    let measured = readings::read(root, &mut draft);
    let sensed = notes.unless(measured)?;
    draft.place = notes.unless(place(root, places, &sensed))?;
    by_context(root, &sensed, &mut draft);
    draft.created_at = notes.unless(instant(root.child("recordTime"), at("/recordTime")))?;
    draft.remark = ["rdfs:comment", "comment"].iter().find_map(|name| {
        root.child(name).and_then(|node| text::clipped(&node.text, limits::REMARK))
    });
    let raw_id = match notes.unless(root.value("eventID", at("/eventID"), limits::EVENT_ID))? {
        Some(id) => id.to_owned(),
        None => hash::of(event),
    };
    match root.child("errorDeclaration") {
        Some(declaration) => withdraw(declaration, raw_id, &mut draft)?,
        None => draft.raw_id = Some(raw_id),
    }
    for (code, about) in notes.0 {
        draft.note_about(code, about);
    }
    Ok(draft)
}

/// What is odd about the event, and does not keep it from being read.
#[derive(Default)]
struct Notes(Vec<(NoteCode, Cow<'static, str>)>);

impl Notes {
    /// What was read, or nothing and a note of the field that is not as it is to be. What is too large
    /// stays a reject.
    fn unless<T: Default>(&mut self, read: Result<T, Reject>) -> Result<T, Reject> {
        match read {
            Ok(read) => Ok(read),
            Err(reject) if reject.code == Code::TooLarge => Err(reject),
            Err(reject) => {
                let field = reject.detail.split(": ").next().unwrap_or_default().to_owned();
                let code = match reject.code {
                    Code::MissingField => NoteCode::MissingField,
                    _ => NoteCode::OddField,
                };
                self.0.push((code, field.into()));
                Ok(T::default())
            }
        }
    }
}

/// 1.x had the last, and deprecated it.
const EVENT_TYPES: &[&str] = &[
    "ObjectEvent",
    "AggregationEvent",
    "TransactionEvent",
    "TransformationEvent",
    "AssociationEvent",
    "QuantityEvent",
];

/// The instant is `eventTime`'s, the offset `eventTimeZoneOffset`'s: a server may have written the
/// instant in UTC. A clock without an offset of its own is by the other.
fn occurred(root: &Node<'_>, notes: &mut Notes) -> Result<OccurrenceTime, Reject> {
    let time_at = at("/eventTime");
    let sent = root.required("eventTime", time_at, limits::CODE)?;
    let read = match time::rfc3339(sent) {
        Some(read) => read,
        None => {
            notes.0.push((NoteCode::OddField, "/eventTime".into()));
            time::read(sent).ok_or_else(|| time_at.invalid_time())?
        }
    };
    let offset_at = at("/eventTimeZoneOffset");
    let sent = root.required("eventTimeZoneOffset", offset_at, limits::CODE);
    let offset = sent.and_then(|sent| {
        offset(sent).ok_or_else(|| offset_at.invalid("an offset such as +02:00")).map(Some)
    });
    let Some(offset) = notes.unless(offset)? else { return Ok(read) };
    let utc_ms = match read.offset_minutes {
        Some(_) => read.utc_or_wall_ms(),
        None => read.wall_ms - i64::from(offset) * 60_000,
    };
    let at = OccurrenceTime::stated(utc_ms, offset);
    Ok(OccurrenceTime { precision: read.precision, ..at })
}

/// Minutes east of `+hh:mm`, within the 14 hours that there are.
fn offset(text: &str) -> Option<i32> {
    if text == "Z" {
        return Some(0);
    }
    let (sign, rest) = match text.split_at_checked(1)? {
        ("+", rest) => (1, rest),
        ("-", rest) => (-1, rest),
        _ => return None,
    };
    let (hours, minutes) = rest.split_once(':')?;
    let two = |digits: &str| if digits.len() == 2 { time::number(digits) } else { None };
    let (hours, minutes) = (two(hours)?, two(minutes).filter(|minutes| *minutes < 60)?);
    let east = i32::from(hours) * 60 + i32::from(minutes);
    (east <= 14 * 60).then_some(sign * east)
}

fn instant(node: Option<&Node<'_>>, at: At) -> Result<Option<i64>, Reject> {
    let Some(sent) = node.and_then(Node::trimmed) else { return Ok(None) };
    let time = time::read(sent).ok_or_else(|| at.invalid_time())?;
    Ok(Some(time.utc_or_wall_ms()))
}

fn action(root: &Node<'_>, kind: &str, notes: &mut Notes) -> Result<Option<&'static str>, Reject> {
    let action_at = at("/action");
    let Some(sent) = notes.unless(root.value("action", action_at, limits::CODE))? else {
        if !matches!(kind, "TransformationEvent" | "QuantityEvent") {
            notes.0.push((NoteCode::MissingField, "/action".into()));
        }
        return Ok(None);
    };
    let known = ["ADD", "OBSERVE", "DELETE"].into_iter().find(|a| a.eq_ignore_ascii_case(sent));
    if known.is_none() {
        notes.0.push((NoteCode::OddField, "/action".into()));
    }
    Ok(known)
}

/// What happened: by the business step, else the disposition, else the type and the action.
fn told(
    root: &Node<'_>,
    kind: &str,
    action: Option<&str>,
    occurred: OccurrenceTime,
    notes: &mut Notes,
) -> Result<Draft, Reject> {
    let of =
        |list: &CodeList, word: &str| Draft::of_code(list.prefix, word, list.find(word), occurred);
    let step = notes.unless(root.value("bizStep", at("/bizStep"), limits::ID))?;
    let disposition = notes
        .unless(root.value("disposition", at("/disposition"), limits::ID))?
        .map(|sent| codes::DISPOSITION_WORDS.bare(sent));
    let mut draft = match (step, disposition) {
        (Some(step), _) => of(&BIZ_STEPS, codes::BIZ_STEP_WORDS.bare(step)),
        (None, Some(disposition)) => return Ok(of(&DISPOSITIONS, disposition)),
        (None, None) => {
            let code = match action {
                Some(action) if kind != "TransformationEvent" => [kind, "/", action].concat(),
                _ => kind.to_owned(),
            };
            of(&EVENTS, &code)
        }
    };
    let lasting = root.all("persistentDisposition").flat_map(|list| list.all("set"));
    let lasting = lasting.filter_map(Node::trimmed).map(|word| codes::DISPOSITION_WORDS.bare(word));
    for word in disposition.into_iter().chain(lasting) {
        if let Some(wrong) = DISPOSITIONS.find(word).and_then(|meaning| meaning.exception) {
            draft.exception(wrong, Some([DISPOSITIONS.prefix, "/", word].concat()));
        }
        if draft.exceptions.len() > limits::LIST {
            return Err(at("/persistentDisposition/set").too_many(limits::LIST));
        }
    }
    Ok(draft)
}

/// What a person who reads the event knows, though no code says it.
fn by_context(root: &Node<'_>, sensed: &Sensed, draft: &mut Draft) {
    let sscc = draft.document.as_ref().is_some_and(|document| document.kind == "sscc");
    let step = draft.raw_code.strip_prefix("BIZSTEP/");
    // A logistic unit gets its label.
    if sscc && step == Some("commissioning") && root.is("ObjectEvent") {
        draft.milestone = Milestone::ShipmentCreated;
    }
    // Nothing but what sensors say.
    if sensed.reports > 0 && draft.raw_code == "EVENT/ObjectEvent/OBSERVE" {
        draft.milestone = Milestone::SensorReading;
    }
    if sensed.alarm && draft.milestone == Milestone::SensorReading {
        draft.milestone = Milestone::SensorAlert;
    }
}

/// The event is declared void. What it was stands in the event itself, which has the same id; what
/// it counted and measured is not said once more.
fn withdraw(declaration: &Node<'_>, withdrawn: String, draft: &mut Draft) -> Result<(), Reject> {
    let within = at("/errorDeclaration");
    let reason = declaration.value("reason", within.member("/reason"), limits::ID)?;
    let void = match reason.map(|sent| codes::ERROR_REASON_WORDS.bare(sent)) {
        Some(word) => {
            Draft::of_code(ERROR_REASONS.prefix, word, ERROR_REASONS.find(word), draft.occurred)
        }
        None => Draft::new(Milestone::Withdrawn, "ER".to_owned(), draft.occurred),
    };
    draft.raw_code = void.raw_code;
    draft.notes = void.notes;
    draft.milestone = Milestone::Withdrawn;
    draft.exceptions.clear();
    draft.quantities.clear();
    draft.readings.clear();
    draft.withdraws = Some(withdrawn);
    let declared = declaration.child("declarationTime");
    let declared = instant(declared, at("/errorDeclaration/declarationTime"))?;
    draft.created_at = draft.created_at.or(declared);
    let list = at("/errorDeclaration/correctiveEventIDs");
    let mut corrective = Vec::new();
    for (index, id) in declaration.list("correctiveEventIDs", "correctiveEventID", list)? {
        corrective.extend(id.checked(list.element(index), limits::EVENT_ID)?);
    }
    if !corrective.is_empty() {
        let remark = ["corrected by ", &corrective.join(", ")].concat();
        draft.remark = text::clipped(&remark, limits::REMARK);
    }
    Ok(())
}

/// The things that the event is about, in the order in which they name its shipment.
struct Objects<'n> {
    parent: Option<(&'n str, Option<Key>)>,
    epcs: Vec<(&'n str, Option<Key>)>,
    classes: Vec<&'n str>,
}

/// Lists of EPCs. What was made stands before what it was made of.
const EPC_LISTS: &[(&str, &str)] = &[
    ("epcList", "/epcList"),
    ("childEPCs", "/childEPCs"),
    ("outputEPCList", "/outputEPCList"),
    ("inputEPCList", "/inputEPCList"),
];

const QUANTITY_LISTS: &[(&str, &str)] = &[
    ("quantityList", "/quantityList"),
    ("childQuantityList", "/childQuantityList"),
    ("outputQuantityList", "/outputQuantityList"),
    ("inputQuantityList", "/inputQuantityList"),
];

impl<'n> Objects<'n> {
    fn of(root: &'n Node<'_>, notes: &mut Notes) -> Result<Self, Reject> {
        let parent = notes.unless(root.value("parentID", at("/parentID"), limits::ID))?;
        let mut epcs = Vec::new();
        for (name, pointer) in EPC_LISTS {
            let list = at(pointer);
            for (index, epc) in root.list(name, "epc", list)? {
                if let Some(epc) = notes.unless(epc.checked(list.element(index), limits::ID))? {
                    epcs.push((epc, Key::read(epc)));
                }
            }
        }
        let mut classes = Vec::new();
        let class_of = |node: &'n Node<'_>, at: At| node.value("epcClass", at, limits::ID);
        classes.extend(notes.unless(class_of(root, at("/epcClass")))?);
        for (name, pointer) in QUANTITY_LISTS {
            let list = at(pointer);
            for (index, element) in root.list(name, "quantityElement", list)? {
                let class = class_of(element, list.element(index).member("/epcClass"));
                classes.extend(notes.unless(class)?);
            }
        }
        Ok(Self { parent: parent.map(|id| (id, Key::read(id))), epcs, classes })
    }

    /// What the event's shipment is known by: see the format's documentation.
    fn document(&self) -> Option<Document> {
        let all = || self.parent.iter().chain(&self.epcs);
        let sscc = all().filter_map(|(_, key)| key.as_ref()).find(|key| key.primary().0 == "00");
        if let Some(sscc) = sscc {
            return Some(Document { kind: "sscc", number: sscc.primary().1.to_owned() });
        }
        // One form for a key, so that it is one shipment however it is written.
        let number = |sent: &str, key: Option<&Key>| match key {
            Some(key) => key.as_path().to_owned(),
            None => sent.to_owned(),
        };
        if let Some((sent, key)) = all().next() {
            return Some(Document { kind: "epc", number: number(sent, key.as_ref()) });
        }
        let class = self.classes.first()?;
        Some(Document { kind: "epc_class", number: number(class, Key::read(class).as_ref()) })
    }

    fn refer(&self, root: &Node<'_>, draft: &mut Draft) -> Result<(), Reject> {
        let own = usize::from(self.parent.is_some()) + self.epcs.len() + self.classes.len();
        let mut references = Vec::with_capacity(own);
        let mut refer =
            |kind, value: &str| references.push(Reference { kind, value: value.to_owned() });
        for (sent, key) in self.parent.iter().chain(&self.epcs) {
            match key.as_ref().map(Key::primary) {
                Some(("00", sscc)) => refer(ReferenceKind::Sscc, sscc),
                // Consignment and shipment (GINC, GSIN).
                Some(("401", ginc)) => refer(ReferenceKind::ForwarderReference, ginc),
                Some(("402", gsin)) => refer(ReferenceKind::ShipperReference, gsin),
                _ => refer(ReferenceKind::Epc, sent),
            }
        }
        self.classes.iter().for_each(|class| refer(ReferenceKind::Epc, class));
        transactions(root, &mut references)?;
        parties(root, &mut references)?;
        keep_first(&mut references);
        draft.references = references;
        Ok(())
    }
}

/// Each reference once. There may be thousands: they are not compared with each other.
fn keep_first(references: &mut Vec<Reference>) {
    let mut ordered: Vec<_> = references.iter().zip(0_usize..).collect();
    ordered.sort_unstable_by_key(|(r, at)| (r.kind, &r.value, *at));
    let pairs = ordered.iter().zip(ordered.iter().skip(1));
    let mut repeats: Vec<usize> =
        pairs.filter(|((one, _), (next, _))| one == next).map(|(_, (_, at))| *at).collect();
    if repeats.is_empty() {
        return;
    }
    repeats.sort_unstable();
    let mut at = 0..;
    references.retain(|_| at.next().is_none_or(|at| repeats.binary_search(&at).is_err()));
}

fn transactions(root: &Node<'_>, to: &mut Vec<Reference>) -> Result<(), Reject> {
    let list = at("/bizTransactionList");
    for (index, node) in root.list("bizTransactionList", "bizTransaction", list)? {
        let within = list.element(index);
        let Some(id) = node.checked(within.member("/bizTransaction"), limits::ID)? else {
            continue;
        };
        let kind = node
            .value("type", within.member("/type"), limits::ID)?
            .map(|sent| codes::BIZ_TRANSACTION_WORDS.bare(sent));
        let kind = codes::BIZ_TRANSACTION_TYPES
            .iter()
            .find(|row| Some(row.0) == kind)
            .map_or(ReferenceKind::Other, |row| row.1);
        to.push(Reference { kind, value: number_of(id).to_owned() });
    }
    Ok(())
}

/// `urn:epcglobal:cbv:bt:<GLN>:<number>` (CBV 2.0 section 8.5) has the number as it stands on the
/// document, after the GLN of whoever gave it.
fn number_of(id: &str) -> &str {
    id.strip_prefix("urn:epcglobal:cbv:bt:")
        .and_then(|rest| rest.split_once(':'))
        .map_or(id, |(_, number)| number)
}

/// Who sent and who gets it: `source/possessing_party urn:epc:id:pgln:4012345.00225`.
fn parties(root: &Node<'_>, to: &mut Vec<Reference>) -> Result<(), Reject> {
    for (name, element, pointer) in [
        ("sourceList", "source", "/sourceList"),
        ("destinationList", "destination", "/destinationList"),
    ] {
        let list = at(pointer);
        for (index, node) in root.list(name, element, list)? {
            let within = list.element(index);
            let Some(id) = node.checked(within.member(pointer), limits::ID)? else { continue };
            let kind = node
                .value("type", within.member("/type"), limits::ID)?
                .map_or("", |sent| codes::SOURCE_DESTINATION_WORDS.bare(sent));
            let value = [element, "/", kind, " ", id].concat();
            to.push(Reference { kind: ReferenceKind::Other, value });
        }
    }
    Ok(())
}

/// How much of a class. Of a transformation what was made, if that is stated.
fn quantities(root: &Node<'_>, draft: &mut Draft) -> Result<(), Reject> {
    let mut push = |node: &Node<'_>, within: At| {
        let Some(value) = node.number("quantity", within.member("/quantity"))? else {
            return Ok::<_, Reject>(());
        };
        let unit = ucum(node.value("uom", within.member("/uom"), limits::CODE)?);
        let kind = match &*unit {
            "1" => QuantityKind::Items,
            "kg" | "g" | "mg" | "ug" | "t" | "[lb_av]" | "[oz_av]" | "[ston_av]" | "[lton_av]" => {
                QuantityKind::NetWeight
            }
            "m3" | "dm3" | "cm3" | "mm3" | "L" | "hL" | "dL" | "cL" | "mL" | "[cft_i]"
            | "[cin_i]" | "[gal_us]" | "[gal_br]" => QuantityKind::Volume,
            _ => QuantityKind::Other,
        };
        draft.quantities.push(Quantity { kind, value, unit: unit.into_owned() });
        Ok(())
    };
    push(root, at(""))?;
    let made = root.all("outputQuantityList").any(|list| !list.children.is_empty());
    for (name, pointer) in QUANTITY_LISTS {
        if *name == "inputQuantityList" && made {
            continue;
        }
        let list = at(pointer);
        for (index, element) in root.list(name, "quantityElement", list)? {
            push(element, list.element(index))?;
        }
    }
    Ok(())
}

/// Where it happened; the business location, where the things are afterwards, adds what the read
/// point does not say, and the sensors the coordinates.
fn place(root: &Node<'_>, places: &Places, sensed: &Sensed) -> Result<Option<Place>, Reject> {
    let mut place = Place::default();
    for (name, at) in [("readPoint", at("/readPoint/id")), ("bizLocation", at("/bizLocation/id"))] {
        let Some(location) = root.child(name) else { continue };
        if let Some(id) = location.value("id", at, limits::ID)? {
            place = merged(place, places.read(id, at)?);
        }
    }
    if let (None, Some((latitude, longitude))) = (place.latitude, sensed.position) {
        (place.latitude, place.longitude) = (Some(latitude), Some(longitude));
    }
    Ok((place != Place::default()).then_some(place))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets() {
        assert_eq!(offset("+02:00"), Some(120));
        assert_eq!(offset("-03:30"), Some(-210));
        assert_eq!(offset("+14:00"), Some(840));
        assert_eq!(offset("Z"), Some(0));
        for wrong in ["", "02:00", "+2:00", "+15:00", "+02:60", "+0200", "+٠٢:00"] {
            assert_eq!(offset(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn numbers_of_transactions() {
        assert_eq!(number_of("urn:epcglobal:cbv:bt:0399999999991:XYZPO189"), "XYZPO189");
        assert_eq!(number_of("urn:epcglobal:cbv:bt:0399999999991:A:1"), "A:1");
        assert_eq!(number_of("urn:epc:id:gdti:4012345.11111.1"), "urn:epc:id:gdti:4012345.11111.1");
    }
}
