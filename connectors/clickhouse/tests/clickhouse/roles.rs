//! The roles of schemas/clickhouse/access. The server of these tests keeps users of a configuration file alone
//! (clickhouse-local has no other storage), so no role is made here: what is granted to each, and the row policies,
//! are given to users of a file, word for word, and tried there. That every statement is one of ClickHouse's, its
//! own parser says.

use std::path::Path;
use std::time::Duration;

use waybill_clickhouse::{ClickHouseSink, Config, Database};
use waybill_schemas::clickhouse::{DATABASE, ROLES};

use crate::questions::journeys_of;
use crate::samples::{reject, shipment};
use crate::server::{batch, insert_all};
use crate::users::{DENIED, PASSWORD, TABLES, events, server};

/// Users with what the role of carriers has, of which one has not the name of a carrier's.
const CARRIERS: [&str; 3] = ["carrier_green-line", "carrier_red-line", "somebody_green-line"];

/// Each statement, without comments, of the database `waybill`.
fn statements() -> Vec<String> {
    let lines: Vec<&str> = ROLES.lines().filter(|line| !line.starts_with("--")).collect();
    let text = lines.join("\n").replace(DATABASE, "waybill");
    text.split(';').map(str::trim).filter(|s| !s.is_empty()).map(str::to_owned).collect()
}

/// What is granted to a role, as a configuration file has it.
fn granted(role: &str) -> Vec<String> {
    let end = format!(" TO {role}");
    let all = statements();
    let grants =
        all.iter().filter(|s| s.starts_with("GRANT ")).filter_map(|s| s.strip_suffix(&end));
    let mut found: Vec<String> = grants.map(str::to_owned).collect();
    found.sort();
    found
}

/// Table and condition of each row policy for carriers.
fn policies() -> Vec<(String, String)> {
    let policy = |s: &String| {
        let rest = s.strip_prefix("CREATE ROW POLICY IF NOT EXISTS waybill_carrier ON waybill.")?;
        let (table, rest) = rest.split_once("\nUSING ")?;
        Some((table.to_owned(), rest.strip_suffix(" TO waybill_carrier")?.to_owned()))
    };
    statements().iter().filter_map(policy).collect()
}

/// A configuration file with [`CARRIERS`], and with a user who may make roles, but for the server.
pub fn as_users() -> String {
    let grants: String =
        granted("waybill_carrier").iter().map(|g| format!("<query>{g}</query>")).collect();
    let filters: String = policies()
        .iter()
        .map(|(table, condition)| format!("<{table}><filter>{condition}</filter></{table}>"))
        .collect();
    let user = |name: &str| {
        format!(
            "<{name}><password>{PASSWORD}</password><networks><ip>127.0.0.1</ip></networks>
            <profile>waybill_reader</profile><quota>default</quota><grants>{grants}</grants>
            <databases><waybill>{filters}</waybill></databases></{name}>"
        )
    };
    let carriers: String = CARRIERS.map(user).concat();
    let admin = format!(
        "<admin><password>{PASSWORD}</password><networks><ip>127.0.0.1</ip></networks>
        <profile>default</profile><quota>default</quota><access_management>1</access_management></admin>"
    );
    format!("<clickhouse><users>{carriers}{admin}</users></clickhouse>")
}

/// Of the users that a configuration file has: sinks, gateways and so on work with these, which other tests show.
#[test]
fn a_role_is_granted_what_the_user_of_that_work_has() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../dashboards/clickhouse");
    for (role, file, user) in [
        ("waybill_sink", "users.xml", "waybill_sink"),
        ("waybill_gateway", "users.xml", "waybill_gateway"),
        ("waybill_auditor", "users.xml", "waybill_auditor"),
        ("waybill_analyst", "users.xml", "waybill_reader"),
        ("waybill_eraser", "eraser.xml", "waybill_eraser"),
        ("waybill_carrier", "carrier.xml", "acme_line_reader"),
    ] {
        let text = std::fs::read_to_string(root.join(file)).unwrap();
        let users = text.split_once("<users>").unwrap().1;
        let block = users.split_once(&format!("<{user}>")).unwrap().1;
        let block = block.split_once(&format!("</{user}>")).unwrap().0;
        let queries = block.split("<query>").skip(1);
        let mut of_user: Vec<String> =
            queries.map(|q| q.split_once("</query>").unwrap().0.to_owned()).collect();
        of_user.sort();
        assert_eq!(granted(role), of_user, "{role}");
    }
}

#[test]
fn every_statement_is_one_of_clickhouse() {
    let server = server();
    for statement in statements() {
        server.is_allowed("default", &format!("EXPLAIN AST {statement}"));
    }
    server.refuses("default", "EXPLAIN AST CREATE ROLE x SETTINGS", "SYNTAX_ERROR");
}

/// Each sees its own rows in all that it may read, and may read nothing that has no carrier.
#[test]
fn a_carriers_user_finds_nothing_of_others() {
    let server = server();
    let _tables = TABLES.lock();
    let mut sink = ClickHouseSink::open(server.of("sink")).unwrap();
    for (n, carrier) in (0..).zip(["green-line", "red-line"]) {
        insert_all(
            &mut sink,
            &[
                events(21 + n, 0, carrier),
                batch("shipments", 2100 + i64::from(n), &[shipment(carrier, "s21", 1, 0)]),
                batch("rejects", 2100 + i64::from(n), &[reject(carrier, "expired", 21)]),
            ],
        );
        for statement in journeys_of("waybill", carrier) {
            server.root(&statement);
        }
    }
    let tables = server.root(
        "SELECT name FROM system.tables WHERE database = 'waybill' AND engine != 'MaterializedView' ORDER BY name",
    );
    let has_carrier = server.root(
        "SELECT DISTINCT table FROM system.columns WHERE database = 'waybill' AND name = 'carrier_id'",
    );
    let has_carrier: Vec<&str> = has_carrier.lines().collect();
    let readable: Vec<String> = granted("waybill_carrier")
        .iter()
        .map(|g| g.strip_prefix("GRANT SELECT ON waybill.").unwrap().to_owned())
        .collect();
    for table in tables.lines() {
        let sql = format!("SELECT arraySort(groupUniqArray(carrier_id)) FROM waybill.{table}");
        if readable.iter().any(|name| name == table) {
            assert!(has_carrier.contains(&table), "{table} has no carrier_id");
            let of = |user: &str| server.is_allowed(user, &sql);
            assert_eq!(of("carrier_green-line"), "['green-line']", "{table}");
            assert_eq!(of("carrier_red-line"), "['red-line']", "{table}");
            assert_eq!(of("somebody_green-line"), "[]", "{table}");
            let all = server.root(&sql);
            assert!(all.contains("green-line") && all.contains("red-line"), "{table}: {all}");
        } else {
            for user in CARRIERS {
                server.refuses(user, &format!("SELECT * FROM waybill.{table}"), DENIED);
            }
        }
    }
    // A table that has a carrier is either limited or not to be read.
    let limited: Vec<String> = policies().into_iter().map(|(table, _)| table).collect();
    let base = server.root(
        "SELECT name FROM system.tables WHERE database = 'waybill' AND engine LIKE '%MergeTree' ORDER BY name",
    );
    for table in base.lines().filter(|t| readable.iter().any(|name| name == t)) {
        assert!(limited.iter().any(|name| name == table), "{table} has no row policy");
    }
    // Views are read with the rights of who asks.
    let of_definers =
        "SELECT count() FROM system.tables WHERE database = 'waybill' AND engine = 'View'
        AND (definer != '' OR create_table_query LIKE '%SQL SECURITY NONE%')";
    assert_eq!(server.root(of_definers), "0");
    for sql in [
        "SELECT count() FROM merge('waybill', '^events$')",
        "SELECT count() FROM waybill.events SETTINGS readonly = 0",
        "SELECT * FROM system.row_policies",
        "SELECT * FROM remote('127.0.0.1', waybill.events)",
        "CREATE TEMPORARY TABLE x (n UInt8)",
    ] {
        let found = server.ask("carrier_green-line", sql);
        let own = server.is_allowed("carrier_green-line", "SELECT count() FROM waybill.events");
        assert!(found.is_err() || found == Ok(own), "{sql}: {found:?}");
    }
}

/// No role is made where users come from a file: that is said, and is no fault.
#[test]
fn where_no_role_can_be_made_that_is_said() {
    let server = server();
    let lacking = |config: Config| {
        let config = Config { request_timeout: Duration::from_secs(20), ..config };
        let roles = Database::open(config).unwrap().make_roles().unwrap();
        assert_eq!((roles.made.len(), roles.there.len()), (0, 0), "{roles:?}");
        roles.lacking
    };
    let said = lacking(server.of("owner"));
    assert!(said[0].contains("our user has no access management"), "{said:?}");
    let said = lacking(server.of_user("admin"));
    assert!(said.iter().any(|why| why.contains("waybill_sink is the name of a user")), "{said:?}");
    assert!(said.last().unwrap().contains("the server keeps no roles"), "{said:?}");
}
