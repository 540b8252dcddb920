//! `GET /.well-known/jwks.json`: the platform's keys that carriers seal for (RFC 7517 section 5).

use std::borrow::Cow;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, Response};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

use crate::Gateway;
use crate::cached::{IfKnown, cached};
use crate::openapi::refusals;
use crate::problem::{Code, Problem};

refusals!(Refusals: Code::RateLimited, Code::Internal);

/// A new key is in the set before it is needed, and an old one opens for long after it has left: so caches may
/// keep it.
#[utoipa::path(
    get, path = "/.well-known/jwks.json", operation_id = "keys", tag = "keys",
    summary = "The platform's public keys",
    description = "Newest first. Sealed events are for one of them (`kid`).",
    params(IfKnown),
    responses(
        (status = 200, description = "A JWK Set (RFC 7517)", body = KeySet,
            content_type = "application/jwk-set+json",
            headers(("ETag" = String, description = "Of this set"))),
        (status = 304, description = "It is the set of the `ETag` that was given"),
        Refusals,
    ),
    security(()),
)]
pub async fn key_set(State(gateway): State<Arc<Gateway>>, headers: HeaderMap) -> Response<Body> {
    match gateway.keys.load().shown(gateway.now_ms()).to_json() {
        Ok(json) => cached(&headers, "application/jwk-set+json", json),
        Err(error) => Problem::new(Code::Internal, error.to_string()).into_response(),
    }
}

/// What `waybill_sealing` writes. A test holds the two together.
struct KeySet;

impl PartialSchema for KeySet {
    fn schema() -> RefOr<Schema> {
        let text = || ObjectBuilder::new().schema_type(Type::String);
        let only = |value: &str| text().enum_values(Some([value]));
        let members = [
            ("kty", only("RSA")),
            ("use", only("enc")),
            ("alg", only(waybill_sealing::KEY_WRAPPING)),
            ("kid", text()),
            ("n", text().description(Some("The modulus, base64url"))),
            ("e", text().description(Some("The exponent, base64url"))),
        ];
        let key = members
            .into_iter()
            .fold(ObjectBuilder::new(), |key, (name, of)| key.property(name, of).required(name));
        ObjectBuilder::new()
            .property("keys", ArrayBuilder::new().items(key))
            .required("keys")
            .into()
    }
}

impl ToSchema for KeySet {
    fn name() -> Cow<'static, str> {
        "KeySet".into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use waybill_sealing::platform_key::PlatformKey;
    use waybill_sealing::rsa_key::JwkSet;

    #[test]
    fn the_description_has_the_members_of_a_key() {
        let schema = serde_json::to_value(KeySet::schema()).unwrap();
        let key = PlatformKey::generate("k", 2048).unwrap().public().clone();
        let set: serde_json::Value =
            serde_json::from_str(&JwkSet::of(vec![key]).to_json().unwrap()).unwrap();
        let names = |value: &serde_json::Value| -> Vec<String> {
            value.as_object().unwrap().keys().cloned().collect()
        };
        assert_eq!(names(&schema["properties"]), names(&set));
        let described = &schema["properties"]["keys"]["items"]["properties"];
        assert_eq!(names(described), names(&set["keys"][0]));
        for name in ["kty", "use", "alg"] {
            assert_eq!(described[name]["enum"][0], set["keys"][0][name], "{name}");
        }
    }
}
