//! EPCIS 2.0 JSON-LD (section 10) into events.
//!
//! Only as much of JSON-LD is read as EPCIS' own context allows: prefixes of the context, and the
//! standard's names as they are. A context is never fetched.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use waybill_stage::{Code, Reject};

use super::node::{Event, Node, Prefix, Prefixes};
use super::{Sink, places::Places};
use crate::json::{self, Object, Text};
use crate::limits;
use crate::location::Location;
use crate::wrong::at;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Head<'a> {
    #[serde(borrow, rename = "@context")]
    context: Option<&'a RawValue>,
    #[serde(borrow, rename = "type")]
    kind: Option<Text<'a>>,
    #[serde(borrow)]
    epcis_header: Option<&'a RawValue>,
    #[serde(borrow)]
    epcis_body: Option<Object<Body<'a>>>,
    event_time: Option<IgnoredAny>,
    /// Of an answer that is no document: a capture job, or a problem (RFC 9457).
    errors: Option<IgnoredAny>,
    title: Option<IgnoredAny>,
    status: Option<IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body<'a> {
    #[serde(borrow)]
    event_list: Option<&'a RawValue>,
    /// One event, as it is sent to a capture interface.
    #[serde(borrow)]
    event: Option<&'a RawValue>,
    #[serde(borrow)]
    query_results: Option<Object<QueryResults<'a>>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct QueryResults<'a> {
    #[serde(borrow)]
    results_body: Option<Object<ResultsBody<'a>>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ResultsBody<'a> {
    #[serde(borrow)]
    event_list: Option<&'a RawValue>,
}

const EVENT_LIST: &str = "/epcisBody/eventList";
const RESULTS: &str = "/epcisBody/queryResults/resultsBody/eventList";

/// Hands every event of the document to `sink`.
pub(super) fn events(text: &str, sink: &mut dyn Sink) -> Result<(), Reject> {
    if json::first(text) == Some(b'[') {
        return list(text, "", &[], sink);
    }
    let head: Head<'_> = json::object(text)?;
    let context = match head.context {
        Some(context) => prefixes(context)?,
        None => Prefixes::default(),
    };
    let Some(Object(body)) = &head.epcis_body else {
        if head.errors.is_some() || head.title.is_some() && head.status.is_some() {
            return Err(Reject::new(Code::CarrierError, "an error of the interface, no events"));
        }
        let typed = head.kind.is_some_and(|Text(kind)| kind.ends_with("Event"));
        if !typed && head.event_time.is_none() {
            return Err(Reject::new(Code::WrongStructure, "no EPCIS document and no event"));
        }
        // The event's own context is read with it.
        sink.take(Location::WHOLE, event(text, &[]));
        return Ok(());
    };
    if let Some(header) = head.epcis_header {
        sink.places(Places::of_json(header.get()));
    }
    let results = body.query_results.as_ref().and_then(|results| results.0.results_body.as_ref());
    match (body.event_list, body.event, results.and_then(|body| body.0.event_list)) {
        (Some(events), ..) => list(events.get(), EVENT_LIST, &context, sink),
        (_, Some(one), _) => {
            sink.take(Location::WHOLE, event(one.get(), &context));
            Ok(())
        }
        (.., Some(events)) => list(events.get(), RESULTS, &context, sink),
        _ => Err(Reject::new(Code::WrongStructure, "/epcisBody: no list of events in it")),
    }
}

fn list<'a>(
    text: &'a str,
    pointer: &'static str,
    context: &'a [Prefix<'a>],
    sink: &mut dyn Sink,
) -> Result<(), Reject> {
    let mut index = 0;
    let mut full = false;
    let found = json::elements(text, &mut |element| {
        full = !sink.take(Location::WHOLE.element(pointer, index), event(element, context));
        index += 1;
        !full
    });
    let whole = |code, what: &str| {
        let between = if pointer.is_empty() { "" } else { ": " };
        Err(Reject::new(code, [pointer, between, what].concat()))
    };
    match found {
        Ok(_) if index == 0 => whole(Code::WrongStructure, "no event in it"),
        Ok(_) => Ok(()),
        Err(error) if !error.is_data() => Err(json::no_json(&error)),
        Err(_) if full => whole(Code::TooLarge, "more events than a message may have"),
        Err(_) => whole(Code::WrongStructure, "expected an array of events"),
    }
}

fn event<'a>(text: &'a str, outer: &'a [Prefix<'a>]) -> Result<Event<'a>, Reject> {
    if json::first(text) != Some(b'{') {
        return Err(Reject::new(Code::WrongStructure, "expected an event, an object"));
    }
    let members = match serde_json::from_str(text) {
        Ok(Json::Object(members)) => members,
        Ok(_) => return Err(Reject::new(Code::WrongStructure, "expected an event, an object")),
        // The one thing that `Json` refuses.
        Err(error) if error.is_data() => {
            let detail = format!("a list of more than {} elements", limits::LIST);
            return Err(Reject::new(Code::TooLarge, detail));
        }
        Err(error) => return Err(json::no_json(&error)),
    };
    let mut event = Event { outer, ..Event::default() };
    let mut typed = false;
    event.root.children.reserve(members.len());
    for (name, value) in members {
        match (&*name, value) {
            ("@context", value) => collect(value, &mut event.own)?,
            ("type" | "isA" | "@type", Json::Text(kind)) if !typed => {
                typed = true;
                event.root.name = kind;
            }
            (_, value) => member(name, value, &mut event.root.children),
        }
    }
    if !typed {
        return Err(at("/type").missing());
    }
    Ok(event)
}

/// Adds a member of an object as the elements that XML has for it.
fn member<'a>(name: Cow<'a, str>, value: Json<'a>, to: &mut Vec<Node<'a>>) {
    // A list under this name is an element with elements of that name.
    let element = match &*name {
        "epcList" | "childEPCs" | "inputEPCList" | "outputEPCList" => "epc",
        "quantityList" | "childQuantityList" | "inputQuantityList" | "outputQuantityList" => {
            "quantityElement"
        }
        "bizTransactionList" => "bizTransaction",
        "sourceList" => "source",
        "destinationList" => "destination",
        "sensorElementList" => "sensorElement",
        "correctiveEventIDs" => "correctiveEventID",
        _ => "",
    };
    match value {
        Json::Null => {}
        Json::List(values) if !element.is_empty() => {
            let mut list = Node::new(name);
            list.children.reserve(values.len());
            for value in values {
                let mut node = node(Cow::Borrowed(element), value);
                // `{"type": "po", "bizTransaction": "…"}` is an element with text and attribute.
                if let Some(own) = node.children.iter().position(|child| child.is(element)) {
                    node.text = node.children.remove(own).text;
                }
                list.children.push(node);
            }
            to.push(list);
        }
        Json::List(values) => {
            for value in values {
                to.push(node(name.clone(), value));
            }
        }
        // Some write the location alone.
        Json::Text(id) if matches!(&*name, "readPoint" | "bizLocation") => {
            let children = vec![Node::leaf("id", id)];
            to.push(Node { children, ..Node::new(name) });
        }
        value => to.push(node(name, value)),
    }
}

fn node<'a>(name: Cow<'a, str>, value: Json<'a>) -> Node<'a> {
    match value {
        Json::Null => Node::new(name),
        Json::Text(text) => Node::leaf(name, text),
        // A list in a list has no counterpart in XML: it is an element with elements of its name.
        Json::List(values) => {
            let children = values.into_iter().map(|value| node(name.clone(), value)).collect();
            Node { name, children, ..Node::default() }
        }
        Json::Object(members) => {
            let mut children = Vec::with_capacity(members.len());
            for (name, value) in members {
                if !name.starts_with('@') {
                    member(name, value, &mut children);
                }
            }
            Node { name, children, ..Node::default() }
        }
    }
}

/// A part of the document that is no event.
pub(super) fn node_of<'a>(name: &'static str, text: &'a str) -> Option<Node<'a>> {
    Some(node(Cow::Borrowed(name), serde_json::from_str(text).ok()?))
}

fn prefixes(raw: &RawValue) -> Result<Prefixes<'_>, Reject> {
    let mut prefixes = Prefixes::default();
    if let Ok(value) = serde_json::from_str(raw.get()) {
        collect(value, &mut prefixes)?;
    }
    Ok(prefixes)
}

/// Prefixes and what they stand for; a context that is named by its address is EPCIS' own.
fn collect<'a>(value: Json<'a>, to: &mut Prefixes<'a>) -> Result<(), Reject> {
    match value {
        Json::List(values) => values.into_iter().try_for_each(|value| collect(value, to)),
        Json::Object(members) => {
            for (prefix, value) in members {
                match value {
                    Json::Text(uri) => to.push((prefix, uri)),
                    // An expanded term definition.
                    Json::Object(definition) => {
                        let id = definition.into_iter().find(|(key, _)| key == "@id");
                        if let Some((_, Json::Text(uri))) = id {
                            to.push((prefix, uri));
                        }
                    }
                    _ => {}
                }
                // Every extension's name looks through them.
                if to.len() > limits::LIST {
                    return Err(at("/@context").too_many(limits::LIST));
                }
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

/// A value with borrowed texts, members in their order. Numbers and truth values are texts, as they
/// are in XML.
pub(super) enum Json<'a> {
    Null,
    Text(Cow<'a, str>),
    List(Vec<Json<'a>>),
    Object(Vec<(Cow<'a, str>, Json<'a>)>),
}

impl<'de: 'a, 'a> Deserialize<'de> for Json<'a> {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        json.deserialize_any(AnyValue)
    }
}

struct AnyValue;

impl<'de> Visitor<'de> for AnyValue {
    type Value = Json<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, v: bool) -> Result<Self::Value, E> {
        Ok(Json::Text(Cow::Borrowed(if v { "true" } else { "false" })))
    }

    fn visit_i64<E>(self, v: i64) -> Result<Self::Value, E> {
        Ok(Json::Text(Cow::Owned(v.to_string())))
    }

    fn visit_u64<E>(self, v: u64) -> Result<Self::Value, E> {
        Ok(Json::Text(Cow::Owned(v.to_string())))
    }

    fn visit_f64<E>(self, v: f64) -> Result<Self::Value, E> {
        Ok(Json::Text(Cow::Owned(json::number(v))))
    }

    fn visit_borrowed_str<E>(self, v: &'de str) -> Result<Self::Value, E> {
        Ok(Json::Text(Cow::Borrowed(v)))
    }

    fn visit_str<E>(self, v: &str) -> Result<Self::Value, E> {
        Ok(Json::Text(Cow::Owned(v.to_owned())))
    }

    fn visit_seq<S: SeqAccess<'de>>(self, mut elements: S) -> Result<Self::Value, S::Error> {
        let mut values = Vec::new();
        while let Some(value) = elements.next_element()? {
            if values.len() == limits::LIST {
                return Err(S::Error::custom("too many"));
            }
            values.push(value);
        }
        Ok(Json::List(values))
    }

    fn visit_map<M: MapAccess<'de>>(self, mut entries: M) -> Result<Self::Value, M::Error> {
        let mut members = Vec::new();
        while let Some(Text(key)) = entries.next_key()? {
            members.push((key, entries.next_value()?));
        }
        Ok(Json::Object(members))
    }
}
