//! The carriers, found by what their callers show.

use std::collections::HashMap;

use waybill_decrypt::{ApiKey, Carrier, Carriers};

/// A state of carriers.json.
#[derive(Debug, Default)]
pub struct Registry {
    pub carriers: Carriers,
    /// Which carrier has an API key of this id.
    keys: HashMap<String, String>,
    /// Which carrier has a certificate of this subject.
    subjects: HashMap<String, String>,
}

impl Registry {
    pub fn new(carriers: Carriers) -> Self {
        let (mut keys, mut subjects) = (HashMap::new(), HashMap::new());
        for carrier in carriers.iter() {
            let id = || carrier.id().to_owned();
            let access = &carrier.access;
            keys.extend(access.api_keys.iter().map(|key| (key.id.clone(), id())));
            subjects.extend(access.certificates.iter().map(|subject| (subject.clone(), id())));
        }
        Self { carriers, keys, subjects }
    }

    pub fn of_key(&self, id: &str) -> Option<(&Carrier, &ApiKey)> {
        let carrier = self.carriers.get(self.keys.get(id)?)?;
        let key = carrier.access.api_keys.iter().find(|key| key.id == id)?;
        Some((carrier, key))
    }

    pub fn of_subject(&self, subject: &str) -> Option<&Carrier> {
        self.carriers.get(self.subjects.get(subject)?)
    }
}
