//! How fast each format is read, one core: `cargo bench -p waybill-formats`.

#![allow(clippy::expect_used)] // a bench may stop

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use waybill_formats::{Parts, find};

fn formats(c: &mut Criterion) {
    let samples: [(&str, &str, &[u8]); 4] = [
        ("2.2 one", "2.2", include_bytes!("../fixtures/dcsa-2.2/good-single.json")),
        ("2.2 array", "2.2", include_bytes!("../fixtures/dcsa-2.2/good.json")),
        ("3.0 one", "3.0", include_bytes!("../fixtures/dcsa-3.0/good-single.json")),
        ("3.0 wrapped", "3.0", include_bytes!("../fixtures/dcsa-3.0/good.json")),
    ];
    for unit in ["events", "bytes"] {
        let mut group = c.benchmark_group(format!("formats/{unit}"));
        for (name, version, sample) in samples {
            // As it travels: without the blanks that make a file readable.
            let json: serde_json::Value = serde_json::from_slice(sample).expect("JSON");
            let payload = serde_json::to_vec(&json).expect("JSON");
            let media_type = format!("application/vnd.dcsa.tnt+json;version={version}");
            let format = find(&media_type).expect("registered");
            let mut parts = Parts::default();
            (format.read)(&payload, &mut parts).expect("good");
            group.throughput(match unit {
                "events" => Throughput::Elements(parts.len() as u64),
                _ => Throughput::Bytes(payload.len() as u64),
            });
            let id = BenchmarkId::new(name, format!("{} B", payload.len()));
            group.bench_with_input(id, &payload, |b, payload| {
                b.iter(|| {
                    parts.clear();
                    let read = find(&media_type).expect("registered").read;
                    read(black_box(payload), &mut parts).expect("good");
                });
            });
        }
        group.finish();
    }
}

/// Samples as they travel.
fn air(c: &mut Criterion) {
    let samples: [(&str, &str, &[u8]); 4] = [
        (
            "Cargo-IMP FSU, one status",
            "application/vnd.iata.cargo-imp",
            include_bytes!("../fixtures/cargo-imp/good-booking.txt"),
        ),
        (
            "Cargo-IMP FSU",
            "application/vnd.iata.cargo-imp",
            include_bytes!("../fixtures/cargo-imp/good-fsu.txt"),
        ),
        ("XFSU", "application/vnd.iata.xfsu+xml", include_bytes!("../fixtures/xfsu/good.xml")),
        (
            "ONE Record graph",
            "application/vnd.iata.one-record+json",
            include_bytes!("../fixtures/one-record/good-graph.json"),
        ),
    ];
    for unit in ["events", "bytes"] {
        let mut group = c.benchmark_group(format!("air/{unit}"));
        for (name, media_type, payload) in samples {
            let mut parts = Parts::default();
            let read = find(media_type).expect("registered").read;
            read(payload, &mut parts).expect("good");
            group.throughput(match unit {
                "events" => Throughput::Elements(parts.len() as u64),
                _ => Throughput::Bytes(payload.len() as u64),
            });
            let id = BenchmarkId::new(name, format!("{} B", payload.len()));
            group.bench_with_input(id, payload, |b, payload| {
                b.iter(|| {
                    parts.clear();
                    let read = find(media_type).expect("registered").read;
                    read(black_box(payload), &mut parts).expect("good");
                });
            });
        }
        group.finish();
    }
}

criterion_group!(benches, formats, air);
criterion_main!(benches);
