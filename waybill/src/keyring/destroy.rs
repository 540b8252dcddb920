//! A key that is destroyed opens nothing any more, for nobody.

use std::collections::BTreeMap;

use waybill_sealing::platform_key::KeyState;

use super::index::FIRST_INTERNAL;
use super::internal::ids as internal_ids;
use super::{Index, Keyring, destroy_file};
use crate::exit::Failure;

/// What values name a key by.
#[derive(Debug)]
pub enum Named {
    /// Sealed events, as `kid`.
    Platform,
    /// Values of internal topics: version of the format and id, in hexadecimal.
    Internal(Vec<(u8, String)>),
}

impl Keyring {
    /// What the key is named by, and its state.
    pub fn named(&self, kid: &str) -> Result<(Named, KeyState), Failure> {
        let index = self.own_index()?;
        if let Some(entry) = index.keys.iter().find(|e| e.kid == kid) {
            return Ok((Named::Platform, entry.state));
        }
        let internal = index.internal.iter().find(|e| e.kid == kid);
        let entry = internal.ok_or_else(|| no_key(kid))?;
        let mut ids = entry.ids.clone();
        // Its file may know more roles than the index. A command that was broken off has left none.
        if self.folder.join(entry.file()).exists() {
            let held = internal_ids(&self.internal_file(entry)?);
            ids.extend(held.map_err(|e| self.failure(&entry.file(), e))?);
        }
        Ok((Named::Internal(versions(&ids).collect()), entry.state))
    }

    /// Overwrites and removes the key's file, or destroys it in its token. Only a retired one is destroyed: what still opens is needed.
    pub fn destroy(&self, kid: &str) -> Result<(), Failure> {
        let mut index = self.own_index()?;
        let file = file(&index, kid)?;
        check_retired(kid, self.named(kid)?.1)?;
        // The key first: if this ends between, it is gone, and the same command says so.
        if index.keys.iter().any(|e| e.kid == kid && e.token.is_some()) {
            let token = self.token_of(kid)?;
            token.destroy(kid).map_err(|e| Failure::config(e.to_string()))?;
        } else {
            destroy_file(&self.folder.join(&file)).map_err(|e| self.failure(&file, e))?;
        }
        *index.state_mut(kid).ok_or_else(|| no_key(kid))? = KeyState::Destroyed;
        self.write_index(index)
    }
}

/// What values name an internal key by: version of the format, and id.
fn versions(ids: &BTreeMap<String, String>) -> impl Iterator<Item = (u8, String)> {
    ids.iter().map(|(name, id)| (if name == FIRST_INTERNAL { 1 } else { 2 }, id.clone()))
}

/// What still opens is not destroyed.
pub fn check_retired(kid: &str, state: KeyState) -> Result<(), Failure> {
    match state {
        KeyState::Retired => Ok(()),
        KeyState::Destroyed => Err(Failure::config(format!("{kid} is destroyed already"))),
        KeyState::Active | KeyState::Retiring => Err(Failure::config(format!(
            "{kid} is {state}: only a retired key is destroyed (`waybill keys retire {kid}`)"
        ))),
    }
}

fn file(index: &Index, kid: &str) -> Result<String, Failure> {
    let platform = index.keys.iter().find(|e| e.kid == kid).map(super::Entry::file);
    let internal = index.internal.iter().find(|e| e.kid == kid).map(super::InternalEntry::file);
    platform.or(internal).ok_or_else(|| no_key(kid))
}

pub(super) fn no_key(kid: &str) -> Failure {
    Failure::config(format!("no key {kid:?}; `waybill keys list` shows all"))
}
