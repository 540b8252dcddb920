use std::fmt;
use std::path::PathBuf;

use serde::{Deserialize, Serialize, Serializer};

use crate::exit::Failure;

/// A password or passphrase: never printed, never written out.
#[derive(Clone, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// The secret from its variable or its file; an error if both are given, or the file cannot
    /// be read. The file's last line end is not part of it.
    pub fn of(
        key: &str,
        given: &Option<Secret>,
        file: &Option<PathBuf>,
    ) -> Result<Option<Secret>, Failure> {
        match (given, file) {
            (Some(_), Some(_)) => Err(Failure::config(format!("{key} and {key}_file: give one"))),
            (Some(secret), None) => Ok(Some(secret.clone())),
            (None, None) => Ok(None),
            (None, Some(path)) => match std::fs::read_to_string(path) {
                Ok(text) => Ok(Some(Secret(text.trim_end_matches(['\r', '\n']).to_owned()))),
                Err(e) => Err(Failure::config(format!("{key}_file: {}: {e}", path.display()))),
            },
        }
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(hidden)")
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str("(hidden)")
    }
}
