//! Which rows of a batch ClickHouse refuses. They are looked for in a table that stores nothing but
//! is else as the batch's own, constraints included: so the good rows stay one range.

use clickhouse::error::Error;
use waybill_stage::SinkBatch;

use crate::decode::{BatchRow, Decoded};
use crate::exchange::{Failed, Inserter, failed};
use crate::failure::{Kind, Remedy, fault};
use crate::rows::Table;

/// A batch of this size of which ClickHouse takes not one row is not a batch of bad rows: the
/// table is not what we think it is.
const ALL_REFUSED: usize = 16;

/// How many rows of a batch are tried alone, evenly spread, before it is said that no row of it is
/// taken: to try each of some thousand takes longer than a lease.
const TRIED: usize = 64;

impl Inserter<'_> {
    /// Offset and error of each row that is refused alone.
    pub(crate) async fn search<T: Table>(
        &self,
        decoded: &Decoded,
    ) -> Result<Vec<(i64, Error)>, Failed> {
        // Was it the row, or has the table changed under us?
        self.headers.forget();
        let doing = "looking for refused rows";
        let scratch = self.scratch_table(&self.scratch::<T>("probe"));
        // Made anew for each search, so that it is as its model is now.
        self.execute(doing, &format!("DROP TABLE IF EXISTS {scratch} SYNC")).await?;
        let model = self.table(T::NAME);
        self.execute(doing, &format!("CREATE TABLE {scratch} AS {model} ENGINE = Null")).await?;
        if decoded.rows.len() >= ALL_REFUSED {
            self.some_are_taken::<T>(&scratch, decoded).await?;
        }
        let refused = self.halve::<T>(&scratch, decoded).await?;
        self.execute(doing, &format!("DROP TABLE IF EXISTS {scratch} SYNC")).await?;
        Ok(refused)
    }

    async fn some_are_taken<T: Table>(&self, probe: &str, decoded: &Decoded) -> Result<(), Failed> {
        let mut said = None;
        for row in decoded.rows.iter().step_by(decoded.rows.len().div_ceil(TRIED)) {
            said = self.refusal::<T>(probe, decoded, std::slice::from_ref(row)).await?;
            if said.is_none() {
                return Ok(());
            }
        }
        let SinkBatch { first, last, .. } = self.batch;
        let doing = format!("it refuses every row of a batch for {} ({first} to {last})", T::NAME);
        match said {
            Some(error) => Err(Failed::Fault(fault(&doing, &error))),
            None => Ok(()),
        }
    }

    async fn halve<T: Table>(
        &self,
        probe: &str,
        decoded: &Decoded,
    ) -> Result<Vec<(i64, Error)>, Failed> {
        let mut refused = Vec::new();
        let mut parts = vec![decoded.rows.as_slice()];
        while let Some(part) = parts.pop() {
            match (self.refusal::<T>(probe, decoded, part).await?, part) {
                (None, _) => {}
                (Some(error), [row]) => refused.push((row.offset, error)),
                (Some(_), _) => {
                    let (first, second) = part.split_at(part.len() / 2);
                    parts.extend([second, first]);
                }
            }
        }
        Ok(refused)
    }

    async fn refusal<T: Table>(
        &self,
        probe: &str,
        decoded: &Decoded,
        part: &[BatchRow],
    ) -> Result<Option<Error>, Failed> {
        match self.write::<T>(probe, decoded, part).await {
            Ok(()) => Ok(None),
            Err(error) if Kind::of(&error).remedy() == Remedy::Refuse => Ok(Some(error)),
            Err(error) => Err(failed("looking for refused rows", &error)),
        }
    }
}
