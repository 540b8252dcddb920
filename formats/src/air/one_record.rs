//! IATA ONE Record (API 2.x, data model 3.x): `LogisticsEvent`s in JSON-LD, alone, in a list, a
//! collection (`hasItem`), a graph (`@graph`), a notification, or within the logistics object that
//! they happened to.
//!
//! An event belongs to each logistics object that it names (`eventFor`): to one of several it is an
//! event of each, as the API makes of it. The object's air waybill is its document if the message has
//! it, embedded or in the graph; else the object's own IRI is. An event that is not said to be
//! planned or estimated (`eventTimeType`) has happened.
//!
//! Other messages of the API are no events: logistics objects without any, notifications that only
//! refer to one, answers to a request. An error answer is the carrier's error.

use std::collections::HashMap;

use waybill_identifiers::unlocode;
use waybill_schemas::vocabulary::{Milestone, Mode, NoteCode, ReferenceKind};
use waybill_schemas::{OccurrenceTime, Place, Transport};
use waybill_stage::{Code, Reject};

use super::codes::{self, STATUS};
use super::consignment::{give_air_waybill, iata};
use super::element::is_flight;
use super::fsu::give_discrepancy;
use super::json_ld::{Node, local_name};
use crate::location::Location;
use crate::wrong::{At, at};
use crate::{Document, Draft, Parts, json, limits, text};

/// Reads the logistics events of the payload.
pub fn read(text: &str, parts: &mut Parts) -> Result<(), Reject> {
    let text = json::bounded(text)?;
    let root: Node<'_> = serde_json::from_str(text).map_err(|error| match error.is_data() {
        true => {
            let detail = format!("an object with more than {} members", limits::LIST);
            Reject::new(Code::TooLarge, detail)
        }
        false => json::no_json(&error),
    })?;
    let read = Reader { graph: graph(&root), parts, fanned_out: false }.message(&root);
    if read.is_err() {
        parts.clear();
    }
    read
}

/// What the message says of nodes that it refers to by their IRIs.
type Graph<'n> = HashMap<&'n str, &'n Node<'n>>;

fn graph<'n>(root: &'n Node<'n>) -> Graph<'n> {
    let nodes = match root {
        Node::List(nodes) => Some(nodes.as_slice()),
        _ => root.get("@graph").map(Node::items),
    };
    let nodes = nodes.unwrap_or_default().iter();
    nodes.filter_map(|node| node.get("@id")?.text().map(|iri| (iri, node))).collect()
}

struct Reader<'n, 'p> {
    graph: Graph<'n>,
    parts: &'p mut Parts,
    /// An event of several objects is several events of one id.
    fanned_out: bool,
}

impl<'n> Reader<'n, '_> {
    fn message(&mut self, root: &'n Node<'n>) -> Result<(), Reject> {
        let refused = |code, detail: &'static str| Err(Reject::new(code, detail));
        match root {
            Node::List(_) => self.list("", root)?,
            Node::Object(_) if root.get("@graph").is_some() => {
                let nodes = root.get("@graph").map(Node::items).unwrap_or_default();
                for (index, node) in nodes.iter().enumerate().filter(|(_, n)| is_event(n)) {
                    self.event("/@graph", Some(index), node)?;
                }
            }
            _ if is_event(root) => self.event("", None, root)?,
            _ if root.is_a("Collection") || root.get("hasItem").is_some() => {
                if let Some(items) = root.get("hasItem") {
                    self.list("/hasItem", items)?;
                }
            }
            _ if is_error(root) => {
                return refused(Code::CarrierError, "an error answer: it tells of no event");
            }
            _ if root.is_a("MultiStatusResponse") => {
                return refused(Code::Unsupported, "an answer to a request: it tells of no event");
            }
            _ if root.is_a("Notification") => match root.get("hasLogisticsEvent") {
                Some(event) if event.get("eventDate").is_some() => {
                    self.event("/hasLogisticsEvent", None, event)?;
                }
                _ => {
                    let detail = "a notification that holds no event, and at most refers to one";
                    return refused(Code::Unsupported, detail);
                }
            },
            Node::Object(_) => match root.get("logisticsEvents").or_else(|| root.get("events")) {
                Some(events) => self.list("/events", events)?,
                None if root.get("@type").is_some() => {
                    return refused(Code::Unsupported, "a logistics object that is no event");
                }
                None => return refused(Code::WrongStructure, "no @type of ONE Record"),
            },
            _ => return refused(Code::WrongStructure, "expected an object or a list of them"),
        }
        if self.parts.is_empty() {
            return refused(Code::WrongStructure, "no event in it");
        }
        if !self.fanned_out {
            self.parts.mark_repeats();
        }
        Ok(())
    }

    fn list(&mut self, list: &'static str, events: &'n Node<'n>) -> Result<(), Reject> {
        for (index, event) in events.items().iter().enumerate() {
            self.event(list, Some(index), event)?;
        }
        Ok(())
    }

    fn event(
        &mut self,
        list: &'static str,
        index: Option<usize>,
        event: &'n Node<'n>,
    ) -> Result<(), Reject> {
        let whole = Location::WHOLE;
        let at_event = index.map_or(whole, |index| whole.element(list, index));
        if !is_event(event) && event.get("eventDate").is_none() {
            let detail = "expected a logistics event";
            return self.push(at_event, Err(Reject::new(Code::WrongStructure, detail)));
        }
        let (draft, subjects) = match self.draft(event) {
            Ok(read) => read,
            Err(reject) => return self.push(at_event, Err(reject)),
        };
        self.fanned_out |= subjects.len() > 1;
        let several = subjects.len() > 1;
        for (n, subject) in subjects.iter().enumerate() {
            let location = if several { at_event.element("/eventFor", n) } else { at_event };
            let mut draft = draft.clone();
            let named = if several { at("/@id") } else { at("/eventFor") };
            let part = self.give_subject(*subject, named, &mut draft).map(|()| draft);
            self.push(location, part)?;
        }
        Ok(())
    }

    fn push(&mut self, location: Location, part: Result<Draft, Reject>) -> Result<(), Reject> {
        if self.parts.are_full() {
            let detail = format!("more than {} events", limits::EVENTS);
            return Err(Reject::new(Code::TooLarge, detail));
        }
        self.parts.push_at(location, part);
        Ok(())
    }

    /// The event, and the objects that it happened to.
    fn draft(&self, event: &'n Node<'n>) -> Result<(Draft, Vec<Subject<'n>>), Reject> {
        let date = at("/eventDate");
        let occurred = event.get("eventDate").ok_or_else(|| date.missing())?;
        let occurred = occurred.text().and_then(super::date_time_or_day);
        let (occurred, is_odd) = occurred.ok_or_else(|| date.invalid_time())?;
        let name = event.get("eventName").and_then(Node::text).filter(|name| !name.is_empty());
        let mut draft = of_code(event.get("eventCode"), name, occurred)?;
        if is_odd {
            draft.note_about(NoteCode::OddField, "/eventDate");
        }
        if let Some(kind) = event.get("eventTimeType") {
            match kind.iri().map(local_name).and_then(codes::time_type) {
                Some(kind) => draft.classifier = kind,
                None => draft.note_about(NoteCode::OddField, "/eventTimeType"),
            }
        }
        draft.raw_id = match event.get("@id").and_then(Node::text) {
            Some(id) if id.len() > limits::EVENT_ID => {
                draft.note_about(NoteCode::OddField, "/@id");
                None
            }
            // A blank node's id and a relative one (JSON-LD 1.1, 3.3) are of this document only.
            id => id.filter(|id| id.contains("://") || id.starts_with("urn:")).map(str::to_owned),
        };
        if let Some(created) = event.get("creationDate") {
            match created.text().and_then(super::date_time) {
                // A record's time without an offset is of no place that it could be told by.
                Some(created) => {
                    draft.created_at = created.offset_minutes.map(|_| created.utc_or_wall_ms());
                }
                None => draft.note_about(NoteCode::OddField, "/creationDate"),
            }
        }
        let location = event.get("eventLocation").or_else(|| event.get("recordedAtLocation"));
        draft.place = location.and_then(|location| place(self.resolved(location)));
        draft.transport = Some(Transport { mode: Some(Mode::Air), ..Transport::default() });
        // What the model has no field for.
        let part_only = event.get("partialEventIndicator").and_then(Node::bool) == Some(true);
        draft.remark = match (name, part_only) {
            (Some(name), true) => text::clipped(&[name, " (part of it)"].concat(), limits::REMARK),
            (None, true) => Some("part of it".to_owned()),
            (name, false) => name.and_then(|name| text::clipped(name, limits::REMARK)),
        };
        let subjects = self.subjects(event)?;
        Ok((draft, subjects))
    }

    fn subjects(&self, event: &'n Node<'n>) -> Result<Vec<Subject<'n>>, Reject> {
        let within = at("/eventFor");
        // `linkedObject` is what older versions of the data model have.
        if let Some(objects) = event.get("eventFor").or_else(|| event.get("linkedObject")) {
            if objects.items().len() > limits::LIST {
                return Err(within.too_many(limits::LIST));
            }
            let objects = objects.items().iter();
            let subjects: Vec<_> = objects
                .map(|object| Subject { iri: object.iri(), object: Some(self.resolved(object)) })
                .collect();
            if !subjects.is_empty() {
                return Ok(subjects);
            }
        }
        // An event is a resource of the object that it happened to (API, section logistics events).
        let object = event.get("@id").and_then(Node::text);
        let object = object.and_then(|id| id.split_once("/logistics-events/")).map(|(o, _)| o);
        match object {
            Some(iri) => {
                let object = self.graph.get(iri).copied();
                Ok(vec![Subject { iri: Some(iri), object }])
            }
            None => Err(within.missing()),
        }
    }

    /// What the graph says of a node that is only referred to.
    fn resolved(&self, node: &'n Node<'n>) -> &'n Node<'n> {
        let iri = node.iri().unwrap_or_default();
        match node {
            Node::Object(members) if members.len() > 2 => node,
            _ => self.graph.get(iri).copied().unwrap_or(node),
        }
    }

    fn give_subject(
        &self,
        subject: Subject<'n>,
        named: At,
        draft: &mut Draft,
    ) -> Result<(), Reject> {
        let iri = subject.iri.filter(|iri| !iri.is_empty());
        let mut wrong = None;
        if let Some(waybill) = subject.object.and_then(|object| self.waybill(object))
            && let Err(reject) = self.give_waybill(waybill, draft)
        {
            wrong = Some(reject);
        }
        let iri = match iri {
            Some(iri) if iri.len() > limits::ID => {
                wrong.get_or_insert_with(|| named.too_long(limits::ID));
                None
            }
            iri => iri,
        };
        // What names the object otherwise is enough.
        if let Some(reject) = wrong {
            if iri.is_none() && draft.document.is_none() {
                return Err(reject);
            }
            let about = reject.detail.split(':').next().unwrap_or_default().to_owned();
            draft.note_about(NoteCode::OddField, about);
        }
        if let Some(movement) = subject.object.filter(|o| o.is_a("TransportMovement")) {
            // `LH400/16OCT2023`
            let flight = movement.get("transportIdentifier").and_then(Node::text);
            let flight = flight.and_then(|f| f.split('/').next()).filter(|f| is_flight(f));
            if let (Some(flight), Some(transport)) = (flight, &mut draft.transport) {
                transport.flight = Some(flight.to_owned());
            }
        }
        match (iri, &draft.document) {
            (Some(iri), Some(_)) => draft.reference(ReferenceKind::Other, iri),
            (Some(iri), None) => {
                draft.document =
                    Some(Document { kind: "logistics_object", number: iri.to_owned() });
                draft.reference(ReferenceKind::Other, iri);
            }
            (None, Some(_)) => {}
            (None, None) => return Err(named.invalid("the IRI of an object")),
        }
        Ok(())
    }

    /// The waybill of a waybill, a shipment or a piece.
    fn waybill(&self, object: &'n Node<'n>) -> Option<&'n Node<'n>> {
        let mut object = object;
        // Piece, shipment, waybill.
        for _ in 0..3 {
            if object.get("waybillNumber").is_some() {
                return Some(object);
            }
            let next = object.get("waybill").or_else(|| object.get("ofShipment"))?;
            object = self.resolved(next);
        }
        None
    }

    fn give_waybill(&self, waybill: &'n Node<'n>, draft: &mut Draft) -> Result<(), Reject> {
        let kind = waybill.get("waybillType").and_then(Node::iri).map(local_name);
        if kind != Some("HOUSE") {
            give_air_waybill(&master_number(waybill)?, draft);
            return Ok(());
        }
        let number = waybill.get("waybillNumber").and_then(Node::text).unwrap_or_default();
        if number.len() > limits::ID {
            return Err(at("/waybillNumber").too_long(limits::ID));
        }
        draft.reference(ReferenceKind::HouseAirWaybill, number);
        draft.document = Some(Document { kind: "house_air_waybill", number: number.to_owned() });
        let master = waybill.get("masterWaybill").map(|master| self.resolved(master));
        if let Some(master) = master.filter(|master| master.get("waybillNumber").is_some()) {
            draft.reference(ReferenceKind::AirWaybill, &master_number(master)?);
        }
        Ok(())
    }
}

/// `020-12345675`
fn master_number(waybill: &Node<'_>) -> Result<String, Reject> {
    let text = |term: &str| waybill.get(term).and_then(Node::text).unwrap_or_default();
    let (prefix, number) = (text("waybillPrefix"), text("waybillNumber"));
    if prefix.len() + number.len() >= limits::ID {
        return Err(at("/waybillNumber").too_long(limits::ID));
    }
    Ok([prefix, "-", number].concat())
}

/// A logistics object that an event happened to.
#[derive(Clone, Copy)]
struct Subject<'n> {
    iri: Option<&'n str>,
    object: Option<&'n Node<'n>>,
}

fn is_event(node: &Node<'_>) -> bool {
    node.is_a("LogisticsEvent")
}

/// An error, or an answer that says of some events that they were refused.
fn is_error(node: &Node<'_>) -> bool {
    node.is_a("Error")
        || node.get("hasError").is_some()
        || node.get("hasTotalFailed").and_then(Node::number).is_some_and(|failed| failed > 0.0)
}

/// An event by its code: `StatusCode#DEP`, `StatusCode_DEP`, `StatusCode_DIS_MSCA`, or an element of a
/// list with its code in it. One without a code has a name instead (data model, `eventName`).
fn of_code(
    sent: Option<&Node<'_>>,
    name: Option<&str>,
    occurred: OccurrenceTime,
) -> Result<Draft, Reject> {
    let within = at("/eventCode");
    let element = sent.and_then(|sent| sent.get("code").and_then(Node::text));
    let code = element.or_else(|| sent.and_then(Node::iri)).map(local_name);
    let Some(code) = code.filter(|code| !code.is_empty()) else {
        let name = name.filter(|_| sent.is_none()).ok_or_else(|| within.missing())?;
        let name = text::clipped(name, limits::CODE).unwrap_or_default();
        let mut draft = Draft::new(Milestone::Other, ["NAME/", &name].concat(), occurred);
        draft.note(NoteCode::UnmappedCode);
        return Ok(draft);
    };
    let code = code.strip_prefix("StatusCode_").unwrap_or(code).to_ascii_uppercase();
    let code = code.as_str();
    if let Some(list) = sent.and_then(other_list) {
        return Ok(Draft::of_code(&list, code, None, occurred));
    }
    if code.len() > limits::CODE {
        return Err(within.too_long(limits::CODE));
    }
    if let Some(discrepancy) = code.strip_prefix("DIS_") {
        let mut draft = Draft::of_code(STATUS.prefix, "DIS", STATUS.find("DIS"), occurred);
        give_discrepancy(Some(discrepancy), &mut draft);
        return Ok(draft);
    }
    let mut draft = Draft::of_code(STATUS.prefix, code, STATUS.find(code), occurred);
    if code == "DIS" {
        give_discrepancy(None, &mut draft);
    }
    Ok(draft)
}

/// The list that a code says it is of, where that is not IATA's: by the name or the reference of the list,
/// or by the IRI that the code's local name ends.
fn other_list(sent: &Node<'_>) -> Option<String> {
    let named = ["codeListName", "codeListReference"]
        .iter()
        .find_map(|term| sent.get(term).and_then(Node::iri).filter(|list| !list.is_empty()));
    let list = named.or_else(|| {
        let iri = sent.iri().filter(|iri| iri.contains("://"))?;
        iri.rsplit_once(['#', '/']).map(|(list, _)| list)
    })?;
    let plain: String =
        list.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
    let is_iata = plain.contains("iata")
        || plain.contains("statuscode")
        || plain.contains("cxml")
        || plain.contains("118");
    let name = list.trim_end_matches(['#', '/']).rsplit(['#', '/']).next().unwrap_or(list);
    if is_iata { None } else { text::clipped(name, limits::CODE) }
}

/// An airport by its code, embedded or in the graph; or by an IRI that ends in one, as the guides
/// write it (`…/logistics-objects/FRA`).
fn place(location: &Node<'_>) -> Option<Place> {
    let code = location.get("locationCode").or_else(|| location.get("code"));
    let code = code.and_then(|code| code.get("code").unwrap_or(code).iri()).map(local_name);
    let by_iri =
        || location.iri().map(local_name).filter(|n| n.bytes().all(|b| b.is_ascii_uppercase()));
    let name = location.get("locationName").and_then(Node::text);
    let place = Place {
        iata: code.or_else(by_iri).and_then(iata),
        unlocode: code.filter(|code| code.len() == 5).and_then(|code| unlocode::read(code).ok()),
        name: name.and_then(|name| text::clipped(name, limits::NAME)),
        ..Place::default()
    };
    (place != Place::default()).then_some(place)
}

pub(crate) fn looks_like(text: &str) -> bool {
    text.contains("LogisticsEvent\"") && text.contains("onerecord.iata.org/ns/")
}

// Only tests of the module's own reading; whole messages are in tests/air.rs.
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_have_many_forms() {
        let at = OccurrenceTime::stated(0, 0);
        for (json, expect) in [
            (r#"{"@id": "https://onerecord.iata.org/ns/code-lists/StatusCode#DEP"}"#, "FSU/DEP"),
            (r#"{"@id": "https://onerecord.iata.org/ns/coreCodeLists#StatusCode_DEP"}"#, "FSU/DEP"),
            (
                r#"{"@id": "https://onerecord.iata.org/ns/coreCodeLists#StatusCode_DIS_MSCA"}"#,
                "FSU/DIS",
            ),
            (r#"{"@type": "CodeListElement", "code": "DEP"}"#, "FSU/DEP"),
            (r#""DEP""#, "FSU/DEP"),
            (r#""XYZ""#, "FSU/XYZ"),
            (r#""dep""#, "FSU/DEP"),
            (r#"{"@type": "CodeListElement", "code": "DEP", "codeListName": "ACME"}"#, "ACME/DEP"),
            (r#"{"code": "DEP", "codeListName": "IATA Status Codes"}"#, "FSU/DEP"),
            (r#"{"@id": "https://acme.example/codes/own#DEP"}"#, "own/DEP"),
        ] {
            let node: Node<'_> = serde_json::from_str(json).unwrap();
            let draft = of_code(Some(&node), None, at).unwrap();
            assert_eq!(draft.raw_code, expect, "{json}");
        }
        assert_eq!(of_code(None, Some("Screened"), at).unwrap().raw_code, "NAME/Screened");
        assert_eq!(of_code(None, None, at).unwrap_err().code, Code::MissingField);
    }
}
