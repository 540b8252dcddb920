//! What the macro writes is a serializer that refuses what was named.

use serde::Serialize;

struct OnlyText;

impl serde::Serializer for OnlyText {
    type Ok = String;
    type Error = serde::de::value::Error;

    fn serialize_str(self, v: &str) -> Result<String, Self::Error> {
        Ok(v.to_owned())
    }

    serde_serializer_quick_unsupported::serializer_unsupported! {
        err = (<Self::Error as serde::de::Error>::custom("text only"));
        bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char bytes none some unit unit_struct
        unit_variant newtype_struct newtype_variant seq tuple tuple_struct tuple_variant map
        struct struct_variant i128 u128
    }
}

#[test]
fn what_is_named_is_refused_and_the_rest_is_served() {
    assert_eq!("x".serialize(OnlyText).unwrap(), "x");
    for refused in [
        true.serialize(OnlyText),
        1u8.serialize(OnlyText),
        1i128.serialize(OnlyText),
        Some(1).serialize(OnlyText),
        vec![1].serialize(OnlyText),
        (1, 2).serialize(OnlyText),
        std::collections::BTreeMap::<u8, u8>::new().serialize(OnlyText),
    ] {
        assert_eq!(refused.unwrap_err().to_string(), "text only");
    }
}
