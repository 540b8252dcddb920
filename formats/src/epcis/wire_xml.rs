//! EPCIS 1.2 and 2.0 XML (section 9) into events.
//!
//! The elements are found by their local names: documents in use have EPCIS' namespace as default,
//! with a prefix, or not at all. 1.x puts what came later into `extension` and `baseExtension`;
//! these are as if they were not there.

use std::borrow::Cow;

use memchr::memchr_iter;
use waybill_stage::{Code, Reject};

use super::node::{Event, Node};
use super::{Sink, places::Places};
use crate::location::Location;
use crate::xml;

type Element<'a, 'i> = roxmltree::Node<'a, 'i>;

/// Hands every event of the document to `sink`.
pub(super) fn events(text: &str, sink: &mut dyn Sink) -> Result<(), Reject> {
    xml::read(text, |root| document(root, sink))
}

fn document(root: Element<'_, '_>, sink: &mut dyn Sink) -> Result<(), Reject> {
    let wrong = |what: &'static str| Err(Reject::new(Code::WrongStructure, what));
    let error = || Err(Reject::new(Code::CarrierError, "an error of the interface, no events"));
    let body = match root.tag_name().name() {
        "EPCISDocument" | "EPCISQueryDocument" => xml::child(root, "EPCISBody"),
        // SOAP binding of the query interface.
        "Envelope" => xml::child(root, "Body"),
        "EPCISCaptureJob" => {
            return match xml::child(root, "errors") {
                Some(_) => error(),
                None => wrong("a capture job: no event in it"),
            };
        }
        "problem" => return error(),
        name if name.ends_with("Exception") => return error(),
        name if name.ends_with("Event") => {
            sink.take(Location::WHOLE, Ok(event(root)));
            return Ok(());
        }
        _ => return wrong("no EPCIS document"),
    };
    let Some(body) = body else { return wrong("EPCISDocument: no EPCISBody in it") };
    if let Some(header) = xml::child(root, "EPCISHeader") {
        sink.places(Places::of_xml(&node(header)));
    }
    let is_error = |n: Element<'_, '_>| {
        n.tag_name().name() == "Fault" || n.tag_name().name().ends_with("Exception")
    };
    if body.children().any(is_error) {
        return error();
    }
    let list = ["EventList", "QueryResults/resultsBody/EventList"];
    let Some(list) = list.iter().find_map(|path| xml::at(body, path)) else {
        return wrong("EPCISBody: no EventList in it");
    };
    let mut lines = Lines { text: root.document().input_text(), offset: 0, line: 1 };
    match each(list, &mut lines, sink) {
        Some(0) => wrong("EventList: no event in it"),
        Some(_) => Ok(()),
        None => Err(Reject::new(Code::TooLarge, "EventList: more events than a message may have")),
    }
}

/// The number of events, or `None` if there are more than the sink takes.
fn each(list: Element<'_, '_>, lines: &mut Lines<'_>, sink: &mut dyn Sink) -> Option<usize> {
    let mut events = 0;
    for child in list.children().filter(Element::is_element) {
        if is_extension_point(child) {
            events += each(child, lines, sink)?;
            continue;
        }
        let at = Location::Line(lines.at(child.range().start));
        if !sink.take(at, Ok(event(child))) {
            return None;
        }
        events += 1;
    }
    Some(events)
}

/// Lines of offsets that come one after another, so that the text is gone through once.
struct Lines<'a> {
    text: &'a str,
    offset: usize,
    line: usize,
}

impl Lines<'_> {
    fn at(&mut self, offset: usize) -> usize {
        let between = self.text.as_bytes().get(self.offset..offset).unwrap_or_default();
        self.line += memchr_iter(b'\n', between).count();
        self.offset = self.offset.max(offset);
        self.line
    }
}

fn event<'a>(element: Element<'a, '_>) -> Event<'a> {
    Event { root: node(element), ..Event::default() }
}

/// Depth is limited by [`xml::read`].
fn node<'a>(element: Element<'a, '_>) -> Node<'a> {
    let elements = element.children().filter(Element::is_element).count();
    let mut children = Vec::with_capacity(element.attributes().len() + elements);
    for attribute in element.attributes() {
        // What `xsi` says is of XML Schema, not of the event.
        if attribute.namespace() != Some(XSI) {
            children.push(Node {
                name: Cow::Borrowed(attribute.name()),
                namespace: own_namespace(attribute.namespace()),
                text: Cow::Borrowed(attribute.value()),
                children: Vec::new(),
            });
        }
    }
    gather(element, &mut children);
    Node {
        name: Cow::Borrowed(element.tag_name().name()),
        namespace: own_namespace(element.tag_name().namespace()),
        text: Cow::Borrowed(element.text().unwrap_or_default()),
        children,
    }
}

fn gather<'a>(element: Element<'a, '_>, to: &mut Vec<Node<'a>>) {
    for child in element.children().filter(Element::is_element) {
        if is_extension_point(child) {
            gather(child, to);
        } else {
            to.push(node(child));
        }
    }
}

const XSI: &str = "http://www.w3.org/2001/XMLSchema-instance";

fn own_namespace(namespace: Option<&str>) -> Option<&str> {
    namespace.filter(|uri| !uri.starts_with("urn:epcglobal:epcis"))
}

fn is_extension_point(element: Element<'_, '_>) -> bool {
    matches!(element.tag_name().name(), "extension" | "baseExtension")
        && own_namespace(element.tag_name().namespace()).is_none()
}
