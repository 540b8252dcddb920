//! IMO ship identification numbers (IMO resolution A.1117(30)): six digits and a check digit.

/// Seven digits, of which the last is the [`check_digit`] of the others.
pub fn is_valid(number: &str) -> bool {
    let [_, _, _, _, _, _, check] = number.as_bytes() else { return false };
    number.bytes().all(|b| b.is_ascii_digit()) && check_digit(number) == u32::from(check - b'0')
}

/// Of the first six digits: the last digit of their sum, weighted 7, 6, … 2.
pub fn check_digit(number: &str) -> u32 {
    let values = number.bytes().map(|b| u32::from(b.saturating_sub(b'0')));
    values.zip((2..=7).rev()).map(|(value, weight)| value * weight).sum::<u32>() % 10
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
