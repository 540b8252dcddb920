//! What is found where, and what every answer has.

use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderValue, Response, header};
use axum::middleware::{Next, from_fn};
use axum::routing::{get, post};

use crate::Gateway;
use crate::key_set::key_set;
use crate::metrics::metrics;
use crate::problem::{Code, Problem};
use crate::publish::publish;
use crate::reading;

pub fn router(gateway: Arc<Gateway>, is_tls: bool) -> Router {
    Router::new()
        .route("/v1/events", post(publish))
        .route("/v1/events/{id}", get(reading::event))
        .route("/v1/shipments/{reference}", get(reading::shipment))
        .route("/v1/rejects", get(reading::rejects))
        .route("/v1/usage", get(reading::usage))
        .route("/.well-known/jwks.json", get(key_set))
        .fallback(|| async { Problem::new(Code::NotFound, "no such address").into_response() })
        .method_not_allowed_fallback(|| async {
            Problem::new(Code::MethodNotAllowed, "this address takes another method")
                .into_response()
        })
        .with_state(gateway)
        .layer(from_fn(move |request, next| watched(request, next, is_tls)))
}

/// A closed set, for the metrics.
fn route(path: &str) -> &'static str {
    let known = [
        ("/v1/events/", "/v1/events/{id}"),
        ("/v1/events", "/v1/events"),
        ("/v1/shipments/", "/v1/shipments/{reference}"),
        ("/v1/rejects", "/v1/rejects"),
        ("/v1/usage", "/v1/usage"),
        ("/.well-known/jwks.json", "/.well-known/jwks.json"),
    ];
    known.iter().find(|(begin, _)| path.starts_with(begin)).map_or("other", |(_, name)| name)
}

async fn watched(request: Request, next: Next, is_tls: bool) -> Response<Body> {
    let route = route(request.uri().path());
    let began = Instant::now();
    let mut response = next.run(request).await;
    metrics().request_seconds.observe(began.elapsed().as_secs_f64());
    metrics().requests.with_label_values(&[route, response.status().as_str()]).inc();
    let headers = response.headers_mut();
    let mut set = |name, value| headers.insert(name, HeaderValue::from_static(value));
    set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(header::REFERRER_POLICY, "no-referrer");
    set(header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'");
    if is_tls {
        set(header::STRICT_TRANSPORT_SECURITY, "max-age=31536000");
    }
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}
