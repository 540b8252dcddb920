use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::demo::processes::Processor;

/// What one process says of itself.
#[derive(Clone, Debug, Default)]
pub struct Figures {
    pub records: f64,
    pub rejected: f64,
    pub lag: f64,
    pub cpu_seconds: f64,
    pub rss: f64,
}

/// Figures of every process now, and the rates since the last look.
#[derive(Debug, Default)]
pub struct Watch {
    last: BTreeMap<&'static str, (Instant, Figures)>,
    /// Processor seconds of lives that are over.
    pub cpu_seconds: BTreeMap<&'static str, f64>,
    pub rejected: BTreeMap<&'static str, f64>,
}

#[derive(Clone, Debug, Default)]
pub struct Line {
    pub stage: &'static str,
    pub per_second: f64,
    pub lag: f64,
    pub rejected: f64,
    pub cpu_percent: f64,
    pub rss: f64,
    pub restarts: u32,
    /// It answered.
    pub up: bool,
}

impl Watch {
    pub fn look(&mut self, processors: &[Processor]) -> Vec<Line> {
        processors.iter().map(|p| self.line(p)).collect()
    }

    fn line(&mut self, processor: &Processor) -> Line {
        let stage = processor.stage;
        let restarts = processor.restarts;
        let Some(mut now) = scrape(processor.port, stage) else {
            return Line { stage, restarts, ..Line::default() };
        };
        now.cpu_seconds = processor.cpu_seconds().unwrap_or_default();
        let at = Instant::now();
        let (then, before) =
            self.last.insert(stage, (at, now.clone())).unwrap_or((at, now.clone()));
        // A process that was started again counts from zero.
        let anew = now.cpu_seconds < before.cpu_seconds;
        let before = if anew { Figures::default() } else { before };
        let seconds = at.duration_since(then).as_secs_f64();
        let rate = |a: f64, b: f64| if seconds > 0.0 { ((a - b) / seconds).max(0.0) } else { 0.0 };
        *self.cpu_seconds.entry(stage).or_default() += now.cpu_seconds - before.cpu_seconds;
        let rejected = self.rejected.entry(stage).or_default();
        *rejected += now.rejected - before.rejected;
        Line {
            stage,
            per_second: rate(now.records, before.records),
            lag: now.lag,
            rejected: *rejected,
            cpu_percent: rate(now.cpu_seconds, before.cpu_seconds) * 100.0,
            rss: now.rss,
            restarts,
            up: true,
        }
    }
}

fn scrape(port: u16, stage: &str) -> Option<Figures> {
    let text = ureq::get(format!("http://127.0.0.1:{port}/metrics"))
        .config()
        .timeout_global(Some(Duration::from_millis(800)))
        .build()
        .call()
        .ok()?
        .body_mut()
        .read_to_string()
        .ok()?;
    let scrape = prometheus_parse::Scrape::parse(text.lines().map(|l| Ok(l.to_owned()))).ok()?;
    let mut figures = Figures::default();
    for sample in scrape.samples {
        let value = match sample.value {
            prometheus_parse::Value::Counter(v)
            | prometheus_parse::Value::Gauge(v)
            | prometheus_parse::Value::Untyped(v) => v,
            _ => continue,
        };
        // Of stages that are fused, the first takes the records in, and all may reject.
        let named = sample.labels.get("stage").unwrap_or_default();
        let is_first = stage.split(',').next() == Some(named);
        let is_of_it = stage.split(',').any(|one| one == named);
        match sample.metric.as_str() {
            "waybill_records_total" if is_first => figures.records += value,
            "waybill_rejects_total" if is_of_it => figures.rejected += value,
            "waybill_lag_records" => figures.lag += value,
            "process_resident_memory_bytes" => figures.rss = value,
            _ => {}
        }
    }
    Some(figures)
}
