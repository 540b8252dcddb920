//! How soon the pipeline is itself again after a disturbance of a few seconds: foreign load, a broker
//! or a ClickHouse that stands still, a process that does. `dev/bench recovery` runs it on its own
//! servers, at BENCH_RATE (5000) messages/s.
//!
//! A row is a disturbance. *Back after* is when, counted from the disturbance's end, the p99 of what is
//! sealed from then on is under 1.5 times its value before; the goal is the disturbance's own length,
//! and 5 s at most. *Busiest client* is the processor time that one process took while the broker stood
//! still, in percent of a core, from its first second on: a producer that waits costs nothing.

use std::collections::BTreeMap;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use waybill_tests::processor_time::cpu_seconds;
use waybill_tests::{BusyLoops, Deployment, Process, Truth};

const STAGES: [&str; 5] = ["decrypt", "validate", "enrich", "aggregate", "clickhouse"];
/// Until everything is warm, and after each disturbance.
const WARM_UP: Duration = Duration::from_secs(15);
const QUIET: Duration = Duration::from_secs(12);
/// What a disturbance is compared with: so much before it.
const BEFORE_MS: i64 = 8_000;
const BUCKET_MS: i64 = 100;

#[derive(Clone, Copy)]
enum Disturbance {
    /// Four busy loops on this machine.
    Load,
    Broker,
    ClickHouse,
    Stage(usize),
}

impl Disturbance {
    fn length(self) -> Duration {
        Duration::from_secs(match self {
            Self::Load => 5,
            Self::Broker | Self::ClickHouse => 6,
            Self::Stage(_) => 4,
        })
    }

    fn name(self) -> String {
        match self {
            Self::Load => "four busy loops".to_owned(),
            Self::Broker => "the broker stands still".to_owned(),
            Self::ClickHouse => "ClickHouse stands still".to_owned(),
            Self::Stage(n) => format!("{} stands still", STAGES[n]),
        }
    }
}

/// What was done, and when, ms UTC.
struct Done {
    disturbance: Disturbance,
    began: i64,
    ended: i64,
    busiest: Option<f64>,
}

fn main() {
    // `cargo test --benches` asks for a check that it runs, not for figures.
    if std::env::args().any(|a| a == "--test") {
        return;
    }
    let rate = std::env::var("BENCH_RATE").ok().and_then(|v| v.parse().ok()).unwrap_or(5_000);
    let d = Deployment::new("recovery", "");
    let processes: Vec<Process> = d.start_each(&STAGES);
    let disturbances: Vec<Disturbance> =
        [Disturbance::Load, Disturbance::Broker, Disturbance::ClickHouse]
            .into_iter()
            .chain((0..STAGES.len()).map(Disturbance::Stage))
            .collect();
    let all: Duration = disturbances.iter().map(|d| d.length() + QUIET).sum();
    println!("{rate} messages/s, five processes, {} disturbances", disturbances.len());
    let mut carriers = simulate(&d, rate, WARM_UP + all);
    std::thread::sleep(WARM_UP);
    let mut done = Vec::new();
    for disturbance in disturbances {
        let began = now_ms();
        let busiest = disturb(disturbance, &d, &processes, carriers.id());
        let ended = now_ms();
        println!("{}: {:.1} s", disturbance.name(), (ended - began) as f64 / 1e3);
        std::thread::sleep(QUIET);
        done.push(Done { disturbance, began, ended, busiest });
    }
    let end = now_ms();
    assert!(carriers.wait().unwrap().success(), "the carriers ended badly");
    let truth = Truth::read(&d.folder.join("truth.json"));
    d.wait_for("SELECT count() FROM events", truth.events);
    d.audit();
    println!("every one of {} events is there once, and the audit is clean\n", truth.events);
    println!(
        "| disturbance | s | p99 before ms | p99 of what it held up ms | back after s | goal s | \
         busiest client |\n|---|---|---|---|---|---|---|"
    );
    for (n, one) in done.iter().enumerate() {
        // The last seconds before the next one, or before the end, may wait for it.
        let until = done.get(n + 1).map_or(end, |next| next.began) - 1_500;
        row(&d, one, until);
    }
}

fn row(d: &Deployment, done: &Done, until: i64) {
    let before = Latencies::of(d, done.began - BEFORE_MS, done.began - 1_500).p99_from(i64::MIN);
    let after = Latencies::of(d, done.began - 1_500, until);
    let held_up = Latencies::of(d, done.began - 1_500, done.ended).p99_from(i64::MIN);
    let back = (done.began..until)
        .step_by(BUCKET_MS as usize)
        .find(|at| after.p99_from(*at) * 2 < before * 3)
        .map(|at| (at - done.ended).max(0) as f64 / 1e3);
    let length = done.disturbance.length().as_secs_f64();
    println!(
        "| {} | {length:.0} | {before} | {held_up} | {} | {:.0} | {} |",
        done.disturbance.name(),
        back.map_or_else(|| "never".to_owned(), |s| format!("{s:.1}")),
        length.min(5.0),
        done.busiest.map_or_else(String::new, |percent| format!("{percent:.1} %")),
    );
}

/// How long events took from sealing to queryable, by when they were sealed.
struct Latencies(BTreeMap<(i64, i64), u64>);

impl Latencies {
    fn of(d: &Deployment, from: i64, until: i64) -> Self {
        let rows = d.rows(&format!(
            "SELECT intDiv(toUnixTimestamp64Milli(sealed_at), {BUCKET_MS}) * {BUCKET_MS} AS at,
                intDiv(toUnixTimestamp64Milli(inserted_at) - toUnixTimestamp64Milli(sealed_at), 5) * 5 AS ms,
                count() AS n
             FROM events
             WHERE toUnixTimestamp64Milli(sealed_at) BETWEEN {from} AND {until} GROUP BY at, ms"
        ));
        let number = |row: &serde_json::Value, key: &str| row[key].as_i64().unwrap();
        Self(
            rows.iter()
                .map(|r| ((number(r, "at"), number(r, "ms")), r["n"].as_u64().unwrap()))
                .collect(),
        )
    }

    /// Of what was sealed at `from` or later, ms.
    fn p99_from(&self, from: i64) -> i64 {
        let mut by_latency: BTreeMap<i64, u64> = BTreeMap::new();
        for ((_, ms), n) in self.0.range((from, i64::MIN)..) {
            *by_latency.entry(*ms).or_default() += n;
        }
        let all: u64 = by_latency.values().sum();
        let mut left = all / 100;
        for (ms, n) in by_latency.iter().rev() {
            if *n > left {
                return *ms;
            }
            left -= n;
        }
        0
    }
}

/// Does it for as long as it takes; of a broker that stands still, what the busiest client cost, in
/// percent of a core.
fn disturb(
    disturbance: Disturbance,
    d: &Deployment,
    processes: &[Process],
    carriers: u32,
) -> Option<f64> {
    let length = disturbance.length();
    let until = Instant::now() + length;
    let pause = |pid: u32, meanwhile: &mut dyn FnMut()| {
        signal(pid, "STOP");
        meanwhile();
        std::thread::sleep(until.saturating_duration_since(Instant::now()));
        signal(pid, "CONT");
    };
    let mut busiest = None;
    match disturbance {
        Disturbance::Load => {
            let _load = BusyLoops::start();
            std::thread::sleep(length);
        }
        Disturbance::Broker => {
            let clients: Vec<u32> = processes.iter().map(Process::pid).chain([carriers]).collect();
            let cpu = || clients.iter().map(|pid| cpu_seconds(*pid)).collect::<Vec<_>>();
            pause(d.servers.pid("kafka"), &mut || {
                // What was read before is worked off in the first second.
                std::thread::sleep(Duration::from_secs(1));
                let (from, before) = (Instant::now(), cpu());
                std::thread::sleep(until.saturating_duration_since(Instant::now()));
                let took = from.elapsed().as_secs_f64();
                // The carriers go on sealing, whether or not anybody takes it: of them, not this.
                let each = cpu().into_iter().zip(before).map(|(now, then)| (now - then) / took);
                let each: Vec<f64> = each.map(|share| share * 100.0).collect();
                let names = STAGES.iter().copied().chain(["carriers"]);
                for (name, percent) in names.zip(&each) {
                    println!("  {name}: {percent:.1} % of a core while the broker stood still");
                }
                busiest = each[..STAGES.len()].iter().copied().reduce(f64::max);
            });
        }
        Disturbance::ClickHouse => pause(d.servers.pid("clickhouse"), &mut || {}),
        Disturbance::Stage(n) => pause(processes[n].pid(), &mut || {}),
    }
    busiest
}

fn simulate(d: &Deployment, rate: u64, time: Duration) -> Child {
    Command::new(Deployment::binary())
        .arg("--config")
        .arg(d.config())
        .args(["simulate", "--register", "--rate", &rate.to_string()])
        .args(["--seconds", &time.as_secs().to_string(), "--signing-keys"])
        .arg(d.folder.join("carriers"))
        .arg("--truth")
        .arg(d.folder.join("truth.json"))
        .stdout(Stdio::null())
        .spawn()
        .unwrap()
}

fn signal(pid: u32, name: &str) {
    let sent = Command::new("kill").args(["-s", name, &pid.to_string()]).status().unwrap();
    assert!(sent.success(), "kill -s {name} {pid}");
}

fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    i64::try_from(since.as_millis()).unwrap()
}
