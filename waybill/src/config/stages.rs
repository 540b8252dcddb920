//! What each stage may be told.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use waybill_enrich::Tables;
use waybill_schemas::vocabulary::Milestone;
use waybill_validate::{PrivateCodes, Rules};

use crate::exit::Failure;

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Decrypt {
    /// Content keys kept, and how long.
    pub content_keys: usize,
    #[serde(with = "humantime_serde")]
    pub content_key_age: Duration,
    /// RSA operations a second of one process for records that are not proven before: one beyond it is put off.
    /// So many that were put off are taken a second, too, while others come in.
    pub unwraps_per_second: u32,
    /// For one carrier, of records that are not proven, and as many of those that are.
    pub unwraps_per_second_per_carrier: u32,
}

impl Default for Decrypt {
    fn default() -> Self {
        Self {
            content_keys: 4_096,
            content_key_age: Duration::from_secs(3600),
            unwraps_per_second: 50,
            unwraps_per_second_per_carrier: 25,
        }
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Validate {
    /// An event may lie this long before its receipt.
    #[serde(with = "humantime_serde")]
    pub max_event_age: Duration,
    /// What a carrier's private codes mean: by carrier, then by the raw code with its list in front.
    pub codes: BTreeMap<String, BTreeMap<String, Milestone>>,
}

impl Default for Validate {
    fn default() -> Self {
        Self {
            max_event_age: Duration::from_secs(3 * 365 * 86_400 + 86_400),
            codes: BTreeMap::new(),
        }
    }
}

impl Validate {
    /// The stage that these settings make.
    pub fn stage(&self) -> waybill_validate::Validate {
        let age = i64::try_from(self.max_event_age.as_millis()).unwrap_or(i64::MAX);
        let rules = Rules { max_event_age_ms: age, ..Rules::default() };
        let codes = self.codes.clone().into_iter();
        let codes = codes.map(|(carrier, codes)| (carrier, codes.into_iter().collect()));
        waybill_validate::Validate::new(rules, PrivateCodes::new(codes))
    }
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Enrich {
    /// A folder with reference tables that take the place of the bundled ones of the same name.
    pub tables_folder: Option<PathBuf>,
}

impl Enrich {
    pub fn tables(&self) -> Result<Tables, Failure> {
        let Some(folder) = &self.tables_folder else { return Ok(Tables::bundled()) };
        let refuse = |why: String| Failure::config(format!("{}: {why}", folder.display()));
        if !Tables::FILES.iter().any(|name| folder.join(name).is_file()) {
            return Err(refuse(format!("none of {} is there", Tables::FILES.join(", "))));
        }
        let file = |name: &str| match std::fs::read(folder.join(name)) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(format!("{name}: {error}")),
        };
        Tables::with(file).map_err(refuse)
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Aggregate {
    /// A finished shipment's state is kept this long after the receipt of its last event: the
    /// longest `max_delivery_delay` of any carrier plus a day, or more.
    #[serde(with = "humantime_serde")]
    pub retention: Duration,
    /// The same for one under way.
    #[serde(with = "humantime_serde")]
    pub unfinished_retention: Duration,
    pub max_events_per_shipment: usize,
    /// What one carrier's shipments may take of the memory for a partition, bytes; `max_state_bytes` in
    /// carriers.json goes before it.
    pub max_bytes_per_carrier: usize,
}

impl Default for Aggregate {
    fn default() -> Self {
        Self {
            retention: Duration::from_secs(8 * 86_400),
            unfinished_retention: Duration::from_secs(60 * 86_400),
            max_events_per_shipment: 4_096,
            max_bytes_per_carrier: 256 << 20,
        }
    }
}

/// A batch is closed by count, size or age, whichever comes first.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Batch {
    pub records: usize,
    pub bytes: usize,
    #[serde(with = "humantime_serde")]
    pub age: Duration,
}
