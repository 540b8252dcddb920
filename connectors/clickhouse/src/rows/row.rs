//! A row in RowBinary: its values one behind the other, each as its column's type wants it. So what
//! is written here is as the format says: <https://clickhouse.com/docs/interfaces/formats/RowBinary>.
//!
//! Not by way of the client, which looks at the type of every value of every row. A type of ours
//! says once, for all of its values, which columns it may be written to ([`Value::fits`]): the table
//! is asked for its columns before the first row (`columns.rs`), and the server compares the types
//! that stand before the rows of each insert with its own.

/// What a field of a row is in RowBinary.
pub(crate) trait Value {
    /// Whether a column of this type takes it.
    fn fits(column: &str) -> bool;
    fn write(&self, to: &mut Vec<u8>);
}

/// Name of a column, and whether what we write there fits a type.
pub(crate) type Column = (&'static str, fn(&str) -> bool);

/// Defines a row: each field is a column, of the same name if `#[column]` does not say another.
macro_rules! row {
    (
        pub(crate) struct $row:ident<$a:lifetime> {
            $($(#[column = $name:literal])? $field:ident: $type:ty),+ $(,)?
        }
    ) => {
        pub(crate) struct $row<$a> { $($field: $type),+ }

        impl<$a> $row<$a> {
            pub(crate) const COLUMNS: &'static [$crate::rows::row::Column] = &[$((
                $crate::rows::row::row!(@name $field $($name)?),
                |column| <$type as $crate::rows::row::Value>::fits(column),
            )),+];

            pub(crate) fn write(&self, to: &mut Vec<u8>) {
                $($crate::rows::row::Value::write(&self.$field, to);)+
            }
        }
    };
    (@name $field:ident $name:literal) => { $name };
    (@name $field:ident) => { stringify!($field) };
}
pub(crate) use row;

/// `LowCardinality(…)` is written as what is in it.
fn without<'t>(outer: &str, column: &'t str) -> Option<&'t str> {
    column.strip_prefix(outer)?.strip_prefix('(')?.strip_suffix(')')
}

/// LEB128.
#[inline]
pub(crate) fn write_length(mut n: usize, to: &mut Vec<u8>) {
    while n > 0x7f {
        to.push(n as u8 | 0x80);
        n >>= 7;
    }
    to.push(n as u8);
}

impl Value for &str {
    fn fits(column: &str) -> bool {
        without("LowCardinality", column).unwrap_or(column) == "String"
    }

    #[inline]
    fn write(&self, to: &mut Vec<u8>) {
        write_length(self.len(), to);
        to.extend_from_slice(self.as_bytes());
    }
}

impl Value for bool {
    fn fits(column: &str) -> bool {
        column == "Bool"
    }

    #[inline]
    fn write(&self, to: &mut Vec<u8>) {
        to.push(u8::from(*self));
    }
}

macro_rules! numbers {
    ($($type:ty: $($column:literal),+;)+) => {
        $(impl Value for $type {
            fn fits(column: &str) -> bool {
                matches!(column, $($column)|+)
            }

            #[inline]
    fn write(&self, to: &mut Vec<u8>) {
                to.extend_from_slice(&self.to_le_bytes());
            }
        })+
    };
}

numbers! {
    u8: "UInt8";
    i32: "Int32";
    i64: "Int64", "DateTime64(3, 'UTC')";
    u32: "UInt32", "DateTime('UTC')";
    u64: "UInt64";
    f32: "Float32";
    f64: "Float64";
}

/// A UUID: the high half, then the low.
impl Value for (u64, u64) {
    fn fits(column: &str) -> bool {
        column == "UUID"
    }

    #[inline]
    fn write(&self, to: &mut Vec<u8>) {
        self.0.write(to);
        self.1.write(to);
    }
}

impl<T: Value> Value for Option<T> {
    fn fits(column: &str) -> bool {
        without("Nullable", column).is_some_and(T::fits)
    }

    #[inline]
    fn write(&self, to: &mut Vec<u8>) {
        to.push(u8::from(self.is_none()));
        if let Some(value) = self {
            value.write(to);
        }
    }
}

/// One element of each item: a column of a nested structure, without an allocation.
pub(crate) struct Each<'a, T, U>(pub(crate) &'a [T], pub(crate) fn(&'a T) -> U);

impl<T, U: Value> Value for Each<'_, T, U> {
    fn fits(column: &str) -> bool {
        without("Array", column).is_some_and(U::fits)
    }

    #[inline]
    fn write(&self, to: &mut Vec<u8>) {
        write_length(self.0.len(), to);
        for item in self.0 {
            (self.1)(item).write(to);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_written_as_rowbinary_has_them() {
        fn check(value: impl Value, expect: &[u8]) {
            let mut to = Vec::new();
            value.write(&mut to);
            assert_eq!(to, expect);
        }
        check("", b"\0");
        check("ab", b"\x02ab");
        check(&*"x".repeat(300), &[&[0xac, 0x02], "x".repeat(300).as_bytes()].concat());
        check(true, &[1]);
        check(-2_i32, &[0xfe, 0xff, 0xff, 0xff]);
        check(258_i64, &[2, 1, 0, 0, 0, 0, 0, 0]);
        check((1_u64, 2_u64), &[1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0]);
        check(None::<u32>, &[1]);
        check(Some(7_u32), &[0, 7, 0, 0, 0]);
        check(1.0_f32, &[0, 0, 0x80, 0x3f]);
        let items = [("a", 1_u32), ("bc", 2)];
        check(Each(&items, |i| i.0), b"\x02\x01a\x02bc");
        check(Each(&items, |i| Some(i.1)), &[2, 0, 1, 0, 0, 0, 0, 2, 0, 0, 0]);
    }

    #[test]
    fn a_value_fits_its_types_alone() {
        fn check<T: Value>(column: &str, expect: bool) {
            assert_eq!(T::fits(column), expect, "{column}");
        }
        check::<&str>("String", true);
        check::<&str>("LowCardinality(String)", true);
        check::<&str>("LowCardinality(Nullable(String))", false);
        check::<&str>("Nullable(String)", false);
        check::<&str>("FixedString(5)", false);
        check::<i64>("DateTime64(3, 'UTC')", true);
        check::<i64>("DateTime64(6, 'UTC')", false);
        check::<i64>("UInt64", false);
        check::<i64>("Nullable(Int64)", false);
        check::<Option<i64>>("Nullable(Int64)", true);
        check::<Option<i64>>("Int64", false);
        check::<u32>("Int32", false);
        check::<u32>("DateTime('UTC')", true);
        check::<(u64, u64)>("UUID", true);
        check::<Each<'_, u8, &str>>("Array(LowCardinality(String))", true);
        check::<Each<'_, u8, &str>>("Array(UInt8)", false);
        check::<Each<'_, u8, Option<f64>>>("Array(Nullable(Float64))", true);
    }
}
