//! Files that are read again when they change: a broken one leaves the last good one in force,
//! with an alarm.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use arc_swap::ArcSwap;
use waybill_host::metrics::metrics;

use crate::exit::Failure;

const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Loads once (a broken file is then a failure), and again whenever `path` changes.
pub fn watch<T: Send + Sync + 'static>(
    name: &'static str,
    path: PathBuf,
    load: impl Fn() -> Result<T, Failure> + Send + 'static,
) -> Result<Arc<ArcSwap<T>>, Failure> {
    watch_all(name, vec![path], load)
}

/// The same of files that belong together.
pub fn watch_all<T: Send + Sync + 'static>(
    name: &'static str,
    paths: Vec<PathBuf>,
    load: impl Fn() -> Result<T, Failure> + Send + 'static,
) -> Result<Arc<ArcSwap<T>>, Failure> {
    let stamps = move || paths.iter().map(stamp).collect::<Vec<_>>();
    let mut seen = stamps();
    let value = Arc::new(ArcSwap::from_pointee(load()?));
    let ok = metrics().file_ok.with_label_values(&[name]);
    ok.set(1);
    let shared = value.clone();
    std::thread::Builder::new()
        .name(format!("watch-{name}"))
        .spawn(move || {
            loop {
                std::thread::sleep(LOOK_EVERY);
                let now = stamps();
                if now == seen {
                    continue;
                }
                seen = now;
                match load() {
                    Ok(new) => {
                        shared.store(Arc::new(new));
                        ok.set(1);
                        tracing::info!(file = name, "read again");
                    }
                    Err(failure) => {
                        ok.set(0);
                        tracing::error!(file = name, error = %failure, "broken: the last good one stays in force");
                    }
                }
            }
        })
        .map_err(|e| Failure::failed(format!("thread: {e}")))?;
    Ok(value)
}

/// Changes whenever the file is written or replaced; `None` while it is not there.
fn stamp(path: &PathBuf) -> Option<(SystemTime, u64)> {
    let metadata = std::fs::metadata(path).ok()?;
    Some((metadata.modified().ok()?, metadata.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broken_file_leaves_the_last_good_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("number");
        std::fs::write(&path, "1").unwrap();
        let from = path.clone();
        let load = move || -> Result<i32, Failure> {
            let text =
                std::fs::read_to_string(&from).map_err(|e| Failure::config(e.to_string()))?;
            text.parse().map_err(|_| Failure::config("no number"))
        };
        let value = watch("number", path.clone(), load).unwrap();
        let ok = metrics().file_ok.with_label_values(&["number"]);
        let wait = |number: i32, good: i64| {
            for _ in 0..100 {
                if **value.load() == number && ok.get() == good {
                    return;
                }
                std::thread::sleep(Duration::from_millis(50));
            }
            panic!("{} {}", **value.load(), ok.get());
        };
        wait(1, 1);
        std::fs::write(&path, "broken").unwrap();
        wait(1, 0);
        std::fs::remove_file(&path).unwrap();
        wait(1, 0);
        std::fs::write(&path, "22").unwrap();
        wait(22, 1);
    }
}
