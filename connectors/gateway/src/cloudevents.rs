//! CloudEvents 1.0 (HTTP protocol binding 1.0.2): structured, in batches, and binary. Only what a message
//! needs is read: its data, their type, and the two attributes that name it. (The SDK reads a whole event
//! into types of its own, and brings a version of axum.)

use std::borrow::Cow;

use axum::http::HeaderMap;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::percent_decode_str;
use serde::Deserialize;
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};
use waybill_sealing::base64url;

pub const STRUCTURED: &str = "application/cloudevents+json";
pub const BATCH: &str = "application/cloudevents-batch+json";
const VERSION: &str = "1.0";

/// A payload that somebody else wrapped.
#[derive(Debug, PartialEq, Eq)]
pub struct Event {
    /// From `source` and `id`, which together name an event: the same event again has it again.
    pub message_id: String,
    /// `subject`
    pub subject: Option<String>,
    /// `datacontenttype`
    pub media_type: String,
    pub data: Vec<u8>,
}

#[derive(Deserialize)]
struct Structured<'a> {
    #[serde(borrow)]
    specversion: Cow<'a, str>,
    #[serde(borrow)]
    id: Cow<'a, str>,
    #[serde(borrow)]
    source: Cow<'a, str>,
    #[serde(borrow, default)]
    subject: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    datacontenttype: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    data: Option<&'a RawValue>,
    #[serde(borrow, default)]
    data_base64: Option<Cow<'a, str>>,
}

/// One event in JSON. What is wrong is said without any of its text.
pub fn structured(json: &[u8]) -> Result<Event, String> {
    let event: Structured<'_> = serde_json::from_slice(json)
        .map_err(|e| format!("no CloudEvent in JSON: line {}, column {}", e.line(), e.column()))?;
    if event.specversion != VERSION {
        return Err("`specversion` is not 1.0".to_owned());
    }
    // JSON format 1.0.2, section 3.1: without a type the data are JSON.
    let media_type = event.datacontenttype.unwrap_or(Cow::Borrowed("application/json"));
    let data = match (event.data, event.data_base64) {
        (Some(data), None) => of_json(data, &media_type),
        (None, Some(text)) => {
            STANDARD.decode(text.as_bytes()).map_err(|_| "`data_base64` is no base64".to_owned())?
        }
        (None, None) => Vec::new(),
        (Some(_), Some(_)) => return Err("both `data` and `data_base64`".to_owned()),
    };
    Ok(Event {
        message_id: message_id(&event.source, &event.id)?,
        subject: event.subject.map(Cow::into_owned),
        media_type: media_type.into_owned(),
        data,
    })
}

/// A text is the data itself, unless they are JSON.
fn of_json(data: &RawValue, media_type: &str) -> Vec<u8> {
    let essence = media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let is_json = essence.ends_with("/json") || essence.ends_with("+json");
    match serde_json::from_str::<String>(data.get()) {
        Ok(text) if !is_json => text.into_bytes(),
        _ => data.get().as_bytes().to_vec(),
    }
}

/// The events of a batch, each still as JSON.
pub fn batch(json: &[u8]) -> Result<Vec<&RawValue>, String> {
    serde_json::from_slice(json)
        .map_err(|e| format!("no JSON array: line {}, column {}", e.line(), e.column()))
}

/// Whether the request is an event in binary mode, whose attributes are headers.
pub fn is_binary(headers: &HeaderMap) -> bool {
    headers.contains_key("ce-specversion")
}

pub fn binary(headers: &HeaderMap, media_type: &str, body: Vec<u8>) -> Result<Event, String> {
    let text = |name: &str| match headers.get(name) {
        None => Ok(None),
        Some(value) => value
            .to_str()
            .map_err(|_| format!("`{name}` is not ASCII: percent-encode it"))
            // HTTP binding section 3.1.3.2.
            .and_then(|text| {
                let text = percent_decode_str(text).decode_utf8();
                text.map_err(|_| format!("`{name}` is no UTF-8"))
            })
            .map(|text| Some(text.into_owned())),
    };
    let needed = |name: &str| text(name)?.ok_or_else(|| format!("`{name}` is absent"));
    if needed("ce-specversion")? != VERSION {
        return Err("`ce-specversion` is not 1.0".to_owned());
    }
    Ok(Event {
        message_id: message_id(&needed("ce-source")?, &needed("ce-id")?)?,
        subject: text("ce-subject")?,
        media_type: media_type.to_owned(),
        data: body,
    })
}

fn message_id(source: &str, id: &str) -> Result<String, String> {
    if source.is_empty() || id.is_empty() {
        return Err("`source` or `id` is empty".to_owned());
    }
    let mut hash = Sha256::new();
    hash.update((source.len() as u64).to_be_bytes());
    hash.update(source);
    hash.update(id);
    let hash = hash.finalize();
    Ok(format!("ce-{}", base64url::encode(hash.first_chunk::<24>().unwrap_or(&[0; 24]))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn structured_events() {
        let base = r#""specversion":"1.0","type":"t","id":"1","source":"/s""#;
        for (rest, media_type, data) in [
            (r#","data":{"a": 1}"#, "application/json", &br#"{"a": 1}"#[..]),
            (
                r#","datacontenttype":"application/vnd.x+json; v=2","data":"t""#,
                "application/vnd.x+json; v=2",
                b"\"t\"",
            ),
            (
                r#","datacontenttype":"application/EDIFACT","data":"UNB+\"'""#,
                "application/EDIFACT",
                b"UNB+\"'",
            ),
            (
                r#","datacontenttype":"application/EDI-X12","data_base64":"SVNB/+8=""#,
                "application/EDI-X12",
                b"ISA\xff\xef",
            ),
            (r#","subject":"h","x":[1]"#, "application/json", b""),
        ] {
            let event = structured(format!("{{{base}{rest}}}").as_bytes()).unwrap();
            assert_eq!((event.media_type.as_str(), event.data.as_slice()), (media_type, data));
        }
        for (json, why) in [
            ("{", "no CloudEvent"),
            (r#"{"specversion":"0.3","id":"1","source":"s"}"#, "specversion"),
            (r#"{"specversion":"1.0","id":"","source":"s"}"#, "empty"),
            (r#"{"specversion":"1.0","source":"s"}"#, "no CloudEvent"),
            (r#"{"specversion":"1.0","id":"1","source":"s","data":1,"data_base64":""}"#, "both"),
            (r#"{"specversion":"1.0","id":"1","source":"s","data_base64":"*"}"#, "base64"),
        ] {
            let said = structured(json.as_bytes()).unwrap_err();
            assert!(said.contains(why), "{json}: {said}");
        }
    }

    #[test]
    fn source_and_id_name_an_event() {
        let id = |source: &str, id: &str| message_id(source, id).unwrap();
        assert_eq!(id("a", "bc"), id("a", "bc"));
        assert_ne!(id("a", "bc"), id("ab", "c"));
        assert!(waybill_sealing::forms::is_message_id(&id("/é", "x y")));
    }

    #[test]
    fn binary_events() {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("ce-specversion", "1.0"),
            ("ce-id", "1"),
            ("ce-source", "/s"),
            ("ce-subject", "h%20%C3%A9%"),
        ] {
            headers.insert(name, HeaderValue::from_static(value));
        }
        assert!(is_binary(&headers) && !is_binary(&HeaderMap::new()));
        let event = binary(&headers, "application/EDIFACT", b"UNB".to_vec()).unwrap();
        assert_eq!(event.subject.as_deref(), Some("h é%"));
        let same = r#"{"specversion":"1.0","id":"1","source":"/s"}"#;
        assert_eq!(event.message_id, structured(same.as_bytes()).unwrap().message_id);
        headers.remove("ce-id");
        assert!(binary(&headers, "a/b", vec![]).unwrap_err().contains("ce-id"));
    }

    #[test]
    fn batches() {
        assert_eq!(batch(br#"[{"a":1}, 2]"#).unwrap().len(), 2);
        assert!(batch(b"{}").is_err());
    }
}
