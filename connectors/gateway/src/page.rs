//! `GET /v1/docs`: a page that shows the API from its description, and tries it.

use std::sync::{Arc, LazyLock};

use axum::body::Body;
use axum::extract::{Extension, State};
use axum::http::{HeaderValue, Response, header};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use crate::Gateway;
use crate::caller::Peer;
use crate::openapi::refusals;
use crate::problem::Code;

const SCRIPT: &str = include_str!("page/docs.js");
const STYLE: &str = include_str!("page/docs.css");
const FRAME: &str = include_str!("page/docs.html");

/// The page, whole: a gateway behind any prefix has then no further address to serve.
static PAGE: LazyLock<String> =
    LazyLock::new(|| FRAME.replace("/* style */", STYLE).replace("/* script */", SCRIPT));

/// Only the script and style that are in the page run, known by their hashes; it talks to its own gateway
/// alone, and no text becomes markup.
static POLICY: LazyLock<Option<HeaderValue>> = LazyLock::new(|| {
    let hash = |text: &str| STANDARD.encode(Sha256::digest(text));
    let policy = format!(
        "default-src 'none'; script-src 'sha256-{}'; style-src 'sha256-{}'; connect-src 'self'; base-uri 'none'; \
         form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'",
        hash(SCRIPT),
        hash(STYLE)
    );
    HeaderValue::from_str(&policy).ok()
});

refusals!(Refusals: Code::RateLimited);

#[utoipa::path(
    get, path = "/v1/docs", operation_id = "docs", tag = "description",
    summary = "A page to try this API",
    responses((status = 200, description = "The page", body = String, content_type = "text/html"), Refusals),
    security(()),
)]
pub async fn page(
    State(gateway): State<Arc<Gateway>>,
    Extension(peer): Extension<Peer>,
) -> Response<Body> {
    if let Err(problem) = gateway.limits.request(peer.address) {
        return problem.into_response();
    }
    let mut response = Response::new(Body::from(PAGE.as_str()));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    if let Some(policy) = &*POLICY {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy.clone());
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_is_whole_and_asks_no_other_host() {
        assert!(PAGE.contains(&format!("<script>{SCRIPT}</script>")), "or its hash is another");
        assert!(PAGE.contains(&format!("<style>{STYLE}</style>")));
        for outside in ["http:", "https:", "src=", "@import", "url(", "innerHTML", "style="] {
            assert!(!PAGE.contains(outside), "{outside}");
        }
        assert!(POLICY.is_some());
    }
}
