use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use waybill_schemas::pipeline::{AGGREGATE, CLICKHOUSE, DECRYPT, ENRICH, VALIDATE};

use crate::exit::Failure;

/// What each process runs, in the order of the flow: every stage apart, or the stateless ones fused.
pub const APART: &[&str] =
    &[DECRYPT.stage, VALIDATE.stage, ENRICH.stage, AGGREGATE.stage, CLICKHOUSE.stage];
pub const FUSED: &[&str] = &["decrypt,validate,enrich", "aggregate", "clickhouse"];

/// One processor, kept running: killed or crashed, it is started again.
#[derive(Debug)]
pub struct Processor {
    pub stage: &'static str,
    pub port: u16,
    pub restarts: u32,
    /// Highest resident memory seen, bytes, of any of its lives.
    pub peak_rss: u64,
    child: Child,
    folder: PathBuf,
}

impl Processor {
    pub fn start(stage: &'static str, port: u16, folder: &Path) -> Result<Self, Failure> {
        let child = spawn(stage, port, folder)?;
        Ok(Self { stage, port, restarts: 0, peak_rss: 0, child, folder: folder.to_owned() })
    }

    /// Starts it again if it is gone; notes its memory if it is not.
    pub fn tend(&mut self) -> Result<(), Failure> {
        match self.child.try_wait() {
            Ok(None) => {
                self.peak_rss = self.peak_rss.max(high_water(self.child.id()).unwrap_or(0));
                Ok(())
            }
            _ => {
                self.restarts += 1;
                if self.restarts > 20 {
                    return Err(Failure::failed(format!(
                        "{} ended 20 times: see {}",
                        self.stage,
                        log_file(&self.folder, self.stage).display()
                    )));
                }
                self.child = spawn(self.stage, self.port, &self.folder)?;
                Ok(())
            }
        }
    }

    pub fn is_ready(&self) -> bool {
        ureq::get(format!("http://127.0.0.1:{}/readyz", self.port))
            .config()
            .timeout_global(Some(Duration::from_secs(1)))
            .build()
            .call()
            .is_ok()
    }

    /// User and system time of this life, s. Read here: the process' own metric is whole seconds.
    pub fn cpu_seconds(&self) -> Option<f64> {
        // Fields 14 and 15, in ticks of 10 ms; the name before them may hold blanks.
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).ok()?;
        let mut fields = stat.rsplit(')').next()?.split_whitespace().skip(11);
        let mut ticks = || fields.next()?.parse::<f64>().ok();
        Some((ticks()? + ticks()?) / 100.0)
    }

    /// Asks it to commit what it has in hand, and end.
    pub fn terminate(&self) {
        terminate(self.child.id());
    }

    /// Waits for its end; SIGKILL after `patience`.
    pub fn stop(&mut self, patience: Duration) {
        let until = Instant::now() + patience;
        while Instant::now() < until {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Processor {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// Asks a process of ours to end.
pub fn terminate(pid: u32) {
    let _ = Command::new("kill").args(["-TERM", &pid.to_string()]).stderr(Stdio::null()).status();
}

pub fn log_file(folder: &Path, stage: &str) -> PathBuf {
    folder.join("log").join(format!("{stage}.log"))
}

fn spawn(stage: &str, port: u16, folder: &Path) -> Result<Child, Failure> {
    let log = log_file(folder, stage);
    let failed = |e: std::io::Error| Failure::failed(format!("starting {stage}: {e}"));
    let out = File::options().create(true).append(true).open(&log).map_err(failed)?;
    let child = Command::new(std::env::current_exe().map_err(failed)?)
        .arg("--config")
        .arg(folder.join("waybill.toml"))
        .args(["run", stage])
        .env("WAYBILL_INSTANCE", "demo")
        .env("WAYBILL_METRICS__LISTEN", format!("127.0.0.1:{port}"))
        .stdin(Stdio::null())
        .stdout(out.try_clone().map_err(failed)?)
        .stderr(out)
        .spawn()
        .map_err(failed)?;
    // For whoever wants to kill one in the middle of it.
    std::fs::write(folder.join("run").join(format!("{stage}.pid")), child.id().to_string())
        .map_err(failed)?;
    Ok(child)
}

/// Peak resident memory of a process, bytes.
fn high_water(pid: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find(|l| l.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse::<u64>().ok().map(|kib| kib * 1024)
}
