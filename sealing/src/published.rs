//! What everybody may know of the platform's keys: their states, and the public halves of those that open.

use std::collections::BTreeMap;

use crate::platform_key::KeyState;
use crate::rsa_key::{JwkSet, RsaPublicKey};

#[derive(Clone, Debug)]
pub struct PublishedKeys {
    opening: BTreeMap<String, RsaPublicKey>,
    retired: Vec<String>,
    shown: JwkSet,
}

impl PublishedKeys {
    /// Keys that open, whatever their state, and the names of those that do no more; of the first, carriers
    /// are `shown` some.
    pub fn new(opening: Vec<RsaPublicKey>, retired: Vec<String>, shown: JwkSet) -> Self {
        let opening = opening.into_iter().map(|key| (key.kid().to_owned(), key)).collect();
        Self { opening, retired, shown }
    }

    /// `None`: the platform has never had it. What is retired is told apart from what is destroyed by nobody.
    pub fn state(&self, kid: &str) -> Option<KeyState> {
        if self.shown.keys.iter().any(|key| key.kid() == kid) {
            Some(KeyState::Active)
        } else if self.opening.contains_key(kid) {
            Some(KeyState::Retiring)
        } else {
            self.retired.iter().any(|retired| retired == kid).then_some(KeyState::Retired)
        }
    }

    /// Of a key that opens.
    pub fn get(&self, kid: &str) -> Option<&RsaPublicKey> {
        self.opening.get(kid)
    }

    /// The keys to seal for, in the order in which they shall be preferred.
    pub fn shown(&self) -> &JwkSet {
        &self.shown
    }
}
