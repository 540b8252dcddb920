//! What the sink does with a record before anything is sent: opening its value, reading it, and
//! writing its row. Records a second of one core.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

#[path = "../tests/clickhouse/samples.rs"]
#[allow(dead_code, reason = "the tests' records, of which these are some")]
mod samples;

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use waybill_clickhouse::rows_of;
use waybill_schemas::{Record, encode};
use waybill_sealing::internal::{InternalKey, Opener, Sealer};
use waybill_stage::{SinkBatch, SinkRecords};

const RECORDS: usize = 2000;

/// Key and sealed value of each record.
fn sealed<R: Record>(
    key: &InternalKey,
    role: &str,
    record: impl Fn(&str, usize) -> R,
) -> Vec<(String, Vec<u8>)> {
    let mut sealer = Sealer::new(&key.role(role).unwrap()).unwrap();
    (0..RECORDS)
        .map(|n| {
            // Every shipment has four records.
            let id = format!("acme-line/MSKU{:07}", n / 4);
            let (mut plain, mut value) = (Vec::new(), Vec::new());
            encode(&record(&id, n), &mut plain).unwrap();
            sealer.seal(&[role.as_bytes(), id.as_bytes()], b"", &plain, &mut value).unwrap();
            (id, value)
        })
        .collect()
}

fn opened(role: &str, opener: &mut Opener, values: &[(String, Vec<u8>)]) -> SinkRecords {
    let mut records = SinkRecords::default();
    for ((id, value), offset) in values.iter().zip(0..) {
        let place = [role.as_bytes(), id.as_bytes()];
        let push = |to: &mut Vec<u8>| opener.open_onto(&place, value, to).map(|_| Some(()));
        records.push(offset, samples::T0, push).unwrap().unwrap();
    }
    records
}

fn rows(c: &mut Criterion) {
    let key = InternalKey::generate().unwrap();
    let events = sealed(&key, "events", |id, _| {
        let mut event = samples::full_event();
        event.event.shipment_id = id.to_owned();
        event.event.exceptions.clear();
        event.event.quantities.clear();
        event.event.readings.clear();
        event
    });
    let shipments =
        sealed(&key, "shipments", |id, n| samples::shipment("acme-line", id, n as u64, 0));
    for (role, values) in [("events", events), ("shipments", shipments)] {
        let mut opener = Opener::new([&key.role(role).unwrap()]);
        let records = opened(role, &mut opener, &values);
        let bytes = records.bytes() / RECORDS;
        let batch = SinkBatch {
            role,
            topic: role.to_owned(),
            topic_id: "id".to_owned(),
            partition: 0,
            first: 0,
            last: RECORDS as i64 - 1,
            token: String::new(),
            again: false,
            records,
        };
        let (rows, row_bytes) = rows_of(&batch).unwrap();
        println!("{role}: {bytes} bytes a record, {rows} rows of {RECORDS}, {row_bytes} bytes");
        let mut group = c.benchmark_group(role);
        group.throughput(Throughput::Elements(RECORDS as u64));
        group.bench_function("open", |b| {
            b.iter(|| opened(role, &mut opener, black_box(&values)));
        });
        group.bench_function("rows", |b| b.iter(|| rows_of(black_box(&batch))));
        group.finish();
    }
}

criterion_group!(benches, rows);
criterion_main!(benches);
