use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use rdkafka::admin::{AdminClient, AdminOptions};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use rdkafka::{ClientConfig, Message, Offset, TopicPartitionList};
use serde_json::Value;

use crate::{Servers, free_port};

/// One deployment of Waybill: nothing of it is shared with another test.
#[derive(Debug)]
pub struct Deployment {
    pub servers: Servers,
    pub folder: PathBuf,
    pub prefix: String,
    pub database: String,
    binary: PathBuf,
    partitions: u32,
    /// Over its configuration.
    environment: Vec<(String, String)>,
    keep: Option<tempfile::TempDir>,
}

/// Waits until `done` says so.
///
/// # Panics
/// After `limit`.
pub fn wait_until(what: &str, limit: Duration, mut done: impl FnMut() -> bool) {
    let began = Instant::now();
    while !done() {
        assert!(began.elapsed() < limit, "waited {limit:?} for: {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

impl Deployment {
    /// Keys, topics and tables are made; `extra` is more TOML for its configuration.
    pub fn new(name: &str, extra: &str) -> Self {
        Self::on(Servers::find(), name, 2, extra)
    }

    /// The same on other servers.
    pub fn on(servers: Servers, name: &str, partitions: u32, extra: &str) -> Self {
        Self::of(Self::binary(), servers, name, partitions, extra)
    }

    /// The same with another build of Waybill.
    pub fn of(binary: PathBuf, servers: Servers, name: &str, partitions: u32, extra: &str) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let id = format!("{name}_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let keep = tempfile::Builder::new().prefix("waybill-test-").tempdir().unwrap();
        let folder = keep.path().to_owned();
        let deployment = Self {
            prefix: format!("{id}."),
            database: format!("test_{id}"),
            servers,
            folder,
            binary,
            partitions,
            environment: Vec::new(),
            keep: Some(keep),
        };
        deployment.configure(extra);
        for args in [
            &["keys", "new", "--bits", "2048"][..],
            &["carriers", "init"],
            &["topics"],
            &["migrate"],
        ] {
            deployment.ok(args);
        }
        deployment
    }

    /// The same deployment, whose keys are in another folder of its own.
    pub fn with_keys(&self, folder: &str) -> Self {
        let path = self.folder.join(folder).to_str().unwrap().to_owned();
        self.with(&[("WAYBILL_KEYS__FOLDER", &path)])
    }

    /// The same deployment, for processes with that in their environment.
    pub fn with(&self, environment: &[(&str, &str)]) -> Self {
        let more = environment.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        Self {
            servers: self.servers.clone(),
            folder: self.folder.clone(),
            prefix: self.prefix.clone(),
            database: self.database.clone(),
            binary: self.binary.clone(),
            partitions: self.partitions,
            environment: self.environment.iter().cloned().chain(more).collect(),
            keep: None,
        }
    }

    /// This deployment, with that in the environment of all its processes and commands.
    pub fn with_own(mut self, environment: &[(&str, &str)]) -> Self {
        let more = environment.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        self.environment.extend(more);
        self
    }

    /// Writes its configuration, with `extra` as more of it.
    ///
    /// # Panics
    /// When the file cannot be written.
    pub fn configure(&self, extra: &str) {
        let partitions = self.partitions;
        let text = format!(
            "deployment = \"waybill:test\"\n\
             [kafka]\nbrokers = \"{}\"\n\
             [topics]\nprefix = \"{p}\"\npartitions = {partitions}\n\
             [groups]\nprefix = \"{p}\"\n\
             [clickhouse]\nurl = \"{}\"\ndatabase = \"{}\"\n\
             [keys]\nfolder = \"{f}/keys\"\n\
             [carriers]\nfile = \"{f}/carriers.json\"\n\
             {extra}\n",
            self.servers.kafka,
            self.servers.clickhouse,
            self.database,
            p = self.prefix,
            f = self.folder.display(),
        );
        std::fs::write(self.config(), text).unwrap();
    }

    pub fn config(&self) -> PathBuf {
        self.folder.join("waybill.toml")
    }

    /// The waybill binary of this build.
    pub fn binary() -> PathBuf {
        let test = std::env::current_exe().unwrap();
        let profile = test.parent().and_then(Path::parent).unwrap();
        let binary = profile.join("waybill");
        assert!(binary.is_file(), "{} is not built: run `make test`", binary.display());
        binary
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(&self.binary);
        command.arg("--config").arg(self.config()).args(args).stdin(Stdio::null());
        command.envs(self.environment.iter().map(|(key, value)| (key, value)));
        command
    }

    /// Runs a command to its end.
    pub fn run(&self, args: &[&str]) -> Output {
        self.command(args).output().unwrap()
    }

    /// The same with more in its environment.
    pub fn run_with(&self, args: &[&str], environment: &[(&str, &str)]) -> Output {
        self.command(args).envs(environment.iter().copied()).output().unwrap()
    }

    /// Runs a command that must succeed; what it printed.
    pub fn ok(&self, args: &[&str]) -> String {
        let out = self.run(args);
        assert!(
            out.status.success(),
            "waybill {args:?}: {}\n{}",
            out.status,
            String::from_utf8_lossy(&out.stderr)
        );
        String::from_utf8(out.stdout).unwrap()
    }

    /// Starts `waybill run STAGES` and waits until it is ready.
    pub fn start(&self, stages: &str) -> Process {
        self.start_as(stages, "1")
    }

    pub fn start_as(&self, stages: &str, instance: &str) -> Process {
        let mut process = self.spawn(stages, instance, &[]);
        process.wait_ready(stages);
        process
    }

    /// Starts it and does not wait; `environment` is added to its environment.
    pub fn spawn(&self, stages: &str, instance: &str, environment: &[(&str, &str)]) -> Process {
        let port = free_port();
        let log = self.folder.join(format!("{stages}-{instance}.log"));
        let out = File::options().create(true).append(true).open(&log).unwrap();
        let child = self
            .command(&["run", stages])
            .env("WAYBILL_INSTANCE", instance)
            .env("WAYBILL_METRICS__LISTEN", format!("127.0.0.1:{port}"))
            .envs(environment.iter().copied())
            .stdout(out.try_clone().unwrap())
            .stderr(out)
            .spawn()
            .unwrap();
        Process { child, port, log }
    }

    /// Every stage as a process of its own.
    pub fn start_all(&self) -> Vec<Process> {
        self.start_each(&["decrypt", "validate", "enrich", "aggregate", "clickhouse"])
    }

    /// Each as a process of its own, beside each other; waits until all are ready.
    pub fn start_each(&self, stages: &[&str]) -> Vec<Process> {
        let start = |stage: &&str| self.spawn(stage, "1", &[]);
        let mut processes: Vec<Process> = stages.iter().map(start).collect();
        for (process, stage) in processes.iter_mut().zip(stages) {
            process.wait_ready(stage);
        }
        processes
    }

    /// A carrier with a new key; the path of its private key (PEM).
    pub fn add_carrier(&self, id: &str) -> PathBuf {
        let file = self.folder.join(format!("{id}.pem"));
        self.ok(&["carriers", "add", id, "--name", id, "--new-key", file.to_str().unwrap()]);
        file
    }

    /// The platform's JWK Set as carriers get it.
    pub fn jwks(&self) -> PathBuf {
        let file = self.folder.join("platform.jwks");
        std::fs::write(&file, self.ok(&["keys", "export"])).unwrap();
        file
    }

    /// Publishes `payload` as one message of `carrier`; `more` are further arguments.
    pub fn publish(&self, carrier: &str, media_type: &str, payload: &[u8], more: &[&str]) {
        self.publish_all(carrier, media_type, &[payload], more);
    }

    /// Publishes each payload as one message of `carrier`; `more` are further arguments.
    pub fn publish_all(
        &self,
        carrier: &str,
        media_type: &str,
        payloads: &[impl AsRef<[u8]>],
        more: &[&str],
    ) {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let file = |payload: &[u8]| {
            let name = format!("message-{}", NEXT.fetch_add(1, Ordering::Relaxed));
            std::fs::write(self.folder.join(&name), payload).unwrap();
            self.folder.join(name).to_str().unwrap().to_owned()
        };
        let files: Vec<String> = payloads.iter().map(|payload| file(payload.as_ref())).collect();
        let key = self.folder.join(format!("{carrier}.pem"));
        let jwks = self.jwks();
        let mut args = vec![
            "publish",
            "--carrier",
            carrier,
            "--signing-key",
            key.to_str().unwrap(),
            "--jwks",
            jwks.to_str().unwrap(),
            "--media-type",
            media_type,
        ];
        args.extend(more);
        args.extend(files.iter().map(String::as_str));
        self.ok(&args);
    }

    /// Produces a record to the sealed topic as it is.
    pub fn produce_raw(&self, key: Option<&[u8]>, value: Option<&[u8]>) {
        self.produce_raw_to("sealed", key, value);
    }

    /// Produces a record to a topic as it is.
    pub fn produce_raw_to(&self, role: &str, key: Option<&[u8]>, value: Option<&[u8]>) {
        let producer: BaseProducer =
            ClientConfig::new().set("bootstrap.servers", &self.servers.kafka).create().unwrap();
        let topic = format!("{}{role}", self.prefix);
        let mut record = BaseRecord::<[u8], [u8]>::to(&topic);
        record.key = key;
        record.payload = value;
        producer.send(record).map_err(|(e, _)| e).unwrap();
        producer.flush(Duration::from_secs(20)).unwrap();
    }

    /// The last record of the sealed topic, if all are in one partition.
    ///
    /// # Panics
    /// When there is none.
    pub fn read_last(&self) -> Vec<u8> {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", &self.servers.kafka).set("group.id", "waybill-tests");
        let consumer: BaseConsumer = config.create().unwrap();
        let topic = format!("{}sealed", self.prefix);
        let limit = Duration::from_secs(20);
        let metadata = consumer.fetch_metadata(Some(&topic), limit).unwrap();
        let mut list = TopicPartitionList::new();
        for p in metadata.topics()[0].partitions() {
            let (_, end) = consumer.fetch_watermarks(&topic, p.id(), limit).unwrap();
            if end > 0 {
                list.add_partition_offset(&topic, p.id(), Offset::Offset(end - 1)).unwrap();
            }
        }
        assert_eq!(list.count(), 1, "records in other partitions");
        consumer.assign(&list).unwrap();
        let message = consumer.poll(limit).expect("no record").unwrap();
        message.payload().unwrap_or_default().to_vec()
    }

    /// Keys and values of the committed records of a topic, as they lie there, those of a partition in
    /// their order.
    ///
    /// # Panics
    /// When Kafka does not answer.
    pub fn read_all(&self, role: &str) -> Vec<(Vec<u8>, Option<Vec<u8>>)> {
        let topic = format!("{}{role}", self.prefix);
        let mut config = ClientConfig::new();
        config
            .set("bootstrap.servers", &self.servers.kafka)
            .set("group.id", "waybill-tests")
            .set("enable.partition.eof", "true");
        let consumer: BaseConsumer = config.create().unwrap();
        let limit = Duration::from_secs(20);
        let metadata = consumer.fetch_metadata(Some(&topic), limit).unwrap();
        let mut all = TopicPartitionList::new();
        for p in metadata.topics()[0].partitions() {
            all.add_partition_offset(&topic, p.id(), Offset::Beginning).unwrap();
        }
        consumer.assign(&all).unwrap();
        let (mut records, mut ended) = (Vec::new(), 0);
        while ended < all.count() {
            match consumer.poll(limit).expect("Kafka does not answer") {
                Ok(m) => records
                    .push((m.key().unwrap_or_default().to_vec(), m.payload().map(<[u8]>::to_vec))),
                Err(KafkaError::PartitionEOF(_)) => ended += 1,
                Err(error) => panic!("{topic}: {error}"),
            }
        }
        records
    }

    /// How many records a topic has had, if each of its offsets is one: no transaction writes to it.
    ///
    /// # Panics
    /// When Kafka does not say.
    pub fn records(&self, role: &str) -> i64 {
        let topic = format!("{}{role}", self.prefix);
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", &self.servers.kafka).set("group.id", "waybill-tests");
        let consumer: BaseConsumer = config.create().unwrap();
        let limit = Duration::from_secs(20);
        let metadata = consumer.fetch_metadata(Some(&topic), limit).unwrap();
        metadata.topics()[0]
            .partitions()
            .iter()
            .map(|p| consumer.fetch_watermarks(&topic, p.id(), limit).unwrap().1)
            .sum()
    }

    /// Of each committed record of a topic, the internal key that its value names, in hexadecimal.
    ///
    /// # Panics
    /// When Kafka does not answer, or a value is not sealed in version 2.
    pub fn key_ids(&self, role: &str) -> Vec<String> {
        let id = |value: Vec<u8>| {
            assert_eq!(value[0], 2, "not sealed in version 2");
            value[1..5].iter().map(|byte| format!("{byte:02x}")).collect()
        };
        self.read_all(role).into_iter().map(|(_, value)| id(value.unwrap())).collect()
    }

    /// Removes every record of a topic, as its retention would.
    ///
    /// # Panics
    /// When Kafka refuses.
    pub fn remove_records(&self, role: &str) {
        let topic = format!("{}{role}", self.prefix);
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", &self.servers.kafka).set("group.id", "waybill-tests");
        let consumer: BaseConsumer = config.create().unwrap();
        let admin: AdminClient<DefaultClientContext> = config.create().unwrap();
        let limit = Duration::from_secs(10);
        let metadata = consumer.fetch_metadata(Some(&topic), limit).unwrap();
        let mut ends = TopicPartitionList::new();
        for p in metadata.topics()[0].partitions() {
            let (_, end) = consumer.fetch_watermarks(&topic, p.id(), limit).unwrap();
            ends.add_partition_offset(&topic, p.id(), Offset::Offset(end)).unwrap();
        }
        let done = admin.delete_records(&ends, &AdminOptions::new());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(done).unwrap();
    }

    /// A statement that changes something; tables without a database are this deployment's.
    ///
    /// # Panics
    /// When ClickHouse refuses it.
    pub fn execute(&self, sql: &str) {
        ureq::post(&self.servers.clickhouse)
            .query("database", &self.database)
            .send(sql)
            .unwrap_or_else(|e| panic!("{sql}: {e}"));
    }

    /// Rows of a query; tables without a database are this deployment's.
    pub fn rows(&self, sql: &str) -> Vec<Value> {
        let body = ureq::post(&self.servers.clickhouse)
            .query("database", &self.database)
            .query("output_format_json_quote_64bit_integers", "0")
            .send(format!("{sql} FORMAT JSONEachRow"))
            .unwrap_or_else(|e| panic!("{sql}: {e}"))
            .body_mut()
            .read_to_string()
            .unwrap();
        body.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// The first column of the first row, as a number.
    pub fn number(&self, sql: &str) -> i64 {
        let rows = self.rows(sql);
        let row =
            rows.first().and_then(Value::as_object).unwrap_or_else(|| panic!("{sql}: no row"));
        row.values().next().and_then(Value::as_i64).unwrap_or_else(|| panic!("{sql}: {row:?}"))
    }

    /// Waits until the query's number is at least `n`, and gives it.
    pub fn wait_for(&self, sql: &str, n: i64) -> i64 {
        wait_until(&format!("{sql} to reach {n}"), Duration::from_secs(120), || {
            self.number(sql) >= n
        });
        self.number(sql)
    }

    /// `waybill audit`, which must be clean.
    ///
    /// # Panics
    /// When it is not.
    pub fn audit(&self) {
        let out = self.run(&["audit", "--wait", "120s"]);
        let said = String::from_utf8_lossy(&out.stdout);
        assert!(out.status.success(), "{said}\n{}", String::from_utf8_lossy(&out.stderr));
    }

    /// Keeps the folder, for a look at logs.
    pub fn keep(&mut self) {
        if let Some(keep) = self.keep.take() {
            println!("kept: {}", keep.keep().display());
        }
    }
}

impl Drop for Deployment {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.keep();
        }
    }
}

/// A running process of Waybill; killed when dropped.
#[derive(Debug)]
pub struct Process {
    child: Child,
    pub port: u16,
    log: PathBuf,
}

impl Process {
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    pub fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// # Panics
    /// When it ends instead.
    pub fn wait_ready(&mut self, stages: &str) {
        wait_until(&format!("{stages} to be ready"), Duration::from_secs(90), || {
            assert!(!self.has_ended(), "{stages}: {}", self.log());
            self.get("/readyz").is_some()
        });
    }

    /// Sends it a signal by name, such as `STOP`.
    pub fn signal(&self, name: &str) {
        let sent =
            std::process::Command::new("kill").args(["-s", name, &self.pid().to_string()]).status();
        assert!(sent.unwrap().success(), "kill -s {name}");
    }

    /// kill -9.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// SIGTERM; it must end well within `limit`.
    pub fn stop(mut self, limit: Duration) {
        Command::new("kill").args(["-TERM", &self.pid().to_string()]).status().unwrap();
        wait_until("the process to end on SIGTERM", limit, || {
            self.child.try_wait().unwrap().is_some()
        });
        assert!(self.child.wait().unwrap().success(), "{}", self.log());
    }

    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// The body of a page of the process, if it answers 200.
    pub fn get(&self, path: &str) -> Option<String> {
        ureq::get(format!("http://127.0.0.1:{}{path}", self.port))
            .config()
            .timeout_global(Some(Duration::from_secs(2)))
            .build()
            .call()
            .ok()?
            .body_mut()
            .read_to_string()
            .ok()
    }

    /// Sum of a metric's samples whose labels contain `label`.
    pub fn metric(&self, name: &str, label: &str) -> f64 {
        let text = self.get("/metrics").unwrap_or_default();
        text.lines()
            .filter(|l| l.starts_with(name) && l.contains(label))
            .filter(|l| l[name.len()..].starts_with([' ', '{']))
            .filter_map(|l| l.rsplit(' ').next()?.parse::<f64>().ok())
            .sum()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}
