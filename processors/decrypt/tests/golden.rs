//! Events that another implementation sealed (fixtures/make.py, with test keys) open, and will
//! open as long as their `typ` is accepted. If this fails, the format has changed.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod forge;

use forge::{World, fixture};
use waybill_stage::SealedRecord;

#[test]
fn sealed_events_of_another_implementation_open() {
    let world = World::new();
    for proof in ["granted", "signed"] {
        for key in ["ed25519", "es256"] {
            let record = SealedRecord {
                key: Some("h-7f3a ø".into()),
                value: Some(fixture(&format!("{proof}-{key}.jwe")).into_bytes()),
                sealed_topic: String::new(),
                source_partition: 0,
                source_offset: 0,
                received_at: 1_763_990_401_000,
                attempt: 0,
            };
            let opened = world.open(&record).unwrap_or_else(|e| panic!("{proof} {key}: {e:?}"));
            assert_eq!(opened.media_type, "application/vnd.test+json;v=1");
            assert_eq!(
                String::from_utf8_lossy(&opened.payload),
                r#"{"eventType":"SHIPMENT","note":"a test event, ø"}"#
            );
            assert_eq!(opened.provenance.message_id, "01JD:1");
            assert_eq!(opened.provenance.sealed_at, 1_763_990_400_125);
        }
    }
}

/// Our own sealer's events open with our own stage.
#[test]
fn our_own_events_open() {
    use waybill_sealing::seal::{Message, Proof, Sealer, SealerConfig};
    let world = World::new();
    for proof in [Proof::Granted, Proof::Signed] {
        for key in ["ed25519", "es256"] {
            let mut sealer = Sealer::new(SealerConfig {
                issuer: "acme-line".into(),
                audience: forge::AUDIENCE.into(),
                platform_key: world.keys.get("platform-test").unwrap().public().clone(),
                signing_key: forge::signing_key(key).into(),
                proof,
                content_key_life_ms: 60_000,
            })
            .unwrap();
            for n in 0..5 {
                let now_ms = forge::T + n * 31_777;
                let subject = format!("shipment \"{n}\" é");
                let message_id = n.to_string();
                let message = Message {
                    subject: &subject,
                    message_id: &message_id,
                    media_type: "application/EDIFACT",
                    payload: b"UNA",
                };
                let record = SealedRecord {
                    key: Some(subject.clone().into_bytes()),
                    value: Some(sealer.seal(now_ms, &message).unwrap().into_bytes()),
                    sealed_topic: String::new(),
                    source_partition: 0,
                    source_offset: n,
                    received_at: now_ms,
                    attempt: 0,
                };
                let opened = world.open(&record).unwrap();
                assert_eq!(
                    (opened.media_type.as_str(), opened.payload.as_slice()),
                    ("application/EDIFACT", b"UNA".as_slice())
                );
                assert_eq!(opened.provenance.sealed_at, now_ms);
            }
        }
    }
}
