//! Opened events/s on one core: `cargo bench -p waybill-decrypt`. RSA keys of 2048 bits here; the
//! default of 3072 takes about three times as long to unwrap.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[path = "../tests/forge/mod.rs"]
mod forge;

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use forge::{AUDIENCE, Event, World};
use waybill_decrypt::{Opener, Settings};

fn decrypt(criterion: &mut Criterion) {
    let world = World::new();
    let with_payload = |e: Event| e.with(|e| e.payload = vec![b'x'; 300]);
    let granted = with_payload(Event::granted()).record();
    let signed = Event::signed_with(|s| s.payload = vec![b'x'; 300]).record();
    // Nothing is kept: each event pays for its signature and for RSA.
    let settings = Settings { cached_key_age_ms: 0, ..Settings::new(AUDIENCE) };
    let cold = World { opener: Opener::new(settings), ..World::new() };

    let mut group = criterion.benchmark_group("open");
    group.throughput(Throughput::Elements(1));
    for (name, world, record) in [
        ("granted warm", &world, &granted),
        ("granted cold", &cold, &granted),
        ("signed", &world, &signed),
    ] {
        group.bench_function(name, |bencher| {
            bencher.iter(|| world.open(black_box(record)).unwrap());
        });
    }
    group.finish();
}

criterion_group!(benches, decrypt);
criterion_main!(benches);
