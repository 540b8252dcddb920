//! What a request's content is, by its type.

use axum::http::{HeaderMap, header};

use crate::cloudevents;
use crate::problem::{Code, Problem};

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// `application/jose`: one sealed event.
    Sealed,
    /// `application/x-ndjson`: sealed events, one a line.
    SealedLines,
    /// `application/json`: an array of sealed events.
    SealedArray,
    /// A CloudEvent in JSON.
    CloudEvent,
    /// Many.
    CloudEvents,
    /// A payload whose attributes, if any, are in the headers.
    Payload { media_type: String, is_cloud_event: bool },
}

impl Content {
    pub fn of(headers: &HeaderMap) -> Result<Self, Problem> {
        let refuse = |detail: &'static str| Err(Problem::new(Code::UnsupportedMediaType, detail));
        if headers.get(header::CONTENT_ENCODING).is_some_and(|coding| coding != "identity") {
            return refuse("a Content-Encoding is not taken: send the body as it is");
        }
        let media_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let Some(media_type) = media_type.map(str::trim).filter(|text| text.contains('/')) else {
            return refuse(
                "Content-Type is absent: application/jose for a sealed event, application/x-ndjson for many",
            );
        };
        let essence = media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        Ok(match essence.as_str() {
            "application/jose" => Self::Sealed,
            "application/x-ndjson" | "application/ndjson" | "application/jsonl" => {
                Self::SealedLines
            }
            cloudevents::STRUCTURED => Self::CloudEvent,
            cloudevents::BATCH => Self::CloudEvents,
            "application/json" if !cloudevents::is_binary(headers) => Self::SealedArray,
            _ => Self::Payload {
                media_type: media_type.to_owned(),
                is_cloud_event: cloudevents::is_binary(headers),
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn by_type() {
        let of = |media_type: Option<&'static str>, more: &[(&'static str, &'static str)]| {
            let mut headers = HeaderMap::new();
            if let Some(media_type) = media_type {
                headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
            }
            for (name, value) in more {
                headers.insert(*name, HeaderValue::from_static(value));
            }
            Content::of(&headers).map_err(|problem| problem.code)
        };
        let payload = |media_type: &str, is_cloud_event| {
            Ok(Content::Payload { media_type: media_type.to_owned(), is_cloud_event })
        };
        let ce: &[_] = &[("ce-specversion", "1.0")];
        assert_eq!(of(Some("Application/JOSE"), &[]), Ok(Content::Sealed));
        assert_eq!(of(Some("application/x-ndjson; charset=utf-8"), &[]), Ok(Content::SealedLines));
        assert_eq!(of(Some("application/json"), &[]), Ok(Content::SealedArray));
        assert_eq!(of(Some("application/cloudevents+json"), &[]), Ok(Content::CloudEvent));
        assert_eq!(of(Some("application/cloudevents-batch+json"), &[]), Ok(Content::CloudEvents));
        let edifact = "application/EDIFACT; v=1";
        assert_eq!(of(Some(edifact), &[]), payload(edifact, false));
        assert_eq!(of(Some(edifact), ce), payload(edifact, true));
        assert_eq!(of(Some("application/json"), ce), payload("application/json", true));
        for refused in [
            of(None, &[]),
            of(Some("json"), &[]),
            of(Some("application/jose"), &[("content-encoding", "gzip")]),
        ] {
            assert_eq!(refused, Err(Code::UnsupportedMediaType));
        }
    }
}
