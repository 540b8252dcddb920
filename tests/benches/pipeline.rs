//! The whole, measured: sealed events lie in the topic, then the processors start, apart and
//! fused, beside a bare consumer of the same topic. `make bench` runs it on its own servers.
//!
//! `BENCH_MESSAGES` (150000) and `BENCH_RUNS` (2) make it longer; of each figure the least and
//! the most of the runs are printed.
//! `BENCH_BEFORE` names another build of Waybill, which is then measured in the same runs.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use serde_json::Value;
use waybill_tests::processor_time::{cpu_seconds, peak_mb};
use waybill_tests::{Deployment, Process};

const APART: &[&str] = &["decrypt", "validate", "enrich", "aggregate", "clickhouse"];
const FUSED: &[&str] = &["decrypt,validate,enrich", "aggregate", "clickhouse"];

/// What one process did in one run.
#[derive(Clone, Copy, Default)]
struct Figures {
    per_second: f64,
    cpu_per_million: f64,
    peak_mb: f64,
}

fn main() {
    // `cargo test --benches` asks for a check that it runs, not for figures.
    if std::env::args().any(|a| a == "--test") {
        return;
    }
    let setting = |name: &str, default: u64| {
        std::env::var(name).ok().and_then(|v| v.parse().ok()).unwrap_or(default)
    };
    let messages = setting("BENCH_MESSAGES", 150_000);
    let runs = setting("BENCH_RUNS", 2);
    let source = Deployment::new("bench", "");
    println!("publishing {messages} sealed events");
    source.ok(&[
        "simulate",
        "--register",
        "--signing-keys",
        source.folder.join("carriers").to_str().unwrap(),
        "--rate",
        "0",
        "--seconds",
        "3600",
        "--messages",
        &messages.to_string(),
        "--containers",
        // Some twenty events for each, as a container's journey has.
        "10000",
        "--truth",
        source.folder.join("truth.json").to_str().unwrap(),
    ]);
    // What is published goes to the disk now: the broker would wait for it in the first run.
    std::process::Command::new("sync").status().unwrap();
    let topic = format!("{}sealed", source.prefix);
    let mut rows: Vec<(String, Vec<Figures>)> = Vec::new();
    for run in 1..=runs {
        println!("run {run} of {runs}");
        add(&mut rows, "bare consumer", bare(&source, &topic, messages));
        let now = Deployment::binary();
        let before = std::env::var_os("BENCH_BEFORE").map(PathBuf::from);
        let mut ways = vec![("apart", APART, &now), ("fused", FUSED, &now)];
        ways.extend(before.iter().map(|before| ("before, apart", APART, before)));
        for (way, stages, binary) in ways {
            for (stage, figures) in pipeline(&source, &topic, stages, messages, binary) {
                add(&mut rows, &format!("{way}: {stage}"), figures);
            }
        }
    }
    println!("\n| process | events/s | CPU-s per million | peak MB |\n|---|---|---|---|");
    for (name, runs) in &rows {
        let spread = |f: fn(&Figures) -> f64, digits: usize| {
            let least = runs.iter().map(f).fold(f64::INFINITY, f64::min);
            let most = runs.iter().map(f).fold(0.0, f64::max);
            format!("{least:.digits$} to {most:.digits$}")
        };
        println!(
            "| {name} | {} | {} | {} |",
            spread(|f| f.per_second, 0),
            spread(|f| f.cpu_per_million, 1),
            spread(|f| f.peak_mb, 0)
        );
    }
}

fn add(rows: &mut Vec<(String, Vec<Figures>)>, name: &str, figures: Figures) {
    match rows.iter_mut().find(|(known, _)| known == name) {
        Some((_, runs)) => runs.push(figures),
        None => rows.push((name.to_owned(), vec![figures])),
    }
}

/// Reads the topic and does nothing with it.
fn bare(d: &Deployment, topic: &str, messages: u64) -> Figures {
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", &d.servers.kafka)
        .set("group.id", format!("{topic}-bare-{}", std::process::id()))
        .set("auto.offset.reset", "earliest")
        .set("enable.auto.commit", "false")
        .create()
        .unwrap();
    let partitions = consumer.fetch_metadata(Some(topic), Duration::from_secs(10)).unwrap();
    let mut list = rdkafka::TopicPartitionList::new();
    for p in partitions.topics()[0].partitions() {
        list.add_partition_offset(topic, p.id(), rdkafka::Offset::Beginning).unwrap();
    }
    consumer.assign(&list).unwrap();
    let (began, cpu) = (Instant::now(), cpu_seconds(std::process::id()));
    let mut read = 0;
    while read < messages {
        if let Some(message) = consumer.poll(Duration::from_secs(10)) {
            message.unwrap();
            read += 1;
        }
    }
    Figures {
        per_second: messages as f64 / began.elapsed().as_secs_f64(),
        cpu_per_million: (cpu_seconds(std::process::id()) - cpu) * 1e6 / messages as f64,
        peak_mb: 0.0,
    }
}

/// All processes start together on the full topic; each one's rate is over the time from the
/// start until it has read everything.
fn pipeline(
    source: &Deployment,
    topic: &str,
    stages: &[&'static str],
    messages: u64,
    binary: &Path,
) -> Vec<(&'static str, Figures)> {
    let servers = source.servers.clone();
    let d = Deployment::of(binary.to_owned(), servers, "benchrun", 2, "");
    for file in ["carriers.json", "keys"] {
        let from = source.folder.join(file);
        let copied = std::process::Command::new("cp").arg("-r").arg(from).arg(&d.folder).status();
        assert!(copied.unwrap().success());
    }
    let config = std::fs::read_to_string(d.config()).unwrap();
    let sealed = format!("partitions = 2\nsealed = \"{topic}\"\n");
    std::fs::write(d.config(), config.replace("partitions = 2\n", &sealed)).unwrap();
    let truth: Value =
        serde_json::from_slice(&std::fs::read(source.folder.join("truth.json")).unwrap()).unwrap();
    let sum = |key: &str| -> u64 {
        truth["carriers"].as_object().unwrap().values().map(|c| c[key].as_u64().unwrap()).sum()
    };
    let began = Instant::now();
    let processes: Vec<Process> = d.start_each(stages);
    let mut done = vec![None; stages.len()];
    let mut peak = vec![0.0_f64; stages.len()];
    let mut quiet = (0, Instant::now());
    loop {
        for (n, process) in processes.iter().enumerate() {
            peak[n] = peak[n].max(peak_mb(process.pid()));
            let first = stages[n].split(',').next().unwrap();
            // The sink reads other topics too: it is done with the last row.
            if first == "clickhouse" {
                continue;
            }
            let read =
                process.metric("waybill_records_total", &format!("stage=\"{first}\"")) as u64;
            // Past decrypt and validate only what was not rejected comes on.
            let all = if first == "decrypt" { messages } else { sum("events") + sum("duplicates") };
            if done[n].is_none() && read >= all {
                done[n] = Some(began.elapsed());
            }
        }
        let rows = d.number("SELECT count() FROM events") as u64;
        if rows >= sum("events") {
            break;
        }
        if rows > quiet.0 {
            quiet = (rows, Instant::now());
        }
        assert!(quiet.1.elapsed() < Duration::from_secs(120), "stuck at {rows} rows");
        std::thread::sleep(Duration::from_millis(200));
    }
    let whole = began.elapsed();
    stages
        .iter()
        .enumerate()
        .map(|(n, stage)| {
            let took = done[n].unwrap_or(whole).as_secs_f64();
            let cpu = cpu_seconds(processes[n].pid());
            let figures = Figures {
                per_second: messages as f64 / took,
                cpu_per_million: cpu * 1e6 / messages as f64,
                peak_mb: peak[n],
            };
            (*stage, figures)
        })
        .collect()
}
