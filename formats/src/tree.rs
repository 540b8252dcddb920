//! JSON, XML and CSV as one tree of texts, for the many dialects whose messages nobody publishes a
//! schema of. Numbers and truth values are texts, `null` is absence, of members of one name the
//! first counts; what a dialect does not ask for is ignored.
//!
//! A path is names with `/` between: `location/address/city`, the first of each where there are
//! several. In XML names are local names, and `@name` at the end is an attribute. CSV is a list of rows,
//! and a path is the name of a column.

mod csv;
mod out;
mod value;

use std::fmt;

use roxmltree::Node;
use waybill_schemas::OccurrenceTime;
use waybill_stage::{Code, Reject};

pub(crate) use self::csv::{Columns, csv};
use self::csv::{Row, Rows};
pub(crate) use self::out::Out;
use self::value::{Value, member, names};
use crate::json;
use crate::location::Location;
use crate::time;
use crate::{Parts, limits, text, xml};

/// An element of the message, and where it stands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tree<'t> {
    node: Element<'t>,
    at: Location,
}

#[derive(Clone, Copy, Debug)]
enum Element<'t> {
    Json(&'t Value<'t>),
    Xml(Node<'t, 't>),
    Rows(&'t Rows),
    Row(Row<'t>),
}

/// What reads a document into parts.
pub(crate) trait Read: FnOnce(Tree<'_>, &mut Out<'_>) -> Result<(), Reject> {}

impl<R: FnOnce(Tree<'_>, &mut Out<'_>) -> Result<(), Reject>> Read for R {}

/// Reads a JSON document.
pub(crate) fn json(text: &str, parts: &mut Parts, read: impl Read) -> Result<(), Reject> {
    let value: Value<'_> =
        serde_json::from_str(json::bounded(text)?).map_err(|error| match error.is_data() {
            true => {
                let detail = format!("payload: an object of more than {} members", limits::LIST);
                Reject::new(Code::TooLarge, detail)
            }
            false => json::no_json(&error),
        })?;
    if !matches!(value, Value::List(_) | Value::Object(_)) {
        return Err(Reject::new(Code::WrongStructure, "expected an object or an array"));
    }
    into(Tree { node: Element::Json(&value), at: Location::WHOLE }, parts, read)
}

/// Reads an XML document, also one with blanks in front; `read` gets its root element. A SOAP envelope (1.1 and 1.2) is opened:
/// what stands in its body is the root, and a fault is the carrier's error.
pub(crate) fn xml(text: &str, parts: &mut Parts, read: impl Read) -> Result<(), Reject> {
    xml::read(text.trim_ascii_start(), |root| {
        let root = Tree { node: Element::Xml(root), at: Location::WHOLE };
        let Some(body) = root.is("Envelope").then(|| root.at("Body")).flatten() else {
            return into(root, parts, read);
        };
        match body.child_elements().next() {
            Some(fault) if fault.is("Fault") => Err(fault.carrier_error()),
            Some(inner) => into(inner, parts, read),
            None => Err(Reject::new(Code::WrongStructure, "Body: nothing in it")),
        }
    })
}

fn into(root: Tree<'_>, parts: &mut Parts, read: impl Read) -> Result<(), Reject> {
    let mut out = Out::new(parts);
    let whole = read(root, &mut out).and_then(|()| out.end());
    if whole.is_err() {
        parts.clear();
    }
    whole
}

impl<'t> Tree<'t> {
    /// Whether it is an XML element of that local name.
    pub(crate) fn is(self, name: &str) -> bool {
        matches!(self.node, Element::Xml(node) if node.tag_name().name().eq_ignore_ascii_case(name))
    }

    /// Whether it is a JSON array, or all rows of CSV.
    pub(crate) fn is_list(self) -> bool {
        matches!(self.node, Element::Json(Value::List(_)) | Element::Rows(_))
    }

    /// Whether it is a JSON object or an XML element.
    pub(crate) fn is_object(self) -> bool {
        !matches!(self.node, Element::Json(Value::List(_) | Value::Text(_) | Value::Absent))
    }

    /// Whether there is something at that path that is more than a text.
    pub(crate) fn holds_more(self, path: &str) -> bool {
        self.at(path).is_some_and(|tree| match tree.node {
            Element::Json(value) => matches!(value, Value::List(_) | Value::Object(_)),
            Element::Xml(node) => node.first_element_child().is_some(),
            Element::Rows(_) | Element::Row(_) => false,
        })
    }

    /// Shows the name of each member in it, of those in its members too, with the path before it; of a
    /// list's elements the path is the list's. `false` leaves out what is in the member.
    pub(crate) fn for_each_name(self, path: &mut String, show: &mut dyn FnMut(&str, &str) -> bool) {
        if let Element::Json(value) = self.node {
            names(value, path, show);
        }
    }

    fn child_elements(self) -> impl Iterator<Item = Tree<'t>> {
        let node = match self.node {
            Element::Xml(node) => Some(node),
            _ => None,
        };
        let children = node.into_iter().flat_map(|node| node.children());
        let at = self.at;
        children.filter(Node::is_element).map(move |n| Tree { node: Element::Xml(n), at })
    }

    /// The element at that path; `null` is none.
    pub(crate) fn at(self, path: &str) -> Option<Tree<'t>> {
        if path.is_empty() {
            return Some(self);
        }
        if let Element::Row(row) = self.node {
            return row.cell(path).is_some().then_some(self);
        }
        let mut node = self.node;
        let mut rest = path;
        loop {
            // Names are short: to begin a search for the slash costs more than to look at each byte.
            let end = rest.bytes().position(|byte| byte == b'/');
            let (name, behind) = match end {
                Some(end) => (rest.get(..end)?, rest.get(end + 1..)),
                None => (rest, None),
            };
            node = match node {
                Element::Xml(node) => Element::Xml(xml::child(node, name)?),
                Element::Json(value) => Element::Json(member(value, name)?),
                Element::Rows(_) | Element::Row(_) => return None,
            };
            match behind {
                Some(behind) => rest = behind,
                None => return Some(Tree { node, at: self.at }),
            }
        }
    }

    /// Whether there is anything at that path.
    pub(crate) fn has(self, path: &str) -> bool {
        self.at(path).is_some()
    }

    /// The elements at that path: of a list each, else the one that stands there.
    pub(crate) fn each(self, path: &'static str) -> Each<'t> {
        let (before, name) = path.rsplit_once('/').unwrap_or(("", path));
        let Some(parent) = self.at(before) else { return Each::none() };
        let at = self.at;
        let list = match parent.node {
            // By the name as it is written here.
            Element::Xml(node) => {
                let written = xml::child(node, name).map_or(name, |first| first.tag_name().name());
                List::Xml(node.first_element_child(), written)
            }
            Element::Json(value) => {
                match if name.is_empty() { Some(value) } else { member(value, name) } {
                    None => return Each::none(),
                    Some(Value::List(list)) => List::Json(list.iter()),
                    Some(value) => List::One(Some(value)),
                }
            }
            Element::Rows(rows) => List::Rows(rows, 0),
            Element::Row(_) => return Each::none(),
        };
        Each { list, at, name: path, next: 0 }
    }

    /// The text at that path, without blanks around it; an empty one is none.
    pub(crate) fn text(self, path: &str) -> Option<&'t str> {
        if let Element::Row(row) = self.node {
            return row.cell(path);
        }
        // JSON has no attributes, and may have names with an @.
        let attribute =
            matches!(self.node, Element::Xml(_)).then(|| path.rsplit_once('@')).flatten();
        let (path, attribute) = match attribute {
            Some((before, name)) => (before.trim_end_matches('/'), Some(name)),
            None => (path, None),
        };
        let text = match (self.at(path)?.node, attribute) {
            (Element::Xml(node), Some(name)) => node.attribute(name).or_else(|| {
                let mut all = node.attributes();
                all.find(|a| a.name().eq_ignore_ascii_case(name)).map(|a| a.value())
            })?,
            (Element::Xml(node), None) => node.text()?,
            (Element::Json(Value::Text(text)), None) => text,
            _ => return None,
        };
        Some(text.trim()).filter(|text| !text.is_empty())
    }

    /// The first text there is at one of those paths.
    pub(crate) fn first(self, paths: &[&str]) -> Option<&'t str> {
        paths.iter().find_map(|path| self.text(path))
    }

    /// The beginning of the text at that path, for names and remarks.
    pub(crate) fn clipped(self, path: &str, characters: usize) -> Option<String> {
        let text = self.text(path)?;
        if text.contains('\n') {
            // Broken for the eye, and indented.
            let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
            return text::clipped(&line, characters);
        }
        text::clipped(text, characters)
    }

    pub(crate) fn name(self, path: &str) -> Option<String> {
        self.clipped(path, limits::NAME)
    }

    /// The text at that path, which has to be there and to be short enough.
    pub(crate) fn required(self, path: &str, characters: usize) -> Result<&'t str, Reject> {
        let text = self.text(path).ok_or_else(|| self.missing(path))?;
        self.short(path, text, characters)
    }

    /// `text`, which stands at that path, if it is short enough and nothing but text.
    pub(crate) fn short(
        self,
        path: &str,
        text: &'t str,
        characters: usize,
    ) -> Result<&'t str, Reject> {
        if text.len() > characters && text.chars().count() > characters {
            let what = format_args!("more than {characters} characters");
            return Err(self.reject(path, Code::InvalidField, what));
        }
        if text.chars().any(char::is_control) {
            let what = format_args!("expected no control characters");
            return Err(self.reject(path, Code::InvalidField, what));
        }
        Ok(text)
    }

    /// The time at that path, which has to be there, as `read` reads it.
    pub(crate) fn time_by(
        self,
        path: &str,
        read: fn(&str) -> Option<OccurrenceTime>,
    ) -> Result<OccurrenceTime, Reject> {
        let text = self.text(path).ok_or_else(|| self.missing(path))?;
        read(text).ok_or_else(|| self.invalid_time(path))
    }

    /// A wall clock with the offset that stands at that path, if one does.
    pub(crate) fn offset(self, path: &str, wall: OccurrenceTime) -> Result<OccurrenceTime, Reject> {
        let Some(offset) = self.text(path) else { return Ok(wall) };
        time::at_offset(wall, offset).ok_or_else(|| {
            self.reject(path, Code::InvalidTime, format_args!("expected an offset from UTC"))
        })
    }

    pub(crate) fn missing(self, path: &str) -> Reject {
        self.reject(path, Code::MissingField, format_args!("is required"))
    }

    pub(crate) fn invalid_time(self, path: &str) -> Reject {
        self.reject(path, Code::InvalidTime, format_args!("expected a date and a time"))
    }

    /// The carrier's answer is an error here.
    pub(crate) fn carrier_error(self) -> Reject {
        Reject::new(Code::CarrierError, "the carrier answers with an error, not with events")
    }

    /// Tells of a thing, but of no event.
    pub(crate) fn no_event(self) -> Reject {
        Reject::new(Code::WrongStructure, "no event in it")
    }

    /// Where it stands among the elements of its list: 0, 1, ….
    pub(crate) fn order(self) -> Option<u32> {
        self.at.last()
    }

    fn reject(self, path: &str, code: Code, what: fmt::Arguments<'_>) -> Reject {
        let slash = if matches!(self.node, Element::Json(_)) { "/" } else { "" };
        Reject::new(code, format!("{slash}{path}: {what}"))
    }
}

/// The elements of a list, each with its place.
#[derive(Debug)]
pub(crate) struct Each<'t> {
    list: List<'t>,
    at: Location,
    name: &'static str,
    next: u32,
}

#[derive(Debug)]
enum List<'t> {
    Json(std::slice::Iter<'t, Value<'t>>),
    One(Option<&'t Value<'t>>),
    Xml(Option<Node<'t, 't>>, &'t str),
    Rows(&'t Rows, usize),
}

impl Each<'_> {
    fn none() -> Self {
        Self { list: List::One(None), at: Location::WHOLE, name: "", next: 0 }
    }
}

impl<'t> Iterator for Each<'t> {
    type Item = Tree<'t>;

    fn next(&mut self) -> Option<Tree<'t>> {
        let (node, index) = match &mut self.list {
            List::Json(values) => (Element::Json(values.next()?), Some(self.next)),
            List::One(value) => (Element::Json(value.take()?), None),
            List::Rows(rows, next) => {
                let row = rows.row(*next)?;
                *next += 1;
                (Element::Row(row), None)
            }
            List::Xml(rest, name) => loop {
                let node = (*rest)?;
                *rest = node.next_sibling_element();
                if node.tag_name().name() == *name {
                    break (Element::Xml(node), Some(self.next));
                }
            },
        };
        self.next += 1;
        Some(Tree { node, at: self.at.then(self.name, index) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first_of_each(root: Tree<'_>, out: &mut Out<'_>) -> Result<(), Reject> {
        for outer in root.each("a/b") {
            for inner in outer.each("c") {
                out.push(inner, Err(inner.missing("d/@e")));
            }
        }
        Ok(())
    }

    fn details(parts: &Parts) -> Vec<String> {
        let reject = |part: &Result<crate::Draft, Reject>| {
            part.as_ref().unwrap_err().detail.clone().into_owned()
        };
        parts.iter().map(|(_, part)| reject(part)).collect()
    }

    #[test]
    fn places() {
        let mut parts = Parts::default();
        json(r#"{"a":{"b":[{"c":[{},1]},null,{"c":{}}]}}"#, &mut parts, first_of_each).unwrap();
        assert_eq!(
            details(&parts),
            [
                "/a/b/0/c/0/d/@e: is required",
                "/a/b/0/c/1/d/@e: is required",
                "/a/b/2/c/d/@e: is required"
            ]
        );
        let mut parts = Parts::default();
        let document = "<r><a>\n<b>\n<c/></b><x/><b><c/>\n\n<c/></b></a></r>";
        xml(document, &mut parts, first_of_each).unwrap();
        assert_eq!(
            details(&parts),
            ["line 3: d/@e: is required", "line 3: d/@e: is required", "line 5: d/@e: is required"]
        );
    }

    #[test]
    fn texts() {
        fn check(root: Tree<'_>, _: &mut Out<'_>) -> Result<(), Reject> {
            assert_eq!(root.text("a"), Some("x y"));
            assert_eq!(root.text("b"), None);
            assert_eq!(root.text("n"), Some("5.5"));
            assert_eq!(root.text("l/c"), Some("true"));
            assert_eq!(root.text("a/c"), None);
            assert_eq!(root.first(&["b", "a"]), Some("x y"));
            // Names in other letters of the same.
            assert_eq!((root.text("A"), root.text("L/C")), (Some("x y"), Some("true")));
            assert_eq!(root.each("L").count(), root.each("l").count());
            assert!(root.has("l") && !root.has("z"));
            Err(root.no_event())
        }
        let mut parts = Parts::default();
        let document = r#"{"a":" x y ","b":" ","n":5.50,"z":null,"l":[{"c":true},{"c":"d"}]}"#;
        assert!(json(document, &mut parts, check).is_err());
        let document = "<r><a> x y </a><b> </b><n>5.5</n><l><c>true</c></l><l><c>d</c></l></r>";
        assert!(xml(document, &mut parts, check).is_err());
    }

    #[test]
    fn limits_of_json() {
        let check = |document: String, code: Code| {
            let reject = json(&document, &mut Parts::default(), |root, _| Err(root.no_event()));
            assert_eq!(reject.unwrap_err().code, code, "{document:.40}");
        };
        let members = |n: usize| format!("{{{}\"z\":0}}", "\"a\":0,".repeat(n - 1));
        check(members(limits::LIST), Code::WrongStructure);
        check(members(limits::LIST + 1), Code::TooLarge);
        check("7".into(), Code::WrongStructure);
        check("{".into(), Code::Unparsable);
        check("[".repeat(70), Code::TooLarge);
    }

    #[test]
    fn envelopes() {
        fn named(root: Tree<'_>, _: &mut Out<'_>) -> Result<(), Reject> {
            Err(root.missing(if root.is("x") { "x" } else { "-" }))
        }
        let check = |document: &str, detail: &str| {
            let reject = xml(document, &mut Parts::default(), named).unwrap_err();
            assert_eq!(reject.detail, detail, "{document}");
        };
        check("<x/>", "x: is required");
        check("<Envelope><Header/><Body> <x/></Body></Envelope>", "x: is required");
        check("<Envelope><Body/></Envelope>", "Body: nothing in it");
        let error = "the carrier answers with an error, not with events";
        check("<Envelope><Body><Fault/></Body></Envelope>", error);
    }
}
