use std::time::{SystemTime, UNIX_EPOCH};

use futures_util::future::join_all;
use waybill_stage::{Fault, Inserted, Sink, SinkBatch};

use crate::insert::{Inserter, Outcome};
use crate::metrics::Metrics;
use crate::rows::{Events, Rejects, Shipments};
use crate::{Config, Database};

/// Inserts batches into `events`, `shipment_states` and `rejects`.
#[derive(Debug)]
pub struct ClickHouseSink {
    database: Database,
    metrics: &'static Metrics,
    life: String,
}

impl ClickHouseSink {
    /// Checks the configuration; sends nothing yet.
    pub fn open(config: Config) -> Result<Self, Fault> {
        let born = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Ok(Self {
            database: Database::open(config)?,
            metrics: Metrics::get()?,
            life: format!("{:x}-{:x}", born.as_nanos(), std::process::id()),
        })
    }

    /// For readiness and the questions beside the inserts.
    pub fn database(&self) -> &Database {
        &self.database
    }
}

impl Sink for ClickHouseSink {
    /// The batches go at the same time, one INSERT each. If one faults the others are still
    /// finished, and the fault is returned.
    fn insert(&mut self, batches: &[SinkBatch]) -> Result<Inserted, Fault> {
        let inserter = Inserter {
            config: &self.database.config,
            client: &self.database.client,
            metrics: self.metrics,
            life: &self.life,
        };
        let one = async |index: usize, batch: &SinkBatch| match batch.role {
            "events" => inserter.insert::<Events>(index, batch).await,
            "shipments" => inserter.insert::<Shipments>(index, batch).await,
            "rejects" => inserter.insert::<Rejects>(index, batch).await,
            role => Err(Fault(format!("the ClickHouse sink has no table for topic role {role}"))),
        };
        let inserts = batches.iter().enumerate().map(|(index, batch)| one(index, batch));
        let mut inserted = Inserted::default();
        for outcome in self.database.runtime.block_on(join_all(inserts)) {
            let Outcome { rows, rejects } = outcome?;
            inserted.rows += rows;
            inserted.rejects.extend(rejects);
        }
        Ok(inserted)
    }
}
