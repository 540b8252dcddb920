//! The key folder: `keys.json` names every key with its state, `KID.pem` holds a platform key (PKCS#8),
//! `KID.key` an internal one (a JWK Set), all of mode 0600 and encrypted under the passphrase if there is
//! one. A platform key may be in a PKCS#11 token instead; the rest of it is here. A granted folder holds what some stages need, and nothing else.

mod destroy;
mod grant;
mod index;
mod internal;
mod platform;

use std::io::{Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use waybill_pkcs11::Token;

pub use destroy::{Named, check_retired};
pub use index::{Entry, Index, InternalEntry};
pub use internal::internal_roles;

use crate::exit::Failure;
use crate::secret::Secret;

/// A new key is in force in every processor for this long before carriers are shown it, or anybody seals
/// with it.
pub const SHOWN_AFTER_SECONDS: i64 = 60;

/// A key folder on disk.
#[derive(Clone, Debug)]
pub struct Keyring {
    folder: PathBuf,
    passphrase: Option<Secret>,
    /// Where platform keys are made, and those that were made there are used.
    token: Option<Token>,
}

impl Keyring {
    pub fn new(folder: &Path, passphrase: Option<Secret>) -> Self {
        Self { folder: folder.to_owned(), passphrase, token: None }
    }

    pub fn with_token(self, token: Option<Token>) -> Self {
        Self { token, ..self }
    }

    fn failure(&self, file: &str, why: impl std::fmt::Display) -> Failure {
        Failure::config(format!("{}: {why}", self.folder.join(file).display()))
    }

    fn passphrase(&self) -> Option<&str> {
        self.passphrase.as_ref().map(Secret::reveal)
    }

    /// File whose change means that keys must be read again.
    pub fn watched(&self) -> PathBuf {
        self.folder.join(index::FILE)
    }

    /// The folder, with its mode, before the first file is written.
    fn make_folder(&self) -> Result<(), Failure> {
        std::fs::create_dir_all(&self.folder).map_err(|e| self.failure("", e))?;
        std::fs::set_permissions(&self.folder, std::fs::Permissions::from_mode(0o700))
            .map_err(|e| self.failure("", e))
    }

    fn read(&self, file: &str) -> Result<String, Failure> {
        std::fs::read_to_string(self.folder.join(file)).map_err(|e| self.failure(file, e))
    }

    fn write(&self, file: &str, bytes: &[u8]) -> Result<(), Failure> {
        write_private(&self.folder.join(file), bytes).map_err(|e| self.failure(file, e))
    }

    /// Encrypts under the passphrase what lies plain in the folder; the names of these files.
    pub fn wrap(&self) -> Result<Vec<String>, Failure> {
        if self.passphrase.is_none() {
            return Err(Failure::config(
                "keys.passphrase_file: there is no passphrase to wrap under",
            ));
        }
        let index = self.index()?;
        let mut wrapped = Vec::new();
        let in_files = index.keys.iter().filter(|e| e.state.is_held() && e.token.is_none());
        for entry in in_files {
            wrapped.extend(self.wrap_platform_key(entry)?);
        }
        for entry in index.internal.iter().filter(|e| e.state.is_held()) {
            wrapped.extend(self.wrap_internal_key(entry)?);
        }
        Ok(wrapped)
    }
}

/// `kid`, or the first free one of `PREFIX-DATE`, `PREFIX-DATE-2`, ….
fn dated(prefix: &str, now: Timestamp, is_taken: impl Fn(&str) -> bool) -> String {
    let day = format!("{prefix}-{}", now.strftime("%Y-%m-%d"));
    (1..)
        .map(|n| if n == 1 { day.clone() } else { format!("{day}-{n}") })
        .find(|kid| !is_taken(kid))
        .unwrap_or(day)
}

/// Writes a file of mode 0600 as a whole: a reader sees the old one or the new one.
pub fn write_private(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let beside = path.with_extension("new");
    let _ = std::fs::remove_file(&beside);
    let mut file =
        std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&beside)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    std::fs::rename(&beside, path)
}

/// Overwrites a file, and removes it. What a copy-on-write file system, a snapshot or a backup has of it
/// stays: docs/operations.md.
fn destroy_file(path: &Path) -> std::io::Result<()> {
    let length = match std::fs::metadata(path) {
        Ok(metadata) => metadata.len(),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(e) => return Err(e),
    };
    let mut file = std::fs::OpenOptions::new().write(true).open(path)?;
    std::io::copy(&mut std::io::repeat(0).take(length), &mut file)?;
    file.sync_all()?;
    std::fs::remove_file(path)?;
    // The removal, too, is to outlive a crash.
    std::fs::File::open(path.parent().unwrap_or(Path::new(".")))?.sync_all()
}

#[cfg(test)]
mod tests;
