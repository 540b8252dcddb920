//! How the records of the four topics become rows.

mod event;
mod ledger;
mod reject;
mod row;
mod shipment;

use std::sync::Arc;

use waybill_schemas::{AsciiCode, EventId, Provenance, View};
use waybill_stage::{Code, Reject};

pub(crate) use event::Events;
pub(crate) use ledger::Ledger;
pub(crate) use reject::Rejects;
use row::Each;
pub(crate) use row::{Column, Value, write_length};
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
    /// What is written of a row, in order.
    const COLUMNS: &'static [Column];
    type Record<'a>: View<'a>;

    /// Whether the record can be a row: see [`time`].
    fn check(record: &Self::Record<'_>) -> Result<(), Reject>;

    /// Appends the row, in RowBinary.
    fn write(record: &Self::Record<'_>, at: Coordinates<'_>, to: &mut Vec<u8>);

    /// Whose record it is, and its position in the message.
    fn origin(record: &Self::Record<'_>) -> Option<(Arc<Provenance>, u32)>;

    /// What the row has in [`Table::CUT_BY`], ms UTC.
    fn cut_by(record: &Self::Record<'_>) -> i64 {
        Self::receipt(record).1
    }

    /// Carrier and time of receipt, ms UTC.
    fn receipt<'r>(record: &'r Self::Record<'_>) -> (&'r str, i64);

    /// When an event was sealed, ms UTC, for the end-to-end histogram.
    fn sealed_at(_: &Self::Record<'_>) -> Option<i64> {
        None
    }

    /// Where a later record of the batch makes an earlier one void: read from the first fields, since
    /// most are void, and dear to read.
    fn state(_: &[u8]) -> Option<State<'_>> {
        None
    }
}

/// A record that is the state of something.
pub(crate) struct State<'a> {
    /// Carrier and id of what it is a state of.
    pub(crate) of: (&'a str, &'a str),
    /// Grows, and begins anew with another history of the thing.
    pub(crate) revision: u64,
    /// See [`Table::receipt`].
    pub(crate) receipt: (&'a str, i64),
}

/// Where the record stands that makes a row.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Coordinates<'a> {
    pub(crate) topic_id: &'a str,
    pub(crate) partition: i32,
    pub(crate) offset: i64,
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
