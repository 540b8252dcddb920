//! Opened events/s on one core: `cargo bench -p waybill-decrypt`. The fixtures' RSA keys have 2048
//! bits; "at 3072" is what a platform has by default.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[path = "../tests/forge/mod.rs"]
mod forge;

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use forge::{AUDIENCE, Event, World};
use waybill_decrypt::{Opener, PlatformKeys, Settings};
use waybill_sealing::platform_key::{DEFAULT_BITS, PlatformKey};

/// What one round opens.
const EVENTS: u8 = 64;

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

/// Each event has its own content key and its own signature or grant.
fn each_its_own(criterion: &mut Criterion) {
    let key = PlatformKey::generate("platform-test", DEFAULT_BITS).unwrap();
    let fresh = |event: Event, n: u8| {
        event.with(|e| {
            e.content_key = [n; 32];
            e.encrypted_key = Some(key.public().wrap(&e.content_key).unwrap());
        })
    };
    let signed: Vec<_> = (0..EVENTS)
        .map(|n| {
            let payload = [vec![b'x'; 299], vec![n]].concat();
            fresh(Event::signed_with(|s| s.payload = payload), n).record()
        })
        .collect();
    let granted: Vec<_> = (0..EVENTS)
        .map(|n| {
            let mut event = fresh(Event::bare().with(|e| e.payload = vec![b'x'; 300]), n);
            event.grant(|_| ());
            event.record()
        })
        .collect();
    // A carrier's usual stream: many events under one grant.
    let shared: Vec<_> = std::iter::repeat_n(granted[0].clone(), EVENTS.into()).collect();

    let mut world = World { keys: PlatformKeys::new([key]).unwrap(), ..World::new() };
    let mut group = criterion.benchmark_group("open at 3072");
    group.throughput(Throughput::Elements(EVENTS.into()));
    for (name, cached_key_age_ms, records) in [
        // Otherwise the second round would find the grants of the first.
        ("signed, fresh keys", 0, &signed),
        ("granted, fresh keys", 0, &granted),
        ("granted, one key", Settings::new(AUDIENCE).cached_key_age_ms, &shared),
    ] {
        let settings = Settings { cached_key_age_ms, ..Settings::new(AUDIENCE) };
        world.opener = Opener::new(settings);
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                for record in records {
                    world.open(black_box(record)).unwrap();
                }
            });
        });
    }
    group.finish();
}

criterion_group!(benches, decrypt, each_its_own);
criterion_main!(benches);
