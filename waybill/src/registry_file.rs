//! The carriers file on disk: `carriers.json`, as waybill-decrypt reads it.

use std::path::{Path, PathBuf};

use waybill_decrypt::{Carrier, Carriers, RegisteredKey};
use waybill_sealing::signing_key::PublicSigningKey;

use crate::exit::Failure;
use crate::keyring::write_private;

#[derive(Clone, Debug)]
pub struct RegistryFile(PathBuf);

impl RegistryFile {
    pub fn new(path: &Path) -> Self {
        Self(path.to_owned())
    }

    fn failure(&self, why: impl std::fmt::Display) -> Failure {
        Failure::config(format!("{}: {why}", self.0.display()))
    }

    /// Every carrier. A file that is not there is none that has no carriers: whoever decides by it would
    /// reject everybody's events.
    pub fn load(&self) -> Result<Carriers, Failure> {
        match self.read()? {
            Some(carriers) => Ok(carriers),
            None => Err(self.failure(
                "is not there; `waybill carriers add` makes it, and `waybill carriers init` an empty one",
            )),
        }
    }

    /// `None` where there is no file yet.
    pub fn read(&self) -> Result<Option<Carriers>, Failure> {
        match std::fs::read(&self.0) {
            Ok(bytes) => Carriers::parse(&bytes).map(Some).map_err(|e| self.failure(e)),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(self.failure(e)),
        }
    }

    /// Makes an empty one, unless there is one; whether it did.
    pub fn init(&self) -> Result<bool, Failure> {
        let is_new = self.read()?.is_none();
        if is_new {
            self.change(|_| Ok(()))?;
        }
        Ok(is_new)
    }

    /// Changes the file as a whole: a reader sees the old one or the new one.
    pub fn change<T>(
        &self,
        change: impl FnOnce(&mut Carriers) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let mut carriers = self.read()?.unwrap_or_default();
        let done = change(&mut carriers)?;
        let text = carriers.to_json().map_err(|e| self.failure(e))?;
        write_private(&self.0, text.as_bytes()).map_err(|e| self.failure(e))?;
        Ok(done)
    }

    /// The carrier is there with this key; whether that needed a change.
    pub fn ensure(&self, id: &str, name: &str, key: &PublicSigningKey) -> Result<bool, Failure> {
        let carriers = self.read()?.unwrap_or_default();
        let known = carriers.get(id).is_some_and(|c| c.keys().iter().any(|k| k.key == *key));
        if !known {
            self.add_key(id, name, key.clone())?;
        }
        Ok(!known)
    }

    /// Adds the carrier, or only the key where the carrier is there.
    pub fn add_key(&self, id: &str, name: &str, key: PublicSigningKey) -> Result<(), Failure> {
        self.change(|carriers| {
            if carriers.get(id).is_none() {
                let carrier = Carrier::new(id, name).map_err(|e| self.failure(e))?;
                carriers.insert(carrier).map_err(|e| self.failure(e))?;
            }
            match carriers.get_mut(id) {
                Some(carrier) => {
                    carrier.add_key(RegisteredKey::new(key)).map_err(|e| self.failure(e))
                }
                None => Err(self.failure("the carrier is not there")),
            }
        })
    }
}
