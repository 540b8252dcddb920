//! Reads an Avro datum by position alone. Our types list the fields of their schema in its order,
//! and a datum is its fields one behind the other, so no name is looked at: that is half of the
//! time of a reader that goes by the schema, and a third with texts that are borrowed
//! (benches/codec.rs).
//!
//! Only for what was written with the current schema; an older one has other fields, and goes by
//! names. What a type must be like for it (tests/avro/positions.rs holds all of ours to it): every field,
//! in order; a union is of null and one type; an enum has the schema's symbols in their order.

use std::fmt;

use serde::Deserializer;
use serde::de::value::U32Deserializer;
use serde::de::{
    self, Deserialize, DeserializeSeed, EnumAccess, IntoDeserializer, SeqAccess, VariantAccess,
    Visitor,
};

/// Reads the value at the front of `datum`; what lies behind it is returned too.
pub(crate) fn read<'de, T: Deserialize<'de>>(
    datum: &'de [u8],
) -> Result<(T, &'de [u8]), Malformed> {
    let mut reader = Reader { rest: datum };
    let value = T::deserialize(&mut reader)?;
    Ok((value, reader.rest))
}

#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Malformed(String);

impl de::Error for Malformed {
    fn custom<T: fmt::Display>(why: T) -> Self {
        Self(why.to_string())
    }
}

#[cold]
fn malformed(why: &str) -> Malformed {
    Malformed(why.to_owned())
}

struct Reader<'de> {
    rest: &'de [u8],
}

impl<'de> Reader<'de> {
    #[inline]
    fn take(&mut self, n: usize) -> Result<&'de [u8], Malformed> {
        let (taken, rest) =
            self.rest.split_at_checked(n).ok_or_else(|| malformed("it ends too early"))?;
        self.rest = rest;
        Ok(taken)
    }

    #[inline]
    fn array<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let (taken, rest) =
            self.rest.split_first_chunk().ok_or_else(|| malformed("it ends too early"))?;
        self.rest = rest;
        Ok(*taken)
    }

    /// `int` and `long`: zigzag, then seven bits a byte, the lowest first.
    #[inline]
    fn long(&mut self) -> Result<i64, Malformed> {
        let mut bits = 0_u64;
        let mut shift = 0;
        while let Some((&byte, rest)) = self.rest.split_first() {
            self.rest = rest;
            // Of the tenth byte there is room for one bit.
            if shift == 63 && byte > 1 {
                return Err(malformed("a number of more than 64 bits"));
            }
            bits |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok((bits >> 1).cast_signed() ^ -((bits & 1).cast_signed()));
            }
            shift += 7;
        }
        Err(malformed("it ends within a number"))
    }

    #[inline]
    fn index(&mut self) -> Result<u32, Malformed> {
        u32::try_from(self.long()?).map_err(|_| malformed("no index of a symbol or a branch"))
    }

    #[inline]
    fn delimited(&mut self) -> Result<&'de [u8], Malformed> {
        let len = usize::try_from(self.long()?).map_err(|_| malformed("a length below zero"))?;
        self.take(len)
    }

    #[inline]
    fn text(&mut self) -> Result<&'de str, Malformed> {
        str::from_utf8(self.delimited()?).map_err(|_| malformed("a string is not UTF-8"))
    }
}

macro_rules! by {
    ($($method:ident, $visit:ident: $read:expr;)+) => {
        $(#[inline]
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Malformed> {
            let read: fn(&mut Reader<'de>) -> Result<_, Malformed> = $read;
            visitor.$visit(read(self)?)
        })+
    };
}

impl<'de> Deserializer<'de> for &mut Reader<'de> {
    type Error = Malformed;

    // Whether a number fits its type is seen by the type.
    by! {
        deserialize_i8, visit_i64: Reader::long;
        deserialize_i16, visit_i64: Reader::long;
        deserialize_i32, visit_i64: Reader::long;
        deserialize_i64, visit_i64: Reader::long;
        deserialize_u8, visit_i64: Reader::long;
        deserialize_u16, visit_i64: Reader::long;
        deserialize_u32, visit_i64: Reader::long;
        deserialize_u64, visit_i64: Reader::long;
        deserialize_f32, visit_f32: |r| Ok(f32::from_le_bytes(r.array()?));
        deserialize_f64, visit_f64: |r| Ok(f64::from_le_bytes(r.array()?));
        deserialize_str, visit_borrowed_str: Reader::text;
        deserialize_string, visit_borrowed_str: Reader::text;
        deserialize_bytes, visit_borrowed_bytes: Reader::delimited;
        deserialize_byte_buf, visit_borrowed_bytes: Reader::delimited;
    }

    #[inline]
    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Malformed> {
        match self.array()? {
            [0] => visitor.visit_bool(false),
            [1] => visitor.visit_bool(true),
            _ => Err(malformed("a boolean that is neither 0 nor 1")),
        }
    }

    /// A union of null and one type.
    #[inline]
    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Malformed> {
        match self.index()? {
            0 => visitor.visit_none(),
            1 => visitor.visit_some(self),
            _ => Err(malformed("no branch of the union")),
        }
    }

    /// Avro's `fixed`: so many bytes, without a length.
    #[inline]
    fn deserialize_tuple<V: Visitor<'de>>(
        self,
        len: usize,
        visitor: V,
    ) -> Result<V::Value, Malformed> {
        visitor.visit_borrowed_bytes(self.take(len)?)
    }

    #[inline]
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Malformed> {
        visitor.visit_seq(Fields { reader: self, left: fields.len() })
    }

    #[inline]
    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Malformed> {
        visitor.visit_newtype_struct(self)
    }

    #[inline]
    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Malformed> {
        // No item is shorter than a byte: more of them than bytes is a lie.
        let most = self.rest.len();
        visitor.visit_seq(Items { reader: self, in_block: 0, most })
    }

    #[inline]
    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Malformed> {
        visitor.visit_enum(Symbol(self.index()?))
    }

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Malformed> {
        Err(malformed("this type cannot be read by position"))
    }

    serde::forward_to_deserialize_any! {
        i128 u128 char unit unit_struct tuple_struct map identifier ignored_any
    }

    fn is_human_readable(&self) -> bool {
        true // as the library says of itself, so that a type has one form
    }
}

struct Fields<'r, 'de> {
    reader: &'r mut Reader<'de>,
    left: usize,
}

impl<'de> SeqAccess<'de> for Fields<'_, 'de> {
    type Error = Malformed;

    #[inline]
    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Malformed> {
        let Some(left) = self.left.checked_sub(1) else { return Ok(None) };
        self.left = left;
        seed.deserialize(&mut *self.reader).map(Some)
    }
}

/// An array: blocks, each with the number of its items before it, until one of none.
struct Items<'r, 'de> {
    reader: &'r mut Reader<'de>,
    in_block: usize,
    /// How many may still come.
    most: usize,
}

impl Items<'_, '_> {
    fn next_block(&mut self) -> Result<(), Malformed> {
        let count = self.reader.long()?;
        if count < 0 {
            // Then the block's size in bytes stands behind it, for those who skip.
            self.reader.long()?;
        }
        let count = usize::try_from(count.unsigned_abs()).unwrap_or(usize::MAX);
        self.most =
            self.most.checked_sub(count).ok_or_else(|| malformed("more items than bytes"))?;
        self.in_block = count;
        Ok(())
    }
}

impl<'de> SeqAccess<'de> for Items<'_, 'de> {
    type Error = Malformed;

    #[inline]
    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Malformed> {
        if self.in_block == 0 {
            self.next_block()?;
            if self.in_block == 0 {
                return Ok(None);
            }
        }
        self.in_block -= 1;
        seed.deserialize(&mut *self.reader).map(Some)
    }
}

struct Symbol(u32);

impl<'de> EnumAccess<'de> for Symbol {
    type Error = Malformed;
    type Variant = Unit;

    #[inline]
    fn variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<(T::Value, Unit), Malformed> {
        let index: U32Deserializer<Malformed> = self.0.into_deserializer();
        Ok((seed.deserialize(index)?, Unit))
    }
}

struct Unit;

impl<'de> VariantAccess<'de> for Unit {
    type Error = Malformed;

    #[inline]
    fn unit_variant(self) -> Result<(), Malformed> {
        Ok(())
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, _: T) -> Result<T::Value, Malformed> {
        Err(malformed("a symbol holds nothing"))
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, _: V) -> Result<V::Value, Malformed> {
        Err(malformed("a symbol holds nothing"))
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Malformed> {
        Err(malformed("a symbol holds nothing"))
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Debug;

    use super::*;

    fn check<'de, T: Deserialize<'de> + PartialEq + Debug>(datum: &'de [u8], expect: Option<T>) {
        let got = read::<T>(datum).ok().filter(|(_, rest)| rest.is_empty());
        assert_eq!(got.map(|(value, _)| value), expect, "{datum:02x?}");
    }

    #[test]
    fn numbers_are_zigzag_and_fit_their_type() {
        check(&[0], Some(0_i64));
        check(&[1], Some(-1_i64));
        check(&[0x80, 1], Some(64_i64));
        let least = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1];
        check(&least, Some(i64::MIN));
        check::<i32>(&least, None);
        check::<u32>(&[1], None);
        // A bit too many, and no end.
        check::<i64>(&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2], None);
        check::<i64>(&[0x80; 11], None);
        check::<i64>(&[0x80], None);
        check::<i64>(&[], None);
    }

    #[test]
    fn arrays_come_in_blocks_with_or_without_their_size() {
        check(&[0], Some(Vec::<i64>::new()));
        check(&[4, 2, 4, 2, 6, 0], Some(vec![1_i64, 2, 3]));
        // A count below zero has the block's size in bytes behind it.
        check(&[3, 4, 2, 4, 1, 2, 6, 0], Some(vec![1_i64, 2, 3]));
        // No last block, more items than bytes, and the least of numbers as a count.
        check::<Vec<i64>>(&[4, 2, 4], None);
        check::<Vec<i64>>(&[0x7e, 2, 4, 0], None);
        check::<Vec<i64>>(&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 0, 0], None);
    }

    #[test]
    fn texts_unions_and_booleans_are_strict() {
        check(b"\x04ab", Some("ab"));
        check::<&str>(b"\x02\xff", None);
        check::<&str>(b"\x06ab", None);
        check::<&str>(b"\x01", None);
        check(&[0], Some(None::<bool>));
        check(&[2, 1], Some(Some(true)));
        check::<Option<bool>>(&[4, 1], None);
        check::<Option<bool>>(&[1, 1], None);
        check::<bool>(&[2], None);
        check(&[0, 0, 0x80, 0x3f], Some(1.0_f32));
    }
}
