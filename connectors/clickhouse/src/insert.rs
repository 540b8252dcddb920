use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use clickhouse::Client;
use clickhouse::error::Error;
use tracing::warn;
use waybill_schemas::DecodeError;
use waybill_stage::{Code, Fault, RefusedRecord, Reject, SinkBatch};

use crate::Config;
use crate::failure::{Kind, Remedy, code, fault};
use crate::metrics::Metrics;
use crate::rows::{Coordinates, Kept, Table};

/// A batch of this size of which ClickHouse takes not one row is not a batch of bad rows: the
/// table is not what we think it is.
const ALL_REFUSED: usize = 16;

const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// What all inserts of a sink share.
pub(crate) struct Inserter<'a> {
    pub(crate) config: &'a Config,
    pub(crate) client: &'a Client,
    pub(crate) metrics: &'static Metrics,
    /// Part of every deduplication token: a token means the same rows only within one life of
    /// the sink, for the batches of the next may be cut otherwise.
    pub(crate) life: &'a str,
}

/// What became of one batch.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) rows: u64,
    pub(crate) rejects: Vec<RefusedRecord>,
}

/// Why an insert did not succeed, when another attempt would not help.
enum Failed {
    Refused(Error),
    Fault(Fault),
}

impl Inserter<'_> {
    /// Inserts `batch`. If a row of it is refused, halves it until the row stands alone.
    pub(crate) async fn insert<T: Table>(
        &self,
        index: usize,
        batch: &SinkBatch,
    ) -> Result<Outcome, Fault> {
        let (records, rejects) = decode::<T>(index, batch);
        let mut outcome = Outcome { rows: 0, rejects };
        let mut refused = 0;
        // Cut the same way at every attempt, so that a part that went through before has the token
        // it had then.
        let mut parts = vec![records.as_slice()];
        while let Some(part) = parts.pop().filter(|part| !part.is_empty()) {
            match (self.insert_part::<T>(batch, part).await, part) {
                (Ok(()), _) => outcome.rows += part.len() as u64,
                (Err(Failed::Fault(fault)), _) => return Err(fault),
                (Err(Failed::Refused(error)), [kept]) => {
                    refused += 1;
                    if refused == ALL_REFUSED.max(records.len()) {
                        return Err(fault(
                            &format!("it refuses every row of a batch for {}", T::NAME),
                            &error,
                        ));
                    }
                    outcome.rejects.push(self.refuse::<T>(index, kept, &error));
                }
                (Err(Failed::Refused(_)), _) => {
                    let (first, second) = part.split_at(part.len() / 2);
                    parts.extend([second, first]);
                }
            }
        }
        Ok(outcome)
    }

    fn refuse<T: Table>(
        &self,
        index: usize,
        kept: &Kept<T::Record>,
        error: &Error,
    ) -> RefusedRecord {
        let (provenance, position) = T::origin(&kept.record);
        // What it says of the row may hold the row's values.
        let code = match error {
            Error::BadResponse(text) => code(text).unwrap_or_default(),
            _ => 0,
        };
        RefusedRecord {
            batch: index,
            offset: kept.offset,
            provenance: Some(provenance),
            position,
            reject: Reject::new(
                Code::StorageRefused,
                format!("the store refuses the row (ClickHouse code {code})"),
            ),
        }
    }

    /// Tries until it is done, or cannot get better, or has taken too long.
    async fn insert_part<T: Table>(
        &self,
        batch: &SinkBatch,
        part: &[Kept<T::Record>],
    ) -> Result<(), Failed> {
        let count = |outcome| self.metrics.inserts.with_label_values(&[T::NAME, outcome]).inc();
        let give_up_at = Instant::now() + self.config.retry_for;
        let mut pause = FIRST_PAUSE;
        loop {
            let started = Instant::now();
            let Err(error) = self.send::<T>(batch, part).await else {
                count("ok");
                let seconds = started.elapsed().as_secs_f64();
                self.metrics.insert_seconds.with_label_values(&[T::NAME]).observe(seconds);
                self.metrics.rows.with_label_values(&[T::NAME]).inc_by(part.len() as u64);
                self.observe_end_to_end::<T>(part);
                return Ok(());
            };
            let kind = Kind::of(&error);
            self.metrics.errors.with_label_values(&[kind.as_str()]).inc();
            match kind.remedy() {
                Remedy::Refuse => {
                    count("refused");
                    // Was it the row, or has the table changed under us? The next attempt asks.
                    self.client.clear_cached_metadata().await;
                    return Err(Failed::Refused(error));
                }
                Remedy::Again if Instant::now() + pause < give_up_at => {
                    count("again");
                    warn!(
                        table = T::NAME,
                        rows = part.len(),
                        pause_ms = pause.as_millis() as u64,
                        "{}; trying again",
                        fault("inserting", &error)
                    );
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
                Remedy::Again | Remedy::Operator => {
                    count("fault");
                    // A table that an operator has mended meanwhile is looked at anew.
                    self.client.clear_cached_metadata().await;
                    return Err(Failed::Fault(fault(
                        &format!("inserting into {}", T::NAME),
                        &error,
                    )));
                }
            }
        }
    }

    /// One INSERT. If an attempt arrived although we did not hear of it, the token makes the next
    /// one change nothing, in the rollups neither.
    async fn send<T: Table>(
        &self,
        batch: &SinkBatch,
        part: &[Kept<T::Record>],
    ) -> Result<(), Error> {
        let ([first, ..], [.., last]) = (part, part) else { return Ok(()) };
        let token = format!(
            "{}:{}:{}-{}:{}",
            batch.topic, batch.partition, first.offset, last.offset, self.life
        );
        let limit = Some(self.config.request_timeout);
        let table = format!("{}.{}", self.config.database, T::NAME);
        let mut insert = self
            .client
            .insert_unescaped::<T::Row>(&table)
            .await?
            .with_timeouts(limit, limit)
            .with_setting("insert_deduplication_token", token)
            .with_setting("deduplicate_blocks_in_dependent_materialized_views", "1")
            // A batch that spans many months makes many parts: slow, but no reason to stop.
            .with_setting("throw_on_max_partitions_per_insert_block", "0");
        for kept in part {
            let at = Coordinates { partition: batch.partition, offset: kept.offset };
            insert.write(&T::row(&kept.record, at)).await?;
        }
        insert.end().await
    }

    fn observe_end_to_end<T: Table>(&self, part: &[Kept<T::Record>]) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        for sealed_at in part.iter().filter_map(|kept| T::sealed_at(&kept.record)) {
            let seconds = now.as_secs_f64() - sealed_at as f64 / 1000.0;
            self.metrics.end_to_end.observe(seconds.max(0.0));
        }
    }
}

/// The records that can be rows, and the rejects of those that cannot.
fn decode<T: Table>(index: usize, batch: &SinkBatch) -> (Vec<Kept<T::Record>>, Vec<RefusedRecord>) {
    let mut records = Vec::with_capacity(batch.records.len());
    let mut rejects = Vec::new();
    for raw in &batch.records {
        let mut refuse = |origin: Option<_>, reject| {
            let (provenance, position) = origin.unzip();
            rejects.push(RefusedRecord {
                batch: index,
                offset: raw.offset,
                provenance,
                position: position.unwrap_or_default(),
                reject,
            });
        };
        match waybill_schemas::decode::<T::Record>(&raw.value) {
            Ok(record) => match T::check(&record) {
                Ok(()) => records.push(Kept { offset: raw.offset, record }),
                Err(reject) => refuse(Some(T::origin(&record)), reject),
            },
            Err(error) => refuse(None, undecodable(&error)),
        }
    }
    T::compact(&mut records);
    (records, rejects)
}

fn undecodable(error: &DecodeError) -> Reject {
    let detail = match error {
        DecodeError::NotSingleObject => "not an Avro single object",
        DecodeError::UnknownSchema => "written with an unknown schema",
        DecodeError::Datum(_) => "does not fit its Avro schema",
    };
    Reject::new(Code::Internal, detail).because("undecodable")
}
