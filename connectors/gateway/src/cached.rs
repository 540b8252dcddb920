//! Answers that are the same for everybody, and that caches may keep.

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use sha2::{Digest, Sha256};
use utoipa::IntoParams;
use waybill_sealing::base64url;

/// Minutes: what is answered so changes seldom, and the old one does no harm meanwhile.
const CACHE: HeaderValue = HeaderValue::from_static("public, max-age=300");

/// For descriptions: what such an answer goes by.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[allow(dead_code)]
pub struct IfKnown {
    /// An `ETag` of before.
    #[param(rename = "If-None-Match", nullable = false)]
    if_none_match: Option<String>,
}

/// `asked`: the request's headers, by which whoever has the content already is told that it holds still.
pub fn cached(asked: &HeaderMap, media_type: &'static str, content: String) -> Response<Body> {
    let tag = format!("\"{}\"", base64url::encode(Sha256::digest(&content)));
    let is_known = asked.get(header::IF_NONE_MATCH).is_some_and(|known| known == tag.as_str());
    let mut response = Response::new(if is_known { Body::empty() } else { Body::from(content) });
    if is_known {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
    }
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    headers.insert(header::CACHE_CONTROL, CACHE);
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        headers.insert(header::ETAG, tag);
    }
    response
}
