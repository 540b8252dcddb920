use std::path::{Path, PathBuf};

/// Where `dev/test` has started the servers.
#[derive(Clone, Debug)]
pub struct Servers {
    pub kafka: String,
    pub clickhouse: String,
    /// State folder of `dev/servers`: pid files, logs.
    pub state: PathBuf,
}

impl Servers {
    /// # Panics
    /// When they are not there: a test that needs them must not pass without.
    pub fn find() -> Self {
        let get = |name: &str| {
            std::env::var(name).unwrap_or_else(|_| {
                panic!("{name} is not set: run the tests through `make test` (dev/test), which starts the servers")
            })
        };
        Self {
            kafka: get("WAYBILL_TEST_KAFKA"),
            clickhouse: get("WAYBILL_TEST_CLICKHOUSE_URL"),
            state: get("WAYBILL_STATE").into(),
        }
    }

    /// The process of one of them, as `dev/servers` names it.
    ///
    /// # Panics
    /// When `dev/servers` has not started it.
    pub fn pid(&self, name: &str) -> u32 {
        let file = self.state.join("run").join(format!("{name}.pid"));
        let text = std::fs::read_to_string(&file).unwrap();
        text.split_whitespace().next().and_then(|pid| pid.parse().ok()).unwrap()
    }
}

/// A file or folder of ../shared, or a clear line and `None` where users have none.
pub fn shared(path: &str) -> Option<PathBuf> {
    let shared = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared");
    if !shared.is_dir() {
        println!("skipped: {}: ../shared is absent", std::thread::current().name().unwrap_or("?"));
        return None;
    }
    Some(shared.join(path))
}
