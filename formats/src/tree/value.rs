//! A JSON document as far as a tree of texts tells things apart.

use std::borrow::Cow;
use std::fmt;

use serde::de::{
    Deserialize, DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor,
};

use crate::json::{self, Text};
use crate::limits;

#[derive(Debug)]
pub(super) enum Value<'a> {
    Absent,
    Text(Cow<'a, str>),
    List(Vec<Value<'a>>),
    Object(Vec<(Text<'a>, Value<'a>)>),
}

/// Shows the name of each member, with the path before it.
pub(super) fn names(
    value: &Value<'_>,
    path: &mut String,
    show: &mut dyn FnMut(&str, &str) -> bool,
) {
    match value {
        Value::Object(members) => {
            for (Text(name), value) in members {
                if show(path, name) && matches!(value, Value::Object(_) | Value::List(_)) {
                    let before = path.len();
                    path.push('/');
                    path.push_str(name);
                    names(value, path, show);
                    path.truncate(before);
                }
            }
        }
        Value::List(list) => list.iter().for_each(|value| names(value, path, show)),
        Value::Text(_) | Value::Absent => {}
    }
}

/// The member of that name; of a list, its first element's.
pub(super) fn member<'t>(value: &'t Value<'t>, name: &str) -> Option<&'t Value<'t>> {
    match value {
        Value::Object(members) => {
            // One in other letters of the same, unless one is written so.
            let mut spelt = None;
            let mut value = None;
            for (Text(key), own) in members.iter().filter(|(Text(key), _)| may_be(key, name)) {
                if key == name {
                    value = Some(own);
                    break;
                }
                if spelt.is_none() && key.eq_ignore_ascii_case(name) {
                    spelt = Some(own);
                }
            }
            let value = value.or(spelt)?;
            (!matches!(value, Value::Absent)).then_some(value)
        }
        Value::List(list) => member(list.first()?, name),
        _ => None,
    }
}

/// Whether length and first letter are the same: they tell most names apart, without a call.
fn may_be(key: &str, name: &str) -> bool {
    let first = |text: &str| text.bytes().next().map(|b| b.to_ascii_lowercase());
    key.len() == name.len() && first(key) == first(name)
}

impl<'de: 'a, 'a> Deserialize<'de> for Value<'a> {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        Open { members: &mut Vec::new(), elements: &mut Vec::new() }.deserialize(json)
    }
}

type Member<'a> = (Text<'a>, Value<'a>);

/// What is read of the objects and lists that are not closed yet, those within behind those around them. Of
/// one that closes it is known how much it holds: it takes one piece of memory, and none of it stays free.
struct Open<'o, 'a> {
    members: &'o mut Vec<Member<'a>>,
    elements: &'o mut Vec<Value<'a>>,
}

impl<'a> Open<'_, 'a> {
    fn within(&mut self) -> Open<'_, 'a> {
        Open { members: self.members, elements: self.elements }
    }
}

impl<'de> DeserializeSeed<'de> for Open<'_, 'de> {
    type Value = Value<'de>;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Self::Value, D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Open<'_, 'de> {
    type Value = Value<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Value::Absent)
    }

    fn visit_bool<E>(self, v: bool) -> Result<Self::Value, E> {
        Ok(Value::Text(Cow::Borrowed(if v { "true" } else { "false" })))
    }

    fn visit_u64<E>(self, v: u64) -> Result<Self::Value, E> {
        Ok(Value::Text(v.to_string().into()))
    }

    fn visit_i64<E>(self, v: i64) -> Result<Self::Value, E> {
        Ok(Value::Text(v.to_string().into()))
    }

    fn visit_f64<E>(self, v: f64) -> Result<Self::Value, E> {
        Ok(Value::Text(json::number(v).into()))
    }

    fn visit_borrowed_str<E>(self, v: &'de str) -> Result<Self::Value, E> {
        Ok(Value::Text(Cow::Borrowed(v)))
    }

    fn visit_str<E>(self, v: &str) -> Result<Self::Value, E> {
        Ok(Value::Text(Cow::Owned(v.to_owned())))
    }

    fn visit_seq<S: SeqAccess<'de>>(mut self, mut seq: S) -> Result<Self::Value, S::Error> {
        let from = self.elements.len();
        while let Some(value) = seq.next_element_seed(self.within())? {
            self.elements.push(value);
        }
        Ok(Value::List(self.elements.drain(from..).collect()))
    }

    fn visit_map<M: MapAccess<'de>>(mut self, mut map: M) -> Result<Self::Value, M::Error> {
        let from = self.members.len();
        while let Some(name) = map.next_key()? {
            let value = map.next_value_seed(self.within())?;
            // Members are found one after the other, for each element of a list anew.
            if self.members.len() - from == limits::LIST {
                return Err(M::Error::custom("too many members"));
            }
            self.members.push((name, value));
        }
        Ok(Value::Object(self.members.drain(from..).collect()))
    }
}
