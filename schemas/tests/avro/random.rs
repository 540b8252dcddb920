//! Random records, written by `apache-avro`, which knows the schema alone.

use std::collections::BTreeMap;

use apache_avro::Schema;
use apache_avro::types::Value;
use waybill_schemas::{Record, published};

use crate::fingerprint::fingerprint;

pub const VALUES: u64 = 300;

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
pub fn records<R: Record>() -> Vec<Vec<u8>> {
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
