use clickhouse::Row;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use waybill_schemas::clickhouse::{DATABASE, MIGRATIONS, Migration};
use waybill_stage::Fault;

use crate::Database;
use crate::statements::statements;

/// A migration that was applied now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Applied {
    pub version: u32,
    pub name: &'static str,
}

/// What the database remembers of a migration.
#[derive(Row, Serialize, Deserialize)]
struct Recorded {
    version: u32,
    name: String,
    checksum: String,
}

impl Database {
    /// Brings the database up to this version and says what was applied; a second call applies
    /// nothing. Two at once do no harm: every statement is of the `IF NOT EXISTS` kind.
    pub fn migrate(&self) -> Result<Vec<Applied>, Fault> {
        self.apply(MIGRATIONS)
    }

    fn apply(&self, migrations: &'static [Migration]) -> Result<Vec<Applied>, Fault> {
        let ledger = self.table("migrations");
        for database in [&self.config.database, &self.config.scratch_database()] {
            self.execute(&format!("CREATE DATABASE IF NOT EXISTS {database}"))?;
        }
        self.execute(&format!(
            "CREATE TABLE IF NOT EXISTS {ledger} (
                version UInt32 COMMENT 'Number of the file',
                name String COMMENT 'Name of the file',
                checksum String COMMENT 'SHA-256 of the file as it was when applied',
                applied_at DateTime64(3, 'UTC') DEFAULT now64(3) COMMENT 'When it was applied'
            ) ENGINE = ReplacingMergeTree ORDER BY version
            COMMENT 'Files of schemas/clickhouse that were applied'"
        ))?;
        let recorded = self.run("reading which migrations were applied", async {
            let sql = format!("SELECT version, name, checksum FROM {ledger} FINAL");
            self.client.query_raw(&sql).fetch_all::<Recorded>().await
        })?;
        let pending = pending(migrations, &recorded)?;
        for migration in &pending {
            for statement in statements(migration.sql) {
                self.execute(&statement.replace(DATABASE, &self.config.database))?;
            }
            self.run("recording a migration", async {
                let client = self.client.clone().with_setting("async_insert", "0");
                let mut insert = client.insert_unescaped::<Recorded>(&ledger).await?;
                insert
                    .write(&Recorded {
                        version: migration.version,
                        name: migration.name.to_owned(),
                        checksum: checksum(migration.sql),
                    })
                    .await?;
                insert.end().await
            })?;
        }
        self.refuse_views_of_others()?;
        Ok(pending.iter().map(|m| Applied { version: m.version, name: m.name }).collect())
    }

    /// Materialized views are made without a user of their own, so that who inserts needs no rights on rollups.
    /// A server can be set to give them one (`ignore_empty_sql_security_in_create_view_query = 0`): once that user
    /// is gone, every insert is refused.
    ///
    /// It is not changed here. By what a view deduplicates hangs on its user (26.7: as it was loaded, and not as it
    /// was altered since), so a range that was inserted before and comes again behind the server's next start would
    /// be in the rollups twice.
    fn refuse_views_of_others(&self) -> Result<(), Fault> {
        let others = self.run("asking whose the views are", async {
            let sql = "SELECT name, definer FROM system.tables
                WHERE database = {database:String} AND engine = 'MaterializedView'
                    AND definer NOT IN ('', currentUser())";
            let query = self.client.query_raw(sql).param("database", &self.config.database);
            query.fetch_all::<(String, String)>().await
        })?;
        let Some((view, definer)) = others.first() else { return Ok(()) };
        let view = self.table(view);
        Err(Fault(format!(
            "ClickHouse {view} runs with the rights of {definer}, and is to run with ours: stop the sink, ALTER \
             TABLE {view} MODIFY SQL SECURITY DEFINER DEFINER = CURRENT_USER, restart ClickHouse, and migrate again"
        )))
    }

    fn execute(&self, sql: &str) -> Result<(), Fault> {
        self.run("migrating", async { self.client.query_raw(sql).execute().await })
    }
}

/// What is still to be applied; or why this binary and this database do not belong together.
fn pending(
    migrations: &'static [Migration],
    recorded: &[Recorded],
) -> Result<Vec<&'static Migration>, Fault> {
    for known in recorded {
        let Some(ours) = migrations.iter().find(|m| m.version == known.version) else {
            return Err(Fault(format!(
                "the database has migration {} ({}), which this version does not know: \
                 a newer waybill has migrated it",
                known.version, known.name
            )));
        };
        if checksum(ours.sql) != known.checksum {
            return Err(Fault(format!(
                "migration {} ({}) was applied, and has been changed since: \
                 a change needs a new file",
                known.version, known.name
            )));
        }
    }
    Ok(migrations.iter().filter(|m| recorded.iter().all(|r| r.version != m.version)).collect())
}

fn checksum(sql: &str) -> String {
    Sha256::digest(sql).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const OURS: &[Migration] = &[
        Migration { version: 1, name: "one", sql: "SELECT 1" },
        Migration { version: 2, name: "two", sql: "SELECT 2" },
    ];

    #[test]
    fn what_is_applied_is_recognised_by_version_and_checksum() {
        let check = |recorded: &[(u32, &str)], expect: Result<&[u32], &str>| {
            let recorded: Vec<_> = recorded
                .iter()
                .map(|&(version, sql)| Recorded {
                    version,
                    name: "name".to_owned(),
                    checksum: checksum(sql),
                })
                .collect();
            match (pending(OURS, &recorded), expect) {
                (Ok(found), Ok(expect)) => {
                    assert_eq!(found.iter().map(|m| m.version).collect::<Vec<_>>(), expect);
                }
                (Err(fault), Err(part)) => assert!(fault.0.contains(part), "{fault}"),
                (found, expect) => panic!("{found:?}, expected {expect:?}"),
            }
        };
        check(&[], Ok(&[1, 2]));
        check(&[(1, "SELECT 1")], Ok(&[2]));
        check(&[(2, "SELECT 2"), (1, "SELECT 1")], Ok(&[]));
        check(&[(1, "SELECT 1;")], Err("changed since"));
        check(&[(3, "SELECT 3")], Err("newer waybill"));
    }
}
