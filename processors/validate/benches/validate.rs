//! How fast a message becomes events, one core: `cargo bench -p waybill-validate`.

#![allow(clippy::expect_used)] // a bench may stop

use std::hint::black_box;
use std::sync::Arc;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use waybill_schemas::{Opened, Proof, Provenance};
use waybill_stage::{Context, Outputs, Stage};
use waybill_validate::Validate;

const ONE: &[u8] = include_bytes!("../../../formats/fixtures/dcsa-2.2/good-single.json");
const MANY: &[u8] = include_bytes!("../../../formats/fixtures/dcsa-2.2/good.json");

fn validate(c: &mut Criterion) {
    let stage = Validate::default();
    let cx = Context::at(1_769_000_000_000);
    let mut group = c.benchmark_group("validate");
    for (name, file) in [("one event", ONE), ("12 events", MANY)] {
        let opened = Opened {
            provenance: Arc::new(Provenance {
                carrier_id: "acme-line".into(),
                message_id: "01JD5W8Q4Z".into(),
                received_at: 1_769_000_000_000,
                ..Provenance::default()
            }),
            proof: Proof::Granted,
            media_type: "application/vnd.dcsa.tnt+json;version=2.2".into(),
            payload: compact(file),
        };
        let mut outputs = Outputs::default();
        stage.apply(&cx, opened.clone(), &mut outputs).expect("good");
        assert!(outputs.rejects.is_empty());
        group.throughput(Throughput::Elements(outputs.emitted.len() as u64));
        group.bench_function(format!("{name}, {} B", opened.payload.len()), |b| {
            b.iter_batched(
                || opened.clone(),
                |opened| {
                    outputs.clear();
                    stage.apply(&cx, black_box(opened), &mut outputs).expect("good");
                },
                BatchSize::SmallInput,
            );
        });
    }
    group.finish();
}

/// Without the line breaks and the indents that make a file readable.
fn compact(file: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(file);
    text.lines().map(|l| l.trim_start().replacen("\": ", "\":", 1)).collect::<String>().into_bytes()
}

criterion_group!(benches, validate);
criterion_main!(benches);
