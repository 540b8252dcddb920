//! Sealed events over HTTPS to a gateway: `POST /v1/events`, compact JWEs as NDJSON.

mod reading;

use std::fmt;
use std::time::Duration;

use ureq::http::{HeaderMap, HeaderValue, Uri, header};
use ureq::tls::{Certificate, ClientCert, PemItem, PrivateKey, RootCerts, TlsConfig, parse_pem};
use ureq::{Agent, Error};

use crate::SealedEvent;
use crate::transport::{Sent, Transport, Trouble};
use reading::Said;

const CONNECT: Duration = Duration::from_secs(10);
/// For a whole request. A gateway ends one after 60 s.
const REQUEST: Duration = Duration::from_secs(90);
/// A gateway closes a connection that was idle for 10 s.
const IDLE: Duration = Duration::from_secs(5);
/// Of an answer: a thousand results have a tenth of it.
const ANSWER_BYTES: u64 = 8 << 20;

/// How to reach a gateway. Its `Debug` prints neither the key nor the certificate's.
#[derive(Clone, Default)]
pub struct Settings {
    /// `https://HOST[:PORT][/PREFIX]`; `http://` to this machine alone.
    pub url: String,
    /// Not needed for sealed events, which carry their own proof; with it signed events count as the carrier's
    /// own from the beginning, where limits are concerned.
    pub api_key: Option<String>,
    /// PEM: the authorities that are trusted, in place of the public ones.
    pub authorities: Option<Vec<u8>>,
    /// PEM: the carrier's certificate with its chain, and its private key.
    pub certificate: Option<(Vec<u8>, Vec<u8>)>,
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings").field("url", &self.url).finish_non_exhaustive()
    }
}

/// Settings that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unusable(pub String);

/// A gateway, as a transport.
pub struct Https {
    agent: Agent,
    url: String,
    authorization: Option<HeaderValue>,
}

impl fmt::Debug for Https {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Https").field("url", &self.url).finish_non_exhaustive()
    }
}

impl Https {
    pub fn new(settings: &Settings) -> Result<Self, Unusable> {
        let url = address(&settings.url)?;
        let authorization = settings.api_key.as_deref().map(bearer).transpose()?;
        let roots = match &settings.authorities {
            None => RootCerts::WebPki,
            Some(pem) => certificates("the authorities", pem)?.into(),
        };
        let own = match &settings.certificate {
            None => None,
            Some((chain, key)) => {
                let chain = certificates("the client's certificate", chain)?;
                let unusable = |e: Error| Unusable(format!("the client's key: {e}"));
                let key = PrivateKey::from_pem(key).map_err(unusable)?;
                Some(ClientCert::new_with_certs(&chain, key))
            }
        };
        let config = Agent::config_builder()
            .http_status_as_error(false)
            // A redirected POST would be a GET.
            .max_redirects(0)
            .max_redirects_will_error(false)
            .timeout_global(Some(REQUEST))
            .timeout_connect(Some(CONNECT))
            .max_idle_age(IDLE)
            .user_agent(concat!("waybill-publisher/", env!("CARGO_PKG_VERSION")))
            .tls_config(TlsConfig::builder().root_certs(roots).client_cert(own).build());
        Ok(Self { agent: config.build().into(), url, authorization })
    }

    fn ask(&self, body: &[u8]) -> Result<Said, Error> {
        let mut request = self.agent.post(&self.url);
        request = request.header(header::CONTENT_TYPE, "application/x-ndjson");
        if let Some(authorization) = &self.authorization {
            request = request.header(header::AUTHORIZATION, authorization);
        }
        let mut response = request.send(body)?;
        let text = |headers: &HeaderMap, name| {
            headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
        };
        Ok(Said {
            status: response.status().as_u16(),
            media_type: text(response.headers(), header::CONTENT_TYPE).unwrap_or_default(),
            retry_after: text(response.headers(), header::RETRY_AFTER),
            body: response.body_mut().with_config().limit(ANSWER_BYTES).read_to_vec()?,
        })
    }
}

impl Transport for Https {
    fn send(&mut self, events: &[&SealedEvent]) -> Sent {
        let lines: Vec<&str> = events.iter().map(|event| event.value()).collect();
        match self.ask(lines.join("\n").as_bytes()) {
            Ok(said) => {
                let ids: Vec<&str> = events.iter().map(|event| event.message_id()).collect();
                said.read(&ids)
            }
            Err(error) => trouble(&error, &self.url).into(),
        }
    }
}

/// Where events are published at this gateway.
fn address(url: &str) -> Result<String, Unusable> {
    let unusable = |why: &str| Unusable(format!("{url:?}: {why}"));
    let parsed: Uri = url.parse().map_err(|_| unusable("no URL"))?;
    let (Some(scheme), Some(host)) = (parsed.scheme_str(), parsed.host()) else {
        return Err(unusable("not https://HOST"));
    };
    if parsed.query().is_some() || parsed.authority().is_some_and(|a| a.as_str().contains('@')) {
        return Err(unusable("neither a user nor a query may be in it"));
    }
    match scheme {
        "https" => {}
        "http" if is_this_machine(host) => {}
        "http" => {
            return Err(unusable(
                "plain http to another machine: anybody on the way could change it. Use https",
            ));
        }
        _ => return Err(unusable("not https")),
    }
    Ok(format!("{}/v1/events", url.trim_end_matches('/')))
}

fn is_this_machine(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    match bare.parse::<std::net::IpAddr>() {
        Ok(address) => address.to_canonical().is_loopback(),
        Err(_) => host.eq_ignore_ascii_case("localhost"),
    }
}

fn bearer(key: &str) -> Result<HeaderValue, Unusable> {
    let wrong = |_| Unusable("the API key has characters that no key has".to_owned());
    let mut value = HeaderValue::from_str(&format!("Bearer {key}")).map_err(wrong)?;
    value.set_sensitive(true);
    Ok(value)
}

fn certificates(what: &str, pem: &[u8]) -> Result<Vec<Certificate<'static>>, Unusable> {
    let unusable = |why: String| Unusable(format!("{what}: {why}"));
    let mut found = Vec::new();
    for item in parse_pem(pem) {
        match item.map_err(|e| unusable(e.to_string()))? {
            PemItem::Certificate(certificate) => found.push(certificate),
            _ => continue,
        }
    }
    if found.is_empty() {
        return Err(unusable("no certificate in PEM".to_owned()));
    }
    Ok(found)
}

/// No answer came, or none in HTTP.
fn trouble(error: &Error, url: &str) -> Trouble {
    let why = format!("{url}: {error}");
    match error {
        // rustls says so of a certificate that it does not trust, and of what is no TLS.
        Error::Io(io) if io.kind() == std::io::ErrorKind::InvalidData => Trouble::refused(why),
        Error::Tls(_) | Error::Pem(_) | Error::Rustls(_) | Error::Http(_) | Error::BadUri(_) => {
            Trouble::refused(why)
        }
        Error::InvalidProxyUrl | Error::RequireHttpsOnly(_) => Trouble::refused(why),
        // What is longer is not the gateway's.
        Error::BodyExceedsLimit(_) | Error::Protocol(_) | Error::LargeResponseHeader(..) => {
            Trouble::refused(format!("{why}: this is not a gateway"))
        }
        _ => Trouble::away(why),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        let of = |url: &str| address(url).map_err(|Unusable(why)| why);
        assert_eq!(of("https://gate.example.org").unwrap(), "https://gate.example.org/v1/events");
        assert_eq!(of("https://gate/waybill/").unwrap(), "https://gate/waybill/v1/events");
        for near in ["http://127.0.0.1:8080", "http://[::1]:8080", "http://LOCALHOST:1"] {
            assert!(of(near).is_ok(), "{near}");
        }
        for (url, why) in [
            ("http://gate.example.org", "plain http to another machine"),
            ("http://localhost.example.org", "plain http to another machine"),
            ("ftp://gate", "not https"),
            ("gate.example.org", "not https://HOST"),
            ("https://user@gate", "neither a user"),
            ("https://gate?x=1", "neither a user"),
            ("https://a b", "no URL"),
        ] {
            assert!(of(url).unwrap_err().contains(why), "{url}: {:?}", of(url));
        }
    }

    #[test]
    fn what_is_no_pem_is_refused_and_nothing_secret_is_printed() {
        let settings = Settings {
            url: "https://gate".to_owned(),
            api_key: Some("wb-secret".to_owned()),
            authorities: Some(b"no PEM".to_vec()),
            certificate: None,
        };
        assert!(!format!("{settings:?}").contains("secret"));
        let refused = Https::new(&settings).unwrap_err().to_string();
        assert_eq!(refused, "the authorities: no certificate in PEM");
        let settings = Settings { authorities: None, ..settings };
        let https = Https::new(&settings).unwrap();
        assert!(!format!("{https:?}").contains("secret"));
        let broken = Settings { api_key: Some("a\nb".to_owned()), ..settings };
        assert!(Https::new(&broken).is_err());
    }
}
