//! Messages a second on one core. `cargo bench -p waybill-simulator`.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use waybill_simulator::{Config, Simulation};

fn simulator(c: &mut Criterion) {
    let Ok(mut simulation) =
        Simulation::new(Config { start_ms: 1_764_000_000_000, ..Config::default() })
    else {
        return;
    };
    let mut group = c.benchmark_group("simulator");
    group.throughput(Throughput::Elements(1000));
    group.bench_function("messages", |b| {
        b.iter(|| simulation.by_ref().take(1000).map(|m| m.payload.len()).sum::<usize>());
    });
    group.finish();
}

criterion_group!(benches, simulator);
criterion_main!(benches);
