//! The users of dashboards/clickhouse/users.xml, on a server of their own that has that file: whether each
//! can do its work, and nothing else.

use std::path::Path;
use std::process::Child;
use std::sync::{Mutex, OnceLock};
use std::time::Duration;

use sha2::{Digest, Sha256};
use waybill_clickhouse::{
    Answers, AuditQuestion, ClickHouseSink, Config, Cursor, Database, ErasureRow, Filter, Gone,
    Named, Retention, Rollup, RowPlace,
};
use waybill_stage::Sink;

use crate::ledger::entry;
use crate::proxy::Proxy;
use crate::questions::{VIEWS, journeys_of};
use crate::samples::{event, reject, shipment};
use crate::server::{again, batch, insert, insert_all, outcome, start, try_start};

pub(crate) const PASSWORD: &str = "of-all-users";
const USERS: [&str; 7] = ["OWNER", "SINK", "AUDITOR", "GATEWAY", "READER", "ACME_LINE", "ERASER"];

pub(crate) struct Server {
    url: String,
    _watcher: Child,
    _folder: tempfile::TempDir,
}

/// What a server is told by the files of the repository.
fn configuration() -> tempfile::TempDir {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("users.d")).unwrap();
    for (from, to) in [
        ("dev/clickhouse/config.xml", "config.xml"),
        ("dev/clickhouse/users.xml", "users.xml"),
        ("dashboards/clickhouse/users.xml", "users.d/users.xml"),
        ("dashboards/clickhouse/carrier.xml", "users.d/carrier.xml"),
        ("dashboards/clickhouse/eraser.xml", "users.d/eraser.xml"),
    ] {
        std::fs::copy(root.join(from), folder.path().join(to)).unwrap();
    }
    std::fs::write(folder.path().join("users.d/roles.xml"), crate::roles::as_users()).unwrap();
    folder
}

/// With the tables of the database `waybill`, which its owner has made.
pub(crate) fn server() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(|| {
        let folder = configuration();
        let config = folder.path().join("config.xml");
        let names = USERS.map(|user| format!("WAYBILL_{user}_PASSWORD_SHA256"));
        let hash: String =
            Sha256::digest(PASSWORD).iter().map(|byte| format!("{byte:02x}")).collect();
        let mut environment: Vec<_> =
            names.iter().map(|name| (name.as_str(), hash.as_str())).collect();
        environment.push(("WAYBILL_CLICKHOUSE_CONFIG", config.to_str().unwrap()));
        let (url, watcher) = start("users", &environment);
        let server = Server { url, _watcher: watcher, _folder: folder };
        // As it was before there were such users.
        let before = Config { user: None, password: None, ..server.of("owner") };
        assert_ne!(Database::open(before).unwrap().migrate().unwrap(), []);
        server.root("DROP DATABASE waybill_scratch");
        assert_eq!(Database::open(server.of("owner")).unwrap().migrate().unwrap(), []);
        let of_others = "SELECT count() FROM system.tables WHERE database = 'waybill'
            AND engine = 'MaterializedView' AND definer != ''";
        assert_eq!(server.root(of_others), "0");
        // And all of it anew, by the owner alone.
        server.root("DROP DATABASE waybill");
        assert_ne!(Database::open(server.of("owner")).unwrap().migrate().unwrap(), []);
        assert_eq!(server.root(of_others), "0");
        server
    })
}

impl Server {
    pub(crate) fn of(&self, user: &str) -> Config {
        self.of_user(&format!("waybill_{user}"))
    }

    pub(crate) fn of_user(&self, user: &str) -> Config {
        Config {
            url: self.url.clone(),
            user: Some(user.to_owned()),
            password: Some(PASSWORD.to_owned().into()),
            ..Config::default()
        }
    }

    /// What `user` is answered, as tab-separated text, or the name of the error.
    pub(crate) fn ask(&self, user: &str, sql: &str) -> Result<String, String> {
        let mut client = clickhouse::Client::default().with_url(&self.url);
        if user != "default" {
            client = client.with_user(user).with_password(PASSWORD);
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let bytes = runtime.block_on(async {
            // A statement that returns nothing takes no format.
            client
                .query_raw(sql)
                .with_setting("default_format", "TSV")
                .fetch_bytes("TSV")?
                .collect()
                .await
        });
        match bytes {
            Ok(bytes) => Ok(String::from_utf8_lossy(&bytes).trim_end().to_owned()),
            Err(error) => Err(error.to_string()),
        }
    }

    pub(crate) fn root(&self, sql: &str) -> String {
        self.ask("default", sql).unwrap_or_else(|e| panic!("{sql}: {e}"))
    }

    /// `user` may not do this, and is told so by an error that has `expect` in it.
    pub(crate) fn refuses(&self, user: &str, sql: &str, expect: &str) {
        let said = self.ask(user, sql).expect_err(sql);
        assert!(said.contains(expect), "{user}: {sql}: {said}");
    }

    pub(crate) fn is_allowed(&self, user: &str, sql: &str) -> String {
        self.ask(user, sql).unwrap_or_else(|e| panic!("{user}: {sql}: {e}"))
    }
}

pub(crate) const DENIED: &str = "ACCESS_DENIED";

/// Rows that no other test of this server has: of a partition, and carriers, of their own.
pub(crate) fn events(partition: i32, first: i64, carrier: &str) -> waybill_stage::SinkBatch {
    let events: Vec<_> = (0..10).map(|n| event(carrier, "s1", first + n)).collect();
    let batch = batch("events", first, &events);
    waybill_stage::SinkBatch {
        partition,
        token: format!("waybill.events:{partition}:{first}"),
        ..batch
    }
}

/// Held by who changes or looks at how tables are made.
pub(crate) static TABLES: Mutex<()> = Mutex::new(());

#[test]
fn the_sink_does_all_of_its_work_as_its_user() {
    let server = server();
    let _tables = TABLES.lock();
    let proxy = Proxy::before(&server.url);
    let mut sink = ClickHouseSink::open(Config { url: proxy.url(), ..server.of("sink") }).unwrap();
    sink.database().ping().unwrap();
    sink.check_window(4).unwrap();
    sink.database().check_retention().unwrap();
    sink.database().show_ledger().unwrap();
    assert!((0.0..1.0).contains(&sink.pressure().unwrap()));
    insert_all(
        &mut sink,
        &[
            events(7, 0, "sink"),
            batch("shipments", 700, &[shipment("sink", "s1", 1, 0)]),
            batch("rejects", 700, &[reject("sink", "expired", 0)]),
            batch("ledger", 700, &[entry("decrypt", "sealed", 700, vec![])]),
        ],
    );
    let stored = || {
        server.root(
            "SELECT count(), uniqExact(kafka_offset),
                (SELECT sum(events) FROM waybill.throughput WHERE carrier_id = 'sink')
            FROM waybill.events WHERE carrier_id = 'sink'",
        )
    };
    assert_eq!(stored(), "10\t10\t10");
    // An answer that is lost: it looks what is there, and inserts again.
    proxy.lose_next_answer();
    insert(&mut sink, events(7, 10, "sink"));
    assert!(proxy.has_lost_one());
    assert_eq!(stored(), "20\t20\t20");
    // Rows that were lost under their token are put in place past the views…
    server.root(
        "ALTER TABLE waybill.events DELETE WHERE carrier_id = 'sink' AND kafka_offset IN (3, 5)
        SETTINGS mutations_sync = 1",
    );
    insert(&mut sink, again(events(7, 0, "sink")));
    assert_eq!(stored(), "20\t20\t20");
    // …and rows that the table refuses are looked for.
    server.root("ALTER TABLE waybill.events ADD CONSTRAINT odd CHECK kafka_offset != 1007");
    let refused = insert(&mut sink, events(7, 1000, "sink"));
    server.root("ALTER TABLE waybill.events DROP CONSTRAINT odd");
    assert_eq!(outcome(&refused), (9, vec![(1007, "storage_refused")]));
    assert_eq!(stored(), "29\t29\t29");
    let left = "SELECT count() FROM system.tables WHERE database = 'waybill_scratch'";
    assert_eq!(server.root(left), "0");
}

#[test]
fn the_sink_may_nothing_else() {
    let server = server();
    server.root("CREATE DATABASE IF NOT EXISTS others");
    server.root("CREATE TABLE IF NOT EXISTS others.t (n UInt8) ENGINE = MergeTree ORDER BY n");
    for sql in [
        "ALTER TABLE waybill.events DELETE WHERE 1",
        "ALTER TABLE waybill.events UPDATE remark = '' WHERE 1",
        "ALTER TABLE waybill.events DROP PARTITION ID 'all'",
        "ALTER TABLE waybill.events MODIFY TTL received_at + INTERVAL 1 DAY",
        "ALTER TABLE waybill.events ADD COLUMN x UInt8",
        "DELETE FROM waybill.events WHERE 1",
        "DROP TABLE waybill.events",
        "DROP DATABASE waybill",
        "TRUNCATE TABLE waybill.events",
        "RENAME TABLE waybill.events TO waybill_scratch.events",
        "EXCHANGE TABLES waybill.events AND waybill.ledger",
        "CREATE TABLE waybill.x (n UInt8) ENGINE = Memory",
        "CREATE VIEW waybill.x AS SELECT 1",
        "CREATE MATERIALIZED VIEW waybill_scratch.x ENGINE = Memory AS SELECT * FROM waybill.events",
        "CREATE DATABASE x",
        "DROP DATABASE waybill_scratch",
        "INSERT INTO waybill.migrations (version) VALUES (99)",
        "INSERT INTO waybill.throughput_by_minute (events) VALUES (99)",
        "SELECT * FROM waybill.throughput_by_minute",
        "SELECT * FROM waybill.shipments",
        "SELECT * FROM others.t",
        "INSERT INTO others.t VALUES (1)",
        "SELECT * FROM system.users",
        "SELECT * FROM url('http://127.0.0.1:1/', 'TSV', 'a String')",
        "CREATE USER x",
        "GRANT SELECT ON waybill.* TO waybill_reader",
        "SYSTEM STOP MERGES waybill.events",
    ] {
        server.refuses("waybill_sink", sql, DENIED);
    }
}

/// The work of one erasure, and who may not begin one.
#[test]
fn the_eraser_erases_and_may_nothing_else() {
    let server = server();
    let _tables = TABLES.lock();
    let mut sink = ClickHouseSink::open(server.of("sink")).unwrap();
    insert(&mut sink, events(11, 0, "erased-line"));
    for user in ["owner", "sink", "auditor", "reader"] {
        let database = Database::open(server.of(user)).unwrap();
        let refused = database.check_may_erase().expect_err(user).0;
        assert!(refused.contains("lacks a right"), "{user}: {refused}");
    }
    let database = Database::open(server.of("eraser")).unwrap();
    database.check_may_erase().unwrap();
    let named = Named::Shipment("s1".to_owned());
    assert_eq!(database.erasable("erased-line", &named).unwrap()[0].events, 10);
    let erasure = ErasureRow {
        id: database.new_erasure().unwrap(),
        carrier_id: "erased-line".to_owned(),
        reason: String::new(),
        shipments: 1,
        asked_at: 1,
    };
    let end = RowPlace { topic_id: "id".to_owned(), partition: 11, offset: 99 };
    let gone = Gone { shipment_id: "s1".to_owned(), events: end.clone(), shipments: end };
    database.begin_erasure(&erasure, &[gone], &[]).unwrap();
    let limit = Duration::from_secs(60);
    database.erase_rows(&erasure.id, limit).unwrap();
    for rollup in Rollup::ALL {
        database.clear_rollup(&erasure.id, rollup, limit).unwrap();
        database.fill_rollup(&erasure.id, rollup, limit).unwrap();
        assert_eq!(database.unlike_rollup(&erasure.id, rollup).unwrap(), 0);
    }
    database.old_parts_lifetime().unwrap();
    assert_eq!(database.erased_rows(&erasure.id).unwrap()[0].rows, 10);
    database.finish_erasure(&erasure, 2).unwrap();
    assert_eq!(database.unfinished_erasures().unwrap(), []);
    for sql in [
        "INSERT INTO waybill.events (carrier_id) VALUES ('x')",
        "INSERT INTO waybill.ledger (records) VALUES (1)",
        "ALTER TABLE waybill.ledger DELETE WHERE 1",
        "ALTER TABLE waybill.erased_rows DELETE WHERE 1",
        "ALTER TABLE waybill.erasures DELETE WHERE 1",
        "ALTER TABLE waybill.events UPDATE remark = '' WHERE 1",
        "ALTER TABLE waybill.events MODIFY TTL received_at + INTERVAL 1 DAY",
        "TRUNCATE TABLE waybill.events",
        "DROP TABLE waybill.events",
        "CREATE TABLE waybill.x (n UInt8) ENGINE = Memory",
        "SELECT * FROM system.users",
        "CREATE USER x",
    ] {
        server.refuses("waybill_eraser", sql, DENIED);
    }
}

/// A view of somebody else's that our rows run through, and that the sink cannot see: it is told.
#[test]
fn a_view_that_the_sink_is_not_shown_stops_it() {
    let server = server();
    let _tables = TABLES.lock();
    server.root("CREATE DATABASE IF NOT EXISTS hidden");
    server.root(
        "CREATE TABLE hidden.t (n UInt64) ENGINE = SummingMergeTree ORDER BY n
        SETTINGS non_replicated_deduplication_window = 100000",
    );
    server.root(
        "CREATE MATERIALIZED VIEW hidden.v TO hidden.t AS
        SELECT records AS n FROM waybill.ledger WHERE 0",
    );
    let sink = ClickHouseSink::open(server.of("sink")).unwrap();
    let said = sink.check_window(1).unwrap_err().0;
    server.root("DROP DATABASE hidden");
    assert!(
        said.contains("hidden.v is fed by our tables, and our user may not look at it"),
        "{said}"
    );
}

#[test]
fn the_owner_migrates_and_the_auditor_reads_what_commands_ask() {
    let server = server();
    let _tables = TABLES.lock();
    let owner = Database::open(server.of("owner")).unwrap();
    assert_eq!(owner.migrate().unwrap(), []);
    // Long enough to remove no row of these tests.
    let years = Some(Duration::from_secs(10 * 365 * 86_400));
    let retention = Retention { shipments: years, reject_details: years, ..Retention::default() };
    let owner = Database::open(Config { retention, ..server.of("owner") }).unwrap();
    assert_eq!(owner.set_retention().unwrap().len(), 4);
    assert_eq!(Database::open(server.of("owner")).unwrap().set_retention().unwrap().len(), 4);
    let mut sink = ClickHouseSink::open(server.of("sink")).unwrap();
    insert(&mut sink, events(8, 0, "auditor"));
    let database = Database::open(server.of("auditor")).unwrap();
    database.ping().unwrap();
    let question = AuditQuestion { derived: true, ..AuditQuestion::default() };
    assert!(!database.audit_data(&question).unwrap().derived.is_empty());
    let carrier = Some("acme".to_owned());
    database.audit_data(&AuditQuestion { since_ms: 1, carrier, ..question }).unwrap();
    let filter = Filter { limit: 10, ..Filter::default() };
    database.dead_letters(&filter).unwrap();
    database.rejected_records(&filter).unwrap();
    database.unmapped_codes(&filter).unwrap();
    database.notes(&filter).unwrap();
    for sql in [
        "INSERT INTO waybill.ledger (records) VALUES (1)",
        "ALTER TABLE waybill.ledger DELETE WHERE 1",
        "DROP TABLE waybill.ledger",
        "SELECT 1 SETTINGS max_memory_usage = 0",
        "SELECT * FROM system.users",
    ] {
        assert!(server.ask("waybill_auditor", sql).is_err(), "{sql}");
    }
    for sql in [
        "DROP DATABASE waybill",
        "TRUNCATE TABLE waybill.events",
        "ALTER TABLE waybill.events DELETE WHERE 1",
        "ALTER TABLE waybill.events UPDATE remark = '' WHERE 1",
        "ALTER TABLE waybill.events DROP PARTITION ID 'all'",
        "SELECT * FROM system.users",
        "CREATE USER x",
        "CREATE DATABASE x",
    ] {
        server.refuses("waybill_owner", sql, DENIED);
    }
}

#[test]
fn the_gateway_reads_what_it_answers_and_nothing_else() {
    let server = server();
    let answers = Answers::open(&server.of("gateway")).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        answers.message("acme", "m-1").await.unwrap();
        answers.is_taken_in("id", 0, 0).await.unwrap();
        answers.rejects("acme", Cursor::default(), 10).await.unwrap();
        answers.shipments("acme", "MSKU1234565").await.unwrap();
        answers.usage("acme", 31).await.unwrap();
        answers.status("acme", 0, 10).await.unwrap();
    });
    for sql in [
        "INSERT INTO waybill.ledger (records) VALUES (1)",
        "SELECT count() FROM waybill.throughput",
        "SELECT count() FROM waybill.migrations",
        "SELECT 1 SETTINGS max_memory_usage = 0",
        "SELECT * FROM system.users",
        "DROP TABLE waybill.events",
    ] {
        assert!(server.ask("waybill_gateway", sql).is_err(), "{sql}");
    }
}

/// With readonly 2, as it was, a client set any limit anew.
#[test]
fn a_reader_cannot_raise_its_limits() {
    let server = server();
    let reader = "waybill_reader";
    for sql in [
        "SELECT 1 SETTINGS max_memory_usage = 0",
        "SELECT 1 SETTINGS max_memory_usage = 2000000000",
        "SELECT 1 SETTINGS max_execution_time = 0",
        "SELECT 1 SETTINGS max_execution_time = 31",
        "SELECT 1 SETTINGS max_threads = 5",
        "SELECT 1 SETTINGS max_bytes_before_external_sort = 1",
        "SELECT 1 SETTINGS readonly = 2",
        "SET readonly = 0",
        "SET max_memory_usage = 2000000000",
    ] {
        let said = server.ask(reader, sql).expect_err(sql);
        let refused = said.contains("READONLY") || said.contains("SETTING_CONSTRAINT_VIOLATION");
        assert!(refused, "{sql}: {said}");
    }
    for (sql, expect) in [
        (
            "SELECT getSetting('max_memory_usage'), getSetting('max_execution_time')",
            "1000000000\t30",
        ),
        ("SELECT getSetting('max_threads') SETTINGS max_threads = 4", "4"),
        ("SELECT getSetting('max_execution_time') SETTINGS max_execution_time = 30", "30"),
        ("SELECT 1 SETTINGS date_time_output_format = 'iso'", "1"),
        ("SELECT count() > 0 FROM waybill.carrier_scorecard WHERE 0", "0"),
    ] {
        assert_eq!(server.is_allowed(reader, sql), expect, "{sql}");
    }
    let json =
        "SELECT 1 AS n FORMAT JSONEachRow SETTINGS output_format_json_quote_64bit_integers = 0";
    assert_eq!(server.is_allowed(reader, json), "{\"n\":1}");
    for sql in [
        "INSERT INTO waybill.events (remark) VALUES ('x')",
        "CREATE TEMPORARY TABLE x (n UInt8)",
        "DROP TABLE waybill.events",
        "KILL QUERY WHERE 1",
        "SELECT * FROM waybill_scratch.x",
        "SELECT * FROM system.processes",
        "SELECT * FROM url('http://127.0.0.1:1/', 'TSV', 'a String')",
        "SELECT * FROM file('/etc/passwd', 'TSV', 'a String')",
        "SELECT * FROM remote('127.0.0.1', waybill.events)",
    ] {
        let said = server.ask(reader, sql).expect_err(sql);
        let refused =
            said.contains(DENIED) || said.contains("READONLY") || said.contains("UNKNOWN_TABLE");
        assert!(refused, "{sql}: {said}");
    }
}

/// By carrier.xml; and the filters of one user hide nothing from the others.
#[test]
fn a_carriers_reader_sees_its_rows_alone() {
    let server = server();
    let mut sink = ClickHouseSink::open(server.of("sink")).unwrap();
    for (n, carrier) in (0..).zip(["acme-line", "blue-anchor"]) {
        insert_all(
            &mut sink,
            &[
                events(9 + n, 0, carrier),
                batch("shipments", 900 + i64::from(n), &[shipment(carrier, "s9", 1, 0)]),
                batch("rejects", 900 + i64::from(n), &[reject(carrier, "expired", 9)]),
            ],
        );
        for statement in journeys_of("waybill", carrier) {
            server.root(&statement);
        }
    }
    let carriers = "SELECT arraySort(groupUniqArray(carrier_id)) FROM";
    let mut restricted = vec![
        "events",
        "shipment_states",
        "rejects",
        "throughput_by_minute",
        "latency_by_minute",
        "rejects_by_minute",
        "shipments",
        "throughput",
        "latency",
        "lane_performance",
        "shipment_timeline",
        "carrier_scorecard",
    ];
    restricted.extend(VIEWS);
    for table in &restricted {
        let sql = format!("{carriers} waybill.{table}");
        assert_eq!(server.is_allowed("acme_line_reader", &sql), "['acme-line']", "{table}");
        let all = server.is_allowed("waybill_reader", &sql);
        let both = ["'acme-line'", "'blue-anchor'"].iter().all(|carrier| all.contains(carrier));
        assert!(both, "{table}: {all}");
    }
    // What it is not given is all that is left: nothing that has a carrier was forgotten.
    let others = server.root(
        "SELECT arraySort(groupArray(name)) FROM system.tables
        WHERE database = 'waybill' AND engine != 'MaterializedView'",
    );
    let others = others.trim_matches(['[', ']']).replace('\'', "");
    let others: Vec<_> = others.split(',').filter(|name| !restricted.contains(name)).collect();
    assert_eq!(others, ["conservation", "erased_rows", "erasures", "ledger", "migrations"]);
    for table in others {
        server.refuses("acme_line_reader", &format!("SELECT * FROM waybill.{table}"), DENIED);
    }
    // The sink counts its rows: a filter there would make it put rows in place that are there.
    let count = "SELECT count() FROM waybill.events
        WHERE carrier_id = 'blue-anchor' AND kafka_partition = 10";
    assert_eq!(server.is_allowed("waybill_sink", count), "10");
}

#[test]
fn a_wrong_password_is_refused_in_words() {
    let server = server();
    let config = Config { password: Some("wrong".to_owned().into()), ..server.of("sink") };
    let said = Database::open(config).unwrap().ping().unwrap_err().0;
    assert!(said.contains("refuses the user, the password or a right"), "{said}");
    let config = Config { request_timeout: Duration::from_secs(5), ..server.of("nobody") };
    assert!(Database::open(config).unwrap().ping().is_err());
}

/// A variable that is forgotten must not be a password that is empty.
#[test]
fn a_server_without_the_hashes_does_not_start() {
    let folder = configuration();
    let config = folder.path().join("config.xml");
    let environment = [("WAYBILL_CLICKHOUSE_CONFIG", config.to_str().unwrap())];
    let said = try_start("no-hashes", &environment).map(|(url, _)| url).unwrap_err();
    assert!(said.contains("Password hash for the 'SHA256_PASSWORD'"), "{said}");
}
