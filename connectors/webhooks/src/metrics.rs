//! Metrics of webhooks, in the default registry. Labels are closed sets: never an id.

use std::sync::LazyLock;

use prometheus::{Histogram, HistogramOpts, IntCounterVec, IntGauge, Opts, Registry};

macro_rules! metrics {
    ($($(#[doc = $help:literal])+ $name:ident: $kind:ty = $metric:literal, $make:expr;)+) => {
        #[derive(Debug)]
        pub struct Metrics { $($(#[doc = $help])+ pub $name: $kind,)+ }

        /// Name and help text of each.
        pub const ALL: &[(&str, &str)] = &[$(($metric, concat!($($help),+))),+];

        impl Metrics {
            fn register(registry: &Registry) -> Self {
                Self { $($name: register(registry, $make($metric, concat!($($help),+).trim())),)+ }
            }
        }
    };
}

metrics! {
    /// Requests to carriers' endpoints by how they ended (taken, or why not).
    requests: IntCounterVec = "waybill_webhook_requests_total", counters(&["ended"]);
    /// Deliveries to carriers' endpoints that are over, by state (settled, dead) and why.
    deliveries: IntCounterVec = "waybill_webhook_deliveries_total", counters(&["state", "why"]);
    /// Deliveries to carriers' endpoints that are open: they wait for their time, or for an answer.
    open: IntGauge = "waybill_webhook_open_deliveries", gauge();
    /// Seconds for which the oldest open delivery to a carrier's endpoint has been tried.
    oldest_seconds: IntGauge = "waybill_webhook_oldest_seconds", gauge();
    /// Bytes of payloads for carriers' endpoints in memory.
    bytes: IntGauge = "waybill_webhook_payload_bytes", gauge();
    /// Seconds that a request to a carrier's endpoint took.
    request_seconds: Histogram = "waybill_webhook_request_seconds", seconds();
}

/// Those of the process, registered when first asked for.
pub fn metrics() -> &'static Metrics {
    static METRICS: LazyLock<Metrics> =
        LazyLock::new(|| Metrics::register(prometheus::default_registry()));
    &METRICS
}

type Made<T> = prometheus::Result<T>;

fn counters(labels: &'static [&'static str]) -> impl Fn(&str, &str) -> Made<IntCounterVec> {
    move |name, help| IntCounterVec::new(Opts::new(name, help), labels)
}

fn gauge() -> impl Fn(&str, &str) -> Made<IntGauge> {
    |name, help| IntGauge::new(name, help)
}

fn seconds() -> impl Fn(&str, &str) -> Made<Histogram> {
    const BUCKETS: [f64; 11] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0];
    |name, help| Histogram::with_opts(HistogramOpts::new(name, help).buckets(BUCKETS.to_vec()))
}

#[allow(clippy::panic)]
fn register<C: prometheus::core::Collector + Clone + 'static>(
    registry: &Registry,
    made: Made<C>,
) -> C {
    match made {
        Ok(metric) => {
            if let Err(error) = registry.register(Box::new(metric.clone())) {
                tracing::error!(%error, "metric not registered");
            }
            metric
        }
        Err(error) => panic!("a metric's constant definition is wrong: {error}"),
    }
}
