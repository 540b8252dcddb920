//! Every metric of the hosts, with its help text. Label values are closed sets (stage, outcome,
//! code, topic, partition): never an id. docs/metrics.md lists them; a test holds the two together.

use std::collections::HashMap;
use std::sync::LazyLock;

use prometheus::{
    Gauge, Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge,
    IntGaugeVec, Opts, Registry,
};
use waybill_stage::{Code, Reject};

/// Time of one record in one stage, seconds: from a microsecond to a tenth.
const STAGE_BUCKETS: &[f64] =
    &[1e-6, 2.5e-6, 5e-6, 1e-5, 2.5e-5, 5e-5, 1e-4, 2.5e-4, 5e-4, 1e-3, 2.5e-3, 1e-2, 0.1];
/// Time of a batch or transaction, seconds.
const BATCH_BUCKETS: &[f64] =
    &[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0];

macro_rules! metrics {
    ($($(#[doc = $help:literal])+ $name:ident: $kind:ty = $metric:literal, $make:expr;)+) => {
        /// The hosts' metrics, registered once in the default registry.
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
    /// Records taken in, by stage and outcome (passed, partial, rejected, duplicate, deferred).
    records: IntCounterVec = "waybill_records_total", counters(&["stage", "outcome"]);
    /// Events that left a stage, by stage and outcome (passed, rejected, duplicate).
    events: IntCounterVec = "waybill_events_total", counters(&["stage", "outcome"]);
    /// Rejects by stage and the code that the carrier is answered with.
    rejects: IntCounterVec = "waybill_rejects_total", counters(&["stage", "code"]);
    /// Rejects by stage, code and the check behind it, which only operators see.
    reject_reasons: IntCounterVec = "waybill_reject_reasons_total", counters(&["stage", "code", "reason"]);
    /// Seconds that one record took in a stage.
    stage_seconds: HistogramVec = "waybill_stage_seconds", histograms(&["stage"], STAGE_BUCKETS);
    /// Seconds from the first record of a batch until it was closed.
    batch_seconds: Histogram = "waybill_batch_seconds", histogram(BATCH_BUCKETS);
    /// Records in a batch.
    batch_records: Histogram = "waybill_batch_records", histogram(&[1.0, 10.0, 50.0, 100.0, 250.0, 500.0, 1000.0, 2500.0, 5000.0, 10000.0]);
    /// Seconds from beginning to commit of a Kafka transaction.
    transaction_seconds: Histogram = "waybill_transaction_seconds", histogram(BATCH_BUCKETS);
    /// Kafka transactions by outcome (committed, aborted).
    transactions: IntCounterVec = "waybill_transactions_total", counters(&["outcome"]);
    /// Records that wait in an input partition: its end less what was read.
    lag: IntGaugeVec = "waybill_lag_records", gauges(&["topic", "partition"]);
    /// 1 for a topic of carriers that is not read, since it is not as it must be.
    refused_topics: IntGaugeVec = "waybill_refused_topics", gauges(&["topic"]);
    /// Rights at Kafka that the process needs and lacks, by what they are on (Topic, Group, TransactionalId).
    missing_rights: IntGaugeVec = "waybill_missing_rights", gauges(&["resource"]);
    /// Committed offsets that were strange when a partition was assigned, by topic and what was (lost, foreign).
    strange_offsets: IntCounterVec = "waybill_strange_offsets_total", counters(&["topic", "what"]);
    /// Records of aggregate's changelog that nobody of us wrote as they stand there, found when it was read, by what they were (null, put_back, not_ours).
    strange_state: IntCounterVec = "waybill_strange_state_total", counters(&["what"]);
    /// Input partitions that this process reads.
    assigned: IntGauge = "waybill_assigned_partitions", gauge;
    /// Shipments whose state this process holds.
    shipments: IntGauge = "waybill_state_shipments", gauge;
    /// Seconds that restoring the state of newly assigned partitions took.
    restore_seconds: Histogram = "waybill_restore_seconds", histogram(&[0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 15.0, 60.0]);
    /// Ranges that got into the store, by whether they may have been there before (stored, again).
    ranges: IntCounterVec = "waybill_sink_ranges_total", counters(&["outcome"]);
    /// Seconds for which the sink gathers records: longer while the store has many parts.
    insert_age: Gauge = "waybill_sink_age_seconds", float_gauge;
    /// Content keys looked for in the cache, by result (hit, miss).
    content_keys: IntCounterVec = "waybill_content_key_cache_total", counters(&["result"]);
    /// Content keys unwrapped with a platform RSA key.
    unwraps: IntCounter = "waybill_unwraps_total", counter;
    /// Records that decrypt opened, by the platform key that they were sealed for, and by carrier.
    key_records: IntCounterVec = "waybill_platform_key_records_total", counters(&["kid", "carrier"]);
    /// Times the process went back to its last commit, by role.
    restarts: IntCounterVec = "waybill_restarts_total", counters(&["role"]);
    /// 1 while the file in force is the one on disk, 0 while it is broken and the last good one is used, by file (carriers, keys, internal_keys, gateway_tls).
    file_ok: IntGaugeVec = "waybill_file_ok", gauges(&["file"]);
}

/// The hosts' metrics.
pub fn metrics() -> &'static Metrics {
    static METRICS: LazyLock<Metrics> =
        LazyLock::new(|| Metrics::register(prometheus::default_registry()));
    &METRICS
}

type Made<T> = prometheus::Result<T>;

fn counters(labels: &'static [&'static str]) -> impl Fn(&str, &str) -> Made<IntCounterVec> {
    move |name, help| IntCounterVec::new(Opts::new(name, help), labels)
}
fn gauges(labels: &'static [&'static str]) -> impl Fn(&str, &str) -> Made<IntGaugeVec> {
    move |name, help| IntGaugeVec::new(Opts::new(name, help), labels)
}
fn histograms(
    labels: &'static [&'static str],
    buckets: &'static [f64],
) -> impl Fn(&str, &str) -> Made<HistogramVec> {
    move |name, help| {
        HistogramVec::new(HistogramOpts::new(name, help).buckets(buckets.to_vec()), labels)
    }
}
fn histogram(buckets: &'static [f64]) -> impl Fn(&str, &str) -> Made<Histogram> {
    move |name, help| Histogram::with_opts(HistogramOpts::new(name, help).buckets(buckets.to_vec()))
}
fn counter(name: &str, help: &str) -> Made<IntCounter> {
    IntCounter::new(name, help)
}
fn float_gauge(name: &str, help: &str) -> Made<Gauge> {
    Gauge::new(name, help)
}
fn gauge(name: &str, help: &str) -> Made<IntGauge> {
    IntGauge::new(name, help)
}

/// Names are constants and registered once, so neither step can fail; if one did, the process
/// would go on without showing that metric.
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

/// What happened to the records of one batch, counted into the metrics once it is committed.
#[derive(Debug, Default)]
pub struct Tally {
    stages: HashMap<&'static str, StageTally>,
    /// Records that were opened, by platform key and carrier.
    keys: HashMap<String, HashMap<String, u64>>,
}

#[derive(Debug, Default)]
pub struct StageTally {
    pub passed: u64,
    pub partial: u64,
    pub rejected: u64,
    pub duplicate: u64,
    /// Put off: each comes once more, and then has another outcome.
    pub deferred: u64,
    pub events_passed: u64,
    pub events_rejected: u64,
    pub events_duplicate: u64,
    codes: HashMap<(Code, &'static str), u64>,
    seconds: Vec<f32>,
}

impl StageTally {
    pub fn reject(&mut self, reject: &Reject) {
        *self.codes.entry((reject.code, reject.reason)).or_default() += 1;
    }

    pub fn took(&mut self, seconds: f64) {
        #[allow(clippy::cast_possible_truncation)]
        self.seconds.push(seconds as f32);
    }
}

impl Tally {
    pub fn stage(&mut self, stage: &'static str) -> &mut StageTally {
        self.stages.entry(stage).or_default()
    }

    pub fn opened_with(&mut self, platform_key: &str, carrier_id: &str) {
        // Names are not copied for each record.
        if let Some(carriers) = self.keys.get_mut(platform_key) {
            if let Some(records) = carriers.get_mut(carrier_id) {
                *records += 1;
                return;
            }
            carriers.insert(carrier_id.to_owned(), 1);
            return;
        }
        let carriers = HashMap::from([(carrier_id.to_owned(), 1)]);
        self.keys.insert(platform_key.to_owned(), carriers);
    }

    pub fn publish(&self) {
        let m = metrics();
        for (kid, carriers) in &self.keys {
            for (carrier, records) in carriers {
                m.key_records.with_label_values(&[kid, carrier]).inc_by(*records);
            }
        }
        for (stage, t) in &self.stages {
            for (outcome, n) in [
                ("passed", t.passed),
                ("partial", t.partial),
                ("rejected", t.rejected),
                ("duplicate", t.duplicate),
                ("deferred", t.deferred),
            ] {
                m.records.with_label_values(&[stage, outcome]).inc_by(n);
            }
            for (outcome, n) in [
                ("passed", t.events_passed),
                ("rejected", t.events_rejected),
                ("duplicate", t.events_duplicate),
            ] {
                m.events.with_label_values(&[stage, outcome]).inc_by(n);
            }
            for ((code, reason), n) in &t.codes {
                m.rejects.with_label_values(&[stage, code.as_str()]).inc_by(*n);
                m.reject_reasons.with_label_values(&[stage, code.as_str(), reason]).inc_by(*n);
            }
            let seconds = m.stage_seconds.with_label_values(&[stage]);
            for s in &t.seconds {
                seconds.observe(f64::from(*s));
            }
        }
    }

    pub fn clear(&mut self) {
        self.keys.clear();
        for t in self.stages.values_mut() {
            let mut seconds = std::mem::take(&mut t.seconds);
            seconds.clear();
            *t = StageTally { seconds, ..StageTally::default() };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_register_and_a_tally_counts_once() {
        let before = metrics().records.with_label_values(&["decrypt", "passed"]).get();
        let mut tally = Tally::default();
        tally.stage("decrypt").passed = 3;
        for _ in 0..2 {
            tally.opened_with("k-1", "acme-line");
        }
        tally.publish();
        tally.clear();
        tally.publish();
        assert_eq!(metrics().records.with_label_values(&["decrypt", "passed"]).get(), before + 3);
        assert_eq!(metrics().key_records.with_label_values(&["k-1", "acme-line"]).get(), 2);
        assert!(ALL.iter().all(|(name, help)| name.starts_with("waybill_") && !help.is_empty()));
    }
}
