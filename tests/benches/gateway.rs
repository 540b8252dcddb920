//! What the gateway takes: sealed events of 1 KB in batches of 100 and singly, by several clients at once. `dev/bench
//! gateway` runs it on its own servers. Events for a second of its processor time, since clients, broker and gateway
//! share the machine; p50 and p99 at half of what it took; what a carrier notices of another that sends ten times
//! what it may; and memory while the gateway is asked for more than it can.
//! BENCH_SECONDS (5): of each measurement. BENCH_OVERLOAD_SECONDS (20): of the overload. BENCH_PART: batches,
//! singly, neighbour, overload or twice alone.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use waybill_sealing::seal::Proof;
use waybill_tests::processor_time::{cpu_seconds, peak_mb};
use waybill_tests::{Deployment, Door, sealer};

const CLIENTS: usize = 8;
/// Messages a second that the loud carrier may send.
const LOUD_LIMIT: u32 = 1_000;
/// Events a second of the quiet one.
const QUIET_RATE: f64 = 4_000.0;

fn main() {
    // `cargo test --benches` asks for a check that it runs, not for figures.
    if std::env::args().any(|a| a == "--test") {
        return;
    }
    let seconds = |name: &str, default| {
        let given = std::env::var(name).ok().and_then(|text| text.parse().ok());
        Duration::from_secs(given.unwrap_or(default))
    };
    let (time, overload) = (seconds("BENCH_SECONDS", 5), seconds("BENCH_OVERLOAD_SECONDS", 20));
    // The limits are not what is measured.
    let limits = "[gateway]\nrequests_per_second_per_address = 1000000\nmax_connections_per_address = 5000\n\
                  [gateway.carriers]\nmessages_per_second = 10000000\nburst = 10000000\nbytes_per_second = 4000000000";
    let d = Deployment::new("bench", limits);
    d.add_carrier("acme-line");
    d.add_carrier("loud-line");
    limit(&d, "loud-line", LOUD_LIMIT);
    let door = Door::open(&d);
    let part = std::env::var("BENCH_PART").unwrap_or_default();
    let wants = |name: &str| part.is_empty() || part == name;
    println!(
        "| messages in a request | events/s | of the gateway's core: events/s | p50, ms | p99, ms |\n|---|---|---|---|---|"
    );
    for (name, batch, clients) in [("batches", 100, CLIENTS), ("singly", 1, 4 * CLIENTS)] {
        if wants(name) {
            throughput(&door, &body(&d, "acme-line", batch), batch, clients, time);
        }
    }
    if wants("neighbour") {
        neighbour(&d, &door, time);
    }
    if wants("overload") {
        let pid = door.process.pid();
        let before = peak_mb(pid);
        let body = body(&d, "acme-line", 100);
        let run = run(&door, &body, 100, 8 * CLIENTS, overload, None);
        println!(
            "overload, {} clients for {} s: {:.0} events/s; memory at most {before:.0} MB before, {:.0} MB after",
            8 * CLIENTS,
            overload.as_secs(),
            run.per_second,
            peak_mb(pid)
        );
    }
    if wants("twice") {
        twice(&d, &door, overload);
    }
}

/// A carrier that sends twice what it may, for long: memory is what it was after a tenth of the time.
fn twice(d: &Deployment, door: &Door, time: Duration) {
    let body = body(d, "loud-line", 100);
    let (pid, rate) = (door.process.pid(), f64::from(LOUD_LIMIT) * 2.0);
    run(door, &body, 100, CLIENTS, time / 10, Some(rate));
    let before = peak_mb(pid);
    run(door, &body, 100, CLIENTS, time * 9 / 10, Some(rate));
    println!(
        "a carrier that sent twice its {LOUD_LIMIT} events/s for {} s: memory at most {before:.1} MB in the first tenth, \
         {:.1} MB in all",
        time.as_secs(),
        peak_mb(pid)
    );
}

/// Of a carrier's own in carriers.json: messages a second.
fn limit(d: &Deployment, carrier: &str, per_second: u32) {
    let file = d.folder.join("carriers.json");
    let mut registry: serde_json::Value =
        serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    let all = registry["carriers"].as_array_mut().unwrap();
    let entry = all.iter_mut().find(|entry| entry["id"] == carrier).unwrap();
    entry["gateway"]["limits"] = serde_json::json!({ "messages_per_second": per_second });
    std::fs::write(file, registry.to_string()).unwrap();
}

fn throughput(door: &Door, body: &Arc<Vec<u8>>, batch: usize, clients: usize, time: Duration) {
    let most = run(door, body, batch, clients, time, None);
    let half = most.per_second / 2.0;
    let easy = run(door, body, batch, clients, time, Some(half));
    println!(
        "| {batch} | {:.0} | {:.0} | {:.1} | {:.1} |",
        most.per_second,
        most.per_core,
        easy.latency(0.5),
        easy.latency(0.99)
    );
}

/// A carrier alone, and beside one that sends ten times what it may: in turns, since the machine is not the same
/// from one second to the next.
fn neighbour(d: &Deployment, door: &Door, time: Duration) {
    let quiet = body(d, "acme-line", 100);
    let loud = body(d, "loud-line", 100);
    let mut took = [Vec::new(), Vec::new()];
    for turn in 0..8 {
        let is_beside = turn % 2 == 1;
        let offered = f64::from(LOUD_LIMIT) * 10.0;
        let own = std::thread::scope(|scope| {
            let beside = || run(door, &loud, 100, CLIENTS, time, Some(offered));
            let other = is_beside.then(|| scope.spawn(beside));
            let own = run(door, &quiet, 100, CLIENTS, time, Some(QUIET_RATE));
            if let Some(other) = other {
                let accepted = other.join().unwrap().took.len();
                eprintln!("the other had an event accepted in {accepted} requests");
            }
            own
        });
        took[usize::from(is_beside)].extend(own.took);
    }
    let [alone, beside] = took.map(|mut took| {
        took.sort_by(f64::total_cmp);
        Measured { per_second: 0.0, per_core: 0.0, took }
    });
    let of = |quantile| (alone.latency(quantile), beside.latency(quantile));
    let ((p50, p50_beside), (p99, p99_beside)) = (of(0.5), of(0.99));
    println!(
        "{QUIET_RATE:.0} events/s of a carrier, alone and beside one that sends {} events/s and may send {LOUD_LIMIT}: \
         p50 {p50:.1} and {p50_beside:.1} ms, p99 {p99:.1} and {p99_beside:.1} ms: {:.2} times",
        LOUD_LIMIT * 10,
        p99_beside / p99
    );
}

/// A request with so many events of about 1 KB.
fn body(d: &Deployment, carrier: &str, batch: usize) -> Arc<Vec<u8>> {
    let mut sealer = sealer(d, carrier, Proof::Granted);
    let payload = vec![b'x'; 80];
    let mut lines = String::new();
    for n in 0..batch {
        let id = format!("bench-{n}");
        lines.push_str(&waybill_tests::seal(&mut sealer, &id, "application/EDIFACT", &payload));
        lines.push('\n');
    }
    let head = format!(
        "POST /v1/events HTTP/1.1\r\nHost: gateway\r\nContent-Type: application/x-ndjson\r\nContent-Length: {}\r\n\r\n",
        lines.len()
    );
    eprintln!("an event has {} bytes", lines.len() / batch);
    Arc::new([head.into_bytes(), lines.into_bytes()].concat())
}

struct Measured {
    per_second: f64,
    per_core: f64,
    /// Of each request, ms, in order.
    took: Vec<f64>,
}

impl Measured {
    fn latency(&self, quantile: f64) -> f64 {
        let at = (self.took.len() as f64 * quantile) as usize;
        self.took.get(at.min(self.took.len().saturating_sub(1))).copied().unwrap_or(f64::NAN)
    }
}

/// As fast as it goes, or at so many events a second.
fn run(
    door: &Door,
    request: &Arc<Vec<u8>>,
    batch: usize,
    clients: usize,
    time: Duration,
    rate: Option<f64>,
) -> Measured {
    let (stop, done) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let every = rate.map(|rate| Duration::from_secs_f64(clients as f64 * batch as f64 / rate));
    let port = door.port;
    let threads: Vec<_> = (0..clients)
        .map(|n| {
            let (stop, done, request) = (stop.clone(), done.clone(), request.clone());
            std::thread::spawn(move || {
                let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
                stream.set_nodelay(true).unwrap();
                stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
                let mut took = Vec::new();
                let mut due =
                    Instant::now() + every.unwrap_or_default().mul_f64(n as f64 / clients as f64);
                while !stop.load(Ordering::Relaxed) {
                    std::thread::sleep(due.saturating_duration_since(Instant::now()));
                    // From when it was due: a client that waits is late for the next.
                    let began = if every.is_some() { due } else { Instant::now() };
                    due += every.unwrap_or_default();
                    stream.write_all(&request).unwrap();
                    if is_accepted(&mut stream) {
                        done.fetch_add(batch as u64, Ordering::Relaxed);
                        took.push(began.elapsed().as_secs_f64() * 1000.0);
                    } else {
                        std::thread::sleep(Duration::from_millis(5));
                    }
                }
                took
            })
        })
        .collect();
    std::thread::sleep(Duration::from_secs(1));
    let pid = door.process.pid();
    let (began, cpu, before) = (Instant::now(), cpu_seconds(pid), done.load(Ordering::Relaxed));
    std::thread::sleep(time);
    let (seconds, cpu) = (began.elapsed().as_secs_f64(), cpu_seconds(pid) - cpu);
    let events = (done.load(Ordering::Relaxed) - before) as f64;
    stop.store(true, Ordering::Relaxed);
    let mut took: Vec<f64> =
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect();
    took.sort_by(f64::total_cmp);
    Measured { per_second: events / seconds, per_core: events / cpu, took }
}

/// Reads one answer; whether it was 202.
fn is_accepted(stream: &mut TcpStream) -> bool {
    let (mut buffer, mut read) = ([0; 16 << 10], 0);
    loop {
        let more = stream.read(&mut buffer[read..]).unwrap();
        assert!(more > 0, "closed");
        read += more;
        let Some(head) = buffer[..read].windows(4).position(|end| end == b"\r\n\r\n") else {
            continue;
        };
        let text = String::from_utf8_lossy(&buffer[..head]).to_ascii_lowercase();
        let length = text.lines().find_map(|line| line.strip_prefix("content-length: "));
        let mut left = length.and_then(|l| l.parse::<usize>().ok()).unwrap() + head + 4 - read;
        let is_accepted = text.starts_with("http/1.1 202");
        while left > 0 {
            let most = left.min(buffer.len());
            left -= stream.read(&mut buffer[..most]).unwrap();
        }
        return is_accepted;
    }
}
