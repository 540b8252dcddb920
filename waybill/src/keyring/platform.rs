//! Platform keys: made, shown to carriers, retired, and read to open with.

use jiff::Timestamp;
use waybill_pkcs11::Token;
use waybill_sealing::file_key::FileKey;
use waybill_sealing::platform_key::{KeyState, PlatformKey, PlatformKeys};
use waybill_sealing::published::{Published, PublishedKeys};
use waybill_sealing::rsa_key::{JwkSet, RsaPublicKey};

use super::destroy::no_key;
use super::{Entry, Keyring, SHOWN_AFTER_SECONDS, dated, index};
use crate::exit::Failure;

impl Keyring {
    /// Makes a platform key, and the internal key if there is none.
    pub fn create(
        &self,
        kid: Option<String>,
        bits: usize,
        now: Timestamp,
    ) -> Result<Entry, Failure> {
        self.make_folder()?;
        let mut index = self.own_index()?;
        let kid = kid.unwrap_or_else(|| dated("platform", now, |kid| index.has(kid)));
        if !kid.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
            || kid.is_empty()
            || kid.starts_with('.')
        {
            return Err(Failure::config(format!("kid {kid:?}: letters, digits, - _ . only")));
        }
        if index.has(&kid) {
            return Err(Failure::config(format!("kid {kid:?} is there already")));
        }
        if index.internal.is_empty() {
            self.create_internal(&mut index, now)?;
        }
        let mut entry =
            Entry { kid, state: KeyState::Active, created: now, token: None, public: None };
        match &self.token {
            Some(token) => {
                let public = token.generate(&entry.kid, bits);
                entry.token = Some(public.map_err(|e| Failure::config(e.to_string()))?);
            }
            None => {
                let key = FileKey::generate(bits).map_err(|e| Failure::config(e.to_string()))?;
                self.write_file_key(&entry, &key)?;
            }
        }
        index.keys.push(entry.clone());
        self.write_index(index)?;
        Ok(entry)
    }

    /// Takes a key one step further: active, retiring, retired. The state it has then.
    pub fn retire(&self, kid: &str, at_once: bool, now: Timestamp) -> Result<KeyState, Failure> {
        let mut index = self.own_index()?;
        if index.internal.iter().any(|e| e.kid == kid) {
            self.check_replaced(&index, kid, now)?;
        }
        let state = index.state_mut(kid).ok_or_else(|| no_key(kid))?;
        *state = match (*state, at_once) {
            (KeyState::Active, false) => KeyState::Retiring,
            (KeyState::Destroyed, _) => KeyState::Destroyed,
            _ => KeyState::Retired,
        };
        let done = *state;
        self.write_index(index)?;
        Ok(done)
    }

    /// Every platform key that opens, ready to do so, and the names of the others.
    pub fn load(&self) -> Result<PlatformKeys, Failure> {
        let entries = self.index()?.keys;
        if entries.is_empty() {
            return Err(self.failure(
                index::FILE,
                "no platform key; `waybill keys new` makes one, and `waybill keys grant` gives it to \
                 the folder of decrypt",
            ));
        }
        let (opening, retired): (Vec<_>, Vec<_>) = entries.iter().partition(|e| e.state.opens());
        let keys: Result<Vec<_>, _> = opening.into_iter().map(|e| self.platform_key(e)).collect();
        let keys = PlatformKeys::new(keys?).map_err(|e| self.failure(index::FILE, e))?;
        Ok(keys.with_retired(retired.into_iter().map(|entry| entry.kid.clone())))
    }

    /// What everybody may know of the platform keys. A new one is shown to carriers when it is in force
    /// everywhere.
    pub fn published(&self) -> Result<PublishedKeys, Failure> {
        let entries = self.index()?.keys;
        let (opening, retired): (Vec<_>, Vec<_>) = entries.iter().partition(|e| e.state.opens());
        let published = |entry: &Entry| {
            let key = self.public_key(entry)?;
            let shown_from = entry.created.as_millisecond() + SHOWN_AFTER_SECONDS * 1000;
            let is_shown = entry.state == KeyState::Active;
            Ok(Published { key, shown_from_ms: is_shown.then_some(shown_from) })
        };
        let opening: Result<Vec<_>, _> = opening.into_iter().map(published).collect();
        Ok(PublishedKeys::new(opening?, retired.into_iter().map(|entry| entry.kid.clone())))
    }

    /// The keys that carriers may be shown now.
    pub fn shown(&self, now: Timestamp) -> Result<JwkSet, Failure> {
        Ok(self.published()?.shown(now.as_millisecond()))
    }

    pub(super) fn public_key(&self, entry: &Entry) -> Result<RsaPublicKey, Failure> {
        if let Some(public) = entry.token.as_ref().or(entry.public.as_ref()) {
            return Ok(public.clone());
        }
        let public = self.file_key(entry)?.public(&entry.kid);
        public.map_err(|e| self.failure(&entry.file(), e))
    }

    pub(super) fn platform_key(&self, entry: &Entry) -> Result<PlatformKey, Failure> {
        let failure = |e: &dyn std::fmt::Display| self.failure(&entry.file(), e);
        let Some(public) = &entry.token else {
            let key = self.file_key(entry)?;
            let public = key.public(&entry.kid).map_err(|e| failure(&e))?;
            return Ok(PlatformKey::new(entry.state, public, Box::new(key)));
        };
        let kid = &entry.kid;
        let key = self.token_of(kid)?.key(public.clone());
        let key = key.map_err(|e| Failure::config(e.to_string()))?;
        Ok(PlatformKey::new(entry.state, public.clone(), Box::new(key)))
    }

    pub(super) fn token_of(&self, kid: &str) -> Result<&Token, Failure> {
        let why = format!("key {kid:?} is in a PKCS#11 token: set keys.pkcs11 to where it is");
        self.token.as_ref().ok_or_else(|| self.failure(index::FILE, why))
    }

    pub(super) fn file_key(&self, entry: &Entry) -> Result<FileKey, Failure> {
        let file = entry.file();
        let pem = self.read(&file)?;
        FileKey::from_pem(&pem, self.passphrase()).map_err(|e| self.failure(&file, e))
    }

    pub(super) fn write_file_key(&self, entry: &Entry, key: &FileKey) -> Result<(), Failure> {
        let file = entry.file();
        let pem = key.to_pem(self.passphrase()).map_err(|e| self.failure(&file, e))?;
        self.write(&file, pem.as_bytes())
    }

    pub(super) fn wrap_platform_key(&self, entry: &Entry) -> Result<Option<String>, Failure> {
        let file = entry.file();
        if self.read(&file)?.contains("ENCRYPTED PRIVATE KEY") {
            return Ok(None);
        }
        self.write_file_key(entry, &self.file_key(entry)?)?;
        Ok(Some(file))
    }
}
