//! What waiting costs: processor time and waits of each process at rest, and at BENCH_RATE (5000)
//! messages/s. `dev/bench rest` runs it on its own servers. The goal: a process at rest takes less
//! than 0.5 % of a core.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use waybill_tests::processor_time::{cpu_seconds, waits};
use waybill_tests::{Deployment, Process};

const STAGES: [&str; 5] = ["decrypt", "validate", "enrich", "aggregate", "clickhouse"];
const SETTLE: Duration = Duration::from_secs(6);
const LOOK: Duration = Duration::from_secs(15);

fn main() {
    // `cargo test --benches` asks for a check that it runs, not for figures.
    if std::env::args().any(|a| a == "--test") {
        return;
    }
    let rate = std::env::var("BENCH_RATE").unwrap_or_else(|_| "5000".to_owned());
    let d = Deployment::new("rest", "");
    let processes: Vec<Process> = d.start_each(&STAGES);
    let mut all: Vec<(&str, u32)> =
        STAGES.iter().copied().zip(processes.iter().map(Process::pid)).collect();
    all.extend(["kafka", "clickhouse"].map(|name| (name, d.servers.pid(name))));
    all[5].0 = "(the broker)";
    all[6].0 = "(ClickHouse)";
    println!("| process | doing | % of a core | waits/s |\n|---|---|---|---|");
    look("nothing", &all);
    let mut carriers = Command::new(Deployment::binary())
        .arg("--config")
        .arg(d.config())
        .args(["simulate", "--register", "--rate", &rate, "--signing-keys"])
        .arg(d.folder.join("carriers"))
        .args(["--seconds", &(SETTLE + LOOK).as_secs().to_string()])
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    look(&format!("{rate}/s"), &all);
    assert!(carriers.wait().unwrap().success(), "the carriers ended badly");
}

fn look(doing: &str, all: &[(&str, u32)]) {
    std::thread::sleep(SETTLE);
    let now = || all.iter().map(|(_, pid)| (cpu_seconds(*pid), waits(*pid))).collect::<Vec<_>>();
    let (began, before) = (Instant::now(), now());
    std::thread::sleep(LOOK);
    let seconds = began.elapsed().as_secs_f64();
    for ((name, _), ((cpu, waited), (cpu_before, waited_before))) in
        all.iter().zip(now().into_iter().zip(before))
    {
        println!(
            "| {name} | {doing} | {:.2} | {:.0} |",
            (cpu - cpu_before) / seconds * 100.0,
            (waited - waited_before) / seconds
        );
    }
}
