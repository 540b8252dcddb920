//! `GET /.well-known/jwks.json`: the platform's keys that carriers seal for (RFC 7517 section 5).

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use sha2::{Digest, Sha256};
use waybill_sealing::base64url;

use crate::Gateway;
use crate::problem::{Code, Problem};

/// A new key is in the set before it is needed, and an old one opens for long after it has left: minutes do
/// no harm.
const CACHE: HeaderValue = HeaderValue::from_static("public, max-age=300");
const JWK_SET: HeaderValue = HeaderValue::from_static("application/jwk-set+json");

pub async fn key_set(State(gateway): State<Arc<Gateway>>, headers: HeaderMap) -> Response<Body> {
    let json = match gateway.keys.load().shown(gateway.now_ms()).to_json() {
        Ok(json) => json,
        Err(error) => return Problem::new(Code::Internal, error.to_string()).into_response(),
    };
    let tag = format!("\"{}\"", base64url::encode(Sha256::digest(&json)));
    let is_known = headers.get(header::IF_NONE_MATCH).is_some_and(|known| known == tag.as_str());
    let mut response = Response::new(if is_known { Body::empty() } else { Body::from(json) });
    if is_known {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
    }
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, JWK_SET);
    headers.insert(header::CACHE_CONTROL, CACHE);
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        headers.insert(header::ETAG, tag);
    }
    response
}
