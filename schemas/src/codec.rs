//! Avro single-object encoding (Avro 1.12, "Single-object encoding"): marker C3 01, the CRC-64-AVRO
//! fingerprint of the schema as 8 bytes little endian, then the datum.
//!
//! Records are written, and read if they are of the current schema, by position (`write.rs`,
//! `read.rs`). Older ones are read by `serde_avro_fast`, and not by `apache-avro`: see
//! benches/codec.rs.

use std::fmt;
use std::io::BufRead;
use std::sync::LazyLock;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_avro_fast::Schema;
use serde_avro_fast::de::read::SliceRead;
use serde_avro_fast::de::{DeserializerConfig, DeserializerState};

use crate::later;
use crate::read::read;
use crate::released::released;
use crate::write::write;

const MARKER: [u8; 2] = [0xC3, 0x01];

/// A type that travels on an internal topic.
pub trait Record: Serialize + DeserializeOwned + 'static {
    /// The schema's file name without `.avsc`.
    const SCHEMA: &'static str;
    fn schemas() -> &'static Known;
}

/// The schema a record is written with, and those it was written with in the releases before: a
/// record that waits on a topic, or a state in the changelog, is older than the process that reads
/// it.
pub struct Known {
    current: Written,
    before: Vec<Written>,
    /// What stands behind each datum that is written. Then none is of the types' own schema.
    surplus: &'static [u8],
}

/// A schema and its CRC-64-AVRO fingerprint, little endian.
struct Written {
    fingerprint: [u8; 8],
    schema: Schema,
}

impl Written {
    fn parse(text: &str) -> Result<Self, String> {
        let schema: Schema = text.parse().map_err(|e| format!("{e}"))?;
        Ok(Self { fingerprint: *schema.rabin_fingerprint(), schema })
    }
}

impl Known {
    fn load(name: &str) -> Self {
        let text = published(name).unwrap_or_default();
        let known = match later::schema(&text) {
            None => Self::of(&text, released(name)),
            Some(later) => Self::of(&later, released(name).iter().chain([&text.as_str()]))
                .map(|known| Self { surplus: later::SURPLUS, ..known }),
        };
        match known {
            Ok(known) => known,
            // The texts are compiled in, and a test parses each.
            Err(error) => unreachable!("schema {name}: {error}"),
        }
    }

    fn of<'a>(
        current: &str,
        before: impl IntoIterator<Item = &'a &'a str>,
    ) -> Result<Self, String> {
        Ok(Self {
            current: Written::parse(current)?,
            before: before
                .into_iter()
                .map(|text| Written::parse(text))
                .collect::<Result<_, _>>()?,
            surplus: &[],
        })
    }

    /// Appends what stands before a datum of the current schema.
    pub(crate) fn begin(&self, to: &mut Vec<u8>) {
        to.extend_from_slice(&MARKER);
        to.extend_from_slice(&self.current.fingerprint);
    }

    /// The datum, if it was written with the current schema, which is that of the types.
    pub(crate) fn current_datum<'a>(&self, bytes: &'a [u8]) -> Option<&'a [u8]> {
        if !self.surplus.is_empty() {
            return None;
        }
        bytes.strip_prefix(&MARKER)?.strip_prefix(&self.current.fingerprint)
    }

    /// Whether one of these schemas stands before the datum.
    fn wrote(&self, bytes: &[u8]) -> bool {
        let fingerprint = bytes.strip_prefix(&MARKER).and_then(|rest| rest.first_chunk::<8>());
        fingerprint.is_some_and(|found| {
            let mut known = std::iter::once(&self.current).chain(&self.before);
            known.any(|written| written.fingerprint == *found)
        })
    }

    fn encode<R: Serialize>(&self, record: &R, to: &mut Vec<u8>) -> Result<(), EncodeError> {
        self.begin(to);
        write(record, to).map_err(|e| EncodeError::new(&e))?;
        to.extend_from_slice(self.surplus);
        Ok(())
    }

    /// Reads what was written with the current schema by position, and with an older one by names:
    /// then fields that the writer had and the type has not are skipped; those it had not become
    /// what serde's `default` says (for an `Option`, `None`). Behind what is `whole` nothing may
    /// come.
    pub(crate) fn decode<'de, T: Deserialize<'de>>(
        &self,
        bytes: &'de [u8],
        whole: bool,
    ) -> Result<T, DecodeError> {
        let rest = bytes.strip_prefix(&MARKER).ok_or(DecodeError::NotSingleObject)?;
        let (fingerprint, datum) =
            rest.split_first_chunk::<8>().ok_or(DecodeError::NotSingleObject)?;
        let is_current = self.current.fingerprint == *fingerprint;
        let (record, rest) = if is_current && self.surplus.is_empty() {
            let (record, rest) = read(datum).map_err(|e| DecodeError::Datum(e.to_string()))?;
            (record, rest.len())
        } else {
            let mut known = self.before.iter().chain([&self.current]);
            let known = known.find(|written| written.fingerprint == *fingerprint);
            by_names(&known.ok_or(DecodeError::UnknownSchema)?.schema, datum)?
        };
        if whole && rest > 0 {
            return Err(DecodeError::Datum(format!("{rest} bytes after its end")));
        }
        Ok(record)
    }
}

/// The value, and how many bytes lie behind it.
fn by_names<'de, T: Deserialize<'de>>(
    schema: &Schema,
    datum: &'de [u8],
) -> Result<(T, usize), DecodeError> {
    let mut config = DeserializerConfig::new(schema);
    // No item is shorter than a byte: more of them than bytes is a lie.
    config.max_seq_size = datum.len();
    let mut state = DeserializerState::with_config(SliceRead::new(datum), config);
    let value =
        T::deserialize(state.deserializer()).map_err(|e| DecodeError::Datum(e.to_string()))?;
    Ok((value, state.into_reader().fill_buf().map_or(0, <[u8]>::len)))
}

impl fmt::Debug for Known {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Known({:02x?}, {} before)", self.current.fingerprint, self.before.len())
    }
}

macro_rules! records {
    ($($name:literal => $type:ty),+ $(,)?) => {
        $(impl Record for $type {
            const SCHEMA: &'static str = $name;
            fn schemas() -> &'static Known {
                static KNOWN: LazyLock<Known> = LazyLock::new(|| Known::load($name));
                &KNOWN
            }
        })+

        /// Every published schema's name.
        pub const NAMES: &[&str] = &[$($name),+];
    };
}

records! {
    "opened" => crate::Opened,
    "shipment_event" => crate::ShipmentEvent,
    "enriched_event" => crate::EnrichedEvent,
    "accepted_event" => crate::AcceptedEvent,
    "shipment" => crate::Shipment,
    "shipment_history" => crate::ShipmentHistory,
    "reject" => crate::RejectRecord,
    "ledger_entry" => crate::LedgerEntry,
    "redrive" => crate::Redrive,
    "erasure" => crate::Erasure,
    "delivery" => crate::Delivery,
}

/// The complete text of the schema `name`: types that stand in a file of their own are put in
/// where they are first named.
pub fn published(name: &str) -> Option<String> {
    let own = |name: &str| {
        Some(match name {
            "provenance" => include_str!("../avro/provenance.avsc"),
            "enrichment" => include_str!("../avro/enrichment.avsc"),
            "opened" => include_str!("../avro/opened.avsc"),
            "shipment_event" => include_str!("../avro/shipment_event.avsc"),
            "enriched_event" => include_str!("../avro/enriched_event.avsc"),
            "accepted_event" => include_str!("../avro/accepted_event.avsc"),
            "shipment" => include_str!("../avro/shipment.avsc"),
            "shipment_history" => include_str!("../avro/shipment_history.avsc"),
            "reject" => include_str!("../avro/reject.avsc"),
            "ledger_entry" => include_str!("../avro/ledger_entry.avsc"),
            "redrive" => include_str!("../avro/redrive.avsc"),
            "erasure" => include_str!("../avro/erasure.avsc"),
            "delivery" => include_str!("../avro/delivery.avsc"),
            _ => return None,
        })
    };
    let mut text = own(name)?.to_owned();
    for (full_name, file) in [
        ("io.waybill.ShipmentEvent", "shipment_event"),
        ("io.waybill.Enrichment", "enrichment"),
        ("io.waybill.Provenance", "provenance"),
    ] {
        text = text.replacen(&format!("\"{full_name}\""), own(file)?, 1);
    }
    Some(text)
}

/// Appends `record` to `to` in single-object encoding.
pub fn encode<R: Record>(record: &R, to: &mut Vec<u8>) -> Result<(), EncodeError> {
    R::schemas().encode(record, to)
}

/// Whether these bytes are a record of that type, of the current schema or a released one: for topics with
/// records of more than one type.
pub fn is<R: Record>(bytes: &[u8]) -> bool {
    R::schemas().wrote(bytes)
}

/// Reads one record in single-object encoding, written with the current schema or a released one.
pub fn decode<R: Record>(bytes: &[u8]) -> Result<R, DecodeError> {
    R::schemas().decode(bytes, true)
}

#[derive(Debug, thiserror::Error)]
#[error("does not fit its Avro schema: {0}")]
pub struct EncodeError(String);

impl EncodeError {
    pub(crate) fn new(why: &impl fmt::Display) -> Self {
        Self(why.to_string())
    }
}

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    #[error("not an Avro single object (no marker C3 01)")]
    NotSingleObject,
    #[error(
        "written with a schema that is not known here: upgrade those that read before those that write"
    )]
    UnknownSchema,
    #[error("Avro datum: {0}")]
    Datum(String),
}

/// Avro `bytes` for `Vec<u8>` (serde takes it for a sequence otherwise).
pub(crate) mod bytes {
    use serde::{Deserializer, Serializer, de};

    pub(crate) fn serialize<S: Serializer>(v: &[u8], s: S) -> Result<S::Ok, S::Error> {
        s.serialize_bytes(v)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Vec<u8>, D::Error> {
        struct Visitor;
        impl de::Visitor<'_> for Visitor {
            type Value = Vec<u8>;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("bytes")
            }
            fn visit_bytes<E: de::Error>(self, v: &[u8]) -> Result<Vec<u8>, E> {
                Ok(v.to_vec())
            }
            fn visit_byte_buf<E: de::Error>(self, v: Vec<u8>) -> Result<Vec<u8>, E> {
                Ok(v)
            }
        }
        d.deserialize_byte_buf(Visitor)
    }
}

/// Avro `fixed` of 16 bytes.
pub(crate) mod fixed16 {
    use serde::{Deserializer, Serialize, Serializer, de};

    /// Of the newtype around the bytes, which tells the writer that they are no Avro `bytes`.
    pub(crate) const NAME: &str = "fixed";

    struct Bytes<'a>(&'a [u8; 16]);

    impl Serialize for Bytes<'_> {
        fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
            s.serialize_bytes(self.0)
        }
    }

    pub(crate) fn serialize<S: Serializer>(v: &[u8; 16], s: S) -> Result<S::Ok, S::Error> {
        s.serialize_newtype_struct(NAME, &Bytes(v))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<[u8; 16], D::Error> {
        struct Visitor;
        impl de::Visitor<'_> for Visitor {
            type Value = [u8; 16];
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("16 bytes")
            }
            fn visit_bytes<E: de::Error>(self, v: &[u8]) -> Result<[u8; 16], E> {
                v.try_into().map_err(|_| E::invalid_length(v.len(), &self))
            }
        }
        // A tuple, since `bytes` have a length before them and these have not.
        d.deserialize_tuple(16, Visitor)
    }
}

#[cfg(test)]
mod tests {
    use serde::{Deserialize, Serialize};

    use super::*;

    const OLDER: &str = r#"{"type": "record", "name": "Call", "fields": [
        {"name": "port", "type": "string"},
        {"name": "berth", "type": ["null", "string"]},
        {"name": "draught", "type": "double"}
    ]}"#;
    const NEWER: &str = r#"{"type": "record", "name": "Call", "fields": [
        {"name": "draught", "type": "double"},
        {"name": "port", "type": "string"},
        {"name": "pilot", "type": ["null", "string"], "default": null},
        {"name": "tugs", "type": "int", "default": 0}
    ]}"#;

    #[derive(Serialize)]
    struct Older {
        port: &'static str,
        berth: Option<&'static str>,
        draught: f64,
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Newer {
        draught: f64,
        port: String,
        pilot: Option<String>,
        #[serde(default)]
        tugs: i32,
    }

    #[test]
    fn a_record_of_an_older_release_is_read() {
        let released = Known::of(OLDER, &[]).unwrap();
        let mut bytes = Vec::new();
        released
            .encode(&Older { port: "NLRTM", berth: Some("7"), draught: 14.5 }, &mut bytes)
            .unwrap();
        let expect = Newer { draught: 14.5, port: "NLRTM".into(), pilot: None, tugs: 0 };

        let both = Known::of(NEWER, &[OLDER]).unwrap();
        assert_eq!(both.decode(&bytes, true), Ok(expect));
        let alone = Known::of(NEWER, &[]).unwrap();
        assert_eq!(alone.decode::<Newer>(&bytes, true), Err(DecodeError::UnknownSchema));

        // A text is borrowed, by names too.
        #[derive(Deserialize)]
        struct View<'a> {
            port: &'a str,
        }
        let view: View<'_> = both.decode(&bytes, true).unwrap();
        assert_eq!(view.port, "NLRTM");
        assert!(bytes.as_ptr_range().contains(&view.port.as_ptr()));

        // What is written now is read by the current one.
        bytes.clear();
        let now = Newer { draught: 9.0, port: "DEHAM".into(), pilot: Some("a".into()), tugs: 2 };
        both.encode(&now, &mut bytes).unwrap();
        assert_eq!(both.decode(&bytes, true), Ok(now));
    }

    #[test]
    fn what_is_not_one_record_is_refused() {
        let known = Known::of(NEWER, &[OLDER]).unwrap();
        let mut bytes = Vec::new();
        known
            .encode(&Newer { draught: 1.0, port: "X".into(), pilot: None, tugs: 1 }, &mut bytes)
            .unwrap();
        let check = |bytes: &[u8], expect: Option<DecodeError>| {
            let got = known.decode::<Newer>(bytes, true).unwrap_err();
            match expect {
                Some(expect) => assert_eq!(got, expect, "{bytes:02x?}"),
                None => assert!(matches!(got, DecodeError::Datum(_)), "{got:?} {bytes:02x?}"),
            }
        };
        check(b"", Some(DecodeError::NotSingleObject));
        check(b"{}", Some(DecodeError::NotSingleObject));
        check(&bytes[..9], Some(DecodeError::NotSingleObject));
        check(
            &[&bytes[..9], &[!bytes[9]], &bytes[10..]].concat(),
            Some(DecodeError::UnknownSchema),
        );
        check(&bytes[..10], None);
        check(&bytes[..bytes.len() - 1], None);
        check(&[&bytes[..], &[0]].concat(), None);
    }
}
