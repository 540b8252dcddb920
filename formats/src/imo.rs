//! IMO ship identification numbers (IMO resolution A.1117(30)): six digits and a check digit.

/// Seven digits, the last being the last digit of the others' sum weighted 7, 6, … 2.
pub fn is_valid(number: &str) -> bool {
    let [digits @ .., check] = number.as_bytes() else { return false };
    if digits.len() != 6 || !number.bytes().all(|b| b.is_ascii_digit()) {
        return false;
    }
    let sum: u32 = digits.iter().zip((2..=7).rev()).map(|(d, w)| u32::from(d - b'0') * w).sum();
    sum % 10 == u32::from(check - b'0')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers() {
        for (number, expect) in [
            ("9074729", true),
            ("9321483", true),
            ("9321484", false),
            ("932148", false),
            ("93214830", false),
            ("932148X", false),
            ("", false),
        ] {
            assert_eq!(is_valid(number), expect, "{number}");
        }
    }
}
