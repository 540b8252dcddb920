use std::collections::BTreeMap;

use waybill_schemas::LedgerCount;
use waybill_schemas::vocabulary::LedgerOutcome;
use waybill_stage::Code;

use crate::rows::Table;

const HOUR_MS: i64 = 3_600_000;

/// Records of a batch by carrier; and for each by hour of receipt, outcome and code. (Two maps, so
/// that a carrier's name is copied once and not for each of its records.)
#[derive(Debug, Default)]
pub(crate) struct Counts(BTreeMap<String, BTreeMap<(i64, LedgerOutcome, &'static str), i64>>);

impl Counts {
    pub(crate) fn add<T: Table>(&mut self, carrier: &str, at: i64, outcome: LedgerOutcome, n: i64) {
        self.enter::<T>(carrier, (hour(at), outcome, ""), n);
    }

    pub(crate) fn reject<T: Table>(&mut self, carrier: &str, at: i64, code: Code) {
        self.enter::<T>(carrier, (hour(at), LedgerOutcome::Rejected, code.as_str()), 1);
    }

    fn enter<T: Table>(&mut self, carrier: &str, of: (i64, LedgerOutcome, &'static str), n: i64) {
        if !T::COUNTED {
            return;
        }
        match self.0.get_mut(carrier) {
            Some(counts) => *counts.entry(of).or_insert(0) += n,
            None => {
                self.0.insert(carrier.to_owned(), BTreeMap::from([(of, n)]));
            }
        }
    }

    /// One count for each carrier, hour of receipt, outcome and code.
    pub(crate) fn entries(&self) -> Vec<LedgerCount> {
        let all =
            self.0.iter().flat_map(|(carrier, counts)| counts.iter().map(move |c| (carrier, c)));
        all.filter_map(|(carrier, (&(hour, outcome, code), &n))| {
            let n = u64::try_from(n).ok().filter(|n| *n > 0)?;
            Some(LedgerCount {
                stage: String::new(),
                carrier_id: carrier.clone(),
                hour,
                outcome,
                code: code.to_owned(),
                records: n,
                parts: n,
            })
        })
        .collect()
    }
}

fn hour(ms: i64) -> i64 {
    ms.div_euclid(HOUR_MS).saturating_mul(HOUR_MS)
}
