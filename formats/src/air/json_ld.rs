//! JSON-LD 1.1 as far as ONE Record needs it: a tree of borrowed texts whose terms are found by their
//! local names.
//!
//! No context is expanded or fetched. ONE Record writes `cargo:eventDate` (compact, with a prefix),
//! `eventDate` (`@vocab`) or `https://onerecord.iata.org/ns/cargo#eventDate` (expanded), and has no two
//! terms of one local name with different meanings among those that are read here.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};

use crate::json::Text;
use crate::limits;

#[derive(Debug)]
pub(super) enum Node<'a> {
    Null,
    Bool(bool),
    Number(f64),
    Text(Cow<'a, str>),
    List(Vec<Node<'a>>),
    Object(Vec<(Cow<'a, str>, Node<'a>)>),
}

/// What stands behind the last `#`, `/` or `:` of an IRI or a compact one.
pub(super) fn local_name(iri: &str) -> &str {
    iri.rsplit(['#', '/', ':']).next().unwrap_or(iri)
}

impl Node<'_> {
    /// The first member with that term or keyword that is not null.
    pub fn get(&self, term: &str) -> Option<&Self> {
        let Self::Object(members) = self else { return None };
        let is = |key: &str| match term.starts_with('@') {
            true => key == term,
            false => key.len() >= term.len() && key.ends_with(term) && local_name(key) == term,
        };
        members.iter().find(|(key, value)| is(key) && !matches!(value, Self::Null)).map(|m| &m.1)
    }

    /// The elements of a list, or the node itself: JSON-LD makes no difference between one value
    /// and a list of one.
    pub fn items(&self) -> &[Self] {
        match self {
            Self::List(items) => items,
            one => std::slice::from_ref(one),
        }
    }

    fn only(&self) -> &Self {
        match self.items() {
            [only] => only,
            _ => self,
        }
    }

    /// A literal's text: `"…"`, `{"@value": "…"}`, or one of these in a list.
    pub fn text(&self) -> Option<&str> {
        match self.only() {
            Self::Text(text) => Some(text.trim()),
            object => match object.get("@value")?.only() {
                Self::Text(text) => Some(text.trim()),
                _ => None,
            },
        }
    }

    /// An IRI: `{"@id": "…"}`, or written as a text.
    pub fn iri(&self) -> Option<&str> {
        match self.only() {
            Self::Text(text) => Some(text.trim()),
            object => object.get("@id")?.text(),
        }
    }

    pub fn bool(&self) -> Option<bool> {
        match self.only() {
            Self::Bool(value) => Some(*value),
            Self::Text(text) => match text.trim() {
                "true" | "1" => Some(true),
                "false" | "0" => Some(false),
                _ => None,
            },
            object @ Self::Object(_) => object.get("@value")?.bool(),
            _ => None,
        }
    }

    pub fn number(&self) -> Option<f64> {
        match self.only() {
            Self::Number(number) => Some(*number),
            Self::Text(text) => text.trim().parse().ok(),
            object @ Self::Object(_) => object.get("@value")?.number(),
            _ => None,
        }
    }

    /// Whether it is of the class with that local name.
    pub fn is_a(&self, class: &str) -> bool {
        self.get("@type").is_some_and(|types| {
            types.items().iter().filter_map(Self::iri).any(|t| local_name(t) == class)
        })
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Node<'a> {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        json.deserialize_any(NodeVisitor)
    }
}

struct NodeVisitor;

// The values are small integers or measures.
#[allow(clippy::cast_precision_loss)]
impl<'de> Visitor<'de> for NodeVisitor {
    type Value = Node<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Node::Null)
    }

    fn visit_bool<E>(self, v: bool) -> Result<Self::Value, E> {
        Ok(Node::Bool(v))
    }

    fn visit_u64<E>(self, v: u64) -> Result<Self::Value, E> {
        Ok(Node::Number(v as f64))
    }

    fn visit_i64<E>(self, v: i64) -> Result<Self::Value, E> {
        Ok(Node::Number(v as f64))
    }

    fn visit_f64<E>(self, v: f64) -> Result<Self::Value, E> {
        Ok(Node::Number(v))
    }

    fn visit_borrowed_str<E>(self, v: &'de str) -> Result<Self::Value, E> {
        Ok(Node::Text(Cow::Borrowed(v)))
    }

    fn visit_str<E>(self, v: &str) -> Result<Self::Value, E> {
        Ok(Node::Text(Cow::Owned(v.to_owned())))
    }

    // The depth is limited before: `json::text`.
    fn visit_seq<S: SeqAccess<'de>>(self, mut elements: S) -> Result<Self::Value, S::Error> {
        let mut list = Vec::new();
        while let Some(element) = elements.next_element()? {
            list.push(element);
        }
        Ok(Node::List(list))
    }

    fn visit_map<M: MapAccess<'de>>(self, mut members: M) -> Result<Self::Value, M::Error> {
        let mut object = Vec::new();
        while let Some((Text(key), value)) = members.next_entry()? {
            // Terms are sought one by one.
            if object.len() == limits::LIST {
                return Err(M::Error::custom("too many members"));
            }
            object.push((key, value));
        }
        Ok(Node::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_meaning_has_many_forms() {
        for (json, expect) in [
            (r#"{"eventDate": "x"}"#, Some("x")),
            (r#"{"cargo:eventDate": {"@type": "t", "@value": " x "}}"#, Some("x")),
            (r#"{"https://onerecord.iata.org/ns/cargo#eventDate": [{"@value": "x"}]}"#, Some("x")),
            (r#"{"eventDate": null, "cargo:eventDate": "x"}"#, Some("x")),
            (r#"{"eventDate": ["x", "y"]}"#, None),
            (r#"{"eventDate": 7}"#, None),
            (r#"{"myeventDate": "x"}"#, None),
            (r#"["eventDate"]"#, None),
        ] {
            let node: Node<'_> = serde_json::from_str(json).unwrap();
            assert_eq!(node.get("eventDate").and_then(Node::text), expect, "{json}");
        }
        let typed =
            r#"{"@type": ["a:Thing", "https://onerecord.iata.org/ns/cargo#LogisticsEvent"]}"#;
        let node: Node<'_> = serde_json::from_str(typed).unwrap();
        assert!(node.is_a("LogisticsEvent") && node.is_a("Thing") && !node.is_a("Event"));
    }
}
