//! What becomes of each record of a batch before anything is sent, and the counts of it.

use std::collections::BTreeMap;

use waybill_schemas::vocabulary::LedgerOutcome;
use waybill_schemas::{DecodeError, LedgerCount};
use waybill_stage::{Code, RefusedRecord, Reject, SinkBatch};

use crate::rows::{Kept, Table};

const HOUR_MS: i64 = 3_600_000;

/// A batch's records: each is in one of the three.
pub(crate) struct Decoded<R> {
    /// To be rows.
    pub(crate) records: Vec<Kept<R>>,
    /// Void by a later one of the batch.
    pub(crate) superseded: Vec<Kept<R>>,
    pub(crate) refused: Vec<Refused>,
}

pub(crate) struct Refused {
    pub(crate) record: RefusedRecord,
    /// ms UTC. Of one that cannot be read, when it was appended to its own topic.
    pub(crate) received_at: i64,
}

impl<R> Decoded<R> {
    pub(crate) fn of<T: Table<Record = R>>(batch: &SinkBatch) -> Self
    where
        R: waybill_schemas::Record,
    {
        let mut records = Vec::with_capacity(batch.records.len());
        let mut refused = Vec::new();
        for raw in &batch.records {
            match waybill_schemas::decode::<R>(&raw.value) {
                Ok(record) => {
                    let kept = Kept { offset: raw.offset, record };
                    match T::check(&kept.record) {
                        Ok(()) => records.push(kept),
                        Err(reject) => refused.push(Refused::of::<T>(&kept, reject)),
                    }
                }
                Err(error) => refused.push(Refused {
                    record: RefusedRecord {
                        offset: raw.offset,
                        provenance: None,
                        position: 0,
                        reject: undecodable(&error),
                    },
                    received_at: raw.appended_at,
                }),
            }
        }
        let superseded = T::compact(&mut records);
        Self { records, superseded, refused }
    }

    /// One count for each carrier, hour of receipt, outcome and code.
    pub(crate) fn counts<T: Table<Record = R>>(&self) -> Vec<LedgerCount> {
        if !T::COUNTED {
            return Vec::new();
        }
        let of = |outcome| {
            move |kept: &'_ Kept<R>| {
                let (carrier, at) = T::receipt(&kept.record);
                (carrier.to_owned(), hour(at), outcome, "")
            }
        };
        let passed = self.records.iter().map(of(LedgerOutcome::Passed));
        let superseded = self.superseded.iter().map(of(LedgerOutcome::Superseded));
        let rejected = self.refused.iter().map(|refused| {
            let from = refused.record.provenance.as_ref();
            let carrier = from.map(|p| p.carrier_id.clone()).unwrap_or_default();
            let code = refused.record.reject.code.as_str();
            (carrier, hour(refused.received_at), LedgerOutcome::Rejected, code)
        });
        let mut counts = BTreeMap::new();
        for key in passed.chain(superseded).chain(rejected) {
            *counts.entry(key).or_insert(0) += 1;
        }
        counts
            .into_iter()
            .map(|((carrier_id, hour, outcome, code), n)| LedgerCount {
                stage: String::new(),
                carrier_id,
                hour,
                outcome,
                code: code.to_owned(),
                records: n,
                parts: n,
            })
            .collect()
    }
}

impl Refused {
    pub(crate) fn of<T: Table>(kept: &Kept<T::Record>, reject: Reject) -> Self {
        let (provenance, position) = T::origin(&kept.record).unzip();
        let (_, received_at) = T::receipt(&kept.record);
        Self {
            record: RefusedRecord {
                offset: kept.offset,
                provenance,
                position: position.unwrap_or_default(),
                reject,
            },
            received_at,
        }
    }
}

fn hour(ms: i64) -> i64 {
    ms.div_euclid(HOUR_MS).saturating_mul(HOUR_MS)
}

fn undecodable(error: &DecodeError) -> Reject {
    let detail = match error {
        DecodeError::NotSingleObject => "not an Avro single object",
        DecodeError::UnknownSchema => "written with an unknown schema",
        DecodeError::Datum(_) => "does not fit its Avro schema",
    };
    Reject::new(Code::Internal, detail).because("undecodable")
}
