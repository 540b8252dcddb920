//! Container numbers by ISO 6346: four letters (three of the owner, then `U`, `J` or `Z` for the
//! category of equipment), six digits, and a check digit.

use std::borrow::Cow;

/// What a number is, as far as it says itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Good,
    /// The form is right, the check digit is not.
    CheckDigit,
    /// Not of the form of ISO 6346.
    Form,
}

/// Upper case, without blanks; and without the separators that a number is printed with, where
/// that makes it a number of ISO 6346 form: `mscu 123456-7` is `MSCU1234567`.
pub fn normalise(number: &str) -> Cow<'_, str> {
    let clean = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit();
    if number.bytes().all(clean) {
        return Cow::Borrowed(number);
    }
    let upper: String =
        number.chars().filter(|c| !c.is_whitespace()).map(|c| c.to_ascii_uppercase()).collect();
    let bare: String = upper.chars().filter(|c| !matches!(c, '-' | '.' | '/')).collect();
    Cow::Owned(if verdict(&bare) == Verdict::Form { upper } else { bare })
}

/// Judges a normalised number.
pub fn verdict(number: &str) -> Verdict {
    let [o1, o2, o3, category, serial @ .., check] = number.as_bytes() else {
        return Verdict::Form;
    };
    let letters = [o1, o2, o3].iter().all(|b| b.is_ascii_uppercase());
    let digits = serial.len() == 6 && serial.iter().chain([check]).all(u8::is_ascii_digit);
    if !letters || !b"UJZ".contains(category) || !digits {
        return Verdict::Form;
    }
    if check_digit(number) == u32::from(check - b'0') { Verdict::Good } else { Verdict::CheckDigit }
}

/// Of the first ten characters, upper case (clause 4 and annex A): their values weighted by
/// 2^position, modulo 11, 10 as 0.
pub fn check_digit(number: &str) -> u32 {
    let sum: u32 = number.bytes().take(10).zip(0..).map(|(b, i)| value(b) << i).sum();
    sum % 11 % 10
}

/// Digits are themselves; letters count from 10 and pass over the multiples of 11.
fn value(b: u8) -> u32 {
    match b {
        b'0'..=b'9' => u32::from(b - b'0'),
        b'A' => 10,
        b'B'..=b'K' => u32::from(b - b'B') + 12,
        b'L'..=b'U' => u32::from(b - b'L') + 23,
        _ => u32::from(b.saturating_sub(b'V')) + 34,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers() {
        let check = |sent: &str, normal: &str, expect: Verdict| {
            assert_eq!(normalise(sent), normal, "{sent}");
            assert_eq!(verdict(normal), expect, "{normal}");
        };
        // CSQU3054383 is the example of the standard itself.
        check("CSQU3054383", "CSQU3054383", Verdict::Good);
        check("csqu 305438 3", "CSQU3054383", Verdict::Good);
        check("CSQU 305438-3", "CSQU3054383", Verdict::Good);
        check("CSQU3054384", "CSQU3054384", Verdict::CheckDigit);
        check("MSKU0383250", "MSKU0383250", Verdict::Good);
        check("CSQX3054383", "CSQX3054383", Verdict::Form);
        check("CSQU305438", "CSQU305438", Verdict::Form);
        check("CSQU30543831", "CSQU30543831", Verdict::Form);
        check("rail-77 b", "RAIL-77B", Verdict::Form);
        check("", "", Verdict::Form);
        check("CSQU30543é3", "CSQU30543é3", Verdict::Form);
    }

    #[test]
    fn letters_pass_over_multiples_of_11() {
        let mut expect = (10..).filter(|n| n % 11 != 0);
        for letter in b'A'..=b'Z' {
            assert_eq!(Some(value(letter)), expect.next(), "{}", char::from(letter));
        }
    }
}
