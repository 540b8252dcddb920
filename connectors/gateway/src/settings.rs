use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// How the gateway serves, and what it bears.
#[derive(Clone, Debug)]
pub struct Settings {
    pub listen: SocketAddr,
    /// Without it the gateway speaks plain HTTP.
    pub tls: Option<TlsFiles>,
    /// Bytes of a request's body, at most.
    pub body_bytes: usize,
    /// Messages of a request, at most.
    pub messages: usize,
    /// Bytes of all requests in hand, at most.
    pub bytes_in_hand: usize,
    /// Connections, at most.
    pub connections: usize,
    /// Connections of one address, at most.
    pub connections_per_address: usize,
    /// Requests of one address, a second; a burst is as many as of two seconds.
    pub requests_per_second_per_address: u32,
    /// For the head of a request, and between two pieces of its body.
    pub idle: Duration,
    /// For a whole request.
    pub request: Duration,
    pub carriers: CarrierLimits,
}

/// What a carrier may do that has no limits of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CarrierLimits {
    pub messages_per_second: u32,
    pub burst: u32,
    pub bytes_per_second: u32,
    /// UTC, and over all gateways. `None`: as many as come.
    pub messages_per_day: Option<u64>,
    /// What is over a limit is counted, and let pass.
    pub dry_run: bool,
}

/// PEM files, read again when they change.
#[derive(Clone, Debug)]
pub struct TlsFiles {
    pub certificate: PathBuf,
    pub key: PathBuf,
    /// Who signs carriers' certificates: without it none is asked for.
    pub client_ca: Option<PathBuf>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            listen: ([127, 0, 0, 1], 8080).into(),
            tls: None,
            body_bytes: 8 << 20,
            messages: 10_000,
            bytes_in_hand: 128 << 20,
            connections: 10_000,
            connections_per_address: 500,
            requests_per_second_per_address: 20_000,
            idle: Duration::from_secs(10),
            request: Duration::from_secs(60),
            carriers: CarrierLimits {
                messages_per_second: 5_000,
                burst: 20_000,
                bytes_per_second: 20 << 20,
                messages_per_day: None,
                dry_run: false,
            },
        }
    }
}
