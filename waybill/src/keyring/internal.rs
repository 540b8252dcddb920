//! Internal keys: made, rotated, and given to those who read and write internal topics.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use waybill_host::topic_cipher::RoleKeys;
use waybill_schemas::Role;
use waybill_sealing::KeyError;
use waybill_sealing::internal::{InternalKey, KeyFile};
use waybill_sealing::platform_key::KeyState;

use super::index::FIRST_INTERNAL;
use super::{Index, InternalEntry, Keyring, SHOWN_AFTER_SECONDS, dated};
use crate::exit::Failure;

/// The internal roles.
pub fn internal_roles() -> impl Iterator<Item = Role> {
    Role::ALL.into_iter().filter(|role| role.is_internal())
}

/// What values name the keys of a file by.
pub(super) fn ids(file: &KeyFile) -> Result<BTreeMap<String, String>, KeyError> {
    let mut ids = BTreeMap::new();
    if let Some(id) = file.version_1() {
        ids.insert(FIRST_INTERNAL.to_owned(), id.to_string());
    }
    for role in internal_roles() {
        if let Some(key) = file.role(role.as_str())? {
            ids.insert(role.as_str().to_owned(), key.id().to_string());
        }
    }
    Ok(ids)
}

impl Keyring {
    /// The internal keys of `roles`, with which values are opened and sealed. A folder that lacks one of
    /// them is refused.
    pub fn role_keys(&self, roles: &[Role]) -> Result<RoleKeys, Failure> {
        let mut keys = RoleKeys::default();
        for entry in self.index()?.internal.iter().filter(|e| e.state.opens()) {
            let file = self.internal_file(entry)?;
            for role in roles {
                let key = file.role(role.as_str()).map_err(|e| self.failure(&entry.file(), e))?;
                if let Some(key) = key {
                    keys.hold(*role, key, Some(entry.seals_from.as_millisecond()));
                }
            }
            if let KeyFile::Internal(key) = file {
                keys.open_version_1(key);
            }
        }
        match roles.iter().find(|role| !keys.serves(**role)) {
            None => Ok(keys),
            Some(role) => Err(self.failure(
                "",
                format!(
                    "holds no internal key for the role `{}`, which is read or written here; \
                     `waybill keys new` makes one, and `waybill keys grant` gives it to the folder of \
                     a stage",
                    role.as_str()
                ),
            )),
        }
    }

    /// The file of an internal key, which must be the one that the index speaks of: to seal with any other
    /// would be to seal for nobody.
    pub(super) fn internal_file(&self, entry: &InternalEntry) -> Result<KeyFile, Failure> {
        let file = entry.file();
        let text = self.read(&file)?;
        if KeyFile::is_plain(&text) {
            tracing::warn!(
                file,
                "the internal key is not encrypted: set keys.passphrase_file, then run `waybill keys wrap`"
            );
        }
        let failure = |e: KeyError| self.failure(&file, e);
        let key = KeyFile::parse(&text, self.passphrase()).map_err(failure)?;
        // A later build may know more roles: the index need not name all of them.
        let held = ids(&key).map_err(failure)?;
        if entry.ids.iter().any(|(name, id)| held.get(name) != Some(id)) {
            return Err(
                self.failure(&file, "is not the key that keys.json names: put the old one back")
            );
        }
        Ok(key)
    }

    /// Makes the first internal key; it seals at once.
    pub(super) fn create_internal(&self, index: &mut Index, now: Timestamp) -> Result<(), Failure> {
        let entry = self.new_internal(FIRST_INTERNAL.to_owned(), now, now)?;
        index.internal.push(entry);
        Ok(())
    }

    fn new_internal(
        &self,
        kid: String,
        created: Timestamp,
        seals_from: Timestamp,
    ) -> Result<InternalEntry, Failure> {
        let failure = |e: KeyError| self.failure(&kid, e);
        let key = InternalKey::generate().map_err(|e| self.failure(&kid, e))?;
        let key = KeyFile::Internal(key);
        let ids = ids(&key).map_err(failure)?;
        let text = key.to_text(self.passphrase()).map_err(failure)?;
        let entry = InternalEntry { kid, state: KeyState::Active, created, seals_from, ids };
        self.write(&entry.file(), text.as_bytes())?;
        Ok(entry)
    }

    /// Makes a new internal key. It opens as soon as processes have seen it, and seals `after` that long;
    /// those before it go on opening.
    pub fn rotate_internal(
        &self,
        after: SignedDuration,
        now: Timestamp,
    ) -> Result<InternalEntry, Failure> {
        let mut index = self.own_index()?;
        let Some(last) = index.internal.last() else {
            return Err(self.failure("", "holds no internal key yet; `waybill keys new` makes one"));
        };
        if last.seals_from > now {
            return Err(self.failure(
                "",
                format!("{} seals from {:.0} on: rotate after that", last.kid, last.seals_from),
            ));
        }
        let seals_from = now.checked_add(after).map_err(|e| Failure::config(e.to_string()))?;
        let kid = dated("internal", now, |kid| index.has(kid));
        let entry = self.new_internal(kid, now, seals_from)?;
        for older in index.internal.iter_mut().filter(|e| e.state == KeyState::Active) {
            older.state = KeyState::Retiring;
        }
        index.internal.push(entry.clone());
        self.write_index(index)?;
        Ok(entry)
    }

    /// Whether the internal key may be retired: another one has sealed for a while.
    pub(super) fn check_replaced(
        &self,
        index: &Index,
        kid: &str,
        now: Timestamp,
    ) -> Result<(), Failure> {
        let later = index.internal.iter().skip_while(|e| e.kid != kid).skip(1);
        let wait = SignedDuration::from_secs(SHOWN_AFTER_SECONDS);
        let since = later.filter(|e| e.state.opens()).map(|e| e.seals_from).min();
        match since {
            None => Err(Failure::config(format!(
                "{kid} is the internal key that seals: `waybill keys rotate-internal` first"
            ))),
            Some(since) if since.saturating_add(wait).is_ok_and(|at| at > now) => {
                Err(Failure::config(format!(
                    "{kid} may seal until {since:.0}: retire it a minute after that"
                )))
            }
            Some(_) => Ok(()),
        }
    }

    pub(super) fn wrap_internal_key(
        &self,
        entry: &InternalEntry,
    ) -> Result<Option<String>, Failure> {
        let file = entry.file();
        if !KeyFile::is_plain(&self.read(&file)?) {
            return Ok(None);
        }
        let text = self
            .internal_file(entry)?
            .to_text(self.passphrase())
            .map_err(|e| self.failure(&file, e))?;
        self.write(&file, text.as_bytes())?;
        Ok(Some(file))
    }
}
