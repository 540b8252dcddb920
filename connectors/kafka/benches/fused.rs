//! CPU time of a message in the fused stages, on one core:
//! `cargo bench -p waybill-kafka --bench fused [-- ROUNDS [STEP]]`.
//!
//! Simulated carriers' messages, sealed as granted, go through decrypt, validate, enrich, and are
//! encoded and sealed again. Of each step the fastest round is printed: other processes only ever
//! make it slower. With a STEP (`decrypt`, `validate`, `enrich`, `encode`, `seal`) that one is
//! repeated alone, for a profiler.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::collections::HashMap;
use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use waybill_decrypt::{Carrier, Carriers, Decrypt, Opener, PlatformKeys, RegisteredKey, Settings};
use waybill_enrich::Enrich;
use waybill_host::batch::Batch;
use waybill_host::chain::OutputContext;
use waybill_host::chain::StageOperator;
use waybill_host::chain::TopicWriter;
use waybill_host::processor::Incoming;
use waybill_host::processor::Processor;
use waybill_host::sealed::Sealed;
use waybill_host::topic_cipher::RoleKeys;
use waybill_host::topic_cipher::TopicCipher;
use waybill_schemas::Role;
use waybill_schemas::{EnrichedEvent, Opened};
use waybill_sealing::internal::{self, InternalKey};
use waybill_sealing::jws::Algorithm;
use waybill_sealing::platform_key::{DEFAULT_BITS, PlatformKey};
use waybill_sealing::seal::{MAX_CONTENT_KEY_LIFE_MS, Message, Proof, Sealer, SealerConfig};
use waybill_sealing::signing_key::PrivateSigningKey;
use waybill_simulator::Simulation;
use waybill_stage::{Context, Outputs, SealedRecord, Stage};
use waybill_validate::Validate;

const NOW_MS: i64 = 1_763_990_400_125;
const AUDIENCE: &str = "waybill:bench";
const MESSAGES: usize = 5_000;

fn sealed(proof: Proof, messages: usize) -> (Vec<SealedRecord>, Decrypt) {
    let simulation = Simulation::new(waybill_simulator::Config {
        start_ms: NOW_MS,
        bad_share: 0.0,
        duplicate_share: 0.0,
        ..waybill_simulator::Config::default()
    })
    .unwrap();
    let platform_key = PlatformKey::generate("platform-2026-11", DEFAULT_BITS).unwrap();
    let mut carriers = Carriers::default();
    let mut sealers = HashMap::new();
    for (index, carrier) in simulation.carriers().enumerate() {
        let key = PrivateSigningKey::generate(Algorithm::Ed25519).unwrap();
        let mut registered = Carrier::new(carrier.id, carrier.name).unwrap();
        registered.add_key(RegisteredKey::new(key.public().clone())).unwrap();
        carriers.insert(registered).unwrap();
        let config = SealerConfig {
            issuer: carrier.id.to_owned(),
            audience: AUDIENCE.to_owned(),
            platform_key: platform_key.public().clone(),
            signing_key: key.into(),
            proof,
            content_key_life_ms: MAX_CONTENT_KEY_LIFE_MS,
        };
        sealers.insert(index, Sealer::new(config).unwrap());
    }
    let records = simulation
        .take(messages)
        .enumerate()
        .map(|(offset, message)| {
            let sealed = sealers.get_mut(&message.carrier).unwrap().seal(
                NOW_MS,
                &Message {
                    subject: &message.handle,
                    message_id: &message.message_id,
                    media_type: message.media_type,
                    payload: &message.payload,
                },
            );
            SealedRecord {
                key: Some(message.handle.into_bytes()),
                value: Some(sealed.unwrap().into_bytes()),
                sealed_topic: "waybill.sealed".to_owned(),
                source_partition: 0,
                source_offset: offset as i64,
                received_at: NOW_MS,
                attempt: 0,
            }
        })
        .collect();
    let mut keys = PlatformKeys::default();
    keys.insert(platform_key).unwrap();
    let opener = Arc::new(Opener::new(Settings {
        unwraps_per_second: u32::MAX,
        unwraps_per_second_per_carrier: u32::MAX,
        ..Settings::new(AUDIENCE)
    }));
    let swap = |carriers| Arc::new(ArcSwap::from_pointee(carriers));
    (records, Decrypt::new(opener, swap(carriers), Arc::new(ArcSwap::from_pointee(keys))))
}

/// One input at a time, as chain.rs does it. What came out, and how long it took.
fn apply<S: Stage>(stage: &S, inputs: Vec<S::Input>) -> (Vec<S::Output>, Duration) {
    let cx = Context::at(NOW_MS);
    let mut all = Vec::with_capacity(inputs.len());
    let mut outputs = Outputs::default();
    let began = Instant::now();
    for input in inputs {
        outputs.clear();
        stage.apply(&cx, input, &mut outputs).unwrap();
        assert!(outputs.rejects.is_empty(), "{:?}", outputs.rejects);
        all.append(&mut outputs.emitted);
    }
    (all, began.elapsed())
}

/// All encoded values one after the other, and where each ends.
fn encode(events: &[EnrichedEvent]) -> (Vec<u8>, Vec<usize>, Duration) {
    let (mut bytes, mut ends) = (Vec::with_capacity(1 << 22), Vec::with_capacity(events.len()));
    let began = Instant::now();
    for event in events {
        waybill_schemas::encode(event, &mut bytes).unwrap();
        ends.push(bytes.len());
    }
    let took = began.elapsed();
    (bytes, ends, took)
}

fn seal(
    sealer: &mut internal::Sealer,
    events: &[EnrichedEvent],
    bytes: &[u8],
    ends: &[usize],
) -> Duration {
    let mut out = Vec::new();
    let mut start = 0;
    let began = Instant::now();
    for (event, end) in events.iter().zip(ends) {
        out.clear();
        let place: [&[u8]; 2] = [b"enriched", event.event.shipment_id.as_bytes()];
        sealer.seal(&place, &[], &bytes[start..*end], &mut out).unwrap();
        black_box(&out);
        start = *end;
    }
    began.elapsed()
}

fn main() {
    let arguments: Vec<String> =
        std::env::args().skip(1).filter(|a| !a.starts_with("--")).collect();
    let rounds: usize = arguments.first().map_or(40, |text| text.parse().unwrap());
    let only = arguments.get(1).map(String::as_str);
    let (records, decrypt) = sealed(Proof::Granted, MESSAGES);
    let (validate, enrich) = (Validate::default(), Enrich::default());
    let key = InternalKey::generate().unwrap().role("enriched").unwrap();
    let mut sealer = internal::Sealer::new(&key).unwrap();
    let bytes: usize = records.iter().filter_map(|r| r.value.as_ref()).map(Vec::len).sum();
    println!("{MESSAGES} messages, {} bytes each", bytes / MESSAGES);

    let mut least = [Duration::MAX; 5];
    for round in 0..rounds {
        let (opened, decrypting) = apply(&decrypt, records.clone());
        let again = |step| round == 0 && only == Some(step);
        let repeat = |run: &mut dyn FnMut()| {
            for _ in 0..rounds {
                run();
            }
        };
        if again("decrypt") {
            repeat(&mut || _ = black_box(apply(&decrypt, records.clone())));
        }
        let inputs = opened.clone();
        let (valid, validating) = apply(&validate, opened);
        if again("validate") {
            repeat(&mut || _ = black_box(apply(&validate, inputs.clone())));
        }
        let inputs = valid.clone();
        let (enriched, enriching) = apply(&enrich, valid);
        if again("enrich") {
            repeat(&mut || _ = black_box(apply(&enrich, inputs.clone())));
        }
        let (bytes, ends, encoding) = encode(&enriched);
        if again("encode") {
            repeat(&mut || _ = black_box(encode(&enriched)));
        }
        let sealing = seal(&mut sealer, &enriched, &bytes, &ends);
        if again("seal") {
            repeat(&mut || _ = black_box(seal(&mut sealer, &enriched, &bytes, &ends)));
        }
        if only.is_some() {
            return;
        }
        let took = [decrypting, validating, enriching, encoding, sealing];
        for (least, took) in least.iter_mut().zip(took) {
            *least = took.min(*least);
        }
    }
    let each = |took: Duration| took.as_nanos() / MESSAGES as u128;
    for (step, took) in ["decrypt", "validate", "enrich", "encode", "seal"].iter().zip(least) {
        println!("{step:10} {:6} ns", each(took));
    }
    println!("{:10} {:6} ns", "whole", each(least.iter().sum()));

    let alone = signed(1);
    let ahead = signed(usize::MAX);
    println!("signed, one after the other: {alone:.0} events/s");
    println!("signed, shown ahead: {ahead:.0} events/s, {:.2} times as many", ahead / alone);
}

/// Signed events a second through decrypt, of which at most so many are shown ahead: each costs a
/// private RSA operation.
fn signed(at_once: usize) -> f64 {
    let (records, decrypt) = sealed(Proof::Signed, 1_000);
    let end =
        TopicWriter::<Opened>::new(Role::Opened, |opened| opened.provenance.handle.as_bytes());
    let mut chain = Sealed::new(StageOperator::new(decrypt, end), u32::MAX);
    let keys = RoleKeys::of(&InternalKey::generate().unwrap()).unwrap();
    let cipher = TopicCipher::new(&keys, || 0).unwrap();
    let mut batch = Batch::default();
    let at_once = chain.at_once().min(at_once);
    let began = Instant::now();
    for window in records.chunks(at_once) {
        let window: Vec<_> = window
            .iter()
            .map(|record| Incoming {
                role: Role::Sealed,
                topic: "sealed",
                partition: 0,
                offset: record.source_offset,
                key: record.key.as_deref(),
                value: record.value.as_deref(),
                appended_at: NOW_MS,
            })
            .collect();
        chain.look_ahead(&window, &cipher, NOW_MS);
        for record in &window {
            let mut out = OutputContext { batch: &mut batch, cipher: &cipher, now_ms: NOW_MS };
            chain.process(record, &mut out).unwrap();
        }
    }
    records.len() as f64 / began.elapsed().as_secs_f64()
}
