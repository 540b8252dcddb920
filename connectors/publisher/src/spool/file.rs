//! The spool's file: redb. A transaction is on the disk when it is committed, or not there at all: pages have
//! checksums, and the file's head is switched last. The file is locked for the process that has it.

use std::path::{Path, PathBuf};

use redb::backends::InMemoryBackend;
use redb::{
    Builder, Database, DatabaseError, ReadableDatabase, ReadableTable, ReadableTableMetadata,
    StorageBackend, TableDefinition, WriteTransaction,
};

use super::{Entry, SpoolError, storage};
use crate::SealedEvent;

const NAME: &str = "events.redb";
/// By the order in which they were taken: source and sealed event.
const EVENTS: TableDefinition<'_, u64, (&str, &str)> = TableDefinition::new("events");
const TOTALS: TableDefinition<'_, &str, u64> = TableDefinition::new("totals");
/// What the events count for.
const BYTES: &str = "bytes";
/// The number of the event that is taken next: no number is given twice.
const NEXT: &str = "next";
const CACHE_BYTES: usize = 16 << 20;
/// A file that has this much more than its events need is made smaller when it is opened.
const SLACK_BYTES: u64 = 64 << 20;

#[derive(Debug)]
pub struct File {
    database: Database,
    folder: PathBuf,
}

impl File {
    pub fn open(folder: &Path) -> Result<Self, SpoolError> {
        let failure = |why: &dyn std::fmt::Display| storage(folder, why);
        make(folder).map_err(|e| failure(&e))?;
        let path = folder.join(NAME);
        let mut database = match builder().create(&path) {
            Ok(database) => database,
            Err(DatabaseError::DatabaseAlreadyOpen) => {
                return Err(SpoolError::InUse(folder.to_owned()));
            }
            Err(error) => return Err(failure(&format!("{NAME}: {error}"))),
        };
        // The file's own name is in the folder.
        let entry = std::fs::File::open(folder).and_then(|folder| folder.sync_all());
        entry.map_err(|e| failure(&e))?;
        let bytes = std::fs::metadata(&path).map_err(|e| failure(&e))?.len();
        let of = |database| Self { database, folder: folder.to_owned() };
        let file = of(database);
        let (_, needed) = file.held()?;
        if bytes < needed * 2 + SLACK_BYTES {
            return Ok(file);
        }
        database = file.database;
        database.compact().map_err(|e| failure(&e))?;
        Ok(of(database))
    }

    pub fn in_memory() -> Result<Self, SpoolError> {
        Self::on(InMemoryBackend::new())
    }

    pub(super) fn on(storage_backend: impl StorageBackend) -> Result<Self, SpoolError> {
        let folder = PathBuf::from("in memory");
        let database = builder().create_with_backend(storage_backend);
        let database = database.map_err(|e| storage(&folder, &e))?;
        Ok(Self { database, folder })
    }

    /// How many events there are, and the bytes that they count for.
    pub fn held(&self) -> Result<(u64, u64), SpoolError> {
        let held = || -> Result<_, redb::Error> {
            let writing = self.database.begin_write()?;
            let events = writing.open_table(EVENTS)?.len()?;
            let bytes = total(&writing, BYTES)?;
            writing.commit()?;
            Ok((events, bytes))
        };
        held().map_err(|e| self.failure(&e))
    }

    /// Waits until nobody else writes.
    pub fn begin(&self) -> Result<WriteTransaction, SpoolError> {
        self.database.begin_write().map_err(|e| self.failure(&e))
    }

    pub fn append(
        &self,
        writing: WriteTransaction,
        events: &[(String, SealedEvent)],
        bytes: u64,
    ) -> Result<(), SpoolError> {
        let append = || -> Result<(), redb::Error> {
            let mut next = total(&writing, NEXT)?;
            let mut table = writing.open_table(EVENTS)?;
            for (source, event) in events {
                table.insert(next, (source.as_str(), event.value()))?;
                next += 1;
            }
            drop(table);
            let mut totals = writing.open_table(TOTALS)?;
            let before = value(&totals, BYTES)?;
            totals.insert(BYTES, before + bytes)?;
            totals.insert(NEXT, next)?;
            drop(totals);
            writing.commit()?;
            Ok(())
        };
        append().map_err(|e| self.failure(&e))
    }

    /// Those from `from` on, in their order; at least one, where there is one.
    pub fn read(
        &self,
        from: u64,
        most: usize,
        most_bytes: usize,
    ) -> Result<Vec<Entry>, SpoolError> {
        let read = || -> Result<Vec<(u64, String, String)>, redb::Error> {
            let table = self.database.begin_read()?.open_table(EVENTS)?;
            let (mut found, mut bytes) = (Vec::new(), 0);
            for entry in table.range(from..)?.take(most) {
                let (sequence, value) = entry?;
                let (source, sealed) = value.value();
                bytes += sealed.len();
                if bytes > most_bytes && !found.is_empty() {
                    break;
                }
                found.push((sequence.value(), source.to_owned(), sealed.to_owned()));
            }
            Ok(found)
        };
        let found = read().map_err(|e| self.failure(&e))?;
        let entry = |(sequence, source, sealed)| match SealedEvent::read(sealed) {
            Ok(event) => Ok(Entry { sequence, source, event }),
            Err(error) => Err(self.failure(&format!("{NAME}: event {sequence}: {error}"))),
        };
        found.into_iter().map(entry).collect()
    }

    pub fn remove(&self, entries: &[&Entry], bytes: u64) -> Result<(), SpoolError> {
        let remove = || -> Result<(), redb::Error> {
            let writing = self.database.begin_write()?;
            let mut table = writing.open_table(EVENTS)?;
            for entry in entries {
                table.remove(entry.sequence)?;
            }
            drop(table);
            let mut totals = writing.open_table(TOTALS)?;
            let before = value(&totals, BYTES)?;
            totals.insert(BYTES, before.saturating_sub(bytes))?;
            drop(totals);
            writing.commit()?;
            Ok(())
        };
        remove().map_err(|e| self.failure(&e))
    }

    fn failure(&self, why: &dyn std::fmt::Display) -> SpoolError {
        storage(&self.folder, why)
    }
}

fn builder() -> Builder {
    let mut builder = Database::builder();
    builder.set_cache_size(CACHE_BYTES);
    builder
}

fn total(writing: &WriteTransaction, name: &str) -> Result<u64, redb::Error> {
    value(&writing.open_table(TOTALS)?, name)
}

fn value(totals: &impl ReadableTable<&'static str, u64>, name: &str) -> Result<u64, redb::Error> {
    Ok(totals.get(name)?.map_or(0, |value| value.value()))
}

/// Sealed events are nobody's business but the carrier's.
fn make(folder: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}
