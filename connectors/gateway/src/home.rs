//! `GET /`: the carriers' page. It has nothing of any carrier: with a key its script asks the API as anybody does.

use std::fmt::Write;
use std::sync::LazyLock;

use axum::body::Body;
use axum::http::Response;
use strum::VariantArray;
use utoipa::OpenApi;

use crate::explain::PAYLOAD_BYTES;
use crate::explained::Known;
use crate::openapi::{Description, refusals};
use crate::page::{Page, escaped};
use crate::problem::Code;
use waybill_stage::advice;

static PAGE: LazyLock<Page> = LazyLock::new(|| {
    let scripts = [
        include_str!("page/charts.js"),
        include_str!("page/board.js"),
        include_str!("page/check.js"),
        include_str!("page/home.js"),
    ];
    let filled = [
        ("most", PAYLOAD_BYTES.to_string()),
        ("options", options()),
        ("routes", routes()),
        ("formats", formats()),
        ("codes", codes()),
    ];
    Page::new(include_str!("page/home.html"), &[include_str!("page/home.css")], &scripts, &filled)
});

refusals!(Refusals: Code::RateLimited);

#[utoipa::path(
    get, path = "/", operation_id = "home", tag = "description",
    summary = "The carriers' page: your last day, the check of a file, the API",
    responses((status = 200, description = "The page", body = String, content_type = "text/html"), Refusals),
    security(()),
)]
pub async fn home() -> Response<Body> {
    PAGE.response()
}

fn row(cells: &[String]) -> String {
    let cells = cells.iter().fold(String::new(), |mut row, cell| {
        let _ = write!(row, "<td>{cell}</td>");
        row
    });
    format!("<tr>{cells}</tr>\n")
}

fn code(text: &str) -> String {
    format!("<code>{}</code>", escaped(text))
}

/// All but the page itself.
fn routes() -> String {
    let paths = Description::openapi().paths.paths;
    let each = paths.into_iter().filter(|(path, _)| path != "/").flat_map(|(path, item)| {
        let methods = [("GET", item.get), ("POST", item.post)];
        methods.into_iter().filter_map(move |(method, operation)| {
            let summary = operation?.summary.unwrap_or_default();
            Some(row(&[code(&format!("{method} {path}")), escaped(&summary)]))
        })
    });
    each.collect()
}

fn options() -> String {
    let each = Known::all().map(|(name, media_type)| {
        format!("<option value=\"{}\">{}</option>\n", escaped(&media_type), escaped(name))
    });
    each.collect()
}

fn formats() -> String {
    Known::all().map(|(name, media_type)| row(&[escaped(name), code(&media_type)])).collect()
}

fn codes() -> String {
    let all = waybill_stage::Code::VARIANTS.iter();
    all.filter_map(|known| {
        let advice = advice(known.as_str())?;
        Some(row(&[code(known.as_str()), prose(advice.meaning), prose(advice.what_to_do)]))
    })
    .collect()
}

/// A text of docs/rejects.md: names in back quotes, links without what they lead to.
fn prose(text: &str) -> String {
    let mut rest = text;
    let mut plain = String::new();
    while let Some((before, link)) = rest.split_once("](") {
        let (before, name) = before.rsplit_once('[').unwrap_or((before, ""));
        plain.extend([before, name]);
        rest = link.split_once(')').map_or("", |(_, rest)| rest);
    }
    plain.push_str(rest);
    let parts = plain.split('`').enumerate();
    parts.map(|(n, part)| if n % 2 == 1 { code(part) } else { escaped(part) }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_is_whole_and_asks_no_other_host() {
        crate::page::tests::check(&PAGE);
    }

    #[test]
    fn it_says_without_scripts_what_there_is() {
        let all = [routes(), formats(), codes(), options()].concat();
        for said in [
            "<td><code>POST /v1/events</code></td><td>Publish events</td>",
            "<td><code>GET /v1/status</code></td>",
            "<td>UN/EDIFACT IFTSTA, CODECO and COARRI</td><td><code>application/edifact</code></td>",
            "<td>USPS Web Tools, Track &amp; Confirm</td>",
            "<td><code>unparsable</code></td><td>the payload is not what its media type says</td>",
            "<td>use a registered one: formats.md</td>",
            "<option value=\"application/edi-x12\">",
        ] {
            assert!(all.contains(said), "{said}\n{all}");
        }
    }

    #[test]
    fn texts_of_our_documents_become_html() {
        assert_eq!(prose("`a<b` and [x.md](x.md); end"), "<code>a&lt;b</code> and x.md; end");
        assert_eq!(
            prose("`crit` other than `[\"grant\"]`"),
            "<code>crit</code> other than <code>[&quot;grant&quot;]</code>"
        );
    }
}
