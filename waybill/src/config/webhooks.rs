//! Webhooks: what may be asked, and how much of it at once.

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use waybill_webhooks::{Allowed, Bounds, PlatformSecret, Times};

use crate::exit::Failure;

/// Longer requests would outlive the wait for them when partitions move.
const LONGEST_REQUEST: Duration = Duration::from_secs(60);

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Webhooks {
    /// What endpoints' secrets are derived from (`carriers init` makes it): 32 bytes in base64url.
    pub master_key_file: Option<PathBuf>,
    /// PEM: the authorities that sign endpoints' certificates; they alone are trusted then.
    pub ca_file: Option<PathBuf>,
    /// Networks beside public addresses that endpoints may be in, such as `10.1.0.0/16`.
    pub allow_addresses: Vec<String>,
    /// Ports beside 443.
    pub allow_ports: Vec<u16>,
    /// A request may take so long, …
    #[serde(with = "humantime_serde")]
    pub request_timeout: Duration,
    /// … and each step of it: to find the address, to connect, to agree on TLS.
    #[serde(with = "humantime_serde")]
    pub step_timeout: Duration,
    pub max_requests: usize,
    pub max_requests_per_endpoint: usize,
    /// Deliveries that wait; beyond it one is dead at once, and can be replayed.
    pub max_open: usize,
    pub max_open_per_endpoint: usize,
    /// Of their payloads in memory; the others stay on the topic.
    pub max_bytes_in_hand: usize,
    pub max_bytes_per_endpoint: usize,
    /// For so long a delivery is tried.
    #[serde(with = "humantime_serde")]
    pub give_up_after: Duration,
}

impl Default for Webhooks {
    fn default() -> Self {
        Self {
            master_key_file: None,
            ca_file: None,
            allow_addresses: Vec::new(),
            allow_ports: Vec::new(),
            request_timeout: Duration::from_secs(15),
            step_timeout: Duration::from_secs(5),
            max_requests: 128,
            max_requests_per_endpoint: 4,
            max_open: 200_000,
            max_open_per_endpoint: 50_000,
            max_bytes_in_hand: 64 << 20,
            max_bytes_per_endpoint: 2 << 20,
            give_up_after: Duration::from_secs(86_400),
        }
    }
}

impl Webhooks {
    /// What is wrong with it.
    pub(super) fn refused(&self) -> Option<String> {
        if let Err(failure) = self.allowed() {
            return Some(failure.message);
        }
        for (key, number) in [
            ("max_requests", self.max_requests),
            ("max_requests_per_endpoint", self.max_requests_per_endpoint),
            ("max_open", self.max_open),
            ("max_open_per_endpoint", self.max_open_per_endpoint),
        ] {
            if number == 0 {
                return Some(format!("webhooks.{key}: at least 1"));
            }
        }
        if self.request_timeout > LONGEST_REQUEST || self.step_timeout > self.request_timeout {
            return Some(
                "webhooks.request_timeout: at most 60s, and no less than step_timeout".to_owned(),
            );
        }
        let day = Duration::from_secs(86_400);
        (self.give_up_after > day).then(|| {
            "webhooks.give_up_after: at most 1d: the topic must keep what is open, and what may be replayed"
                .to_owned()
        })
    }

    pub fn allowed(&self) -> Result<Allowed, Failure> {
        let network = |text: &String| {
            text.parse().map_err(|_| {
                Failure::config(format!(
                    "webhooks.allow_addresses: {text:?} is no network, such as 10.1.0.0/16"
                ))
            })
        };
        let addresses = self.allow_addresses.iter().map(network).collect::<Result<_, _>>()?;
        Ok(Allowed { addresses, ports: self.allow_ports.clone() })
    }

    pub fn bounds(&self) -> Bounds {
        Bounds {
            requests: self.max_requests,
            requests_each: self.max_requests_per_endpoint,
            open: self.max_open,
            open_each: self.max_open_per_endpoint,
            bytes: self.max_bytes_in_hand,
            bytes_each: self.max_bytes_per_endpoint,
            patience_ms: i64::try_from(self.give_up_after.as_millis()).unwrap_or(i64::MAX),
        }
    }

    pub fn times(&self) -> Times {
        Times { step: self.step_timeout, all: self.request_timeout }
    }

    /// What endpoints' secrets are derived from.
    pub fn secret(&self) -> Result<PlatformSecret, Failure> {
        let Some(file) = &self.master_key_file else {
            return Err(Failure::config(
                "webhooks.master_key_file: must be set; `waybill carriers init` makes it",
            ));
        };
        let wrong = |why: String| {
            Failure::config(format!("webhooks.master_key_file: {}: {why}", file.display()))
        };
        let text = std::fs::read_to_string(file).map_err(|e| wrong(e.to_string()))?;
        PlatformSecret::from_text(&text).map_err(wrong)
    }
}
