//! Sealed events/s on one core: `cargo bench -p waybill-sealing`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use waybill_sealing::internal::{self, InternalKey};
use waybill_sealing::jws::Algorithm;
use waybill_sealing::platform_key::{DEFAULT_BITS, PlatformKey};
use waybill_sealing::seal::{MAX_CONTENT_KEY_LIFE_MS, Message, Proof, Sealer, SealerConfig};
use waybill_sealing::signing_key::PrivateSigningKey;

const NOW_MS: i64 = 1_763_990_400_125;

fn sealing(criterion: &mut Criterion) {
    let platform_key = PlatformKey::generate("platform-2026-11", DEFAULT_BITS).unwrap();
    let mut group = criterion.benchmark_group("seal");
    group.throughput(Throughput::Elements(1));
    for proof in [Proof::Granted, Proof::Signed] {
        let mut sealer = Sealer::new(SealerConfig {
            issuer: "acme-line".into(),
            audience: "waybill:bench".into(),
            platform_key: platform_key.public().clone(),
            signing_key: PrivateSigningKey::generate(Algorithm::EdDsa).unwrap().into(),
            proof,
            content_key_life_ms: MAX_CONTENT_KEY_LIFE_MS,
        })
        .unwrap();
        let message = Message {
            subject: "h-7f3a5c1e9b",
            message_id: "01JD3E8M4Q0V6T5S9R7P2N1K8H",
            media_type: "application/vnd.dcsa.tnt+json;version=2.2",
            payload: &[b'x'; 300],
        };
        group.bench_function(proof.to_string(), |bencher| {
            bencher.iter(|| sealer.seal(black_box(NOW_MS), &message).unwrap());
        });
    }
    group.finish();
}

fn internal_values(criterion: &mut Criterion) {
    let key = InternalKey::generate().unwrap().role("opened").unwrap();
    let (mut sealer, mut opener) =
        (internal::Sealer::new(&key).unwrap(), internal::Opener::new([&key]));
    let place: &[&[u8]] = &[b"opened", b"h-7f3a5c1e9b"];
    let mut value = Vec::new();
    sealer.seal(place, b"", &[b'x'; 300], &mut value).unwrap();
    let mut group = criterion.benchmark_group("internal");
    group.throughput(Throughput::Elements(1));
    group.bench_function("seal", |bencher| {
        bencher.iter(|| {
            let mut out = Vec::new();
            sealer.seal(place, b"", black_box(&[b'x'; 300]), &mut out).unwrap();
            out
        });
    });
    group.bench_function("open", |bencher| {
        bencher.iter(|| opener.open(place, black_box(&value)).unwrap());
    });
    let pseudonyms = key.pseudonyms().unwrap();
    group.bench_function("pseudonym", |bencher| {
        bencher.iter(|| pseudonyms.of(black_box(b"acme-line/MSKU1234565/2026-11-30")));
    });
    group.finish();
}

criterion_group!(benches, sealing, internal_values);
criterion_main!(benches);
