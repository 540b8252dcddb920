use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use crate::{Proxy, Servers, free_port, wait_until};

/// What a controller says when it has put a broker out.
const FENCED: &str = "fenced=1";

/// A Kafka and a ClickHouse that belong to one test, which may kill them; each behind a proxy.
#[derive(Debug)]
pub struct OwnServers {
    pub kafka: Proxy,
    pub clickhouse: Proxy,
    folder: tempfile::TempDir,
    environment: Vec<(&'static str, String)>,
}

impl OwnServers {
    /// # Panics
    /// When they do not start.
    pub fn start() -> Self {
        Self::with(&[])
    }

    /// With more in the environment of `dev/servers`.
    ///
    /// # Panics
    /// When they do not start.
    pub fn with(more: &[(&'static str, &str)]) -> Self {
        let folder = tempfile::Builder::new().prefix("waybill-servers-").tempdir().unwrap();
        let [kafka, controller, advertised, http, tcp, way] = [(); 6].map(|()| free_port());
        let mut own = Self {
            kafka: Proxy::start(advertised, kafka),
            clickhouse: Proxy::start(way, http),
            environment: vec![
                ("WAYBILL_STATE", folder.path().display().to_string()),
                ("WAYBILL_KAFKA_PORT", kafka.to_string()),
                ("WAYBILL_KAFKA_CONTROLLER_PORT", controller.to_string()),
                ("WAYBILL_KAFKA_ADVERTISED_PORT", advertised.to_string()),
                ("WAYBILL_KAFKA_SEPARATE", "yes".to_owned()),
                ("WAYBILL_CLICKHOUSE_HTTP_PORT", http.to_string()),
                ("WAYBILL_CLICKHOUSE_TCP_PORT", tcp.to_string()),
            ],
            folder,
        };
        own.environment.extend(more.iter().map(|(name, value)| (*name, (*value).to_owned())));
        own.up();
        own
    }

    fn script(&self, args: &[&str]) -> Output {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../dev/servers");
        let mut command = Command::new(script);
        command.args(args).envs(self.environment.iter().map(|(k, v)| (*k, v.as_str())));
        command.output().unwrap()
    }

    /// Starts what is down, and waits until it answers.
    ///
    /// # Panics
    /// When it does not.
    pub fn up(&self) {
        let out = self.script(&["up", "controller", "kafka", "clickhouse"]);
        assert!(out.status.success(), "dev/servers: {}", String::from_utf8_lossy(&out.stderr));
    }

    /// kill -9 of one of them; it is gone when this returns. A broker's cluster has put it out by
    /// then: the only broker of a cluster that comes back sooner, with transactions that were about
    /// to end, forgets to write their ends (Kafka 4.3 looks for a partition's leader in the moment in
    /// which it is put out itself), and they hang for ever. With more than one broker, another would
    /// have ended them.
    ///
    /// # Panics
    /// When it does not run.
    pub fn kill(&self, name: &str) {
        let put_out = || self.log("controller").matches(FENCED).count();
        let before = put_out();
        self.end(name);
        if name == "kafka" {
            wait_until("the broker to be put out", Duration::from_secs(60), || put_out() > before);
        }
    }

    /// kill -9; it is gone when this returns.
    fn end(&self, name: &str) {
        let file = self.state().join("run").join(format!("{name}.pid"));
        let text = std::fs::read_to_string(&file).unwrap();
        let pid = text.split_whitespace().next().unwrap();
        let sent = Command::new("kill").args(["-9", pid]).status().unwrap();
        assert!(sent.success(), "kill -9 {name}");
        // Its threads end one after the other, and the last one lets go of its ports.
        let ports: &[&str] = match name {
            "kafka" => &["WAYBILL_KAFKA_PORT"],
            "controller" => &["WAYBILL_KAFKA_CONTROLLER_PORT"],
            _ => &["WAYBILL_CLICKHOUSE_HTTP_PORT", "WAYBILL_CLICKHOUSE_TCP_PORT"],
        };
        for (key, port) in self.environment.iter().filter(|(key, _)| ports.contains(key)) {
            let port: u16 = port.parse().unwrap();
            wait_until(&format!("{key} to be free"), Duration::from_secs(20), || {
                TcpListener::bind(("127.0.0.1", port)).is_ok()
            });
        }
    }

    /// All that Kafka has kept goes, as if its disks had: what comes up next is another cluster.
    ///
    /// # Panics
    /// When its files cannot be removed.
    pub fn rebuild_kafka(&self) {
        self.end("kafka");
        self.end("controller");
        for home in ["kafka", "controller"] {
            let home = self.state().join(home);
            if home.exists() {
                std::fs::remove_dir_all(home).unwrap();
            }
        }
        self.up();
    }

    fn state(&self) -> PathBuf {
        self.folder.path().to_owned()
    }

    /// What a server has written to its log.
    pub fn log(&self, name: &str) -> String {
        let file = self.state().join("log").join(format!("{name}.log"));
        std::fs::read_to_string(file).unwrap_or_default()
    }

    /// Where clients find them: through the proxies.
    pub fn addresses(&self) -> Servers {
        Servers {
            kafka: format!("127.0.0.1:{}", self.kafka.port),
            clickhouse: format!("http://127.0.0.1:{}", self.clickhouse.port),
            state: self.state(),
        }
    }
}

impl Drop for OwnServers {
    fn drop(&mut self) {
        if std::thread::panicking() {
            println!("servers: {}", self.folder.path().display());
            self.folder.disable_cleanup(true);
        }
        // Nothing of theirs is kept: a broker and its controller that both end in good order wait for each
        // other until they are killed.
        for name in ["kafka", "controller", "clickhouse"] {
            let file = self.state().join("run").join(format!("{name}.pid"));
            let text = std::fs::read_to_string(file).unwrap_or_default();
            if let Some(pid) = text.split_whitespace().next() {
                let _ = Command::new("kill").args(["-9", pid]).stderr(Stdio::null()).status();
            }
        }
    }
}
