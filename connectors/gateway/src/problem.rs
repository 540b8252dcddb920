//! Errors as RFC 9457 has them. docs/errors.md lists every code; a test holds the two together.

use std::borrow::Cow;
use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderValue, Response, StatusCode, header};
use serde::Serialize;
use strum::{IntoStaticStr, VariantArray};
use utoipa::ToSchema;

use crate::results::Results;

pub const MEDIA_TYPE: &str = "application/problem+json";

/// What is wrong with a request as a whole. What is wrong with one message of it stands in that message's
/// result, under a code of docs/rejects.md or [`Code::as_str`] of one of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "snake_case")]
pub enum Code {
    /// The request is not of its form: see the detail.
    BadRequest,
    /// An API key or client certificate is needed and was not given, or is none of ours.
    Unauthenticated,
    /// The caller may not do this.
    Forbidden,
    /// There is nothing of this name that the caller may see.
    NotFound,
    MethodNotAllowed,
    /// Bytes came too slowly.
    RequestTimeout,
    /// The body, or a message in it, is longer than it may be.
    BodyTooLarge,
    /// The request has more messages than one may have.
    TooManyMessages,
    /// No content of this type is taken.
    UnsupportedMediaType,
    /// No message of the request was accepted: see the results.
    Rejected,
    /// More than the carrier or the address may send now.
    RateLimited,
    /// The gateway has as much in hand as it may.
    Overloaded,
    /// Kafka does not answer, or too slowly: nothing, or not all, is known to be accepted.
    Unavailable,
    /// What became of events cannot be looked up now.
    AnswersUnavailable,
    /// Ours.
    Internal,
}

impl Code {
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    pub fn status(self) -> StatusCode {
        match self {
            Self::BadRequest => StatusCode::BAD_REQUEST,
            Self::Unauthenticated => StatusCode::UNAUTHORIZED,
            Self::Forbidden => StatusCode::FORBIDDEN,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::RequestTimeout => StatusCode::REQUEST_TIMEOUT,
            Self::BodyTooLarge | Self::TooManyMessages => StatusCode::PAYLOAD_TOO_LARGE,
            Self::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Rejected => StatusCode::UNPROCESSABLE_ENTITY,
            Self::RateLimited => StatusCode::TOO_MANY_REQUESTS,
            Self::Overloaded | Self::Unavailable | Self::AnswersUnavailable => {
                StatusCode::SERVICE_UNAVAILABLE
            }
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// Whether the same request may pass later: then the answer says when to come again.
    pub fn is_for_now(self) -> bool {
        matches!(
            self,
            Self::RateLimited | Self::Overloaded | Self::Unavailable | Self::AnswersUnavailable
        )
    }

    pub fn title(self) -> &'static str {
        match self {
            Self::BadRequest => "The request is not of its form",
            Self::Unauthenticated => "An API key or a client certificate is needed",
            Self::Forbidden => "The caller may not do this",
            Self::NotFound => "There is nothing of this name",
            Self::MethodNotAllowed => "This address does not take this method",
            Self::RequestTimeout => "The request came too slowly",
            Self::BodyTooLarge => "The body is longer than it may be",
            Self::TooManyMessages => "The request has more messages than it may",
            Self::UnsupportedMediaType => "Content of this type is not taken",
            Self::Rejected => "No message was accepted",
            Self::RateLimited => "More was sent than may be now",
            Self::Overloaded => "The gateway is busy",
            Self::Unavailable => "The event log does not answer",
            Self::AnswersUnavailable => "What became of events cannot be looked up now",
            Self::Internal => "The gateway failed",
        }
    }
}

/// One error, for one caller.
#[derive(Debug)]
pub struct Problem {
    pub code: Code,
    pub detail: Cow<'static, str>,
    /// When to come again.
    pub retry_after: Option<Duration>,
    /// Of the messages that had been judged by then.
    pub results: Option<Results>,
}

/// What is wrong with a request: RFC 9457.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub struct Document {
    /// `urn:waybill:error:` and the code.
    #[schema(format = "uri", example = "urn:waybill:error:rate_limited")]
    r#type: String,
    /// For people.
    title: &'static str,
    /// The status of the answer, once more.
    status: u16,
    /// Stable: programs go by it.
    code: &'static str,
    /// For people: what was wrong with this request.
    detail: Cow<'static, str>,
    /// Of the messages that had been judged by then, in their order.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    results: Option<Results>,
}

impl Problem {
    pub fn new(code: Code, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { code, detail: detail.into(), retry_after: None, results: None }
    }

    pub fn after(self, pause: Duration) -> Self {
        Self { retry_after: Some(pause), ..self }
    }

    pub fn with(self, results: Results) -> Self {
        Self { results: Some(results), ..self }
    }

    pub fn into_response(self) -> Response<Body> {
        let status = self.code.status();
        let document = Document {
            r#type: format!("urn:waybill:error:{}", self.code.as_str()),
            title: self.code.title(),
            status: status.as_u16(),
            code: self.code.as_str(),
            detail: self.detail,
            results: self.results,
        };
        let mut response =
            Response::new(Body::from(serde_json::to_vec(&document).unwrap_or_default()));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        let json = HeaderValue::from_static(MEDIA_TYPE);
        headers.insert(header::CONTENT_TYPE, json);
        if let Some(pause) = self.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds_up(pause)));
        }
        if self.code == Code::Unauthenticated {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

/// Whole seconds, at least one.
pub fn seconds_up(pause: Duration) -> u64 {
    (pause.as_secs() + u64::from(pause.subsec_nanos() > 0)).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The table of docs/errors.md has every code with its status, and no other.
    #[test]
    fn errors_are_documented() {
        let page = include_str!("../../../docs/errors.md");
        let row = |line: &str| {
            let mut cells = line.strip_prefix("| `")?.split('|').map(str::trim);
            let code = cells.next()?.trim_end_matches('`').to_owned();
            Some((code, cells.next()?.parse::<u16>().ok()?))
        };
        let mut listed: Vec<_> = page.lines().filter_map(row).collect();
        let mut known: Vec<_> = Code::VARIANTS
            .iter()
            .map(|code| (code.as_str().to_owned(), code.status().as_u16()))
            .collect();
        listed.sort();
        known.sort();
        assert_eq!(listed, known);
    }

    #[tokio::test]
    async fn a_problem_is_a_document_of_rfc_9457() {
        let said = async |problem: Problem| {
            let response = problem.into_response();
            let body = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
            serde_json::from_slice::<serde_json::Value>(&body).unwrap()
        };
        let plain = serde_json::json!({
            "type": "urn:waybill:error:forbidden",
            "title": "The caller may not do this",
            "status": 403,
            "code": "forbidden",
            "detail": "no",
        });
        assert_eq!(said(Problem::new(Code::Forbidden, "no")).await, plain);
        let with = said(Problem::new(Code::Forbidden, "no").with(Results::default())).await;
        assert_eq!(with["results"], serde_json::json!([]));
    }

    #[test]
    fn a_pause_is_never_shorter_than_said() {
        for (ms, seconds) in [(0, 1), (1, 1), (1000, 1), (1001, 2), (59_999, 60)] {
            assert_eq!(seconds_up(Duration::from_millis(ms)), seconds);
        }
    }
}
