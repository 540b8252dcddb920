//! The protected header of a sealed event, and the part of its checks that needs nothing but the
//! header: the rows `malformed`, `unsupported`, `malformed` of sealed-event.md, in that order, so
//! that a later version is `unsupported` whatever else it has.

use std::borrow::Cow;

use crate::strict_json::{self, JsonError, Value};
use crate::{CONTENT_ENCRYPTION, EVENT_TYPE, KEY_WRAPPING, SIGNED_CONTENT, forms};

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HeaderError {
    /// Not the JSON it must be.
    #[error("header: {0}")]
    Json(JsonError),
    /// The named parameter is absent or not of its form.
    #[error("header: `{0}` is absent or not of its form")]
    Malformed(&'static str),
    /// The named parameter asks for what this version does not have.
    #[error("header: `{0}` is not one of version 1")]
    Unsupported(&'static str),
}

/// The parameter `grant`. It counts as present if its name is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Grant<'a> {
    Absent,
    Text(Cow<'a, str>),
    /// Present, and no text or an empty one.
    Invalid,
}

/// A header whose parameters are all there and of their forms. (The form of `grant` is a question
/// of the proof.)
#[derive(Clone, Debug)]
pub struct Header<'a> {
    pub kid: Cow<'a, str>,
    pub cty: Cow<'a, str>,
    pub iss: Cow<'a, str>,
    pub aud: Cow<'a, str>,
    pub sub: Cow<'a, str>,
    pub jti: Cow<'a, str>,
    /// NumericDate (RFC 7519 section 2), seconds.
    pub iat: f64,
    pub grant: Grant<'a>,
}

impl<'a> Header<'a> {
    pub fn parse(json: &'a [u8]) -> Result<Self, HeaderError> {
        use HeaderError::{Malformed, Unsupported};

        let (mut alg, mut enc, mut kid, mut typ, mut cty) = (None, None, None, None, None);
        let (mut iss, mut aud, mut sub, mut jti, mut iat) = (None, None, None, None, None);
        let (mut grant, mut crit, mut zip) = (None, None, None);
        for (name, value) in strict_json::parse_object(json).map_err(HeaderError::Json)? {
            let parameter = match name.as_ref() {
                "alg" => &mut alg,
                "enc" => &mut enc,
                "kid" => &mut kid,
                "typ" => &mut typ,
                "cty" => &mut cty,
                "iss" => &mut iss,
                "aud" => &mut aud,
                "sub" => &mut sub,
                "jti" => &mut jti,
                "iat" => &mut iat,
                "grant" => &mut grant,
                "crit" => &mut crit,
                "zip" => &mut zip,
                _ => continue,
            };
            *parameter = Some(value);
        }

        let text = |value: Option<Value<'a>>, name| {
            value.and_then(Value::into_text).ok_or(Malformed(name))
        };
        let is = |value: &Option<Value<'a>>, expected| {
            value.as_ref().and_then(Value::as_text) == Some(expected)
        };

        if text(typ, "typ")? != EVENT_TYPE {
            return Err(Unsupported("typ"));
        }
        if !is(&alg, KEY_WRAPPING) {
            return Err(Unsupported("alg"));
        }
        if !is(&enc, CONTENT_ENCRYPTION) {
            return Err(Unsupported("enc"));
        }
        if zip.is_some() {
            return Err(Unsupported("zip"));
        }
        if crit.is_some_and(|crit| grant.is_none() || !is_only_grant(&crit)) {
            return Err(Unsupported("crit"));
        }

        let of_form = |value, name, is_form: fn(&str) -> bool| {
            text(value, name).and_then(|t| if is_form(&t) { Ok(t) } else { Err(Malformed(name)) })
        };
        Ok(Self {
            kid: text(kid, "kid")?,
            cty: of_form(cty, "cty", forms::is_media_type)?,
            iss: text(iss, "iss")?,
            aud: text(aud, "aud")?,
            sub: of_form(sub, "sub", forms::is_subject)?,
            jti: of_form(jti, "jti", forms::is_message_id)?,
            iat: iat.as_ref().and_then(Value::as_number).ok_or(Malformed("iat"))?,
            grant: match grant {
                None => Grant::Absent,
                Some(value) => value.into_text().map_or(Grant::Invalid, Grant::Text),
            },
        })
    }

    /// Whether the payload is said to be a signed one.
    pub fn is_signed(&self) -> bool {
        self.cty == SIGNED_CONTENT
    }
}

fn is_only_grant(crit: &Value<'_>) -> bool {
    matches!(crit, Value::Array(names)
        if matches!(names.as_slice(), [name] if name.as_text() == Some("grant")))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A header with `change` made to its members: a value of `None` takes the member out.
    fn header(changes: &[(&str, Option<&str>)]) -> String {
        let mut members = vec![
            ("alg", "\"RSA-OAEP-256\""),
            ("enc", "\"A256GCM\""),
            ("kid", "\"p1\""),
            ("typ", "\"waybill+jwe\""),
            ("cty", "\"application/json\""),
            ("iss", "\"acme\""),
            ("aud", "\"waybill:test\""),
            ("sub", "\"h-1\""),
            ("jti", "\"m-1\""),
            ("iat", "1763990400.125"),
        ];
        for (name, value) in changes {
            members.retain(|(n, _)| n != name);
            members.extend(value.map(|v| (*name, v)));
        }
        let members: Vec<String> =
            members.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
        format!("{{{}}}", members.join(","))
    }

    #[test]
    fn accepts() {
        let json = header(&[]);
        let parsed = Header::parse(json.as_bytes()).unwrap();
        assert_eq!((parsed.iat, parsed.grant), (1_763_990_400.125, Grant::Absent));
        for change in [
            ("other", Some(r#"[{"x":null}]"#)),
            ("iat", Some("-1e3")),
            ("iat", Some("1763990400")),
            ("cty", Some("\"application/jose\"")),
            ("sub", Some(r#""\u00e9\ud83d\ude9a""#)),
            ("grant", Some("\"x\"")),
            ("grant", Some("{}")),
        ] {
            let json = header(&[change]);
            assert!(Header::parse(json.as_bytes()).is_ok(), "{json}");
        }
        let json = header(&[("crit", Some(r#"["grant"]"#)), ("grant", Some("\"x\""))]);
        assert_eq!(Header::parse(json.as_bytes()).unwrap().grant, Grant::Text("x".into()));
    }

    #[test]
    fn refuses_in_the_order_of_the_table() {
        use HeaderError::{Json, Malformed, Unsupported};
        let too_long = format!("\"{}\"", "x".repeat(257));
        type Case<'c> = (&'c [(&'c str, Option<&'c str>)], HeaderError);
        let cases: &[Case<'_>] = &[
            (&[("typ", None)], Malformed("typ")),
            (&[("typ", Some("\"\""))], Malformed("typ")),
            (&[("typ", Some("7"))], Malformed("typ")),
            (&[("typ", Some("\"waybill2+jwe\""))], Unsupported("typ")),
            (&[("typ", Some("\"Waybill+jwe\""))], Unsupported("typ")),
            (&[("alg", None)], Unsupported("alg")),
            (&[("alg", Some("\"\""))], Unsupported("alg")),
            (&[("alg", Some("null"))], Unsupported("alg")),
            (&[("alg", Some("\"RSA-OAEP\""))], Unsupported("alg")),
            (&[("enc", None)], Unsupported("enc")),
            (&[("enc", Some("\"A128GCM\""))], Unsupported("enc")),
            (&[("zip", Some("\"DEF\""))], Unsupported("zip")),
            (&[("zip", Some("null"))], Unsupported("zip")),
            (&[("crit", Some(r#"["grant"]"#))], Unsupported("crit")),
            (&[("crit", Some("[]")), ("grant", Some("\"x\""))], Unsupported("crit")),
            (&[("crit", Some("\"grant\"")), ("grant", Some("\"x\""))], Unsupported("crit")),
            (&[("crit", Some("null")), ("grant", Some("\"x\""))], Unsupported("crit")),
            (
                &[("crit", Some(r#"["grant","grant"]"#)), ("grant", Some("\"x\""))],
                Unsupported("crit"),
            ),
            (&[("crit", Some(r#"["exp"]"#)), ("grant", Some("\"x\""))], Unsupported("crit")),
            // A later version is unsupported, whatever else it has.
            (&[("typ", Some("\"waybill2+jwe\"")), ("kid", None)], Unsupported("typ")),
            (&[("zip", Some("1")), ("iat", None)], Unsupported("zip")),
            // But a typ that is no text comes first.
            (&[("typ", None), ("alg", None)], Malformed("typ")),
            (&[("kid", None)], Malformed("kid")),
            (&[("kid", Some("\"\""))], Malformed("kid")),
            (&[("cty", None)], Malformed("cty")),
            (&[("cty", Some("\"json\""))], Malformed("cty")),
            (&[("cty", Some("\"application/\""))], Malformed("cty")),
            (&[("iss", Some("\"\""))], Malformed("iss")),
            (&[("aud", Some(r#"["waybill:test"]"#))], Malformed("aud")),
            (&[("sub", None)], Malformed("sub")),
            (&[("sub", Some(&too_long))], Malformed("sub")),
            (&[("sub", Some(r#""a\u0000""#))], Malformed("sub")),
            (&[("jti", Some("\"a b\""))], Malformed("jti")),
            (&[("iat", None)], Malformed("iat")),
            (&[("iat", Some("\"1763990400\""))], Malformed("iat")),
            (&[("iat", Some("null"))], Malformed("iat")),
            // JSON faults come before everything, in members that are ignored, too.
            (&[("typ", None), ("x", Some("1e999"))], Json(JsonError::Syntax)),
            (&[("typ", None), ("x", Some(r#""\ud800""#))], Json(JsonError::Syntax)),
            (
                &[("zip", Some("1")), ("x", Some(r#"{"a":1,"a":1}"#))],
                Json(JsonError::DuplicateName),
            ),
            (&[("x", Some("[[[[[[[[1]]]]]]]]"))], Json(JsonError::TooDeep)),
        ];
        for (changes, expected) in cases {
            let json = header(changes);
            assert_eq!(Header::parse(json.as_bytes()).unwrap_err(), *expected, "{json}");
        }
    }
}
