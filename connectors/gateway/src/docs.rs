//! `GET /v1/docs`: a page that shows the API from its description, and tries it.

use std::sync::{Arc, LazyLock};

use axum::body::Body;
use axum::extract::{Extension, State};
use axum::http::Response;

use crate::Gateway;
use crate::caller::Peer;
use crate::openapi::refusals;
use crate::page::Page;
use crate::problem::Code;

static PAGE: LazyLock<Page> = LazyLock::new(|| {
    let (style, script) = (include_str!("page/docs.css"), include_str!("page/docs.js"));
    Page::new(include_str!("page/docs.html"), &[style], &[script], &[])
});

refusals!(Refusals: Code::RateLimited);

#[utoipa::path(
    get, path = "/v1/docs", operation_id = "docs", tag = "description",
    summary = "A page to try this API",
    responses((status = 200, description = "The page", body = String, content_type = "text/html"), Refusals),
    security(()),
)]
pub async fn docs(
    State(gateway): State<Arc<Gateway>>,
    Extension(peer): Extension<Peer>,
) -> Response<Body> {
    if let Err(problem) = gateway.limits.request(peer.address) {
        return problem.into_response();
    }
    PAGE.response()
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_page_is_whole_and_asks_no_other_host() {
        crate::page::tests::check(&super::PAGE);
    }
}
