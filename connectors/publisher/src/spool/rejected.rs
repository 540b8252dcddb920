//! Events that were rejected, kept for people: a file each, with the answer.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::Entry;

/// In the spool's folder.
const NAME: &str = "rejected";

#[derive(Debug)]
pub struct Rejected {
    folder: PathBuf,
}

/// What a file has.
#[derive(Serialize)]
struct Kept<'e> {
    id: &'e str,
    handle: &'e str,
    source: &'e str,
    code: &'e str,
    detail: &'e str,
    /// As it was sent: it can be published again.
    sealed: &'e str,
}

impl Rejected {
    pub fn of(spool: &Path) -> Self {
        Self { folder: spool.join(NAME) }
    }

    /// Of all files.
    pub fn bytes(&self) -> io::Result<u64> {
        let mut bytes = 0;
        match std::fs::read_dir(&self.folder) {
            Ok(entries) => {
                for entry in entries {
                    bytes += entry?.metadata()?.len();
                }
                Ok(bytes)
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(0),
            Err(error) => Err(error),
        }
    }

    /// Keeps it; the bytes of its file. The same again, after a crash say, replaces it.
    pub fn keep(&self, entry: &Entry, code: &str, detail: &str) -> io::Result<u64> {
        let holders = super::file::holders_of_new(&self.folder);
        std::fs::create_dir_all(&self.folder)?;
        // The folder's own name; those of the files come later (`sync`).
        holders.iter().try_for_each(|holder| super::file::sync(holder))?;
        let Entry { sequence, source, event } = entry;
        let kept = Kept {
            id: event.message_id(),
            handle: event.handle(),
            source,
            code,
            detail,
            sealed: event.value(),
        };
        let text = serde_json::to_vec_pretty(&kept)?;
        // An id has no character that a path could stumble over.
        let name = format!("{sequence:012}-{}", event.message_id());
        let unfinished = self.folder.join(format!("{name}.unfinished"));
        let mut file = File::create(&unfinished)?;
        file.write_all(&text)?;
        file.sync_all()?;
        std::fs::rename(&unfinished, self.folder.join(format!("{name}.json")))?;
        Ok(text.len() as u64)
    }

    /// The files' names are on the disk when this returns.
    pub fn sync(&self) -> io::Result<()> {
        super::file::sync(&self.folder)
    }
}
