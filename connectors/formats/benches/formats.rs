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

/// Parcel carriers and who reports of them, each by its own sample.
fn parcels(c: &mut Criterion) {
    macro_rules! samples {
        ($($media_type:literal: $file:literal),* $(,)?) => {
            [$(($media_type, $file, include_bytes!(concat!("../fixtures/", $file)) as &[u8])),*]
        };
    }
    let samples = samples![
        "asendia.tracking+json": "asendia/good.json",
        "auspost.tracking+json": "australia-post/good.json",
        "bpost.tracking+xml": "bpost/good.xml",
        "canadapost.track+xml": "canada-post/good.xml",
        "chronopost.tracking+xml": "chronopost/good.xml",
        "dhl.express-tracking+xml": "dhl-express/good.xml",
        "dhl.parcel-de-tracking+xml": "dhl-parcel-de/good.xml",
        "dhl.poland-tracking+xml": "dhl-poland/good.xml",
        "dhl.unified-tracking+json": "dhl-unified/good.json",
        "dpd.tracking+xml": "dpd/good.xml",
        "easypost.event+json": "easypost/good.json",
        "fedex.track+json": "fedex/good.json",
        "fedex.track+xml": "fedex-soap/good.xml",
        "gls.tracking+json": "gls/good.json",
        "hermes.shipmentinfo+json": "hermes/good.json",
        "laposte.suivi+json": "la-poste/good.json",
        "mydhl.tracking+json": "mydhl/good.json",
        "parcelone.tracking+json": "parcelone/good.json",
        "royalmail.tracking+json": "royal-mail/good.json",
        "seko.tracking+json": "seko/good.json",
        "sendle.tracking+json": "sendle/good.json",
        "smartkargo.tracking+json": "smartkargo/good.json",
        "spring.tracking+json": "spring/good.json",
        "stamps.tracking+xml": "stamps/good.xml",
        "teleship.tracking+json": "teleship/good.json",
        "terminal49.webhook+json": "terminal49/good.json",
        "ups.track+json": "ups/good.json",
        "usps.tracking+json": "usps/good.json",
        "usps.tracking+xml": "usps-web-tools/good.xml",
    ];
    for unit in ["events", "bytes"] {
        let mut group = c.benchmark_group(format!("parcels/{unit}"));
        for (media_type, file, payload) in samples {
            let format = find(&format!("application/vnd.{media_type}")).expect("registered");
            let mut parts = Parts::default();
            (format.read)(payload, &mut parts).expect(file);
            group.throughput(match unit {
                "events" => Throughput::Elements(parts.len() as u64),
                _ => Throughput::Bytes(payload.len() as u64),
            });
            group.bench_with_input(
                BenchmarkId::from_parameter(media_type),
                payload,
                |b, payload| {
                    b.iter(|| {
                        parts.clear();
                        (format.read)(black_box(payload), &mut parts).expect(file);
                    });
                },
            );
        }
        group.finish();
    }
}

criterion_group!(benches, formats, parcels);
criterion_main!(benches);
