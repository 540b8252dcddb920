//! Each Rust type and its published schema say the same: `apache-avro`, which knows the schema
//! alone, reads the same names and values from the bytes that our codec writes.

use crate::examples;
use crate::fingerprint::fingerprint;
use apache_avro::types::Value;
use serde_json::{Value as Json, json};
use waybill_schemas::vocabulary::{
    Classifier, DeliveryState, LedgerOutcome, Milestone, Mode, NoteCode, ReadingKind,
    ReferenceKind, TimePrecision, ZoneQuality,
};
use waybill_schemas::{EnrichedEvent, Record, decode, encode, published};

fn check<R: Record + PartialEq + std::fmt::Debug>(record: &R) {
    let mut bytes = Vec::new();
    encode(record, &mut bytes).unwrap();
    assert_eq!(&decode::<R>(&bytes).unwrap(), record, "round trip of {}", R::SCHEMA);

    let schema = apache_avro::Schema::parse_str(&published(R::SCHEMA).unwrap()).unwrap();
    let of_schema = fingerprint(&published(R::SCHEMA).unwrap());
    assert_eq!(&bytes[..2], &[0xC3, 0x01]);
    assert_eq!(&bytes[2..10], &of_schema[..], "CRC-64-AVRO of {}", R::SCHEMA);

    let mut datum = &bytes[10..];
    let value = apache_avro::from_avro_datum(&schema, &mut datum, None).unwrap();
    assert!(datum.is_empty(), "apache-avro leaves {} bytes of {}", datum.len(), R::SCHEMA);
    assert_eq!(plain(value.clone()), serde_json::to_value(record).unwrap(), "{}", R::SCHEMA);
    assert_eq!(
        apache_avro::to_avro_datum(&schema, value).unwrap(),
        &bytes[10..],
        "what apache-avro writes of it"
    );
}

/// What a reader outside sees, in the shape that serde_json gives our type.
fn plain(value: Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Boolean(b) => b.into(),
        Value::Int(n) => n.into(),
        Value::Long(n) | Value::TimestampMillis(n) => n.into(),
        Value::Float(n) => json!(n),
        Value::Double(n) => n.into(),
        Value::Bytes(bytes) | Value::Fixed(_, bytes) => json!(bytes),
        Value::String(text) | Value::Enum(_, text) => text.into(),
        Value::Union(_, value) => plain(*value),
        Value::Array(items) => items.into_iter().map(plain).collect(),
        Value::Record(fields) => fields.into_iter().map(|(n, v)| (n, plain(v))).collect(),
        other => panic!("no schema of ours has {other:?}"),
    }
}

#[test]
fn every_type_fits_its_schema() {
    use examples::minimal;
    check(&examples::opened());
    check(&minimal::opened());
    check(&examples::shipment_event());
    check(&minimal::shipment_event());
    check(&EnrichedEvent { event: examples::shipment_event(), enrichment: examples::enrichment() });
    check(&minimal::enriched_event());
    check(&examples::accepted_event());
    check(&minimal::accepted_event());
    check(&examples::shipment());
    check(&minimal::shipment());
    check(&examples::shipment_history());
    check(&minimal::shipment_history());
    check(&examples::reject());
    check(&minimal::reject());
    check(&examples::ledger_entry());
    check(&minimal::ledger_entry());
    check(&examples::redrive());
    check(&minimal::redrive());
    check(&examples::erasure());
    check(&minimal::erasure());
    check(&examples::delivery());
    check(&minimal::delivery());
}

/// The symbols of every enum of that name, wherever it stands.
fn symbols(schema: &Json, name: &str, found: &mut Vec<Vec<String>>) {
    match schema {
        Json::Object(fields) => {
            if fields.get("type") == Some(&json!("enum"))
                && fields.get("name") == Some(&json!(name))
            {
                found.push(serde_json::from_value(fields["symbols"].clone()).unwrap());
            }
            fields.values().for_each(|v| symbols(v, name, found));
        }
        Json::Array(items) => items.iter().for_each(|v| symbols(v, name, found)),
        _ => {}
    }
}

#[test]
fn enums_are_the_lists_of_the_vocabulary() {
    fn check<E: strum::VariantArray + Copy + Into<&'static str> + serde::Serialize>(name: &str) {
        let mut found = Vec::new();
        for schema in waybill_schemas::NAMES {
            let text: Json = serde_json::from_str(&published(schema).unwrap()).unwrap();
            symbols(&text, name, &mut found);
        }
        let ours: Vec<&str> = E::VARIANTS.iter().map(|v| (*v).into()).collect();
        let serde: Vec<Json> = E::VARIANTS.iter().map(|v| json!(v)).collect();
        assert_eq!(json!(ours), json!(serde), "{name}: strum and serde differ");
        assert!(!found.is_empty(), "no schema has an enum {name}");
        for symbols in found {
            assert_eq!(symbols, ours, "{name}");
        }
    }
    check::<Milestone>("Milestone");
    check::<Classifier>("Classifier");
    check::<Mode>("Mode");
    check::<ZoneQuality>("ZoneQuality");
    check::<ReferenceKind>("ReferenceKind");
    check::<ReadingKind>("ReadingKind");
    check::<NoteCode>("Flag");
    check::<TimePrecision>("TimePrecision");
    check::<LedgerOutcome>("LedgerOutcome");
    check::<DeliveryState>("DeliveryState");
}
