use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A code of exactly `N` ASCII letters and digits, kept in place and not on the heap: state holds
/// hundreds of thousands of them. In Avro it is a `string`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AsciiCode<const N: usize>([u8; N]);

/// UN/LOCODE without the space: country and three characters, `NLRTM`.
pub type Unlocode = AsciiCode<5>;

/// ISO 3166-1 alpha-2.
pub type Country = AsciiCode<2>;

impl<const N: usize> AsciiCode<N> {
    pub fn bytes(&self) -> [u8; N] {
        self.0
    }

    /// `None` if `text` is not of this form; whether the code is in use is not asked.
    pub fn new(text: &str) -> Option<Self> {
        let bytes: [u8; N] = text.as_bytes().try_into().ok()?;
        bytes.iter().all(u8::is_ascii_alphanumeric).then_some(Self(bytes))
    }

    pub fn as_str(&self) -> &str {
        // Always ASCII: `new` is the only way in.
        str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl<const N: usize> fmt::Debug for AsciiCode<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl<const N: usize> fmt::Display for AsciiCode<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl<const N: usize> From<AsciiCode<N>> for String {
    fn from(code: AsciiCode<N>) -> Self {
        code.as_str().to_owned()
    }
}

impl<const N: usize> Serialize for AsciiCode<N> {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(self.as_str())
    }
}

impl<'de, const N: usize> Deserialize<'de> for AsciiCode<N> {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct Visitor<const N: usize>;
        impl<const N: usize> de::Visitor<'_> for Visitor<N> {
            type Value = AsciiCode<N>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{N} ASCII letters and digits")
            }
            fn visit_str<E: de::Error>(self, v: &str) -> Result<AsciiCode<N>, E> {
                AsciiCode::new(v).ok_or_else(|| E::invalid_length(v.len(), &self))
            }
        }
        d.deserialize_str(Visitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_has_its_form_or_is_none() {
        for (text, expect) in [
            ("NLRTM", true),
            ("USNY2", true),
            ("", false),
            ("NLRT", false),
            ("NLRTMX", false),
            ("NL RT", false),
            ("NLRT\u{e9}", false),
        ] {
            let code = Unlocode::new(text);
            assert_eq!(code.is_some(), expect, "{text:?}");
            assert_eq!(code.map(String::from), expect.then(|| text.to_owned()));
        }
    }
}
