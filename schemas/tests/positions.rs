//! Records are read by position (src/read.rs): the types must list the fields of their schemas, in
//! order. Random values of each schema are written by `apache-avro`, which knows the schema alone,
//! read by position, and written again by names: two fields that changed places would show.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod fingerprint;

use std::collections::BTreeMap;
use std::fmt::Debug;

use apache_avro::Schema;
use apache_avro::types::Value;
use fingerprint::fingerprint;
use waybill_schemas::{
    AcceptedEvent, EnrichedEvent, LedgerEntry, Opened, Record, Redrive, RejectRecord, Shipment,
    ShipmentEvent, decode, encode, published, view,
};

const VALUES: u64 = 300;

/// SplitMix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }

    fn text(&mut self, len: usize) -> String {
        (0..len).map(|_| char::from(b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789"[self.below(32)])).collect()
    }
}

/// A random value of the schema of the field `name`. Numbers are what any of our integers holds, and
/// none is 0; codes have the length of a code.
fn value(
    schema: &Schema,
    name: &str,
    random: &mut Random,
    named: &mut BTreeMap<String, Schema>,
) -> Value {
    match schema {
        Schema::Null => Value::Null,
        Schema::Boolean => Value::Boolean(random.below(2) == 1),
        Schema::Int => Value::Int(1 + (random.next() >> 34) as i32),
        Schema::Long => Value::Long(1 + (random.next() >> random.below(62).max(1)) as i64 / 2),
        Schema::TimestampMillis => Value::TimestampMillis(1 + (random.next() >> 20) as i64),
        Schema::Float => Value::Float(random.next() as f32),
        Schema::Double => Value::Double(random.next() as f64),
        Schema::Bytes => Value::Bytes(random.text(5).into_bytes()),
        Schema::String if name.ends_with("unlocode") => Value::String(random.text(5)),
        Schema::String if name.ends_with("country") => Value::String(random.text(2)),
        Schema::String => {
            let len = random.below(80);
            Value::String(random.text(len))
        }
        Schema::Array(array) => {
            // At least one is visited for the types that it names.
            value(&array.items, name, random, named);
            let items = (0..random.below(4)).map(|_| value(&array.items, name, random, named));
            Value::Array(items.collect())
        }
        Schema::Union(union) => {
            let branch = random.below(union.variants().len());
            // The other is visited for the types that it names.
            let all: Vec<_> =
                union.variants().iter().map(|s| value(s, name, random, named)).collect();
            Value::Union(branch as u32, Box::new(all[branch].clone()))
        }
        Schema::Enum(symbols) => {
            named.insert(symbols.name.fullname(None), schema.clone());
            let n = random.below(symbols.symbols.len());
            Value::Enum(n as u32, symbols.symbols[n].clone())
        }
        Schema::Fixed(fixed) => {
            named.insert(fixed.name.fullname(None), schema.clone());
            Value::Fixed(fixed.size, random.text(fixed.size).into_bytes())
        }
        Schema::Record(record) => {
            named.insert(record.name.fullname(None), schema.clone());
            let fields = record.fields.iter();
            let fields = fields.map(|f| (f.name.clone(), value(&f.schema, &f.name, random, named)));
            Value::Record(fields.collect())
        }
        Schema::Ref { name: of } => {
            let schema = named.get(&of.fullname(None)).cloned().unwrap();
            value(&schema, name, random, named)
        }
        other => panic!("no schema of ours has {other:?}"),
    }
}

/// Random records of that schema, in single-object encoding.
fn records<R: Record>() -> Vec<Vec<u8>> {
    let text = published(R::SCHEMA).unwrap();
    let schema = Schema::parse_str(&text).unwrap();
    let mut random = Random(7);
    (0..VALUES)
        .map(|_| {
            let value = value(&schema, "", &mut random, &mut BTreeMap::new());
            let datum = apache_avro::to_avro_datum(&schema, value).unwrap();
            [&[0xC3, 0x01], &fingerprint(&text)[..], &datum].concat()
        })
        .collect()
}

#[test]
fn every_type_lists_the_fields_of_its_schema_in_order() {
    fn check<R: Record>() {
        for bytes in records::<R>() {
            let record: R = decode(&bytes).unwrap();
            let mut again = Vec::new();
            encode(&record, &mut again).unwrap();
            assert!(bytes == again, "{} is not read as it was written", R::SCHEMA);
        }
    }
    check::<Opened>();
    check::<ShipmentEvent>();
    check::<EnrichedEvent>();
    check::<AcceptedEvent>();
    check::<Shipment>();
    check::<RejectRecord>();
    check::<LedgerEntry>();
    check::<Redrive>();
}

/// `Debug` names each field, and makes no difference between a text that is borrowed and one that
/// is not.
#[test]
fn every_view_shows_what_its_record_holds() {
    fn check<R: Record + Debug>(shown: impl Fn(&[u8]) -> String) {
        for bytes in records::<R>() {
            assert_eq!(shown(&bytes), format!("{:?}", decode::<R>(&bytes).unwrap()));
        }
    }
    check::<EnrichedEvent>(|b| format!("{:?}", view::<view::EnrichedEvent>(b).unwrap()));
    check::<AcceptedEvent>(|b| format!("{:?}", view::<view::AcceptedEvent>(b).unwrap()));
    check::<RejectRecord>(|b| format!("{:?}", view::<view::RejectRecord>(b).unwrap()));
}

#[test]
fn the_head_of_a_shipment_is_read_alone() {
    for bytes in records::<Shipment>() {
        let shipment: Shipment = decode(&bytes).unwrap();
        let head: view::ShipmentHead = view(&bytes).unwrap();
        assert_eq!(
            (head.shipment_id, head.carrier_id, &head.last.to_owned()),
            (&*shipment.shipment_id, &*shipment.carrier_id, &*shipment.last)
        );
    }
}

#[test]
fn nothing_may_come_behind_a_whole_view() {
    let bytes = records::<RejectRecord>().remove(0);
    let longer = [&bytes[..], &[0]].concat();
    assert!(view::<view::RejectRecord>(&bytes).is_ok());
    assert!(view::<view::RejectRecord>(&longer).is_err());
    for end in 0..bytes.len() {
        assert!(view::<view::RejectRecord>(&bytes[..end]).is_err(), "{end} bytes");
    }
}
