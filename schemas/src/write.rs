//! Writes an Avro datum by position alone, as `read.rs` reads it: our types list the fields of their
//! schema in its order, so no name is looked at. It takes a seventh of the time of a writer that goes
//! by the schema (benches/codec.rs). What a type must be like for it is said there, and
//! tests/avro/positions.rs holds all of ours to it.

use std::fmt;

use serde::ser::{self, Impossible, SerializeSeq, SerializeStruct};
use serde::{Serialize, Serializer};

use crate::codec::fixed16;

/// Appends the value's datum to `to`.
pub(crate) fn write<T: Serialize + ?Sized>(value: &T, to: &mut Vec<u8>) -> Result<(), Unfit> {
    value.serialize(&mut Writer { to, in_fixed: false })
}

#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Unfit(String);

impl ser::Error for Unfit {
    fn custom<T: fmt::Display>(why: T) -> Self {
        Self(why.to_string())
    }
}

#[cold]
fn unfit(why: &str) -> Unfit {
    Unfit(why.to_owned())
}

struct Writer<'w> {
    to: &'w mut Vec<u8>,
    /// Within a `fixed`, whose bytes have no length before them.
    in_fixed: bool,
}

impl Writer<'_> {
    /// `int` and `long`: zigzag, then seven bits a byte, the lowest first.
    #[inline]
    fn long(&mut self, value: i64) {
        let mut bits = ((value << 1) ^ (value >> 63)).cast_unsigned();
        while bits >= 0x80 {
            // The seven lowest bits.
            self.to.push(bits.to_le_bytes()[0] | 0x80);
            bits >>= 7;
        }
        self.to.push(bits.to_le_bytes()[0]);
    }

    #[inline]
    fn len(&mut self, len: usize) -> Result<(), Unfit> {
        self.long(i64::try_from(len).map_err(|_| unfit("a length of more than 63 bits"))?);
        Ok(())
    }
}

macro_rules! numbers {
    ($($method:ident: $type:ty),+) => {
        $(#[inline]
        fn $method(self, v: $type) -> Result<(), Unfit> {
            self.long(v.into());
            Ok(())
        })+
    };
}

macro_rules! nothing_of_ours {
    ($($method:ident($($arg:ty),*) -> $ok:ty;)+) => {
        $(fn $method(self, $(_: $arg),*) -> Result<$ok, Unfit> {
            Err(unfit("this type cannot be written by position"))
        })+
    };
}

type Never = Impossible<(), Unfit>;

impl<'w> Serializer for &mut Writer<'w> {
    type Ok = ();
    type Error = Unfit;
    type SerializeSeq = Self;
    type SerializeTuple = Never;
    type SerializeTupleStruct = Never;
    type SerializeTupleVariant = Never;
    type SerializeMap = Never;
    type SerializeStruct = Self;
    type SerializeStructVariant = Never;

    numbers! {
        serialize_i8: i8, serialize_i16: i16, serialize_i32: i32, serialize_i64: i64,
        serialize_u8: u8, serialize_u16: u16, serialize_u32: u32
    }

    #[inline]
    fn serialize_u64(self, v: u64) -> Result<(), Unfit> {
        self.long(i64::try_from(v).map_err(|_| unfit("a number of more than 63 bits"))?);
        Ok(())
    }

    #[inline]
    fn serialize_bool(self, v: bool) -> Result<(), Unfit> {
        self.to.push(v.into());
        Ok(())
    }

    #[inline]
    fn serialize_f32(self, v: f32) -> Result<(), Unfit> {
        self.to.extend_from_slice(&v.to_le_bytes());
        Ok(())
    }

    #[inline]
    fn serialize_f64(self, v: f64) -> Result<(), Unfit> {
        self.to.extend_from_slice(&v.to_le_bytes());
        Ok(())
    }

    #[inline]
    fn serialize_str(self, v: &str) -> Result<(), Unfit> {
        self.serialize_bytes(v.as_bytes())
    }

    #[inline]
    fn serialize_bytes(self, v: &[u8]) -> Result<(), Unfit> {
        if !self.in_fixed {
            self.len(v.len())?;
        }
        self.to.extend_from_slice(v);
        Ok(())
    }

    /// A union of null and one type.
    #[inline]
    fn serialize_none(self) -> Result<(), Unfit> {
        self.long(0);
        Ok(())
    }

    #[inline]
    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Unfit> {
        self.long(1);
        value.serialize(self)
    }

    #[inline]
    fn serialize_unit_variant(
        self,
        _name: &'static str,
        index: u32,
        _variant: &'static str,
    ) -> Result<(), Unfit> {
        self.long(index.into());
        Ok(())
    }

    #[inline]
    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        value: &T,
    ) -> Result<(), Unfit> {
        self.in_fixed = name == fixed16::NAME;
        value.serialize(&mut *self)?;
        self.in_fixed = false;
        Ok(())
    }

    /// An array, as one block.
    #[inline]
    fn serialize_seq(self, len: Option<usize>) -> Result<Self, Unfit> {
        match len {
            None => return Err(unfit("a list whose length is not known")),
            Some(0) => {}
            Some(n) => self.len(n)?,
        }
        Ok(self)
    }

    #[inline]
    fn serialize_struct(self, _name: &'static str, _len: usize) -> Result<Self, Unfit> {
        Ok(self)
    }

    nothing_of_ours! {
        serialize_char(char) -> ();
        serialize_unit() -> ();
        serialize_unit_struct(&'static str) -> ();
        serialize_tuple(usize) -> Never;
        serialize_tuple_struct(&'static str, usize) -> Never;
        serialize_tuple_variant(&'static str, u32, &'static str, usize) -> Never;
        serialize_map(Option<usize>) -> Never;
        serialize_struct_variant(&'static str, u32, &'static str, usize) -> Never;
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<(), Unfit> {
        Err(unfit("a symbol holds nothing"))
    }

    fn is_human_readable(&self) -> bool {
        true // as the library says of itself, so that a type has one form
    }
}

impl SerializeSeq for &mut Writer<'_> {
    type Ok = ();
    type Error = Unfit;

    #[inline]
    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Unfit> {
        value.serialize(&mut **self)
    }

    /// The block of none that ends an array.
    #[inline]
    fn end(self) -> Result<(), Unfit> {
        self.long(0);
        Ok(())
    }
}

impl SerializeStruct for &mut Writer<'_> {
    type Ok = ();
    type Error = Unfit;

    #[inline]
    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        _key: &'static str,
        value: &T,
    ) -> Result<(), Unfit> {
        value.serialize(&mut **self)
    }

    /// What is read by position cannot be without a field.
    fn skip_field(&mut self, key: &'static str) -> Result<(), Unfit> {
        Err(Unfit(format!("the field {key} is skipped")))
    }

    #[inline]
    fn end(self) -> Result<(), Unfit> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;
    use crate::read::read;

    fn check<T: Serialize + for<'de> Deserialize<'de> + PartialEq + fmt::Debug>(
        value: T,
        expect: &[u8],
    ) {
        let mut datum = Vec::new();
        write(&value, &mut datum).unwrap();
        assert_eq!(datum, expect, "{value:?}");
        let (again, rest): (T, _) = read(&datum).unwrap();
        assert_eq!((again, rest), (value, &[][..]));
    }

    #[test]
    fn numbers_are_zigzag() {
        check(0_i64, &[0]);
        check(-1_i64, &[1]);
        check(63_u32, &[126]);
        check(64_u64, &[0x80, 1]);
        check(i64::MIN, &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1]);
        check(i64::MAX, &[0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1]);
        check(1.0_f32, &[0, 0, 0x80, 0x3f]);
        assert!(write(&u64::MAX, &mut Vec::new()).is_err());
    }

    #[test]
    fn lists_end_with_a_block_of_none() {
        check(Vec::<i64>::new(), &[0]);
        check(vec![1_i64, 2, 3], &[6, 2, 4, 6, 0]);
        check(vec![Some(String::from("ab")), None], &[4, 2, 4, b'a', b'b', 0, 0]);
    }

    #[test]
    fn a_fixed_has_no_length_and_what_comes_behind_it_has() {
        let id = crate::EventId(*b"\0\x01\x7f\x80\xff-eleven mor");
        let mut writer = Writer { to: &mut Vec::new(), in_fixed: false };
        id.serialize(&mut writer).unwrap();
        "ab".serialize(&mut writer).unwrap();
        assert_eq!(writer.to, &[&id.0[..], &[4, b'a', b'b']].concat());
    }

    #[test]
    fn what_has_no_fixed_form_is_refused() {
        #[derive(Serialize)]
        struct Skips {
            #[serde(skip_serializing_if = "Option::is_none")]
            berth: Option<i64>,
        }
        assert!(write(&Skips { berth: None }, &mut Vec::new()).is_err());
        assert!(write(&std::collections::BTreeMap::from([(1, 2)]), &mut Vec::new()).is_err());
        assert!(write(&'x', &mut Vec::new()).is_err());
    }
}
