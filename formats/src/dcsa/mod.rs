//! DCSA Track & Trace: shipment, transport and equipment events of 2.x, and these with IoT and
//! reefer events of 3.x.
//!
//! | version | event |
//! |---|---|
//! | 2.x | `eventType` beside its own fields |
//! | 3.x | `eventClassification` and `…Details` |
//!
//! - An event's fields tell its version; what the media type says is a hint, and a note where it is
//!   contradicted. Around the events may stand anything: a list, `{"events": […]}` of either version, the
//!   groups `shipmentEvent`, `transportEvent` and `equipmentEvent` with what is common to them beside.
//! - An event needs a moment, a code, and a unit or document. Whatever else the standard requires
//!   (`TNT_v2.2.0-resolved.yaml`, the event domain 2.0.2 that 2.3 refers to, `TNT_v3.0.0.yaml`), and
//!   carriers leave out or write otherwise, is a note.
//! - Names of fields and codes are read in any case, numbers as texts and texts as numbers.

pub mod codes;
mod fields;
mod names;
mod v2;
mod v3;

use std::cell::RefCell;

use waybill_stage::{Code, Reject};

use self::fields::Fields;
use crate::tree::{self, Out, Tree};
use crate::{Draft, Note, Parts};

pub const MEDIA_TYPE: &str = "application/vnd.dcsa.tnt+json";

/// Which version the media type says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stated {
    Nothing,
    Two,
    Three,
}

/// Reads a body whose version is not stated.
pub fn read_any(text: &str, parts: &mut Parts) -> Result<(), Reject> {
    read(text, parts, |root, out| body(root, out, Stated::Nothing))
}

/// Reads a body whose version is said to be 2.x.
pub fn read_2(text: &str, parts: &mut Parts) -> Result<(), Reject> {
    read(text, parts, |root, out| body(root, out, Stated::Two))
}

/// Reads a body whose version is said to be 3.x.
pub fn read_3(text: &str, parts: &mut Parts) -> Result<(), Reject> {
    read(text, parts, |root, out| body(root, out, Stated::Three))
}

fn read(text: &str, parts: &mut Parts, read: impl tree::Read) -> Result<(), Reject> {
    tree::json(text, parts, read)?;
    // Updates of one another share an id; within one message that is odd.
    parts.mark_repeats();
    Ok(())
}

/// What holds events, from the outside in.
const WRAPPERS: [&str; 24] = [
    "events",
    "event",
    "shipmentEvent",
    "shipmentEvents",
    "transportEvent",
    "transportEvents",
    "equipmentEvent",
    "equipmentEvents",
    "iotEvents",
    "reeferEvents",
    "trackingEvents",
    "trackAndTraceEvents",
    "eventList",
    "data",
    "content",
    "body",
    "payload",
    "result",
    "results",
    "resultData",
    "response",
    "items",
    "records",
    "message",
];

/// Wrappers within wrappers.
const DEPTH: usize = 4;

fn body(root: Tree<'_>, out: &mut Out<'_>, stated: Stated) -> Result<(), Reject> {
    if root.is_list() {
        for element in root.each("") {
            inner(element, None, out, stated, 0);
        }
        return Ok(());
    }
    if is_error(root) {
        return Err(root.carrier_error());
    }
    if !is_event(root) && !has_wrapper(root) {
        return Err(no_event());
    }
    inner(root, None, out, stated, 0);
    Ok(())
}

fn no_event() -> Reject {
    Reject::new(Code::WrongStructure, "no field of a DCSA event in it")
}

/// Reads an event, or what is wrapped in something.
fn inner<'t>(
    tree: Tree<'t>,
    around: Option<Tree<'t>>,
    out: &mut Out<'_>,
    stated: Stated,
    depth: usize,
) {
    if is_event(tree) {
        return out.push(tree, event(tree, around, stated));
    }
    if tree.is_list() && depth < DEPTH && tree.each("").next().is_some() {
        return tree.each("").for_each(|element| inner(element, around, out, stated, depth + 1));
    }
    if !tree.is_object() {
        let detail = "expected an event, an object";
        return out.push(tree, Err(Reject::new(Code::WrongStructure, detail)));
    }
    if depth == DEPTH || !has_wrapper(tree) {
        let reject = if is_error(tree) { tree.carrier_error() } else { no_event() };
        return out.push(tree, Err(reject));
    }
    for wrapper in WRAPPERS {
        for element in tree.each(wrapper) {
            inner(element, Some(tree), out, stated, depth + 1);
        }
    }
}

fn is_event(tree: Tree<'_>) -> bool {
    v2::MARKS.iter().chain(v3::MARKS).any(|name| tree.has(name))
}

fn has_wrapper(tree: Tree<'_>) -> bool {
    WRAPPERS.iter().any(|name| tree.has(name))
}

/// DCSA's error answer, or one of a gateway before it.
fn is_error(tree: Tree<'_>) -> bool {
    let marks = ["errors", "error", "errorCode", "errorDateTime", "fault", "statusCodeText"];
    marks.iter().any(|name| tree.has(name)) && !has_wrapper(tree)
}

fn event(tree: Tree<'_>, around: Option<Tree<'_>>, stated: Stated) -> Result<Draft, Reject> {
    let notes = RefCell::new(Vec::new());
    let fields = Fields::new(tree, around, &notes);
    let is_3 = v3::MARKS.iter().any(|name| tree.has(name));
    match (stated, is_3) {
        (Stated::Two, true) => fields.contradicts_version("2"),
        (Stated::Three, false) => fields.contradicts_version("3"),
        _ => {}
    }
    let mut draft = if is_3 { v3::draft(&fields)? } else { v2::draft(&fields)? };
    fields.note_names();
    for Note { code, about } in notes.into_inner() {
        draft.note_about(code, about);
    }
    Ok(draft)
}

/// Whether a payload of an unknown media type is of DCSA: names that no other format has.
pub(crate) fn is_dcsa(text: &str) -> bool {
    let has = |names: &[&str]| names.iter().any(|name| contains_name(text, name));
    has(&["eventClassifierCode", "eventClassification"])
        || has(&["transportEventTypeCode", "equipmentEventTypeCode", "shipmentEventTypeCode"])
}

pub(crate) fn is_v3(text: &str) -> bool {
    contains_name(text, "eventClassification")
}

/// Whether the JSON has a member of that name, in any case.
fn contains_name(text: &str, name: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.windows(name.len() + 2).any(|window| match window {
        [b'"', inner @ .., b'"'] => inner.eq_ignore_ascii_case(name.as_bytes()),
        _ => false,
    })
}
