//! The sink's metrics, in the `prometheus` crate's default registry.

use std::sync::LazyLock;

use prometheus::{Histogram, HistogramOpts, HistogramVec, IntCounterVec, IntGauge, Opts};
use waybill_stage::Fault;

/// Name and help text: the help text is the doc comment.
#[derive(Clone, Copy, Debug)]
pub struct Metric {
    pub name: &'static str,
    pub help: &'static str,
}

macro_rules! metric {
    ($(#[doc = $help:literal])+ $constant:ident = $name:literal) => {
        $(#[doc = $help])+
        pub const $constant: Metric = Metric { name: $name, help: concat!($($help),+) };
    };
}

metric! {
    /// INSERTs by table and outcome: ok, again (failed and tried once more), refused (a row of it
    /// is not taken), unknown (the lease ended first), fault (an operator must act).
    INSERTS = "waybill_inserts_total"
}
metric! {
    /// Rows inserted, by table.
    ROWS_INSERTED = "waybill_rows_inserted_total"
}
metric! {
    /// Seconds that one INSERT took, by table.
    INSERT_SECONDS = "waybill_insert_seconds"
}
metric! {
    /// Errors of ClickHouse, or on the way to it, by kind.
    CLICKHOUSE_ERRORS = "waybill_clickhouse_errors_total"
}
metric! {
    /// Seconds from the sealing of an event, by its carrier's clock, to its row in ClickHouse.
    END_TO_END_SECONDS = "waybill_end_to_end_seconds"
}

metric! {
    /// Records that one stage passed on and the next has not accounted for, by the ledger: of the
    /// hours of receipt that ended in the last two days, and at least ten minutes ago.
    UNACCOUNTED = "waybill_unaccounted_records"
}
metric! {
    /// Places in the ledger of the last two days where offsets are covered twice or by no entry.
    LEDGER_SEAMS = "waybill_ledger_seams"
}

const INSERT_BUCKETS: &[f64] =
    &[0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];
const END_TO_END_BUCKETS: &[f64] =
    &[0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0, 30.0, 60.0];

#[derive(Debug)]
pub(crate) struct Metrics {
    pub(crate) inserts: IntCounterVec,
    pub(crate) rows: IntCounterVec,
    pub(crate) insert_seconds: HistogramVec,
    pub(crate) errors: IntCounterVec,
    pub(crate) end_to_end: Histogram,
    pub(crate) unaccounted: IntGauge,
    pub(crate) seams: IntGauge,
}

impl Metrics {
    /// Those of the process, registered when first asked for.
    pub(crate) fn get() -> Result<&'static Self, Fault> {
        static METRICS: LazyLock<Result<Metrics, prometheus::Error>> = LazyLock::new(Metrics::new);
        METRICS.as_ref().map_err(|e| Fault(format!("metrics of the ClickHouse sink: {e}")))
    }

    fn new() -> Result<Self, prometheus::Error> {
        fn opts(metric: Metric) -> Opts {
            Opts::new(metric.name, metric.help.trim())
        }
        fn histogram(metric: Metric, buckets: &[f64]) -> HistogramOpts {
            HistogramOpts::from(opts(metric)).buckets(buckets.to_vec())
        }
        let metrics = Self {
            inserts: IntCounterVec::new(opts(INSERTS), &["table", "outcome"])?,
            rows: IntCounterVec::new(opts(ROWS_INSERTED), &["table"])?,
            insert_seconds: HistogramVec::new(
                histogram(INSERT_SECONDS, INSERT_BUCKETS),
                &["table"],
            )?,
            errors: IntCounterVec::new(opts(CLICKHOUSE_ERRORS), &["kind"])?,
            end_to_end: Histogram::with_opts(histogram(END_TO_END_SECONDS, END_TO_END_BUCKETS))?,
            unaccounted: IntGauge::with_opts(opts(UNACCOUNTED))?,
            seams: IntGauge::with_opts(opts(LEDGER_SEAMS))?,
        };
        let registry = prometheus::default_registry();
        registry.register(Box::new(metrics.inserts.clone()))?;
        registry.register(Box::new(metrics.rows.clone()))?;
        registry.register(Box::new(metrics.insert_seconds.clone()))?;
        registry.register(Box::new(metrics.errors.clone()))?;
        registry.register(Box::new(metrics.end_to_end.clone()))?;
        registry.register(Box::new(metrics.unaccounted.clone()))?;
        registry.register(Box::new(metrics.seams.clone()))?;
        Ok(metrics)
    }
}
