//! `POST /v1/events`

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Extension, State};
use axum::http::{HeaderMap, HeaderValue, Request, Response, StatusCode, header};
use serde::Serialize;
use sha2::{Digest, Sha256};
use utoipa::openapi::OpenApi;
use utoipa::openapi::content::ContentBuilder;
use utoipa::openapi::schema::{ObjectBuilder, SchemaType, Type};
use utoipa::{IntoParams, Modify, ToSchema};
use waybill_sealing::base64url;

use crate::Gateway;
use crate::caller::{Caller, Peer};
use crate::cloudevents;
use crate::content::Content;
use crate::incoming::{Incoming, announced, pass_over};
use crate::intake::{Intake, Plain, Taken};
use crate::limits::Standing;
use crate::lines::Lines;
use crate::openapi::refusals;
use crate::problem::{Code, Problem, seconds_up};
use crate::quota::OfDay;
use crate::results::{Results, Status};

/// What names a batch whose answer was lost, so that the same again has the same ids.
const IDEMPOTENCY_KEY: &str = "idempotency-key";
/// The shipment handle of a plain payload: events of one handle keep their order.
const SHIPMENT: &str = "waybill-shipment";
/// Of a whole `application/jose` body, beyond the event: a line's end.
const SLACK: usize = 2;

/// Messages that were accepted, and perhaps some that were not.
#[derive(Debug, Serialize, ToSchema)]
struct Accepted {
    results: Results,
}

refusals!(Refusals:
    Code::BadRequest,
    Code::Unauthenticated,
    Code::Forbidden,
    Code::RequestTimeout,
    Code::BodyTooLarge,
    Code::TooManyMessages,
    Code::UnsupportedMediaType,
    Code::Rejected,
    Code::RateLimited,
    Code::Internal,
    Code::Overloaded,
    Code::Unavailable,
);

// What only the description has: requests are read by `content` and `cloudevents`.

/// Of a plain payload, which has no attributes of its own.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[allow(dead_code)]
struct Attributes {
    /// Names a payload: the same again ends as a duplicate.
    #[param(rename = "Idempotency-Key", nullable = false, min_length = 1, max_length = 256)]
    idempotency_key: Option<String>,
    /// The shipment handle: events of one handle keep their order.
    #[param(rename = "Waybill-Shipment", nullable = false)]
    waybill_shipment: Option<String>,
    /// `1.0`: the request is a CloudEvent in binary mode, as the other `ce-` headers say.
    #[param(rename = "ce-specversion", nullable = false)]
    ce_specversion: Option<String>,
    #[param(rename = "ce-id", nullable = false)]
    ce_id: Option<String>,
    #[param(rename = "ce-source", nullable = false)]
    ce_source: Option<String>,
    #[param(rename = "ce-type", nullable = false)]
    ce_type: Option<String>,
    /// The shipment handle.
    #[param(rename = "ce-subject", nullable = false)]
    ce_subject: Option<String>,
}

/// A JWE in Compact Serialization, as carriers seal.
#[derive(ToSchema)]
#[schema(value_type = String, format = "jwe")]
#[allow(dead_code)]
struct SealedEvent(String);

/// What of a CloudEvent 1.0 is read.
#[derive(ToSchema)]
#[allow(dead_code)]
pub struct CloudEvent {
    #[schema(pattern = "^1\\.0$")]
    specversion: String,
    /// With `source` it names the event: the same again ends as a duplicate.
    #[schema(min_length = 1)]
    id: String,
    #[schema(min_length = 1)]
    source: String,
    r#type: String,
    /// The shipment handle: events of one handle keep their order.
    #[schema(nullable = false)]
    subject: Option<String>,
    /// Of `data`: a registered format of docs/formats.md.
    #[schema(nullable = false)]
    datacontenttype: Option<String>,
    /// The payload, as JSON or as text.
    data: Option<serde_json::Value>,
    /// The payload, base64; not with `data`.
    #[schema(nullable = false)]
    data_base64: Option<String>,
}

/// Adds each registered format to the contents that may be published, and explained.
pub struct PlainPayloads;

impl Modify for PlainPayloads {
    fn modify(&self, document: &mut OpenApi) {
        for path in ["/v1/events", "/v1/explain"] {
            let path = document.paths.paths.get_mut(path);
            let body = path.and_then(|path| path.post.as_mut()?.request_body.as_mut());
            let Some(body) = body else { continue };
            for pattern in waybill_formats::all().flat_map(|format| format.patterns) {
                let is_json = pattern.essence.ends_with("json");
                let payload = match is_json {
                    true => ObjectBuilder::new().schema_type(SchemaType::AnyValue),
                    false => ObjectBuilder::new().schema_type(Type::String),
                };
                let content = ContentBuilder::new().schema(Some(payload)).build();
                body.content.insert(pattern.essence.to_owned(), content);
            }
        }
    }
}

#[utoipa::path(
    post, path = "/v1/events", operation_id = "publish", tag = "publish",
    summary = "Publish events",
    description = "Sealed events carry their own proof and need no key. A plain payload (a CloudEvent, or a \
                   registered format) is sealed by the gateway: it needs a key or a certificate, and the \
                   operator allows it, type by type. The answer comes when Kafka has confirmed.",
    params(Attributes),
    request_body(
        description = "By `Content-Type`; without a Content-Encoding. What is no JSON is read as it is sent.",
        content(
            (SealedEvent = "application/jose"),
            (String = "application/x-ndjson"),
            (Vec<SealedEvent> = "application/json"),
            (CloudEvent = "application/cloudevents+json"),
            (Vec<CloudEvent> = "application/cloudevents-batch+json"),
        ),
    ),
    responses(
        (status = 202, description = "At least one message was accepted: a result for each, in their order",
            body = Accepted,
            headers(
                ("RateLimit-Policy" = String, description = "draft-ietf-httpapi-ratelimit-headers-10"),
                ("RateLimit" = String, description = "What the carrier may send now"),
                ("Retry-After" = u64, description = "Seconds, where some were over the carrier's limit"),
            )),
        Refusals,
    ),
    security((), ("bearer" = []), ("api_key" = []), ("certificate" = [])),
)]
pub async fn publish(
    State(gateway): State<Arc<Gateway>>,
    Extension(peer): Extension<Peer>,
    request: Request<Body>,
) -> Response<Body> {
    let (head, mut body) = request.into_parts();
    match take(&gateway, &peer, &head.headers, &mut body).await {
        Ok(response) => response,
        Err(problem) => {
            // Who is over a limit is not read any further.
            if !matches!(problem.code, Code::RateLimited | Code::Overloaded) {
                pass_over(&mut body).await;
            }
            problem.into_response()
        }
    }
}

async fn take(
    gateway: &Gateway,
    peer: &Peer,
    headers: &HeaderMap,
    body: &mut Body,
) -> Result<Response<Body>, Problem> {
    gateway.check_kafka()?;
    let (registry, keys) = (gateway.registry.load_full(), gateway.keys.load_full());
    let caller = Caller::of(peer, headers, &registry, gateway.now_ms())?;
    let content = Content::of(headers)?;
    let is_plain =
        matches!(content, Content::CloudEvent | Content::CloudEvents | Content::Payload { .. });
    // Before anything is read.
    if is_plain && caller.is_none() {
        return Err(crate::caller::needed());
    }
    let (settings, memory) = (&gateway.settings, &gateway.memory);
    let mut incoming =
        Incoming::new(body, announced(headers), settings.body_bytes, settings, memory)?;
    let names = Names::of(headers, caller.as_ref())?;
    let mut intake = Intake::new(gateway, registry, keys, caller);
    let read = read(&content, headers, &names, &mut incoming, &mut intake).await;
    let taken = intake.finish().await;
    drop(incoming);
    answer(read, taken)
}

/// Ids of plain payloads, which have none of their own.
struct Names {
    /// Of what names the request, if anything does.
    base: Option<String>,
}

impl Names {
    fn of(headers: &HeaderMap, caller: Option<&Caller>) -> Result<Self, Problem> {
        let Some(key) = headers.get(IDEMPOTENCY_KEY) else { return Ok(Self { base: None }) };
        if !(1..=256).contains(&key.len()) {
            let detail = "Idempotency-Key: 1 to 256 characters";
            return Err(Problem::new(Code::BadRequest, detail));
        }
        let mut hash = Sha256::new();
        let carrier = caller.map(|caller| caller.carrier_id.as_str()).unwrap_or_default();
        hash.update((carrier.len() as u64).to_be_bytes());
        hash.update(carrier);
        hash.update(key.as_bytes());
        let hash = hash.finalize();
        let hash = base64url::encode(hash.first_chunk::<24>().unwrap_or(&[0; 24]));
        Ok(Self { base: Some(format!("ik-{hash}")) })
    }

    /// The id of the only payload of a request.
    fn only(&self) -> Result<String, Problem> {
        if let Some(base) = &self.base {
            return Ok(base.clone());
        }
        let mut random = [0; 18];
        waybill_sealing::fill_random(&mut random)
            .map_err(|error| Problem::new(Code::Internal, error.to_string()))?;
        Ok(format!("gw-{}", base64url::encode(random)))
    }
}

async fn read(
    content: &Content,
    headers: &HeaderMap,
    names: &Names,
    incoming: &mut Incoming<'_>,
    intake: &mut Intake<'_>,
) -> Result<(), Problem> {
    match content {
        Content::Sealed => {
            let body = incoming.whole().await?;
            let value = body.trim_ascii_end();
            // What is too long is that message's own reject.
            intake.sealed(if body.len() - value.len() <= SLACK { value } else { &body })
        }
        Content::SealedLines => {
            let mut lines = Lines::new(waybill_sealing::MAX_SEALED);
            while let Some(piece) = incoming.piece().await? {
                lines.push(&piece, |line| intake.sealed(unquoted(line)))?;
            }
            lines.end(|line| intake.sealed(unquoted(line)))
        }
        Content::SealedArray => {
            let body = incoming.whole().await?;
            let events: Vec<std::borrow::Cow<'_, str>> =
                serde_json::from_slice(&body).map_err(|e| {
                    let (line, column) = (e.line(), e.column());
                    Problem::new(
                        Code::BadRequest,
                        format!("no JSON array of sealed events: line {line}, column {column}"),
                    )
                })?;
            events.iter().try_for_each(|event| intake.sealed(event.as_bytes()))
        }
        Content::CloudEvent => {
            let body = incoming.whole().await?;
            cloud_event(cloudevents::structured(&body), intake)
        }
        Content::CloudEvents => {
            let body = incoming.whole().await?;
            let events = cloudevents::batch(&body);
            let events = events.map_err(|why| Problem::new(Code::BadRequest, why))?;
            let mut each = events.iter().map(|json| json.get().as_bytes());
            each.try_for_each(|json| cloud_event(cloudevents::structured(json), intake))
        }
        Content::Payload { media_type, is_cloud_event: true } => {
            let body = incoming.whole().await?;
            cloud_event(cloudevents::binary(headers, media_type, body), intake)
        }
        Content::Payload { media_type, is_cloud_event: false } => {
            let payload = incoming.whole().await?;
            let subject = headers.get(SHIPMENT).and_then(|value| value.to_str().ok());
            intake.plain(&Plain {
                message_id: names.only()?,
                subject: subject.map(str::to_owned),
                media_type: media_type.clone(),
                payload,
            })
        }
    }
}

/// A line of NDJSON is a JSON text: a JWE in quotes. Most send it bare.
fn unquoted(line: &[u8]) -> &[u8] {
    line.strip_prefix(b"\"").and_then(|line| line.strip_suffix(b"\"")).unwrap_or(line)
}

fn cloud_event(
    event: Result<cloudevents::Event, String>,
    intake: &mut Intake<'_>,
) -> Result<(), Problem> {
    match event {
        Ok(event) => intake.plain(&Plain {
            message_id: event.message_id,
            subject: event.subject,
            media_type: event.media_type,
            payload: event.data,
        }),
        Err(why) => {
            intake.check_number()?;
            intake.reject(None, waybill_stage::Code::Malformed.as_str(), why);
            Ok(())
        }
    }
}

fn answer(read: Result<(), Problem>, taken: Taken) -> Result<Response<Body>, Problem> {
    let Taken { results, standing } = taken;
    let pause = standing.and_then(Standing::pause);
    if let Err(problem) = read {
        // What was accepted before it went wrong is accepted.
        return Err(match results.is_empty() {
            true => problem,
            false => problem.with(results),
        });
    }
    if results.is_empty() {
        return Err(Problem::new(Code::BadRequest, "the body has no message"));
    }
    if results.count(Status::Unknown) > 0 {
        let detail = "Kafka did not confirm every message: send those again whose status is unknown; what it \
                      has after all becomes a duplicate";
        return Err(Problem::new(Code::Unavailable, detail)
            .with(results)
            .after(Duration::from_secs(1)));
    }
    if results.count(Status::Accepted) == 0 {
        return Err(match (results.are_all(Code::RateLimited.as_str()), pause) {
            (true, Some(pause)) => {
                let detail = "more than the carrier may send now, or in a day: see the results";
                Problem::new(Code::RateLimited, detail).after(pause)
            }
            _ => Problem::new(Code::Rejected, "no message was accepted: see the results"),
        }
        .with(results));
    }
    let body = serde_json::to_vec(&Accepted { results }).unwrap_or_default();
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = StatusCode::ACCEPTED;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if let Some(pause) = pause {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds_up(pause)));
    }
    // draft-ietf-httpapi-ratelimit-headers-10
    if let Some(Standing::Within { remaining, limit, per_second, of_day }) = standing {
        let mut set = |name: &'static str, text: String| {
            if let Ok(value) = HeaderValue::from_str(&text) {
                headers.insert(name, value);
            }
        };
        let window = limit.div_ceil(per_second.max(1));
        let until_full = limit.saturating_sub(remaining).div_ceil(per_second.max(1));
        let mut policy = format!("\"messages\";q={limit};w={window}");
        let mut stands = format!("\"messages\";r={remaining};t={until_full}");
        if let Some(OfDay { quota, remaining, left }) = of_day {
            policy.push_str(&format!(", \"day\";q={quota};w=86400"));
            stands.push_str(&format!(", \"day\";r={remaining};t={}", seconds_up(left)));
        }
        set("ratelimit-policy", policy);
        set("ratelimit", stands);
    }
    Ok(response)
}
