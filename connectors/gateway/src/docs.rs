//! `GET /v1/docs`: a page that shows the API from its description, and tries it.

use std::sync::LazyLock;

use axum::body::Body;
use axum::http::Response;

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
pub async fn docs() -> Response<Body> {
    PAGE.response()
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_page_is_whole_and_asks_no_other_host() {
        crate::page::tests::check(&super::PAGE);
    }
}
