//! The event hash id (CBV 2.0 section 8.9): an id that follows from what an event says, the same in
//! XML and JSON-LD.
//!
//! The pre-hash string is every property with its name, in a fixed order, values in one form, lists
//! sorted; the id is its SHA-256. `eventID`, `recordTime`, `errorDeclaration` and comments do not
//! count, so that an event that declares another to be wrong has the same id as that one.
//!
//! Where the standard's text leaves a choice this does what its reference implementation does, whose
//! examples the tests compare with: the lists of business transactions, destinations and sources
//! come after all else of the standard and before users' extensions, sorted by their names.

use std::fmt::Write as _;
use std::ops::Range;

use sha2::{Digest, Sha256};
use waybill_stage::Reject;

use super::codes::{self, Words};
use super::gs1::Key;
use super::node::{Event, Node};
use super::{Sink, read_by_syntax};
use crate::location::Location;
use crate::text;
use crate::time;

/// What the id of one event is made of, and the id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HashId {
    pub pre_hash: String,
    /// `ni:///sha-256;<64 hexadecimal digits>?ver=CBV2.0` (RFC 6920).
    pub id: String,
}

/// The ids of all events of a document, XML or JSON-LD.
pub fn ids(payload: &[u8]) -> Result<Vec<HashId>, Reject> {
    struct Ids {
        found: Vec<HashId>,
        wrong: Option<Reject>,
    }

    impl Sink for Ids {
        fn take(&mut self, _: Location, event: Result<Event<'_>, Reject>) -> bool {
            match event {
                Ok(event) => {
                    let pre_hash = pre_hash(&event);
                    self.found.push(HashId { id: digest(&pre_hash), pre_hash });
                }
                Err(wrong) => self.wrong = Some(wrong),
            }
            self.wrong.is_none()
        }
    }

    let mut ids = Ids { found: Vec::new(), wrong: None };
    let read = read_by_syntax(&text::decoded(payload)?, &mut ids);
    match ids.wrong {
        Some(wrong) => Err(wrong),
        None => read.map(|()| ids.found),
    }
}

pub(super) fn of(event: &Event<'_>) -> String {
    digest(&pre_hash(event))
}

fn digest(pre_hash: &str) -> String {
    let mut id = String::with_capacity(96);
    id.push_str("ni:///sha-256;");
    for byte in Sha256::digest(pre_hash.as_bytes()) {
        for half in [byte >> 4, byte & 15] {
            id.push(char::from(half + if half < 10 { b'0' } else { b'a' - 10 }));
        }
    }
    id.push_str("?ver=CBV2.0");
    id
}

/// A property of the standard, and those within it, in the order of the pre-hash string.
struct Property {
    name: &'static str,
    form: Form,
    within: &'static [Property],
}

#[derive(Clone, Copy)]
enum Form {
    Plain,
    /// In UTC, to the ms.
    Time,
    /// In JSON-LD a bare word stands for the term of that vocabulary.
    Word(&'static Words),
}

const fn plain(name: &'static str) -> Property {
    Property { name, form: Form::Plain, within: &[] }
}

const fn time_of(name: &'static str) -> Property {
    Property { name, form: Form::Time, within: &[] }
}

const fn word(name: &'static str, words: &'static Words) -> Property {
    Property { name, form: Form::Word(words), within: &[] }
}

const fn of_parts(name: &'static str, within: &'static [Property]) -> Property {
    Property { name, form: Form::Plain, within }
}

const EPC: &[Property] = &[plain("epc")];
const QUANTITY: &[Property] =
    &[of_parts("quantityElement", &[plain("epcClass"), plain("quantity"), plain("uom")])];
const LOCATION: &[Property] = &[plain("id")];

const EVENT: &[Property] = &[
    time_of("eventTime"),
    plain("eventTimeZoneOffset"),
    plain("certificationInfo"),
    plain("parentID"),
    of_parts("epcList", EPC),
    of_parts("inputEPCList", EPC),
    of_parts("childEPCs", EPC),
    of_parts("quantityList", QUANTITY),
    of_parts("childQuantityList", QUANTITY),
    of_parts("inputQuantityList", QUANTITY),
    of_parts("outputEPCList", EPC),
    of_parts("outputQuantityList", QUANTITY),
    plain("action"),
    plain("transformationID"),
    word("bizStep", &codes::BIZ_STEP_WORDS),
    word("disposition", &codes::DISPOSITION_WORDS),
    of_parts("persistentDisposition", PERSISTENT_DISPOSITION),
    of_parts("readPoint", LOCATION),
    of_parts("bizLocation", LOCATION),
    of_parts("sensorElementList", &[of_parts("sensorElement", SENSOR_ELEMENT)]),
];

const PERSISTENT_DISPOSITION: &[Property] =
    &[word("set", &codes::DISPOSITION_WORDS), word("unset", &codes::DISPOSITION_WORDS)];

const SENSOR_ELEMENT: &[Property] =
    &[of_parts("sensorMetadata", SENSOR_METADATA), of_parts("sensorReport", SENSOR_REPORT)];

const SENSOR_METADATA: &[Property] = &[
    time_of("time"),
    time_of("startTime"),
    time_of("endTime"),
    plain("deviceID"),
    plain("deviceMetadata"),
    plain("rawData"),
    plain("dataProcessingMethod"),
    plain("bizRules"),
];

const SENSOR_REPORT: &[Property] = &[
    word("type", &codes::MEASUREMENT_WORDS),
    word("exception", &codes::SENSOR_ALERT_WORDS),
    plain("deviceID"),
    plain("deviceMetadata"),
    plain("rawData"),
    plain("dataProcessingMethod"),
    time_of("time"),
    plain("microorganism"),
    plain("chemicalSubstance"),
    plain("value"),
    word("component", &codes::COMPONENT_WORDS),
    plain("stringValue"),
    plain("booleanValue"),
    plain("hexBinaryValue"),
    plain("uriValue"),
    plain("minValue"),
    plain("maxValue"),
    plain("meanValue"),
    plain("sDev"),
    plain("percRank"),
    plain("percValue"),
    plain("uom"),
    plain("coordinateReferenceSystem"),
];

/// Lists of a type and an id.
const TYPED: &[(&str, &str, &Words)] = &[
    ("bizTransactionList", "bizTransaction", &codes::BIZ_TRANSACTION_WORDS),
    ("destinationList", "destination", &codes::SOURCE_DESTINATION_WORDS),
    ("sourceList", "source", &codes::SOURCE_DESTINATION_WORDS),
];

fn pre_hash(event: &Event<'_>) -> String {
    let mut text = String::with_capacity(1024);
    text.push_str("eventType=");
    text.push_str(&event.root.name);
    in_order(event, &event.root, EVENT, &mut text);
    text
}

/// The children in the order of `properties`, and after them all others; those of one rank sorted.
fn in_order(event: &Event<'_>, node: &Node<'_>, properties: &[Property], to: &mut String) {
    let rank = |child: &Node<'_>| properties.iter().position(|p| child.is(p.name));
    let mut ranked = Vec::with_capacity(node.children.len());
    let counted = node.children.iter().filter(|child| counts(child));
    ranked.extend(counted.map(|child| (rank(child).unwrap_or(usize::MAX), child)));
    ranked.sort_by_key(|(rank, _)| *rank);
    for same in ranked.chunk_by(|a, b| a.0 == b.0) {
        sorted(same, to, |(rank, child), to| match properties.get(*rank) {
            Some(property) => one(event, child, property, to),
            None => match TYPED.iter().find(|(list, ..)| child.is(list)) {
                Some((list, element, words)) => typed_list(event, child, list, element, words, to),
                None => extension(event, child, to),
            },
        });
    }
}

/// Writes each element; where there is more than one, in the order of what is written.
fn sorted<T>(elements: &[T], to: &mut String, write: impl Fn(&T, &mut String)) {
    if let [only] = elements {
        return write(only, to);
    }
    let from = to.len();
    let mut texts = Vec::with_capacity(elements.len());
    for element in elements {
        let from = to.len();
        write(element, to);
        texts.push(from..to.len());
    }
    let text = |at: &Range<usize>| to.get(at.clone()).unwrap_or_default();
    if !texts.is_sorted_by_key(text) {
        texts.sort_unstable_by_key(text);
        let sorted: String = texts.iter().map(text).collect();
        to.truncate(from);
        to.push_str(&sorted);
    }
}

/// What says nothing of what happened.
fn counts(node: &Node<'_>) -> bool {
    !matches!(
        &*node.name,
        "eventID" | "recordTime" | "errorDeclaration" | "comment" | "rdfs:comment"
    ) && !node.name.starts_with('@')
}

/// `name=value`, and what is within it; nothing if there is neither.
fn one(event: &Event<'_>, node: &Node<'_>, property: &Property, to: &mut String) {
    let before = to.len();
    to.push_str(property.name);
    let named = to.len();
    if let Some(value) = node.trimmed() {
        to.push('=');
        match property.form {
            Form::Plain => canonical(value, to),
            Form::Time => utc(value, to),
            Form::Word(words) => canonical_word(value, words, to),
        }
    }
    in_order(event, node, property.within, to);
    if to.len() == named {
        to.truncate(before);
    }
}

fn typed_list(
    event: &Event<'_>,
    node: &Node<'_>,
    list: &str,
    element: &str,
    words: &Words,
    to: &mut String,
) {
    let before = to.len();
    to.push_str(list);
    let named = to.len();
    sorted(&node.children, to, |child, to| {
        if !child.is(element) {
            return extension(event, child, to);
        }
        if let Some(kind) = child.child("type").and_then(Node::trimmed) {
            to.push_str("type=");
            canonical_word(kind, words, to);
        }
        if let Some(value) = child.trimmed() {
            to.push_str(element);
            to.push('=');
            canonical(value, to);
        }
        let others: Vec<_> = child.children.iter().filter(|child| !child.is("type")).collect();
        sorted(&others, to, |child, to| extension(event, child, to));
    });
    if to.len() == named {
        to.truncate(before);
    }
}

/// A user's extension, or what the order does not know: the name even if it is empty.
fn extension(event: &Event<'_>, node: &Node<'_>, to: &mut String) {
    full_name(event, node, to);
    if let Some(value) = node.trimmed() {
        to.push('=');
        canonical(value, to);
    }
    let children: Vec<_> = node.children.iter().filter(|child| counts(child)).collect();
    sorted(&children, to, |child, to| extension(event, child, to));
}

/// Prefixes that EPCIS' own context has.
const PREFIXES: &[(&str, &str)] = &[
    ("cbvmda", "urn:epcglobal:cbv:mda"),
    ("cbv", codes::CBV),
    ("gs1", codes::GS1),
    ("epcis", "https://ref.gs1.org/epcis/"),
    ("rdfs", "http://www.w3.org/2000/01/rdf-schema#"),
    ("xsd", "http://www.w3.org/2001/XMLSchema#"),
];

/// `{https://ns.example.com/epcis/}myField`
fn full_name(event: &Event<'_>, node: &Node<'_>, to: &mut String) {
    let (namespace, local) = match (node.namespace, node.name.split_once(':')) {
        (Some(namespace), _) => (Some(namespace), &*node.name),
        (None, Some((prefix, local))) => {
            let standard = || PREFIXES.iter().find(|(own, _)| *own == prefix).map(|(_, uri)| *uri);
            (event.namespace(prefix).or_else(standard), local)
        }
        (None, None) => (None, ""),
    };
    match namespace {
        Some(namespace) => ["{", namespace, "}", local].iter().for_each(|part| to.push_str(part)),
        None => to.push_str(&node.name),
    }
}

/// Writes a value in its one form: vocabulary as web URI, numbers without needless zeros, GS1 keys as
/// canonical Digital Link.
fn canonical(value: &str, to: &mut String) {
    if let Some(web) = codes::as_web_uri(value) {
        web.iter().for_each(|part| to.push_str(part));
    } else if let Some(number) = number(value) {
        push_number(number, to);
    } else {
        match Key::read(value) {
            Some(key) => to.push_str(key.as_uri()),
            None => to.push_str(value),
        }
    }
}

fn canonical_word(value: &str, words: &Words, to: &mut String) {
    match words.web_uri_of_bare(value) {
        Some(web) => web.iter().for_each(|part| to.push_str(part)),
        None => canonical(value, to),
    }
}

/// Through a double, as the reference implementation does it.
fn number(text: &str) -> Option<f64> {
    let starts = text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | '.'));
    let number = starts.then(|| text.parse::<f64>().ok()).flatten()?;
    number.is_finite().then_some(number)
}

/// Whole numbers have no fraction.
fn push_number(number: f64, to: &mut String) {
    let whole = number.fract() == 0.0 && number.abs() < 1e38;
    #[allow(clippy::cast_possible_truncation)] // within the range of i128
    let _ = match whole {
        true => write!(to, "{}", number as i128),
        false => write!(to, "{number}"),
    };
}

/// Writes UTC to the ms, half a ms rounded up; what is no time as it is.
fn utc(text: &str, to: &mut String) {
    let ms = |text: &str| {
        let ms = time::rfc3339(text)?.utc_or_wall_ms();
        let fraction = text.split_once('.').map_or("", |(_, fraction)| fraction);
        let up = matches!(fraction.as_bytes().get(3), Some(b'5'..=b'9'));
        jiff::Timestamp::from_millisecond(ms + i64::from(up)).ok()
    };
    match ms(text) {
        Some(utc) => _ = write!(to, "{utc:.3}"),
        None => to.push_str(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values() {
        let check = |value: &str, expect: &str| {
            let mut text = String::new();
            canonical(value, &mut text);
            assert_eq!(text, expect, "{value}");
        };
        check("26.0", "26");
        check("+026.10", "26.1");
        check("0.00001", "0.00001");
        check("-0.0", "0");
        check("1e3", "1000");
        check("-06:00", "-06:00");
        check("A93", "A93");
        check("nan", "nan");
        check("urn:epcglobal:cbv:bizstep:departing", "https://ref.gs1.org/cbv/BizStep-departing");
        check("urn:epcglobal:cbv:btt:po", "https://ref.gs1.org/cbv/BTT-po");
        check("gs1:Temperature", "https://gs1.org/voc/Temperature");
        check("urn:epc:id:giai:4000001.111", "https://id.gs1.org/8004/4000001111");
        check("urn:epcglobal:cbv:bt:4012345000009:1", "urn:epcglobal:cbv:bt:4012345000009:1");
        let bare = |value, words: &Words, expect: &str| {
            let mut text = String::new();
            canonical_word(value, words, &mut text);
            assert_eq!(text, expect, "{value}");
        };
        bare("departing", &codes::BIZ_STEP_WORDS, "https://ref.gs1.org/cbv/BizStep-departing");
        bare("dreaming", &codes::BIZ_STEP_WORDS, "dreaming");
        bare("location", &codes::SOURCE_DESTINATION_WORDS, "https://ref.gs1.org/cbv/SDT-location");
    }

    #[test]
    fn times() {
        let check = |text: &str, expect: &str| {
            let mut written = String::new();
            utc(text, &mut written);
            assert_eq!(written, expect, "{text}");
        };
        check("2020-03-04T11:00:30+01:00", "2020-03-04T10:00:30.000Z");
        check("2023-02-02T11:04:03.1415Z", "2023-02-02T11:04:03.142Z");
        check("2023-02-02T11:04:03.1414Z", "2023-02-02T11:04:03.141Z");
        check("2023-12-31T23:59:59.9995Z", "2024-01-01T00:00:00.000Z");
        check("2023-02-02T11:04:03.1Z", "2023-02-02T11:04:03.100Z");
        check("yesterday", "yesterday");
    }
}
