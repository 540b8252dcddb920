//! A folder with the keys that some stages need, and nothing else: who breaks into their process finds no
//! more there.

use std::collections::BTreeSet;
use std::path::Path;

use waybill_schemas::Role;
use waybill_sealing::internal::KeyFile;

use super::{Entry, Index, InternalEntry, Keyring, destroy_file, internal};
use crate::exit::Failure;
use crate::secret::Secret;
use crate::work::Work;

impl Keyring {
    /// Writes to the folder `out` what `stages` need, under its own passphrase if one is given, or anew: what
    /// it held before and does not need any more is destroyed. Values of version 1 are opened by the internal
    /// key itself, and it opens everything: it is given only if it is asked for.
    pub fn grant(
        &self,
        stages: &str,
        work: Work,
        version_1: bool,
        out: &Path,
        passphrase: Option<Secret>,
    ) -> Result<(), Failure> {
        let index = self.own_index()?;
        let to = Self::new(out, passphrase.or_else(|| self.passphrase.clone()));
        to.check_target(stages)?;
        to.make_folder()?;
        let mut granted = Index { granted: Some(stages.to_owned()), ..Index::default() };
        if work.opens_events() {
            for entry in &index.keys {
                self.grant_platform_key(entry, &to)?;
                granted.keys.push(entry.clone());
            }
        }
        if work == Work::Gateway {
            for entry in &index.keys {
                let opens = entry.state.opens();
                let public = opens.then(|| self.public_key(entry)).transpose()?;
                granted.keys.push(Entry { public, token: None, ..entry.clone() });
            }
        }
        let roles = (!version_1).then(|| work.roles());
        for entry in index.internal.iter().filter(|e| e.state.opens()) {
            granted.internal.push(self.grant_internal_key(entry, roles.as_deref(), &to)?);
        }
        let files: BTreeSet<String> = granted.files().collect();
        // A process reads the folder when its index changes: by then the files are there.
        to.write_index(granted)?;
        to.destroy_others(&files)
    }

    /// The index of a folder in which keys are made, and not of one that was granted.
    pub(super) fn own_index(&self) -> Result<Index, Failure> {
        let index = self.index()?;
        match &index.granted {
            None => Ok(index),
            Some(stages) => Err(self.failure(
                "",
                format!(
                    "was granted to {stages}: keys are changed in the folder that they come from, and \
                     granted anew"
                ),
            )),
        }
    }

    /// What is not a grant is not overwritten, nor is one to others.
    fn check_target(&self, stages: &str) -> Result<(), Failure> {
        let index = self.index()?;
        match &index.granted {
            Some(before) if before != stages => Err(self.failure(
                "",
                format!("was granted to {before}: take another folder for {stages}, or remove it"),
            )),
            None if !(index.keys.is_empty() && index.internal.is_empty()) => {
                Err(self.failure("", "holds keys of its own: take another folder"))
            }
            _ => Ok(()),
        }
    }

    /// One in a token stays there.
    fn grant_platform_key(&self, entry: &Entry, to: &Self) -> Result<(), Failure> {
        match entry.state.opens() && entry.token.is_none() {
            true => to.write_file_key(entry, &self.file_key(entry)?),
            false => Ok(()),
        }
    }

    /// Its keys of these roles, or the key itself.
    fn grant_internal_key(
        &self,
        entry: &InternalEntry,
        roles: Option<&[Role]>,
        to: &Self,
    ) -> Result<InternalEntry, Failure> {
        let name = entry.file();
        let failure = |e| self.failure(&name, e);
        let mut keys = self.internal_file(entry)?;
        if let Some(roles) = roles {
            let names = roles.iter().map(|role| role.as_str());
            let each = names.filter_map(|role| {
                keys.role(role).transpose().map(|key| Ok((role.to_owned(), key?)))
            });
            keys = KeyFile::Roles(each.collect::<Result<_, _>>().map_err(failure)?);
        }
        to.write(&name, keys.to_text(to.passphrase()).map_err(failure)?.as_bytes())?;
        Ok(InternalEntry { ids: internal::ids(&keys).map_err(failure)?, ..entry.clone() })
    }

    /// Destroys the keys in the folder that are none of these files.
    fn destroy_others(&self, files: &BTreeSet<String>) -> Result<(), Failure> {
        let list = std::fs::read_dir(&self.folder).map_err(|e| self.failure("", e))?;
        for file in list {
            let path = file.map_err(|e| self.failure("", e))?.path();
            let name = path.file_name().and_then(|n| n.to_str()).unwrap_or_default();
            let is_key = path.extension().is_some_and(|kind| kind == "pem" || kind == "key");
            if is_key && !files.contains(name) {
                destroy_file(&path).map_err(|e| self.failure(name, e))?;
            }
        }
        Ok(())
    }
}
