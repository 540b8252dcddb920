//! A schema cannot change unnoticed, nor so that a released record can no longer be read.
//!
//! avro/released/NAME.N.avsc is schema NAME as release N had it, avro/fingerprints.lock the
//! CRC-64-AVRO fingerprint of each, and the last N is today's. Only `doc` may change freely.
//! When a schema changes on purpose:
//! - before the first release: `WAYBILL_BLESS=1` writes version N anew;
//! - after it: `WAYBILL_BLESS=next` writes version N+1, for src/released.rs to name.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use crate::fingerprint::fingerprint;
use apache_avro::Schema;
use apache_avro::schema::{EnumSchema, FixedSchema};
use apache_avro::schema_compatibility::SchemaCompatibility;
use apache_avro::types::Value;
use serde_json::{Value as Json, json};
use waybill_schemas::{
    AcceptedEvent, Delivery, EnrichedEvent, Erasure, LedgerEntry, NAMES, Opened, Record, Redrive,
    RejectRecord, Shipment, ShipmentEvent, ShipmentHistory, decode, published, released,
};

const WHAT_TO_DO: &str =
    "see the top of schemas/tests/avro/evolution.rs, and CONTRIBUTING.md, \"What tests write\"";

fn avro(path: &str) -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/avro")).join(path)
}

/// A schema without what tells readers nothing but words.
fn without_doc(text: &str) -> Json {
    fn strip(schema: &mut Json) {
        match schema {
            Json::Object(fields) => {
                fields.remove("doc");
                fields.values_mut().for_each(strip);
            }
            Json::Array(items) => items.iter_mut().for_each(strip),
            _ => {}
        }
    }
    let mut schema = serde_json::from_str(text).unwrap();
    strip(&mut schema);
    schema
}

/// What is wrong with `current` as the successor of `released`, oldest first.
fn problems(current: &str, released: &[&str]) -> Vec<String> {
    let mut problems = Vec::new();
    match released.last() {
        Some(last) if without_doc(last) == without_doc(current) => {}
        Some(_) => problems.push(format!("it changed and has no new entry: {WHAT_TO_DO}")),
        None => problems.push(format!("it has no entry: {WHAT_TO_DO}")),
    }
    let reader = match Schema::parse_str(current) {
        Ok(reader) => reader,
        Err(error) => return vec![format!("it is no schema: {error}")],
    };
    for (text, n) in released.iter().zip(1..) {
        let writer = Schema::parse_str(text).unwrap();
        if let Err(error) = SchemaCompatibility::can_read(&writer, &reader) {
            problems.push(format!(
                "records of version {n} can no longer be read: {error}. Give a new field a \
                 default, add symbols at the end, and never change a type or take a symbol away"
            ));
        }
    }
    problems
}

/// Version numbers in the folder, by schema.
fn versions() -> BTreeMap<String, Vec<usize>> {
    let mut versions: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for file in fs::read_dir(avro("released")).unwrap() {
        let file = file.unwrap().file_name().into_string().unwrap();
        let (name, n) = file.strip_suffix(".avsc").unwrap().rsplit_once('.').unwrap();
        versions.entry(name.to_owned()).or_default().push(n.parse().unwrap());
    }
    versions.values_mut().for_each(|v| v.sort_unstable());
    versions
}

fn lock() -> String {
    let mut lock = String::from(
        "# schema, version, CRC-64-AVRO fingerprint as it stands in a record: tests/avro/evolution.rs\n",
    );
    for (name, versions) in versions() {
        for n in versions {
            let text = fs::read_to_string(avro(&format!("released/{name}.{n}.avsc"))).unwrap();
            let hex: String = fingerprint(&text).iter().map(|b| format!("{b:02x}")).collect();
            lock += &format!("{name} {n} {hex}\n");
        }
    }
    lock
}

fn bless(next: bool) {
    let before = versions();
    for name in NAMES {
        let current = published(name).unwrap();
        let last = before.get(*name).and_then(|v| v.last()).copied().unwrap_or(0);
        let n = if next { last + 1 } else { last.max(1) };
        let old = fs::read_to_string(avro(&format!("released/{name}.{last}.avsc")));
        if old.is_ok_and(|old| without_doc(&old) == without_doc(&current)) {
            continue;
        }
        fs::write(avro(&format!("released/{name}.{n}.avsc")), current).unwrap();
        println!("wrote {name}.{n}.avsc");
    }
    fs::write(avro("fingerprints.lock"), lock()).unwrap();
}

#[test]
fn schemas_change_on_purpose_and_compatibly() {
    match std::env::var("WAYBILL_BLESS").as_deref() {
        // What was compiled in is old now: the next run compares.
        Ok("1") => return bless(false),
        Ok("next") => return bless(true),
        _ => {}
    }
    let mut found = String::new();
    let on_disk = versions();
    for name in NAMES {
        for problem in problems(&published(name).unwrap(), released(name)) {
            found += &format!("{name}: {problem}\n");
        }
        let files: Vec<String> = on_disk
            .get(*name)
            .into_iter()
            .flatten()
            .map(|n| fs::read_to_string(avro(&format!("released/{name}.{n}.avsc"))).unwrap())
            .collect();
        if files != released(name) {
            found +=
                &format!("{name}: src/released.rs does not name avro/released/{name}.*.avsc\n");
        }
    }
    if fs::read_to_string(avro("fingerprints.lock")).unwrap() != lock() {
        found += &format!("avro/fingerprints.lock: a released schema was changed: {WHAT_TO_DO}\n");
    }
    assert!(found.is_empty(), "\n{found}");
}

/// The change, and what must be said of it (nothing: it is compatible and has its entry).
#[test]
fn an_incompatible_change_is_found() {
    let before = published("shipment_history").unwrap();
    let check = |what: &str, change: &dyn Fn(&mut Json), blessed: bool, expect: Option<&str>| {
        let mut after: Json = serde_json::from_str(&before).unwrap();
        change(&mut after);
        let after = after.to_string();
        let mut released = vec![before.as_str()];
        if blessed {
            released.push(&after);
        }
        let found = problems(&after, &released);
        match expect {
            None => assert!(found.is_empty(), "{what}: {found:?}"),
            Some(why) => {
                assert!(found.iter().any(|p| p.contains(why)), "{what}: {found:?}");
            }
        }
    };
    fn field<'a>(schema: &'a mut Json, name: &str) -> &'a mut Json {
        let fields = schema["fields"].as_array_mut().unwrap();
        fields.iter_mut().find(|f| f["name"] == name).unwrap()
    }
    let add =
        |field: Json| move |s: &mut Json| s["fields"].as_array_mut().unwrap().push(field.clone());
    const UNREADABLE: &str = "records of version 1 can no longer be read";
    const NO_ENTRY: &str = "it changed and has no new entry";

    check("nothing", &|_| {}, false, None);
    check("other words", &|s| field(s, "revision")["doc"] = json!("x"), false, None);
    let with_default = add(json!({"name": "new", "type": "int", "default": 0}));
    check("new field with a default", &with_default, true, None);
    check("the same without an entry", &with_default, false, Some(NO_ENTRY));
    let without = add(json!({"name": "new", "type": "int"}));
    check("new field without a default", &without, true, Some(UNREADABLE));
    let other_type = |s: &mut Json| field(s, "revision")["type"] = json!("string");
    check("another type", &other_type, true, Some(UNREADABLE));
    check(
        "long to double is promoted",
        &|s| field(s, "revision")["type"] = json!("double"),
        true,
        None,
    );
    check(
        "another name",
        &|s| field(s, "duplicates")["name"] = json!("copies"),
        true,
        Some(UNREADABLE),
    );
    let symbols = |s: &mut Json, change: &dyn Fn(&mut Vec<Json>)| {
        let entry = &mut field(s, "events")["type"]["items"];
        change(field(entry, "classifier")["type"]["symbols"].as_array_mut().unwrap());
    };
    let more = |s: &mut Json| symbols(s, &|list| list.push(json!("requested")));
    check("one more symbol", &more, true, None);
    check("one more symbol without an entry", &more, false, Some(NO_ENTRY));
    let fewer = |s: &mut Json| symbols(s, &|list| drop(list.pop()));
    check("a symbol less", &fewer, true, Some(UNREADABLE));
    let default_gone = |s: &mut Json| {
        field(s, "unit").as_object_mut().unwrap().remove("default");
    };
    check("a default taken away", &default_gone, false, Some(NO_ENTRY));
}

/// The least value of a schema.
fn least(schema: &Schema, named: &mut BTreeMap<String, Schema>) -> Value {
    match schema {
        Schema::Null => Value::Null,
        Schema::Boolean => Value::Boolean(false),
        Schema::Int => Value::Int(0),
        Schema::Long => Value::Long(0),
        Schema::TimestampMillis => Value::TimestampMillis(0),
        Schema::Float => Value::Float(0.0),
        Schema::Double => Value::Double(0.0),
        Schema::Bytes => Value::Bytes(Vec::new()),
        Schema::String => Value::String(String::new()),
        Schema::Array(array) => {
            // Visited for the types that it names.
            least(&array.items, named);
            Value::Array(Vec::new())
        }
        Schema::Union(union) => {
            // The others are visited for the types that they name.
            let all: Vec<_> = union.variants().iter().map(|s| least(s, named)).collect();
            Value::Union(0, Box::new(all[0].clone()))
        }
        Schema::Enum(EnumSchema { name, symbols, .. }) => {
            named.insert(name.fullname(None), schema.clone());
            Value::Enum(0, symbols[0].clone())
        }
        Schema::Fixed(FixedSchema { name, size, .. }) => {
            named.insert(name.fullname(None), schema.clone());
            Value::Fixed(*size, vec![0; *size])
        }
        Schema::Record(record) => {
            named.insert(record.name.fullname(None), schema.clone());
            let fields = record.fields.iter();
            Value::Record(fields.map(|f| (f.name.clone(), least(&f.schema, named))).collect())
        }
        Schema::Ref { name } => {
            let schema = named.get(&name.fullname(None)).cloned().unwrap();
            least(&schema, named)
        }
        other => panic!("no schema of ours has {other:?}"),
    }
}

/// serde, too, must find its way from what each release wrote to the type of today: a field that
/// is new and no `Option` needs `#[serde(default)]`.
#[test]
fn records_of_every_release_become_todays_types() {
    fn check<R: Record>() {
        for (text, n) in released(R::SCHEMA).iter().zip(1..) {
            let schema = Schema::parse_str(text).unwrap();
            let value = least(&schema, &mut BTreeMap::new());
            let mut bytes = vec![0xC3, 0x01];
            bytes.extend(fingerprint(text));
            bytes.extend(apache_avro::to_avro_datum(&schema, value).unwrap());
            if let Err(error) = decode::<R>(&bytes) {
                panic!("{} of version {n}: {error}", R::SCHEMA);
            }
        }
    }
    check::<Opened>();
    check::<ShipmentEvent>();
    check::<EnrichedEvent>();
    check::<AcceptedEvent>();
    check::<Shipment>();
    check::<ShipmentHistory>();
    check::<RejectRecord>();
    check::<LedgerEntry>();
    check::<Redrive>();
    check::<Erasure>();
    check::<Delivery>();
}
