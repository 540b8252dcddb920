//! XML 1.0 as a tree of borrowed texts, within limits. A document type may be named, and nothing may
//! be declared in it, so that nothing is expanded and nothing fetched.

use memchr::{memchr, memmem};
use roxmltree::{Document, Node, ParsingOptions};
use waybill_stage::{Code, Reject};

use crate::limits;

/// Elements, attributes and texts of one document.
const NODES: u32 = 200_000;

/// Reads `text`, and hands its root element to `read`.
pub(crate) fn read<T>(
    text: &str,
    read: impl FnOnce(Node<'_, '_>) -> Result<T, Reject>,
) -> Result<T, Reject> {
    if is_too_deep(text) {
        let detail = format!("payload: nested deeper than {}", limits::DEPTH);
        return Err(Reject::new(Code::TooLarge, detail));
    }
    let options = ParsingOptions {
        allow_dtd: !has_declarations(text),
        nodes_limit: NODES,
        ..ParsingOptions::default()
    };
    match Document::parse_with_options(text, options) {
        Ok(document) => read(document.root_element()),
        Err(roxmltree::Error::NodesLimitReached) => {
            Err(Reject::new(Code::TooLarge, format!("payload: more than {NODES} nodes")))
        }
        Err(error) => {
            let at = error.pos();
            let detail = format!("no XML: line {}, column {}", at.row, at.col);
            Err(Reject::new(Code::Unparsable, detail))
        }
    }
}

/// Whether the document type has an internal subset, in which entities could be declared.
fn has_declarations(xml: &str) -> bool {
    let Some(at) = memmem::find(xml.as_bytes(), b"<!DOCTYPE") else { return false };
    let rest = xml.as_bytes().get(at..).unwrap_or_default();
    memchr(b'>', rest).is_none_or(|end| rest.iter().take(end).any(|b| *b == b'['))
}

/// Counts tags: an upper bound of the depth that needs no parser.
fn is_too_deep(xml: &str) -> bool {
    let mut depth = 0_usize;
    let mut rest = xml.as_bytes();
    while let Some(open) = memchr(b'<', rest) {
        rest = rest.get(open + 1..).unwrap_or_default();
        match rest.first() {
            Some(b'/') => depth = depth.saturating_sub(1),
            Some(b'?' | b'!') | None => {}
            Some(_) => {
                let end = memchr(b'>', rest).unwrap_or(rest.len());
                let closes = end > 0 && rest.get(end - 1) == Some(&b'/');
                depth += usize::from(!closes);
                if depth > limits::DEPTH {
                    return true;
                }
            }
        }
    }
    false
}

/// The first child element of that local name, whatever its namespace; where none has it, one whose name is
/// written in other letters of the same.
pub(crate) fn child<'a, 'i>(node: Node<'a, 'i>, name: &str) -> Option<Node<'a, 'i>> {
    children(node, name).next().or_else(|| {
        let spelt = |n: &Node<'_, '_>| n.tag_name().name().eq_ignore_ascii_case(name);
        node.children().find(|n| n.is_element() && spelt(n))
    })
}

/// The child elements of that local name.
pub(crate) fn children<'a, 'i, 'n>(
    node: Node<'a, 'i>,
    name: &'n str,
) -> impl Iterator<Item = Node<'a, 'i>> + use<'a, 'i, 'n> {
    node.children().filter(move |n| n.is_element() && n.tag_name().name() == name)
}

/// The element at that path of local names, the first of each: `location/address/city`.
pub(crate) fn at<'a, 'i>(node: Node<'a, 'i>, path: &str) -> Option<Node<'a, 'i>> {
    path.split('/').try_fold(node, child)
}

/// The text of the element at that path, without blanks around it; `None` if it has none.
pub(crate) fn text_at<'a>(node: Node<'a, '_>, path: &str) -> Option<&'a str> {
    at(node, path)?.text().map(str::trim).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_and_what_is_not() {
        let deep = |n: usize| [&"<a>".repeat(n), "x", &"</a>".repeat(n)].concat();
        let many = ["<a>", &"<b/>".repeat(200_001), "</a>"].concat();
        for (xml, expect) in [
            ("<a><b> x </b></a>".to_owned(), Ok(Some("x"))),
            ("<?xml version='1.0'?><!DOCTYPE a><a><b>x</b></a>".to_owned(), Ok(Some("x"))),
            ("<!DOCTYPE a SYSTEM 'file:///etc/hosts'><a><b>x</b></a>".to_owned(), Ok(Some("x"))),
            ("<n:a xmlns:n='u'><n:b>x</n:b></n:a>".to_owned(), Ok(Some("x"))),
            ("<a/>".to_owned(), Ok(None)),
            ("<!DOCTYPE a [<!ENTITY e 'x'>]><a><b>&e;</b></a>".to_owned(), Err(Code::Unparsable)),
            ("<a>".to_owned(), Err(Code::Unparsable)),
            (String::new(), Err(Code::Unparsable)),
            (deep(limits::DEPTH), Ok(None)),
            (deep(limits::DEPTH + 1), Err(Code::TooLarge)),
            (many, Err(Code::TooLarge)),
        ] {
            let found = read(&xml, |root| Ok(text_at(root, "b").map(str::to_owned)));
            let found = found.map_err(|reject| reject.code);
            assert_eq!(found, expect.map(|text| text.map(str::to_owned)), "{xml:.60}");
        }
    }
}
