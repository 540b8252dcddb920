//! All of it at once, by whoever may write to the sealed topic and by a carrier that means harm, beside
//! carriers that do not: compression bombs, forged events that cost RSA, messages that become much, shipments
//! without end, the same event again and again, noise. The good carriers' events are all there once, in time,
//! and no process has ended or taken more memory than it may.
//!
//! `make attack` does it for as long as wanted, and compares the good carriers' latency with that before.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod evil;

use std::process::Command;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use evil::Evil;
use waybill_tests::{Deployment, OwnServers, Process, Truth};

/// What Compose gives each process, bytes; aggregate four times as much.
const MEMORY: f64 = 256e6;

#[test]
fn good_carriers_lose_nothing_while_all_is_tried_at_once() {
    attack(200, 10);
}

/// `dev/attack` asks for this one.
#[test]
#[ignore = "as long as FOR says: make attack"]
fn for_as_long_as_wanted() {
    let setting = |name: &str, default: u64| {
        std::env::var(name).ok().and_then(|v| v.parse().ok()).unwrap_or(default)
    };
    let ratio = attack(setting("RATE", 1_000), setting("FOR", 60));
    assert!(ratio <= 1.2, "the good carriers' p99 was {ratio:.2} times that before");
}

/// Good carriers publish so many messages a second for so long, alone and then beside the attack: by how much
/// their p99 grows.
fn attack(rate: u64, seconds: u64) -> f64 {
    let servers = OwnServers::start();
    let settings = "[aggregate]\nmax_bytes_per_carrier = 2000000";
    let d = Deployment::on(servers.addresses(), "attack", 2, settings);
    let processes = d.start_all();
    let evil = Evil::new(&d);
    // What a process does for the first time takes longer.
    publish(&d, 1, rate, 5);
    let (before, truth_before) = publish(&d, 2, rate, seconds);
    let attack = evil.begin(seconds);
    let (beside, truth_beside) = publish(&d, 3, rate, seconds);
    let tried = attack.end();
    println!("attack: {tried}");

    let good = truth_before.events + truth_beside.events;
    let events = "SELECT count() FROM events WHERE carrier_id != 'evil-line'";
    let of = |time: (i64, i64)| {
        format!("{events} AND toUnixTimestamp64Milli(sealed_at) BETWEEN {} AND {}", time.0, time.1)
    };
    let there = || d.number(&of(before)) + d.number(&of(beside));
    waybill_tests::wait_until("the good carriers' events", Duration::from_secs(120), || {
        there() >= good
    });
    assert_eq!(there(), good);

    let memory = look_at(&processes);
    let p99 = |time: (i64, i64)| {
        d.number(&format!(
            "SELECT toInt64(quantile(0.99)(toUnixTimestamp64Milli(inserted_at) - toUnixTimestamp64Milli(sealed_at)))
            FROM events WHERE carrier_id != 'evil-line'
                AND toUnixTimestamp64Milli(sealed_at) BETWEEN {} AND {}",
            time.0, time.1
        ))
    };
    let (quiet, attacked) = (p99(before), p99(beside));
    #[allow(clippy::cast_precision_loss)]
    let ratio = attacked as f64 / quiet as f64;

    // What was tried has an answer each, and nothing of it is left on the way.
    for code in ["too_large", "quota", "not_authentic", "malformed"] {
        d.wait_for(&format!("SELECT count() FROM rejects WHERE code = '{code}'"), 1);
    }
    let waits = |topic: &str| processes[0].metric("waybill_lag_records", topic);
    waybill_tests::wait_until("what was put off", Duration::from_secs(180), || {
        waits("deferred") == 0.0
    });
    let forged = "SELECT count() FROM rejects WHERE code = 'not_authentic'";
    d.wait_for(forged, tried.forged);
    d.audit();
    for process in &processes {
        assert_eq!(process.metric("waybill_restarts_total", ""), 0.0, "{}", process.log());
    }
    println!("{}", d.ok(&["audit", "--wait", "30s"]));
    println!(
        "attack: the good carriers' p99 was {quiet} ms, and {attacked} ms beside it ({ratio:.2} times); \
         {good} events of theirs, lost=0 twice=0; most memory of a process {:.0} MB",
        memory / 1e6
    );
    ratio
}

/// From when to when (ms UTC) it was published, and what must become of it.
fn publish(d: &Deployment, seed: u64, rate: u64, seconds: u64) -> ((i64, i64), Truth) {
    let truth = d.folder.join(format!("truth-{seed}.json"));
    let from = now();
    let out = Command::new(Deployment::binary())
        .arg("--config")
        .arg(d.config())
        .args(["simulate", "--register", "--containers", "500", "--bad", "0"])
        .args(["--rate", &rate.to_string(), "--seconds", &seconds.to_string()])
        .args(["--seed", &seed.to_string(), "--signing-keys"])
        .arg(d.folder.join("carriers"))
        .arg("--truth")
        .arg(&truth)
        .output()
        .unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    ((from, now()), Truth::read(&truth))
}

fn now() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    i64::try_from(now.as_millis()).unwrap()
}

/// The most memory that one of them has taken, bytes; each no more than it may.
fn look_at(processes: &[Process]) -> f64 {
    let mut most = 0.0f64;
    for (n, process) in processes.iter().enumerate() {
        let status = std::fs::read_to_string(format!("/proc/{}/status", process.pid())).unwrap();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        let peak: f64 = peak.trim().trim_end_matches(" kB").parse().unwrap();
        let limit = if n == 3 { 4.0 * MEMORY } else { MEMORY };
        assert!(peak * 1024.0 < limit, "process {n}: {peak} kB");
        most = most.max(peak * 1024.0);
    }
    most
}
