//! GS1 EPCIS: what happened to things that have a GS1 key, as JSON-LD (2.0) and as XML (1.2, 2.0).
//!
//! | syntax | body |
//! |---|---|
//! | JSON-LD | `EPCISDocument`, `EPCISQueryDocument`, one event, an array of events |
//! | XML | `EPCISDocument`, `EPCISQueryDocument`, the same within SOAP, one event |
//!
//! Both are read into one tree (`node.rs`), and that into a draft (`event.rs`). The milestone is
//! the business step's; without one the disposition's, and without that the type's and action's
//! ([`codes`]). Dispositions such as `damaged` are exceptions. Every event is actual: EPCIS tells
//! what was. User extensions and master data other than locations are left out.
//!
//! **Shipment.** An event is known by its document, which is the first of:
//! 1. the parent's SSCC, else the first SSCC among the EPCs: `sscc` and its 18 digits;
//! 2. the parent, else the first EPC (of a transformation: the first that was made): `epc` and the
//!    key as path of its Digital Link, `01/04012345111118/21/9876`, so that URN and link are one;
//!    what is no GS1 key is as sent;
//! 3. the first class of a quantity: `epc_class`, likewise.
//!
//! An event of several logistic units is therefore one draft, and a timeline of the first of them;
//! the others are references. One without any of these (a sensor of a place) is of no shipment.
//!
//! **Time.** `eventTime` is the instant, `eventTimeZoneOffset` the offset, and both are required.
//!
//! **Ids.** Without `eventID` the raw id is the event hash id ([`hash`]). An event with an error
//! declaration withdraws the event of its own id, and has therefore no raw id itself; who corrects
//! it stands in the remark.

pub mod codes;
mod event;
pub mod gs1;
pub mod hash;
mod node;
mod places;
mod readings;
pub mod units;
mod wire_json;
mod wire_xml;

use waybill_stage::Reject;

use self::node::Event;
use self::places::Places;
use crate::location::Location;
use crate::{Parts, json};

pub const MEDIA_TYPE_JSON: &str = "application/vnd.gs1.epcis+json";
pub const MEDIA_TYPE_XML: &str = "application/vnd.gs1.epcis+xml";

/// Reads a JSON-LD body.
pub fn read_json(text: &str, parts: &mut Parts) -> Result<(), Reject> {
    let text = json::bounded(text)?;
    Drafts::read(parts, |drafts| wire_json::events(text, drafts))
}

/// Reads an XML body.
pub fn read_xml(text: &str, parts: &mut Parts) -> Result<(), Reject> {
    Drafts::read(parts, |drafts| wire_xml::events(text, drafts))
}

/// Who takes the events of a document.
trait Sink {
    /// `false` if there may be no more.
    fn take(&mut self, at: Location, event: Result<Event<'_>, Reject>) -> bool;

    /// Master data of the document, before its events.
    fn places(&mut self, _: Places) {}
}

/// XML begins with `<`, and JSON never does.
fn read_by_syntax(text: &str, sink: &mut dyn Sink) -> Result<(), Reject> {
    match json::first(text) {
        Some(b'<') => wire_xml::events(text, sink),
        _ => wire_json::events(json::bounded(text)?, sink),
    }
}

struct Drafts<'p> {
    parts: &'p mut Parts,
    places: Places,
    /// Of a message that is one event: what is wrong with all of it.
    whole: Option<Reject>,
}

impl Drafts<'_> {
    fn read(
        parts: &mut Parts,
        events: impl FnOnce(&mut dyn Sink) -> Result<(), Reject>,
    ) -> Result<(), Reject> {
        parts.clear();
        let mut drafts = Drafts { parts, places: Places::default(), whole: None };
        let read = events(&mut drafts);
        if let Err(whole) = drafts.whole.map_or(read, Err) {
            parts.clear();
            return Err(whole);
        }
        // An id twice is odd, whatever else the events say.
        parts.mark_repeats();
        Ok(())
    }
}

impl Sink for Drafts<'_> {
    fn take(&mut self, at: Location, event: Result<Event<'_>, Reject>) -> bool {
        if self.parts.are_full() {
            return false;
        }
        let part = event.and_then(|event| event::draft(&event, &self.places));
        match at {
            Location::WHOLE => self.whole = self.parts.only(part).err(),
            at => self.parts.push_at(at, part),
        }
        true
    }

    fn places(&mut self, places: Places) {
        self.places = places;
    }
}

pub(crate) fn looks_like_json(text: &str) -> bool {
    json::first(text) != Some(b'<') && text.contains("\"eventTimeZoneOffset\"")
}

pub(crate) fn looks_like_xml(text: &str) -> bool {
    json::first(text) == Some(b'<')
        && (text.contains("EPCISDocument") || text.contains("EPCISQueryDocument"))
}
