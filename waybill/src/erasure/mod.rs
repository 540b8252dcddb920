//! How a shipment is erased, step by step. The order is what makes it right:
//!
//! 1. An erasure goes the way of the shipment's events: aggregate forgets the shipment, and says on `events` and
//!    `shipments` where what was written of it ends.
//! 2. The sink has stored all before that, and never inserts any of it again.
//! 3. What is to go from ClickHouse is listed there, by where its records stood. From here on it can be gone on
//!    with by anybody, and nobody needs the shipment's id any more.
//! 4. The rows go, and rollups are made anew from what is left.
//!
//! Each step can be done again: whoever is killed between, or behind, any of them has broken nothing.

mod receipt;

use std::time::{Duration, Instant};

use jiff::Timestamp;
use waybill_clickhouse::{Database, ErasureRow, Gone, Rollup, RowPlace};
use waybill_host::topic_cipher::TopicCipher;
use waybill_kafka::{Eraser, HostSettings, Passed, Place, check_topics, crash_point};
use waybill_schemas::Erasure;
use waybill_schemas::Role;
use waybill_stage::Fault;

use crate::acls::Client;
use crate::config::Config;
use crate::exit::Failure;

pub use receipt::Receipt;

const PAUSE: Duration = Duration::from_secs(2);
/// What the sink holds back before it inserts, and longer.
const SINK_AGE_MS: i64 = 2_000;

/// Kafka and ClickHouse, for erasures.
pub struct Erasing<'a> {
    config: &'a Config,
    database: &'a Database,
    settings: HostSettings,
    cipher: TopicCipher,
    /// How long each wait may take.
    patience: Duration,
}

fn failed(fault: Fault) -> Failure {
    Failure::unreachable(fault.0)
}

impl<'a> Erasing<'a> {
    pub fn new(
        config: &'a Config,
        database: &'a Database,
        patience: Duration,
    ) -> Result<Self, Failure> {
        let roles = [Role::Enriched, Role::Ledger, Role::Events, Role::Shipments];
        let cipher = config.cipher(&roles)?;
        Client::Erase.check(config)?;
        let settings = config.host("erase", &config.batch)?;
        check_topics(&settings.connection, &settings.topics, &[Role::Enriched, Role::Ledger])
            .map_err(failed)?;
        Ok(Self { config, database, settings, cipher, patience })
    }

    fn eraser(&self) -> Eraser<'_> {
        Eraser {
            settings: &self.settings,
            cipher: &self.cipher,
            sink_group: self.config.group("clickhouse"),
            patience: self.patience,
        }
    }

    /// Has the shipments forgotten, and lists what is to go.
    pub fn begin(
        &self,
        carrier_id: &str,
        shipments: &[String],
        reason: &str,
    ) -> Result<ErasureRow, Failure> {
        let row = ErasureRow {
            id: self.database.new_erasure().map_err(failed)?,
            carrier_id: carrier_id.to_owned(),
            reason: reason.to_owned(),
            shipments: shipments.len() as u64,
            asked_at: Timestamp::now().as_millisecond(),
        };
        let erasure = |shipment_id: &String| Erasure {
            erasure_id: row.id.clone(),
            carrier_id: row.carrier_id.clone(),
            shipment_id: shipment_id.clone(),
            asked_at: row.asked_at,
        };
        let erasures: Vec<Erasure> = shipments.iter().map(erasure).collect();
        let eraser = self.eraser();
        let passed = eraser.send(&erasures, || crash_point("erase_sent")).map_err(failed)?;
        // What was rejected before is stored, and what may still be inserted again is left.
        let ends = eraser.ends(Role::Rejects).map_err(failed)?;
        eraser.await_stored(Role::Rejects, ends).map_err(failed)?;
        let open: Vec<RowPlace> =
            eraser.settled(Role::Rejects).map_err(failed)?.into_iter().map(place).collect();
        let gone: Vec<Gone> = passed.into_iter().map(gone).collect();
        self.database.begin_erasure(&row, &gone, &open).map_err(failed)?;
        crash_point("erase_listed");
        Ok(row)
    }

    /// Removes what is listed, and makes rollups anew; then the receipt is handed to `keep`, and only when that has
    /// kept it is the erasure done.
    pub fn finish(
        &self,
        row: &ErasureRow,
        keep: impl FnOnce(Receipt) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        self.database.erase_rows(&row.id, self.patience).map_err(failed)?;
        crash_point("erase_removed");
        let mut minutes = Vec::new();
        for rollup in Rollup::ALL {
            let made = self.remake(&row.id, rollup)?;
            if made > 0 {
                minutes.push((rollup.table, made));
            }
        }
        let finished_at = Timestamp::now();
        let rows = self.database.erased_rows(&row.id).map_err(failed)?;
        let files = self.database.old_parts_lifetime().map_err(failed)?;
        let receipt = Receipt::of(
            self.config,
            row,
            finished_at,
            &rows,
            &minutes,
            Duration::from_secs(files),
        )?;
        keep(receipt)?;
        crash_point("erase_kept");
        self.database.finish_erasure(row, finished_at.as_millisecond()).map_err(failed)
    }

    /// How many minutes of a rollup were made anew.
    fn remake(&self, id: &str, rollup: Rollup) -> Result<u64, Failure> {
        let (minutes, passes_at) = self.database.minutes_of_rollup(id, rollup).map_err(failed)?;
        if minutes == 0 {
            return Ok(0);
        }
        let role = if rollup.of == "rejects" { Role::Rejects } else { Role::Events };
        let began = Instant::now();
        loop {
            self.database.clear_rollup(id, rollup, self.patience).map_err(failed)?;
            crash_point("erase_cleared");
            self.database.fill_rollup(id, rollup, self.patience).map_err(failed)?;
            crash_point("erase_filled");
            let eraser = self.eraser();
            let ends = eraser.ends(role).map_err(failed)?;
            eraser.await_stored(role, ends).map_err(failed)?;
            if self.database.unlike_rollup(id, rollup).map_err(failed)? == 0 {
                return Ok(minutes);
            }
            if began.elapsed() > self.patience {
                return Err(Failure::failed(format!(
                    "{}: rows of the same minutes kept coming in, so that it could not be made anew; \
                     `waybill erase --unfinished` goes on",
                    rollup.table
                )));
            }
            // A minute that has not passed is still added to.
            let left = passes_at + SINK_AGE_MS - Timestamp::now().as_millisecond();
            std::thread::sleep(PAUSE.max(Duration::from_millis(u64::try_from(left).unwrap_or(0))));
        }
    }
}

fn place(place: Place) -> RowPlace {
    let Place { topic_id, partition, offset } = place;
    RowPlace { topic_id, partition, offset }
}

fn gone(passed: Passed) -> Gone {
    let Passed { shipment_id, events, shipments } = passed;
    Gone { shipment_id, events: place(events), shipments: place(shipments) }
}
