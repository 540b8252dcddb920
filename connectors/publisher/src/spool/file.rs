//! The spool's file: redb. A transaction is on the disk when it is committed, or not there at all: pages have
//! checksums, and the file's head is switched last. The file is locked for the process that has it.
//!
//! Once a disk has failed a write (it is full, say), redb does nothing more with the file until it is opened again: so
//! that is done before it is used the next time.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{PoisonError, RwLock, RwLockReadGuard};

use redb::backends::InMemoryBackend;
use redb::{
    Builder, Database, DatabaseError, ReadableDatabase, ReadableTable, ReadableTableMetadata,
    TableDefinition, WriteTransaction,
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

type Opens = dyn Fn() -> Result<Database, DatabaseError> + Send + Sync;

pub struct File {
    /// `None` after it could not be opened again.
    database: RwLock<Option<Database>>,
    opens: Box<Opens>,
    has_failed: AtomicBool,
    folder: PathBuf,
}

impl fmt::Debug for File {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "File({})", self.folder.display())
    }
}

/// A change that is being made: the only one.
pub struct Writing<'f> {
    transaction: WriteTransaction,
    _file: RwLockReadGuard<'f, Option<Database>>,
}

impl File {
    pub fn open(folder: &Path) -> Result<Self, SpoolError> {
        let failure = |why: &dyn fmt::Display| storage(folder, why);
        make(folder).map_err(|e| failure(&e))?;
        let path = folder.join(NAME);
        let opens = {
            let path = path.clone();
            move || builder().create(&path)
        };
        let mut database = match opens() {
            Ok(database) => database,
            Err(DatabaseError::DatabaseAlreadyOpen) => {
                return Err(SpoolError::InUse(folder.to_owned()));
            }
            Err(error) => return Err(failure(&format!("{NAME}: {error}"))),
        };
        // The file's own name is in the folder.
        sync(folder).map_err(|e| failure(&e))?;
        let bytes = std::fs::metadata(&path).map_err(|e| failure(&e))?.len();
        let (_, needed) = held(&database).map_err(|e| failure(&e))?;
        if bytes >= needed * 2 + SLACK_BYTES {
            database.compact().map_err(|e| failure(&e))?;
        }
        Ok(Self::of(folder.to_owned(), database, Box::new(opens)))
    }

    pub fn in_memory() -> Result<Self, SpoolError> {
        // It does not fail, and what was in it would be gone.
        Self::on(|| builder().create_with_backend(InMemoryBackend::new()))
    }

    pub(super) fn on(
        opens: impl Fn() -> Result<Database, DatabaseError> + Send + Sync + 'static,
    ) -> Result<Self, SpoolError> {
        let folder = PathBuf::from("in memory");
        let database = opens().map_err(|e| storage(&folder, &e))?;
        Ok(Self::of(folder, database, Box::new(opens)))
    }

    fn of(folder: PathBuf, database: Database, opens: Box<Opens>) -> Self {
        let (database, has_failed) = (RwLock::new(Some(database)), AtomicBool::new(false));
        Self { database, opens, has_failed, folder }
    }

    /// After a failure, opens it again. What was being written then is there, or it is not: so `count` is given how
    /// many events there are, and the bytes that they count for, before anybody can change that.
    pub fn heal(&self, count: impl FnOnce(u64, u64)) -> Result<(), SpoolError> {
        if !self.has_failed.load(Ordering::Acquire) {
            return Ok(());
        }
        let mut database = self.database.write().unwrap_or_else(PoisonError::into_inner);
        if !self.has_failed.load(Ordering::Acquire) {
            return Ok(());
        }
        // Its lock goes with it.
        *database = None;
        let opened = (self.opens)().map_err(|e| storage(&self.folder, &format!("{NAME}: {e}")))?;
        let (events, bytes) = held(&opened).map_err(|e| storage(&self.folder, &e))?;
        *database = Some(opened);
        self.has_failed.store(false, Ordering::Release);
        count(events, bytes);
        Ok(())
    }

    /// As if the disk had failed.
    #[cfg(test)]
    pub fn fail(&self) {
        self.failure(&"for a test");
    }

    fn database(&self) -> RwLockReadGuard<'_, Option<Database>> {
        self.database.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many events there are, and the bytes that they count for.
    pub fn held(&self) -> Result<(u64, u64), SpoolError> {
        let file = self.database();
        held(self.opened(&file)?).map_err(|e| self.failure(&e))
    }

    /// Waits until nobody else writes.
    pub fn begin(&self) -> Result<Writing<'_>, SpoolError> {
        let file = self.database();
        let begun = self.opened(&file)?.begin_write();
        let transaction = begun.map_err(|e| self.failure(&e))?;
        Ok(Writing { transaction, _file: file })
    }

    pub fn append(
        &self,
        writing: Writing<'_>,
        events: &[(String, SealedEvent)],
        bytes: u64,
    ) -> Result<(), SpoolError> {
        let Writing { transaction, _file } = writing;
        let append = || -> Result<(), redb::Error> {
            let mut next = total(&transaction, NEXT)?;
            let mut table = transaction.open_table(EVENTS)?;
            for (source, event) in events {
                table.insert(next, (source.as_str(), event.value()))?;
                next += 1;
            }
            drop(table);
            let mut totals = transaction.open_table(TOTALS)?;
            let before = value(&totals, BYTES)?;
            totals.insert(BYTES, before + bytes)?;
            totals.insert(NEXT, next)?;
            drop(totals);
            transaction.commit()?;
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
        let file = self.database();
        let database = self.opened(&file)?;
        let read = || -> Result<Vec<(u64, String, String)>, redb::Error> {
            let table = database.begin_read()?.open_table(EVENTS)?;
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
            Err(error) => Err(storage(&self.folder, &format!("{NAME}: event {sequence}: {error}"))),
        };
        found.into_iter().map(entry).collect()
    }

    pub fn remove(
        &self,
        writing: Writing<'_>,
        entries: &[&Entry],
        bytes: u64,
    ) -> Result<(), SpoolError> {
        let Writing { transaction, _file } = writing;
        let remove = || -> Result<(), redb::Error> {
            let mut table = transaction.open_table(EVENTS)?;
            for entry in entries {
                table.remove(entry.sequence)?;
            }
            drop(table);
            let mut totals = transaction.open_table(TOTALS)?;
            let before = value(&totals, BYTES)?;
            totals.insert(BYTES, before.saturating_sub(bytes))?;
            drop(totals);
            transaction.commit()?;
            Ok(())
        };
        remove().map_err(|e| self.failure(&e))
    }

    fn opened<'f>(
        &self,
        file: &'f RwLockReadGuard<'_, Option<Database>>,
    ) -> Result<&'f Database, SpoolError> {
        file.as_ref().ok_or_else(|| storage(&self.folder, &"its file could not be opened again"))
    }

    /// Of the file: it is opened again before it is used the next time.
    fn failure(&self, why: &dyn fmt::Display) -> SpoolError {
        self.has_failed.store(true, Ordering::Release);
        storage(&self.folder, why)
    }
}

fn held(database: &Database) -> Result<(u64, u64), redb::Error> {
    let writing = database.begin_write()?;
    let events = writing.open_table(EVENTS)?.len()?;
    let bytes = total(&writing, BYTES)?;
    writing.commit()?;
    Ok((events, bytes))
}

pub(super) fn builder() -> Builder {
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

/// Sealed events are nobody's business but the carrier's. The names of the folders that it makes are on the disk when
/// it returns: or what is in them is gone with them when the power goes.
fn make(folder: &Path) -> std::io::Result<()> {
    let holders = holders_of_new(folder);
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)?;
    holders.iter().try_for_each(|folder| sync(folder))
}

/// The folders that get a new name in them when `folder` is made with all above it.
pub(super) fn holders_of_new(folder: &Path) -> Vec<PathBuf> {
    let missing = folder.ancestors().take_while(|of| !of.as_os_str().is_empty() && !of.exists());
    let above = |of: &Path| match of.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    };
    missing.map(above).collect()
}

/// The names in a folder are on the disk when this returns.
pub(super) fn sync(folder: &Path) -> std::io::Result<()> {
    std::fs::File::open(folder)?.sync_all()
}
