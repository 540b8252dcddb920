//! What becomes of each record of a batch before anything is sent: rows in RowBinary, written once,
//! from texts that are borrowed from the batch.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use waybill_schemas::vocabulary::LedgerOutcome;
use waybill_schemas::{DecodeError, Erasure, is, view};
use waybill_stage::{Code, Fault, RefusedRecord, Reject, SinkBatch, SinkRecord};

use crate::counts::Counts;
use crate::rows::{Coordinates, Table};

/// A batch's records: rows, refused, or void by a later one of the batch, which are only counted, as erasures are.
#[derive(Debug)]
pub(crate) struct Decoded {
    pub(crate) rows: Vec<BatchRow>,
    /// In RowBinary.
    bytes: Vec<u8>,
    pub(crate) refused: Vec<RefusedRecord>,
    pub(crate) counts: Counts,
}

/// A row, and what is to be known of it beside its bytes.
#[derive(Debug)]
pub(crate) struct BatchRow {
    pub(crate) offset: i64,
    bytes: Range<usize>,
    /// What it has in [`Table::CUT_BY`], ms UTC.
    pub(crate) cut_by: i64,
    pub(crate) sealed_at: Option<i64>,
}

impl Decoded {
    /// A schema that is not known here is a fault: a later build wrote the record, and what is refused
    /// would be lost.
    pub(crate) fn of<T: Table>(batch: &SinkBatch) -> Result<Self, Fault> {
        let mut decoded = Self {
            rows: Vec::with_capacity(batch.records.len()),
            bytes: Vec::new(),
            refused: Vec::new(),
            counts: Counts::default(),
        };
        let latest = latest::<T>(batch);
        for raw in batch.records.iter() {
            match T::state(raw.value) {
                Some(state) if !latest.contains(&raw.offset) => {
                    let (carrier, at) = state.receipt;
                    decoded.counts.add::<T>(carrier, at, LedgerOutcome::Superseded, 1);
                }
                _ => decoded.take::<T>(batch, raw)?,
            }
        }
        Ok(decoded)
    }

    fn take<T: Table>(&mut self, batch: &SinkBatch, raw: SinkRecord<'_>) -> Result<(), Fault> {
        if is::<Erasure>(raw.value)
            && let Ok(erasure) = view::<Erasure>(raw.value)
        {
            // No row: it tells where the rows of a shipment end that is to be erased.
            self.counts.add::<T>(&erasure.carrier_id, erasure.asked_at, LedgerOutcome::Erased, 1);
            return Ok(());
        }
        let record: T::Record<'_> = match view(raw.value) {
            Ok(record) => record,
            Err(error @ DecodeError::UnknownSchema) => {
                return Err(Fault(format!(
                    "{}-{}@{}: a record is {error}",
                    batch.topic, batch.partition, raw.offset
                )));
            }
            Err(error) => {
                self.counts.reject::<T>("", raw.appended_at, Code::Internal);
                self.refused.push(RefusedRecord {
                    offset: raw.offset,
                    provenance: None,
                    position: 0,
                    reject: undecodable(&error),
                });
                return Ok(());
            }
        };
        if let Err(reject) = T::check(&record) {
            self.refuse::<T>(raw.offset, &record, reject);
            return Ok(());
        }
        let start = self.bytes.len();
        let topic_id = &batch.topic_id;
        let at = Coordinates { topic_id, partition: batch.partition, offset: raw.offset };
        T::write(&record, at, &mut self.bytes);
        let (carrier, at) = T::receipt(&record);
        self.counts.add::<T>(carrier, at, LedgerOutcome::Passed, 1);
        self.rows.push(BatchRow {
            offset: raw.offset,
            bytes: start..self.bytes.len(),
            cut_by: T::cut_by(&record),
            sealed_at: T::sealed_at(&record),
        });
        Ok(())
    }

    fn refuse<T: Table>(&mut self, offset: i64, record: &T::Record<'_>, reject: Reject) {
        let (carrier, at) = T::receipt(record);
        self.counts.reject::<T>(carrier, at, reject.code);
        let (provenance, position) = T::origin(record).unzip();
        self.refused.push(RefusedRecord {
            offset,
            provenance,
            position: position.unwrap_or_default(),
            reject,
        });
    }

    /// Makes rejects of the rows at these offsets.
    pub(crate) fn take_out<T: Table>(
        &mut self,
        batch: &SinkBatch,
        rejects: Vec<(i64, Reject)>,
    ) -> Result<(), Fault> {
        for (offset, reject) in rejects {
            let gone = || Fault(format!("offset {offset} of a batch is no row of it"));
            let at = self.rows.binary_search_by_key(&offset, |row| row.offset);
            let raw = batch.records.get(offset).ok_or_else(gone)?;
            let record: T::Record<'_> = view(raw.value).map_err(|_| gone())?;
            self.rows.remove(at.map_err(|_| gone())?);
            let (carrier, received_at) = T::receipt(&record);
            self.counts.add::<T>(carrier, received_at, LedgerOutcome::Passed, -1);
            self.refuse::<T>(offset, &record, reject);
        }
        Ok(())
    }

    pub(crate) fn bytes(&self, row: &BatchRow) -> &[u8] {
        self.bytes.get(row.bytes.clone()).unwrap_or_else(|| unreachable!("rows are never cut"))
    }
}

/// Rows of a batch of events or shipments, and their bytes: for benches/rows.rs, which has no server.
#[doc(hidden)]
pub fn rows_of(batch: &SinkBatch) -> Result<(usize, usize), Fault> {
    let decoded = match batch.role {
        "events" => Decoded::of::<crate::rows::Events>(batch)?,
        _ => Decoded::of::<crate::rows::Shipments>(batch)?,
    };
    Ok((decoded.rows.len(), decoded.bytes.len()))
}

/// The offsets of the last state of each history of each thing. Its states lie in one partition in the order in
/// which they were made, so the last is the latest, and the only one that is worth sending.
fn latest<T: Table>(batch: &SinkBatch) -> HashSet<i64> {
    let mut last: HashMap<(&str, &str), (u64, i64)> = HashMap::new();
    let mut latest = HashSet::new();
    for raw in batch.records.iter() {
        let Some(state) = T::state(raw.value) else { continue };
        if let Some((revision, offset)) = last.insert(state.of, (state.revision, raw.offset))
            && state.revision < revision
        {
            latest.insert(offset);
        }
    }
    latest.extend(last.into_values().map(|(_, offset)| offset));
    latest
}

fn undecodable(error: &DecodeError) -> Reject {
    let detail = match error {
        DecodeError::NotSingleObject => "not an Avro single object",
        DecodeError::UnknownSchema | DecodeError::Datum(_) => "does not fit its Avro schema",
    };
    Reject::new(Code::Internal, detail).because("undecodable")
}
