//! JSON (RFC 8259) into typed structs with borrowed texts. The typed parse is all there is for a
//! good message; only one that fails is parsed again, to say what was wrong and where.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use memchr::memchr2;
use serde::de::{
    Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor,
    value::MapAccessDeserializer,
};
use serde_json::Number;
use serde_json::value::RawValue;
use serde_path_to_error::Segment;
use waybill_stage::{Code, Reject};

use crate::limits;

/// The text of a payload, within the limit of depth.
pub(crate) fn bounded(text: &str) -> Result<&str, Reject> {
    if too_deep(text.as_bytes()) {
        let detail = format!("payload: nested deeper than {}", limits::DEPTH);
        return Err(Reject::new(Code::TooLarge, detail));
    }
    Ok(text)
}

fn too_deep(json: &[u8]) -> bool {
    // Nothing nests deeper than it opens; for a single event that is all there is to do. Counted
    // in bytes, 255 at a time, so that the compiler makes vectors of it; `[` and `{` differ in one
    // bit.
    let opened = |chunk: &[u8]| chunk.iter().map(|b| u8::from(b | 0x20 == b'{')).sum::<u8>();
    if json.chunks(255).map(|chunk| usize::from(opened(chunk))).sum::<usize>() <= limits::DEPTH {
        return false;
    }
    let mut depth = 0_usize;
    let mut rest = json;
    while let Some((byte, behind)) = rest.split_first() {
        rest = behind;
        match byte {
            b'[' | b'{' => {
                depth += 1;
                if depth > limits::DEPTH {
                    return true;
                }
            }
            b']' | b'}' => depth = depth.saturating_sub(1),
            b'"' => rest = behind_string(rest),
            _ => {}
        }
    }
    false
}

/// What follows the text whose opening quote was read.
fn behind_string(mut rest: &[u8]) -> &[u8] {
    while let Some(at) = memchr2(b'"', b'\\', rest) {
        let ends = rest.get(at) == Some(&b'"');
        // What is escaped ends nothing.
        rest = rest.get(at + if ends { 1 } else { 2 }..).unwrap_or_default();
        if ends {
            return rest;
        }
    }
    &[]
}

/// The first character that is no white space.
pub(crate) fn first(text: &str) -> Option<u8> {
    text.bytes().find(|b| !matches!(b, b' ' | b'\t' | b'\r' | b'\n'))
}

/// A number as its text, without a fraction if it is whole: 5.50 is `5.5`, and 5.0 is `5`.
pub(crate) fn number(number: f64) -> String {
    // serde_json writes it in a fraction of the time that std takes, but very large and very small ones
    // with an exponent. Of more than 15 digits there is more than one way to write a number.
    match Number::from_f64(number).map(|number| number.to_string()) {
        Some(mut text) if text.len() <= 16 && !text.contains('e') => {
            if text.ends_with(".0") {
                text.truncate(text.len() - 2);
            }
            text
        }
        _ => number.to_string(),
    }
}

/// Reads one object. JSON pointers (RFC 6901) in a reject's detail count from `text` on.
pub(crate) fn object<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, Reject> {
    match serde_json::from_str::<Object<T>>(text) {
        Ok(Object(read)) => Ok(read),
        Err(error) if error.is_data() => Err(explain::<Object<T>>(text)),
        Err(error) => Err(no_json(&error)),
    }
}

/// What is no JSON at all, with the place; the text itself is not shown.
pub(crate) fn no_json(error: &serde_json::Error) -> Reject {
    let detail = match error.is_eof() {
        true => "no JSON: it ends too early".into(),
        false => format!("no JSON: line {}, column {}", error.line(), error.column()),
    };
    Reject::new(Code::Unparsable, detail)
}

fn explain<'a, T: Deserialize<'a>>(text: &'a str) -> Reject {
    let mut json = serde_json::Deserializer::from_str(text);
    let Err(error) = serde_path_to_error::deserialize::<_, T>(&mut json) else {
        return Reject::new(Code::WrongStructure, "not of the format's structure");
    };
    let mut pointer = String::new();
    for segment in error.path() {
        pointer.push('/');
        match segment {
            Segment::Seq { index } => pointer.push_str(&index.to_string()),
            Segment::Map { key } => pointer.push_str(&key.replace('~', "~0").replace('/', "~1")),
            Segment::Enum { .. } | Segment::Unknown => pointer.push('?'),
        }
    }
    let message = error.inner().to_string();
    // The name is one that a struct of ours has.
    if let Some(name) = message.strip_prefix("duplicate field `").and_then(|m| m.split('`').next())
    {
        return Reject::new(Code::WrongStructure, format!("{pointer}/{name}: stands twice"));
    }
    // "invalid type: integer `7`, expected a string at line 1 column 9": what comes last is ours,
    // what comes before shows values.
    let expected =
        message.rsplit_once(", expected ").map_or("another value", |(_, tail)| {
            match tail.rsplit_once(" at line ").map_or(tail, |(expected, _)| expected) {
                "a sequence" => "an array",
                "f64" => "a number",
                "i32" => "an integer",
                expected => expected,
            }
        });
    match pointer.is_empty() {
        true => Reject::new(Code::WrongStructure, format!("expected {expected}")),
        false => Reject::new(Code::InvalidField, format!("{pointer}: expected {expected}")),
    }
}

/// Hands out the text of each element until `take` returns `false`, which is a data error.
pub(crate) fn elements<'a>(
    text: &'a str,
    take: &mut dyn FnMut(&'a str) -> bool,
) -> Result<(), serde_json::Error> {
    let mut json = serde_json::Deserializer::from_str(text);
    json.deserialize_seq(Elements(take))?;
    json.end()
}

struct Elements<'t, 'a>(&'t mut dyn FnMut(&'a str) -> bool);

impl<'a> Visitor<'a> for Elements<'_, 'a> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<S: SeqAccess<'a>>(self, mut elements: S) -> Result<(), S::Error> {
        while let Some(element) = elements.next_element::<&RawValue>()? {
            if !(self.0)(element.get()) {
                return Err(S::Error::custom("stopped"));
            }
        }
        Ok(())
    }
}

/// A string, borrowed from the payload unless it has escapes. (serde borrows no `Cow` within an
/// `Option`.)
#[derive(Debug)]
pub(crate) struct Text<'a>(pub(crate) Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        json.deserialize_str(TextVisitor).map(Text)
    }
}

struct TextVisitor;

impl<'de> Visitor<'de> for TextVisitor {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_borrowed_str<E: serde::de::Error>(self, v: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(v))
    }

    fn visit_str<E: serde::de::Error>(self, v: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(v.to_owned()))
    }
}

/// A JSON object and nothing else. (serde's derived structs also take arrays, by position.)
#[derive(Debug)]
pub(crate) struct Object<T>(pub(crate) T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        struct Members<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Members<T> {
            type Value = T;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<M: MapAccess<'de>>(self, members: M) -> Result<T, M::Error> {
                T::deserialize(MapAccessDeserializer::new(members))
            }
        }

        json.deserialize_map(Members(PhantomData)).map(Object)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_std_writes_them() {
        let check = |n: f64| assert_eq!(number(n), n.to_string());
        for n in [0.0, -0.0, 5.0, -18.5, 0.1, 0.3, 1e-7, 1e15, 1e16, 1e17, 1e21, 123456789.125] {
            check(n);
            check(-n);
        }
        for n in [f64::MAX, f64::MIN_POSITIVE, f64::EPSILON, 5e-324, 9007199254740993.0] {
            check(n);
        }
        // Of every magnitude, and those that sensors say.
        let mut bits = 1_u64;
        for round in 0..20_000 {
            bits ^= bits << 13;
            bits ^= bits >> 7;
            bits ^= bits << 17;
            let any = f64::from_bits(bits);
            if any.is_finite() {
                check(any);
            }
            check(f64::from(round) / 100.0);
        }
    }

    #[test]
    fn depth() {
        let check = |json: String, expect: bool| {
            assert_eq!(too_deep(json.as_bytes()), expect, "{json:.80}");
        };
        let nested = |n: usize| format!("{}{}", "[".repeat(n), "]".repeat(n));
        check(nested(limits::DEPTH), false);
        check(nested(limits::DEPTH + 1), true);
        check("[".repeat(1_000_000), true);
        check(r#"{"a":"#.repeat(limits::DEPTH + 1), true);
        // Many, but not nested; and brackets in texts are none.
        check(format!("[{}]", "[],".repeat(1_000)), false);
        check(format!(r#"["{}"]"#, "[".repeat(1_000)), false);
        check(format!(r#"["\"{}"]"#, "[".repeat(1_000)), false);
        check(format!(r#"["\\",{}"#, "[".repeat(1_000)), true);
    }
}
