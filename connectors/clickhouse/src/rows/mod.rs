//! How the records of the four topics become rows.

mod event;
mod ledger;
mod reject;
mod shipment;

use std::sync::Arc;

use clickhouse::{Row, RowWrite};
use serde::{Serialize, Serializer};
use waybill_schemas::{AsciiCode, EventId, Provenance, Record};
use waybill_stage::{Code, Reject};

pub(crate) use event::Events;
pub(crate) use ledger::Ledger;
pub(crate) use reject::Rejects;
pub(crate) use shipment::Shipments;

/// A table and the records that go into it.
pub(crate) trait Table {
    const NAME: &'static str;
    /// The column whose month says in which of the table's partitions a row lies.
    const CUT_BY: &'static str;
    /// Whether merges leave one of several rows of a key: then copies do no harm.
    const MERGES: bool = false;
    /// Whether what becomes of its records is counted in the ledger: all but the ledger's own.
    const COUNTED: bool = true;
    type Record: Record;
    type Row: RowWrite;

    /// Whether the record can be a row: see [`time`].
    fn check(record: &Self::Record) -> Result<(), Reject>;

    fn row<'a>(record: &'a Self::Record, at: Coordinates) -> <Self::Row as Row>::Value<'a>;

    /// Whose record it is, and its position in the message.
    fn origin(record: &Self::Record) -> Option<(Arc<Provenance>, u32)>;

    /// What the row has in [`Table::CUT_BY`], ms UTC.
    fn cut_by(record: &Self::Record) -> i64 {
        Self::receipt(record).1
    }

    /// Carrier and time of receipt, ms UTC.
    fn receipt(record: &Self::Record) -> (&str, i64);

    /// When an event was sealed, ms UTC, for the end-to-end histogram.
    fn sealed_at(_: &Self::Record) -> Option<i64> {
        None
    }

    /// Takes out what a later record of the batch makes void.
    fn compact(_: &mut Vec<Kept<Self::Record>>) -> Vec<Kept<Self::Record>> {
        Vec::new()
    }
}

/// A decoded record and the offset it came from.
#[derive(Debug)]
pub(crate) struct Kept<R> {
    pub(crate) offset: i64,
    pub(crate) record: R,
}

/// Where the record stands that makes a row.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Coordinates {
    pub(crate) partition: i32,
    pub(crate) offset: i64,
}

/// One element of each item: a column of a nested structure, without an allocation.
pub(crate) struct Each<'a, T, U>(&'a [T], fn(&'a T) -> U);

impl<T, U: Serialize> Serialize for Each<'_, T, U> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(self.1))
    }
}

fn text<T: AsRef<str>>(text: &Option<T>) -> &str {
    text.as_ref().map_or("", AsRef::as_ref)
}

fn code<const N: usize>(code: &Option<AsciiCode<N>>) -> &str {
    code.as_ref().map_or("", AsciiCode::as_str)
}

/// A UUID as RowBinary has it: the high half, then the low.
fn uuid(id: EventId) -> (u64, u64) {
    let id = id.as_u128();
    ((id >> 64) as u64, id as u64)
}

/// 1900-01-01T00:00Z to the end of 2299: what DateTime64 holds. ClickHouse takes what lies outside
/// without a word and shows another time.
fn time(name: &'static str, ms: impl Into<Option<i64>>) -> Result<(), Reject> {
    match ms.into() {
        Some(ms) if !(-2_208_988_800_000..10_413_792_000_000).contains(&ms) => {
            Err(Reject::new(Code::Internal, format!("{name}: no time from 1900 to 2299"))
                .because("time_out_of_range"))
        }
        _ => Ok(()),
    }
}

/// 1970 to 2105: minutes and months of receipt are DateTime and Date.
fn receipt_time(name: &'static str, ms: i64) -> Result<(), Reject> {
    if (0..4_291_747_200_000).contains(&ms) {
        Ok(())
    } else {
        Err(Reject::new(Code::Internal, format!("{name}: no time from 1970 to 2105"))
            .because("time_out_of_range"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_that_clickhouse_would_change_are_refused() {
        let check = |ms: i64, any: bool, receipt: bool| {
            assert_eq!(time("t", ms).is_ok(), any, "{ms}");
            assert_eq!(receipt_time("t", ms).is_ok(), receipt, "{ms}");
        };
        check(i64::MIN, false, false);
        check(-2_208_988_800_001, false, false);
        check(-2_208_988_800_000, true, false);
        check(-1, true, false);
        check(0, true, true);
        check(4_291_747_199_999, true, true);
        check(4_291_747_200_000, true, false);
        check(10_413_791_999_999, true, false);
        check(10_413_792_000_000, false, false);
        check(i64::MAX, false, false);
        assert!(time("t", None).is_ok());
    }
}
