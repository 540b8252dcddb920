use futures_util::future::join_all;
use waybill_stage::{Fault, Lease, Sink, SinkBatch, Stored};

use crate::columns::Headers;
use crate::exchange::Inserter;
use crate::metrics::Metrics;
use crate::rows::{Events, Ledger, Rejects, Shipments};
use crate::{Config, Database};

/// Inserts batches into `events`, `shipment_states`, `rejects` and `ledger`.
#[derive(Debug)]
pub struct ClickHouseSink {
    database: Database,
    headers: Headers,
    metrics: &'static Metrics,
}

impl ClickHouseSink {
    /// Checks the configuration; sends nothing yet.
    pub fn open(config: Config) -> Result<Self, Fault> {
        Ok(Self {
            database: Database::open(config)?,
            headers: Headers::default(),
            metrics: Metrics::get()?,
        })
    }

    /// For readiness and the questions beside the inserts.
    pub fn database(&self) -> &Database {
        &self.database
    }

    /// Refuses a table that would forget an insert's token while the insert can still be sent again:
    /// then exactly once would not hold. `partitions`: of the topic that has the most. The fault
    /// names the tables and the statements that mend them. Call it before the first insert.
    pub fn check_window(&self, partitions: u32) -> Result<(), Fault> {
        self.database.check_window(partitions)
    }
}

impl Sink for ClickHouseSink {
    /// The batches go at the same time, one INSERT each. If one faults the others are still
    /// finished, and the fault is returned.
    fn insert(&mut self, batches: &[SinkBatch], lease: &Lease) -> Result<Vec<Stored>, Fault> {
        let one = async |batch| {
            let inserter = Inserter {
                config: &self.database.config,
                client: &self.database.client,
                headers: &self.headers,
                metrics: self.metrics,
                lease,
                batch,
            };
            match batch.role {
                "events" => inserter.insert::<Events>().await,
                "shipments" => inserter.insert::<Shipments>().await,
                "rejects" => inserter.insert::<Rejects>().await,
                "ledger" => inserter.insert::<Ledger>().await,
                role => {
                    Err(Fault(format!("the ClickHouse sink has no table for topic role {role}")))
                }
            }
        };
        let inserts = join_all(batches.iter().map(one));
        self.database.runtime.block_on(inserts).into_iter().collect()
    }

    fn pressure(&mut self) -> Result<f64, Fault> {
        self.database.pressure()
    }
}
