//! What is outside: Kafka, ClickHouse, files, and who asks for metrics.

use std::net::SocketAddr;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use waybill_pkcs11::{Settings, Which};

use super::TableRetention;
use crate::exit::Failure;
use crate::secret::Secret;

/// How to reach Kafka. TLS and SASL as librdkafka has them.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Kafka {
    pub brokers: String,
    /// plaintext, ssl, sasl_plaintext or sasl_ssl
    pub security_protocol: String,
    /// Also beyond this machine.
    pub allow_plaintext: bool,
    /// PLAIN, SCRAM-SHA-256, SCRAM-SHA-512
    pub sasl_mechanism: Option<String>,
    pub sasl_username: Option<String>,
    /// From the environment only (`WAYBILL_KAFKA__SASL_PASSWORD`), or from the file below.
    pub sasl_password: Option<Secret>,
    pub sasl_password_file: Option<PathBuf>,
    pub ssl_ca_file: Option<PathBuf>,
    pub ssl_certificate_file: Option<PathBuf>,
    pub ssl_key_file: Option<PathBuf>,
    pub ssl_key_password: Option<Secret>,
    pub ssl_key_password_file: Option<PathBuf>,
}

impl Default for Kafka {
    fn default() -> Self {
        Self {
            brokers: "127.0.0.1:9092".to_owned(),
            security_protocol: "plaintext".to_owned(),
            allow_plaintext: false,
            sasl_mechanism: None,
            sasl_username: None,
            sasl_password: None,
            sasl_password_file: None,
            ssl_ca_file: None,
            ssl_certificate_file: None,
            ssl_key_file: None,
            ssl_key_password: None,
            ssl_key_password_file: None,
        }
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ClickHouse {
    /// http or https.
    pub url: String,
    /// http also beyond this machine.
    pub allow_plaintext: bool,
    pub database: String,
    pub user: Option<String>,
    pub password: Option<Secret>,
    pub password_file: Option<PathBuf>,
    /// Who signs the server's certificate, in place of the public authorities.
    pub ca_file: Option<PathBuf>,
    /// A certificate of ours, for a server that asks for one.
    pub certificate_file: Option<PathBuf>,
    pub key_file: Option<PathBuf>,
    pub retention: TableRetention,
}

impl Default for ClickHouse {
    fn default() -> Self {
        Self {
            url: "http://127.0.0.1:8123".to_owned(),
            allow_plaintext: false,
            database: "waybill".to_owned(),
            user: None,
            password: None,
            password_file: None,
            ca_file: None,
            certificate_file: None,
            key_file: None,
            retention: TableRetention::default(),
        }
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Keys {
    /// Platform keys (PKCS#8 PEM, mode 0600) and the internal key.
    pub folder: PathBuf,
    pub passphrase: Option<Secret>,
    pub passphrase_file: Option<PathBuf>,
    /// Take plain values on redrive, rejects and ledger: while what a build before 27 November 2026 wrote
    /// there is still to be read.
    pub accept_plain: bool,
    /// Platform keys are made and used in a PKCS#11 token.
    pub pkcs11: Option<Pkcs11>,
}

/// A PKCS#11 token. By `token_label` or by `slot`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pkcs11 {
    /// The shared library that the token's maker provides.
    pub module: PathBuf,
    pub token_label: Option<String>,
    pub slot: Option<u64>,
    /// From the environment only (`WAYBILL_KEYS__PKCS11__PIN`), or from the file below.
    pub pin: Option<Secret>,
    pub pin_file: Option<PathBuf>,
    /// For modules that want a text when they are initialized (p11-kit's `x-init-reserved`).
    pub parameters: Option<String>,
}

impl Pkcs11 {
    pub fn which(&self) -> Result<Which, Failure> {
        match (&self.token_label, self.slot) {
            (Some(label), None) => Ok(Which::Label(label.clone())),
            (None, Some(slot)) => Ok(Which::Slot(slot)),
            _ => Err(Failure::config("keys.pkcs11: give either token_label or slot")),
        }
    }

    /// Reads the PIN: only who uses the token needs it.
    pub fn settings(&self) -> Result<Settings, Failure> {
        let pin = Secret::of("keys.pkcs11.pin", &self.pin, &self.pin_file)?;
        let pin = pin.ok_or_else(|| Failure::config("keys.pkcs11.pin_file: must be given"))?;
        Ok(Settings {
            module: self.module.clone(),
            token: self.which()?,
            pin: pin.reveal().into(),
            parameters: self.parameters.clone(),
        })
    }
}

impl Default for Keys {
    fn default() -> Self {
        Self {
            folder: PathBuf::from("keys"),
            passphrase: None,
            passphrase_file: None,
            accept_plain: false,
            pkcs11: None,
        }
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Carriers {
    pub file: PathBuf,
}

impl Default for Carriers {
    fn default() -> Self {
        Self { file: PathBuf::from("carriers.json") }
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Metrics {
    /// `/metrics`, `/healthz`, `/readyz`.
    pub listen: SocketAddr,
}

impl Default for Metrics {
    fn default() -> Self {
        Self { listen: SocketAddr::from(([127, 0, 0, 1], 9600)) }
    }
}
