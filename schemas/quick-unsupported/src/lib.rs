//! One macro: the methods of a [`serde::Serializer`] that do not serialize but answer with an
//! error.

#[doc(hidden)]
pub use serde;

/// Inside an `impl Serializer`: for each kind named after `err = (…);`, its method (and, for
/// compound kinds, its associated type) that returns `Err` of the expression.
#[macro_export]
macro_rules! serializer_unsupported {
    (err = ($err:expr); $($kind:ident)*) => {
        $($crate::unsupported_kind! { $kind ($err) })*
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! unsupported_method {
    ($err:expr, $method:ident $(<$g:ident>)? ($($arg:ty),*) -> $out:ty) => {
        fn $method $(<$g: ?Sized + $crate::serde::Serialize>)? (
            self $(, _: $arg)*
        ) -> ::core::result::Result<$out, Self::Error> {
            ::core::result::Result::Err($err)
        }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! unsupported_compound {
    ($err:expr, $assoc:ident, $method:ident ($($arg:ty),*)) => {
        type $assoc = $crate::serde::ser::Impossible<Self::Ok, Self::Error>;
        $crate::unsupported_method! { $err, $method($($arg),*) -> Self::$assoc }
    };
}

#[rustfmt::skip]
#[doc(hidden)]
#[macro_export]
macro_rules! unsupported_kind {
    (bool ($e:expr)) => { $crate::unsupported_method! { $e, serialize_bool(bool) -> Self::Ok } };
    (i8 ($e:expr)) => { $crate::unsupported_method! { $e, serialize_i8(i8) -> Self::Ok } };
    (i16 ($e:expr)) => { $crate::unsupported_method! { $e, serialize_i16(i16) -> Self::Ok } };
    (i32 ($e:expr)) => { $crate::unsupported_method! { $e, serialize_i32(i32) -> Self::Ok } };
    (i64 ($e:expr)) => { $crate::unsupported_method! { $e, serialize_i64(i64) -> Self::Ok } };
    (i128 ($e:expr)) => { $crate::unsupported_method! { $e, serialize_i128(i128) -> Self::Ok } };
    (u8 ($e:expr)) => { $crate::unsupported_method! { $e, serialize_u8(u8) -> Self::Ok } };
    (u16 ($e:expr)) => { $crate::unsupported_method! { $e, serialize_u16(u16) -> Self::Ok } };
    (u32 ($e:expr)) => { $crate::unsupported_method! { $e, serialize_u32(u32) -> Self::Ok } };
    (u64 ($e:expr)) => { $crate::unsupported_method! { $e, serialize_u64(u64) -> Self::Ok } };
    (u128 ($e:expr)) => { $crate::unsupported_method! { $e, serialize_u128(u128) -> Self::Ok } };
    (f32 ($e:expr)) => { $crate::unsupported_method! { $e, serialize_f32(f32) -> Self::Ok } };
    (f64 ($e:expr)) => { $crate::unsupported_method! { $e, serialize_f64(f64) -> Self::Ok } };
    (char ($e:expr)) => { $crate::unsupported_method! { $e, serialize_char(char) -> Self::Ok } };
    (str ($e:expr)) => { $crate::unsupported_method! { $e, serialize_str(&str) -> Self::Ok } };
    (bytes ($e:expr)) => { $crate::unsupported_method! { $e, serialize_bytes(&[u8]) -> Self::Ok } };
    (none ($e:expr)) => { $crate::unsupported_method! { $e, serialize_none() -> Self::Ok } };
    (some ($e:expr)) => { $crate::unsupported_method! { $e, serialize_some<T>(&T) -> Self::Ok } };
    (unit ($e:expr)) => { $crate::unsupported_method! { $e, serialize_unit() -> Self::Ok } };
    (unit_struct ($e:expr)) => { $crate::unsupported_method! { $e, serialize_unit_struct(&'static str) -> Self::Ok } };
    (unit_variant ($e:expr)) => { $crate::unsupported_method! { $e, serialize_unit_variant(&'static str, u32, &'static str) -> Self::Ok } };
    (newtype_struct ($e:expr)) => { $crate::unsupported_method! { $e, serialize_newtype_struct<T>(&'static str, &T) -> Self::Ok } };
    (newtype_variant ($e:expr)) => { $crate::unsupported_method! { $e, serialize_newtype_variant<T>(&'static str, u32, &'static str, &T) -> Self::Ok } };
    (seq ($e:expr)) => { $crate::unsupported_compound! { $e, SerializeSeq, serialize_seq(::core::option::Option<usize>) } };
    (tuple ($e:expr)) => { $crate::unsupported_compound! { $e, SerializeTuple, serialize_tuple(usize) } };
    (tuple_struct ($e:expr)) => { $crate::unsupported_compound! { $e, SerializeTupleStruct, serialize_tuple_struct(&'static str, usize) } };
    (tuple_variant ($e:expr)) => { $crate::unsupported_compound! { $e, SerializeTupleVariant, serialize_tuple_variant(&'static str, u32, &'static str, usize) } };
    (map ($e:expr)) => { $crate::unsupported_compound! { $e, SerializeMap, serialize_map(::core::option::Option<usize>) } };
    (struct ($e:expr)) => { $crate::unsupported_compound! { $e, SerializeStruct, serialize_struct(&'static str, usize) } };
    (struct_variant ($e:expr)) => { $crate::unsupported_compound! { $e, SerializeStructVariant, serialize_struct_variant(&'static str, u32, &'static str, usize) } };
}
