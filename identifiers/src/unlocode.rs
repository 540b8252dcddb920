//! UN/LOCODE (UNECE Recommendation 16): two letters of the country, three characters of the place.
//! Whether the place is in the list is enrich's to know; here is its form, and its country.

use std::borrow::Cow;

use crate::country::is_country;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Not two letters and three letters or digits.
    Form,
    /// The first two letters are no country.
    Country,
}

/// Upper case and without the blank between its halves: `fr par` is `FRPAR`.
pub fn read(text: &str) -> Result<String, Fault> {
    let text = match text.bytes().any(|b| b == b' ') {
        true => Cow::Owned(text.replace(' ', "")),
        false => Cow::Borrowed(text),
    };
    let [c1, c2, place @ ..] = text.as_bytes() else { return Err(Fault::Form) };
    let form = c1.is_ascii_alphabetic()
        && c2.is_ascii_alphabetic()
        && place.len() == 3
        // The recommendation uses A–Z and 2–9; lists in use have a few with 0 and 1.
        && place.iter().all(u8::is_ascii_alphanumeric);
    if !form {
        return Err(Fault::Form);
    }
    let code = text.to_ascii_uppercase();
    // XZ: installations in international waters, by the recommendation itself.
    match code.get(..2) {
        Some("XZ") => Ok(code),
        Some(country) if is_country(country) => Ok(code),
        _ => Err(Fault::Country),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places() {
        let check = |text: &str, expect: Result<&str, Fault>| {
            assert_eq!(read(text).as_deref().map_err(|f| *f), expect, "{text}");
        };
        check("FRPAR", Ok("FRPAR"));
        check("fr par", Ok("FRPAR"));
        check("US2NY", Ok("US2NY"));
        check("XZSEA", Ok("XZSEA"));
        check("XYABC", Err(Fault::Country));
        check("XZ", Err(Fault::Form));
        check("FRPA", Err(Fault::Form));
        check("FRPARX", Err(Fault::Form));
        check("F1PAR", Err(Fault::Form));
        check("FRPA-", Err(Fault::Form));
        check("FRPÄR", Err(Fault::Form));
        check("", Err(Fault::Form));
    }
}
