//! The gateway's metrics, in the default registry. Labels are closed sets: never an id.

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
    /// Requests to the gateway by route and status.
    requests: IntCounterVec = "waybill_gateway_requests_total", counters(&["route", "status"]);
    /// Seconds from a request's head to its answer, at the gateway.
    request_seconds: Histogram = "waybill_gateway_request_seconds", seconds();
    /// Messages that came to the gateway, by outcome (accepted, rejected, unknown) and code of a reject.
    messages: IntCounterVec = "waybill_gateway_messages_total", counters(&["outcome", "code"]);
    /// Callers that the gateway did not let in, by why (key, subject, scheme, scope, suspended).
    callers_refused: IntCounterVec = "waybill_gateway_callers_refused_total", counters(&["why"]);
    /// What was over a limit at the gateway, by limit (address, connections, memory, messages, bytes, day, explain) and whether it was refused.
    limited: IntCounterVec = "waybill_gateway_limited_total", counters(&["limit"]);
    /// Open connections to the gateway.
    connections: IntGauge = "waybill_gateway_connections", gauge();
    /// 1 while Kafka does not answer the gateway: events are refused.
    kafka_away: IntGauge = "waybill_gateway_kafka_away", gauge();
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
    const BUCKETS: [f64; 13] =
        [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0];
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
