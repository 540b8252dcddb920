//! What stands before the rows of an insert: the table's columns and their types. The server refuses
//! the insert if its own are others by then.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use clickhouse::Client;
use clickhouse::error::{Error, Result};

use crate::rows::{Column, Table, Value, write_length};

/// The tables' headers, each asked for once, and anew after [`Headers::forget`].
#[derive(Debug, Default)]
pub(crate) struct Headers(Mutex<HashMap<&'static str, Arc<[u8]>>>);

impl Headers {
    /// Before the rows of table `T`. If a column is missing, or of a type that what we write does not
    /// fit, it is [`Error::SchemaMismatch`].
    pub(crate) async fn of<T: Table>(&self, client: &Client, database: &str) -> Result<Arc<[u8]>> {
        let held = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(T::NAME).cloned();
        if let Some(header) = held {
            return Ok(header);
        }
        let columns = client
            .query_raw(
                "SELECT name, type FROM system.columns
                WHERE database = {database:String} AND table = {table:String}",
            )
            .param("database", database)
            .param("table", T::NAME)
            .fetch_all::<(String, String)>()
            .await?;
        let header = header(T::NAME, T::COLUMNS, &columns)?;
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(T::NAME, header.clone());
        Ok(header)
    }

    /// After trouble: an operator may have mended the table.
    pub(crate) fn forget(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

/// Names and types of our columns, as RowBinaryWithNamesAndTypes has them.
fn header(table: &str, ours: &[Column], theirs: &[(String, String)]) -> Result<Arc<[u8]>> {
    let theirs: HashMap<&str, &str> =
        theirs.iter().map(|(name, kind)| (name.as_str(), kind.as_str())).collect();
    let mut kinds = Vec::with_capacity(ours.len());
    for (name, fits) in ours {
        match theirs.get(name) {
            Some(kind) if fits(kind) => kinds.push(*kind),
            Some(kind) => {
                let said = format!("{table}.{name} is of type {kind}, which is not what it was");
                return Err(Error::SchemaMismatch(said));
            }
            None => return Err(Error::SchemaMismatch(format!("{table} has no column {name}"))),
        }
    }
    let mut header = Vec::new();
    write_length(ours.len(), &mut header);
    for text in ours.iter().map(|(name, _)| *name).chain(kinds) {
        text.write(&mut header);
    }
    Ok(header.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rows::{Events, Ledger, Rejects, Shipments};

    /// Names and types.
    type Columns = Vec<(String, String)>;

    /// Columns of `table`, as the migrations have them.
    fn migrated(table: &str) -> Columns {
        let begin = format!("CREATE TABLE IF NOT EXISTS {{database}}.{table}\n(\n");
        let sql = waybill_schemas::clickhouse::MIGRATIONS
            .iter()
            .find_map(|migration| migration.sql.split_once(&begin))
            .unwrap()
            .1;
        let added = format!("ALTER TABLE {{database}}.{table}\n    ADD COLUMN IF NOT EXISTS ");
        let added = waybill_schemas::clickhouse::MIGRATIONS
            .iter()
            .flat_map(|migration| migration.sql.split(&added).skip(1))
            .filter_map(|column| column.split_once("AFTER"))
            .map(|(column, _)| column.split_whitespace().collect::<Vec<_>>().join(" "));
        let added: Vec<_> = added.collect();
        let lines = sql.lines().take_while(|line| *line != ")");
        let lines = lines.chain(added.iter().map(String::as_str));
        let columns = lines.map(str::trim).filter(|line| line.contains(" COMMENT '"));
        // Another name of a column is nothing that is written.
        let columns = columns.filter(|line| !line.contains(" ALIAS "));
        let mut columns: Columns = columns
            .map(|line| {
                let (name, rest) = line.split_once(' ').unwrap();
                let end = rest.find(" COMMENT '").unwrap();
                let kind = rest[..end].split(" DEFAULT ").next().unwrap();
                (name.trim_matches('`').to_owned(), kind.to_owned())
            })
            .collect();
        // Types that a later migration has changed.
        let altered = format!("ALTER TABLE {{database}}.{table}\n");
        let changes = waybill_schemas::clickhouse::MIGRATIONS
            .iter()
            .filter_map(|migration| migration.sql.split_once(&altered))
            .flat_map(|(_, rest)| rest.lines().take_while(|line| line.starts_with("    ")))
            .filter_map(|line| line.trim().strip_prefix("MODIFY COLUMN ")?.split_once(' '));
        for (name, rest) in changes {
            let name = name.trim_matches('`');
            let column = columns.iter_mut().find(|(column, _)| column == name).unwrap();
            column.1 = rest.split(" CODEC").next().unwrap().to_owned();
        }
        columns
    }

    /// What carriers write as they like is in no dictionary: its values are as many as they choose. A new column
    /// is `LowCardinality` if its values are of a list, and then it is named here.
    #[test]
    fn only_words_of_a_list_are_of_low_cardinality() {
        const LISTS: [&str; 38] = [
            // Ours: registered carriers, and the vocabulary.
            "carrier_id",
            "milestone",
            "classifier",
            "zone_quality",
            "place_source",
            "mode",
            "code",
            "stage",
            "stages",
            "source_topic",
            "sealed_topic",
            "topic",
            "topic_id",
            "kafka_topic_id",
            "references.kind",
            "readings.kind",
            "flags",
            "notes",
            "time_precision",
            "exceptions.kind",
            "quantities.kind",
            "documents.kind",
            "last_milestone",
            "legs.mode",
            "counts.stage",
            "counts.carrier_id",
            "counts.outcome",
            "counts.code",
            "outputs.topic",
            "keys.kid",
            "keys.carrier_id",
            // Of tables that are bundled, or of two or five letters.
            "time_zone",
            "unlocode",
            "country",
            "sent_origin_country",
            "sent_destination_country",
            "origin_country",
            "destination_country",
        ];
        // The same, of other places of a shipment.
        const PLACES: [&str; 8] = [
            "previous_unlocode",
            "origin_unlocode",
            "destination_unlocode",
            "last_unlocode",
            "last_country",
            "legs.from_unlocode",
            "legs.to_unlocode",
            "dwells.unlocode",
        ];
        for table in [Events::NAME, Shipments::NAME, Rejects::NAME, Ledger::NAME] {
            for (name, kind) in migrated(table) {
                let listed = LISTS.contains(&name.as_str()) || PLACES.contains(&name.as_str());
                assert!(listed || !kind.contains("LowCardinality"), "{table}.{name} is {kind}");
            }
        }
        let events = migrated(Events::NAME);
        assert!(
            events.contains(&("voyage".to_owned(), "String".to_owned())),
            "migrations are read"
        );
    }

    #[test]
    fn rows_fit_the_columns_of_the_migrations() {
        fn check<T: Table>() {
            let columns = migrated(T::NAME);
            header(T::NAME, T::COLUMNS, &columns).unwrap();
            // All but what the server fills.
            assert_eq!(columns.len(), T::COLUMNS.len() + 1, "{}", T::NAME);
        }
        check::<Events>();
        check::<Shipments>();
        check::<Rejects>();
        check::<Ledger>();
    }

    #[test]
    fn a_column_that_is_missing_or_of_another_type_is_named() {
        let check = |change: &dyn Fn(&mut Columns), expect: &str| {
            let mut columns = migrated("rejects");
            change(&mut columns);
            let error = header("rejects", Rejects::COLUMNS, &columns).unwrap_err();
            assert!(
                matches!(&error, Error::SchemaMismatch(why) if why.contains(expect)),
                "{error}"
            );
        };
        check(&|c| c.retain(|(name, _)| name != "detail"), "rejects has no column detail");
        check(&|c| c[3].1 = "UInt8".to_owned(), "rejects.detail is of type UInt8");
    }
}
