//! What is found where, and what every answer has.

use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::body::Body;
use axum::extract::{Extension, MatchedPath, Request, State};
use axum::http::{HeaderValue, Response, header};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::routing::{MethodRouter, get, post};
use utoipa::Path as _;

use crate::Gateway;
use crate::caller::Peer;
use crate::metrics::metrics;
use crate::problem::{Code, Problem};
use crate::{docs, explain, home, key_set, openapi, publish, reading, status};

/// Each where its description says.
pub fn routes() -> [(String, MethodRouter<Arc<Gateway>>); 11] {
    [
        (home::__path_home::path(), get(home::home)),
        (publish::__path_publish::path(), post(publish::publish)),
        (reading::__path_event::path(), get(reading::event)),
        (reading::__path_shipment::path(), get(reading::shipment)),
        (reading::__path_rejects::path(), get(reading::rejects)),
        (reading::__path_usage::path(), get(reading::usage)),
        (status::__path_status::path(), get(status::status)),
        (explain::__path_explain::path(), post(explain::explain)),
        (key_set::__path_key_set::path(), get(key_set::key_set)),
        (openapi::__path_openapi::path(), get(openapi::openapi)),
        (docs::__path_docs::path(), get(docs::docs)),
    ]
}

pub fn router(gateway: Arc<Gateway>, is_tls: bool) -> Router {
    let each = routes().into_iter();
    each.fold(Router::new(), |router, (path, handler)| router.route(&path, handler))
        .fallback(|| async { Problem::new(Code::NotFound, "no such address").into_response() })
        .method_not_allowed_fallback(|| async {
            Problem::new(Code::MethodNotAllowed, "this address takes another method")
                .into_response()
        })
        .layer(from_fn_with_state(gateway.clone(), limited))
        .with_state(gateway)
        .layer(from_fn(move |request, next| watched(request, next, is_tls)))
}

/// A closed set, for the metrics: the route as it is described.
fn route(request: &Request) -> String {
    let matched = request.extensions().get::<MatchedPath>();
    matched.map_or("other", MatchedPath::as_str).to_owned()
}

/// Before anything else is done: whatever the address asks for.
async fn limited(
    State(gateway): State<Arc<Gateway>>,
    Extension(peer): Extension<Peer>,
    request: Request,
    next: Next,
) -> Response<Body> {
    match gateway.limits.request(peer.address) {
        Ok(()) => next.run(request).await,
        Err(problem) => problem.into_response(),
    }
}

async fn watched(request: Request, next: Next, is_tls: bool) -> Response<Body> {
    let route = route(&request);
    let began = Instant::now();
    let mut response = next.run(request).await;
    metrics().request_seconds.observe(began.elapsed().as_secs_f64());
    metrics().requests.with_label_values(&[&route, response.status().as_str()]).inc();
    let headers = response.headers_mut();
    let mut set = |name, value| headers.insert(name, HeaderValue::from_static(value));
    set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(header::REFERRER_POLICY, "no-referrer");
    if is_tls {
        set(header::STRICT_TRANSPORT_SECURITY, "max-age=31536000");
    }
    // Pages have their own.
    let nothing = HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'");
    headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(nothing);
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}
