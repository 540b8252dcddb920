use std::time::Duration;

use serde_json::Value;
use waybill_sealing::rsa_key::JwkSet;
use waybill_sealing::seal::{MAX_CONTENT_KEY_LIFE_MS, Message, Proof, Sealer, SealerConfig};
use waybill_sealing::signing_key::PrivateSigningKey;

use crate::{Deployment, Process, free_port};

/// A gateway that runs, and what a carrier asks it.
#[derive(Debug)]
pub struct Door {
    pub process: Process,
    pub port: u16,
}

/// What it answered.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Value,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Status and code of each result.
    pub fn results(&self) -> Vec<(&str, &str)> {
        let results = self.body["results"].as_array();
        let text = |value: &'static str, result| text(result, value);
        results.into_iter().flatten().map(|r| (text("status", r), text("code", r))).collect()
    }
}

fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    value[name].as_str().unwrap_or_default()
}

impl Door {
    /// Starts a gateway of the deployment, and waits until it is ready.
    pub fn open(d: &Deployment) -> Self {
        let mut door = Self::begin(d, &[]);
        door.process.wait_ready("gateway");
        door
    }

    /// Starts one and does not wait; `environment` is added to its environment.
    pub fn begin(d: &Deployment, environment: &[(&str, &str)]) -> Self {
        let port = free_port();
        let listen = format!("127.0.0.1:{port}");
        let mut all = vec![("WAYBILL_GATEWAY__LISTEN", listen.as_str())];
        all.extend(environment);
        Self { process: d.spawn("gateway", "1", &all), port }
    }

    /// Another one at the same port, once it is free.
    pub fn again(d: &Deployment, port: u16) -> Self {
        let listen = format!("127.0.0.1:{port}");
        let process = d.spawn("gateway", "1", &[("WAYBILL_GATEWAY__LISTEN", &listen)]);
        Self { process, port }
    }

    /// Publishes where perhaps nobody answers.
    pub fn try_publish(port: u16, media_type: &str, body: &str) -> Option<Answer> {
        let request = Self::agent().post(format!("http://127.0.0.1:{port}/v1/events"));
        let response = request.header("Content-Type", media_type).send(body).ok()?;
        Some(Self::answer(Ok(response)))
    }

    fn agent() -> ureq::Agent {
        let config = ureq::Agent::config_builder().http_status_as_error(false);
        config.timeout_global(Some(Duration::from_secs(60))).build().into()
    }

    fn answer(response: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> Answer {
        let mut response = response.unwrap();
        let text = |value: &ureq::http::HeaderValue| value.to_str().unwrap_or_default().to_owned();
        let headers = response.headers().iter();
        let headers =
            headers.map(|(name, value)| (name.as_str().to_owned(), text(value))).collect();
        let body = response.body_mut().read_to_string().unwrap_or_default();
        let body = serde_json::from_str(&body).unwrap_or(Value::String(body));
        Answer { status: response.status().as_u16(), headers, body }
    }

    /// `POST /v1/events`
    ///
    /// # Panics
    /// When no answer comes.
    pub fn publish(
        &self,
        media_type: &str,
        body: impl AsRef<[u8]>,
        headers: &[(&str, &str)],
    ) -> Answer {
        self.post("/v1/events", body, &[&[("Content-Type", media_type)], headers].concat())
    }

    /// # Panics
    /// When no answer comes.
    pub fn post(&self, path: &str, body: impl AsRef<[u8]>, headers: &[(&str, &str)]) -> Answer {
        let mut request = Self::agent().post(format!("http://127.0.0.1:{}{path}", self.port));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        Self::answer(request.send(body.as_ref()))
    }

    /// # Panics
    /// When no answer comes.
    pub fn get(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        let mut request = Self::agent().get(format!("http://127.0.0.1:{}{path}", self.port));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        Self::answer(request.call())
    }
}

/// Seals as a carrier does.
///
/// # Panics
/// When the carrier has no key in the deployment's folder.
pub fn sealer(d: &Deployment, carrier: &str, proof: Proof) -> Sealer {
    let pem = std::fs::read_to_string(d.folder.join(format!("{carrier}.pem"))).unwrap();
    let jwks = JwkSet::parse(&std::fs::read(d.jwks()).unwrap()).unwrap();
    Sealer::new(SealerConfig {
        issuer: carrier.to_owned(),
        audience: "waybill:test".to_owned(),
        platform_key: jwks.keys.into_iter().next().unwrap(),
        signing_key: PrivateSigningKey::from_pem(&pem, None).unwrap().into(),
        proof,
        content_key_life_ms: MAX_CONTENT_KEY_LIFE_MS,
    })
    .unwrap()
}

/// One event, sealed now.
///
/// # Panics
/// When it cannot be sealed.
pub fn seal(sealer: &mut Sealer, id: &str, media_type: &str, payload: &[u8]) -> String {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let message = Message { subject: "h-1", message_id: id, media_type, payload };
    sealer.seal(i64::try_from(now.as_millis()).unwrap(), &message).unwrap()
}
