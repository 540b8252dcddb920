//! What each stage may be told.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use waybill_enrich::Tables;
use waybill_formats::Format;
use waybill_formats::codes::{Meaning, table};
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
    /// A folder with the same as tables: `CARRIER.tsv`.
    pub codes_folder: Option<PathBuf>,
    /// Dialects of an operator's own: files, or folders of `*.toml`.
    pub dialects: Vec<PathBuf>,
}

impl Default for Validate {
    fn default() -> Self {
        Self {
            max_event_age: Duration::from_secs(3 * 365 * 86_400 + 86_400),
            codes: BTreeMap::new(),
            codes_folder: None,
            dialects: Vec::new(),
        }
    }
}

impl Validate {
    /// The stage that these settings make.
    pub fn stage(&self) -> Result<waybill_validate::Validate, Failure> {
        let age = i64::try_from(self.max_event_age.as_millis()).unwrap_or(i64::MAX);
        let rules = Rules { max_event_age_ms: age, ..Rules::default() };
        Ok(waybill_validate::Validate::new(rules, self.private_codes()?))
    }

    /// The formats of an operator's own dialects.
    pub fn formats(&self) -> Result<Vec<Format>, Failure> {
        let mut formats = Vec::new();
        let mut faults = Vec::new();
        for path in &self.dialects {
            let files =
                match path.is_dir() {
                    true => files_of(path, "toml").map_err(|e| e.to_string()).and_then(|files| {
                        match files.is_empty() {
                            true => Err("no dialect is there (*.toml)".to_owned()),
                            false => Ok(files),
                        }
                    }),
                    false => Ok(vec![path.clone()]),
                };
            match files {
                Err(what) => faults.push(format!("validate.dialects: {}: {what}", path.display())),
                Ok(files) => {
                    for file in files {
                        match format(&file) {
                            Ok(format) => formats.push(format),
                            Err(wrong) => faults.extend(wrong),
                        }
                    }
                }
            }
        }
        match faults.is_empty() {
            true => Ok(formats),
            false => Err(Failure::config(faults.join("\n"))),
        }
    }

    /// Makes the operator's own formats known to this process, once.
    pub fn connect(&self) -> Result<(), Failure> {
        let connected = waybill_formats::connect(self.formats()?);
        connected.map_err(|faults| Failure::config(faults.join("\n")))
    }

    fn private_codes(&self) -> Result<PrivateCodes, Failure> {
        let mut codes = PrivateCodes::default();
        let mut faults = Vec::new();
        for (carrier, own) in &self.codes {
            for (code, milestone) in own {
                let meaning = Meaning { milestone: *milestone, exception: None };
                if !codes.add(carrier, code, meaning) {
                    faults.push(format!("validate.codes.{carrier}: the code {code:?} twice"));
                }
            }
        }
        if let Some(folder) = &self.codes_folder {
            tables_of_codes(folder, &mut codes, &mut faults)
                .map_err(|e| Failure::config(format!("{}: {e}", folder.display())))?;
        }
        match faults.is_empty() {
            true => Ok(codes),
            false => Err(Failure::config(faults.join("\n"))),
        }
    }
}

/// The format of the dialect in that file, or all that is wrong with it.
pub fn format(file: &Path) -> Result<Format, Vec<String>> {
    let named = |what: String| format!("{}: {what}", file.display());
    let text = std::fs::read_to_string(file).map_err(|e| vec![named(e.to_string())])?;
    let folder = file.parent().unwrap_or(Path::new(""));
    let beside = |name: &str| std::fs::read_to_string(folder.join(name)).map_err(|e| e.to_string());
    let loaded = waybill_formats::dialect::load(&text, &beside);
    loaded.map_err(|faults| faults.into_iter().map(named).collect())
}

/// The files of a folder that end so, by name.
fn files_of(folder: &Path, extension: &str) -> std::io::Result<Vec<PathBuf>> {
    let mut files = std::fs::read_dir(folder)?
        .map(|entry| Ok(entry?.path()))
        .collect::<std::io::Result<Vec<PathBuf>>>()?;
    files.retain(|path| path.extension().is_some_and(|own| own == extension));
    files.sort();
    Ok(files)
}

/// Adds what the tables in `folder` say, and to `faults` what is wrong with them.
fn tables_of_codes(
    folder: &Path,
    codes: &mut PrivateCodes,
    faults: &mut Vec<String>,
) -> std::io::Result<()> {
    let files = files_of(folder, "tsv")?;
    if files.is_empty() {
        faults.push(format!("{}: no table is there (CARRIER.tsv)", folder.display()));
    }
    for path in files {
        let name = path.display();
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) => {
                faults.push(format!("{name}: {error}"));
                continue;
            }
        };
        let carrier = path.file_stem().unwrap_or_default().to_string_lossy();
        let (rows, wrong) = table::read(&text, table::CODES);
        faults.extend(wrong.into_iter().map(|what| format!("{name}: {what}")));
        for row in rows {
            if !codes.add(&carrier, row.code, row.meaning()) {
                let (line, code) = (row.number, row.code);
                let where_too = format!("validate.codes.{carrier} has it, too");
                faults.push(format!("{name}: line {line}: the code {code:?}: {where_too}"));
            }
        }
    }
    Ok(())
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
