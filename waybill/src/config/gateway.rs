//! The gateway: where it listens, and what it bears.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use waybill_gateway::{CarrierLimits, Settings, TlsFiles};

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Gateway {
    pub listen: SocketAddr,
    /// Plain HTTP beyond this machine: where something before the gateway speaks TLS.
    pub allow_plaintext: bool,
    /// PEM, with what leads to its authority. With it the gateway speaks TLS.
    pub certificate_file: Option<PathBuf>,
    pub key_file: Option<PathBuf>,
    /// Authorities that sign carriers' certificates (mTLS).
    pub client_ca_file: Option<PathBuf>,
    /// The gateway's own signing key (PKCS#8 PEM): with it plain payloads are sealed for carriers that allow it.
    pub signing_key_file: Option<PathBuf>,
    pub max_body_bytes: usize,
    pub max_messages: usize,
    pub max_bytes_in_hand: usize,
    pub max_connections: usize,
    pub max_connections_per_address: usize,
    pub requests_per_second_per_address: u32,
    #[serde(with = "humantime_serde")]
    pub idle_timeout: Duration,
    #[serde(with = "humantime_serde")]
    pub request_timeout: Duration,
    pub carriers: GatewayCarriers,
}

/// What a carrier may do whose entry in carriers.json says nothing else.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct GatewayCarriers {
    pub messages_per_second: u32,
    pub burst: u32,
    pub bytes_per_second: u32,
    /// UTC, over all gateways.
    pub messages_per_day: Option<u64>,
    /// Count what is over a limit, and let it pass.
    pub dry_run: bool,
}

impl Default for GatewayCarriers {
    fn default() -> Self {
        let CarrierLimits {
            messages_per_second,
            burst,
            bytes_per_second,
            messages_per_day,
            dry_run,
        } = Settings::default().carriers;
        Self { messages_per_second, burst, bytes_per_second, messages_per_day, dry_run }
    }
}

impl Default for Gateway {
    fn default() -> Self {
        let settings = Settings::default();
        Self {
            listen: settings.listen,
            allow_plaintext: false,
            certificate_file: None,
            key_file: None,
            client_ca_file: None,
            signing_key_file: None,
            max_body_bytes: settings.body_bytes,
            max_messages: settings.messages,
            max_bytes_in_hand: settings.bytes_in_hand,
            max_connections: settings.connections,
            max_connections_per_address: settings.connections_per_address,
            requests_per_second_per_address: settings.requests_per_second_per_address,
            idle_timeout: settings.idle,
            request_timeout: settings.request,
            carriers: GatewayCarriers::default(),
        }
    }
}

impl Gateway {
    /// What is wrong with it.
    pub(super) fn refused(&self) -> Option<String> {
        let is_plain = self.certificate_file.is_none() && self.key_file.is_none();
        if self.certificate_file.is_some() != self.key_file.is_some() {
            return Some("gateway.certificate_file and gateway.key_file: give both".to_owned());
        }
        if is_plain && self.client_ca_file.is_some() {
            let why = "gateway.client_ca_file: certificates of clients need TLS; set certificate_file and key_file";
            return Some(why.to_owned());
        }
        if is_plain && !self.allow_plaintext && !self.listen.ip().to_canonical().is_loopback() {
            return Some(format!(
                "gateway.listen: plain HTTP on {}, which is not this machine alone: anybody on the way can read \
                 API keys and plain payloads. Set gateway.certificate_file and key_file, or \
                 gateway.allow_plaintext = true if something before it speaks TLS",
                self.listen
            ));
        }
        for (key, number) in [
            ("max_messages", self.max_messages),
            ("max_connections", self.max_connections),
            ("max_connections_per_address", self.max_connections_per_address),
            ("requests_per_second_per_address", self.requests_per_second_per_address as usize),
            ("carriers.messages_per_second", self.carriers.messages_per_second as usize),
            ("carriers.burst", self.carriers.burst as usize),
            ("carriers.bytes_per_second", self.carriers.bytes_per_second as usize),
            (
                "carriers.messages_per_day",
                self.carriers.messages_per_day.map_or(1, |day| day as usize),
            ),
        ] {
            if number == 0 {
                return Some(format!("gateway.{key}: at least 1"));
            }
        }
        let least = waybill_sealing::MAX_SEALED + 2;
        if self.max_body_bytes < least || self.max_bytes_in_hand < self.max_body_bytes {
            return Some(format!(
                "gateway.max_body_bytes: at least {least}, for one sealed event, and at most max_bytes_in_hand"
            ));
        }
        None
    }

    /// As the gateway takes them.
    pub fn settings(&self) -> Settings {
        let GatewayCarriers {
            messages_per_second,
            burst,
            bytes_per_second,
            messages_per_day,
            dry_run,
        } = self.carriers;
        let files = self.certificate_file.clone().zip(self.key_file.clone());
        Settings {
            listen: self.listen,
            tls: files.map(|(certificate, key)| TlsFiles {
                certificate,
                key,
                client_ca: self.client_ca_file.clone(),
            }),
            body_bytes: self.max_body_bytes,
            messages: self.max_messages,
            bytes_in_hand: self.max_bytes_in_hand,
            connections: self.max_connections,
            connections_per_address: self.max_connections_per_address,
            requests_per_second_per_address: self.requests_per_second_per_address,
            idle: self.idle_timeout,
            request: self.request_timeout,
            carriers: CarrierLimits {
                messages_per_second,
                burst,
                bytes_per_second,
                messages_per_day,
                dry_run,
            },
        }
    }
}
