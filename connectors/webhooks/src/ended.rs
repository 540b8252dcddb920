//! How a request ends.

use std::time::Duration;

use strum::{IntoStaticStr, VariantArray};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The endpoint has it: 2xx.
    Taken,
    Failed {
        why: Why,
        retry_after: Option<Duration>,
    },
}

impl Ended {
    pub fn failed(why: Why) -> Self {
        Self::Failed { why, retry_after: None }
    }
}

/// Why a request, or in the end a delivery, failed: a label of metrics, and what an operator reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "snake_case")]
pub enum Why {
    /// The endpoint, or its carrier, is not registered, or suspended.
    Unregistered,
    /// The URL is none that may be asked.
    Url,
    /// The host has no address.
    Resolve,
    /// It has one that is not public.
    Address,
    /// No connection.
    Connect,
    /// No TLS: its certificate, say.
    Tls,
    /// No answer in time.
    Timeout,
    /// The connection broke, or what came was no HTTP.
    Broken,
    /// 3xx: nobody is followed.
    Redirect,
    /// 410: it is not asked again.
    Gone,
    /// 429 or 503: later.
    Later,
    /// 5xx, and 408.
    Status,
    /// Another 4xx: it does not want this one.
    Refused,
    /// More was open for it than may be.
    Full,
    /// The shipment that it tells of was erased.
    Erased,
}

impl Why {
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}
