use std::sync::Arc;

use waybill_schemas::Provenance;
use waybill_schemas::view::RejectRecord;
use waybill_stage::Reject;

use super::row::row;
use super::{Column, Coordinates, Table, receipt_time, time};

/// `waybill.rejects`, table `rejects`.
pub(crate) struct Rejects;

row! {
pub(crate) struct RejectRow<'a> {
    carrier_id: &'a str,
    code: &'a str,
    stage: &'a str,
    detail: &'a str,
    handle: &'a str,
    message_id: &'a str,
    position: u32,
    attempt: u32,
    source_topic: &'a str,
    source_partition: i32,
    source_offset: i64,
    sealed_topic: &'a str,
    kafka_partition: i32,
    kafka_offset: i64,
    kafka_topic_id: &'a str,
    sealed_at: Option<i64>,
    received_at: i64,
    rejected_at: i64,
}
}

impl Table for Rejects {
    const NAME: &'static str = "rejects";
    const CUT_BY: &'static str = "received_at";
    const COLUMNS: &'static [Column] = RejectRow::COLUMNS;
    type Record<'a> = RejectRecord<'a>;

    fn check(record: &RejectRecord<'_>) -> Result<(), Reject> {
        receipt_time("received_at", record.received_at)?;
        time("rejected_at", record.rejected_at)
    }

    fn write(record: &RejectRecord<'_>, at: Coordinates<'_>, to: &mut Vec<u8>) {
        RejectRow {
            carrier_id: record.carrier_id,
            code: record.code,
            stage: record.stage,
            detail: record.detail,
            handle: record.handle,
            message_id: record.message_id,
            position: record.position,
            attempt: record.attempt,
            source_topic: record.source_topic,
            source_partition: record.source_partition,
            source_offset: record.source_offset,
            sealed_topic: record.sealed_topic,
            kafka_partition: at.partition,
            kafka_offset: at.offset,
            kafka_topic_id: at.topic_id,
            // A claim that nobody has checked: an odd one must not cost the reject its row.
            sealed_at: record.sealed_at.filter(|&ms| time("sealed_at", ms).is_ok()),
            received_at: record.received_at,
            rejected_at: record.rejected_at,
        }
        .write(to);
    }

    fn origin(record: &RejectRecord<'_>) -> Option<(Arc<Provenance>, u32)> {
        let provenance = Provenance {
            carrier_id: record.carrier_id.to_owned(),
            handle: record.handle.to_owned(),
            message_id: record.message_id.to_owned(),
            source_partition: record.source_partition,
            source_offset: record.source_offset,
            sealed_at: record.sealed_at.unwrap_or_default(),
            received_at: record.received_at,
            opened_at: 0,
            attempt: record.attempt,
            sealed_topic: record.sealed_topic.to_owned(),
        };
        Some((Arc::new(provenance), record.position))
    }

    fn receipt<'r>(record: &'r RejectRecord<'_>) -> (&'r str, i64) {
        (record.carrier_id, record.received_at)
    }
}
