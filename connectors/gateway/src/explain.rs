//! `POST /v1/explain`: what a message would be understood as. Nothing of it is stored, nor written to a log.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{Extension, State};
use axum::http::{HeaderMap, HeaderValue, Request, Response, header};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;
use waybill_decrypt::Scope;
use waybill_explain::{Explainer, Guess};

use crate::Gateway;
use crate::caller::{Caller, Peer, needed};
use crate::cloudevents;
use crate::explained::{Explained, Read};
use crate::incoming::{Incoming, announced, pass_over};
use crate::limits::Standing;
use crate::metrics::metrics;
use crate::openapi::refusals;
use crate::problem::{Code, Problem};
use crate::publish::CloudEvent;

/// Of a payload: sealed, it has a third more bytes, and may have no more than a sealed event has.
pub const PAYLOAD_BYTES: usize = waybill_sealing::MAX_SEALED / 4 * 3;
/// What a program says that does not know what it sends (curl says the last).
const SAYS_NOTHING: [&str; 8] = [
    "application/octet-stream",
    "text/plain",
    "application/json",
    "text/json",
    "application/xml",
    "text/xml",
    "application/binary",
    "application/x-www-form-urlencoded",
];

refusals!(Refusals:
    Code::BadRequest,
    Code::Unauthenticated,
    Code::Forbidden,
    Code::RequestTimeout,
    Code::BodyTooLarge,
    Code::UnsupportedMediaType,
    Code::RateLimited,
    Code::Internal,
    Code::Overloaded,
);

/// Reads messages, few at a time: each takes a processor, and memory (`waybill_formats::limits`).
#[derive(Debug)]
pub struct Reader {
    explainer: Arc<Explainer>,
    room: Arc<Semaphore>,
}

impl Reader {
    /// Leaves every other processor to what is published.
    pub fn new(explainer: Explainer) -> Self {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        let room = Semaphore::new((processors / 2).max(1));
        Self { explainer: Arc::new(explainer), room: Arc::new(room) }
    }

    /// Waits its turn.
    async fn place(&self, patience: Duration) -> Result<OwnedSemaphorePermit, Problem> {
        if let Ok(Ok(place)) = timeout(patience, self.room.clone().acquire_owned()).await {
            return Ok(place);
        }
        metrics().limited.with_label_values(&["explain"]).inc();
        let detail = "the gateway reads as many messages as it may; come again";
        Err(Problem::new(Code::Overloaded, detail).after(Duration::from_secs(1)))
    }
}

#[utoipa::path(
    post, path = "/v1/explain", operation_id = "explain", tag = "description",
    summary = "What a message would be understood as; nothing is stored",
    description = "One plain payload, as it would be before it is sealed: a registered format, or a CloudEvent in \
                   JSON. Without a `Content-Type` that names a format, it is guessed from the content. The message is \
                   read as if it had come just after the last thing that it tells of. It counts for the caller's \
                   limits as one that is published does.",
    request_body(
        description = "At most 675,000 bytes, without a Content-Encoding",
        content(
            (String = "application/octet-stream"),
            (CloudEvent = "application/cloudevents+json"),
        ),
    ),
    responses((status = 200, description = "How it would be read", body = Explained), Refusals),
    security(("bearer" = []), ("api_key" = []), ("certificate" = [])),
)]
pub async fn explain(
    State(gateway): State<Arc<Gateway>>,
    Extension(peer): Extension<Peer>,
    request: Request<Body>,
) -> Response<Body> {
    let (head, mut body) = request.into_parts();
    match answer(&gateway, &peer, &head.headers, &mut body).await {
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

async fn answer(
    gateway: &Gateway,
    peer: &Peer,
    headers: &HeaderMap,
    body: &mut Body,
) -> Result<Response<Body>, Problem> {
    let registry = gateway.registry.load_full();
    let caller = Caller::of(peer, headers, &registry, gateway.now_ms())?.ok_or_else(needed)?;
    caller.may_one_of(&[Scope::Publish, Scope::Read])?;
    let stated = stated(headers)?;
    let (settings, memory) = (&gateway.settings, &gateway.memory);
    let most = settings.body_bytes.min(PAYLOAD_BYTES);
    let mut incoming = Incoming::new(body, announced(headers), most, settings, memory)?;
    let payload = incoming.whole().await?;
    if payload.is_empty() {
        return Err(Problem::new(Code::BadRequest, "the body has no message"));
    }
    let carrier = registry.carriers.get(&caller.carrier_id).ok_or_else(needed)?;
    if let Standing::Over { pause, .. } = gateway.limits.work(carrier, payload.len()) {
        let detail = "more than the carrier may send now";
        return Err(Problem::new(Code::RateLimited, detail).after(pause));
    }
    let place = gateway.reader.place(settings.idle).await?;
    let (explainer, now) = (gateway.reader.explainer.clone(), gateway.now_ms());
    let failed = |error: &dyn std::fmt::Display| Problem::new(Code::Internal, error.to_string());
    let work = move || {
        // A guess has every format try: that is the most of the work.
        let (read, payload) = read_as(stated, payload)?;
        let found = explainer.explain(&caller.carrier_id, &read.media_type, payload, None, now);
        let answer = serde_json::to_vec(&Explained::new(&read, &found));
        drop(place);
        answer.map_err(|error| failed(&error))
    };
    // A panic's own text may hold what was read.
    let answer = tokio::task::spawn_blocking(work).await;
    let answer = answer.map_err(|_| failed(&"the message could not be read"))??;
    drop(incoming);
    let mut response = Response::new(Body::from(Bytes::from(answer)));
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    Ok(response)
}

/// The content's type, if the request says one that tells something.
fn stated(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let refuse = |detail: &'static str| Err(Problem::new(Code::UnsupportedMediaType, detail));
    if headers.get(header::CONTENT_ENCODING).is_some_and(|coding| coding != "identity") {
        return refuse("a Content-Encoding is not taken: send the body as it is");
    }
    let stated = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let Some(stated) = stated.map(str::trim).filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    match essence(stated).as_str() {
        "application/jose" => Err(sealed()),
        cloudevents::BATCH
        | "application/x-ndjson"
        | "application/ndjson"
        | "application/jsonl" => refuse("one message at a time can be explained"),
        essence if SAYS_NOTHING.contains(&essence) => Ok(None),
        _ => Ok(Some(stated.to_owned())),
    }
}

fn essence(media_type: &str) -> String {
    media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

fn sealed() -> Problem {
    let detail = "this is sealed, and cannot be read here: only the platform's decrypt has the key. Send the payload \
                  as it is before it is sealed; what became of a sealed event is found under its id";
    Problem::new(Code::UnsupportedMediaType, detail)
}

/// A JWE or JWS in Compact Serialization, alone, on a line, or in an array.
fn is_sealed(payload: &[u8]) -> bool {
    let at = payload.iter().position(|byte| !b" \t\r\n[\"".contains(byte)).unwrap_or_default();
    let text = payload.get(at..).unwrap_or_default();
    let of_token = |byte: &&u8| byte.is_ascii_alphanumeric() || b"-_.".contains(byte);
    let dots = text.iter().take_while(of_token).filter(|byte| **byte == b'.').count();
    text.starts_with(b"eyJ") && dots >= 2
}

/// By which type the payload is read, and the payload without what it is wrapped in.
fn read_as(stated: Option<String>, payload: Vec<u8>) -> Result<(Read, Vec<u8>), Problem> {
    if is_sealed(&payload) {
        return Err(sealed());
    }
    let (stated, payload) = match stated {
        Some(text) if essence(&text) == cloudevents::STRUCTURED => {
            let event = cloudevents::structured(&payload);
            let event = event.map_err(|why| Problem::new(Code::BadRequest, why))?;
            if is_sealed(&event.data) {
                return Err(sealed());
            }
            let says_something = !SAYS_NOTHING.contains(&essence(&event.media_type).as_str());
            (says_something.then_some(event.media_type), event.data)
        }
        stated => (stated, payload),
    };
    let read = match stated {
        Some(media_type) => {
            let format = waybill_formats::find(&media_type).ok();
            Read { format, media_type, guessed: false, others: Vec::new() }
        }
        None => match Guess::of(&payload) {
            Some(Guess { format, media_type, others }) => {
                Read { format: Some(format), media_type, guessed: true, others }
            }
            // What validate says of it is right: no format is registered for that.
            None => Read {
                format: None,
                media_type: "application/octet-stream".to_owned(),
                guessed: true,
                others: Vec::new(),
            },
        },
    };
    Ok((read, payload))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_is_told_from_what_is_not() {
        for text in
            ["eyJhbGciOi.a.b.c.d", "\n \"eyJhbGciOi.a.b.c.d\"\n", "[\"eyJh.a.b.c.d\"]", "eyJh.p.s"]
        {
            assert!(is_sealed(text.as_bytes()), "{text}");
        }
        for text in ["", "[]", "eyJhbGciOi", "{\"eyJ\": \"a.b.c\"}", "ISA*00*", "FSU/14\r\n"] {
            assert!(!is_sealed(text.as_bytes()), "{text}");
        }
    }

    #[tokio::test]
    async fn few_are_read_at_a_time_and_the_others_wait() {
        let tables = Arc::new(waybill_enrich::Tables::bundled());
        let enrich = waybill_enrich::Enrich::new(tables);
        let reader = Reader::new(Explainer::new(waybill_validate::Validate::default(), enrich));
        let (long, short) = (Duration::from_secs(60), Duration::from_millis(1));
        let mut held = Vec::new();
        while reader.room.available_permits() > 0 {
            held.push(reader.place(long).await.unwrap());
        }
        let refused = reader.place(short).await.unwrap_err();
        assert_eq!((refused.code, refused.retry_after.is_some()), (Code::Overloaded, true));
        let (waiting, ()) = tokio::join!(reader.place(long), async { drop(held.pop()) });
        assert!(waiting.is_ok());
    }

    #[test]
    fn a_type_that_says_nothing_is_guessed() {
        let of = |media_type: Option<&'static str>| {
            let mut headers = HeaderMap::new();
            if let Some(text) = media_type {
                headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(text));
            }
            stated(&headers).map_err(|problem| problem.code)
        };
        for nothing in [None, Some(""), Some("Application/JSON; charset=utf-8"), Some("text/plain")]
        {
            assert_eq!(of(nothing), Ok(None), "{nothing:?}");
        }
        assert_eq!(of(Some("application/EDIFACT")), Ok(Some("application/EDIFACT".to_owned())));
        for refused in ["application/jose", "application/x-ndjson", cloudevents::BATCH] {
            assert_eq!(of(Some(refused)), Err(Code::UnsupportedMediaType));
        }
    }

    #[test]
    fn a_payload_is_read_by_its_type_or_by_its_looks() {
        let read = |stated: Option<&str>, payload: &str| {
            let read = read_as(stated.map(str::to_owned), payload.as_bytes().to_vec());
            let (read, payload) = read.map_err(|problem| problem.code)?;
            Ok((read.media_type, read.guessed, String::from_utf8(payload).unwrap()))
        };
        let edifact = "UNB+UNOA:2+A+B+1:1+1'";
        let as_edifact =
            |guessed| Ok(("application/edifact".to_owned(), guessed, edifact.to_owned()));
        assert_eq!(read(Some("application/edifact"), edifact), as_edifact(false));
        assert_eq!(read(None, edifact), as_edifact(true));
        let event = |media_type: &str| {
            serde_json::json!({"specversion": "1.0", "id": "1", "source": "s", "type": "t",
                "datacontenttype": media_type, "data": edifact})
            .to_string()
        };
        let wrapped = Some(cloudevents::STRUCTURED);
        assert_eq!(read(wrapped, &event("application/edifact")), as_edifact(false));
        assert_eq!(read(wrapped, &event("text/plain")), as_edifact(true));
        assert_eq!(read(wrapped, "{}"), Err(Code::BadRequest));
        assert_eq!(read(None, "eyJ.a.b.c.d"), Err(Code::UnsupportedMediaType));
        let unknown = ("application/octet-stream".to_owned(), true, "hello".to_owned());
        assert_eq!(read(None, "hello"), Ok(unknown));
    }
}
