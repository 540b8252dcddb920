//! Which Avro library is on the hot path: records a second of one core.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

#[allow(dead_code, reason = "not all of them are measured")]
#[path = "../tests/avro/examples.rs"]
mod examples;

use std::hint::black_box;

use apache_avro::types::Value;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use waybill_schemas::{AcceptedEvent, EnrichedEvent, Record, decode, encode, published, view};

fn both<R: Record + Clone>(
    c: &mut Criterion,
    record: &R,
    borrowed: fn(&[u8]),
    borrowed_by_names: fn(&[u8], &serde_avro_fast::Schema),
) {
    let schema = apache_avro::Schema::parse_str(&published(R::SCHEMA).unwrap()).unwrap();
    let mut bytes = Vec::new();
    encode(record, &mut bytes).unwrap();
    let datum = bytes[10..].to_vec();
    println!("{}: {} bytes", R::SCHEMA, bytes.len());

    let mut group = c.benchmark_group(R::SCHEMA);
    group.throughput(Throughput::Elements(1));
    let mut to = Vec::with_capacity(bytes.len());
    group.bench_function("encode/by position", |b| {
        b.iter(|| {
            to.clear();
            encode(black_box(record), &mut to).unwrap();
        });
    });
    let by_names: serde_avro_fast::Schema = published(R::SCHEMA).unwrap().parse().unwrap();
    group.bench_function("encode/serde_avro_fast", |b| {
        let mut config = serde_avro_fast::ser::SerializerConfig::new(&by_names);
        b.iter(|| {
            to.clear();
            serde_avro_fast::to_datum(black_box(record), &mut to, &mut config).unwrap();
        });
    });
    // Its direct way by serde (0.21 has one for writing alone), then by way of its values.
    if apache_avro::write_avro_datum_ref(&schema, record, &mut Vec::new()).is_ok() {
        group.bench_function("encode/apache-avro direct", |b| {
            b.iter(|| {
                to.clear();
                apache_avro::write_avro_datum_ref(&schema, black_box(record), &mut to).unwrap();
            });
        });
    } else {
        println!("{}: apache-avro cannot write it directly", R::SCHEMA);
    }
    let value = apache_avro::from_avro_datum(&schema, &mut &datum[..], None).unwrap();
    group.bench_function("encode/apache-avro values (Value to bytes alone)", |b| {
        b.iter(|| apache_avro::to_avro_datum(&schema, black_box(value.clone())).unwrap());
    });
    group.bench_function("decode/by position", |b| {
        b.iter(|| decode::<R>(black_box(&bytes)).unwrap());
    });
    group.bench_function("decode/by position, borrowed", |b| {
        b.iter(|| borrowed(black_box(&bytes)));
    });
    group.bench_function("decode/serde_avro_fast", |b| {
        b.iter(|| serde_avro_fast::from_datum_slice::<R>(black_box(&datum), &by_names).unwrap());
    });
    group.bench_function("decode/serde_avro_fast, borrowed", |b| {
        b.iter(|| borrowed_by_names(black_box(&datum), &by_names));
    });
    group.bench_function("decode/apache-avro values (bytes to Value alone)", |b| {
        b.iter(|| -> Value {
            apache_avro::from_avro_datum(&schema, &mut black_box(&datum[..]), None).unwrap()
        });
    });
    if apache_avro::from_value::<R>(&value).is_ok() {
        group.bench_function("decode/apache-avro values", |b| {
            b.iter(|| {
                let value = apache_avro::from_avro_datum(&schema, &mut black_box(&datum[..]), None);
                apache_avro::from_value::<R>(&value.unwrap()).unwrap()
            });
        });
    } else {
        println!("{}: apache-avro's values do not fit the type", R::SCHEMA);
    }
    group.finish();
}

fn codec(c: &mut Criterion) {
    macro_rules! both {
        ($record:expr, $view:ty) => {
            both(
                c,
                &$record,
                |bytes| drop(black_box(view::<$view>(bytes).unwrap())),
                |datum, schema| {
                    drop(black_box(
                        serde_avro_fast::from_datum_slice::<$view>(datum, schema).unwrap(),
                    ));
                },
            );
        };
    }
    let AcceptedEvent { event, enrichment, .. } = examples::accepted_event();
    both!(EnrichedEvent { event, enrichment }, view::EnrichedEvent<'_>);
    both!(examples::accepted_event(), view::AcceptedEvent<'_>);
}

criterion_group!(benches, codec);
criterion_main!(benches);
