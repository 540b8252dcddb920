//! `keys.json`: every key with its state.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use waybill_sealing::internal::KeyFile;
use waybill_sealing::platform_key::KeyState;
use waybill_sealing::rsa_key::RsaPublicKey;

use super::Keyring;
use crate::exit::Failure;

pub(super) const FILE: &str = "keys.json";

/// The internal key of a folder that an earlier build made: it has no entry.
pub(super) const FIRST_INTERNAL: &str = "internal";

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Index {
    /// The stages that the folder was granted to; absent where keys are made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub granted: Option<String>,
    /// Platform keys, the oldest first.
    pub keys: Vec<Entry>,
    /// Internal keys, the oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub internal: Vec<InternalEntry>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    pub kid: String,
    pub state: KeyState,
    pub created: Timestamp,
    /// Its public half, if the private one is in a PKCS#11 token, and not in a file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<RsaPublicKey>,
    /// Its public half, in a folder that was granted to who opens nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public: Option<RsaPublicKey>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InternalEntry {
    pub kid: String,
    pub state: KeyState,
    pub created: Timestamp,
    /// It seals from then on, until a later one does; it opens before.
    pub seals_from: Timestamp,
    /// What values name the keys by that its file holds: by role, and the internal key itself (as values
    /// of version 1 name it) under `internal`.
    pub ids: BTreeMap<String, String>,
}

impl Entry {
    pub(super) fn file(&self) -> String {
        format!("{}.pem", self.kid)
    }
}

impl InternalEntry {
    pub(super) fn file(&self) -> String {
        format!("{}.key", self.kid)
    }

    /// Of a folder that an earlier build made, and that is as it made it.
    fn is_unlisted(&self) -> bool {
        self.created == Timestamp::UNIX_EPOCH && self.state == KeyState::Active
    }

    /// Whether the internal key itself is held, and not the keys of some roles.
    pub fn is_whole(&self) -> bool {
        self.ids.contains_key(FIRST_INTERNAL)
    }
}

impl Index {
    /// Of the keys that open.
    pub(super) fn files(&self) -> impl Iterator<Item = String> {
        let in_files = |e: &&Entry| e.state.opens() && e.token.is_none() && e.public.is_none();
        let platform = self.keys.iter().filter(in_files);
        let platform = platform.map(Entry::file);
        let internal = self.internal.iter().filter(|e| e.state.opens()).map(InternalEntry::file);
        platform.chain(internal)
    }

    pub(super) fn state_mut(&mut self, kid: &str) -> Option<&mut KeyState> {
        let platform = self.keys.iter_mut().map(|e| (&e.kid, &mut e.state));
        let internal = self.internal.iter_mut().map(|e| (&e.kid, &mut e.state));
        platform.chain(internal).find(|(known, _)| *known == kid).map(|(_, state)| state)
    }

    pub(super) fn has(&self, kid: &str) -> bool {
        self.keys.iter().any(|e| e.kid == kid) || self.internal.iter().any(|e| e.kid == kid)
    }
}

impl Keyring {
    /// Every key with its state.
    pub fn index(&self) -> Result<Index, Failure> {
        let mut index: Index = match std::fs::read(self.folder.join(FILE)) {
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(|e| self.failure(FILE, e))?,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Index::default(),
            Err(e) => return Err(self.failure(FILE, e)),
        };
        if index.internal.is_empty() && index.granted.is_none() {
            index.internal.extend(self.unlisted()?);
        }
        Ok(index)
    }

    /// The internal key that an earlier build made.
    fn unlisted(&self) -> Result<Option<InternalEntry>, Failure> {
        let mut entry = InternalEntry {
            kid: FIRST_INTERNAL.to_owned(),
            state: KeyState::Active,
            created: Timestamp::UNIX_EPOCH,
            seals_from: Timestamp::UNIX_EPOCH,
            ids: BTreeMap::new(),
        };
        let file = entry.file();
        if !self.folder.join(&file).exists() {
            return Ok(None);
        }
        let key = KeyFile::parse(&self.read(&file)?, self.passphrase());
        entry.ids = super::internal::ids(&key.map_err(|e| self.failure(&file, e))?)
            .map_err(|e| self.failure(&file, e))?;
        Ok(Some(entry))
    }

    /// Nothing that an earlier build does not know is written without need: processes of such a build may
    /// read it, too.
    pub(super) fn write_index(&self, mut index: Index) -> Result<(), Failure> {
        index.internal.retain(|entry| !entry.is_unlisted());
        let text = serde_json::to_vec_pretty(&index).map_err(|e| self.failure(FILE, e))?;
        self.write(FILE, &text)
    }
}
