//! The server of these tests: that of `WAYBILL_TEST_CLICKHOUSE_URL`, or one of their own.

use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

use waybill_clickhouse::{ClickHouseSink, Config, Database};
use waybill_schemas::{Record, encode};
use waybill_stage::{Fault, Inserted, Lease, Sink, SinkBatch, Stored};

use crate::samples::T0;

/// HTTP address of the server, started by the first test that asks.
pub fn url() -> &'static str {
    static SERVER: OnceLock<(String, Option<Child>)> = OnceLock::new();
    let (url, _) = SERVER.get_or_init(|| match std::env::var("WAYBILL_TEST_CLICKHOUSE_URL") {
        Ok(url) => (url, None),
        Err(_) => {
            let (url, watcher) = start("tests", &[]);
            (url, Some(watcher))
        }
    });
    url
}

/// Runs `dev/servers up clickhouse` in a folder of its own; the server's URL. A shell waits for the end of
/// this process, whichever way it ends, or until it is dropped, and takes the server down.
pub fn start(name: &str, environment: &[(&str, &str)]) -> (String, Child) {
    try_start(name, environment).unwrap()
}

/// The same, or what `dev/servers` says when the server does not start.
pub fn try_start(name: &str, environment: &[(&str, &str)]) -> Result<(String, Child), String> {
    let servers = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../dev/servers");
    let state =
        std::env::temp_dir().join(format!("waybill-clickhouse-{name}-{}", std::process::id()));
    let (http, tcp) = free_ports();
    let command = |program: &str| {
        let mut command = Command::new(program);
        command
            .env("WAYBILL_STATE", &state)
            .env("WAYBILL_CLICKHOUSE_HTTP_PORT", http.to_string())
            .env("WAYBILL_CLICKHOUSE_TCP_PORT", tcp.to_string())
            .env("SERVERS", &servers)
            .envs(environment.iter().copied());
        command
    };
    let up = command("bash").args(["-c", "exec \"$SERVERS\" up clickhouse"]).output().unwrap();
    if !up.status.success() {
        let _ = std::fs::remove_dir_all(&state);
        return Err(String::from_utf8_lossy(&up.stderr).into_owned());
    }
    let watcher = command("bash")
        .args(["-c", "read -r _; \"$SERVERS\" down clickhouse; rm -rf \"$WAYBILL_STATE\""])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    Ok((format!("http://127.0.0.1:{http}"), watcher))
}

/// Two of them, below those that outgoing connections are given (from 32,768), one of which could
/// take a port before the server does.
fn free_ports() -> (u16, u16) {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let free = |port: &u16| TcpListener::bind(("127.0.0.1", *port)).is_ok();
    let skip = 2 * NEXT.fetch_add(1, Ordering::Relaxed);
    let start = 20_000 + (std::process::id() % 5_000) as u16 * 2 + skip;
    let mut found = (start..32_000).chain(20_000..start).filter(free);
    found.next().zip(found.next()).unwrap()
}

pub fn config(database: &str) -> Config {
    Config { url: url().to_owned(), database: format!("test_{database}"), ..Config::default() }
}

/// A fresh database of that name, without tables.
pub fn empty(database: &str) -> Database {
    let config = config(database);
    let opened = Database::open(config.clone()).unwrap();
    execute(&format!("DROP DATABASE IF EXISTS {}", config.database));
    execute(&format!("DROP DATABASE IF EXISTS {}_scratch", config.database));
    opened
}

/// A fresh database of that name, with all tables.
pub fn migrated(database: &str) -> Database {
    let database = empty(database);
    database.migrate().unwrap();
    database
}

/// A sink on a fresh, migrated database.
pub fn sink(database: &str) -> (ClickHouseSink, Database) {
    let opened = migrated(database);
    (ClickHouseSink::open(config(database)).unwrap(), opened)
}

/// Runs a statement that `Database` has no method for, past our own code.
pub fn execute(sql: &str) {
    let client = clickhouse::Client::default().with_url(url());
    runtime().block_on(client.query_raw(sql).execute()).unwrap();
}

/// The answer to `sql` as tab-separated text.
pub fn ask(database: &Database, sql: &str) -> String {
    // Within `Database` there is only the drawn form.
    let name = format!("{database:?}");
    let name = name.split("database: \"").nth(1).unwrap().split('"').next().unwrap();
    let client = clickhouse::Client::default().with_url(url()).with_database(name);
    let bytes = runtime()
        .block_on(async { client.query_raw(sql).fetch_bytes("TSV").unwrap().collect().await })
        .unwrap();
    String::from_utf8_lossy(&bytes).trim_end_matches('\n').to_owned()
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

/// A batch of partition 3, with the offsets from `first` on.
pub fn batch<R: Record>(role: &'static str, first: i64, records: &[R]) -> SinkBatch {
    let last = first + i64::try_from(records.len()).unwrap() - 1;
    let records =
        (first..).zip(records).map(|(offset, record)| (offset, encoded(record), T0)).collect();
    SinkBatch {
        role,
        topic: format!("waybill.{role}"),
        topic_id: "id".to_owned(),
        partition: 3,
        first,
        last,
        token: format!("waybill.{role}:3:{first}-{last}"),
        again: false,
        records,
    }
}

pub fn encoded<R: Record>(record: &R) -> Vec<u8> {
    let mut bytes = Vec::new();
    encode(record, &mut bytes).unwrap();
    bytes
}

/// The same batch, when it comes a second time.
pub fn again(batch: SinkBatch) -> SinkBatch {
    SinkBatch { again: true, ..batch }
}

/// What an insert came to: rows, and for each reject its offset and code.
pub fn outcome(inserted: &Inserted) -> (u64, Vec<(i64, &'static str)>) {
    let rejects = inserted.rejects.iter().map(|r| (r.offset, r.reject.code.as_str())).collect();
    (inserted.rows, rejects)
}

pub fn lease(time: Duration) -> Lease {
    Lease::until(Instant::now() + time)
}

/// Inserts under a lease that is long enough.
pub fn try_insert(
    sink: &mut ClickHouseSink,
    batches: &[SinkBatch],
) -> Result<Vec<Inserted>, Fault> {
    let stored = sink.insert(batches, &lease(Duration::from_secs(20)))?;
    assert_eq!(stored.len(), batches.len());
    let done = stored.into_iter().map(|stored| match stored {
        Stored::Done(inserted) => inserted,
        Stored::Unknown => panic!("unknown"),
    });
    Ok(done.collect())
}

pub fn insert_all(sink: &mut ClickHouseSink, batches: &[SinkBatch]) -> Vec<Inserted> {
    try_insert(sink, batches).unwrap()
}

/// Inserts one batch.
pub fn insert(sink: &mut ClickHouseSink, batch: SinkBatch) -> Inserted {
    insert_all(sink, &[batch]).remove(0)
}
