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

    /// Every carrier; a file that is not there has none.
    pub fn load(&self) -> Result<Carriers, Failure> {
        match std::fs::read(&self.0) {
            Ok(bytes) => Carriers::parse(&bytes).map_err(|e| self.failure(e)),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(Carriers::default()),
            Err(e) => Err(self.failure(e)),
        }
    }

    /// Changes the file as a whole: a reader sees the old one or the new one.
    pub fn change<T>(
        &self,
        change: impl FnOnce(&mut Carriers) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let mut carriers = self.load()?;
        let done = change(&mut carriers)?;
        let text = carriers.to_json().map_err(|e| self.failure(e))?;
        write_private(&self.0, text.as_bytes()).map_err(|e| self.failure(e))?;
        Ok(done)
    }

    /// The carrier is there with this key; whether that needed a change.
    pub fn ensure(&self, id: &str, name: &str, key: &PublicSigningKey) -> Result<bool, Failure> {
        let known = self.load()?.get(id).is_some_and(|c| c.keys().iter().any(|k| k.key == *key));
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
