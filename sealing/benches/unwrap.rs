//! Unwraps/s on one core, by `rsa` and by AWS-LC, which Waybill uses:
//! `cargo bench -p waybill-sealing --bench unwrap`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![allow(clippy::disallowed_methods)] // what is not used is measured here too

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use pkcs8::DecodePrivateKey;
use sha2::Sha256;
use waybill_sealing::file_key::FileKey;
use waybill_sealing::platform_key::PrivateKey;

fn unwrap(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("unwrap");
    group.throughput(Throughput::Elements(1));
    for bits in [2048, 3072, 4096] {
        let key = FileKey::generate(bits).unwrap();
        let rsa = rsa::PrivateKey::from_pkcs8_pem(&key.to_pem(None).unwrap()).unwrap();
        let wrapped = key.public("p1").unwrap().wrap(&[42; 32]).unwrap();
        group.bench_function(BenchmarkId::new("rsa", bits), |bencher| {
            bencher.iter(|| {
                rsa.oaep_decrypt_with_rng::<Sha256, _>(&mut getrandom::SysRng, black_box(&wrapped))
                    .unwrap()
            });
        });
        group.bench_function(BenchmarkId::new("aws-lc-rs", bits), |bencher| {
            bencher.iter(|| key.unwrap(black_box(&wrapped)).unwrap());
        });
    }
    group.finish();
}

criterion_group!(benches, unwrap);
criterion_main!(benches);
