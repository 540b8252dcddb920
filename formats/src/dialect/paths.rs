//! What may be written in a short form: one text in the place of a list of one, a path in the place of a
//! table that has nothing else in it.

use std::fmt;

use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::{Code, Row, Time};

/// Paths of which the first that has something counts; a text alone is one.
#[derive(Clone, Debug, Default)]
pub(super) struct Paths(pub(super) Vec<String>);

/// Lists, each within an element of the one before; a text alone is one.
#[derive(Clone, Debug, Default)]
pub(super) struct Lists(pub(super) Vec<String>);

impl<'de> Deserialize<'de> for Paths {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(Texts("a path, or a list of paths")).map(Self)
    }
}

impl<'de> Deserialize<'de> for Lists {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(Texts("a path, or a list of paths")).map(Self)
    }
}

struct Texts(&'static str);

impl<'de> Visitor<'de> for Texts {
    type Value = Vec<String>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Vec<String>, E> {
        Ok(vec![text.to_owned()])
    }

    fn visit_seq<S: SeqAccess<'de>>(self, seq: S) -> Result<Vec<String>, S::Error> {
        Vec::deserialize(SeqAccessDeserializer::new(seq))
    }
}

/// A table, or what its short form makes.
struct Short<T> {
    expected: &'static str,
    of: fn(Vec<String>) -> Result<T, String>,
}

impl<'de, T: Deserialize<'de>> Visitor<'de> for Short<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.expected)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        (self.of)(vec![text.to_owned()]).map_err(E::custom)
    }

    fn visit_seq<S: SeqAccess<'de>>(self, seq: S) -> Result<T, S::Error> {
        (self.of)(Vec::deserialize(SeqAccessDeserializer::new(seq))?).map_err(S::Error::custom)
    }

    fn visit_map<M: MapAccess<'de>>(self, map: M) -> Result<T, M::Error> {
        T::deserialize(MapAccessDeserializer::new(map))
    }
}

pub(super) fn code<'de, D: Deserializer<'de>>(from: D) -> Result<Code, D::Error> {
    let of = |at| {
        Ok(Code {
            at: Paths(at),
            join: Vec::new(),
            with: super::slash(),
            group: None,
            meaning: Paths::default(),
        })
    };
    from.deserialize_any(Short { expected: "a path, a list of paths, or a table", of })
}

pub(super) fn time<'de, D: Deserializer<'de>>(from: D) -> Result<Time, D::Error> {
    let of = |at| Ok(Time { at: Paths(at), ..Time::default() });
    from.deserialize_any(Short { expected: "a path, a list of paths, or a table", of })
}

/// `"in_transit"`, or `{ milestone = "in_transit", exception = "delay" }`.
impl<'de> Deserialize<'de> for super::Meant {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let of = |texts: Vec<String>| match texts.as_slice() {
            [text] => match text.parse() {
                Ok(milestone) => Ok(Row { milestone, exception: None }),
                Err(_) => Err(format!("{text:?} is no milestone")),
            },
            _ => Err("expected a milestone".to_owned()),
        };
        from.deserialize_any(Short { expected: "a milestone, or a table", of }).map(Self)
    }
}
