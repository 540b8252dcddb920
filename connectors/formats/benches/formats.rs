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

/// Interchanges as they travel, and many of them in one payload.
fn edi(c: &mut Criterion) {
    let (x12, edifact) = ("application/EDI-X12", "application/EDIFACT");
    let samples: [(&str, &str, &str); 6] = [
        ("X12 214", x12, include_str!("../fixtures/x12/good-214.edi")),
        ("X12 315", x12, include_str!("../fixtures/x12/good-315.edi")),
        ("X12 322", x12, include_str!("../fixtures/x12/good-322-short-isa.edi")),
        ("EDIFACT IFTSTA", edifact, include_str!("../fixtures/edifact/good-iftsta.edi")),
        ("EDIFACT CODECO", edifact, include_str!("../fixtures/edifact/good-codeco.edi")),
        ("EDIFACT COARRI", edifact, include_str!("../fixtures/edifact/good-coarri-groups.edi")),
    ];
    for unit in ["events", "bytes"] {
        let mut group = c.benchmark_group(format!("edi/{unit}"));
        for (name, media_type, sample) in samples {
            for times in [1, 50] {
                let payload = sample.repeat(times);
                let format = find(media_type).expect("registered");
                let mut parts = Parts::default();
                (format.read)(payload.as_bytes(), &mut parts).expect("good");
                group.throughput(match unit {
                    "events" => Throughput::Elements(parts.len() as u64),
                    _ => Throughput::Bytes(payload.len() as u64),
                });
                let id = BenchmarkId::new(name, format!("{} B", payload.len()));
                group.bench_with_input(id, payload.as_bytes(), |b, payload| {
                    b.iter(|| {
                        parts.clear();
                        (format.read)(black_box(payload), &mut parts).expect("good");
                    });
                });
            }
        }
        group.finish();
    }
}

criterion_group!(benches, formats, edi);
criterion_main!(benches);
