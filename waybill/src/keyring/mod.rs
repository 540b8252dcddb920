//! The key folder: `keys.json` names each platform key with its state, `KID.pem` holds it (PKCS#8,
//! mode 0600), `internal.key` encrypts the internal topics.

use std::io::Write;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use jiff::{Timestamp, ToSpan};
use serde::{Deserialize, Serialize};
use waybill_sealing::internal::InternalKey;
use waybill_sealing::platform_key::{KeyState, PlatformKey, PlatformKeys};

use crate::exit::Failure;
use crate::secret::Secret;

const INDEX: &str = "keys.json";
const INTERNAL: &str = "internal.key";

/// A new key is in force in every processor for this long before carriers are shown it.
pub const SHOWN_AFTER_SECONDS: i64 = 60;

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Index {
    keys: Vec<Entry>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    pub kid: String,
    pub state: KeyState,
    pub created: Timestamp,
}

/// A key folder on disk.
#[derive(Debug)]
pub struct Keyring {
    folder: PathBuf,
    passphrase: Option<Secret>,
}

impl Keyring {
    pub fn new(folder: &Path, passphrase: Option<Secret>) -> Self {
        Self { folder: folder.to_owned(), passphrase }
    }

    fn failure(&self, file: &str, why: impl std::fmt::Display) -> Failure {
        Failure::config(format!("{}: {why}", self.folder.join(file).display()))
    }

    fn passphrase(&self) -> Option<&str> {
        self.passphrase.as_ref().map(Secret::reveal)
    }

    /// Every key with its state, oldest first.
    pub fn entries(&self) -> Result<Vec<Entry>, Failure> {
        match std::fs::read(self.folder.join(INDEX)) {
            Ok(bytes) => serde_json::from_slice::<Index>(&bytes)
                .map(|index| index.keys)
                .map_err(|e| self.failure(INDEX, e)),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(e) => Err(self.failure(INDEX, e)),
        }
    }

    /// Makes a platform key, and the internal key if there is none.
    pub fn create(
        &self,
        kid: Option<String>,
        bits: usize,
        now: Timestamp,
    ) -> Result<Entry, Failure> {
        std::fs::create_dir_all(&self.folder).map_err(|e| self.failure("", e))?;
        std::fs::set_permissions(&self.folder, std::fs::Permissions::from_mode(0o700))
            .map_err(|e| self.failure("", e))?;
        let mut entries = self.entries()?;
        let kid = kid.unwrap_or_else(|| {
            let day = format!("platform-{}", now.strftime("%Y-%m-%d"));
            (1..)
                .map(|n| if n == 1 { day.clone() } else { format!("{day}-{n}") })
                .find(|kid| entries.iter().all(|e| e.kid != *kid))
                .unwrap_or(day)
        });
        if !kid.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
            || kid.is_empty()
            || kid.starts_with('.')
        {
            return Err(Failure::config(format!("kid {kid:?}: letters, digits, - _ . only")));
        }
        if entries.iter().any(|e| e.kid == kid) {
            return Err(Failure::config(format!("kid {kid:?} is there already")));
        }
        if !self.folder.join(INTERNAL).exists() {
            let key = InternalKey::generate().map_err(|e| self.failure(INTERNAL, e))?;
            self.write(INTERNAL, key.to_text().as_bytes())?;
        }
        let key = PlatformKey::generate(&kid, bits).map_err(|e| Failure::config(e.to_string()))?;
        let pem = key.to_pem(self.passphrase()).map_err(|e| self.failure(&kid, e))?;
        self.write(&format!("{kid}.pem"), pem.as_bytes())?;
        let entry = Entry { kid, state: KeyState::Active, created: now };
        entries.push(entry.clone());
        self.write_index(entries)?;
        Ok(entry)
    }

    /// Takes a key one step further: active, retiring, retired.
    pub fn retire(&self, kid: &str, at_once: bool) -> Result<Entry, Failure> {
        let mut entries = self.entries()?;
        let Some(entry) = entries.iter_mut().find(|e| e.kid == kid) else {
            return Err(Failure::config(format!("no key {kid:?}; `waybill keys list` shows all")));
        };
        entry.state = match (entry.state, at_once) {
            (KeyState::Active, false) => KeyState::Retiring,
            _ => KeyState::Retired,
        };
        let done = entry.clone();
        self.write_index(entries)?;
        Ok(done)
    }

    /// Every key, ready to open with.
    pub fn load(&self) -> Result<PlatformKeys, Failure> {
        let entries = self.entries()?;
        if entries.is_empty() {
            return Err(self.failure(INDEX, "no platform key; `waybill keys new` makes one"));
        }
        let mut keys = Vec::new();
        for Entry { kid, state, .. } in entries {
            let file = format!("{kid}.pem");
            let pem = std::fs::read_to_string(self.folder.join(&file))
                .map_err(|e| self.failure(&file, e))?;
            let key = PlatformKey::from_pem(kid, state, &pem, self.passphrase())
                .map_err(|e| self.failure(&file, e))?;
            keys.push(key);
        }
        PlatformKeys::new(keys).map_err(|e| self.failure(INDEX, e))
    }

    /// The keys that carriers may be shown now: active, and in force everywhere. If no key is that
    /// old (a new deployment), the active ones there are.
    pub fn shown(&self, now: Timestamp) -> Result<PlatformKeys, Failure> {
        let entries = self.entries()?;
        let limit = now.checked_sub(SHOWN_AFTER_SECONDS.seconds()).unwrap_or(now);
        let active = |e: &&Entry| e.state == KeyState::Active;
        let old: Vec<&Entry> =
            entries.iter().filter(active).filter(|e| e.created <= limit).collect();
        let shown = if old.is_empty() { entries.iter().filter(active).collect() } else { old };
        let mut keys = Vec::new();
        for entry in shown {
            let file = format!("{}.pem", entry.kid);
            let pem = std::fs::read_to_string(self.folder.join(&file))
                .map_err(|e| self.failure(&file, e))?;
            keys.push(
                PlatformKey::from_pem(&entry.kid, entry.state, &pem, self.passphrase())
                    .map_err(|e| self.failure(&file, e))?,
            );
        }
        PlatformKeys::new(keys).map_err(|e| self.failure(INDEX, e))
    }

    pub fn internal(&self) -> Result<InternalKey, Failure> {
        let text = std::fs::read_to_string(self.folder.join(INTERNAL))
            .map_err(|e| self.failure(INTERNAL, format!("{e}; `waybill keys new` makes one")))?;
        InternalKey::from_text(text.trim()).map_err(|e| self.failure(INTERNAL, e))
    }

    /// Files whose change means that keys must be read again.
    pub fn watched(&self) -> PathBuf {
        self.folder.join(INDEX)
    }

    fn write_index(&self, keys: Vec<Entry>) -> Result<(), Failure> {
        let text =
            serde_json::to_vec_pretty(&Index { keys }).map_err(|e| self.failure(INDEX, e))?;
        self.write(INDEX, &text)
    }

    fn write(&self, file: &str, bytes: &[u8]) -> Result<(), Failure> {
        write_private(&self.folder.join(file), bytes).map_err(|e| self.failure(file, e))
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        "2026-11-24T12:00:00Z".parse().unwrap()
    }

    #[test]
    fn a_new_key_is_shown_after_a_minute_and_a_retired_one_never() {
        let folder = tempfile::tempdir().unwrap();
        let ring = Keyring::new(&folder.path().join("keys"), None);
        let first = ring.create(None, 2048, now()).unwrap();
        assert_eq!(first.kid, "platform-2026-11-24");
        let kids =
            |at| ring.shown(at).unwrap().iter().map(|k| k.kid().to_owned()).collect::<Vec<_>>();
        // The only key there is: shown at once.
        assert_eq!(kids(now()), ["platform-2026-11-24"]);
        let later = now().checked_add(2.hours()).unwrap();
        let second = ring.create(None, 2048, later).unwrap();
        assert_eq!(second.kid, "platform-2026-11-24-2");
        assert_eq!(kids(later.checked_add(59.seconds()).unwrap()), ["platform-2026-11-24"]);
        assert_eq!(kids(later.checked_add(60.seconds()).unwrap()).len(), 2);
        ring.retire(&first.kid, false).unwrap();
        assert_eq!(kids(later.checked_add(60.seconds()).unwrap()), ["platform-2026-11-24-2"]);
        // It still opens, until it is retired.
        assert_eq!(ring.load().unwrap().get(&first.kid).unwrap().state(), KeyState::Retiring);
        assert_eq!(ring.retire(&first.kid, false).unwrap().state, KeyState::Retired);
    }

    #[test]
    fn files_are_private_and_need_the_passphrase() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys");
        let secret: Secret = serde_json::from_str("\"correct horse\"").unwrap();
        let ring = Keyring::new(&path, Some(secret));
        ring.create(Some("k1".to_owned()), 2048, now()).unwrap();
        for file in ["k1.pem", "internal.key", "keys.json"] {
            let mode = std::fs::metadata(path.join(file)).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{file}");
        }
        ring.load().unwrap();
        ring.internal().unwrap();
        let without = Keyring::new(&path, None).load().unwrap_err().message;
        assert!(without.contains("k1.pem") && without.contains("passphrase"), "{without}");
    }
}
