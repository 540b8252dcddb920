use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

/// What simulated carriers say must become of what they sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Truth {
    pub published: i64,
    pub events: i64,
    pub duplicates: i64,
    pub rejects: BTreeMap<String, i64>,
}

impl Truth {
    /// Of all carriers together, from the file that `waybill simulate --truth` writes.
    ///
    /// # Panics
    /// When it is not there or is another.
    pub fn read(file: &Path) -> Self {
        let json: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
        let mut truth = Self::default();
        for carrier in json["carriers"].as_object().unwrap().values() {
            truth.published += carrier["published"].as_i64().unwrap();
            truth.events += carrier["events"].as_i64().unwrap();
            truth.duplicates += carrier["duplicates"].as_i64().unwrap();
            for (code, n) in carrier["rejects"].as_object().unwrap() {
                *truth.rejects.entry(code.clone()).or_default() += n.as_i64().unwrap();
            }
        }
        truth
    }

    pub fn rejected(&self) -> i64 {
        self.rejects.values().sum()
    }
}
