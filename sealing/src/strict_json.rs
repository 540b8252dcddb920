//! JSON (RFC 8259) as the headers and claims of a sealed event must be: one object of at most
//! 16 KiB, no byte order mark, nesting at most 8 with the object itself as 1, no name twice in any
//! object, every text valid Unicode and every number finite as a double. All of it holds inside
//! members that nobody reads, too: two readers that differ in what they ignore would differ in
//! what they authenticate.

use std::borrow::Cow;
use std::cell::Cell;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

/// Bytes of a header or of claims, decoded.
pub const MAX_BYTES: usize = 16 * 1024;
/// Objects and arrays inside each other, the outermost one included.
pub const MAX_NESTING: u8 = 8;

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JsonError {
    #[error("longer than 16 KiB")]
    TooLarge,
    /// No JSON text, invalid Unicode, or a number out of range.
    #[error("not valid JSON in valid Unicode with finite numbers")]
    Syntax,
    #[error("not a JSON object")]
    NotAnObject,
    #[error("a name stands twice in one object")]
    DuplicateName,
    #[error("nested deeper than 8")]
    TooDeep,
}

/// A member's value. What is inside an object is checked, and not kept: no member of ours has one.
#[derive(Clone, Debug, PartialEq)]
pub enum Value<'a> {
    Null,
    Bool(bool),
    Number(f64),
    Text(Cow<'a, str>),
    Array(Vec<Value<'a>>),
    Object,
}

impl<'a> Value<'a> {
    /// A text that is not empty.
    pub fn into_text(self) -> Option<Cow<'a, str>> {
        match self {
            Self::Text(text) if !text.is_empty() => Some(text),
            _ => None,
        }
    }

    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) if !text.is_empty() => Some(text),
            _ => None,
        }
    }

    pub fn as_number(&self) -> Option<f64> {
        match self {
            Self::Number(number) => Some(*number),
            _ => None,
        }
    }
}

pub type Members<'a> = Vec<(Cow<'a, str>, Value<'a>)>;

/// The members of the object that `bytes` are, in their order. Texts without escapes are borrowed.
pub fn parse_object(bytes: &[u8]) -> Result<Members<'_>, JsonError> {
    if bytes.len() > MAX_BYTES {
        return Err(JsonError::TooLarge);
    }
    let text = std::str::from_utf8(bytes).map_err(|_| JsonError::Syntax)?;
    let fault = Cell::new(JsonError::Syntax);
    let mut reader = serde_json::Deserializer::from_str(text);
    let members = reader
        .deserialize_any(ObjectVisitor { fault: &fault })
        .and_then(|members| reader.end().map(|()| members));
    members.map_err(|_| fault.get())
}

/// Ends the parse with `error`. serde's errors are texts, so ours goes by the side.
fn refuse<E: serde::de::Error>(fault: &Cell<JsonError>, error: JsonError) -> E {
    fault.set(error);
    E::custom(error)
}

struct ObjectVisitor<'c> {
    fault: &'c Cell<JsonError>,
}

impl<'de> Visitor<'de> for ObjectVisitor<'_> {
    type Value = Members<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // serde calls this only when the value is of another type.
        self.fault.set(JsonError::NotAnObject);
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members<'de>, A::Error> {
        let mut members: Members<'de> = Vec::with_capacity(16);
        while let Some(name) = map.next_key_seed(NameSeed)? {
            members.push((name, map.next_value_seed(ValueSeed { nesting: 1, fault: self.fault })?));
        }
        if has_duplicate(members.iter().map(|(name, _)| name.as_ref())) {
            return Err(refuse(self.fault, JsonError::DuplicateName));
        }
        Ok(members)
    }
}

/// Few names are compared in pairs; many (an attacker's) are sorted, so that the cost stays n log n.
fn has_duplicate<'n>(names: impl ExactSizeIterator<Item = &'n str> + Clone) -> bool {
    if names.len() <= 16 {
        let mut rest = names;
        while let Some(name) = rest.next() {
            if rest.clone().any(|other| other == name) {
                return true;
            }
        }
        return false;
    }
    let mut names: Vec<&str> = names.collect();
    names.sort_unstable();
    names.windows(2).any(|pair| matches!(pair, [a, b] if a == b))
}

struct NameSeed;

impl<'de> DeserializeSeed<'de> for NameSeed {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for NameSeed {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(text))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(text.to_owned()))
    }
}

#[derive(Clone, Copy)]
struct ValueSeed<'c> {
    /// Of the object or array that this value stands in.
    nesting: u8,
    fault: &'c Cell<JsonError>,
}

impl ValueSeed<'_> {
    fn deeper<E: serde::de::Error>(self) -> Result<Self, E> {
        if self.nesting >= MAX_NESTING {
            return Err(refuse(self.fault, JsonError::TooDeep));
        }
        Ok(Self { nesting: self.nesting + 1, ..self })
    }
}

impl<'de> DeserializeSeed<'de> for ValueSeed<'_> {
    type Value = Value<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value<'de>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for ValueSeed<'_> {
    type Value = Value<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value<'de>, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value<'de>, E> {
        Ok(Value::Bool(value))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value<'de>, E> {
        Ok(Value::Number(number as f64))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value<'de>, E> {
        Ok(Value::Number(number as f64))
    }

    fn visit_f64<E: serde::de::Error>(self, number: f64) -> Result<Value<'de>, E> {
        if !number.is_finite() {
            return Err(E::custom("number out of range"));
        }
        Ok(Value::Number(number))
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Value<'de>, E> {
        Ok(Value::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value<'de>, E> {
        Ok(Value::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value<'de>, A::Error> {
        let inner = self.deeper()?;
        let mut elements = Vec::new();
        while let Some(element) = seq.next_element_seed(inner)? {
            elements.push(element);
        }
        Ok(Value::Array(elements))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value<'de>, A::Error> {
        let inner = self.deeper()?;
        let mut names: Vec<Cow<'de, str>> = Vec::new();
        while let Some(name) = map.next_key_seed(NameSeed)? {
            map.next_value_seed(inner)?;
            names.push(name);
        }
        if has_duplicate(names.iter().map(Cow::as_ref)) {
            return Err(refuse(self.fault, JsonError::DuplicateName));
        }
        Ok(Value::Object)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts() {
        let deepest = format!("{{\"a\":{}{}}}", "[".repeat(7), "]".repeat(7));
        let longest = format!("{{\"a\":\"{}\"}}", "x".repeat(MAX_BYTES - 8));
        for text in [
            "{}",
            " \t\r\n{\"a\" : 1 } \n",
            r#"{"a":{"x":1},"b":{"x":1},"x":[{"x":1},{"x":2}]}"#,
            r#"{"a":"\ud83d\ude9a","b":1.7976931348623157e308,"c":-0.0,"d":1e-999,"e":0e999}"#,
            r#"{"a":123456789012345678901234567890}"#,
            &deepest,
            &longest,
        ] {
            assert!(parse_object(text.as_bytes()).is_ok(), "{text}");
        }
    }

    #[test]
    fn refuses() {
        let too_deep = format!("{{\"a\":{}{}}}", "[".repeat(8), "]".repeat(8));
        let too_deep_objects = format!("{}1{}", "{\"a\":".repeat(9), "}".repeat(9));
        let too_long = format!("{{\"a\":\"{}\"}}", "x".repeat(MAX_BYTES - 7));
        let many: String = (0..100).map(|n| format!("\"n{n}\":0,")).collect();
        let many_duplicate = format!("{{\"x\":{{{many}\"n7\":1}}}}");
        let cases: [(&str, JsonError); 32] = [
            ("", JsonError::Syntax),
            ("{", JsonError::Syntax),
            ("{}{}", JsonError::Syntax),
            ("{} x", JsonError::Syntax),
            ("{\"a\":1,}", JsonError::Syntax),
            ("{'a':1}", JsonError::Syntax),
            ("{a:1}", JsonError::Syntax),
            ("{\"a\":01}", JsonError::Syntax),
            ("{\"a\":+1}", JsonError::Syntax),
            ("{\"a\":.5}", JsonError::Syntax),
            ("{\"a\":1.}", JsonError::Syntax),
            ("{\"a\":NaN}", JsonError::Syntax),
            ("{\"a\":1}//", JsonError::Syntax),
            ("{\"a\":\"\u{1}\"}", JsonError::Syntax),
            ("\u{feff}{\"a\":1}", JsonError::Syntax),
            (r#"{"a":"\ud800"}"#, JsonError::Syntax),
            (r#"{"a":"\udc00"}"#, JsonError::Syntax),
            (r#"{"a":["\ud800x"]}"#, JsonError::Syntax),
            (r#"{"a":{"\udfff":1}}"#, JsonError::Syntax),
            (r#"{"\ud800":1}"#, JsonError::Syntax),
            (r#"{"a":1e999}"#, JsonError::Syntax),
            (r#"{"a":[{"b":-1e999}]}"#, JsonError::Syntax),
            (r#"{"a":1e99999999999999999999}"#, JsonError::Syntax),
            ("[]", JsonError::NotAnObject),
            ("\"a\"", JsonError::NotAnObject),
            ("null", JsonError::NotAnObject),
            (r#"{"a":1,"b":2,"a":1}"#, JsonError::DuplicateName),
            (r#"{"a":1,"\u0061":2}"#, JsonError::DuplicateName),
            (r#"{"x":[{"y":{"a":1,"a":2}}]}"#, JsonError::DuplicateName),
            (&many_duplicate, JsonError::DuplicateName),
            (&too_deep, JsonError::TooDeep),
            (&too_deep_objects, JsonError::TooDeep),
        ];
        for (text, expected) in cases {
            assert_eq!(parse_object(text.as_bytes()), Err(expected), "{text}");
        }
        assert_eq!(parse_object(too_long.as_bytes()), Err(JsonError::TooLarge));
        assert_eq!(parse_object(b"{\"a\":\"\xff\"}"), Err(JsonError::Syntax));
    }

    #[test]
    fn numbers_are_the_nearest_double() {
        for text in ["1763990400.123", "1763990400.1230", "1763990400123e-3", "0.1", "5e-324"] {
            let members = format!("{{\"a\":{text}}}");
            let members = parse_object(members.as_bytes()).unwrap();
            assert_eq!(members[0].1, Value::Number(text.parse().unwrap()), "{text}");
        }
    }
}
