//! Who asks. Sealed events carry their own proof; for everything else a caller shows an API key or a client
//! certificate. All failures look alike.

use std::net::IpAddr;
use std::sync::{Arc, LazyLock};

use axum::http::{HeaderMap, header};
use waybill_decrypt::{ApiKey, Scope, Status};

use crate::metrics::metrics;
use crate::problem::{Code, Problem};
use crate::registry::Registry;

/// The other end of a connection.
#[derive(Clone, Debug)]
pub struct Peer {
    pub address: IpAddr,
    /// Of its certificate, which an authority that is trusted has signed.
    pub subject: Option<Arc<str>>,
}

/// A carrier that has shown who it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    pub carrier_id: String,
    scopes: Vec<Scope>,
}

/// Nobody's key: what is held against it when there is no other takes as long.
static NOBODY: LazyLock<Option<ApiKey>> = LazyLock::new(|| {
    ApiKey::generate(Vec::new(), jiff::Timestamp::UNIX_EPOCH, None).ok().map(|new| new.key)
});

impl Caller {
    /// Who shows a key or a certificate; `None` if neither is shown. A key goes before a certificate, which
    /// a whole company's connections may have.
    pub fn of(
        peer: &Peer,
        headers: &HeaderMap,
        registry: &Registry,
        now_ms: i64,
    ) -> Result<Option<Self>, Problem> {
        if let Some(text) = api_key(headers)? {
            return Self::by_key(text, registry, now_ms).map(Some);
        }
        let Some(subject) = &peer.subject else { return Ok(None) };
        let Some(carrier) = registry.of_subject(subject) else { return Err(refused("subject")) };
        if carrier.status == Status::Suspended {
            return Err(refused("suspended"));
        }
        let scopes = vec![Scope::Publish, Scope::Read];
        Ok(Some(Self { carrier_id: carrier.id().to_owned(), scopes }))
    }

    fn by_key(text: &str, registry: &Registry, now_ms: i64) -> Result<Self, Problem> {
        let found = ApiKey::id_in(text).and_then(|id| registry.of_key(id));
        let Some((carrier, key)) = found else {
            let _ = NOBODY.as_ref().map(|nobody| nobody.is(text, now_ms));
            return Err(refused("key"));
        };
        if !key.is(text, now_ms) {
            return Err(refused("key"));
        }
        if carrier.status == Status::Suspended {
            return Err(refused("suspended"));
        }
        Ok(Self { carrier_id: carrier.id().to_owned(), scopes: key.scopes.clone() })
    }

    pub fn may(&self, scope: Scope) -> Result<(), Problem> {
        self.may_one_of(&[scope])
    }

    /// Whether it has one of these scopes at least.
    pub fn may_one_of(&self, scopes: &[Scope]) -> Result<(), Problem> {
        if scopes.iter().any(|scope| self.scopes.contains(scope)) {
            return Ok(());
        }
        metrics().callers_refused.with_label_values(&["scope"]).inc();
        let scopes: Vec<String> = scopes.iter().map(|scope| format!("`{scope}`")).collect();
        let detail = format!("the API key has not the scope {}", scopes.join(" or "));
        Err(Problem::new(Code::Forbidden, detail))
    }
}

/// `Authorization: Bearer KEY` (RFC 6750), or `X-API-Key: KEY`.
fn api_key(headers: &HeaderMap) -> Result<Option<&str>, Problem> {
    if let Some(value) = headers.get("x-api-key") {
        return value.to_str().map(Some).map_err(|_| refused("key"));
    }
    let Some(value) = headers.get(header::AUTHORIZATION) else { return Ok(None) };
    let text = value.to_str().map_err(|_| refused("key"))?;
    match text.split_once(' ') {
        Some((scheme, key)) if scheme.eq_ignore_ascii_case("bearer") => Ok(Some(key.trim())),
        _ => Err(refused("scheme")),
    }
}

/// The same words whatever it was; the metric knows.
fn refused(why: &str) -> Problem {
    metrics().callers_refused.with_label_values(&[why]).inc();
    needed()
}

/// What nobody gets who shows nothing.
pub fn needed() -> Problem {
    Problem::new(
        Code::Unauthenticated,
        "send a valid API key as `Authorization: Bearer …`, or use a client certificate that is registered",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;
    use jiff::Timestamp;
    use waybill_decrypt::{Carrier, Carriers};

    const NOW: i64 = 1_000_000;

    struct World {
        registry: Registry,
        key: String,
        expired: String,
    }

    fn world(status: Status) -> World {
        let make = |scopes: &[Scope], expires: Option<i64>| {
            let expires = expires.map(|ms| Timestamp::from_millisecond(ms).unwrap());
            ApiKey::generate(scopes.to_vec(), Timestamp::UNIX_EPOCH, expires).unwrap()
        };
        let (key, expired) = (make(&[Scope::Read], None), make(&[Scope::Read], Some(NOW)));
        let mut acme = Carrier::new("acme", "Acme").unwrap();
        acme.status = status;
        acme.access.api_keys = vec![key.key, expired.key];
        acme.access.certificates = vec!["CN=edi, O=Acme".to_owned()];
        let mut carriers = Carriers::default();
        carriers.insert(acme).unwrap();
        World { registry: Registry::new(carriers), key: key.text, expired: expired.text }
    }

    fn ask(
        world: &World,
        header: Option<(&str, &str)>,
        subject: Option<&str>,
    ) -> Result<Option<Caller>, Problem> {
        let mut headers = HeaderMap::new();
        if let Some((name, value)) = header {
            let name: axum::http::HeaderName = name.parse().unwrap();
            headers.insert(name, HeaderValue::from_str(value).unwrap());
        }
        let peer = Peer { address: [127, 0, 0, 1].into(), subject: subject.map(Arc::from) };
        Caller::of(&peer, &headers, &world.registry, NOW)
    }

    #[test]
    fn a_key_or_a_certificate_shows_who_calls() {
        let world = world(Status::Active);
        let bearer = format!("Bearer {}", world.key);
        let caller = ask(&world, Some(("authorization", &bearer)), None).unwrap().unwrap();
        assert_eq!(caller.carrier_id, "acme");
        assert!(caller.may(Scope::Read).is_ok());
        assert_eq!(caller.may(Scope::Publish).unwrap_err().code, Code::Forbidden);
        assert_eq!(ask(&world, Some(("x-api-key", &world.key)), None).unwrap(), Some(caller));

        let caller = ask(&world, None, Some("CN=edi, O=Acme")).unwrap().unwrap();
        assert!(caller.may(Scope::Publish).is_ok() && caller.may(Scope::Read).is_ok());
        assert_eq!(ask(&world, None, None).unwrap(), None);
    }

    #[test]
    fn failures_look_alike() {
        let active = world(Status::Active);
        let mut said = Vec::new();
        let mut refuse = |world: &World, header: Option<(&str, &str)>, subject: Option<&str>| {
            let problem = ask(world, header, subject).unwrap_err();
            said.push((problem.code, problem.detail));
        };
        let wrong_secret = format!("{}A", &active.key[..active.key.len() - 1]);
        for key in [&active.expired, &wrong_secret, "waybill_none.none", "", "é"] {
            refuse(&active, Some(("x-api-key", key)), None);
            // Whoever shows a wrong key is not who the certificate says.
            refuse(&active, Some(("x-api-key", key)), Some("CN=edi, O=Acme"));
        }
        refuse(&active, Some(("authorization", "Basic YTpi")), None);
        refuse(&active, None, Some("CN=other"));
        let suspended = world(Status::Suspended);
        refuse(&suspended, Some(("x-api-key", &suspended.key)), None);
        refuse(&suspended, None, Some("CN=edi, O=Acme"));
        let first = (needed().code, needed().detail);
        assert!(said.iter().all(|one| *one == first), "{said:?}");
    }
}
