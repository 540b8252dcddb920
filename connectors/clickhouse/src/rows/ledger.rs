use std::sync::Arc;

use waybill_schemas::{LedgerCount, LedgerEntry, LedgerKey, LedgerOutput, Provenance};
use waybill_stage::Reject;

use super::row::row;
use super::{Column, Coordinates, Each, Table, receipt_time};

/// `waybill.ledger`, table `ledger`.
pub(crate) struct Ledger;

row! {
pub(crate) struct LedgerRow<'a> {
    stages: &'a str,
    topic: &'a str,
    topic_id: &'a str,
    partition: i32,
    from_offset: i64,
    next_offset: i64,
    records: u64,
    committed_at: i64,
    #[column = "counts.stage"]
    count_stages: Each<'a, LedgerCount, &'a str>,
    #[column = "counts.carrier_id"]
    count_carriers: Each<'a, LedgerCount, &'a str>,
    #[column = "counts.hour"]
    count_hours: Each<'a, LedgerCount, u32>,
    #[column = "counts.outcome"]
    count_outcomes: Each<'a, LedgerCount, &'a str>,
    #[column = "counts.code"]
    count_codes: Each<'a, LedgerCount, &'a str>,
    #[column = "counts.records"]
    count_records: Each<'a, LedgerCount, u64>,
    #[column = "counts.parts"]
    count_parts: Each<'a, LedgerCount, u64>,
    #[column = "outputs.topic"]
    output_topics: Each<'a, LedgerOutput, &'a str>,
    #[column = "outputs.records"]
    output_records: Each<'a, LedgerOutput, u64>,
    #[column = "keys.kid"]
    key_kids: Each<'a, LedgerKey, &'a str>,
    #[column = "keys.carrier_id"]
    key_carriers: Each<'a, LedgerKey, &'a str>,
    #[column = "keys.records"]
    key_records: Each<'a, LedgerKey, u64>,
    kafka_partition: i32,
    kafka_offset: i64,
    kafka_topic_id: &'a str,
}
}

impl Table for Ledger {
    const NAME: &'static str = "ledger";
    const CUT_BY: &'static str = "committed_at";
    const COUNTED: bool = false;
    const COLUMNS: &'static [Column] = LedgerRow::COLUMNS;
    type Record<'a> = LedgerEntry;

    fn check(record: &LedgerEntry) -> Result<(), Reject> {
        receipt_time("committed_at", record.committed_at)
    }

    fn write(record: &LedgerEntry, at: Coordinates<'_>, to: &mut Vec<u8>) {
        let LedgerEntry { counts, outputs, keys, .. } = record;
        LedgerRow {
            stages: &record.stages,
            topic: &record.topic,
            topic_id: &record.topic_id,
            partition: record.partition,
            from_offset: record.from_offset,
            next_offset: record.next_offset,
            records: record.records,
            committed_at: record.committed_at,
            count_stages: Each(counts, |c| &c.stage),
            count_carriers: Each(counts, |c| &c.carrier_id),
            // A record may say any time of itself: an odd one must not cost the entry its row.
            count_hours: Each(counts, |c| {
                u32::try_from((c.hour / 1000).max(0)).unwrap_or(u32::MAX)
            }),
            count_outcomes: Each(counts, |c| c.outcome.as_str()),
            count_codes: Each(counts, |c| &c.code),
            count_records: Each(counts, |c| c.records),
            count_parts: Each(counts, |c| c.parts),
            output_topics: Each(outputs, |o| &o.topic),
            output_records: Each(outputs, |o| o.records),
            key_kids: Each(keys, |k| &k.kid),
            key_carriers: Each(keys, |k| &k.carrier_id),
            key_records: Each(keys, |k| k.records),
            kafka_partition: at.partition,
            kafka_offset: at.offset,
            kafka_topic_id: at.topic_id,
        }
        .write(to);
    }

    fn origin(_: &LedgerEntry) -> Option<(Arc<Provenance>, u32)> {
        None
    }

    /// Of no carrier; the time is that of the commit.
    fn receipt(record: &LedgerEntry) -> (&str, i64) {
        ("", record.committed_at)
    }
}
