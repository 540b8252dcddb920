//! `GET /v1/openapi.json`: the API as OpenAPI 3.1, from the handlers and the types that they answer with.
//! docs/openapi.json is a copy of it, which a test compares.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use axum::body::Body;
use axum::http::{HeaderMap, Response};
use utoipa::openapi::content::ContentBuilder;
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::schema::{AllOfBuilder, ObjectBuilder, Ref, Type};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{RefOr, ResponseBuilder, response};
use utoipa::{Modify, OpenApi};

use crate::cached::{IfKnown, cached};
use crate::problem::{self, Code};
use crate::publish::PlainPayloads;
use crate::{docs, explain, home, key_set, publish, reading, status};

/// All that a program needs to know of the gateway.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Waybill gateway",
        version = "1",
        description = "One door for carriers without Kafka: publish sealed events over HTTPS, and learn what \
                       became of each event and why. Errors are problem documents (RFC 9457) whose `code` is \
                       stable. What is no HTTP request is refused before any route, without a document: 400, \
                       and 431 for a head of more than 32 KiB.",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
    ),
    paths(
        publish::publish,
        reading::event,
        reading::shipment,
        reading::rejects,
        reading::usage,
        status::status,
        explain::explain,
        key_set::key_set,
        openapi,
        docs::docs,
        home::home,
    ),
    components(schemas(problem::Document)),
    modifiers(&Schemes, &PlainPayloads),
    tags(
        (name = "publish", description = "Events into the log"),
        (name = "answers", description = "What became of them. All of the caller's own: ids of others answer \
                                          as unknown ones do"),
        (name = "keys", description = "What carriers seal for"),
        (name = "description", description = "Of this API"),
    ),
)]
pub struct Description;

/// How a caller shows who it is.
struct Schemes;

impl Modify for Schemes {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let components = document.components.get_or_insert_default();
        let bearer = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some("An API key, of `waybill carriers key new`"))
            .build();
        components.add_security_scheme("bearer", SecurityScheme::Http(bearer));
        let header = ApiKeyValue::with_description("X-API-Key", "The same key");
        components.add_security_scheme("api_key", SecurityScheme::ApiKey(ApiKey::Header(header)));
        let certificate =
            "A client certificate whose subject is the carrier's (`carriers allow --certificate`)";
        let certificate = SecurityScheme::MutualTls {
            description: Some(certificate.to_owned()),
            extensions: None,
        };
        components.add_security_scheme("certificate", certificate);
    }
}

/// Names the codes that a handler refuses with, as a type for its description.
macro_rules! refusals {
    ($name:ident: $($code:expr),+ $(,)?) => {
        struct $name;

        impl utoipa::IntoResponses for $name {
            fn responses() -> std::collections::BTreeMap<
                String,
                utoipa::openapi::RefOr<utoipa::openapi::response::Response>,
            > {
                crate::openapi::problems(&[$($code),+])
            }
        }
    };
}
pub(crate) use refusals;

/// The answers that refuse with these codes, by their statuses.
pub fn problems(codes: &[Code]) -> BTreeMap<String, RefOr<response::Response>> {
    let mut by_status: BTreeMap<u16, Vec<Code>> = BTreeMap::new();
    for code in codes {
        by_status.entry(code.status().as_u16()).or_default().push(*code);
    }
    let each = by_status.into_iter();
    each.map(|(status, codes)| (status.to_string(), problem(status, &codes).into())).collect()
}

fn problem(status: u16, codes: &[Code]) -> response::Response {
    let said = codes.iter().map(|code| format!("`{}`: {}", code.as_str(), code.title()));
    let known = ObjectBuilder::new()
        .property(
            "status",
            ObjectBuilder::new().schema_type(Type::Integer).enum_values(Some([status])),
        )
        .property(
            "code",
            ObjectBuilder::new()
                .schema_type(Type::String)
                .enum_values(Some(codes.iter().map(|code| code.as_str()))),
        );
    let schema = AllOfBuilder::new().item(Ref::from_schema_name("Problem")).item(known);
    let mut response = ResponseBuilder::new()
        .description(said.collect::<Vec<_>>().join("; "))
        .content(problem::MEDIA_TYPE, ContentBuilder::new().schema(Some(schema)).build());
    if codes.iter().any(|code| code.is_for_now()) {
        let header = HeaderBuilder::new().schema(ObjectBuilder::new().schema_type(Type::Integer));
        let header = header.description(Some("Seconds, after which to come again"));
        response = response.header("Retry-After", header.build());
    }
    if codes.contains(&Code::Unauthenticated) {
        let header = HeaderBuilder::new().schema(ObjectBuilder::new().schema_type(Type::String));
        response = response.header("WWW-Authenticate", header.build());
    }
    response.build()
}

/// The document, as it is served and as docs/openapi.json has it.
static DOCUMENT: LazyLock<Result<String, serde_json::Error>> =
    LazyLock::new(|| Description::openapi().to_pretty_json());

refusals!(Refusals: Code::RateLimited, Code::Internal);

#[utoipa::path(
    get, path = "/v1/openapi.json", operation_id = "openapi", tag = "description",
    summary = "This document",
    params(IfKnown),
    responses(
        (status = 200, description = "OpenAPI 3.1", body = Object, content_type = "application/json",
            headers(("ETag" = String, description = "Of this document"))),
        (status = 304, description = "It is the document of the `ETag` that was given"),
        Refusals,
    ),
    security(()),
)]
pub async fn openapi(headers: HeaderMap) -> Response<Body> {
    match &*DOCUMENT {
        Ok(document) => cached(&headers, "application/json", document.clone()),
        Err(error) => problem::Problem::new(Code::Internal, error.to_string()).into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    /// `WAYBILL_BLESS=1` writes it anew.
    #[test]
    fn the_document_is_the_committed_one() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/openapi.json");
        let made = format!("{}\n", DOCUMENT.as_ref().unwrap());
        if std::env::var_os("WAYBILL_BLESS").is_some() {
            std::fs::write(&path, made).unwrap();
        } else {
            let committed = std::fs::read_to_string(&path).unwrap();
            assert!(
                committed == made,
                "docs/openapi.json is not what the code gives: see CONTRIBUTING.md, \"What tests write\""
            );
        }
    }

    /// What is routed is described, and what is described is routed.
    #[test]
    fn every_route_is_described() {
        let described = Description::openapi().paths.paths.into_keys();
        let mut routed: Vec<String> =
            crate::routes::routes().into_iter().map(|(path, _)| path).collect();
        routed.sort();
        let mut described: Vec<String> = described.collect();
        described.sort();
        assert_eq!(routed, described);
    }
}
