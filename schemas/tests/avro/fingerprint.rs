/// CRC-64-AVRO of a schema, as 8 bytes little endian, by another hand than our codec's. apache-avro
/// leaves logical types in what it calls the canonical form, where Avro 1.12 ("Parsing Canonical
/// Form", STRIP) takes them out: so they are taken out before.
pub fn fingerprint(text: &str) -> Vec<u8> {
    fn strip(schema: &mut serde_json::Value) {
        match schema {
            serde_json::Value::Object(fields) => {
                fields.remove("logicalType");
                fields.values_mut().for_each(strip);
            }
            serde_json::Value::Array(items) => items.iter_mut().for_each(strip),
            _ => {}
        }
    }
    let mut schema = serde_json::from_str(text).unwrap();
    strip(&mut schema);
    let schema = apache_avro::Schema::parse(&schema).unwrap();
    schema.fingerprint::<apache_avro::rabin::Rabin>().bytes
}
