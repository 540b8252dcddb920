use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use waybill_clickhouse::Database;

use crate::audit::{Question, audit};
use crate::config::Config;
use crate::demo::figures::Watch;
use crate::demo::processes::{APART, FUSED, Processor, log_file, terminate};
use crate::demo::screen::{Screen, View};
use crate::demo::summary;
use crate::exit::Failure;

/// Run every processor with simulated carriers, and show what happens
///
/// Kafka and ClickHouse must be up (`make up`, or `make demo`, which does it all).
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: waybill demo --seconds 60 --rate 5000")]
pub struct Args {
    /// How long carriers publish
    #[arg(long, env = "DEMO_SECONDS", default_value_t = 60)]
    seconds: u64,
    /// Messages a second, all carriers together
    #[arg(long, env = "DEMO_RATE", default_value_t = 5_000)]
    rate: u32,
    /// What carriers send follows from it
    #[arg(long, env = "DEMO_SEED", default_value_t = 1)]
    seed: u64,
    /// decrypt, validate and enrich as one process, with no topic between them
    #[arg(long, env = "DEMO_FUSED")]
    fused: bool,
    /// Keys, carriers, logs and pid files of the demo; emptied first
    #[arg(long, default_value = ".waybill/demo")]
    folder: PathBuf,
}

const LATENCY_EVERY: Duration = Duration::from_secs(5);
/// What is published may be on its way this long after the last sign of progress.
const PATIENCE: Duration = Duration::from_secs(45);

pub fn run(config: &Config, _: Option<&Path>, args: &Args) -> Result<(), Failure> {
    let stop = Arc::new(AtomicBool::new(false));
    crate::signals::on_stop({
        let stop = stop.clone();
        move || stop.store(true, Ordering::Relaxed)
    })?;
    let folder = prepare(config, args)?;
    let config = Config::load(Some(&folder.join("waybill.toml")))?;
    let database =
        Database::open(config.clickhouse()?).map_err(|f| Failure::config(f.to_string()))?;

    let stages = if args.fused { FUSED } else { APART };
    println!("demo: starting {}", stages.join(" | "));
    let mut processors = Vec::new();
    for (port, stage) in (config.metrics.listen.port()..).zip(stages.iter().copied()) {
        processors.push(Processor::start(stage, port, &folder)?);
    }
    let result = wait_ready(&mut processors, &folder, &stop)
        .and_then(|()| play(args, &config, &folder, &database, &mut processors, &stop));
    // All at once, then wait for each.
    processors.iter().for_each(Processor::terminate);
    for processor in &mut processors {
        processor.stop(Duration::from_secs(10));
    }
    let outcome = result?;
    summary::print(&outcome, &database, &processors)
}

/// A fresh folder, keys, carriers, topics and tables: this run's own.
fn prepare(config: &Config, args: &Args) -> Result<PathBuf, Failure> {
    let failed = |e: std::io::Error| Failure::failed(format!("{}: {e}", args.folder.display()));
    if args.folder.exists() {
        std::fs::remove_dir_all(&args.folder).map_err(failed)?;
    }
    for sub in ["run", "log", "carriers"] {
        std::fs::create_dir_all(args.folder.join(sub)).map_err(failed)?;
    }
    let folder = args.folder.canonicalize().map_err(failed)?;
    let mut own = config.clone();
    let run = jiff::Timestamp::now().strftime("%Y%m%d%H%M%S").to_string();
    own.deployment = "waybill:demo".to_owned();
    own.topics.prefix = format!("demo-{run}.");
    own.groups.prefix = format!("demo-{run}-");
    own.clickhouse.database = format!("waybill_demo_{run}");
    own.keys.folder = folder.join("keys");
    own.carriers.file = folder.join("carriers.json");
    std::fs::write(folder.join("waybill.toml"), own.to_string()).map_err(failed)?;

    for step in [&["keys", "new"][..], &["carriers", "init"], &["topics"], &["migrate"]] {
        let done = Command::new(std::env::current_exe().map_err(failed)?)
            .arg("--config")
            .arg(folder.join("waybill.toml"))
            .args(step)
            .output()
            .map_err(failed)?;
        if !done.status.success() {
            return Err(Failure::unreachable(format!(
                "waybill {}: {}",
                step.join(" "),
                String::from_utf8_lossy(&done.stderr).trim()
            )));
        }
    }
    println!("demo: keys, carriers, topics and tables are new, in {}", args.folder.display());
    Ok(folder)
}

fn wait_ready(
    processors: &mut [Processor],
    folder: &Path,
    stop: &AtomicBool,
) -> Result<(), Failure> {
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(60) {
        if stop.load(Ordering::Relaxed) {
            return Err(Failure::failed("demo: stopped"));
        }
        if processors.iter().all(Processor::is_ready) {
            return Ok(());
        }
        for processor in processors.iter_mut() {
            processor.tend()?;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    let late: Vec<_> = processors
        .iter()
        .filter(|p| !p.is_ready())
        .map(|p| log_file(folder, p.stage).display().to_string())
        .collect();
    Err(Failure::unreachable(format!("not ready after 60 s; see {}", late.join(", "))))
}

/// The carriers, as a process that tells how many messages are confirmed.
struct Carriers {
    child: Child,
    confirmed: Arc<AtomicU64>,
    reader: Option<std::thread::JoinHandle<()>>,
}

impl Carriers {
    fn start(args: &Args, folder: &Path) -> Result<Self, Failure> {
        let failed = |e: std::io::Error| Failure::failed(format!("starting the carriers: {e}"));
        let log = std::fs::File::create(log_file(folder, "carriers")).map_err(failed)?;
        let mut child = Command::new(std::env::current_exe().map_err(failed)?)
            .arg("--config")
            .arg(folder.join("waybill.toml"))
            .arg("simulate")
            .args(["--seconds", &args.seconds.to_string()])
            .args(["--rate", &args.rate.to_string()])
            .args(["--seed", &args.seed.to_string()])
            .arg("--signing-keys")
            .arg(folder.join("carriers"))
            .arg("--register")
            .arg("--truth")
            .arg(folder.join("truth.json"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .map_err(failed)?;
        let confirmed = Arc::new(AtomicU64::new(0));
        let reader = child.stdout.take().map(|out| {
            let confirmed = confirmed.clone();
            std::thread::spawn(move || {
                for line in BufReader::new(out).lines().map_while(Result::ok) {
                    if let Some(n) = line.strip_prefix("published=").and_then(|n| n.parse().ok()) {
                        confirmed.store(n, Ordering::Relaxed);
                    }
                }
            })
        });
        Ok(Self { child, confirmed, reader })
    }

    fn published(&self) -> u64 {
        self.confirmed.load(Ordering::Relaxed)
    }

    fn has_ended(&mut self) -> Result<bool, Failure> {
        match self.child.try_wait() {
            Ok(None) => Ok(false),
            Ok(Some(status)) if status.success() => {
                if let Some(reader) = self.reader.take() {
                    let _ = reader.join();
                }
                Ok(true)
            }
            Ok(Some(status)) => Err(Failure::failed(format!("the carriers ended with {status}"))),
            Err(e) => Err(Failure::failed(format!("the carriers: {e}"))),
        }
    }
}

impl Drop for Carriers {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            terminate(self.child.id());
            let _ = self.child.wait();
        }
    }
}

fn play(
    args: &Args,
    config: &Config,
    folder: &Path,
    database: &Database,
    processors: &mut [Processor],
    stop: &AtomicBool,
) -> Result<summary::Outcome, Failure> {
    let mut carriers = Carriers::start(args, folder)?;
    let (mut screen, mut watch) = (Screen::new(), Watch::default());
    let began = Instant::now();
    let mut ended_at = None;
    let (mut answered, mut progress_at) = (0, Instant::now());
    let (mut published_before, mut looked_at) = (0, Instant::now());
    let (mut recent, mut asked_at) = (None, None::<Instant>);
    loop {
        let next_look = Instant::now() + Duration::from_secs(1);
        for processor in processors.iter_mut() {
            processor.tend()?;
        }
        if ended_at.is_none() && carriers.has_ended()? {
            ended_at = Some(began.elapsed());
        }
        let lines = watch.look(processors);
        // Not with each look: it costs ClickHouse what the rows of the run cost to read.
        if asked_at.is_none_or(|at| at.elapsed() >= LATENCY_EVERY) {
            (recent, asked_at) = (recent_latency(database), Some(Instant::now()));
        }
        let published = carriers.published();
        #[allow(clippy::cast_precision_loss)]
        let published_per_second =
            (published - published_before) as f64 / looked_at.elapsed().as_secs_f64();
        (published_before, looked_at) = (published, Instant::now());
        screen.show(&View {
            elapsed: ended_at.unwrap_or_else(|| began.elapsed()),
            of: Duration::from_secs(args.seconds),
            published,
            published_per_second,
            lines: &lines,
            p50_ms: recent.map(|(p50, _)| p50),
            p99_ms: recent.map(|(_, p99)| p99),
            note: if ended_at.is_some() { "all published; waiting for the last" } else { "" },
        });
        if ended_at.is_some() {
            let total = database.summary(0).map_err(|f| Failure::unreachable(f.to_string()))?.total;
            let now = total.events + total.rejected() + total.duplicates;
            if now > answered {
                (answered, progress_at) = (now, Instant::now());
            }
            if answered >= published || progress_at.elapsed() > PATIENCE {
                let truth = summary::Truth::read(&folder.join("truth.json"))?;
                // While the processes live: the ledger's last entries are on their way.
                let patience = PATIENCE;
                let report = audit(config, &Question { patience, ..Question::default() })?;
                return Ok(summary::Outcome {
                    published,
                    truth,
                    report,
                    watch,
                    database: config.clickhouse.database.clone(),
                });
            }
        }
        while Instant::now() < next_look {
            if stop.load(Ordering::Relaxed) {
                return Err(Failure::failed("demo: stopped; its processes are ended"));
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

/// p50 and p99 from sealing to queryable of what was received in the last 10 s, ms.
fn recent_latency(database: &Database) -> Option<(f64, f64)> {
    let since = jiff::Timestamp::now().as_millisecond() - 10_000;
    database.latency(since).ok()?
}
