//! How a range comes into its table, and everything that is made from the table, once.
//!
//! A range is one INSERT of one block under one token. ClickHouse goes by the token in each table
//! for itself, rollups included: what has the token changes nothing, what lacks it is completed. So
//! the first answer to every doubt is to **insert again under the same token**. Doubt is that the
//! range comes `again`, or that an attempt of this call failed in any way: also an error that names
//! a cause may come from a view, behind rows that are written.
//!
//! That leaves two ways to be wrong, and in doubt both are looked for, by the rows' Kafka
//! coordinates (`presence.rs`):
//!
//! - **The token is there, the rows are not.** A plain MergeTree writes the token before the part
//!   under it is in place; killed in between, it takes every further attempt for a copy. After the
//!   insert the rows are counted, and those that are missing are put in place past the views, which
//!   have had them. (Replicated tables keep token and part together: nothing is counted there, where
//!   a replica that lags would look like a loss.)
//! - **The rows are there, the token is forgotten.** Then another insert doubles them, in the
//!   rollups too. So before inserting, rows that are there must surely be remembered: they are
//!   younger than [`TAKEOVER`](crate::window::TAKEOVER), for which
//!   [`check_window`](crate::ClickHouseSink::check_window) has made sure of the window; or, in a
//!   plain MergeTree, fewer inserts came after them than the smallest window on the way remembers.
//!   If neither is so, nothing is inserted: rows that are missing are still put in place, and a
//!   warning says that nobody vouches for the rollups of this range.
//!
//! `shipment_states` keeps the latest row of each shipment only. All states of a shipment are in one
//! Kafka partition, so none that is later is there while the range is open, and its rows can be
//! counted too; one that is repeated is merged away.
//!
//! What stays open: a rollup that is a plain MergeTree can be killed between token and part as any
//! table, and its rows have no coordinates to count. Replicated tables close it.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use clickhouse::error::Error;
use tracing::warn;
use waybill_stage::{Code, Fault, Inserted, Reject, Stored};

use crate::decode::{BatchRow, Decoded};
use crate::exchange::{Failed, Inserter, LONGEST_BLOCK};
use crate::failure::{Kind, Remedy, code, fault};
use crate::rows::Table;
use crate::wait::{pause, within};

const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

impl Inserter<'_> {
    /// Tries until the range is in the store, or the lease ends, or an operator must act.
    pub(crate) async fn insert<T: Table>(&self) -> Result<Stored, Fault> {
        if self.batch.records.len() > LONGEST_BLOCK {
            return Err(Fault(format!(
                "{} records are more than go into one block of {} ({LONGEST_BLOCK}): {}",
                self.batch.records.len(),
                T::NAME,
                self.place(),
            )));
        }
        let mut decoded = Decoded::of::<T>(self.batch)?;
        let Some(done) = within(self.lease, self.settle::<T>(&mut decoded)).await else {
            return Ok(self.unknown::<T>());
        };
        if !done? {
            return Ok(self.unknown::<T>());
        }
        self.observe::<T>(&decoded.rows);
        Ok(Stored::Done(Inserted {
            rows: decoded.rows.len() as u64,
            counts: decoded.counts.entries(),
            rejects: decoded.refused,
        }))
    }

    /// Whether all of it is in the store: if not, the lease has ended.
    async fn settle<T: Table>(&self, decoded: &mut Decoded) -> Result<bool, Fault> {
        let mut again = self.batch.again;
        // A whole batch was refused, and not one row of it alone.
        let mut strange = false;
        let mut wait = FIRST_PAUSE;
        while !decoded.rows.is_empty() {
            if !self.lease.holds(Instant::now()) {
                return Ok(false);
            }
            let trouble = match self.once::<T>(decoded, again).await {
                Ok(()) => return Ok(true),
                Err(Failed::Refused(error)) => match self.search::<T>(decoded).await {
                    Ok(refused) if !refused.is_empty() => {
                        decoded.take_out::<T>(
                            self.batch,
                            refused.into_iter().map(refusal).collect(),
                        )?;
                        again = true;
                        continue;
                    }
                    Ok(_) if !strange => {
                        strange = true;
                        Failed::Again(fault("it refuses a batch, and not one row of it", &error))
                    }
                    Ok(_) => Failed::Fault(fault(
                        &format!(
                            "it refuses a batch for {}, and not one row of it: look at the \
                             materialized views of the table",
                            T::NAME
                        ),
                        &error,
                    )),
                    Err(trouble) => trouble,
                },
                Err(trouble) => trouble,
            };
            // A table that an operator has mended meanwhile is looked at anew.
            self.headers.forget();
            let trouble = match trouble {
                Failed::Again(trouble) => trouble,
                Failed::Fault(fault) => {
                    self.count::<T>("fault");
                    return Err(fault);
                }
                Failed::Refused(error) => fault("looking for refused rows", &error),
            };
            again = true;
            self.count::<T>("again");
            warn!(
                table = T::NAME,
                rows = decoded.rows.len(),
                pause_ms = wait.as_millis() as u64,
                "{trouble}; trying again while the lease lasts"
            );
            pause(self.lease, wait).await;
            wait = (wait * 2).min(LONGEST_PAUSE);
        }
        Ok(true)
    }

    /// One attempt: whatever part of it was done before is not done twice.
    async fn once<T: Table>(&self, decoded: &Decoded, again: bool) -> Result<(), Failed> {
        if !again {
            return self.send::<T>(decoded).await;
        }
        let store = self.look::<T>(&decoded.rows).await?;
        if store.remembers {
            self.send::<T>(decoded).await?;
        } else {
            warn!(
                table = T::NAME,
                age_s = store.age_ms / 1000,
                "rows are in the store, and their token may be forgotten: they are not inserted \
                 again, and nobody vouches for the rollups: {}",
                self.place()
            );
        }
        self.complete::<T>(decoded, &store).await?;
        self.clean_up::<T>().await
    }

    async fn send<T: Table>(&self, decoded: &Decoded) -> Result<(), Failed> {
        self.begin("inserting")?;
        let started = Instant::now();
        let Err(error) = self.write::<T>(&self.table(T::NAME), decoded, &decoded.rows).await else {
            self.count::<T>("ok");
            let seconds = started.elapsed().as_secs_f64();
            self.metrics.insert_seconds.with_label_values(&[T::NAME]).observe(seconds);
            return Ok(());
        };
        let kind = Kind::of(&error);
        self.metrics.errors.with_label_values(&[kind.as_str()]).inc();
        let said = || fault(&format!("inserting into {}", T::NAME), &error);
        Err(match kind.remedy() {
            Remedy::Again => Failed::Again(said()),
            Remedy::Operator => Failed::Fault(said()),
            Remedy::Refuse => {
                self.count::<T>("refused");
                Failed::Refused(error)
            }
        })
    }

    fn unknown<T: Table>(&self) -> Stored {
        self.count::<T>("unknown");
        warn!(table = T::NAME, "the lease ended before the store answered: {}", self.place());
        Stored::Unknown
    }

    fn count<T: Table>(&self, outcome: &str) {
        self.metrics.inserts.with_label_values(&[T::NAME, outcome]).inc();
    }

    fn observe<T: Table>(&self, rows: &[BatchRow]) {
        self.metrics.rows.with_label_values(&[T::NAME]).inc_by(rows.len() as u64);
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64();
        for sealed_at in rows.iter().filter_map(|row| row.sealed_at) {
            self.metrics.end_to_end.observe((now - sealed_at as f64 / 1000.0).max(0.0));
        }
    }
}

/// The reject of a row that the store refuses.
fn refusal((offset, error): (i64, Error)) -> (i64, Reject) {
    // What it says of the row may hold the row's values.
    let code = match &error {
        Error::BadResponse(text) => code(text).unwrap_or_default(),
        _ => 0,
    };
    let detail = format!("the store refuses the row (ClickHouse code {code})");
    (offset, Reject::new(Code::StorageRefused, detail))
}
