//! How fast each format is read, one core: `cargo bench -p waybill-formats`.

#![allow(clippy::expect_used)] // a bench may stop

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use waybill_formats::{Parts, epcis, find};

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

/// EPCIS: an event without an id has the hash of all it says computed.
fn epcis_formats(c: &mut Criterion) {
    let single: serde_json::Value =
        serde_json::from_str(include_str!("../fixtures/epcis-json/good-single.jsonld"))
            .expect("JSON");
    let list: serde_json::Value =
        serde_json::from_str(include_str!("../fixtures/epcis-json/good.jsonld")).expect("JSON");
    let hashed = |event: &serde_json::Value| {
        let mut event = event.clone();
        if let Some(members) = event.as_object_mut() {
            members.remove("eventID");
        }
        event.to_string()
    };
    let xml = include_str!("../fixtures/epcis-xml/good-2.0.xml");
    let (head, rest) = xml.split_once("<EventList>").expect("a list");
    let (events, tail) = rest.split_once("</EventList>").expect("a list");
    let samples = [
        ("json one", epcis::MEDIA_TYPE_JSON, single.to_string()),
        ("json one, hashed", epcis::MEDIA_TYPE_JSON, hashed(&single)),
        (
            "json array",
            epcis::MEDIA_TYPE_JSON,
            format!("[{}]", vec![single.to_string(); 200].join(",")),
        ),
        ("json document", epcis::MEDIA_TYPE_JSON, list.to_string()),
        ("xml document", epcis::MEDIA_TYPE_XML, xml.to_owned()),
        (
            "xml document x 50",
            epcis::MEDIA_TYPE_XML,
            format!("{head}<EventList>{}</EventList>{tail}", events.repeat(50)),
        ),
    ];
    for unit in ["events", "bytes"] {
        let mut group = c.benchmark_group(format!("epcis/{unit}"));
        for (name, media_type, payload) in &samples {
            let format = find(media_type).expect("registered");
            let mut parts = Parts::default();
            (format.read)(payload.as_bytes(), &mut parts).expect("good");
            group.throughput(match unit {
                "events" => Throughput::Elements(parts.len() as u64),
                _ => Throughput::Bytes(payload.len() as u64),
            });
            let id = BenchmarkId::new(*name, format!("{} B", payload.len()));
            group.bench_with_input(id, payload, |b, payload| {
                b.iter(|| {
                    parts.clear();
                    (format.read)(black_box(payload.as_bytes()), &mut parts).expect("good");
                });
            });
        }
        group.finish();
    }
}

criterion_group!(benches, formats, epcis_formats);
criterion_main!(benches);
